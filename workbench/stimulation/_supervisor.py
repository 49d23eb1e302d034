"""The supervisor of stimulation: what is asked for goes in, what may leave comes out. No decoder passes it.

Pure: no clock, no thread, no file. Its caller gives the time in s of one monotonic clock, at least every watchdog.
It looks ahead: what would still flow if the next order never came, until the stimulator's own watchdog has ended
it and the ramp is over, counts as if it had flowed. So no limit in time or charge is passed even then.

A fall is never held back and never refused; a rise is refused as a whole as soon as one rule does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Literal

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.stimulation._findings import Finding
from workbench.stimulation._limits import ElectrodeLimits, SignedLimits
from workbench.stimulation._loads import Loads
from workbench.stimulation._margins import Margin, margins
from workbench.stimulation._programme import Place, Programme
from workbench.stimulation._quantities import above
from workbench.stimulation._telemetry import Telemetry
from workbench.stimulation._times import Dose, OnTimes
from workbench.stimulation._wearer import PersonWatch, Wearer

Consequence = Literal["", "held", "release", "fault", "stop"]
"""What follows: nothing; a rise was refused; a release by its ramp; the same, latched; off at once, latched."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may leave.

    Attributes
    ----------
    levels : of each channel, a fraction 0–1 of its approved current; all 0 in a sham.
    ramp_s : least ramp to it, s.
    consequence : what follows from the findings.
    findings : why.
    """

    levels: tuple[float, ...]
    ramp_s: float = 0.0
    consequence: Consequence = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An order that was let through, until the stimulator has reached a later one.

    Attributes
    ----------
    low, high : its currents, mA by channel; with orders that may never be reached, the least and most of all.
    reached_at : when the stimulator has reached it, or has begun a later one, s.
    ramped : whether it goes there by a ramp.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    reached_at: float
    ramped: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a supervisor is made of, and that does not change in a session.

    Attributes
    ----------
    programme : what is stimulated.
    limits : of each electrode model in it, signed by two people.
    wearer : the person.
    earlier_uc : charge of the day outside of this session, µC by contact.
    references_ohm : impedance at the last accepted measurement, Ω by contact.
    blinded : whether whoever runs the session must not learn if it is a sham: no screen shows a measured current.
    """

    programme: Programme
    limits: tuple[SignedLimits, ...]
    wearer: Wearer = Wearer()
    earlier_uc: tuple[tuple[Place, float], ...] = ()
    references_ohm: tuple[tuple[Place, float], ...] = ()
    blinded: bool = False

    def by_model(self) -> dict[str, ElectrodeLimits]:
        """The limits by electrode model; :class:`Refused` where two files are about one."""
        found: dict[str, ElectrodeLimits] = {}
        for signed in self.limits:
            if signed.limits.electrode in found:
                raise Refused(Message("stimulation.limits_twice", electrode=signed.limits.electrode))
            found[signed.limits.electrode] = signed.limits
        return found


class StimulationSupervisor:
    """Limits, gates and dose of one stimulator in one session.

    Parameters
    ----------
    setup : programme, limits, person.

    Attributes
    ----------
    dose : charge that each contact has borne.
    latched : what stopped it, None while nothing has; left by :meth:`reset` alone.

    Raises
    ------
    Refused
        When a channel has no signed limits, names a contact that its electrode has not, or passes a limit at its
        approved current.
    """

    def __init__(self, setup: Setup) -> None:
        programme = setup.programme
        self.setup, self.programme = setup, programme
        self._loads = Loads(programme, setup.by_model())
        # At the approved current everything that rests on no time is checked once and for all.
        alone = [
            finding
            for n in range(len(programme.channels))
            for finding in self._loads.findings(_only(programme.approved_ma, n))
        ]
        limits = self._loads.limits
        self.watchdog_s = min(one.limits["watchdog_s"] for one in limits.values())
        self._expects_late = True
        self._on = OnTimes(limits)
        # A burst or a duty that is shorter than what flows until the watchdog has ended it could never begin.
        too_short = [f for lead in limits for f in self._on.findings(lead, 0.0, on=False, ahead_s=self._ahead_s)]
        if found := alone + too_short:
            raise Refused(
                Message("stimulation.programme_refused", programme=programme.name, why=[f.text for f in found])
            )
        self.dose = Dose(limits, earlier_uc=dict(setup.earlier_uc))
        self._telemetry = Telemetry(programme, self._loads, references_ohm=dict(setup.references_ohm))
        self._person = PersonWatch(setup.wearer, programme)
        self.latched: Finding | None = None
        self._ceilings = list(programme.approved_ma)
        self._raised_at = [-inf] * len(programme.channels)
        none = (0.0,) * len(programme.channels)
        # Oldest first: the last one that was reached, and those that the link may still hold back.
        self._orders = [UnderWay(none, none, -inf)]
        self._now: float | None = None

    # --------------------------------------------------------------------------------------------- orders
    def order(self, levels: Sequence[float], *, now: float, ramp_s: float = 0.0) -> Verdict:
        """What may leave when these levels are asked for.

        Parameters
        ----------
        levels : of each channel, a fraction 0–1 of its ceiling.
        now : s.
        ramp_s : ramp to them, s; a rise that is faster than its limit gets a longer one.
        """
        if broken := self._advance(now):
            return broken
        if len(levels) != len(self._to) or not all(isfinite(value) for value in levels) or not 0 <= ramp_s < inf:
            return self._latch(Finding("level", detail=Message("stimulation.no_levels")), "fault")
        found = [
            Finding("ceiling", value * ceiling, ceiling, channel.name)
            for value, ceiling, channel in zip(levels, self._ceilings, self.programme.channels)
            if value > 1
        ]
        asked = tuple(min(max(value, 0.0), 1.0) * ceiling for value, ceiling in zip(levels, self._ceilings))
        if not any(new > old for new, old in zip(asked, self._to)):
            return self._fall(asked, now, ramp_s, found)
        if refusals := self._against(asked, now):
            return self._fall(tuple(map(min, asked, self._to)), now, ramp_s, found + refusals, "held")
        needed_s, slow = self._ramp(asked, now, ramp_s)
        self._change(asked, now, needed_s)
        return self._verdict(needed_s, "", found + slow)

    def objections(self, levels: Sequence[float], *, now: float) -> list[Finding]:
        """What forbids a rise to these levels, fractions 0–1 of the ceilings; time alone passes.

        Parameters
        ----------
        levels : of each channel.
        now : s.
        """
        if broken := self._advance(now):
            return list(broken.findings)
        asked = tuple(min(max(value, 0.0), 1.0) * ceiling for value, ceiling in zip(levels, self._ceilings))
        return self._against(asked, now) if len(asked) == len(self._to) else []

    def _fall(
        self,
        currents: tuple[float, ...],
        now: float,
        ramp_s: float,
        findings: Sequence[Finding],
        consequence: Consequence = "",
    ) -> Verdict:
        """Lower currents, mA. A ramp to nothing takes no longer than a release, by which it was looked ahead."""
        ramp_s = ramp_s if any(currents) else min(ramp_s, self.programme.release_s)
        self._change(currents, now, ramp_s)
        return self._verdict(ramp_s, consequence, findings)

    def tick(self, now: float) -> Verdict:
        """Time has passed: whether current may go on. To be asked at least every watchdog."""
        if broken := self._advance(now):
            return broken
        if not any(self._envelope(now)):
            # What would stop a current forbids one to begin; there is nothing to stop.
            return self._verdict(0.0, "")
        if dangers := self._dangers():
            return self._latch(dangers[0], "stop", dangers)
        if not any(self._to):
            return self._verdict(0.0, "")
        if found := self._running(now):
            self._change(self._nothing, now, self.programme.release_s)
            return self._verdict(self.programme.release_s, "release", found)
        return self._verdict(0.0, "")

    def stop(self, why: str, *, now: float) -> Verdict:
        """Off at once, from any state, at any time that is given; latched until :meth:`reset`."""
        self._advance(now)
        return self._latch(Finding("stopped", detail=why or Message("word.none")), "stop")

    def _stopped(self) -> list[Finding]:
        """What is latched, as what forbids a current."""
        if self.latched is None or self.latched.rule == "stopped":
            return [self.latched] if self.latched else []
        return [Finding("stopped", detail=self.latched.text)]

    def symptom_is_over(self) -> None:
        """Somebody says that the person does not feel any longer what was noted."""
        self._person.symptom = ""

    def reset(self, now: float) -> Verdict:
        """Free what was latched; what stopped it may stop it again, such as a symptom that is not over."""
        broken = self._advance(now)
        if broken:
            return broken
        if dangers := self._dangers():
            return self._latch(dangers[0], "stop", dangers)
        self.latched = None
        return self._verdict(0.0, "")

    def set_ceiling(self, channel: int, current_ma: float, *, now: float) -> Verdict:
        """Another ceiling of one channel: lower at once, higher in small steps and never above what was approved.

        Parameters
        ----------
        channel : its number.
        current_ma : mA.
        now : s.
        """
        if broken := self._advance(now):
            return broken
        old, approved = self._ceilings[channel], self.programme.channels[channel]
        if not isfinite(current_ma) or current_ma < 0:
            return self._verdict(0.0, "held", [Finding("level", detail=Message("stimulation.no_levels"))])
        if current_ma > old:
            limits = self._loads.of(approved).limits
            rise = limits["ceiling_rise_per_s"] * limits["current_ma"]
            seconds = now - self._raised_at[channel]
            step, most = current_ma - old, limits["ceiling_step_ma"]
            found = self._stopped()
            if above(current_ma, approved.approved_ma):
                found.append(Finding("ceiling", current_ma, approved.approved_ma, approved.name))
            if above(step, most):
                found.append(Finding("ceiling_step", step, most, approved.name))
            if above(step, rise * seconds):
                found.append(Finding("ceiling_rise", step / seconds if seconds else inf, rise, approved.name))
            if found:
                return self._verdict(0.0, "held", found)
            self._raised_at[channel] = now
        self._ceilings[channel] = current_ma
        self._change(tuple(map(min, self._to, self._ceilings)), now, 0.0)
        return self._verdict(0.0, "")

    # ------------------------------------------------------------------------------------------ what is noted
    @property
    def person(self) -> PersonWatch:
        """What is known of the person."""
        return self._person

    @property
    def telemetry(self) -> Telemetry:
        """What the stimulator measures."""
        return self._telemetry

    def take_pressure(self, systolic: float, *, now: float, resting: bool) -> None:
        """A reading of the blood pressure, mmHg; what a rise is compared with is taken without current alone.

        Parameters
        ----------
        systolic : mmHg.
        now : s.
        resting : whether it is the session's baseline: seated, at rest.

        Raises
        ------
        BadValue
            When no person has such a pressure, or a resting one is stated while current flows, or after a rise.
        """
        # Also of a sham, which would tell itself otherwise.
        if resting and any(self._envelope(now)):
            raise BadValue(Message("stimulation.resting_with_current"))
        if resting and self._person.raised:
            raise BadValue(Message("stimulation.resting_raised"))
        self._person.take_pressure(systolic, now=now, resting=resting)

    def take_delivered(self, delivered_ma: Sequence[float], *, now: float) -> Verdict:
        """Delivered currents, mA: more than was sent is off at once, less for a quarter of a second a fault."""
        if broken := self._advance(now):
            return broken
        least, most = self._sent(self._least(now)), self._sent(self._envelope(now))
        found = self._telemetry.compare(delivered_ma, least=least, most=most, now=now)
        if any(finding.rule == "delivered" for finding in found):
            return self._latch(found[0], "stop", found)
        return self._latch(found[0], "fault", found) if found else self._verdict(0.0, "")

    # -------------------------------------------------------------------------------------------------- views
    @property
    def asked_ma(self) -> tuple[float, ...]:
        """Currents that would flow if this were no sham, mA: all that a blinded person may see."""
        return self._to

    @property
    def asked_levels(self) -> tuple[float, ...]:
        """The same as a fraction 0–1 of each channel's approved current."""
        return tuple(current / full for current, full in zip(self._to, self.programme.approved_ma, strict=True))

    def settled(self, now: float) -> bool:
        """Whether nothing is asked for and the ramp to it is over; ``now`` in s."""
        return not any(self._to) and now >= self._settles_at

    @property
    def places(self) -> tuple[Place, ...]:
        """Every contact in use."""
        return self._loads.places

    def unseen_uc(self, lapse_s: float) -> dict[Place, float]:
        """Charge that each contact bears after the last look, µC, if nobody looks again.

        Parameters
        ----------
        lapse_s : how long a current that was asked for may go on then, s.
        """
        now = 0.0 if self._now is None else self._now
        seconds = lapse_s if any(self._to) else max(0.0, self._settles_at - now)
        return {place: per_s * seconds for place, per_s in self._loads.charge_per_s(self._envelope(now)).items()}

    def most_uc(self, seconds: float) -> dict[Place, float]:
        """Charge that each contact bears at the approved currents of all channels in a time in s, µC."""
        per_s = self._loads.charge_per_s(self.programme.approved_ma)
        return {place: charge * seconds for place, charge in per_s.items()}

    @property
    def sent_ma(self) -> tuple[float, ...]:
        """Currents that were let through, mA."""
        return self._sent(self._to)

    @property
    def ceilings_ma(self) -> tuple[float, ...]:
        """Ceiling of each channel, mA."""
        return tuple(self._ceilings)

    def margins(self) -> tuple[Margin, ...]:
        """How far each limit is, by what is asked for: the same in a sham, for whoever is blinded."""
        telemetry = self._telemetry
        return margins(
            self._loads,
            self.dose,
            currents_ma=self._to,
            unverified=telemetry.unverified,
            net_dc=telemetry.net_dc_na,
        )

    def to_begin(self, now: float) -> list[Finding]:
        """What forbids any current now: a condition of arming."""
        return [
            *self._stopped(),
            *self._dangers(),
            *self._person.lacking(now, on=False),
            *self._telemetry.lacking(self._ceilings, now=now),
        ]

    # ------------------------------------------------------------------------------------------------- rules
    @property
    def _nothing(self) -> tuple[float, ...]:
        return (0.0,) * len(self._to)

    @property
    def _to(self) -> tuple[float, ...]:
        """The newest currents that were let through, mA."""
        return self._orders[-1].high

    @property
    def _settles_at(self) -> float:
        """When they are reached, s."""
        return self._orders[-1].reached_at

    @property
    def _ahead_s(self) -> float:
        """How long current may still flow although the next look releases it, s.

        That look comes within a watchdog; where it comes a little later, the stimulator may hear of it before its
        own watchdog ends the current. An engine that dies while the release is under way lets that watchdog begin
        it again, as late as just before it is over. One that comes back ends it at once.
        """
        release_s, latency_s = self.programme.release_s, self.programme.latency_s
        return self.watchdog_s + 2.0 * release_s + (2.0 if self._expects_late else 1.0) * latency_s

    def _dangers(self) -> list[Finding]:
        return [*self._person.dangers(), *self._telemetry.dangers()]

    def _leads(self, currents_ma: Sequence[float]) -> set[str]:
        """Leads through which current flows."""
        return {
            channel.lead for channel, current in zip(self.programme.channels, currents_ma, strict=True) if current
        }

    def _against(self, asked: tuple[float, ...], now: float) -> list[Finding]:
        """Every rule that forbids a rise to currents in mA."""
        found = self.to_begin(now) + self._loads.findings(asked)
        flowing = self._leads(self._envelope(now))
        for lead in sorted(self._leads(asked) | flowing):
            found += self._on.findings(lead, now, on=lead in flowing, ahead_s=self._ahead_s)
        per_s = self._loads.charge_per_s(tuple(map(max, asked, self._envelope(now))))
        return found + self.dose.findings(per_s, ahead_s=self._ahead_s)

    def _running(self, now: float) -> list[Finding]:
        """Every rule that ends a current that flows."""
        found = self._person.lacking(now, on=True) + self._telemetry.lacking(self._ceilings, now=now)
        # Of a lead that is on its way to nothing by a long ramp too.
        for lead in sorted(self._leads(self._envelope(now))):
            found += self._on.findings(lead, now, on=True, ahead_s=self._ahead_s)
        per_s = self._loads.charge_per_s(self._envelope(now))
        return found + self.dose.findings(per_s, ahead_s=self._ahead_s)

    def _ramp(self, asked: Sequence[float], now: float, ramp_s: float) -> tuple[float, list[Finding]]:
        """The least ramp to currents in mA, s, and where a shorter one was asked for.

        It holds from the least that may flow: a link that hands several rises over at once makes one of them.
        """
        found, needed_s = [], ramp_s
        for new, old, channel in zip(asked, self._least(now), self.programme.channels, strict=True):
            limit = self._loads.of(channel).limits["slew_ma_s"]
            least_s = (new - old) / limit
            if new > old and above(least_s, ramp_s):
                found.append(Finding("slew", (new - old) / ramp_s if ramp_s else inf, limit, channel.name))
                needed_s = max(needed_s, least_s)
        return needed_s, found

    # -------------------------------------------------------------------------------------------------- time
    def _advance(self, now: float) -> Verdict | None:
        """Let time pass to ``now``, s; a verdict where that alone ends everything."""
        if self._now is None and isfinite(now):
            self._now = now
        last = self._now
        if last is None or not isfinite(now) or now < last:
            # No limit in time can be relied on any longer.
            back = Finding("clock", None if last is None else now - last, 0.0)
            return self._latch(back, "fault") if self.latched is None else self._verdict(0.0, self._kept)
        lost_at = last + self.watchdog_s
        if any(self._to) and above(now, lost_at):
            # The stimulator's own watchdog has ended it by now: what flowed since is what that lets flow. Where it
            # has not, being a latency late, it hears of the release now.
            self._count(last, lost_at)
            late = self._expects_late and now < lost_at + self.programme.latency_s
            self._lose(lost_at, now if late else lost_at)
            self._count(lost_at, now)
            return self._latch(Finding("watchdog", now - last, self.watchdog_s), "fault")
        if lost_at < self._settles_at and above(now, lost_at):
            # A release that was under way: the stimulator's own watchdog has begun it again.
            self._count(last, lost_at)
            self._lose(lost_at, lost_at)
            self._count(lost_at, now)
            if self._expects_late and any(self._envelope(now)):
                # It would at the next silence too, and at each after it: what was looked ahead by is one.
                return self._latch(Finding("watchdog", now - last, self.watchdog_s), "stop")
            return None
        self._count(last, now)
        return None

    @property
    def _kept(self) -> Consequence:
        """What a latched supervisor keeps saying."""
        return "stop" if self.latched is not None and self.latched.rule != "clock" else "fault"

    def _count(self, start: float, end: float) -> None:
        """Charge and on-times from ``start`` to ``end``, s."""
        while start < end:
            flowing = self._under_way(start)
            until = min([end, *(order.reached_at for order in flowing[1:] if order.reached_at > start)])
            currents = self._envelope(start)
            self.dose.add(self._loads.charge_per_s(currents), until - start)
            for lead in self._leads(currents):
                self._on.add(lead, start, until)
            start = until
        self._orders = self._under_way(end)
        self._now = end

    def _under_way(self, now: float) -> list[UnderWay]:
        """What the stimulator may be about at ``now``, s: the last order that it has reached, and all after it."""
        reached = [n for n, order in enumerate(self._orders) if order.reached_at <= now]
        return self._orders[reached[-1] if reached else 0 :]

    def _envelope(self, now: float) -> tuple[float, ...]:
        """The most that may flow at ``now``, mA: of the orders under way the highest."""
        return tuple(map(max, zip(*(order.high for order in self._under_way(now)), strict=True)))

    def _least(self, now: float) -> tuple[float, ...]:
        """The least that may flow at ``now``, mA: of the orders under way the lowest."""
        return tuple(map(min, zip(*(order.low for order in self._under_way(now)), strict=True)))

    def _change(self, currents: tuple[float, ...], now: float, ramp_s: float) -> None:
        """Another order, mA, takes effect within a ramp and the latency."""
        if currents == self._to:
            return
        before = self._under_way(now)
        # A ramp that begins before the one under way is over starts from anywhere on it: that one may never be
        # reached. Without a ramp an order is reached as it begins, whatever went before.
        if ramp_s > 0 and before[-1].ramped and before[-1].reached_at > now:
            before = _with_last_merged(before)
        reached_at = max(now + ramp_s + self.programme.latency_s, now)
        self._orders = [*before, UnderWay(currents, currents, reached_at, ramped=ramp_s > 0)]

    def _lose(self, lost_at: float, begun_at: float) -> None:
        """The stimulator's own watchdog ends everything: what was still on its way to it may never begin.

        ``lost_at`` is when it runs out, ``begun_at`` when the release begins at the latest but for the latency, s.
        """
        low, high = self._least(lost_at), self._envelope(lost_at)
        reached_at = begun_at + self.programme.release_s + self.programme.latency_s
        none = self._nothing
        self._orders = [UnderWay(low, high, -inf), UnderWay(none, none, reached_at, ramped=True)]

    # ----------------------------------------------------------------------------------------------- verdicts
    def _sent(self, currents: Sequence[float]) -> tuple[float, ...]:
        return self._nothing if self.programme.mode == "sham" else tuple(currents)

    def _verdict(self, ramp_s: float, consequence: Consequence, findings: Sequence[Finding] = ()) -> Verdict:
        sent = self._sent(self._to)
        approved = self.programme.approved_ma
        levels = tuple(min(current / full, 1.0) for current, full in zip(sent, approved, strict=True))
        return Verdict(levels, ramp_s, consequence, tuple(findings))

    def _latch(self, finding: Finding, consequence: Consequence, findings: Sequence[Finding] = ()) -> Verdict:
        """Nothing more leaves until a reset; a stop replaces a fault, and nothing replaces a stop."""
        if self.latched is None or consequence == "stop":
            self.latched = finding
        ramp_s = 0.0 if consequence == "stop" else self.programme.release_s
        now = self._now if self._now is not None else 0.0
        # A stop ends a ramp to nothing that is under way, which may be what it is for.
        if consequence == "stop" and not any(self._to):
            last, ends_at = self._orders[-1], now + self.programme.latency_s
            self._orders[-1] = replace(last, reached_at=min(last.reached_at, ends_at))
        self._change(self._nothing, now, ramp_s)
        return self._verdict(ramp_s, consequence, findings or (finding,))


def _with_last_merged(orders: list[UnderWay]) -> list[UnderWay]:
    """The same orders, of which the last is no longer told apart from the one before it."""
    *rest, earlier, last = orders
    low, high = tuple(map(min, earlier.low, last.low)), tuple(map(max, earlier.high, last.high))
    return [*rest, replace(earlier, low=low, high=high)]


def _only(currents: Sequence[float], n: int) -> tuple[float, ...]:
    """Currents of which one channel alone flows."""
    return tuple(current if k == n else 0.0 for k, current in enumerate(currents))
