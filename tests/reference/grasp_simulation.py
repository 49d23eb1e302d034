"""Grasp against rest on simulated participants: calibrate, then decode a second run, with every default.

    python -m tests.reference.grasp_simulation --seeds 0-19

For each seed one person: a calibration run, and behind it, in the same noise, a run that is decoded as it
would be live. What comes out is simulated and is never evidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import analysis, decoders, paradigms
from workbench.analysis import EventMetrics
from workbench.decode import decode
from workbench.devices._physiology import preset
from workbench.devices.simulated_participant import render
from workbench.paradigms import PlannedCue
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Chunk, FloatArray, Marker, Trial

FS, BLOCK, START = 1000.0, 50, 1000.0


@dataclass(frozen=True)
class Result:
    """One person. latencies : s. rest_s : s of rest, in which ``false_in_rest`` activations fell."""

    seed: int
    metrics: EventMetrics
    latencies: tuple[float, ...]
    false_in_rest: int
    rest_s: float


def items(samples: FloatArray, cues: Sequence[PlannedCue], *, fs: float = FS) -> Iterator[Chunk | Marker]:
    """A run at ``fs`` Hz as the loop takes it, each marker before the sample at which it takes effect."""
    stamps = START + np.arange(len(samples)) / fs
    marks = [
        Marker(
            "cue",
            round(cue.at_s * fs),
            START + cue.at_s,
            cue.label,
            {"duration_s": cue.duration_s, "trial": cue.trial},
        )
        for cue in cues
    ]
    edges = sorted({*range(0, len(samples), BLOCK), len(samples), *(m.sample for m in marks)})
    for first, last in zip(edges, edges[1:], strict=False):
        yield from (mark for mark in marks if mark.sample == first)
        yield Chunk(first, samples[first:last], stamps[first:last])


def evaluate(seed: int, *, n_calibration: int, n_online: int, decoder_name: str = "bandpower_lda") -> Result:
    """Calibrate on ``n_calibration`` attempts of the person of that seed, decode ``n_online`` more."""
    paradigm = paradigms.load("grasp_rest")()
    first = paradigm.schedule(n_calibration, seed=seed)
    second = paradigm.schedule(n_online, seed=seed + 100)
    shift = first[-1].at_s + first[-1].duration_s
    whole = [*first, *(cue._replace(at_s=cue.at_s + shift) for cue in second)]
    samples, _ = render(seed, whole, whole[-1].at_s + whole[-1].duration_s)
    calibration, online = samples[: round(shift * FS)], samples[round(shift * FS) :]
    decoder = decoders.load(decoder_name)(fs=FS).prepare(samples.shape[1])
    settings = decoder.settings
    cues, n = locate_cues(items(calibration, first), fs=FS)
    named = paradigm.training_windows(cues, fs=FS, window_s=settings.window_s, hop_s=settings.hop_s)
    wanted = [window for window in named if window[0] <= n]
    training = decoders.collect(decoder, items(calibration, first), wanted, n_channels=samples.shape[1])
    decoder.fit_summaries(training.summaries, training.labels, blocks=training.blocks)
    trials = [made for made in decode(items(online, second), paradigm, decoder, fs=FS) if isinstance(made, Trial)]
    return Result(
        seed,
        analysis.event_metrics(trials, onset_window_s=paradigm.onset_window_s, fs=FS),
        tuple(trial.latency_s for trial in trials if trial.latency_s is not None),
        sum(trial.false_in_rest for trial in trials),
        sum(trial.rest_s for trial in trials),
    )


def per_minute(result: Result) -> float:
    """False activations a minute of rest."""
    return 60.0 * result.false_in_rest / result.rest_s


def middle(latencies: Sequence[float]) -> float:
    """Median latency in s; nan without a hit."""
    return float(np.median(latencies)) if latencies else float("nan")


def line(result: Result) -> str:
    """One person in a line."""
    return (
        f"seed {result.seed:>5}  event F1 {result.metrics.f1:.2f}  false activations in rest "
        f"{per_minute(result):.2f}/min  median onset latency {middle(result.latencies):.2f} s"
    )


def summary(results: Sequence[Result]) -> str:
    """Means over persons with ranges; the latency is the median over persons' medians."""
    f1 = [result.metrics.f1 for result in results]
    false = [per_minute(result) for result in results]
    late = [middle(result.latencies) for result in results]
    return (
        f"{len(results)} simulated participants: mean event F1 {np.mean(f1):.3f} ({min(f1):.2f}-{max(f1):.2f}), "
        f"false activations in rest {np.mean(false):.2f}/min ({min(false):.2f}-{max(false):.2f}), "
        f"median onset latency {np.nanmedian(late):.2f} s ({np.nanmin(late):.2f}-{np.nanmax(late):.2f})"
    )


def main(argv: Sequence[str]) -> int:
    """Print a line for each seed and one for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.grasp_simulation", description=__doc__)
    parser.add_argument("--seeds", default="0-19", help="first-last, both included")
    parser.add_argument("--calibration", type=int, default=16, help="attempts of the calibration run")
    parser.add_argument("--online", type=int, default=15, help="attempts of the decoded run")
    asked = parser.parse_args(argv)
    first, _, last = asked.seeds.partition("-")
    sys.stdout.write(f"simulator neo {preset('neo').sha256()[:12]}, {asked.calibration} attempts to calibrate\n")
    results = []
    for seed in range(int(first), int(last or first) + 1):
        results.append(evaluate(seed, n_calibration=asked.calibration, n_online=asked.online))
        sys.stdout.write(line(results[-1]) + "\n")
        sys.stdout.flush()
    sys.stdout.write(summary(results) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
