"""`workbench migrate STUDY`: bring a record of an older schema up to date."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench.errors import Refused


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    migrate = commands.add_parser(
        "migrate",
        help="bring a study of an older version up to date",
        description="Bring a study record of an older schema up to date: on a copy, verified, put in place in one "
        "step. The old record is kept beside it. No other process may have the study open.",
    )
    migrate.add_argument("study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db)")
    migrate.set_defaults(run=_migrate)


def _migrate(arguments: argparse.Namespace) -> int:
    from workbench import live
    from workbench.study.migrate import migrate

    if live.find(arguments.study) is not None:
        raise Refused(
            f"a session runs in {arguments.study}; end it with 'workbench end {arguments.study}', then migrate"
        )
    print(migrate(arguments.study, actor=getpass.getuser()).text())
    return 0
