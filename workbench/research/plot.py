"""Pictures of runs, decoders, trials, outcomes and exams, as plotly figures: ``wb.plot.scope(run)`` and so on.

Numbers come from :mod:`workbench.analysis`; the drawing is in :mod:`workbench.figures.interactive`. A figure shows
itself as the last line of a cell, and ``figure.write_html(path)`` keeps it. For an export by nbconvert, set
``plotly.io.renderers.default = "plotly_mimetype+notebook"`` first: it puts plotly's JavaScript into the notebook.
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
from workbench.figures import Matrix, VisitScore, interactive
from workbench.figures.interactive import Disc, Evidence, Mark, Period, TrialMark
from workbench.recording import RunFile
from workbench.research.learning import Evaluation, Source, band_power, evidence_of
from workbench.signals.cues import locate_cues
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

__all__ = ["body_chart", "confusion", "evidence", "outcome", "patterns", "scope", "trials"]


def scope(
    run: RunFile | Path | str,
    *,
    start_s: float = 0.0,
    duration_s: float = 10.0,
    channels: Sequence[str] | None = None,
) -> Figure:
    """The signal of a recorded run, one lane a channel, with its cues and events.

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
        A part that holds no sample.
    """
    run = _run(run)
    signal = run.signal
    names = list(channels or signal.channels)
    for name in names:
        if name not in signal.channels:
            raise UnknownName(f"{run.path.name} has no channel {name!r}; it has {', '.join(signal.channels)}")
    first, last = round(start_s * signal.fs), round((start_s + duration_s) * signal.fs)
    rows = slice(max(0, first), max(0, last))
    # Row and column apart: the recording may be far larger than the part that is shown.
    samples = run.units.scale(np.asarray(signal.values[rows], dtype=np.float64))
    samples = samples[:, [signal.channels.index(name) for name in names]]
    if not len(samples):
        raise BadValue(
            f"{run.path.name} has {len(signal.stamps) / signal.fs:.1f} s; there is nothing from {start_s:g} s on"
        )
    times = (rows.start + np.arange(len(samples))) / signal.fs
    events = [
        Mark(marker.sample / signal.fs, marker.label or marker.kind)
        for marker in run.markers()
        if marker.kind not in ("cue", "run") and times[0] <= marker.sample / signal.fs <= times[-1]
    ]
    return interactive.scope(
        times,
        samples,
        channels=names,
        periods=[one for one in _periods(run) if one.stop_s > times[0] and one.start_s < times[-1]],
        marks=events,
        title=f"{signal.name}, {run.path.name}",
        simulated=_simulated(run),
    )


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
        raise BadValue(f"{run.path.name} holds no decision; draw the evidence of an online run")
    params = run.plan.get("params", {})
    wanted = target or str(params.get("condition") or run.classes[0])
    if wanted not in run.classes:
        raise UnknownName(
            f"the decoder of {run.path.name} has no class {wanted!r}; it has {', '.join(run.classes)}"
        )
    place = run.classes.index(wanted)
    hits = {trial.onset_sample for trial in run.trials() if trial.outcome == "correct"}
    marks = []
    for one in decisions:
        if one.change == "activate":
            kind = "hit" if one.sample in hits else "false"
            marks.append(Mark(one.sample / fs, f"{one.label or wanted}, {kind}", kind))
        elif one.change == "release":
            marks.append(Mark(one.sample / fs, "release", "release"))
    found = Evidence(
        times_s=np.array([one.sample / fs for one in decisions]),
        probability=np.array([one.probabilities[place] if one.valid else np.nan for one in decisions]),
        target=wanted,
        thresholds={name: float(params[name]) for name in ("activate", "release") if name in params},
        periods=tuple(_periods(run)),
        marks=tuple(marks),
    )
    notes = []
    if "onset_window_s" in params:
        events = analysis.event_metrics(run.trials(), onset_window_s=float(params["onset_window_s"]), fs=fs)
        notes.append(
            f"{events.hits} of {events.n} cues answered within {events.onset_window_s:g} s, {events.false} false "
            "activations; shaded: what was cued"
        )
    title = f"Evidence for {wanted}, {run.path.name}"
    return interactive.evidence(found, title=title, notes=notes, simulated=_simulated(run))


def confusion(found: Evaluation | Confusion | Sequence[Confusion] | pd.DataFrame, *, title: str = "") -> Figure:
    """Confusion matrices with the chance limit: of an evaluation by fold, or of trials by run.

    Parameters
    ----------
    found : what :func:`wb.evaluate` returned, matrices of ``analysis``, or a table of trials such as
        ``study.trials()``.
    title : what they show.

    Raises
    ------
    BadValue
        Without a judged trial, or with trials of one condition only.
    """
    simulated = False
    if isinstance(found, Evaluation):
        title = title or f"{found.decoder}, {found.validation}"
        tables, simulated, word = list(found.confusions), found.simulated, "fold"
    elif isinstance(found, Confusion):
        tables, word = [found], "run"
    elif isinstance(found, Sequence):
        tables, word = list(found), "run"
    else:
        tables, simulated, word = _by_run(found), bool(found.simulated.any()), ""
    if not any(table.n for table in tables):
        raise BadValue("there is no judged trial to draw; take an online run, or an evaluation")
    right = [analysis.accuracy_of(table) for table in tables]
    n, correct = sum(one.n for one in right), sum(one.correct for one in right)
    limit = analysis.chance_limit(n, classes=len(tables[0].labels))
    chance = "no number of them" if limit is None else f"{limit} or more"
    note = f"{correct} of {n} right; {chance} would be unlikely by guessing (exact binomial, one-sided 5 %)"
    matrices = [
        _matrix(table, title=f"{word} {table.run}".strip(), note=f"{one.correct} of {one.n}")
        for table, one in zip(tables, right, strict=True)
    ]
    return interactive.confusion_tables(
        matrices, title=title or "Decided beside cued", notes=[note], simulated=simulated
    )


def _by_run(trials: pd.DataFrame) -> list[Confusion]:
    """One matrix a run of a table of trials, named after where the run belongs."""
    judged = trials[trials.outcome.isin(analysis.JUDGED)]
    classes = sorted({*judged.condition, *judged.decided} - {""})
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
    counts = tuple((*row, left) for row, left in zip(table.counts, table.undecided, strict=True))
    return Matrix(title, note, table.labels, counts, (*table.labels, "none"))


def patterns(decoder: WindowDecoder, source: Source, *, target: str | None = None) -> Figure:
    """Where a decoder's evidence comes from: how band power at each channel goes with it, from -1 to 1.

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
    wanted = target or classes[0]
    if wanted not in classes:
        raise UnknownName(f"the decoder has no class {wanted!r}; it has {', '.join(classes)}")
    scores, data = evidence_of(decoder, source, target=wanted)
    channels = data.montage.channels
    places = _head_places(channels)
    head = places is not None
    if places is None:
        places = [(float(place), 0.0) for place in range(len(channels))]
    panels = []
    for low, high in decoder.pass_bands():
        values = analysis.activation_pattern(band_power(data, low, high), scores)
        discs = [
            Disc(name, x, y, float(value)) for name, (x, y), value in zip(channels, places, values, strict=True)
        ]
        panels.append((f"{low:g}–{high:g} Hz", discs))
    notes = [
        "correlation of log band power with the evidence, −1 to 1: area is the magnitude, + or − the sign",
        f"{len(scores)} epochs of {data.montage.fs:g} Hz",
    ]
    name = getattr(decoder, "name", type(decoder).__name__)
    title = f"Pattern of {name} for {wanted}"
    return interactive.patterns(panels, head=head, title=title, notes=notes, simulated=data.simulated)


def trials(study: Study, *, session_id: str | None = None) -> Figure:
    """The trials of a session in order: onset after the cue, and what came of each.

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
    online = table[table.outcome != "recorded"]
    if not len(online) or (session_id is not None and session_id not in set(online.session_id)):
        raise UnknownName(f"the study {study.code} has no decided trial in session {session_id or '(any)'}")
    mine = online[online.session_id == (session_id or online.session_id.iloc[-1])]
    params = [_params(runs.parameters[run_id]) for run_id in dict.fromkeys(mine.run_id)]
    windows = {float(one["onset_window_s"]) for one in params if "onset_window_s" in one}
    marks = [
        TrialMark(
            run=f"run {row.run}",
            condition=row.condition,
            outcome=row.outcome,
            latency_s=None if np.isnan(row.latency_s) else float(row.latency_s),
            false_activations=int(row.false_activations),
        )
        for row in mine.itertuples()
    ]
    first = mine.iloc[0]
    spread = analysis.spread([mark.latency_s for mark in marks if mark.latency_s is not None])
    return interactive.trial_course(
        marks,
        title=f"Trials of {first.participant}, {first.visit}, session {first.session}",
        notes=[f"onset {spread.words()}" if spread else ""],
        window_s=windows.pop() if len(windows) == 1 else None,
        simulated=bool(mine.simulated.any()),
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
            Condition(row.assisted is True, row.device_on is True, row.stimulation_on is True),
        )
        for row in last.astype(
            {name: "object" for name in ("assisted", "device_on", "stimulation_on")}
        ).itertuples()
    ]
    person, where = table.participant.iloc[0], table.side.iloc[0]
    words = " ".join(text for text in (measure.upper(), "" if part == "total" else part, where) if text)
    about = _about(measure, part)
    return figures.over_visits_plotly(
        scores,
        order,
        measure=f"{words}, {person}",
        baseline=baseline,
        threshold=threshold,
        simulated=bool(table.simulated.any()),
        **about,
    )


def _about(measure: str, part: str) -> dict[str, Any]:
    """Scale, unit and direction of a measure's total or subscore, as its definition has them."""
    if measure not in outcomes.available():
        return {}
    definition = outcomes.load(measure).definition
    if part == "total":
        low, high, unit, way = definition.low, definition.high, "points", definition.direction
    else:
        subscale = next((one for one in definition.subscales if one.code == part), None)
        if subscale is None:
            return {}
        low, high, unit = subscale.low, subscale.high, subscale.unit or "points"
        way = subscale.direction or definition.direction
    scale = (float(low), float(high)) if low is not None and high is not None else None
    return {"scale": scale, "unit": unit, "direction": way}


def _only(table: pd.DataFrame, column: str, wanted: str | None, study: Study) -> pd.DataFrame:
    """Rows of the one value that is wanted; without a wish, of the only one there is."""
    known = [str(name) for name in dict.fromkeys(table[column])]
    if wanted is None and len(known) == 1:
        return table
    if wanted not in known:
        there = ", ".join(name or "(none)" for name in known) or "nothing"
        asked = f"has no {column} {wanted!r} here" if wanted is not None else f"needs to know which {column}"
        raise UnknownName(f"the picture of {study.code} {asked}; there is {there}")
    return table[table[column] == wanted]


def body_chart(exam: Assessment | Mapping[str, Any], *, title: str = "", simulated: bool = False) -> Figure:
    """Sensation on the body chart of an ISNCSCI exam, with level, grade and sums where it could be classified.

    Parameters
    ----------
    exam : an assessment, a row of ``study.assessments()``, or the items of an exam.
    title : what it shows.
    simulated : whether the exam is; a row of ``study.assessments()`` says so itself.

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
    found = [f"{name}: {value}" for name, value in classes.items() if isinstance(value, str) and name in SHOWN]
    return interactive.body_chart(
        scores, title=title or "ISNCSCI", notes=(", ".join(found),) if found else (), simulated=simulated
    )


SHOWN = ("nli", "ais", "neurologicalLevelOfInjury", "asiaImpairmentScale")
"""Results of the classification that stand under the title."""


def _run(run: RunFile | Path | str) -> RunFile:
    return run if isinstance(run, RunFile) else RunFile(run)


def _simulated(run: RunFile) -> bool:
    return bool(run.plan.get("simulated"))


def _params(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = stored.get("params")
    return inner if isinstance(inner, Mapping) else stored


def _periods(run: RunFile) -> list[Period]:
    """What was cued; rest is drawn paler and has no word."""
    fs, rest = run.signal.fs, str(run.plan.get("params", {}).get("rest", ""))
    cues, _ = locate_cues(run.items(), fs=fs)
    return [
        Period(cue.sample / fs, cue.sample / fs + cue.duration_s, cue.label, strong=cue.label != rest)
        for cue in cues
    ]


def _head_places(channels: Sequence[str]) -> list[tuple[float, float]] | None:
    """Where channels sit on a head of radius 1, nose up; None unless the 10–10 system knows every one of them."""
    import mne

    known = mne.channels.make_standard_montage("easycap-M1").get_positions()["ch_pos"]
    by_name = {name.lower(): position for name, position in known.items()}
    if not all(name.lower() in by_name for name in channels):
        return None
    places = []
    for name in channels:
        x, y, z = by_name[name.lower()]
        # From the vertex outwards by the angle, as a head is drawn: the line through T7 and T8 is the edge.
        radius = np.arccos(np.clip(z / np.sqrt(x * x + y * y + z * z), -1.0, 1.0)) / (np.pi / 2)
        angle = np.arctan2(y, x)
        places.append((float(radius * np.cos(angle)), float(radius * np.sin(angle))))
    return places
