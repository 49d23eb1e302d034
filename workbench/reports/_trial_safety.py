"""Safety: events by arm where the reader may see arms, with clocks, stopping rules, implant-days and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from workbench.analysis import poisson_interval
from workbench.reports._facts import Row
from workbench.reports._say import number
from workbench.reports._trial_facts import Group, overdue
from workbench.reports._trial_say import Line, TrialSay
from workbench.reports.blocks import Block, Cell, Column, Heading, Notice, Table, named
from workbench.study.obligations import KINDS
from workbench.study.safety import EventFacts, classify, facts_of

PER_DAYS = 1000
"""Implant-days of a rate."""
Test = Callable[[Row], bool]


def safety(say: TrialSay) -> list[Block]:
    """Every table about safety, or of a blinded report the numbers that tell of no arm."""
    t = say.t
    blocks: list[Block] = [Heading(t("tr_safety"), name="safety")]
    if say.facts.blinded and say.facts.wanted.participant:
        return [*blocks, *say.kept()]
    if say.facts.blinded:
        return [*blocks, say.by_group(_pooled(say), first=t("tr_col_event"), everybody=True), *say.kept()]
    desk = say.facts.desk
    late = overdue(desk) if desk else ()
    if late:
        blocks.append(Notice(t("tr_overdue_title"), t("tr_overdue_text", n=len(late)), "warn"))
    table = say.by_group(_lines(say), first=t("tr_col_event"), note=t("tr_events_note"), everybody=True)
    return [*blocks, table, *_clocks(say), *_stopping(say), *_implants(say)]


def sentence(say: TrialSay) -> str:
    """The events in one or two sentences, for the first page."""
    t, events = say.t, say.facts.events
    if say.facts.blinded and say.facts.wanted.participant:
        return t("tr_kept")
    people = len({row["participant_id"] for row in events})
    serious = sum(row["facts"]["serious"] for row in events)
    said = t("tr_safety_events", n=len(events), people=people, serious=serious) if events else t("tr_no_events")
    if say.facts.blinded or say.facts.desk is None:
        return said
    days = sum(one.days for one in say.facts.desk.implant_days)
    parts = [said, t("tr_safety_late", n=len(overdue(say.facts.desk)))]
    parts += [t("tr_safety_days", days=f"{days:,}")] if say.facts.desk.implant_days else []
    return ("" if t.language.startswith("zh") else " ").join(parts)


def _pooled(say: TrialSay) -> list[Line]:
    t = say.t
    serious: Test = lambda row: bool(row["facts"]["serious"])  # noqa: E731
    lines: list[Line] = [
        (t("tr_events"), _events(say, lambda row: True), ""),
        (t("tr_events_serious"), _events(say, serious), ""),
    ]
    return lines + [
        (t.word("tr_severity", name), _events(say, _as_severe_as(name)), "")
        for name in ("mild", "moderate", "severe")
    ]


def _as_severe_as(severity: str) -> Test:
    return lambda row: bool(row["facts"]["severity"] == severity)


def _of_term(term: str) -> Test:
    return lambda row: term in terms_of(row)


def _lines(say: TrialSay) -> list[Line]:
    t = say.t
    lines: list[Line] = [(label, text, "list-events") for label, text, _ in _pooled(say)]
    for term in ("ADE", "SADE", "USADE"):
        label = t(f"tr_term_{term.lower()}")
        lines.append((label, _events(say, _of_term(term)), "list-events"))
    lines.append((t("tr_fatal"), _events(say, lambda row: row["outcome"] == "fatal"), "list-events"))
    lines.append((t("tr_deficiencies"), _deficiencies(say), "list-deficiencies"))
    if say.facts.desk and say.facts.desk.implant_days:
        lines.append((t("tr_implant_days"), lambda group: f"{_days(say, group):,}", "implants"))
        lines.append((t("tr_rate", per=f"{PER_DAYS:,}"), _rate(say), "implants"))
    return lines


def terms_of(row: Row) -> tuple[str, ...]:
    """Terms of ISO 14155 that hold for an event of the record."""
    facts = facts_of(KINDS["adverse_event"], row["facts"])
    return classify(facts).terms if isinstance(facts, EventFacts) else ()


def _events(say: TrialSay, test: Test) -> Callable[[Group], str]:
    """``4 in 3``: events, and participants who had one."""

    def text(group: Group) -> str:
        rows = [row for row in say.facts.events if row["participant_id"] in group.ids and test(row)]
        people = len({row["participant_id"] for row in rows})
        return say.t("tr_n_in", n=len(rows), people=people) if rows else "0"

    return text


def _deficiencies(say: TrialSay) -> Callable[[Group], str]:
    rows = [row for row in say.facts.tables["device_deficiency"] if row["state"] != "void"]

    def text(group: Group) -> str:
        # What concerns nobody, as a device on the shelf, counts in the column of all alone.
        ids = {*group.ids} if group.arm else {*group.ids, None}
        return str(sum(row["participant_id"] in ids for row in rows))

    return text


def _days(say: TrialSay, group: Group) -> int:
    names = {person.name for person in group.people}
    desk = say.facts.desk
    return sum(one.days for one in desk.implant_days if one.participant in names) if desk else 0


def _rate(say: TrialSay) -> Callable[[Group], str]:
    """Related events for each thousand implant-days, with the exact interval of a Poisson count."""

    def text(group: Group) -> str:
        rows = [row for row in say.facts.events if row["participant_id"] in group.ids and "ADE" in terms_of(row)]
        days = _days(say, group) / PER_DAYS
        if not days:
            return "–"
        low, high = poisson_interval(len(rows), exposure=days)
        values = {"value": number(len(rows) / days, 2), "low": number(low, 2), "high": number(high, 2)}
        return say.t("value_interval", **values)

    return text


def _clocks(say: TrialSay) -> list[Block]:
    """Each report that is or was due, read at the data cut."""
    t, desk = say.t, say.facts.desk
    columns = (
        Column(t("participant"), 0.9), Column(t("tr_col_what"), 1.8), Column(t("tr_col_rule"), 2.0),
        Column(t("tr_col_due"), 1.5), Column(t("tr_col_state"), 1.6), Column(t("tr_col_sent"), 1.3),
    )  # fmt: skip
    rows = tuple(
        (
            one.participant or "–", one.what, one.rule, t.moment(one.due.isoformat()), t.translate(one.text),
            f"{t.moment(one.sent_at)}{t('join')}{one.reference}" if one.sent_at else "–",
        )
        for one in (desk.obligations if desk else ())
    )  # fmt: skip
    strong = tuple(k for k, one in enumerate(desk.obligations if desk else ()) if one.state == "overdue")
    note = t("tr_withheld", n=sum(len(one.rules) for one in desk.withheld)) if desk and desk.withheld else ""
    table = Table(columns, rows, t("tr_no_clocks"), strong=strong, note=note)
    return [Heading(t("tr_clocks"), 3, name="clocks"), table]


def _stopping(say: TrialSay) -> list[Block]:
    t, desk = say.t, say.facts.desk
    # The rules are the study's and not one participant's.
    if desk is None or not desk.stopping or say.facts.wanted.participant:
        return []
    columns = (
        Column(t("tr_col_stopping"), 2.6), Column(t("col_count"), 0.8, number=True),
        Column(t("tr_col_pending"), 1.0, number=True), Column(t("tr_col_limit"), 0.8, number=True),
        Column(t("tr_col_state"), 1.4),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in desk.stopping:
        state = "met" if one.met else "may_be_met" if one.may_be_met else "not_met"
        rows.append(
            (one.counts, str(one.count), str(one.pending), f"{one.limit:g}", t.word("tr_stopping", state))
        )  # fmt: skip
    strong = tuple(k for k, one in enumerate(desk.stopping) if one.met)
    return [Heading(t("tr_stopping_rules"), 3), Table(columns, tuple(rows), t("no_data"), strong=strong)]


def _implants(say: TrialSay) -> list[Block]:
    """Implants with their days and findings, notable ones first."""
    t, desk = say.t, say.facts.desk
    if desk is None or not desk.surveillance:
        return []
    days = {one.implant_id: one.days for one in desk.implant_days}
    columns = (
        Column(t("participant"), 1.0), Column(t("tr_col_device"), 1.2), Column(t("tr_col_implanted"), 1.3),
        Column(t("tr_col_explanted"), 1.5), Column(t("tr_implant_days"), 1.0, number=True),
        Column(t("tr_col_findings"), 2.6),
    )  # fmt: skip
    rows = []
    for one in desk.surveillance:
        notable = [
            t("tr_implant_finding", day=f.found_on, kind=t.word("tr_found", f.kind), text=f.text)
            for f in one.findings if f.notable
        ]  # fmt: skip
        plain = Counter(t.word("tr_found", finding.kind) for finding in one.findings if not finding.notable)
        counted = [f"{name}: {n}" for name, n in sorted(plain.items())]
        out = f"{one.explanted_on}{t('join')}{one.explant_reason}" if one.explanted_on else "–"
        findings = t("join").join([*notable, *counted]) or "–"
        rows.append(
            (one.participant, one.device, one.implanted_on, out, str(days.get(one.implant_id, 0)), findings)
        )
    names = tuple(named("implant", one.implant_id) for one in desk.surveillance)
    table = Table(columns, tuple(rows), t("no_data"), note=t("tr_implants_note"), names=names)
    return [Heading(t("tr_implants"), 3, name="implants"), table]
