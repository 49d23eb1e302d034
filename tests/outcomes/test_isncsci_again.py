"""A stored examination under today's rules: what differs is told, items and the site's own result are kept."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes import isncsci
from workbench.vocabulary import Assessment, Condition

ALONE = Condition(assisted=False, device_on=False, stimulation_on=False)
COMPLETE_C6 = {"motor": "5500000000", "normal_to": "C6"}


def stored(items, *, options=None, **changes):
    """An assessment as a form stores it; ``changes`` replace results of its classification."""
    options = options or {}
    score = outcomes.score("isncsci", items, **options).to_json()
    if changes:
        score["classes"] = {**score["classes"], **changes}
    return Assessment("v", "isncsci", "2019", ALONE, items, score, "rater", id="a1", options=options)


def test_the_same_rules_change_nothing(make):
    found = isncsci.rescore(stored(isncsci.items_of(make(COMPLETE_C6))))
    assert (found.changed, found.outdated, found.error) == ({}, False, "")
    assert found.rules == (isncsci.RULES, isncsci.RULES)
    assert found.line() == f"rules {isncsci.RULES}: same results"


def test_an_old_result_is_reported_beside_the_new_one_with_both_rule_versions(make):
    old = stored(isncsci.items_of(make(COMPLETE_C6)), ais="B", rules="isncsci-2015.3")
    found = isncsci.rescore(old)
    assert found.changed == {"ais": ("B", "A")}
    assert found.outdated
    assert found.score["classes"]["ais"] == "A"
    assert found.line() == f"rules isncsci-2015.3 → {isncsci.RULES}: ais B → A"


def test_another_rule_version_with_the_same_results_is_outdated_too(make):
    found = isncsci.rescore(stored(isncsci.items_of(make(COMPLETE_C6)), rules="isncsci-2015.3"))
    assert (found.changed, found.outdated) == ({}, True)


def test_a_changed_sum_is_named_with_its_side(make):
    old = stored(isncsci.items_of(make(COMPLETE_C6)))
    old.score["classes"]["totals"]["right"]["uems"] = "11"
    assert isncsci.rescore(old).changed == {"totals.right.uems": ("11", "10")}


def test_an_examination_that_was_never_classified_gets_its_results(make):
    found = isncsci.rescore(
        Assessment("v", "isncsci", "2019", ALONE, isncsci.items_of(make(COMPLETE_C6)), {}, "rater", id="a1")
    )
    assert found.rules == ("", isncsci.RULES)
    assert found.changed["ais"] == (None, "A")
    assert "not classified →" in found.line()


def test_an_incomplete_examination_stays_unclassified(make):
    items = isncsci.items_of(make(COMPLETE_C6)) | {"left.motor.C5": None}
    found = isncsci.rescore(stored(items))
    assert (found.outdated, found.changed, found.rules) == (False, {}, ("", ""))


def test_options_are_those_it_was_stored_with(make):
    normal = make({}, vac="No", dap="Yes")
    for reading in isncsci.NLI_VAC:
        found = isncsci.rescore(stored(isncsci.items_of(normal), options={"nli_vac": reading}))
        assert found.changed == {}
        assert found.score["options"] == {"nli_vac": reading}


@pytest.mark.parametrize(
    ("items", "version", "words"),
    [({"right.motor.C5": 7}, "2019", "must be one of"), ({}, "1996", "versions are never mixed")],
)
def test_what_cannot_be_scored_is_reported_and_not_replaced(items, version, words):
    found = isncsci.rescore(Assessment("v", "isncsci", version, ALONE, items, {}, "rater", id="a1"))
    assert words in found.error
    assert (found.score, found.outdated) == (None, False)
    assert found.line().startswith("cannot be scored: ")


def test_another_measure_is_refused():
    with pytest.raises(BadValue, match="only isncsci"):
        isncsci.rescore(Assessment("v", "arat", "1981", ALONE, {}, {}, "rater"))


# ----- what the site reported


def test_what_the_site_reported_stands_beside_the_computed_result_and_the_difference_is_reported(make):
    items = isncsci.items_of(make(COMPLETE_C6)) | {"site_reported.nli": "C5", "site_reported.ais": "A"}
    score = outcomes.score("isncsci", items)
    assert (score.items["site_reported.nli"], score.classes["nli"]) == ("C5", "C6")
    assert score.classes == {**isncsci.classify(make(COMPLETE_C6)).result, "rules": isncsci.RULES}
    assert [told for told in score.warnings if "site" in told] == [
        "the site reported NLI C5, computed is C6; both are kept"
    ]


def test_a_site_that_could_not_determine_agrees_with_several_possible_values_and_not_with_one(make):
    open_exam = make({"motor": ["5", "5", "NT", *"0000000"], "normal_to": "C8"})
    for exam, differs in ((open_exam, False), (make(COMPLETE_C6), True)):
        items = isncsci.items_of(exam) | {"site_reported.nli": "ND"}
        told = [told for told in outcomes.score("isncsci", items).warnings if "site reported" in told]
        assert bool(told) is differs
    assert "," in isncsci.classify(open_exam).result["nli"]


def test_what_the_site_reported_survives_a_new_classification(make):
    items = isncsci.items_of(make(COMPLETE_C6)) | {"site_reported.ais": "C"}
    old = stored(items, ais="B")
    old.score["site_reported"] = {"nli": "C4"}
    found = isncsci.rescore(old)
    assert found.score["site_reported"] == {"nli": "C4"}
    assert found.score["items"]["site_reported.ais"] == "C"
    assert isncsci.exam_of(items) == make(COMPLETE_C6)


def test_a_level_that_is_none_is_refused():
    with pytest.raises(BadValue, match=r"site_reported\.nli must be one of"):
        outcomes.score("isncsci", {"site_reported.nli": "C9"})
