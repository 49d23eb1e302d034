"""A system's visits are planned as those of a protocol, and become the draft of one."""

from __future__ import annotations

from datetime import date

import pytest

from workbench import outcomes, systems
from workbench.exchange import completed
from workbench.study.protocol import Protocol
from workbench.study.schedule import schedule
from workbench.vocabulary import Participant

SITE = {
    "arm": [{"name": "one", "title": "One arm"}],
    "consent": {
        "purposes": {"required": ["participation"], "optional": []}, "document_version": "1",
        "document_sha256": "0" * 64,
    },
}  # fmt: skip
ABOUT = {
    "code": "S", "version": "1.0.0", "sponsor": "Hospital", "jurisdictions": ["CN"],
    "effective_from": "2026-03-01",
}  # fmt: skip


DECIDED = {"population": "All.", "intercurrent_events": {"withdrawal": "treatment policy"}, "summary": "A mean."}


def protocol_of(system):
    draft = systems.draft(system)
    estimands = [{**one, **DECIDED} for one in draft.get("estimand", ())]
    return Protocol.from_definition({**draft, **SITE, "estimand": estimands, "study": {**draft["study"], **ABOUT}})


PLANNED = [name for name in systems.available() if systems.load(name).visits]


@pytest.mark.parametrize("name", PLANNED)
def test_the_draft_of_a_system_lacks_what_the_site_decides_and_nothing_else(name):
    drafted = completed(systems.draft(systems.load(name)), (), name)
    assert drafted.problems
    protocol = protocol_of(systems.load(name))
    assert [visit.name for visit in protocol.visits] == [visit.name for visit in systems.load(name).visits]
    asked = {*systems.load(name).forms, *systems.load(name).endpoints} & set(outcomes.available())
    assert {form.measure for form in protocol.forms} == asked
    assert len(protocol.estimands) == bool(systems.load(name).endpoints)
    assert bool(protocol.session_limits) == (systems.load(name).effector is not None)


@pytest.mark.parametrize("name", PLANNED)
def test_a_study_of_a_system_has_the_visits_that_its_draft_would_plan(tmp_path, name):
    system, first = systems.load(name), date(2026, 3, 1)
    with systems.begin_study(
        system, tmp_path / "s", code="S", title="T", actor="a", participant=Participant("P-1"), first_visit=first
    ) as study:
        rows = {row["name"]: row for row in study.rows("visit")}
    planned = schedule(protocol_of(system), {"first_session": first}, {}, first)
    assert [one.visit for one in planned] == list(rows)
    for one in planned:
        row = rows[one.visit]
        days = (one.planned, one.earliest, one.latest)
        assert (row["planned"], row["earliest"], row["latest"]) == tuple(map(str, days))
