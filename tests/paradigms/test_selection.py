"""Selection by flicker: windows, stopping, copy and free, what ends or excludes a choice."""

from __future__ import annotations

import pytest

from tests.paradigms.choosing import FS, fitted, load, person, run_of
from workbench.decode import decode
from workbench.errors import BadValue
from workbench.vocabulary import Chunk, Decision, Evidence, LocatedCue, Marker, Trial

FOUR = {"items": ("a", "b", "c", "d"), "frequencies_hz": (8, 10, 12, 15), "phases": (0, 0.5, 1, 1.5)}
CLASSES = ("a", "b", "c", "d")


def rule_of(**params):
    return load("selection", **FOUR, **params).start(fs=FS, hop=5, classes=CLASSES)


def cue(label, sample=1000, duration_s=0.0):
    return LocatedCue(sample, sample / FS, label, duration_s, 0)


def answer(rule, p, **flags):
    """Answer what is due with probability ``p`` of the third item."""
    request = rule.due
    evidence = Evidence(request.end, tuple(p if c == "c" else (1 - p) / 3 for c in CLASSES), **flags)
    return request, rule.decide(request, stamp=0.0, evidence=evidence)


def test_windows_follow_one_another_from_the_response_to_the_onset_on():
    rule = rule_of(windows=(1, 3), window_s=0.5, latency_s=0.14, stop=0.999)
    rule.cue(cue("c"), at=1000)
    ends = []
    while rule.due is not None:
        request, _ = answer(rule, 0.5)
        ends.append(request.end)
    assert ends == [1000 + round((0.14 + k * 0.5) * FS) for k in (1, 2, 3)]


def test_a_choice_ends_with_the_first_window_that_is_sure_enough():
    rule = rule_of(stop=0.95)
    rule.cue(cue("c"), at=1000)
    _, first = answer(rule, 0.8)
    assert [d.change for d in first] == [""]
    request, made = answer(rule, 0.9)
    decision, trial = made
    assert (decision.label, decision.change, decision.trial) == ("c", "cued", 0)
    assert decision.probabilities[2] > 0.95
    assert (trial.outcome, trial.decided, trial.end_sample) == ("correct", "c", request.at)
    assert trial.latency_s == pytest.approx(2.14)
    assert rule.due is None


def test_after_the_most_windows_the_likeliest_is_chosen():
    rule = rule_of(windows=(1, 2), stop=0.95)
    rule.cue(cue("a"), at=1000)
    answer(rule, 0.3)
    _, made = answer(rule, 0.3)
    assert made[1].outcome == "wrong"
    assert made[1].decided == "c"


def test_a_free_choice_is_selected_and_compared_with_nothing():
    rule = rule_of(mode="free")
    rule.cue(cue("free"), at=1000)
    _, made = answer(rule, 0.99)
    assert (made[1].outcome, made[1].condition, made[1].decided) == ("recorded", "free", "c")


def test_a_flicker_that_stops_early_fills_no_more_windows_and_is_decided_by_what_there_was():
    rule = rule_of(windows=(1, 4), stop=0.99)
    rule.cue(cue("c"), at=1000)
    answer(rule, 0.7)
    rule.cue(cue("rest", 1000 + round(2.0 * FS)), at=1000 + round(2.0 * FS))
    _, made = answer(rule, 0.7)
    assert made[1].outcome == "correct"
    assert rule.due is None


def test_without_a_valid_window_the_choice_is_excluded_and_with_rejected_ones_it_is_missed():
    for flags, outcome in (({"valid": False}, "excluded"), ({"rejected": True}, "missed")):
        rule = rule_of(windows=(1, 2))
        rule.cue(cue("c"), at=1000)
        answer(rule, 0.9, **flags)
        _, made = answer(rule, 0.9, **flags)
        assert (made[1].outcome, made[0].label) == (outcome, "")


def test_a_presenter_that_reports_a_disturbance_excludes_the_open_choice_alone():
    paradigm = load("selection", **FOUR)
    who = person(paradigm)
    decoder = fitted(paradigm, run_of(paradigm, who, 8, seed=1), "etrca")
    items = run_of(paradigm, who, 3, seed=2)
    shown = [i for i, item in enumerate(items) if isinstance(item, Marker) and item.label in CLASSES][1]
    at = items[shown].sample
    items.insert(shown + 1, Marker("cue", at, at / FS, "disturbed: 2 frames dropped"))
    trials = [item for item in decode(items, paradigm, decoder, fs=FS) if isinstance(item, Trial)]
    assert [trial.outcome == "excluded" for trial in trials] == [False, True, False]
    assert "2 frames dropped" in trials[1].excluded


def test_a_simulated_person_selects_and_any_chunking_gives_the_same_bits():
    paradigm = load("selection", **FOUR)
    who = person(paradigm)
    decoder = fitted(paradigm, run_of(paradigm, who, 8, seed=1), "etrca")
    items = run_of(paradigm, who, 8, seed=2)
    made = list(decode(items, paradigm, decoder, fs=FS))
    trials = [item for item in made if isinstance(item, Trial)]
    assert len(trials) == 8
    assert sum(trial.outcome == "correct" for trial in trials) >= 6
    short = []
    for item in items:
        if isinstance(item, Chunk):
            for at in range(0, len(item.stamps), 37):
                rows = slice(at, at + 37)
                short.append(Chunk(item.first + at, item.samples[rows], item.stamps[rows]))
        else:
            short.append(item)
    assert list(decode(short, paradigm, decoder, fs=FS)) == made
    assert all(len(item.probabilities) == 4 for item in made if isinstance(item, Decision))


def test_a_decoder_of_other_windows_is_refused():
    paradigm = load("selection", **FOUR)
    with pytest.raises(BadValue, match="windows of 1 s, the decoder has 2 s"):
        paradigm.training_windows([cue("a")], fs=FS, window_s=2.0, hop_s=0.05)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"items": ("a", "a")}, "different items"),
        ({"items": ("a", "rest")}, "named free or rest"),
        ({"frequencies_hz": (8.0,)}, "a frequency and a phase"),
        ({"mode": "guess"}, "copy, free"),
        ({"stop": 1.0}, "a stop between 0 and 1"),
        ({"frequencies_hz": (8, 10, 12, 90)}, "60"),
        ({"area_sr": 0.5}, "0.1"),
        ({"contrast": 0.0}, "contrast"),
    ],
)
def test_impossible_parameters_are_refused_in_one_sentence(params, words):
    with pytest.raises(BadValue, match=words):
        load("selection", **{**FOUR, **params})
