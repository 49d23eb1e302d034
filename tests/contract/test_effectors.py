"""Every entry of the effector folder keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import control, devices
from workbench.control import ACTIONS, Controller, Effector
from workbench.errors import UnknownName
from workbench.vocabulary import Acknowledgement

NAMES = control.available()


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_is_a_profile_under_its_file_name(name):
    effector = control.load(name)
    assert isinstance(effector, Effector)
    assert effector.name == name


@pytest.mark.parametrize("name", NAMES)
def test_a_safe_state_never_asks_for_movement_and_the_stop_is_immediate(name):
    effector = control.load(name)
    assert all(step.action in ("hold", "open", "release", "stop") for step in effector.on_fault)
    assert not effector.on_fault[-1].keep_level
    assert [(s.action, s.after_s, s.ramp_ms, s.keep_level) for s in effector.on_estop[:1]] == [
        ("stop", 0.0, 0, False)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_heartbeats_leave_room_for_one_to_be_lost_within_the_time_to_live(name):
    effector = control.load(name)
    assert 2 * effector.heartbeat_s * 1000 < effector.ttl_ms


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_its_commands_are_in_the_schema(name):
    effector = control.load(name)
    assert {effector.activate_action, effector.release_action} <= set(ACTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_a_controller_with_it_is_off_and_its_self_test_moves_nothing(name):
    controller = Controller(control.load(name))
    assert controller.state == "DISCONNECTED"
    assert (
        controller.operator.self_test({"streams": True, "clock": True}, now_stream=0.0, local=0.0).commands == []
    )
    for action in ("stop", "open"):
        (command,) = controller.device.on_session(local=0.0)
        assert command.action == action
        assert not any(command.level)
        assert controller.device.on_ack(Acknowledgement(command.seq, 0.0, 0.0, "ok", command.level)) == []
    assert controller.state == "IDLE_SAFE"


@pytest.mark.parametrize("name", NAMES)
def test_a_simulated_device_stands_in_for_every_effector(name):
    device = devices.load(f"simulated_{name}")
    assert device.player
    assert device.simulated
    assert {"pairing", "effector", "idle_s"} <= set(device.options)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "control" / f"test_{name}.py").is_file()


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownName, match="cursor, cursor_2d, epidural"):
        control.load("nothing")
