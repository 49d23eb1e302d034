"""Items of a benchmark, and how two candidates take turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

TURN_S = 0.02
"""Each turn repeats the work until it takes about this long, s."""
MOST = 100_000


class NotMeasured(Exception):
    """What a figure needs is not here; the text says what."""


@dataclass(frozen=True, slots=True)
class Result:
    """A figure with its spread over the rounds.

    Attributes
    ----------
    value : the figure, a median over rounds where there are any.
    low, high : least and greatest of a round.
    detail : what it rests on, as text.
    judged : False where it cannot be held against its goal; the detail says why.
    """

    value: float
    low: float
    high: float
    detail: str
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to measure.

    Attributes
    ----------
    key : of the goal, such as ``"G1"``. what, size : as text.
    unit : of the value; ``"×"`` for how many times faster than the peer.
    sense, goal : ``">="`` or ``"<="``, and the number; ``goal`` None where there is none.
    run : called with the number of rounds. Raises ImportError when a peer is not installed, NotMeasured when
        something else that it needs is not here.
    seconds : about how long it takes, s.
    """

    key: str
    what: str
    size: str
    unit: str
    sense: str
    goal: float | None
    run: Callable[[int], Result]
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """An item and its result; ``result`` is None when it could not be measured, and ``note`` says why."""

    item: Item
    result: Result | None
    note: str

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None without a goal or a figure that can be judged."""
        if self.result is None or self.item.goal is None or not self.result.judged:
            return None
        value = self.result.value
        return value >= self.item.goal if self.item.sense == ">=" else value <= self.item.goal


def race(ours: Callable[[], object], peer: Callable[[], object], *, rounds: int, name: str) -> Result:
    """How many times faster ours is than the peer: the two take turns, the order alternates.

    Both are warmed up by one call each. A turn repeats a call until it fills :data:`TURN_S`.

    Parameters
    ----------
    ours, peer : called without arguments.
    rounds : turns of each. name : of the peer.
    """
    n_ours, n_peer = _repeats(ours), _repeats(peer)
    our_seconds, peer_seconds = [], []
    for turn in range(rounds):
        # In turns and in alternating order: drift of the clock rate and of the load hits both alike.
        for ours_next in (True, False) if turn % 2 == 0 else (False, True):
            if ours_next:
                our_seconds.append(_seconds(ours, n_ours))
            else:
                peer_seconds.append(_seconds(peer, n_peer))
    ratios = [b / a for a, b in zip(our_seconds, peer_seconds, strict=True)]
    detail = (
        f"ours {milliseconds(median(our_seconds))}, {name} {milliseconds(median(peer_seconds))}, {rounds} rounds"
    )
    return Result(median(ratios), min(ratios), max(ratios), detail)


def rate(work: Callable[[], object], *, n: int, rounds: int, of: str) -> Result:
    """Items per second of processor time of one core.

    Parameters
    ----------
    work : called without arguments. n : that one call does. of : what they are.
    rounds : calls.
    """
    # Processor time, so that other work on the machine does not count.
    rates = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        rates.append(n / (time.process_time() - began))
    return Result(median(rates), min(rates), max(rates), f"processor time, {n} {of} a round, {rounds} rounds")


def milliseconds(seconds: float) -> str:
    """A duration in ms with three significant digits."""
    return f"{seconds * 1e3:.3g} ms"


def _repeats(work: Callable[[], object]) -> int:
    # The first call compiles, imports and fills caches.
    work()
    began = time.perf_counter()
    work()
    duration = max(time.perf_counter() - began, 1e-9)
    return max(1, min(MOST, round(TURN_S / duration)))


def _seconds(work: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats
