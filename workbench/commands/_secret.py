"""Secrets: asked for at the terminal, or read from standard input; never an argument."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench import reading
from workbench.commands._arguments import standard_input
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.study import Confirmation, Study

LONGEST = 1000
"""Most characters; anything longer is a file that was passed by mistake."""


def ask_secret(prompt: str, *, new: bool = False) -> str:
    """A secret from the terminal, without echo, or the first line of standard input.

    Raises
    ------
    BadValue
        When none was given, it is too long or not UTF-8, or the repetition of a new one differs.
    """
    # For scripts: a secret in an argument would be readable by every account of the computer.
    if not sys.stdin.isatty():
        secret = next(standard_input(), "").rstrip("\r\n")
    else:
        secret = getpass.getpass(f"{prompt}: ")
        if new and getpass.getpass("Again: ") != secret:
            raise BadValue("the two entries differ; nothing was done, try again")
        secret = reading.decoded(secret.encode("utf-8", "surrogateescape"), prompt.lower())
    if len(secret) > LONGEST:
        raise BadValue(f"{prompt.lower()}: has {len(secret):,} characters, at most {LONGEST:,} are taken")
    if not secret:
        raise BadValue(
            f"{prompt.lower()}: nothing was given; type it at the terminal or pass it on standard input"
        )
    return secret


def ask_line(prompt: str) -> str:
    """What is typed at the terminal, where it shows, or the next line of standard input; ``""`` at its end.

    For names and the like, which belong in no argument either. No error quotes it, and bytes that are not UTF-8
    stay in it for the caller to refuse.

    Raises
    ------
    BadValue
        When it is too long.
    """
    if sys.stdin.isatty():
        print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
    # Bytes, and no decoding that fails: its error would hold the line.
    source = getattr(sys.stdin, "buffer", sys.stdin)
    line = source.readline(4 * LONGEST + 2)
    text = (line if isinstance(line, str) else line.decode("utf-8", "surrogateescape")).rstrip("\r\n")
    if len(text) > LONGEST:
        raise BadValue(f"{prompt.lower()}: has more than {LONGEST:,} characters, which is the most")
    return text


def confirmed(study: Study, logins: Sequence[str]) -> list[Confirmation]:
    """A fresh confirmation of each login, whose passwords are asked for one after the other.

    Raises
    ------
    BadValue
        When no login was named.
    Refused
        When a password does not match.
    """
    if not logins:
        raise BadValue("--as LOGIN is missing: a change is made by somebody who signs in ('workbench people')")
    signers = []
    for login in logins:
        password = ask_secret(f"Password of {login}")
        signers.append(study.sign_in(login, password).confirm(password))
    return signers
