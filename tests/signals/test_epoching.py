"""Epochs are cut where they lie; nothing is padded."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.signals import cut
from workbench.signals.epoching import rows


def test_overlapping_and_repeated_starts_give_separate_epochs():
    x = np.arange(40.0).reshape(20, 2)
    epochs = cut(x, [3, 3, 5], 4)
    assert epochs.shape == (3, 2, 4)
    assert np.array_equal(epochs[0], x[3:7].T)
    assert np.array_equal(epochs[0], epochs[1])
    assert np.array_equal(epochs[2], x[5:9].T)
    assert np.array_equal(rows(epochs[2]), x[5:9])


@pytest.mark.parametrize("start", [-1, 17])
def test_an_epoch_that_does_not_lie_inside_is_refused(start):
    with pytest.raises(BadValue, match="the recording ends at 20"):
        cut(np.zeros((20, 2)), [0, start], 4)


def test_an_empty_epoch_is_refused():
    with pytest.raises(BadValue, match="at least 1 sample"):
        cut(np.zeros((20, 2)), [0], 0)


def test_no_start_gives_an_empty_stack():
    assert cut(np.zeros((20, 2)), [], 4).shape == (0, 2, 4)
