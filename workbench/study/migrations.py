"""What changed between the versions of the schema, as numbered pure functions on rows.

``LIFTS[n]`` takes a row of schema ``n`` and gives the same row in schema ``n + 1``. Tables and payloads of the
audit chain go through the same function, so that a record verifies after a migration although no old audit row and
no genesis was rewritten. Standard library only: ``verify`` uses it without SQLAlchemy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Row = dict[str, Any]
OLDEST = 2
"""Oldest schema that is read."""

NEW_IN_3: dict[str, Row] = {
    "participant": {
        "injured_on": "", "trained_side": "", "wristband": "", "hold": "", "consent": "", "consented_on": "",
    },
    "visit": {"planned": "", "earliest": "", "latest": "", "status": "", "room": ""},
    "session": {"identity": ""},
    "decoder": {"fitted_at": ""},
}  # fmt: skip
GONE_IN_3 = {"decoder": ("approved_by", "approved_for")}


def _from_2(table: str, row: Mapping[str, Any], *, whole: bool) -> Row:
    """Schema 3 added columns with an empty default; decisions on decoders left for a table of their own."""
    kept = {name: value for name, value in row.items() if name not in GONE_IN_3.get(table, ())}
    return {**kept, **NEW_IN_3.get(table, {})} if whole else kept


CODED_IN_4 = ("trial", "ledger", "session_ledger", "assessment")


def _from_3(table: str, row: Mapping[str, Any], *, whole: bool) -> Row:
    """Schema 4 keeps the codes of messages beside their text; what was written before has none."""
    return {**row, "said": "{}"} if whole and table in CODED_IN_4 else dict(row)


def _from_4(table: str, row: Mapping[str, Any], *, whole: bool) -> Row:
    """Schema 5 keeps what the task measured in a trial; trials from before have nothing but their columns."""
    return {**row, "result": "{}"} if whole and table == "trial" else dict(row)


def _from_5(table: str, row: Mapping[str, Any], *, whole: bool) -> Row:
    """Schema 6 added tables: consents, queries, deviations, locks, signatures and what a trial is run by."""
    return dict(row)


LIFTS: dict[int, Callable[..., Row]] = {2: _from_2, 3: _from_3, 4: _from_4, 5: _from_5}
NEWEST = max(LIFTS) + 1


def lift(table: str, row: Mapping[str, Any], version: int, *, whole: bool = True, to: int = NEWEST) -> Row:
    """A row as a later schema has it.

    Parameters
    ----------
    table : its table.
    row : columns as SQLite keeps them.
    version : schema it was written under.
    whole : False for a part of a row (what an amendment changed), which gains no columns.
    to : the schema wanted, today's unless said otherwise.
    """
    lifted = dict(row)
    for number in range(version, to):
        lifted = LIFTS[number](table, lifted, whole=whole)
    return lifted


def approvals_of_2(entries: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Every approval ever given under schema 2, read from the chain, oldest first, as rows of ``approval``.

    The decoder's row kept only the newest name; the chain has them all.

    Parameters
    ----------
    entries : audit rows of the table ``decoder`` with their ``payload`` (None when redacted), in order.
    """
    granted: dict[str, set[str]] = {}
    for entry in entries:
        new = json.loads(entry["payload"])["new"] if entry["payload"] else None
        if new is None or "approved_for" not in new:
            continue
        before, now = granted.get(new["sha256"], set()), set(new["approved_for"].split())
        # Sorted, because the ids below count them and must be the same at each reading.
        changes = [(use, "approve") for use in sorted(now - before)]
        changes += [(use, "withdraw") for use in sorted(before - now)]
        granted[new["sha256"]] = now
        for number, (use, decision) in enumerate(changes):
            effector, _, participant_id = use.partition("@")
            yield {
                "id": f"lifted-{entry['seq']}-{number}",
                "decoder_sha256": new["sha256"],
                "participant_id": participant_id,
                "effector": effector,
                "decision": decision,
                "signer": new["approved_by"] or entry["actor"],
                "person_id": "",
                "method": "lifted",
                "reason": json.loads(entry["payload"])["reason"],
                "checks": [],
                "limits": {},
                "utc": entry["utc"],
            }
