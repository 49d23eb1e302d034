"""A bench: the controller, two clocks and a device that acknowledges when it is told to."""

from __future__ import annotations

import pytest

from workbench import control
from workbench.vocabulary import Acknowledgement, Decision


class Bench:
    """Moves time in steps and answers commands."""

    def __init__(self, effector=None, *, speed=1.0, **options):
        self.effector = effector or control.load("glove")
        self.controller = control.Controller(self.effector, speed=speed, **options)
        self.speed = speed
        self.stream, self.local = 100.0, 5000.0
        self.sent = []
        self.rows = []
        self.answering = True
        self.sample = 0

    @property
    def state(self):
        return self.controller.state

    def deliver(self, commands):
        """Commands reach the device, which acknowledges those that come of it, too."""
        queue = [*commands, *self.agree()]
        while queue:
            command = queue.pop(0)
            self.sent.append(command)
            if self.answering:
                queue += self.controller.device.on_ack(self.ack(command), local=self.local)
            queue += self.agree()
        self.rows += self.controller.take_rows()
        return commands

    def agree(self):
        """The link agrees on a session key as soon as the self-test asks for one."""
        if not self.controller.device.needs_session:
            return []
        return self.controller.device.on_session(now_stream=self.stream, local=self.local)

    def ack(self, command, status="ok", level=None):
        applied = command.level if level is None else level
        code = "expired" if status == "expired" else ""
        status = "refused" if code else status
        return Acknowledgement(command.seq, self.stream, self.stream, status, applied, code)

    def tick(self, seconds=0.0, *, stream=None, quality_ok=True):
        """Let ``seconds`` of local time pass (``stream`` of stream time when it differs), then one tick."""
        self.local += seconds
        self.stream += seconds * self.speed if stream is None else stream
        return self.deliver(self.controller.on_tick(self.stream, local=self.local, quality_ok=quality_ok))

    def run(self, seconds, *, step=0.05, quality_ok=True, decide=True, **decision):
        """Hops of stream time with a tick and a decision each, which is as ``decision`` says."""
        for _ in range(round(seconds / step)):
            self.tick(step / self.speed, stream=step, quality_ok=quality_ok)
            if decide:
                self.decide("", quality_ok=quality_ok, **decision)

    def decide(
        self,
        change="",
        *,
        p=0.9,
        valid=True,
        quality_ok=True,
        age_s=0.0,
        level=None,
        probabilities=None,
        label="grasp",
    ):
        self.sample += 10
        probabilities = (1 - p, p) if probabilities is None else probabilities
        decision = Decision(self.sample, self.stream - age_s, label, probabilities, valid, change)
        return self.deliver(
            self.controller.on_decision(
                decision, now_stream=self.stream, local=self.local, quality_ok=quality_ok, level=level
            )
        )

    def act(self, name, *args, **options):
        """An operator's act, now."""
        if name not in ("set_ready", "set_decoder"):
            options |= {"now_stream": self.stream, "local": self.local}
        act = getattr(self.controller.operator, name)(*args, **options)
        self.deliver([*act.commands, *self.agree()])
        return act

    def self_test(self, **results):
        return self.act("self_test", {"streams": True, "clock": True} | results)

    def prepare(self):
        """All that comes before arming."""
        self.self_test()
        self.act("set_decoder", "abc123", approved_sha256="abc123")
        self.act("set_ready", ready=True, by="Chen L.")
        self.tick(0.01)

    def arm(self):
        self.prepare()
        self.act("arm", "Chen L.")

    def reach(self, state):
        """Walk the ordinary road to a state."""
        if state == "DISCONNECTED":
            return self
        if state == "SELFTEST":
            self.answering = False
            self.self_test()
            self.answering = True
            return self
        if state == "IDLE_SAFE":
            self.prepare()
            return self
        self.arm()
        if state in ("ACTIVE", "HOLD", "RELEASE", "REFRACTORY"):
            self.decide("activate")
        if state in ("HOLD", "RELEASE", "REFRACTORY"):
            self.run(0.6)
        if state in ("RELEASE", "REFRACTORY"):
            self.decide("release")
        if state == "REFRACTORY":
            self.run(0.55)
        if state == "FAULT_SAFE":
            self.deliver(self.controller.on_fault("stream_lost", now_stream=self.stream, local=self.local))
        if state == "ESTOP":
            self.act("estop", "key")
        assert self.state == state
        return self


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def make_bench():
    return Bench


@pytest.fixture
def toggle_bench():
    return Bench(law=control.ControlLaw("toggle"))
