"""The test of an effector finds each fault that is planted in one, and holds for the one without."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.shares import some
from workbench import control
from workbench.conformance import conform_effector, limits_of
from workbench.conformance._engine_side import Bench, StoodStill
from workbench.conformance.effector import FACTS, examine
from workbench.errors import BadValue, EngineFault, UnknownName

GLOVE = control.load("glove")
WIDE = replace(
    limits_of(GLOVE),
    status_s=0.3,
    round_trip_s=1.0,
    acknowledged_s=2.0,
    lapse_s=0.8,
    safe_s=2.0,
    stop_s=2.0,
)
"""What a sound device keeps on a busy computer too."""

PLANTED = {
    "statuses": {"statuses"},
    "round_trip": {"round_trip"},
    "acknowledged": {"acknowledged"},
    "applied": {"applied"},
    "clipped": {"clipped"},
    "unsigned": {"unsigned"},
    "forged": {"forged", "tampered"},
    "old_session": {"old_session", "newest_engine"},
    "replayed": {"replayed"},
    "delayed": {"delayed"},
    "lapse": {"lapse"},
    "safe_state": {"safe_state"},
    "self_test": {"self_test"},
    "stop": {"stop"},
    "watcher": {"watcher"},
    "woken": {"woken", "woken_safe"},
    "unlocked": {"locked", "after_stop", "takeover"},
}
"""Fault → facts that must not hold with it."""


@pytest.fixture(scope="module")
def fault_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("fault") / "fault"
    path.write_text("")
    return path


@pytest.fixture(scope="module")
def bench(fault_file):
    script = Path(__file__).with_name("faulty_effector.py")
    with Bench([sys.executable, str(script), "{key}", str(fault_file)], GLOVE) as bench:
        yield bench


def test_every_fact_has_a_planted_fault():
    assert set().union(*PLANTED.values()) == set(FACTS)


def examined(bench, fault_file, fault, facts, *, before=lambda: None):
    """Checks of a device with a fault; ``before`` comes before each try.

    A device that does not notice that it stood still has three tries: on a busy computer it may lapse for want of
    heartbeats just then, which looks as if it had noticed.
    """
    fault_file.write_text(fault)
    try:
        for _ in range(6):
            before()
            checks = examine(bench, WIDE, only=facts)
            # A busy computer says so and tries nothing; a process that is woken may have been too late to follow.
            busy = any("this computer was too busy" in check.measured for check in checks)
            if not busy and not (fault == "woken" and any(check.held for check in checks)):
                break
    finally:
        fault_file.write_text("")
    return checks


@pytest.mark.parametrize("fault", some(sorted(PLANTED), of=4))
def test_a_planted_fault_is_found(bench, fault_file, fault):
    checks = examined(bench, fault_file, fault, sorted(PLANTED[fault]))
    assert {check.key for check in checks} == PLANTED[fault]
    for check in checks:
        assert not check.held, check
        assert not check.measured.startswith("not tried"), check


@pytest.mark.parametrize(("fault", "act"), [("replayed", "attack"), ("woken", "signal"), ("stop", "send")])
def test_a_test_that_stood_still_itself_is_repeated_and_excuses_no_fault(
    bench, fault_file, monkeypatch, fault, act
):
    """A device without heartbeats goes to its safe state, where it follows nothing: that says nothing about it."""
    owner = bench.engine if act == "send" else bench
    done, stood_still = getattr(owner, act), []

    def stand_still_once(given, *more):
        # Before a message that must not be followed, after a STOP, after a process was woken.
        sent = None if act == "attack" else done(given, *more)
        stop = act == "send" and given.body["seq"] == 1
        if (stop or act == "attack" or given == signal.SIGCONT) and not stood_still:
            stood_still.append(given)
            time.sleep(2 * GLOVE.ttl_ms / 1000.0)
        return done(given, *more) if act == "attack" else sent

    monkeypatch.setattr(owner, act, stand_still_once)
    (check,) = examined(bench, fault_file, fault, [fault], before=stood_still.clear)
    assert stood_still
    assert not check.held, check
    assert not check.measured.startswith("not tried"), check


def test_a_self_test_in_which_this_computer_stood_still_says_so_and_the_next_one_succeeds(bench, monkeypatch):
    agree, keys = bench.agree, []

    def stand_still_before_it_opens(engine):
        keys.append(agree(engine))
        if len(keys) == 2:
            time.sleep(2 * GLOVE.ttl_ms / 1000.0)
        return keys[-1]

    monkeypatch.setattr(bench, "agree", stand_still_before_it_opens)
    with pytest.raises(StoodStill, match="open was acknowledged as refused .* ms after the key was asked for"):
        bench.self_test()
    assert bench.self_test() > 0.0


def test_the_same_device_without_a_fault_holds_every_fact(bench):
    assert [check for check in examine(bench, WIDE) if not check.held] == []


def test_a_fact_that_cannot_be_tried_does_not_hold(bench, fault_file):
    fault_file.write_text("self_test")
    try:
        examine(bench, WIDE, only=["lapse"])
        (check,) = examine(bench, WIDE, only=["clipped"])
    finally:
        fault_file.write_text("")
    assert not check.held
    assert check.measured.startswith("not tried: open was acknowledged as refused (locked)")


def test_a_device_that_ends_meanwhile_is_named_so():
    options = json.dumps({"pairing": "{key}", "loss": 0.0})
    with Bench([sys.executable, "-m", "workbench.devices.simulated_glove", "--json", options], GLOVE) as bench:
        bench.signal(signal.SIGKILL)
        bench.process.wait()
        (check,) = examine(bench, WIDE, only=["clipped"])
    assert (check.held, check.measured) == (False, "not tried: the device ended with exit code -9")
    assert not bench.paired.path.exists()


def test_limits_are_those_of_the_profile():
    limits = limits_of(GLOVE)
    assert limits.status_s * 5 == GLOVE.ttl_ms / 1000
    assert limits.round_trip_s * 2 == GLOVE.ttl_ms / 1000
    assert limits.safe_s == pytest.approx(0.25 + 1.0 + 3.0 + 2 * limits.status_s)


def test_what_cannot_be_started_is_refused_in_a_sentence():
    with pytest.raises(BadValue, match="got 'no such program', which is none"):
        conform_effector(["no such program"])
    with pytest.raises(BadValue, match="got '', which is none"):
        conform_effector([])
    with pytest.raises(UnknownName, match="no entry 'arm'"):
        conform_effector([sys.executable], effector="arm")
    with pytest.raises(EngineFault, match="ended with exit code 3 before it was tested.*no hand is plugged in"):
        conform_effector([sys.executable, "-c", "import sys; print('no hand is plugged in'); sys.exit(3)"])


def test_an_unknown_fact_is_refused(bench):
    with pytest.raises(BadValue, match="no fact 'colour'; they are round_trip"):
        examine(bench, WIDE, only=["colour"])
