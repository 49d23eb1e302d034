"""The integrity ledger: a timeline, counts of each kind with consequence, and every relevant entry."""

from __future__ import annotations

from workbench import figures
from workbench.reports._facts import Row, RunFacts
from workbench.reports._say import Say, number
from workbench.reports._sections import WIDTH
from workbench.reports.blocks import Block, Cell, Column, Figure, Heading, Para, Picture, Table

LISTED = 200
"""Up to this many entries all are listed; beyond it, those of information priority are only counted."""

WRITTEN = ("note", "waiver")
"""Kinds whose extent is a person's own text."""

PRIORITIES = ("high", "medium", "low", "info")

ALIKE = 3
"""Consecutive entries that differ only in time and extent become one line from this number on."""

EXTENTS = 12
"""Most extents that such a line lists; the number of the others follows."""


def ledger(say: Say) -> list[Block]:
    """The section."""
    t, entries = say.t, say.facts.ledger
    blocks: list[Block] = [Heading(t("ledger"))]
    if not entries:
        return [*blocks, Table((Column(""),), (), t("ledger_none" if say.facts.runs else "no_data"))]
    blocks += [Heading(t("ledger_counts"), 3), _counts(say), _timeline(say)]
    listed = [pair for pair in entries if len(entries) <= LISTED or pair[1]["priority"] != "info"]
    blocks += [Heading(t("ledger_entries"), 3), _listed(say, listed)]
    if len(listed) < len(entries):
        blocks.append(Para(t("ledger_cut", n=len(entries) - len(listed)), note=True))
    return blocks


def _counts(say: Say) -> Table:
    t = say.t
    groups: dict[tuple[int, str, str], list[str]] = {}
    for _, row in say.facts.ledger:
        # An unknown priority of a newer version sorts last rather than failing the report.
        rank = PRIORITIES.index(row["priority"]) if row["priority"] in PRIORITIES else len(PRIORITIES)
        groups.setdefault((rank, str(row["kind"]), str(row["priority"])), []).append(
            t.translate(row["consequence"])
        )
    rows: list[tuple[Cell, ...]] = []
    for (_, kind, priority), consequences in sorted(groups.items()):
        different = list(dict.fromkeys(text for text in consequences if text))
        summary = " / ".join(different[:3]) + (f" (+ {len(different) - 3})" if len(different) > 3 else "")
        rows.append((t.word("ledger", kind), t.word("priority", priority), str(len(consequences)), summary or "–"))
    columns = (
        Column(t("col_ledger_kind"), 1.2),
        Column(t("col_priority"), 0.8),
        Column(t("col_count"), 0.5, number=True),
        Column(t("col_consequence"), 3.5),
    )
    return Table(columns, tuple(rows), t("no_data"))


def _run_id(run: RunFacts | None) -> str:
    return str(run.row["id"]) if run else ""


def _timeline(say: Say) -> Figure:
    t = say.t
    rows = [row for _, row in say.facts.ledger]
    kinds = {str(row["kind"]): t.word("ledger", str(row["kind"])) for row in rows}
    texts = {level: t(f"priority_{level}") for level in PRIORITIES} | {"axis": t("ledger_axis")}
    drawn = figures.ledger_timeline(rows, kinds=kinds, words=texts)
    counts = t("join").join(f"{word} {sum(row['kind'] == kind for row in rows)}" for kind, word in kinds.items())
    picture = Picture(
        figures.to_svg(drawn, name=say.name("ledger")), WIDTH, t("ledger_timeline_alt", counts=counts)
    )
    return Figure(picture, t("ledger_timeline"))


def _extent(say: Say, row: Row) -> str:
    """The extent in the report's language; what people wrote is not translated."""
    return say.t.translate(row["extent"])


def _extents(say: Say, rows: list[Row]) -> str:
    """The extents of entries that share a line: losses are never listed without their sizes."""
    if len(rows) == 1:
        return _extent(say, rows[0]) or "–"
    different = list(dict.fromkeys(filter(None, (_extent(say, row) for row in rows))))
    more = f" (+ {len(different) - EXTENTS})" if len(different) > EXTENTS else ""
    listed = say.t("join").join(different[:EXTENTS]) + more
    return say.t("ledger_times_of" if different else "ledger_times_n", n=len(rows), extents=listed)


def _grouped(entries: list[tuple[RunFacts | None, Row]]) -> list[list[tuple[RunFacts | None, Row]]]:
    """Group consecutive entries that differ only in time and extent; notes and waivers are never grouped."""
    groups: list[list[tuple[RunFacts | None, Row]]] = []
    for run, row in entries:
        key = (_run_id(run), row["kind"], row["stream"], row["priority"], row["consequence"])
        before = groups[-1][0] if groups else None
        same = before is not None and key == (
            _run_id(before[0]), *(before[1][name] for name in ("kind", "stream", "priority", "consequence"))
        )  # fmt: skip
        if same and row["kind"] not in WRITTEN:
            groups[-1].append((run, row))
        else:
            groups.append([(run, row)])
    return [part for group in groups for part in ([group] if len(group) >= ALIKE else [[one] for one in group])]


def _listed(say: Say, entries: list[tuple[RunFacts | None, Row]]) -> Table:
    t = say.t
    # Times count from the first entry of the same run: stamps of LSL are seconds since an arbitrary origin.
    first: dict[str, float] = {}
    for run, row in say.facts.ledger:
        first.setdefault(_run_id(run), float(row["stamp"]))
    rows: list[tuple[Cell, ...]] = []
    for group in _grouped(entries):
        (run, row), (_, last) = group[0], group[-1]
        begin = number(float(row["stamp"]) - first[_run_id(run)], 2)
        end = number(float(last["stamp"]) - first[_run_id(run)], 2)
        several = len(group) > 1
        rows.append(
            (
                t("run", run=run.number) if run else t("between_runs"),
                f"{begin}–{end}" if several else begin,
                str(row["sample"]) if run and row["sample"] >= 0 and not several else "–",
                t.word("priority", str(row["priority"])),
                t.word("ledger", str(row["kind"])),
                str(row["stream"]) or "–",
                _extents(say, [one for _, one in group]),
                t.translate(row["consequence"]) or "–",
            )
        )
    columns = (
        Column(t("col_run"), 1.05),
        Column(t("col_time"), 0.95, number=True),
        Column(t("col_sample"), 0.95, number=True),
        Column(t("col_priority"), 1.35),
        Column(t("col_ledger_kind"), 2.1),
        Column(t("col_stream"), 1.35),
        Column(t("col_extent"), 1.85),
        Column(t("col_consequence"), 1.8),
    )
    return Table(columns, tuple(rows), t("no_data"), note=t("ledger_times"))
