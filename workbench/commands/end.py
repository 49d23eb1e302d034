"""`workbench end STUDY`: end the session that runs, in good order or, where its door is dead, by the system."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    text = "end the session that runs for a study, in good order, and take its recordings in"
    end = commands.add_parser("end", help=text, description=f"{text[0].upper()}{text[1:]}.")
    end.add_argument("study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db)")
    end.set_defaults(run=_end)


def _end(arguments: argparse.Namespace) -> int:
    from workbench import runs, tools
    from workbench.live.stopping import end_session
    from workbench.study import Study

    # First the session: it ends also where the record is held or damaged and nothing can be taken in.
    print(end_session(arguments.study), flush=True)
    with Study.open(arguments.study, actor="command line") as study:
        taken = runs.take_in(study)
    for sentence in taken.sentences:
        print(sentence)
    return tools.EXIT_DIFFERS if taken.damaged else 0
