"""The question about seizures before light flickers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench import systems
from workbench.engine.run_start import check_light
from workbench.errors import BadValue, Refused
from workbench.paradigms import from_params
from workbench.study import Study
from workbench.vocabulary import Participant, Visit


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="test") as made:
        yield made


def test_an_answer_is_entered_with_its_name_and_time_and_holds_for_later_sessions(study):
    bound = systems.simulate(systems.load("selection_ssvep"))
    people = [study.append(Participant(name)) for name in ("P01", "P02")]
    visits = [study.append(Visit(person, "V1")) for person in people]
    assert bound.new_session(study, visit=visits[0], operator="Chen L.").screening == {}
    answer = systems.screen("none", by="Chen L.")
    assert set(answer) == {"answer", "by", "utc"}
    bound.new_session(study, visit=visits[0], operator="Chen L.", screening=answer)
    again = bound.new_session(study, visit=visits[0], operator="Lin Q.")
    assert again.screening == answer
    assert type(again).from_json(again.to_json()).screening == answer
    assert study.get("session", again.session_id)["plan"]["screening"] == answer
    assert bound.new_session(study, visit=visits[1], operator="Lin Q.").screening == {}


def test_an_answer_without_a_name_or_of_another_kind_is_refused():
    for answer, by in (("none", " "), ("no", "Chen L.")):
        with pytest.raises(BadValue, match="'none' or 'history'"):
            systems.screen(answer, by=by)


def test_an_engine_starts_no_flicker_for_a_person_whom_nobody_asked():
    flickers, still = from_params("speller", {}), from_params("grasp_rest", {})
    nobody = SimpleNamespace(screening={}, simulated=False)
    with pytest.raises(Refused, match="nobody has asked"):
        check_light(flickers, nobody)
    check_light(still, nobody)
    check_light(flickers, SimpleNamespace(screening=systems.screen("none", by="Chen L."), simulated=False))
    check_light(flickers, SimpleNamespace(screening={}, simulated=True))
