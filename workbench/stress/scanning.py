"""One noisy switch goes through a day at home: what is completed, how long it takes, and what false clicks arm.

The person watches the frame and presses after a reaction time with jitter. A press may be missed, and is made
again while the frame still stands there; in every step of a scan the switch may click by itself. Virtual time: a
day takes milliseconds. It is a model of a switch and of somebody patient, and no evidence about people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.analysis import clopper_pearson, poisson_interval
from workbench.control import ARMS, HOLD_S, Said, ScannedAct, Scanner, ScanSettings

DAY: tuple[tuple[ScannedAct, ...], ...] = (
    ("connect", "help", "language"),
    ("skin_checked", "help", "repeat"),
    ("start", "help", "repeat", "glove_off"),
    ("finish", "help", "repeat"),
    ("glove_off", "help", "repeat"),
)
"""Screens of a day in their order; what is wanted of each is its first act."""
MOVES_S = 20.0
"""The glove moves so long once it was armed, and nothing is pressed."""
LONGEST = 20.0
"""A day that takes so many times its ideal time is given up."""
FALSE_ONLY_H = 10.0
"""Hours for which a switch that nobody touches scans the screen that arms, for each seed."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch and who presses it.

    Attributes
    ----------
    false : share of the steps of a scan in which it clicks by itself. missed : share of presses that it misses.
    reaction_s, jitter_s : mean and SD of the time from the frame to the press, s.
    again_s : until a press that was missed is made again, s. closed_s : how long it is closed, s.
    """

    false: float = 0.1
    missed: float = 0.1
    reaction_s: float = 0.6
    jitter_s: float = 0.3
    again_s: float = 0.8
    closed_s: float = 0.15


IDEAL = Switch(false=0.0, missed=0.0, jitter_s=0.0)


@dataclass(slots=True)
class Day:
    """What came of one day.

    Attributes
    ----------
    seconds : by task, without the time that the glove moved. ideal_s : the same of a switch without a fault.
    unmeant : acts that took effect and were not wanted. stopped : STOPs, none of which anybody meant.
    """

    seconds: list[float] = field(default_factory=list)
    ideal_s: list[float] = field(default_factory=list)
    unmeant: int = 0
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class ScanningFigures:
    """Figures of all seeds."""

    days: tuple[Day, ...]
    armings: int
    hours: float
    late_stops: int
    unstopped: int

    @property
    def passed(self) -> bool:
        """Whether every press while the glove moved, and every held one, was a STOP in time."""
        return self.late_stops == self.unstopped == 0

    def text(self) -> str:
        """The figures, a line each."""
        n = len(self.days)
        tasks = [(took, ideal) for day in self.days for took, ideal in zip(day.seconds, day.ideal_s, strict=True)]
        whole = [(sum(day.seconds), sum(day.ideal_s)) for day in self.days]
        ideal = np.mean([one for _, one in whole])
        ratios = np.array([took / ideal for took, ideal in whole])
        rate = poisson_interval(self.armings, exposure=self.hours)
        unmeant, stops = sum(day.unmeant for day in self.days), sum(day.stopped for day in self.days)
        return "\n".join((
            f"{n} days of {len(DAY)} tasks within 3 × their ideal time: {_share(whole)}",
            f"time of a day over its ideal: median {np.median(ratios):.2f}, 99 % within "
            f"{np.quantile(ratios, 0.99):.2f}, longest {ratios.max():.2f}; ideal {ideal:.1f} s",
            f"single tasks within 3 × their ideal time: {_share(tasks)}",
            f"that nobody meant: {unmeant} acts that took effect, {stops} STOPs",
            f"armed by false clicks alone: {self.armings} in {self.hours:g} h of scanning, "
            f"{self.armings / self.hours:.2f} an hour (95 % CI {rate.low:.2f}–{rate.high:.2f})",
            f"of {2 * n} presses while the glove moved or held for {HOLD_S:g} s: {self.unstopped} no STOP, "
            f"{self.late_stops} late",
        ))  # fmt: skip


def _share(times: Sequence[tuple[float, float]]) -> str:
    """How many of (took, ideal) are within three times the ideal."""
    k, n = sum(took <= 3 * ideal for took, ideal in times), len(times)
    found = clopper_pearson(k, n)
    return f"{k}/{n}, {k / n:.3f} (95 % CI {found.low:.3f}–{found.high:.3f})"


def scanned(
    n: int, seed: int, *, settings: ScanSettings | None = None, switch: Switch | None = None,
    hours: float = FALSE_ONLY_H, step: Callable[[], object] = lambda: None,
) -> ScanningFigures:  # fmt: skip
    """Days of ``n`` seeds, and what their switches arm when nobody touches them.

    Parameters
    ----------
    n : days. seed : of the first one; the others follow.
    settings, switch : None for the usual ones.
    hours : of each untouched switch.
    step : called after each seed.
    """
    settings, switch = settings or ScanSettings(), switch or Switch()
    days, armings, late, unstopped = [], 0, 0, 0
    for one in range(seed, seed + n):
        days.append(_day(settings, switch, one))
        armings += _false_only(settings, switch, one, hours * 3600)
        for missing, behind in _stops(settings, one):
            unstopped, late = unstopped + missing, late + behind
        step()
    return ScanningFigures(tuple(days), armings, n * hours, late, unstopped)


class _Person:
    """Somebody at a switch, and the switch with its faults, from their seed."""

    def __init__(self, scanner: Scanner, switch: Switch, rng: np.random.Generator) -> None:
        self.scanner, self.switch, self._rng = scanner, switch, rng
        self.now = 0.0

    def step(self, wanted: str) -> list[Said]:
        """One step of the frame: what was pressed in it, until something changed or it is over."""
        scanner, began = self.scanner, self.now
        for at in sorted([*self._meant(wanted), *self._false()]):
            before = scanner.state, scanner.places
            said = scanner.press(began + at)
            said += scanner.release(began + at + self.switch.closed_s)
            if said or (scanner.state, scanner.places) != before:
                self.now = began + at + self.switch.closed_s
                return said
        self.now = began + scanner.settings.dwell_s
        return scanner.advance(self.now)

    def _false(self) -> list[float]:
        return [self._within()] if self._rng.random() < self.switch.false else []

    def _within(self) -> float:
        return float(self._rng.uniform(0.0, self.scanner.settings.dwell_s - self.switch.closed_s))

    def _meant(self, wanted: str) -> list[float]:
        """When the person presses in this step, as far as the switch sees it."""
        if not self._presses(wanted):
            return []
        switch, last = self.switch, self.scanner.settings.dwell_s - self.switch.closed_s
        at = max(0.05, switch.reaction_s + switch.jitter_s * float(self._rng.standard_normal()))
        while at <= last:
            if self._rng.random() >= switch.missed:
                return [at]
            at += switch.again_s
        return []

    def _presses(self, wanted: str) -> bool:
        if not wanted:
            return False
        if self.scanner.state == "taking":
            return self.scanner.taking != wanted
        return self.scanner.lit() == (wanted,)


def _day(settings: ScanSettings, switch: Switch, seed: int) -> Day:
    day = Day()
    ideal = _tasks(settings, IDEAL, seed, Day(), longest=np.inf)
    day.ideal_s = ideal
    day.seconds = _tasks(settings, switch, seed, day, longest=LONGEST * sum(ideal))
    return day


def _tasks(settings: ScanSettings, switch: Switch, seed: int, day: Day, *, longest: float) -> list[float]:
    """Seconds of each task of a day."""
    places, noise = (np.random.Generator(np.random.PCG64([seed, k])) for k in (0, 1))
    scanner = Scanner(settings, lambda n: int(places.integers(n)), at_s=0.0)
    person, took = _Person(scanner, switch, noise), []
    for acts in DAY:
        began, wanted = person.now, acts[0]
        scanner.show(acts, at_s=person.now)
        while not _done(person.step(wanted), wanted, day) and person.now - began < longest:
            pass
        took.append(person.now - began)
        if wanted in ARMS:
            scanner.glove(moves=True, at_s=person.now)
            person.now += MOVES_S
            scanner.glove(moves=False, at_s=person.now)
    return took


def _done(said: Sequence[Said], wanted: str, day: Day) -> bool:
    """Whether the wanted act took effect; what took effect beside it is counted."""
    for one in said:
        day.stopped += one.kind == "stop"
        if one.kind in ("chosen", "armed"):
            if one.act == wanted:
                return True
            day.unmeant += 1
    return False


def _false_only(settings: ScanSettings, switch: Switch, seed: int, seconds: float) -> int:
    """How often a switch that nobody touches arms."""
    places, noise = (np.random.Generator(np.random.PCG64([seed, k])) for k in (2, 3))
    scanner = Scanner(settings, lambda n: int(places.integers(n)), at_s=0.0)
    person, armed = _Person(scanner, replace(switch, missed=0.0), noise), 0
    scanner.show(next(acts for acts in DAY if acts[0] in ARMS), at_s=0.0)
    while person.now < seconds:
        armed += sum(one.kind == "armed" for one in person.step(""))
    return armed


def _stops(settings: ScanSettings, seed: int) -> list[tuple[int, int]]:
    """A press while the glove moves, and a held one in whatever state: (no STOP, a late one) of each."""
    rng = np.random.Generator(np.random.PCG64([seed, 4]))
    found = []
    for moves in (True, False):
        scanner = Scanner(settings, lambda n: int(rng.integers(n)), at_s=0.0)
        person = _Person(scanner, Switch(false=0.5), rng)
        scanner.show(DAY[2], at_s=0.0)
        for _ in range(int(rng.integers(12))):
            person.step("start")
        if moves:
            scanner.glove(moves=True, at_s=person.now)
        at = person.now + float(rng.uniform(0.0, 5.0))
        said = [*scanner.press(at), *scanner.advance(at + HOLD_S)]
        stops = [one.at_s for one in said if one.kind == "stop"]
        limit = at if moves else at + HOLD_S
        found.append((not stops, bool(stops) and stops[0] > limit))
    return [(int(missing), int(late)) for missing, late in found]
