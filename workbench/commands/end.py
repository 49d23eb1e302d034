"""`workbench end STUDY`: end the running session in good order, or by the system if its engine is silent."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import EXIT_DIFFERS, add_study
from workbench.commands._subcommand import Subcommand


def run(arguments: argparse.Namespace) -> int:
    """End the session, then ingest what it recorded."""
    from workbench import runs
    from workbench.study import Study

    # The session first: it must end even when the record is locked or damaged and nothing can be ingested.
    print(runs.end_session(arguments.study), flush=True)
    with Study.open(arguments.study, actor="command line") as study:
        intake = runs.take_in(study)
    for sentence in intake.sentences:
        print(sentence)
    return EXIT_DIFFERS if intake.damaged else 0


COMMAND = Subcommand(
    name="end",
    help="end the session that runs for a study, in good order, and take its recordings in",
    run=run,
    arguments=add_study,
)
