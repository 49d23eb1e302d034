"""Resampling beside SciPy with the same taps. Goal: 1e-9 of the signal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from workbench.signals import Resampler, design_resampler

OFFSET_UV = 20000.0
GOAL = 1e-9
RATES = [
    (512, 250), (1200, 250), (500, 512), (160, 250), (2048, 1000), (2048, 250), (30000, 1000), (250, 1000),
    (600, 250), (1024, 1000), (1000, 127),
]  # fmt: skip


def resampled(rates, x):
    """What comes out in chunks of 0.05 s, and the low-pass at ``up`` times the rate before."""
    arrays = design_resampler(*rates)
    r, n = Resampler(arrays, n_channels=x.shape[1]), max(1, int(0.05 * rates[0]))
    out = np.concatenate([r.step(x[first : first + n]) for first in range(0, len(x), n)])
    return r, out, arrays["taps"][:, ::-1].T.ravel()


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("offset", [0.0, OFFSET_UV])
def test_it_agrees_with_upfirdn_from_the_first_sample_on(rates, offset):
    x = np.random.default_rng(1).normal(offset, 10, (int(5 * rates[0]), 2))
    r, out, low_pass = resampled(rates, x)
    expected = signal.upfirdn(low_pass, x - x[0], r.up, r.down, axis=0)[: len(out)] + x[0]
    worst = np.abs(out - expected).max() / 10
    print(f"{rates[0]:g} to {rates[1]:g} Hz, offset {offset:g}: largest difference {worst:.1e} of the signal")
    assert worst <= GOAL


@pytest.mark.parametrize("rates", [rates for rates in RATES if rates[1] < rates[0] or rates[1] % rates[0] == 0])
def test_it_is_resample_poly_a_delay_later(rates):
    """Where the delay is an integer number of outputs."""
    x = np.random.default_rng(2).normal(0, 10, (int(5 * rates[0]), 2))
    r, out, low_pass = resampled(rates, x)
    later = round(r.delay * rates[1])
    assert later == pytest.approx(r.delay * rates[1], rel=1e-12)
    length = 20 * max(r.up, r.down) + 1
    expected = signal.resample_poly(x - x[0], r.up, r.down, axis=0, window=low_pass[:length] / r.up) + x[0]
    np.testing.assert_allclose(out[later:], expected[: len(out) - later], rtol=0, atol=10 * GOAL)
