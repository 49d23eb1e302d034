"""`workbench verify STUDY`: whether the record is intact. Exit 0: it is; 1: something differs; 2: unknown."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue, RecordFault

HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and heads of its chain that were stored elsewhere."""
    add_study(parser)
    parser.add_argument(
        "--head", action="append", default=[], metavar="SEQ:HASH", help="a head as printed on a report; may repeat"
    )
    parser.add_argument(
        "--anchors", action="append", default=[], type=Path, metavar="FILE", help="a further anchors file"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Verify the record and print what is wrong."""
    from workbench.study import anchors
    from workbench.study import verify as check

    # A head printed on paper is the one copy of the chain that nobody with the computer can change.
    known = [_head(text) for text in arguments.head]
    for path in arguments.anchors:
        if not anchors.read(path)[0]:
            raise RecordFault(f"{reading.shown(path)} contains no anchor; name an anchors file of the workbench")
    verification = check(arguments.study, known=known, copies=arguments.anchors)
    if arguments.json:
        print(as_json("verify", verification.to_json(), ok=verification.ok))
    else:
        print(verification.text())
    return 0 if verification.ok else EXIT_DIFFERS


def _head(text: str) -> tuple[int, str]:
    match = HEAD.fullmatch(text.strip())
    if not match:
        raise BadValue(f"--head must look like SEQ:HASH, 64 hexadecimal digits, as on a report; got {text!r:.100}")
    return int(match[1]), match[2]


COMMAND = Subcommand(
    name="verify",
    help="check the audit chain, the tables and the files of a study",
    run=run,
    arguments=add_arguments,
    description="Check the audit chain and its signatures, the tables, recordings, decoders, reports and "
    "session ledgers of a study. Exit 0: all intact. 1: something differs or is damaged. 2: it could not be "
    "determined, because the record is held by another process or cannot be read.",
)
