"""Splits into training and judged epochs: by run, by session, or in contiguous blocks, never shuffled.

Neighbouring epochs share drift, posture and electrode state; a shuffled split lets the decoder meet its
neighbour in training and reports what nobody will see online (Varoquaux 2018, NeuroImage 180:68–77,
doi:10.1016/j.neuroimage.2017.06.061).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadValue

Index = NDArray[np.int64]


class Fold(NamedTuple):
    """Positions of the training and of the judged epochs, and a label of what is judged."""

    train: Index
    judged: Index
    words: str


def leave_one_out(groups: Sequence[str]) -> Iterator[Fold]:
    """Each run (or session, or participant) is judged once by what was fitted on all others.

    Parameters
    ----------
    groups : ``(n,)`` name of the run of each epoch, in order of time.

    Raises
    ------
    BadValue
        With fewer than two groups.
    """
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise BadValue(f"leaving one out needs two runs or more, got {len(names)}; use contiguous blocks")
    labels = np.array(groups)
    for name in names:
        yield Fold(np.flatnonzero(labels != name), np.flatnonzero(labels == name), f"run {name}")


def blocks(n: int, *, k: int = 5, gap: int = 0) -> Iterator[Fold]:
    """``k`` contiguous blocks of one run in order of time; ``gap`` epochs beside the judged block train nothing.

    Parameters
    ----------
    n : epochs, in order of time.
    k : blocks.
    gap : epochs on each side of the judged block that train nothing.

    Raises
    ------
    BadValue
        With fewer than two blocks, fewer epochs than blocks, or a gap that leaves a block nothing to train on.
    """
    if k < 2 or n < k or gap < 0:
        raise BadValue(
            f"contiguous blocks need k of 2 or more and as many epochs, got k = {k}, n = {n}, gap = {gap}"
        )
    edges = np.linspace(0, n, k + 1).round().astype(np.int64)
    positions = np.arange(n)
    for number, (start, stop) in enumerate(zip(edges[:-1], edges[1:]), start=1):
        train = np.flatnonzero((positions < start - gap) | (positions >= stop + gap))
        if not len(train):
            raise BadValue(
                f"contiguous blocks with a gap of {gap} leave block {number} of {k} nothing to train on, got "
                f"n = {n}; take a smaller gap or more epochs"
            )
        yield Fold(train, positions[start:stop], f"block {number} of {k}")


def check_split(train: Sequence[int], judged: Sequence[int], groups: Sequence[str]) -> None:
    """Refuse a custom split that shuffles neighbours.

    A split is sound when no run has epochs on both sides, or where it has, the judged ones of that run are
    one contiguous block.

    Parameters
    ----------
    train, judged : positions of the epochs of each side.
    groups : run of each epoch.

    Raises
    ------
    BadValue
        An epoch on both sides, an epoch that has no run, or judged epochs of a run scattered among its training
        epochs.
    """
    trains, judges = {int(i) for i in train}, {int(i) for i in judged}
    shared = sorted(trains & judges)
    if shared:
        raise BadValue(f"epoch {shared[0]} stands on both sides of the split; leave it out of one")
    outside = sorted(i for i in trains | judges if not 0 <= i < len(groups))
    if outside:
        raise BadValue(f"epochs are 0 to {len(groups) - 1}, one run name each; got epoch {outside[0]}")
    for name in dict.fromkeys(groups):
        members = [i for i, group in enumerate(groups) if group == name and (i in judges or i in trains)]
        sides = [i in judges for i in members]
        # Starts of judged stretches: two or more mean that training epochs lie between judged ones.
        pieces = sum(b and not a for a, b in zip([False, *sides], sides))
        if pieces > 1:
            raise BadValue(
                f"the split shuffles neighbouring epochs of run {name!r}: an epoch is judged by its neighbours. "
                "Leave whole runs out, or judge contiguous blocks"
            )
