"""`workbench move STUDY --to URL|file`: the record into a PostgreSQL database, or from there into a file."""

from __future__ import annotations

import argparse
import getpass

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_study, nonblank
from workbench.commands._subcommand import Subcommand

FILE = "file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, where its record goes, and why."""
    add_study(parser)
    parser.add_argument(
        "--to", type=nonblank, metavar="URL|file", required=True,
        help="a PostgreSQL database (without a password), or 'file': study.db in the folder",
    )  # fmt: skip
    parser.add_argument("--reason", type=nonblank, metavar="TEXT", help="why, in the audit chain")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Move the record and print what was done."""
    from workbench.study.moving import move

    database = "" if arguments.to == FILE else arguments.to
    moved = move(arguments.study, actor=getpass.getuser(), database=database, reason=arguments.reason or "")
    print(as_json("move", moved.to_json(), ok=True) if arguments.json else moved.text())
    return 0


COMMAND = Subcommand(
    name="move",
    help="move the record of a study to a PostgreSQL server, or back into a file",
    run=run,
    arguments=add_arguments,
    description="Move the record of a study between its file and a PostgreSQL server: every row is copied and "
    "verified there, with the same chain, before the old place is retired. No other process may have the study "
    "open. One that was interrupted goes on when it is run again.",
)
