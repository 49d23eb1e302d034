"""One tidy table of outcomes: clinical measures and performance from trials, one number a row.

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
"""Name of the measure under which outcomes from trials stand."""
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
        """Drafts, which the record itself does not hold."""

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
    value, text, status : the number, or a result that is no number; ``"ok"``, ``"ND"``, ``"censored"``, ….
    n, n_valid : items, runs or trials it rests on, and those that counted.
    assisted, device_on, stimulation_on, orthosis, mode : under what; None where the record does not say.
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
        made_up = sum(row.simulated for row in self.rows)
        left = f"; {made_up} of them simulated" if made_up else ""
        left += f"; {self.drafts} draft{'s' * (self.drafts != 1)} left out" if self.drafts else ""
        return (
            f"{len(self.rows)} outcomes of {measures} measures in {people} participant{'s' * (people != 1)}, "
            f"record entry {self.head_seq} ({self.head_hash[:12]}){left}"
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
        One row a score of every assessment that is no draft (total, subscores, results that are no numbers),
        then event F1, hours of use and object transfers of online runs, a participant, visit and day.
    """
    people = {row["id"]: row for row in record.rows("participant")}
    visits = {row["id"]: row for row in record.rows("visit")}
    found: list[Outcome] = []
    waiting = record.drafts.list()
    # Earlier versions kept drafts in the record; one that was gone on with since stands beside it too.
    gone_on_with = {one.values.get("id") for one in waiting}
    drafts = len(waiting)
    for row in record.rows("assessment"):
        visit = visits[row["visit_id"]]
        if row["state"] == DRAFT:
            drafts += row["id"] not in gone_on_with
        else:
            found += _clinical(row, visit=visit, person=people[visit["participant_id"]])
    for (visit_id, day), runs in _runs_by_day(record, visits).items():
        visit = visits[visit_id]
        found += _performance(runs, visit=visit, person=people[visit["participant_id"]], day=day)
    seq, digest = record.head()
    return OutcomesTable(tuple(found), drafts, seq, digest)


def assessment_of(row: Row) -> Assessment:
    """The noun of a stored assessment."""
    given = {field.name: row[field.name] for field in fields(Assessment) if field.name != "condition"}
    under = Condition(*(row[field.name] for field in fields(Condition)))
    given |= {name: tuple(given[name]) for name in ("implied", "alerts")}
    return Assessment(condition=under, **given)


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was assessed in one participant.

    ``visits`` maps the name of a visit to its id; drafts are among the ``assessments``; a ``simulated``
    participant is named in every result.
    """

    participant: str
    visits: Mapping[str, str]
    assessments: tuple[Assessment, ...]
    simulated: bool = False

    def at(self, visit: str) -> tuple[Assessment, ...]:
        """Assessments of the visit of that name that are no drafts; empty when there was no such visit."""
        return tuple(
            one for one in self.assessments if one.visit_id == self.visits.get(visit) and one.state != DRAFT
        )


def histories(record: Record) -> tuple[History, ...]:
    """One history a participant of the record, also of those without an assessment, in order of entry."""
    visits = record.rows("visit")
    assessments = [assessment_of(row) for row in record.rows("assessment")]
    found = []
    for person in record.rows("participant"):
        mine = {str(row["name"]): str(row["id"]) for row in visits if row["participant_id"] == person["id"]}
        theirs = tuple(one for one in assessments if one.visit_id in mine.values())
        found.append(History(str(person["pseudonym"]), mine, theirs, bool(person["simulated"])))
    return tuple(found)


# ----- clinical measures


def _clinical(row: Row, *, visit: Row, person: Row) -> list[Outcome]:
    one = assessment_of(row)
    day = one.administered_at[:10] or str(visit["started"])[:10]
    made = _maker(one, visit=visit, person=person, day=day)
    found = []
    for part in parts_of(one.score):
        read = reading(one, part)
        found.append(made(part, read.value, "", read.status, read.n_items, read.n_valid))
    for name, value in (one.score.get("classes") or {}).items():
        if isinstance(value, str) and name != "rules":
            status = outcomes.ND if "," in value else outcomes.OK
            found.append(made(name, None, plain(value), status, 0, 0))
    return found


def _maker(one: Assessment, *, visit: Row, person: Row, day: str) -> Callable[..., Outcome]:
    def made(part: str, value: float | None, text: str, status: str, n: int, n_valid: int) -> Outcome:
        return Outcome(
            participant=str(person["pseudonym"]),
            visit=str(visit["name"]),
            visit_id=one.visit_id,
            day=day,
            measure=one.measure,
            version=one.version,
            subscore=part,
            side=one.side,
            value=value,
            text=text,
            status=status,
            n=n,
            n_valid=n_valid,
            assisted=one.condition.assisted,
            device_on=one.condition.device_on,
            stimulation_on=one.condition.stimulation_on,
            orthosis=one.orthosis,
            mode=one.mode,
            repeat=one.repeat,
            administered_at=one.administered_at,
            rater=one.rater,
            blinded=one.blinded,
            since_session_h=one.since_session_h,
            washout_h=one.washout_h,
            simulated=bool(person["simulated"]),
            assessment_id=one.id,
        )

    return made


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
        inner = stored.get("params")
        return inner if isinstance(inner, Mapping) else stored

    @property
    def seconds(self) -> float:
        """Stream time that was recorded, s."""
        return sum(float(one["n_samples"]) / float(one["fs"]) for one in self.recordings)

    @property
    def task(self) -> str:
        return str(self.row["parameters"].get("task") or self.parameters.get("task") or "")

    @property
    def device(self) -> bool:
        """Whether an effector was driven, as the run or the session's plan says."""
        places = (self.row["parameters"], self.row["summary"], self.session["plan"])
        return any(bool(place.get("effector")) for place in places)

    @property
    def rule(self) -> tuple[float, float] | None:
        """Onset window in s and rate in Hz of a self-paced run, by which its events were judged."""
        window = self.parameters.get("onset_window_s")
        return (float(window), float(self.recordings[0]["fs"])) if window and self.recordings else None


def _runs_by_day(record: Record, visits: Mapping[str, Row]) -> dict[tuple[str, str], list[_Run]]:
    """Online runs by visit and UTC day, in the order of the record."""
    sessions = {row["id"]: row for row in record.rows("session")}
    found: dict[tuple[str, str], list[_Run]] = {}
    for row in record.rows("run", kind="online"):
        session = sessions[row["session_id"]]
        started = row["summary"].get("started") or session["started"] or visits[session["visit_id"]]["started"]
        run = _Run(
            row=row,
            session=session,
            recordings=tuple(record.rows("recording", run_id=row["id"])),
            trials=tuple(trial_of(trial) for trial in record.rows("trial", run_id=row["id"])),
        )
        found.setdefault((session["visit_id"], str(started)[:10]), []).append(run)
    return found


def trial_of(row: Row) -> Trial:
    """The noun of a stored trial."""
    return Trial(**{field.name: row[field.name] for field in fields(Trial)})


def _performance(runs: list[_Run], *, visit: Row, person: Row, day: str) -> list[Outcome]:
    made = _performer(visit=visit, person=person, day=day)
    found: list[Outcome] = []
    for device in sorted({run.device for run in runs}):
        mine = [run for run in runs if run.device == device]
        hours = sum(run.seconds for run in mine) / 3600
        found.append(made("hours_of_use", hours, mine, n=len(mine), device=device))
        for rule in dict.fromkeys(run.rule for run in mine if run.rule):
            judged = [run for run in mine if run.rule == rule]
            metrics = event_metrics(
                [trial for run in judged for trial in run.trials], onset_window_s=rule[0], fs=rule[1]
            )
            found.append(
                made("grasp_f1", metrics.f1, judged, n=metrics.n, device=device, version=f"window {rule[0]:g} s")
            )
        moved = [run for run in mine if run.task == TRANSFER]
        if moved:
            trials = [trial for run in moved for trial in run.trials if trial.outcome in JUDGED]
            done = sum(trial.outcome == "correct" for trial in trials)
            found.append(made("object_transfers", float(done), moved, n=len(trials), device=device))
    return found


def _performer(*, visit: Row, person: Row, day: str) -> Callable[..., Outcome]:
    def made(
        part: str, value: float | None, runs: Iterable[_Run], *, n: int, device: bool, version: str = "1"
    ) -> Outcome:
        behind = tuple(runs)
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
            simulated=bool(person["simulated"]) or any(bool(run.session["simulated"]) for run in behind),
            run_ids=tuple(str(run.row["id"]) for run in behind),
            recordings=tuple(str(one["sha256"]) for run in behind for one in run.recordings),
        )

    return made
