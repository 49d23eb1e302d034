"""The contract of every system."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from workbench import control, decoders, devices, paradigms, systems
from workbench.errors import UnknownName
from workbench.study import Study
from workbench.systems import System
from workbench.vocabulary import Participant, Visit


@pytest.fixture(scope="module")
def made(shared_data):
    """One system of each entry."""
    files = [shared_data / "eegmmidb" / name for name in ("S001R06.edf", "S001R10.edf")]
    given = {"recorded_files": (files, {"T1": "hands", "T2": "feet"})}
    return {name: systems.load(name)(*given.get(name, ())) for name in systems.available()}


@pytest.mark.parametrize("name", systems.available())
def test_what_a_system_names_is_in_the_registers(made, name):
    system = made[name]
    assert isinstance(system, System)
    assert system.paradigm in paradigms.available()
    assert system.decoder in decoders.available()
    assert system.effector is None or system.effector in control.available()
    assert system.player["device"] in devices.available()
    assert ("simulated" in system.source) is system.simulated


@pytest.mark.parametrize("name", systems.available())
def test_a_system_plans_a_calibration_and_an_online_run_at_least(made, name):
    system = made[name]
    assert len(system.trials) == len(system.durations) >= 2
    assert min(system.trials) > 0
    assert system.seconds == sum(system.durations)


@pytest.mark.parametrize("name", systems.available())
def test_two_sessions_of_a_system_never_share_a_stream(made, name, tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="test") as study:
        visit = study.append(Visit(study.append(Participant("P01")), "V1"))
        plans = [made[name].new_session(study, visit=visit, operator="Chen L.") for _ in range(2)]
        sessions = study.rows("session")
    assert [row["plan"]["source"] for row in sessions] == [made[name].source] * 2
    ids = [line.source_id for plan in plans for line in plan.contract]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", systems.available())
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "systems" / f"test_{name}.py").is_file()
    assert inspect.getdoc(systems.load(name))


def test_an_unknown_system_lists_those_there_are():
    with pytest.raises(UnknownName, match="no entry 'arm'; available: recorded_files, simulated_grasping"):
        systems.load("arm")
