"""`workbench scope STUDY`: the samples that a number of a report or a dataset rests on, as a page."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench import reading
from workbench.commands._arguments import add_language, add_study, nonblank
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the recording, its samples, and where the page goes."""
    add_study(parser)
    parser.add_argument(
        "--recording", type=nonblank, required=True, metavar="SHA256", help="of the recording, or the start of it"
    )
    parser.add_argument(
        "--samples", type=nonblank, required=True, metavar="A:B", help="first and last sample of its signal"
    )
    parser.add_argument(
        "--channels", type=nonblank, metavar="NAME,…", help="which, and in what order (default: all)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE.html", help="for the page (default: scope-SHA256-A-B.html, here)"
    )
    add_language(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    from workbench.reports import samples
    from workbench.study import Study

    first, last = samples.parse(arguments.samples)
    names = [name.strip() for name in arguments.channels.split(",")] if arguments.channels else None
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        found = samples.of(study, arguments.recording, first, last)
        text = samples.page(study, found, channels=names, language=arguments.language)
    path = arguments.output or Path(f"scope-{found.row['sha256'][:12]}-{first}-{last}.html")
    samples.write(text, path)
    print(reading.shown(path))
    return 0


COMMAND = Subcommand(
    name="scope",
    help="the samples that a number rests on, on the scope",
    run=run,
    arguments=add_arguments,
    description="A report and a dataset name the samples behind a number by the hash of the recording and the "
    "first and last sample. This compares the file with that hash and writes those samples, with cues and events, "
    "into one HTML file that opens in any browser and asks nothing of any network.",
    epilog="Example: workbench scope STUDY --recording 3f9a71c2d004 --samples 1200:84000",
)
