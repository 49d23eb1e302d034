"""The controller against the simulated glove's device model, in simulated time: both ends of the contract."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from workbench import control
from workbench.devices.simulated_glove import GloveModel, GloveSettings
from workbench.vocabulary import Decision

TICK_S = 0.01
HOP = 5


class Together:
    """Both, and a delay of one tick each way; ``cut`` drops what goes to the device."""

    def __init__(self, *, speed=1.0, loss=0.0, seed=1, controller=None, device=None):
        self.controller = controller or control.Controller(control.load("glove"), speed=speed)
        self.glove = device or GloveModel(seed, GloveSettings(loss=loss))
        self.speed = speed
        self.stream, self.local = 1000.0, 70.0
        self.ticks = 0
        self.cut = False
        self.outbox, self.inbox = [], []
        self.sent, self.rows = [], []
        self.send(self.controller.operator.self_test({"streams": True, "clock": True}, **self.now()).commands)
        self.controller.operator.set_decoder("abc", approved_sha256="abc")
        self.controller.operator.set_ready(ready=True, by="Chen L.")
        self.run(0.5)
        self.make_ready()
        self.controller.operator.arm("Chen L.", **self.now())

    def make_ready(self):
        """What the effector needs before it is armed."""

    def now(self):
        return {"now_stream": self.stream, "local": self.local}

    def send(self, commands):
        self.sent += commands
        self.outbox += commands

    def run(self, seconds, *, change="", **fields):
        """Stream seconds; ``change`` comes with the first decision, and ``fields`` with each."""
        for _ in range(round(seconds / TICK_S)):
            self.stream += TICK_S
            self.local += TICK_S / self.speed
            arrived, self.outbox = self.outbox, []
            answers, self.inbox = self.inbox, []
            if self.controller.device.needs_session and self.glove.begin(self.stream):
                self.send(self.controller.device.on_session(**self.now()))
            for command in [] if self.cut else arrived:
                self.inbox += self.glove.receive(asdict(command), self.stream)
            self.inbox += self.glove.tick(self.stream)
            for answer in answers:
                self.send(self.controller.device.on_ack(answer, local=self.local))
            self.ticks += 1
            if self.ticks % HOP == 0:
                decision = Decision(self.ticks, self.stream, "grasp", (0.5, 0.5), True, change, **fields)
                self.send(self.controller.on_decision(decision, quality_ok=True, **self.now()))
                change = ""
            self.send(self.controller.on_tick(self.stream, local=self.local, quality_ok=True))
            self.rows += self.controller.take_rows()

    @property
    def pressure(self):
        return self.glove.level(self.stream)


@pytest.mark.parametrize("speed", [1.0, 8.0])
def test_a_grasp_from_intent_to_rest(speed):
    both = Together(speed=speed)
    assert both.controller.state == "ARMED"
    both.run(1.2, change="activate")
    assert (both.controller.state, both.pressure) == ("HOLD", 1.0)
    both.run(3.0)
    assert (both.controller.state, both.pressure) == ("HOLD", 1.0)
    both.run(0.3, change="release")
    assert both.controller.state == "RELEASE"
    both.run(1.5)
    assert (both.controller.state, both.pressure) == ("ARMED", 0.0)
    assert not [row.kind for row in both.rows if row.kind.startswith("ack")]


def test_twenty_grasps_over_a_link_that_loses_every_twentieth_command():
    both = Together(loss=0.05, seed=3)
    for _ in range(20):
        both.run(2.0, change="activate")
        assert (both.controller.state, both.pressure) == ("HOLD", 1.0)
        both.run(2.5, change="release")
        assert (both.controller.state, both.pressure) == ("ARMED", 0.0)
    assert "ack_missing" in [row.kind for row in both.rows]


def test_a_fault_is_held_and_vented_slowly_as_the_profile_says_and_each_step_is_acknowledged():
    both = Together()
    both.run(1.2, change="activate")
    both.send(both.controller.on_fault("stream_lost", **both.now()))
    both.run(0.9)
    assert both.pressure == 1.0
    both.run(0.3)
    assert both.pressure < 1.0
    both.run(2.5)
    assert 0.0 < both.pressure < 0.2
    both.run(1.0)
    assert (both.controller.state, both.glove.state, both.pressure) == ("FAULT_SAFE", "safe", 0.0)
    assert [row.kind for row in both.rows if row.kind not in ("operator", "effector")] == ["fault"]
    orders = [c.action for c in both.sent if c.state == "FAULT_SAFE" and c.action != "heartbeat"]
    assert list(dict.fromkeys(orders)) == ["hold", "release"]
    assert orders.count("hold") == 1
    n_sent = len(both.sent)
    both.run(5.0)
    assert len(both.sent) == n_sent


def test_an_engine_that_falls_silent_after_a_fault_gets_no_second_hold():
    both = Together()
    both.run(1.2, change="activate")
    both.send(both.controller.on_fault("thread_lost", **both.now()))
    both.run(0.6)
    both.cut = True
    both.run(0.3)
    assert both.pressure == 1.0
    both.run(0.15)
    assert both.glove.state == "venting"


def test_a_device_that_is_in_its_own_safe_state_is_left_to_it():
    both = Together()
    both.run(1.2, change="activate")
    both.cut = True
    both.run(0.3)
    both.cut = False
    both.send(both.controller.on_fault("stream_lost", **both.now()))
    both.run(0.2)
    n_sent = len(both.sent)
    both.run(5.0)
    assert len(both.sent) == n_sent
    assert (both.glove.state, both.pressure) == ("safe", 0.0)


def test_a_stop_vents_at_once():
    both = Together()
    both.run(1.2, change="activate")
    both.send(both.controller.operator.estop("key", **both.now()).commands)
    both.run(0.02)
    assert both.pressure == 0.0
    both.run(1.0)
    assert sum(c.action == "stop" for c in both.sent if c.state == "ESTOP") == 1


def test_a_cut_link_ends_with_both_sides_safe():
    both = Together()
    both.run(1.2, change="activate")
    both.cut = True
    both.run(0.5)
    assert both.pressure == 1.0
    both.run(4.0)
    assert both.pressure == 0.0
    assert both.controller.state == "FAULT_SAFE"
    assert both.controller.snapshot()["fault"] == "acks_missing"


def test_a_cut_shorter_than_the_time_to_live_during_the_close_is_repaired():
    both = Together()
    both.run(0.2, change="activate")
    both.cut = True
    both.run(0.12)
    both.cut = False
    both.run(1.5)
    assert (both.controller.state, both.pressure) == ("HOLD", 1.0)


def test_a_cut_longer_than_the_time_to_live_ends_in_the_safe_state_of_both_and_no_heartbeat_brings_it_back():
    both = Together()
    both.run(1.2, change="activate")
    both.cut = True
    both.run(0.4)
    both.cut = False
    both.run(0.2)
    assert both.controller.state == "FAULT_SAFE"
    assert both.controller.snapshot()["fault"] == "device_lapsed"
    assert (both.glove.state, both.glove.locked, both.pressure) == ("holding", True, 1.0)
    both.run(4.0)
    assert (both.controller.state, both.glove.state, both.pressure) == ("FAULT_SAFE", "safe", 0.0)
