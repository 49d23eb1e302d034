"""`workbench bench`: speed and accuracy of the core beside its peers."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, integer
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

MOST_ROUNDS = 10_000
"""Most rounds of each comparison; more would run for days."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to measure, and how often."""
    parser.add_argument("keys", metavar="KEY", nargs="*", help="such as G1 or isncsci (default: everything)")
    parser.add_argument(
        "--rounds", type=integer, default=15, metavar="N", help="turns of each contest (default %(default)s)"
    )
    parser.add_argument("--markdown", action="store_true", help="print a page, with how each figure is measured")
    parser.add_argument(
        "--published", type=Path, metavar="FOLDER", help="of statistics: published results of SAS and R to compare"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print the figures."""
    from workbench import bench
    from workbench.bench import published, statistics
    from workbench.commands._progress import Bar

    if not 1 <= arguments.rounds <= MOST_ROUNDS:
        raise BadValue(f"--rounds must be from 1 to {MOST_ROUNDS:,}, got {str(arguments.rounds):.60}")
    folder = arguments.published
    if folder is not None and not (reading.is_there(folder, "--published") and folder.is_dir()):
        raise BadValue(
            f"--published {reading.shown(folder)} is not a folder; name the one that holds the published results"
        )
    items = bench.chosen(arguments.keys)
    numbers: tuple[published.Number, ...] = ()
    if "statistics" in arguments.keys:
        items = tuple(item for item in items if item.key != "statistics") + statistics.items_of(
            arguments.published
        )
    bar, rows = Bar(sum(item.seconds for item in items)), []
    for item in items:
        with bar.stage(f"{item.key} {item.what}, {item.size}"[:36], item.seconds):
            rows.append(bench.measure(item, rounds=arguments.rounds))
    bar.close()
    if "statistics" in arguments.keys:
        numbers = statistics.compared(arguments.published)
    if arguments.json:
        record = bench.to_record(rows)
        if numbers:
            record["numbers"] = published.records(numbers)
        print(as_json("bench", record, ok=True))
    else:
        if numbers:
            print(published.table(numbers), end="\n\n")
        print(bench.as_markdown(rows, bench.methods()) if arguments.markdown else bench.as_text(rows))
    return 0


COMMAND = Subcommand(
    name="bench",
    help="speed and accuracy of the core beside its peers, in turns on this machine, each with its goal",
    run=run,
    arguments=add_arguments,
)
