"""Bounds on the decision path, at the very value."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoding.accumulation import Trigger
from workbench.decoding.activity import Level
from workbench.decoding.flashes import Flashes
from workbench.decoding.stream import Rejection
from workbench.decoding.windows import Windows
from workbench.errors import BadValue
from workbench.kernels.scores import log_odds
from workbench.vocabulary import Evidence

FS = 200.0


@pytest.fixture(scope="module")
def fitted():
    x = np.random.default_rng(0).normal(0.0, 10.0, (40, 2, 80))
    x[::2, 0] *= 2.5
    return decoders.load("bandpower_lda")(fs=FS, window_s=0.4, reference="none", evidence={"novelty": None}).fit(
        x, np.array(["left", "right"])[np.arange(40) % 2]
    )


@pytest.mark.parametrize(("side", "beyond"), [("low_", np.inf), ("high_", -np.inf)])
def test_a_window_is_valid_up_to_the_very_power_that_is_allowed(fitted, monkeypatch, side, beyond):
    samples = np.random.default_rng(1).normal(0.0, 10.0, (200, 2))
    signal = fitted.signal()
    signal.step(samples)
    reducer = fitted.reducer()
    power = reducer.lane_power(reducer.summarise(signal.window(200)[0]))

    def valid(limit):
        monkeypatch.setattr(fitted, side, limit)
        stream = fitted.start()
        stream.step(samples)
        return stream.evidence(200).valid

    assert valid(power)
    for lane in range(len(power)):
        limit = power.copy()
        limit[lane] = np.nextafter(power[lane], beyond)
        assert not valid(limit)


@pytest.mark.parametrize(("limit", "outlier"), [(25.0, False), (np.nextafter(25.0, 0.0), True)])
def test_a_window_is_an_outlier_beyond_the_greatest_distance_and_not_at_it(limit, outlier):
    rejection = Rejection(0.0, np.eye(2), np.array([[0.0, 0.0], [99.0, 99.0]]), limit)
    assert rejection.outlier(np.array([3.0, 4.0])) == outlier
    assert rejection.outlier(np.array([np.nan, 4.0]))


def test_a_movement_is_detected_at_the_very_threshold_and_not_below():
    scores = np.log([0.25, 0.5, 0.25])
    odds = np.empty(3)
    log_odds(scores, odds)
    threshold = -float(odds[0])
    for bound, detected in ((threshold, True), (np.nextafter(threshold, np.inf), False)):
        trigger = Trigger(bound, rest=0, refractory=3, n_classes=3)
        probabilities = trigger.probabilities(trigger.step(trigger.initial, scores))
        assert (int(np.argmax(probabilities)) == 1) == detected


SUMS = {
    "windows": lambda n, most, stop: Windows(n, windows=most, stop=stop),
    "flashes": lambda n, most, stop: Flashes(n, log_prior=(0.0, 0.0), target=1, repetitions=most, stop=stop),
}


@pytest.mark.parametrize("kind", SUMS)
def test_the_least_that_may_be_chosen_from_is_two_items_in_one_look(kind):
    SUMS[kind](2, (1, 1), 0.5)
    for n, most, stop in [
        (1, (1, 1), 0.5),
        (2, (0, 1), 0.5),
        (2, (2, 1), 0.5),
        (2, (1, 1), 0.0),
        (2, (1, 1), 1.0),
    ]:
        with pytest.raises(BadValue, match="two items or more"):
            SUMS[kind](n, most, stop)


def test_what_several_windows_say_is_the_product_of_what_each_says():
    windows = Windows(3)
    said = np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])
    for end, one in enumerate(said):
        windows.add(Evidence(end, tuple(one)))
    product = said.prod(axis=0)
    np.testing.assert_allclose(windows.probabilities, product / product.sum(), rtol=1e-12)


def test_nothing_but_rest_is_said_after_a_movement_that_was_held():
    trigger = Trigger(0.0, rest=0, refractory=1, n_classes=3)
    moving, still = np.log([0.1, 0.8, 0.1]), np.log([0.8, 0.1, 0.1])
    state = trigger.step(trigger.initial, moving)
    assert trigger.probabilities(state)[1] > 0.8
    assert tuple(trigger.probabilities(trigger.step(state, still))) == (1.0, 0.0, 0.0)


def test_what_is_below_the_usual_has_the_level_0():
    level = Level(np.array([5.0, 2.0]), np.array([1.0, 4.0]))
    assert level.features(np.array([4.5, 1.0])) == 0.0
    assert level.features(np.array([4.5, 4.0])) == 0.5
