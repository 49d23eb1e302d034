"""`workbench export STUDY`: the core data set, the audit trail, the queries or the deviations as CSV."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.commands._arguments import add_study, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue, RecordFault

if TYPE_CHECKING:
    from workbench.study import Study

CORE = ("core", "ninds")
TABLES = ("audit", "queries", "deviations")
FORMS = (*CORE, *TABLES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form and the file."""
    add_study(parser)
    forms = (
        "core: International SCI Core Data Set v3.0; ninds: NINDS CDE names that were seen; audit: a row for each "
        "entry of the audit trail; queries and deviations: open and closed"
    )
    parser.add_argument("--form", choices=FORMS, required=True, help=forms)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.csv", help="file to write; never replaced"
    )
    parser.add_argument(
        "--groups", action="store_true", help="add the reporting group by level and grade (from memory)"
    )
    parser.add_argument(
        "--participant",
        type=nonblank,
        metavar="CODE",
        help="of audit, queries and deviations only this one's rows",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the file, print its number of rows, and what is not in it."""
    from workbench.study import Study

    if arguments.participant and arguments.form in CORE:
        raise BadValue(
            f"--participant goes with --form {', '.join(TABLES)}; {arguments.form} is of all participants"
        )
    with Study.open(arguments.study, actor="command line") as study:
        return (_core if arguments.form in CORE else _table)(study, arguments)


def _core(study: Study, arguments: argparse.Namespace) -> int:
    from workbench.exchange import core_data_set

    participants, visits, assessments = (study.nouns(name) for name in ("participant", "visit", "assessment"))
    withdrawn = _withdrawn(study)
    participants = [person for person in participants if person.pseudonym not in withdrawn]  # type: ignore[union-attr]
    # Computed before the file is created: an error leaves no empty file behind.
    export = core_data_set(
        participants,  # type: ignore[arg-type]
        visits,  # type: ignore[arg-type]
        assessments,  # type: ignore[arg-type]
        form=arguments.form,
        groups=arguments.groups,
    )
    _write(arguments.out, [export.csv()])
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


def _table(study: Study, arguments: argparse.Namespace) -> int:
    from workbench import delimited
    from workbench.study import audit_trail, listings

    kind, read = {
        "audit": (audit_trail.AuditRow, audit_trail.read),
        "queries": (listings.QueryRow, listings.queries),
        "deviations": (listings.DeviationRow, listings.deviations),
    }[arguments.form]
    columns, counted = [field.name for field in fields(kind)], _Counted()
    rows: Iterable[object] = read(study, arguments.participant or "")
    table = ([getattr(row, name) for name in columns] for row in counted.of(rows))
    _write(arguments.out, delimited.lines(columns, table))
    print(f"{arguments.out}: {counted.n} rows{', one for each entry' if arguments.form == 'audit' else ''}")
    # An inspector reads every entry; whoever shares the file must know about whom it may not.
    for pseudonym, row in _withdrawn(study).items():
        if arguments.participant in (None, pseudonym):
            print(f"not for sharing: {pseudonym} took back the consent to share data on {row['consented_on']}")
    return 0


class _Counted:
    """Counts what passes."""

    def __init__(self) -> None:
        self.n = 0

    def of(self, rows: Iterable[object]) -> Iterator[object]:
        """The rows, counted."""
        for row in rows:
            self.n += 1
            yield row


def _withdrawn(study: Study) -> Mapping[str, Mapping[str, Any]]:
    from workbench.study.changes import consents

    return consents.withdrawn(study, "data_sharing")


def _write(out: Path, lines: Iterable[str] | Sequence[str]) -> None:
    """Write a new file whole, or leave none."""
    try:
        # "x" fails when the file exists, with no gap between a check and the writing.
        with out.open("x", encoding="utf-8", newline="") as file:
            try:
                file.writelines(lines)
            except BaseException:
                out.unlink()
                raise
    except FileExistsError as error:
        raise RecordFault(f"{out} exists already; name another file, an export is never replaced") from error
    except OSError as error:
        raise RecordFault(f"--out {out} cannot be written ({error.strerror}); name another file") from error


COMMAND = Subcommand(
    name="export",
    help="write the core data set, the audit trail, the queries or the deviations as CSV",
    run=run,
    arguments=add_arguments,
)
