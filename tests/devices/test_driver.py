"""The driver kit: what an author writes is how it moves and what it measures; the kit does the rest."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import control, devices
from workbench.control import SafeStep
from workbench.devices._device_rules import DeviceRules
from workbench.devices._driver import Measured, _profile, identity
from workbench.errors import BadValue


class Machine(devices.Driver):
    """A machine that goes where it is told when the test lets it, and can break."""

    def __init__(self, level=0.0):
        self.level, self.orders, self.broken = level, [], False

    def apply(self, level, ramp_ms, action):
        if self.broken:
            raise TimeoutError("no answer")
        self.orders.append((round(level, 3), ramp_ms, action))

    def read(self):
        if self.broken:
            raise TimeoutError("no answer")
        return self.level


def order(seq, action="close", level=0.8, *, ramp_ms=100, ttl_ms=250):
    return {
        "seq": seq,
        "action": action,
        "level": [level],
        "ramp_ms": ramp_ms,
        "ttl_ms": ttl_ms,
        "profile": "glove",
    }


class Hand:
    """A machine under the rules, with a clock of the test."""

    def __init__(self, machine):
        profile = _profile(machine, "glove")
        self.machine, self.now, self.seq = machine, 10.0, 0
        self.rules = DeviceRules(
            Measured(machine), profile="glove", safe_state=lambda: profile.on_fault, greatest=machine.greatest
        )
        self.rules.start(self.now)

    def send(self, action="close", level=0.8, **more):
        self.seq += 1
        return self.rules.receive(order(self.seq, action, level, **more), self.now)

    def wait(self, seconds, *, beating=None):
        """Let time pass in steps of 10 ms, with heartbeats or in silence; what was acknowledged but those."""
        answers = []
        for k in range(round(seconds * 100)):
            self.now += 0.01
            answers += self.rules.tick(self.now)
            if beating is not None and k % 10 == 0:
                answers += self.send("heartbeat", beating)
        return [answer for answer in answers if answer.code != "heartbeat"]


@pytest.fixture
def hand():
    hand = Hand(Machine())
    assert hand.rules.begin(hand.now)
    return hand


@pytest.fixture
def closed(hand):
    hand.send()
    hand.machine.level = 0.79
    (answer,) = hand.wait(0.1)
    assert (answer.status, answer.applied_level) == ("ok", (0.8,))
    return hand


def test_a_move_is_acknowledged_when_its_level_was_measured(hand):
    assert hand.send() == []
    assert hand.wait(0.3, beating=0.8) == []
    hand.machine.level = 0.79
    (answer,) = hand.wait(0.1)
    assert (answer.seq, answer.status, answer.applied_level) == (1, "ok", (0.8,))
    assert hand.machine.orders == [(0.8, 100, "close")]


def test_a_machine_that_stays_short_is_reported_as_clipped_with_what_it_reached(hand):
    hand.send()
    hand.machine.level = 0.5
    (answer,) = hand.wait(1.2, beating=0.8)
    assert (answer.status, answer.applied_level) == ("clipped", (0.5,))


def test_a_machine_that_goes_too_far_is_reported_with_what_it_reached(hand):
    hand.send()
    hand.machine.level = 0.95
    (answer,) = hand.wait(1.2, beating=0.8)
    assert answer.applied_level == (0.95,)


def test_a_level_above_the_greatest_is_clipped_before_the_machine_hears_of_it():
    machine = Machine()
    machine.greatest = 0.6
    hand = Hand(machine)
    hand.rules.begin(hand.now)
    hand.send(level=3.0)
    machine.level = 0.6
    (answer,) = hand.wait(0.1)
    assert machine.orders == [(0.6, 100, "close")]
    assert (answer.status, answer.applied_level) == ("clipped", (0.6,))


def test_silence_takes_the_steps_of_the_profile_in_their_time(closed):
    machine = closed.machine
    machine.orders.clear()
    closed.wait(0.2)
    assert (closed.rules.state, closed.rules.locked) == ("holding", True)
    assert machine.orders == [(0.8, 0, "hold")]
    closed.wait(0.9)
    assert machine.orders == [(0.8, 0, "hold")]
    closed.wait(0.2)
    assert machine.orders == [(0.8, 0, "hold"), (0.0, 3000, "release")]
    assert closed.rules.state == "venting"
    machine.level = 0.01
    closed.wait(0.05)
    assert (closed.rules.state, closed.rules.level(closed.now)) == ("safe", 0.0)


def test_a_stop_goes_to_the_machine_at_once_and_nothing_else_after_it(closed):
    (answer,) = closed.send("stop", 0.0)
    assert closed.machine.orders[-1] == (0.0, 0, "stop")
    assert (answer.status, closed.rules.state, closed.rules.locked) == ("ok", "stopped", True)
    (refused,) = closed.send("close")
    assert (refused.status, refused.code) == ("refused", "locked")
    assert not closed.rules.begin(closed.now)
    closed.machine.level = 0.0
    closed.wait(0.05)
    assert closed.rules.begin(closed.now)


def test_a_machine_that_does_not_answer_counts_as_closed_and_goes_to_its_safe_state(closed, capsys):
    machine = closed.machine
    machine.broken = True
    closed.wait(0.1, beating=0.8)
    assert (closed.rules.level(closed.now), closed.rules.locked) == (1.0, True)
    assert closed.send("close")[-1].code == "locked"
    assert not closed.rules.begin(closed.now)
    assert capsys.readouterr().err.count("driver does not answer: no answer") == 1


def test_a_machine_that_answers_again_holds_the_level_it_had_and_never_the_one_that_stands_for_not_known(closed):
    machine = closed.machine
    machine.broken = True
    closed.wait(0.1, beating=0.8)
    machine.orders.clear()
    machine.broken = False
    closed.wait(0.1)
    assert machine.orders == [(0.8, 0, "hold")]
    machine.broken = True
    closed.wait(1.5)
    machine.broken = False
    closed.wait(0.1)
    assert machine.orders[-1] == (0.0, 3000, "release")


def test_a_machine_that_is_silent_from_the_start_holds_what_it_has_once_it_answers():
    machine = Machine(0.6)
    machine.broken = True
    hand = Hand(machine)
    assert (hand.rules.level(hand.now), hand.rules.state) == (1.0, "holding")
    machine.broken = False
    hand.wait(0.1)
    assert machine.orders == [(0.6, 0, "hold")]
    hand.wait(1.0)
    assert machine.orders[-1] == (0.0, 3000, "release")


def test_a_machine_that_measures_no_number_does_not_answer(closed):
    closed.machine.level = math.nan
    closed.wait(0.1, beating=0.8)
    assert closed.rules.locked


def test_a_device_that_begins_with_a_level_goes_through_its_safe_state_first():
    hand = Hand(Machine(0.6))
    assert hand.rules.state == "holding"
    assert not hand.rules.begin(hand.now)
    hand.wait(1.2)
    assert hand.machine.orders == [(0.6, 0, "hold"), (0.0, 3000, "release")]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((SafeStep("hold"), SafeStep("release", after_s=2.0)), "comes after 2 s, effector glove allows 1 s"),
        ((SafeStep("release", after_s=1.0),), "must start at 0 s"),
        ((SafeStep("close"),), "may only hold"),
    ],
)
def test_a_safe_state_that_is_later_than_the_profiles_or_none_is_refused(steps, words):
    machine = Machine()
    machine.safe_state = lambda: steps
    with pytest.raises(BadValue, match=words):
        _profile(machine, "glove")


def test_a_safe_state_may_be_earlier_than_the_profiles():
    machine = Machine()
    machine.safe_state = lambda: (SafeStep("release", ramp_ms=500),)
    assert _profile(machine, "glove").on_fault == machine.safe_state()
    assert _profile(Machine(), "glove").on_fault == control.load("glove").on_fault


def test_a_driver_without_a_key_says_so_in_one_sentence(tmp_path):
    code = (
        "import sys; from workbench.devices import Driver, drive\n"
        "class Hand(Driver):\n"
        "    def apply(self, level, ramp_ms, action): ...\n"
        "    def read(self): return 0.0\n"
        "sys.exit(drive(Hand(), key=sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "absent.key")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 2
    assert "the pairing key absent.key of effector glove cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_driver_names_its_version_and_the_hash_of_its_file():
    machine = Machine()
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    assert identity(machine) == digest
    machine.version = "firmware 3"
    assert identity(machine) == f"firmware 3 {digest}"
