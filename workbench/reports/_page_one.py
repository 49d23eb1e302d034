"""The first page: the finding, what is simulated, and what to keep in mind."""

from __future__ import annotations

from workbench import figures
from workbench.analysis import EventMetrics, Interval, Spread
from workbench.reports._facts import RunFacts
from workbench.reports._results import Cued, Failed, Result, pooled
from workbench.reports._say import Say, fraction, number
from workbench.reports.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Heading,
    Notice,
    Pair,
    Para,
    Picture,
    Table,
)

_CELL = 150.0


def title(say: Say) -> str:
    """The report's title."""
    facts, t = say.facts, say.t
    if not (facts.participant and facts.visit):
        return t("title_empty")
    return t("title", participant=facts.participant["pseudonym"], visit=facts.visit["name"])


def finding(say: Say) -> str:
    """The finding in one or two sentences, from the last online run, else what was recorded."""
    t = say.t
    if not say.facts.online:
        runs = [run for run in say.facts.runs if run.trials]
        if not runs:
            return t("finding_none")
        n = sum(len(run.trials) for run in runs)
        calibrated = all(run.row["kind"] == "calibration" for run in runs)
        return t(
            "finding_calibration" if calibrated else "finding_no_online",
            n=n,
            runs=t("runs_1") if len(runs) == 1 else t("runs_n", n=len(runs)),
        )
    # One run in the headline, the newest; the table below lists all of them.
    run = say.facts.online[-1]
    result = say.result(run)
    if isinstance(result, Failed):
        return t("finding_failed", run=run.number, reason=t.translate(result.reason))
    return _finding_cued(say, run, result) if isinstance(result, Cued) else _finding_event(say, run, result)


def _finding_cued(say: Say, run: RunFacts, result: Cued) -> str:
    t, accuracy = say.t, result.accuracy
    if accuracy.value is None or accuracy.interval is None:
        return t("finding_unjudged", run=run.number)
    verdict = t("finding_no_limit", n=accuracy.n)
    if accuracy.limit is not None:
        verdict = t(
            "finding_above" if accuracy.above_chance else "finding_not_above", limit=accuracy.limit, n=accuracy.n
        )
    low, high = (fraction(edge) for edge in accuracy.interval)
    values = {"run": run.number, "hits": accuracy.correct, "n": accuracy.n, "accuracy": fraction(accuracy.value)}
    return t("finding_accuracy", **values, low=low, high=high, verdict=verdict)


def _finding_event(say: Say, run: RunFacts, result: EventMetrics) -> str:
    t = say.t
    if result.f1 is None:
        return t("finding_unjudged", run=run.number)
    values = {
        "run": run.number,
        "hits": result.hits,
        "n": result.n,
        "condition": say.condition(run),
        "window": f"{result.onset_window_s:g}",
        "f1": fraction(result.f1),
    }
    # Too few trials for an interval: anything from 0 to 1 is possible, and the sentence says so.
    interval = result.f1_interval or Interval(0.0, 1.0)
    sentence = t("finding_event", **values, low=fraction(interval.low), high=fraction(interval.high))
    rate = _false_rate(say, result)
    return say.join(sentence, t("finding_false", rate=rate)) if rate else sentence


def _false_rate(say: Say, result: EventMetrics) -> str:
    """Rate of false activations with its interval and exposure, ``""`` without rest."""
    if result.false_per_min is None or result.false_per_min_interval is None:
        return ""
    low, high = (number(edge, 2) for edge in result.false_per_min_interval)
    minutes, value = number(result.rest_s / 60, 2), number(result.false_per_min, 2)
    return say.t("false_rate", rate=value, count=result.false_in_rest, minutes=minutes, low=low, high=high)


def simulated(say: Say) -> list[Block]:
    """The notice of what is simulated or replayed; it cannot be switched off."""
    t, parts = say.t, say.facts.simulated
    replayed: list[Block] = [Notice(t("replayed_title"), t("replayed_text"))] if say.facts.replayed else []
    if not parts:
        return replayed
    key = "simulated_effector_only" if parts == ("effector",) else "simulated_text"
    return [*replayed, Notice(t("simulated_title"), t(key, what=say.simulated_words()))]


def consent(say: Say) -> list[Block]:
    """The notice of a consent that the record does not hold; it cannot be switched off."""
    t = say.t
    return [Notice(t("consent_title"), t("consent_text"), "warn")] if say.facts.consent_missing else []


def procedures(say: Say) -> list[Block]:
    """Runs in which a schedule moved the effector: named, and counted in no result."""
    t = say.t
    moved = [run for run in say.facts.runs if run.scheduled]
    if not moved:
        return []
    named = t("join").join(f"{t('run', run=run.number)} {t.word('kind', str(run.row['kind']))}" for run in moved)
    return [Notice(t("scheduled_title"), t("scheduled_text", runs=named))]


def alerts(say: Say) -> list[Block]:
    """Alerts of assessment scores that require immediate action."""
    t = say.t
    return [
        Notice(
            t("alert_title"), t("alert_text", measure=str(row["measure"]).upper(), what=t.translate(what)), "warn"
        )
        for row in say.facts.assessments
        for what in row["score"].get("alerts", ())
    ]


def results(say: Say) -> list[Block]:
    """The results table: each row with n, its interval as a picture on one axis, and its source."""
    t = say.t
    cued = any(isinstance(say.result(run), Cued) for run in say.facts.online)
    # Without any chance limit the column would hold dashes only; it is left out below.
    limited = cued or any(_guessed(say.result(run)) is not None for run in say.facts.online)
    columns: tuple[Column, ...] = (
        Column(t("col_measure"), 2.5),
        Column(t("col_n"), 0.5, number=True),
        Column(t("col_interval" if limited else "col_interval_plain"), 2.3),
        Column(t("col_value"), 2.2, number=True),
        Column(t("col_limit"), 1.0, number=True),
        Column(t("col_source"), 1.5),
    )
    rows: list[tuple[Cell, ...]] = []
    primary: list[int] = []
    for run in say.facts.online:
        result = say.result(run)
        if isinstance(result, Failed):
            rows.append((t("run", run=run.number), "–", "", t.translate(result.reason), "–", Code(run.source)))
            continue
        primary.append(len(rows))
        rows += _cued_rows(say, run, result) if isinstance(result, Cued) else _event_rows(say, run, result)
    session = pooled(say.facts)
    if session is not None:
        label = t("row_f1_session", runs=session.clusters)
        source = Code(", ".join(run.source for run in say.facts.online))
        rows.append(_row(say, source, label, session.n, session.f1, interval=session.f1_interval))
    if primary:
        axis = figures.intervals([], width=_CELL, axis="")
        rows.append(
            ("", "", Picture(figures.to_svg(axis, name=say.name("axis")), _CELL, t("axis_alt")), "", "", "")
        )
    if not limited:
        columns = columns[:4] + columns[5:]
        rows = [row[:4] + row[5:] for row in rows]
    note = _note(say) if primary else ""
    table = Table(columns, tuple(rows), t("no_data"), strong=tuple(primary), open_end=bool(primary), note=note)
    return [Heading(t("results")), table]


def _note(say: Say) -> str:
    t = say.t
    results = [say.result(run) for run in say.facts.online]
    sentences = [t("results_note")]
    event = next((result for result in results if isinstance(result, EventMetrics)), None)
    if event is not None:
        sentences.append(t("method_event"))
        guessed = next((one.guessing for one in results if isinstance(one, EventMetrics) and one.guessing), None)
        if guessed is not None:
            sentences.append(t("method_guessing", n=guessed.shuffles))
        if pooled(say.facts) is not None:
            sentences.append(t("method_session"))
    if any(isinstance(result, Cued) for result in results):
        sentences.append(t("method_cued"))
    sentences += [_selections(say, run) for run in say.facts.online]
    return say.join(*sentences)


def _selections(say: Say, run: RunFacts) -> str:
    """Selections and bits a minute of a run, one sentence; ``""`` where nothing was selected."""
    result = say.result(run)
    rates = result.selections if isinstance(result, Cued) else None
    if rates is None or rates.per_min is None or rates.per_min_interval is None:
        return ""
    values = {"run": run.number, "n": rates.n, "rate": f"{rates.per_min:.1f}"}
    low, high = (f"{edge:.1f}" for edge in rates.per_min_interval)
    sentence = say.t("selections_rate", **values, low=low, high=high)
    if rates.bits_per_min is None or rates.bits_interval is None:
        return sentence
    low, high = (f"{edge:.1f}" for edge in rates.bits_interval)
    bits = say.t("selections_bits", bits=f"{rates.bits_per_min:.1f}", low=low, high=high)
    return say.join(sentence, bits)


def _row(
    say: Say,
    source: Code,
    label: str,
    n: int,
    value: float | None,
    *,
    interval: Interval | None,
    limit: int | None = None,
    primary: bool = False,
) -> tuple[Cell, ...]:
    t = say.t
    if value is None:
        text = t("not_determined")
    elif interval is None:
        text = fraction(value)
    else:
        text = t("value_interval", value=fraction(value), low=fraction(interval.low), high=fraction(interval.high))
    low, high = interval or (None, None)
    mark = figures.IntervalRow(label, value, low, high, limit / n if limit is not None and n else None, primary)
    drawn = figures.to_svg(figures.intervals([mark], width=_CELL, row_height=20), name=say.name("cell"))
    picture = Picture(drawn, _CELL, t("interval_alt", label=label, value=text))
    return (
        label,
        str(n),
        picture,
        text,
        "–" if limit is None else t("limit_of", limit=limit, n=n),
        source,
    )


def _event_rows(say: Say, run: RunFacts, result: EventMetrics) -> list[tuple[Cell, ...]]:
    t, number = say.t, run.number
    f1 = t("row_f1", run=number, window=f"{result.onset_window_s:g}")
    activations = result.hits + result.false
    source, interval = Code(run.source), result.precision_interval
    return [
        _row(say, source, f1, result.n, result.f1, interval=result.f1_interval, primary=True),
        _row(
            say,
            source,
            t("row_recall", run=number),
            result.n,
            result.recall,
            interval=result.recall_interval,
            limit=_guessed(result),
        ),
        _row(say, source, t("row_precision", run=number), activations, result.precision, interval=interval),
    ]


def _guessed(result: Result) -> int | None:
    """Hits that guessing reaches in an asynchronous run; None where it is not known."""
    return result.guessing.limit if isinstance(result, EventMetrics) and result.guessing is not None else None


def _cued_rows(say: Say, run: RunFacts, result: Cued) -> list[tuple[Cell, ...]]:
    accuracy, label, source = result.accuracy, say.t("row_accuracy", run=run.number), Code(run.source)
    row = _row(
        say,
        source,
        label,
        accuracy.n,
        accuracy.value,
        interval=accuracy.interval,
        limit=accuracy.limit,
        primary=True,
    )
    return [row]


def rates(say: Say) -> list[Block]:
    """Rates and times of asynchronous runs, of targets that were reached, and of levels that were followed."""
    return [*_events(say), *_reached(say), *_followed(say)]


def _reached(say: Say) -> list[Block]:
    """How targets were reached with a cursor; nothing where none was moved."""
    t = say.t
    rows: list[tuple[Cell, ...]] = []
    for run in say.facts.online:
        result = say.result(run)
        if not isinstance(result, Cued) or result.reaching is None:
            continue
        found = result.reaching
        spread, walks = found.efficiency, found.walks
        rows.append(
            (
                t("run", run=run.number),
                say.quartiles(found.time),
                "–" if spread is None else _quartiles(say, spread),
                "–" if found.bits_per_min is None else f"{found.bits_per_min:.1f}",
                "–" if walks is None or found.limit is None else t("limit_of", limit=found.limit, n=found.n),
                Code(run.source),
            )
        )
    if not rows:
        return []
    columns = (
        Column(t("col_run"), 0.6),
        Column(t("col_time_to_target"), 1.5),
        Column(t("col_path_efficiency"), 1.3),
        Column(t("col_bits_per_min"), 1.0),
        Column(t("col_random_walks"), 1.2),
        Column(t("col_source"), 1.4),
    )
    return [Heading(t("reached"), 3), Table(columns, tuple(rows), t("no_data"), note=t("method_reached"))]


def _followed(say: Say) -> list[Block]:
    """How a force followed its levels; nothing where none was decoded."""
    t = say.t
    rows: list[tuple[Cell, ...]] = []
    for run in say.facts.online:
        result = say.result(run)
        if not isinstance(result, Cued) or result.tracking is None:
            continue
        found = result.tracking
        rows.append(
            (
                t("run", run=run.number),
                "–" if found.rmse is None else f"{found.rmse:.3f}",
                "–" if found.r_squared is None else f"{found.r_squared:.2f}",
                "–" if found.in_band is None else _quartiles(say, found.in_band),
                "–" if found.limit is None else f"{found.limit:.3f}",
                Code(run.source),
            )
        )
    if not rows:
        return []
    columns = (
        Column(t("col_run"), 0.6),
        Column(t("col_rmse"), 1.0),
        Column(t("col_r_squared"), 0.7),
        Column(t("col_in_band"), 1.6),
        Column(t("col_shuffled_levels"), 1.3),
        Column(t("col_source"), 1.4),
    )
    return [Heading(t("followed"), 3), Table(columns, tuple(rows), t("no_data"), note=t("method_followed"))]


def _quartiles(say: Say, spread: Spread) -> str:
    """Median of a share with quartiles and n."""
    middle, low, high = (f"{value:.2f}" for value in (spread.median, spread.low, spread.high))
    return say.t("share_quartiles", value=middle, low=low, high=high, n=spread.n)


def _events(say: Say) -> list[Block]:
    """Rates and times of asynchronous runs."""
    t = say.t
    rows: list[tuple[Cell, ...]] = []
    for run in say.facts.online:
        result = say.result(run)
        if not isinstance(result, EventMetrics):
            continue
        held = t("held_value", held=say.quartiles(result.held), through=result.held_through, hits=result.hits)
        rows.append(
            (
                t("run", run=run.number),
                _false_rate(say, result) or t("false_rate_none"),
                say.quartiles(result.onset),
                say.quartiles(result.release),
                held,
                Code(run.source),
            )
        )
    if say.facts.online and not rows:
        return []
    columns = (
        Column(t("col_run"), 0.6),
        Column(t("col_false_rate"), 1.5),
        Column(t("col_onset"), 1.3),
        Column(t("col_release"), 1.3),
        Column(t("col_held"), 1.3),
        Column(t("col_source"), 1.4),
    )
    note = t("method_rates") if rows else ""
    return [Heading(t("rates"), 3), Table(columns, tuple(rows), t("no_data"), note=note)]


def remarks(say: Say) -> list[Block]:
    """What to keep in mind, and integrity, side by side."""
    t = say.t
    left: tuple[Block, ...] = (Heading(t("keep"), 3), Para(say.join(*_to_keep_in_mind(say)) or t("no_data")))
    return [Pair(left, (Heading(t("safety"), 3), Para(say.join(*_integrity(say)))))]


def _to_keep_in_mind(say: Say) -> list[str]:
    """Sentences on what limits the numbers: simulation, few trials, a device at fault, exclusions, conditions."""
    facts, t = say.facts, say.t
    sentences = [t("keep_simulated")] if "participant" in facts.simulated or "session" in facts.simulated else []
    sizes = [n for result in say.results.values() if (n := _judged(result))]
    # Below about 50 trials the 95 % interval of a proportion spans up to 0.28: too wide to compare decoders.
    if sizes and min(sizes) < 50:
        sentences.append(t("keep_small", n=min(sizes)))
    for run in facts.runs:
        faults = [t.translate(row["extent"]) for row in run.ledger if row["kind"] == "fault"]
        if faults:
            sentences.append(
                t("keep_fault", run=t("run", run=run.number), why=t("join").join(dict.fromkeys(faults)))
            )
    trials = [trial for run in facts.runs for trial in run.trials]
    if trials:
        excluded = sum(trial["outcome"] == "excluded" for trial in trials)
        sentences.append(t("keep_excluded", n=excluded, all=len(trials)) if excluded else t("keep_excluded_none"))
    if facts.assessments:
        sentences.append(t("keep_conditions"))
    return sentences


def _integrity(say: Say) -> list[str]:
    """Sentences on alerts, the ledger, stops, approvals and adverse events."""
    facts, t = say.facts, say.t
    alerts = sum(query.rule == "safety_alert" for query in facts.queries)
    sentences = [t("safety_alerts", n=alerts)] if alerts else []
    counts = {
        level: sum(row["priority"] == level for _, row in facts.ledger)
        for level in ("high", "medium", "low", "info")
    }
    sentences.append(t("safety_ledger", n=len(facts.ledger), **counts))
    sentences.append(t("safety_stops", n=sum(run.row["state"] != "finished" for run in facts.runs)))
    if facts.decoders:
        # By hash: a decoder that was fitted again under the same name needs its own approval.
        approved = sum(bool(facts.approvals[row["sha256"]]) for row in facts.decoders)
        sentences.append(t("safety_approval", n=approved, all=len(facts.decoders)))
    sentences.append(t("safety_ae"))
    return sentences


def _judged(result: Cued | EventMetrics | Failed) -> int:
    if isinstance(result, Failed):
        return 0
    return result.accuracy.n if isinstance(result, Cued) else result.n
