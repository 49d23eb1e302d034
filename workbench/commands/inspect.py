"""`workbench inspect FILE`: what a recording contains, and whether each chunk is whole."""

from __future__ import annotations

import argparse

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_recordings
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the recordings."""
    add_recordings(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what each recording contains; exit 1 when one is quarantined."""
    from workbench.recording.recover import inspect

    quarantined, inspections = False, []
    for file in arguments.files:
        inspection = inspect(file)
        quarantined |= inspection.quarantined
        inspections.append(inspection)
        if not arguments.json:
            print(inspection.text())
    if arguments.json:
        print(as_json("inspect", inspections, ok=not quarantined))
    return EXIT_DIFFERS if quarantined else 0


COMMAND = Subcommand(
    name="inspect",
    help="what a recording contains, and whether each chunk is whole",
    run=run,
    arguments=add_arguments,
)
