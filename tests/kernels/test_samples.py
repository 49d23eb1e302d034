"""Missing values are held, flat stretches noticed, fresh starts marked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests import naive
from tests.shares import examples
from workbench.kernels.samples import hold

VALUES = st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf, -np.inf, 1e9, -1e12])


def run(samples, used, *, flat, cuts=()):
    """Chunk by chunk: samples as used, first clean rows, fresh starts as flags, the last first clean row."""
    samples = np.ascontiguousarray(samples, dtype=float)
    n, n_channels = samples.shape
    held, length = np.zeros(n_channels), np.full(n_channels, -1)
    out, clean, start = np.full_like(samples, 7e7), np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    book, used = np.array([flat, 0, 0], dtype=np.int64), np.array(used, dtype=np.uint8)
    edges = [0, *cuts, n]
    for a, b in zip(edges, edges[1:], strict=False):
        rows = np.empty(b - a, dtype=np.int64)
        n_fresh = hold(samples[a:b], used, book, held, length, out[a:b], clean[a:b], rows)
        if n_fresh < 0:
            assert (out[a:b] == 7e7).all()
            out[a:b] = samples[a:b]
        start[a + rows[: max(n_fresh, 0)]] = 1
    assert book.tolist()[:2] == [flat, n]
    return out, clean, start, book[2]


@settings(max_examples=examples(150))
@given(
    arrays(float, (12, 2), elements=VALUES),
    st.sampled_from([(1, 1), (1, 0)]),
    st.lists(st.integers(0, 12), max_size=4).map(sorted),
)
def test_the_kernel_equals_its_twin_for_any_cut(samples, used, cuts):
    out, clean, start, since = run(samples, used, flat=3, cuts=cuts)
    expected = naive.hold(samples, used, 3)
    assert np.array_equal(out, expected[0])
    assert np.array_equal(clean, expected[1])
    assert np.array_equal(start, expected[2])
    assert since == clean[-1]


def test_a_missing_value_is_the_last_good_one_of_its_channel():
    out, clean, start, _ = run([[1, 5], [2, np.nan], [3, np.inf], [4, 8]], (1, 1), flat=9)
    assert out[:, 1].tolist() == [5, 5, 5, 8]
    assert clean.tolist() == [0, 2, 3, 3]
    assert start.tolist() == [1, 0, 0, 0]


def test_a_flat_channel_is_never_clean_and_filters_start_afresh_after_it():
    x = np.array([[0, 1], [1, 7], [2, 7], [3, 7], [4, 7], [5, 8], [6, 9]])
    _, clean, start, _ = run(x, (1, 1), flat=2)
    assert clean.tolist() == [0, 0, 0, 4, 5, 5, 5]
    assert start.tolist() == [1, 0, 0, 0, 0, 1, 0]


def test_a_channel_nobody_uses_may_do_as_it_likes():
    x = np.array([[0, np.nan], [1, np.nan], [2, 7], [3, 7]])
    _, clean, start, _ = run(x, (1, 0), flat=2)
    assert clean.tolist() == [0, 0, 0, 0]
    assert start.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("value", [1e9, -1e9, 1e300, np.nan, np.inf])
def test_a_value_beyond_a_kilovolt_is_missing(value):
    out, clean, _, _ = run([[1.0], [value], [2.0]], (1,), flat=9)
    assert out[:, 0].tolist() == [1, 1, 2]
    assert clean.tolist() == [0, 2, 2]


def test_samples_without_anything_odd_serve_as_they_are():
    x = np.random.default_rng(0).normal(size=(9, 2))
    book, held, length = np.array([5, 0, 0]), np.zeros(2), np.full(2, -1)
    rest = (np.empty((3, 2)), np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64))
    said = [hold(x[a : a + 3], np.ones(2, dtype=np.uint8), book, held, length, *rest) for a in (0, 3, 6)]
    assert said == [1, -1, -1]
    assert (book.tolist(), held.tolist(), length.tolist()) == ([5, 9, 0], x[8].tolist(), [0, 0])
