"""The messages between engine and effector: what a stranger can and cannot do with all that goes over LSL."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doors import SeededChance
from tests.shares import examples
from workbench import control, world
from workbench.devices._last_metre import MAX_MESSAGE, DeviceEnd, EngineEnd, derive, link_id, parse
from workbench.errors import BadValue

KEY = bytes(range(32))
CLOSE = {"action": "close", "seq": 1, "level": [1.0]}
STOP = {"action": "stop", "seq": 2, "level": [0.0]}


@pytest.fixture(autouse=True)
def chance():
    """The same numbers in every run of a test."""
    with world.entered(chance=SeededChance(1)):
        yield


class Wire:
    """Both ends, a clock, and everything that ever went over the wire."""

    def __init__(self, *, device_key=KEY, engine_key=KEY):
        self.device = DeviceEnd(device_key, "glove")
        self.engine = EngineEnd(engine_key, "glove")
        self.now = 100.0
        self.down, self.up, self.accepted, self.answers = [], [], [], []

    def to_device(self, text):
        self.down.append(text)
        received = self.device.receive(text, now=self.now, status=lambda: {"state": "safe"})
        if received is not None:
            self.accepted.append(received)
            for reply in received.replies:
                self.to_engine(reply)
        return received

    def to_engine(self, text):
        self.up.append(text)
        answer = self.engine.receive(text)
        if answer is not None:
            self.answers.append(answer)
        return answer

    def status(self, **content):
        return self.to_engine(self.device.status({"state": "safe", **content}, now=self.now))

    def agree(self):
        self.status()
        self.to_device(self.engine.hello({"speed": 1.0}))
        assert self.answers[-1].kind == "welcome"
        self.status()
        return self

    def send(self, content):
        (text,) = self.engine.command(content)
        return self.to_device(text)


def test_a_session_is_agreed_and_a_command_is_followed():
    wire = Wire().agree()
    received = wire.send(CLOSE)
    assert (received.kind, dict(received.content), received.begins_session) == ("command", CLOSE, True)
    assert not wire.send(CLOSE).begins_session
    assert wire.device.session == wire.engine.session != ""
    answer = wire.to_engine(wire.device.acknowledge({"seq": 1, "status": "ok"}))
    assert (answer.kind, answer.content["status"], answer.is_fresh) == ("ack", "ok", True)
    assert sum(wire.device.foreign.values()) == wire.engine.foreign == 0


def test_nothing_recorded_is_accepted_again_but_the_stop_of_the_running_session():
    wire = Wire().agree()
    wire.send(CLOSE)
    wire.send(STOP)
    recorded = list(wire.down)
    before = len(wire.accepted)
    for text in recorded:
        wire.to_device(text)
    assert [r.content["action"] for r in wire.accepted[before:]] == ["stop"]
    assert wire.device.foreign["replayed"] == len(recorded) - 1


def test_a_recorded_stop_is_dead_after_a_new_self_test():
    wire = Wire().agree()
    wire.send(STOP)
    recorded = list(wire.down)
    wire.agree()
    wire.send(CLOSE)
    assert [wire.to_device(text) for text in recorded] == [None] * len(recorded)


def test_a_replayed_or_half_finished_handshake_ends_no_running_session():
    wire = Wire().agree()
    wire.send(CLOSE)
    running = wire.device.session
    for text in list(wire.down):
        wire.to_device(text)
    wire.status()
    half = wire.engine.hello({})
    assert wire.device.receive(half, now=wire.now, status=dict).kind == "hello"
    assert wire.device.session == running
    assert wire.send(CLOSE) is not None
    assert wire.device.session == running


def test_a_new_key_holds_from_the_first_valid_message_and_the_old_one_no_longer():
    wire = Wire().agree()
    wire.send(CLOSE)
    (late,) = wire.engine.command(CLOSE)
    wire.agree()
    assert wire.send(CLOSE).begins_session
    assert wire.to_device(late) is None
    assert wire.device.foreign["session"] == 1


def test_a_stop_reaches_the_device_while_a_new_key_is_being_agreed():
    wire = Wire().agree()
    wire.send(CLOSE)
    wire.status()
    hello = wire.engine.hello({})
    texts = wire.engine.command(STOP)
    assert len(texts) == 2
    assert wire.to_device(texts[0]).content["action"] == "stop"
    wire.to_device(hello)
    assert wire.to_device(texts[1]).begins_session


@pytest.mark.parametrize(("age_s", "status_s"), [(0.0, 0.0), (0.2, 0.2), (3.0, 3.0)])
def test_the_age_of_a_command_is_that_of_the_status_it_echoes_by_the_devices_own_clock(age_s, status_s):
    wire = Wire().agree()
    wire.status()
    (text,) = wire.engine.command(CLOSE)
    wire.now += age_s
    assert wire.to_device(text).echo_age_s == pytest.approx(status_s)


def test_a_counter_that_was_never_published_or_long_ago_is_too_old_for_every_command():
    wire = Wire().agree()
    (text,) = wire.engine.command(CLOSE)
    for _ in range(600):
        wire.now += 0.04
        wire.device.status({}, now=wire.now)
    assert wire.to_device(text).echo_age_s == float("inf")


def test_a_status_is_new_only_when_its_counter_rises_within_the_session():
    wire = Wire()
    assert not wire.status(level=1.0).is_fresh
    wire.agree()
    old = list(wire.up)
    assert wire.status(level=0.0).is_fresh
    statuses = [text for text in old if " status " in text]
    assert [wire.engine.receive(text) for text in statuses] == [None] * len(statuses)
    other = DeviceEnd(KEY, "glove")
    assert not wire.engine.receive(other.status({"level": 0.0}, now=0.0)).is_fresh


def test_a_watcher_knows_by_its_own_nonce_that_a_report_is_new():
    wire = Wire()
    recorded = wire.device.receive(wire.engine.query(), now=1.0, status=dict).replies[0]
    watcher = EngineEnd(KEY, "glove")
    query = watcher.query()
    assert watcher.receive(recorded) is None
    (report,) = wire.device.receive(query, now=1.0, status=lambda: {"level": 0.5}).replies
    answer = watcher.receive(report)
    assert (answer.kind, answer.content["level"], answer.is_fresh) == ("report", 0.5, True)
    assert watcher.receive(wire.device.status({"level": 0.4}, now=1.1)).is_fresh


def test_another_key_another_effector_and_the_other_direction_are_refused():
    wire = Wire().agree()
    stranger = EngineEnd(bytes(32), "glove")
    assert stranger.receive(wire.device.status({}, now=0.0)) is None
    assert wire.to_device(stranger.query()) is None
    assert wire.to_device(EngineEnd(KEY, "cursor").query()) is None
    for text in list(wire.up):
        assert wire.to_device(text) is None
    for text in list(wire.down):
        assert wire.to_engine(text) is None
    assert wire.device.foreign["forged"] >= 1
    assert wire.device.foreign["malformed"] >= 1


@given(st.data())
@settings(max_examples=examples(150))
def test_no_changed_character_of_any_message_is_accepted(data):
    wire = Wire().agree()
    texts = [*wire.engine.command(CLOSE), *wire.engine.command(STOP), wire.engine.query()]
    text = data.draw(st.sampled_from(texts))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != text[at]))
    assert wire.to_device(text[:at] + other + text[at + 1 :]) is None


@given(st.one_of(st.text(), st.binary().map(lambda b: b.decode("latin-1"))))
@settings(max_examples=examples(100))
def test_no_text_of_a_stranger_is_accepted_or_raises(text):
    wire = Wire()
    assert wire.to_device(text) is None
    assert wire.engine.receive(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        json.dumps({"action": "close", "level": [1.0]}),
        "wbm1 down glove command " + "[" * 200_000,
        "x" * (MAX_MESSAGE + 1),
        "wbm1 down glove command - 1 1 " + "0" * 64 + " " + "{" * 3000,
    ],
)
def test_what_has_not_the_form_of_a_message_is_not_looked_into(text):
    assert parse(text) is None or parse(text).content() is None
    assert Wire().to_device(text) is None


def test_the_mac_is_that_of_the_standard_over_the_message_without_it():
    device = DeviceEnd(KEY, "glove")
    for counter in (1, 2):
        text = device.status({"state": "safe"}, now=1.0)
        fields = text.split(" ", 8)
        signed = " ".join([*fields[:7], fields[8]]).encode()
        assert fields[7] == hmac.new(derive(KEY, "status", "glove"), signed, "sha256").hexdigest()
        assert parse(text).content()["counter"] == counter


@pytest.mark.parametrize(("behind", "is_read"), [("", True), (" \t", True), ("x", False), (" {}", False)])
def test_behind_the_body_there_is_nothing(behind, is_read):
    text = f'wbm1 up glove status - 0 0 {"0" * 64} {{"n":1}}{behind}'
    assert parse(text).content() == ({"n": 1} if is_read else None)


def test_the_key_is_in_no_message_and_the_name_of_the_link_is_not_the_key():
    wire = Wire().agree()
    wire.send(CLOSE)
    said = " ".join(wire.down + wire.up)
    secrets = [KEY, *(derive(KEY, purpose, "glove") for purpose in ("handshake", "status", "link id"))]
    assert not any(secret.hex() in said for secret in secrets)
    assert len(link_id(KEY, "glove")) == 12
    with pytest.raises(BadValue, match="32 bytes"):
        derive(b"short", "status", "glove")


def test_a_session_cannot_be_asked_for_before_the_device_has_offered_one():
    with pytest.raises(BadValue, match="no signed status"):
        EngineEnd(KEY, "glove").hello({})
    assert EngineEnd(KEY, "glove").command(CLOSE) == EngineEnd(KEY, "glove").end("over") == []


@pytest.mark.parametrize("act", ["estop", "on_fault"])
def test_a_stop_or_a_fault_for_whatever_long_reason_fits_into_a_message(act):
    wire = Wire().agree()
    controller = control.Controller(control.load("glove"))
    reason = "\U0001f600" * 5000
    (command,) = controller.operator.estop(reason).commands if act == "estop" else controller.on_fault(reason)
    assert wire.send(asdict(command)).content["action"] == command.action
