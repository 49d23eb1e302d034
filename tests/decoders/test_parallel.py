"""Fits share their epochs among the processors."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.decoders import load
from workbench.decoding.reducers import Covariances
from workbench.errors import BadSignal
from workbench.fitting import parallel
from workbench.fitting.parallel import by_stretches


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50])
def test_stretches_stand_in_the_order_of_the_items(n):
    items = np.arange(7.0)
    parts = by_stretches(lambda some: some * 2.0, items, n=n)
    assert np.concatenate(parts).tolist() == (items * 2.0).tolist()
    assert len(parts) == min(n, 7)


@pytest.mark.parametrize("shrunk", [False, True])
def test_windows_summarised_together_have_the_bits_of_each_by_itself(shrunk):
    windows = np.random.default_rng(4).normal(0, 3, (9, 70, 10))
    reducer = Covariances(2, shrunk=shrunk)
    each = np.array([reducer.summarise(window) for window in windows])
    assert np.array_equal(reducer.summarise_each(windows), each)


def test_the_number_of_processors_changes_no_bit_of_a_fitted_decoder(monkeypatch):
    rng = np.random.default_rng(5)
    x, y = rng.normal(0, 5, (20, 4, 500)), np.array(["a", "b"] * 10)
    x[y == "a", 0] *= 3.0
    learned = set()
    for n in (1, 2):
        monkeypatch.setattr(parallel, "processors", lambda n=n: n)
        monkeypatch.setattr(parallel, "FEWEST", 4)
        decoder = load("csp_lda")(250.0).fit(x, y)
        learned.add(b"".join(getattr(decoder, name).tobytes() for name in decoder.learned))
    assert len(learned) == 1


def test_an_error_in_one_stretch_is_the_error_of_the_whole():
    def work(some):
        if some[0] > 3:
            raise ValueError("one of them")

    with pytest.raises(ValueError, match="one of them"):
        by_stretches(work, np.arange(8.0), n=2)


def test_windows_given_together_or_one_after_the_other_give_the_same_fit():
    rng = np.random.default_rng(6)
    windows, y = rng.normal(0, 5, (20, 125, 4)), np.array(["a", "b"] * 10)
    windows[y == "a", :, 0] *= 3.0
    learned = []
    for given in (windows, iter(windows)):
        decoder = load("csp_lda")(250.0, window_s=0.5, reference="none").fit_windows(given, y, n_channels=4)
        learned.append([getattr(decoder, name).tolist() for name in decoder.learned])
    assert learned[0] == learned[1]


def test_windows_of_another_shape_are_refused():
    decoder = load("csp_lda")(250.0, window_s=0.5, reference="none")
    with pytest.raises(BadSignal, match=r"must have shape \(125, 4\)"):
        decoder.fit_windows(np.zeros((4, 124, 4)), ["a", "b"] * 2, n_channels=4)
