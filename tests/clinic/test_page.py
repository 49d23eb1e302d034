"""A page in Clinic mode: it signs in, shows the worklist and makes changes, and opens no record."""

from __future__ import annotations

import pytest

from tests.clinic.conftest import SECRET, visit_of
from workbench import systems
from workbench.dashboard.clinic_visits import ClinicVisits
from workbench.dashboard.visits import VisitService
from workbench.errors import Refused
from workbench.study import Study
from workbench.study.changes import SaveForm

SYSTEM = systems.simulate(systems.load("neo_hand"))


@pytest.fixture
def page(shared):
    return ClinicVisits(shared.client(), SYSTEM)


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
