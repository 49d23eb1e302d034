"""Any blocks give the same items, cues fall on their sample, and nothing is decided ahead of a stream."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.engine.live_source import WATERMARK_S, LiveSource
from workbench.paradigms import PlannedCue
from workbench.vocabulary import Chunk, Marker

FS = 100.0
CUES = (
    PlannedCue(0.0, "rest", 0.5, -1),
    PlannedCue(0.5, "grasp", 1.0, 0),
    PlannedCue(1.5, "rest", 1.0, 0),
    PlannedCue(2.5, "grasp", 1.0, 1),
    PlannedCue(3.5, "rest", 0.5, 1),
)


class Bench:
    """A live source with everything it is given in reach."""

    def __init__(self, *, counter=None, watermark=float("inf")):
        self.recorded, self.presented, self.late = [], [], []
        self.limit, self.now = watermark, 0.0
        self.source = LiveSource(
            FS,
            record=self.recorded.append,
            present=self.presented.append,
            watermark=lambda: self.limit,
            clock=lambda: self.now,
            timed_out=self.late.append,
            counter=counter,
        )

    def push(self, first, n, *, lost=0, local=0.0):
        rows = np.arange(first + lost, first + lost + n)
        self.source.samples(rows[:, None].astype(np.float32), rows / FS, local=local)

    def items(self, **how):
        return list(self.source.items(**how))


def joined(items):
    """Samples and markers without the borders of chunks."""
    made = []
    for item in items:
        if isinstance(item, Chunk):
            made += [(int(v[0]), float(s)) for v, s in zip(item.samples, item.stamps, strict=True)]
        else:
            made.append((item.kind, item.label, item.sample, item.stamp))
    return made


@pytest.mark.parametrize("block", [1, 3, 50, 400])
def test_any_blocks_give_the_same_items(block):
    def run(size):
        bench = Bench()
        bench.source.mark("clock_offset", stamp=0.0, offset_s=0.001)
        bench.source.plan(CUES)
        made = []
        for first in range(0, 400, size):
            bench.push(first, min(size, 400 - first))
            made += bench.items()
        return joined(made), bench

    made, bench = run(block)
    assert made == run(400)[0]
    assert [m for m in bench.recorded if m.kind == "cue"] == bench.presented
    assert [m.sample for m in bench.presented] == [0, 50, 150, 250, 350]
    assert bench.source.complete


def test_a_cue_carries_the_stamp_of_its_sample():
    bench = Bench()
    bench.source.plan(CUES)
    bench.push(0, 200)
    items = bench.items()
    stamps = np.concatenate([i.stamps for i in items if isinstance(i, Chunk)])
    for cue in bench.presented:
        assert cue.stamp == stamps[cue.sample]
    assert bench.source.next_cue() == ("grasp", pytest.approx(0.5))
    assert bench.source.left_s() == pytest.approx(2.0)


def test_a_marker_takes_effect_after_the_samples_before_it():
    bench = Bench()
    bench.push(0, 30)
    bench.items()
    bench.source.mark("note", stamp=0.1, label="late")
    bench.push(30, 10)
    first, second = bench.items()
    assert (first.kind, first.sample) == ("note", 30)
    assert second.first == 30


def test_a_pause_holds_the_schedule_and_goes_on_with_the_next_trial():
    bench = Bench()
    bench.source.plan(CUES)
    bench.push(0, 100)
    bench.items()
    bench.source.pause()
    bench.push(100, 400)
    assert [type(i) for i in bench.items()] == [Chunk]
    assert bench.source.next_cue() is None
    bench.source.resume()
    bench.push(500, 500)
    bench.items()
    told = [(c.label, c.sample, c.detail["trial"]) for c in bench.presented]
    assert told[2:] == [("rest", 500, -1), ("grasp", 700, 1), ("rest", 800, 1)]
    assert bench.source.complete


def test_a_pause_in_the_last_trial_ends_the_schedule():
    bench = Bench()
    bench.source.plan(CUES)
    bench.push(0, 300)
    bench.items()
    bench.source.pause()
    bench.source.resume()
    assert bench.source.complete


def test_the_devices_own_counter_finds_a_gap_that_the_stamps_hide():
    bench = Bench(counter=0)
    bench.push(0, 20)
    values = np.arange(25, 40, dtype=np.float64)[:, None]
    bench.source.samples(values, np.arange(20, 35) / FS, local=0.0)
    gap = next(i for i in bench.items() if isinstance(i, Marker))
    assert (gap.kind, gap.sample, gap.detail["samples"]) == ("gap", 20, 5)
    assert bench.recorded == [gap]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_counter_that_begins_again_is_no_gap_and_one_lost_sample_is_one(bits):
    n = 2**bits + 300
    counts = np.delete(np.arange(n) % 2**bits, n - 10).astype(np.float64)[:, None]
    bench = Bench(counter=0)
    late = np.repeat(np.random.default_rng(0).exponential(0.01, n // 10 + 1), 10)
    bench.source.samples(counts, np.arange(n - 1) / FS + late[: n - 1], local=0.0)
    gaps = [item for item in bench.items() if isinstance(item, Marker)]
    assert [(gap.sample, gap.detail["samples"]) for gap in gaps] == [(n - 10, 1)]


def test_stamps_that_are_no_numbers_wait_for_nobody():
    bench = Bench(watermark=0.3)
    stamps = np.arange(20) / FS
    stamps[5] = np.nan
    bench.source.samples(np.zeros((20, 1)), stamps, local=0.0)
    (chunk,) = bench.items()
    assert len(chunk.stamps) == 20
    assert np.isfinite(chunk.stamps).all()
    assert bench.late == []


def test_the_counter_is_no_signal():
    bench = Bench(counter=1)
    values = np.column_stack([np.full(20, 7.0), np.arange(20), np.full(20, -7.0)])
    bench.source.samples(values, np.arange(20) / FS, local=0.0)
    (chunk,) = (item for item in bench.items() if isinstance(item, Chunk))
    assert chunk.samples.tolist() == [[7.0, -7.0]] * 20


def test_a_gap_in_the_stamps_is_one_entry():
    bench = Bench(counter=0)
    bench.push(0, 50)
    bench.push(50, 50, lost=30)
    gaps = [i for i in bench.items() if isinstance(i, Marker)]
    assert [(g.sample, g.detail["samples"]) for g in gaps] == [(50, 30)]


def test_samples_wait_for_the_other_critical_streams():
    bench = Bench(watermark=0.095)
    bench.push(0, 30)
    (chunk,) = bench.items()
    assert len(chunk.stamps) == 10
    bench.limit = 0.2
    assert sum(len(i.stamps) for i in bench.items()) == 11
    assert bench.late == []


def test_samples_do_not_wait_for_ever():
    bench = Bench(watermark=-1.0)
    bench.push(0, 30)
    assert bench.items() == []
    bench.now = WATERMARK_S + 0.01
    assert sum(len(i.stamps) for i in bench.items()) == 30
    assert bench.late == [pytest.approx(0.29)]


def test_the_end_comes_after_everything_that_waited():
    bench = Bench(watermark=-1.0)
    bench.source.plan(CUES)
    bench.push(0, 30)
    items = list(bench.source.finish(stamp=1.0, state="finished"))
    assert (items[-1].kind, items[-1].sample) == ("end", 30)
    assert [m.kind for m in bench.recorded] == ["end"]
