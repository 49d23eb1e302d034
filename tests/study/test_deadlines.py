"""Deadlines of reports, against dates that were worked out by hand on a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.study.test_safety import event
from workbench.errors import BadValue, UnknownName
from workbench.study import reporting_rules, working_days
from workbench.study.deadlines import Awareness, Revision, obligations, obligations_over, withheld
from workbench.study.reporting_rules import RuleConfirmation
from workbench.study.safety import DeficiencyFacts

TABLE = reporting_rules.shipped()
SEEN = datetime(2026, 11, 25, 9, tzinfo=UTC)
CONFIRMED = [
    RuleConfirmation(rule.id, TABLE.version, "Dr A", SEEN)
    for rule in TABLE.rules.values()
    if rule.mark == "memory"
]
DEATH, SERIOUS, MILD = event("death"), event("hospitalisation"), event()


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def aware(text, zone="Asia/Shanghai", person="Lin Q."):
    return Awareness(utc(text), zone, person)


def one_rule(jurisdiction, amount, unit):
    """A table of one rule, for every serious event."""
    like = TABLE.rules["cn.sae.other"]
    rule = replace(like, id="one", jurisdiction=jurisdiction, amount=amount, unit=unit, unless=())
    return replace(TABLE, rules={"one": rule})


def deadline(text, zone, jurisdiction, amount, unit, country="DE"):
    """The one obligation of a serious event under a rule of a time."""
    table = one_rule(jurisdiction, amount, unit)
    (due,) = obligations(DEATH, [jurisdiction], aware(text, zone), country=country, table=table)
    return due


HOURS = [
    # 24 h over the night in which the clock goes back, and over the one in which it goes forward.
    ("2026-10-24T10:00", "Europe/Berlin", 24, "2026-10-25T10:00", "2026-10-25 11:00+01:00"),
    ("2027-03-27T13:00", "Europe/Berlin", 24, "2027-03-28T13:00", "2027-03-28 15:00+02:00"),
    ("2027-03-13T18:00", "America/New_York", 24, "2027-03-14T18:00", "2027-03-14 14:00-04:00"),
    # The hour that comes twice: 01:30 in summer time, and 01:30 after it.
    ("2026-10-31T05:30", "America/New_York", 24, "2026-11-01T05:30", "2026-11-01 01:30-04:00"),
    ("2026-10-31T06:30", "America/New_York", 24, "2026-11-01T06:30", "2026-11-01 01:30-05:00"),
    ("2028-02-28T23:30", "UTC", 24, "2028-02-29T23:30", "2028-02-29 23:30+00:00"),
]


@pytest.mark.parametrize(("at", "zone", "n", "due", "local"), HOURS)
def test_a_time_in_hours_is_exact_whatever_the_clock_of_the_zone_does(at, zone, n, due, local):
    found = deadline(at, zone, "EU", n, "hours")
    assert (found.due, found.days) == (utc(due), ())
    assert found.due_text == f"by {local} in {zone}"


def test_a_moment_in_a_zone_that_is_utc_in_winter_alone_is_still_one_in_utc():
    """London turns its clocks on Sun 28 March 2027: 24 h of its wall clock would be 23."""
    seen = Awareness(datetime(2027, 3, 27, 13, tzinfo=ZoneInfo("Europe/London")), "Europe/London", "A")
    (found,) = obligations(DEATH, ["EU"], seen, country="IE", table=one_rule("EU", 24, "hours"))
    assert (found.start, found.due) == (utc("2027-03-27T13:00"), utc("2027-03-28T13:00"))


CALENDAR_DAYS = [
    # Fri 23 Oct 2026, 23:30 in Berlin: to the end of Sun 25, which has 25 h.
    ("2026-10-23T21:30", "Europe/Berlin", 2, "2026-10-25", "2026-10-25T23:00"),
    # Fri 26 Mar 2027 in Berlin: to the end of Sun 28, which has 23 h.
    ("2027-03-26T11:00", "Europe/Berlin", 2, "2027-03-28", "2027-03-28T22:00"),
    # Fri 30 Oct 2026 in New York: to the end of Sun 1 Nov; Fri 12 Mar 2027: to the end of Sun 14.
    ("2026-10-30T13:00", "America/New_York", 2, "2026-11-01", "2026-11-02T05:00"),
    ("2027-03-12T14:00", "America/New_York", 2, "2027-03-14", "2027-03-15T04:00"),
    # Over and from a leap day, and over the end of a February without one.
    ("2028-02-25T02:00", "Asia/Shanghai", 7, "2028-03-03", "2028-03-03T16:00"),
    ("2028-02-29T02:00", "Asia/Shanghai", 15, "2028-03-15", "2028-03-15T16:00"),
    ("2027-02-25T02:00", "Asia/Shanghai", 7, "2027-03-04", "2027-03-04T16:00"),
    # One moment on both sides of the date line: Thu 11 June, 00:30, and Tue 9 June, 23:30.
    ("2026-06-10T10:30", "Pacific/Kiritimati", 7, "2026-06-18", "2026-06-18T10:00"),
    ("2026-06-10T10:30", "Pacific/Pago_Pago", 7, "2026-06-16", "2026-06-17T11:00"),
    # Samoa left out Fri 30 Dec 2011: that day ends as it begins.
    ("2011-12-28T22:00", "Pacific/Apia", 2, "2011-12-30", "2011-12-30T10:00"),
    # Midnight itself, and the last minute of the day before.
    ("2026-06-10T16:00", "Asia/Shanghai", 1, "2026-06-12", "2026-06-12T16:00"),
    ("2026-06-10T15:59", "Asia/Shanghai", 1, "2026-06-11", "2026-06-11T16:00"),
]


@pytest.mark.parametrize(("at", "zone", "n", "last", "due"), CALENDAR_DAYS)
def test_a_time_in_days_ends_with_the_last_local_day(at, zone, n, last, due):
    found = deadline(at, zone, "CN", n, "calendar_days")
    assert found.due == utc(due)
    assert found.due_text == f"by the end of {last} in {zone}"
    assert found.days[-1].date == date.fromisoformat(last)
    assert [day.counts for day in found.days] == [False] + [True] * n
    assert found.days[0].why.code == "reporting.day_of_awareness"


def marks(found):
    """Days of an obligation: ``"20 + "`` for one that counts, with its reason where it has one."""
    return [f"{day.date.day}{'+' if day.counts else '-'}{day.why or ''}" for day in found.days[1:]]


def test_ten_working_days_over_thanksgiving_2026():
    found = deadline("2026-11-19T21:40", "America/New_York", "US", 10, "working_days", country="CN")
    assert marks(found) == [
        "20+", "21-weekend", "22-weekend", "23+", "24+", "25+", "26-holiday: Thanksgiving Day", "27+",
        "28-weekend", "29-weekend", "30+", "1+", "2+", "3+", "4+",
    ]  # fmt: skip
    assert (found.due, found.warnings) == (utc("2026-12-05T05:00"), ())


def test_three_working_days_over_german_unity_day_on_a_friday_and_on_a_saturday():
    found = deadline("2025-10-01T08:00", "Europe/Berlin", "EU", 3, "working_days")
    assert marks(found) == ["2+", "3-holiday: German Unity Day", "4-weekend", "5-weekend", "6+", "7+"]
    assert (found.due, found.warnings) == (utc("2025-10-07T22:00"), ())
    found = deadline("2026-10-01T08:00", "Europe/Berlin", "EU", 3, "working_days")
    assert marks(found) == ["2+", "3-weekend", "4-weekend", "5+", "6+"]


def test_five_working_days_over_the_chinese_national_day_of_2026_with_its_worked_saturday():
    found = deadline("2026-09-29T02:00", "Asia/Shanghai", "CN", 5, "working_days")
    days = marks(found)
    assert [day for day in days if "+" in day] == ["30+", "8+", "9+", "10+weekend day that is worked", "12+"]
    off = [day for day in days if "holiday" in day]
    assert [day.split("-")[0] for day in off] == ["1", "2", "5", "6", "7"]
    assert [day for day in days if day.endswith("-weekend")] == ["3-weekend", "4-weekend", "11-weekend"]
    assert (found.due, found.warnings) == (utc("2026-10-12T16:00"), ())


WORKING_DAYS = [
    # Christmas 2026 and New Year 2027, both on a Friday.
    ("2026-12-18T15:00", "America/New_York", "US", 10, "2027-01-05"),
    # Independence Day 2026 is a Saturday, observed on Friday.
    ("2026-06-30T15:00", "America/New_York", "US", 10, "2026-07-15"),
    # Sunday 20 September 2026 is worked in China for the National Day.
    ("2026-09-18T02:00", "Asia/Shanghai", "CN", 5, "2026-09-24"),
    # Good Friday and Easter Monday 2026.
    ("2026-04-02T08:00", "Europe/Berlin", "EU", 1, "2026-04-07"),
    # Reformation Day, Friday 31 October 2025, is off in a part of Germany only: it counts.
    ("2025-10-30T08:00", "Europe/Berlin", "EU", 1, "2025-10-31"),
    # From a Saturday.
    ("2026-11-14T08:00", "Europe/Berlin", "EU", 1, "2026-11-16"),
]


@pytest.mark.parametrize(("at", "zone", "jurisdiction", "n", "last"), WORKING_DAYS)
def test_a_time_in_working_days_leaves_out_weekends_and_holidays(at, zone, jurisdiction, n, last):
    found = deadline(at, zone, jurisdiction, n, "working_days")
    assert (found.days[-1].date.isoformat(), found.warnings) == (last, ())


UNKNOWN = [
    # China has announced nothing for 2061: Mon 3 to Thu 6 October count.
    ("2061-09-29T02:00", "CN", 5, "CN", "2061-10-06", "2061"),
    # No calendar of 2150: Fri 3 July, on which Independence Day would be observed, counts.
    ("2150-07-01T15:00", "US", 10, "US", "2150-07-15", "2150"),
    # No such country: Christmas 2026, a Friday, counts.
    ("2026-12-23T12:00", "EU", 2, "XX", "2026-12-25", "2026"),
]


@pytest.mark.parametrize(("at", "jurisdiction", "n", "country", "last", "year"), UNKNOWN)
def test_where_a_calendar_is_not_known_the_earliest_date_is_given_and_said(
    at, jurisdiction, n, country, last, year
):
    found = deadline(at, "UTC", jurisdiction, n, "working_days", country)
    assert found.days[-1].date.isoformat() == last
    (warning,) = found.warnings
    assert warning.startswith(f"the calendar of {country} for {year} is not known: holidays were counted")


def test_a_saturday_that_was_worked_for_the_days_off_of_the_next_year_counts():
    """Saturday 29 December 2018, for New Year 2019; Sunday 30 December was free."""
    assert working_days.judge("CN", date(2018, 12, 29)).counts
    assert not working_days.judge("CN", date(2018, 12, 30)).counts


def test_the_end_of_the_last_year_that_china_announced_is_not_known():
    """Weekend days of December may be worked for the new year, which is announced with that year."""
    last = max(year for year in range(2026, 2060) if working_days.knows("CN", date(year, 6, 1)))
    assert working_days.knows("CN", date(last, 12, 10))
    assert not working_days.knows("CN", date(last, 12, 25))
    assert working_days.knows("CN", date(last - 1, 12, 25))
    assert working_days.knows("DE", date(last, 12, 25))


# ------------------------------------------------------------------------------------ which rules
def due_of(facts, jurisdictions=("US", "EU", "CN"), confirmed=CONFIRMED):
    found = obligations(facts, jurisdictions, aware("2026-11-02T02:00"), confirmed, country="DE")
    assert {one.table_version for one in found} <= {TABLE.version}
    return {one.rule: one.due_text.arguments.get("day", "") for one in found}


WHICH = [
    (MILD, {}),
    (event(device="causal"), {}),
    (SERIOUS, {"cn.sae.other": "17", "cn.sae.investigator": None, "eu.80.investigator": "05"}),
    (DEATH, {"cn.sae.fatal": "09", "cn.sae.investigator": None, "eu.80.investigator": "05"}),
    (
        event("disability", stimulation="possible", expected=True),
        {
            "cn.sae.other": "17", "cn.sae.investigator": None, "eu.80.investigator": "05", "eu.80.other": "09",
        },
    ),
    (
        # Wed 11 November is Veterans Day, so that ten working days end on Tue 17.
        event("life_threatening", device="probable", expected=False, imminent_risk=True),
        {
            "cn.sae.fatal": "09", "cn.sae.investigator": None, "eu.80.investigator": "05",
            "eu.80.imminent": "04", "us.uade.sponsor": "17", "us.uade.investigator": "17",
        },
    ),
    (
        event("disability", device="causal", expected=True, marketed=True),
        {
            "cn.sae.other": "17", "cn.sae.investigator": None, "eu.80.investigator": "05", "eu.80.other": "09",
            "eu.87.serious": "17",
        },
    ),
    (
        event("death", device="causal", expected=True, marketed=True),
        {
            "cn.sae.fatal": "09", "cn.sae.investigator": None, "eu.80.investigator": "05", "eu.80.other": "09",
            "eu.87.death": "12",
        },
    ),
    (event(marketed=True, public_health_threat=True), {"eu.87.threat": "04"}),
    (DeficiencyFacts(could_have_led_to_sae=False, imminent_risk=True), {}),
    (DeficiencyFacts(could_have_led_to_sae=None), {"eu.80.investigator": "05", "eu.80.other": "09"}),
    (
        DeficiencyFacts(could_have_led_to_sae=True, imminent_risk=True, marketed=True),
        {"eu.80.investigator": "05", "eu.80.imminent": "04", "eu.87.serious": "17"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "wanted"), WHICH)
def test_which_reports_are_due_when_every_rule_is_confirmed(facts, wanted):
    """By hand, of somebody who became aware on Mon 2 November 2026 in Shanghai."""
    assert due_of(facts) == {rule: f"2026-11-{day}" if day else "" for rule, day in wanted.items()}
    assert set(due_of(facts, ("CN",))) == {rule for rule in wanted if rule.startswith("cn")}
    assert due_of(facts, ()) == {}


def test_a_rule_from_memory_is_off_and_named_until_it_is_confirmed():
    facts = event("disability", device="possible", expected=True)
    history = [Revision(facts, aware("2026-11-02T02:00"))]
    assert due_of(facts, ("EU",), ()) == {}
    off = withheld(history, ("EU",))
    assert [note.arguments["rule"] for note in off] == ["eu.80.other", "eu.80.investigator"]
    assert off[0].startswith("rule eu.80.other (7 calendar days) would apply but is off")
    one = [RuleConfirmation("eu.80.other", TABLE.version, "Dr A", SEEN)]
    assert set(due_of(facts, ("EU",), one)) == {"eu.80.other"}
    assert [note.arguments["rule"] for note in withheld(history, ("EU",), one)] == ["eu.80.investigator"]
    assert due_of(facts, ("EU",), [replace(one[0], table_version="0")]) == {}
    assert withheld(history, ("EU",), CONFIRMED) == ()
    assert withheld(history, ("CN",)) != ()


def test_a_stricter_rule_that_is_off_never_takes_the_place_of_one_that_is_on():
    facts = event("death", device="causal", marketed=True)
    assert set(due_of(facts, ("EU",), ())) == {"eu.87.serious"}
    one = [RuleConfirmation("eu.80.other", TABLE.version, "Dr A", SEEN)]
    imminent = event("death", device="causal", imminent_risk=True)
    assert set(due_of(imminent, ("EU",), one)) == {"eu.80.other"}


def test_what_was_assumed_stands_beside_the_report_that_rests_on_it_until_somebody_has_said():
    unknown = event("death", device="possible")
    first = Revision(unknown, aware("2026-11-02T02:00"))
    found = {o.rule: o.warnings for o in obligations_over([first], ("US", "CN"), country="CN")}
    assert [note.code for note in found["us.uade.sponsor"]] == ["reporting.expectedness_unknown"]
    assert found["cn.sae.fatal"] == ()
    said = Revision(replace(unknown, expected=False), aware("2026-11-05T02:00"))
    assert [o.warnings for o in obligations_over([first, said], ("US",), country="CN")] == [()]


# ------------------------------------------------------------------------------------ over time
def over(*stated, jurisdictions=("CN",)):
    """``{rule: (start, last day, code of kept)}`` of facts that somebody became aware of on days of November."""
    history = [Revision(facts, aware(f"2026-11-{day:02d}T02:00")) for facts, day in stated]
    return {
        o.rule: (o.start.day, o.days[-1].date.day, o.kept and o.kept.code)
        for o in obligations_over(history, jurisdictions, country="CN")
    }


def test_a_downgrade_keeps_what_was_due():
    assert over((DEATH, 2), (MILD, 4)) == {"cn.sae.fatal": (2, 9, "reporting.kept_after_downgrade")}
    history = [Revision(DEATH, aware("2026-11-02T02:00")), Revision(MILD, aware("2026-11-04T02:00"))]
    (kept,) = obligations_over(history, ("CN",), country="CN")
    assert kept.kept.startswith("kept after downgrade: due by what was known on 2026-11-02")


def test_less_than_death_is_due_from_the_first_day_on_which_the_event_was_serious():
    assert over((DEATH, 2), (SERIOUS, 4)) == {
        "cn.sae.fatal": (2, 9, "reporting.kept_after_downgrade"),
        "cn.sae.other": (2, 17, None),
    }


def test_an_upgrade_starts_its_own_clock_and_ends_no_earlier_one():
    assert over((SERIOUS, 2), (DEATH, 12)) == {
        "cn.sae.other": (2, 17, "reporting.kept_beside_stricter"),
        "cn.sae.fatal": (12, 19, None),
    }
    assert over((MILD, 2), (SERIOUS, 5)) == {"cn.sae.other": (5, 20, None)}


def test_an_edit_and_a_second_upgrade_restart_nothing():
    assert over((SERIOUS, 2), (replace(SERIOUS, severity="severe"), 20)) == {"cn.sae.other": (2, 17, None)}
    assert over((DEATH, 2), (MILD, 5), (DEATH, 20)) == {"cn.sae.fatal": (2, 9, None)}


def test_an_awareness_that_turns_out_to_be_earlier_brings_the_date_forward():
    assert over((SERIOUS, 5), (SERIOUS, 3)) == {"cn.sae.other": (3, 18, None)}


def test_an_earlier_awareness_further_east_whose_day_ends_later_does_not_put_the_date_off():
    west = aware("2026-06-10T10:30", "Pacific/Pago_Pago")
    east = aware("2026-06-10T10:00", "Pacific/Kiritimati")
    (found,) = obligations_over([Revision(DEATH, west), Revision(DEATH, east)], ("CN",), country="CN")
    assert (found.due, found.awareness) == (utc("2026-06-17T11:00"), west)


def test_a_rule_confirmed_later_counts_from_the_first_awareness():
    history = [Revision(event("death"), aware("2026-11-02T02:00"))]
    found = obligations_over(history, ("EU",), CONFIRMED, country="DE")
    assert [(o.rule, o.start) for o in found] == [("eu.80.investigator", utc("2026-11-02T02:00"))]


def test_the_first_due_comes_first():
    facts = event("death", device="possible", expected=False)
    found = obligations(facts, ("US", "EU", "CN"), aware("2026-11-02T02:00"), CONFIRMED, country="DE")
    assert len(found) == 6
    assert [o.due for o in found] == sorted(o.due for o in found)


# ------------------------------------------------------------------------------------ always
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))
UNITS = st.sampled_from(["hours", "calendar_days", "working_days"])
PLACES = st.sampled_from(["US", "EU", "CN"])


@given(MOMENTS, ZONES, UNITS, PLACES, st.integers(1, 30), st.integers(0, 5))
def test_a_report_is_due_after_its_start_and_with_more_days_never_earlier(moment, zone, unit, place, n, more):
    seen = Awareness(moment, zone, "A")
    one, other = (
        obligations(DEATH, [place], seen, country="DE", table=one_rule(place, amount, unit))[0]
        for amount in (n, n + more)
    )
    assert one.start < one.due <= other.due
    assert (one.due < other.due) is (more > 0)
    if unit != "hours":
        assert one.due >= one.start + timedelta(days=n) - timedelta(hours=1)
        assert sum(day.counts for day in one.days) == n


STATED = st.lists(
    st.builds(
        Revision,
        st.sampled_from(
            [
                MILD,
                SERIOUS,
                DEATH,
                event("death", device="possible"),
                event("death", device="causal", expected=True),
            ]
        ),
        st.builds(Awareness, MOMENTS, ZONES, st.just("A")),
    ),
    min_size=2,
    max_size=5,
)


@given(STATED)
def test_nothing_that_is_said_later_takes_a_report_away_or_lets_it_wait_longer(history):
    def due(stated):
        found = obligations_over(stated, ("US", "EU", "CN"), CONFIRMED, country="DE")
        return {o.rule: o.due for o in found}

    before, after = due(history[:-1]), due(history)
    assert set(before) <= set(after)
    assert all(after[rule] <= moment for rule, moment in before.items())


# ------------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize("zone", ["", "Berlin", "../../etc/passwd", "Europe", "a\x00b", "z" * 5000, 3])
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(BadValue, match="IANA name"):
        Awareness(SEEN, zone, "A")


@pytest.mark.parametrize(
    ("person", "at"), [("", SEEN), ("A", SEEN.replace(tzinfo=None)), ("A", datetime.max.replace(tzinfo=UTC))]
)
def test_an_awareness_says_who_and_when(person, at):
    with pytest.raises(BadValue):
        Awareness(at, "UTC", person)


def test_a_question_that_makes_no_sense_is_refused():
    seen = aware("2026-11-02T02:00")
    with pytest.raises(BadValue, match="one statement of facts or more"):
        obligations_over([], ("CN",), country="CN")
    with pytest.raises(BadValue, match="jurisdictions must be one of US, EU, CN, got 'DE'"):
        obligations(DEATH, ("DE",), seen, country="DE")
    with pytest.raises(BadValue, match="two capital letters"):
        obligations(DEATH, ("EU",), seen, country="Germany")
    with pytest.raises(UnknownName, match="no reporting rule"):
        obligations(DEATH, ("EU",), seen, [replace(CONFIRMED[0], rule="none")], country="DE")
