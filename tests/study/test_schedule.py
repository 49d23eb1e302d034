"""Visits are planned from their own anchors, through leap days and the ends of the calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadValue
from workbench.messages import translate
from workbench.study.protocol import ANCHORS, Protocol, read
from workbench.study.protocol_reading import FARTHEST_DAY
from workbench.study.schedule import schedule, sheet

EXAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "protocol_neo_hand.toml"
BASE = {
    "study": {"code": "S", "title": "T", "version": "1.0.0", "sponsor": "P", "jurisdictions": ["EU"],
              "effective_from": "2026-12-01"},
    "arm": [{"name": "a", "title": "A"}],
    "consent": {"purposes": {"required": ["treatment"]}, "document_version": "1", "document_sha256": "0" * 64},
}  # fmt: skip


def protocol(*visits):
    """A protocol with visits ``(name, anchor, day, earliest, latest)``."""
    keys = ("name", "anchor", "day", "earliest", "latest")
    return Protocol.from_definition({**BASE, "visit": [dict(zip(keys, visit, strict=True)) for visit in visits]})


def planned(made, anchors, held=None, on=date(2026, 12, 1)):
    """The schedule by name of the visit."""
    return {one.visit: one for one in schedule(made, anchors, held or {}, on)}


CHAIN = protocol(
    ("C", "B", 30, 25, 35),
    ("A", "consent", 0, 0, 7),
    ("B", "A", 14, 10, 20),
)
"""Each visit is anchored at the one before; the file lists them in another order."""


# ---------------------------------------------------------------------------------------- days
@pytest.mark.parametrize(
    ("anchor", "day"),
    [
        (date(2028, 2, 1), date(2028, 2, 29)),
        (date(2027, 2, 1), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2028, 3, 28)),
        (date(2100, 2, 1), date(2100, 3, 1)),
        (date(2000, 2, 1), date(2000, 2, 29)),
        (date(2027, 12, 4), date(2028, 1, 1)),
    ],
)
def test_days_are_counted_through_leap_days_and_the_turn_of_the_year(anchor, day):
    one = planned(protocol(("V", "implant", 28, 28, 28)), {"implant": anchor})["V"]
    assert one.earliest == one.planned == one.latest == day


def test_a_year_after_a_leap_day_is_a_day_that_there_is():
    one = planned(protocol(("V", "implant", 365, 358, 372)), {"implant": date(2028, 2, 29)})["V"]
    assert (one.earliest, one.planned, one.latest) == (date(2029, 2, 21), date(2029, 2, 28), date(2029, 3, 7))


def test_a_visit_may_lie_before_its_anchor():
    one = planned(protocol(("V", "implant", -7, -14, -1)), {"implant": date(2028, 3, 1)})["V"]
    assert (one.earliest, one.planned, one.latest) == (date(2028, 2, 16), date(2028, 2, 23), date(2028, 2, 29))


def test_visits_that_chain_are_planned_from_planned_days_and_are_provisional():
    plan = planned(CHAIN, {"consent": date(2026, 12, 1)})
    assert list(plan) == ["C", "A", "B"]
    days = {name: (one.planned, one.provisional) for name, one in plan.items()}
    assert days == {
        "A": (date(2026, 12, 1), False),
        "B": (date(2026, 12, 15), True),
        "C": (date(2027, 1, 14), True),
    }


def test_a_visit_that_was_held_moves_those_that_are_anchored_at_it():
    plan = planned(CHAIN, {"consent": date(2026, 12, 1)}, {"A": date(2026, 12, 5)}, date(2026, 12, 6))
    assert (plan["B"].planned, plan["B"].provisional) == (date(2026, 12, 19), False)
    assert (plan["C"].planned, plan["C"].provisional) == (date(2027, 1, 18), True)


def test_a_visit_is_never_counted_from_another_visit_than_its_anchor():
    made = protocol(("A", "implant", 0, 0, 7), ("B", "implant", 30, 25, 35), ("C", "implant", 60, 55, 65))
    before = planned(made, {"implant": date(2026, 12, 1)})
    late = {"A": date(2026, 12, 20), "B": date(2027, 1, 20)}
    after = planned(made, {"implant": date(2026, 12, 1)}, late, date(2027, 1, 21))
    for name in ("A", "B", "C"):
        assert after[name].planned == before[name].planned
        assert not after[name].provisional


def test_without_its_anchor_nothing_is_planned_and_nothing_is_guessed():
    plan = planned(CHAIN, {"implant": date(2026, 12, 1)})
    for one in plan.values():
        assert (one.status, one.planned, one.earliest, one.latest) == ("not_anchored", None, None, None)
        assert not one.provisional


def test_a_visit_that_was_held_without_a_known_anchor_is_held_and_anchors_the_next():
    plan = planned(CHAIN, {}, {"A": date(2026, 12, 1)}, date(2026, 12, 2))
    assert (plan["A"].status, plan["A"].planned) == ("held", None)
    assert (plan["B"].planned, plan["B"].provisional) == (date(2026, 12, 15), False)


# ---------------------------------------------------------------------------------------- status
WINDOW = protocol(("V", "consent", 10, 7, 14))
CONSENT = date(2026, 12, 1)


@pytest.mark.parametrize(("day", "status"), [(6, "ahead"), (7, "due"), (10, "due"), (14, "due"), (15, "late")])
def test_both_ends_belong_to_the_window(day, status):
    on = CONSENT + timedelta(days=day)
    assert planned(WINDOW, {"consent": CONSENT}, on=on)["V"].status == status


@pytest.mark.parametrize(
    ("day", "status"), [(6, "held_early"), (7, "held"), (10, "held"), (14, "held"), (15, "held_late")]
)
def test_a_visit_that_was_held_says_where_in_its_window(day, status):
    held = {"V": CONSENT + timedelta(days=day)}
    one = planned(WINDOW, {"consent": CONSENT}, held, date(2027, 6, 1))["V"]
    assert (one.status, one.held) == (status, held["V"])


def test_what_was_held_later_is_not_held_yet():
    held = {"V": CONSENT + timedelta(days=12)}
    one = planned(WINDOW, {"consent": CONSENT}, held, CONSENT + timedelta(days=11))["V"]
    assert (one.status, one.held) == ("due", None)


THREE = protocol(("A", "consent", 0, 0, 7), ("B", "consent", 30, 25, 35), ("C", "B", 30, 20, 40))


@pytest.mark.parametrize(
    ("on", "held", "statuses"),
    [
        (8, {}, ("late", "ahead", "ahead")),
        (25, {}, ("missed", "due", "ahead")),
        (10, {"B": 9}, ("missed", "held_early", "ahead")),
        (36, {}, ("missed", "late", "ahead")),
        # The last one waits for B, so that its window opens only when B was held.
        (60, {}, ("missed", "late", "due")),
        (65, {"C": 64}, ("missed", "missed", "held")),
        (65, {"B": 36}, ("missed", "held_late", "due")),
    ],
)
def test_a_late_visit_is_missed_once_a_later_one_was_held_or_can_be(on, held, statuses):
    held = {name: CONSENT + timedelta(days=day) for name, day in held.items()}
    plan = planned(THREE, {"consent": CONSENT}, held, CONSENT + timedelta(days=on))
    assert tuple(plan[name].status for name in "ABC") == statuses


DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.job
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_window_is_always_that_of_the_protocol_and_its_status_agrees_with_it(data):
    made = read(EXAMPLE)
    anchors = data.draw(st.dictionaries(st.sampled_from(ANCHORS), DAYS))
    held = data.draw(st.dictionaries(st.sampled_from([visit.name for visit in made.visits]), DAYS))
    on = data.draw(DAYS)
    visits = {visit.name: visit for visit in made.visits}
    plan = schedule(made, anchors, held, on)
    assert [one.visit for one in plan] == list(visits)
    for one in plan:
        visit = visits[one.visit]
        assert (one.status == "not_anchored") == (one.planned is None and one.held is None)
        assert (one.held is not None) == one.status.startswith("held")
        if one.planned is not None:
            assert one.planned - one.anchored_on == timedelta(days=visit.day)
            assert one.latest - one.earliest == timedelta(days=visit.latest - visit.earliest)
            inside = one.earliest <= (one.held or on) <= one.latest
            assert inside == (one.status in ("due", "held"))


def test_a_chain_of_thousands_of_visits_is_planned():
    made = protocol(("V0", "consent", 0, 0, 0), *((f"V{n}", f"V{n - 1}", 1, 0, 2) for n in range(1, 5000)))
    assert schedule(made, {"consent": CONSENT}, {}, CONSENT)[-1].planned == CONSENT + timedelta(days=4999)


# ---------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("anchors", "held", "on", "words"),
    [
        ({"birth": CONSENT}, {}, CONSENT, "anchor 'birth' is not known; allowed are consent, randomisation"),
        ({"V": CONSENT}, {}, CONSENT, "anchor 'V' is not known"),
        ({}, {"W": CONSENT}, CONSENT, "held 'W' is not known; allowed are V"),
        ({"consent": "2026-12-01"}, {}, CONSENT, "anchor 'consent' must be a date; got '2026-12-01'"),
        ({"consent": datetime(2026, 12, 1)}, {}, CONSENT, "must be a date; got datetime.datetime"),
        ({}, {"V": None}, CONSENT, "held 'V' must be a date; got None"),
        ({}, {}, None, "on 'on' must be a date"),
        ({"consent": date.max}, {}, CONSENT, "visit 'V' cannot be planned from 9999-12-31"),
    ],
)
def test_a_wrong_name_or_day_is_refused(anchors, held, on, words):
    with pytest.raises(BadValue) as raised:
        schedule(WINDOW, anchors, held, on)
    assert words in str(raised.value)


def test_the_farthest_window_before_the_calendar_begins_is_refused():
    made = protocol(("V", "consent", -FARTHEST_DAY, -FARTHEST_DAY, 0))
    with pytest.raises(BadValue, match="outside the calendar"):
        schedule(made, {"consent": date(50, 1, 1)}, {}, CONSENT)


# ---------------------------------------------------------------------------------------- sheet
def test_the_sheet_has_a_line_for_each_visit_and_tells_no_arm():
    made = read(EXAMPLE)
    anchors = {"consent": date(2026, 12, 1), "implant": date(2027, 1, 10)}
    plan = schedule(made, anchors, {"Screening": date(2026, 12, 20)}, date(2027, 4, 1))
    lines = sheet(made, plan)
    assert [str(line) for line in lines] == [
        f"Schedule of EXAMPLE-HAND, protocol 1.0.0 ({made.sha256[:12]})",
        "Screening: 2026-12-01 (2026-12-01 to 2026-12-15), held late on 2026-12-20; forms: vitals, isncsci",
        "Baseline: 2026-12-27 (2026-12-21 to 2027-01-17), missed; forms: arat, isncsci, grassp, scim",
        "Wound check: 2027-01-20 (2027-01-17 to 2027-01-24), missed; forms: vitals, wound",
        "Training: counted from first_session, its anchor has no day yet; forms: vitals, session_diary",
        "Week 12: 2027-04-04 (2027-03-28 to 2027-04-18), due; forms: arat, isncsci, grassp, scim",
        "Week 24: 2027-06-27 (2027-06-13 to 2027-07-11), not yet due; forms: arat, isncsci, grassp, scim",
    ]
    assert not any(arm.name in line or arm.title in line for arm in made.arms for line in lines)
    chinese = [translate(line, language="zh-CN") for line in lines]
    assert chinese[1].startswith("Screening：2026-12-01（2026-12-01 至 2026-12-15），2026-12-20 延迟进行")


def test_the_sheet_says_from_which_visit_a_day_is_provisional():
    lines = sheet(CHAIN, schedule(CHAIN, {"consent": CONSENT}, {}, CONSENT))
    assert "C: 2027-01-14 (2027-01-09 to 2027-01-19), not yet due; provisional until B is held" in lines
