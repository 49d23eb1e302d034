"""How complete a form is: the page of its participant and the overview of the study say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.study.test_overview import DOUBLE
from tests.study.versions import over
from workbench.study import Study, changes, overview, protocol
from workbench.study.applying import bound_now
from workbench.study.completeness import LEAST_FIRST, Entered
from workbench.study.participant_visits import visits_of
from workbench.study.planned import protocol_of
from workbench.vocabulary import Assessment, Condition, Participant

PLAN = DOUBLE.format(version="1.0.0", forms='["vitals", "twice", "arm"]').replace(
    'name = "score", label = "Score", kind = "integer"', 'name = "score", label = "Score", kind = "number"'
)


HELPED = """[[form]]
name = "helped"
title = "Arm, with the glove"
measure = "arat"
state = "assisted+device"
"""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Any]:
    """A trial as :func:`begun` has it."""
    with begun(tmp_path, PLAN) as made:
        yield made


@pytest.fixture
def paired(tmp_path: Path) -> Iterator[Any]:
    """One that asks for the same test without help and with the glove."""
    forms = DOUBLE.format(version="1.0.0", forms='["arm", "helped"]')
    with begun(tmp_path, forms + HELPED) as made:
        yield made


@contextmanager
def begun(tmp_path: Path, plan: str) -> Iterator[Any]:
    """SIM-01, whose baseline was to be held three days ago, at the earliest, and whose window is open."""
    with Study.create(tmp_path / "study", code="D", title="D", actor="test") as study:
        by = [study.script_signer(name) for name in ("Dr A", "Dr B", "Dr C")]
        study.apply(
            changes.AdoptProtocol(protocol.parse(plan, "double").definition()), [a.confirm() for a in by[:2]]
        )
        person = study.append(Participant("SIM-01", simulated=True))
        study.apply(changes.Enrol(person, "S-1"), by[0])
        day = (date.today() - timedelta(days=3)).isoformat()
        study.apply(changes.SetAnchor(person, "consent", day), by[0], "known")
        yield SimpleNamespace(
            study=study, by=by, person=person, visit=study.rows("visit")[0]["id"], on=date.today()
        )


def states(trial: Any) -> dict[str, str]:
    """State of each form as the page has it, after making sure that the overview says the same."""
    study = trial.study
    plan, _version = protocol_of(study, trial.person)
    (visit,) = visits_of(study, trial.person, protocol=plan, on=trial.on, concealed=False)
    found = {form["name"]: form["state"] for form in visit["forms"]}
    seen = overview.read(study, trial.on, now=datetime.now(UTC))
    ((cells,),) = [one.visits for one in seen.participants]
    told = dict(zip(seen.visits[0].forms, cells, strict=True))
    assert {name: overview.STANDINGS[state] for name, state in found.items()} == told
    return found


def save(
    trial: Any, form: str, values: dict[str, Any], state: str = "complete", *, who: int = 0, **place: int
) -> str:
    change = changes.SaveForm(trial.visit, form, values, state, **place)
    return str(trial.study.apply(change, trial.by[who]))


def sign(trial: Any, table: str, row: str) -> None:
    shown = bound_now(trial.study, [(table, row)])[1]
    trial.study.apply(changes.Sign(((table, row),), "I reviewed this", shown), trial.by[2].confirm())


def held(trial: Any) -> None:
    trial.study.apply(changes.HoldVisit(trial.visit, datetime.now(UTC).date().isoformat()), trial.by[0])
    trial.on = datetime.now(UTC).date()


def left(trial: Any) -> None:
    trial.study.apply(changes.SetStatus(trial.person, "withdrawn"), trial.by[0], "moved away")


def missed(trial: Any) -> None:
    trial.study.apply(changes.MissVisit(trial.visit), trial.by[0], "in hospital")


def later(trial: Any) -> None:
    trial.on += timedelta(days=60)


def earlier(trial: Any) -> None:
    trial.on -= timedelta(days=30)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), "open"), ((earlier,), "not_due"), ((later,), "missing"), ((held,), "open"),
        ((missed,), "not_held"), ((missed, later), "not_held"), ((left,), "withdrawn"),
        ((held, later), "missing"), ((held, left, later), "missing"), ((left, later), "withdrawn"),
    ],
)  # fmt: skip
def test_a_form_of_which_nothing_was_entered_stands_as_its_visit_does(
    trial: Any, steps: tuple[Callable[[Any], None], ...], state: str
) -> None:
    for step in steps:
        step(trial)
    assert set(states(trial).values()) == {state}


def test_of_several_instances_the_least_far_says_how_far_a_form_is(trial: Any) -> None:
    sign(trial, "form", save(trial, "vitals", {"pulse": 60}))
    assert states(trial)["vitals"] == "verified"
    save(trial, "vitals", {"pulse": 61}, instance=2)
    assert states(trial)["vitals"] == "complete"
    save(trial, "vitals", {"pulse": 62}, "draft", instance=3)
    assert states(trial)["vitals"] == "draft"


def test_entries_of_different_instances_are_no_pair(trial: Any) -> None:
    save(trial, "twice", {"score": 2}, instance=1, entry=1)
    save(trial, "twice", {"score": 2}, instance=2, entry=2, who=1)
    assert states(trial)["twice"] == "second"
    save(trial, "twice", {"score": 2}, instance=1, entry=2, who=1)
    assert states(trial)["twice"] == "second"
    save(trial, "twice", {"score": 2}, instance=2, entry=1)
    assert states(trial)["twice"] == "complete"


def test_two_entries_agree_where_their_values_do_however_they_are_written(trial: Any) -> None:
    first = save(trial, "twice", {"score": 60})
    second = save(trial, "twice", {"score": 60.0}, entry=2, who=1)
    assert states(trial)["twice"] == "complete"
    sign(trial, "form", first)
    assert states(trial)["twice"] == "complete"
    sign(trial, "form", second)
    assert states(trial)["twice"] == "verified"
    changed = over(trial.study, changes.SaveForm(trial.visit, "twice", {"score": 61}, entry=2))
    trial.study.apply(changed, trial.by[1], "misread")
    assert states(trial)["twice"] == "differ"
    row = trial.study.apply(changes.Adjudicate(trial.visit, "twice", {"score": 61}), trial.by[2])
    assert states(trial)["twice"] == "complete"
    sign(trial, "form", row)
    assert states(trial)["twice"] == "verified"


def test_an_examination_that_lacks_items_is_incomplete_until_somebody_signs_that_it_stays_so(trial: Any) -> None:
    trial.study.drafts.save(trial.visit, "arat", {"assisted": False}, "Dr A", {"grasp_1": 2})
    assert states(trial)["arm"] == "draft"
    conditions = (Condition(False, False, False), Condition(True, False, False))
    whole, lacking = (
        trial.study.append(
            Assessment(trial.visit, "arat", "1", one, items={}, score={}, side="right", rater="Dr A", state=state)
        )
        for one, state in zip(conditions, ("complete", "incomplete"), strict=True)
    )
    assert states(trial)["arm"] == "incomplete"
    sign(trial, "assessment", lacking)
    assert states(trial)["arm"] == "complete"
    sign(trial, "assessment", whole)
    assert states(trial)["arm"] == "verified"


def assess(trial: Any, condition: Condition, state: str = "complete") -> str:
    made = Assessment(
        trial.visit, "arat", "1", condition, items={}, score={}, side="right", rater="A", state=state
    )
    return str(trial.study.append(made))


def test_the_same_test_with_the_glove_and_without_it_is_two_forms_each_by_its_own_assessment(paired: Any) -> None:
    with_glove = assess(paired, Condition(True, True, False))
    assert states(paired) == {"arm": "open", "helped": "complete"}
    without = assess(paired, Condition(False, False, False), "incomplete")
    assert states(paired) == {"arm": "incomplete", "helped": "complete"}
    plan, _version = protocol_of(paired.study, paired.person)
    (visit,) = visits_of(paired.study, paired.person, protocol=plan, on=paired.on, concealed=False)
    assert [[row["id"] for row in form["rows"]] for form in visit["forms"]] == [[without], [with_glove]]


def test_whoever_must_not_know_the_arm_is_not_told_whether_the_glove_was_on(paired: Any) -> None:
    shown = []
    for condition in (None, Condition(True, True, False)):
        if condition:
            assess(paired, condition)
        plan, _version = protocol_of(paired.study, paired.person)
        page = visits_of(paired.study, paired.person, protocol=plan, on=paired.on, concealed=True)
        seen = overview.read(paired.study, paired.on, now=datetime.now(UTC), concealed=True)
        shown.append((page, seen.participants, seen.tasks))
    assert shown[0] == shown[1]
    assert [form["name"] for form in shown[0][0][0]["forms"]] == ["arm"]


def test_what_was_assessed_in_a_state_that_no_form_asks_for_stands_beside_the_forms(tmp_path: Path) -> None:
    forms = DOUBLE.format(version="1.0.0", forms='["helped"]')
    with begun(tmp_path, forms + HELPED) as trial:
        row = assess(trial, Condition(False, False, False))
        plan, _version = protocol_of(trial.study, trial.person)
        (visit,) = visits_of(trial.study, trial.person, protocol=plan, on=trial.on, concealed=False)
        found = [(form["name"], form["state"], [one["id"] for one in form["rows"]]) for form in visit["forms"]]
        assert found == [("helped", "open", []), ("arat", "complete", [row])]


def test_every_state_of_what_was_begun_has_its_place_in_the_order() -> None:
    assert set(LEAST_FIRST) | {"missing", "open", "not_due", "not_held", "withdrawn"} == set(overview.STANDINGS)
    assert Entered([], [], typed=set(), signed=set()).begun("v", name="f", measure="", twice=True) is None


def test_tasks_do_not_wait_for_the_participants_to_be_read_first(trial: Any) -> None:
    later(trial)
    with trial.study.database.connected() as connection:
        facts = overview._Facts(connection, trial.on, set())
        first = facts.tasks()
        assert facts.participants()
        assert [task.kind for task in first] == ["late"]
        assert facts.tasks() == first
