"""`workbench stop STUDY`: STOP without a page, a kernel or a door. Exit 0 only when the device itself confirms."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.tools import EXIT_DIFFERS


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    stop = commands.add_parser(
        "stop",
        help="stop the effector of a study; exit 0 only when the device confirms",
        description="Stop the effector of a study without a page or a door. A frozen engine is killed and the "
        "device watched. Exit 0 only when the device's own signed status confirms, else 1: use the hardware stop.",
    )
    stop.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    stop.add_argument("--reason", default="", metavar="TEXT", help="for the record")
    stop.set_defaults(run=_stop)


def _stop(arguments: argparse.Namespace) -> int:
    from workbench.live.stopping import stop_session

    outcome = stop_session(arguments.study, arguments.reason)
    print(outcome.sentence, file=sys.stdout if outcome.confirmed else sys.stderr)
    return 0 if outcome.confirmed else EXIT_DIFFERS
