"""Outcomes as they were observed: every participant over the visits, with the means behind each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench import figures
from workbench.analysis import Outcome
from workbench.analysis.recovery import LEAST, SOURCE, Recovery, exams_of, recovery
from workbench.reports._measures import measure_name
from workbench.reports._say import number
from workbench.reports._trial_facts import Group
from workbench.reports._trial_say import WIDTH, TrialSay
from workbench.reports.blocks import Block, Cell, Column, Figure, Heading, Para, Picture, Table, named

Key = tuple[bool, bool, bool]
"""Assisted, device on, stimulation on."""
MOST_VISITS = 10
"""Visits of one figure; of more every one stands in the table alone."""


def observed(say: TrialSay) -> list[Block]:
    """One figure and one table for each measure and side."""
    t = say.t
    scores: dict[tuple[str, str], list[Outcome]] = {}
    for row in say.facts.outcomes:
        # Repetitions and tests with an orthosis or in a mode stand in the listing: they are other tests.
        if row.measure == "performance" or row.subscore != "total" or row.repeat > 1 or row.orthosis or row.mode:
            continue
        if row.value is not None and row.status == "ok":
            scores.setdefault((row.measure, row.side), []).append(row)
    blocks: list[Block] = [Heading(t("tr_outcomes"), name="outcomes"), Para(t("tr_outcomes_text"))]
    if say.facts.blinded:
        blocks.append(Para(t("tr_outcomes_blinded"), note=True))
    if not scores:
        blocks.append(Table((Column(""),), (), t("no_data")))
    for (measure, side), rows in sorted(scores.items()):
        blocks += _measure(say, measure, side, rows)
    return blocks


def _measure(say: TrialSay, measure: str, side: str, rows: list[Outcome]) -> list[Block]:
    t, name = say.t, measure_name(say.t, measure, side)
    visits = _visits(say, rows)
    groups = [group for group in say.facts.groups if group.arm] or list(say.facts.groups)
    conditions = sorted({_key(row) for row in rows})
    behind = _recovery(say, measure, rows, visits)
    panels, table = [], list[tuple[Cell, ...]]()
    for condition in conditions:
        for group in groups:
            lines = _lines([row for row in rows if _key(row) == condition], group, visits)
            if not lines:
                continue
            title = _title(say, group, condition, alone=len(groups) == 1)
            bands = () if any(condition) else _ends(behind)
            panel = figures.CoursePanel(title, lines, device_on=condition[1], bands=bands)
            panels.append(panel)
            means = (_mean(mean, n, alone=bool(say.facts.wanted.participant)) for mean, n in panel.means())
            table.append((title, *means, say.link(named("list", measure, side))))
    if not panels:
        return []
    columns = (
        Column(t("tr_col_group"), 2.2),
        *(Column(visit, 1.0, number=True) for visit in visits),
        Column(t("tr_rows"), 0.7, number=True),
    )
    blocks: list[Block] = [Heading(name, 3)]
    if len(visits) <= MOST_VISITS:
        blocks = [_figure(say, name, panels, visits, table)]
        blocks += [Para(_recovery_words(say, behind), note=True)] if behind else []
    listed = "" if say.facts.wanted.participant else t("tr_course_note", measure=name)
    return [*blocks, Table(columns, tuple(table), t("no_data"), note=listed)]


def _figure(
    say: TrialSay, name: str, panels: Sequence[figures.CoursePanel], visits: Sequence[str],
    table: Sequence[tuple[Cell, ...]],
) -> Figure:  # fmt: skip
    """The panels of a measure, whose numbers are those of the table."""
    t = say.t
    one = "_of_one" if say.facts.wanted.participant else ""
    # Of one participant the mean is that participant, and no line of another lies behind it.
    words = {key: t(f"tr_course_{key}{one}") for key in figures.COURSE_WORDS if not (one and key == "one")}
    drawn = figures.to_svg(figures.courses(panels, visits, words=words), name=say.name("course"))
    alt = "; ".join(f"{row[0]}: {', '.join(map(str, row[1:-1]))}" for row in table)
    title, source = t(f"tr_course_title{one}", measure=name), t(f"tr_course_source{one}")
    return Figure(Picture(drawn, WIDTH, alt), title, source)


def _ends(behind: Recovery | None) -> tuple[tuple[float, float, float] | None, ...]:
    return tuple((one.low, one.mean, one.high) if one else None for one in behind.bands) if behind else ()


def _recovery(say: TrialSay, measure: str, rows: Sequence[Outcome], visits: Sequence[str]) -> Recovery | None:
    """Natural recovery behind the course of one participant, scored without help or device.

    Parameters
    ----------
    say : of a report; None of one about several, who differ in grade, level and time since injury.
    measure, rows, visits : whose course.
    """
    if not say.facts.wanted.participant:
        return None
    person = say.facts.people[0].row
    days = {row.visit: row.day for row in rows if not any(_key(row))}
    started = {row["id"]: str(row["started"])[:10] for row in say.facts.tables["visit"]}
    exams = exams_of(person, say.facts.tables["assessment"], started)
    return recovery(
        measure, "total", injured_on=str(person["injured_on"] or ""), exams=exams,
        days=[days.get(name, "") for name in visits],
    )  # fmt: skip


def _recovery_words(say: TrialSay, found: Recovery) -> str:
    """Whom the bands are of and where they come from, or why there are none."""
    t = say.t
    if found.group is None or found.why:
        return t(f"tr_recovery_{found.why}", least=LEAST)
    counts = [band.n for band in found.bands if band]
    n = f"{min(counts)}–{max(counts)}" if min(counts) < max(counts) else str(counts[0])
    plegia = t(f"tr_recovery_{found.group.plegia}")
    return t("tr_recovery", ais=found.group.ais, plegia=plegia, n=n, source=SOURCE)


def _key(row: Outcome) -> Key:
    return bool(row.assisted), bool(row.device_on), bool(row.stimulation_on)


def _visits(say: TrialSay, rows: Sequence[Outcome]) -> list[str]:
    """Visits with a value, in the order of the protocol; those that no protocol planned come last."""
    there = dict.fromkeys(row.visit for row in rows)
    planned = [visit.name for visit in say.facts.protocol.visits] if say.facts.protocol else []
    return [*(name for name in planned if name in there), *(name for name in there if name not in planned)]


def _lines(
    rows: Sequence[Outcome], group: Group, visits: Sequence[str]
) -> tuple[tuple[float | None, ...], ...]:  # fmt: skip
    """Value of each participant of a group at each visit; participants without any are left out."""
    values: dict[str, dict[str, float | None]] = {}
    for row in rows:
        values.setdefault(row.participant, {}).setdefault(row.visit, row.value)
    of_group: Mapping[str, Mapping[str, float | None]] = {
        person.name: values[person.name] for person in group.people if person.name in values
    }
    return tuple(tuple(own.get(visit) for visit in visits) for own in of_group.values())


def _title(say: TrialSay, group: Group, condition: Key, *, alone: bool) -> str:
    words = under(say, condition)
    if alone and not group.arm:
        return words
    return say.t("tr_panel", group=group.arm or say.t("tr_all"), condition=words)


def under(say: TrialSay, condition: Key) -> str:
    """A condition in words: ``device on, assisted``; stimulation only where it was on."""
    assisted, device, stimulation = condition
    codes = ["device_on" if device else "device_off", "assisted" if assisted else "unassisted"]
    codes += ["stimulation_on"] if stimulation else []
    return say.t("join").join(say.t(code) for code in codes)


def _mean(mean: float | None, n: int, *, alone: bool) -> str:
    """A mean with its number of participants; of one participant the value alone."""
    if alone and mean is not None:
        return f"{mean:g}"
    return "–" if mean is None else f"{number(mean, 1)} ({n})"
