"""Checks of epochs and labels before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import BadSignal
from workbench.messages import Message
from workbench.signals.units import BEYOND_UV, epochs_uv
from workbench.vocabulary import FloatArray

FEWEST = 2
"""Least number of epochs of each class."""


def checked_epochs(X: ArrayLike, *, n_channels: int | None = None, fs: float | None = None) -> FloatArray:
    """Epochs as float64, or :class:`BadSignal`: shape, channels, finite values, no flat channel.

    Parameters
    ----------
    X : ``(n_epochs, n_channels, n_times)``, µV, raw; or ``mne.Epochs``, which are in V and are scaled.
    n_channels : what the decoder was fitted on, or None.
    fs : rate in Hz that the decoder works at; Epochs of another are refused.
    """
    # SciPy's sparse arrays: converted silently they would become an array of one object.
    if hasattr(X, "toarray"):
        raise BadSignal("sparse input is not supported: samples are hardly ever 0; give a dense array of epochs")
    samples = np.asarray(epochs_uv(X, fs=fs))
    if samples.dtype.kind == "c":
        raise BadSignal("Complex data not supported: epochs are samples in µV; give the signal, not its spectrum")
    epochs = np.asarray(samples, dtype=np.float64)
    if epochs.ndim != 3 or 0 in epochs.shape:
        raise BadSignal(f"epochs must have shape (n_epochs, n_channels, n_times), got {epochs.shape}")
    if n_channels is not None and epochs.shape[1] != n_channels:
        raise BadSignal(f"the decoder was fitted on {n_channels} channels, got {epochs.shape[1]}; use its montage")
    sound = (np.abs(epochs) < BEYOND_UV).all(axis=2)
    _raise_for(~sound, f"contain values that are not finite (NaN, inf, or beyond {BEYOND_UV / 1e6:g} V)")
    _raise_for((epochs == epochs[:, :, :1]).all(axis=2), "are flat")
    return epochs


def channel_names(X: Any) -> tuple[str, ...] | None:
    """Names of the channels of ``mne.Epochs`` or a list of them, None of arrays, which name none."""
    first = X[0] if isinstance(X, list | tuple) and len(X) else X
    return tuple(first.ch_names) if hasattr(first, "ch_names") else None


def channel_difference(fitted: Sequence[str], actual: Sequence[str]) -> Message:
    """A phrase that says how two lists of channels differ: count, names, order."""
    missing = [name for name in fitted if name not in actual]
    extra = [name for name in actual if name not in fitted]
    facts = [Message("channels.missing", names=missing)] if missing else []
    facts += [Message("channels.unknown", names=extra)] if extra else []
    if len(fitted) != len(actual):
        facts.insert(0, Message("channels.count", n=len(actual), expected=len(fitted)))
    if not facts:
        moved = [Message("channels.moved", was=a, now=b) for a, b in zip(fitted, actual) if a != b]
        facts = [Message("channels.order", moved=reduce(_joined, moved[:4]))]
    return reduce(_joined, facts)


def _joined(first: Message, rest: Message) -> Message:
    return Message("channels.and", first=first, rest=rest)


def checked_blocks(blocks: ArrayLike | None, *, n: int) -> NDArray[Any] | None:
    """Blocks as an array ``(n,)``, None where none are given, or :class:`BadSignal` for another length."""
    if blocks is None:
        return None
    array = np.asarray(blocks)
    if array.shape != (n,):
        raise BadSignal(f"blocks must have shape ({n},), one for each epoch or window, got {array.shape}")
    return array


def _raise_for(wrong: Any, fact: str) -> None:
    if wrong.any():
        epochs, channels = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
        raise BadSignal(
            f"{len(epochs)} of {len(wrong)} epochs {fact}: first in epoch {epochs[0]}; channels (counted from 0) "
            f"{', '.join(map(str, channels[:8].tolist()))}. Leave those epochs or channels out"
        )


def checked_labels(y: ArrayLike, *, n: int) -> NDArray[Any]:
    """Labels as an array, or :class:`BadSignal`: length, two classes or more, enough of each."""
    if y is None:
        raise BadSignal("fit requires y to be passed, but the target y is None; give the class of each epoch")
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise BadSignal(f"labels must have shape ({n},), one for each epoch or window, got {labels.shape}")
    # Classes may be numbers; a fraction means that a regression target was passed.
    if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
        raise BadSignal(
            "Unknown label type: continuous; labels contain fractions or NaN, and a class is a name or an integer"
        )
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise BadSignal(f"labels contain one class ({', '.join(map(str, classes))}); a decoder needs at least two")
    if counts.min() < FEWEST:
        raise BadSignal(
            f"class {classes[counts.argmin()]!s} has {counts.min()} epoch; at least {FEWEST} of each are needed"
        )
    return labels
