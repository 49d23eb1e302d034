"""Signatures on the report of a trial: they bind the draft that was read, and the signed issue shows them.

A draft is registered in the record with the SHA-256 of its file. Whoever signs, signs that row and those of the
same draft in other formats. When the report is made again, the bytes of its draft are the same, and so the
signatures on them are found: the signed issue differs from the draft by its signatures alone. A report that would
say anything else has other bytes, and is a draft again. So a draft is not signed once it would be made otherwise:
its lock was ended, a deletion has cut its snapshot again, or the program is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench import reading
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.reports._programs import programs_sha256
from workbench.study import allocations, locks
from workbench.study.applying import bound_now
from workbench.study.changes.signing import Sign

if TYPE_CHECKING:
    from workbench.study import Signer, Study

Role = Literal["investigator", "statistician"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Who signs the report of a trial, in the order of its lines."""
MEANINGS: dict[Role, str] = {
    "investigator": "I approve this report as its investigator",
    "statistician": "I approve this report as its statistician",
}
"""What each signature says."""
SIGNED = "signed_draft"
"""Parameter of a signed issue: the SHA-256 of the draft that was signed."""

Row = Mapping[str, Any]


def sign_report(study: Study, path: Path | str, signer: Signer, role: str, *, password: str = "") -> str:
    """Sign a report that was read. Returns the SHA-256 of its draft.

    Parameters
    ----------
    study : the open record.
    path : a file of the report, in whatever format.
    signer : who signs. A script signs where everybody is simulated.
    role : of :data:`ROLES`, as whom.
    password : the signer's, which a signature takes again.

    Raises
    ------
    BadValue
        Another role, a role that the signer has not, or no draft of a report of a snapshot.
    Refused
        Signed as that role already or by the same person, a draft that would be made otherwise today, somebody
        blinded before a report that is not, or the password is wrong.
    """
    as_whom = _role(signer, role)
    row = _draft(study, Path(path))
    _refuse_stale(study, row)
    if row["parameters"]["view"] == "unblinded" and (why := allocations.blinded_now(study, signer)):
        raise Refused(Message("report.sign_blinded", why=why))
    for one in signatures(study, {row["id"]}):
        if one["meaning"] == MEANINGS[as_whom]:
            raise Refused(Message("report.signed_already", role=role))
        if signer.person_id and one["person_id"] == signer.person_id:
            raise Refused(Message("report.sign_one_person", name=signer.name))
    targets = tuple(("report", str(one["id"])) for one in _same_draft(study, row))
    shown = bound_now(study, targets)[1]
    study.apply(Sign(targets, MEANINGS[as_whom], shown), signer.confirm(password), "report signed")
    return str(row["sha256"])


def signatures(study: Study, report_ids: Collection[str]) -> tuple[Row, ...]:
    """Signatures as one of :data:`ROLES` on a row of those reports, in the order of the lines of a report.

    Parameters
    ----------
    study : the open record.
    report_ids : of rows of the table ``report``.
    """
    on_them = [
        row
        for row in study.rows("signature")
        if any(table == "report" and row_id in report_ids for table, row_id, *_ in row["targets"])
    ]
    return tuple(row for role in ROLES for row in on_them if row["meaning"] == MEANINGS[role])


def on_draft(study: Study, sha256: str) -> tuple[Row, ...]:
    """Signatures on the draft with those bytes.

    Parameters
    ----------
    study : the open record.
    sha256 : of the draft's file.
    """
    return signatures(study, {str(row["id"]) for row in study.rows("report", sha256=sha256)})


def missing(signed: Collection[Row]) -> tuple[Role, ...]:
    """Roles as which nobody has signed yet.

    Parameters
    ----------
    signed : signatures on one draft.
    """
    given = {row["meaning"] for row in signed}
    return tuple(role for role in ROLES if MEANINGS[role] not in given)


def _role(signer: Signer, role: str) -> Role:
    if role not in ROLES:
        raise BadValue(Message("report.sign_role", allowed=list(ROLES), got=f"{role!r:.60}"))
    if signer.method != "script" and role not in signer.roles:
        raise BadValue(Message("report.sign_other_role", name=signer.name, role=role))
    return role


def _draft(study: Study, path: Path) -> Row:
    """The row of a report by the bytes of its file, which may lie anywhere."""
    digest = reading.sha256(path, "the report")
    rows = study.rows("report", sha256=digest)
    if not rows:
        raise BadValue(Message("report.sign_unknown", path=reading.shown(path), sha256=digest[:12]))
    row: Row = rows[-1]
    if draft := row["parameters"].get(SIGNED):
        raise BadValue(Message("report.sign_issue", path=reading.shown(path), sha256=str(draft)[:12]))
    if row["kind"] == "session":
        raise BadValue(Message("report.sign_session", path=reading.shown(path)))
    if not row["parameters"]["snapshot"]:
        raise BadValue(Message("report.sign_no_cut", path=reading.shown(path)))
    return row


def _refuse_stale(study: Study, row: Row) -> None:
    """Refuse a draft that would say something else today: its signatures would stand on no issue."""
    made, path = row["parameters"], str(row["path"])
    snapshot = study.rows("snapshot", name=made["snapshot"])[-1]
    if row["kind"] == "final":
        lock = locks.in_force(study.rows("lock_event")).get(("study", ""))
        if lock is None or lock["id"] != snapshot["lock_event_id"]:
            raise Refused(Message("report.sign_unlocked", path=path, snapshot=snapshot["name"]))
    if _cut_since(study, row, snapshot):
        raise Refused(Message("report.sign_recut", path=path, snapshot=snapshot["name"]))
    if made["programs"] != programs_sha256():
        raise Refused(Message("report.sign_program", path=path))


def _cut_since(study: Study, row: Row, snapshot: Row) -> bool:
    """Whether a deletion has cut the snapshot again since the draft was registered: by the order of the chain."""
    made = study.history("report", row["id"])[0]["seq"]
    again = study.rows("snapshot_recut", snapshot_id=snapshot["id"])
    return any(study.history("snapshot_recut", one["id"])[0]["seq"] > made for one in again)


def _same_draft(study: Study, row: Row) -> list[Row]:
    """The rows that were issued with it: of the same content in other formats, and it itself."""

    def content(one: Row) -> tuple[Any, ...]:
        made = {key: value for key, value in one["parameters"].items() if key != "format"}
        return one["kind"], one["head_hash"], sorted(made.items())

    return [one for one in study.rows("report", head_seq=row["head_seq"]) if content(one) == content(row)]
