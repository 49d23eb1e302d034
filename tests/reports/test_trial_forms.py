"""Forms of the protocol in a trial report: numbers at each visit and rows behind them, unless they may tell."""

from __future__ import annotations

import pytest

from tests.reports import trial
from tests.reports.test_trial_report import plain, tables
from workbench.reports import _trial_facts
from workbench.reports._trial_facts import Wanted
from workbench.reports.blocks import Link
from workbench.reports.texts import Texts
from workbench.reports.trial import trial_document
from workbench.study.changes import SaveForm

pytestmark = pytest.mark.job


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    with trial.begin(tmp_path / "study").study as study:
        yield study


OF = {"P-001": 120, "P-002": 130, "P-003": 141}
UNSURE = "P-004"


def entered(study):
    """Blood pressures of three people; of a fourth a draft, which is not finished."""
    he = study.sign_in("okafor", trial.SECRET)
    people = {row["pseudonym"]: row["id"] for row in study.rows("participant")}
    for name, pressure in [*OF.items(), (UNSURE, 200)]:
        (visit,) = study.rows("visit", participant_id=people[name], name="Screening")
        values = {"measured_on": trial.ago(100), "systolic": pressure, "skin_whole": True}
        values["weight"] = {"missing": "not_done"}
        state = "draft" if name == UNSURE else "complete"
        study.apply(SaveForm(visit["id"], "vitals", values, state=state), he)


def report(study, kind="interim", *, reader=None, **wanted):
    facts = _trial_facts.read(study, Wanted(kind, **wanted), reader=reader)
    return facts, trial_document(facts, Texts("en"))


def row_of(document, label):
    return next(row for table in tables(document) for row in table.rows if row[0] == label)


def test_the_mean_of_a_form_at_a_visit_is_by_arm_and_leads_to_its_entries(study):
    entered(study)
    facts, document = report(study, reader=study.sign_in("stat", trial.SECRET))
    arms = {person.name: person.arm for person in facts.people}
    for arm in dict.fromkeys(arms[name] for name in OF):
        own = [pressure for name, pressure in OF.items() if arms[name] == arm]
        (title,) = (group.title for group in facts.groups if group.arm == arm)
        (form,) = (one for one in facts.protocol.forms if one.name == "vitals")
        (item,) = (one for one in form.items if one.name == "systolic")
        cells = row_of(document, f"{title} · {item.label}, {item.unit}")
        assert cells[1] == f"{sum(own) / len(own):.4g} ({len(own)})"
        assert isinstance(cells[-1], Link)
    listed = next(table for table in tables(document) if any(str(name).startswith("form") for name in table.names))
    assert len(listed.rows) == len(OF)  # a draft is none
    assert all("·" in row[-1].text for row in listed.rows)


def test_of_one_participant_the_value_stands_alone(study):
    entered(study)
    _, document = report(study, "participant", participant="P-002", reader=study.sign_in("stat", trial.SECRET))
    (row,) = [row for table in tables(document) for row in table.rows if str(row[0]).endswith(", mmHg")]
    assert row[1] == "130"


def test_a_blinded_reader_is_told_that_there_are_forms_and_nothing_of_them(study):
    before = plain(report(study)[1])
    entered(study)
    after = plain(report(study)[1])
    assert "Forms of the protocol" in before
    assert "mmHg" not in after
    said = [text.split("Forms of the protocol", 1)[1].split("Safety", 1)[0] for text in (before, after)]
    assert said[0] == said[1]
