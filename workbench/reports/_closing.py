"""Assessments by condition, where every number comes from, limits, signatures."""

from __future__ import annotations

from typing import Any

from workbench import figures
from workbench.reports import _measures
from workbench.reports._facts import Row
from workbench.reports._say import Say
from workbench.reports._sections import WIDTH
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
    SignatureBlock,
    SignatureLine,
    Table,
)


def assessments(say: Say) -> list[Block]:
    """Every administration under its condition. No change is computed, least of all across conditions."""
    t = say.t
    rows = sorted(say.facts.assessments, key=_order)
    blocks: list[Block] = [Heading(t("assessments"))]
    for measure, side in dict.fromkeys((str(row["measure"]), str(row["side"])) for row in rows):
        mine = [row for row in rows if row["measure"] == measure and row["side"] == side]
        if all("total" in row["score"] for row in mine):
            blocks.append(_marks(say, measure, side, mine))
    columns = (
        Column(t("col_assessment"), 1.0),
        Column(t("col_help"), 1.9),
        Column(t("col_score"), 1.9),
        Column(t("col_items"), 1.5),
        Column(t("col_rater"), 1.0),
        Column(t("col_id"), 0.9),
    )
    blocks.append(Table(columns, tuple(_row(say, row) for row in rows), t("no_data")))
    return [*blocks, *_queries(say)]


def _queries(say: Say) -> list[Block]:
    """What the rater is asked about; nothing when nothing is."""
    t = say.t
    columns = (
        Column(t("col_query"), 3.0),
        Column(t("col_severity"), 0.8),
        Column(t("col_where"), 1.8),
        Column(t("col_id"), 1.6),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            t.word("query", one.rule),
            t.word("priority", one.severity),
            Code(one.item or "–"),
            Code(t.raw("join").join(name[-8:] for name in one.assessments)),
        )
        for one in say.facts.queries
    ]
    if not rows:
        return []
    return [Heading(t("queries"), 3), Table(columns, tuple(rows), t("no_data"), note=t("queries_note"))]


def _order(row: Row) -> tuple[Any, ...]:
    under = ("measure", "side", "device_on", "assisted", "stimulation_on", "orthosis", "mode", "repeat")
    return tuple(row[name] for name in under)


def _name(say: Say, measure: str, side: str) -> str:
    return measure.upper() if not side else f"{measure.upper()}{say.t('join')}{say.t.word('side', side)}"


def _condition(say: Say, row: Row) -> str:
    codes = (
        "device_on" if row["device_on"] else "device_off",
        "assisted" if row["assisted"] else "unassisted",
        "stimulation_on" if row["stimulation_on"] else "stimulation_off",
    )
    words = [say.t(code) for code in codes]
    words += [say.t("worn", what=row["orthosis"])] if row["orthosis"] else []
    words += [str(row["mode"])] if row["mode"] else []
    words += [say.t("repeated", n=row["repeat"])] if row["repeat"] > 1 else []
    return say.t("join").join(words)


def _value(score: Any) -> float | None:
    return None if score["value"] is None else float(score["value"])


def _marks(say: Say, measure: str, side: str, rows: list[Row]) -> Figure:
    t = say.t
    maximum = max(float(row["score"]["total"]["high"]) for row in rows)
    marks = [
        figures.ConditionMark(
            _condition(say, row),
            _value(row["score"]["total"]),
            assisted=bool(row["assisted"]),
            device_on=bool(row["device_on"]),
            stimulation_on=bool(row["stimulation_on"]),
        )
        for row in rows
    ]
    name = _name(say, measure, side)
    words = {"key": t("marks_key"), "nd": t("nd_word"), "axis": _measures.axis(say, rows[0], name, maximum)}
    drawn = figures.condition_marks(marks, measure=name, maximum=maximum, words=words)
    values = "; ".join(
        f"{mark.label}: {t('nd_word') if mark.value is None else f'{mark.value:g}'}" for mark in marks
    )
    picture = Picture(
        figures.to_svg(drawn, name=say.name("marks")), WIDTH, t("assessment_alt", measure=name, values=values)
    )
    source = t("assessment_source", ids=t("join").join(str(row["id"])[-8:] for row in rows))
    return Figure(picture, t("assessment_figure", measure=name), source)


def _row(say: Say, row: Row) -> tuple[Cell, ...]:
    t, score = say.t, row["score"]
    measure = f"{_name(say, str(row['measure']), str(row['side']))} ({row['version']})"
    given = sum(value is not None for value in row["items"].values())
    implied = len(row["implied"])
    missing = _measures.missing_of(row)
    items = t("items_missing" if missing else "items_of", given=given - implied, implied=implied, missing=missing)
    unfinished = {"draft": t("draft_assessment"), "incomplete": t("incomplete_assessment")}
    rater = str(row["rater"]) + (f" ({unfinished[row['state']]})" if row["state"] in unfinished else "")
    return (measure, _condition(say, row), _score(say, row, score), items, rater, Code(str(row["id"])[-8:]))


def _score(say: Say, row: Row, score: Row) -> str:
    """The total with its maximum, then subscores, then what is no number (a neurological level, a grade)."""
    t, total = say.t, score.get("total")
    parts = _measures.classes(say, row) if row["measure"] == "isncsci" else []
    subscores = score.get("subscores", {}).items()
    parts += [f"{_measures.subscore_name(say, row, code)} {_points(say, part)}" for code, part in subscores]
    parts += [] if row["measure"] == "isncsci" else _measures.classes(say, row)
    more = t("join").join(parts)
    if not total:
        return more or t("not_determined")
    said = _points(say, total)
    if row["measure"] == "isncsci":  # a classification, then its sums: a motor score alone says little
        return t("join").join([*parts, t("isncsci_total", value=said)])
    if total["value"] is not None:
        said = t("score_of", value=said, maximum=f"{total['high']:g}")
    return f"{said} ({more})" if more else said


def _points(say: Say, part: Row) -> str:
    return say.t("not_determined") if part["value"] is None else f"{part['value']:g}"


def provenance(say: Say) -> list[Block]:
    """The grey box of the first page."""
    facts, t = say.facts, say.t
    when = t.moment(facts.cut.utc)
    pairs: list[tuple[str, Cell]] = [
        (t("cut"), t("cut_value", when=when, seq=facts.cut.seq)),
        (t("head"), Code(facts.cut.hash or "–")),
        (t("software"), say.software),
    ]
    for run in facts.runs:
        pairs.append((t("recording_sha", run=run.number), Code(run.sha or "–")))
    return [KeyValue(tuple(pairs))]


def sources(say: Say) -> list[Block]:
    """Full identifiers and hashes of every run, the verdict of a replay, and the ids of the assessments."""
    facts, t = say.facts, say.t
    rows: list[tuple[Cell, ...]] = []
    for run in facts.runs:
        at, summary = run.number, run.row["summary"]
        rows.append((t("run_id", run=at), Code(str(run.row["id"]))))
        for recording in run.recordings:
            size = t(
                "recording_size_value",
                samples=recording["n_samples"],
                fs=f"{recording['fs']:g}",
                bytes=recording["n_bytes"],
                state=t.word("state", str(recording["state"])),
            )
            rows.append((t("recording_file", run=at), Code(str(recording["path"]))))
            rows.append((t("recording_sha", run=at), Code(str(recording["sha256"]))))
            rows.append((t("recording_size", run=at), size))
        if run.online:
            rows.append((t("decoder_sha", run=at), Code(str(run.row["decoder_sha256"]) or "–")))
            rows.append((t("decision_sha", run=at), Code(str(summary.get("decision_hash") or "–"))))
            rows.append((t("replay", run=at), _replay(say, summary.get("replay"))))
        made = summary.get("software") or summary.get("workbench")
        if made:
            rows.append((t("software_run", run=at), str(made)))
    for row in sorted(facts.assessments, key=_order):
        name = _name(say, str(row["measure"]), str(row["side"]))
        rows.append((t("assessment_id", measure=name), Code(str(row["id"]))))
    columns = (Column(t("col_what"), 1.0), Column(t("col_hash"), 2.6))
    return [Heading(t("provenance")), Table(columns, tuple(rows), t("no_data"), note=t("chain_note"))]


def _replay(say: Say, verdict: Any) -> str:
    t = say.t
    if not verdict:
        return t("replay_none")
    if verdict.get("equal"):
        return t("replay_equal", n=verdict.get("n", "–"))
    return t("replay_differs", sentence=t.translate(verdict.get("sentence", "–")))


def limits(say: Say) -> list[Block]:
    """What the report does not say."""
    t = say.t
    said = [Para(t("limits_research"))]
    if say.facts.simulated:
        said.append(Para(t("limits_simulated", what=say.simulated_words())))
    said += [Para(t("limits_exact")), Para(t("limits_chain"))]
    return [Heading(t("limits")), *said]


def signatures(say: Say) -> list[Block]:
    """Lines to sign, each of which says that it is not signed."""
    t, session = say.t, say.facts.session
    operator = str(session["operator"]) if session else t("name_blank")
    lines = (
        SignatureLine(operator, t("role_operator"), t("unsigned")),
        SignatureLine(t("name_blank"), t("role_investigator"), t("unsigned")),
    )
    return [SignatureBlock(lines)]
