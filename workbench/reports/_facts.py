"""The data of one session, read once from the record and put in order. No wording and no arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench import control, paradigms
from workbench.analysis import Query, assessment_of, queries
from workbench.errors import RecordFault, UnknownName
from workbench.messages import Message

if TYPE_CHECKING:
    from workbench.study import Study

Row = Mapping[str, Any]

READINGS = 10
"""Attempts to read the facts of a record that other programs keep writing."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The last entry of the record that is not the registration of a report."""

    seq: int
    hash: str
    utc: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run with its rows of other tables; ``trials`` by index, ``ledger`` by stream time."""

    row: Row
    trials: tuple[Row, ...]
    ledger: tuple[Row, ...]
    recordings: tuple[Row, ...]

    @property
    def number(self) -> int:
        """Number of the run within its session."""
        return int(self.row["number"])

    @property
    def online(self) -> bool:
        """Whether decisions of a decoder moved its effector; no other run counts in a result."""
        return bool(self.row["kind"] == "online")

    @property
    def scheduled(self) -> bool:
        """Whether a schedule moved its effector."""
        return self.row["kind"] in control.SCHEDULED

    @property
    def sha(self) -> str:
        """SHA-256 of its first recording, ``""`` when the record has none."""
        return str(self.recordings[0]["sha256"]) if self.recordings else ""

    @property
    def source(self) -> str:
        """Short source line: the run's id (its last part, when long) and the start of the recording's hash."""
        run_id = str(self.row["id"])
        short = run_id if len(run_id) <= 14 else run_id.rpartition("-")[2][-14:]
        return f"{short} · {self.sha[:12] or '–'}"

    @property
    def parameters(self) -> Row:
        """Paradigm parameters; a run that stores more has them under ``params``."""
        stored = dict(self.row["parameters"])
        inner = stored.get("params")
        return inner if isinstance(inner, Mapping) else stored

    @property
    def hit_window_s(self) -> float | None:
        """How long after a cue an onset is a hit, s; None where each cue was decided once."""
        return paradigms.hit_window_s(str(self.row["paradigm"]), self.parameters)

    @property
    def items(self) -> tuple[str, ...]:
        """Items of which one was chosen at a time; empty where none was."""
        return paradigms.items(str(self.row["paradigm"]), self.parameters)

    @property
    def latency(self) -> Row:
        """Latency percentiles in ms, as stored in the summary; empty when there are none."""
        stored = self.row["summary"].get("latency")
        return stored if isinstance(stored, Mapping) else {}

    @property
    def representative(self) -> bool:
        """Whether the latencies are meaningful: the run went at real-time speed."""
        return self.speed == 1.0 and bool(self.latency.get("representative", True))

    @property
    def speed(self) -> float:
        """Speed of the stream, 1.0 when the record does not say."""
        for place in (self.row["summary"], self.row["parameters"]):
            if "speed" in place:
                return float(place["speed"])
        return 1.0


@dataclass(frozen=True)
class Facts:
    """One session of one study at one data cut. ``session`` is None when the study has none."""

    study: Row
    cut: Cut
    number: int
    n_sessions: int
    session: Row | None
    visit: Row | None
    participant: Row | None
    runs: tuple[RunFacts, ...]
    between: tuple[Row, ...]
    decoders: tuple[Row, ...]
    approvals: Mapping[str, tuple[Row, ...]]
    assessments: tuple[Row, ...]
    history: tuple[Row, ...] = ()
    """Assessments of all visits of the participant, including this one."""

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """Queries to the rater about all assessments of the participant, the most severe first."""
        injured = str(self.participant["injured_on"] or "") if self.participant else ""
        return queries((assessment_of(row) for row in self.history), injured_at=injured)

    @cached_property
    def online(self) -> tuple[RunFacts, ...]:
        """Online runs that have trials."""
        return tuple(run for run in self.runs if run.online and run.trials)

    @cached_property
    def plan(self) -> Row:
        """The session plan as it was stored."""
        return dict(self.session["plan"]) if self.session else {}

    @cached_property
    def effector(self) -> str:
        """Name of the effector, ``""`` for none: from the session's plan, else from a run."""
        sources = [
            self.plan,
            *(run.row["parameters"] for run in self.runs),
            *(run.row["summary"] for run in self.runs),
        ]
        return next((str(place["effector"]) for place in sources if place.get("effector")), "")

    @cached_property
    def replayed(self) -> bool:
        """Whether the signals were replayed from recordings."""
        return any(player.get("device") == "replay" for player in self.plan.get("players", ()))

    @cached_property
    def consent_missing(self) -> bool:
        """Whether somebody was connected whose consent the record did not hold when the session began."""
        return bool(self.plan.get("setup")) and not str(self.plan.get("consent", "")).strip()

    @cached_property
    def simulated(self) -> tuple[str, ...]:
        """What is simulated, as codes: ``participant``, ``session``, ``effector``."""
        parts = []
        if self.participant and self.participant["simulated"]:
            parts.append("participant")
        elif self.session and self.session["simulated"]:
            parts.append("session")
        if self.effector and self.plan.get("effector_simulated", True):
            parts.append("effector")
        return tuple(parts)

    @cached_property
    def ledger(self) -> tuple[tuple[RunFacts | None, Row], ...]:
        """All ledger rows with their run, in order, then those entered between runs."""
        return (
            *((run, row) for run in self.runs for row in run.ledger),
            *((None, row) for row in self.between),
        )


def read(study: Study, *, session_id: str | None = None) -> Facts:
    """The facts of one session; without an id, of the newest. All of them are those at the data cut.

    Raises
    ------
    UnknownName
        When the record has no session of that id.
    RecordFault
        When other programs write into the record without a pause.
    """
    for _ in range(READINGS):
        facts = _read(study, data_cut(study), session_id)
        # Equal before and after: nothing was written while the tables were read one by one.
        if data_cut(study) == facts.cut:
            return facts
    raise RecordFault(Message("report.record_busy", n=READINGS))


def _read(study: Study, cut: Cut, session_id: str | None) -> Facts:
    sessions = study.rows("session")
    if session_id is not None and session_id not in [row["id"] for row in sessions]:
        known = ", ".join(row["id"] for row in sessions) or "none"
        raise UnknownName(Message("report.no_session", session=repr(session_id), known=known))
    chosen = next((row for row in sessions if row["id"] == session_id), sessions[-1] if sessions else None)
    visit = study.get("visit", chosen["visit_id"]) if chosen else None
    participant = study.get("participant", visit["participant_id"]) if visit else None
    runs = _runs(study, chosen["id"]) if chosen else ()
    decoders = _decoders(study, runs)
    return Facts(
        study=study.rows("study")[0],
        cut=cut,
        number=sessions.index(chosen) + 1 if chosen else 0,
        n_sessions=len(sessions),
        session=chosen,
        visit=visit,
        participant=participant,
        runs=runs,
        between=_in_time(study.rows("session_ledger", session_id=chosen["id"])) if chosen else (),
        decoders=decoders,
        approvals={row["sha256"]: _approvals(study, row) for row in decoders},
        assessments=tuple(study.rows("assessment", visit_id=visit["id"])) if visit else (),
        history=_history(study, participant["id"]) if participant else (),
    )


def data_cut(study: Study) -> Cut:
    """The newest entry that is not a report's, so that issuing a report does not change the next one."""
    newest = next((entry for entry in reversed(study.entries()) if entry.table != "report"), None)
    return Cut(newest.seq, newest.hash, newest.utc) if newest else Cut(0, "", "")


def _in_time(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda entry: (float(entry["stamp"]), int(entry["number"]))))


def _history(study: Study, participant_id: str) -> tuple[Row, ...]:
    visits = [row["id"] for row in study.rows("visit", participant_id=participant_id)]
    return tuple(row for row in study.rows("assessment") if row["visit_id"] in visits)


def _runs(study: Study, session_id: str) -> tuple[RunFacts, ...]:
    rows = sorted(study.rows("run", session_id=session_id), key=lambda row: int(row["number"]))
    return tuple(run_facts(study, row) for row in rows)


def run_facts(study: Study, row: Row) -> RunFacts:
    """One run of the record with its trials, ledger and recordings."""
    return RunFacts(
        row=row,
        trials=tuple(sorted(study.rows("trial", run_id=row["id"]), key=lambda trial: int(trial["index"]))),
        ledger=_in_time(study.rows("ledger", run_id=row["id"])),
        recordings=tuple(study.rows("recording", run_id=row["id"])),
    )


def _decoders(study: Study, runs: tuple[RunFacts, ...]) -> tuple[Row, ...]:
    """Decoders that decided in these runs or were fitted on their recordings."""
    used = {str(run.row["decoder_sha256"]) for run in runs} - {""}
    # Versions of the record named a fit's recordings by hash, by id or by path; all three lead to the run.
    sources = {
        str(word) for run in runs for row in run.recordings for word in (row["sha256"], row["id"], row["path"])
    }
    sources |= {str(run.row["id"]) for run in runs}
    return tuple(
        row
        for row in study.rows("decoder")
        if row["sha256"] in used or sources & {str(x) for x in row["recordings"]}
    )


def _approvals(study: Study, decoder: Row) -> tuple[Row, ...]:
    """The approvals in force, one for each effector and participant."""
    # Approvals come oldest first: the last one per effector and participant overrides the earlier ones.
    newest = {(row["effector"], row["participant_id"]): row for row in study.approvals(sha256=decoder["sha256"])}
    return tuple(row for row in newest.values() if row["decision"] == "approve")
