"""Steps of a leg from the angular velocity of its shank, at the moments that the wave was made of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from workbench.errors import BadSignal, BadValue
from workbench.signals.gait import steps

FS = 100.0
DELAY = 0.22 / 8.0
"""Of the low-pass, s."""


def walk(strides=12, *, seed=0, noise=5.0):
    """Angular velocity of a shank, deg/s, and when each foot leaves, swings and touches, s."""
    rng = np.random.default_rng(seed)
    knots, values, events, t = [0.0], [-10.0], [], 0.5
    for _ in range(strides):
        length = float(rng.uniform(1.1, 1.5))
        leaves, swings, touches = t + 0.6 * length, t + 0.78 * length, t + 0.95 * length
        knots += [t + 0.2 * length, leaves, swings, touches]
        values += [-20.0, -120.0, 280.0, -150.0]
        events.append((leaves, swings, touches))
        t += length
    knots.append(t + 0.5)
    values.append(-10.0)
    at = np.arange(0.0, t + 0.5, 1.0 / FS)
    return PchipInterpolator(knots, values)(at) + rng.normal(0, noise, len(at)), events


def test_a_foot_leaves_and_touches_the_ground_where_it_does():
    wave, events = walk()
    found = steps(wave, fs=FS)
    assert len(found) == len(events)
    for step, (leaves, swings, touches) in zip(found, events, strict=True):
        assert step.leaves / FS == pytest.approx(leaves + DELAY, abs=0.05)
        assert step.swings / FS == pytest.approx(swings + DELAY, abs=0.03)
        assert step.touches / FS == pytest.approx(touches + DELAY, abs=0.05)


def test_a_slow_movement_is_no_step_and_one_cut_off_has_no_end():
    wave, events = walk(3, noise=0.0)
    assert steps(0.3 * wave, fs=FS) == []
    first = steps(wave[: round((events[0][1] + 0.1) * FS)], fs=FS)
    assert [(one.touches, one.leaves > 0) for one in first] == [(-1, True)]
    begun = steps(wave[round((events[0][0] + 0.1) * FS) :], fs=FS)
    assert begun[0].leaves == -1
    assert begun[0].touches > 0


def test_two_peaks_of_one_swing_are_one_step():
    wave, events = walk(3, noise=0.0)
    at = round(events[1][1] * FS)
    wave[at - 3 : at + 3] -= 240.0
    assert len(steps(wave, fs=FS)) == 3


def test_a_wave_or_rate_that_cannot_be_is_refused():
    with pytest.raises(BadSignal, match="angular velocity is one finite sample after the other"):
        steps(np.array([1.0, np.inf]), fs=FS)
    with pytest.raises(BadValue, match="a low-pass of 8 Hz takes a rate above twice that, got 16 Hz"):
        steps(np.zeros(100), fs=16.0)
