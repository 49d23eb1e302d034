"""Cutting epochs: the only place that transposes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


def cut(samples: FloatArray, starts: Sequence[int], n: int) -> FloatArray:
    """Cut epochs of ``n`` samples.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV, as they arrive.
    starts : first sample of each epoch; overlapping and repeated starts give separate epochs.
    n : samples of an epoch.

    Returns
    -------
    ``(n_epochs, n_channels, n)`` float64, µV, in the order of ``starts``.

    Raises
    ------
    BadValue
        When an epoch does not lie inside the samples: nothing is padded.
    """
    if n < 1:
        raise BadValue(Message("signal.epoch_length", got=n))
    epochs = np.empty((len(starts), samples.shape[1], n))
    for i, start in enumerate(starts):
        if start < 0 or start + n > len(samples):
            raise BadValue(
                Message("signal.epoch_outside", n=str(i), start=str(start), stop=str(start + n), last=len(samples))
            )
        epochs[i] = samples[start : start + n].T
    return epochs


def rows(epoch: FloatArray) -> FloatArray:
    """An epoch ``(n_channels, n_times)`` as samples ``(n_times, n_channels)`` float64, as they arrived."""
    return np.ascontiguousarray(np.asarray(epoch, dtype=np.float64).T)
