"""The first page of a trial report: the finding, for whom it is, what to keep in mind, what makes it checkable."""

from __future__ import annotations

from collections import Counter

from workbench import __version__
from workbench.reports._code_square import code_square
from workbench.reports._trial_analyses import finding as finding_of_plan
from workbench.reports._trial_analyses import of_estimand
from workbench.reports._trial_safety import sentence
from workbench.reports._trial_say import HASH, TrialSay
from workbench.reports.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Heading,
    KeyValue,
    Notice,
    Pair,
    Para,
    SignatureBlock,
    SignatureLine,
    Table,
)
from workbench.reports.signing import MEANINGS, ROLES, missing


def title(say: TrialSay) -> str:
    """What kind of report it is, and of what."""
    wanted = say.facts.wanted
    if wanted.kind == "participant":
        return say.t("tr_title_participant", participant=wanted.participant)
    return say.t(f"tr_title_{wanted.kind}", title=str(say.facts.study["title"]))


def finding(say: TrialSay) -> str:
    """Where everybody is; of one participant where they are."""
    t, people = say.t, say.facts.people
    if say.facts.wanted.kind == "participant":
        (person,) = people
        held = sum(row["status"] == "done" for row in say.facts.tables["visit"])
        said = t("tr_finding_participant", status=t.word("tr_status", person.status or "none"), visits=held)
        return said + (t("tr_finding_arm", arm=person.arm) if person.arm else "")
    enrolled = Counter(person.status for person in people if person.enrolled)
    screened, n = sum(bool(person.status) for person in people), sum(enrolled.values())
    left = {name: enrolled[name] for name in ("completed", "withdrawn", "lost")}
    flow = t("tr_finding", screened=screened, enrolled=n, taking_part=n - sum(left.values()), **left)
    return ("" if t.language.startswith("zh") else " ").join(filter(None, (finding_of_plan(say), flow)))


def for_whom(say: TrialSay) -> list[Block]:
    """Notices that cannot be switched off: simulated data, and what the reader of this report may see."""
    t, facts = say.t, say.facts
    blocks: list[Block] = []
    if facts.simulated:
        n = sum(bool(person.row["simulated"]) for person in facts.people)
        blocks.append(Notice(t("simulated_title"), t("tr_simulated", n=n, of=len(facts.people))))
    if facts.view == "blinded":
        blocks.append(Notice(t("tr_blinded_title"), t("tr_blinded_text")))
    elif facts.view == "unblinded":
        blocks.append(Notice(t("tr_unblinded_title"), t("tr_unblinded_text", name=facts.reader), "warn"))
    if facts.wanted.kind == "interim" and facts.snapshot is None:
        blocks.append(Notice(t("tr_live_title"), t("tr_live_text")))
    return blocks


def in_mind(say: TrialSay) -> list[Block]:
    """What to keep in mind beside what was unsafe."""
    t, facts = say.t, say.facts
    keep = [t("tr_keep_observed")]
    keep.append(t("keep_conditions"))
    waiting = sum(one.state != "closed" for one in facts.queries)
    keep.append(t("tr_keep_queries", n=waiting))
    n_open = sum(one.state == "open" for one in facts.deviations)
    keep.append(t("tr_keep_deviations", n=len(facts.deviations), open=n_open))
    return [
        Pair(
            (Heading(t("keep")), *(Para(text) for text in keep)),
            (Heading(t("tr_safety")), Para(sentence(say))),
        )
    ]


def provenance(say: TrialSay) -> list[Block]:
    """The grey box: data cut, snapshot, head of the chain as text and as a code square, software."""
    t, facts = say.t, say.facts
    pairs: list[tuple[str, Cell]] = [
        (t("cut"), t("cut_value", when=t.moment(facts.cut.utc), seq=facts.cut.seq)),
        (t("head"), Code(facts.cut.hash or "–")),
    ]
    if facts.snapshot:
        kind = t("tr_of_lock") if facts.snapshot.level == "hard" else t("tr_of_cut")
        sha = facts.snapshot.sha256[:HASH]
        pairs.append((t("tr_snapshot"), t("tr_snapshot_named", name=facts.snapshot.name, kind=kind, sha=sha)))
    else:
        pairs.append((t("tr_snapshot"), t("tr_no_snapshot")))
    if facts.protocol:
        values = {"version": facts.version, "sha": facts.protocol.sha256[:HASH]}
        pairs.append((t("tr_protocol"), t("tr_protocol_value", **values)))
    if say.analyses:
        hashes = {"plan": say.analyses.plan_sha256[:HASH], "results": say.analyses.sha256[:HASH]}
        pairs.append((t("tr_analysed"), t("tr_analysed_value", **hashes)))
    elif facts.wanted.kind != "participant":
        pairs.append((t("tr_analysed"), t("tr_no_results")))
    pairs.append((t("software"), t("tr_software", version=__version__, sha=say.programs[:HASH])))
    head = f"{facts.cut.seq}:{facts.cut.hash}"
    return [KeyValue(tuple(pairs), code_square(head, alt=t("tr_code_alt", head=head)))]


def state(say: TrialSay) -> str:
    """At the head of each page: a draft, or who has signed it, and whether the data are simulated."""
    simulated = "_simulated" if say.facts.simulated else ""
    if say.signed is None:
        return say.t(f"draft{simulated}")
    part = "_part" if missing(say.signed.rows) else ""
    return say.t(f"tr_signed{part}{simulated}")


def signatures(say: TrialSay) -> list[Block]:
    """Who signed the snapshot, and who has signed this report or is to sign it."""
    t = say.t
    lines = [
        SignatureLine(
            row["signer"], t.translate(row["meaning"]), t("tr_signed_snapshot", when=t.moment(row["utc"]))
        )
        for row in say.facts.signatures
    ]  # fmt: skip
    rows = say.signed.rows if say.signed else ()
    for role in ROLES:
        signed = [row for row in rows if row["meaning"] == MEANINGS[role]]
        lines += [
            SignatureLine(
                row["signer"], t(f"tr_approved_{role}"), t("tr_signed_report", when=t.moment(row["utc"]))
            )
            for row in signed
        ]
        if not signed:
            lines.append(SignatureLine(t("name_blank"), t(f"tr_role_{role}"), t("unsigned")))
    told = [Para(t("tr_signed_draft", sha=say.signed.draft))] if say.signed else []
    return [SignatureBlock(tuple(lines)), *told]


def estimands(say: TrialSay) -> list[Block]:
    """What the protocol asks, word for word: population, variable, intercurrent events, summary."""
    t, protocol = say.t, say.facts.protocol
    if protocol is None or not protocol.estimands:
        return []
    blocks: list[Block] = [Heading(t("tr_estimands"), name="estimands")]
    columns = (Column(t("col_what"), 1.0), Column(t("tr_col_stated"), 4.0))
    for one in protocol.estimands:
        events = t("tr_semicolon").join(
            t("tr_strategy", event=event, strategy=strategy) for event, strategy in one.intercurrent_events.items()
        )
        rows = (
            (t("tr_population"), one.population), (t("tr_variable"), one.variable),
            (t("tr_intercurrent"), events or t("none")), (t("tr_summary"), one.summary),
        )  # fmt: skip
        blocks += [Heading(t("tr_estimand", name=one.name), 3), Table(columns, rows, t("no_data"))]
        blocks += of_estimand(say, one.name)
    return blocks
