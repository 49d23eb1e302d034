"""`workbench report STUDY`: the session report again, or the report of a participant or a trial."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.commands._arguments import add_language, add_study, nonblank
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.study import Study

KINDS = ("participant", "interim", "final")
FORMATS = ("html", "pdf", "docx")
SCRIPT = ""
"""In the place of a login."""
USUAL: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the kind of report, what it is made of, for whom, and how it is written."""
    add_study(parser)
    parser.add_argument("--kind", choices=KINDS, help="report of a trial; without it that of the newest session")
    parser.add_argument("--participant", type=nonblank, metavar="NAME", help="pseudonym, of --kind participant")
    parser.add_argument(
        "--snapshot", type=nonblank, metavar="NAME",
        help="make it of this snapshot ('workbench snapshot' lists them); default: the record as it is, of --kind "
        "final the newest lock",
    )  # fmt: skip
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER", help="with the estimates that 'workbench analyse' put there"
    )
    parser.add_argument(
        "--unblinded",
        nargs="?",
        const=SCRIPT,
        metavar="LOGIN",
        help="read the arms for this person, whose password is asked for; each reading is an entry of the record; "
        "without LOGIN a script reads them, where everybody is simulated",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why it is unblinded, for the record")
    parser.add_argument(
        "--format", dest="formats", action="append", choices=FORMATS, help="again for each; default: html and pdf"
    )
    add_language(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the report and print where it is."""
    from workbench.study import Study

    if arguments.kind is None:
        return _session(arguments)
    if arguments.reason and arguments.unblinded is None:
        raise BadValue("--reason goes with --unblinded LOGIN, for whom the arms are read; leave it out without")
    with Study.open(arguments.study, actor="command line") as study:
        return _trial(study, arguments)


def _session(arguments: argparse.Namespace) -> int:
    from workbench.reports import session_report
    from workbench.study import Study

    of_trials = ("participant", "snapshot", "results", "unblinded", "reason", "formats")
    given = [name for name in of_trials if getattr(arguments, name) not in (None, "")]
    given += ["unblinded"] if arguments.unblinded == SCRIPT else []
    if given:
        option = {"formats": "format"}.get(given[0], given[0])
        raise BadValue(f"--{option} goes with --kind, one of {', '.join(KINDS)}; a session report has none of it")
    with Study.open(arguments.study, actor="command line") as study:
        files = session_report(study, language=arguments.language)
    print(files.html)
    print(files.pdf)
    return 0


def _trial(study: Study, arguments: argparse.Namespace) -> int:
    from workbench.reports import trial_report

    reader = None
    if arguments.unblinded == SCRIPT:
        reader = study.script_signer(getpass.getuser())
    elif arguments.unblinded is not None:
        reader = study.sign_in(arguments.unblinded, ask_secret(f"Password of {arguments.unblinded}"))
    made = trial_report(
        study,
        arguments.kind,
        participant=arguments.participant or "",
        snapshot=arguments.snapshot or "",
        reader=reader,
        reason=arguments.reason,
        language=arguments.language,
        formats=arguments.formats or USUAL,
        results=arguments.results,
    )
    for path, digest in made.files.values():
        print(f"{path}  {digest}")
    print(f"{arguments.kind} report, {made.view}, as of entry {made.head_seq}:{made.head_hash}")
    return 0


COMMAND = Subcommand(
    name="report",
    help="write the session report again, or the report of a participant or a trial",
    run=run,
    arguments=add_arguments,
    description="Without --kind the report of the newest session is written again. With it the report of a "
    "participant, an interim report or the final report of a trial is made from the record or from a snapshot: "
    "flow of participants, baseline, outcomes, safety, device, deviations, integrity and listings. In a study "
    "that randomises it is blinded unless --unblinded names who reads it.",
)
