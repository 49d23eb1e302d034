"""The sections after the first page: identity, runs, decoder, trials, latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import figures
from workbench.analysis import EventMetrics
from workbench.reports._facts import Row, RunFacts
from workbench.reports._results import Crossed, Cued, crossed_in, crossed_of, trial_of
from workbench.reports._say import Say, number, optional
from workbench.reports.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Figure,
    Heading,
    KeyValue,
    Para,
    Picture,
    Table,
)

WIDTH = 674.0


def identity(say: Say) -> list[Block]:
    """Study, participant, visit, session, operator, effector, speed."""
    facts, t = say.facts, say.t
    pairs: list[tuple[str, Cell]] = [(t("study"), f"{facts.study['code']} · {facts.study['title']}")]
    if facts.participant and facts.visit and facts.session:
        person = facts.participant
        name = str(person["pseudonym"])
        pairs.append((t("participant"), t("participant_simulated", name=name) if person["simulated"] else name))
        injury = t("injury", level=person["injury_level"] or "–", ais=person["ais"] or "–")
        pairs.append((t("entry"), injury if person["injury_level"] or person["ais"] else t("unknown")))
        pairs.append((t("visit"), str(facts.visit["name"])))
        started = t.moment(str(facts.session["started"]))
        pairs.append((t("session"), t("session_of", number=facts.number, all=facts.n_sessions, started=started)))
        pairs.append((t("operator"), str(facts.session["operator"])))
        pairs.append((t("effector"), facts.effector or t("effector_none")))
        if share := float((facts.plan.get("law") or {}).get("share", 0.0)):
            pairs.append((t("assistance"), t("assistance_share", share=f"{share:g}")))
        speeds = sorted({run.speed for run in facts.runs})
        if speeds:
            text = t("join").join(t("speed_value", speed=f"{speed:g}") for speed in speeds)
            pairs.append((t("speed"), text))
    blocks: list[Block] = [Heading(t("identity")), KeyValue(tuple(pairs))]
    if not facts.session:
        blocks.append(Para(t("no_data")))
    return blocks


def runs(say: Say) -> list[Block]:
    """One row per run, then its parameters."""
    facts, t = say.facts, say.t
    rows: list[tuple[Cell, ...]] = []
    for run in facts.runs:
        row = run.row
        trials = f"{len(run.trials)} / {row['n_trials_planned']}"
        kind, state = t.word("kind", row["kind"]), t.word("state", row["state"])
        decoder = Code(row["decoder_sha256"][:12]) if row["decoder_sha256"] else "–"
        rows.append(
            (
                t("run", run=run.number),
                kind,
                str(row["paradigm"]),
                state,
                trials,
                decoder,
                Code(run.sha[:12] or "–"),
            )
        )
    columns = (
        Column(t("col_run"), 0.8),
        Column(t("col_kind"), 1.0),
        Column(t("col_paradigm"), 1.1),
        Column(t("col_state"), 0.9),
        Column(t("col_trials"), 1.0, number=True),
        Column(t("col_decoder"), 1.2),
        Column(t("col_recording"), 1.2),
    )
    blocks: list[Block] = [Heading(t("runs")), Table(columns, tuple(rows), t("no_data"))]
    pairs = tuple(
        (t("parameters_of", run=run.number), _parameters(run.parameters)) for run in facts.runs if run.parameters
    )
    return [*blocks, KeyValue(pairs)] if pairs else blocks


def _parameters(parameters: Row) -> str:
    return " · ".join(f"{name} = {_plain(value)}" for name, value in sorted(parameters.items()))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} {_plain(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def decoder(say: Say) -> list[Block]:
    """Hash, origin and approval of each decoder, and its cross-validated confusion."""
    facts, t = say.facts, say.t
    blocks: list[Block] = [Heading(t("decoder"))]
    if not facts.decoders:
        return [*blocks, Table((Column(""),), (), t("no_data"))]
    for row in facts.decoders:
        blocks.append(KeyValue(_decoder_pairs(say, row)))
        crossed = crossed_in(row["metrics"], word=t("fold"), undecided=t("undecided"))
        if crossed:
            source = t("decoder") + " " + str(row["sha256"])[:12]
            blocks += _confusion(say, crossed, t("confusion_cv"), source)
    return blocks


def _decoder_pairs(say: Say, row: Row) -> tuple[tuple[str, Cell], ...]:
    t = say.t
    sources = [str(name) for name in row["recordings"]]
    # Only a SHA-256, 64 digits, is shortened; a path or an id stays readable.
    hashes = t("join").join(name[:12] if len(name) == 64 else name for name in sources)
    approvals = say.facts.approvals[str(row["sha256"])]
    approved = "; ".join(_approved(say, approval) for approval in approvals) or t("decoder_not_approved")
    pairs: list[tuple[str, Cell]] = [
        (t("decoder_name"), str(row["name"])),
        (t("decoder_hash"), Code(str(row["sha256"]))),
        (t("decoder_fitted"), t("decoder_recordings", hashes=hashes or "–")),
        (t("decoder_approved"), approved),
    ]
    # Approval covers the rule and its bound, so both are printed beside it.
    adapts = row["metrics"].get("adapts")
    if adapts:
        unit = "decoder_adapts_distance" if adapts["rule"] == "recentre" else "decoder_adapts_deviations"
        bound = t(unit, bound=_plain(adapts["bound"]))
        pairs.append((t("decoder_adapts"), t("decoder_adapts_rule", rule=adapts["rule"], bound=bound)))
    adapted = [_adapted(say, run) for run in say.facts.runs if run.row["decoder_sha256"] == row["sha256"]]
    if any(adapted):
        pairs.append((t("decoder_adapted"), t("join").join(text for text in adapted if text)))
    return tuple(pairs)


def _approved(say: Say, approval: Row) -> str:
    """Who approved a decoder, when and for what; approval by a script or a rule is labelled as such."""
    by = str(approval["signer"])
    methods = {"script": "decoder_approved_script", "home rule": "decoder_approved_home"}
    by = say.t(methods[approval["method"]], by=by) if approval["method"] in methods else by
    return say.t("decoder_approved_by", by=by, when=say.t.moment(str(approval["utc"])), use=say.use(approval))


def _adapted(say: Say, run: RunFacts) -> str:
    """How the decoder adapted in a run, ``""`` where it did not."""
    adaptation = run.row["summary"].get("adaptation")
    if not adaptation:
        return ""
    return say.t(
        "decoder_adapted_run",
        run=run.number,
        rule=adaptation["rule"],
        n=adaptation["n"],
        back=adaptation["rolled_back"],
        head=adaptation["head"][:12],
    )


def _confusion(say: Say, crossed: Sequence[Crossed], title: str, source: str) -> list[Block]:
    """The matrices, on as many figures as fit a page each."""
    t = say.t
    matrices = [
        figures.Matrix(
            each.title, t("confusion_note", right=each.right, n=each.n), each.labels, each.counts, each.columns
        )
        for each in crossed
    ]
    blocks: list[Block] = []
    for sheet in figures.confusion_sheets(matrices):
        drawn = figures.to_svg(figures.confusion(sheet), name=say.name("confusion"))
        shown = [each for each in crossed if each.title in {matrix.title for matrix in sheet}]
        alt = t("join").join(t("confusion_alt", title=each.title, right=each.right, n=each.n) for each in shown)
        blocks.append(Figure(Picture(drawn, WIDTH, alt), title, t("confusion_source", source=source)))
    return blocks


def trials(say: Say) -> list[Block]:
    """Ticks, onsets, confusion of cued runs, then every trial."""
    facts, t = say.facts, say.t
    runs = [run for run in facts.runs if run.trials]
    blocks: list[Block] = [Heading(t("trials"))]
    if not runs:
        return [*blocks, Table((Column(""),), (), t("no_data"))]
    blocks.append(_ticks(say, runs))
    blocks += _onsets(say)
    for run in facts.online:
        result = say.result(run)
        if isinstance(result, Cued):
            crossed = crossed_of(result.confusion, title=t("run", run=run.number), undecided=t("undecided"))
            blocks += _confusion(say, [crossed], t("confusion"), say.source(run))
    for run in runs:
        # Calibration trials have no decision: their table would have nothing but the cue.
        if run.online:
            blocks += _trial_table(say, run)
        elif any("reaction" in trial["result"] for trial in run.trials):
            blocks += _settings_table(say, run)
    return blocks


def _ticks(say: Say, shown: Sequence[RunFacts]) -> Figure:
    t = say.t
    labels = {code: t(f"outcome_{code}") for code in ("correct", "missed", "wrong", "recorded", "excluded")}
    labels["false_activation"] = t("false_activation")
    names = [
        f"{t('run', run=run.number)} {t.word('kind', str(run.row['kind'])) if run.scheduled else ''}".strip()
        for run in shown
    ]
    drawn = figures.trial_ticks(list(zip(names, [run.trials for run in shown])), words=labels)
    outcomes = [trial["outcome"] for run in shown for trial in run.trials]
    counts = t("join").join(f"{labels[code]} {outcomes.count(code)}" for code in dict.fromkeys(outcomes))
    svg = figures.to_svg(drawn, name=say.name("ticks"))
    source = "; ".join(say.source(run) for run in shown)
    return Figure(Picture(svg, WIDTH, t("ticks_alt", counts=counts)), t("ticks"), t("ticks_source", source=source))


def _onsets(say: Say) -> list[Block]:
    t = say.t
    results = [(run, result) for run in say.facts.online if isinstance(result := say.result(run), EventMetrics)]
    if not results:
        return []
    lines = [
        (
            t("run", run=run.number),
            [x.latency_s for x in map(trial_of, run.trials) if x.outcome == "correct" and x.latency_s is not None],
        )
        for run, _ in results
    ]
    window = max(result.onset_window_s for _, result in results)
    # At least twice the window, so that the axis shows how far beyond it late onsets lie.
    end = max([2 * window, *(onset for _, onsets in lines for onset in onsets)])
    texts = {
        "axis": t("lat_axis"),
        "window": t.raw("lat_window"),
        "median": t.raw("lat_median"),
        "none": t("lat_none"),
    }
    drawn = figures.onset_latencies(lines, window_s=window, end_s=end, words=texts)
    values = t("join").join(f"{t('run', run=run.number)} {say.quartiles(result.onset)}" for run, result in results)
    picture = Picture(figures.to_svg(drawn, name=say.name("onsets")), WIDTH, t("onsets_alt", values=values))
    source = "; ".join(say.source(run) for run, _ in results)
    return [Figure(picture, t("onsets"), t("onsets_source", source=source))]


def _trial_table(say: Say, run: RunFacts) -> list[Block]:
    t = say.t
    event = isinstance(say.result(run), EventMetrics)
    columns = [
        Column(t("col_index"), 0.6),
        Column(t("col_condition"), 1.0),
        Column(t("col_outcome"), 1.0),
        Column(t("col_decided"), 1.0),
        Column(t("col_latency"), 0.8, number=True),
        Column(t("col_release_s"), 0.9, number=True),
        Column(t("col_held_s"), 0.8, number=True),
        Column(t("col_false"), 0.7, number=True),
        Column(t("col_excluded"), 2.0),
    ]
    rows = [
        (
            str(int(trial["index"]) + 1),
            str(trial["condition"]),
            t.word("outcome", trial["outcome"]),
            str(trial["decided"]) or "–",
            optional(trial["latency_s"]),
            optional(trial["release_s"]),
            optional(trial["held_s"]),
            str(trial["false_activations"]),
            t.translate(trial["excluded"]),
        )
        for trial in run.trials
    ]
    # Columns that apply: a cued trial has no onset to release or hold, an asynchronous one no decided class.
    shown = [0, 1, 2, 4, 5, 6, 7, 8] if event else [0, 1, 2, 3, 4, 8]
    note = t("trial_note", run_id=run.row["id"], sha=run.sha[:12] or "–")
    cells = tuple(tuple(row[place] for place in shown) for row in rows)
    table = Table(tuple(columns[place] for place in shown), cells, t("no_data"), note=note)
    return [Heading(t("trial_table", run=run.number), 3), table]


def _settings_table(say: Say, run: RunFacts) -> list[Block]:
    """Settings of the effector in the order in which they were applied, with the reaction to each."""
    t = say.t
    columns = (Column(t("col_index"), 0.6), Column(t("col_level"), 1.0), Column(t("col_reaction"), 4.0))
    rows = tuple(
        (
            str(int(trial["index"]) + 1),
            ", ".join(f"{100 * level:.0f} %" for level in trial["result"]["level"]),
            str(trial["result"]["reaction"]) or t.translate(trial["excluded"]),
        )
        for trial in run.trials
    )
    return [Heading(t("settings_table", run=run.number), 3), Table(columns, rows, t("no_data"))]


def latency(say: Say) -> list[Block]:
    """Percentiles from acquisition to emission, and whether they are representative."""
    t = say.t
    rows: list[tuple[Cell, ...]] = []
    for run in say.facts.runs:
        measured = run.latency
        if not measured.get("n"):
            continue
        verdict = t("latency_yes") if run.representative else t("latency_no", speed=f"{run.speed:g}")
        values = [number(float(measured[key]), 1) if measured.get(key) is not None else "–" for key in PERCENTILES]
        rows.append((t("run", run=run.number), *values, str(measured.get("n", "–")), verdict, Code(run.source)))
    names = ("p50, ms", "p95, ms", "p99, ms", t("col_longest"), "n")
    columns = (
        Column(t("col_run"), 0.8),
        *(Column(name, 0.75, number=True) for name in names),
        Column(t("col_representative"), 1.7),
        Column(t("col_source"), 1.8),
    )
    return [
        Heading(t("latency")),
        Table(columns, tuple(rows), t("no_data"), note=t("latency_note") if rows else ""),
    ]


PERCENTILES = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
