"""`workbench recover FILE`: save everything that is whole in a torn or damaged recording."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import EXIT_DIFFERS, add_recordings
from workbench.commands._subcommand import Subcommand


def run(arguments: argparse.Namespace) -> int:
    """Recover each file and print what was found, saved and lost, and what to do next."""
    from workbench.recording.recover import recover

    damaged = False
    for file in arguments.files:
        recovery = recover(file)
        print(recovery.account.text(file.name))
        damaged |= recovery.damaged
    return EXIT_DIFFERS if damaged else 0


COMMAND = Subcommand(
    name="recover",
    help="save all that is whole in a torn or damaged recording; say what was lost and what to do next",
    run=run,
    arguments=add_recordings,
)
