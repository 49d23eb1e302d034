"""`workbench end STUDY`: end the session that runs, in good order or, where its door is dead, by the system."""

from __future__ import annotations

import argparse

from workbench.commands._arguments import EXIT_DIFFERS, add_study
from workbench.commands._subcommand import Subcommand


def run(arguments: argparse.Namespace) -> int:
    """End the session, then take in what it recorded."""
    from workbench import runs
    from workbench.study import Study

    # First the session: it ends also where the record is held or damaged and nothing can be taken in.
    print(runs.end_session(arguments.study), flush=True)
    with Study.open(arguments.study, actor="command line") as study:
        taken = runs.take_in(study)
    for sentence in taken.sentences:
        print(sentence)
    return EXIT_DIFFERS if taken.damaged else 0


COMMAND = Subcommand(
    name="end",
    help="end the session that runs for a study, in good order, and take its recordings in",
    run=run,
    arguments=add_study,
)
