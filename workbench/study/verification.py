"""Verify a study record from its file alone: sqlite3, the chain, the anchors, the files it names.

Does not go through the writer or SQLAlchemy, so that an error there cannot hide itself, and works on a
file that is too damaged to open.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import reading
from workbench.errors import RecordFault
from workbench.study import anchors, chain, place
from workbench.study.anchors import Anchor

SHOWN = 20
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found.

    Attributes
    ----------
    ok : nothing is wrong; warnings may stand.
    problems : one sentence each for everything that is wrong.
    warnings : what cannot be told, or looks odd without being wrong (a clock that was set).
    checked : rows recomputed per table, audit rows, payloads, anchors and files.
    head : ``(seq, hash)`` of the newest audit row, ``(0, "")`` when unreadable.
    """

    ok: bool
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    checked: Mapping[str, int]
    head: tuple[int, str]

    def text(self) -> str:
        """The result in words, one line each."""
        rows = ", ".join(f"{name} {n}" for name, n in self.checked.items())
        n = len(self.problems)
        first = "the record holds" if self.ok else f"the record does NOT hold: {n} problem{'s' * (n != 1)}"
        more = [f"… and {len(self.problems) - SHOWN} more"] if len(self.problems) > SHOWN else []
        lines = [first, *(f"- {p}" for p in self.problems[:SHOWN]), *more, *(f"(note) {w}" for w in self.warnings)]
        head = f"head: {self.head[0]} {self.head[1]}" if self.head[1] else "head: none could be read"
        return "\n".join([*lines, f"checked: {rows or 'nothing could be checked'}", head])


@dataclass(slots=True)
class _Findings:
    """What accumulates: ``hashes`` by audit row (0 = genesis), ``state`` = the replayed tables."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    study_id: str = ""
    hashes: dict[int, str] = field(default_factory=dict)
    state: dict[str, dict[str, Row]] = field(default_factory=dict)
    redacted: dict[tuple[str, str], int] = field(default_factory=dict)


def verify(
    folder: Path | str,
    *,
    files: bool = True,
    known: Iterable[tuple[int, str]] = (),
    copies: Iterable[Path] = (),
) -> Verification:
    """Recompute the chain and everything it commits to.

    1 SQLite's own checks, the schema's hash; 2 the chain, gapless from its genesis; 3 every payload
    against its commitment, or a redaction; 4 the replay of the chain against the tables, row by row;
    5 the anchors lie on the chain (a cut tail); 6 the clock never ran backwards; 7 SHA-256 of
    recordings and reports.

    Parameters
    ----------
    folder : the study folder.
    files : also hash recordings and reports.
    known : heads from elsewhere, as printed on reports: ``(seq, hash)``.
    copies : further anchors files.

    Raises
    ------
    RecordFault
        When there is no file, or one that is empty, not SQLite at all, of another program, or on a disk that
        cannot be written with its newest entries still in the write-ahead log.
    """
    folder = Path(folder)
    path = folder / place.FILE
    place.check_file(path)
    found = _Findings()
    try:
        with closing(_connected(path)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            _refuse_foreign(connection, path)
            _check_structure(connection, found)
            _check_chain(connection, found)
            tables = _check_tables(connection, found)
        _check_anchors([folder / anchors.FILE, *copies], found, known=known, reports=tables["report"])
        if files:
            _check_files(folder, found, tables)
    except (
        sqlite3.Error,
        UnicodeError,
        ArithmeticError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        found.problems.append(f"the file cannot be read to the end ({error}); restore it from the latest backup")
    newest = max(found.hashes, default=0)
    return Verification(
        ok=not found.problems,
        problems=tuple(found.problems),
        warnings=tuple(found.warnings),
        checked=dict(found.checked),
        head=(newest, found.hashes.get(newest, "") if newest else ""),
    )


def _connected(path: Path) -> sqlite3.Connection:
    """The record, open for reading; one that cannot be written (an archive, a disc) is taken as it lies there.

    SQLite keeps its write-ahead log in files beside the record, so elsewhere the folder must be writable
    (sqlite.org/wal.html, "Read-Only Databases").
    """
    effective = os.access in os.supports_effective_ids
    writable = all(os.access(place_, os.W_OK, effective_ids=effective) for place_ in (path, path.parent))
    log = path.with_name(f"{path.name}-wal")
    if not writable and log.exists() and log.stat().st_size:
        raise RecordFault(
            f"{path} cannot be written, and its newest entries are still in {log.name}, which SQLite reads only "
            "where it may write; copy the whole folder to a disk you may write to, and verify the copy"
        )
    how = "mode=rw" if writable else "immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """A database without a single table of ours is no damaged record, it is another program's."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if there and not there & {"study", "audit", "run", "trial"}:
        raise RecordFault(f"{path} is an SQLite file but no study record; give the study's own folder")


def _check_structure(connection: sqlite3.Connection, found: _Findings) -> None:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            found.problems.append(f"SQLite's integrity check: {line}")
    for row in connection.execute("PRAGMA foreign_key_check"):
        found.problems.append(f"a row of {row[0]} belongs to a {row[2]} that is not there")


def _genesis(connection: sqlite3.Connection, found: _Findings) -> str:
    studies = list(connection.execute("SELECT * FROM study"))
    if len(studies) != 1:
        found.problems.append(f"one study was expected in the record, got {len(studies)}")
        return ""
    row = studies[0]
    found.study_id = row["id"]
    master = connection.execute(chain.MASTER)
    if chain.schema_hash(tuple(line) for line in master) != row["schema_sha256"]:
        found.problems.append(
            "the schema is not the one the study was created with: a table or trigger was changed"
        )
    given = {name: row[name] for name in ("schema_sha256", "created_utc", "nonce")}
    return chain.genesis(study_id=row["id"], **given)


def _check_chain(connection: sqlite3.Connection, found: _Findings) -> None:
    previous = found.hashes[0] = _genesis(connection, found)
    query = "SELECT a.*, p.salt, p.payload FROM audit a LEFT JOIN audit_payload p ON p.seq = a.seq ORDER BY a.seq"
    gone: list[sqlite3.Row] = []
    utc, payloads, seq = "", 0, 0
    for row in connection.execute(query):
        if row["seq"] != seq + 1:
            found.problems.append(f"audit row {seq + 1} is missing; the next one there is {row['seq']}")
        seq = row["seq"]
        if chain.link(previous, dict(row)) != row["hash"]:
            found.problems.append(
                f"audit row {seq} does not follow from the row before it: one of them was changed"
            )
        previous = found.hashes[seq] = row["hash"]
        if row["utc"] < utc:
            found.warnings.append(f"the clock ran backwards before audit row {seq}: from {utc} to {row['utc']}")
        utc = row["utc"]
        if row["action"] == "redact":
            found.redacted[row["table_name"], row["row_id"]] = seq
        if row["payload"] is None:
            gone.append(row)
            continue
        payloads += 1
        if chain.commitment(row["salt"], row["payload"]) != row["commitment"]:
            found.problems.append(f"the payload of audit row {seq} is not the one it committed to")
        _replay(row, found)
    for row in gone:
        if found.redacted.get((row["table_name"], row["row_id"]), 0) <= row["seq"]:
            found.problems.append(f"the payload of audit row {row['seq']} is gone without a redaction")
    found.checked |= {"audit": len(found.hashes) - 1, "audit_payload": payloads}


def _replay(row: sqlite3.Row, found: _Findings) -> None:
    new = json.loads(row["payload"])["new"]
    if new is None:
        return
    rows = found.state.setdefault(row["table_name"], {})
    before = rows.get(row["row_id"])
    expected = before["row_version"] + 1 if before else row["row_version"] if row["action"] == "redact" else 1
    if (new["id"], new["row_version"], row["row_version"]) != (row["row_id"], expected, expected):
        found.problems.append(f"audit row {row['seq']} does not fit the version of its {row['table_name']}")
    rows[row["row_id"]] = new


def _check_tables(connection: sqlite3.Connection, found: _Findings) -> dict[str, list[Row]]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'audit%' ORDER BY name"
    )
    tables: dict[str, list[Row]] = {}
    for (name,) in names.fetchall():
        rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
        left = dict(found.state.get(name, {}))
        for row in rows:
            replayed = left.pop(row["id"], None)
            if replayed is None:
                found.problems.append(f"{name} {row['id']} is not in the audit chain")
            elif replayed != row:
                wrong = sorted(key for key in row if row[key] != replayed.get(key))
                found.problems.append(f"{name} {row['id']} differs from the audit chain in {', '.join(wrong)}")
        found.problems += [f"{name} {row_id} is in the audit chain but not in its table" for row_id in left]
        tables[name], found.checked[name] = rows, len(rows)
    return tables


def _check_anchors(
    paths: Iterable[Path], found: _Findings, *, known: Iterable[tuple[int, str]], reports: list[Row]
) -> None:
    written: list[Anchor] = []
    for path in paths:
        try:
            good, bad = anchors.read(path)
        except RecordFault as error:
            found.warnings.append(f"no anchors in {path} ({error}): a cut tail would not show there")
            continue
        written += good
        found.warnings += [f"{where} holds no anchor (an interrupted write?)" for where in bad]
    newest, head = max((a.seq for a in written), default=0), max(found.hashes)
    if written and newest < head:
        found.warnings.append(f"the newest anchor is {head - newest} rows behind the head")
    told = [Anchor(seq=seq, hash=digest, where="a head given from elsewhere") for seq, digest in known]
    told += [Anchor(seq=r["head_seq"], hash=r["head_hash"], where=f"report {r['path']}") for r in reports]
    for anchor in [*written, *told]:
        if anchor.study not in ("", found.study_id):
            found.problems.append(f"{anchor.where} belongs to another study ({anchor.study})")
        elif anchor.seq > head:
            found.problems.append(
                f"{anchor.where} names audit row {anchor.seq}, the record ends at {head}: its tail was cut"
            )
        elif found.hashes.get(anchor.seq) != anchor.hash:
            found.problems.append(f"{anchor.where} is not on the chain at audit row {anchor.seq}")
    found.checked["anchors"] = len(written) + len(told)


def _check_files(folder: Path, found: _Findings, tables: Mapping[str, list[Row]]) -> None:
    for name in ("recording", "report"):
        for row in tables[name]:
            path = folder / row["path"]
            try:
                digest = reading.sha256(path, name, error=RecordFault)
            except RecordFault as error:
                found.problems.append(str(error))
                continue
            if digest != row["sha256"]:
                found.problems.append(
                    f"{name} {row['path']} is not the file that was recorded: its SHA-256 differs"
                )
    found.checked["files"] = len(tables["recording"]) + len(tables["report"])
