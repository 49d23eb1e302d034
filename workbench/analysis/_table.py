"""One tidy table of outcomes: clinical measures and performance from trials, one number per row.

The table is made from the record and never edited: each row names the assessment, or the runs and the SHA-256
of the recordings, that it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from workbench import outcomes
from workbench.analysis._accuracy import JUDGED
from workbench.analysis._events import event_metrics
from workbench.analysis._isncsci import plain
from workbench.analysis._scores import DRAFT, parts_of, reading
from workbench.vocabulary import Assessment, Condition, Trial

Row = Mapping[str, Any]
PERFORMANCE = "performance"
"""Name of the measure of outcomes from trials."""
TRANSFER = "object_transfer"
"""Value of a run's parameter ``task`` that makes its trials object transfers."""


class Drafts(Protocol):
    """What the table needs of the drafts beside a record."""

    def list(self) -> Sequence[Any]:
        """Every draft; ``values["id"]`` names the assessment of the record that it continues, if any."""


class Record(Protocol):
    """What the table needs of a study record; ``workbench.study.Study`` has it."""

    @property
    def drafts(self) -> Drafts:
        """Drafts, which are not part of the record itself."""

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table that equal ``where``."""

    def head(self) -> tuple[int, str]:
        """``(seq, hash)`` of the newest audit row."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table.

    Attributes
    ----------
    participant, visit, visit_id, day : pseudonym; name and id of the visit; UTC date, ``""`` when not known.
    measure, version, subscore, side : what was measured.
    value, text, status : the number, or a result that is not a number; ``"ok"``, ``"ND"``, ``"censored"``, ….
    n, n_valid : items, runs or trials it rests on, and those that counted.
    assisted, device_on, stimulation_on, orthosis, mode : the state; None where the record does not state it.
    repeat, administered_at, rater, blinded : of an assessment.
    since_session_h, washout_h : h since the last session and since stimulation ended, None where not known.
    simulated : the participant or the session was simulated.
    assessment_id, run_ids, recordings : where it comes from; recordings by SHA-256.
    """

    participant: str
    visit: str
    visit_id: str
    day: str
    measure: str
    version: str
    subscore: str
    side: str
    value: float | None
    text: str
    status: str
    n: int
    n_valid: int
    assisted: bool | None
    device_on: bool | None
    stimulation_on: bool | None
    orthosis: str
    mode: str
    repeat: int
    administered_at: str
    rater: str
    blinded: str
    since_session_h: float | None
    washout_h: float | None
    simulated: bool
    assessment_id: str = ""
    run_ids: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomesTable:
    """All outcomes of a record at one head of its audit chain; drafts are counted and left out."""

    rows: tuple[Outcome, ...]
    drafts: int
    head_seq: int
    head_hash: str

    def line(self) -> str:
        """One sentence."""
        people = len({row.participant for row in self.rows})
        measures = len({row.measure for row in self.rows})
        simulated = sum(row.simulated for row in self.rows)
        remarks = f"; {simulated} of them simulated" if simulated else ""
        remarks += f"; {self.drafts} draft{'s' * (self.drafts != 1)} left out" if self.drafts else ""
        return (
            f"{len(self.rows)} outcomes of {measures} measures in {people} participant{'s' * (people != 1)}, "
            f"record entry {self.head_seq} ({self.head_hash[:12]}){remarks}"
        )

    def where(self, **fixed: Any) -> tuple[Outcome, ...]:
        """Rows that equal ``fixed`` in those fields."""
        return tuple(row for row in self.rows if all(getattr(row, name) == fixed[name] for name in fixed))

    def columns(self) -> tuple[str, ...]:
        """Names of the fields of a row, in order."""
        return tuple(field.name for field in fields(Outcome))


def outcomes_table(record: Record) -> OutcomesTable:
    """The table of outcomes of a study record.

    Parameters
    ----------
    record : an open study record.

    Returns
    -------
    OutcomesTable
        One row per score of every assessment but drafts (total, subscores, results that are not numbers), then
        event F1, hours of use and object transfers of online runs per participant, visit and day.
    """
    people = {row["id"]: row for row in record.rows("participant")}
    visits = {row["id"]: row for row in record.rows("visit")}
    rows: list[Outcome] = []
    waiting = record.drafts.list()
    # Earlier versions kept drafts in the record; one that was continued since is among the drafts too.
    continued = {draft.values.get("id") for draft in waiting}
    drafts = len(waiting)
    for row in record.rows("assessment"):
        visit = visits[row["visit_id"]]
        if row["state"] == DRAFT:
            drafts += row["id"] not in continued
        else:
            rows += _clinical(row, visit=visit, person=people[visit["participant_id"]])
    for (visit_id, day), runs in _runs_by_day(record, visits).items():
        visit = visits[visit_id]
        rows += _performance(runs, visit=visit, person=people[visit["participant_id"]], day=day)
    seq, digest = record.head()
    return OutcomesTable(tuple(rows), drafts, seq, digest)


def assessment_of(row: Row) -> Assessment:
    """The noun of a stored assessment."""
    values = {field.name: row[field.name] for field in fields(Assessment) if field.name != "condition"}
    under = Condition(*(row[field.name] for field in fields(Condition)))
    values |= {name: tuple(values[name]) for name in ("implied", "alerts")}
    return Assessment(condition=under, **values)


@dataclass(frozen=True, slots=True)
class History:
    """All assessments of one participant.

    ``visits`` maps the name of a visit to its id; drafts are among the ``assessments``; a ``simulated``
    participant is named in every result.
    """

    participant: str
    visits: Mapping[str, str]
    assessments: tuple[Assessment, ...]
    simulated: bool = False

    def at(self, visit: str) -> tuple[Assessment, ...]:
        """Assessments of the visit of that name without drafts; empty when there was no such visit."""
        return tuple(
            assessment
            for assessment in self.assessments
            if assessment.visit_id == self.visits.get(visit) and assessment.state != DRAFT
        )


def histories(record: Record) -> tuple[History, ...]:
    """One history per participant of the record, also without an assessment, in order of entry."""
    visits = record.rows("visit")
    assessments = [assessment_of(row) for row in record.rows("assessment")]
    people = []
    for person in record.rows("participant"):
        own_visits = {str(row["name"]): str(row["id"]) for row in visits if row["participant_id"] == person["id"]}
        own = tuple(assessment for assessment in assessments if assessment.visit_id in own_visits.values())
        people.append(History(str(person["pseudonym"]), own_visits, own, bool(person["simulated"])))
    return tuple(people)


# ----- clinical measures


def _clinical(row: Row, *, visit: Row, person: Row) -> list[Outcome]:
    assessment = assessment_of(row)
    day = assessment.administered_at[:10] or str(visit["started"])[:10]
    outcome = _maker(assessment, visit=visit, person=person, day=day)
    rows = []
    for part in parts_of(assessment.score):
        stored = reading(assessment, part)
        rows.append(outcome(part, stored.value, "", stored.status, stored.n_items, stored.n_valid))
    for name, value in (assessment.score.get("classes") or {}).items():
        if isinstance(value, str) and name != "rules":
            # Several possible levels are stored joined by commas.
            status = outcomes.ND if "," in value else outcomes.OK
            rows.append(outcome(name, None, plain(value), status, 0, 0))
    return rows


def _maker(assessment: Assessment, *, visit: Row, person: Row, day: str) -> Callable[..., Outcome]:
    def outcome(part: str, value: float | None, text: str, status: str, n: int, n_valid: int) -> Outcome:
        return Outcome(
            participant=str(person["pseudonym"]),
            visit=str(visit["name"]),
            visit_id=assessment.visit_id,
            day=day,
            measure=assessment.measure,
            version=assessment.version,
            subscore=part,
            side=assessment.side,
            value=value,
            text=text,
            status=status,
            n=n,
            n_valid=n_valid,
            assisted=assessment.condition.assisted,
            device_on=assessment.condition.device_on,
            stimulation_on=assessment.condition.stimulation_on,
            orthosis=assessment.orthosis,
            mode=assessment.mode,
            repeat=assessment.repeat,
            administered_at=assessment.administered_at,
            rater=assessment.rater,
            blinded=assessment.blinded,
            since_session_h=assessment.since_session_h,
            washout_h=assessment.washout_h,
            simulated=bool(person["simulated"]),
            assessment_id=assessment.id,
        )

    return outcome


# ----- performance from trials


@dataclass(frozen=True, slots=True)
class _Run:
    row: Row
    session: Row
    recordings: tuple[Row, ...]
    trials: tuple[Trial, ...]

    @property
    def parameters(self) -> Row:
        stored: Row = self.row["parameters"]
        # Runs of a paradigm keep its parameters one level down.
        inner = stored.get("params")
        return inner if isinstance(inner, Mapping) else stored

    @property
    def seconds(self) -> float:
        """Stream time that was recorded, s."""
        return sum(float(row["n_samples"]) / float(row["fs"]) for row in self.recordings)

    @property
    def task(self) -> str:
        return str(self.row["parameters"].get("task") or self.parameters.get("task") or "")

    @property
    def device(self) -> bool:
        """Whether an effector was driven, as the run or the session's plan says."""
        plans = (self.row["parameters"], self.row["summary"], self.session["plan"])
        return any(bool(plan.get("effector")) for plan in plans)

    @property
    def rule(self) -> tuple[float, float] | None:
        """Onset window in s and rate in Hz of a self-paced run, by which its events were judged."""
        window = self.parameters.get("onset_window_s")
        return (float(window), float(self.recordings[0]["fs"])) if window and self.recordings else None


def _runs_by_day(record: Record, visits: Mapping[str, Row]) -> dict[tuple[str, str], list[_Run]]:
    """Online runs by visit and UTC day, in the order of the record."""
    sessions = {row["id"]: row for row in record.rows("session")}
    by_day: dict[tuple[str, str], list[_Run]] = {}
    for row in record.rows("run", kind="online"):
        session = sessions[row["session_id"]]
        started = row["summary"].get("started") or session["started"] or visits[session["visit_id"]]["started"]
        run = _Run(
            row=row,
            session=session,
            recordings=tuple(record.rows("recording", run_id=row["id"])),
            trials=tuple(trial_of(trial) for trial in record.rows("trial", run_id=row["id"])),
        )
        by_day.setdefault((session["visit_id"], str(started)[:10]), []).append(run)
    return by_day


def trial_of(row: Row) -> Trial:
    """The noun of a stored trial."""
    return Trial(**{field.name: row[field.name] for field in fields(Trial)})


def _performance(runs: list[_Run], *, visit: Row, person: Row, day: str) -> list[Outcome]:
    outcome = _performer(visit=visit, person=person, day=day)
    rows: list[Outcome] = []
    # Never pooled: performance with an effector includes its help.
    for device in sorted({run.device for run in runs}):
        same_device = [run for run in runs if run.device == device]
        hours = sum(run.seconds for run in same_device) / 3600
        rows.append(outcome("hours_of_use", hours, same_device, n=len(same_device), device=device))
        # Events judged by different windows are different measures, so each rule has a row of its own.
        for rule in dict.fromkeys(run.rule for run in same_device if run.rule):
            judged = [run for run in same_device if run.rule == rule]
            metrics = event_metrics(
                [trial for run in judged for trial in run.trials], onset_window_s=rule[0], fs=rule[1]
            )
            rows.append(
                outcome(
                    "grasp_f1", metrics.f1, judged, n=metrics.n, device=device, version=f"window {rule[0]:g} s"
                )
            )
        moved = [run for run in same_device if run.task == TRANSFER]
        if moved:
            trials = [trial for run in moved for trial in run.trials if trial.outcome in JUDGED]
            transferred = sum(trial.outcome == "correct" for trial in trials)
            rows.append(outcome("object_transfers", float(transferred), moved, n=len(trials), device=device))
    return rows


def _performer(*, visit: Row, person: Row, day: str) -> Callable[..., Outcome]:
    def outcome(
        part: str, value: float | None, runs: Iterable[_Run], *, n: int, device: bool, version: str = "1"
    ) -> Outcome:
        sources = tuple(runs)
        return Outcome(
            participant=str(person["pseudonym"]),
            visit=str(visit["name"]),
            visit_id=str(visit["id"]),
            day=day,
            measure=PERFORMANCE,
            version=version,
            subscore=part,
            side="",
            value=value,
            text="",
            status=outcomes.ND if value is None else outcomes.OK,
            n=n,
            n_valid=0 if value is None else n,
            assisted=device,
            device_on=device,
            stimulation_on=None,
            orthosis="",
            mode="",
            repeat=1,
            administered_at="",
            rater="",
            blinded="",
            since_session_h=None,
            washout_h=None,
            simulated=bool(person["simulated"]) or any(bool(run.session["simulated"]) for run in sources),
            run_ids=tuple(str(run.row["id"]) for run in sources),
            recordings=tuple(str(recording["sha256"]) for run in sources for recording in run.recordings),
        )

    return outcome
