"""`workbench export STUDY`: the core data set of all participants and examinations as CSV."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.commands._arguments import add_study
from workbench.commands._subcommand import Subcommand
from workbench.errors import RecordFault

FORMS = ("core", "ninds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form and the file."""
    add_study(parser)
    forms = "core: International SCI Core Data Set v3.0; ninds: NINDS CDE names that were seen"
    parser.add_argument("--form", choices=FORMS, required=True, help=forms)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.csv", help="file to write; never replaced"
    )
    parser.add_argument(
        "--groups", action="store_true", help="add the reporting group by level and grade (from memory)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the file and print which variables are not in the record."""
    from workbench.exchange import core_data_set
    from workbench.study import Study
    from workbench.study.changes import consents

    with Study.open(arguments.study, actor="command line") as study:
        participants, visits, assessments = (study.nouns(name) for name in ("participant", "visit", "assessment"))
        withdrawn = consents.withdrawn(study, "data_sharing")
    participants = [person for person in participants if person.pseudonym not in withdrawn]  # type: ignore[union-attr]
    # Computed before the file is created: an error leaves no empty file behind.
    export = core_data_set(
        participants,  # type: ignore[arg-type]
        visits,  # type: ignore[arg-type]
        assessments,  # type: ignore[arg-type]
        form=arguments.form,
        groups=arguments.groups,
    )
    try:
        # "x" fails when the file exists, with no gap between a check and the writing.
        with arguments.out.open("x", encoding="utf-8", newline="") as file:
            file.write(export.csv())
    except FileExistsError as error:
        raise RecordFault(
            f"{arguments.out} exists already; name another file, an export is never replaced"
        ) from error
    except OSError as error:
        raise RecordFault(
            f"--out {arguments.out} cannot be written ({error.strerror}); name another file"
        ) from error
    print(f"{arguments.out}: {len(export.rows)} rows")
    for pseudonym, row in withdrawn.items():
        print(f"left out: {pseudonym}, who took back the consent to share data on {row['consented_on']}")
    for text, names in (
        ("not in the record, left empty", export.missing),
        ("in the record, but the name the form gives it was not seen, left out", export.unnamed),
        ("from memory, check against the form", export.memory),
    ):
        if names:
            print(f"{text}: {', '.join(names)}")
    return 0


COMMAND = Subcommand(
    name="export",
    help="write core data set variables of all participants and examinations as CSV",
    run=run,
    arguments=add_arguments,
)
