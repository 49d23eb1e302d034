"""`workbench report STUDY`: the session report again."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import add_language, add_study
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, and the language of the report."""
    add_study(parser)
    add_language(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the report and print where it is."""
    from workbench.reports import session_report
    from workbench.study import Study

    with Study.open(arguments.study, actor="command line") as study:
        files = session_report(study, language=arguments.language)
    print(files.html)
    print(files.pdf)
    return 0


COMMAND = Subcommand(
    name="report", help="write the session report of a study again", run=run, arguments=add_arguments
)
