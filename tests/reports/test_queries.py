"""The session report prints queries to the rater, and a safety alert on its first page."""

from __future__ import annotations

import re
from html import unescape

import pytest

from workbench import figures, outcomes
from workbench.reports import _facts, html
from workbench.reports.session import session_document
from workbench.reports.texts import LANGUAGES, Texts, catalogue
from workbench.vocabulary import Assessment, Condition, Participant, Session, Visit

OFF = Condition(False, False, False)


def page_of(study, language="en"):
    page = html.render(session_document(_facts.read(study), Texts(language)))
    text = unescape(re.sub(r"<[^>]+>", " ", page[page.index("<body") :]))
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def add(study, measure, items, **more):
    visit = study.rows("visit")[0]["id"]
    score = outcomes.score(measure, items)
    version = outcomes.load(measure).definition.version
    one = Assessment(visit, measure, version, OFF, items, score.to_json(), "Lin Q.", alerts=score.alerts, **more)
    return study.append(one)


def test_a_report_without_a_query_says_nothing_of_them(study):
    assert catalogue()["en"]["queries"] not in page_of(study)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_safety_alert_stands_on_the_first_page_and_among_the_queries(study, language):
    if language == "zh-CN" and figures.chinese_font() is None:
        pytest.skip("no Simplified Chinese face is installed")
    nine = outcomes.load("phq9").definition.items[8].code
    row_id = add(study, "phq9", {nine: 2}, state="incomplete")
    said, t = page_of(study, language), Texts(language)
    assert t("safety_alerts", n=1) in said
    assert said.index(t("safety_alerts", n=1)) < said.index(t("queries"), said.index(t("assessments")))
    assert t("query_safety_alert") in said
    assert row_id[-8:] in said
    assert t("incomplete_assessment") in said


def test_a_query_names_item_and_assessments(study):
    best = {item.code: 3 for item in outcomes.load("arat").definition.items}
    first = add(study, "arat", dict.fromkeys(best, 0), side="left", administered_at="2026-03-01T09:00:00Z")
    person = study.rows("participant")[0]["id"]
    later = study.append(Visit(person, "month 1"))
    score = outcomes.score("arat", best).to_json()
    second = study.append(
        Assessment(
            later, "arat", "1981", OFF, best, score, "Ma", side="left", administered_at="2026-04-01T09:00:00Z"
        )
    )
    said = page_of(study)
    assert f"{first[-8:]}, {second[-8:]}" in said
    assert catalogue()["en"]["query_jump_with_new_rater"] in said
    assert "medium" in said


def test_an_examination_in_spinal_shock_is_asked_about_by_the_date_of_injury_of_the_record(empty_study):
    """The record holds the date; before, nothing handed it on and the query never came."""
    person = empty_study.append(Participant("P-007", simulated=True, injured_on="2026-03-02"))
    visit = empty_study.append(Visit(person, "Baseline"))
    items = {item.code: 0 for item in outcomes.load("isncsci").definition.items}
    items |= {"voluntaryAnalContraction": "No", "deepAnalPressure": "No"}
    score = outcomes.score("isncsci", items).to_json()
    made = "2026-03-04T09:00:00Z"
    empty_study.append(Assessment(visit, "isncsci", "2019", OFF, items, score, "Lin Q.", administered_at=made))
    empty_study.append(Session(visit, "Chen L.", simulated=True))
    said = page_of(empty_study)
    assert catalogue()["en"]["query_within_spinal_shock"] in said
