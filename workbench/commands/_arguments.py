"""Building blocks of arguments: value types, the study folder, repeated options, standard input."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import reading
from workbench.errors import BadValue, RecordFault, UnknownName

if TYPE_CHECKING:
    from workbench.study import Study

EXIT_DIFFERS = 1
"""Exit code: something differs, is damaged, or a test failed."""
LANGUAGES = ("en", "zh-CN")
LARGEST_SEED = 2**31 - 1
HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
"""A head as it is printed on a report."""
LONGEST_LINE = 16 * 2**20
"""Longest line of standard input, bytes; a record of a measure has a few kB."""


def number(text: str) -> float:
    """An argument that is a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, as in 4 or 0.5; got {text!r:.60}") from None


def integer(text: str) -> int:
    """An argument that is an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer, as in 7; got {text!r:.60}") from None


def nonblank(text: str) -> str:
    """An argument that is text and not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be blank; leave the option out if there is nothing to say")
    return text


def seed(text: str) -> int:
    """An argument that is a seed."""
    # int() first, so that "1e3" gets the sentence about integers and not the one about the range.
    value = integer(text)
    if not 0 <= value <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {LARGEST_SEED}, got {text!r:.60}")
    return value


# The kind of an argument: the tests with hostile input choose their cases by it.
number.kind = "number"  # type: ignore[attr-defined]
integer.kind = "integer"  # type: ignore[attr-defined]
nonblank.kind = "text"  # type: ignore[attr-defined]
seed.kind = "integer"  # type: ignore[attr-defined]


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the argument of a command over a study: its folder."""
    parser.add_argument(
        "study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db or database.toml)"
    )


def add_recordings(parser: argparse.ArgumentParser) -> None:
    """Add the argument of a command over recordings: their files."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recording, STUDY/recordings/*.xdf")


def add_system(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command that follows a system."""
    parser.add_argument(
        "--system", type=nonblank, metavar="NAME", help="one of 'workbench systems' (default: neo_hand)"
    )


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add the language of what the command writes."""
    parser.add_argument(
        "--language", choices=LANGUAGES, default="en", help="language of the report (default: %(default)s)"
    )


def add_signers(parser: argparse.ArgumentParser) -> None:
    """Add who makes a change of the record, and why."""
    parser.add_argument(
        "--as",
        dest="logins",
        action="append",
        default=[],
        type=nonblank,
        metavar="LOGIN",
        help="who makes it; again for each further signature; passwords are asked for, or read as lines of input",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")


def participant_named(study: Study, pseudonym: str) -> str:
    """Id of the participant that a user named.

    Raises
    ------
    UnknownName
        The text lists those that there are.
    """
    people = study.rows("participant", pseudonym=pseudonym)
    if not people:
        known = ", ".join(row["pseudonym"] for row in study.rows("participant")[:20]) or "none"
        raise UnknownName(f"no participant {pseudonym!r:.60} in this study; there are {known}")
    return str(people[0]["id"])


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command whose answer a program may read."""
    parser.add_argument("--json", action="store_true", help="print the answer as JSON, see docs/commands.md")


def add_heads(parser: argparse.ArgumentParser) -> None:
    """Add heads of a study's chain that were stored elsewhere."""
    parser.add_argument(
        "--head", action="append", default=[], metavar="SEQ:HASH", help="a head as printed on a report; may repeat"
    )
    parser.add_argument(
        "--anchors", action="append", default=[], type=Path, metavar="FILE", help="a further anchors file"
    )


def given_heads(arguments: argparse.Namespace) -> list[tuple[int, str]]:
    """The heads of ``--head``, once each file of ``--anchors`` was found to hold some.

    A head printed on paper is the one copy of the chain that nobody with the computer can change.
    """
    from workbench.study import anchors

    known = [_head(text) for text in arguments.head]
    for path in arguments.anchors:
        if not anchors.read(path)[0]:
            raise RecordFault(f"{reading.shown(path)} contains no anchor; name an anchors file of the workbench")
    return known


def _head(text: str) -> tuple[int, str]:
    match = HEAD.fullmatch(text.strip())
    if not match:
        raise BadValue(f"--head must look like SEQ:HASH, 64 hexadecimal digits, as on a report; got {text!r:.100}")
    return int(match[1]), match[2]


def options(texts: Sequence[str], *, flag: str = "--set") -> dict[str, Any]:
    """The options of ``--set NAME=VALUE``, each name once; a value is JSON, or text where it is not JSON."""
    chosen: dict[str, Any] = {}
    for text in texts:
        name, value = _option(text, flag)
        if name in chosen:
            raise BadValue(f"{flag} names {name} twice; give it one value")
        chosen[name] = value
    return chosen


def _option(text: str, flag: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadValue(f"{flag} takes NAME=VALUE, as in skip_rule=true; got {text!r:.80}")
    # Meant as JSON: a mistake in it is reported and not taken for a text.
    if value[:1] in ("[", "{"):
        return name, reading.parse_json(value, f"{flag} {name}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def standard_input() -> Iterator[str]:
    """Lines of standard input, their ends kept.

    Raises
    ------
    BadValue
        For a line that is not UTF-8, or that has not ended after :data:`LONGEST_LINE` bytes.
    """
    source = getattr(sys.stdin, "buffer", sys.stdin)  # A replaced text stream, as in a notebook, has no buffer.
    for count in itertools.count(1):
        # One byte more than allowed: enough to see that the line is too long without reading all of it.
        line = source.readline(LONGEST_LINE + 1)
        if not line:
            return
        what = f"line {count} of standard input"
        if len(line) > LONGEST_LINE:
            raise BadValue(f"{what} has more than {LONGEST_LINE:,} bytes, which is the most; break it into lines")
        yield line if isinstance(line, str) else reading.decoded(line, what)
