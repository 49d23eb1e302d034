"""The parser of ``workbench``, made from the register."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from workbench import __version__, registry
from workbench.commands._subcommand import Subcommand
from workbench.messages import LONGEST_SENTENCE

PACKAGE = "workbench.commands"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence of bounded length, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """Print usage and sentence, and exit with 2."""
        super().error(one_line(message))


def one_line(text: object) -> str:
    """A text as one line of bounded length, even where it quotes input."""
    # "replace": a lone surrogate from the command line cannot be printed.
    line = " ".join(str(text).split()).encode("utf-8", "replace").decode("utf-8")
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]} …"


def available() -> tuple[str, ...]:
    """Names of all commands, sorted."""
    return registry.available(PACKAGE)


def load(name: str) -> Subcommand:
    """The command of that name; raises :class:`~workbench.errors.UnknownName` when there is none."""
    command: Subcommand = registry.load(PACKAGE, name, "COMMAND")
    return command


def build_parser(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of ``workbench``.

    Parameters
    ----------
    arguments : what it will parse: where that begins with a command, no other is loaded, which takes longer than
        most commands do. By default it has every command of the register, as help and completion need.
    """
    parser = Parser(prog="workbench", description="Workbench for spinal-cord-injury BCI trials. Research use.")
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    every = available()
    for name in arguments[:1] if arguments and arguments[0] in every else every:
        _add(commands, load(name))
    return parser


def _add(commands: argparse._SubParsersAction[Parser], command: Subcommand) -> None:
    """Add a command, and its actions below it."""
    parser = commands.add_parser(
        command.name,
        help=command.help,
        description=command.description or f"{command.help[0].upper()}{command.help[1:]}.",
        epilog=command.epilog,
    )
    command.arguments(parser)
    if command.run is not None:
        parser.set_defaults(run=command.run)
    if command.actions:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for action in command.actions:
            _add(actions, action)
