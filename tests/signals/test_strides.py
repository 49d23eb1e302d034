"""An envelope over the phases of strides: the plain loops, what is no stride, a target, and learning from them."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.control import next_stride
from workbench.errors import BadSignal, BadValue
from workbench.signals.strides import by_phase, target, tracking

FS, N = 200.0, 20
PHASES = (np.arange(N) + 0.5) / N


def bump(centre, width=0.08):
    return np.exp(-(((PHASES - centre) / width) ** 2))


def test_each_phase_is_the_mean_of_its_samples_whatever_the_stride_lasts():
    rng = np.random.default_rng(0)
    touches = np.cumsum([13, *rng.integers(150, 300, 8)]).tolist()
    envelope = rng.uniform(0.0, 3.0, touches[-1] + 50)
    made = by_phase(envelope, touches, fs=FS, n_phases=N)
    for row, begin, end in zip(made, touches, touches[1:], strict=False):
        for phase in range(N):
            inside = [k for k in range(begin, end) if int((k - begin) * N / (end - begin)) == phase]
            assert row[phase] == pytest.approx(np.mean(envelope[inside]), rel=1e-12)
    assert len(made) == 8


def test_what_is_no_stride_or_is_not_known_is_no_number():
    envelope = np.ones(3000)
    envelope[900] = np.nan
    # A stumble of 0.2 s, a stride, one with a sample that is not known, a stop of 6 s, and one that is cut off.
    made = by_phase(envelope, [100, 140, 360, 1000, 1200, 2400, 2600, 3100], fs=FS, n_phases=N, longest_s=5.0)
    assert np.isfinite(made).all(axis=1).tolist() == [False, True, False, True, False, True, False]
    assert not np.isfinite(by_phase(envelope, [100, 115], fs=20.0, n_phases=N)).any()
    assert by_phase(envelope, [], fs=FS).shape == (0, 50)


def test_a_stride_follows_what_is_wanted_by_its_shape_alone():
    strides = np.array([7.0 + 3.0 * bump(0.3), -bump(0.3), bump(0.7), np.full(N, 2.0), np.full(N, np.nan)])
    found = tracking(strides, bump(0.3))
    assert found[:2] == pytest.approx([1.0, -1.0])
    assert found[2] == pytest.approx(np.corrcoef(bump(0.7), bump(0.3))[0, 1])
    assert np.isnan(found[3:]).all()


def test_a_target_is_the_mean_of_the_strides_that_are_most_alike_or_most_like_a_template():
    rng = np.random.default_rng(1)
    good = [2.0 * bump(0.3) + rng.normal(0.0, 0.02, N) for _ in range(6)]
    odd = [5.0 * bump(0.8), np.zeros(N), np.full(N, np.nan)]
    strides = np.array([odd[0], *good[:3], odd[1], *good[3:], odd[2]])
    np.testing.assert_allclose(target(strides, best=6), np.mean(good, axis=0), rtol=1e-12)
    np.testing.assert_allclose(target(strides, template=bump(0.8), best=1), odd[0], rtol=1e-12)
    np.testing.assert_allclose(target(strides, best=8)[0], np.mean([*good, *odd[:2]], axis=0)[0], rtol=1e-12)


def test_a_muscle_learns_its_target_over_strides_that_last_differently():
    rng, n_phases, late = np.random.default_rng(2), 100, 16
    at = (np.arange(n_phases) + 0.5) / n_phases
    wanted, profile, errors = np.exp(-(((at - 0.35) / 0.08) ** 2)), np.zeros(n_phases), []
    for _ in range(60):
        n = int(rng.integers(190, 260))
        # The muscle answers 80 ms later with half of what it is given, however long the stride lasts.
        answer = 0.5 * np.interp((np.arange(n) - late) / n, at, profile, period=1.0)
        (measured,) = by_phase(answer, [0, n], fs=FS, n_phases=n_phases)
        errors.append(float(np.abs(wanted - measured).mean()))
        profile = next_stride(
            profile, wanted=wanted, measured=measured, gain=0.4, delay=late / n, least=0.0, most=4.0
        )
    assert errors[-1] < 0.25 * errors[0]
    assert at[int(np.argmax(profile))] == pytest.approx(0.35 - late / 225, abs=0.03)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: by_phase(np.ones((9, 2)), [0, 5], fs=FS), BadSignal, r"of one muscle.*\(9, 2\)"),
        (lambda: by_phase(np.ones(900), [300, 200], fs=FS), BadValue, "must rise from 0 on"),
        (lambda: by_phase(np.ones(900), [-1, 200], fs=FS), BadValue, "must rise from 0 on"),
        (lambda: by_phase(np.ones(900), [0, 200], fs=FS, n_phases=4), BadValue, "5 or more"),
        (lambda: by_phase(np.ones(900), [0, 200], fs=FS, shortest_s=4.0), BadValue, "hold something"),
        (lambda: tracking(np.ones((3, N)), np.ones(N)), BadValue, "not be the same at each"),
        (lambda: tracking(np.ones((3, N)), bump(0.3)[:5]), BadValue, "phases of the strides"),
        (lambda: target(np.ones((3, N)) * bump(0.3), best=4), BadValue, "3 strides are complete"),
    ],
)
def test_what_cannot_be_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
