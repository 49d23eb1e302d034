"""A system's visits are planned as those of a protocol, and become the draft of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from workbench import outcomes, systems
from workbench.errors import BadValue
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


DECIDED = {"population": "All.", "intercurrent_events": {"withdrawal": "treatment policy"}}


def protocol_of(*phases):
    draft = systems.draft(*phases)
    estimands = [{"summary": "A mean.", **one, **DECIDED} for one in draft.get("estimand", ())]
    return Protocol.from_definition({**draft, **SITE, "estimand": estimands, "study": {**draft["study"], **ABOUT}})


PLANNED = [name for name in systems.available() if systems.load(name).visits]


@pytest.mark.parametrize("name", PLANNED)
def test_the_draft_of_a_system_lacks_what_the_site_decides_and_nothing_else(name):
    drafted = completed(systems.draft(systems.load(name)), (), name)
    assert drafted.problems
    protocol = protocol_of(systems.load(name))
    assert [visit.name for visit in protocol.visits] == [visit.name for visit in systems.load(name).visits]
    system = systems.load(name)
    asked = {*system.forms, *system.endpoints} & set(outcomes.available())
    assert {form.measure for form in protocol.forms if form.measure} == asked
    own = {form.name for form in protocol.forms if form.items or form.state}
    assert own == {form.name for form in system.own_forms}
    assert len(protocol.estimands) == (len(system.planned) or bool(system.endpoints))
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


def test_the_draft_of_the_implanted_hand_asks_for_each_form_at_its_visits_and_states_its_primary_endpoint_first():
    protocol = protocol_of(systems.load("neo_hand"))
    asked = {visit.name: visit.forms for visit in protocol.visits}
    assert asked["Baseline"] == ("arat", "isncsci", "grassp_v2", "sep")
    assert asked["Month 2"] == ("arat_assisted", "object_transfer", "device_performance")
    every = ("arat", "isncsci", "grassp_v2", "arat_assisted", "object_transfer", "sep", "device_performance")
    assert asked["Month 3"] == asked["Month 6"] == every
    helped, alone = protocol.form("arat_assisted"), protocol.form("arat")
    assert (helped.measure, helped.state) == ("arat", "assisted+device")
    assert [protocol.takes(helped, state) for state in ("assisted+device", "off")] == [True, False]
    assert [protocol.takes(alone, state) for state in ("assisted+device", "off")] == [False, True]
    primary = protocol.estimands[0]
    assert primary.name == "assisted_arat_response"
    assert "with the device at Month 3, against device off at Baseline" in primary.variable
    errors, _ = protocol.form("object_transfer").check({"attempted": 12, "done": 11})
    assert errors == ()
    errors, _ = protocol.form("sep").check({"side": "left", "nerve": "sural", "peak_uv": 12.2})
    assert [one.item for one in errors] == ["nerve"]


HAND = systems.load("neo_hand")
FIRST, OTHER = HAND.planned[:2]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"planned": (OTHER,)}, "exactly one planned endpoint is primary, got 0"),
        ({"planned": (FIRST, replace(FIRST, name="again"))}, "exactly one planned endpoint is primary, got 2"),
        ({"planned": (FIRST, FIRST)}, "planned of system neo_hand need different names"),
        ({"planned": (replace(FIRST, measured_by=("walking",)),)}, "'walking' is none of"),
        ({"visits": (replace(HAND.visits[0], forms=("scim3",)),)}, "'scim3' is none of"),
        ({"own_forms": HAND.own_forms[1:]}, "'arat_assisted' is none of"),
        ({"own_forms": (replace(HAND.own_forms[0], name="arat"),)}, "own_forms of system neo_hand need different"),
    ],
)
def test_a_system_whose_visits_and_endpoints_rest_on_nothing_is_none(changed, sentence):
    with pytest.raises(BadValue, match=sentence):
        replace(HAND, **changed)


def test_a_planned_endpoint_says_what_it_is_and_what_it_decides():
    with pytest.raises(BadValue, match="one of primary, secondary, safety, got 'main'"):
        replace(FIRST, role="main")
    with pytest.raises(BadValue, match="needs a short name"):
        replace(FIRST, measured_by=())


THREE = ("neo_hand", "brain_spine_interface", "scalp_spine_interface")


def test_one_participant_goes_through_three_systems_in_one_protocol_whose_phases_do_not_overlap():
    phases = [systems.load(name) for name in THREE]
    protocol = protocol_of(*phases)
    held, ends = {}, 0
    for n, system in enumerate(phases, start=1):
        own = [visit for visit in protocol.visits if visit.name.startswith(f"Phase {n}, ")]
        assert [visit.name for visit in own] == [f"Phase {n}, {visit.name}" for visit in system.visits]
        assert {one.system for visit in own for one in visit.sessions} == {system.name}
        # Days within a phase are those of the system.
        first = own[0].day - system.visits[0].day
        assert [visit.day - first for visit in own] == [visit.day for visit in system.visits]
        assert n == 1 or min(visit.earliest for visit in own) == ends
        ends = max(visit.latest for visit in own)
        held |= {visit.name: visit for visit in own}
    assert list(held) == [visit.name for visit in protocol.visits]
    assert {form.name for form in protocol.forms} == {form for system in phases for form in system.asked_forms}
    assert len(protocol.estimands) == sum(len(system.planned) for system in phases)
    assert protocol.estimands[0].name == "phase_1_" + protocol_of(phases[0]).estimands[0].name
    planned = schedule(protocol, {"first_session": date(2026, 3, 1)}, {}, date(2026, 3, 1))
    assert [one.visit for one in planned] == list(held)


def test_a_system_may_come_again_in_a_later_phase():
    again = protocol_of(systems.load("neo_hand"), systems.load("neo_hand"))
    assert len({visit.name for visit in again.visits}) == 2 * len(systems.load("neo_hand").visits)
    assert len({limit.name for limit in again.session_limits}) == 6


def test_a_system_without_visits_is_no_phase():
    with pytest.raises(BadValue, match="a phase of a protocol needs visits, and speller_p300 plans none"):
        systems.draft(systems.load("neo_hand"), systems.load("speller_p300"))
