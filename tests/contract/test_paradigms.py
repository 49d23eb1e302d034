"""Every entry of the paradigm folder keeps the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench import paradigms
from workbench.errors import BadValue, UnknownName
from workbench.vocabulary import Decision, Evidence, LocatedCue

NAMES = paradigms.available()
DRAWN = [name for name in NAMES if not paradigms.load(name).by_operator]
"""Those whose cues are drawn and decided; an operator gives the others, in order, and nothing is decided."""


@pytest.mark.parametrize("name", NAMES)
def test_parameters_survive_json(name):
    paradigm = paradigms.load(name)()
    again = paradigms.from_params(name, json.loads(json.dumps(paradigm.params())))
    assert again == paradigm
    assert again.name == name


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_seed_gives_the_same_schedule_and_another_seed_another(name):
    paradigm = paradigms.load(name)()
    assert paradigm.schedule(15, seed=1) == paradigm.schedule(15, seed=1)
    assert paradigm.schedule(15, seed=1) != paradigm.schedule(15, seed=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_holds_the_trials_asked_for_and_cues_follow_one_another(name):
    paradigm = paradigms.load(name)()
    cues = paradigm.schedule(15, seed=3)
    attempts = [c for c in cues if c.label in paradigm.conditions]
    assert [c.trial for c in attempts] == list(range(15))
    for before, after in zip(cues, cues[1:], strict=False):
        assert after.at_s == pytest.approx(before.at_s + before.duration_s)


@pytest.mark.parametrize("name", DRAWN)
def test_a_decoder_for_other_classes_is_refused(name):
    with pytest.raises(BadValue, match="needs a decoder for"):
        paradigms.load(name)().start(fs=100.0, hop=5, classes=("up", "down"))


@pytest.mark.parametrize("name", DRAWN)
def test_rejected_evidence_decides_nothing_and_starts_nothing(name):
    paradigm = paradigms.load(name)()
    classes, window_s = tuple(sorted(paradigm.classes)), getattr(paradigm, "window_s", 1.0)
    valued = paradigm.evidence != "probabilities"
    fs, planned = 100.0, paradigm.schedule(1, seed=1)
    cues = [LocatedCue(round(c.at_s * fs), c.at_s, c.label, c.duration_s, c.trial) for c in planned]
    asked = next(cue.label for cue in cues if cue.label in paradigm.conditions)
    named = [] if valued else paradigm.training_windows(cues, fs=fs, window_s=window_s, hop_s=0.05)
    labelled = {end: label for end, label, _ in named}

    def sure(truth):
        """Evidence that leaves no doubt."""
        if paradigm.evidence == "phase":
            return {"values": (0.5, 1.0)}
        if valued:
            velocity = paradigm.evidence == "velocity"
            return {"values": paradigm.targets[asked] if velocity else (paradigm.levels[asked],)}
        return {"probabilities": tuple(0.98 if c == truth else 0.02 / (len(classes) - 1) for c in classes)}

    def decided(*, rejected):
        rule = paradigm.start(fs=fs, hop=5, classes=classes)
        made, truth = [], ""
        for cue, after in zip(cues, [*cues[1:], None]):
            made += rule.cue(cue, at=cue.sample)
            until = after.sample if after is not None else cue.sample + round(10 * fs)
            while rule.due is not None and rule.due.at <= until:
                truth = labelled.get(rule.due.end, truth)
                evidence = Evidence(rule.due.end, **sure(truth), rejected=rejected)
                made += rule.decide(rule.due, stamp=0.0, evidence=evidence)
        return [item for item in made if isinstance(item, Decision)]

    assert {d.label for d in decided(rejected=True)} == {""}
    assert not any(d.change == "activate" for d in decided(rejected=True))
    assert any(d.label == asked for d in decided(rejected=False))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "paradigms" / f"test_{name}.py").is_file()


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UnknownName, match="grasp_rest"):
        paradigms.load("nothing")
