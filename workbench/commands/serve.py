"""`workbench serve STUDY`: Clinic mode, the record behind a service of this account, for other accounts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.commands._arguments import add_study, integer, number
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

LONGEST_IDLE_MIN = 12 * 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study and where it is served."""
    add_study(parser)
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="a Unix socket, which is made; its folder says who may connect"
    )
    parser.add_argument("--port", type=integer, metavar="N", help="a port of 127.0.0.1; every account may connect")
    parser.add_argument(
        "--idle", type=number, default=15.0, metavar="M", help="minutes until an unused sign-in ends (default: 15)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve it until SIGTERM or Ctrl+C."""
    import asyncio

    from workbench.clinic import Service

    if not 0 < arguments.idle <= LONGEST_IDLE_MIN:
        raise BadValue(f"--idle must be above 0 and at most {LONGEST_IDLE_MIN:g} minutes; got {arguments.idle:g}")
    service = Service(
        arguments.study,
        _address(arguments.socket, arguments.port),
        idle_s=60.0 * arguments.idle,
        report=lambda sentence: print(sentence, file=sys.stderr, flush=True),
    )
    asyncio.run(service.serve(lambda served: print(f"Serving  {served.address}", flush=True)))
    print("ended; the record is closed")
    return 0


def _address(path: Path | None, port: int | None) -> Path | int:
    if (path is None) == (port is None):
        raise BadValue("give one of --socket PATH and --port N: where the service is to be heard")
    if path is not None:
        return path
    if not 1 <= (port or 0) <= 65535:
        raise BadValue(f"--port must be from 1 to 65535; got {port}")
    return port or 0


COMMAND = Subcommand(
    name="serve",
    help="Clinic mode: serve the record to other accounts of this computer",
    run=run,
    arguments=add_arguments,
    description="Serve the record of a study to other accounts of this computer, with roles, sites and blinding "
    "enforced. Run it by an account that nobody else uses; docs/clinic_mode.md says how.",
)
