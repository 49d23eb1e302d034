"""Terms of safety events follow from the stated facts, and the table of reporting rules is read with care."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import BadValue, UnknownName
from workbench.messages import translate
from workbench.study import reporting_rules
from workbench.study.reporting_rules import RuleConfirmation
from workbench.study.safety import WORDS, DeficiencyFacts, EventFacts, assumed, classify, words


def event(*criteria, device="not_related", procedure="not_related", stimulation="not_related", **more):
    given = {"severity": "moderate", "expected": None, **more}
    return EventFacts(
        serious=bool(criteria),
        criteria=frozenset(criteria),
        device=device,
        procedure=procedure,
        stimulation=stimulation,
        **given,
    )


TERMS = [
    (event(), "AE", ["no_criterion_met", "not_related"]),
    (event(severity="severe", expected=True), "AE", ["severe_only", "not_related"]),
    (event(device="possible"), "ADE", ["no_criterion_met", "related"]),
    (event(procedure="probable"), "ADE", ["no_criterion_met", "related"]),
    (event(stimulation="causal", severity="severe"), "ADE", ["severe_only", "related"]),
    (event("death"), "SAE", ["serious", "not_related"]),
    (event("hospitalisation", severity="mild", expected=False), "SAE", ["serious", "not_related"]),
    (event("death", device="possible", expected=False), "USADE", ["serious", "related", "unanticipated"]),
    (event("disability", stimulation="causal"), "USADE", ["serious", "related", "expectedness_unknown"]),
    (event("disability", procedure="possible", expected=True), "ASADE", ["serious", "related", "anticipated"]),
]


@pytest.mark.parametrize(("facts", "term", "codes"), TERMS)
def test_the_term_of_an_event_and_its_reasons_are_those_of_a_table_by_hand(facts, term, codes):
    found = classify(facts)
    assert found.term == found.terms[-1] == term
    assert [reason.code for reason in found.reasons] == [f"reporting.{code}" for code in codes]


def test_the_reasons_name_criteria_and_relations_in_both_languages():
    found = classify(event("hospitalisation", "death", device="possible", stimulation="causal", expected=True))
    assert found.terms == ("AE", "ADE", "SAE", "SADE", "ASADE")
    assert found.reasons[:2] == (
        "serious: death, hospitalisation",
        "related at least possibly to device, stimulation",
    )
    assert translate(found.reasons[0], language="zh-CN") == "严重：死亡、住院"


def test_an_event_of_unknown_expectedness_is_said_to_be_taken_for_unanticipated():
    facts = event("death", device="possible")
    assert "USADE" in words(facts)
    assert assumed(facts) == {"USADE": classify(facts).reasons[-1]}
    assert "counts as unanticipated" in assumed(facts)["USADE"]
    assert assumed(event("death")) == assumed(event("death", device="causal", expected=False)) == {}


@pytest.mark.parametrize(("answer", "counts"), [(True, True), (None, True), (False, False)])
def test_a_deficiency_counts_as_dangerous_until_somebody_has_said_that_it_is_not(answer, counts):
    facts = DeficiencyFacts(answer)
    assert ("could_have_led_to_sae" in words(facts)) is counts
    assert bool(assumed(facts)) is (answer is None)


def test_every_word_of_a_rule_can_become_true():
    severe = {"imminent_risk": True, "marketed": True, "public_health_threat": True}
    every = ("death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly")
    true = words(event(*every, "medically_important", device="possible", **severe))
    true |= words(event("death", device="possible", expected=True)) | words(DeficiencyFacts(None))
    assert true == set(WORDS)
    assert words(DeficiencyFacts(could_have_led_to_sae=False, **severe)) == {*severe}


RELATIONS = st.sampled_from(["not_related", "possible", "probable", "causal"])
CRITERIA = st.frozensets(st.sampled_from(["death", "life_threatening", "disability"]))


@given(CRITERIA, RELATIONS, RELATIONS, RELATIONS, st.sampled_from([True, False, None]))
def test_terms_are_those_of_seriousness_relation_and_anticipation(criteria, device, procedure, stimulation, known):
    facts = event(*criteria, device=device, procedure=procedure, stimulation=stimulation, expected=known)
    terms = set(classify(facts).terms)
    related = {device, procedure, stimulation} != {"not_related"}
    assert ("ADE" in terms, "SAE" in terms) == (related, bool(criteria))
    assert ("SADE" in terms) == (related and bool(criteria)) == (len(terms & {"USADE", "ASADE"}) == 1)
    assert ("ASADE" in terms) == ("SADE" in terms and known is True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"serious": True}, "needs a criterion"),
        ({"criteria": frozenset({"death"})}, "an event that is not serious"),
        ({"criteria": frozenset({"pain"})}, "criteria must be one of"),
        ({"severity": "serious"}, "severity must be one of mild, moderate, severe, got 'serious'"),
        ({"device": "unlikely"}, "device must be one of"),
        ({"expected": "no"}, "expected must be one of True, False, None, got 'no'"),
        ({"serious": None}, "serious must be one of True, False, got None"),
        ({"imminent_risk": "no"}, "imminent_risk must be one of True, False, got 'no'"),
    ],
)
def test_facts_that_contradict_themselves_or_are_no_words_of_ours_are_refused(wrong, said):
    right = {"serious": False, "severity": "mild", "expected": None}
    relations = dict.fromkeys(("device", "procedure", "stimulation"), "not_related")
    with pytest.raises(BadValue, match=said):
        EventFacts(**{**right, **relations, **wrong})


def test_an_answer_about_a_deficiency_is_yes_no_or_not_yet():
    with pytest.raises(BadValue, match="could_have_led_to_sae must be one of True, False, None, got 'no'"):
        DeficiencyFacts("no")


# ------------------------------------------------------------------------------------ the table
FOUND = {
    "us.uade.sponsor": (10, "working_days"),
    "cn.sae.fatal": (7, "calendar_days"),
    "cn.sae.other": (15, "calendar_days"),
    "eu.87.serious": (15, "calendar_days"),
    "eu.87.threat": (2, "calendar_days"),
}
MEMORY = {
    "us.uade.investigator": (10, "working_days"),
    "eu.80.imminent": (2, "calendar_days"),
    "eu.80.other": (7, "calendar_days"),
    "eu.80.investigator": (3, "calendar_days"),
    "cn.sae.investigator": (24, "hours"),
    "eu.87.death": (10, "calendar_days"),
}


def test_the_times_and_marks_of_the_table_are_those_written_here_by_hand():
    table = reporting_rules.shipped()
    times = {rule.id: (rule.amount, rule.unit) for rule in table.rules.values()}
    assert times == FOUND | MEMORY
    assert table.on(()) == set(FOUND)
    assert all(rule.id.startswith(f"{rule.jurisdiction.lower()}.") for rule in table.rules.values())


def test_a_rule_from_memory_is_on_when_it_was_confirmed_for_this_version_of_the_table():
    table, utc = reporting_rules.shipped(), datetime(2026, 11, 25, 9, tzinfo=UTC)
    assert table.on([RuleConfirmation("eu.80.other", "0", "Dr A", utc)]) == set(FOUND)
    assert table.on([RuleConfirmation("eu.80.other", table.version, "Dr A", utc)]) == {*FOUND, "eu.80.other"}
    assert table.on([RuleConfirmation("gone", "0", "Dr A", utc)]) == set(FOUND)
    with pytest.raises(UnknownName, match="no reporting rule 'gone'; it must be one of us.uade.sponsor"):
        table.on([RuleConfirmation("gone", table.version, "Dr A", utc)])


@pytest.mark.parametrize(
    ("person", "utc", "said"),
    [
        (" ", datetime(2026, 1, 1, tzinfo=UTC), "a person must be named"),
        ("A", datetime(2026, 1, 1), "in UTC"),
        ("A", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))), "in UTC"),
        ("A", datetime(9999, 12, 31, tzinfo=UTC), "1970 to 2999"),
    ],
)
def test_a_confirmation_says_who_and_when(person, utc, said):
    with pytest.raises(BadValue, match=said):
        RuleConfirmation("eu.80.other", "1", person, utc)


def damaged(*changes, **whole):
    """The shipped table as a text, with rules changed: ``(number of the rule, field, value)``."""
    content = json.loads(reporting_rules.FILE.read_text(encoding="utf-8")) | whole
    for n, name, value in changes:
        content["rules"][n][name] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON"),
        ("[]", "no table of reporting rules"),
        ("[" * 100_000, "deep"),
        (damaged(version=1), "no table of reporting rules"),
        (damaged(date="soon"), "no table of reporting rules"),
        (damaged(rules={}), "no table of reporting rules"),
        (damaged(rules=[1]), "no table of reporting rules"),
        (damaged((0, "more", 1)), "no table of reporting rules"),
        (damaged((0, "id", "cn.sae.other")), "two reporting rules"),
        (damaged((0, "amount", 0)), "us.uade.sponsor: amount cannot be 0"),
        (damaged((0, "amount", True)), "amount cannot be True"),
        (damaged((0, "amount", 1e400)), "amount cannot be inf"),
        (damaged((0, "amount", 10**9)), "amount cannot be 1000000000"),
        (damaged((0, "year", "2022")), "year cannot be '2022'"),
        (damaged((0, "unit", "days")), "unit cannot be 'days'"),
        (damaged((0, "mark", "sure")), "mark cannot be 'sure'"),
        (damaged((0, "citation", "")), "citation cannot be ''"),
        (damaged((0, "addressees", [])), "addressees cannot be"),
        (damaged((0, "addressees", ["press"])), "addressees cannot be"),
        (damaged((0, "applies_to", [["USAED"]])), "applies_to cannot be"),
        (damaged((0, "applies_to", [[]])), "applies_to cannot be"),
        (damaged((0, "applies_to", [])), "applies_to cannot be"),
        (damaged((0, "unless", ["gone"])), "unless cannot be"),
        (damaged((0, "unless", ["us.uade.sponsor"])), "unless cannot be"),
        (damaged((5, "unless", ["cn.sae.other"])), "cn.sae.fatal: unless cannot be"),
        (damaged((5, "unless", ["cn.sae.investigator"])), "cn.sae.fatal: unless cannot be"),
        (damaged((5, "addressees", ["FDA"])), "cn.sae.other: unless cannot be"),
        (damaged((5, "reporter", "manufacturer")), "cn.sae.other: unless cannot be"),
        (damaged((5, "jurisdiction", "US")), "cn.sae.other: unless cannot be"),
        (damaged((5, "unit", "hours")), "cn.sae.other: unless cannot be"),
    ],
)
def test_a_table_that_is_damaged_or_would_never_apply_is_refused_in_one_sentence(tmp_path, text, said):
    file = tmp_path / "rules.json"
    file.write_text(text)
    with pytest.raises(BadValue, match=said):
        reporting_rules.read(file)


def test_a_table_of_ones_own_is_read(tmp_path):
    file = tmp_path / "rules.json"
    file.write_text(damaged((0, "amount", 5), version="site 2"))
    table = reporting_rules.read(file)
    assert (table.version, table.rules["us.uade.sponsor"].amount) == ("site 2", 5)
