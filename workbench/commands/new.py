"""`workbench new STUDY`: an empty study that follows a system, with its first participant and planned visits."""

from __future__ import annotations

import argparse
import getpass
from datetime import date
from pathlib import Path

from workbench.commands._arguments import add_system, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add folder, system and the first participant."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the study; it must not hold one yet")
    add_system(parser)
    parser.add_argument(
        "--code", type=nonblank, metavar="TEXT", help="short code of the study (default: the folder's name)"
    )
    parser.add_argument(
        "--title", type=nonblank, metavar="TEXT", help="title of the study (default: the title of the system)"
    )
    parser.add_argument(
        "--participant", default="P-001", metavar="NAME", help="pseudonym of the first one (default %(default)s)"
    )
    parser.add_argument("--simulated", action="store_true", help="the first participant is simulated")
    parser.add_argument(
        "--first-visit",
        type=nonblank,
        metavar="DATE",
        help="day 0 of the protocol, as 2026-12-01 (default: today)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Create the study and print what was planned."""
    from workbench import systems
    from workbench.vocabulary import Participant

    system, folder = systems.load(arguments.system or systems.USUAL), arguments.folder
    with systems.begin_study(
        system,
        folder,
        code=arguments.code or folder.absolute().name,
        title=arguments.title or str(system.title),
        actor=getpass.getuser(),
        participant=Participant(arguments.participant, simulated=arguments.simulated),
        first_visit=_day(arguments.first_visit),
    ) as study:
        visits = study.rows("visit")
    print(f"Study      {folder}, system {system.name}: {system.title}")
    for visit in visits:
        day = f"{visit['planned']} ({visit['earliest']} to {visit['latest']})" if visit["planned"] else "any day"
        print(f"Visit      {arguments.participant}, {visit['name']}: {day}")
    print(f"Next       workbench people add {folder} LOGIN --name NAME    who may sign in")
    print(f"           workbench dashboard {folder}    the first session")
    return 0


def _day(text: str | None) -> date:
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValue(f"--first-visit must be a date, as 2026-12-01; got {text!r:.40}") from None


COMMAND = Subcommand(
    name="new",
    help="an empty study that follows a system, with its first participant and planned visits",
    run=run,
    arguments=add_arguments,
)
