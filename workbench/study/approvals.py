"""What the record says about decisions on decoders: the newest one for a use holds.

Reading only. The one place where a decision is made is ``workbench.runs.approve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = dict[str, Any]
SCREEN = "screen"
"""The effector of a session without one: feedback only."""


def decisions(study: Study, *, participant_id: str | None = None, sha256: str | None = None) -> list[Row]:
    """Every decision, oldest first, of a participant or decoder or of all.

    Parameters
    ----------
    study : the open record.
    participant_id, sha256 : of whom and on which decoder; None is all.
    """
    where = {"participant_id": participant_id, "decoder_sha256": sha256}
    return study.rows("approval", **{name: value for name, value in where.items() if value is not None})


def newest(study: Study, sha256: str, *, effector: str, participant_id: str) -> Row | None:
    """The decision that holds for one use, None when there is none.

    Parameters
    ----------
    study : the open record.
    sha256 : of the decoder.
    effector, participant_id : the use.
    """
    rows = study.rows("approval", decoder_sha256=sha256, effector=effector, participant_id=participant_id)
    # Rows come in the order of entry.
    return rows[-1] if rows else None


def holds(study: Study, decision: Row | None) -> bool:
    """Whether a decision lets the decoder be used; one by a script does where nobody real can be moved."""
    if decision is None or decision["decision"] != "approve":
        return False
    return decision["method"] != "script" or may_be_scripted(
        study, effector=decision["effector"], participant_id=decision["participant_id"]
    )


def may_be_scripted(study: Study, *, effector: str, participant_id: str) -> bool:
    """Whether a script may stand in for somebody: the participant is simulated, or the effector moves nothing.

    Parameters
    ----------
    study : the open record.
    effector, participant_id : the use.
    """
    return effector == SCREEN or bool(study.get("participant", participant_id)["simulated"])


def in_use(study: Study, *, effector: str, participant_id: str) -> Row | None:
    """The decoder that an online run would use: the one approved last, with its decision; None when there is
    none.

    Parameters
    ----------
    study : the open record.
    effector, participant_id : the use.
    """
    seen: set[str] = set()
    for decision in reversed(study.rows("approval", effector=effector, participant_id=participant_id)):
        sha256 = decision["decoder_sha256"]
        if sha256 not in seen and holds(study, decision):
            return {**study.rows("decoder", sha256=sha256)[0], "approval": decision}
        # Only the newest decision on each decoder counts: an older approval must not outlive its withdrawal.
        seen.add(sha256)
    return None


def awaiting(study: Study, participant_id: str) -> list[Row]:
    """Decoders that were fitted on recordings of a participant and not yet decided on, newest last."""
    decided = {row["decoder_sha256"] for row in decisions(study, participant_id=participant_id)}
    own = recordings_of(study, participant_id)
    return [row for row in study.rows("decoder") if row["sha256"] not in decided and set(row["recordings"]) & own]


def recordings_of(study: Study, participant_id: str) -> set[str]:
    """SHA-256 of every recording of a participant."""
    visits = {row["id"] for row in study.rows("visit", participant_id=participant_id)}
    sessions = {row["id"] for row in study.rows("session") if row["visit_id"] in visits}
    runs = {row["id"] for row in study.rows("run") if row["session_id"] in sessions}
    return {row["sha256"] for row in study.rows("recording") if row["run_id"] in runs}
