"""Selections of a run: counts, rates, bits, and what has no place in them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from workbench import analysis
from workbench.errors import BadValue
from workbench.vocabulary import Trial

FS = 100.0


def run_of(*outcomes, every_s=4.0, items="abcd"):
    trials = []
    for i, outcome in enumerate(outcomes):
        asked = items[i % len(items)]
        decided = {"correct": asked, "wrong": items[(i + 1) % len(items)], "recorded": "a"}.get(outcome, "")
        trials.append(
            Trial(
                index=i,
                condition="free" if outcome == "recorded" else asked,
                cue_sample=round(i * every_s * FS),
                cue_stamp=i * every_s,
                end_sample=round((i * every_s + 2.0) * FS),
                outcome=outcome,
                decided=decided,
                excluded="disturbed" if outcome == "excluded" else "",
            )
        )
    return trials


def test_rates_are_those_of_the_time_from_choice_to_choice_and_bits_those_of_wolpaw():
    result = analysis.selections(run_of(*["correct"] * 9, "wrong"), items=4, fs=FS)
    assert (result.n, result.undecided, result.accuracy.correct, result.accuracy.n) == (10, 0, 9, 10)
    assert result.per_min == pytest.approx(15.0)
    bits = 2 + 0.9 * math.log2(0.9) + 0.1 * math.log2(0.1 / 3)
    assert result.bits_per_min == pytest.approx(15.0 * bits)
    low, high = result.accuracy.interval
    assert result.bits_interval == pytest.approx(
        [analysis.itr(share, classes=4, selection_s=4.0) for share in (low, high)]
    )
    assert result.accuracy.limit == analysis.chance_limit(10, classes=4)


def test_an_excluded_choice_is_no_selection_and_lends_its_time_to_nobody():
    result = analysis.selections(run_of("correct", "excluded", "correct", "correct"), items=4, fs=FS)
    assert (result.n, result.accuracy.n, result.accuracy.excluded) == (3, 3, 0)
    # From the first choice to the excluded one, and between the last two.
    assert result.seconds == pytest.approx(4.0)
    long = run_of("correct", "excluded", "correct", every_s=4.0)
    assert analysis.selections(long, items=4, fs=FS).per_min_interval is None


def test_free_choices_have_a_rate_and_neither_accuracy_nor_bits():
    result = analysis.selections(run_of(*["recorded"] * 4), items=4, fs=FS)
    assert (result.n, result.accuracy.n, result.bits_per_min) == (4, 0, None)
    assert result.per_min == pytest.approx(15.0)
    assert "accuracy" not in result.line()


def test_a_missed_choice_is_undecided_and_counts_as_not_right():
    result = analysis.selections(run_of("correct", "missed", "correct"), items=4, fs=FS)
    assert (result.n, result.undecided, result.accuracy.correct, result.accuracy.n) == (2, 1, 2, 3)
    assert "1 undecided" in result.line()


def test_one_choice_has_no_rate():
    result = analysis.selections(run_of("correct"), items=4, fs=FS)
    assert (result.per_min, result.bits_per_min) == (None, None)


def test_an_interval_of_the_rate_covers_it():
    varied = [
        replace(trial, cue_sample=trial.cue_sample + 50 * (trial.index % 2)) for trial in run_of(*["correct"] * 4)
    ]
    low, high = analysis.selections(varied, items=4, fs=FS).per_min_interval
    assert low < analysis.selections(varied, items=4, fs=FS).per_min < high


def test_impossible_numbers_are_refused():
    for items, fs in ((1, FS), (4, 0.0)):
        with pytest.raises(BadValue, match="two items or more"):
            analysis.selections(run_of("correct"), items=items, fs=fs)
