"""Evidence over flashes: Bayes' rule, repetitions, what counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import decoders
from workbench.decoding.windows import Windows
from workbench.errors import BadValue
from workbench.vocabulary import Evidence

PRIOR = np.log([5 / 6, 1 / 6])


def flash(p, **flags):
    return Evidence(100, (1 - p, p), **flags)


def test_the_posterior_is_bayes_rule_over_the_flashes():
    flashes = decoders.Flashes(3, log_prior=PRIOR, target=1)
    seen = [((0, 1), 0.4), ((1, 2), 0.1), ((0, 2), 0.3), ((0,), 0.5)]
    posterior = np.ones(3)
    for items, p in seen:
        flashes.add(items, flash(p))
        target, other = p / (1 / 6), (1 - p) / (5 / 6)
        posterior *= [target if item in items else other for item in range(3)]
    np.testing.assert_allclose(flashes.probabilities, posterior / posterior.sum(), rtol=1e-12)
    assert flashes.counts == [3, 2, 2]


def test_flashes_that_say_only_the_prior_change_nothing():
    flashes = decoders.Flashes(4, log_prior=PRIOR, target=1)
    flashes.add((1, 3), flash(1 / 6))
    np.testing.assert_allclose(flashes.probabilities, 0.25, rtol=1e-12)


def test_target_may_be_the_first_class():
    one = decoders.Flashes(2, log_prior=PRIOR, target=1)
    two = decoders.Flashes(2, log_prior=PRIOR[::-1], target=0)
    one.add((0,), flash(0.7))
    two.add((0,), Evidence(100, (0.7, 0.3)))
    np.testing.assert_allclose(one.probabilities, two.probabilities, rtol=1e-12)


def test_nothing_is_chosen_before_the_least_repetitions_and_then_the_first_that_is_sure():
    flashes = decoders.Flashes(2, log_prior=(np.log(0.5), np.log(0.5)), target=1)
    for repetition in range(3):
        assert (flashes.chosen, flashes.likeliest) == (None, None), repetition
        flashes.add((0,), flash(0.1))
        flashes.add((1,), flash(0.9))
    assert (flashes.chosen, flashes.likeliest) == (1, 1)
    flashes.reset()
    assert flashes.chosen is None
    assert flashes.counts == [0, 0]
    assert flashes.probabilities == (0.5, 0.5)


def test_after_the_most_repetitions_the_likeliest_is_chosen():
    flashes = decoders.Flashes(2, log_prior=(np.log(0.5), np.log(0.5)), target=1, repetitions=(3, 5))
    for _ in range(5):
        assert flashes.chosen is None
        flashes.add((0,), flash(0.51))
        flashes.add((1,), flash(0.5))
    assert max(flashes.probabilities) < 0.95
    assert flashes.chosen == 0


@pytest.mark.parametrize("flags", [{"valid": False}, {"rejected": True}])
def test_evidence_that_is_not_sound_counts_for_nothing(flags):
    flashes = decoders.Flashes(2, log_prior=PRIOR, target=1)
    flashes.add((0,), flash(0.99, **flags))
    assert flashes.counts == [0, 0]
    assert flashes.probabilities == (0.5, 0.5)


def test_a_flash_that_is_certain_leaves_probabilities_finite():
    flashes = decoders.Flashes(3, log_prior=PRIOR, target=1)
    flashes.add((0,), flash(1.0))
    flashes.add((1,), flash(0.0))
    assert np.isfinite(flashes.probabilities).all()
    assert flashes.probabilities[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "params",
    [
        {"n_items": 1},
        {"repetitions": (0, 3)},
        {"repetitions": (4, 3)},
        {"stop": 1.0},
        {"log_prior": (0.0, 0.0, 0.0)},
        {"target": 2},
    ],
)
def test_what_makes_no_choice_is_refused(params):
    with pytest.raises(BadValue, match="got"):
        decoders.Flashes(**{"n_items": 3, "log_prior": PRIOR, "target": 1, **params})


@pytest.mark.parametrize("items", [(), (3,), (-1, 0)])
def test_items_that_are_not_there_are_refused(items):
    with pytest.raises(BadValue, match="items are 0 to 2"):
        decoders.Flashes(3, log_prior=PRIOR, target=1).add(items, flash(0.5))


def test_evidence_of_more_classes_is_refused():
    with pytest.raises(BadValue, match="got 3 classes"):
        decoders.Flashes(3, log_prior=PRIOR, target=1).add((0,), Evidence(1, (0.2, 0.3, 0.5)))


def test_a_decoder_of_flashes_spells():
    fs, rng = 64.0, np.random.default_rng(0)
    t = np.arange(round(1.3 * fs)) / fs - 0.5
    response = 6.0 * np.exp(-0.5 * ((t - 0.35) / 0.07) ** 2)

    def epochs(targets):
        return rng.normal(0, 10, (len(targets), 4, len(t))) + response * np.array(targets)[:, None, None]

    truth = np.arange(240) % 6 == 0
    decoder = decoders.load("xdawn_lda")(fs).fit(
        epochs(truth), np.where(truth, "target", "nontarget"), lead_in=0.5
    )
    right, used = 0, []
    for meant in range(6):
        flashes = decoders.Flashes(6, log_prior=decoder.log_prior_, target=1)
        while flashes.chosen is None:
            x = epochs([item == meant for item in range(6)])
            for item, p in enumerate(decoder.predict_proba(x)):
                flashes.add((item,), Evidence(0, tuple(p)))
        right += flashes.chosen == meant
        used.append(flashes.counts[0])
    assert right >= 5
    assert 3 <= min(used) <= max(used) <= 12


def test_a_sum_over_windows_takes_evidence_of_its_items_alone():
    sums = Windows(3)
    with pytest.raises(BadValue, match="evidence of 3 items is needed, got 2"):
        sums.add(Evidence(100, (0.5, 0.5), valid=True))
    assert sums.count == 0
