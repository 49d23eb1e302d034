"""Signatures against the chain: whether each was given on rows that stood in the record, and still says what
stands.

Standard library only, as all that verifies. A signature names each row with its version and the SHA-256 of what
stood in it (:func:`workbench.study.applying.bind`); the chain knows every version of every row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workbench.messages import Message
from workbench.study import chain
from workbench.study.files import FileFindings
from workbench.study.migrations import lift
from workbench.study.stores import Reader

Row = Mapping[str, Any]
Version = tuple[str, str, int]
"""Table, id and version of a row."""
Kept = dict[tuple[Version, int], str]
"""SHA-256 of what stood in a row, by its version and the schema under which it is read."""


def wanted(reader: Reader) -> dict[Version, set[int]]:
    """Every version of a row that a signature names, with the schemas under which it was signed.

    Parameters
    ----------
    reader : of the record.
    """
    if "signature" not in reader.tables():
        return {}
    query = (
        "SELECT s.targets, a.schema_version FROM signature s JOIN audit a ON a.table_name = 'signature' "
        "AND a.row_id = s.id AND a.row_version = 1"
    )
    found: dict[Version, set[int]] = {}
    for row in reader.rows(query):
        for version, _digest in _targets(row["targets"]):
            found.setdefault(version, set()).add(int(row["schema_version"]))
    return found


def keep(kept: Kept, wants: Mapping[Version, set[int]], version: Version, schema: int, new: Row) -> None:
    """Keep the hash of a row as an entry holds it, where a signature names it.

    Parameters
    ----------
    kept : what is found so far.
    wants : as of :func:`wanted`.
    version : of the row.
    schema : of the entry.
    new : the row in it, as of that schema.
    """
    for later in wants.get(version, ()):
        if later >= schema:
            kept[version, later] = chain.sha256(chain.canonical(lift(version[0], new, schema, to=later)))


def check(
    rows: Iterable[Row], kept: Kept, wants: Mapping[Version, set[int]], state: Mapping[str, Mapping[str, Row]],
    gone: Mapping[tuple[str, str], int],
) -> FileFindings:  # fmt: skip
    """Signatures that the chain does not bear out are problems; those whose rows changed since, warnings.

    Parameters
    ----------
    rows : of the table ``signature``, as SQLite keeps them.
    kept, wants : of the versions that they name.
    state : rows by table and id as they are now.
    gone : rows whose earlier payloads a redaction has removed.
    """
    findings = FileFindings()
    for row in rows:
        who, utc, targets = row["signer"], row["utc"], list(_targets(row["targets"]))
        if not targets or chain.sha256(row["targets"]) != row["sha256"]:
            findings.problems.append(Message("verify.signature_forged", id=row["id"], signer=who, utc=utc))
            continue
        findings.problems += [
            Message(
                "verify.signature_of_other", id=row["id"], signer=who, utc=utc, table=version[0], row=version[1],
                version=version[2],
            )
            for version, digest in targets
            if _differs(version, digest, kept, wants, gone)
        ]  # fmt: skip
        stale = [version[0] for version, _ in targets if _version_now(state, version) != version[2]]
        if stale:
            tables = sorted(set(stale))
            findings.warnings.append(
                Message("verify.signature_stale", id=row["id"], signer=who, utc=utc, n=len(stale), tables=tables)
            )
    return findings


def _targets(text: str) -> Iterator[tuple[Version, str]]:
    """What a signature names; nothing of what is no such list."""
    try:
        listed = json.loads(text)
        yield from [((str(table), str(row), int(version)), str(digest)) for table, row, version, digest in listed]
    except (ValueError, TypeError, RecursionError):
        return


def _differs(
    version: Version, digest: str, kept: Kept, wants: Mapping[Version, set[int]],
    gone: Mapping[tuple[str, str], int],
) -> bool:  # fmt: skip
    """Whether a row never stood in the record as it is said to have been signed."""
    found = {kept[version, schema] for schema in wants.get(version, ()) if (version, schema) in kept}
    if found:
        # The chain shows a secret as its hash, so that a signature of its row cannot be recomputed.
        return digest not in found and version[0] not in chain.SECRET
    return version[:2] not in gone


def _version_now(state: Mapping[str, Mapping[str, Row]], version: Version) -> Any:
    row = state.get(version[0], {}).get(version[1])
    return row["row_version"] if row else None
