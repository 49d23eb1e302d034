"""What the record says about decisions on decoders: the newest one for a use holds.

Reading only. The one place where a decision is made is ``workbench.runs.approve``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.study import reading
from workbench.study.deletion import marked

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
    """Whether a decision lets the decoder be used; one by a script does where nobody real can be moved.

    None does once the recordings that the decoder was fitted on were deleted.
    """
    if decision is None or decision["decision"] != "approve":
        return False
    if decision["decoder_sha256"] in marked(study.rows("deletion")):
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


def system_of(session: Mapping[str, Any]) -> str:
    """System and task of a session's row, as ``"name task"``; ``""`` where its plan names none."""
    stated = session["plan"].get("system") or {}
    return f"{stated['name']} {stated['task']}" if stated else ""


def systems_of(study: Study, decoder: Mapping[str, Any]) -> frozenset[str]:
    """System and task, as ``"name task"``, of the sessions that a decoder was fitted on.

    Empty where the record does not say: sessions from before systems were recorded, or without one.
    """
    runs = {row["run_id"] for sha256 in decoder["recordings"] for row in study.rows("recording", sha256=sha256)}
    sessions = {study.get("run", run)["session_id"] for run in runs}
    return frozenset(filter(None, (system_of(study.get("session", session)) for session in sessions)))


def serves(study: Study, decoder: Mapping[str, Any], system: str) -> bool:
    """Whether a decoder may be used in a system and task; where either is unknown, it may.

    Parameters
    ----------
    study : the open record.
    decoder : its row.
    system : name of the system and of the task, as ``"neo_hand self_paced"``.
    """
    return not system or systems_of(study, decoder) <= {system}


def in_use(study: Study, *, effector: str, participant_id: str, system: str = "") -> Row | None:
    """The decoder that an online run would use: the one approved last, with its decision; None when there is
    none.

    Parameters
    ----------
    study : the open record.
    effector, participant_id : the use.
    system : ``"name task"`` of the session; decoders made for another one are passed over. ``""`` for any.
    """
    seen: set[str] = set()
    for decision in reversed(study.rows("approval", effector=effector, participant_id=participant_id)):
        sha256 = decision["decoder_sha256"]
        if sha256 not in seen and holds(study, decision):
            (decoder,) = study.rows("decoder", sha256=sha256)
            if serves(study, decoder, system):
                return {**decoder, "approval": decision}
        # Only the newest decision on each decoder counts: an older approval must not outlive its withdrawal.
        seen.add(sha256)
    return None


def awaiting(study: Study, participant_id: str, *, system: str = "") -> list[Row]:
    """Decoders that were fitted on recordings of a participant and not yet decided on, newest last.

    Parameters
    ----------
    study : the open record.
    participant_id : of whom.
    system : ``"name task"`` that they must serve, ``""`` for any.
    """
    decided = {row["decoder_sha256"] for row in decisions(study, participant_id=participant_id)}
    decided |= marked(study.rows("deletion"))
    own = recordings_of(study, participant_id)
    waiting = [
        row for row in study.rows("decoder") if row["sha256"] not in decided and set(row["recordings"]) & own
    ]
    return [row for row in waiting if serves(study, row, system)]


def all_awaiting(study: Study) -> dict[str, list[Row]]:
    """Decoders that wait for a decision by participant, as :func:`awaiting` finds them; tables are read once."""
    fitted = study.rows("decoder")
    if not fitted:
        return {}
    with study.database.connected() as connection:

        def column(table: str, *names: str) -> dict[str, str]:
            return dict(reading.stored(connection, table, *names))

        person = column("visit", "id", "participant_id")
        visit, session = column("session", "id", "visit_id"), column("run", "id", "session_id")
        run = column("recording", "sha256", "run_id")
        decided = set(reading.stored(connection, "approval", "participant_id", "decoder_sha256"))
    gone = marked(study.rows("deletion"))
    waiting: dict[str, list[Row]] = {}
    for row in fitted:
        if row["sha256"] in gone:
            continue
        owners = {person[visit[session[run[sha256]]]] for sha256 in row["recordings"] if sha256 in run}
        for owner in sorted(owners):
            if (owner, row["sha256"]) not in decided:
                waiting.setdefault(owner, []).append(row)
    return waiting


def recordings_of(study: Study, participant_id: str) -> set[str]:
    """SHA-256 of every recording of a participant."""
    visits = {row["id"] for row in study.rows("visit", participant_id=participant_id)}
    sessions = {row["id"] for row in study.rows("session") if row["visit_id"] in visits}
    runs = {row["id"] for row in study.rows("run") if row["session_id"] in sessions}
    return {row["sha256"] for row in study.rows("recording") if row["run_id"] in runs}
