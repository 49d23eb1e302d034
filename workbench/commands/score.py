"""`workbench score MEASURE`: score an outcome measure, JSON lines in and JSON lines out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench import reading
from workbench.commands._arguments import EXIT_DIFFERS, options, standard_input
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add measure, version, options of the protocol, and the source of the answers."""
    parser.add_argument("measure", metavar="MEASURE", help="isncsci takes {id, exam}, others {id, responses}")
    parser.add_argument("--version", default="", help="version of the measure (default: the current one)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="options",
        help="what the protocol settles, as JSON or text, such as --set skip_rule=true; may be repeated",
    )
    parser.add_argument(
        "--from",
        nargs=2,
        metavar=("redcap", "FILE.csv"),
        dest="source",
        help="isncsci only: a raw REDCap export instead of standard input",
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="CSV file of a licensed table the measure needs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one answer per line, and on standard error how many could not be scored."""
    lines = failed = 0
    for line in _answers(arguments):
        lines += 1
        # The substring first: to parse every line again would take as long as scoring it.
        failed += '"error":' in line and "error" in json.loads(line)
        print(line)
    if not lines:
        print("nothing was scored: the input has no line; give one JSON object per line", file=sys.stderr)
    elif failed:
        print(f"{failed} of {lines} lines could not be scored; their answers say why", file=sys.stderr)
    return EXIT_DIFFERS if failed or not lines else 0


def _answers(arguments: argparse.Namespace) -> Iterator[str]:
    """The answers, in the order of the input; options are checked before any line is read."""
    from workbench import outcomes
    from workbench.outcomes._lines import score_lines
    from workbench.outcomes._scoring import check_options, pick_version

    measure = outcomes.load(arguments.measure)
    if arguments.source is not None and arguments.measure != "isncsci":
        raise BadValue(f"--from reads examinations of isncsci alone, got {arguments.measure}; give JSON lines")
    chosen = options(arguments.options)
    if arguments.table is not None:
        chosen["table"] = outcomes.read_table(arguments.table)
    # Checked before any line is read: a wrong option is one error and not one per line.
    settled = check_options(pick_version(measure.definitions, arguments.version), chosen)
    if arguments.measure != "isncsci":
        return score_lines(measure, standard_input(), version=arguments.version, **chosen)

    from workbench import exchange
    from workbench.outcomes import isncsci

    readings = isncsci.Options(nli_vac=settled["nli_vac"], nonkey_zpp=settled["nonkey_zpp"])
    if arguments.source is None:
        return isncsci.score_lines(standard_input(), options=readings)
    return exchange.redcap_lines(_export(*arguments.source), options=readings)


def _export(kind: str, path: str) -> list[str]:
    """Lines of a REDCap export, their ends kept."""
    if kind != "redcap":
        raise BadValue(f"--from reads redcap, got {kind!r}; other exports come as JSON lines on standard input")
    return reading.read_text(Path(path), "--from redcap", signed=True).splitlines(keepends=True)


COMMAND = Subcommand(
    name="score",
    help="score an outcome measure: JSON lines from standard input to standard output, in the same order",
    run=run,
    arguments=add_arguments,
)
