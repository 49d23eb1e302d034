"""Own logarithm and exponential to the last place; linear scores and the gate against their twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from workbench.kernels.evidence import (
    exp,
    gate,
    linear,
    log,
    logarithms,
    softmax,
    standardise,
    track,
)

POINTS = [
    5e-324,
    1e-310,
    2.2250738585072014e-308,
    1e-9,
    0.5,
    math.sqrt(0.5),
    math.nextafter(math.sqrt(0.5), 0),
    math.nextafter(1.0, 0),
    1.0,
    math.nextafter(1.0, 2),
    math.sqrt(2),
    math.e,
    10.0,
    1.7976931348623157e308,
]


def test_the_logarithm_is_good_to_one_unit_in_the_last_place():
    rng = np.random.default_rng(1)
    wide = np.exp(rng.uniform(-700, 700, 400))
    near = 1 + rng.uniform(-0.3, 0.45, 400)
    worst = max(naive.ulps(log(x), naive.log(x)) for x in [*POINTS, *wide, *near] if x != 1.0)
    assert worst < 1.0
    assert log(1.0) == 0.0


def test_the_exponential_is_good_to_one_unit_in_the_last_place():
    rng = np.random.default_rng(2)
    wide = rng.uniform(-708, 709.78, 400)
    near = rng.uniform(-1, 1, 400)
    edges = [0.0, -0.0, 709.78, 709.7827, -708.3, 1e-300, -1e-17, 0.5 * math.log(2), -0.5 * math.log(2)]
    worst = max(naive.ulps(exp(x), naive.exp(x)) for x in [*edges, *wide, *near])
    assert worst < 1.0


def test_the_exponential_is_gradual_down_to_the_smallest_number():
    for x in (-709.0, -720.0, -740.0, -745.1):
        assert naive.ulps(exp(x), naive.exp(x)) <= 1.0
    assert exp(-745.1) == 5e-324


def test_values_at_and_beyond_the_ends():
    assert log(0.0) == -math.inf
    assert math.isnan(log(-1.0))
    assert math.isnan(log(math.nan))
    assert log(math.inf) == math.inf
    assert exp(710.0) == math.inf
    assert exp(-746.0) == 0.0
    assert exp(-math.inf) == 0.0
    assert exp(math.inf) == math.inf
    assert math.isnan(exp(math.nan))


@given(st.floats(-700, 700))
def test_the_logarithm_undoes_the_exponential(x):
    assert log(exp(x)) == pytest.approx(x, rel=1e-15, abs=2e-16)


def test_logarithms_add_the_floor():
    power, out = np.array([0.0, 1.0, 100.0]), np.empty(3)
    logarithms(power, 1e-9, out)
    np.testing.assert_allclose(out, np.log(power + 1e-9), rtol=1e-15)


def test_standardise_and_track_follow_their_twins():
    rng = np.random.default_rng(3)
    mean, variance, out = np.zeros(4), np.ones(4), np.empty(4)
    for x in rng.normal(2, 3, (200, 4)):
        expected = naive.track(x, 0.05, mean, variance)
        standardise(x, mean, variance, out)
        np.testing.assert_allclose(out, naive.standardise(x, mean, variance), rtol=1e-14)
        track(x, 0.05, mean, variance)
        np.testing.assert_allclose((mean, variance), expected, rtol=1e-12)
    assert np.all(np.abs(mean - 2) < 2)
    assert np.all((variance > 3) & (variance < 25))


def test_linear_scores_follow_their_twin():
    rng = np.random.default_rng(4)
    x, w, b, out = rng.normal(size=6), rng.normal(size=(3, 6)), rng.normal(size=3), np.empty(3)
    linear(x, w, b, out)
    np.testing.assert_allclose(out, naive.linear(x, w, b), rtol=1e-13)


@pytest.mark.parametrize("scores", [[0.0, 0.0], [3.0, -1.0, 0.5], [800.0, -800.0], [-2000.0, -1000.0]])
def test_softmax_sums_to_one_and_is_the_logistic_for_two(scores):
    out = np.empty(len(scores))
    softmax(np.array(scores), out)
    np.testing.assert_allclose(out, naive.softmax(scores), rtol=1e-14, atol=1e-300)
    assert out.sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("n", [2, 4])
def test_the_gate_is_the_forward_step_with_a_tempered_likelihood(n):
    rng = np.random.default_rng(n)
    transition = rng.dirichlet(np.ones(n), n)
    belief, log_prior = rng.dirichlet(np.ones(n)), np.log(rng.dirichlet(np.ones(n)))
    for scores in rng.normal(0, 3, (20, n)):
        out = np.empty(n)
        gate(belief, scores, transition, 0.35, log_prior, out)
        np.testing.assert_allclose(out, naive.gate(belief, scores, transition, 0.35, log_prior), rtol=1e-12)
        belief = out


def test_the_gate_survives_certainty():
    out = np.empty(2)
    transition = np.array([[0.99, 0.01], [0.02, 0.98]])
    gate(np.array([1.0, 0.0]), np.array([-5000.0, 5000.0]), transition, 0.35, np.log([0.5, 0.5]), out)
    assert out.tolist() == [0.0, 1.0]
