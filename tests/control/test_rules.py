"""Whatever order things happen in: a machine that tries everything, and what must hold after each step."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.shares import examples
from workbench import control, messages
from workbench.control import STATES, TABLE, ControlLaw, Controller, Limits
from workbench.control._inputs import arguments
from workbench.control._recomputing import _by_sample, _take, restored, state_entry
from workbench.errors import Refused
from workbench.vocabulary import Acknowledgement, Decision, DeviceStatus

OPERATOR = "Chen L."
ROWS = {(row.source, row.target) for row in TABLE} | {(state, state) for state in STATES}
ENGAGED = ("ACTIVE", "HOLD")


def in_a_file(entry):
    """Kind and content of an entry as a recording gives them back."""
    kind, content, _ = entry
    return kind, messages.restored(json.loads(json.dumps(messages.carried(content))))


class Everything(RuleBasedStateMachine):
    """Operator, participant, device, stream and faults, in any order and at any time."""

    @initialize(
        law=st.sampled_from([ControlLaw("hold"), ControlLaw("toggle"), ControlLaw("trigger", ("grasp",), 2.0)]),
        highest=st.sampled_from([0.3, 1.0]),
        road=st.sampled_from(["", "ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY"]),
    )
    def begin(self, law, highest, road):
        self.effector, self.law = control.load("glove"), law
        self.highest = highest
        self.controller = Controller(self.effector, limits=Limits("test", highest, 3.0, 8.0), law=law)
        self.stream = self.local = 50.0
        self.sample = 0
        self.sent, self.unanswered = [], []
        self.before = "DISCONNECTED"
        self.armed = False
        self.counter = 0
        self.record()
        if road:
            self.walk(road)

    @rule()
    def record(self):
        """A recording begins, in whatever state the controller is."""
        self.controller.take_rows()
        self.controller.take_inputs()
        self.entries = [in_a_file(state_entry(self.controller, stamp=self.stream))]
        self.rows, self.recorded, self.decisions = [], [], []

    def teardown(self):
        """What was recorded leads to the same commands, rows and state, to the bit."""
        if not hasattr(self, "controller"):
            return
        rows = self.rows + self.controller.take_rows()
        entries = self.entries + [in_a_file(taken.entry()) for taken in self.controller.take_inputs()]
        again, named = restored(entries[0][1]), _by_sample(self.decisions)
        commands = [_take(again, kind, arguments(content, named)) for kind, content in entries[1:]]
        assert [command for made in commands for command in made] == self.recorded
        assert again.take_rows() == rows
        assert again.snapshot() == self.controller.snapshot()
        assert in_a_file(state_entry(again, stamp=0.0)) == in_a_file(state_entry(self.controller, stamp=0.0))

    def walk(self, state):
        """The ordinary road, so that every example need not find it."""
        self.make_ready()
        if state != "ARMED":
            self.clear_intent()
        if state in ("HOLD", "RELEASE", "REFRACTORY"):
            self.smooth_second()
        if state in ("RELEASE", "REFRACTORY"):
            self.pause()
        if state == "REFRACTORY":
            self.answer_all("ok")
            self.tick(0.3, 0.3, True)
            self.tick(0.3, 0.3, True)
        assert self.controller.state == state

    def take(self, commands):
        """Look at the state each step leads to, and at every command of the step."""
        state = self.controller.state
        rows = self.controller.take_rows()
        assert all(row.kind for row in rows)
        self.rows += rows
        self.recorded += commands
        if state == "ACTIVE" and self.before != "ACTIVE":
            assert self.armed
            assert self.before == "ARMED"
        if self.before == "ESTOP":
            assert state in ("ESTOP", "SELFTEST")
        if state in ("IDLE_SAFE", "SELFTEST", "DISCONNECTED", "FAULT_SAFE", "ESTOP"):
            self.armed = False
        for command in commands:
            assert command.seq == len(self.sent) + 1
            assert command.state == "ESTOP" or state != "ESTOP"
            self.sent.append(command)
            self.unanswered.append(command)
        self.before = state

    def attempt(self, name, *arguments, **options):
        try:
            act = getattr(self.controller.operator, name)(*arguments, **options)
        except Refused:
            assert self.controller.state == self.before
            self.take([])
            return False
        self.take(act.commands)
        return True

    @rule(clock=st.booleans())
    def self_test(self, clock):
        self.attempt("self_test", {"streams": True, "clock": clock}, now_stream=self.stream, local=self.local)

    @rule()
    def make_ready(self):
        """The ordinary preparation, so that the deep states are visited often."""
        self.attempt("self_test", {"streams": True, "clock": True}, now_stream=self.stream, local=self.local)
        for _ in range(2):
            self.agree()
            self.answer_all("ok")
        self.attempt("set_decoder", "aaaa", approved_sha256="aaaa")
        self.attempt("set_ready", ready=True, by=OPERATOR)
        self.tick(0.05, 0.05, True)
        self.arm()

    @rule()
    def agree(self):
        """The device agrees on a session key, whether one is needed or not."""
        self.take(self.controller.device.on_session(now_stream=self.stream, local=self.local))

    @rule(
        state=st.sampled_from(["safe", "following", "holding", "venting", "stopped"]),
        level=st.sampled_from([0.0, 0.4, 1.0]),
        locked=st.booleans(),
        follows=st.sampled_from([True, True, False]),
        times=st.integers(1, 3),
    )
    def status(self, state, level, locked, follows, times):
        """The device says something of itself, true or not."""
        for _ in range(times):
            self.counter += 1
            status = DeviceStatus(self.counter, self.stream, state, level, locked)
            self.take(self.controller.device.on_status(status, follows=follows, local=self.local))
        confirmed = self.controller.snapshot()["confirmed"]
        assert (confirmed["level"], confirmed["state"], confirmed["counter"]) == (level, state, self.counter)

    @rule(since_s=st.sampled_from([0.0, 1.0, 3.0, 25.0]))
    def absent(self, since_s):
        """Nobody's screen answers for so long."""
        self.take(self.controller.operator.report_absence(since_s, now_stream=self.stream, local=self.local))
        if since_s > 2:
            self.clear_intent()
            assert self.controller.state not in ENGAGED or self.before in ENGAGED
        if since_s > 20:
            assert self.controller.state not in (*ENGAGED, "ARMED")

    @rule(there=st.booleans())
    def stranger(self, there):
        """A stream of another program bears our names, or no longer does."""
        self.controller.device.set_foreign(messages=0, streams=["wb-commands-x"] if there else [])

    @rule(same=st.booleans())
    def decoder(self, same):
        self.attempt("set_decoder", "aaaa" if same else "bbbb", approved_sha256="aaaa")

    @rule(ready=st.booleans())
    def participant(self, ready):
        self.attempt("set_ready", ready=ready, by=OPERATOR)

    @rule()
    def arm(self):
        met = all(c.ok for c in self.controller.conditions() if c.key != "operator")
        may = self.controller.state == "IDLE_SAFE" and met
        assert self.attempt("arm", OPERATOR, now_stream=self.stream, local=self.local) == may
        self.armed = self.armed or may

    @rule(name=st.sampled_from(["disarm", "reset"]))
    def operator(self, name):
        self.attempt(name, OPERATOR, now_stream=self.stream, local=self.local)

    @rule()
    def pause(self):
        self.attempt("release", "paused", now_stream=self.stream, local=self.local)
        assert self.controller.state not in ENGAGED

    @rule()
    def disconnect(self):
        self.attempt("disconnect", now_stream=self.stream, local=self.local)

    @rule()
    def stop(self):
        assert self.attempt("estop", "key", now_stream=self.stream, local=self.local)
        assert self.controller.state == "ESTOP"
        assert self.sent[-1].action == "stop"

    @rule(
        change=st.sampled_from(["", "activate", "activate", "release", "cued"]),
        valid=st.booleans(),
        quality_ok=st.sampled_from([True, True, True, False]),
        probabilities=st.sampled_from([(0.1, 0.9)] * 7 + [(float("nan"), 0.5)]),
        age_s=st.sampled_from([0.0, 0.0, 0.5]),
        level=st.one_of(st.none(), st.none(), st.tuples(st.floats(-2, 5)), st.tuples(st.floats())),
    )
    def decision(self, change, valid, quality_ok, probabilities, age_s, level):
        self.sample += 10
        decision = Decision(self.sample, self.stream - age_s, "grasp", probabilities, valid, change)
        self.decisions.append(decision)
        self.take(
            self.controller.on_decision(
                decision, now_stream=self.stream, local=self.local, quality_ok=quality_ok, level=level
            )
        )

    @rule()
    def clear_intent(self):
        self.decision("activate", True, True, (0.1, 0.9), 0.0, None)

    @rule(
        stream_s=st.sampled_from([0.0, 0.05, 0.3, 1.2]),
        local_s=st.sampled_from([0.05, 0.3, 1.2]),
        quality_ok=st.sampled_from([None, True, True, False]),
    )
    def tick(self, stream_s, local_s, quality_ok):
        self.stream += stream_s
        self.local += local_s
        self.take(self.controller.on_tick(self.stream, local=self.local, quality_ok=quality_ok))

    @rule()
    def smooth_second(self):
        """One second in which everything works."""
        for _ in range(20):
            self.tick(0.05, 0.05, True)
            self.decision("", True, True, (0.5, 0.5), 0.0, None)
            self.answer_all("ok")

    @precondition(lambda self: self.unanswered)
    @rule(status=st.sampled_from(["ok"] * 5 + ["clipped", "refused", "timeout"]))
    def answer(self, status):
        command = self.unanswered.pop(0)
        ack = Acknowledgement(command.seq, self.stream, self.stream, status, command.level)
        self.take(self.controller.device.on_ack(ack, local=self.local))

    def answer_all(self, status):
        for _ in range(len(self.unanswered)):
            self.answer(status)

    @rule(reason=st.sampled_from(["stream_lost", "the coil fell off"]))
    def fault(self, reason):
        self.take(self.controller.on_fault(reason, now_stream=self.stream, local=self.local))
        assert self.controller.state in ("FAULT_SAFE", "ESTOP")

    @rule(duration_s=st.sampled_from([0.01, 0.2]))
    def hop(self, duration_s):
        self.take(self.controller.on_hop(duration_s, local=self.local))

    # ------------------------------------------------------------------------------------ what holds
    @invariant()
    def the_level_is_within_limits(self):
        assert all(0.0 <= value <= self.highest for command in self.sent for value in command.level)

    @invariant()
    def a_level_above_zero_is_sent_only_while_armed_or_kept_by_a_fault(self):
        for command in self.sent:
            if any(command.level):
                kept = command.state == "FAULT_SAFE" and command.action in ("hold", "heartbeat")
                assert kept or command.state in ENGAGED

    @invariant()
    def after_a_stop_nothing_but_stop_is_sent(self):
        if self.controller.state == "ESTOP":
            assert self.sent[-1].action == "stop"
            assert self.controller.level == (0.0,)
        assert all(c.action == "stop" for c in self.sent if c.state == "ESTOP")

    @invariant()
    def after_a_fault_the_last_order_is_the_safe_state(self):
        if self.controller.state == "FAULT_SAFE":
            last = next(c for c in reversed(self.sent) if c.action != "heartbeat")
            assert last.state == "FAULT_SAFE"
            assert last.action in {step.action for step in self.effector.on_fault}

    @invariant()
    def the_dose_and_the_hold_stay_within_limits(self):
        assert self.controller.snapshot()["dose_s"] <= 8.0 + 2 * 1.2 + 0.1
        if self.controller.state in ENGAGED:
            longest = self.law.trigger_s or 3.0
            assert self.controller.snapshot()["held_s"] < longest + 1.2 + 0.1

    @invariant()
    def the_words_are_complete(self):
        assert "{" not in self.controller.why
        assert (
            self.controller.state,
            self.controller.next_state,
        ) in ROWS or self.controller.next_state == "IDLE_SAFE"


Everything.TestCase.settings = settings(max_examples=examples(400), stateful_step_count=25)
TestEverything = Everything.TestCase
