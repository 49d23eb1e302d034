"""Faults on purpose: each is seen in the received stream, at its time, whatever the block length."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import uuid

import numpy as np
import pytest

from workbench import devices
from workbench.devices import FaultPlan, FaultyOutlet, lsl
from workbench.devices._faults import DEFAULTS
from workbench.devices.simulated_participant import render
from workbench.errors import BadValue, EngineFault, StreamFault, UnknownName

FS = 1000.0


class Collected:
    """Stands where the outlet is and keeps what is sent."""

    def __init__(self):
        self.values, self.stamps, self.texts, self.closed = [], [], [], False

    def push(self, values, stamps):
        self.values.append(values)
        self.stamps.append(stamps)

    def push_text(self, text, stamp):
        self.texts.append((text, stamp))

    def close(self):
        self.closed = True


def sent(faults, *, block=50, n=4000, n_channels=3):
    """What goes out: list of outlets made, values, stamps. Channel value = sample number."""
    made = []

    def make():
        made.append(Collected())
        return made[-1]

    outlet = FaultyOutlet(make, FaultPlan(faults, fs=FS, seed=5))
    for first in range(0, n, block):
        index = np.arange(first, min(first + block, n))
        outlet.push(np.repeat(index[:, None].astype(float), n_channels, axis=1), 10.0 + index / FS)
    outlet.close()
    join = [
        np.concatenate(parts) if parts else np.zeros((0, n_channels)) for parts in (made[0].values, made[0].stamps)
    ]
    return made, *join


@pytest.mark.parametrize("kind", sorted(set(DEFAULTS) - {"stream_death", "duplicate_stream"}))
def test_a_fault_does_not_depend_on_the_block_length(kind):
    fault = {"kind": kind, "at_s": 0.9071, "duration_s": 1.5}
    fault |= {"fraction": 0.4} if kind == "packet_loss" else {}
    _, values, stamps = sent([fault], block=50)
    _, again, stamps_again = sent([fault], block=37)
    assert np.array_equal(values, again, equal_nan=True)
    assert np.array_equal(stamps, stamps_again)


def test_without_faults_nothing_is_changed():
    _, values, stamps = sent([])
    assert np.array_equal(values[:, 0], np.arange(4000))
    assert np.array_equal(stamps, 10.0 + np.arange(4000) / FS)


def test_packets_are_lost_within_their_time_and_in_their_fraction():
    _, values, _ = sent([{"kind": "packet_loss", "at_s": 1.0, "duration_s": 2.0, "fraction": 0.3, "packet": 10}])
    missing = np.setdiff1d(np.arange(4000), values[:, 0])
    assert missing.min() >= 1000
    assert missing.max() < 3000
    assert 0.2 < len(missing) / 2000 < 0.4
    assert len(np.unique(missing // 10)) * 10 == len(missing)


def test_a_clock_reset_moves_the_stamps_and_not_the_samples():
    _, values, stamps = sent([{"kind": "clock_reset", "at_s": 2.0, "jump_s": -3.5}])
    assert np.array_equal(values[:, 0], np.arange(4000))
    (jump,) = np.nonzero(np.abs(np.diff(stamps) - 1 / FS) > 1e-9)
    assert jump.tolist() == [1999]
    assert stamps[2000] - stamps[1999] == pytest.approx(0.001 - 3.5)


def test_half_the_rate_is_every_second_sample_with_its_true_stamp():
    _, values, stamps = sent([{"kind": "wrong_rate", "at_s": 1.0, "duration_s": 1.0, "factor": 0.5}])
    assert len(values) == 3500
    inside = (stamps >= 11.0) & (stamps < 12.0)
    assert np.diff(stamps[inside]) == pytest.approx(np.full(499, 0.002))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("nan", lambda x, clean: np.isnan(x)),
        ("saturation", lambda x, clean: x == 1000.0),
        ("electrode_pop", lambda x, clean: (x - clean > 500 * np.exp(-1 / 0.3) * 0.99) & (x - clean <= 500.0)),
        ("mains", lambda x, clean: np.abs(x - clean) <= 50.0),
    ],
)
def test_a_bad_electrode_is_bad_in_its_channels_and_its_time_only(kind, check):
    _, values, _ = sent([{"kind": kind, "at_s": 1.0, "duration_s": 1.0, "channels": [1]}])
    clean = np.arange(4000.0)
    assert np.array_equal(values[:, 0], clean)
    assert np.array_equal(values[:, 2], clean)
    hit = slice(1000, 2000)
    assert np.array_equal(np.delete(values[:, 1], np.r_[hit]), np.delete(clean, np.r_[hit]))
    assert check(values[hit, 1], clean[hit]).all()
    assert not np.array_equal(values[hit, 1], clean[hit])


def test_mains_is_a_line_at_its_frequency():
    _, values, _ = sent([{"kind": "mains", "hz": 60, "level_uv": 80}], n_channels=1)
    hum = values[:, 0] - np.arange(4000)
    power = np.abs(np.fft.rfft(hum))
    assert np.argmax(power) * FS / 4000 == 60.0
    assert hum.max() == pytest.approx(80, rel=0.01)


def test_a_dead_stream_comes_back_as_a_new_outlet():
    made, values, _ = sent([{"kind": "stream_death", "at_s": 1.0, "duration_s": 0.5}])
    assert len(made) == 2
    assert made[0].closed
    assert values[-1, 0] == 999
    assert made[1].values[0][0, 0] == 1500


def test_a_duplicate_sends_the_same_for_its_time():
    made, values, _ = sent([{"kind": "duplicate_stream", "at_s": 1.0, "duration_s": 0.5}])
    assert len(values) == 4000
    twice = np.concatenate(made[1].values)[:, 0]
    assert np.array_equal(twice, np.arange(1000, 1500))
    assert made[1].closed


def test_markers_are_delayed_with_their_old_stamp_or_lost():
    made = Collected()
    plan = [
        {"kind": "marker_delay", "at_s": 1.0, "duration_s": 1.0, "delay_s": 0.5},
        {"kind": "marker_loss", "at_s": 3.0, "every": 2},
    ]
    outlet = FaultyOutlet(lambda: made, FaultPlan(plan, fs=FS), t0=100.0)
    outlet.push_text("a", 100.5)
    outlet.push_text("b", 101.2)
    assert made.texts == [("a", 100.5)]
    outlet.tend(1.69)
    assert made.texts == [("a", 100.5)]
    outlet.tend(1.71)
    assert made.texts == [("a", 100.5), ("b", 101.2)]
    for text in "cdef":
        outlet.push_text(text, 103.5)
    assert [text for text, _ in made.texts] == ["a", "b", "c", "e"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "gremlins"}, "a fault is one of packet_loss"),
        ({"kind": "nan", "jump_s": 1}, "fault nan takes at_s, duration_s, channels, got 'jump_s'"),
        ({"kind": "packet_loss", "packet": 0}, "packet of fault packet_loss must be a number from 1, got 0"),
        ({"kind": "marker_loss", "every": 0}, "every of fault marker_loss must be a number from 1, got 0"),
        ({"kind": "saturation", "level_uv": "high"}, "level_uv of fault saturation must be a number, got 'high'"),
        ({"kind": "clock_reset", "jump_s": float("nan")}, "jump_s of fault clock_reset must be a number, got nan"),
        ({"kind": "nan", "at_s": -1}, "at_s of fault nan must be a number from 0 s, got -1"),
        ({"kind": "nan", "duration_s": "x"}, "duration_s of fault nan"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(fault, words):
    with pytest.raises(BadValue, match=words):
        FaultPlan([fault], fs=FS)


FAULTS = [
    {"kind": "nan", "at_s": 15.0, "duration_s": 0.5, "channels": [0]},
    {"kind": "saturation", "at_s": 16.0, "duration_s": 0.5, "channels": [1], "level_uv": 3000},
    {"kind": "electrode_pop", "at_s": 17.0, "duration_s": 2.0, "channels": [2], "level_uv": 800},
    {"kind": "mains", "at_s": 17.0, "duration_s": 2.0, "channels": [3], "hz": 50, "level_uv": 200},
    {"kind": "packet_loss", "at_s": 19.5, "duration_s": 0.1},
    {"kind": "wrong_rate", "at_s": 20.0, "duration_s": 1.0, "factor": 0.5},
    {"kind": "clock_reset", "at_s": 21.5, "duration_s": 0.5, "jump_s": 100.0},
    {"kind": "stream_death", "at_s": 26.0, "duration_s": 2.0},
]


def connected(key):
    """An inlet of the outlet that is there now; one that died is announced for a while and does not answer."""
    while True:
        with contextlib.suppress(StreamFault):
            return lsl.connect(key, timeout=20.0)


def test_every_fault_of_the_signal_is_seen_in_the_stream_that_is_received():
    key = uuid.uuid4().hex
    options = {"source_id": key, "seed": 2, "speed": 4, "faults": FAULTS, "announced_fs": 999.0}
    player = devices.start("simulated_participant", options)
    try:
        (spec,) = player.streams
        with pytest.raises(StreamFault, match="rate is 999 Hz, expected 1000 Hz"):
            lsl.resolve([spec], timeout=10)
        inlet = lsl.connect(key)
        t0, blocks, stamps = inlet.seen.t0, [], []
        while not stamps or not 28.0 < stamps[-1][-1] - t0 < 100.0:
            try:
                values, at = inlet.pull(20.0)
            except StreamFault:
                # The outlet died, as planned; the next one of that name is another outlet.
                inlet.close()
                inlet = connected(key)
                continue
            assert len(at), "the stream did not come back"
            blocks.append(values)
            stamps.append(at)
        inlet.close()
    finally:
        devices.stop(player)
    x, at = np.concatenate(blocks).astype(float), np.concatenate(stamps) - t0
    reset = at > 100.0
    assert at[reset].min() == pytest.approx(121.5, abs=0.001)
    index = np.round(np.where(reset, at - 100.0, at) * FS).astype(int)
    assert index[0] < 15_000, "connected too late to judge"
    (hole,) = np.nonzero(np.diff(index) > 1000)[0]
    assert 22_000 < index[hole] < 26_000
    assert index[hole + 1] >= 28_000
    assert np.setdiff1d(np.arange(19_000, 20_000), index).tolist() == list(range(19_500, 19_600))
    assert ((index >= 20_000) & (index < 21_000)).sum() == 500
    noise = x - render(2, [], (index[-1] + 1) / FS)[0][index]
    for channel, low, high in ((0, 15_000, 15_500), (1, 16_000, 16_500), (2, 17_000, 19_000), (3, 17_000, 19_000)):
        changed = ~(np.abs(noise[:, channel]) < 1e-3)
        assert index[changed].min() == pytest.approx(low, abs=1)
        assert index[changed].max() == pytest.approx(high, abs=30)
    assert np.isnan(x[(index >= 15_000) & (index < 15_500), 0]).all()
    assert (x[(index >= 16_000) & (index < 16_500), 1] == 3000).all()


def test_a_duplicate_is_seen_too():
    key = uuid.uuid4().hex
    double = [{"kind": "duplicate_stream", "at_s": 0.0}]
    person = devices.start("simulated_participant", {"source_id": key, "faults": double})
    try:
        with pytest.raises(StreamFault, match="was found 2 times"):
            lsl.resolve(person.streams, timeout=10)
    finally:
        devices.stop(person)


def test_a_player_that_cannot_start_says_why_and_leaves_no_process():
    with pytest.raises(EngineFault, match="'simulated_participant' did not start: .* needs the option source_id"):
        devices.start("simulated_participant", {})
    with pytest.raises(BadValue, match="has no option 'sed'; it has name, source_id"):
        devices.start("simulated_participant", {"sed": 1})
    with pytest.raises(BadValue, match="'lsl' is no player"):
        devices.start("lsl", {})
    with pytest.raises(UnknownName, match="no entry 'amplifier'"):
        devices.start("amplifier", {})


def test_a_player_that_ended_cleanly_leaves_no_log_unless_one_was_asked_for(tmp_path):
    asked = tmp_path / "player.log"
    for log in (None, asked):
        player = devices.start("simulated_participant", {"source_id": uuid.uuid4().hex}, log=log)
        assert player.log.is_file()
        assert devices.stop(player) == 0
        assert player.log.is_file() == (log is not None)


OWNER = """
import json, sys
from workbench import devices
p = devices.start("simulated_participant", json.loads(sys.argv[1]))
print(p.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for a foreign process needs Linux")
def test_an_owned_player_ends_with_its_owner_even_when_that_is_killed():
    options = json.dumps({"source_id": uuid.uuid4().hex})
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, options], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        pid = int(owner.stdout.readline())
        handle = os.pidfd_open(pid)
        owner.kill()
    ended, _, _ = select.select([handle], [], [], 20.0)
    assert ended


def test_a_player_that_refuses_its_options_ends_with_a_sentence_though_its_owner_still_listens():
    command = [sys.executable, "-m", "workbench.devices.simulated_glove", "--json", "{}", "--owned"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as player:
        answer, said = json.loads(player.stdout.read()), player.stderr.read()
    assert player.returncode == 2
    assert not answer["ready"]
    assert said == answer["error"] + "\n"
