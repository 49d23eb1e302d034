"""The page at home without an engine: what a switch may do, what a hand may, and what counts as use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.doors import SteppedClock
from tests.runs.test_home_recalibration import Home
from workbench import world
from workbench.dashboard import HomeService
from workbench.dashboard.home import SCREENS
from workbench.dashboard.results import approval_fact, signer_of
from workbench.errors import Refused
from workbench.messages import Message
from workbench.stress.switch import PROTOCOL
from workbench.study import Study, home_use, protocol
from workbench.study.changes.protocols import AdoptProtocol
from workbench.vocabulary import LedgerRow, Participant, Recording, Run, Session, Visit

DAY = "2026-03-01"


def study_of(folder, *people, text=PROTOCOL):
    """A study with a protocol, a participant and a visit of each."""
    with Study.create(folder, code="HOME", title="tests", actor="tests") as study:
        visits = [study.append(Visit(study.append(Participant(name, simulated=True)), "home")) for name in people]
        if text:
            signers = [study.script_signer(name).confirm() for name in ("one", "another")]
            study.apply(AdoptProtocol(protocol.parse(text, "p.toml").definition()), signers)
        return visits


@pytest.fixture
def home(tmp_path):
    """The page of somebody who has not connected yet, and its clock."""
    study_of(tmp_path / "study", "P1")
    clock = SteppedClock(100.0)
    begun = []
    with world.entered(clock=clock):
        service = HomeService(tmp_path / "study", spawn=lambda name, _body, **_more: begun.append(name))
        yield service, clock, begun


def test_a_press_held_for_two_seconds_is_stop_and_then_the_switch_calls_for_help_and_nothing_else(home):
    service, clock, begun = home
    service.look()
    service.press()
    clock.now_s += 2.0
    view = service.look()
    assert (view["screen"], view["problem"], view["acts"]) == ("stopped", "stop", ["help"])
    service.release()
    for _ in range(20):
        clock.now_s += 1.0
        service.look()
        service.press()
        service.release()
    assert set(begun) == {"workbench-home-help"}
    with pytest.raises(Refused, match="offers help, got 'connect'"):
        service.touch("connect")


def test_no_switch_resets_a_stop_and_a_hand_does_so_as_the_rule_says(home):
    service, clock, _begun = home
    service.press()
    clock.now_s += 2.0
    assert service.look()["screen"] == "stopped"
    service.release()
    with pytest.raises(Refused, match="lets caregiver reset a STOP, got 'participant'"):
        service.reset("participant")
    assert service.look()["screen"] == "stopped"
    service.reset()
    assert service.look()["screen"] == "connect"
    assert {act for acts in SCREENS.values() for act in acts} & {"reset", "attend"} == set()


def test_a_choice_of_the_switch_is_begun_once_its_step_is_over_and_by_hand_at_once(home):
    service, clock, begun = home
    assert service.look()["scan"]["lit"] == ["connect"]
    service.press()
    service.release()
    clock.now_s += 1.9
    service.look()
    assert begun == []
    clock.now_s += 0.2
    service.look()
    assert begun == ["workbench-home-connect"]
    service.touch("help")
    assert begun[1:] == ["workbench-home-help"]


def test_a_study_without_a_rule_or_of_several_people_opens_no_page_at_home(tmp_path):
    study_of(tmp_path / "bare", "P1", text="")
    with pytest.raises(Refused, match="needs a section"):
        HomeService(tmp_path / "bare")
    study_of(tmp_path / "two", "P1", "P2")
    with pytest.raises(Refused, match="for one participant; this study has P1, P2"):
        HomeService(tmp_path / "two")


def test_a_person_of_the_study_signs_in_before_a_session_and_in_none(tmp_path):
    study_of(tmp_path / "study", "P1")
    with Study.open(tmp_path / "study", actor="tests") as study:
        study.add_person("lin", "Lin Q.", "correct horse 9 battery", ("operator",))
    with world.entered(clock=SteppedClock(100.0)):
        service = HomeService(tmp_path / "study", spawn=lambda *_all, **_more: None)
        assert service.look()["signs"]
        with pytest.raises(Refused):
            service.sign_in("lin", "wrong")
        assert not service.look()["signed_in"]
        service.sign_in("lin", "correct horse 9 battery")
        assert service.look()["signed_in"]
        assert not service.look()["signs"]
        service.visits.sign_out()
        service._client = object()  # a session runs
        with pytest.raises(Refused, match="before the glove is connected"):
            service.sign_in("lin", "correct horse 9 battery")


def test_use_is_counted_from_sessions_at_home_alone_by_day_with_stops_and_faults(tmp_path):
    (visit,) = study_of(tmp_path / "study", "P1")
    with Study.open(tmp_path / "study", actor="tests") as study:
        for place, code in (("home", "h"), ("clinic", "c")):
            began = f"{DAY}T09:00:00.000Z"
            session = study.append(
                Session(visit, "x", id=code, started=began, simulated=True, plan={"place": place})
            )
            rows = [
                LedgerRow("estop", 1.0, 1.0, 1, "", Message("home.by_hand"), "", "high"),
                LedgerRow("stream_lost", 2.0, 2.0, 1, "ecog", "1 s", "safe", "high"),
                LedgerRow("note", 3.0, 3.0, 1, "", "fine", "", "info"),
            ]
            run = Run(session, 1, "online", "grasp_rest", "finished", id=f"r-{code}", summary={"started": began})
            recording = Recording(f"r-{code}", f"recordings/{code}.xdf", "a" * 64, 11, 15_000, 250.0, "finished")
            study.append_run(run, trials=[], ledger=rows, recordings=[recording])
        person = study.rows("participant")[0]["id"]
        used = home_use.of_participant(study, person, date(2026, 3, 2))
        (day,) = used.days
        assert (day.minutes, day.runs, day.stops, day.faults) == (1.0, 1, 1, 1)
        assert used.minutes_of(date.fromisoformat(day.day)) == 1.0
        assert home_use.of_participant(study, person, date(2026, 2, 1)).days == ()


def test_no_switch_goes_back_to_the_decoder_of_the_site_and_practice_is_offered_where_it_is_due(tmp_path):
    clock = SteppedClock(1e7)
    with world.entered(clock=clock):
        made = Home(tmp_path / "study", clock)
        made.pass_days(1.5)
        service = HomeService(made.study.folder, spawn=lambda *_all, **_more: None)

        def ready():
            """What the page shows of a glove that is ready."""
            with service.visits.record() as study:
                service.practice.look(study)
            service._phase = "ready"
            return service.look()

        # The decoder in use is one and a half days old, and the rule offers practice after two.
        assert "practise" not in ready()["acts"]
        with pytest.raises(Refused, match="this screen offers start, help, repeat, glove_off, got 'practise'"):
            service.touch("practise")
        made.pass_days(1.0)
        assert ready()["acts"][-1] == "practise"
        assert "practise" in service.look()["scan"]["places"]
        assert made.decide(made.fitted()).taken
        view = ready()
        assert (view["made_at_home"], "practise" in view["acts"]) == (True, False)
        (row,) = [one for one in made.study.approvals() if one["method"] == "home rule"]
        assert signer_of(row) == "the home rule, asked for by home"
        assert approval_fact(row)["key"] == "worklist.approved_home"
        assert not any("back" in act or "site" in act for acts in SCREENS.values() for act in acts)
        service._phase = "use"
        with pytest.raises(Refused, match="press Finish first"):
            service.back_to_site()
        made.pass_days(40.0)
        view = ready()
        assert (view["learned"]["wait"], view["made_at_home"], "practise" in view["acts"]) == (True, False, False)
        made.approve(made.fitted("clinic"))
        made.pass_days(2.5)
        assert ready()["acts"][-1] == "practise"
        # A practice that the day has no time for would be cut off.
        service.rule = replace(service.rule, day_min=2.0)
        assert "practise" not in ready()["acts"]
        made.study.close()
