"""The stream equals SciPy, any chunking gives the same bits, and no window hides what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from tests.shares import examples
from workbench.errors import BadSignal, BadValue
from workbench.signals import SignalSettings, SignalStream, design

FS = 200.0


def stream(n_channels=4, fs=FS, **changes):
    settings = SignalSettings(**{"bands": ((8, 13), (15, 30)), "window_s": 0.25, "history_s": 0.5, **changes})
    return SignalStream(settings, design(settings, fs=fs, n_channels=n_channels), fs=fs, n_channels=n_channels)


def noise(n_times, n_channels=4, seed=0, offset=0.0):
    return np.random.default_rng(seed).normal(offset, 10, (n_times, n_channels))


@budget(max_examples=examples(40))
@given(st.lists(st.integers(0, 400), max_size=20), st.sampled_from(["none", "car", "bipolar"]))
def test_any_chunking_gives_the_same_bits(cuts, reference):
    pairs = ((0, 1), (3, 2)) if reference == "bipolar" else ()
    x = noise(400)
    x[90:95, 1] = np.nan
    x[200:260, 0] = x[200, 0]
    whole, cut = (stream(reference=reference, pairs=pairs) for _ in range(2))
    edges = sorted({0, 400, *cuts})
    for first, last in zip(edges, edges[1:], strict=False):
        cut.step(x[first:last])
        cut.step(x[:0])
        whole_until(whole, x, last)
        ends = range(max(whole.n_window, last - 100), last + 1, 17)
        assert all(same(whole.window(end), cut.window(end)) for end in ends)


def whole_until(s, x, last):
    """One sample at a time."""
    for t in range(s.n_seen, last):
        s.step(x[t : t + 1])


def same(a, b):
    return np.array_equal(a[0], b[0]) and a[1] == b[1]


@pytest.mark.parametrize("offset", [0.0, 1e5, -1e5])
def test_an_offset_makes_no_transient(offset):
    s = stream(bands=((8, 13), (0.5, 40)))
    s.step(np.full((300, 4), offset))
    assert np.abs(s.window(300)[0]).max() <= 1e-12 * max(abs(offset), 1.0)


def test_many_channels_get_the_bits_that_few_get():
    x = noise(500, 20, offset=300.0)
    many = stream(20)
    many.step(x)
    for first in range(0, 20, 5):
        few = stream(5)
        few.step(np.ascontiguousarray(x[:, first : first + 5]))
        lanes = [*range(first, first + 5), *range(20 + first, 25 + first)]
        assert np.array_equal(many.window(500)[0][:, lanes], few.window(500)[0])


@pytest.mark.parametrize("reference", ["none", "car", "bipolar", "laplacian"])
def test_the_reference_comes_before_the_filters(reference):
    pairs = ((0, 1), (2, 3)) if reference == "bipolar" else ()
    neighbours = ((1, 0, 2, 3), (2, 1)) if reference == "laplacian" else ()
    x = noise(300)
    made = stream(reference=reference, pairs=pairs, neighbours=neighbours)
    made.step(x)
    by_hand = {
        "none": x,
        "car": x - x.mean(axis=1, keepdims=True),
        "bipolar": x[:, [0, 2]] - x[:, [1, 3]],
        "laplacian": np.stack([x[:, 1] - x[:, [0, 2, 3]].mean(axis=1), x[:, 2] - x[:, 1]], axis=1),
    }[reference]
    plain = stream(by_hand.shape[1])
    plain.step(by_hand)
    assert made.n_lanes == plain.n_lanes == 2 * by_hand.shape[1]
    np.testing.assert_allclose(made.window(300)[0], plain.window(300)[0], atol=1e-9)


def test_a_window_is_valid_once_the_filters_have_settled():
    s = stream()
    s.step(noise(400))
    first = s.n_settle + s.n_window
    oldest = 400 - 100
    assert first < 400
    assert [s.window(end)[1] for end in (max(first, oldest), 400)] == [True, True]
    fresh = stream()
    fresh.step(noise(first))
    assert fresh.window(first)[1]
    assert not fresh.window(first - 1)[1]
    assert fresh.complete(s.n_window)
    assert not fresh.complete(s.n_window - 1)


def test_before_the_first_window_there_are_zeros_and_no_validity():
    s = stream()
    s.step(noise(10))
    window, valid = s.window(5)
    assert window.shape == (s.n_window, s.n_lanes)
    assert not window.any()
    assert not valid


@pytest.mark.parametrize("end", [-1, 401, 250])
def test_a_window_outside_the_history_is_refused(end):
    s = stream()
    s.step(noise(400))
    with pytest.raises(BadValue, match="between samples 300 and 400"):
        s.window(end)


def valid_again(s, x, at):
    """First end after ``at`` with a valid window, in samples after ``at``."""
    s.step(x)
    ends = [end for end in range(max(at, s.n_seen - 100), s.n_seen + 1) if s.window(end)[1]]
    return ends[0] - at if ends else None


def test_a_gap_starts_the_filters_afresh_and_no_window_spans_it():
    s = stream(history_s=2.0)
    x = noise(800)
    s.step(x[:400])
    s.reset()
    s.step(x[400:] + 30000.0)
    fresh = stream(history_s=2.0)
    fresh.step(x[400:] + 30000.0)
    assert np.array_equal(s.window(800)[0], fresh.window(400)[0])
    ends = [end for end in range(400, 801) if s.window(end)[1]]
    assert ends == [400, *range(400 + s.n_settle + s.n_window, 801)]
    assert not s.complete(400 + s.n_window - 1)
    assert s.complete(400 + s.n_window)
    assert s.complete(400)
    assert not s.complete(401)


def test_a_missing_value_is_held_and_marks_every_window_that_it_can_reach():
    x = noise(700)
    holed, filled = x.copy(), x.copy()
    holed[300:303, 2] = [np.nan, np.inf, -np.inf]
    filled[300:303, 2] = x[299, 2]
    a, b = stream(history_s=2.0), stream(history_s=2.0)
    a.step(holed)
    b.step(filled)
    assert np.array_equal(a.window(700)[0], b.window(700)[0])
    marked = [end for end in range(301, 701) if not a.window(end)[1]]
    assert marked == list(range(301, 303 + a.n_settle + a.n_window))
    assert b.window(350)[1]


def test_a_fallen_electrode_is_never_valid_and_its_return_makes_no_transient():
    x = noise(900)
    x[200:400, 1] = x[200, 1]
    x[400:, 1] += 50000.0
    s = stream(history_s=4.0)
    s.step(x)
    n_flat = 20
    invalid = [end for end in range(201, 901) if not s.window(end)[1]]
    assert invalid[0] == 201 + n_flat
    assert invalid[-1] == 400 + s.n_settle + s.n_window - 1
    assert invalid == list(range(invalid[0], invalid[-1] + 1))
    fresh = stream(history_s=4.0)
    fresh.step(x[400:])
    assert np.array_equal(s.window(900)[0], fresh.window(500)[0])


def test_a_channel_that_never_delivers_keeps_every_window_from_being_valid():
    x = noise(600)
    x[:, 3] = np.nan
    s = stream(history_s=2.0)
    s.step(x)
    assert not any(s.window(end)[1] for end in range(300, 601))
    assert np.isfinite(s.window(600)[0]).all()


def test_a_channel_outside_the_pairs_does_not_matter():
    x = noise(600)
    x[:, 3] = np.nan
    s = stream(reference="bipolar", pairs=((0, 1), (1, 2)))
    s.step(x)
    assert s.window(600)[1]


@pytest.mark.parametrize("shape", [(10,), (10, 3), (10, 5), (2, 10, 4)])
def test_another_number_of_channels_is_refused(shape):
    with pytest.raises(BadSignal, match=r"\(n_times, 4\)"):
        stream().step(np.zeros(shape))


def test_a_chunk_longer_than_the_history_is_taken_whole():
    x = noise(5000)
    one, many = stream(), stream()
    one.step(x)
    for first in range(0, 5000, 7):
        many.step(x[first : first + 7])
    assert same(one.window(5000), many.window(5000))
    assert one.n_seen == 5000
