"""Pictures of runs, decoders, trials, outcomes and exams, as plotly figures: ``wb.plot.scope(run)`` and so on.

Numbers come from :mod:`workbench.analysis`; the drawing is in :mod:`workbench.figures.interactive`. A figure shows
itself as the last line of a cell, and ``figure.write_html(path)`` keeps it. For an export by nbconvert, run it
with ``PLOTLY_RENDERER=plotly_mimetype+notebook`` in the environment, which puts plotly's JavaScript into the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import analysis, figures, outcomes
from workbench.analysis import Confusion
from workbench.decoders import WindowDecoder
from workbench.errors import BadValue, UnknownName
from workbench.estimation import Analysed, Pooled
from workbench.estimation.results import plain
from workbench.figures import Matrix, VisitScore, interactive
from workbench.figures.interactive import Disc, Evidence, Mark, NamedPanel, TrialMark
from workbench.recording import RunFile
from workbench.reports import result_words, samples
from workbench.research.learning import Evaluation, Source, band_power, evidence_of
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

__all__ = [
    "body_chart", "confusion", "courses", "evidence", "forest", "outcome", "patterns", "scope", "trials",
]  # fmt: skip


def scope(
    run: RunFile | Path | str,
    *,
    start_s: float = 0.0,
    duration_s: float = 10.0,
    channels: Sequence[str] | None = None,
) -> Figure:
    """The signal of a recorded run, one lane per channel, with its cues and events.

    Parameters
    ----------
    run : a recorded run, or its path.
    start_s, duration_s : what part of it, s from the start of the recording.
    channels : which, and in what order; all by default.

    Raises
    ------
    UnknownName
        A channel that the recording does not have; the text lists those it has.
    BadValue
        A part that contains no sample.
    """
    run = _run(run)
    signal = run.signal
    first = max(0, round(start_s * signal.fs))
    last = min(round((start_s + duration_s) * signal.fs), len(signal.stamps)) - 1
    if last < first:
        raise BadValue(
            f"{run.path.name} has {len(signal.stamps) / signal.fs:.1f} s; there is nothing from {start_s:g} s on"
        )
    return samples.figure_of(run, first, last, channels=channels)


def evidence(run: RunFile | Path | str, *, target: str | None = None) -> Figure:
    """The evidence of an online run with its thresholds, what was cued, and every onset and release.

    Parameters
    ----------
    run : a recorded run in which a decoder decided, or its path.
    target : class whose evidence is drawn; by default the one that the paradigm cues.

    Raises
    ------
    BadValue
        A run without a decision.
    UnknownName
        A class that the decoder does not have.
    """
    run = _run(run)
    decisions, fs = run.decisions(), run.signal.fs
    if not decisions:
        raise BadValue(f"{run.path.name} contains no decision; draw the evidence of an online run")
    if not run.evidence.has_classes:
        raise BadValue(
            f"{run.path.name} was decided on {run.evidence.kind}; this draws the probability of a class"
        )
    params = run.plan.get("params", {})
    target_class = target or str(params.get("condition") or run.classes[0])
    if target_class not in run.classes:
        raise UnknownName(
            f"the decoder of {run.path.name} has no class {target_class!r}; it has {', '.join(run.classes)}"
        )
    column = run.classes.index(target_class)
    hits = {trial.onset_sample for trial in run.trials() if trial.outcome == "correct"}
    marks = []
    for decision in decisions:
        if decision.change == "activate":
            kind = "hit" if decision.sample in hits else "false"
            marks.append(Mark(decision.sample / fs, f"{decision.label or target_class}, {kind}", kind))
        elif decision.change == "release":
            marks.append(Mark(decision.sample / fs, "release", "release"))
    course = Evidence(
        times_s=np.array([decision.sample / fs for decision in decisions]),
        probability=np.array(
            [decision.probabilities[column] if decision.valid else np.nan for decision in decisions]
        ),
        target=target_class,
        thresholds={name: float(params[name]) for name in ("activate", "release") if name in params},
        periods=tuple(samples.periods_of(run)),
        marks=tuple(marks),
    )
    notes = []
    if "onset_window_s" in params:
        events = analysis.event_metrics(run.trials(), onset_window_s=float(params["onset_window_s"]), fs=fs)
        notes.append(
            f"{events.hits} of {events.n} cues answered within {events.onset_window_s:g} s, {events.false} false "
            "activations; shaded: what was cued"
        )
    title = f"Evidence for {target_class}, {run.path.name}"
    return interactive.evidence(course, title=title, notes=notes, simulated=samples.is_simulated(run))


def confusion(source: Evaluation | Confusion | Sequence[Confusion] | pd.DataFrame, *, title: str = "") -> Figure:
    """Confusion matrices with the chance limit: of an evaluation by fold, or of trials by run.

    Parameters
    ----------
    source : what :func:`wb.evaluate` returned, matrices of ``analysis``, or a table of trials such as
        ``study.trials()``.
    title : what they show.

    Raises
    ------
    BadValue
        Without a judged trial, or with trials of one condition only.
    """
    simulated = False
    if isinstance(source, Evaluation):
        title = title or f"{source.decoder}, {source.validation}"
        tables, simulated, unit = list(source.confusions), source.simulated, "fold"
    elif isinstance(source, Confusion):
        tables, unit = [source], "run"
    elif isinstance(source, Sequence):
        tables, unit = list(source), "run"
    else:
        tables, simulated, unit = _by_run(source), bool(source.simulated.any()), ""
    if not any(table.n for table in tables):
        raise BadValue("there is no judged trial to draw; take an online run, or an evaluation")
    accuracies = [analysis.accuracy_of(table) for table in tables]
    n, correct = sum(accuracy.n for accuracy in accuracies), sum(accuracy.correct for accuracy in accuracies)
    limit = analysis.chance_limit(n, classes=len(tables[0].labels))
    chance = "no number of them" if limit is None else f"{limit} or more"
    note = f"{correct} of {n} right; {chance} would be unlikely by guessing (exact binomial, one-sided 5 %)"
    matrices = [
        _matrix(table, title=f"{unit} {table.run}".strip(), note=f"{accuracy.correct} of {accuracy.n}")
        for table, accuracy in zip(tables, accuracies, strict=True)
    ]
    return interactive.confusion_tables(
        matrices, title=title or "Decided beside cued", notes=[note], simulated=simulated
    )


def _by_run(trials: pd.DataFrame) -> list[Confusion]:
    """One matrix per run of a table of trials, named after participant, visit, session and run."""
    judged = trials[trials.outcome.isin(analysis.JUDGED)]
    classes = sorted({*judged.condition, *judged.decided} - {""})
    # Self-paced runs cue one class; an accuracy of their cues would ignore false activations.
    if len(classes) == 1:
        raise BadValue(
            f"trials of one condition ({classes[0]}) have no confusion; see wb.plot.trials and "
            "analysis.event_metrics"
        )
    return [
        analysis.confusion_of(list(rows.condition), list(rows.decided), classes, run=" · ".join(map(str, key)))
        for key, rows in judged.groupby(["participant", "visit", "session", "run"], sort=False)
    ]


def _matrix(table: Confusion, *, title: str, note: str) -> Matrix:
    if not any(table.undecided):
        return Matrix(title, note, table.labels, table.counts)
    counts = tuple((*row, undecided) for row, undecided in zip(table.counts, table.undecided, strict=True))
    return Matrix(title, note, table.labels, counts, (*table.labels, "none"))


def patterns(decoder: WindowDecoder, source: Source, *, target: str | None = None) -> Figure:
    """Where a decoder's evidence comes from: correlation of band power at each channel with it, from -1 to 1.

    Channels that the 10–10 system knows are drawn on a head, others as a strip of contacts in the order of the
    montage. See :func:`workbench.analysis.activation_pattern` for what a pattern is.

    Parameters
    ----------
    decoder : fitted.
    source : epochs or recordings, as :func:`wb.fit` takes them; best those that it was not fitted on.
    target : class whose evidence is meant, the first one by default.

    Raises
    ------
    UnknownName
        A class that the decoder does not have.
    """
    classes = [str(name) for name in decoder.classes_]
    target_class = target or classes[0]
    if target_class not in classes:
        raise UnknownName(f"the decoder has no class {target_class!r}; it has {', '.join(classes)}")
    scores, data = evidence_of(decoder, source, target=target_class)
    channels = data.montage.channels
    positions = _head_places(channels)
    head = positions is not None
    if positions is None:
        positions = [(float(i), 0.0) for i in range(len(channels))]
    panels = []
    for low, high in decoder.pass_bands():
        values = analysis.activation_pattern(band_power(data, low, high), scores)
        discs = [
            Disc(name, x, y, float(value)) for name, (x, y), value in zip(channels, positions, values, strict=True)
        ]
        panels.append((f"{low:g}–{high:g} Hz", discs))
    notes = [
        "correlation of log band power with the evidence, −1 to 1: area is the magnitude, + or − the sign",
        f"{len(scores)} epochs of {data.montage.fs:g} Hz",
    ]
    name = getattr(decoder, "name", type(decoder).__name__)
    title = f"Pattern of {name} for {target_class}"
    return interactive.patterns(panels, head=head, title=title, notes=notes, simulated=data.simulated)


def trials(study: Study, *, session_id: str | None = None) -> Figure:
    """The trials of a session in order: onset after the cue, and outcome of each.

    Parameters
    ----------
    study : an open study.
    session_id : which session, the newest with a decided trial by default.

    Raises
    ------
    UnknownName
        A session without a decided trial.
    """
    table = study.trials()
    runs = study.runs().set_index("id")
    # A run that a schedule moved is judged by the same rule, and is not what the participant did.
    online = table[(table.outcome != "recorded") & table.run_id.map(runs.kind == "online")]
    if not len(online) or (session_id is not None and session_id not in set(online.session_id)):
        raise UnknownName(f"the study {study.code} has no decided trial in session {session_id or '(any)'}")
    in_session = online[online.session_id == (session_id or online.session_id.iloc[-1])]
    params = [_params(runs.parameters[run_id]) for run_id in dict.fromkeys(in_session.run_id)]
    # Drawn only where all runs agree: one line cannot stand for two definitions.
    windows = {float(run_params["onset_window_s"]) for run_params in params if "onset_window_s" in run_params}
    marks = [
        TrialMark(
            run=f"run {row.run}",
            condition=row.condition,
            outcome=row.outcome,
            latency_s=None if np.isnan(row.latency_s) else float(row.latency_s),
            false_activations=int(row.false_activations),
        )
        for row in in_session.itertuples()
    ]
    first = in_session.iloc[0]
    spread = analysis.spread([mark.latency_s for mark in marks if mark.latency_s is not None])
    return interactive.trial_course(
        marks,
        title=f"Trials of {first.participant}, {first.visit}, session {first.session}",
        notes=[f"onset {spread.words()}" if spread else ""],
        window_s=windows.pop() if len(windows) == 1 else None,
        simulated=bool(in_session.simulated.any()),
    )


def outcome(
    study: Study,
    measure: str,
    *,
    participant: str | None = None,
    part: str = "total",
    side: str | None = None,
    baseline: str = "",
    threshold: Any = None,
) -> Figure:
    """One outcome of one participant over the visits: a line for each condition, never one across two.

    Parameters
    ----------
    study : an open study.
    measure : name of an outcome measure, such as ``"arat"``, or ``"performance"``.
    participant : pseudonym; may be left out where only one has the measure.
    part : ``"total"`` or a subscore.
    side : ``"left"`` or ``"right"``; may be left out where only one was assessed.
    baseline : visit whose value is drawn as a line.
    threshold : row of the threshold table, for a band around the baseline.

    Raises
    ------
    UnknownName
        Nothing of that name, or more than one: the text lists what there is.
    """
    table = study.outcomes()
    table = _only(table, "measure", measure, study)
    table = _only(table, "participant", participant, study)
    table = _only(table, "subscore", part, study)
    table = _only(table, "side", side, study)
    order = [name for name in dict.fromkeys(study.visits().visit) if name in set(table.visit)]
    # Repeats of one administration stay in the record; the last one of a visit is the one that is drawn.
    last = table.groupby(["visit", "assisted", "device_on", "stimulation_on"], sort=False, dropna=False).tail(1)
    scores = [
        VisitScore(
            row.visit,
            None if np.isnan(row.value) else float(row.value),
            # Missing where a run does not state it; a condition is only what is known to be on.
            Condition(row.assisted is True, row.device_on is True, row.stimulation_on is True),
        )
        for row in last.astype(
            {name: "object" for name in ("assisted", "device_on", "stimulation_on")}
        ).itertuples()
    ]
    person, side_of = table.participant.iloc[0], table.side.iloc[0]
    heading = " ".join(text for text in (measure.upper(), "" if part == "total" else part, side_of) if text)
    about = _about(measure, part)
    return figures.over_visits_plotly(
        scores,
        order,
        measure=f"{heading}, {person}",
        baseline=baseline,
        threshold=threshold,
        simulated=bool(table.simulated.any()),
        **about,
    )


def forest(made: Analysed, *, estimand: str = "") -> Figure:
    """The estimates of one estimand on one axis, those of the primary's scale and variable.

    Parameters
    ----------
    made : what :func:`workbench.estimation.analyse` returned.
    estimand : of the protocol; ``""`` for the first of the plan.

    Raises
    ------
    UnknownName
        No such estimand.
    BadValue
        Nothing was estimated; the text has the reasons.
    """
    words = result_words.of_results(plain(made.results), "en")
    known = {one.name: one for one in words.estimands}
    name = estimand or next(iter(known), "")
    if name not in known:
        raise UnknownName(f"the plan has no analysis of the estimand {name!r}; it has {', '.join(known)}")
    found = known[name].forest
    if found is None:
        why = "; ".join(f"{row.label}: {row.estimate}" for row in known[name].rows)
        raise BadValue(f"nothing was estimated of {name}: {why}")
    return interactive.forest(
        found.effects, axis=found.axis, none=found.none, keys=found.names, title=f"Estimand: {name}",
        notes=[words.finding if name == next(iter(known)) else ""], simulated=made.results.simulated,
    )  # fmt: skip


def courses(made: Analysed | Pooled, *, variable: str = "") -> Figure:
    """Every participant over the visits of the plan as observed, a panel for each arm that is told.

    Parameters
    ----------
    made : what :func:`workbench.estimation.analyse` or :func:`workbench.estimation.pooled` returned.
    variable : such as ``"arat.total"``; ``""`` for the first of the plan.

    Raises
    ------
    UnknownName
        No such variable in the plan, or nobody has a row of it.
    BadValue
        Nobody has a value.
    """
    known = {one.variable: one for one in reversed(made.courses)}
    name = variable or (made.courses[0].variable if made.courses else "")
    if name not in known:
        available = ", ".join(known) or "nothing"
        raise UnknownName(f"the plan has no observed variable {name!r}; there is {available}")
    course = known[name]
    simulated = made.simulated if isinstance(made, Pooled) else made.results.simulated
    axis = result_words.of_variable(course.variable, course.side, course.state, "en")
    panels = []
    for arm in course.arms:
        own = [line for line in course.lines if line.arm == arm]
        heading = f"{arm or 'all participants'}, n = {len(own)}"
        panel = figures.CoursePanel(heading, tuple(line.values for line in own))
        panels.append(NamedPanel(panel, tuple(line.participant for line in own)))
    notes = ["observed values; a missing visit breaks the line, and nothing is imputed"]
    return interactive.courses(
        panels, course.visits, axis=axis, title="As observed", notes=notes, simulated=simulated
    )


def _about(measure: str, part: str) -> dict[str, Any]:
    """Scale, unit and direction of a measure's total or subscore, as its definition has them."""
    if measure not in outcomes.available():
        return {}
    definition = outcomes.load(measure).definition
    if part == "total":
        low, high, unit, way = definition.low, definition.high, "points", definition.direction
    else:
        subscale = next((entry for entry in definition.subscales if entry.code == part), None)
        if subscale is None:
            return {}
        low, high, unit = subscale.low, subscale.high, subscale.unit or "points"
        way = subscale.direction or definition.direction
    scale = (float(low), float(high)) if low is not None and high is not None else None
    return {"scale": scale, "unit": unit, "direction": way}


def _only(table: pd.DataFrame, column: str, value: str | None, study: Study) -> pd.DataFrame:
    """Rows with one value of a column; with None, of the only value there is."""
    values = [str(name) for name in dict.fromkeys(table[column])]
    if value is None and len(values) == 1:
        return table
    if value not in values:
        available = ", ".join(name or "(none)" for name in values) or "nothing"
        problem = f"has no {column} {value!r} here" if value is not None else f"needs to know which {column}"
        raise UnknownName(f"the picture of {study.code} {problem}; there is {available}")
    return table[table[column] == value]


def body_chart(exam: Assessment | Mapping[str, Any], *, title: str = "", simulated: bool = False) -> Figure:
    """Sensation on the body chart of an ISNCSCI exam, with level, grade and sums where it could be classified.

    Parameters
    ----------
    exam : an assessment, a row of ``study.assessments()``, or the items of an exam.
    title : what it shows.
    simulated : whether the exam is; a row of ``study.assessments()`` states it itself.

    Raises
    ------
    BadValue
        When it is no ISNCSCI exam.
    """
    items: Mapping[str, Any]
    if isinstance(exam, Assessment):
        items, classes = exam.items, exam.score.get("classes") or {}
    elif "items" in exam and "score" in exam:
        items, classes = exam["items"], exam["score"].get("classes") or {}
        simulated = simulated or bool(exam.get("simulated", False))
        title = title or f"ISNCSCI of {exam.get('participant', '')}, {exam.get('visit', '')}".rstrip(", ")
    else:
        items, classes = exam, {}
    scores = {code: "" if value is None else str(value) for code, value in items.items()}
    if not any(".lightTouch." in code for code in scores):
        raise BadValue("a body chart needs the cells of an ISNCSCI exam (such as right.lightTouch.C5), got none")
    results = [f"{name}: {value}" for name, value in classes.items() if isinstance(value, str) and name in SHOWN]
    return interactive.body_chart(
        scores, title=title or "ISNCSCI", notes=(", ".join(results),) if results else (), simulated=simulated
    )


SHOWN = ("nli", "ais", "neurologicalLevelOfInjury", "asiaImpairmentScale")
"""Results of the classification that are printed under the title."""


def _run(run: RunFile | Path | str) -> RunFile:
    return run if isinstance(run, RunFile) else RunFile(run)


def _params(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = stored.get("params")
    return inner if isinstance(inner, Mapping) else stored


def _head_places(channels: Sequence[str]) -> list[tuple[float, float]] | None:
    """Positions of channels on a head of radius 1, nose up; None unless the 10–10 system knows all of them."""
    import mne

    standard = mne.channels.make_standard_montage("easycap-M1").get_positions()["ch_pos"]
    by_name = {name.lower(): position for name, position in standard.items()}
    if not all(name.lower() in by_name for name in channels):
        return None
    positions = []
    for name in channels:
        x, y, z = by_name[name.lower()]
        # From the vertex outwards by the angle, as a head is drawn: the line through T7 and T8 is the edge.
        radius = np.arccos(np.clip(z / np.sqrt(x * x + y * y + z * z), -1.0, 1.0)) / (np.pi / 2)
        angle = np.arctan2(y, x)
        positions.append((float(radius * np.cos(angle)), float(radius * np.sin(angle))))
    return positions
