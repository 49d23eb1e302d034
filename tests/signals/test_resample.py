"""Resampling is causal, delays all frequencies alike, does not see chunks, and keeps its places at gaps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from tests.shares import examples
from workbench.errors import BadSignal, BadValue
from workbench.signals import Resampler, design_resampler

RATES = [
    (512, 250),
    (1200, 250),
    (500, 512),
    (160, 250),
    (2048, 1000),
    (250, 50),
    (100, 300),
    (1000, 999),
    (8192, 250),
]
DESIGNS = {rates: design_resampler(*rates) for rates in RATES}


def resampler(rates, n_channels=1):
    return Resampler(DESIGNS[rates], n_channels=n_channels)


def noise(n, n_channels=2, offset=0.0):
    return np.random.default_rng(0).normal(offset, 10, (n, n_channels))


def places(r, first, last):
    return np.array([r.place(k) for k in range(first, last)])


def sine(hz, t):
    return np.sin(2 * np.pi * hz * t)


def amplitude(values, hz, fs):
    """Of the sine of one frequency in values, by least squares."""
    angle = 2 * np.pi * hz * np.arange(len(values)) / fs
    basis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.hypot(*np.linalg.lstsq(basis, values, rcond=None)[0])


@pytest.mark.parametrize("rates", RATES)
def test_the_ratio_of_the_rates_is_exact(rates):
    r = resampler(rates)
    assert Fraction(r.up, r.down) == Fraction(rates[1]) / Fraction(rates[0])
    assert r.delay == 10 / min(rates)


@pytest.mark.parametrize(
    ("fs", "target_fs", "up", "down"),
    [
        (0.1, 0.3, 3, 1),
        (128.5, 51.4, 2, 5),
        (1000.0, 1000 / 3, 1, 3),
        (24414.0625, 250, 32, 3125),
        (np.float32(512), np.int64(250), 125, 256),
    ],
)
def test_rates_are_read_as_decimals(fs, target_fs, up, down):
    r = Resampler(design_resampler(fs, target_fs), n_channels=1)
    assert (r.up, r.down) == (up, down)


@pytest.mark.parametrize("rates", [*RATES, (4096, 1), (1, 997), (997, 998), (4095, 4096)])
def test_the_filter_holds_what_its_docstring_says(rates):
    taps = design_resampler(*rates)["taps"]
    low_pass = taps[:, ::-1].T.ravel() / len(taps)
    length = 2 * 10 * max(len(taps), round(rates[0] * len(taps) / rates[1])) + 1
    assert not low_pass[length:].any()
    np.testing.assert_allclose(low_pass[:length], low_pass[:length][::-1], atol=1e-15)
    gain = np.abs(np.fft.rfft(low_pass, 1 << (4 + length.bit_length())))
    halves = np.linspace(0, rates[0] * len(taps) / min(rates), len(gain))
    assert np.abs(gain[halves <= 0.6] - 1).max() <= 1e-3
    assert 20 * np.log10(gain[halves >= 1].max()) <= -60
    assert halves[np.argmax(gain < np.sqrt(0.5))] == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(taps.sum(axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize("rates", RATES)
def test_a_slow_sine_comes_out_as_it_was_a_delay_ago(rates):
    fs, target_fs = rates
    r = resampler(rates, 2)
    t = np.arange(6 * fs) / fs
    frequencies = np.array([0.04, 0.28]) * min(rates)
    out = r.step(sine(frequencies, t[:, None]))
    k = np.arange(len(out))
    assert len(out) == r.n_given == 6 * target_fs
    np.testing.assert_allclose(places(r, 0, len(out)) / fs, k / target_fs, rtol=1e-15)
    settled = k / target_fs >= 2 * r.delay
    expected = sine(frequencies, (k / target_fs - r.delay)[:, None])
    np.testing.assert_allclose(out[settled], expected[settled], atol=2e-3)


@pytest.mark.parametrize("rates", [rates for rates in RATES if rates[1] < rates[0] / 1.2])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.83])
def test_what_lies_above_half_the_new_rate_does_not_fold_back(rates, share):
    fs, target_fs = rates
    hz = 0.5 * target_fs + (share - 0.5) * min(target_fs, fs - target_fs) + 0.01 * target_fs
    out = resampler(rates).step(sine(hz, np.arange(4 * fs) / fs)[:, None])
    assert np.abs(out[30:]).max() < 1e-3


@pytest.mark.parametrize(("rates", "hz"), [((160, 250), 45), ((500, 512), 245), ((100, 300), 30)])
def test_a_sine_makes_no_image_above_half_the_old_rate(rates, hz):
    fs, target_fs = rates
    r = resampler(rates)
    out = r.step(sine(hz, np.arange(8 * fs) / fs)[:, None])[:, 0]
    settled = out[round(3 * r.delay * target_fs) :]
    assert amplitude(settled, fs - hz, target_fs) < 1e-3
    if hz < 0.3 * fs:
        assert amplitude(settled, hz, target_fs) == pytest.approx(1, abs=1e-3)


@budget(max_examples=examples(60))
@given(st.lists(st.integers(0, 400), max_size=14), st.sampled_from(RATES), st.none() | st.integers(0, 400))
def test_any_chunking_gives_the_same_bits(cuts, rates, gap):
    x = noise(400)
    one, many = resampler(rates, 2), resampler(rates, 2)
    whole = []
    for part in (x,) if gap is None else (x[:gap], x[gap:]):
        one.reset()
        whole.append(one.step(part))
    edges = sorted({0, 400, *cuts, *(() if gap is None else (gap,))})
    parts = [many.step(x[:0])]
    for first, last in zip(edges, edges[1:], strict=False):
        if first == gap:
            many.reset()
        parts += [many.step(x[first:last]), many.step(x[:0])]
        assert many.n_given == many.outputs_before(last)
    assert np.array_equal(np.concatenate(parts), np.concatenate(whole))
    assert (one.n_seen, one.n_given) == (many.n_seen, many.n_given)


@pytest.mark.parametrize("rates", RATES)
def test_sample_after_sample_gives_the_same_bits(rates):
    x = noise(1000)
    one, many = resampler(rates, 2), resampler(rates, 2)
    assert np.array_equal(np.concatenate([many.step(row) for row in x[:, None]]), one.step(x))


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("offset", [1e5, -2e-3])
def test_an_offset_makes_no_transient_and_stays(rates, offset):
    out = resampler(rates, 3).step(np.full((500, 3), offset))
    assert len(out) == -(-500 * rates[1] // rates[0])
    np.testing.assert_allclose(out, offset, rtol=1e-13)


@pytest.mark.parametrize("rates", RATES)
def test_an_offset_changes_nothing_but_the_offset(rates):
    plain, shifted = (resampler(rates, 2).step(noise(600) + offset) for offset in (0, 20000))
    np.testing.assert_allclose(shifted - 20000, plain, atol=1e-9)


@pytest.mark.parametrize("rates", RATES)
def test_an_output_is_given_with_the_sample_at_its_place_and_knows_none_after_it(rates):
    x, r = noise(300), resampler(rates, 2)
    given = [r.step(row) for row in x[:, None]]
    k = 0
    for n, rows in enumerate(given):
        for _ in rows:
            assert n <= r.place(k) < n + 1
            k += 1
    changed = x.copy()
    changed[200:] += 1000
    other = resampler(rates, 2).step(changed)
    same = r.outputs_before(200)
    assert np.array_equal(other[:same], np.concatenate(given)[:same])
    assert not np.array_equal(other[same:], np.concatenate(given)[same:])


@pytest.mark.parametrize("rates", RATES)
def test_a_marker_goes_to_the_first_output_with_its_sample_or_after_it(rates):
    r = resampler(rates)
    r.step(np.zeros((40, 1)))
    for sample in (0, 1, 17, 39, 40, 41, 1000, 10**9 + 7, -1, -33):
        k = r.outputs_before(sample)
        assert Fraction((k - 1) * r.down, r.up) < sample <= Fraction(k * r.down, r.up)
    assert r.outputs_before(40) == r.n_given


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("lost", [0.0371, 4.2])
def test_a_stream_with_a_gap_stays_where_it_was(rates, lost):
    fs, _ = rates
    hz, at = 0.06 * min(rates), 3 * fs + 1
    stamps = 100 + np.arange(7 * fs) / fs
    stamps[at:] += lost
    r = resampler(rates)
    before = r.step(sine(hz, stamps[:at])[:, None])
    r.reset()
    after = r.step(sine(hz, stamps[at:])[:, None])
    border = len(before)
    assert border == r.outputs_before(at)
    assert border + len(after) == r.outputs_before(7 * fs)
    place = places(r, 0, border + len(after))
    rows = np.floor(place).astype(int)
    of_outputs = stamps[rows] + (place - rows) / fs
    assert rows[border - 1] < at <= rows[border]
    expected = sine(hz, of_outputs - r.delay)
    settled = np.ones(len(place), bool)
    for first in (0, border):
        settled[first:] &= ~((of_outputs[first:] - of_outputs[first]) < 2 * r.delay)
    np.testing.assert_allclose(np.concatenate([before, after])[settled, 0], expected[settled], atol=2e-3)


@pytest.mark.parametrize("rates", RATES)
def test_after_a_gap_nothing_of_before_is_left(rates):
    first, second = resampler(rates, 2), resampler(rates, 2)
    first.step(noise(333))
    second.step(np.full((333, 2), 7e7))
    for r in (first, second):
        r.reset()
    assert np.array_equal(first.step(noise(400) + 5000), second.step(noise(400) + 5000))
    first.reset()
    np.testing.assert_allclose(first.step(np.full((100, 2), -3.0)), -3, rtol=1e-13)


@pytest.mark.parametrize(
    ("fs", "target_fs", "nearest"),
    [
        (1017.2526, 250.0, 250), (500.0, 499.93, 500 * 4095 / 4096), (250.0, 313.37, 313.37), (0.5, 1e4, 2048),
        (1e6, 1.0, 1e6 / 4096), (30000.0, 0.1 + 0.2, 30000 / 4096),
    ],
)  # fmt: skip
def test_a_ratio_of_large_numbers_is_refused_and_the_nearest_rate_named(fs, target_fs, nearest):
    with pytest.raises(BadValue, match="at most 4096, got") as refused:
        design_resampler(fs, target_fs)
    told = str(refused.value)
    assert f"got {target_fs!r} Hz from {fs!r} Hz; the nearest target_fs is " in told
    remedy = float(told.split()[-2])
    assert remedy == pytest.approx(nearest, rel=1e-6)
    assert design_resampler(fs, remedy)["delay"] == 10 / min(fs, remedy)


@pytest.mark.parametrize("target_fs", [250.0, 250, 250.0001, 249.99])
def test_the_rate_there_is_already_is_refused(target_fs):
    with pytest.raises(BadValue, match="leave the stream at the rate it has"):
        design_resampler(250.0, target_fs)


@pytest.mark.parametrize("rate", [0.0, -250.0, np.nan, np.inf])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(BadValue, match="fs must be a rate in Hz above 0, got"):
        design_resampler(rate, 250.0)
    with pytest.raises(BadValue, match="target_fs must be a rate in Hz above 0, got"):
        design_resampler(250.0, rate)


@pytest.mark.parametrize("shape", [(4, 3), (4,), (4, 2, 1), (0, 1)])
def test_other_channels_are_refused(shape):
    with pytest.raises(BadSignal, match=r"\(n_times, 2\), got"):
        resampler((512, 250), 2).step(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_and_nothing_taken(bad):
    r, other = resampler((512, 250), 2), resampler((512, 250), 2)
    x = noise(100)
    spoilt = x.copy()
    spoilt[50, 1] = bad
    with pytest.raises(BadSignal, match="not finite; hold the last good one first"):
        r.step(spoilt)
    assert r.n_seen == r.n_given == 0
    assert np.array_equal(r.step(x), other.step(x))


def test_samples_of_another_type_or_order_are_taken_and_left_as_they_are():
    x = np.asfortranarray(noise(200).round())
    before = x.copy()
    expected = resampler((512, 250), 2).step(x)
    assert np.array_equal(resampler((512, 250), 2).step(x.astype(np.int32)), expected)
    assert np.array_equal(x, before)
