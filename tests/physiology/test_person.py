"""A person is what was stated, checked and hashed; the course is EMSCI's aggregates; a state goes on."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.physiology import (
    Body,
    Input,
    Person,
    State,
    model_sha256,
    motor_score,
    next_visit,
    person_of,
    read_person,
    restored,
    saved,
    untreated_score,
)
from workbench.physiology._course import LEGS
from workbench.physiology._state import residual_now


def test_model_and_person_are_frozen_and_hashed():
    # Whoever changes a parameter or an equation raises VERSION and freezes anew, with the reason in the changelog.
    assert model_sha256() == "55deaeb59bf4ee56b7a632104a07aec72fd58d87fc4250f57a395c0ad8df552c"
    assert Person().sha256 == "39a789357bc6a953f431969191a17b55f874935407406ea2ee88427b12e9ae71"
    assert Person(days_since_injury=400).sha256 == Person(days_since_injury=400.0).sha256
    changes = {
        "seed": 1, "lesion": "C5", "grade": "A", "days_since_injury": 1.0, "residual": 0.1, "clonic": 0.5,
        "spasms_per_h": 3.0, "dysreflexia_mmhg": 30.0, "treatment_points": 5.0, "treatment_h": 10.0,
    }  # fmt: skip
    assert set(changes) == {field.name for field in dataclasses.fields(Person)}
    hashes = {Person(**{name: value}).sha256 for name, value in changes.items()}
    assert len(hashes | {Person().sha256}) == len(changes) + 1


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"seed": -1}, "seed of a simulated person must be 0 to 9.*, got -1"),
        ({"seed": 1.5}, "seed of a simulated person must be"),
        ({"lesion": "T13"}, "lesion of a simulated person must be C1 to C8, .*, got 'T13'"),
        ({"lesion": 6}, "lesion of a simulated person must be"),
        ({"grade": "E"}, "grade of a simulated person must be A, B, C or D, got 'E'"),
        ({"residual": 1.5}, "residual of a simulated person must be 0 to 1, got 1.5"),
        ({"residual": float("nan")}, "residual of a simulated person must be"),
        ({"spasms_per_h": True}, "spasms_per_h of a simulated person must be 0 to 60, got True"),
        ({"treatment_h": 0}, "treatment_h of a simulated person must be 1 to 10000, got 0"),
        ({"colour": "red"}, "a simulated person has no field 'colour'; it has seed, "),
    ],
)
def test_what_no_person_can_be_is_refused_in_one_sentence(stated, sentence):
    with pytest.raises(BadValue, match=sentence):
        person_of(stated)


def test_a_person_is_read_from_toml(tmp_path):
    path = tmp_path / "person.toml"
    path.write_text('seed = 7\nlesion = "C6"\ngrade = "B"\ntreatment_points = 4\n', encoding="utf-8")
    assert read_person(path) == Person(seed=7, lesion="C6", grade="B", treatment_points=4.0)
    path.write_text("seed = = 7", encoding="utf-8")
    with pytest.raises(BadValue, match=r"person.toml is no TOML: .*; correct it"):
        read_person(path)


def test_the_course_holds_the_aggregates_that_are_printed_behind_a_course():
    table = json.loads(files("workbench.analysis").joinpath("recovery.json").read_text(encoding="utf-8"))
    published = {key.removeprefix("lems "): rows for key, rows in table.items() if key.startswith("lems ")}
    assert {key: [[weeks, *ends] for weeks, _, *ends in rows] for key, rows in published.items()} == {
        key: [list(row) for row in rows] for key, rows in LEGS.items()
    }


def test_every_untreated_person_goes_on_within_the_band_of_its_group_and_people_differ():
    for key, rows in LEGS.items():
        grade, plegia = key.split()
        lesion = "C6" if plegia == "tetraplegia" else "T8"
        for weeks, low, mean, high in rows:
            scores = [untreated_score(Person(seed=n, lesion=lesion, grade=grade), weeks * 7.0) for n in range(40)]
            assert low - 1e-9 <= min(scores) < max(scores) <= high + 1e-9 or low == mean
            assert abs(np.mean(scores) - mean) < 0.25 * (high - low) + 1e-9


def test_treatment_is_what_was_declared_on_top_of_the_untreated_course_and_comes_with_practice():
    treated, untreated = (Person(seed=3, treatment_points=points, treatment_h=20.0) for points in (6.0, 0.0))
    added = [
        motor_score(treated, day=60.0, practised_h=h) - motor_score(untreated, day=60.0, practised_h=h)
        for h in (0.0, 20.0, 400.0)
    ]
    assert added[0] == 0.0
    assert added[1:] == pytest.approx([6.0 * (1 - np.exp(-1)), 6.0], abs=1e-6)
    assert residual_now(treated, State(practised_h=400.0)) > residual_now(treated, State())


def test_a_state_is_saved_restored_and_gone_on_with_to_the_same_bits():
    person, acting = Person(seed=5), Input(effort={"left quadriceps": 1.0}, muscles={"right quadriceps": 0.5})
    body = Body(person, senses=("pressure",))
    body.feel(acting)
    body.step(15.0)
    text = saved(person, body.state)
    again = restored(person, text)
    assert again == body.state
    assert again.practised_h == pytest.approx(15.0 / 3600.0)
    assert again.fatigue[4] > 0.1 > again.fatigue[0] >= again.fatigue[1] == 0.0
    body.rest(1.0)
    other = Body(person, state=again)
    other.rest(1.0)
    assert other.state == body.state


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda text: "{}", "this is no state of a simulated person"),
        (lambda text: "[1", "no JSON|not.*JSON"),
        (lambda text: text.replace('"skill": 0.0', '"skill": "much"'), "this is no state of a simulated person"),
        (lambda text: text.replace('"visit": 0', '"visit": 0.5'), "this is no state of a simulated person"),
        (lambda text: text.replace('"drift": 0.0', '"drift": NaN'), "no state of a simulated person|no JSON"),
        (lambda text: text.replace("[0.0,", "[1.5,"), "this is no state of a simulated person"),
        (lambda text: text.replace(model_sha256(), "0" * 64), "the state belongs to another model"),
        (lambda text: text.replace(Person().sha256, Person(seed=1).sha256), "belongs to another person"),
    ],
)
def test_what_is_no_state_or_that_of_another_is_refused(spoil, sentence):
    with pytest.raises(BadValue, match=sentence):
        restored(Person(), spoil(saved(Person(), State())))


def test_from_visit_to_visit_fatigue_goes_the_lead_drifts_and_practice_stays():
    person = Person(seed=2)
    tired = State(practised_h=8.0, skill=0.6, fatigue=(0.5,) * 8, lived_s=900.0)
    later = next_visit(person, tired, days=7.0)
    assert (later.visit, later.day, later.practised_h, later.skill, later.lived_s) == (1, 7.0, 8.0, 0.6, 0.0)
    assert max(later.fatigue) < 1e-6
    drifts = [next_visit(Person(seed=n), State(), days=7.0).drift for n in range(200)]
    assert np.std(drifts) == pytest.approx(0.02, rel=0.2)
    assert abs(np.mean(drifts)) < 0.005
    with pytest.raises(BadValue, match="days between two visits are 0 or more, got -1"):
        next_visit(person, tired, days=-1.0)


def test_paralysed_muscle_keeps_as_little_under_stimulation_as_was_published():
    # Klein et al. 2006, PMC1779696: 13 pulses of 40 Hz a second for 2 min leave 8 to 60 %, median 31 %.
    body = Body(Person(seed=1), senses=())
    for _ in range(120):
        body.feel(Input(muscles={"left quadriceps": 1.0}))
        body.step(0.33)
        body.feel(Input())
        body.step(0.67)
    left = 1.0 - body.state.fatigue[0]
    assert 0.08 < left < 0.60
