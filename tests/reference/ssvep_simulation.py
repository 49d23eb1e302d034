"""Steady-state responses locked in phase, simulated: how often FBCCA, eTRCA and TDCA find the class.

    python -m tests.reference.ssvep_simulation --seeds 0-9

For each seed one person, with a mixing of sources of its own: trials to learn from, and as many times that to be
decided. The parameters were written down, and their hash is in a test, before anything was decoded. What comes out
is simulated and is never evidence.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import decoders
from workbench.vocabulary import FloatArray

RANKED = ("fbcca", "etrca", "tdca")


@dataclass(frozen=True)
class Simulation:
    """Parameters of the simulation.

    Attributes
    ----------
    fs : Hz. n_channels : channels. frequencies_hz, phases : of the classes, joint frequency and phase coding.
    harmonics : size of each harmonic of the response against the first. response_uv : size of the first.
    latency_s : from stimulus to response. sources : of the background, each with a spectrum that falls with
    frequency. background_uv, sensor_uv : standard deviations. jitter : standard deviation of a response's size.
    lead_in_s, window_s : of an epoch. n_train, n_judged : trials of each class.
    """

    fs: float = 250.0
    n_channels: int = 8
    frequencies_hz: tuple[float, ...] = (8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
    phases: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 0.0, 0.5, 1.0, 1.5)
    harmonics: tuple[float, ...] = (1.0, 0.5, 0.3)
    response_uv: float = 1.2
    latency_s: float = 0.14
    sources: int = 6
    background_uv: float = 6.0
    sensor_uv: float = 2.0
    jitter: float = 0.2
    lead_in_s: float = 0.5
    window_s: float = 0.6
    n_train: int = 5
    n_judged: int = 10

    def sha256(self) -> str:
        """Hash of the parameters."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def names(self) -> dict[str, float]:
        """Frequency of each class by its name."""
        return {f"{hz:g}": hz for hz in self.frequencies_hz}


def background(rng: np.random.Generator, simulation: Simulation, shape: tuple[int, int]) -> FloatArray:
    """Noise ``(*shape, n_times)`` of unit variance whose power falls with frequency."""
    n = round((simulation.lead_in_s + simulation.latency_s + simulation.window_s) * simulation.fs)
    spectrum = np.fft.rfft(rng.normal(size=(*shape, 2 * n)))
    hz = np.fft.rfftfreq(2 * n, 1 / simulation.fs)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 2.0)))[..., :n]
    return np.asarray(noise / noise.std())


def person(seed: int, simulation: Simulation, n_each: int, *, session: int) -> tuple[FloatArray, NDArray[np.str_]]:
    """Epochs ``(n, n_channels, n_times)`` µV of one person, and the class of each.

    The stimulus begins ``lead_in_s`` into an epoch; ``session`` tells training from judging.
    """
    own = np.random.default_rng([seed, 0])
    shape = own.uniform(0.3, 1.0, simulation.n_channels)
    lags = own.uniform(0.0, 0.6, simulation.n_channels)
    turns = own.uniform(0.0, 2 * np.pi, len(simulation.harmonics))
    mixing = own.normal(0.0, 1.0, (simulation.n_channels, simulation.sources)) / np.sqrt(simulation.sources)
    rng = np.random.default_rng([seed, 1, session])
    names = list(simulation.names())
    y = np.array([names[i % len(names)] for i in range(n_each * len(names))])
    noise = background(rng, simulation, (len(y), simulation.sources))
    t = np.arange(noise.shape[2]) / simulation.fs - simulation.lead_in_s - simulation.latency_s
    x = simulation.background_uv * np.einsum("cs,nst->nct", mixing, noise)
    x += simulation.sensor_uv * rng.normal(size=x.shape)
    for epoch, name in zip(x, y):
        k = names.index(name)
        size = simulation.response_uv * max(rng.normal(1.0, simulation.jitter), 0.0)
        for h, (share, turn) in enumerate(zip(simulation.harmonics, turns), start=1):
            at = 2 * np.pi * simulation.frequencies_hz[k] * t[None] + np.pi * simulation.phases[k] - lags[:, None]
            epoch += size * share * shape[:, None] * np.sin(h * at + turn) * (t >= 0)
    return x, y


def evaluate(seed: int, simulation: Simulation) -> dict[str, tuple[int, int]]:
    """For each decoder how many trials of that person it decides rightly, and of how many."""
    x, y = person(seed, simulation, simulation.n_train, session=0)
    judged, truth = person(seed, simulation, simulation.n_judged, session=1)
    made = {}
    for name in RANKED:
        settings = {"window_s": simulation.window_s, "evidence": {"calibrate": None}}
        lead_in = simulation.lead_in_s
        if name == "fbcca":
            lead_in += simulation.latency_s
        if name != "etrca":
            settings["frequencies"] = simulation.names()
        decoder = decoders.load(name)(simulation.fs, **settings).fit(x, y, lead_in=lead_in)
        made[name] = (int((decoder.predict(judged) == truth).sum()), len(truth))
    return made


def line(results: Sequence[dict[str, tuple[int, int]]]) -> str:
    """Accuracy of each decoder over the persons, with counts and the range."""
    parts = []
    for name in RANKED:
        right, n = (sum(one[name][i] for one in results) for i in (0, 1))
        each = [one[name][0] / one[name][1] for one in results]
        parts.append(f"{name} {right}/{n} = {right / n:.3f} ({min(each):.2f}-{max(each):.2f})")
    return f"{len(results)} simulated participants: " + ", ".join(parts)


def main(argv: Sequence[str]) -> int:
    """Print a line for each seed and one for all."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference.ssvep_simulation", description=__doc__)
    parser.add_argument("--seeds", default="0-9", help="first-last, both included")
    asked = parser.parse_args(argv)
    first, _, last = asked.seeds.partition("-")
    simulation = Simulation()
    sys.stdout.write(f"parameters {simulation.sha256()[:12]}\n")
    results = []
    for seed in range(int(first), int(last or first) + 1):
        results.append(evaluate(seed, simulation))
        sys.stdout.write(f"seed {seed}: {line(results[-1:])}\n")
        sys.stdout.flush()
    sys.stdout.write(line(results) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
