"""Secrets: asked for at the terminal, or read from standard input; never an argument."""

from __future__ import annotations

import getpass
import sys

from workbench import reading
from workbench.commands._arguments import standard_input
from workbench.errors import BadValue

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
