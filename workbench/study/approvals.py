"""What the record says about decisions on decoders: the newest one for a use holds.

A decoder that was made at home was decided on by the rule of the protocol. Its decision holds at home alone, and
only while the bounds of that rule do; for every other place the site decides.

Reading only. The one place where a decision is made is ``workbench.runs.approve``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from workbench import world
from workbench.messages import Message
from workbench.study import home_use, reading
from workbench.study.deletion import marked
from workbench.vocabulary import RecalibrationRule

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = dict[str, Any]
SCREEN = "screen"
"""The effector of a session without one: feedback only."""
HOME_RULE: Literal["home rule"] = "home rule"
"""Method of a decision that the rule for use at home made."""
DAY_S = 86_400.0


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


def holds(study: Study, decision: Row | None, *, place: str = "clinic") -> bool:
    """Whether a decision lets the decoder be used; one by a script does where nobody real can be moved.

    None does once the recordings that the decoder was fitted on were deleted, and one by the rule for use at home
    nowhere else, nor beyond its bounds.

    Parameters
    ----------
    study : the open record.
    decision : the newest one of its use. place : where the decoder is to be used.
    """
    if decision is None or decision["decision"] != "approve":
        return False
    if decision["decoder_sha256"] in marked(study.rows("deletion")):
        return False
    if decision["method"] == HOME_RULE:
        return place == home_use.PLACE and why_not_at_home(study, decision) is None
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


def in_use(
    study: Study, *, effector: str, participant_id: str, system: str = "", place: str = "clinic"
) -> Row | None:
    """The decoder that an online run would use: the one approved last, with its decision; None when there is
    none.

    Parameters
    ----------
    study : the open record.
    effector, participant_id : the use.
    system : ``"name task"`` of the session; decoders made for another one are passed over. ``""`` for any.
    place : of the session; elsewhere than at home it is one that the site approved.
    """
    seen: set[str] = set()
    for decision in reversed(study.rows("approval", effector=effector, participant_id=participant_id)):
        sha256 = decision["decoder_sha256"]
        if sha256 not in seen and holds(study, decision, place=place):
            (decoder,) = study.rows("decoder", sha256=sha256)
            if serves(study, decoder, system):
                return {**decoder, "approval": decision}
        # Only the newest decision on each decoder counts: an older approval must not outlive its withdrawal.
        seen.add(sha256)
    return None


def awaiting(study: Study, participant_id: str, *, system: str = "") -> list[Row]:
    """Decoders that were fitted on recordings of a participant and not yet decided on, newest last.

    One that the rule for use at home took still awaits the site, whose decision it needs everywhere else.

    Parameters
    ----------
    study : the open record.
    participant_id : of whom.
    system : ``"name task"`` that they must serve, ``""`` for any.
    """
    every = {row["decoder_sha256"]: row for row in decisions(study, participant_id=participant_id)}
    decided = {sha256 for sha256, row in every.items() if not _taken_at_home(row)}
    decided |= marked(study.rows("deletion"))
    own = recordings_of(study, participant_id)
    waiting = [
        row for row in study.rows("decoder") if row["sha256"] not in decided and set(row["recordings"]) & own
    ]
    return [row for row in waiting if serves(study, row, system)]


def _taken_at_home(decision: Mapping[str, Any]) -> bool:
    return (decision["method"], decision["decision"]) == (HOME_RULE, "approve")


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
        columns = ("participant_id", "decoder_sha256", "method", "decision")
        every = {row[:2]: row[2:] for row in reading.stored(connection, "approval", *columns)}
    decided = {use for use, last in every.items() if last != (HOME_RULE, "approve")}
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


# ------------------------------------------------------------------------------------ made at home
@dataclass(frozen=True, slots=True)
class AtHome:
    """How the decoders of one use stand at home.

    Attributes
    ----------
    rule : bounds of the protocol in force, None where the site makes every decoder.
    rule_sha256 : of the whole rule for use at home, ``""`` for none.
    site : the decoder that the site approved last and that is in use elsewhere, with its decision; None for none.
    decided : decisions by the rule for use at home since then on decoders of this system, oldest first.
    """

    rule: RecalibrationRule | None
    rule_sha256: str
    site: Row | None
    decided: tuple[Row, ...]

    @property
    def age_days(self) -> float:
        """Days since the approval of the site; infinite without one, and by a clock for which it is to come."""
        return float("inf") if self.site is None else days_since(self.site["approval"]["utc"])

    @property
    def in_a_row(self) -> int:
        """Decoders that were decided on since then, used or not."""
        return sum(row["decision"] != "withdraw" for row in self.decided)


def at_home(study: Study, *, effector: str, participant_id: str, system: str = "") -> AtHome:
    """How the decoders of one use stand at home.

    Parameters
    ----------
    study : the open record.
    effector, participant_id : the use.
    system : ``"name task"`` of the session, ``""`` for any.
    """
    whole = home_use.rule_of(study, participant_id)
    site = in_use(study, effector=effector, participant_id=participant_id, system=system)
    rows = study.rows("approval", effector=effector, participant_id=participant_id)
    if site is not None:
        rows = rows[[row["id"] for row in rows].index(site["approval"]["id"]) :]
    own = [row for row in rows if row["method"] == HOME_RULE and _is_of(study, row, system)]
    if whole is None:
        return AtHome(None, "", site, tuple(own))
    return AtHome(whole.recalibration, whole.sha256, site, tuple(own))


def why_not_at_home(study: Study, decision: Row) -> Message | None:
    """Why a decision of the rule for use at home holds nowhere any more; None while it holds at home.

    Parameters
    ----------
    study : the open record.
    decision : the newest one on its decoder, which took it.
    """
    (decoder,) = study.rows("decoder", sha256=decision["decoder_sha256"])
    system = next(iter(systems_of(study, decoder)), "")
    now = at_home(study, effector=decision["effector"], participant_id=decision["participant_id"], system=system)
    stated = {check["name"]: str(check["value"]) for check in decision["checks"]}
    if now.rule is None or stated.get("rule") != now.rule_sha256:
        return Message("recalibration.other_rule")
    if (
        now.site is None
        or stated.get("site") != now.site["approval"]["id"]
        or _site_decided_since(study, decision)
    ):
        return Message("recalibration.other_site")
    if dict(decision["limits"] or {}) != dict(now.site["approval"]["limits"] or {}):
        return Message("recalibration.other_limits")
    if now.age_days > now.rule.alone_days:
        return Message("recalibration.too_old", n=now.rule.alone_days)
    taken = [at for at, row in enumerate(now.decided) if row["decision"] == "approve"]
    # The last one alone: going back from it leads to the decoder of the site, and to none in between.
    if not taken or now.decided[taken[-1]]["id"] != decision["id"]:
        return Message("recalibration.replaced")
    before = sum(row["decision"] != "withdraw" for row in now.decided[: taken[-1]])
    if before >= now.rule.most_in_a_row:
        return Message("recalibration.too_many", n=now.rule.most_in_a_row)
    return None


def _site_decided_since(study: Study, decision: Row) -> bool:
    """Whether the site approved another one since: once it takes that back, what was made before stays ended."""
    use = {"effector": decision["effector"], "participant_id": decision["participant_id"]}
    rows = study.rows("approval", **use)
    later = rows[[row["id"] for row in rows].index(decision["id"]) + 1 :]
    return any(row["method"] != HOME_RULE and row["decision"] == "approve" for row in later)


def days_since(utc: str) -> float:
    """Days since a moment; infinite for one to come, as a clock that was set back must prolong nothing.

    Parameters
    ----------
    utc : of a decision or a run, ``""`` where it is not known; infinite then too.
    """
    if not utc:
        return float("inf")
    days = (world.clock.now() - datetime.fromisoformat(utc)).total_seconds() / DAY_S
    return days if days >= 0 else float("inf")


def _is_of(study: Study, decision: Row, system: str) -> bool:
    (decoder,) = study.rows("decoder", sha256=decision["decoder_sha256"])
    return serves(study, decoder, system)
