"""Limits of stimulation that are in force, with the signatures that put them there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.stimulation import Signature, SignedLimits, from_definition

if TYPE_CHECKING:
    from workbench.study.record import Study

TABLE = "stimulation_limits"


def in_force(study: Study) -> dict[str, SignedLimits]:
    """The newest limits of each electrode model, by its name.

    The hash is that of what stands in the row, and each signature one that names this version of it.

    Raises
    ------
    BadValue
        When a row holds no limits: somebody has changed it.
    Refused
        When two people, an investigator among them, have not signed exactly what stands there.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for row in study.rows(TABLE):
        before = newest.get(row["electrode"])
        if before is None or row["version"] > before["version"]:
            newest[row["electrode"]] = row
    stamps = study.rows("signature") if newest else []
    return {electrode: _signed(row, stamps) for electrode, row in newest.items()}


def signed_by_script(study: Study, electrode: str) -> bool:
    """Whether a script signed the newest limits of an electrode, as in a demonstration.

    Parameters
    ----------
    study : the open record.
    electrode : name of the model.
    """
    rows = study.rows(TABLE, electrode=electrode)
    ids = [row["id"] for row in rows if row["version"] == max(one["version"] for one in rows)]
    return any(
        stamp["method"] == "script" and any(target[0] == TABLE and target[1] in ids for target in stamp["targets"])
        for stamp in study.rows("signature")
    )


def _signed(row: Mapping[str, Any], stamps: list[dict[str, Any]]) -> SignedLimits:
    roles = {one["person"]: one["role"] for one in row["signed"]}
    named = [TABLE, row["id"], row["row_version"]]
    people = [
        (stamp["person_id"] or stamp["signer"], stamp["utc"])
        for stamp in stamps
        if any(list(target[:3]) == named for target in stamp["targets"])
    ]
    signatures = [Signature(who, roles.get(who, ""), utc, row["sha256"]) for who, utc in people]
    return SignedLimits(from_definition(row["definition"]), tuple(signatures))
