"""Verify a study record from its database alone: the chain, the signatures, the anchors, the files beside it.

Does not go through the writer or SQLAlchemy, so that an error there cannot hide itself, and works on a
file that is too damaged to open.
"""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import messages
from workbench.errors import RecordFault, Refused
from workbench.html_repr import card
from workbench.messages import Message
from workbench.study import anchors, chain, signature_checks, snapshot_files, stores
from workbench.study.anchors import Anchor
from workbench.study.files import FileFindings, Tables, check_files
from workbench.study.keys import KeyRing, verify_envelope
from workbench.study.migrations import NEWEST, OLDEST, lift
from workbench.study.stores import Reader, Store, TableRows

SHOWN = 20
TOLD_EVERY = 2000
"""Audit rows after which progress is told."""
READ_AT_ONCE = 500
"""Payloads that are read as one text."""
BESIDE = ("audit", "audit_payload", "signed_head")
"""Tables that are no data."""
DAMAGE = (UnicodeError, ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What damage can make fail: a finding, not an error of the command."""
Row = dict[str, Any]
_CHAIN = f"SELECT {', '.join(f'a.{name}' for name in (*chain.RECORD, 'hash'))}, p.salt, p.payload FROM audit a "
_CHAIN += "LEFT JOIN audit_payload p ON p.seq = a.seq ORDER BY a.seq"
_READ = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found.

    Attributes
    ----------
    ok : nothing is wrong; warnings may stand.
    problems : one sentence each for everything that is wrong; a message, so that it is said in any language.
    warnings : what cannot be told, or looks odd without being wrong (a clock that was set); messages too.
    deleted : what was deleted on the request of a participant: by whom, when, why; messages too.
    checked : rows recomputed per table, audit rows, payloads, anchors and files.
    head : ``(seq, hash)`` of the newest audit row, ``(0, "")`` when unreadable.
    """

    ok: bool
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    checked: Mapping[str, int]
    head: tuple[int, str]
    deleted: tuple[str, ...] = ()

    def text(self) -> str:
        """The result in words, one line each."""
        rows = ", ".join(f"{name} {n}" for name, n in self.checked.items())
        n = len(self.problems)
        first = "the record holds" if self.ok else f"the record does NOT hold: {n} problem{'s' * (n != 1)}"
        more = [f"… and {len(self.problems) - SHOWN} more"] if len(self.problems) > SHOWN else []
        lines = [first, *(f"- {p}" for p in self.problems[:SHOWN]), *more, *(f"(note) {w}" for w in self.warnings)]
        head = f"head: {self.head[0]} {self.head[1]}" if self.head[1] else "head: none could be read"
        gone = [f"(deleted) {text}" for text in self.deleted]
        return "\n".join([*lines, f"checked: {rows or 'nothing could be checked'}", head, *gone])

    def _repr_html_(self) -> str:
        remarks = [*self.problems[:SHOWN], *(f"Note: {text}" for text in (*self.warnings, *self.deleted))]
        checked = ", ".join(f"{name} {n}" for name, n in self.checked.items())
        n = len(self.problems)
        return card(
            "Verification",
            "the record holds" if self.ok else f"the record does NOT hold: {n} problem{'s' * (n != 1)}",
            [("checked", checked), ("head", f"{self.head[0]} {self.head[1][:12]}" if self.head[1] else "none")],
            remarks=remarks,
        )

    def to_json(self) -> dict[str, Any]:
        """The result as plain data, for ``workbench verify --json``."""
        return {
            "ok": self.ok,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
            "deleted": list(self.deleted),
            "checked": dict(self.checked),
            "head": {"seq": self.head[0], "hash": self.head[1]},
        }


@dataclass(slots=True)
class Findings:
    """What accumulates.

    ``hashes`` by audit row (0 = genesis); ``signed_heads``, the running digest and the key in use after each
    audit row whose head was signed; ``state``, the replayed tables; ``entered``, the audit row with which each
    row began, by table and id; ``tables``, as they lie there; ``version``, the schema of the file; ``schema``,
    its hash as the chain has it; ``ring``, the keys on this computer, and ``hashers``, what hashes under each;
    ``epoch``, the key in use; ``public``, the public keys by epoch, as the chain entered them; ``unkeyed``,
    rows whose hash could not be recomputed without a key; ``cuts``, the replayed tables at the head of each
    snapshot; ``signed`` and ``signed_rows``, versions of rows that signatures name, and their hashes in the
    chain; ``progress``, told the share of the chain.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)
    study_id: str = ""
    hashes: dict[int, str] = field(default_factory=dict)
    state: dict[str, dict[str, Row]] = field(default_factory=dict)
    entered: dict[str, dict[str, int]] = field(default_factory=dict)
    tables: dict[str, TableRows] = field(default_factory=dict)
    redacted: dict[tuple[str, str], int] = field(default_factory=dict)
    signed_heads: dict[int, tuple[str, int]] = field(default_factory=dict)
    version: int = 0
    schema: str = ""
    ring: KeyRing | None = None
    epoch: int = 0
    hashers: dict[int, Callable[[str], str]] = field(default_factory=dict)
    public: dict[int, str] = field(default_factory=dict)
    unkeyed: int = 0
    cuts: dict[int, dict[str, dict[str, Row]]] = field(default_factory=dict)
    signed: dict[signature_checks.Version, set[int]] = field(default_factory=dict)
    signed_rows: signature_checks.Kept = field(default_factory=dict)
    progress: Callable[[float], None] | None = None


def verify(
    folder: Path | str,
    *,
    files: bool = True,
    known: Iterable[tuple[int, str]] = (),
    copies: Iterable[Path] = (),
    progress: Callable[[float], None] | None = None,
) -> Verification:
    """Recompute the chain and everything it commits to.

    1 the database's own checks, the schema's hash; 2 the chain, gapless from its genesis, keyed where a key was in
    use; 3 every payload against its commitment, or a redaction; 4 the replay of the chain against the tables, row
    by row; 5 signed heads, and the anchors lie on the chain (a cut tail); 6 the clock never ran backwards; 7
    signatures of people against the versions of rows that they name; 8 SHA-256 of recordings, reports and
    decoders, the ledgers of the sessions, recordings that never entered the record, and snapshots, each against
    the state that the chain gives at its head.

    Parameters
    ----------
    folder : the study folder, or a snapshot file, which is then compared with the record that it lies beside.
    files : also look at the files beside the record (8).
    known : heads from elsewhere, as printed on reports: ``(seq, hash)``.
    copies : further anchors files.
    progress : called with the share of the chain that is done, 0 to 1.

    Raises
    ------
    RecordLocked
        When another process holds the record: nothing was found, try again.
    RecordFault
        When there is no file, or one that is empty, not SQLite at all, of another program or a newer schema, or
        on a disk that cannot be written with its newest entries still in the write-ahead log; when a database
        cannot be reached, or does not have the record.
    """
    folder, snapshot = Path(folder), None
    if snapshot_files.is_one(folder):
        folder, snapshot = snapshot_files.study_folder(folder), folder
    store = stores.at(folder)
    store.check()
    findings = Findings(progress=progress)
    damage: tuple[type[Exception], ...] = (*DAMAGE, *store.errors)
    try:
        tables = _look(folder, store, findings, known=known, copies=copies)
        if snapshot is not None:
            _look_at(snapshot, tables, findings)
        elif files:
            _look_beside(folder, tables, findings)
    except damage as error:
        if refusal := store.refusal(error):
            raise refusal from error
        findings.problems.append(Message("verify.unreadable", why=messages.of(error)))
    return _found(findings)


def _found(findings: Findings) -> Verification:
    newest = max(findings.hashes, default=0)
    return Verification(
        ok=not findings.problems,
        problems=tuple(findings.problems),
        warnings=tuple(findings.warnings),
        checked=dict(findings.checked),
        deleted=tuple(findings.deleted),
        head=(newest, findings.hashes.get(newest, "") if newest else ""),
    )


def _look(
    folder: Path, store: Store, findings: Findings, *, known: Iterable[tuple[int, str]], copies: Iterable[Path]
) -> dict[str, TableRows]:
    """Record and anchors, in this order; the rows of the record."""
    with store.reader() as reader:
        examine(reader, findings)
    reports = findings.tables.get("report", ())
    _check_anchors([folder / anchors.FILE, *copies], findings, known=known, reports=reports)
    return findings.tables


def _look_beside(folder: Path, tables: Tables, findings: Findings) -> None:
    """Every file beside the record."""
    lying = check_files(folder, tables)
    snapshot_files.check_snapshots(folder, tables, findings.cuts, findings.redacted, lying)
    _add(lying, findings)


def _look_at(path: Path, tables: Tables, findings: Findings) -> None:
    """One snapshot."""
    lying = FileFindings()
    snapshot_files.check_snapshot(path, tables, findings.cuts, findings.redacted, lying)
    _add(lying, findings)


def _add(lying: FileFindings, findings: Findings) -> None:
    findings.problems += lying.problems
    findings.warnings += lying.warnings
    findings.deleted += lying.deleted
    findings.checked |= lying.checked


def examine(reader: Reader, findings: Findings | None = None) -> Findings:
    """What the record alone says: structure, chain, signatures, tables; without anchors and files.

    Parameters
    ----------
    reader : of the record.
    findings : so far; None begins with none.

    Raises
    ------
    RecordFault
        When it is another program's database or of a newer schema.
    """
    findings = Findings() if findings is None else findings
    findings.version = reader.version()
    if findings.version > NEWEST:
        raise RecordFault(
            Message(
                "study.schema_unverified",
                path=str(reader.path),
                version=findings.version,
                oldest=OLDEST,
                newest=NEWEST,
            )
        )
    findings.problems.extend(reader.faults())
    _check_chain(reader, findings)
    _check_schema(reader, findings)
    _check_keys(findings)
    _check_signed_heads(reader, findings)
    findings.tables = _tables(reader)
    _check_tables(findings, findings.tables)
    for name, rows in findings.tables.items():
        _check_order(findings, name, rows, reader.numbers(name))
    return findings


def _genesis(reader: Reader, findings: Findings) -> str:
    studies = list(reader.rows("SELECT * FROM study"))
    if len(studies) != 1:
        findings.problems.append(Message("verify.one_study", n=len(studies)))
        return ""
    row = studies[0]
    findings.study_id = row["id"]
    findings.schema = row["schema_sha256"]
    findings.ring = KeyRing(row["id"])
    facts = {name: row[name] for name in ("schema_sha256", "created_utc", "nonce")}
    return chain.genesis(study_id=row["id"], **facts)


def _check_chain(reader: Reader, findings: Findings) -> None:
    previous = findings.hashes[0] = _genesis(reader, findings)
    digest = utc = ""
    heads, signed = _heads_of_snapshots(reader), _signed_heads(reader)
    findings.signed = signature_checks.wanted(reader)
    gone: list[tuple[int, str, str]] = []
    payloads = seq = 0
    total = next(iter(reader.rows("SELECT COUNT(*) AS n FROM audit")))["n"] if findings.progress else 0
    for (*record, own, salt, written), payload in _with_payloads(reader.values(_CHAIN)):
        number, at, _, _, _, _, action, table, row_id, _, _, commitment = record
        if findings.progress and number % TOLD_EVERY == 0:
            findings.progress(min(1.0, number / total))
        # Numbers are given without gaps, so that a missing one is a row that was taken out.
        if number != seq + 1:
            findings.problems.append(Message("verify.row_missing", seq=seq + 1, next=number))
        seq, text = number, chain.halves(record)
        # Before `_replay`: the entry that brings a key into use is itself still under the key before it.
        if _broken_link(f"{previous}{text[0]}{text[1]}", own, findings):
            findings.problems.append(Message("verify.broken_link", seq=seq))
        previous = findings.hashes[seq] = own
        digest = chain.digested(digest, text, own)
        if at < utc:
            findings.warnings.append(Message("verify.clock_back", seq=seq, before=utc, after=at))
        utc = at
        findings.entered.setdefault(table, {}).setdefault(row_id, seq)
        if action == "redact":
            findings.redacted[table, row_id] = seq
        if written is None:
            gone.append((seq, table, row_id))
        else:
            payloads += 1
            if chain.commitment(salt, written) != commitment:
                findings.problems.append(Message("verify.payload_differs", seq=seq))
            _replay(record, payload if payload is not None else _READ(written)[0], findings)
        if seq in signed:
            findings.signed_heads[seq] = digest, findings.epoch
        if seq in heads:
            # Rows are replaced and never changed, so that the tables alone are copied.
            findings.cuts[seq] = {table: dict(rows) for table, rows in findings.state.items()}
    # Judged at the end, because a redaction stands after the entries whose payload it removed.
    for seq, table, row_id in gone:
        if findings.redacted.get((table, row_id), 0) <= seq:
            findings.problems.append(Message("verify.payload_gone", seq=seq))
    findings.checked |= {"audit": len(findings.hashes) - 1, "audit_payload": payloads}


def _with_payloads(entries: Iterable[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Entries of :data:`_CHAIN` with their payload as data; None where it is gone, or must be read by itself.

    Many are read as one list: their rows then share the names of their columns, which are a third of the memory.

    Parameters
    ----------
    entries : the chain.
    """
    left = iter(entries)
    while block := list(itertools.islice(left, READ_AT_ONCE)):
        there = [text for *_, text in block if text is not None]
        try:
            read = _READ(f"[{','.join(there)}]")[0]
        except (ValueError, TypeError, RecursionError):
            read = []
        # Damage must neither go unseen nor be told of its neighbours: each is then read by itself.
        payloads = iter(read if len(read) == len(there) else [None] * len(there))
        for entry in block:
            yield entry, None if entry[-1] is None else next(payloads)


def _signed_heads(reader: Reader) -> set[int]:
    """Numbers of the entries whose head was signed."""
    if "signed_head" not in reader.tables():
        return set()
    return {row["seq"] for row in reader.rows("SELECT seq FROM signed_head")}


def _heads_of_snapshots(reader: Reader) -> set[int]:
    """Numbers of the entries with which snapshots end."""
    if "snapshot" not in reader.tables():
        return set()
    query = "SELECT l.head_seq FROM snapshot s JOIN lock_event l ON l.id = s.lock_event_id"
    return {int(row["head_seq"]) for row in reader.rows(query)}


def _broken_link(whole: str, own: str, findings: Findings) -> bool:
    """Whether a row's hash is not the one that follows; one under a key that is not here is counted, not
    judged.

    Parameters
    ----------
    whole : hash of the row before and text of this one.
    own : hash of this one.
    findings : so far.
    """
    hasher = findings.hashers.get(findings.epoch)
    if hasher is None:
        key = findings.ring.keys.get(findings.epoch) if findings.ring else None
        if findings.epoch and key is None:
            findings.unkeyed += 1
            return False
        hasher = findings.hashers[findings.epoch] = chain.hasher(key.hmac if key else None)
    return hasher(whole) != own


def _replay(record: Sequence[Any], payload: Row, findings: Findings) -> None:
    """Bring the tables forward by one entry.

    Parameters
    ----------
    record : columns :data:`chain.RECORD` of the entry.
    payload : its payload.
    findings : so far.
    """
    seq, _, _, _, _, _, action, table, row_id, number, schema, _ = record
    new = payload["new"]
    if "migration" in payload:
        findings.schema = payload["migration"]["after"]
    if "restored" in payload:
        _note_restored(record, payload, findings)
    if new is None:
        return
    if table == "study_key":
        findings.epoch = int(new["epoch"])
        findings.public[findings.epoch] = str(new["public_key"])
    version = (table, row_id, number)
    if version in findings.signed:
        signature_checks.keep(findings.signed_rows, findings.signed, version, schema, new)
    if schema != findings.version:
        new = lift(table, new, schema, to=findings.version)
    rows = findings.state.setdefault(table, {})
    before = rows.get(row_id)
    # A redacted row begins here: its earlier entries have no payload left to replay.
    expected = before["row_version"] + 1 if before else number if action == "redact" else 1
    if not (new["id"] == row_id and new["row_version"] == number == expected):
        findings.problems.append(Message("verify.version", seq=seq, table=table))
    rows[row_id] = new


def _note_restored(record: Sequence[Any], payload: Row, findings: Findings) -> None:
    """What an entry says of a backup that was restored. It explains what is missing and excuses nothing of it."""
    end, newest = payload["restored"]["head"][0], payload["restored"]["newest"]
    seq, at, _, _, _, by, *_ = record
    why = payload["reason"]
    if newest:
        findings.warnings.append(
            Message("backup.entered_lost", seq=seq, by=by, at=at, end=end, newest=newest[0], why=why)
        )
    else:
        findings.warnings.append(Message("backup.entered", seq=seq, by=by, at=at, end=end, why=why))


def _check_schema(reader: Reader, findings: Findings) -> None:
    if findings.schema and reader.schema_hash() != findings.schema:
        findings.problems.append(Message("verify.schema"))


def _check_keys(findings: Findings) -> None:
    """What the keys on this computer say, and what could not be told without them."""
    ring = findings.ring
    for epoch, (seq, digest) in (ring.pins if ring else {}).items():
        if findings.hashes.get(seq) != digest:
            findings.problems.append(Message("verify.pin", epoch=epoch, seq=seq))
    for epoch, public in findings.public.items():
        if ring and epoch in ring.keys and ring.keys[epoch].public != public:
            findings.problems.append(Message("verify.public_key", epoch=epoch))
    if findings.unkeyed:
        newest = findings.public[max(findings.public)]
        findings.warnings.append(Message("verify.keys_elsewhere", n=findings.unkeyed, key=newest[:16]))
    if not findings.public:
        findings.warnings.append(Message("verify.no_keys"))


def _check_signed_heads(reader: Reader, findings: Findings) -> None:
    has_heads = "signed_head" in reader.tables()
    rows = list(reader.rows("SELECT * FROM signed_head ORDER BY seq")) if has_heads else []
    for row in rows:
        payload = {name: row[name] for name in ("seq", "hash", "digest", "utc", "why")}
        envelope = {
            "purpose": "head", "study": findings.study_id, "epoch": row["epoch"], "payload": payload,
            "signature": row["signature"],
        }  # fmt: skip
        try:
            verify_envelope(envelope, findings.public.get(row["epoch"], ""), purpose="head")
        except Refused:
            findings.problems.append(Message("verify.signature", seq=row["seq"]))
        digest, in_use = findings.signed_heads.get(row["seq"], ("", 0))
        if row["epoch"] != in_use:
            # Keys are rotated when somebody may have read them: what they sign from then on vouches for nothing.
            findings.problems.append(
                Message("verify.other_key", seq=row["seq"], epoch=row["epoch"], in_use=in_use)
            )
        if (findings.hashes.get(row["seq"]), digest) != (row["hash"], row["digest"]):
            findings.problems.append(Message("verify.signed_head", seq=row["seq"]))
    if findings.public and not rows:
        findings.problems.append(Message("verify.no_signed_head"))
    elif findings.public and findings.unkeyed:
        after = max(findings.hashes) - rows[-1]["seq"]
        if after:
            findings.warnings.append(Message("verify.unsigned", n=after))
    findings.checked["signed_head"] = len(rows)


def _tables(reader: Reader) -> dict[str, TableRows]:
    """Rows of every data table, as the database keeps them."""
    return {name: reader.table(name) for name in reader.tables() if name not in BESIDE}


def _check_tables(findings: Findings, tables: Mapping[str, TableRows]) -> None:
    for name, rows in tables.items():
        _check_rows(findings, name, rows)
        findings.checked[name] = len(rows)
    lying = signature_checks.check(
        tables.get("signature", ()), findings.signed_rows, findings.signed, findings.state, findings.redacted
    )
    findings.problems += lying.problems
    findings.warnings += lying.warnings
    for name in sorted(set(findings.state) - set(tables)):
        findings.problems.append(Message("verify.table_gone", table=name, n=len(findings.state[name])))


def _check_rows(findings: Findings, table: str, rows: TableRows) -> None:
    """The rows of a table against those that the chain replays."""
    left = dict(findings.state.get(table, {}))
    own, width = rows.columns.index("id"), len(rows.columns)
    # In the order of the columns, which compares the same values without making a dictionary of every row.
    in_order = operator.itemgetter(*rows.columns)
    for row in rows.values:
        replayed = left.pop(row[own], None)
        if replayed is None:
            findings.problems.append(Message("verify.not_in_chain", table=table, id=row[own]))
            continue
        try:
            same = len(replayed) == width and in_order(replayed) == row
        except KeyError:
            same = False
        if not same:
            _compare(findings, table, rows.named(row), replayed)
    findings.problems += [Message("verify.not_in_table", table=table, id=row_id) for row_id in left]


def _compare(findings: Findings, table: str, row: Row, replayed: Row) -> None:
    """Say in which columns a row is not what the chain replays."""
    veiled = chain.veiled(table, row)
    # Entries of before the veil show the secret itself; they are never rewritten.
    if replayed != veiled:
        wrong = sorted(key for key in row if replayed.get(key) not in (row[key], veiled[key]))
        findings.problems.append(Message("verify.row_differs", table=table, id=row["id"], columns=wrong))


def _check_order(findings: Findings, table: str, rows: TableRows, numbers: list[int]) -> None:
    """Whether rows are in the order in which the chain entered them: of a kind the newest one holds."""
    entered, last, own = findings.entered.get(table, {}), 0, rows.columns.index("id")
    for place, row in enumerate(rows.values):
        seq = entered.get(row[own])
        if seq is None:
            continue  # It is not in the chain, which was said of it.
        if seq <= last or (numbers and numbers[place] != seq):
            findings.problems.append(Message("verify.order", table=table, id=row[own], seq=seq))
            return
        last = seq


def _check_anchors(
    paths: Iterable[Path], findings: Findings, *, known: Iterable[tuple[int, str]], reports: Iterable[Row]
) -> None:
    written: list[Anchor] = []
    for path in paths:
        try:
            good, bad = anchors.read(path)
        except RecordFault as error:
            findings.warnings.append(Message("verify.no_anchors", path=str(path), why=messages.of(error)))
            continue
        written += good
        findings.warnings += [Message("verify.no_anchor", where=where) for where in bad]
    head = max(findings.hashes)
    if written and (behind := head - max(anchor.seq for anchor in written)) > 0:
        findings.warnings.append(Message("verify.anchor_behind", n=behind))
    heads = [Anchor(seq=seq, hash=digest, where=Message("verify.given_head")) for seq, digest in known]
    heads += [
        Anchor(seq=r["head_seq"], hash=r["head_hash"], where=Message("verify.of_report", path=r["path"]))
        for r in reports
    ]
    for anchor in [*written, *heads]:
        if anchor.study not in ("", findings.study_id):
            findings.problems.append(Message("verify.other_study", where=anchor.where, study=anchor.study))
        elif anchor.seq > head:
            findings.problems.append(Message("verify.tail_cut", where=anchor.where, seq=anchor.seq, end=head))
        elif findings.hashes.get(anchor.seq) != anchor.hash:
            findings.problems.append(Message("verify.not_on_chain", where=anchor.where, seq=anchor.seq))
    findings.checked["anchors"] = len(written) + len(heads)
