"""Corrected stamps: smooth, causal, chunk-free, and honest about gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench.errors import BadValue
from workbench.signals import Timebase
from workbench.vocabulary import StreamSpec

FS = 250.0


def jittered(n, fs=FS, sd=0.003, seed=0):
    """Stamps of chunks that arrive late by a random time."""
    rng = np.random.default_rng(seed)
    return 1000 + np.arange(n) / fs + np.repeat(rng.normal(0, sd, n // 10 + 1), 10)[:n]


@settings(max_examples=examples(40))
@given(st.lists(st.integers(0, 1200), max_size=15), st.sampled_from([1, 2]))
def test_any_chunking_gives_the_same_stamps_gaps_and_jitter(cuts, rule):
    raw = jittered(1200)
    raw[400:] += 0.3
    raw[700] = np.nan
    raw[900:] -= 5.0
    one = Timebase(FS, rule=rule)
    whole, gaps = one.step(raw)
    base, stamps, found = Timebase(FS, rule=rule), [], []
    edges = sorted({0, 1200, *cuts})
    for first, last in zip(edges, edges[1:], strict=False):
        made, rows = base.step(raw[first:last])
        stamps.append(made)
        found += [(first + row, missing) for row, missing in rows]
    assert np.concatenate(stamps).tobytes() == whole.tobytes()
    assert found == gaps
    assert base.jitter == one.jitter
    first, second = [row for row, _ in gaps]
    assert first == 400 if rule == 1 else 600 < first < 700
    assert second == 900


def test_jitter_is_removed_and_stamps_increase():
    stamps, gaps = Timebase(FS).step(jittered(5000))
    true = 1000 + np.arange(5000) / FS
    assert gaps == []
    assert np.all(np.diff(stamps) > 0.9 / FS)
    assert np.abs(stamps - true)[1000:].max() < 0.0015


def test_a_drifting_clock_is_followed():
    base = Timebase(FS)
    true = 1000 + np.arange(20000) / (FS * 1.0005)
    stamps, gaps = base.step(true)
    assert gaps == []
    assert np.abs(stamps - true)[-1000:].max() < 1e-5
    assert base.measured_fs == pytest.approx(FS * 1.0005, rel=1e-6)


def test_a_gap_is_reported_with_its_length_and_the_loop_starts_again():
    raw = 1000 + np.arange(1000) / FS
    raw[500:] += 4.0
    stamps, gaps = Timebase(FS).step(raw)
    ((row, missing),) = gaps
    assert row == 500
    assert missing == pytest.approx(4.0, abs=1e-6)
    assert np.abs(stamps - raw).max() < 1e-6


def test_a_clock_that_jumps_back_is_a_gap_of_negative_length():
    raw = 1000 + np.arange(1000) / FS
    raw[500:] -= 900.0
    stamps, gaps = Timebase(FS).step(raw)
    assert [(row, round(missing, 3)) for row, missing in gaps] == [(500, -900.0)]
    assert stamps[500] == raw[500]


def test_one_lost_sample_at_a_low_rate_is_a_gap():
    raw = np.delete(np.arange(100) / 10.0, 50)
    ((row, missing),) = Timebase(10.0).step(raw)[1]
    assert 50 < row <= 60
    assert missing == pytest.approx(0.1, abs=1e-6)


def test_an_offset_is_added_and_a_small_change_is_followed_smoothly():
    base, raw = Timebase(FS), 1000 + np.arange(4000) / FS
    base.set_offset(-3.0)
    first, _ = base.step(raw[:2000])
    base.set_offset(-3.0 + 0.0004)
    second, gaps = base.step(raw[2000:])
    assert gaps == []
    np.testing.assert_allclose(first, raw[:2000] - 3.0, atol=1e-9)
    assert second[0] - first[-1] == pytest.approx(1 / FS, abs=1e-5)
    assert second[-1] == pytest.approx(raw[-1] - 3.0 + 0.0004, abs=5e-5)


def test_a_large_change_of_the_offset_is_a_jump():
    base, raw = Timebase(FS), 1000 + np.arange(200) / FS
    base.step(raw[:100])
    base.set_offset(0.5)
    assert [(r, round(m, 6)) for r, m in base.step(raw[100:])[1]] == [(0, 0.5)]


def test_no_stamp_changes_nothing():
    base = Timebase(FS)
    stamps, gaps = base.step(np.empty(0))
    assert (len(stamps), gaps) == (0, [])


@pytest.mark.parametrize("rule", [1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_stamp_that_is_not_finite_is_given_the_expected_time(value, rule):
    true = 1000 + np.arange(600) / FS
    raw = true.copy()
    raw[[300, 301, 450]] = value
    base = Timebase(FS, rule=rule)
    stamps, gaps = base.step(raw)
    assert gaps == []
    assert base.not_finite == 3
    np.testing.assert_allclose(stamps, true, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_offset_that_is_no_time_is_refused(value):
    with pytest.raises(BadValue, match="finite"):
        Timebase(FS).set_offset(value)


@pytest.mark.parametrize(("fs", "tolerance"), [(0.0, 0.02), (-1.0, 0.02), (250.0, 0.0), (float("nan"), 0.02)])
def test_rates_and_tolerances_must_be_above_zero(fs, tolerance):
    with pytest.raises(BadValue, match="above 0"):
        Timebase(fs, gap_tolerance_s=tolerance)


# ------------------------------------------------------------------------------ jitter is not loss
def late(fs, block_s, delays, *, seconds=60, seed=0):
    """Stamps of complete data, 60 s of them, in blocks that are each late by ``delays(rng, n_blocks)`` s."""
    n, rows = int(seconds * fs), int(fs * block_s)
    by_block = delays(np.random.default_rng(seed), n // rows)
    return 1000 + np.arange(n) / fs + np.repeat(by_block, rows)[:n]


def late_pushes(rng, n):
    """Five of the blocks come late by 30 to 80 ms."""
    found = np.zeros(n)
    found[rng.choice(np.arange(1, n), 5, replace=False)] = rng.uniform(0.03, 0.08, 5)
    return found


COMPLETE = {
    "bursts of 100 ms, delay 10 ms": (0.1, lambda rng, n: rng.exponential(0.01, n)),
    "bursts of 100 ms, delay 20 ms": (0.1, lambda rng, n: rng.exponential(0.02, n)),
    "bursts of 100 ms, delay 50 ms": (0.1, lambda rng, n: rng.exponential(0.05, n)),
    "blocks of 20 ms, jitter 10 ms": (0.02, lambda rng, n: rng.normal(0.0, 0.01, n)),
    "blocks of 20 ms, five late pushes": (0.02, late_pushes),
    "bursts of 500 ms, delay 20 ms": (0.5, lambda rng, n: rng.exponential(0.02, n)),
}


@pytest.mark.parametrize("fs", [250.0, 1000.0])
@pytest.mark.parametrize("name", COMPLETE)
def test_complete_data_that_come_in_bursts_late_or_jittered_show_no_gap_and_no_clock_jump(name, fs):
    block_s, delays = COMPLETE[name]
    for seed in range(3):
        base = Timebase(fs)
        stamps, gaps = base.step(late(fs, block_s, delays, seed=seed))
        assert gaps == []
        assert (np.diff(stamps) > 0).all()
        assert 0 < base.jitter.median_s <= base.jitter.p95_s <= base.jitter.max_s


def test_the_rule_of_earlier_recordings_took_such_jitter_for_gaps():
    raw = late(1000.0, *COMPLETE["bursts of 100 ms, delay 20 ms"])
    assert len(Timebase(1000.0, rule=1).step(raw)[1]) > 50


@pytest.mark.parametrize("lost_s", [0.04, 0.1, 0.3, 3.0])
@pytest.mark.parametrize("name", ["bursts of 100 ms, delay 10 ms", "blocks of 20 ms, five late pushes"])
def test_a_loss_is_found_once_it_cannot_be_jitter_any_more(name, lost_s):
    fs, at = 1000.0, 30_000
    raw = np.delete(late(fs, *COMPLETE[name]), slice(at, at + int(lost_s * fs)))
    ((row, missing),) = Timebase(fs).step(raw)[1]
    assert at <= row <= at + 3 * fs
    assert missing == pytest.approx(lost_s, abs=0.02)


def test_a_glitch_of_one_block_is_two_jumps_and_the_stream_goes_on_as_before():
    raw = 1000 + np.arange(5000) / FS
    raw[2000:2005] += 3600.0
    stamps, gaps = Timebase(FS).step(raw)
    assert [(row, round(missing)) for row, missing in gaps] == [(2000, 3600), (2005, -3600)]
    np.testing.assert_allclose(stamps[2100:], raw[2100:], atol=1e-6)


def test_counted_losses_are_no_second_gap_when_the_stamps_show_them():
    raw = np.delete(1000 + np.arange(5000) / FS, slice(2000, 2050))
    base = Timebase(FS)
    base.step(raw[:2000])
    base.skip(50 / FS)
    stamps, gaps = base.step(raw[2000:])
    assert [(row, round(missing, 6)) for row, missing in gaps] == [(0, 0.2)]
    np.testing.assert_allclose(stamps, raw[2000:], atol=1e-9)


def test_counted_losses_that_the_stamps_hide_move_nothing():
    raw = 1000 + np.arange(5000) / FS
    base = Timebase(FS)
    base.step(raw[:2000])
    base.skip(50 / FS)
    stamps, gaps = base.step(raw[2000:])
    assert gaps == []
    np.testing.assert_allclose(stamps, raw[2000:], atol=1e-9)


def test_tolerances_of_the_contract_hold_and_decide():
    raw = np.delete(1000 + np.arange(10_000) / FS, slice(5000, 5010))
    spec = StreamSpec("Amp", "EEG", FS, ("C3",))
    assert len(Timebase.of_stream(spec).step(raw)[1]) == 1
    assert Timebase.of_stream(replace(spec, gap_tolerance_s=0.05)).step(raw)[1] == []
    with pytest.raises(BadValue, match="at least the tolerance"):
        Timebase(FS, gap_tolerance_s=0.5, jitter_s=0.1)
    with pytest.raises(BadValue, match="rule of a time base"):
        Timebase(FS, rule=3)
