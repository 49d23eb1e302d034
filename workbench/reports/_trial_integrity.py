"""What makes a report checkable: deviations, open points, verification, signatures, snapshot, and every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from workbench.reports import _trial_forms
from workbench.reports._facts import Row, RunFacts
from workbench.reports._measures import measure_name
from workbench.reports._trial_analyses import rows_of_analyses
from workbench.reports._trial_device import result_words
from workbench.reports._trial_facts import Group
from workbench.reports._trial_outcomes import under
from workbench.reports._trial_safety import terms_of
from workbench.reports._trial_say import Line, TrialSay
from workbench.reports.blocks import Block, Cell, Code, Column, Heading, KeyValue, Para, Table, named

STATUSES = ("enrolled", "completed", "withdrawn", "lost", "screen_failure", "screening", "")


def deviations(say: TrialSay) -> list[Block]:
    """Deviations by category and arm; the texts are listed at the end."""
    t = say.t

    def of(category: str) -> Callable[[Group], str]:
        def text(group: Group) -> str:
            names = {person.name for person in group.people}
            rows = [one for one in say.facts.deviations if one.category == category and one.participant in names]
            waiting = sum(one.state == "open" for one in rows)
            return t("tr_n_open", n=len(rows), open=waiting) if waiting else str(len(rows))

        return text

    found = Counter(one.category for one in say.facts.deviations)
    lines: list[Line] = [
        (t.word("tr_deviation", name), of(name), named("list", "deviations")) for name, _ in found.most_common()
    ]
    blocks: list[Block] = [Heading(t("tr_deviations"), name="deviations")]
    if lines:
        blocks.append(
            say.by_group(lines, first=t("tr_col_category"), note=t("tr_deviations_note"), everybody=True)
        )
    else:
        blocks.append(Table((Column(""),), (), t("tr_no_deviations")))
    return [*blocks, *([Para(t("tr_deviations_blinded"), note=True)] if say.facts.blinded else [])]


def quality(say: TrialSay) -> list[Block]:
    """Appendix: what was verified, signed and locked, and what is still open."""
    facts, t = say.facts, say.t
    states = Counter(one.state for one in facts.queries)
    queries = {name: states[name] for name in ("open", "answered", "closed")}
    recordings = Counter(str(row["state"]) for row in facts.tables["recording"])
    pairs: list[tuple[str, Cell]] = [
        (t("head"), Code(f"{facts.cut.seq}:{facts.cut.hash or '–'}")),
        (t("tr_verified"), _verified(say)),
        (t("tr_queries"), t("tr_queries_value", **queries)),
        (t("tr_signed_rows"), _signed(say)),
    ]
    if not facts.blinded:
        words = [f"{t.word('state', name)} {n}" for name, n in sorted(recordings.items())]
        pairs.append((t("tr_recordings"), t("join").join(words) or t("none")))
    if facts.snapshot:
        n_rows = f"{facts.snapshot.n_rows:,}"
        pairs += [
            (t("tr_snapshot"), t("tr_snapshot_value", name=facts.snapshot.name, rows=n_rows)),
            (t("tr_snapshot_sha"), Code(facts.snapshot.sha256)),
        ]
    if say.analyses:
        pairs += [
            (t("tr_plan"), Code(say.analyses.plan_sha256)), (t("tr_results_sha"), Code(say.analyses.sha256)),
            (t("tr_visits_sha"), Code(say.analyses.visits_sha256)),
        ]  # fmt: skip
    pairs += [(t("software"), say.software), (t("tr_programs"), Code(say.programs))]
    blocks: list[Block] = [Heading(t("tr_quality"), name="quality"), KeyValue(tuple(pairs))]
    blocks += _obstacles(say)
    if facts.snapshot:
        blocks += [Heading(t("tr_signatures"), 3), _signatures(say)]
    return [*blocks, Para(t("tr_how_to_check", seq=facts.cut.seq), note=True), Para(t("limits_chain"), note=True)]


def _verified(say: TrialSay) -> str:
    found, t = say.facts.verification, say.t
    if found is None:
        # A snapshot is cut only of a record that verifies.
        return t("tr_verified_cut") if say.facts.snapshot else t("tr_verified_never")
    when = t.moment(found.utc)
    if not found.ok:
        return t("tr_verified_broken", n=found.problems, by=found.by, when=when, why=t.translate(found.first))
    return t("tr_verified_ok", by=found.by, when=when, seq=found.seq)


def _signed(say: TrialSay) -> str:
    """Assessments that carry a signature on what stands in them now."""
    rows = say.facts.tables["assessment"]
    n = sum(("assessment", row["id"], row["row_version"]) in say.facts.signed for row in rows)
    return say.t("tr_signed_value", n=n, of=len(rows))


def _obstacles(say: TrialSay) -> list[Block]:
    t, facts = say.t, say.facts
    if facts.blinded or facts.wanted.participant:
        return []
    columns = (Column(t("tr_col_condition"), 3.0), Column(t("tr_col_open"), 0.8, number=True))
    rows = tuple((t(f"tr_lock_{one.name}"), str(one.n)) for one in facts.obstacles)
    strong = tuple(k for k, one in enumerate(facts.obstacles) if one.n)
    return [Heading(t("tr_lock"), 3), Table(columns, rows, t("no_data"), strong=strong)]


def _signatures(say: TrialSay) -> Table:
    t = say.t
    columns = (
        Column(t("tr_col_signer"), 1.3), Column(t("tr_col_meaning"), 2.0), Column(t("tr_col_when"), 1.6),
        Column(t("tr_col_method"), 1.0), Column(t("col_hash"), 1.6),
    )  # fmt: skip
    rows = tuple(
        (
            row["signer"], t.translate(row["meaning"]), t.moment(row["utc"]), t.word("tr_method", row["method"]),
            Code(row["sha256"][:16]),
        )
        for row in say.facts.signatures
    )  # fmt: skip
    return Table(columns, rows, t("tr_no_signature"))


# ------------------------------------------------------------------------------------ listings
def listings(say: TrialSay) -> list[Block]:
    """Appendix: every row that a number above rests on, with its entry of the chain."""
    t = say.t
    blocks: list[Block] = [Heading(t("tr_listings"), name="listings")]
    blocks.append(Para(t("tr_listings_blinded") if say.facts.blinded else t("tr_listings_text")))
    blocks += [*_participants(say), *_assessments(say)]
    if not say.facts.blinded:
        blocks += [
            *_trial_forms.listed(say),
            *rows_of_analyses(say),
            *_runs(say),
            *_events(say),
            *_deficiencies(say),
            *_charges(say),
        ]
    return [*blocks, *_deviations(say)]


def _participants(say: TrialSay) -> list[Block]:
    t, facts = say.t, say.facts
    columns = (
        Column(t("participant"), 1.1), Column(t("tr_site"), 0.9), Column(t("tr_col_arm"), 1.2),
        Column(t("tr_col_since"), 1.2), Column(t("tr_col_reason"), 2.8), Column(t("tr_col_entry"), 1.4),
    )  # fmt: skip
    enrolment = {row["participant_id"]: row["id"] for row in facts.tables["enrolment"]}
    blocks: list[Block] = []
    for status in STATUSES:
        people = [person for person in facts.people if person.status == status]
        if not people:
            continue
        rows = []
        for person in people:
            arm = person.arm or (t("tr_arm_kept") if facts.blinded else "–")
            since = person.steps[-1].utc[:10] if person.steps else ""
            if person.enrolled or not person.unmet:
                why = t.translate(person.reason)
            else:
                why = t("tr_criterion", names=t("join").join(person.unmet))
            entry = say.entry("enrolment", enrolment.get(person.id, ""))
            rows.append((person.name, person.site or "–", arm, since, why or "–", Code(entry)))
        title = t("tr_list_participants", status=t.word("tr_status", status or "none"))
        names = tuple(named("participant", person.id) for person in people)
        blocks.append(Heading(title, 3, name=named("list", "status", status or "none")))
        blocks.append(Table(columns, tuple(rows), t("no_data"), names=names))
    return blocks


def _assessments(say: TrialSay) -> list[Block]:
    """Every assessment by measure and side: from here to the participant and to the sessions of its visit."""
    t, facts = say.t, say.facts
    visits = {row["id"]: row for row in facts.tables["visit"]}
    runs: dict[str, str] = {}
    for one in facts.online:
        runs.setdefault(one.visit["id"], named("run", str(one.run.row["id"])))
    groups: dict[tuple[str, str], list[Row]] = {}
    owner = {row["id"]: facts.names[row["participant_id"]] for row in facts.tables["visit"]}
    for row in sorted(
        facts.tables["assessment"], key=lambda row: (owner[row["visit_id"]], row["administered_at"])
    ):
        if row["state"] != "draft":
            groups.setdefault((row["measure"], row["side"]), []).append(row)
    columns = (
        Column(t("participant"), 1.0), Column(t("visit"), 1.1), Column(t("tr_col_day"), 1.15),
        Column(t("col_help"), 2.3), Column(t("col_score"), 0.7, number=True), Column(t("col_rater"), 1.0),
        Column(t("tr_col_session"), 0.7), Column(t("tr_col_entry"), 1.5),
    )  # fmt: skip
    blocks: list[Block] = []
    for (measure, side), found in sorted(groups.items()):
        rows: list[tuple[Cell, ...]] = []
        for row in found:
            visit = visits[row["visit_id"]]
            run = runs.get(row["visit_id"], "")
            day = str(row["administered_at"] or visit["started"])[:10] or "–"
            rows.append((
                say.person(visit["participant_id"]), visit["name"], day,
                under(say, (row["assisted"], row["device_on"], row["stimulation_on"])), _total(say, row),
                row["rater"], say.link(run) if run else "–", Code(say.entry("assessment", row["id"])),
            ))  # fmt: skip
        names = tuple(named("assessment", str(row["id"])) for row in found)
        title = t("tr_list_assessments", measure=measure_name(t, measure, side))
        blocks.append(Heading(title, 3, name=named("list", measure, side)))
        blocks.append(Table(columns, tuple(rows), t("no_data"), names=names))
    return blocks


def _total(say: TrialSay, row: Row) -> str:
    total = row["score"].get("total")
    if not isinstance(total, dict) or total.get("value") is None:
        return say.t("not_determined")
    return f"{total['value']:g}"


def _runs(say: TrialSay) -> list[Block]:
    """Online runs by participant, with the recording and the samples that each result rests on."""
    t = say.t
    columns = (
        Column(t("visit"), 1.0), Column(t("session"), 1.5), Column(t("col_run"), 0.5, number=True),
        Column(t("tr_col_result"), 1.9), Column(t("tr_col_trials"), 0.7, number=True),
        Column(t("tr_col_p95"), 0.8, number=True), Column(t("tr_col_samples"), 1.8),
        Column(t("tr_col_entry"), 1.6),
    )  # fmt: skip
    blocks: list[Block] = []
    for person in say.facts.people:
        own = [one for one in say.facts.online if one.person["id"] == person.id]
        rows: list[tuple[Cell, ...]] = []
        for one in own:
            p95 = one.run.latency.get("p95_ms")
            rows.append((
                one.visit["name"], t.moment(str(one.session["started"])), str(one.run.number),
                result_words(say, one), str(len(one.run.trials)), "–" if p95 is None else f"{float(p95):.0f}",
                Code(_samples(say, one.run)), Code(say.entry("run", str(one.run.row["id"]))),
            ))  # fmt: skip
        if rows:
            names = tuple(named("run", str(one.run.row["id"])) for one in own)
            title = t("tr_list_runs", participant=person.name)
            blocks.append(Heading(title, 3, name=named("list", "runs", person.id)))
            blocks.append(Table(columns, tuple(rows), t("no_data"), note=t("tr_runs_note"), names=names))
    return blocks


def _samples(say: TrialSay, run: RunFacts) -> str:
    """Start of the hash of each recording, its trials' first and last sample, as `workbench scope` takes them."""
    spans = [(int(one["cue_sample"]), int(one["end_sample"])) for one in run.trials]
    found = []
    for row in run.recordings:
        end = max(0, int(row["n_samples"]) - 1)
        first, last = (min(one for one, _ in spans), max(one for _, one in spans)) if spans else (0, end)
        found.append(f"{row['sha256'][:12]} {first}:{last}")
    return say.t("join").join(found) or "–"


def _events(say: TrialSay) -> list[Block]:
    t = say.t
    columns = (
        Column(t("participant"), 0.9), Column(t("tr_col_what"), 2.2), Column(t("tr_col_onset"), 1.0),
        Column(t("tr_col_terms"), 1.2), Column(t("col_severity"), 0.9), Column(t("tr_col_outcome"), 1.1),
        Column(t("tr_col_entry"), 1.4),
    )  # fmt: skip
    rows = tuple(
        (
            say.person(row["participant_id"]), row["term"], row["onset"] or "–", t("join").join(terms_of(row)),
            t.word("tr_severity", row["facts"]["severity"]), t.word("tr_outcome", row["outcome"]),
            Code(say.entry("adverse_event", row["id"])),
        )
        for row in say.facts.events
    )  # fmt: skip
    names = tuple(named("event", str(row["id"])) for row in say.facts.events)
    return [
        Heading(t("tr_list_events"), 3, name="list-events"),
        Table(columns, rows, t("tr_no_events"), note=t("tr_list_events_note") if rows else "", names=names),
    ]


def _deficiencies(say: TrialSay) -> list[Block]:
    t = say.t
    found = [row for row in say.facts.tables["device_deficiency"] if row["state"] != "void"]
    columns = (
        Column(t("participant"), 0.9), Column(t("tr_col_device"), 1.2), Column(t("tr_col_what"), 2.6),
        Column(t("tr_col_onset"), 1.0), Column(t("tr_col_entry"), 1.4),
    )  # fmt: skip
    rows = tuple(
        (
            say.person(row["participant_id"]) if row["participant_id"] else "–", row["device"], row["text"],
            row["onset"] or "–", Code(say.entry("device_deficiency", row["id"])),
        )
        for row in found
    )  # fmt: skip
    return [
        Heading(t("tr_list_deficiencies"), 3, name="list-deficiencies"),
        Table(columns, rows, t("tr_no_deficiencies")),
    ]


def _charges(say: TrialSay) -> list[Block]:
    t = say.t
    columns = (
        Column(t("participant"), 0.9), Column(t("tr_col_day"), 1.2), Column(t("tr_col_item"), 1.8),
        Column(t("tr_col_document"), 1.6), Column(t("tr_col_amount"), 1.1, number=True),
        Column(t("tr_col_payer"), 1.4), Column(t("tr_col_entry"), 1.6),
    )  # fmt: skip
    rows = tuple(
        (
            sheet.participant, line.performed_on, f"{line.item} {line.item_code}".strip(),
            f"{line.document} {line.document_version}".strip(), f"{line.amount} {line.currency}",
            t("tr_not_charged", why=line.not_charged) if line.not_charged else t.word("tr_payer", line.payer),
            Code(say.entry("charge", line.id)),
        )
        for sheet in say.facts.sheets
        for line in sheet.charges
    )  # fmt: skip
    if not rows:
        return []
    return [Heading(t("tr_list_charges"), 3, name="list-charges"), Table(columns, rows, t("no_data"))]


def _deviations(say: TrialSay) -> list[Block]:
    t = say.t
    if not say.facts.deviations:
        return []
    columns = (
        Column(t("participant"), 0.9), Column(t("tr_col_category"), 1.2), Column(t("tr_col_what"), 2.6),
        Column(t("tr_col_correction"), 1.6), Column(t("tr_col_state"), 0.8), Column(t("tr_col_entry"), 1.4),
    )  # fmt: skip
    rows = tuple(
        (
            one.participant or "–", t.word("tr_deviation", one.category), t.translate(one.text),
            one.correction or "–", t.word("tr_state", one.state), Code(say.entry("deviation", one.id)),
        )
        for one in say.facts.deviations
    )  # fmt: skip
    names = tuple(named("deviation", one.id) for one in say.facts.deviations)
    return [
        Heading(t("tr_list_deviations"), 3, name=named("list", "deviations")),
        Table(columns, rows, t("no_data"), names=names),
    ]
