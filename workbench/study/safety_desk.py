"""The safety desk: one verdict, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.messages import Message
from workbench.study import implants, obligations
from workbench.study.implants import ImplantDays, Surveillance
from workbench.study.obligations import OpenObligation, Rows, Stopping, Withheld

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a safety officer has to know at a moment.

    Attributes
    ----------
    on : the moment, UTC.
    verdict : sentences about reports, and about stopping rules.
    obligations, withheld, stopping : as of :mod:`workbench.study.obligations`.
    surveillance, implant_days : as of :mod:`workbench.study.implants`.
    """

    on: datetime
    verdict: tuple[Message, ...]
    obligations: tuple[OpenObligation, ...]
    withheld: tuple[Withheld, ...]
    stopping: tuple[Stopping, ...]
    surveillance: tuple[Surveillance, ...]
    implant_days: tuple[ImplantDays, ...]


def desk(record: Rows, now: datetime) -> Desk:
    """The safety desk of a study.

    Parameters
    ----------
    record : the open study.
    now : the moment at which clocks are read, UTC.
    """
    due, off, rules = (
        obligations.obligations(record, now),
        obligations.withheld(record),
        obligations.stopping(record),
    )
    return Desk(
        now, verdict(due, off, rules, now=now), due, off, rules, implants.surveillance(record, now.date()),
        implants.implant_days(record, now.date()),
    )  # fmt: skip


def verdict(
    due: Sequence[OpenObligation], off: Sequence[Withheld], rules: Sequence[Stopping], *, now: datetime
) -> tuple[Message, ...]:
    """Sentences about reports, rules that are off, and stopping rules, in this order.

    Parameters
    ----------
    due, off, rules : what the verdict rests on.
    now : the moment at which clocks are read, UTC.
    """
    return (_of_reports(due, now), *_of_withheld(off), *_of_stopping(rules))


def _of_reports(due: Sequence[OpenObligation], now: datetime) -> Message:
    overdue = [one for one in due if one.state == "overdue"]
    if overdue:
        what = _named(overdue)
        return (
            Message("safety.one_overdue", what=what)
            if len(overdue) == 1
            else Message("safety.overdue", n=len(overdue), what=what)
        )
    soon = [one for one in due if one.state in ("due_soon", "running") and one.due - now <= WEEK]
    if not soon:
        return Message("safety.none_due")
    what = _named(soon)
    return (
        Message("safety.one_due", what=what) if len(soon) == 1 else Message("safety.due", n=len(soon), what=what)
    )


def _named(due: Sequence[OpenObligation]) -> list[str]:
    return [Message("safety.named", who=one.participant or one.what, rule=one.rule) for one in due]


def _of_withheld(off: Sequence[Withheld]) -> list[Message]:
    n = sum(len(one.rules) for one in off)
    if n == 1:
        return [Message("safety.one_off")]
    return [Message("safety.off", n=n)] if n else []


def _of_stopping(rules: Sequence[Stopping]) -> list[Message]:
    if not rules:
        return []
    met = [rule.name for rule in rules if rule.met]
    if met:
        return [Message("safety.stop", rules=met)]
    may = [rule.name for rule in rules if rule.may_be_met]
    return [Message("safety.may_stop", rules=may)] if may else [Message("safety.go_on")]
