"""The suite tries each value, a release each combination."""

from __future__ import annotations

from _pytest.mark import ParameterSet

from tests.shares import crossed, some

SIZES = [(1440, 900), (1280, 800), (1024, 768)]


def of_the_suite(cases):
    return [one.values if isinstance(one, ParameterSet) else one for one in cases if not getattr(one, "marks", ())]


def test_of_crossed_values_the_suite_tries_each_and_a_release_all():
    cases = crossed(SIZES, ["en", "zh-CN"])
    assert of_the_suite(cases) == [(1440, 900, "en"), (1280, 800, "zh-CN"), (1024, 768, "en")]
    assert len(cases) == 6
    later = [one for one in cases if isinstance(one, ParameterSet)]
    assert [mark.name for one in later for mark in one.marks] == ["release"] * 3


def test_of_many_cases_the_suite_tries_the_first_of_each_few():
    assert of_the_suite(some(list("abcdefgh"), of=3)) == ["a", "d", "g"]
