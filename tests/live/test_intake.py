"""What the engine says of streams that are read through real LSL: units, wrong stamps, a stream that is there
twice."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from workbench import runs
from workbench.devices import lsl
from workbench.engine.run_control import parse_cue
from workbench.engine.streams import CLOCK_STEADY_S
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.recording import RunFile
from workbench.vocabulary import StreamSpec

FS, BLOCK = 250.0, 10

HOSTILE = {
    "deep": '{"a":' * 100_000,
    "a number of 400 digits": '{"label": "grasp", "duration_s": 1' + "0" * 400 + "}",
    "an infinite duration": '{"label": "grasp", "duration_s": 1e999}',
    "a duration that is no number": '{"label": "grasp", "duration_s": NaN}',
    "half of a surrogate pair": '{"label": "\\ud800"}',
    "no object": "{}[]",
}


class Amplifier:
    """An amplifier in this process: two channels of 20 µV noise in volts, stamped as ``stamp`` says."""

    def __init__(self, spec: StreamSpec, *, announced: str = "volts") -> None:
        self.spec, self.stamp = spec, lambda stamps: stamps
        self._outlet = lsl.Outlet(replace(spec, unit=announced), dtype="double64")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        rng, sent, began = np.random.default_rng(0), 0, lsl.local_clock()
        while not self._stop.is_set():
            due = int((lsl.local_clock() - began) * FS)
            while sent + BLOCK <= due:
                stamps = began + np.arange(sent, sent + BLOCK) / FS
                self._outlet.push(rng.normal(0.0, 2e-5, (BLOCK, 2)), np.asarray(self.stamp(stamps)))
                sent += BLOCK
            self._stop.wait(BLOCK / FS / 2)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._outlet.close()


def wait_for(client, condition, *, timeout=40.0):
    """The first status for which the condition holds."""
    end = time.monotonic() + timeout
    while not condition(status := client.status()):
        assert time.monotonic() < end, (status["alarms"], status["ledger"][:8])
        time.sleep(0.1)
    return status


def alarm(key):
    return lambda status: any(one["key"] == key for one in status["alarms"])


@pytest.fixture(scope="module")
def session(make_room):
    """A session on an amplifier that announces volts, with a run under way."""
    room = make_room()
    spec = StreamSpec("Amp", "EEG", FS, ("C3", "C4"), source_id=f"amp-{time.monotonic_ns()}")
    amplifier = Amplifier(spec)
    plan = room.plan(speed=1.0, contract=lambda _: (spec,), players=(), simulated=False)
    client = room.start(plan)
    client.start_run("calibration", "grasp_rest", n_trials=20)
    wait_for(client, lambda status: status["run"] is not None and status["run"]["elapsed_s"] > 3.0)
    yield room, client, amplifier
    amplifier.close()


def test_volts_are_scaled_at_the_door_judged_in_microvolts_and_named_in_the_ledger(session):
    _, client, _ = session
    status = wait_for(client, lambda status: status["quality"]["channels"])
    (stream,) = status["streams"]
    assert (stream["unit"], stream["unit_announced"], stream["unit_source"]) == ("uV", "volts", "announced")
    for channel in status["quality"]["channels"]:
        assert channel["rms_uv"] == pytest.approx(20.0, rel=0.5)
        assert channel["code"] != "flat"
    assert any("factor to 'uV': 1e+06" in row["extent"] for row in status["ledger"])
    assert stream["jitter_ms"]["median"] < 50.0


def test_each_fault_of_stamps_is_an_alarm_and_one_row_and_the_run_goes_on(session):
    _, client, amplifier = session

    def repeated(stamps):
        return np.full(len(stamps), stamps[-1])

    def unseen(stamps):
        return np.where(np.arange(len(stamps)) == 3, np.nan, stamps)

    for key, stamp in (("stamps_not_finite", unseen), ("stamps_repeated", repeated)):
        amplifier.stamp = stamp
        wait_for(client, alarm(key))
        amplifier.stamp = lambda stamps: stamps
    amplifier.stamp = lambda stamps: stamps + 3600.0
    status = wait_for(client, alarm("stamps_jumped"))
    assert status["run"]["state"] in ("running", "paused")
    kinds = [row["kind"] for row in status["ledger"]]
    for key in ("stamps_not_finite", "stamps_repeated", "stamps_jumped"):
        assert kinds.count(key) == 1


def test_a_second_identical_stream_is_an_alarm_and_a_row(session):
    _, client, amplifier = session
    second = Amplifier(amplifier.spec)
    status = wait_for(client, alarm("stream_duplicate"))
    assert [row["kind"] for row in status["ledger"]].count("stream_duplicate") == 1
    second.close()
    wait_for(client, lambda status: not alarm("stream_duplicate")(status) or _cleared(status, "stream_duplicate"))


def _cleared(status, key):
    return all(one.get("cleared") for one in status["alarms"] if one["key"] == key)


def test_the_recording_keeps_what_came_and_its_replay_is_equal(session):
    room, client, _ = session
    client.end_run()
    status = wait_for(client, lambda status: status["run"]["state"] not in ("running", "paused", "compiling"))
    assert status["run"]["state"] == "finished"
    path = room.folder / status["run"]["recording"]
    run = RunFile(path)
    assert run.signal.unit == "volts"
    assert np.abs(run.signal.values).max() < 1e-3
    assert np.isnan(run.signal.stamps).any()
    kinds = [row.kind for row in run.ledger()]
    assert {"jitter", "stamps_not_finite", "stamps_repeated", "stamps_jumped", "stream_duplicate"} <= set(kinds)
    # The stamps jumped, back by an hour; the clock was measured again, which alone is no jump.
    assert [marker.kind for marker in run.markers()].count("clock_offset") > 1
    jumps = [row.extent for row in run.ledger() if row.kind == "clock_jump"]
    assert min(abs(float(extent.removesuffix(" ms").replace(",", ""))) for extent in jumps) >= CLOCK_STEADY_S * 1e3
    assert runs.replay_run(path).equal


def test_a_stream_whose_unit_is_waived_is_recorded_only(make_room):
    room = make_room()
    spec = StreamSpec("Bare", "EEG", FS, ("C3", "C4"), source_id=f"bare-{time.monotonic_ns()}")
    amplifier = Amplifier(spec, announced="")
    try:
        with pytest.raises(WorkbenchError, match="announces no unit"):
            room.start(room.plan(speed=1.0, contract=lambda _: (spec,), players=(), simulated=False))
        waived = replace(spec, unit_waived="the amplifier does not say")
        client = room.start(room.plan(speed=1.0, contract=lambda _: (waived,), players=(), simulated=False))
        assert client.status()["streams"][0]["unit_source"] == "waived"
        with pytest.raises((Refused, BadValue)):
            client.start_run("online", "grasp_rest", n_trials=1)
        client.start_run("calibration", "grasp_rest", n_trials=1)
    finally:
        amplifier.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_marker_says_it_can_be_recorded_and_lasts_a_number_of_seconds(name):
    label, duration_s, _ = parse_cue(HOSTILE[name])
    assert label.encode("utf-8")
    assert duration_s == 0.0
