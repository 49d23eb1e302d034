"""`workbench recover FILE`: save everything that is whole in a torn or damaged recording."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import EXIT_DIFFERS, add_recordings
from workbench.commands._subcommand import Subcommand


def run(arguments: argparse.Namespace) -> int:
    """Recover each file and print what was lost."""
    from workbench.recording.recover import recover

    damaged = False
    for file in arguments.files:
        recovery = recover(file)
        print(recovery.sentence)
        damaged |= recovery.damaged
    return EXIT_DIFFERS if damaged else 0


COMMAND = Subcommand(
    name="recover",
    help="save everything that is whole in a torn or damaged recording and say what was lost",
    run=run,
    arguments=add_recordings,
)
