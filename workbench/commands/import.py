"""`workbench import STUDY FILE`: records of REDCap become forms of the study, all of them or none."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study, nonblank
from workbench.commands._parser import one_line
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.exchange.redcap_forms import Outcome, What

WORDS: dict[What, str] = {"new": "new", "changed": "changed", "same": "the same", "refused": "refused"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the file, who enters it and why."""
    add_study(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="records of REDCap, CSV with raw codes")
    parser.add_argument(
        "--as", dest="login", required=True, type=nonblank, metavar="LOGIN",
        help="who enters it; the password is asked for, or read as a line of input",
    )  # fmt: skip
    parser.add_argument("--reason", required=True, type=nonblank, metavar="TEXT", help="why, kept with every form")
    parser.add_argument("--dry-run", action="store_true", help="say what would be entered, and enter nothing")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Enter the records, and print row by row what became of them."""
    from workbench.exchange import redcap_forms
    from workbench.study import Study

    text = reading.read_text(arguments.file, "file of records", largest=redcap_forms.LARGEST, signed=True)
    if not text.strip():
        raise BadValue(f"{reading.shown(arguments.file)} is empty; export the records again")
    with Study.open(arguments.study, actor=arguments.login) as study:
        signer = study.sign_in(arguments.login, ask_secret(f"Password of {arguments.login}"))
        outcomes = redcap_forms.enter(
            study, signer, text, reading.shown(arguments.file), reason=arguments.reason, dry_run=arguments.dry_run
        )
        seq, digest = study.head()
    counts = Counter(outcome.what for outcome in outcomes)
    entered = not arguments.dry_run and not counts["refused"]
    if arguments.json:
        result = {
            "entered": entered, "counts": {word: counts[word] for word in WORDS}, "head": [seq, digest],
            "rows": [
                {"line": one.line, "key": one.key, "what": one.what, "changes": one.changes, "why": one.why}
                for one in outcomes
            ],
        }  # fmt: skip
        print(as_json("import", result, ok=not counts["refused"]))
    else:
        for outcome in outcomes:
            print(_line(outcome))
        words = ", ".join(f"{counts[what]} {word}" for what, word in WORDS.items())
        print(f"{len(outcomes)} forms in {len({one.line for one in outcomes})} rows: {words}")
        print(_conclusion(entered=entered, refused=counts["refused"], head=f"{seq} {digest}"))
    return EXIT_DIFFERS if counts["refused"] else 0


def _line(outcome: Outcome) -> str:
    said = outcome.why or "; ".join(outcome.changes)
    what = f"line {outcome.line}: {outcome.key}: {WORDS[outcome.what]}"
    return one_line(f"{what}: {said}" if said else what)


def _conclusion(*, entered: bool, refused: int, head: str) -> str:
    if entered:
        return f"entered\nhead: {head}"
    if refused:
        return "nothing was entered: correct what is refused, or remove its rows"
    return "a dry run: nothing was entered; run it again without --dry-run"


COMMAND = Subcommand(
    name="import",
    help="enter records of REDCap as forms of the study, all of them or none",
    run=run,
    arguments=add_arguments,
    description="Enter records of REDCap as forms of the study, in the name of who signs in: all of them, or none "
    "where one is refused. Each row names participant, event, form and instance. An empty cell leaves what the "
    "record has. Begin with --dry-run.",
)
