"""One participant, one decoder, one split: correct decisions, with interval and chance limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analysis import (
    Auc,
    Fold,
    Interval,
    auc,
    blocks,
    chance_limit_of,
    leave_one_out,
    share_of_events,
    wilson,
)
from workbench.errors import BadValue
from workbench.evaluation._contract import Dataset, Epochs
from workbench.evaluation._defaults import chosen
from workbench.evaluation._peers import Peer, kind_of

SPLITS = ("run", "blocks", "fixed")


@dataclass(frozen=True)
class Judged:
    """Decisions of one decoder on one participant's epochs.

    Attributes
    ----------
    dataset, participant, decoder, split : what was judged. params : of the decoder.
    truth, decided : ``(n,)`` classes, in the order of judging.
    run_of : run of each, in the same order.
    correct, n : counts. interval : Wilson 95 %, as if epochs were independent.
    limit : 95 % chance limit, None when there is none.
    area : AUC of the target where the data set asks for it.
    """

    dataset: str
    participant: str
    decoder: str
    params: Mapping[str, Any]
    split: str
    truth: tuple[str, ...]
    decided: tuple[str, ...]
    correct: int
    n: int
    interval: Interval
    limit: int | None
    area: Auc | None
    run_of: tuple[str, ...] = ()

    @property
    def over_runs(self) -> Interval | None:
        """95 % interval of the share of right epochs over runs, whose epochs are alike; None of a single run."""
        if len(set(self.run_of)) < 2:
            return None
        right = np.array([a == b for a, b in zip(self.truth, self.decided)], dtype=np.float64)
        return share_of_events(right, np.ones(len(right)), self.run_of)

    def line(self) -> str:
        """One sentence with n and interval."""
        head = f"{self.dataset} {self.participant} {self.decoder} ({self.split})"
        if self.area is not None:
            return f"{head}: {self.area.line()}"
        low, high = self.interval
        limit = "none" if self.limit is None else f"{self.limit}/{self.n}"
        runs = self.over_runs
        over = "" if runs is None else f", over {len(set(self.run_of))} runs {runs.low:.3f}–{runs.high:.3f}"
        return (
            f"{head}: {self.correct}/{self.n} = {self.correct / self.n:.3f} "
            f"(95 % CI {low:.3f}–{high:.3f}, Wilson; 95 % chance limit {limit}){over}"
        )


def judge(
    dataset: Dataset,
    epochs: Epochs,
    *,
    decoder: str = "",
    params: Mapping[str, Any] | None = None,
    split: str = "",
    peer: Peer | None = None,
) -> Judged:
    """Fit on the training side of each fold, judge the other.

    Parameters
    ----------
    dataset, epochs : what is judged.
    decoder, params : name and parameters; the paradigm's default without a name.
    split : ``"run"``, ``"blocks"`` or ``"fixed"``; the data set's own when empty.
    peer : an algorithm of another library that is judged in the decoder's place.

    Raises
    ------
    BadValue
        For an unknown split, or a parameter the decoder does not have or cannot take.
    BadSignal
        What the decoder cannot be fitted on, in its own words.
    """
    name, used = chosen(dataset, decoder=decoder, params=params, fs=epochs.fs, n_channels=len(epochs.channels))
    decoder_class = kind_of(name, peer)
    split_name = split or dataset.split
    truth: list[str] = []
    decided: list[str] = []
    evidence: list[float] = []
    run_of: list[str] = []
    for fold in _folds(split_name, epochs):
        fitted = decoder_class(epochs.fs, **used)
        fitted.fit(epochs.X[fold.train], epochs.y[fold.train], lead_in=epochs.lead_in_s)
        probabilities = fitted.predict_proba(epochs.X[fold.judged], lead_in=epochs.lead_in_s)
        truth += epochs.y[fold.judged].tolist()
        run_of += [str(epochs.run[k]) for k in fold.judged]
        decided += fitted.classes_[np.argmax(probabilities, axis=1)].tolist()
        if dataset.metric == "auc":
            # By name: classes are sorted, so the target is not always the last.
            column = fitted.classes_.tolist().index(dataset.target)
            evidence += probabilities[:, column].tolist()
    # Pooled over the folds: each epoch is judged once.
    n, correct = len(truth), sum(a == b for a, b in zip(truth, decided))
    area = auc(evidence, [label == dataset.target for label in truth]) if dataset.metric == "auc" else None
    return Judged(
        dataset.name,
        epochs.participant,
        name if peer is None else peer.name,
        used,
        split_name,
        tuple(truth),
        tuple(decided),
        correct,
        n,
        wilson(correct, n),
        chance_limit_of(Counter(truth).values()),
        area,
        tuple(run_of),
    )


def _folds(split: str, epochs: Epochs) -> Iterator[Fold]:
    if split == "run":
        return leave_one_out(epochs.run)
    if split == "blocks":
        return blocks(len(epochs.y))
    if split == "fixed" and epochs.judged_runs:
        judged = np.array([run in epochs.judged_runs for run in epochs.run])
        return iter([Fold(np.flatnonzero(~judged), np.flatnonzero(judged), "the judged runs")])
    allowed = ", ".join(SPLITS if epochs.judged_runs else SPLITS[:2])
    raise BadValue(f"split must be one of {allowed} for {epochs.participant}, got {split!r}")
