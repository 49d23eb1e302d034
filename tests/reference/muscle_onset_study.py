"""When a muscle counts as active: the rule of ``activity_level`` beside two published ones, on simulated EMG.

    python -m tests.reference.muscle_onset_study

EMG is Gaussian noise at 20–450 Hz whose size rises within 50 ms to a multiple of what it is at rest. Each rule
learns from 20 s of rest, and decides causally, as a gate must. *Published 1* is a threshold 15 standard deviations
above the mean of the smoothed Teager-Kaiser energy, passed by 90 % of 25 ms (Solnik et al. 2010,
doi:10.1007/s00421-010-1521-8). *Published 2* is a double threshold on whitened samples, one of five pairs above a
level with a false alarm of 5 %, active for 30 ms or more and inactive for 50 ms or more (Bonato et al. 1998,
doi:10.1109/10.661154). A figure is of the simulation alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import butter, lfilter, sosfilt

from workbench import decoders
from workbench.vocabulary import FloatArray

FS = 1000.0
REST_UV = 4.0
RISE_S, HOLD_S, PAUSE_S = 0.05, 2.0, 3.0
SEEDS, CONTRACTIONS = range(10), 20
TIMES = (1.5, 2.0, 3.0, 5.0, 10.0)
"""Size of the active muscle over that of rest."""
SPOILED = 0.05
"""Share of the rest in which the muscle was active after all, where the calibration was not quiet."""
LATEST_S, AFTER_S = 0.5, 0.3
"""A contraction that is not found within this is missed; what is active so long after its end is not false."""

Active = NDArray[np.bool_]
Learn = Callable[[FloatArray], Callable[[FloatArray], Active]]
"""Rest ``(n,)``, µV → the rule, which tells of each sample whether the muscle is active by what came before."""


def noise(n: int, rng: np.random.Generator) -> FloatArray:
    """Noise at 20–450 Hz of standard deviation 1, ``(n,)``."""
    made: FloatArray = sosfilt(butter(2, (20.0, 450.0), "bandpass", fs=FS, output="sos"), rng.normal(size=n + 500))
    return made[500:] / made[500:].std()


def course(times: float) -> tuple[FloatArray, list[int]]:
    """Size of the EMG, µV, over pauses and contractions, and the sample at which each contraction begins."""
    hold, pause, rise = round(HOLD_S * FS), round(PAUSE_S * FS), round(RISE_S * FS)
    one = np.ones(pause + hold)
    one[pause:] = times
    one[pause : pause + rise] = np.linspace(1.0, times, rise)
    begins = [k * len(one) + pause for k in range(CONTRACTIONS)]
    return REST_UV * np.concatenate([*[one] * CONTRACTIONS, np.ones(pause)]), begins


# ------------------------------------------------------------------ rules
def of_product(rest: FloatArray, **params: float) -> Callable[[FloatArray], Active]:
    """The level of ``activity_level`` at its hops, held until the next."""
    settings = {"measure": "muscle", "baseline": "rest", "mains_hz": 0.0, "evidence": {"novelty": None}, **params}
    epochs = rest[: len(rest) // 2000 * 2000].reshape(-1, 1, 2000)
    # A second class is needed, and teaches the level nothing.
    both, labels = np.concatenate([epochs, 5.0 * epochs]), ["rest"] * len(epochs) + ["active"] * len(epochs)
    decoder = decoders.load("activity_level")(FS, **settings).fit(both, labels, lead_in=0.5)

    def rule(samples: FloatArray) -> Active:
        stream, active = decoder.start(), np.zeros(len(samples), dtype=bool)
        for first in range(0, len(samples) - stream.hop + 1, stream.hop):
            stream.step(samples[first : first + stream.hop, None])
            evidence = stream.evidence(first + stream.hop)
            active[first + stream.hop - 1 : first + 2 * stream.hop - 1] = (
                evidence.valid and evidence.values[0] >= 1
            )
        return active

    return rule


def of_product_at_6_sd(rest: FloatArray) -> Callable[[FloatArray], Active]:
    return of_product(rest, n_sd=6.0)


def energy(samples: FloatArray) -> FloatArray:
    """Teager-Kaiser energy at 30–300 Hz, rectified, below 50 Hz, ``(n,)``; of samples up to each."""
    x = sosfilt(butter(3, (30.0, 300.0), "bandpass", fs=FS, output="sos"), samples)
    psi = np.zeros(len(x))
    psi[2:] = x[1:-1] ** 2 - x[:-2] * x[2:]
    smooth: FloatArray = sosfilt(butter(2, 50.0, fs=FS, output="sos"), np.abs(psi))
    return smooth


def published_1(rest: FloatArray) -> Callable[[FloatArray], Active]:
    known = energy(rest)[round(FS) :]
    threshold = known.mean() + 15.0 * known.std()
    n = round(0.025 * FS)
    return lambda samples: lfilter(np.ones(n), 1.0, energy(samples) > threshold) >= 0.9 * n


def published_2(rest: FloatArray) -> Callable[[FloatArray], Active]:
    order, m, alarm = 10, 5, 0.05
    lags = np.array([rest[: len(rest) - k] @ rest[k:] for k in range(order + 1)]) / len(rest)
    whiten = np.concatenate([[1.0], -solve_toeplitz(lags[:-1], lags[1:])])
    sigma2 = float(lfilter(whiten, 1.0, rest)[round(FS) :].var())
    # The false alarm of a pair that gives this one of five: P(z > zeta) = exp(-zeta / 2 sigma²).
    zeta = -2.0 * sigma2 * np.log(1.0 - (1.0 - alarm) ** (1.0 / m))

    def rule(samples: FloatArray) -> Active:
        pairs = (lfilter(whiten, 1.0, samples)[: len(samples) // 2 * 2].reshape(-1, 2) ** 2).sum(axis=1)
        above = lfilter(np.ones(m), 1.0, pairs > zeta) >= 1
        active, on, run = np.zeros(len(samples), dtype=bool), False, 0
        for pair, found in enumerate(above):
            run = run + 2 if found != on else 0
            if run >= (0.03 if found else 0.05) * FS:
                on, run = bool(found), 0
            active[2 * pair + 1 : 2 * pair + 3] = on
        return active

    return rule


RULES: dict[str, Learn] = {
    "activity_level": of_product,
    "activity_level, n_sd=6": of_product_at_6_sd,
    "published 1 (energy, 15 sd)": published_1,
    "published 2 (double threshold)": published_2,
}


# ------------------------------------------------------------------ judged
@dataclass(frozen=True)
class Found:
    """Delay of each contraction that was found, s; how many were not; false onsets, and minutes of rest."""

    delays: tuple[float, ...]
    missed: int
    false: int
    minutes: float


def judged(active: Active, begins: list[int]) -> Found:
    """What a rule made of one recording."""
    rises = np.flatnonzero(active & ~np.concatenate([[False], active[:-1]]))
    resting, delays = np.ones(len(active), dtype=bool), []
    resting[: round(FS)] = False
    for begin in begins:
        end = begin + round(HOLD_S * FS)
        resting[begin : end + round(AFTER_S * FS)] = False
        found = np.flatnonzero(active[begin : begin + round(LATEST_S * FS)])
        delays += [found[0] / FS] if len(found) else []
    return Found(tuple(delays), len(begins) - len(delays), int(resting[rises].sum()), resting.sum() / FS / 60.0)


def people(learn: Learn, times: float, *, spoiled: float) -> Iterator[Found]:
    size, begins = course(times)
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        rest = REST_UV * noise(round(20 * FS), rng)
        # One contraction in the middle.
        middle, half = len(rest) // 2, round(spoiled * len(rest) / 2)
        rest[middle - half : middle + half] *= times
        yield judged(learn(rest)(size * noise(len(size), rng)), begins)


def main() -> None:
    print(
        "| rest of the calibration | muscle over rest | rule | found | decided after (median) | false a minute |"
    )
    print("|---|---|---|---|---|---|")
    cases = [(0.0, times) for times in TIMES] + [(SPOILED, times) for times in (3.0, 10.0)]
    for spoiled, times in cases:
        for name, learn in RULES.items():
            each = list(people(learn, times, spoiled=spoiled))
            delays = [delay for one in each for delay in one.delays]
            n, rate = len(delays) + sum(one.missed for one in each), sum(one.false for one in each)
            rate /= sum(one.minutes for one in each)
            said = f"{1000 * np.median(delays):.0f} ms" if delays else "never"
            share = "quiet" if not spoiled else f"active for {spoiled:.0%}"
            print(f"| {share} | {times:g} × | {name} | {len(delays)}/{n} | {said} | {rate:.2f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
