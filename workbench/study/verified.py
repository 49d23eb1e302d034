"""Verifying a record, on request or before a lock, and what the record says of the newest time it was done.

The result is an entry of the chain: who verified, when, before which change, up to which entry, and what was
found. Nothing else says that a record was verified, so that no screen can claim it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from workbench.errors import RecordFault
from workbench.messages import SAID, Message, restored
from workbench.study import reading, schema
from workbench.study.clock import utc_now
from workbench.study.verification import Verification, verify
from workbench.study.writer import Writer

if TYPE_CHECKING:
    from workbench.study.record import Study

ACTION = "verify"


@dataclass(frozen=True, slots=True)
class LastVerification:
    """A verification of chain and tables.

    Attributes
    ----------
    utc, by : when and who.
    ok : whether the record held.
    seq : entry up to which it was verified.
    problems : how many there were. first : the first of them, ``""`` for none.
    kept : whether the record holds it; False where it cannot be written.
    before : name of the change that rests on it, ``""`` for one that was asked for.
    files : whether the files beside the record were looked at too.
    """

    utc: str
    by: str
    ok: bool
    seq: int
    problems: int
    first: str
    kept: bool = True
    before: str = ""
    files: bool = False


def verify_now(study: Study, *, by: str = "", progress: Callable[[float], None] | None = None) -> LastVerification:
    """Verify chain and tables of a record and enter the result, without the files beside it.

    Parameters
    ----------
    study : the open record.
    by : who verifies, ``""`` for whom the record was opened for.
    progress : called with the share of the chain that is done, 0 to 1.

    Raises
    ------
    RecordLocked
        When another process holds the record.
    RecordFault
        When there is no record that could be verified.
    """
    found = verify(study.folder, files=False, copies=study.writing.anchor_files[1:], progress=progress)
    made = result(found, by=by or study.actor)
    # A record that cannot be written, or is too broken for it, is verified all the same.
    with suppress(RecordFault):
        with study.writing.begin(ACTION, actor=by) as writer:
            enter(writer, study.id, made, found.head[1])
        return last(study) or made
    return made


def result(found: Verification, *, by: str, before: str = "") -> LastVerification:
    """What was found, as it is entered.

    Parameters
    ----------
    found : by verifying now.
    by : who verified.
    before : name of the change that rests on it.
    """
    return LastVerification(
        utc_now(), by, found.ok, found.head[0], len(found.problems), _first(found.problems), kept=False,
        before=before, files="files" in found.checked,
    )  # fmt: skip


def _first(problems: Sequence[str]) -> str:
    """The problem that names the first bad entry; without such a one the first."""
    entries = [one for one in problems if isinstance(one, Message) and isinstance(one.arguments.get("seq"), int)]
    return min(entries, key=lambda one: int(str(one.arguments["seq"])), default=problems[0] if problems else "")


def enter(writer: Writer, study_id: str, result: LastVerification, digest: str) -> None:
    """Enter a verification in an open transaction.

    Parameters
    ----------
    writer : of the transaction, in the name of who verified.
    study_id : of the study.
    result : what was found.
    digest : hash of the newest entry that was verified.
    """
    said = (
        Message("overview.holds", seq=result.seq)
        if result.ok
        else Message("overview.broken", n=result.problems, why=result.first)
    )
    facts = {
        "ok": result.ok, "head": [result.seq, digest], "problems": result.problems, "before": result.before,
        "files": result.files,
    }  # fmt: skip
    payload = {"new": None, "old": None, "reason": said, "verification": facts}
    version = int((writer.get(schema.study, id=study_id) or {"row_version": 1})["row_version"])
    writer.log(ACTION, "study", study_id, version=version, payload=payload)


def last(study: Study, *, up_to: int | None = None) -> LastVerification | None:
    """The newest verification that an open record holds, of those up to an entry; None where there is none."""
    with study.database.connected() as connection:
        return newest(connection, study.id, up_to=up_to)


def newest(connection: Connection, study_id: str, *, up_to: int | None = None) -> LastVerification | None:
    """The newest verification that the record holds, None where there is none.

    Parameters
    ----------
    connection : to the record.
    study_id : of the study.
    up_to : number of the last entry that is looked at; None for all.
    """
    audit, payload = schema.audit, schema.audit_payload
    query = select(audit, payload.c.payload).join(payload, payload.c.seq == audit.c.seq)
    query = query.where(audit.c.table_name == "study", audit.c.row_id == study_id, audit.c.action == ACTION)
    if up_to is not None:
        query = query.where(audit.c.seq <= up_to)
    row = connection.execute(query.order_by(audit.c.seq.desc()).limit(1)).mappings().first()
    return None if row is None else _told(row)


def _told(row: Mapping[Any, Any]) -> LastVerification:
    payload = reading.parsed(row["payload"])
    facts, why = payload["verification"], ""
    if not facts["ok"]:
        said = restored({name: payload[name] for name in ("reason", SAID) if name in payload})["reason"]
        # The sentence holds the problem; one that another version worded is told whole.
        why = str(said) if not isinstance(said, Message) else said.arguments["why"]  # type: ignore[assignment]
    # An earlier version entered those that were asked for and nothing more.
    return LastVerification(
        row["utc"], row["actor"], facts["ok"], facts["head"][0], facts["problems"], why,
        before=facts.get("before", ""), files=facts.get("files", False),
    )  # fmt: skip
