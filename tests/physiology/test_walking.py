"""Walking: slow and uneven where little is left, better with support and with stimulation at the right phase."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.physiology import Body, Input, Person, Train
from workbench.signals.gait import steps

pytestmark = pytest.mark.job


def walked(residual, *, support=0.0, seconds=60.0, seed=1, **more):
    body = Body(Person(seed=seed, residual=residual, spasms_per_h=0.0), senses=("gait",))
    body.feel(Input(walk=1.0, support=support, posture="standing", **more))
    return body, body.step(seconds)


def strides(body, side):
    """Times between touches of a foot, s."""
    return np.diff([step.touches_s for step in body.steps if step.side == side])


def test_somebody_with_little_left_walks_more_slowly_and_unevenly():
    # Nooijen et al. 2009, doi:10.1186/1743-0003-6-36: slower than others, with shorter steps.
    strong, weak = (walked(residual, support=0.6)[0] for residual in (0.6, 0.15))
    (quick, even), (slow, uneven) = (
        (float(s.mean()), float(s.std() / s.mean())) for s in (strides(body, 0) for body in (strong, weak))
    )
    assert 1.1 < quick < 1.5
    assert 2.0 < slow < 4.5
    assert even < 0.06 < uneven < 0.2
    assert np.mean([s.length_m for s in strong.steps]) > np.mean([s.length_m for s in weak.steps])


def test_support_of_body_weight_and_stimulation_at_the_right_phase_make_swings_succeed():
    def failed(**more):
        body, _ = walked(0.2, seconds=50.0, **more)
        assert all((step.length_m < 0.10) == step.failed for step in body.steps)
        return np.mean([step.failed for step in body.steps])

    alone = failed()
    # Rostral contacts reach the hip flexors, caudal ones the muscles that hold the leg down.
    lifted = failed(trains=(Train(0, 2.0), Train(8, 2.0)))
    held = failed(trains=(Train(7, 2.0), Train(15, 2.0)))
    assert failed(support=0.6) < alone - 0.3
    assert lifted < alone - 0.3
    assert held >= alone


def test_stimulation_helps_a_swing_and_nothing_outside_of_it():
    def failed(*, in_swing):
        body = Body(Person(seed=1, residual=0.2, spasms_per_h=0.0), senses=("gait",))
        for _ in range(500):
            phases = body.walker.phases
            swinging = [phases is not None and phases[side] >= 0.6 for side in (0, 1)]
            contacts = [8 * side for side in (0, 1) if swinging[side] == in_swing]
            body.feel(Input(walk=1.0, trains=tuple(Train(c, 2.0) for c in contacts), posture="standing"))
            body.step(0.1)
        return np.mean([step.failed for step in body.steps])

    assert failed(in_swing=True) < failed(in_swing=False) - 0.3


def driven_now_and_then(*, on):
    """A walk in which stimulation lifts both legs whenever ``on(phases)`` says so."""
    body = Body(Person(seed=1, residual=0.35, spasms_per_h=0.0), senses=("gait",))
    shanks = []
    for _ in range(4000):
        trains = (Train(0, 2.5), Train(8, 2.5)) if on(body.walker.phases) else ()
        body.feel(Input(walk=1.0, support=0.7, trains=trains, posture="standing"))
        shanks.append(body.step(0.01).shanks)
    assert not any(step.failed for step in body.steps)
    return body, np.concatenate(shanks)


def test_a_stride_of_another_length_moves_no_leg_in_a_leap():
    turns = iter(range(4000))
    body, shanks = driven_now_and_then(on=lambda phases: next(turns) % 700 < 350)
    assert np.ptp(strides(body, 0)) > 0.5
    assert np.abs(shanks).max() < 700.0


def test_how_long_a_stride_is_rests_on_the_drive_of_the_whole_stride_before_it():
    never, moments, always = (
        strides(driven_now_and_then(on=on)[0], 0).mean()
        for on in (lambda _: False, lambda phases: phases and not 0.05 < phases[0] < 0.95, lambda _: True)
    )
    assert always < never - 0.5
    assert abs(moments - never) < 0.2 * (never - always)


def test_shanks_show_every_step_that_succeeds_to_the_detector_of_recordings():
    body, got = walked(0.5, support=0.4)
    assert not any(step.failed for step in body.steps)
    for side in (0, 1):
        truth = [step for step in body.steps if step.side == side]
        found = steps(got.shanks[:, side], fs=100.0)
        # More than 98 % by a gyroscope: Sensors 2010, 10(6), 5683.
        assert abs(len(found) - len(truth)) <= 1
        touches = np.array([one.touches for one in found if one.touches > 0]) / 100.0
        nearest = [np.abs(touches - step.touches_s).min() for step in truth[1:-1]]
        assert np.median(nearest) < 0.12


def test_joints_move_through_a_normal_range_and_rest_while_the_person_stands():
    body, got = walked(0.6, support=0.5, seconds=15.0)
    hip, knee = got.kinematics[500:, 0], got.kinematics[500:, 1]
    assert 30.0 < np.ptp(hip) < 60.0
    assert 45.0 < np.ptp(knee) < 75.0
    body.feel(Input())
    body.step(3.0)
    assert body.step(1.0).kinematics.std() < 1.0
    assert body.walker.phases is None


def test_muscles_contract_in_their_phase_of_the_stride():
    body = Body(Person(seed=1, residual=0.6, spasms_per_h=0.0), senses=("emg", "gait"))
    body.feel(Input(walk=1.0, support=0.5))
    quadriceps, triceps = [], []
    for _ in range(1500):
        emg = body.step(0.01).emg
        if body.walker.phases is not None:
            phase = body.walker.phases[0]
            quadriceps.append((phase, np.abs(emg[:, 0]).mean()))
            triceps.append((phase, np.abs(emg[:, 3]).mean()))
    for rows, window, silent in ((quadriceps, (0.0, 0.2), (0.45, 0.8)), (triceps, (0.3, 0.5), (0.75, 1.0))):
        phase, size = np.array(rows).T
        on, off = (size[(phase >= a) & (phase < b)].mean() for a, b in (window, silent))
        assert on > 2.0 * off
