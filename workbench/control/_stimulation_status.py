"""Stimulation as screens show it: asked, delivered, margins, what forbids current, charge, and the person.

Nothing in it tells a sham where the session is blinded: all of it rests on what is asked for, which is judged and
counted the same, and a measured current stays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from workbench.control._stimulation import forbidding
from workbench.stimulation import RULES, SignedLimits, StimulationSupervisor, name_of

NARROW, NARROW_K = 0.2, 0.1
"""What is left of a limit below which it is marked, as a share, and of Shannon's k, which is a logarithm."""


class ChannelStatus(TypedDict):
    """One channel, currents in mA; ``delivered_ma`` is None where nobody measures or may see it.

    ``lead``, ``cathodes`` and ``anodes`` say through which contacts it flows.
    """

    name: str
    lead: str
    cathodes: list[int]
    anodes: list[int]
    approved_ma: float
    ceiling_ma: float
    asked_ma: float
    delivered_ma: float | None


class MarginStatus(TypedDict):
    """One limit; ``value`` and ``left`` are None where nobody measures it (``workbench.stimulation.Margin``)."""

    rule: str
    where: str
    value: float | None
    limit: float
    unit: str
    left: float | None
    narrow: bool


class ChargeStatus(TypedDict):
    """Charge that one contact has borne in this session and on this day, with their limits, µC."""

    where: str
    lead: str
    contact: int
    session_uc: float
    session_limit_uc: float
    day_uc: float
    day_limit_uc: float


class LimitsStatus(TypedDict):
    """Limits in use: of which electrode, which version, by whom they were signed."""

    electrode: str
    version: int
    sha256: str
    signed_by: list[str]


class ForbidStatus(TypedDict):
    """One condition that is lacking for current to begin, as a sentence."""

    text: str


class PersonStatus(TypedDict):
    """What is known of the person: pressures in mmHg, load in kg, times in s; None where nothing is.

    ``at_risk`` of dysreflexia; ``late_s`` how long a reading has been due; ``support`` is asked for at all.
    """

    at_risk: bool
    baseline: float | None
    systolic: float | None
    late_s: float
    symptom: str
    support: bool
    load_kg: float | None
    held_by: str


class StimulationStatus(TypedDict):
    """The stimulation of a session.

    ``programme``, ``programme_sha256`` : name and hash, which are the same in a sham; ``mode`` : ``"active"`` or
    ``"sham"``, ``""`` where whoever looks must not know; ``margins`` : the tightest first; ``forbids`` : each
    condition that is lacking for current to begin.
    """

    programme: str
    programme_sha256: str
    mode: str
    limits: list[LimitsStatus]
    channels: list[ChannelStatus]
    delivered_age_s: float | None
    margins: list[MarginStatus]
    forbids: list[ForbidStatus]
    charge: list[ChargeStatus]
    person: PersonStatus


def status_of(
    supervisor: StimulationSupervisor,
    *,
    now: float,
    delivered_ma: Sequence[float] | None,
    delivered_age_s: float | None,
) -> StimulationStatus:
    """The status.

    Parameters
    ----------
    supervisor : of the stimulator.
    now : local monotonic time, s.
    delivered_ma, delivered_age_s : what the stimulator measured last in mA, and how long ago in s; None where it
        measures nothing, or where it must not be seen.
    """
    setup, programme = supervisor.setup, supervisor.programme
    asked, ceilings = supervisor.asked_ma, supervisor.ceilings_ma
    return {
        "programme": programme.name,
        "programme_sha256": programme.sha256,
        "mode": "" if setup.blinded else programme.mode,
        "limits": [_limits(signed) for signed in setup.limits],
        "channels": [
            {
                "name": channel.name,
                "lead": channel.lead,
                "cathodes": list(channel.cathodes),
                "anodes": list(channel.anodes),
                "approved_ma": channel.approved_ma,
                "ceiling_ma": ceilings[n],
                "asked_ma": asked[n],
                # A measurement that was none, or of fewer channels, has no value here.
                "delivered_ma": delivered_ma[n] if delivered_ma and n < len(delivered_ma) else None,
            }
            for n, channel in enumerate(programme.channels)
        ],
        "delivered_age_s": delivered_age_s,
        "margins": _margins(supervisor),
        "forbids": [{"text": text} for text in forbidding(supervisor, now)],
        "charge": _charge(supervisor),
        "person": _person(supervisor, now),
    }


def _limits(signed: SignedLimits) -> LimitsStatus:
    limits = signed.limits
    people = [one.person for one in signed.signatures]
    return {"electrode": limits.electrode, "version": limits.version, "sha256": limits.sha256, "signed_by": people}


def _margins(supervisor: StimulationSupervisor) -> list[MarginStatus]:
    """Every limit; a measured direct current is left out where it would tell a sham."""
    rows = [one for one in supervisor.margins() if not (supervisor.setup.blinded and one.rule == "net_dc")]
    return [
        {
            "rule": RULES[one.rule][0],
            "where": one.where,
            "value": one.value,
            "limit": one.limit,
            "unit": one.unit,
            "left": one.left,
            "narrow": one.left is not None and one.left < (NARROW_K if one.rule == "shannon" else NARROW),
        }
        for one in rows
    ]


def _charge(supervisor: StimulationSupervisor) -> list[ChargeStatus]:
    limits = supervisor.setup.by_model()
    models = {channel.lead: channel.electrode for channel in supervisor.programme.channels}
    return [
        {
            "where": name_of(place),
            "lead": place[0],
            "contact": place[1],
            "session_uc": supervisor.dose.session_uc(place),
            "session_limit_uc": limits[models[place[0]]].limits["dose_session_uc"],
            "day_uc": supervisor.dose.day_uc(place),
            "day_limit_uc": limits[models[place[0]]].limits["dose_day_uc"],
        }
        for place in supervisor.places
    ]


def _person(supervisor: StimulationSupervisor, now: float) -> PersonStatus:
    person = supervisor.person
    return {
        "at_risk": supervisor.setup.wearer.at_risk,
        "baseline": person.baseline,
        "systolic": person.systolic,
        "late_s": person.reading_late_s(now),
        "symptom": person.symptom,
        "support": supervisor.programme.needs_support,
        "load_kg": person.load_kg,
        "held_by": person.held_by,
    }
