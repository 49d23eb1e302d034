"""G8 and G9: from a sample to the decision over LSL, beside MNE-LSL, ezmsg and an echo, and beside a busy kernel.

*Loops.* A source at 1 kHz pushes 20 samples every 20 ms. A loop in a process of its own receives them, filters
8–30 Hz, takes the covariance of the last second, decides between two classes in the tangent space, and returns how
many samples it knew. What counts is the time from the push to the return of the first answer that knows the
sample; the source takes both on one clock. Ours is the inlet and the loop of a session without its journal and its
control; MNE-LSL's `StreamLSL`, acquired by hand every 0.5 ms, and a graph of ezmsg's inlet, Butterworth filter and
windows hand their windows to pyRiemann. Each has one thread of BLAS.

*Echo.* A process of raw pylsl returns each push undecided. It gets the samples of every hop 10 ms after the loop
whose turn it is, so that each latency has its pair; ratios are of the percentiles of a loop and of its own pairs.
Loops take turns of 100 hops, each first as often as any other, after two seconds that are not counted.

*Kernel.* The acquisition of a session in its process, and the same in a thread of a kernel whose main thread only
computes, in turns. *Losses* are counted at 256 channels × 30 kHz.

The streams have an LSL session of their own: no other session sees them. Tails say little on a computer that does
other work; limits in ms are judged only where the echo's p99 is at most 1 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache, partial

import numpy as np

from workbench.bench._items import Item, Result, milliseconds
from workbench.bench._loops import missing
from workbench.errors import StreamFault
from workbench.vocabulary import FloatArray

OURS, PEERS = "workbench", ("mne-lsl", "ezmsg")
HOPS, HELD_HOPS = 100, 20
"""Hops of a turn."""
QUIET_S = 0.001
"""Greatest p99 of the echo, s, at which limits in ms are judged."""
WIDE, FAST, SECONDS = 256, 30_000.0, 5.0
"""Channels, rate in Hz and s of the stream whose samples are counted."""

PERCENT = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}


@cache
def _session(plan: str) -> dict[str, FloatArray]:
    """What a source in a process of its own measured, once for all figures that rest on it."""
    command = [sys.executable, "-m", "workbench.bench._live_session", plan]
    made = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if made.returncode:
        raise StreamFault(f"the live bench ended early: {made.stderr.strip()[-500:]}")
    return {name: np.array(values) for name, values in json.loads(made.stdout).items()}


def _decisions(n_channels: int, rounds: int) -> dict[str, FloatArray]:
    names = [OURS, *(name for name in PEERS if not missing(name))]
    plan = {"measure": "decisions", "names": names, "n_channels": n_channels, "rounds": rounds, "n": HOPS}
    return _session(json.dumps(plan))


def _held(rounds: int) -> dict[str, FloatArray]:
    return _session(json.dumps({"measure": "held", "rounds": rounds, "n": HELD_HOPS}))


def percentile(seconds: FloatArray, name: str) -> float:
    """``"p50"``, ``"p99"`` or ``"p99.9"`` of latencies, s; of those that were answered."""
    return float(np.nanpercentile(seconds, PERCENT[name]))


def compared(ours: FloatArray, other: FloatArray, name: str, *, called: str, beside: str) -> Result:
    """Ratio of a percentile of two latencies; for the median with its range over turns.

    Parameters
    ----------
    ours, other : ``(n,)`` float64, s, in order of the turns. name : of the percentile.
    called, beside : what they are.
    """
    ratio = percentile(ours, name) / percentile(other, name)
    low = high = ratio
    if name == "p50":
        turns = [np.nanmedian(each.reshape(-1, min(HOPS, len(each))), axis=1) for each in (ours, other)]
        low, high = float((turns[0] / turns[1]).min()), float((turns[0] / turns[1]).max())
    values = [f"{who} {milliseconds(percentile(each, name))}" for who, each in ((called, ours), (beside, other))]
    unanswered = int(np.isnan(ours).sum())
    never = f", {unanswered} never answered" if unanswered else ""
    return Result(
        ratio, low, high, f"{name} of {called} and {beside}: {', '.join(values)}; {len(ours):,} hops{never}"
    )


def _beside_echo(loop: str, name: str, n_channels: int, rounds: int) -> Result:
    _require(loop)
    measured = _decisions(n_channels, rounds)
    return compared(measured[loop], measured[f"{loop} echo"], name, called=loop, beside="its echo")


def _beside_peer(peer: str, name: str, n_channels: int, rounds: int) -> Result:
    _require(peer)
    measured = _decisions(n_channels, rounds)
    return compared(measured[OURS], measured[peer], name, called=OURS, beside=peer)


def _require(loop: str) -> None:
    if package := missing(loop):
        raise ImportError(name=package)


def limited(ours: FloatArray, echo: FloatArray) -> Result:
    """p99 in ms, judged only where the echo was quiet."""
    value, transport = (percentile(each, "p99") for each in (ours, echo))
    quiet = transport <= QUIET_S
    why = "" if quiet else f", above {milliseconds(QUIET_S)}: not judged"
    detail = f"p99 of its echo {milliseconds(transport)}{why}; {len(ours):,} hops"
    return Result(value * 1000.0, value * 1000.0, value * 1000.0, detail, judged=quiet)


def _limit(n_channels: int, rounds: int) -> Result:
    measured = _decisions(n_channels, rounds)
    return limited(measured[OURS], measured[f"{OURS} echo"])


def _kernel(first: str, second: str, rounds: int) -> Result:
    measured = _held(rounds)
    return compared(measured[first], measured[second], "p99", called=first, beside=second)


def _lost(_rounds: int) -> Result:
    plan = {"measure": "lost", "n_channels": WIDE, "fs": FAST, "seconds": SECONDS}
    counts = _session(json.dumps(plan))
    sent, received = float(counts["sent"][0]), float(counts["received"][0])
    return Result(
        sent - received,
        sent - received,
        sent - received,
        f"{received:,.0f} of {sent:,.0f} samples in {SECONDS:g} s",
    )


def _of_size(n_channels: int, limit_ms: float, echo_goal: float | None) -> tuple[Item, ...]:
    size = f"{n_channels} channels at 1 kHz, decided every 20 ms"
    # All figures of a size come from one session, which the first of them waits for.
    first = Item(
        "live", f"G8 {OURS} beside its echo, p50", size, "×", "<=", echo_goal,
        partial(_beside_echo, OURS, "p50", n_channels), 110.0,
    )  # fmt: skip
    beside_echo = [
        Item(
            "live", f"G8 {loop} beside its echo, {name}", size, "×", "<=", None,
            partial(_beside_echo, loop, name, n_channels), 0.1,
        )
        for loop, name in ((OURS, "p99.9"), *((peer, name) for peer in PEERS for name in ("p50", "p99.9")))
    ]  # fmt: skip
    pairs = (("mne-lsl", "p50", 0.4), ("mne-lsl", "p99.9", None), ("ezmsg", "p50", None), ("ezmsg", "p99.9", 1.0))
    beside_peers = [
        Item(
            "live", f"G8 {OURS} beside {peer}, {name}", size, "×", "<=", goal,
            partial(_beside_peer, peer, name, n_channels), 0.1,
        )
        for peer, name, goal in pairs
    ]  # fmt: skip
    limit = Item(
        "live", f"G8 {OURS}, p99", size, "ms", "<=", limit_ms, partial(_limit, n_channels), 0.1
    )  # fmt: skip
    return (first, *beside_echo, *beside_peers, limit)


PROCESS, HOLDING, THREAD = "process, kernel rests", "process, kernel holds", "thread, kernel holds"
BUSY = "8 channels at 1 kHz, the kernel computes"
ITEMS = (
    *_of_size(8, 2.0, 1.6),
    *_of_size(64, 5.0, None),
    Item(
        "live", "G9 acquisition beside itself with a resting kernel, p99", BUSY, "×", "<=", 3.0,
        partial(_kernel, HOLDING, PROCESS), 45.0,
    ),
    Item(
        "live", "G9 acquisition in a thread of the kernel beside a process, p99", BUSY, "×", ">=", None,
        partial(_kernel, THREAD, HOLDING), 0.1,
    ),
    Item("live", "G9 samples lost", f"{WIDE} channels at {FAST / 1000:g} kHz", "samples", "<=", 0.0, _lost, 15.0),
)  # fmt: skip
