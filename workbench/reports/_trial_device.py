"""Performance of the device, as online runs of the record show it, and what its fittings and operations cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from workbench.analysis import EventMetrics
from workbench.reports._results import Cued
from workbench.reports._say import fraction, number
from workbench.reports._trial_facts import OnlineRun
from workbench.reports._trial_say import TrialSay
from workbench.reports.blocks import Block, Cell, Column, Heading, Para, Table, named


def performance(say: TrialSay) -> list[Block]:
    """Use, results and latency of each participant; the runs themselves are listed at the end."""
    t = say.t
    blocks: list[Block] = [Heading(t("tr_device"), name="device")]
    if say.facts.blinded:
        return [*blocks, *say.kept()]
    columns = (
        Column(t("participant"), 1.0), Column(t("tr_col_sessions"), 0.9, number=True),
        Column(t("tr_col_online"), 1.0, number=True), Column(t("tr_col_hours"), 1.0, number=True),
        Column(t("tr_col_f1"), 2.1, number=True), Column(t("tr_col_accuracy"), 2.1, number=True),
        Column(t("tr_col_p95"), 1.1, number=True), Column(t("tr_rows"), 0.7, number=True),
    )  # fmt: skip
    rows = [row for person in say.facts.people if (row := _of_person(say, person.id))]
    return [*blocks, Table(columns, tuple(rows), t("no_data"), note=t("tr_device_note")), Para(t("tr_home"))]


def _of_person(say: TrialSay, person_id: str) -> tuple[Cell, ...] | None:
    facts, t = say.facts, say.t
    visits = {row["id"] for row in facts.tables["visit"] if row["participant_id"] == person_id}
    sessions = [row for row in facts.tables["session"] if row["visit_id"] in visits]
    online = [one for one in facts.online if one.person["id"] == person_id]
    if not sessions:
        return None
    hours = [row.value or 0.0 for row in facts.outcomes if row.subscore == "hours_of_use"
             and row.participant == facts.names[person_id]]  # fmt: skip
    f1 = [one.result.f1 for one in online if isinstance(one.result, EventMetrics)]
    right = [one.result.accuracy.value for one in online if isinstance(one.result, Cued)]
    return (
        say.person(person_id), str(len(sessions)), str(len(online)), number(sum(hours), 1), _over_runs(f1),
        _over_runs(right), _longest(online), say.link(named("list", "runs", person_id)) if online else t("none"),
    )  # fmt: skip


def _longest(online: Sequence[OnlineRun]) -> str:
    """The longest 95th percentile of the latency among runs in real time, ms."""
    timed = [one.run.latency for one in online if one.run.representative]
    found = [float(latency["p95_ms"]) for latency in timed if "p95_ms" in latency]
    return number(max(found), 0) if found else "–"


def _over_runs(found: Sequence[float | None]) -> str:
    """``0.84 [0.71–0.92]; 6``: median over the runs that have a value, least to greatest, and how many."""
    values = [value for value in found if value is not None]
    if not values:
        return "–"
    return f"{fraction(median(values))} [{fraction(min(values))}–{fraction(max(values))}]; {len(values)}"


def result_words(say: TrialSay, one: OnlineRun) -> str:
    """The result of one run with its interval, or why it has none."""
    t, result = say.t, one.result
    if isinstance(result, EventMetrics):
        if result.f1 is None or result.f1_interval is None:
            return "–"
        return f"F1 {_with(say, result.f1, result.f1_interval)}"
    if isinstance(result, Cued):
        accuracy = result.accuracy
        if accuracy.value is None or accuracy.interval is None:
            return "–"
        return t("tr_accuracy", value=_with(say, accuracy.value, accuracy.interval))
    return t.translate(result.reason)


def _with(say: TrialSay, value: float, interval: tuple[float, float]) -> str:
    low, high = (fraction(edge) for edge in interval)
    return say.t("value_interval", value=fraction(value), low=low, high=high)


# ------------------------------------------------------------------------------------ price items
def prices(say: TrialSay) -> list[Block]:
    """What fittings took and cost, by participant; nothing is a claim on a payer."""
    t = say.t
    blocks: list[Block] = [Heading(t("tr_prices"), name="prices")]
    if say.facts.blinded:
        return [*blocks, *say.kept()]
    columns = (
        Column(t("participant"), 1.0), Column(t("tr_col_fittings"), 1.2, number=True),
        Column(t("tr_col_minutes"), 1.2, number=True), Column(t("tr_col_charged"), 1.5, number=True),
        Column(t("tr_col_shadow"), 1.5, number=True), Column(t("tr_rows"), 0.7, number=True),
    )  # fmt: skip
    rows = []
    for sheet in say.facts.sheets:
        minutes = sheet.minutes_per_fitting
        rows.append((
            sheet.participant, f"{sheet.n_complete} / {len(sheet.fittings)}",
            "–" if minutes is None else number(minutes, 0), _sums(sheet.charged), _sums(sheet.shadow),
            say.link("list-charges") if sheet.charges else "–",
        ))  # fmt: skip
    return [*blocks, Table(columns, tuple(rows), t("no_data"), note=t("tr_prices_note"))]


def _sums(amounts: Mapping[str, str]) -> str:
    return "; ".join(f"{amount} {currency}" for currency, amount in sorted(amounts.items())) or "–"
