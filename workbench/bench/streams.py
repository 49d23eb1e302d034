"""One hop of several streams: 64 channels at 1 kHz, 16 at 2 kHz and 12 at 100 Hz, decoded together."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from workbench import decoders, paradigms
from workbench.bench._items import Item, Result
from workbench.decode import decode
from workbench.decoders import JoinedDecoder, WindowDecoder
from workbench.vocabulary import Chunk

SECONDS, HOP_S = 10, 0.05
STREAMS: Mapping[str, tuple[float, int, Mapping[str, Any]]] = {
    "signal": (1000.0, 64, {"bands": [(8, 13), (13, 30), (30, 45), (55, 95)]}),
    "emg": (2000.0, 16, {"bands": [(20, 90), (110, 190)], "reference": "none"}),
    "imu": (100.0, 12, {"bands": [(2, 8), (8, 20)], "reference": "none", "mains_hz": 0.0}),
}
"""Role → rate in Hz, channels and parameters of the decoder."""


def _member(fs: float, n_channels: int, params: Mapping[str, Any]) -> WindowDecoder:
    """A decoder fitted on noise in which one class is stronger."""
    rng = np.random.Generator(np.random.PCG64(5))
    epochs = rng.normal(0.0, 10.0, (12, n_channels, round(2.5 * fs)))
    epochs[::2, 0] *= 2.0
    names = np.array(["grasp", "rest"] * 6)
    return decoders.load("bandpower_lda")(fs, hop_s=HOP_S, **params).fit(epochs, names, lead_in=1.0)


def _chunks(seconds: int) -> Iterator[Chunk]:
    """A hop of each stream in turn, the other streams before the signal that needs them."""
    rng = np.random.Generator(np.random.PCG64(6))
    noise = {role: rng.normal(0.0, 12.0, (round(fs), n)) for role, (fs, n, _) in STREAMS.items()}
    for hop in range(round(seconds / HOP_S)):
        for role in ("emg", "imu", "signal"):
            n = round(STREAMS[role][0] * HOP_S)
            first = hop * n
            rows = noise[role][first % len(noise[role]) :][:n]
            # Slightly later than the signal's, so that each stream has passed the hop that is decided.
            ahead = 0.0 if role == "signal" else HOP_S
            stamps = (first + np.arange(n)) / STREAMS[role][0] + ahead
            yield Chunk(first, rows, stamps, stream="" if role == "signal" else role)


def _run(rounds: int) -> Result:
    members = {role: _member(*stream) for role, stream in STREAMS.items()}
    decoder = JoinedDecoder("late_fusion", members, weights=dict.fromkeys(members, 1.0 / len(members)))
    paradigm = paradigms.load("grasp_rest")()
    hops: list[float] = []

    def timed() -> Iterator[Chunk]:
        busy = 0.0
        for chunk in _chunks(SECONDS):
            began = time.perf_counter()
            yield chunk
            busy += time.perf_counter() - began
            if not chunk.stream:
                hops.append(busy)
                busy = 0.0

    p50s = []
    for _ in range(max(1, rounds // 5)):
        first = len(hops)
        for _ in decode(timed(), paradigm, decoder, fs=STREAMS["signal"][0]):
            continue
        p50s.append(float(np.median(hops[first:])) * 1000.0)
    p50, p99 = (float(value) * 1000.0 for value in np.percentile(hops, [50.0, 99.0]))
    detail = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms of {len(hops):,} hops; {_memory()}"
    return Result(p50, min(p50s), max(p50s), detail)


def _memory() -> str:
    """Peak memory of this process, as text."""
    if sys.platform == "win32":
        return "peak memory is not known on Windows"
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return f"peak memory of the process {peak / 2**20:.0f} MB"


ITEMS = (
    Item(
        "streams",
        "one hop of three decoded streams",
        "64 × 1 kHz + 16 × 2 kHz + 12 × 100 Hz",
        "ms",
        "<=",
        50.0,
        _run,
        seconds=8.0,
    ),
)
