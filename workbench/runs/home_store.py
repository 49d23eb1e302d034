"""What was recorded at home goes to the site later, and the site's receipt says what has arrived.

Between the two lies a folder that both reach now and then: a share, a stick, what a synchroniser carries::

    home      offer   → parcels/SHA256 (the bytes), then parcels/SHA256.json (what they are)
                        also each decision that the rule for use at home made of a decoder, as a file of its own
    site      receive → home_uploads/PSEUDONYM/NAME in the study, an entry, receipts/SHA256.json, signed
    home      settle  → the receipt's signature and hash are checked, then it is an entry
    home      remove  → a file whose bytes are those of an entered receipt

Each act does what is left to do and may be repeated, or ended anywhere: a file is named only when it is whole, and
a receipt is signed only after the bytes are kept and entered. A file is known by its SHA-256: nothing comes twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import reading, world
from workbench.errors import BadValue, RecordingFault, Refused
from workbench.messages import Message
from workbench.recording import RunFile
from workbench.recording.hashing import file_sha256
from workbench.recording.session_ledger import SUFFIX
from workbench.runs.grant import activation_s
from workbench.study import home_use
from workbench.study.approvals import HOME_RULE
from workbench.study.changes.fittings import RecordUpload
from workbench.study.keys import verify_envelope

if TYPE_CHECKING:
    from workbench.study import Signer, Study

PURPOSE = "home receipt"
"""What the site signs a receipt for."""
STORE = "home_uploads"
"""Folder of a site's study that keeps what came from homes."""
DECISIONS = "home_decisions"
"""Folder of a study at home with a file for each decision of the rule for use at home, as the record has it."""
DECISION = ".decision.json"
"""How such a file ends."""
BECAME: Mapping[str, str] = {"approve": "used", "reject": "kept", "withdraw": "went_back"}
"""What came of a recalibration, by the decision: its decoder is used, or the one before, or the site's again."""
QUOTED = 500
"""Characters of a text of a home that are shown."""
LARGEST = 2**20
"""Of a description or a receipt, bytes."""
BLOCK = 2**20
"""Bytes that are copied at a time."""
SHA256 = re.compile("[0-9a-f]{64}")
NAME = re.compile(r"[\w.-]{1,200}")
"""Names of files that are taken: no path."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file that a home offers.

    Attributes
    ----------
    sha256, n_bytes, name : of the file.
    participant, visit : pseudonym, and name of the visit at which it was recorded.
    """

    sha256: str
    n_bytes: int
    name: str
    participant: str
    visit: str


# ------------------------------------------------------------------------------------ at home
def files_of(study: Study) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Files of ended runs at home that the record holds, of their sessions, and of decisions on decoders, each
    with the row of its visit.

    Parameters
    ----------
    study : the record at home, which took the runs in.
    """
    for session in study.rows("session"):
        if session["plan"].get("place") != home_use.PLACE:
            continue
        visit = study.get("visit", session["visit_id"])
        for run in study.rows("run", session_id=session["id"]):
            for row in study.rows("recording", run_id=run["id"]):
                yield study.folder / row["path"], visit
        yield study.folder / "recordings" / f"{session['id']}{SUFFIX}", visit
    for row in _decided(study):
        yield study.folder / DECISIONS / f"{row['id']}{DECISION}", _visit_of(study, row)


def _decided(study: Study) -> list[dict[str, Any]]:
    return [row for row in study.approvals() if row["method"] == HOME_RULE]


def _visit_of(study: Study, decision: Mapping[str, Any]) -> dict[str, Any]:
    """The visit of the practice that a decoder was fitted on."""
    (decoder,) = study.rows("decoder", sha256=decision["decoder_sha256"])
    (recorded,) = study.rows("recording", sha256=decoder["recordings"][0])
    session = study.get("session", study.get("run", recorded["run_id"])["session_id"])
    return study.get("visit", session["visit_id"])


def _write_decisions(study: Study) -> None:
    """A file for each decision that has none yet; of the same decision always the same bytes."""
    for row in _decided(study):
        path = study.folder / DECISIONS / f"{row['id']}{DECISION}"
        if not path.is_file():
            _save(path, {name: row[name] for name in sorted(row) if name not in ("said", "row_version")})


def offer(study: Study, box: Path) -> list[Parcel]:
    """Leave in the box what has no receipt yet; what lies there whole stays. What was left now.

    Parameters
    ----------
    study : the record at home.
    box : folder that home and site reach.

    Raises
    ------
    RecordingFault
        When a file cannot be read or the box cannot be written.
    """
    received = {row["sha256"] for row in study.rows("upload_receipt")}
    _write_decisions(study)
    left = []
    for path, visit in files_of(study):
        # Removed after its receipt, or a session in which nothing happened between runs.
        if not path.is_file() or (sha256 := file_sha256(path)) in received:
            continue
        target = box / "parcels" / sha256
        about = target.with_suffix(".json")
        if about.is_file() and _is_whole(target, sha256):
            continue
        pseudonym = study.get("participant", visit["participant_id"])["pseudonym"]
        parcel = Parcel(sha256, path.stat().st_size, path.name, str(pseudonym), str(visit["name"]))
        _copy(path, target, sha256)
        _save(about, _plain(parcel))
        left.append(parcel)
    return left


def settle(study: Study, box: Path, *, site_key: str, signer: Signer) -> list[str]:
    """Enter the receipts of the site that are there, each once. The SHA-256 of each that is new.

    Parameters
    ----------
    study : the record at home.
    box : folder that home and site reach.
    site_key : public key of the site's study, 64 hexadecimal digits, as it was given when the home was set up.
    signer : who enters them.

    Raises
    ------
    Refused
        For a receipt that the site did not sign, and without a consent to uploads.
    """
    received = {row["sha256"] for row in study.rows("upload_receipt")}
    visits = {}
    for path, visit in files_of(study):
        if path.is_file():
            visits[file_sha256(path)] = visit
    entered = []
    for path in sorted((box / "receipts").glob("*.json")):
        payload = verify_envelope(_read(path), site_key, purpose=PURPOSE)
        sha256 = str(payload.get("sha256"))
        # One of another home, or of a file that nobody has here: it says nothing about what is here.
        if sha256 in received or sha256 not in visits:
            continue
        study.apply(
            RecordUpload(
                visits[sha256]["id"], f"home: {payload['name']}", str(payload["received"]),
                int(payload["n_bytes"]), sha256, str(payload["recipient"]),
            ),
            signer,
        )  # fmt: skip
        entered.append(sha256)
    return entered


def received(study: Study) -> list[Path]:
    """Files at home that the site has: those whose bytes, now, are those of a receipt in the record.

    Parameters
    ----------
    study : the record at home.
    """
    receipts = {row["sha256"] for row in study.rows("upload_receipt")}
    return [path for path, _visit in files_of(study) if path.is_file() and file_sha256(path) in receipts]


# ------------------------------------------------------------------------------------ at the site
def receive(study: Study, box: Path, *, recipient: str, signer: Signer) -> list[Parcel]:
    """Keep what homes left, enter it, and sign a receipt for it. What is new.

    A parcel whose bytes are not those that it names is left where it is: the home offers it again.

    Parameters
    ----------
    study : the record of the site.
    box : folder that home and site reach.
    recipient : who received it, such as the name of the site.
    signer : who enters it.

    Raises
    ------
    BadValue
        For a description that is none.
    Refused
        For a participant or visit that the record does not hold, and without their consent to uploads.
    """
    new = []
    for about in sorted((box / "parcels").glob("*.json")):
        parcel = _parcel(about)
        entered = study.rows("upload_receipt", sha256=parcel.sha256)
        kept = study.folder / STORE / parcel.participant / parcel.name
        if not entered:
            visit = _visit(study, parcel)
            if not _is_whole(about.with_suffix(""), parcel.sha256):
                continue
            if kept.is_file() and file_sha256(kept) != parcel.sha256:
                raise Refused(Message("home_store.other_file", file=parcel.name, path=str(kept)))
            _copy(about.with_suffix(""), kept, parcel.sha256)
            sent = f"{world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
            upload = RecordUpload(
                visit, f"home: {parcel.name}", sent, parcel.n_bytes, parcel.sha256, recipient
            )  # fmt: skip
            study.apply(upload, signer)
            new.append(parcel)
            entered = study.rows("upload_receipt", sha256=parcel.sha256)
        # Also where it was entered before: the site may have been ended before it signed.
        receipt = box / "receipts" / f"{parcel.sha256}.json"
        if not receipt.is_file():
            row = entered[0]
            payload = {
                "sha256": parcel.sha256, "n_bytes": row["n_bytes"], "name": parcel.name,
                "participant": parcel.participant, "received": row["sent"], "recipient": row["recipient"],
            }  # fmt: skip
            _save(receipt, study.sign(payload, purpose=PURPOSE))
    return new


def looked_at(folder: Path, participant: str) -> list[dict[str, Any]]:
    """The site's look at what came from a home: a line for each recording, oldest first. Nothing is written.

    Parameters
    ----------
    folder : of the site's study.
    participant : pseudonym.

    Returns
    -------
    list of dict
        ``started``, ``minutes``, ``active_s`` (the glove was asked to close), ``stops``, ``faults``, ``state``.
    """
    lines = []
    for path in sorted((folder / STORE / participant).glob("*.xdf")):
        file = RunFile(path, damaged="skip")
        rows = file.ledger()
        n, fs = len(file.signal.stamps), file.signal.fs
        lines.append({
            "started": str(file.plan.get("started", "")), "minutes": n / fs / 60.0 if fs else 0.0,
            "active_s": activation_s(file),
            "stops": sum(row.kind == "estop" for row in rows),
            "faults": sum(row.priority == "high" and row.kind != "estop" for row in rows), "state": file.state,
        })  # fmt: skip
    return sorted(lines, key=lambda line: str(line["started"]))


def recalibrations(folder: Path, participant: str) -> list[dict[str, Any]]:
    """Decoders that were made at home, as far as the site has them: a line for each decision, oldest first.

    Parameters
    ----------
    folder : of the site's study.
    participant : pseudonym.

    Returns
    -------
    list of dict
        ``utc``, ``outcome`` (of :data:`BECAME`), ``decoder`` (hash), ``reason``, and ``figures``: value and limit
        by check.

    Raises
    ------
    BadValue
        For a file that is none of a decision.
    """
    lines = []
    for path in sorted((folder / STORE / participant).glob(f"*{DECISION}")):
        content = _read(path)
        try:
            checks = {str(one["name"]): (_line(one["value"]), _line(one["limit"])) for one in content["checks"]}
            lines.append({
                "utc": _line(content["utc"]), "outcome": BECAME[content["decision"]],
                "decoder": _line(content["decoder_sha256"]), "reason": _line(content["reason"]), "figures": checks,
            })  # fmt: skip
        except (KeyError, TypeError) as error:
            raise BadValue(Message("home_store.no_decision", file=path.name)) from error
    return sorted(lines, key=lambda line: str(line["utc"]))


# ------------------------------------------------------------------------------------ inside
def _line(text: object) -> str:
    """A text of outside on one line, without what a terminal would obey."""
    return "".join(character for character in str(text)[:QUOTED] if character.isprintable())


def _visit(study: Study, parcel: Parcel) -> str:
    """Id of the visit that a parcel is of. Raises Refused."""
    people = study.rows("participant", pseudonym=parcel.participant)
    visits = study.rows("visit", participant_id=people[0]["id"], name=parcel.visit) if people else []
    if not visits:
        raise Refused(Message("home_store.nobody", participant=parcel.participant, visit=parcel.visit))
    return str(visits[0]["id"])


def _parcel(about: Path) -> Parcel:
    """The description of a parcel, which comes from outside. Raises BadValue."""
    content = _read(about)
    texts = all(isinstance(content.get(name), str) for name in ("sha256", "name", "participant", "visit"))
    n_bytes = content.get("n_bytes")
    sound = texts and isinstance(n_bytes, int) and not isinstance(n_bytes, bool) and n_bytes > 0
    if not sound or set(content) != set(Parcel.__slots__):
        raise BadValue(Message("home_store.no_parcel", file=about.name))
    parcel = Parcel(**content)
    # Both become parts of a path.
    names = NAME.fullmatch(parcel.name) and NAME.fullmatch(parcel.participant)
    dots = {parcel.name, parcel.participant} & {".", ".."}
    if not names or dots or not SHA256.fullmatch(parcel.sha256) or about.stem != parcel.sha256:
        raise BadValue(Message("home_store.no_parcel", file=about.name))
    return parcel


def _read(path: Path) -> dict[str, Any]:
    text = reading.read_text(path, Message("file.noun_file"), largest=LARGEST)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue(Message("home_store.no_parcel", file=path.name)) from error
    if not isinstance(content, dict):
        raise BadValue(Message("home_store.no_parcel", file=path.name))
    return content


def _plain(parcel: Parcel) -> dict[str, Any]:
    return {name: getattr(parcel, name) for name in Parcel.__slots__}


def _save(path: Path, content: Mapping[str, Any]) -> None:
    try:
        world.disk.mkdir(path.parent, parents=True, exist_ok=True)
        world.disk.save(path, json.dumps(content, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise RecordingFault(Message("home_store.unwritten", path=str(path), why=str(error.strerror))) from error


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy under another name, wait for the disk, check the bytes that arrived, and only then name them."""
    if _is_whole(target, sha256):
        return
    part = target.with_name(f"{target.name}.part")
    try:
        world.disk.mkdir(target.parent, parents=True, exist_ok=True)
        with source.open("rb") as read, world.disk.open(part, "wb") as written:
            while block := read.read(BLOCK):
                written.write(block)
            written.flush()
            world.disk.sync(written.fileno())
        if file_sha256(part) != sha256:
            raise RecordingFault(Message("home_store.changed", file=source.name))
        world.disk.replace(part, target)
        world.disk.sync_folder(target.parent)
    except OSError as error:
        raise RecordingFault(Message("home_store.unwritten", path=str(target), why=str(error.strerror))) from error
