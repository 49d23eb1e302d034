"""`workbench reclassify STUDY`: today's ISNCSCI rules over all stored examinations."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from workbench.commands._arguments import EXIT_DIFFERS, add_study
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.outcomes.isncsci import Rescoring
    from workbench.study import Study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether the new results are stored, and why."""
    add_study(parser)
    parser.add_argument("--apply", action="store_true", help="store the new results, each with the reason")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the audit chain with --apply")


def run(arguments: argparse.Namespace) -> int:
    """Print what differs, and store it when asked."""
    from workbench.study import Study

    reason = arguments.reason.strip()
    if arguments.apply and not reason:
        raise BadValue(
            "--apply changes stored results and needs --reason TEXT; the reason goes into the audit chain"
        )
    if reason and not arguments.apply:
        raise BadValue("--reason is for stored changes; add --apply, or leave it out to see what would change")
    with Study.open(arguments.study, actor="command line") as study:
        return _reclassify(study, apply=arguments.apply, reason=reason)


def _reclassify(study: Study, *, apply: bool, reason: str) -> int:
    """Score every closed examination again, print what differs, and store it when asked."""
    from workbench.outcomes.isncsci import RULES, rescore
    from workbench.study.nouns import noun_of

    rows = study.rows("assessment", measure="isncsci")
    # A draft is scored by today's rules anyway when it is closed.
    closed = [row for row in rows if row["state"] != "draft"]
    names = _names(study)
    outdated, failed = 0, 0
    for row in closed:
        rescored = rescore(noun_of("assessment", row))  # type: ignore[arg-type]
        failed += bool(rescored.error)
        if rescored.outdated or rescored.error:
            print(f"{names[row['visit_id']]} {rescored.id}: {rescored.line()}")
        if rescored.outdated:
            outdated += 1
            if apply:
                # With the version that was read: an amendment made meanwhile by another page is never
                # overwritten.
                _store(study, row["row_version"], rescored, reason=reason)
    drafts = f", {len(rows) - len(closed)} drafts left out" if len(closed) < len(rows) else ""
    done = "amended" if apply else "to be amended"
    print(f"{len(closed)} examinations under rules {RULES}: {outdated} {done}, {failed} cannot be scored{drafts}")
    if outdated and not apply:
        print("nothing was written; --apply --reason TEXT stores the new results")
    return EXIT_DIFFERS if failed or (outdated and not apply) else 0


def _store(study: Study, row_version: int, rescored: Rescoring, *, reason: str) -> None:
    old, new = (version or "not classified" for version in rescored.rules)
    why = f"{reason} (ISNCSCI rules {old} → {new})"
    study.amend("assessment", rescored.id, {"score": rescored.score}, reason=why, row_version=row_version)


def _names(study: Study) -> dict[str, str]:
    """Id of a visit → pseudonym and name of the visit."""
    pseudonyms = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    return {row["id"]: f"{pseudonyms[row['participant_id']]} {row['name']}" for row in study.rows("visit")}


COMMAND = Subcommand(
    name="reclassify",
    help="run today's ISNCSCI rules over all stored examinations and say what differs",
    run=run,
    arguments=add_arguments,
)
