"""`workbench stop STUDY`: STOP without a page or a kernel. Exit 0 only when the device itself confirms."""

from __future__ import annotations

import argparse
import sys

from workbench.commands._arguments import EXIT_DIFFERS, add_study
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and the reason."""
    add_study(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="for the record")


def run(arguments: argparse.Namespace) -> int:
    """Stop the effector and print what the device confirms."""
    from workbench.runs import stop_session

    outcome = stop_session(arguments.study, arguments.reason)
    # Unconfirmed goes to standard error, so that a script that discards output still shows it.
    print(outcome.sentence, file=sys.stdout if outcome.confirmed else sys.stderr)
    return 0 if outcome.confirmed else EXIT_DIFFERS


COMMAND = Subcommand(
    name="stop",
    help="stop the effector of a study; exit 0 only when the device confirms",
    run=run,
    arguments=add_arguments,
    description="Stop the effector of a study without a page. A frozen engine is killed and the "
    "device watched. Exit 0 only when the device's own signed status confirms, else 1: use the hardware stop.",
)
