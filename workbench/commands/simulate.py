"""`workbench simulate`: sessions full of bad luck in virtual time, each from its seed; says which rule broke."""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands._arguments import EXIT_DIFFERS, integer, number, seed
from workbench.commands._progress import Bar
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.simulation import Lived

LIFE_COSTS_S = 3.0
"""What a life of 20 s takes, s; for the progress bar alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add seed, number and length of the lives."""
    parser.add_argument("--seed", type=seed, default=1, metavar="S", help="of the first life (1)")
    parser.add_argument("--lives", type=integer, default=1, metavar="N", help="lives, each with the next seed (1)")
    parser.add_argument(
        "--hours", type=number, default=0.0, metavar="H", help="session-hours, in as many lives as that takes"
    )
    parser.add_argument("--seconds", type=number, default=20.0, metavar="T", help="length of a life, s (20)")
    parser.add_argument("--story", action="store_true", help="print what happened, also where no rule broke")


def run(arguments: argparse.Namespace) -> int:
    """Live, and print what broke; a seed that broke a rule prints its story."""
    from workbench.errors import BadValue

    if not 1.0 <= arguments.seconds <= 3600.0:
        raise BadValue(f"--seconds must be 1 to 3600, got {arguments.seconds:g}; 20 is usual")
    if not 1 <= arguments.lives <= 10**6:
        raise BadValue(f"--lives must be 1 to 1000000, got {arguments.lives}; 100 is a good beginning")
    if not 0.0 <= arguments.hours <= 10**5:
        raise BadValue(f"--hours must be 0 to 100000, got {arguments.hours:g}; 1 takes some minutes")
    from workbench.simulation import Life, template

    # What goes wrong in there is meant to, and stands in the story.
    logging.disable(logging.CRITICAL)
    n = max(arguments.lives, round(arguments.hours * 3600.0 / arguments.seconds))
    cost_s = LIFE_COSTS_S * arguments.seconds / 20.0
    bar = Bar(10.0 + n * cost_s)
    broken, lived_s = 0, 0.0
    with tempfile.TemporaryDirectory(prefix="workbench-simulate-") as folder:
        with bar.stage("a person calibrates", 10.0):
            made = template(Path(folder))
        with bar.stage(f"{n} lives", n * cost_s):
            for k in range(n):
                lived = Life(arguments.seed + k, seconds=arguments.seconds, template=made).live()
                lived_s += lived.seconds
                broken += bool(lived.broken)
                if arguments.story or lived.broken:
                    _tell(lived)
                bar.inside((k + 1) * cost_s)
    bar.close()
    print(f"{n} lives from seed {arguments.seed}, {lived_s / 3600.0:.2f} session-hours: {broken} broke a rule")
    return EXIT_DIFFERS if broken else 0


def _tell(lived: Lived) -> None:
    """What happened, when, and which rule broke."""
    print(
        f"seed {lived.seed}: {lived.seconds:.1f} s, {lived.orders} orders to the device, trace {lived.trace[:16]}"
    )
    for at_s, what in lived.story:
        print(f"  {at_s:9.3f} s  {what}")


COMMAND = Subcommand(
    name="simulate",
    help="live sessions full of bad luck in virtual time, replayable from a seed, and check what must hold",
    run=run,
    arguments=add_arguments,
)
