"""A page in Clinic mode: every screen of the record works through the service, and the page opens no record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clinic.conftest import SECRET, serving, visit_of
from tests.dashboard.trial import days_ago
from workbench import commands, outcomes, systems
from workbench.clinic import Client, questions
from workbench.dashboard import SessionPage, VisitService
from workbench.dashboard.access import OpenRecord, ServedRecord
from workbench.dashboard.clinic_visits import ClinicVisits
from workbench.errors import RecordFault, Refused
from workbench.messages import carried
from workbench.study import Study
from workbench.study.changes import CorrectAssessment, SaveAssessment, SaveForm
from workbench.widgets import AssessmentForm, ParticipantPage, SafetyDesk, StudyPage

pytestmark = pytest.mark.job

SYSTEM = systems.simulate(systems.load("neo_hand"))
OFF = {"assisted": False, "device_on": False, "stimulation_on": False}


@pytest.fixture
def page(shared):
    return ClinicVisits(shared.client(), SYSTEM)


@pytest.fixture
def screens(shared) -> Iterator[SessionPage]:
    """The page of the dashboard on the service that all tests share."""
    yield from opened(shared.client())


@pytest.fixture
def own(served) -> Iterator[SessionPage]:
    """The same of a service whose record the test changes."""
    yield from opened(served.client())


def opened(client: Client) -> Iterator[SessionPage]:
    made = SessionPage(operator="nobody", clinic=client)
    yield made
    made.screen.close()


def signed_in(screens: SessionPage, login: str) -> SessionPage:
    reply = screens.screen.answer("sign_in", {"login": login, "password": SECRET})
    assert reply["ok"], reply
    return screens


def person_page(screens: SessionPage, name: str = "P-041") -> ParticipantPage:
    assert screens.screen.answer("show", {"view": "study"})["ok"]
    overview = screens.stage.children[-1]
    assert overview.answer("participant", {"participant": name})["ok"]
    shown = screens.stage.children[-1]
    assert isinstance(shown, ParticipantPage)
    return shown


def form_of(screens: SessionPage, folder: Any, visit: str = "Week 24") -> AssessmentForm:
    """The ARAT of a visit, empty."""
    screens.service.choose(visit_of(folder, visit))
    screens.show("assess")
    form = screens.stage.children[-1]
    assert isinstance(form, AssessmentForm)
    return form


def rows(folder: Any, table: str, **where: Any) -> list[dict[str, Any]]:
    with Study.open(folder, actor="test") as study:
        return study.rows(table, **where)


# ------------------------------------------------------------------------------ sign-in and worklist
def test_a_page_shows_nothing_until_somebody_signs_in_and_nothing_afterwards(page):
    with pytest.raises(Refused, match="sign in first"):
        page.worklist()
    page.sign_in(login="wu", password=SECRET)
    assert (page.signed_in, page.login, page.takes_sign_in()) == ("Wu R.", "wu", True)
    assert page.worklist()["rows"]
    page.sign_out()
    assert page.signed_in == ""
    with pytest.raises(Refused, match="sign in first"):
        page.worklist()


def test_the_worklist_is_that_of_desk_mode_for_who_is_not_blinded(shared, page):
    page.sign_in(login="okafor", password=SECRET)
    desk = VisitService(shared.folder, SYSTEM, operator="test")
    desk.sign_in(login="okafor", password=SECRET)
    assert page.worklist()["rows"] == desk.worklist()["rows"]
    assert {"date", "read_at", "study", "hints", "rows"} == set(page.worklist()) == set(desk.worklist())


def test_the_worklist_of_who_is_blinded_names_no_session_and_no_decoder(page):
    page.sign_in(login="blind", password=SECRET)
    for row in page.worklist()["rows"]:
        assert row["last"]["key"] == "worklist.first_session"
        assert not [point for point in row["open"] if point["key"] == "worklist.open.awaiting"]


def test_a_change_of_a_page_is_made_in_the_name_of_who_signed_in(shared, page):
    page.sign_in(login="wu", password=SECRET)
    row = page.apply(SaveForm(visit_of(shared.folder, "Wound check"), "wound", {"state": "closed"}))
    with Study.open(shared.folder, actor="test") as study:
        assert study.get("form", row)["by"] == "Wu R."


def test_a_participant_is_confirmed_and_what_needs_an_engine_says_why_it_does_not_start(screens):
    signed_in(screens, "wu")
    ids = {row["participant"]: row["visit"] for row in screens.worklist.rows}
    assert screens.worklist.answer("choose", {"visit": ids["SIM-01"]})["ok"]
    assert "somebody else" not in screens.worklist.details
    assert not screens.worklist.answer("confirm", {"visit": ids["SIM-01"], "code": "P-041"})["ok"]
    assert screens.worklist.answer("confirm", {"visit": ids["SIM-01"], "code": "sim-01"})["ok"]
    assert screens.screen.place["participant"] == "SIM-01"
    assert "writes recordings into the study folder" in str(screens.worklist.details["blocked"]["text"])
    assert not screens.worklist.answer("start", {"visit": ids["SIM-01"]})["ok"]
    assert screens.screen.place["views"] == ["today", "study", "safety", "assess"]
    for view in ("run", "setup", "approve", "result", "log"):
        assert not screens.screen.answer("show", {"view": view})["ok"]


def test_whoever_is_opened_from_the_overview_is_whom_bar_and_list_are_about_behind_the_service_too(screens):
    signed_in(screens, "wu")
    ids = {row["participant"]: row["visit"] for row in screens.worklist.rows}
    assert screens.worklist.answer("choose", {"visit": ids["SIM-01"]})["ok"]
    person_page(screens, "P-041")
    assert (screens.screen.place["participant"], screens.screen.place["visit"]) == ("P-041", "")
    assert "no visit is chosen" in screens.screen.answer("show", {"view": "assess"})["text"]
    assert screens.screen.answer("show", {"view": "today"})["ok"]
    assert screens.worklist.chosen == ""
    assert screens.screen.answer("sign_out", {})["ok"]
    assert screens.screen.place["participant"] == ""


# ------------------------------------------------------------------------------ every screen
def test_no_screen_knows_which_record_it_has_and_both_tell_the_same(shared):
    desk = VisitService(shared.folder, operator="test")
    desk.sign_in(login="okafor", password=SECRET)
    served = ServedRecord(shared.client("okafor"))
    (person,) = [one["id"] for one in served.ask(questions.Participants()) if one["pseudonym"] == "P-041"]
    local = OpenRecord(desk)
    form = rows(shared.folder, "form")[0]["id"]
    for ask in (
        questions.PersonPage(person), questions.OverviewPage(), questions.Visits(),
        questions.PersonValues(person, "form", form), questions.PersonHistory(person, "form", form),
        questions.Bound((("form", form),)),
    ):  # fmt: skip
        assert carried(served.ask(ask)) == carried(local.ask(ask)), type(ask).__name__
    now = {name: value for name, value in served.ask(questions.SafetyPage()).items() if name != "now"}
    assert carried(now).items() <= carried(local.ask(questions.SafetyPage())).items()


def test_a_participant_is_consented_on_their_page_by_who_is_signed_in_and_nobody_else(own, served):
    shown = person_page(signed_in(own, "okafor"))
    assert shown.page["signing"] == {"how": "password", "login": "okafor"}
    given = {"purposes": "video", "document_version": "1.0", "consented_on": days_ago(0)}
    asked = {"change": "GiveConsent", "fields": given, "login": "okafor", "password": SECRET}
    for wrong, why in (({"password": "wrong"}, "do not match"), ({"login": "he"}, "their login and password")):
        reply = shown.answer("make", {**asked, **wrong})
        assert (reply["ok"], why in reply["text"]) == (False, True), reply
    assert shown.answer("make", asked)["ok"]
    assert {one["purpose"]: one["state"] for one in shown.page["consents"]}["video"] == "granted"
    assert rows(served.folder, "consent")[-1]["by"] == "Dr Okafor A."


def test_a_row_is_signed_on_the_page_as_it_was_shown(own, served):
    shown = person_page(signed_in(own, "okafor"))
    form = rows(served.folder, "form")[0]["id"]
    digest = shown.answer("bound", {"targets": f"form:{form}"})["value"]
    fields = {"targets": f"form:{form}", "meaning": "I reviewed this", "shown_sha256": digest}
    asked = {"change": "Sign", "fields": fields, "login": "okafor", "password": SECRET}
    reply = shown.answer("make", asked)
    assert reply["ok"], reply
    assert rows(served.folder, "signature")[-1]["signer"] == "Dr Okafor A."


def test_the_overview_is_verified_by_the_service_and_says_why_it_exports_no_file(own, served):
    signed_in(own, "he").show("study")
    overview = own.stage.children[-1]
    assert isinstance(overview, StudyPage)
    assert overview.answer("verify", {})["ok"]
    overview.wait()
    assert (overview.overview["verification"]["ok"], overview.overview["verification"]["by"]) == (True, "He D.")
    assert overview.answer("export", {})["ok"]
    overview.wait()
    assert "this account may not enter" in overview.work["fault"]
    assert not (served.folder / "exports").exists()


def test_an_event_is_reported_on_the_safety_desk(own, served):
    signed_in(own, "okafor").show("safety")
    desk = own.stage.children[-1]
    assert isinstance(desk, SafetyDesk)
    desk.read()
    assert desk.look["fault"] == ""
    facts = (
        '{"serious": false, "severity": "mild", "device": "probable", "procedure": "not_related", '
        '"stimulation": "not_related", "expected": true}'
    )
    fields = {
        "participant_id": "P-041", "term": "redness", "onset": days_ago(1), "facts": facts,
        "aware": f"{days_ago(0)}T00:00Z", "zone": "Europe/Berlin", "country": "DE",
    }  # fmt: skip
    reply = desk.answer("make", {"change": "ReportEvent", "fields": fields})
    assert reply["ok"], reply
    assert [one["term"] for one in desk.page["events"]] == ["redness"]
    assert rows(served.folder, "adverse_event")[-1]["term"] == "redness"


@pytest.mark.parametrize(("login", "why"), [("blind", "Blind B. is blinded"), ("north", "limited to the sites N")])
def test_the_safety_desk_is_closed_to_who_could_learn_an_arm_or_see_another_site(screens, login, why):
    signed_in(screens, login).show("safety")
    desk = screens.stage.children[-1]
    desk.read()
    assert desk.page == {}
    assert why in desk.look["fault"]


def test_the_page_of_a_participant_shows_who_is_blinded_no_session_event_treatment_or_value_with_device(screens):
    page = person_page(signed_in(screens, "blind")).page
    assert page["concealed"]
    assert [page[name] for name in ("sessions", "events", "safety", "treatments")] == [[], [], [], []]
    series = [one for measure in page["measures"] for one in measure["series"]]
    assert series
    assert not [one for one in series if one["device_on"] or one["stimulation_on"]]
    assert "34 with the device?" not in repr(page)
    assert [query["text"] for query in page["queries"] if not query["automatic"]] == ["12 at screening?"]
    overview = screens._study.overview
    assert (overview["whole"], overview["head"], overview["entries"], overview["verification"]) == (
        False, {}, [], None,
    )  # fmt: skip


# ------------------------------------------------------------------------------ forms
def test_a_form_keeps_its_draft_at_the_service_and_another_page_of_its_author_goes_on(own, served):
    form = form_of(signed_in(own, "wu"), served.folder)
    assert form.answer("enter", {"item": "grasp_1", "value": 2})["ok"]
    assert (form.kept["fault"], form.kept["where"]) == ("", "file")
    (draft,) = [one for one in drafts(served.folder) if one.form == "arat"]
    assert draft.values["items"] == {"grasp_1": 2}
    for again in opened(served.client()):
        other = form_of(signed_in(again, "wu"), served.folder)
        assert other.answer("reopen", {"row_id": other.stored[-1]["id"]})["ok"]
        assert other.answer("enter", {"item": "grasp_2", "value": 3})["ok"]
        # The page that was not looked at meanwhile must not win silently.
        form.answer("enter", {"item": "grasp_2", "value": 0})
        assert "changed" in str(form.kept["fault"])
        assert other.items["grasp_2"] == 3
    for somebody in opened(served.client()):
        theirs = form_of(signed_in(somebody, "okafor"), served.folder)
        assert [row for row in theirs.stored if row["state"] == "draft"] == []


def drafts(folder: Any) -> list[Any]:
    with Study.open(folder, actor="test") as study:
        return list(study.drafts.list())


def test_an_assessment_is_saved_scored_by_the_service_and_corrected_with_a_reason(own, served):
    form = form_of(signed_in(own, "wu"), served.folder)
    for name in OFF:
        assert form.answer("choose", {"name": name, "value": False})["ok"]
    assert form.answer("choose_side", {"side": "right"})["ok"]
    for item in form._definition.items:
        form.answer("enter", {"item": item.code, "value": 1})
    reply = form.answer("save", {})
    assert reply["ok"], reply
    assert drafts(served.folder) == []
    row = rows(served.folder, "assessment")[-1]
    assert (row["score"]["total"]["value"], row["rater"], row["state"]) == (19, "Wu R.", "complete")
    assert form.answer("correct", {"field": "grasp_1", "value": 3, "reason": ""})["ok"] is False
    reply = form.answer("correct", {"field": "grasp_1", "value": 3, "reason": "read off the wrong line"})
    assert reply["ok"], reply
    (now,) = rows(served.folder, "assessment", id=row["id"])
    assert (now["items"]["grasp_1"], now["score"]["total"]["value"]) == (3, 21)
    history = form.answer("history", {"field": "grasp_1"})["value"]
    assert [(one["to"], one["actor"]) for one in history] == [(1, "Wu R."), (3, "Wu R.")]
    # The same visit, condition, side and repeat again.
    again = form_of(own, served.folder)
    again.answer("new", {})
    for name in OFF:
        again.answer("choose", {"name": name, "value": False})
    again.answer("choose_side", {"side": "right"})
    again.answer("enter", {"item": "grasp_1", "value": 1})
    assert row["id"] in str(again.kept["fault"])
    assert not again.answer("save", {})["ok"]


def test_a_score_is_never_taken_from_a_client_and_an_impossible_item_is_refused(served):
    client, visit = served.client("wu"), visit_of(served.folder, "Week 24")
    version = outcomes.load("arat").definition.version
    place = (visit, "arat", version, False, False, False)
    for wrong, why in (
        ({"grasp_1": 9}, "must be one of"),
        ({"nose": 1}, "has no item"),
        ({"grasp_1": 1}, "missing"),
    ):
        with pytest.raises(Exception, match=why):
            client.apply(SaveAssessment(*place, wrong, "Wu R.", side="left"))
    row = client.apply(SaveAssessment(*place, {"grasp_1": 1}, "Wu R.", state="incomplete", side="left"))
    with pytest.raises(Exception, match="has no field 'score'"):
        client.apply(CorrectAssessment(row, {"score": {"total": {"value": 57}}}, 1), "better")
    with pytest.raises(RecordFault, match=row):
        client.apply(SaveAssessment(*place, {"grasp_1": 2}, "Wu R.", state="incomplete", side="left"))
    assert rows(served.folder, "assessment", id=row)[0]["items"] == {"grasp_1": 1}


def test_who_is_blinded_enters_nothing_of_which_a_refusal_would_tell_that_it_is_there(shared):
    client, visit = shared.client("blind"), visit_of(shared.folder, "Week 12")
    on = next(row for row in rows(shared.folder, "assessment", visit_id=visit) if row["device_on"])
    before = rows(shared.folder, "assessment")
    version = outcomes.load("arat").definition.version
    # One that is there, and one that is not: refused alike.
    said = set()
    for side in (on["side"], "left"):
        entered = (visit, "arat", version, on["assisted"], True, on["stimulation_on"], {}, "Blind B.")
        with pytest.raises(Refused, match="tells the arm") as refused:
            client.apply(SaveAssessment(*entered, state="incomplete", side=side))
        said.add(str(refused.value))
    assert len(said) == 1
    for row_id in (on["id"], "no such row"):
        with pytest.raises(Exception, match="no assessment|no row"):
            client.apply(CorrectAssessment(row_id, {"rater": "x"}, 1), "x")
    assert rows(shared.folder, "assessment") == before


# ------------------------------------------------------------------------------ when it ends
def test_pages_that_ask_by_themselves_keep_nobody_signed_in_and_show_nothing_once_it_ended(folder):
    with serving(folder, "--idle", "0.03") as made:
        for screens in opened(made.client()):
            person_page(signed_in(screens, "okafor"))
            shown, deadline = screens.stage.children[-1], 600
            while screens.screen.place["signed_in"] and deadline:
                shown.answer("read", {})
                screens.refresh()
                deadline -= 1
            assert screens.screen.place["signed_in"] == ""
            assert screens.stage.children[-1] is screens.worklist
            assert screens.worklist.rows == []
            assert "sign in" in str(screens.worklist.day["fault"])


def test_a_dashboard_of_a_service_is_refused_where_nobody_answers(shared, tmp_path, capsys):
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    assert commands.main(["dashboard", str(tmp_path / "dead"), "--no-browser"]) == 2
    assert "does not answer" in capsys.readouterr().err
    assert commands.main(["dashboard", str(shared.socket), "--show", "presenter"]) == 2
    assert "needs the folder of the study" in capsys.readouterr().err
