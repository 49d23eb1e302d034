"""`workbench safety STUDY`: reports of safety events that are due, stopping rules, implants."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from workbench import reading
from workbench.commands._answer import as_json, plain
from workbench.commands._arguments import add_json, add_study
from workbench.commands._parser import one_line
from workbench.commands._subcommand import Subcommand
from workbench.messages import LONGEST_SENTENCE

if TYPE_CHECKING:
    from workbench.study.implants import Surveillance
    from workbench.study.obligations import OpenObligation, Stopping
    from workbench.study.safety_desk import Desk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study and the moment."""
    add_study(parser)
    parser.add_argument(
        "--on", metavar="UTC", help="read the clocks at this moment, as 2026-03-01T09:30Z (default: now)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the safety desk."""
    from workbench import world
    from workbench.study import Study
    from workbench.study.moments import text_of, utc_of
    from workbench.study.safety_desk import desk

    on = world.clock.now() if arguments.on is None else utc_of(arguments.on)
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        found = desk(study, on)
    if arguments.json:
        print(as_json("safety", _dated(plain(found)), ok=True))
        return 0
    for line in _lines(found, text_of(on)):
        # Terms and names are as somebody typed them: nothing in them may move the terminal's cursor.
        print(reading.shown(one_line(line), longest=LONGEST_SENTENCE))
    return 0


def _dated(value: Any) -> Any:
    """Plain data with its days and moments as text: JSON has neither."""
    from workbench.study.moments import text_of

    if isinstance(value, dict):
        return {name: _dated(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_dated(part) for part in value]
    # A moment is a day too.
    if isinstance(value, datetime):
        return text_of(value)
    return value.isoformat() if isinstance(value, date) else value


def _lines(desk: Desk, on: str) -> Iterator[str]:
    yield from desk.verdict
    yield f"as of {on}"
    if desk.obligations:
        yield "REPORTS"
    for one in desk.obligations:
        yield from _of_report(one)
    if desk.withheld:
        yield "RULES THAT ARE OFF"
    for event in desk.withheld:
        yield from (f"{event.participant or '–'}, {event.what}: {rule}" for rule in event.rules)
    if desk.stopping:
        yield "STOPPING RULES"
    yield from map(_of_rule, desk.stopping)
    if desk.surveillance:
        yield "IMPLANTS"
    days = {one.implant_id: one.days for one in desk.implant_days}
    for implant in desk.surveillance:
        yield from _of_implant(implant, days.get(implant.implant_id, 0))


def _of_report(one: OpenObligation) -> Iterator[str]:
    counted = f", day {one.counted} of {one.of}" if one.of else ""
    extended = f", extended to {one.extended_until}" if one.extended_until else ""
    yield f"{one.state}: {one.participant or '–'}, {one.what}, {one.rule}. {one.text}"
    yield f"- {one.reporter} to {', '.join(one.addressees)} {one.due_text}{extended}{counted}"
    yield f"- {one.aware[0]} became aware on {one.aware[1]}; {one.table} {one.row_id}"
    if one.sent_at:
        because = f", late because {one.late_because}" if one.late_because else ""
        acknowledged = f", acknowledged on {one.acknowledged_at}" if one.acknowledged_at else ""
        yield f"- sent on {one.sent_at} ({one.reference}){because}{acknowledged}"
    for told in one.told:
        seen = f"seen on {told.seen_at}" if told.seen_at else "not seen yet"
        step = f"; next: {told.next_step}" if told.next_step else ""
        yield f"- told {told.person} ({told.how}) on {told.at}: {seen}{step}"
    yield from (f"- {sentence}" for sentence in (*([one.kept] if one.kept else []), *one.warnings))


def _of_rule(rule: Stopping) -> str:
    met = "MET" if rule.met else "could be met" if rule.may_be_met else "not met"
    return (
        f"{met}: {rule.name}, {rule.count} of {rule.limit:g} {rule.unit}, {rule.pending} pending ({rule.counts})"
    )


def _of_implant(one: Surveillance, days: int) -> Iterator[str]:
    out = f", out on {one.explanted_on} ({one.explant_reason})" if one.explanted_on else ""
    quiet = ", nothing notable" if one.quiet else ""
    yield f"{one.participant}, {one.device} {one.serial}, {one.location}: {days} days{out}{quiet}"
    for found in one.findings:
        if found.notable:
            yield f"- {found.found_on} {found.kind}: {found.text}"
    for check in one.checks:
        if check.state in ("missed", "due"):
            yield f"- {check.state}: {check.name} ({check.kind}), {check.earliest} to {check.latest}"


COMMAND = Subcommand(
    name="safety",
    help="which reports of safety events are due or overdue, stopping rules, implants",
    run=run,
    arguments=add_arguments,
    description="The safety desk: the verdict first, then each report that is due, overdue or sent, rules that "
    "would apply but are off, the stopping rules of the protocol, and implants. Clocks are worked out from "
    "everything in the record; --on reads them at another moment.",
)
