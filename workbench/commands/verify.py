"""`workbench verify STUDY`: does the record hold? Exit 0 it does, 1 something differs, 2 it could not be told."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from workbench import reading
from workbench.errors import BadValue, RecordFault
from workbench.tools import EXIT_DIFFERS

HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    verify = commands.add_parser(
        "verify",
        help="check the audit chain, the tables and the files of a study",
        description="Check the audit chain and its signatures, the tables, recordings, decoders, reports and "
        "session ledgers of a study. Exit 0: it holds. 1: something differs or is damaged. 2: it could not be "
        "told, because the record is held by another process or cannot be read.",
    )
    verify.add_argument("study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db)")
    verify.add_argument(
        "--head", action="append", default=[], metavar="SEQ:HASH", help="a head as printed on a report; may repeat"
    )
    verify.add_argument(
        "--anchors", action="append", default=[], type=Path, metavar="FILE", help="a further anchors file"
    )
    verify.add_argument("--json", action="store_true", help="print the result as JSON")
    verify.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from workbench.study import anchors
    from workbench.study import verify as check

    known = [_head(text) for text in arguments.head]
    for path in arguments.anchors:
        if not anchors.read(path)[0]:
            raise RecordFault(f"{reading.shown(path)} holds no anchor; name an anchors file of the workbench")
    verification = check(arguments.study, known=known, copies=arguments.anchors)
    print(json.dumps(verification.to_json(), indent=1) if arguments.json else verification.text())
    return 0 if verification.ok else EXIT_DIFFERS


def _head(text: str) -> tuple[int, str]:
    found = HEAD.fullmatch(text.strip())
    if not found:
        raise BadValue(f"--head must look like SEQ:HASH, 64 hexadecimal digits, as on a report; got {text!r:.100}")
    return int(found[1]), found[2]
