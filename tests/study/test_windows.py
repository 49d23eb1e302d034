"""Where a day lies in the window of a visit: one answer on schedule, worklist and the participant's page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.study import changes
from workbench.study.participant_visits import visits_of
from workbench.study.planned import of_participant
from workbench.study.windows import Window, window_of

DAY = date(2026, 3, 10)
ON = {"due": ("due", "due"), "ahead": ("early", "ahead"), "late": ("late", "late")}
"""Words of worklist and page for one of the schedule."""


def row(planned="", earliest="", latest=""):
    return {"planned": planned, "earliest": earliest, "latest": latest}


@pytest.mark.parametrize(
    ("visit", "window"),
    [
        (row(), (None, None)),
        (row("2026-03-10T09:30"), (DAY, DAY)),
        (row("2026-03-10", "2026-03-01"), (date(2026, 3, 1), DAY)),
        (row(latest="2026-03-12"), (None, date(2026, 3, 12))),
    ],
)
def test_an_end_that_is_not_known_is_the_planned_day_or_none(visit, window):
    assert window_of(visit) == window


@given(st.integers(-9, 9), st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5))
def test_both_ends_belong_to_the_window_and_an_open_one_lets_every_day_in(on, first, last):
    earliest, latest = (None if n is None else DAY + timedelta(days=n) for n in (first, last))
    place = Window(earliest, latest).place(DAY + timedelta(days=on))
    if first is None and last is None:
        assert place == "open"
    elif first is not None and on < first:
        assert place == "before"
    else:
        assert place == ("after" if last is not None and on > last else "within")


@pytest.mark.parametrize("shift", [-20, -4, -3, 0, 4, 5, 60])
def test_schedule_worklist_and_page_agree_on_every_day(study, shift):
    (person,) = study.rows("participant", pseudonym="SIM-02")
    (visit,) = study.rows("visit", participant_id=person["id"], name="Week 24")
    script = study.script_signer("Dr B")
    study.apply(changes.SetAnchor(person["id"], "implant", "2026-01-05"), script, "misread")
    visit = study.get("visit", visit["id"])
    on = date.fromisoformat(visit["planned"]) + timedelta(days=shift)
    protocol, planned = of_participant(study, person["id"], on)
    (own,) = [one for one in planned if one.visit == "Week 24"]
    (listed,) = [one for one in study.worklist(on) if one.visit["id"] == visit["id"]]
    shown = visits_of(study, person["id"], protocol=protocol, on=on, concealed=False)
    (page,) = [one for one in shown if one["id"] == visit["id"]]
    assert (listed.window, page["state"]) == ON[own.status]
