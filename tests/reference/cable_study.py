"""Whether a swapped cable closes the hand more often than the right one, on simulated participants.

    python -m tests.reference.cable_study --seeds 7000-7019

For each seed one person calibrates, rests for some minutes and then follows cues again. The same samples are
decoded through the right cable and through each swapped one, so that the comparison is paired: the noise is the
same. What comes out is simulated and is never evidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import t as student

from tests.reference.grasp_simulation import FS
from tests.reference.rejection_study import DISTURBED, PARADIGM, Outcome, calibrated, run_of
from workbench.analysis import poisson_interval
from workbench.devices.simulated_participant import render
from workbench.paradigms import PlannedCue

RIGHT = "the right cable"
SWAPS = ("strips exchanged", "plug turned round", "two wires exchanged", "wires in any order")

Found = Mapping[str, tuple[Outcome, Outcome]]
"""Of one person, by cable: the outcome at rest, and that of the run with cues."""


def person(seed: int, *, n_calibration: int, rest_s: float, n_online: int) -> dict[str, tuple[Outcome, Outcome]]:
    """Outcomes of one person by cable, all of the same samples."""
    first = PARADIGM.schedule(n_calibration, seed=seed)
    rest = (PlannedCue(0.0, "rest", rest_s, -1),)
    cued = PARADIGM.schedule(n_online, seed=seed + 100)
    ends = np.cumsum([first[-1].at_s + first[-1].duration_s, rest_s, cued[-1].at_s + cued[-1].duration_s])
    whole = [
        *first,
        *(cue._replace(at_s=cue.at_s + float(ends[0])) for cue in rest),
        *(cue._replace(at_s=cue.at_s + float(ends[1])) for cue in cued),
    ]
    samples, _ = render(seed, whole, float(ends[2]))
    calibration, resting, moving = np.split(samples, np.round(ends * FS).astype(int))[:3]
    decoder, _ = calibrated(calibration, first, "bandpower_lda")
    found = {}
    for at, name in enumerate((RIGHT, *SWAPS)):
        swapped = [  # each with its own generator of the same seed: one order of the wires for both runs
            one if name == RIGHT else DISTURBED[name](one, np.random.default_rng([seed, 4, at]))
            for one in (resting, moving)
        ]
        found[name] = (run_of(swapped[0], rest, decoder), run_of(swapped[1], cued, decoder))
    return found


def paired(values: Sequence[float]) -> str:
    """Mean over persons and its 95 % interval (Student's t)."""
    apart = np.array(values, dtype=float)
    half = float(student.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart)))
    return f"{apart.mean():+.3f} ({apart.mean() - half:+.3f} to {apart.mean() + half:+.3f})"


def table(results: Sequence[Found], *, rest_min: float) -> str:
    """A line for each cable: counts, rate at rest with its exact interval, paired differences."""
    lines = []
    for name in (RIGHT, *SWAPS):
        at_rest = [one[name][0].closings for one in results]
        interval = poisson_interval(sum(at_rest), exposure=rest_min * len(results))
        false, late = (
            sum(counts) for counts in zip(*((one[name][1].false, one[name][1].late) for one in results))
        )
        lines.append(
            f"{name:<20} at rest: closings {sum(at_rest):>4}, {sum(at_rest) / rest_min / len(results):.3f}/min "
            f"({interval.low:.3f}-{interval.high:.3f}); run with cues: false in rest {false:>4}, "
            f"of these late {late:>4}, F1 {np.mean([one[name][1].f1 for one in results]):.3f}, "
            f"rejected {np.mean([one[name][0].rejected for one in results]):.2%}"
        )
    for name in SWAPS:
        rest = [(one[name][0].closings - one[RIGHT][0].closings) / rest_min for one in results]
        cued = [one[name][1].false - one[RIGHT][1].false for one in results]
        early = [a - one[name][1].late + one[RIGHT][1].late for a, one in zip(cued, results)]
        lines.append(
            f"{name:<20} less the right one, mean over persons (95 % CI): closings/min at rest {paired(rest)}, "
            f"false in rest of a run with cues {paired(cued)}, without the late ones {paired(early)}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print a line for each person and cable."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.cable_study", description=__doc__)
    parser.add_argument("--seeds", default="7000-7019", help="first-last, both included")
    parser.add_argument("--calibration", type=int, default=16, help="attempts of the calibration run")
    parser.add_argument("--rest", type=float, default=10.0, help="minutes of rest")
    parser.add_argument("--online", type=int, default=15, help="attempts of the run with cues")
    asked = parser.parse_args(argv)
    first, _, last = asked.seeds.partition("-")
    results: list[Found] = []
    for seed in range(int(first), int(last or first) + 1):
        results.append(
            person(seed, n_calibration=asked.calibration, rest_s=60.0 * asked.rest, n_online=asked.online)
        )
        counts = ", ".join(f"{k} {a.closings}+{b.false}" for k, (a, b) in results[-1].items())
        sys.stdout.write(f"seed {seed}  closings at rest + false in the run with cues: {counts}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(results)} simulated participants, {asked.rest:g} min of rest each\n")
    if len(results) > 1:
        sys.stdout.write(table(results, rest_min=asked.rest) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
