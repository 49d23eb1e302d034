"""`workbench schedule STUDY PARTICIPANT`: the visits of one participant, to print; nothing in it tells the arm."""

from __future__ import annotations

import argparse
import getpass
from datetime import date

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_study, nonblank, participant_named
from workbench.commands._subcommand import Subcommand
from workbench.commands.protocol import planned_visits
from workbench.errors import BadValue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the participant and the day."""
    add_study(parser)
    parser.add_argument("participant", type=nonblank, metavar="PARTICIPANT", help="code of the participant")
    parser.add_argument(
        "--on", type=nonblank, metavar="DATE", help="where each visit stands on it (default: today)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print planned days and windows by the protocol, anchors and visits that the record holds."""
    from workbench.study import Study, planned
    from workbench.study.protocol_reading import day_of
    from workbench.study.schedule import sheet

    on = date.today() if arguments.on is None else day_of(arguments.on)
    if on is None:
        raise BadValue(f"--on must be a date, as 2026-12-01; got {arguments.on!r:.40}")
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        participant = participant_named(study, arguments.participant)
        protocol, visits = planned.of_participant(study, participant, on)
    if arguments.json:
        result = {
            "participant": arguments.participant,
            "code": protocol.about.code,
            "version": protocol.about.version,
            "sha256": protocol.sha256,
            "on": on.isoformat(),
            "visits": planned_visits(visits),
        }
        print(as_json("schedule", result, ok=True))
        return 0
    print(f"{arguments.participant}, as of {on.isoformat()}")
    for line in sheet(protocol, visits):
        print(line)
    return 0


COMMAND = Subcommand(
    name="schedule",
    help="planned days and windows of one participant's visits, from the record; tells no arm",
    run=run,
    arguments=add_arguments,
)
