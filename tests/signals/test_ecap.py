"""A response is what is left of a sweep without its artefact, and how large it is from trough to peak."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.errors import BadSignal, BadValue
from workbench.signals.ecap import DECAYS_S, ecap, without_exponentials

FS, N = 16_000.0, 96
T = np.arange(N) / FS


def response(size):
    """P1, N1 and P2; N1 lies at 0.8 ms, P2 at 1.3 ms, ``size`` µV apart."""
    n1 = -0.6 * size * np.exp(-(((T - 0.0008) / 0.00016) ** 2))
    p2 = 0.4 * size * np.exp(-(((T - 0.0013) / 0.00022) ** 2))
    return n1 + p2


def artefact(slow, fast, *, size=600.0):
    return 8.0 + size * np.exp(-T / slow) - 0.5 * size * np.exp(-T / fast)


@pytest.mark.parametrize("constants", [(0.001, 0.0001), (0.00056, 0.00018)])
def test_an_artefact_of_two_exponentials_leaves_the_response_as_it_is(constants):
    made = without_exponentials(response(50.0) + artefact(*constants), fs=FS)
    late = T >= 0.0003
    np.testing.assert_allclose(made[late], response(50.0)[late], atol=1.5)
    assert not made[~late].any()
    found = ecap(made, fs=FS, noise=2.0)
    whole = ecap(response(50.0), fs=FS, noise=2.0)
    assert found.amplitude == pytest.approx(whole.amplitude, rel=0.03)
    assert (found.n1_s, found.p2_s, found.found) == (whole.n1_s, whole.p2_s, True)
    assert ecap(response(50.0) + artefact(*constants), fs=FS, noise=2.0).amplitude < 0.8 * whole.amplitude


def test_the_fit_is_that_of_least_squares_with_the_best_two_constants():
    rng = np.random.default_rng(0)
    sweep = response(40.0) + artefact(0.0009, 0.00013) + rng.normal(0, 2, N)
    about = (T >= 0.0003) & ((T < 0.0004) | (T >= 0.0025))
    best = None
    for pair in itertools.combinations(DECAYS_S, 2):
        model = np.column_stack([np.ones(N), *(np.exp(-T / tau) for tau in pair)])
        weights = np.linalg.lstsq(model[about], sweep[about], rcond=None)[0]
        left = sweep - model @ weights
        if best is None or (left[about] ** 2).sum() < (best[about] ** 2).sum():
            best = left
    np.testing.assert_allclose(without_exponentials(sweep, fs=FS)[T >= 0.0003], best[T >= 0.0003], atol=1e-5)


def test_constants_that_nothing_tells_apart_are_passed_over():
    # All that is looked at comes after the fast exponentials have died out.
    sweep = response(50.0) + 4.0
    made = without_exponentials(sweep, fs=FS, response_s=(0.0003, 0.0056))
    assert np.isfinite(made).all()
    np.testing.assert_allclose(made[T >= 0.0056], 0.0, atol=1e-6)


def test_noise_is_no_response_and_a_response_of_a_few_microvolts_is():
    rng = np.random.default_rng(1)
    # An amplitude without a response has the spread of the extremes of noise, not of one sample.
    silent = [ecap(rng.normal(0, 1, N), fs=FS, noise=2.0).amplitude for _ in range(200)]
    spread = 3.0 * float(np.mean(silent)) / 3.0
    found = [ecap(rng.normal(0, 1, N) + response(30.0), fs=FS, noise=spread).found for _ in range(50)]
    assert all(found)
    assert not any(ecap(rng.normal(0, 1, N), fs=FS, noise=spread).found for _ in range(200))


def test_sweeps_and_windows_that_cannot_be_are_refused():
    with pytest.raises(BadSignal, match="a sweep is one finite sample after the other"):
        ecap(np.array([np.nan] * N), fs=FS, noise=1.0)
    with pytest.raises(BadValue, match="to fit a constant and two exponentials takes 6"):
        without_exponentials(np.zeros(30), fs=FS)
    with pytest.raises(BadValue, match="trough and peak must lie in the sweep of 0.006 s"):
        ecap(np.zeros(N), fs=FS, noise=1.0, n1_s=(0.01, 0.02))
