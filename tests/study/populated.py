"""A synthetic study of many participants: 8 visits of 4 forms each, written through the record's own writer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from workbench.study import Study, chain, protocol, schema
from workbench.study.writer import BY_NAME, Writer, raw

TODAY = date(2026, 3, 1)
FORMS = ("vitals", "wound", "diary", "check")
VISITS = ("Screening", "Baseline", *(f"Month {k}" for k in (1, 2, 3, 4, 5, 6)))
DAYS = (0, 14, 44, 74, 104, 134, 164, 194)
_ITEM = '{ name = "state", label = "State", kind = "choice", choices = ["good", "bad"], required = true }'
PROTOCOL = (
    """
[study]
code = "BIG"
title = "Synthetic"
version = "1.0.0"
sponsor = "Nobody"
jurisdictions = ["EU"]
effective_from = 2025-01-01
[[arm]]
name = "interface"
title = "Interface"
[[arm]]
name = "timed"
title = "Timed"
[consent]
purposes = { required = ["participation"] }
document_version = "1"
document_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"""
    + "".join(
        f'[[visit]]\nname = "{name}"\nanchor = "consent"\nday = {day}\nearliest = {max(0, day - 5)}\n'
        f"latest = {day + 5}\nforms = {list(FORMS)}\n"
        for name, day in zip(VISITS, DAYS, strict=True)
    )
    + "".join(f'[[form]]\nname = "{name}"\ntitle = "{name.title()}"\nitems = [{_ITEM}]\n' for name in FORMS)
)


def populate(study: Study, n: int, *, simulated: bool = True) -> None:
    """Enter ``n`` participants who gave consent one after another; what is due by TODAY is in, mostly signed."""
    read = protocol.parse(PROTOCOL, "synthetic")
    facts = {"version": "1.0.0", "sha256": read.sha256, "effective_from": "2025-01-01", "ethics_reference": ""}
    with study.writing.begin("populate", actor="Lin Q.") as writer:

        def put(table: str, **values: Any) -> str:
            return writer.insert(BY_NAME[table], values, reason="synthetic")

        version = put("protocol_version", **facts, definition=read.definition(), by="Lin Q.", utc=_utc(0))
        for k in range(n):
            _participant(writer, put, k, (version, read.sha256), simulated=simulated)


def _participant(writer: Writer, put: Any, k: int, version: tuple[str, str], *, simulated: bool) -> None:
    person = put(
        "participant", pseudonym=f"P-{k + 1:03d}", simulated=simulated, injury_level="C6", ais="B", injured_on="",
        trained_side="right", wristband="", hold="", consent="1", consented_on="2025-06-01",
    )  # fmt: skip
    status = {3: "withdrawn", 7: "screen_failure", 11: "completed", 13: "lost"}.get(k % 17, "enrolled")
    enrolment = put(
        "enrolment", participant_id=person, protocol_version_id=version[0], site=f"0{k % 2 + 1}",
        screening_number=f"S-{k + 1:03d}", status="screening" if status == "screen_failure" else "enrolled",
    )  # fmt: skip
    if status != "enrolled":
        writer.change(schema.enrolment, enrolment, {"status": status}, action="amend", reason="synthetic")
    consent = TODAY - timedelta(days=20 + (k * 13) % 200)
    put("anchor_day", participant_id=person, anchor="consent", day=consent.isoformat())
    for i, (name, day) in enumerate(zip(VISITS, DAYS, strict=True)):
        planned = consent + timedelta(days=day)
        # Who left comes to the first two visits; of the others one in 29 misses the newest visit.
        gone = status in ("withdrawn", "lost", "screen_failure") and i > 1
        held = planned < TODAY and not gone and not (k % 29 == 5 and planned > TODAY - timedelta(days=30))
        visit = put(
            "visit", participant_id=person, name=name, started=f"{planned}T09:00:00Z" if held else "",
            planned=planned.isoformat(), earliest=(planned - timedelta(days=5)).isoformat(),
            latest=(planned + timedelta(days=5)).isoformat(), status="done" if held else "planned", room="",
        )  # fmt: skip
        if held:
            _forms(put, (k, i, planned), (person, visit), version[1])


def _forms(put: Any, place: tuple[int, int, date], ids: tuple[str, str], sha256: str) -> None:
    k, i, planned = place
    person, visit = ids
    recent = planned > TODAY - timedelta(days=40)
    for j, form in enumerate(FORMS):
        if recent and (k + 3 * i + j) % 23 == 0:
            continue
        state = "draft" if recent and (k + i + j) % 11 == 0 else "complete"
        row = {
            "visit_id": visit, "name": form, "instance": 1, "entry": 1, "values": {"state": "good"},
            "state": state, "protocol_sha256": sha256, "by": "Chen L.", "utc": _utc(0),
        }  # fmt: skip
        form_id = put("form", **row)
        if state == "complete" and not (recent and (k + j) % 4 == 0):
            kept = raw(schema.form, {**row, "id": form_id, "row_version": 1})
            target = ["form", form_id, 1, chain.sha256(chain.canonical(kept))]
            put(
                "signature", signer="Dr Okafor A.", person_id="", method="script", meaning="I reviewed this",
                targets=[target], sha256=chain.sha256(chain.canonical([target])), utc=_utc(0),
            )  # fmt: skip
        elif (k + i + j) % 13 == 0:
            put(
                "query", participant_id=person, table_name="form", row_id=form_id, field="values", automatic=False,
                text=f"{form} of {planned}: is the state as entered?", by="Rossi M.", utc=_utc((k * 5) % 19),
                said={},
            )  # fmt: skip
    if (k + i) % 31 == 0:
        put(
            "deviation", participant_id=person, category=("visit_window", "rater", "other")[k % 3], automatic=True,
            table_name="visit", row_id=visit, text="outside the window", impact="", correction="", state="open",
            by="Lin Q.", utc=_utc(2), said={},
        )  # fmt: skip


def _utc(days_ago: int) -> str:
    return f"{TODAY - timedelta(days=days_ago)}T08:00:00.000Z"


def make(folder: Path, n: int) -> Study:
    """A new study with ``n`` participants, open."""
    study = Study.create(folder, code="BIG", title="Synthetic", actor="tests")
    populate(study, n)
    return study
