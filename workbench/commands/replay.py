"""`workbench replay STUDY`: decode every stored run again, recompute its commands, and compare with the record."""

from __future__ import annotations

import argparse

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and one run of it."""
    add_study(parser)
    parser.add_argument("--run", dest="run_id", metavar="ID", help="one run only")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay and print one sentence for each run."""
    from workbench.runs import replay_study

    results = replay_study(arguments.study, run_id=arguments.run_id)
    different = [result.run for result in results if not result.equal]
    if arguments.json:
        print(as_json("replay", results, ok=not different))
        return EXIT_DIFFERS if different else 0
    for result in results:
        print(result.sentence)
    print(f"{len(results) - len(different)} of {len(results)} runs equal the record bit for bit")
    if not different:
        return 0
    print(
        f"different: {', '.join(different)}. 'workbench verify {arguments.study}' names every file that is not "
        "the recorded one; restore it from the backup"
    )
    return EXIT_DIFFERS


COMMAND = Subcommand(
    name="replay",
    help="decode every stored run again, recompute its commands and compare, bit for bit",
    run=run,
    arguments=add_arguments,
)
