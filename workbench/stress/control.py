"""The supervisor of stimulation under anything: a million steps drawn at random, and every road of small machines.

What leaves it goes into a stimulator that obeys as late, and after silence as long, as its maker allows. What
really flowed is integrated exactly and held against the limits by formulas of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from math import inf, nan

import numpy as np

from workbench.stimulation import (
    Channel,
    ElectrodeLimits,
    Programme,
    Setup,
    Signature,
    SignedLimits,
    StimulationSupervisor,
    Verdict,
    Wearer,
    from_definition,
)

ROUNDING = 1e-6
"""Share by which a sum of float64 may pass a limit."""

_LIMITS = {
    "current_ma": 8.0, "width_us": 400.0, "rate_hz": 130.0, "charge_uc": 1.8, "density_uc_cm2": 30.0,
    "shannon_k": 1.75, "pulses_per_s": 260.0, "net_dc_na": 100.0, "slew_ma_s": 20.0, "ceiling_step_ma": 0.1,
    "ceiling_rise_per_s": 0.1, "duty": 0.4, "burst_s": 3.0, "refractory_s": 0.3, "dose_session_uc": 4000.0,
    "dose_day_uc": 7000.0, "impedance_most_ohm": 2000.0, "impedance_least_ohm": 100.0, "impedance_change": 0.3,
    "compliance_v": 12.0, "watchdog_s": 0.25, "delivery_tolerance": 0.1,
}  # fmt: skip


def small_limits(**limits: float) -> ElectrodeLimits:
    """Limits that a walk soon reaches; ``limits`` by name are others."""
    definition = {
        "format": 1, "electrode": "walked", "version": 1, "title": "of a walk", "site": "epidural",
        "contacts": 16, "area_cm2": 0.06, "window_s": 12.0, "limits": {**_LIMITS, **limits},
    }  # fmt: skip
    return from_definition(definition)


def walked_setup(limits: ElectrodeLimits | None = None) -> Setup:
    """Three channels on two leads, two of which share a contact, of a person at risk who needs support."""
    limits = limits or small_limits()
    one = Channel("hip", "walked", "left", (3,), (11,), approved_ma=5.0, width_us=300.0, rate_hz=60.0)
    channels = (
        one,
        Channel("knee", "walked", "left", (3, 5), (13,), approved_ma=4.0, width_us=300.0, rate_hz=60.0),
        Channel("ankle", "walked", "right", (0,), (1,), approved_ma=2.0, width_us=200.0, rate_hz=30.0),
    )
    programme = Programme("walked", channels, needs_support=True, support_kg=10.0, latency_s=0.15, release_s=0.5)
    stamps = tuple(
        Signature(who, role, "2026-11-26T08:00:00Z", limits.sha256)
        for who, role in (("a", "investigator"), ("b", "engineer"))
    )
    earlier = ((("right", 0), 6850.0), (("left", 3), 500.0))
    return Setup(programme, (SignedLimits(limits, stamps),), Wearer("T4"), earlier_uc=earlier)


@dataclass(slots=True)
class _Order:
    at: float
    currents: tuple[float, ...]
    ramp_s: float
    rises: tuple[bool, ...]


class Stimulator:
    """A stimulator of the worst kind that its programme allows, and what has really flowed.

    Parameters
    ----------
    setup : what it holds.
    latency_s : how late it obeys at most, s; no more than that of the programme.

    Attributes
    ----------
    late_s : how late it obeys what it hears next, s, up to ``latency_s``; never before what it heard earlier.
    charge : that each contact has borne, µC.
    flowed : intervals in which current flowed, by lead.
    """

    def __init__(self, setup: Setup, latency_s: float) -> None:
        self._programme, self._latency_s = setup.programme, latency_s
        self.late_s = latency_s
        self._limits = setup.by_model()
        self._waiting: list[_Order] = []
        none = (0.0,) * len(self._programme.channels)
        self._path = (-inf, none, -inf, none)
        self._heard = 0.0
        self._now = 0.0
        self._dead = False
        self.charge: dict[tuple[str, int], float] = {}
        self.flowed: dict[str, list[tuple[float, float]]] = {c.lead: [] for c in self._programme.channels}
        self._too_fast: list[str] = []

    def hear(self, verdict: Verdict, now: float) -> None:
        """A sign of life, and the levels that go with it."""
        currents = tuple(level * full for level, full in zip(verdict.levels, self._programme.approved_ma))
        newest = self._waiting[-1].currents if self._waiting else self._path[3]
        self._heard, self._dead = now, False
        if currents != newest or verdict.consequence == "stop":
            at = max([now + self.late_s, *(order.at for order in self._waiting)])
            rises = tuple(new > old for new, old in zip(currents, newest))
            self._waiting.append(_Order(at, currents, verdict.ramp_s, rises))

    def currents(self, at: float) -> tuple[float, ...]:
        """What flows at a time that has come, mA."""
        begin, low, end, high = self._path
        if at >= end:
            return high
        share = (at - begin) / (end - begin)
        return tuple(a + (b - a) * share for a, b in zip(low, high))

    def run(self, until: float) -> None:
        """Time passes to ``until``, s; whatever is due by then is obeyed."""
        while True:
            lapse = inf if self._dead else self._heard + self._programme_watchdog + self._latency_s
            due = self._waiting[0].at if self._waiting else inf
            end = self._path[2] if self._path[2] > self._now else inf
            to = max(self._now, min(until, lapse, due, end))
            self._flow(self._now, to)
            self._now = to
            if due <= to:
                self._obey(self._waiting.pop(0))
            elif lapse <= to:
                self._dead = True
                self._waiting.clear()
                self._begin((0.0,) * len(self._programme.channels), self._programme.release_s)
            elif to >= until:
                return

    @property
    def _programme_watchdog(self) -> float:
        return min(limits.limits["watchdog_s"] for limits in self._limits.values())

    def _obey(self, order: _Order) -> None:
        for channel, new, old, rises in zip(
            self._programme.channels, order.currents, self.currents(self._now), order.rises
        ):
            most = self._limits[channel.electrode].limits["slew_ma_s"] * order.ramp_s
            if rises and new - old > most * (1 + ROUNDING) + ROUNDING:
                self._too_fast.append(f"slew of {channel.name}: {new - old} in {order.ramp_s}")
        self._begin(order.currents, order.ramp_s)

    def _begin(self, currents: tuple[float, ...], ramp_s: float) -> None:
        self._path = (self._now, self.currents(self._now), self._now + ramp_s, currents)

    def _flow(self, start: float, end: float) -> None:
        if end <= start:
            return
        first, last = self.currents(start), self.currents(end)
        for n, channel in enumerate(self._programme.channels):
            mean = (first[n] + last[n]) / 2.0
            if not mean:
                continue
            for contact in channel.contacts:
                place = (channel.lead, contact)
                more = mean * channel.width_us * channel.rate_hz * (end - start) / 1000.0
                self.charge[place] = self.charge.get(place, 0.0) + more
            intervals = self.flowed[channel.lead]
            if intervals and start - intervals[-1][1] < 1e-9:
                intervals[-1] = (intervals[-1][0], max(end, intervals[-1][1]))
            else:
                intervals.append((start, end))
            while intervals[0][1] < end - self._limits[channel.electrode].window_s:
                intervals.pop(0)

    # ---------------------------------------------------------------------------------------- what is wrong
    def wrong(self, setup: Setup) -> list[str]:
        """Limits that what flowed, or flows, passes."""
        earlier, found = dict(setup.earlier_uc), []
        models = {channel.lead: self._limits[channel.electrode] for channel in self._programme.channels}
        for place, charge in self.charge.items():
            limits = models[place[0]].limits
            if charge > limits["dose_session_uc"] * (1 + ROUNDING):
                found.append(f"session of {place}: {charge}")
            if charge + earlier.get(place, 0.0) > limits["dose_day_uc"] * (1 + ROUNDING):
                found.append(f"day of {place}: {charge}")
        for lead, intervals in self.flowed.items():
            found += _of_times(lead, intervals, models[lead])
        return found + self._too_fast + self._of_now(models)

    def _of_now(self, models: dict[str, ElectrodeLimits]) -> list[str]:
        """Loads of the moment, by the textbook."""
        found, charges = [], Counter[tuple[str, int]]()
        flows = self.currents(self._now)
        for channel, current in zip(self._programme.channels, flows):
            limits = models[channel.lead].limits
            if current > min(channel.approved_ma, limits["current_ma"]) * (1 + ROUNDING):
                found.append(f"current of {channel.name}: {current}")
            for contact in channel.contacts:
                charges[channel.lead, contact] += current * channel.width_us * 1e-3  # type: ignore[assignment]
        for (lead, contact), charge in charges.items():
            limits, area = models[lead].limits, models[lead].area_cm2
            over = 1 + ROUNDING
            if charge > limits["charge_uc"] * over or charge / area > limits["density_uc_cm2"] * over:
                found.append(f"charge of {lead} {contact}: {charge}")
            if charge and 2 * np.log10(charge) - np.log10(area) > limits["shannon_k"] + ROUNDING:
                found.append(f"k of {lead} {contact}")
        return found


def _of_times(lead: str, intervals: list[tuple[float, float]], limits: ElectrodeLimits) -> list[str]:
    """Bursts that were too long, rests that were too short, and a window that was too full."""
    found = []
    if intervals and intervals[-1][1] - intervals[-1][0] > limits.limits["burst_s"] * (1 + ROUNDING):
        found.append(f"burst of {lead}: {intervals[-1]}")
    if intervals:
        end = intervals[-1][1]
        begin = end - limits.window_s
        on = sum(b - max(a, begin) for a, b in intervals if b > begin)
        if on > limits.limits["duty"] * limits.window_s * (1 + ROUNDING):
            found.append(f"duty of {lead}: {on}")
    return found


# ----------------------------------------------------------------------------------------------- the walk
@dataclass(slots=True)
class Walk:
    """A supervisor and a stimulator at its other end, and what must hold after every step.

    Attributes
    ----------
    setup : what both are made of.
    latency_s : how late the stimulator obeys, s.
    now : s.
    wrong : what did not hold, in words.
    rules : how often each rule spoke.
    """

    setup: Setup
    latency_s: float = 0.15
    now: float = 0.0
    wrong: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    supervisor: StimulationSupervisor = field(init=False)
    stimulator: Stimulator = field(init=False)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.supervisor = StimulationSupervisor(self.setup)
        self.stimulator = Stimulator(self.setup, self.latency_s)
        self.make_ready()

    def make_ready(self) -> None:
        """Everything that current needs."""
        places = {(c.lead, contact): 900.0 for c in self.setup.programme.channels for contact in c.contacts}
        self.supervisor.telemetry.take_impedances(places, now=self.now)
        self.supervisor.take_pressure(110.0, now=self.now, resting=self.supervisor.person.baseline is None)
        self.supervisor.person.take_load(30.0, now=self.now)

    def pass_time(self, seconds: float, *, silent: bool = False) -> None:
        """Time passes; ``silent`` means that the supervisor is not asked meanwhile."""
        self.now += seconds
        self.stimulator.run(self.now)
        self.wrong += self.stimulator.wrong(self.setup)
        if not silent:
            self.take(self.supervisor.tick(self.now))

    def order(self, levels: tuple[float, ...], ramp_s: float) -> None:
        """Levels are asked for."""
        latched = self.supervisor.latched is not None
        verdict = self.supervisor.order(levels, now=self.now, ramp_s=ramp_s)
        if latched and any(verdict.levels):
            self.wrong.append(f"order let through while latched: {verdict}")
        self.take(verdict)

    def deliver(self, share: float) -> None:
        """The stimulator states a share of what flows. Who follows late, and truly, is not blamed."""
        delivered = tuple(current * share for current in self.stimulator.currents(self.now))
        verdict = self.supervisor.take_delivered(delivered, now=self.now)
        if share == 1.0 and any(finding.rule in ("delivered", "undelivered") for finding in verdict.findings):
            self.wrong.append(f"blamed for what it was sent: {verdict.findings}")
        self.take(verdict)

    def stop(self) -> None:
        """A STOP."""
        verdict = self.supervisor.stop("key", now=self.now)
        self.stopped = True
        if any(verdict.levels) or verdict.ramp_s or verdict.consequence != "stop":
            self.wrong.append(f"stop not followed: {verdict}")
        self.take(verdict)

    def reset(self) -> None:
        """An operator's reset."""
        self.supervisor.symptom_is_over()
        verdict = self.supervisor.reset(self.now)
        self.stopped = self.stopped and verdict.consequence == "stop"
        self.take(verdict)

    def take(self, verdict: Verdict) -> None:
        """Send a verdict on, and look at it."""
        self.rules.update(finding.rule for finding in verdict.findings)
        if self.stopped and any(verdict.levels):
            self.wrong.append(f"level after a stop: {verdict}")
        if any(not 0.0 <= level <= 1.0 for level in verdict.levels):
            self.wrong.append(f"level that is none: {verdict}")
        self.stimulator.hear(verdict, self.now)
        self.wrong += self.stimulator.wrong(self.setup)
        for place, charge in self.stimulator.charge.items():
            if self.supervisor.dose.session_uc(place) * (1 + ROUNDING) + ROUNDING < charge:
                self.wrong.append(f"dose of {place}: counted less than {charge}")


LEVELS = (0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0)
NONSENSE = ((nan, 0.0, 0.0), (inf, 0.0, 0.0), (0.5,), (-3.0, 0.5, 0.5), (1.7, 1.7, 1.7))
SOONEST_S = (0.02, 0.05, 0.1, 0.1, 0.1, 0.2)


def step(walk: Walk, rng: np.random.Generator) -> None:
    """One step of a walk, drawn."""
    draw = rng.random()
    if draw < 0.55:
        walk.pass_time(float(rng.choice(SOONEST_S)))
        walk.supervisor.person.take_load(30.0, now=walk.now)
    elif draw < 0.85:
        levels = tuple(float(level) for level in rng.choice(LEVELS, size=len(walk.setup.programme.channels)))
        walk.order(levels, float(rng.choice((0.0, 0.1, 0.5, 3.0))))
    elif draw < 0.87:
        walk.order(NONSENSE[int(rng.integers(len(NONSENSE)))], 0.1)
    elif draw < 0.89:
        walk.stop()
    elif draw < 0.93:
        walk.make_ready()
        walk.reset()
    elif draw < 0.96:
        walk.pass_time(float(rng.choice((0.3, 1.0, 20.0))), silent=True)
        walk.take(walk.supervisor.tick(walk.now))
    else:
        _notice(walk, rng)


def _notice(walk: Walk, rng: np.random.Generator) -> None:
    """Something becomes known of person, contacts or current."""
    supervisor, kind = walk.supervisor, int(rng.integers(6))
    if kind == 0:
        supervisor.take_pressure(float(rng.choice((100.0, 128.0, 131.0))), now=walk.now, resting=False)
    elif kind == 1:
        supervisor.person.take_load(float(rng.choice((3.0, 30.0, nan))), now=walk.now)
    elif kind == 2:
        supervisor.telemetry.take_impedances({("left", 3): float(rng.choice((900.0, 3000.0, nan)))}, now=walk.now)
    elif kind == 3:
        walk.deliver(float(rng.choice((0.5, 1.0, 1.0, 1.3))))
    elif kind == 4:
        channel = int(rng.integers(len(walk.setup.programme.channels)))
        ceiling = supervisor.ceilings_ma[channel] + float(rng.choice((-1.0, 0.05, 0.1, 0.5)))
        walk.take(supervisor.set_ceiling(channel, ceiling, now=walk.now))
    else:
        supervisor.person.symptom = str(rng.choice(("", "headache")))


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of :func:`walked`.

    Attributes
    ----------
    steps, sessions : of the walk.
    roads : of small machines that were walked to their end.
    wrong : what did not hold, the first of it.
    rules : how often each rule spoke.
    flowed_uc : charge that flowed at the contacts, over all.
    """

    steps: int
    sessions: int
    roads: int
    wrong: tuple[str, ...]
    rules: Counter[str]
    flowed_uc: float

    @property
    def passed(self) -> bool:
        """Whether nothing was passed, in a walk in which current flowed and every road was walked."""
        return not self.wrong and self.flowed_uc > 0 and self.roads > 0

    def text(self) -> str:
        """The figures, a line each."""
        spoke = ", ".join(f"{rule} {n:,}" for rule, n in sorted(self.rules.items()))
        lines = [
            f"{self.steps:,} steps in {self.sessions:,} sessions of a stimulator that obeys as late as it may: "
            f"{self.flowed_uc:,.0f} µC flowed, {len(self.wrong)} limits passed",
            f"{self.roads:,} roads of small machines walked to their end",
            f"rules that spoke: {spoke}",
            *(f"WRONG: {one}" for one in self.wrong[:5]),
        ]
        return "\n".join(lines)


SESSION = 2000
"""Steps of one session of the walk."""


def walked(n: int, seed: int, *, length: int, progress: Callable[[int], object] = lambda n: None) -> Figures:
    """Walk ``n`` steps at random, and every road of a small machine.

    Parameters
    ----------
    n : steps.
    seed : of the draws.
    length : acts of a road.
    progress : told how many more steps or roads are done.
    """
    rng, link = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    wrong: list[str] = []
    rules: Counter[str] = Counter()
    flowed, sessions, done = 0.0, 0, 0
    while done < n:
        walk = Walk(walked_setup(), latency_s=float(rng.choice((0.0, 0.05, 0.15))))
        steps = min(SESSION, n - done)
        for _ in range(steps):
            walk.stimulator.late_s = walk.latency_s * float(link.choice((0.0, 0.5, 1.0, 1.0, 1.0)))
            step(walk, rng)
        wrong += walk.wrong
        rules += walk.rules
        flowed += sum(walk.stimulator.charge.values())
        sessions += 1
        done += steps
        progress(steps)
    roads, failed = exhausted(length, progress=progress)
    return Figures(n, sessions, roads, (*wrong, *failed), rules, flowed)


def _ready_again(walk: Walk) -> None:
    walk.make_ready()
    walk.reset()


ACTS: tuple[Callable[[Walk], None], ...] = (
    lambda walk: walk.order((1.0, 0.0, 0.0), 0.0),
    lambda walk: walk.order((0.0, 1.0, 1.0), 0.3),
    lambda walk: walk.order((0.0, 0.0, 0.0), 0.5),
    lambda walk: walk.pass_time(0.2),
    lambda walk: walk.pass_time(1.5, silent=True),
    lambda walk: walk.stop(),
    _ready_again,
    lambda walk: walk.supervisor.take_pressure(131.0, now=walk.now, resting=False),
)
"""Acts of a small machine."""


def longest(n: int) -> int:
    """Acts of the longest roads of which there are no more than ``n``."""
    length = 0
    while len(ACTS) ** (length + 1) <= n:
        length += 1
    return length


def exhausted(length: int, *, progress: Callable[[int], object] = lambda n: None) -> tuple[int, list[str]]:
    """Every sequence of acts of a small machine: how many, and what did not hold.

    Parameters
    ----------
    length : acts of a sequence.
    progress : told how many more are done.
    """
    setup, wrong = walked_setup(), []
    n = 0
    for road in product(ACTS, repeat=length):
        walk = Walk(setup)
        for act in road:
            act(walk)
        # Whatever came before, the last word is a STOP, and nothing flows once it has arrived.
        walk.stop()
        walk.stimulator.run(walk.now + walk.latency_s + 1e-9)
        if any(walk.stimulator.currents(walk.now + walk.latency_s + 1e-9)):
            wrong.append("current flows after a stop")
        wrong += walk.wrong
        n += 1
        progress(1)
    return n, wrong
