"""`workbench new STUDY`: an empty study that follows a system or a protocol file."""

from __future__ import annotations

import argparse
import getpass
from datetime import date
from pathlib import Path

from workbench.commands._arguments import add_system, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

FIRST = "P-001"
"""Pseudonym of the first participant, unless said otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add folder, system and the first participant."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the study; it must not hold one yet")
    add_system(parser)
    parser.add_argument(
        "--protocol",
        type=Path,
        metavar="FILE",
        help="protocol file, whose code and title the study takes; its participants enrol one by one",
    )
    parser.add_argument(
        "--code", type=nonblank, metavar="TEXT", help="short code of the study (default: the folder's name)"
    )
    parser.add_argument(
        "--title", type=nonblank, metavar="TEXT", help="title of the study (default: the title of the system)"
    )
    parser.add_argument(
        "--participant", default=FIRST, metavar="NAME", help="pseudonym of the first one (default %(default)s)"
    )
    parser.add_argument("--simulated", action="store_true", help="the first participant is simulated")
    parser.add_argument(
        "--first-visit",
        type=nonblank,
        metavar="DATE",
        help="day 0 of the protocol, as 2026-12-01 (default: today)",
    )

    parser.add_argument(
        "--database",
        type=nonblank,
        metavar="URL",
        help="keep the record in PostgreSQL, as postgresql://user@host/name (default: in the folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Create the study and print what was planned."""
    if arguments.protocol is not None:
        return _under_protocol(arguments)
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
        database=arguments.database or "",
    ) as study:
        visits = study.rows("visit")
    print(f"Study      {folder}, system {system.name}: {system.title}")
    for visit in visits:
        day = f"{visit['planned']} ({visit['earliest']} to {visit['latest']})" if visit["planned"] else "any day"
        print(f"Visit      {arguments.participant}, {visit['name']}: {day}")
    print(f"Next       workbench people add {folder} LOGIN --name NAME    who may sign in")
    print(f"           workbench dashboard {folder}    the first session")
    return 0


def _under_protocol(arguments: argparse.Namespace) -> int:
    """A study that begins with its protocol."""
    from workbench.study import Study
    from workbench.study.protocol import read

    given = [name for name in ("system", "code", "title", "first_visit") if getattr(arguments, name) is not None]
    if given or arguments.simulated or arguments.participant != FIRST:
        raise BadValue(
            "with --protocol the file says what the study is, and participants are enrolled afterwards; leave the "
            "other options out"
        )
    folder, protocol = arguments.folder, read(arguments.protocol)
    about, actor = protocol.about, getpass.getuser()
    database = arguments.database or ""
    Study.create(folder, code=about.code, title=about.title, actor=actor, database=database).close()
    print(f"Study      {folder}, {protocol.about.code} {protocol.about.version}: {protocol.about.title}")
    print(f"Next       workbench people add {folder} LOGIN --name NAME --roles investigator    two who sign")
    print(
        f"           workbench protocol adopt {folder} {arguments.protocol} --as LOGIN --as LOGIN    both sign it"
    )
    print(f"           workbench apply {folder}    enrolment, consent and every other change")
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
    help="an empty study that follows a system, with its first participant and visits, or a protocol file",
    run=run,
    arguments=add_arguments,
)
