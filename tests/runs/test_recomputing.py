"""Commands follow again from a recording, from one that was cut too; where they cannot, that is said."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from workbench import control
from workbench.engine.effector_recording import INPUTS_AT_ONCE, EffectorRecording
from workbench.recording import RunFile, RunWriter
from workbench.runs.recomputing import compare_commands
from workbench.vocabulary import Acknowledgement, Command, Decision, StreamSpec

SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("a", "b"), source_id="amp-1")
PLAN = {"run": "r1", "kind": "online", "paradigm": "grasp_rest", "params": {}, "classes": ["rest", "grasp"]}


class Hand:
    """A controller, a device that acknowledges at once, and what a run records of them."""

    def __init__(self):
        self.controller = control.Controller(control.load("glove"))
        self.events, self.decisions, self.now = [], [], 100.0
        self.recording = EffectorRecording(self.controller, record=self.events.append, lock=threading.RLock())

    def give(self, commands):
        self.recording.follow(commands)
        for command in commands:
            ack = Acknowledgement(command.seq, self.now, self.now, "ok", command.level)
            self.recording.enter(ack)
            self.give(self.controller.device.on_ack(ack, local=self.now))
        if self.controller.device.needs_session:
            self.give(self.controller.device.on_session(now_stream=self.now, local=self.now))

    def act(self, name, *args, **options):
        self.give(getattr(self.controller.operator, name)(*args, **options).commands)

    def decide(self, change):
        decision = Decision(len(self.decisions), self.now, "grasp", (0.1, 0.9), True, change)
        self.decisions.append(decision)
        self.give(self.controller.on_decision(decision, now_stream=self.now, local=self.now, quality_ok=True))

    def wait(self, seconds):
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.give(self.controller.on_tick(self.now, local=self.now, quality_ok=True))
            self.decide("")

    @property
    def commands(self):
        return [event for event in self.events if isinstance(event, Command)]


@pytest.fixture(scope="module")
def hand():
    """A run that begins between self-test and arming, closes the hand twice, and ends with a release."""
    hand = Hand()
    hand.act("self_test", {"streams": True, "clock": True}, now_stream=hand.now, local=hand.now)
    hand.wait(0.2)
    hand.decisions.clear()
    hand.recording.begin(stamp=hand.now)
    hand.act("set_decoder", "abc", approved_sha256="abc")
    hand.act("set_ready", ready=True, by="Chen L.")
    hand.act("arm", "Chen L.", now_stream=hand.now, local=hand.now)
    for _ in range(2):
        hand.decide("activate")
        hand.wait(0.8)
        hand.decide("release")
        hand.wait(1.2)
    hand.decide("activate")
    hand.act("disarm", "engine", now_stream=hand.now, local=hand.now)
    hand.recording.end()
    hand.wait(0.3)
    return hand


@pytest.fixture
def write(tmp_path):
    """A recording that holds these events; as in versions before, without what the controller was given."""

    def written(events, *, before=False):
        plan = PLAN if before else {**PLAN, "effector": "glove"}
        path = tmp_path / f"run-{len(list(tmp_path.iterdir()))}.xdf"
        with RunWriter(path, plan=plan, stamp=100.0, signal=SIGNAL) as writer:
            writer.signal(np.zeros((50, 2), np.float32), 100.0 + np.arange(50) / 250.0)
            for event in events:
                if isinstance(event, Command):
                    writer.command(event)
                elif isinstance(event, list) and not before:
                    writer.control(event)
        return RunFile(path)

    return written


def test_the_commands_of_a_run_follow_again_from_its_recording(hand, write):
    run = write(hand.events)
    assert run.commands() == hand.commands
    assert [command.action for command in hand.commands if command.action != "heartbeat"][::2] == ["close"] * 3
    found = compare_commands(run, hand.decisions, complete=True)
    assert found == (len(hand.commands), -1, f"{len(hand.commands)} commands recomputed, equal")


def test_wherever_a_recording_is_cut_every_command_in_it_follows_from_the_inputs_in_it(hand):
    entries, commands = [], []
    for event in hand.events:
        if isinstance(event, list):
            entries += [(kind, content) for kind, content, _ in event]
            assert len(event) <= INPUTS_AT_ONCE
        elif isinstance(event, Command):
            commands.append(event)
            if len(commands) % 7 == 0:
                assert list(control.recompute(entries, hand.decisions))[: len(commands)] == commands
    assert len(commands) > 30


def test_the_first_command_that_differs_or_is_missing_is_named(hand, write):
    changed = [
        replace(event, level=(0.5,)) if isinstance(event, Command) and event.seq == hand.commands[4].seq else event
        for event in hand.events
    ]
    found = compare_commands(write(changed), hand.decisions, complete=True)
    assert (found.first, found.sentence) == (
        4,
        f"command 5 of {len(hand.commands)} differs from the recomputed one",
    )


def test_a_command_that_is_missing_at_the_end_is_a_difference_only_in_a_whole_recording(hand, write):
    last = [at for at, event in enumerate(hand.events) if isinstance(event, Command)][-1]
    run = write(hand.events[:last])
    assert compare_commands(run, hand.decisions, complete=True).first == len(hand.commands) - 1
    assert compare_commands(run, hand.decisions, complete=False).first == -1


def test_recordings_of_before_and_of_other_versions_say_that_commands_are_not_recomputable(hand, write):
    found = compare_commands(write(hand.events, before=True), hand.decisions, complete=True)
    assert found == (None, -1, "commands: not recomputable (recorded before commands were)")
    (kind, state, stamp), *_ = hand.events[0]
    other = [[(kind, {**state, "version": 0}, stamp)], *hand.events[1:]]
    found = compare_commands(write(other), hand.decisions, complete=True)
    assert found == (None, -1, "commands: not recomputable (recorded by another version of the controller)")
    assert compare_commands(write([], before=True), [], complete=True) == (None, -1, None)


def test_inputs_that_cannot_be_taken_again_are_a_difference_and_say_why(hand, write):
    found = compare_commands(write(hand.events), hand.decisions[:3], complete=True)
    assert (found.n, found.first) == (None, 0)
    assert found.sentence.startswith("commands cannot be recomputed: ")
    assert "no decision was made at sample" in found.sentence
    without_state = compare_commands(write(hand.events[1:]), hand.decisions, complete=False)
    assert (without_state.first, "KeyError" in without_state.sentence) == (0, True)
