"""Whether the pattern of correlations tells a swapped cable from another day, on simulated participants.

    python -m tests.reference.cable_patterns --seeds 7000-7019

For each seed one person calibrates and does a second run, which is seen through the right cable, through swapped
ones, on another day and with another mixing. The correlations of the channels in each band, as a running mean, are
compared with those of the calibration: how far they are, and whether an exchange of two wires would bring them
nearer. What comes out is simulated and is never evidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from tests.reference.cable_study import RIGHT, SWAPS
from tests.reference.grasp_simulation import FS
from tests.reference.rejection_study import DISTURBED, PARADIGM, another_day, another_mixing, calibrated
from workbench.decoders import WindowDecoder
from workbench.devices.simulated_participant import render
from workbench.vocabulary import FloatArray

EVERY_S = 0.5
"""Time between two comparisons, s."""


def covariances(decoder: WindowDecoder, samples: FloatArray) -> FloatArray:
    """``(n, n_bands, n_channels, n_channels)`` float64, µV²: of every valid window of the decoder."""
    stream, reducer = decoder.signal(), decoder.reducer()
    found = []
    for end in range(stream.n_hop, len(samples) + 1, stream.n_hop):
        stream.step(np.ascontiguousarray(samples[end - stream.n_hop : end]))
        window, valid = stream.window(end)
        if valid:
            found.append(reducer.summarise(window))
    return np.array(found)


def running(taken: FloatArray, start: FloatArray, *, rate: float, every: int) -> FloatArray:
    """Running mean of covariances from ``start`` on, each ``every`` hops once two time constants have passed."""
    mean, found = start, []
    for at, one in enumerate(taken, start=1):
        mean = mean + rate * (one - mean)
        if at >= 2.0 / rate and at % every == 0:
            found.append(mean)
    return np.array(found)


def correlations(taken: FloatArray) -> FloatArray:
    """The same shape, each covariance by the standard deviations of its channels: no gain changes it."""
    sd = np.sqrt(np.diagonal(taken, axis1=-2, axis2=-1))
    return np.asarray(taken / (sd[..., :, None] * sd[..., None, :]))


def apart(found: FloatArray, own: FloatArray) -> FloatArray:
    """``(n,)`` root mean square of the differences of correlations, over bands and pairs of channels."""
    upper = np.triu_indices(own.shape[-1], 1)
    return np.asarray(np.sqrt(((found - own)[..., upper[0], upper[1]] ** 2).mean(axis=(-2, -1))))


def explained(found: FloatArray, own: FloatArray) -> FloatArray:
    """``(n,)`` how many times nearer to those of the calibration the best exchange of two wires brings them."""
    best = np.full(len(found), np.inf)
    for pair in combinations(range(own.shape[-1]), 2):
        order = np.arange(own.shape[-1])
        order[list(pair)] = order[list(pair)][::-1]
        best = np.minimum(best, apart(found[:, :, order][:, :, :, order], own))
    return np.asarray(apart(found, own) / best)


def person(
    seed: int, *, n_calibration: int, n_online: int, tau_s: float
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """By kind of signal, :func:`apart` and :func:`explained` of every half second."""
    first, cued = PARADIGM.schedule(n_calibration, seed=seed), PARADIGM.schedule(n_online, seed=seed + 100)
    shift, seconds = first[-1].at_s + first[-1].duration_s, cued[-1].at_s + cued[-1].duration_s
    whole = [*first, *(cue._replace(at_s=cue.at_s + shift) for cue in cued)]
    samples, _ = render(seed, whole, shift + seconds)
    calibration, own = samples[: round(shift * FS)], samples[round(shift * FS) :]
    decoder, _ = calibrated(calibration, first, "bandpower_lda")
    runs = {RIGHT: own} | {
        name: DISTURBED[name](own, np.random.default_rng([seed, 4, at])) for at, name in enumerate(SWAPS, start=1)
    }
    runs["another day"] = another_day(seed, cued, seconds)
    runs["another mixing, I + 0.25 N"] = another_mixing(own, np.random.default_rng([seed, 3]))
    hop_s = decoder.settings.hop_s
    start = covariances(decoder, calibration).mean(axis=0)
    found = {}
    for name, signal in runs.items():
        taken = running(
            covariances(decoder, signal), start, rate=hop_s / tau_s, every=max(1, round(EVERY_S / hop_s))
        )
        now, then = correlations(taken), correlations(start)
        found[name] = (apart(now, then), explained(now, then))
    return found


def main(argv: Sequence[str]) -> int:
    """Print a line for each kind of signal: median and the middle 98 % of both measures."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.cable_patterns", description=__doc__)
    parser.add_argument("--seeds", default="7000-7019", help="first-last, both included")
    parser.add_argument("--calibration", type=int, default=16, help="attempts of the calibration run")
    parser.add_argument("--online", type=int, default=8, help="attempts of the second run")
    parser.add_argument("--tau", type=float, default=10.0, help="time constant of the running mean, s")
    asked = parser.parse_args(argv)
    first, _, last = asked.seeds.partition("-")
    results = [
        person(seed, n_calibration=asked.calibration, n_online=asked.online, tau_s=asked.tau)
        for seed in range(int(first), int(last or first) + 1)
    ]
    sys.stdout.write(f"{len(results)} simulated participants, running mean of {asked.tau:g} s\n")
    for name in results[0]:
        both = [np.quantile(np.concatenate([one[name][k] for one in results]), (0.5, 0.01, 0.99)) for k in (0, 1)]
        shown = [f"{median:.3f} ({low:.3f}-{high:.3f})" for median, low, high in both]
        sys.stdout.write(f"{name:<28} difference of correlations {shown[0]}, nearer by an exchange {shown[1]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
