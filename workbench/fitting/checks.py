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

SAME = 1e-9
"""Epochs that differ by less than this share of their largest value are one and the same."""


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
        raise BadSignal(Message("fit.sparse"))
    samples = np.asarray(epochs_uv(X, fs=fs))
    if samples.dtype.kind == "c":
        raise BadSignal(Message("fit.complex"))
    epochs = np.asarray(samples, dtype=np.float64)
    if epochs.ndim != 3 or 0 in epochs.shape:
        raise BadSignal(Message("fit.epochs_shape", got=str(epochs.shape)))
    if n_channels is not None and epochs.shape[1] != n_channels:
        raise BadSignal(Message("fit.n_channels", n=n_channels, got=str(epochs.shape[1])))
    sound = (np.abs(epochs) < BEYOND_UV).all(axis=2)
    if not sound.all():
        n, first, channels = _places(np.logical_not(sound))
        beyond = f"{BEYOND_UV / 1e6:g}"
        raise BadSignal(
            Message("fit.epochs_not_finite", n=n, all=len(epochs), beyond=beyond, first=first, channels=channels)
        )
    if (flat := (epochs == epochs[:, :, :1]).all(axis=2)).any():
        n, first, channels = _places(flat)
        raise BadSignal(Message("fit.epochs_flat", n=n, all=len(epochs), first=first, channels=channels))
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
        raise BadSignal(Message("fit.blocks_shape", n=n, got=str(array.shape)))
    return array


def _places(wrong: NDArray[np.bool_]) -> tuple[int, int, list[str]]:
    """How many epochs of ``(n_epochs, n_channels)`` are wrong, the first of them, and up to eight channels."""
    epochs, channels = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
    return len(epochs), int(epochs[0]), [str(channel) for channel in channels[:8]]


def checked_labels(y: ArrayLike, *, n: int) -> NDArray[Any]:
    """Labels as an array, or :class:`BadSignal`: length, two classes or more, enough of each."""
    if y is None:
        raise BadSignal(Message("fit.no_labels"))
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise BadSignal(Message("fit.labels_shape", n=n, got=str(labels.shape)))
    # Classes may be numbers; a fraction means that a regression target was passed.
    if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
        raise BadSignal(Message("fit.labels_continuous"))
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise BadSignal(Message("fit.one_class", got=list(map(str, classes))))
    if counts.min() < FEWEST:
        raise BadSignal(
            Message("fit.few_epochs", name=f"{classes[counts.argmin()]!s}", n=str(counts.min()), least=FEWEST)
        )
    return labels


def checked_variation(examples: FloatArray, labels: NDArray[Any]) -> None:
    """:class:`BadSignal` where all examples of a class repeat one: nothing is learned of how a class varies.

    Parameters
    ----------
    examples : ``(n, …)`` float64, epochs or what is kept of windows.
    labels : ``(n,)`` class of each.
    """
    for name in np.unique(labels):
        first, *others = examples[labels == name]
        if all(np.abs(other - first).max() <= SAME * np.abs(first).max() for other in others):
            raise BadSignal(Message("fit.repeats", name=f"{name!s}", n=len(others) + 1))
