"""Corrected stamps: smooth, causal, chunk-free, and honest about gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadSignal, BadValue
from workbench.signals import Timebase

FS = 250.0


def jittered(n, fs=FS, sd=0.003, seed=0):
    """Stamps of chunks that arrive late by a random time."""
    rng = np.random.default_rng(seed)
    return 1000 + np.arange(n) / fs + np.repeat(rng.normal(0, sd, n // 10 + 1), 10)[:n]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=15))
def test_any_chunking_gives_the_same_stamps_and_gaps(cuts):
    raw = jittered(600)
    raw[200:] += 0.3
    raw[400:] -= 5.0
    whole, gaps = Timebase(FS).step(raw)
    base, stamps, found = Timebase(FS), [], []
    edges = sorted({0, 600, *cuts})
    for first, last in zip(edges, edges[1:], strict=False):
        made, rows = base.step(raw[first:last])
        stamps.append(made)
        found += [(first + row, missing) for row, missing in rows]
    assert np.array_equal(np.concatenate(stamps), whole)
    assert found == gaps
    assert [row for row, _ in gaps] == [200, 400]


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


def test_a_gap_is_reported_with_its_length_and_the_loop_starts_anew():
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
    assert [row for row, _ in Timebase(10.0).step(raw)[1]] == [50]


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_stamp_that_is_no_time_is_refused(value):
    with pytest.raises(BadSignal, match="not finite"):
        Timebase(FS).step(np.array([1.0, value]))
    with pytest.raises(BadValue, match="finite"):
        Timebase(FS).set_offset(value)


@pytest.mark.parametrize(("fs", "tolerance"), [(0.0, 0.02), (-1.0, 0.02), (250.0, 0.0), (float("nan"), 0.02)])
def test_rates_and_tolerances_must_be_above_zero(fs, tolerance):
    with pytest.raises(BadValue, match="above 0"):
        Timebase(fs, gap_tolerance_s=tolerance)
