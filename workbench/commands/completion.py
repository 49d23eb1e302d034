"""`workbench completion SHELL`: the script by which a shell completes commands, options and files."""

from __future__ import annotations

import argparse

from workbench.commands._parser import build_parser
from workbench.commands._subcommand import Subcommand

SHELLS = ("bash", "zsh", "fish")
FOLDERS, FILES = ("STUDY", "DIR", "FOLDER"), ("FILE", "FILE.csv", "FILE.md")
"""Metavariables of arguments that take a folder, or a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" | ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    """Print the script for the shell."""
    import shtab

    parser = build_parser()
    _mark_paths(parser)
    print(shtab.complete(parser, arguments.shell))
    return 0


def _mark_paths(parser: argparse.ArgumentParser) -> None:
    """Mark each argument that takes a path, in the way that shtab expects."""
    import shtab

    # argparse has no public way to list the arguments of a parser.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _mark_paths(below)
        elif action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]


COMMAND = Subcommand(
    name="completion",
    help="print what a shell needs to complete commands, options and files",
    run=run,
    arguments=add_arguments,
    epilog='bash: eval "$(workbench completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; '
    "fish: workbench completion fish > ~/.config/fish/completions/workbench.fish",
)
