"""`workbench migrate STUDY`: bring a record of an older schema up to date."""

from __future__ import annotations

import argparse
import getpass

from workbench.commands._arguments import add_study
from workbench.commands._subcommand import Subcommand
from workbench.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Migrate the record, unless a session runs."""
    from workbench import live
    from workbench.study.migrate import migrate

    # The engine and its pages read the record through the old schema while they run.
    if live.find(arguments.study) is not None:
        raise Refused(
            f"a session runs in {arguments.study}; end it with 'workbench end {arguments.study}', then migrate"
        )
    print(migrate(arguments.study, actor=getpass.getuser()).text())
    return 0


COMMAND = Subcommand(
    name="migrate",
    help="bring a study of an older version up to date",
    run=run,
    arguments=add_study,
    description="Bring a study record of an older schema up to date: on a copy, verified, put in place in one "
    "step. The old record is kept beside it. No other process may have the study open.",
)
