"""`workbench power STUDY`: how often the study's own protocol and plan would reject, by simulation."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study, integer, nonblank, number, seed
from workbench.commands._subcommand import Subcommand
from workbench.messages import Message

if TYPE_CHECKING:
    from workbench.estimation.power import Powered

ASSUMED = {
    "effect": "assumed difference at the visit of the estimate: of means, or of proportions of responders",
    "sd": "assumed standard deviation of the outcome of an arm (default 1)",
    "share": "assumed share of responders among the reference (default 0.2)",
    "correlation": "assumed of two visits of a participant (default 0.5)",
    "baseline": "assumed correlation of the outcome with the baseline (default 0)",
    "leave": "assumed share without an outcome at the last visit (default 0)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, plan and analysis, what is assumed, and the sizes."""
    add_study(parser)
    parser.add_argument("--plan", type=Path, metavar="FILE", help="the analysis plan (default: drafted)")
    parser.add_argument("--analysis", type=nonblank, metavar="NAME", help="of the plan (default: the first)")
    for name, text in ASSUMED.items():
        parser.add_argument(f"--{name}", type=number, metavar="X", help=text, required=name == "effect")
    parser.add_argument(
        "--n", type=integer, nargs="+", metavar="N", required=True, help="participants of all arms, several sizes"
    )
    parser.add_argument("--trials", type=integer, default=1000, metavar="N", help="of each (default %(default)s)")
    parser.add_argument("--target", type=number, default=0.8, metavar="P", help="power (default %(default)s)")
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="default %(default)s")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Simulate the sizes and print the power of each."""
    from workbench import estimation
    from workbench.estimation.power import Assumed, powered
    from workbench.study import Study
    from workbench.study.protocol import LARGEST

    given = {name: getattr(arguments, name) for name in ASSUMED if getattr(arguments, name) is not None}
    assumed = Assumed(**given)
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        protocol = estimation.protocol_of(study)
    if arguments.plan is None:
        plan = estimation.parse(estimation.draft(protocol), "draft", protocol)
    else:
        text = reading.read_text(arguments.plan, Message("estimation.file"), largest=LARGEST, signed=True)
        plan = estimation.parse(text, reading.shown(arguments.plan), protocol)
    total = max(0, arguments.trials) * len(arguments.n)
    with tqdm(total=total, file=sys.stderr, unit="trial", disable=not sys.stderr.isatty()) as bar:
        rows = powered(
            plan, protocol, arguments.analysis or plan.analyses[0].name, assumed, sizes=arguments.n,
            trials=arguments.trials, seed=arguments.seed, step=lambda: bar.update(1),
        )  # fmt: skip
    reached = [row for row in rows if row.power >= arguments.target]
    if arguments.json:
        print(as_json("power", {"assumed": assumed, "sizes": rows}, ok=bool(reached)))
    else:
        for line in _lines(rows, arguments.target):
            print(line)
    return 0 if reached else EXIT_DIFFERS


def _lines(rows: tuple[Powered, ...], target: float) -> Iterator[str]:
    for row in rows:
        stopped = "" if row.entered == row.n else f", stopped after {row.entered:.3g} on average"
        power = f"power {100 * row.power:.1f} % ({100 * row.low:.1f} to {100 * row.high:.1f})"
        trials = (
            f"{row.trials:,} simulated trials, mean estimate {row.estimate:.4g}, {row.refused} refused{stopped}"
        )
        yield f"{row.n} participants: {power} of {trials}"
    reached = min((row.n for row in rows if row.power >= target), default=None)
    if reached is None:
        yield f"none of these sizes has a power of {100 * target:g} %; give larger ones"
    else:
        yield f"the smallest of these sizes with a power of {100 * target:g} %: {reached}"


COMMAND = Subcommand(
    name="power",
    help="how often the study's own protocol and plan would reject, by simulation",
    run=run,
    arguments=add_arguments,
    description="Simulate trials of several sizes by the study's own randomisation, visits and analysis plan, "
    "with an assumed effect, and print how often the analysis rejects. With exit code 1 no size reaches the "
    "power. Nothing of the record but its protocol is read.",
)
