"""An entry of this folder: a command of ``workbench …``, or a group of actions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One command. Its file imports what it needs when it runs, so that the help of all commands is quick.

    Attributes
    ----------
    name : as it is typed.
    help : one line for the list of commands.
    run : does the work with the parsed arguments and returns the exit code; None for a group of actions.
    arguments : adds its arguments to its own parser.
    actions : commands below this one, such as ``workbench keys backup``; empty for a plain command.
    description : for the command's own help; ``""`` takes the line of ``help`` as a sentence.
    epilog : below the arguments in that help.
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace], int] | None = None
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    actions: tuple[Subcommand, ...] = ()
    description: str = ""
    epilog: str = ""
