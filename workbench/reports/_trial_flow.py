"""Who came, who stayed and who they were: flow after CONSORT, disposition, visits, and the table at baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

from workbench import figures
from workbench.analysis import Outcome
from workbench.reports._facts import Row
from workbench.reports._measures import measure_name
from workbench.reports._trial_facts import Group, Person
from workbench.reports._trial_say import WIDTH, Line, TrialSay, counted, spread
from workbench.reports.blocks import Block, Column, Figure, Heading, Picture, Table, named

REASONS = 4
"""Reasons that a box names one by one, most frequent first; the others are counted together."""
LONGEST_REASON = 70


def flow(say: TrialSay) -> list[Block]:
    """The flow of participants with the numbers and reasons of each box, then disposition and visits."""
    t, steps = say.t, steps_of(say)
    below = [box for box in steps.aside if box] + [box for column in steps.columns for box in column]
    alt = "; ".join(": ".join((box.title, *box.lines)) for box in (*steps.trunk, *below))
    drawn = figures.to_svg(figures.flow_of_participants(steps), name=say.name("flow"))
    source = t("tr_flow_source_blinded") if say.facts.blinded else t("tr_flow_source")
    return [
        Heading(t("tr_flow"), name="flow"),
        Figure(Picture(drawn, WIDTH, alt), t("tr_flow_title"), source),
        Heading(t("tr_disposition"), 3, name="disposition"),
        say.by_group(_dispositions(say), first=t("tr_col_status"), note=_note(say)),
        *_visits(say),
    ]


def steps_of(say: TrialSay) -> figures.FlowSteps:
    """The boxes of the flow with their numbers and reasons."""
    t, people = say.t, say.facts.people
    enrolled = [person for person in people if person.enrolled]
    trunk = [figures.FlowBox(t("tr_flow_screened", n=sum(bool(person.status) for person in people)))]
    trunk.append(figures.FlowBox(t("tr_flow_enrolled", n=len(enrolled))))
    aside: list[figures.FlowBox | None] = [_not_enrolled(say)]
    if any(person.randomised for person in people):
        trunk.append(figures.FlowBox(t("tr_flow_randomised", n=sum(person.randomised for person in enrolled))))
        waiting = [person for person in enrolled if not person.randomised]
        aside.append(_box(say, "tr_flow_not_randomised", waiting) if waiting else None)
    groups = [group for group in say.facts.groups if group.arm] or list(say.facts.groups)
    stages = (t("tr_stage_allocation"), t("tr_stage_follow_up"), t("tr_stage_now"))
    return figures.FlowSteps(tuple(trunk), tuple(aside), tuple(_column(say, group) for group in groups), stages)


def _note(say: TrialSay) -> str:
    """What the numbers are, and what the short names of the arms stand for."""
    t = say.t
    arms = [t("tr_is", what=group.arm, value=group.title) for group in say.facts.groups if group.arm]
    return t("tr_share_note") + (t("tr_arms_note", arms=t("tr_semicolon").join(arms)) if arms else "")


def _not_enrolled(say: TrialSay) -> figures.FlowBox | None:
    """Who entered screening and was not enrolled, with the criteria that were not met."""
    t = say.t
    left = [person for person in say.facts.people if person.status and not person.enrolled]
    if not left:
        return None
    lines = []
    failed = [person for person in left if person.status == "screen_failure"]
    if failed:
        lines.append(t("tr_flow_failed", n=len(failed)))
        lines += [f"– {reason}: {n}" for reason, n in _common(say, map(_why_not(say), failed))]
    for status in ("withdrawn", "lost", "screening"):
        n = sum(person.status == status for person in left)
        lines += [t(f"tr_flow_before_{status}", n=n)] if n else []
    return figures.FlowBox(t("tr_flow_not_enrolled", n=len(left)), tuple(lines))


def _why_not(say: TrialSay) -> Callable[[Person], str]:
    def why(person: Person) -> str:
        if person.unmet:
            return say.t("tr_criterion", names=say.t("join").join(person.unmet))
        return say.t.translate(person.reason)

    return why


def _box(say: TrialSay, key: str, people: list[Person]) -> figures.FlowBox:
    statuses = Counter(person.status for person in people)
    lines = tuple(f"{say.t.word('tr_status', status)}: {n}" for status, n in sorted(statuses.items()))
    return figures.FlowBox(say.t(key, n=len(people)), lines)


def _column(say: TrialSay, group: Group) -> tuple[figures.FlowBox, ...]:
    """Boxes of one arm: allocated and begun, who left and why, and where the others are."""
    t, people = say.t, group.people
    begun: tuple[str, ...] = ()
    if say.facts.tables["session"]:
        with_session = _with_session(say)
        n = sum(person.id in with_session for person in people)
        begun = (t("tr_flow_begun", n=n), t("tr_flow_not_begun", n=len(people) - n))
    title = group.title if group.arm else t("tr_all")
    first = figures.FlowBox(t("tr_flow_group", title=title, n=len(people)), begun)
    left = [person for person in people if person.status in ("withdrawn", "lost")]
    lines = []
    for status in ("withdrawn", "lost"):
        those = [person for person in left if person.status == status]
        if those:
            lines.append(t(f"tr_flow_{status}", n=len(those)))
            reasons = [t.translate(person.reason) for person in those]
            lines += [f"– {reason}: {n}" for reason, n in _common(say, reasons)]
    second = figures.FlowBox(t("tr_flow_left", n=len(left)), tuple(lines))
    completed = sum(person.status == "completed" for person in people)
    there = [t("tr_flow_taking_part", n=len(people) - completed - len(left))]
    primary = next((one for one in say.analyses.found if one.role == "primary"), None) if say.analyses else None
    if primary and group.arm in primary.arms:
        counts = primary.arms[group.arm]
        there.append(t("tr_flow_analysed", n=counts["participants"], outcome=counts["with_outcome"]))
    return first, second, figures.FlowBox(t("tr_flow_completed", n=completed), tuple(there))


def _with_session(say: TrialSay) -> set[str]:
    visits = {row["id"]: row["participant_id"] for row in say.facts.tables["visit"]}
    return {visits[row["visit_id"]] for row in say.facts.tables["session"]}


def _common(say: TrialSay, reasons: Iterable[str]) -> list[tuple[str, int]]:
    """The most frequent reasons, with the others together; those that nobody gave are named as such."""
    blank = say.t("tr_reason_kept") if say.facts.blinded else say.t("tr_reason_none")
    counts = Counter(_short(reason.strip()) or blank for reason in reasons)
    if set(counts) == {blank} and say.facts.blinded:
        return []
    listed = counts.most_common()
    rest = sum(n for _, n in listed[REASONS:])
    return [*listed[:REASONS], *([(say.t("tr_reason_others"), rest)] if rest else [])]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def _dispositions(say: TrialSay) -> list[Line]:
    def is_(status: str) -> Callable[[Group], str]:
        return counted(lambda person: person.status == status)

    return [
        (say.t.word("tr_status", status), is_(status), named("list", "status", status))
        if any(person.status == status for person in say.facts.people)
        else (say.t.word("tr_status", status), is_(status), "")
        for status in ("enrolled", "completed", "withdrawn", "lost")
    ]


def _visits(say: TrialSay) -> list[Block]:
    """For each visit of the protocol how it went."""
    t, protocol = say.t, say.facts.protocol
    if protocol is None:
        return []
    columns = (
        Column(t("visit"), 2.0), Column(t("tr_visit_held"), 1, number=True),
        Column(t("tr_visit_missed"), 1, number=True), Column(t("tr_visit_overdue"), 1, number=True),
        Column(t("tr_visit_outside"), 1.2, number=True), Column(t("tr_visit_ahead"), 1, number=True),
    )  # fmt: skip
    enrolled = {person.id: person.status for person in say.facts.people if person.status}
    on, rows = say.facts.cut.utc[:10], []
    for visit in protocol.visits:
        own = [
            row for row in say.facts.tables["visit"]
            if row["name"] == visit.name and row["participant_id"] in enrolled
        ]  # fmt: skip
        held = [row for row in own if row["status"] == "done"]
        outside = [row for row in held if row["latest"] and not _inside(row)]
        missed = [row for row in own if row["status"] in ("missed", "not_applicable")]
        late = [
            row
            for row in own
            if row["status"] == "planned"
            and row["latest"]
            and row["latest"] < on
            and enrolled[row["participant_id"]] in ("screening", "enrolled")
        ]
        ahead = len(own) - len(held) - len(missed) - len(late)
        numbers = (len(held), len(missed), len(late), len(outside), ahead)
        rows.append((visit.name, *map(str, numbers)))
    return [
        Heading(t("tr_visits"), 3, name="visits"),
        Table(columns, tuple(rows), t("no_data"), note=t("tr_visits_note")),
    ]


def _inside(row: Row) -> bool:
    return bool(row["earliest"] <= row["started"][:10] <= row["latest"])


def own_visits(say: TrialSay) -> list[Block]:
    """Every visit of one participant, with its window and when it was held."""
    t = say.t
    columns = (
        Column(t("visit"), 1.6), Column(t("tr_col_planned"), 1.2), Column(t("tr_col_window"), 2.0),
        Column(t("tr_visit_held"), 1.2), Column(t("tr_col_state"), 1.4),
    )  # fmt: skip
    rows = []
    for row in say.facts.tables["visit"]:
        held, window = row["status"] == "done", "–".join((row["earliest"], row["latest"]))
        state = t.word("tr_visit_is", row["status"] or "planned")
        if held and row["latest"] and not _inside(row):
            state = t("tr_visit_outside_window", state=state)
        rows.append((
            row["name"], row["planned"] or "–", window if row["latest"] else "–",
            row["started"][:10] if held else "–", state,
        ))  # fmt: skip
    return [Heading(t("tr_visits"), name="visits"), Table(columns, tuple(rows), t("no_data"))]


# ------------------------------------------------------------------------------------ baseline
def baseline(say: TrialSay) -> list[Block]:
    """Who was enrolled, by arm: what is known at entry, and the scores before anything was done."""
    t = say.t
    lines: list[Line] = []
    for key, label in (("injury_level", "tr_injury"), ("ais", "tr_ais"), ("trained_side", "tr_side")):
        found = sorted({str(person.row[key]) for group in say.facts.groups for person in group.people})
        for value in found:
            shown = t.word("side", value) if key == "trained_side" and value else value
            words = t("tr_is", what=t(label), value=shown or t("unknown"))
            lines.append((words, counted(_has(key, value)), ""))
    sites = sorted({person.site for person in say.facts.people if person.site})
    if len(sites) > 1:
        for site in sites:
            words = t("tr_is", what=t("tr_site"), value=site)
            lines.append((words, counted(_at(site)), ""))
    lines.append((t("tr_months"), lambda group: spread([m for p in group.people for m in _months(p)]), ""))
    for (measure, side), first in before_anything(say).items():
        label = t("tr_score_at_baseline", measure=measure_name(t, measure, side))
        lines.append((label, _of_group(first), named("list", measure, side)))
    return [
        Heading(t("tr_baseline"), name="baseline"),
        say.by_group(lines, first=t("tr_col_characteristic"), note=t("tr_baseline_note")),
    ]


def _has(key: str, value: str) -> Callable[[Person], bool]:
    return lambda person: str(person.row[key]) == value


def _at(site: str) -> Callable[[Person], bool]:
    return lambda person: person.site == site


def _of_group(first: dict[str, float]) -> Callable[[Group], str]:
    return lambda group: spread([first[p.name] for p in group.people if p.name in first])


def _months(person: Person) -> list[float]:
    """Months from the injury to the consent."""
    injured, consented = str(person.row["injured_on"]), str(person.row["consented_on"])
    if not (injured and consented):
        return []
    return [(date.fromisoformat(consented[:10]) - date.fromisoformat(injured[:10])).days / 30.4375]


def start_of(person: Person) -> str:
    """The day before which a score is one at baseline: randomisation, implant or first session, the earliest."""
    days = [person.days[name] for name in ("randomisation", "implant", "first_session") if name in person.days]
    return min(days, default="")


def is_off(row: Outcome) -> bool:
    """Whether somebody was tested with no device, no stimulation, no help: as everybody can be, in any arm."""
    return not (row.assisted or row.device_on or row.stimulation_on or row.orthosis)


def before_anything(say: TrialSay) -> dict[tuple[str, str], dict[str, float]]:
    """For each measure and side the last total of each participant before the study did anything, by pseudonym."""
    starts = {person.name: start_of(person) for person in say.facts.people}
    found: dict[tuple[str, str], dict[str, tuple[str, float]]] = {}
    for row in say.facts.outcomes:
        if row.subscore != "total" or row.value is None or row.status != "ok" or not is_off(row):
            continue
        if row.measure == "performance" or not row.day or not starts[row.participant]:
            continue
        if row.day <= starts[row.participant]:
            own = found.setdefault((row.measure, row.side), {})
            own[row.participant] = max(own.get(row.participant, ("", 0.0)), (row.day, row.value))
    return {key: {who: value for who, (_, value) in own.items()} for key, own in sorted(found.items())}
