"""What the rejection of windows far from the training data stops, and what it costs, on simulated participants.

    python -m tests.reference.rejection_study --seeds 0-19

For each seed one person calibrates and is then decoded twice, with the rejection and without it: the person's own
next run, signals that are no brain, the person's signals through faulty cables, and the person on another day. No
kind of signal is used in fitting. What comes out is simulated and is never evidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from tests.reference.grasp_simulation import FS, items
from workbench import analysis, decoders, paradigms
from workbench.decode import decode
from workbench.decoders import WindowDecoder
from workbench.devices._physiology import NEO
from workbench.devices.simulated_participant import render
from workbench.paradigms import PlannedCue
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Decision, FloatArray, LedgerRow, Trial

PARADIGM = paradigms.load("grasp_rest")()

LATE_S = 1.0
"""How long after the end of its cue an attempt may still show, s: reaction, return of the rhythms, window."""

Make = Callable[[FloatArray, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Outcome:
    """One run of one decoder.

    Attributes
    ----------
    f1 : event F1. false : activations in rest. closings : all activations.
    rejected : share of the valid windows that had no label, 0–1. notices : entries that advise to recalibrate.
    late : of the activations in rest, those within :data:`LATE_S` of the end of an attempt's cue.
    """

    f1: float
    false: int
    closings: int
    rejected: float
    notices: int
    late: int


# ------------------------------------------------------------------ signals that are no brain
def coloured(like: FloatArray, rng: np.random.Generator, *, exponent: float, uv: float) -> FloatArray:
    """Noise with a power spectrum of ``1 / f ** exponent`` above 1 Hz, ``uv`` RMS, the channels independent."""
    f = np.maximum(np.fft.rfftfreq(len(like), 1 / FS), 1.0)
    spectrum = np.fft.rfft(rng.normal(size=like.shape), axis=0) * f[:, None] ** (-exponent / 2)
    noise = np.fft.irfft(spectrum, len(like), axis=0)
    made: FloatArray = noise / noise.std() * uv
    return made


def hum(like: FloatArray, rng: np.random.Generator, *, uv: float) -> FloatArray:
    """Mains of 50 Hz and two harmonics, its size another on every channel."""
    times = np.arange(len(like)) / FS
    wave = sum(np.sin(2 * np.pi * 50 * k * times + k) / k**2 for k in (1, 2, 3))
    made: FloatArray = uv * np.sqrt(2) * wave[:, None] * rng.uniform(0.5, 1.5, like.shape[1])
    return made


def amplifier(like: FloatArray, rng: np.random.Generator) -> FloatArray:
    """White noise of an open input, 0.8 µV."""
    return rng.normal(0.0, 0.8, like.shape)


NO_BRAIN: dict[str, Make] = {
    "white noise, 10 µV": lambda x, rng: rng.normal(0.0, 10.0, x.shape),
    "white noise, 1 µV": lambda x, rng: rng.normal(0.0, 1.0, x.shape),
    "pink noise, 25 µV": lambda x, rng: coloured(x, rng, exponent=1.0, uv=25.0),
    "brown noise, 25 µV": lambda x, rng: coloured(x, rng, exponent=2.0, uv=25.0),
    "mains only, 10 µV": lambda x, rng: hum(x, rng, uv=10.0) + amplifier(x, rng),
    "mains only, 3 mV": lambda x, rng: hum(x, rng, uv=3000.0) + amplifier(x, rng),
    "all channels flat": lambda x, rng: np.zeros_like(x),
    "one source on all channels": lambda x, rng: (
        np.repeat(coloured(x, rng, exponent=2.0, uv=25.0)[:, :1], x.shape[1], axis=1) + amplifier(x, rng)
    ),
}
"""None of it may close the hand."""


# ------------------------------------------------------------------ brain, wrongly connected or disturbed
def bursts(like: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Movement artefacts: every 3 s a step of 0.3 mV that decays within a second, and muscle for 0.7 s."""
    made = np.zeros_like(like)
    for first in range(0, len(like), 3000):
        n = min(1000, len(like) - first)
        step = 300.0 * np.exp(-np.arange(n) / 300.0)[:, None] * rng.normal(size=like.shape[1])
        muscle = 30.0 * rng.normal(size=(n, like.shape[1])) * (np.arange(n) < 700)[:, None]
        made[first : first + n] = step + muscle
    return made


DISTURBED: dict[str, Make] = {
    "a tenth of the amplitude": lambda x, rng: 0.1 * x,
    "ten times the amplitude": lambda x, rng: 10.0 * x,
    "mains of 3 mV on top": lambda x, rng: x + hum(x, rng, uv=3000.0),
    "movement artefacts on top": lambda x, rng: x + bursts(x, rng),
    "one electrode open": lambda x, rng: np.column_stack([amplifier(x, rng)[:, :1], x[:, 1:]]),
    "strips exchanged": lambda x, rng: x[:, [4, 5, 6, 7, 0, 1, 2, 3]],
    "plug turned round": lambda x, rng: x[:, ::-1],
    "two wires exchanged": lambda x, rng: x[:, [1, 0, 2, 3, 4, 5, 6, 7]],
    "wires in any order": lambda x, rng: x[:, rng.permutation(x.shape[1])],
}
"""None of it may close the hand falsely more often than the right signal does."""


# ------------------------------------------------------------------ another day, another person
def another_day(seed: int, cues: Sequence[PlannedCue], seconds: float) -> FloatArray:
    """The same person with other rhythms, background, amplifier noise and gains."""
    rng = np.random.default_rng([seed, 1])
    sizes = np.exp(rng.normal(0.0, 0.15, 3))
    changed = replace(
        NEO,
        background_uv=NEO.background_uv * float(sizes[0]),
        mu_uv=NEO.mu_uv * float(sizes[1]),
        beta_uv=NEO.beta_uv * float(sizes[2]),
        amplifier_uv=NEO.amplifier_uv * float(rng.uniform(0.8, 2.0)),
    )
    samples, _ = render(seed, cues, seconds, physiology=changed)
    n = samples.shape[1]
    made: FloatArray = samples * np.exp(rng.normal(0.0, 0.2, n))
    return made


def another_mixing(own: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Another session's mixing of the same signals, ``I + 0.25 N``."""
    n = own.shape[1]
    made: FloatArray = own @ (np.eye(n) + 0.25 * rng.normal(size=(n, n))).T
    return made


def another_person(seed: int, cues: Sequence[PlannedCue], seconds: float, *, alike: bool) -> FloatArray:
    """Somebody else: drawn from the same table, or with a cortex that blurs more, slower and smaller rhythms."""
    other = replace(NEO, background_uv=12.0, mu_uv=6.0, mu_hz=(8.5, 1.5), beta_uv=5.0, mixing_mm=15.0)
    samples, _ = render(seed + 10_000, cues, seconds, physiology=NEO if alike else other)
    return samples


# ------------------------------------------------------------------ one person
def run_of(samples: FloatArray, cues: Sequence[PlannedCue], decoder: WindowDecoder) -> Outcome:
    """Decode a run as it would be live, and count."""
    made = list(decode(items(np.ascontiguousarray(samples), cues), PARADIGM, decoder, fs=FS))
    trials = [one for one in made if isinstance(one, Trial)]
    decisions = [one for one in made if isinstance(one, Decision)]
    valid = [one for one in decisions if one.valid]
    metrics = analysis.event_metrics(trials, onset_window_s=PARADIGM.onset_window_s, fs=FS)
    ends = [round((cue.at_s + cue.duration_s) * FS) for cue in cues if cue.label in PARADIGM.conditions]
    begun = [one.sample for one in decisions if one.change == "activate"]
    return Outcome(
        f1=metrics.f1,
        false=sum(one.false_in_rest for one in trials),
        closings=len(begun),
        rejected=sum(not one.label for one in valid) / len(valid) if valid else 0.0,
        notices=sum(isinstance(one, LedgerRow) and one.kind == "recalibrate" for one in made),
        late=sum(any(0 < at - end <= LATE_S * FS for end in ends) for at in begun),
    )


def calibrated(samples: FloatArray, cues: Sequence[PlannedCue], name: str) -> tuple[WindowDecoder, WindowDecoder]:
    """A decoder with the rejection, and one without, on the same windows."""
    first = decoders.load(name)(fs=FS).prepare(samples.shape[1])
    places, n = locate_cues(items(samples, cues), fs=FS)
    settings = first.settings
    named = PARADIGM.training_windows(places, fs=FS, window_s=settings.window_s, hop_s=settings.hop_s)
    wanted = [window for window in named if window[0] <= n]
    training = decoders.collect(first, items(samples, cues), wanted, n_channels=samples.shape[1])
    second = decoders.load(name)(fs=FS, evidence={"novelty": None}).prepare(samples.shape[1])
    for one in (first, second):
        one.fit_summaries(training.summaries, training.labels, blocks=training.blocks)
    return first, second


def person(
    seed: int, *, n_calibration: int, n_online: int, n_others: int, decoder_name: str = "bandpower_lda"
) -> dict[str, tuple[Outcome, Outcome]]:
    """Outcomes with and without the rejection, by kind of signal; ``"own"`` is the person's own next run."""
    first = PARADIGM.schedule(n_calibration, seed=seed)
    every = PARADIGM.schedule(n_online, seed=seed + 100)
    shift, end = first[-1].at_s + first[-1].duration_s, every[-1].at_s + every[-1].duration_s
    whole = [*first, *(cue._replace(at_s=cue.at_s + shift) for cue in every)]
    samples, _ = render(seed, whole, shift + end)
    both = calibrated(samples[: round(shift * FS)], first, decoder_name)
    own = samples[round(shift * FS) :]
    found = {"own": (run_of(own, every, both[0]), run_of(own, every, both[1]))}
    cues = every[: 1 + 2 * n_others]
    seconds = cues[-1].at_s + cues[-1].duration_s
    own = own[: round(seconds * FS)]
    runs = {"own, as short as those below": own}
    for at, (kind, make) in enumerate({**NO_BRAIN, **DISTURBED}.items()):
        runs[kind] = make(own, np.random.default_rng([seed, 2, at]))
    runs["another day"] = another_day(seed, cues, seconds)
    runs["another mixing"] = another_mixing(own, np.random.default_rng([seed, 3]))
    for alike in (False, True):
        name = "another person of the same table" if alike else "another person"
        runs[name] = another_person(seed, cues, seconds, alike=alike)
    for kind, signal in runs.items():
        found[kind] = (run_of(signal, cues, both[0]), run_of(signal, cues, both[1]))
    return found


# ------------------------------------------------------------------ report
def change(results: Sequence[dict[str, tuple[Outcome, Outcome]]], kind: str) -> tuple[float, float, float]:
    """Mean change of event F1 by the rejection, and its 95 % interval over persons (Student's t)."""
    apart = np.array([one[kind][0].f1 - one[kind][1].f1 for one in results])
    half = float(student.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart)))
    return float(apart.mean()), float(apart.mean()) - half, float(apart.mean()) + half


def table(results: Sequence[dict[str, tuple[Outcome, Outcome]]]) -> str:
    """A line for each kind: with the rejection, and without it in brackets."""
    lines = []
    for kind in results[0]:
        on, off = ([one[kind][side] for one in results] for side in (0, 1))
        closed = f"{sum(one.closings > 0 for one in on):>3} ({sum(one.closings > 0 for one in off)})"
        false = f"{sum(one.false for one in on):>4} ({sum(one.false for one in off)})"
        f1 = f"{np.mean([one.f1 for one in on]):.3f} ({np.mean([one.f1 for one in off]):.3f})"
        share = [one.rejected for one in on]
        lines.append(
            f"{kind:<34} closed in {closed:<9} false in rest {false:<10} F1 {f1:<14} "
            f"rejected {np.mean(share):7.2%} (most {max(share):.2%}), notices {sum(one.notices for one in on)}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print a line for each kind of signal and the paired change of F1."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.rejection_study", description=__doc__)
    parser.add_argument("--seeds", default="0-19", help="first-last, both included")
    parser.add_argument("--calibration", type=int, default=16, help="attempts of the calibration run")
    parser.add_argument("--online", type=int, default=15, help="attempts of the person's own decoded run")
    parser.add_argument("--others", type=int, default=4, help="attempts of every other decoded run")
    parser.add_argument("--decoder", default="bandpower_lda")
    asked = parser.parse_args(argv)
    first, _, last = asked.seeds.partition("-")
    results = []
    for seed in range(int(first), int(last or first) + 1):
        sizes = {"n_calibration": asked.calibration, "n_online": asked.online, "n_others": asked.others}
        results.append(person(seed, **sizes, decoder_name=asked.decoder))
        on, off = results[-1]["own"]
        sys.stdout.write(f"seed {seed:>5}  event F1 {on.f1:.3f} ({off.f1:.3f})  rejected {on.rejected:.2%}\n")
        sys.stdout.flush()
    sys.stdout.write(
        f"{len(results)} simulated participants (simulator neo {NEO.sha256()[:12]}), {asked.decoder}, "
        f"{asked.calibration} attempts to calibrate, {asked.online} decoded of their own and {asked.others} of "
        "every other kind; without the rejection in brackets\n"
    )
    sys.stdout.write(table(results) + "\n")
    if len(results) > 1:
        mean, low, high = change(results, "own")
        sys.stdout.write(f"change of event F1 by the rejection {mean:+.4f} (95 % CI {low:+.4f} to {high:+.4f})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
