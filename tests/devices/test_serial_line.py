"""The example driver, with a microcontroller at the other end of a pseudo-terminal."""

from __future__ import annotations

import json
import sys
from contextlib import suppress

import pytest

from tests.devices.microcontroller import Microcontroller
from workbench import control
from workbench.conformance import limits_of
from workbench.conformance._engine_side import Bench, StoodStill
from workbench.conformance.effector import TRIES, examine
from workbench.devices.serial_line import ANSWER_S, Line, measured
from workbench.errors import BadValue


@pytest.fixture
def microcontroller():
    made = []

    def make(**settings):
        made.append(Microcontroller(**settings))
        return made[-1]

    yield make
    for one in made:
        one.switched_off()


def bench_on(microcontroller):
    options = {"pairing": "{key}", "port": microcontroller.port, "idle_s": 60.0}
    command = [sys.executable, "-m", "workbench.devices.serial_line", "--json", json.dumps(options)]
    return Bench(command, control.load("glove"))


def held(bench, *keys):
    checks = examine(bench, limits_of(control.load("glove")), only=keys)
    return {check.key: (check.held, check.measured) for check in checks}


def test_the_driver_on_a_serial_port_keeps_the_protocol_and_drives_the_machine(microcontroller):
    for _ in range(3):
        machine = microcontroller()
        with bench_on(machine) as bench:
            found = held(bench, "applied", "clipped", "unsigned", "locked", "self_test", "after_stop")
        asked, stood_still_s = machine.switched_off()
        # To a device, a machine that stood still for want of a processor is one that does not answer.
        if stood_still_s < ANSWER_S:
            break
    assert {key: said for key, (holds, said) in found.items() if not holds} == {}, stood_still_s
    assert {"L 0.600 0", "L 0.800 0", "L 0.000 3000", "S"} <= set(asked)


def test_a_valve_that_sticks_is_reported_with_the_level_that_was_measured(microcontroller):
    with bench_on(microcontroller(sticks_at=0.3)) as bench:
        ((holds, said),) = held(bench, "applied").values()
    assert holds
    assert said == "ordered 0.60, acknowledged clipped 0.30, status 0.30"


def test_a_machine_that_falls_silent_makes_the_device_say_that_its_level_is_not_known(microcontroller):
    machine = microcontroller()
    with bench_on(machine) as bench:
        bench.self_test()
        machine.falls_silent()
        assert bench.wait(
            lambda: bench.engine.statuses[-1].level == 1.0 and bench.engine.statuses[-1].locked, 10.0
        )
        assert "does not answer: no whole answer to" in bench.last_words()


def self_tested(bench):
    """A self-test; again where this computer stood still in it for longer than a command lives."""
    for _ in range(TRIES):
        with suppress(StoodStill):
            return bench.self_test()
    raise AssertionError(f"this computer stood still in {TRIES} self-tests")


@pytest.mark.job
def test_a_driver_whose_machine_is_gone_ends_when_it_is_told_to_and_says_that_it_is_not_at_rest(microcontroller):
    machine = microcontroller()
    with bench_on(machine) as bench:
        self_tested(bench)
        machine.switched_off()
        assert bench.wait(lambda: bench.engine.statuses[-1].level == 1.0, 10.0)
        bench.process.terminate()
        assert bench.process.wait(60.0) == 2
        assert "is to end, and 10 s later its level is 1.00 or not known" in bench.last_words()
        assert "see to the participant" in bench.last_words()


@pytest.mark.parametrize("answer", ["", "ok", "ok x", "ok nan", "err valve stuck", "0.5"])
def test_an_answer_that_is_no_level_is_an_error_of_the_port(answer):
    with pytest.raises(OSError, match="the microcontroller answered"):
        measured(answer)
    assert measured("ok 0.500") == 0.5


def test_a_port_that_is_none_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(BadValue, match="cannot be used .*; plug the device in"):
            Line(str(path))
    with pytest.raises(BadValue, match="got 7; 115200 is one"):
        Line("x", 7)
