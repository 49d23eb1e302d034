"""Each requirement has a source and tests that are there, and the page lists them all."""

from __future__ import annotations

import pytest

from tests import requirements

ALL = requirements.requirements()


@pytest.mark.parametrize("one", ALL, ids=[one["id"] for one in ALL])
def test_a_requirement_has_a_source_and_tests_that_are_there(one):
    assert one["source"]
    assert one["does"]
    assert one["tests"]
    assert [test for test in one["tests"] if not requirements.is_there(test)] == []


def test_no_requirement_stands_twice_and_none_claims_compliance():
    ids = [one["id"] for one in ALL]
    assert len(set(ids)) == len(ids)
    assert "compl" not in requirements.page().lower().replace("complete", "")


def test_the_page_is_made_from_the_table():
    assert requirements.PAGE.read_text(encoding="utf-8") == requirements.page()


def test_a_test_that_is_not_there_is_noticed():
    assert requirements.is_there("tests/docs/test_requirements.py::test_a_test_that_is_not_there_is_noticed")
    assert not requirements.is_there("tests/docs/test_requirements.py::test_that_nobody_wrote")
    assert not requirements.is_there("tests/nowhere.py")
