"""What the plan estimated: a row each with its interval on the first page, and by estimand with all behind it.

An analysis that was refused is printed with its reason and never vanishes; no number is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench import figures, outcomes
from workbench.reports._measures import measure_name
from workbench.reports._say import number
from workbench.reports._trial_results import Analysis, Estimate
from workbench.reports._trial_say import HASH, WIDTH, Speaking, TrialSay
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
    named,
)

CELL = 170.0
"""Width of the picture of an interval in a table, px."""
PERFORMANCE = "performance"
"""First part of the variables that online runs give; see :mod:`workbench.study.datasets`."""
FIRST = ("primary", "secondary")
"""Roles of analyses that stand on the first page."""
NBSP = "\u00a0"
Pair = tuple[Analysis, Estimate]


def first_page(say: TrialSay) -> list[Block]:
    """Every primary and secondary estimate with its interval, those of one scale and variable on one axis."""
    t, given = say.t, say.analyses
    if given is None:
        return []
    scales: dict[tuple[str, str, str], list[Pair]] = {}
    for analysis in given.found:
        if analysis.role in FIRST:
            for estimate in shown(analysis):
                scales.setdefault(_scale(analysis, estimate), []).append((analysis, estimate))
    blocks: list[Block] = []
    for (scale, variable, reference), pairs in scales.items():
        title = t("tr_results_title", scale=t.word("tr_scale", scale), reference=reference)
        title = (
            t("tr_is", what=variable_words(say, variable), value=title)
            if variable
            else f"{title[:1].upper()}{title[1:]}"
        )
        blocks += [Heading(title, name=f"results-{len(blocks)}"), _table(say, pairs, named_above=bool(variable))]
    if blocks:
        blocks.append(Para(t("tr_results_note"), note=True))
        looks = [look_words(say, one) for one in given.found if one.role in FIRST and one.look]
        blocks += [Para(words) for words in looks]
    refused = [one for one in given.found if one.role in FIRST and not one.estimates]
    if refused:
        blocks += [Heading(t("tr_refused_title")), *(_refusal(say, one) for one in refused)]
    return blocks


def finding(say: TrialSay) -> str:
    """The primary estimate as a sentence, ``""`` without one."""
    return finding_of(say, say.analyses.found if say.analyses else ())


def finding_of(say: Speaking, found: Sequence[Analysis]) -> str:
    """The estimate of the first primary analysis as a sentence, ``""`` without one."""
    for analysis in found:
        if analysis.role == "primary" and analysis.estimates:
            one = shown(analysis)[0]
            values = {"value": _value(one.value), "low": _value(one.low), "high": _value(one.high)}
            return say.t(
                "tr_finding_primary", visit=_when(say, analysis, one), outcome=outcome_words(say, analysis),
                arm=one.arm, reference=one.reference, scale=say.t.word("tr_scale", one.scale), p=p_words(one.p),
                level=f"{100 * one.level:g}", **values,
            )  # fmt: skip
    return ""


def _scale(analysis: Analysis, estimate: Estimate) -> tuple[str, str, str]:
    is_pure = estimate.is_ratio or estimate.scale in ("risk_difference", "proportion")
    variable = "" if is_pure else analysis.variable
    return estimate.scale, variable, estimate.reference


def shown(analysis: Analysis) -> tuple[Estimate, ...]:
    """The estimates as a report shows them: one that is looked at with what holds in spite of looks."""
    look = analysis.look
    if look is None or not analysis.estimates:
        return analysis.estimates
    first = replace(analysis.estimates[0], p=look["p"], low=look["low"], high=look["high"])
    if look["p"] is not None:
        ends = {"low": look["adjusted_low"], "high": look["adjusted_high"]}
        first = replace(first, value=look["value"], **ends)
    return (first, *analysis.estimates[1:])


def _when(say: Speaking, analysis: Analysis, one: Estimate) -> str:
    """The visit of an estimate; that of conditions is of all visits, that of times of none."""
    return one.visit or say.t("tr_all_visits" if analysis.visits else "tr_whole_time")


def look_words(say: Speaking, analysis: Analysis) -> str:
    """What a look that may stop the trial says, as a sentence or two.

    Parameters
    ----------
    say : texts and facts of the report.
    analysis : with a look.
    """
    t, look = say.t, analysis.look or {}
    words = {name: number(abs(look[name]), 2) for name in ("z", "boundary")}
    where = t(
        "tr_look", name=analysis.name, number=look["number"], of=look["of"],
        share=number(100 * look["fraction"], 0), spent=number(100 * look["spent"], 2), **words,
    )  # fmt: skip
    if look["p"] is None:
        return t(
            "tr_is", what=where, value=t("tr_look_goes_on", low=_value(look["low"]), high=_value(look["high"]))
        )
    ends = {"low": _value(look["adjusted_low"]), "high": _value(look["adjusted_high"])}
    code = "tr_look_crossed" if look["crossed"] else "tr_look_ended"
    return t("tr_is", what=where, value=t(code, p=p_words(look["p"]), value=_value(look["value"]), **ends))


def _effect(say: Speaking, analysis: Analysis, one: Estimate, *, label: str = "") -> figures.Effect:
    primary = analysis.role == "primary"
    return figures.Effect(label, one.value, one.low, one.high, interval_words(say, one), primary)


def _table(say: TrialSay, pairs: Sequence[Pair], *, named_above: bool) -> Table:
    """As the first page has it: one row an estimate, its interval as a picture on the axis of the last row."""
    t = say.t
    effects = [_effect(say, *pair) for pair in pairs]
    axis = figures.effect_axis(effects, none=pairs[0][1].no_effect)
    level = f"{100 * pairs[0][1].level:g}"
    columns = (
        Column(t("tr_col_outcome_of"), 2.4), Column(t("col_n"), 0.85, number=True), Column("", 2.0),
        Column(t("tr_col_estimate", level=level), 2.3, number=True), Column("p", 1.0, number=True),
        Column(t("tr_rows"), 0.5, number=True),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for (analysis, one), effect in zip(pairs, effects, strict=True):
        drawn = figures.to_svg(figures.effect_cell(effect, axis, width=CELL), name=say.name("effect"))
        outcome = tested_words(say, analysis) if named_above else outcome_words(say, analysis)
        label = t("tr_row_of", role=t.word("tr_role", analysis.role), outcome=outcome)
        alt = t("interval_alt", label=label, value=effect.text)
        rows.append((
            t("tr_at", what=label, visit=_when(say, analysis, one)), _n(analysis, one), Picture(drawn, CELL, alt),
            effect.text, p_words(one.p), say.link(named("analysis", analysis.name)),
        ))  # fmt: skip
    scale = figures.to_svg(figures.effect_cell(None, axis, width=CELL, height=18), name=say.name("axis"))
    rows.append(("", "", Picture(scale, CELL, t("tr_axis_alt")), "", "", ""))
    strong = tuple(k for k, (analysis, _) in enumerate(pairs) if analysis.role == "primary")
    return Table(columns, tuple(rows), t("no_data"), strong=strong, open_end=True)


def outcome_words(say: Speaking, analysis: Analysis) -> str:
    """``ARAT total, trained side, change, device off``."""
    return say.t("join").join([variable_words(say, analysis.variable), tested_words(say, analysis)])


def variable_words(say: Speaking, variable: str) -> str:
    """``ARAT total`` for ``arat.total``, ``online grasp F1`` for ``performance.grasp_f1``, a form by its name."""
    measure, _, part = variable.partition(".")
    if measure == PERFORMANCE:
        name = say.t("tr_online")
    else:
        name = measure_name(say.t, measure, "") if measure in outcomes.available() else measure.replace("_", " ")
    return f"{name} {part.replace('_', ' ').replace('f1', 'F1')}".strip()


def tested_words(say: Speaking, analysis: Analysis) -> str:
    """Side, what of the value, and under which condition."""
    t = say.t
    words = [t.word("tr_side", analysis.side)] if analysis.side not in ("", "none") else []
    words += [t.word("tr_outcome_of", analysis.outcome), t.word("tr_state_of", analysis.state)]
    return t("join").join(word for word in words if word)


def _n(analysis: Analysis, one: Estimate) -> str:
    counts = [analysis.arms.get(arm, {}).get("with_outcome") for arm in (one.arm, one.reference)]
    return f",{NBSP}".join(str(n) for n in counts) if all(n is not None for n in counts) else str(one.n)


def interval_words(say: Speaking, one: Estimate) -> str:
    """``9.8 (6.1 to 13.5)``; the estimate alone where the method gives no interval."""
    if one.low is None or one.high is None:
        return _value(one.value)
    values = {"value": _value(one.value), "low": _value(one.low), "high": _value(one.high)}
    return say.t("value_interval", **values)


def _value(value: float | None) -> str:
    return "–" if value is None else number(value, 2)


def p_words(p: float | None) -> str:
    """``< 0.001``, else three digits; two from 0.1 on; a dash where there is none."""
    if p is None:
        return "–"
    return f"<{NBSP}0.001" if p < 0.001 else f"{p:.2f}" if p >= 0.0995 else f"{p:.3f}"


# ------------------------------------------------------------------------------------ by estimand
def of_estimand(say: TrialSay, estimand: str) -> list[Block]:
    """The analyses of one estimand: a table, a forest of those on one scale, and each with its means and rows."""
    t, given = say.t, say.analyses
    own = [one for one in given.found if one.estimand == estimand] if given else []
    if not own:
        return []
    columns = (
        Column(t("tr_col_analysis"), 1.9), Column(t("tr_col_method"), 1.9), Column(t("col_n"), 0.85, number=True),
        Column(t("tr_col_estimate", level=_level(own)), 2.2, number=True), Column("p", 1.0, number=True),
        Column(t("tr_col_adjusted"), 1.0, number=True), Column(t("tr_rows"), 0.5, number=True),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    strong = []
    for analysis in own:
        strong += [len(rows)] if analysis.role == "primary" else []
        rows += _rows(say, analysis)
    table = Table(columns, tuple(rows), t("no_data"), strong=tuple(strong), note=t("tr_analyses_note"))
    return [table, *_forest(say, own), *(block for one in own for block in _behind(say, one))]


def _level(own: Sequence[Analysis]) -> str:
    return next((f"{100 * e.level:g}" for one in own for e in one.estimates), "95")


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """One estimate of an analysis, or its refusal, as a row of a table has it.

    Attributes
    ----------
    analysis : its name.
    label, method, n, estimate, p, adjusted : cells; of a refused one the estimate is its sentence.
    primary, refused : whether it is.
    """

    analysis: str
    label: str
    method: str
    n: str
    estimate: str
    p: str
    adjusted: str
    primary: bool
    refused: bool


def rows_of(say: Speaking, analysis: Analysis) -> list[AnalysisRow]:
    """The rows of one analysis: one an estimate, or one with the reason why there is none."""
    t = say.t
    method = t("join").join(
        [t.word("tr_method_of", analysis.method), t.word("tr_population_of", analysis.population)]
    )
    primary = analysis.role == "primary"
    if not analysis.estimates:
        why = t("tr_refused", why=t.translate(analysis.refusal))
        return [
            AnalysisRow(analysis.name, label_of(say, analysis), method, "–", why, "–", "–", primary, refused=True)
        ]
    adjusted = p_words(analysis.confirmation["p_adjusted"] if analysis.confirmation else None)
    return [
        AnalysisRow(
            analysis.name, label_of(say, analysis, one), method, _n(analysis, one), interval_words(say, one),
            p_words(one.p), adjusted, primary, refused=False,
        )
        for one in shown(analysis)
    ]  # fmt: skip


def label_of(say: Speaking, analysis: Analysis, one: Estimate | None = None) -> str:
    """Role and name of an analysis; of a tipping point with what was added.

    Parameters
    ----------
    say : has the texts.
    analysis, one : which, and the estimate that it is for.
    """
    label = say.t("tr_row_of", role=say.t.word("tr_role", analysis.role), outcome=analysis.name)
    if one is None or one.delta is None:
        return label
    return say.t("tr_delta", what=label, delta=number(one.delta, 1))


@dataclass(frozen=True, slots=True)
class Forest:
    """Effects of one scale and variable, the scale that the first estimate has.

    Attributes
    ----------
    effects, names : what is drawn, and the analysis of each.
    axis, none : what the axis says, and where no effect lies.
    """

    effects: tuple[figures.Effect, ...]
    names: tuple[str, ...]
    axis: str
    none: float


def forest_of(say: Speaking, own: Sequence[Analysis]) -> Forest | None:
    """All estimates of the scale that the first analysis has; None without an estimate."""
    pairs = [(analysis, one) for analysis in own for one in shown(analysis)]
    if not pairs:
        return None
    scale = _scale(*pairs[0])
    # Of the same variable: those of others have a unit of their own.
    pairs = [pair for pair in pairs if _scale(*pair) == scale and pair[0].outcome == pairs[0][0].outcome]
    effects = tuple(_effect(say, *pair, label=label_of(say, *pair)) for pair in pairs)
    first = pairs[0][1]
    words = say.t(
        "tr_forest_axis", scale=say.t.word("tr_scale", scale[0]), arm=first.arm, reference=first.reference
    )
    return Forest(effects, tuple(one.name for one, _ in pairs), words, first.no_effect)


def _rows(say: TrialSay, analysis: Analysis) -> list[tuple[Cell, ...]]:
    link = say.link(named("analysis", analysis.name))
    return [
        (row.label, row.method, row.n, row.estimate, row.p, row.adjusted, link) for row in rows_of(say, analysis)
    ]


def _forest(say: TrialSay, own: Sequence[Analysis]) -> list[Block]:
    """All estimates of the scale that the primary one has, when there are two or more."""
    t, found = say.t, forest_of(say, own)
    if found is None or len(found.effects) < 2:
        return []
    drawn = figures.forest(found.effects, axis=found.axis, none=found.none)
    alt = "; ".join(f"{one.label}: {one.text}" for one in found.effects)
    picture = Picture(figures.to_svg(drawn, name=say.name("forest")), WIDTH, alt)
    return [Figure(picture, t("tr_forest_title"), t("tr_forest_source"))]


def _behind(say: TrialSay, analysis: Analysis) -> list[Block]:
    """One analysis: its model in words, how intercurrent events were handled, its means, and its notes."""
    t, given = say.t, say.analyses
    pairs: list[tuple[str, Cell]] = [
        (t("tr_variable"), outcome_words(say, analysis)),
        (t("tr_visits"), t("join").join(analysis.visits) or "–"),
        (t("tr_covariates"), t("join").join(analysis.covariates) or t("none")),
    ]
    pairs += [(t("tr_threshold"), analysis.threshold)] if analysis.threshold else []
    for event, had in analysis.strategies.items():
        value = t("tr_handled", strategy=str(had.get("strategy", "")), n=had.get("participants", 0))
        pairs.append((event, value))
    n = t("tr_rows_n", n=len(analysis.rows))
    listed = given is not None and any(key in given.values for key in analysis.rows)
    to = named("rows", analysis.name)
    pairs.append((t("tr_rows_entered"), say.link(to, t("tr_to_rows", n=n)) if listed else n))
    title = t("tr_analysis", name=analysis.name)
    blocks: list[Block] = [Heading(title, 3, name=named("analysis", analysis.name)), KeyValue(tuple(pairs))]
    if analysis.status != "estimated":
        blocks.append(_refusal(say, analysis))
    blocks += [Para(look_words(say, analysis))] if analysis.look else []
    blocks += [_means(say, analysis)] if analysis.means else []
    blocks += [Para(note, note=True) for note in analysis.notes]
    return blocks


def _means(say: TrialSay, analysis: Analysis) -> Table:
    t = say.t
    visits = list(dict.fromkeys(one.visit for one in analysis.means))
    columns = (
        Column(t("tr_col_arm"), 1.4), Column(t("tr_col_what"), 1.6),
        *(Column(visit or "–", 1.6, number=True) for visit in visits),
    )  # fmt: skip
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for one in analysis.means:
        digits = 2 if one.what == "proportion" else 1
        ends = [number(end, digits) for end in (one.low, one.high) if end is not None]
        text = number(one.value, digits) + (f" ({'–'.join(ends)})" if len(ends) == 2 else "")
        cells.setdefault((one.arm, one.what), {})[one.visit] = f"{text}; {one.n}"
    rows = tuple(
        (arm, t.word("tr_mean", what), *(own.get(visit, "–") for visit in visits))
        for (arm, what), own in cells.items()
    )
    return Table(columns, rows, t("no_data"), note=t("tr_means_note"))


def _refusal(say: TrialSay, analysis: Analysis) -> Block:
    return Para(say.t("tr_refused_of", name=analysis.name, why=analysis.refusal))


# ------------------------------------------------------------------------------------ appendix
def rows_of_analyses(say: TrialSay) -> list[Block]:
    """The rows of the dataset that entered each analysis, and where each comes from."""
    t, given = say.t, say.analyses
    if given is None:
        return []
    there = {
        named("assessment", str(row["id"])) for row in say.facts.tables["assessment"] if row["state"] != "draft"
    }
    runs = {named("run", str(one.run.row["id"])) for one in say.facts.online}
    columns = (
        Column(t("participant"), 1.0), Column(t("tr_col_arm"), 1.0), Column(t("visit"), 1.2),
        Column(t("tr_col_value"), 0.8, number=True), Column(t("tr_col_change"), 0.8, number=True),
        Column(t("tr_col_source"), 1.4), Column(t("tr_col_entry"), 1.5),
    )  # fmt: skip
    blocks: list[Block] = []
    for analysis in given.found:
        rows: list[tuple[Cell, ...]] = []
        for row in (given.values[key] for key in analysis.rows if key in given.values):
            # What several runs gave leads to the first of them; the others stand beside it.
            to = named(row["source_table"], row["source_id"].split(" ")[0])
            words = "tr_to_assessment" if to in there else "tr_to_run" if to in runs else ""
            source: Cell = say.link(to, t(words)) if words else row["source_table"] or "–"
            entry = f"{row['entry_seq']} · {row['entry_hash'][:HASH]}" if row["entry_seq"] else "–"
            change = row["improvement" if analysis.outcome == "improvement" else "change"]
            rows.append((
                row["participant"], row["arm"], row["visit"], row["value"] or "–", change or "–", source,
                Code(entry),
            ))  # fmt: skip
        if rows:
            title = t("tr_list_analysis", name=analysis.name)
            blocks += [
                Heading(title, 3, name=named("rows", analysis.name)),
                Table(columns, tuple(rows), t("no_data")),
            ]
    return blocks
