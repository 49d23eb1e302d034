"""The last sections: assessments by condition, provenance, limits, signatures."""

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
    """Every administration under its condition. Changes are not computed, and never across conditions."""
    t = say.t
    rows = sorted(say.facts.assessments, key=_order)
    blocks: list[Block] = [Heading(t("assessments"))]
    for measure, side in dict.fromkeys((str(row["measure"]), str(row["side"])) for row in rows):
        same = [row for row in rows if row["measure"] == measure and row["side"] == side]
        # Measures without a total, such as a profile of domains, have no single axis to be drawn on.
        if all(row["score"].get("total") for row in same):
            blocks.append(_marks(say, measure, side, same))
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
    """Queries to the rater; no section when there are none."""
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
    # In the order in which conditions are compared: same measure and side first, repetitions last.
    under = ("measure", "side", "device_on", "assisted", "stimulation_on", "orthosis", "mode", "repeat")
    return tuple(row[name] for name in under)


def _condition(say: Say, row: Row) -> str:
    codes = (
        "device_on" if row["device_on"] else "device_off",
        "assisted" if row["assisted"] else "unassisted",
        "stimulation_on" if row["stimulation_on"] else "stimulation_off",
    )
    labels = [say.t(code) for code in codes]
    labels += [say.t("worn", what=row["orthosis"])] if row["orthosis"] else []
    labels += [str(row["mode"])] if row["mode"] else []
    labels += [say.t("repeated", n=row["repeat"])] if row["repeat"] > 1 else []
    return say.t("join").join(labels)


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
    name = _measures.measure_name(say.t, measure, side)
    texts = {"key": t("marks_key"), "nd": t("nd_word"), "axis": _measures.axis(say, rows[0], name, maximum)}
    drawn = figures.condition_marks(marks, measure=name, maximum=maximum, words=texts)
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
    measure = f"{_measures.measure_name(say.t, str(row['measure']), str(row['side']))} ({row['version']})"
    answered = sum(value is not None for value in row["items"].values())
    # Implied items have a value that nobody entered: a rule of the measure gives it, so they are counted apart.
    implied = len(row["implied"])
    missing = _measures.missing_of(row)
    items = t(
        "items_missing" if missing else "items_of", given=answered - implied, implied=implied, missing=missing
    )
    unfinished = {"draft": t("draft_assessment"), "incomplete": t("incomplete_assessment")}
    rater = str(row["rater"]) + (f" ({unfinished[row['state']]})" if row["state"] in unfinished else "")
    return (measure, _condition(say, row), _score(say, row, score), items, rater, Code(str(row["id"])[-8:]))


def _score(say: Say, row: Row, score: Row) -> str:
    """The total with its maximum, then subscores, then what is not a number (a neurological level, a grade)."""
    t, total = say.t, score.get("total")
    parts = _measures.classes(say, row) if row["measure"] == "isncsci" else []
    subscores = score.get("subscores", {}).items()
    parts += [f"{_measures.subscore_name(say, row, code)} {_points(say, part)}" for code, part in subscores]
    parts += [] if row["measure"] == "isncsci" else _measures.classes(say, row)
    details = t("join").join(parts)
    if not total:
        return details or t("not_determined")
    text = _points(say, total)
    if row["measure"] == "isncsci":  # The classification first: a motor score alone says little.
        return t("join").join([*parts, t("isncsci_total", value=text)])
    if total["value"] is not None:
        text = t("score_of", value=text, maximum=f"{total['high']:g}")
    return f"{text} ({details})" if details else text


def _points(say: Say, part: Row) -> str:
    return say.t("not_determined") if part["value"] is None else f"{part['value']:g}"


def provenance(say: Say) -> list[Block]:
    """The grey box of the first page: data cut, head of the audit chain, software, recordings."""
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
        number, summary = run.number, run.row["summary"]
        rows.append((t("run_id", run=number), Code(str(run.row["id"]))))
        for recording in run.recordings:
            size = t(
                "recording_size_value",
                samples=recording["n_samples"],
                fs=f"{recording['fs']:g}",
                bytes=recording["n_bytes"],
                state=t.word("state", str(recording["state"])),
            )
            rows.append((t("recording_file", run=number), Code(str(recording["path"]))))
            rows.append((t("recording_sha", run=number), Code(str(recording["sha256"]))))
            rows.append((t("recording_size", run=number), size))
        if run.row["decoder_sha256"]:
            rows.append((t("decoder_sha", run=number), Code(str(run.row["decoder_sha256"]) or "–")))
            rows.append((t("decision_sha", run=number), Code(str(summary.get("decision_hash") or "–"))))
            rows.append((t("replay", run=number), _replay(say, summary.get("replay"))))
        software = summary.get("software") or summary.get("workbench")
        if software:
            rows.append((t("software_run", run=number), str(software)))
    for row in sorted(facts.assessments, key=_order):
        name = _measures.measure_name(say.t, str(row["measure"]), str(row["side"]))
        rows.append((t("assessment_id", measure=name), Code(str(row["id"]))))
    columns = (Column(t("col_what"), 1.0), Column(t("col_hash"), 2.6))
    return [Heading(t("provenance")), Table(columns, tuple(rows), t("no_data"), note=t("chain_note"))]


def _replay(say: Say, verdict: Any) -> str:
    t = say.t
    if not verdict:
        return t("replay_none")
    if verdict.get("equal"):
        decisions = t("replay_equal", n=verdict.get("n", "–"))
        # Earlier records say nothing of commands, and a run without an effector has none.
        commands = verdict.get("commands")
        return t("replay_both", decisions=decisions, commands=t.translate(commands)) if commands else decisions
    return t("replay_differs", sentence=t.translate(verdict.get("sentence", "–")))


def limits(say: Say) -> list[Block]:
    """Limits of the report."""
    t = say.t
    paragraphs = [Para(t("limits_research"))]
    if say.facts.simulated:
        paragraphs.append(Para(t("limits_simulated", what=say.simulated_words())))
    paragraphs += [Para(t("limits_exact")), Para(t("limits_chain"))]
    return [Heading(t("limits")), *paragraphs]


def signatures(say: Say) -> list[Block]:
    """Signature lines, each marked as not signed."""
    t, session = say.t, say.facts.session
    operator = str(session["operator"]) if session else t("name_blank")
    # Printed as unsigned: a signature in the record is made with a password, never by this page.
    lines = (
        SignatureLine(operator, t("role_operator"), t("unsigned")),
        SignatureLine(t("name_blank"), t("role_investigator"), t("unsigned")),
    )
    return [SignatureBlock(lines)]
