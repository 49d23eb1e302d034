"""Splits leave whole runs or contiguous blocks out; a shuffled one is refused."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import analysis
from workbench.errors import BadValue


def test_each_run_is_judged_once_by_all_others():
    groups = ["r1"] * 3 + ["r2"] * 2 + ["r1"]
    folds = list(analysis.leave_one_out(groups))
    assert [fold.judged.tolist() for fold in folds] == [[0, 1, 2, 5], [3, 4]]
    assert all(sorted([*fold.train, *fold.judged]) == list(range(6)) for fold in folds)
    assert folds[0].words == "run r1"


def test_blocks_are_contiguous_cover_all_and_keep_a_gap():
    folds = list(analysis.blocks(11, k=3, gap=1))
    assert np.concatenate([fold.judged for fold in folds]).tolist() == list(range(11))
    for fold in folds:
        assert np.all(np.diff(fold.judged) == 1)
        assert min(abs(a - b) for a in fold.train for b in fold.judged) == 2


def test_too_few_runs_or_epochs_are_refused():
    with pytest.raises(BadValue, match="two runs or more"):
        list(analysis.leave_one_out(["r1", "r1"]))
    for n, k in ((3, 5), (10, 1)):
        with pytest.raises(BadValue, match="contiguous blocks need"):
            list(analysis.blocks(n, k=k))


def test_a_shuffled_split_is_refused_and_sound_ones_pass():
    groups = ["r1"] * 6 + ["r2"] * 6
    analysis.check_split(range(6), range(6, 12), groups)
    analysis.check_split([0, 1, 4, 5, *range(6, 12)], [2, 3], groups)
    with pytest.raises(BadValue, match="shuffles neighbouring epochs of run 'r1'"):
        analysis.check_split([0, 2, 4], [1, 3, 5], groups)
    with pytest.raises(BadValue, match="both sides"):
        analysis.check_split([0, 1], [1, 2], groups)


def test_judged_epochs_at_both_ends_of_a_run_are_not_one_block():
    with pytest.raises(BadValue, match="shuffles neighbouring epochs of run 'r1'"):
        analysis.check_split([2, 3], [0, 1, 4, 5], ["r1"] * 6)


def test_an_epoch_without_a_run_is_refused():
    with pytest.raises(BadValue, match="epochs are 0 to 3, one run name each; got epoch 9"):
        analysis.check_split([0, 1], [2, 9], ["r1"] * 4)


def test_a_gap_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(BadValue, match="leave block 1 of 2 nothing to train on, got n = 10; take a smaller gap"):
        list(analysis.blocks(10, k=2, gap=5))
