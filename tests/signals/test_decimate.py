"""Decimation is causal, keeps the same samples for any chunking, and lets nothing fold back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from scipy import signal

from tests.shares import examples
from workbench.errors import BadSignal, BadValue
from workbench.signals import Decimator, design_decimator

FS = 250.0


def decimator(factor=10, n_channels=3):
    return Decimator(design_decimator(factor, fs=FS), n_channels=n_channels)


def noise(n, n_channels=3, offset=0.0):
    return np.random.default_rng(0).normal(offset, 10, (n, n_channels))


@pytest.mark.parametrize("factor", [2, 3, 10, 64])
def test_it_agrees_with_scipy_over_20_s_with_an_offset(factor):
    x = noise(int(20 * FS), offset=20000.0)
    sos = signal.cheby2(8, 60, 1 / factor, output="sos")
    start = signal.sosfilt_zi(sos)[:, :, None] * x[0]
    expected = signal.sosfilt(sos, x, axis=0, zi=start)[0][::factor]
    got = decimator(factor).step(x)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-6


@budget(max_examples=examples(40))
@given(st.lists(st.integers(0, 200), max_size=12), st.sampled_from([2, 7, 10]))
def test_any_chunking_gives_the_same_bits(cuts, factor):
    x = noise(200)
    one, many = decimator(factor), decimator(factor)
    edges = sorted({0, 200, *cuts})
    parts = [many.step(x[:0])]
    for first, last in zip(edges, edges[1:], strict=False):
        parts += [many.step(x[first:last]), many.step(x[:0])]
    assert np.array_equal(np.concatenate(parts), one.step(x))
    assert one.n_seen == many.n_seen == 200


def test_an_offset_makes_no_transient_and_stays():
    out = decimator().step(np.full((500, 3), 1e5))
    assert out.shape == (50, 3)
    np.testing.assert_allclose(out, 1e5, rtol=1e-9)


def test_what_lies_above_half_the_new_rate_does_not_fold_back():
    t = np.arange(int(20 * FS)) / FS
    slow, fast = np.sin(2 * np.pi * 4.7 * t), np.sin(2 * np.pi * 14 * t)
    out = decimator(n_channels=2).step(np.stack([slow, fast], axis=1))[100:]
    assert np.abs(out[:, 0]).max() == pytest.approx(1.0, abs=0.02)
    assert np.abs(out[:, 1]).max() < 2e-3


def test_the_delay_is_that_of_a_slow_signal():
    d = decimator(n_channels=1)
    t = np.arange(int(20 * FS)) / FS
    out = d.step(np.sin(2 * np.pi * 0.5 * t)[:, None])[50:, 0]
    later = t[::10][50:] - d.delay
    np.testing.assert_allclose(out, np.sin(2 * np.pi * 0.5 * later), atol=2e-3)


def test_a_gap_starts_the_filter_afresh():
    d, fresh = decimator(), decimator()
    d.step(noise(100))
    d.reset()
    again = noise(100) + 5000.0
    assert np.array_equal(d.step(again), fresh.step(again))


def test_what_cannot_be_decimated_is_refused():
    for factor in (1, 0, 2.5):
        with pytest.raises(BadValue, match="at least 2"):
            design_decimator(factor, fs=FS)
    with pytest.raises(BadValue, match="fs must be"):
        design_decimator(2, fs=0.0)
    with pytest.raises(BadSignal, match=r"\(n_times, 3\)"):
        decimator().step(np.zeros((4, 2)))
    with pytest.raises(BadSignal, match="not finite"):
        decimator().step(np.full((4, 3), np.nan))
