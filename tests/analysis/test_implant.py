"""Implant-days and events by them."""

from __future__ import annotations

import pytest

from workbench.analysis import estimate, implant_days
from workbench.errors import BadValue

PEOPLE = {"P1": "2026-01-01", "P2": "2026-02-01T08:00:00Z", "P3": "2026-03-01"}


def test_days_are_counted_from_implantation_to_the_cut_or_the_explantation():
    """P1 90 days to 1 April; P2 28 days to its explantation on 1 March; P3 31 days."""
    found = implant_days(PEOPLE, cut="2026-04-01", ended={"P2": "2026-03-01"})
    assert found.by_participant == {"P1": 90, "P2": 28, "P3": 31}
    assert (found.n, found.days, found.longest, found.middle) == (3, 149, 90, 31.0)
    assert found.line() == "149 implant-days in 3 participants (median 31, longest 90; cut 2026-04-01)"


def test_an_end_after_the_cut_does_not_count_beyond_it():
    assert implant_days({"P1": "2026-01-01"}, cut="2026-01-11", ended={"P1": "2026-05-01"}).days == 10


def test_events_are_given_per_1000_implant_days_with_their_exact_interval():
    found = estimate("implant_days", {"P1": "2026-01-01"}, cut="2028-09-27", events=3)
    assert found.days == 1000
    assert found.rate == 3.0
    assert found.interval == pytest.approx((0.618672, 8.767273), abs=1e-5)
    assert found.line().endswith("3 events = 3.00 per 1000 implant-days (95 % CI 0.62–8.77, Poisson)")


def test_no_day_gives_no_rate():
    found = implant_days({"P1": "2026-01-01"}, cut="2026-01-01", events=0)
    assert (found.days, found.rate, found.interval) == (0, None, None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (({}, {"cut": "2026-04-01"}), "at least one implanted participant"),
        ((PEOPLE, {"cut": "1 April"}), "the cut must be an ISO date such as"),
        ((PEOPLE, {"cut": "2026-04-01 or 2026-05-01"}), "the cut must be an ISO date such as"),
        ((PEOPLE, {"cut": "2026-01-15"}), "P2 was implanted on 2026-02-01, after 2026-01-15"),
        ((PEOPLE, {"cut": "2026-04-01", "ended": {"P9": "2026-03-01"}}), "P9 have an end of exposure and no"),
    ],
)
def test_dates_that_cannot_be_are_told(given, told):
    people, how = given
    with pytest.raises(BadValue, match=told):
        implant_days(people, **how)
