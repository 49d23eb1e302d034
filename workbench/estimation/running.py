"""Run a plan on a snapshot: every analysis by itself, so that one which is refused leaves the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import __version__, messages, reading, world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.estimation._fitted import Fitted
from workbench.estimation._fitting import fit
from workbench.estimation._selecting import Selected, select
from workbench.estimation.observed import Course, courses
from workbench.estimation.plan import Analysis, Plan, draft, parse
from workbench.estimation.results import AnalysisResult, Confirmation, Results, plain, table
from workbench.messages import Message
from workbench.statistics.multiplicity import adjusted
from workbench.study import Study, allocations, chain, datasets, snapshot_files, snapshots
from workbench.study.concealment import conceals
from workbench.study.protocol import Protocol

if TYPE_CHECKING:
    from workbench.study.datasets import Datasets, EventRow, VisitRow
    from workbench.study.people import Signer
    from workbench.study.snapshots import SnapshotRow

Progress = Callable[[int, int, str], None]
RESULTS, PLAN = "results.json", "plan.toml"
DRAFTED = "draft"


@dataclass(frozen=True, slots=True)
class Analysed:
    """Results of a plan, and everything that belongs into their folder.

    Attributes
    ----------
    results : of every analysis.
    files : content by name; ``results.json`` is the last.
    courses : of each variable of the plan, every participant over the visits, by arm.
    rows : of the datasets of visits and events by key, to which ``rows`` of an analysis lead.
    """

    results: Results
    files: Mapping[str, bytes]
    courses: tuple[Course, ...]
    rows: Mapping[str, VisitRow | EventRow]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What a blinded reader may see: no arm, no difference, and only rows that are the same in every arm.

    Attributes
    ----------
    snapshot, protocol, plan : as :class:`workbench.estimation.results.Results` has them.
    simulated : whether everybody is.
    courses : of each variable of the plan, all participants together.
    rows : of the visits dataset by key; without numbers of entries.
    """

    snapshot: Mapping[str, Any]
    protocol: Mapping[str, str]
    plan: Mapping[str, Any]
    simulated: bool
    courses: tuple[Course, ...]
    rows: Mapping[str, VisitRow]


def analyse(
    study: Study, *, plan: str | None = None, where: str = DRAFTED, snapshot: str = "",
    signer: Signer | None = None, reason: str = "", progress: Progress = lambda _n, _of, _name: None,
) -> Analysed:  # fmt: skip
    """Run a plan on a snapshot of a study.

    Parameters
    ----------
    study : the open record.
    plan : text of the plan; None drafts one from the estimands of the protocol.
    where : names the plan in a sentence.
    snapshot : its name; ``""`` for the newest.
    signer : who learns the arms; None where nobody is to.
    reason : why, for the audit chain.
    progress : told the number of each analysis, of how many, and its name.

    Raises
    ------
    Refused
        No snapshot, no protocol, no signer who may learn the arms.
    BadValue, UnknownName
        A plan that is none, an unknown snapshot, an ambiguous baseline.
    RecordFault
        The file of the snapshot is gone or changed.
    """
    with _cut(study, snapshot) as (cut, then):
        protocol, text, planned = _planned(then, plan, where)
        if signer is None and len(protocol.arms) > 1:
            raise Refused(Message("estimation.concealed"))
        arms = allocations.arms(study, signer, reason) if signer else None
        trail = datasets.Trail.of(study, until=cut.head[0])
        data = datasets.datasets(then, arms=arms, settings=_settings(planned), trail=trail)
        made = []
        for n, one in enumerate(planned.analyses, start=1):
            progress(n, len(planned.analyses), one.name)
            made.append(_analysed(one, planned, data, protocol, then))
        files = _tables(data)
        judged = confirmed(planned, [_looked(one, planned, cut.name) for one in made])
        results = _results(then, cut, protocol, planned, data, judged, files)
        observed = courses(planned, data, protocol)
    return Analysed(
        results,
        {**files, PLAN: text.encode(), "results.csv": results.as_csv(), RESULTS: results.to_json()},
        observed,
        {**{row.key: row for row in data.visits}, **{row.key: row for row in data.events}},
    )  # fmt: skip


def pooled(study: Study, *, plan: str | None = None, where: str = DRAFTED, snapshot: str = "") -> Pooled:
    """What was observed of the variables of a plan on a snapshot, for a reader to whom no arm is told.

    Parameters
    ----------
    study : the open record.
    plan, where, snapshot : as :func:`analyse` takes them.

    Raises
    ------
    Refused, BadValue, UnknownName, RecordFault
        As :func:`analyse`.
    """
    with _cut(study, snapshot) as (cut, then):
        protocol, _text, planned = _planned(then, plan, where)
        blinded = conceals(then, protocol)
        data = datasets.datasets(then, settings=_settings(planned), trail=datasets.Trail(), blinded=blinded)
        return Pooled(
            _told_of(cut), {"version": protocol.about.version, "sha256": protocol.sha256},
            {"sha256": planned.sha256, "level": planned.level}, all(one.simulated for one in data.subjects),
            courses(planned, data, protocol), {row.key: row for row in data.visits},
        )  # fmt: skip


def write(made: Analysed, folder: Path) -> None:
    """Put the files of an analysis into a folder, ``results.json`` last.

    Parameters
    ----------
    made : what was analysed.
    folder : is made where it is absent; may hold earlier results, which are replaced.

    Raises
    ------
    BadValue
        For a folder that holds something else, or cannot be written.
    """
    check_folder(folder)
    try:
        world.disk.mkdir(folder, parents=True, exist_ok=True)
        for name, content in made.files.items():
            world.disk.save(folder / name, content)
    except OSError as error:
        raise BadValue(
            Message("estimation.not_written", folder=reading.shown(folder), why=str(error.strerror))
        ) from error


def check_folder(folder: Path) -> None:
    """Whether results may go into a folder, before arms are read and time is spent on them.

    Raises
    ------
    BadValue
        For a folder that holds something else, or cannot be read.
    """
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / RESULTS).is_file():
            raise BadValue(Message("estimation.folder", folder=reading.shown(folder)))
    except OSError as error:
        raise BadValue(
            Message("estimation.not_written", folder=reading.shown(folder), why=str(error.strerror))
        ) from error


def write_draft(text: str, path: Path) -> None:
    """Put a drafted plan into a new file.

    Parameters
    ----------
    text : of the plan.
    path : of the file.

    Raises
    ------
    BadValue
        For a file that is there already, or cannot be written.
    """
    try:
        if path.exists():
            raise BadValue(Message("estimation.draft_there", path=reading.shown(path)))
        world.disk.save(path, text.encode(), mode=0o644)
    except OSError as error:
        raise BadValue(
            Message("estimation.not_written", folder=reading.shown(path), why=str(error.strerror))
        ) from error


# ------------------------------------------------------------------------------ what is analysed
@contextmanager
def _cut(study: Study, name: str) -> Iterator[tuple[SnapshotRow, Study]]:
    """A snapshot, open for reading."""
    cut = _snapshot(study, name)
    with Study.open(study.folder / cut.path, actor=study.actor) as then:
        yield cut, then


def _planned(then: Study, plan: str | None, where: str) -> tuple[Protocol, str, Plan]:
    """The protocol of a snapshot, and the plan for it as text and as read."""
    protocol = protocol_of(then)
    text = draft(protocol) if plan is None else plan
    return protocol, text, parse(text, where, protocol)


def _settings(plan: Plan) -> datasets.Settings:
    return datasets.Settings(plan.baseline, plan.baseline_rule, plan.major or datasets.Settings().major)


def _told_of(cut: SnapshotRow) -> dict[str, Any]:
    told = {name: getattr(cut, name) for name in ("name", "level", "path", "sha256", "utc")}
    return told | {"head": list(cut.head)}


def _snapshot(study: Study, name: str) -> SnapshotRow:
    found = snapshots.listed(study)
    if not found:
        raise Refused(Message("estimation.no_snapshot"))
    known = [one.name for one in found]
    if name and name not in known:
        raise UnknownName(Message("estimation.unknown_snapshot", got=f"{name!r:.80}", known=known))
    cut = next(one for one in reversed(found) if one.name == (name or known[-1]))
    path = study.folder / cut.path
    if not cut.there or reading.sha256(path, snapshot_files.WHAT, error=RecordFault) != cut.sha256:
        raise RecordFault(Message("verify.file_differs", what=snapshot_files.WHAT, path=cut.path))
    return cut


def protocol_of(record: Study) -> Protocol:
    """The newest version of the protocol. Raises Refused in a study without one."""
    rows = record.rows("protocol_version")
    if not rows:
        raise Refused(Message("estimation.no_protocol"))
    return Protocol.from_definition(rows[-1]["definition"], where=rows[-1]["version"])


def _tables(data: Datasets) -> dict[str, bytes]:
    """The datasets as CSV files."""
    kinds: Mapping[str, tuple[type, Sequence[Any]]] = {
        "subjects": (datasets.SubjectRow, data.subjects), "visits": (datasets.VisitRow, data.visits),
        "events": (datasets.EventRow, data.events), "dictionary": (datasets.ColumnRow, datasets.dictionary()),
    }  # fmt: skip
    made = {}
    for name, (kind, rows) in kinds.items():
        head = [one.name for one in fields(kind)]
        made[f"{name}.csv"] = table(head, [[getattr(row, column) for column in head] for row in rows])
    return made


def _results(
    then: Study, cut: SnapshotRow, protocol: Protocol, plan: Plan, data: Datasets,
    analyses: tuple[AnalysisResult, ...], files: Mapping[str, bytes],
) -> Results:  # fmt: skip
    return Results(
        workbench=__version__,
        study={"id": then.id, "code": then.code, "title": then.title},
        snapshot=_told_of(cut),
        protocol={"version": protocol.about.version, "sha256": protocol.sha256},
        plan={
            "sha256": plan.sha256, "seed": plan.seed, "level": plan.level, "reference": plan.reference,
            "multiplicity": plain(plan.multiplicity),
        },
        datasets={name.removesuffix(".csv"): chain.sha256(content.decode()) for name, content in files.items()},
        simulated=all(one.simulated for one in data.subjects),
        analyses=analyses,
    )  # fmt: skip


# ------------------------------------------------------------------------------ one analysis
def _analysed(one: Analysis, plan: Plan, data: Datasets, protocol: Protocol, then: Study) -> AnalysisResult:
    selected = None
    try:
        selected = select(one, plan, data, protocol=protocol, record=then)
        fitted = fit(selected, then)
    except WorkbenchError as error:
        text = messages.of(error)
        code = text.code if isinstance(text, Message) else ""
        return replace(_told(one, selected, None), status="refused", refusal=text, refusal_code=code)
    return _told(one, selected, fitted)


def _told(one: Analysis, selected: Selected | None, fitted: Fitted | None) -> AnalysisResult:
    had = selected.had if selected else {}
    made = AnalysisResult(
        name=one.name, estimand=one.estimand, role=one.role, method=one.method, population=one.population,
        variable=one.variable, outcome=one.outcome, side=one.side, state=one.state, visits=one.visits,
        covariates=one.covariates, settings=one.settings,
        threshold=one.threshold.describe() if one.threshold else "",
        strategies={
            name: {"strategy": handling, "participants": len(had.get(name, ()))}
            for name, handling in one.strategies.items()
        },
        status="estimated",
    )  # fmt: skip
    if selected is None or fitted is None:
        return made
    rows = fitted.rows or selected.keys()
    return replace(
        made, arms=selected.counts(), estimates=fitted.estimates, means=fitted.means,
        notes=tuple(fitted.notes), rows=rows,
    )  # fmt: skip


# ------------------------------------------------------------------------------ looks, multiplicity
def _looked(one: AnalysisResult, plan: Plan, snapshot: str) -> AnalysisResult:
    """The analysis with what its look says; one that is no look keeps its estimate and is refused as a look."""
    if plan.looks is None or plan.looks.analysis != one.name or not one.estimates:
        return one
    try:
        return replace(one, look=plan.looks.look_at(one.estimates[0], snapshot))
    except WorkbenchError as error:
        return replace(one, notes=(*one.notes, str(messages.of(error))))


def confirmed(plan: Plan, made: Sequence[AnalysisResult]) -> tuple[AnalysisResult, ...]:
    """The analyses with what the multiplicity procedure says of those in its order.

    Parameters
    ----------
    plan : with the procedure.
    made : results, in the order of the plan.
    """
    order, alpha = plan.multiplicity.order, plan.multiplicity.alpha
    graph = plan.multiplicity.graph
    if graph is None:
        return tuple(made)
    by_name = {one.name: one for one in made}
    raw = [_raw(by_name[name], plan) for name in order]
    said = {
        name: Confirmation(place, p, p <= alpha)
        for place, (name, p) in enumerate(zip(order, adjusted(raw, graph), strict=True), start=1)
        if by_name[name].estimates
    }
    return tuple(replace(one, confirmation=said.get(one.name)) for one in made)


def _raw(one: AnalysisResult, plan: Plan) -> float:
    """The probability that enters: of several comparisons the smallest, by Bonferroni; 1 of what was refused."""
    if plan.looks is not None and plan.looks.analysis == one.name:
        # While the trial goes on, nothing is rejected; once it stops, when it did so counts.
        return 1.0 if one.look is None or one.look.p is None else one.look.p
    if not one.estimates:
        return 1.0
    return min(1.0, len(one.estimates) * min(row.p for row in one.estimates))
