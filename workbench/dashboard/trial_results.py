"""The results of a trial as a page: snapshot and plan chosen, run, shown, and each number led back to its samples.

Numbers are those of ``workbench analyse``, words and forest those of ``workbench report``, which is made and
signed from here too (:mod:`workbench.dashboard.signed_report`). Who is told arms is decided by
:mod:`workbench.study.allocations`; whoever is not gets :func:`workbench.estimation.pooled`, and no report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench import estimation, figures, reading, world
from workbench.dashboard import signed_report
from workbench.dashboard.access import RecordAccess
from workbench.errors import Refused, UnknownName
from workbench.estimation import Analysed, Course, Pooled
from workbench.estimation.results import plain
from workbench.figures import interactive
from workbench.figures.interactive import NamedPanel
from workbench.messages import Message
from workbench.reports import result_words, samples
from workbench.reports.texts import LANGUAGES, Texts
from workbench.study import snapshots
from workbench.study.protocol import LARGEST

if TYPE_CHECKING:
    from workbench.study import Study

PLANS = "plans"
"""Folder of a study whose TOML files are offered as plans."""
DRAFT = ""
"""In the place of a file's name: the plan that the protocol's estimands give."""
SHOWN_S = 10.0
"""Length of signal on the scope at a time, s."""
MOST_CHANNELS = 16
"""Lanes of the scope at a time."""
MOST_ROWS = 2000
"""Rows behind one analysis that are listed."""
Progress = Callable[[int, int, str], None]


class ResultsService:
    """What the page of results may ask.

    Whoever signs in after a comparison was run, or may no longer learn arms, is told nothing of it.

    Parameters
    ----------
    record : as the page has it.
    """

    def __init__(self, record: RecordAccess) -> None:
        self._record = record
        self._made: Analysed | Pooled | None = None
        self._for = ""
        self._report: dict[str, Any] = {}

    def page(self) -> dict[str, Any]:
        """What can be chosen, and whether arms are compared for who looks (see ``widgets.ResultsPage``)."""
        with self._record.opened() as study:
            signer, why = self._record.unblinded(study)
            return {
                "study": study.code, "read_at": world.clock.local().strftime("%H:%M"),
                "snapshots": [_snapshot(one) for one in reversed(snapshots.listed(study))],
                "plans": [DRAFT, *_plans(study)], "compares": signer is not None, "why": why or "",
                "signing": signed_report.how(self._record, study), "login": self._record.login,
            }  # fmt: skip

    def run(self, snapshot: str, plan: str, *, progress: Progress) -> dict[str, Any]:
        """Run a plan on a snapshot. Returns the result in each language.

        Parameters
        ----------
        snapshot, plan : as :meth:`page` offers them.
        progress : told the number of each analysis, of how many, and its name.

        Raises
        ------
        Refused, BadValue, UnknownName, RecordFault
            As :func:`workbench.estimation.analyse`; a plan that is not offered.
        """
        made: Analysed | Pooled | None = None
        signer = None
        try:
            with self._record.opened() as study:
                signer, why = self._record.unblinded(study)
                about: dict[str, Any] = {"plan": _text_of(study, plan), "where": plan or "draft"}
                about["snapshot"] = snapshot
                if signer is None:
                    made = estimation.pooled(study, **about)
                else:
                    made = estimation.analyse(
                        study, **about, signer=signer, reason="results page", progress=progress
                    )
        finally:
            # Also where it was refused: nothing of an earlier run is shown then, nor may it be reported.
            self._made, self._for, self._report = made, signer.name if signer else "", {}
        of = made if isinstance(made, Pooled) else made.results
        return {
            "compares": signer is not None, "why": why or "", "by": signer.name if signer else "",
            "simulated": of.simulated, "snapshot": dict(of.snapshot), "plan": plan or "draft",
            "plan_sha256": of.plan["sha256"], "protocol": of.protocol["version"],
            "words": {language: _words(made, language) for language in LANGUAGES},
        }  # fmt: skip

    def rows(self, analysis: str) -> list[dict[str, Any]]:
        """The rows that entered an analysis, or all of a variable that was observed.

        Parameters
        ----------
        analysis : name of the analysis, or the variable.

        Raises
        ------
        UnknownName
            Nothing of that name was run.
        """
        made = self._shown()
        keys = {
            one.variable: tuple(row.key for line in one.lines for row in line.rows if row)
            for one in (made.courses if made else ())
        }
        if isinstance(made, Analysed):
            keys |= {one.name: one.rows for one in made.results.analyses}
        if made is None or analysis not in keys:
            raise UnknownName(Message("results.no_analysis", got=f"{analysis!r:.80}", known=list(keys)))
        return [_row(made.rows[key]) for key in keys[analysis][:MOST_ROWS] if key in made.rows]

    def behind(self, key: str) -> dict[str, Any]:
        """What a row rests on: its exam or run, the entry that wrote it, and the recordings of its visit.

        Parameters
        ----------
        key : of a row.

        Raises
        ------
        UnknownName
            No such row was shown.
        """
        made = self._shown()
        row: Any = made.rows.get(key) if made else None
        if row is None:
            raise UnknownName(Message("results.no_row", got=f"{key!r:.120}"))
        told = {
            name: getattr(row, name, "")
            for name in ("key", "participant", "visit", "source_table", "source_id", "source_version", "rater")
        }
        told |= {"entry": row.entry_seq or 0, "hash": row.entry_hash}
        if isinstance(made, Pooled):
            # Sessions and recordings tell an arm: a blinded reader is shown the exam alone.
            return {**told, "samples": [], "sessions": []}
        own = dict(zip(getattr(row, "recordings", ()), getattr(row, "samples", ()), strict=True))
        with self._record.opened() as study:
            sessions = _sessions(study, getattr(row, "visit_id", ""))
        spans = [{"sha256": sha, "span": span} for sha, span in own.items()]
        return {**told, "samples": spans, "sessions": sessions}

    def samples(self, recording: str, span: str, at: int, lane: int, language: str) -> dict[str, Any]:
        """A part of the samples behind a row on the scope.

        Parameters
        ----------
        recording, span : SHA-256, and ``"first-last"``.
        at : first sample that is shown.
        lane : number of the first channel that is shown, from 0.
        language : of the figure's texts.

        Raises
        ------
        Refused
            For a blinded reader, to whom recordings are not shown.
        BadValue, UnknownName, RecordFault
            As :func:`workbench.reports.samples.of`.
        """
        if not isinstance(self._shown(), Analysed):
            raise Refused(Message("results.no_samples"))
        first, last = samples.parse(str(span))
        with self._record.opened() as study:
            found = samples.of(study, str(recording), first, last)
        run, fs = found.run, found.run.signal.fs
        begin = min(max(int(at), first), last)
        end = min(last, begin + max(1, round(SHOWN_S * fs)) - 1)
        names = list(run.signal.channels)
        start = min(max(int(lane), 0), len(names) - 1) // MOST_CHANNELS * MOST_CHANNELS
        channels = names[start : start + MOST_CHANNELS]
        figure = samples.figure_of(run, begin, end, channels=channels, language=str(language))
        return {
            "recording": found.row["sha256"], "path": found.row["path"], "first": first, "last": last,
            "begin": begin, "end": end, "fs": fs, "lane": start, "lanes": len(channels), "channels": len(names),
            "most": MOST_CHANNELS, "figure": figure.to_json(),
        }  # fmt: skip

    def report(self, language: str, *, progress: Progress) -> dict[str, Any]:
        """Write the report of what is shown: the final one of a lock, an interim one of a data cut.

        Parameters
        ----------
        language : ``"en"`` or ``"zh-CN"``.
        progress : told the number of each step, of how many, and its name.

        Returns
        -------
        dict
            As :func:`workbench.dashboard.signed_report.written`.

        Raises
        ------
        Refused
            Nothing that compares arms was run here, or for somebody else; the report cannot be made.
        BadValue, UnknownName, RecordFault
            As :func:`workbench.reports.trial_report`.
        """
        made = self._shown()
        if not isinstance(made, Analysed):
            raise Refused(Message("results.no_comparison"))
        with self._record.opened() as study:
            reader, _ = self._record.unblinded(study)
            self._report = signed_report.written(study, made, reader, str(language), progress=progress)
        return self._report

    def sign(
        self, sha256: str, role: str, *, login: str = "", password: str = "", progress: Progress
    ) -> dict[str, Any]:
        """Sign the report that is shown, and write the issue that shows the signature.

        Parameters
        ----------
        sha256 : of the draft that the page shows.
        role : as whom, one of ``reports.signing.ROLES``.
        login, password : of who signs; the password is checked and forgotten.
        progress : as of :meth:`report`.

        Returns
        -------
        dict
            As :meth:`report`.

        Raises
        ------
        Refused, BadValue
            No report was made here, or another one is shown; as :func:`workbench.reports.signing.sign_report`.
        """
        self._shown()
        if not self._report:
            raise Refused(Message("results.no_report"))
        if sha256 != self._report["draft"]:
            raise Refused(Message("results.other_report"))
        with self._record.opened() as study:
            way = signed_report.how(self._record, study)
            signed_report.sign(study, sha256, str(role), way, login=str(login), password=str(password))
        return self.report(self._report["language"], progress=progress)

    def read_report(self) -> str:
        """The report that was made here, as one HTML page."""
        self._shown()
        if not self._report:
            raise Refused(Message("results.no_report"))
        with self._record.opened() as study:
            return signed_report.page_of(study, self._report)

    def _shown(self) -> Analysed | Pooled | None:
        """What was run, None before. Raises Refused, and forgets it, where it tells arms to somebody else."""
        if isinstance(self._made, Analysed):
            with self._record.opened() as study:
                signer, _ = self._record.unblinded(study)
            if signer is None or signer.name != self._for:
                self._made, self._report = None, {}
                raise Refused(Message("results.of_another"))
        return self._made


# ------------------------------------------------------------------------------ what can be chosen
def _snapshot(one: snapshots.SnapshotRow) -> dict[str, Any]:
    day = datetime.fromisoformat(one.utc).astimezone().strftime("%Y-%m-%d %H:%M")
    told = {name: getattr(one, name) for name in ("name", "level", "sha256", "by", "reason", "there")}
    return {**told, "day": day, "seq": one.head[0]}


def _plans(study: Study) -> list[str]:
    """Names of the files in the study's folder of plans."""
    folder = study.folder / PLANS
    try:
        return sorted(path.name for path in folder.glob("*.toml") if path.is_file())
    except OSError:
        return []


def _text_of(study: Study, plan: str) -> str | None:
    """Text of a plan that is offered; None for the draft."""
    if plan == DRAFT:
        return None
    known = _plans(study)
    if plan not in known:
        raise UnknownName(Message("results.no_plan", got=f"{plan!r:.80}", known=known or [Message("word.none")]))
    return reading.read_text(study.folder / PLANS / plan, Message("estimation.file"), largest=LARGEST, signed=True)


# ------------------------------------------------------------------------------ in words
def _words(made: Analysed | Pooled, language: str) -> dict[str, Any]:
    told: dict[str, Any] = {"courses": [_course(one, language) for one in made.courses]}
    if isinstance(made, Pooled):
        return {**told, "finding": "", "estimands": [], "behind": {}}
    found = result_words.of_results(plain(made.results), language)
    return {
        **told, "finding": found.finding, "behind": {name: asdict(one) for name, one in found.behind.items()},
        "estimands": [
            {
                "name": one.name, "level": one.level, "rows": [asdict(row) for row in one.rows],
                "forest": _forest(one.forest) if one.forest else "",
            }
            for one in found.estimands
        ],
    }  # fmt: skip


def _forest(found: result_words.Forest) -> str:
    drawn = interactive.forest(found.effects, axis=found.axis, none=found.none, keys=found.names)
    return str(drawn.to_json())


def _course(one: Course, language: str) -> dict[str, Any]:
    """A course as a figure and as a table: number, mean, spread and what is missing at each visit, by arm."""
    t = Texts(language)
    title = result_words.of_variable(one.variable, one.side, one.state, language)
    panels, table = [], []
    for arm in one.arms:
        lines = [line for line in one.lines if line.arm == arm]
        heading = t("tr_group", title=arm or t("tr_all"), n=len(lines))
        panel = figures.CoursePanel(heading, tuple(line.values for line in lines))
        panels.append(NamedPanel(panel, tuple(line.participant for line in lines)))
        points = one.points(arm)
        table.append({"arm": heading, "points": [asdict(point) for point in points]})
    words = {"one": t("tr_course_one"), "mean": t("tr_mean_mean")}
    there = any(value is not None for line in one.lines for value in line.values)
    drawn = interactive.courses(panels, one.visits, axis=title, words=words).to_json() if there else ""
    return {
        "variable": one.variable,
        "title": title,
        "visits": list(one.visits),
        "table": table,
        "figure": str(drawn),
    }


# ------------------------------------------------------------------------------ what stands behind
def _row(row: Any) -> dict[str, Any]:
    named = ("key", "participant", "arm", "visit", "value", "change", "missing", "rater", "entry_hash")
    told = {name: getattr(row, name, "") for name in named}
    told["value"] = told["value"] if told["value"] != "" else getattr(row, "on", "")
    return {**told, "entry": row.entry_seq or 0, "source": row.source_table}


def _sessions(study: Study, visit_id: str) -> list[dict[str, Any]]:
    """Runs of the sessions of a visit, with the whole of each recording."""
    found: list[dict[str, Any]] = []
    for session in study.rows("session", visit_id=visit_id) if visit_id else ():
        for run in study.rows("run", session_id=session["id"]):
            recorded: Sequence[Mapping[str, Any]] = study.rows("recording", run_id=run["id"])
            found += [
                {
                    "run": run["number"], "kind": run["kind"], "sha256": row["sha256"],
                    "span": f"0-{max(0, int(row['n_samples']) - 1)}",
                }
                for row in recorded
            ]  # fmt: skip
    return found
