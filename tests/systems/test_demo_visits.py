"""Visits of a protocol in time-lapse: which systems have them, what is made up, and what is said of it."""

from __future__ import annotations

import pytest

from workbench import systems
from workbench.commands import _demo_visits
from workbench.study import Study
from workbench.vocabulary import Participant


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        yield study


def lapsed(study, name):
    """The visits of a system, entered, and the lines about them."""
    system, script = systems.load(name), study.script_signer("Chen L. (demo script)")
    participant = study.append(Participant("P01", simulated=True))
    visits = _demo_visits.plan_visits(study, system, participant, script)
    _demo_visits.assess(study, system, visits, script)
    return visits, list(_demo_visits.lines(study, system, visits))


def test_the_hand_system_has_its_paired_arat_its_own_forms_and_a_line_for_each_endpoint_with_values(study):
    visits, said = lapsed(study, "neo_hand")
    assert list(visits) == ["Baseline", "Month 2", "Month 3", "Month 6"]
    arat = [line for line in said if ": arat" in line]
    assert arat == [
        "Endpoint   assisted_arat_response, assisted_arat, unassisted_arat: arat, total 19 → 38 → 38 "
        "(made-up values)",
        "Endpoint   assisted_arat_response, assisted_arat, unassisted_arat: arat, assisted, total 38 → 38 → 57 "
        "(made-up values)",
    ]
    assert [line.split(":")[0].split()[-1] for line in said[2:]] == [
        "uems", "grassp", "object_transfer", "sep", "device_performance"
    ]  # fmt: skip
    assert all(line.endswith("(made-up values)") for line in said)
    helped = [row for row in study.rows("assessment") if row["assisted"]]
    assert {row["visit_id"] for row in helped} == {visits[name] for name in ("Month 2", "Month 3", "Month 6")}
    assert all(row["device_on"] and row["measure"] == "arat" for row in helped)
    assert {row["name"] for row in study.rows("form")} == {"object_transfer", "sep", "device_performance"}


def test_a_system_that_states_no_plan_of_its_own_says_what_came_of_its_endpoints(study):
    visits, said = lapsed(study, "eeg_fes_rehabilitation")
    assert [line.split(":")[0].split()[-1] for line in said] == ["arat", "isncsci", "grip"]
    assert len(visits) == 3


def test_what_a_recording_gives_is_never_made_up(study):
    system = systems.load("ecap_closed_loop")
    visits, said = lapsed(study, "ecap_closed_loop")
    assert visits
    assert study.rows("form") == []
    assert not [line for line in said if any(form.name in line for form in system.own_forms)]


def test_visits_lapse_of_complete_systems_and_of_those_that_stimulate_alone():
    complete = (
        "neo_hand", "brain_spine_interface", "emg_closed_loop_stimulation", "ecap_closed_loop",
        "transcutaneous_stimulation", "eeg_fes_rehabilitation",
    )  # fmt: skip
    assert all(_demo_visits.lapses(systems.load(name)) for name in complete)
    assert not [name for name in ("cursor_velocity", "selection_ssvep") if _demo_visits.lapses(systems.load(name))]
