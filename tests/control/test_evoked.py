"""Loops of stimulation: the response is held, a loose lead drives nothing, a stride learns from the last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.control import EcapLaw, EcapState, next_pulse, next_stride
from workbench.errors import BadValue

SLOPE = 40.0
"""Of the response with the current at the middle distance, µV/mA."""


def law(ratio=0.3, **more):
    """The gain that makes ``gain · slope`` the ratio."""
    given = {"target_uv": 50.0, "gain": ratio / SLOPE, "least_ma": 0.5, "most_ma": 12.0, "step_ma": 0.5}
    return EcapLaw(**{**given, "threshold_ma": 2.0, "noise_uv": 6.0, **more})


def slopes(seconds=60.0, rate=50.0):
    """Of a cord whose distance changes with posture, breath and coughs."""
    t = np.arange(round(seconds * rate)) / rate
    distance = 1.0 + 0.08 * np.sin(2 * np.pi * 0.25 * t) + 0.15 * (np.sin(2 * np.pi * 0.02 * t) > 0)
    distance -= 0.2 * (t % 15.0 < 0.4)
    return SLOPE * distance**-2.5


def held(law, slopes, seed=0, current=3.25):
    rng, state, errors = np.random.default_rng(seed), EcapState(current), []
    for slope in slopes:
        amplitude = slope * max(0.0, state.current_ma - law.threshold_ma) + rng.normal(0, law.noise_uv)
        errors.append(abs(amplitude - law.target_uv))
        state = next_pulse(law, state, amplitude)
    return float(np.mean(errors[100:])), state


def test_the_response_is_held_far_better_than_by_a_fixed_current_and_best_at_a_moderate_gain():
    rng = np.random.default_rng(0)
    fixed = np.mean(np.abs(slopes() * 1.25 + rng.normal(0, 6.0, len(slopes())) - 50.0))
    errors = {ratio: held(law(ratio), slopes())[0] for ratio in (0.02, 0.3, 1.6)}
    assert errors[0.3] < 0.5 * fixed
    assert errors[0.3] < errors[0.02]
    assert errors[0.3] < errors[1.6]


def test_a_step_is_the_gain_times_the_error_within_its_bounds():
    one, state = law(step_ma=10.0), EcapState(4.0)
    assert next_pulse(one, state, 60.0).current_ma == pytest.approx(4.0 - 10.0 * 0.3 / SLOPE)
    assert next_pulse(law(step_ma=0.01), state, 60.0).current_ma == pytest.approx(3.99)
    assert next_pulse(law(step_ma=50.0), EcapState(11.99), 19.0).current_ma == 12.0
    assert next_pulse(law(step_ma=50.0, most_nc=1000.0), EcapState(9.0), 60.0).current_ma < 5.0


def test_a_lost_response_holds_the_current_then_lets_it_fall_and_closes_the_loop_when_it_returns():
    one, state, currents = law(lost_pulses=5, hold_pulses=3), EcapState(6.0), []
    for _ in range(20):
        state = next_pulse(one, state, 2.0)
        currents.append(state.current_ma)
    assert currents[:7] == [6.0] * 7
    assert currents[7:11] == [5.5, 5.0, 4.5, 4.0]
    # Below the current at which a response is to be seen, silence says nothing, and the loop searches upward
    # again.
    assert min(currents) >= 2.0
    assert max(currents[13:]) < 1.2 * 2.0 + 0.5
    assert next_pulse(one, EcapState(4.0, lost=9), 48.0) == EcapState(4.0 + 2.0 * 0.3 / SLOPE)


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf"))), max_size=60),
    st.floats(-100.0, 100.0),
)
def test_no_response_takes_the_current_out_of_its_bounds_or_faster_than_a_step(amplitudes, start):
    one, state = law(most_nc=1500.0), EcapState(start)
    before = min(max(start, 0.5), 7.5)
    for amplitude in amplitudes:
        state = next_pulse(one, state, amplitude)
        assert 0.5 <= state.current_ma <= one.ceiling_ma == 7.5
        assert abs(state.current_ma - before) <= 0.5 + 1e-12
        before = state.current_ma


@pytest.mark.parametrize(
    "more", [{"gain": 0.0}, {"least_ma": 12.0}, {"noise_uv": float("nan")}, {"most_nc": 50.0}]
)
def test_a_law_that_contradicts_itself_is_refused(more):
    with pytest.raises(BadValue, match="and the least current below the most"):
        law(**more)


# ------------------------------------------------------------------ strides
PHASES = np.arange(50) / 50
WANTED = np.exp(-(((PHASES - 0.3) / 0.08) ** 2)) + 0.5 * np.exp(-(((PHASES - 0.75) / 0.06) ** 2))


def learned(profile, measured, *, gain=0.2, delay=0.07, **more):
    given = {"least": 0.0, "most": 5.0, **more}
    return next_stride(profile, wanted=WANTED, measured=measured, gain=gain, delay=delay, **given)


def test_a_stride_is_that_of_the_plain_loops():
    rng = np.random.default_rng(1)
    profile, measured = rng.uniform(0, 3, 50), rng.uniform(0, 1, 50)
    taught = []
    for k in range(50):
        place = k + 0.07 * 50
        a, b = int(place) % 50, (int(place) + 1) % 50
        error = (1 - place % 1) * (WANTED[a] - measured[a]) + place % 1 * (WANTED[b] - measured[b])
        taught.append(profile[k] + 0.2 * error)
    smooth = [np.mean([taught[(k + j) % 50] for j in (-2, -1, 0, 1, 2)]) for k in range(50)]
    np.testing.assert_allclose(learned(profile, measured), np.clip(smooth, 0.0, 5.0), rtol=1e-12)


def test_stride_after_stride_the_muscle_comes_to_do_what_was_wanted():
    wanted = np.interp(np.arange(200) / 200, PHASES, WANTED, period=1.0)
    found = {}
    for delay in (0.07, 0.0):
        profile, errors = np.zeros(200), []
        for _ in range(60):
            # The muscle answers 14 phases later, with half of what was given beyond a threshold.
            measured = 0.5 * np.maximum(0.0, np.roll(profile, 14) - 0.1)
            errors.append(float(np.abs(wanted - measured).mean()))
            profile = next_stride(
                profile, wanted=wanted, measured=measured, gain=0.2, delay=delay, least=0.0, most=5.0
            )
        found[delay] = errors[-1] / errors[0]
    assert found[0.07] < 0.25
    # Where the answer is taken for immediate, what is taught comes too late.
    assert found[0.0] > 2.0 * found[0.07]


def test_a_fall_teaches_nothing_and_bounds_hold_whatever_was_measured():
    profile = np.linspace(-1.0, 6.0, 50)
    assert np.array_equal(learned(profile, np.full(50, 9.0), frozen=True), np.clip(profile, 0.0, 5.0))
    for odd in (np.full(50, np.nan), np.full(50, -np.inf), np.full(50, 1e9)):
        made = learned(np.full(50, 2.0), odd)
        assert np.isfinite(made).all()
        assert ((made >= 0.0) & (made <= 5.0)).all()
    with pytest.raises(BadValue, match="have as many phases, 5 or more"):
        learned(np.zeros(4), np.zeros(4))


def test_a_phase_carries_5_uc_at_most_where_nothing_less_is_stated():
    assert law(most_ma=100.0).ceiling_ma == 5000.0 / 200.0
    assert law(most_ma=100.0, most_nc=1000.0).ceiling_ma == 1000.0 / 200.0
    assert law(most_ma=12.0).ceiling_ma == 12.0
