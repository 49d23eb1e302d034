"""Commands over the stored ISNCSCI examinations of a study: classify them again, and export the core data set."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadValue, RecordFault

if TYPE_CHECKING:
    from workbench.outcomes.isncsci import Rescoring
    from workbench.study import Study

EXIT_DIFFERS = 1
"""Something differs from the record, or cannot be scored."""
FORMS = ("core", "ninds")


def add(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Add the commands; ``command(name, text)`` makes one that takes a study folder."""
    again = command("reclassify", "run today's ISNCSCI rules over all stored examinations and say what differs")
    again.add_argument("--apply", action="store_true", help="store the new results, each with the reason")
    again.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit chain with --apply")
    again.set_defaults(run=_reclassify)
    export = command("export", "write core data set variables of all participants and examinations as CSV")
    forms = "core: International SCI Core Data Set v3.0; ninds: NINDS CDE names that were seen"
    export.add_argument("--form", choices=FORMS, required=True, help=forms)
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE.csv", help="file to write; never replaced"
    )
    export.add_argument(
        "--groups", action="store_true", help="add the reporting group by level and grade (from memory)"
    )
    export.set_defaults(run=_export)


def _reclassify(arguments: argparse.Namespace) -> int:
    from workbench.study import Study

    reason = arguments.reason.strip()
    if arguments.apply and not reason:
        raise BadValue(
            "--apply changes stored results and needs --reason TEXT; the reason goes into the audit chain"
        )
    if reason and not arguments.apply:
        raise BadValue("--reason is for stored changes; add --apply, or leave it out to see what would change")
    with Study.open(arguments.study, actor="command line") as study:
        return _again(study, apply=arguments.apply, reason=reason)


def _again(study: Study, *, apply: bool, reason: str) -> int:
    """Score every closed examination again, print what differs, and store it when asked."""
    from workbench.outcomes.isncsci import RULES, rescore
    from workbench.study.nouns import noun_of

    rows = study.rows("assessment", measure="isncsci")
    closed = [row for row in rows if row["state"] != "draft"]
    names = _names(study)
    outdated, failed = 0, 0
    for row in closed:
        found = rescore(noun_of("assessment", row))  # type: ignore[arg-type]
        failed += bool(found.error)
        if found.outdated or found.error:
            print(f"{names[row['visit_id']]} {found.id}: {found.line()}")
        if found.outdated:
            outdated += 1
            if apply:
                _store(study, row["row_version"], found, reason=reason)
    drafts = f", {len(rows) - len(closed)} drafts left out" if len(closed) < len(rows) else ""
    done = "amended" if apply else "to be amended"
    print(f"{len(closed)} examinations under rules {RULES}: {outdated} {done}, {failed} cannot be scored{drafts}")
    if outdated and not apply:
        print("nothing was written; --apply --reason TEXT stores the new results")
    return EXIT_DIFFERS if failed or (outdated and not apply) else 0


def _store(study: Study, row_version: int, found: Rescoring, *, reason: str) -> None:
    old, new = (version or "not classified" for version in found.rules)
    why = f"{reason} (ISNCSCI rules {old} → {new})"
    study.amend("assessment", found.id, {"score": found.score}, reason=why, row_version=row_version)


def _names(study: Study) -> dict[str, str]:
    """Id of a visit → pseudonym and name of the visit."""
    people = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    return {row["id"]: f"{people[row['participant_id']]} {row['name']}" for row in study.rows("visit")}


def _export(arguments: argparse.Namespace) -> int:
    from workbench.outcomes import core_data_set
    from workbench.study import Study

    with Study.open(arguments.study, actor="command line") as study:
        participants, visits, assessments = (study.nouns(name) for name in ("participant", "visit", "assessment"))
    export = core_data_set(
        participants,  # type: ignore[arg-type]
        visits,  # type: ignore[arg-type]
        assessments,  # type: ignore[arg-type]
        form=arguments.form,
        groups=arguments.groups,
    )
    try:
        with arguments.out.open("x", encoding="utf-8", newline="") as file:
            file.write(export.csv())
    except FileExistsError as error:
        raise RecordFault(
            f"{arguments.out} is there already; name another file, an export is never replaced"
        ) from error
    except OSError as error:
        raise RecordFault(
            f"--out {arguments.out} cannot be written ({error.strerror}); name another file"
        ) from error
    print(f"{arguments.out}: {len(export.rows)} rows")
    for words, names in (
        ("not in the record, left empty", export.missing),
        ("in the record, but the name the form gives it was not seen, left out", export.unnamed),
        ("from memory, check against the form", export.memory),
    ):
        if names:
            print(f"{words}: {', '.join(names)}")
    return 0
