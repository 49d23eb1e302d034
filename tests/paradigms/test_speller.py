"""A speller of flashes: groups, order, training windows, stopping, copy and free."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.paradigms.choosing import FS, fitted, load, person, run_of
from workbench.decode import decode
from workbench.errors import BadValue
from workbench.vocabulary import Evidence, LocatedCue, Trial

SIX = {"items": tuple("ABCDEF"), "columns": 3}


def flashes_of(paradigm, seed=1):
    cues = paradigm.schedule(2, seed=seed)
    return [[c for c in cues if c.trial == trial and c.label.startswith("stim:")] for trial in (0, 1)]


def located(paradigm, n=1, seed=1):
    return [
        LocatedCue(round(c.at_s * FS), c.at_s, c.label, c.duration_s, c.trial)
        for c in paradigm.schedule(n, seed=seed)
    ]


def followed(paradigm, cues, p, **flags):
    """Run a rule through cues; evidence says target with ``p`` where the item A flashed, and 1 - ``p`` else."""
    rule, made = paradigm.start(fs=FS, hop=5, classes=("other", "target")), []
    numbers = {round(c.sample + 0.8 * FS): c.label for c in cues if c.label.startswith("stim:")}
    for cue, after in zip(cues, [*cues[1:], None]):
        made += rule.cue(cue, at=cue.sample)
        until = after.sample if after is not None else cue.sample + 1000
        while rule.due is not None and rule.due.at <= until:
            label = numbers.get(rule.due.end)
            shown = label is not None and 0 in paradigm.groups[paradigm.stimuli.index(label)]
            q = p if shown else 1 - p
            made += rule.decide(rule.due, stamp=0.0, evidence=Evidence(rule.due.end, (1 - q, q), **flags))
    return made, rule


def test_rows_come_before_columns_and_every_item_is_in_one_of_each():
    assert load("speller", **SIX).groups == ((0, 1, 2), (3, 4, 5), (0, 3), (1, 4), (2, 5))
    assert load("speller", **SIX, layout="single").groups == tuple((i,) for i in range(6))


def test_each_repetition_flashes_every_group_once_and_none_twice_in_a_row():
    paradigm = load("speller", **SIX, repetitions=(1, 9))
    for trial in flashes_of(paradigm):
        labels = [flash.label for flash in trial]
        for at in range(0, len(labels), 5):
            assert sorted(labels[at : at + 5]) == sorted(paradigm.stimuli)
        assert all(one != other for one, other in pairwise(labels))


def test_a_flash_trains_as_target_where_it_showed_the_item_that_was_named():
    paradigm = load("speller", **SIX, text="E")
    cues = located(paradigm)
    windows = paradigm.training_windows(cues, fs=FS, window_s=0.8, hop_s=0.05)
    flashes = [cue for cue in cues if cue.label.startswith("stim:")]
    assert [end for end, _, _ in windows] == [flash.sample + 200 for flash in flashes]
    assert {flash.label for flash, (_, label, _) in zip(flashes, windows) if label == "target"} == {
        "stim:2:on",
        "stim:4:on",
    }
    free = load("speller", **SIX, mode="free")
    assert free.training_windows(located(free), fs=FS, window_s=0.8, hop_s=0.05) == []


def test_flashes_add_up_until_an_item_is_sure_and_not_before_the_least_repetitions():
    paradigm = load("speller", **SIX, text="A", repetitions=(2, 8))
    made, _ = followed(paradigm, located(paradigm), 0.9)
    trial = next(item for item in made if isinstance(item, Trial))
    assert (trial.condition, trial.decided, trial.outcome) == ("A", "A", "correct")
    decisions = [item for item in made if not isinstance(item, Trial)]
    # Two repetitions of five groups each, and nothing that was shown after the decision.
    assert len(decisions) == 10
    assert [d.change for d in decisions] == [""] * 9 + ["cued"]
    assert all(len(d.probabilities) == 6 for d in decisions)


def test_the_likeliest_item_is_chosen_when_the_flashes_end_and_none_when_they_were_too_few():
    paradigm = load("speller", **SIX, text="B", repetitions=(2, 8))
    unsure, _ = followed(paradigm, located(paradigm), 0.505)
    assert [item.outcome for item in unsure if isinstance(item, Trial)] == ["wrong"]
    cues = located(paradigm)
    few = [*cues[:5], cues[-1]._replace(sample=cues[5].sample)]
    made, rule = followed(paradigm, few, 0.9)
    assert [(item.outcome, item.decided) for item in made if isinstance(item, Trial)] == [("missed", "")]
    assert rule.due is None


def test_a_choice_without_a_flash_ends_with_its_rest_and_is_excluded():
    paradigm = load("speller", **SIX, text="A")
    cues = located(paradigm)
    made, rule = followed(paradigm, [*cues[:2], cues[-1]], 0.9)
    assert [item.outcome for item in made if isinstance(item, Trial)] == ["excluded"]
    assert rule.due is None


def test_a_free_choice_is_selected_and_compared_with_nothing():
    paradigm = load("speller", **SIX, mode="free")
    made, _ = followed(paradigm, located(paradigm), 0.9)
    trial = next(item for item in made if isinstance(item, Trial))
    assert (trial.outcome, trial.condition, trial.decided) == ("recorded", "free", "A")


def test_the_share_of_targets_in_the_calibration_does_not_count_with_every_flash():
    paradigm = load("speller", **SIX, text="A")
    rule = paradigm.start(fs=FS, hop=5, classes=("other", "target"))
    for cue in located(paradigm)[:3]:
        rule.cue(cue, at=cue.sample)
    # Of twelve flashes of items in five groups, so many show the item that is meant.
    share = 12 / 6 / 5
    made = rule.decide(rule.due, stamp=0.0, evidence=Evidence(rule.due.end, (1 - share, share)))
    assert made[0].probabilities == pytest.approx([1 / 6] * 6)


@pytest.mark.job
def test_a_simulated_person_spells():
    paradigm = load("speller", **SIX, repetitions=(3, 10))
    who = person(paradigm, seed=2)
    settings = {"n_filters": 2, "evidence": {"calibrate": "platt"}}
    decoder = fitted(paradigm, run_of(paradigm, who, 10, seed=1), "xdawn_lda", **settings)
    trials = [
        item
        for item in decode(run_of(paradigm, who, 8, seed=2), paradigm, decoder, fs=FS)
        if isinstance(item, Trial)
    ]
    assert len(trials) == 8
    # By guessing, five of eight among six items come once in two thousand runs.
    assert sum(trial.outcome == "correct" for trial in trials) >= 5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"layout": "spiral"}, "row_column, single"),
        ({"columns": 6}, "at least two of each"),
        ({"text": "AZ"}, "'Z', which is no item"),
        ({"flash_s": 0.3}, "ends before the next begins"),
        ({"repetitions": (4, 2)}, "repetitions 1 ≤ least ≤ most"),
        ({"soa_s": 0.01, "flash_s": 0.01}, "60"),
    ],
)
def test_impossible_parameters_are_refused_in_one_sentence(params, words):
    with pytest.raises(BadValue, match=words):
        load("speller", **{**SIX, **params})
