"""From the first key to a later correction, against a real study record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench import outcomes
from workbench.outcomes import isncsci
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition, Participant, Visit
from workbench.widgets import AssessmentForm, FileStore, IsncsciForm, RecordStore
from workbench.widgets._stores import DraftFiles

OFF = {"assisted": False, "device_on": False, "stimulation_on": False}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with Study.create(tmp_path / "study", code="FORM", title="Forms", actor="Lin Q.") as made:
        yield made


@pytest.fixture
def visit(study: Study) -> str:
    return study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "baseline"))


@pytest.fixture
def arat(study: Study, visit: str) -> Callable[[], AssessmentForm]:
    def open_form() -> AssessmentForm:
        store = RecordStore(study, visit_id=visit, folder=study.folder)
        return AssessmentForm.of(outcomes.load("arat"), store=store, visit_id=visit, rater="Lin Q.")

    return open_form


def choose(form: Any, **condition: bool) -> None:
    for name, value in {**OFF, **condition}.items():
        form.choose(name, value=value)


def entries(study: Study) -> int:
    """Rows of the audit chain."""
    return study.head()[0]


def test_a_draft_leaves_no_row_in_the_record_nor_in_its_chain_and_saving_takes_it_away(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    before = entries(study)
    form = arat()
    form.enter("grip_1", 2)
    choose(form)
    form.enter("grip_2", 3)
    form.choose_side("left")
    assert (study.rows("assessment"), entries(study)) == ([], before)
    (draft,) = study.drafts.list()
    assert (draft.form, draft.person, draft.values["items"]) == ("arat", "Lin Q.", {"grip_1": 2, "grip_2": 3})
    assert (form.kept["where"], form.kept["fault"]) == ("file", "")
    form.save()
    (row,) = study.rows("assessment")
    assert (row["state"], row["items"]["grip_2"], study.drafts.list()) == ("incomplete", 3, [])
    assert entries(study) == before + 1


@pytest.mark.parametrize("known", [False, True])
def test_a_new_page_offers_the_draft_and_continues_it(
    arat: Callable[[], AssessmentForm], study: Study, known: bool
) -> None:
    first = arat()
    first.enter("grip_1", 2)
    if known:
        choose(first)
    again = arat()
    (offer,) = again.stored
    assert (offer["state"], offer["n"], offer["where"]) == ("draft", 1, "file")
    again.reopen(offer["id"])
    assert again.items == {"grip_1": 2}
    if not known:
        choose(again)
    again.enter("grip_2", 1)
    assert [one.values["items"] for one in study.drafts.list()] == [{"grip_1": 2, "grip_2": 1}]


def test_a_draft_that_another_page_changed_or_saved_is_not_overwritten(
    arat: Callable[[], AssessmentForm], study: Study
) -> None:
    first = arat()
    choose(first)
    first.choose_side("left")
    first.enter("grip_1", 2)
    second = arat()
    second.reopen(second.stored[0]["id"])
    second.enter("grip_2", 3)
    first.enter("grip_2", 1)
    assert "another page changed this draft" in first.kept["fault"]
    assert first.kept["where"] == ""  # the page says that these entries are on it only
    assert study.drafts.list()[0].values["items"] == {"grip_1": 2, "grip_2": 3}
    second.save()
    first.enter("grip_3", 1)
    assert "saved or discarded on another page" in first.kept["fault"]
    assert not first.answer("save", {})["ok"]
    assert len(study.rows("assessment")) == 1


def test_a_draft_that_an_earlier_version_began_in_the_record_or_a_file_is_continued_and_closed(
    arat: Callable[[], AssessmentForm], study: Study, visit: str
) -> None:
    begun = Assessment(visit, "arat", "1", Condition(**OFF), {"grip_1": 2}, {}, state="draft", rater="Lin Q.")
    begun = replace(begun, version=outcomes.load("arat").definition.version)
    row_id = study.append(begun)
    form = arat()
    form.reopen(row_id)
    form.choose_side("left")
    form.enter("grip_2", 3)
    assert study.rows("assessment")[0]["items"] == {"grip_1": 2}
    again = arat()
    (offer,) = again.stored
    again.reopen(offer["id"])
    assert again.items == {"grip_1": 2, "grip_2": 3}
    again.save()
    (row,) = study.rows("assessment")
    assert (row["id"], row["state"], row["items"]["grip_2"], study.drafts.list()) == (row_id, "incomplete", 3, [])
    files = DraftFiles(study.folder / "drafts" / f"{visit}-arat.json")
    blank = {**form._draft(), **dict.fromkeys(OFF), "items": {"grip_3": 1}}
    files.write(blank, row=None)
    third = arat()
    third.reopen(third.stored[-1]["id"])
    third.enter("grip_1", 1)
    assert files.read() == []
    assert study.drafts.list()[0].values["items"] == {"grip_1": 1, "grip_3": 1}


def test_saving_closes_the_draft_and_keeps_every_circumstance(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    form = arat()
    choose(form, device_on=True)
    form.choose_side("right")
    stated = {"blinded": "yes", "since_session_h": 20, "orthosis": "wrist splint", "washout_h": 1.5}
    for name, value in stated.items():
        form.choose_field(name, value)
    for item in form._definition.items:
        form.enter(item.code, 2)
    sentence = form.save()
    (row,) = study.rows("assessment")
    assert row["id"] in sentence
    assert (row["state"], row["device_on"], row["side"], row["score"]["total"]["value"]) == (
        "complete",
        True,
        "right",
        38,
    )
    assert {name: row[name] for name in stated} == stated
    assert row["administered_at"].endswith("Z")
    assert study.verify().ok


def test_a_saved_value_is_corrected_with_a_reason_and_its_history_tells_who_and_why(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    form = arat()
    choose(form)
    form.choose_side("left")
    for item in form._definition.items:
        form.enter(item.code, 1)
    form.save()
    form = arat()
    form.reopen(form.stored[0]["id"])
    assert not form.answer("enter", {"item": "grip_1", "value": 3})["ok"]
    reply = form.answer("correct", {"field": "grip_1", "value": 3, "reason": "  "})
    assert "needs a reason" in reply["text"]
    assert form.answer("correct", {"field": "grip_1", "value": 3, "reason": "read from the wrong line"})["ok"]
    (row,) = study.rows("assessment")
    assert (row["items"]["grip_1"], row["score"]["total"]["value"]) == (3, 21)
    told = form.history("grip_1")
    assert [(one["from"], one["to"]) for one in told] == [(None, 1), (1, 3)]
    assert (told[-1]["actor"], told[-1]["reason"]) == ("Lin Q.", "read from the wrong line")
    assert form.history("grip_2")[-1]["to"] == 1
    assert form.answer("correct", {"field": "device_on", "value": True, "reason": "the glove was on"})["ok"]
    assert study.rows("assessment")[0]["device_on"] is True
    assert [(one["from"], one["to"]) for one in form.history("device_on")] == [(None, False), (False, True)]


def test_the_history_of_a_field_gives_the_time_of_typing_and_that_of_the_record_beside_it(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    form = arat()
    choose(form)
    form.choose_side("left")
    form.enter("grip_1", 1)
    time.sleep(2.1)  # times are kept to the second
    form.enter("grip_2", 2)
    form = arat()  # another page goes on with the draft
    form.reopen(form.stored[0]["id"])
    time.sleep(1.1)
    form.enter("grip_3", 3)
    form.save()
    form = arat()
    form.reopen(form.stored[0]["id"])
    first, second, third = (form.history(name)[0] for name in ("grip_1", "grip_2", "grip_3"))
    assert first["utc"] < second["utc"] < third["utc"]
    assert first["entered"] == second["entered"] == third["entered"]
    assert first["utc"][:19] < first["entered"][:19]
    assert form.history("device_on")[0]["utc"] <= first["utc"]
    form.correct("grip_1", 2, reason="read from the wrong line")
    assert [one["utc"] for one in form.history("grip_1")][0] == first["utc"]
    assert form.history("grip_2")[0]["utc"] == second["utc"]  # a correction of one field dates no other
    assert "typed" not in form.fields["options"]
    (row,) = study.rows("assessment")
    assert set(row["options"]["typed"]) >= {"grip_1", "grip_2", "grip_3", "assisted", "side"}
    assert study.verify().ok


@pytest.mark.parametrize(("field", "value"), [("grip_1", 9), ("repeat", 0), ("device_on", "yes"), ("nothing", 1)])
def test_a_correction_that_is_impossible_changes_nothing(
    study: Study, arat: Callable[[], AssessmentForm], field: str, value: Any
) -> None:
    form = arat()
    choose(form)
    form.choose_side("left")
    form.enter("grip_1", 1)
    form.save()
    before = study.rows("assessment"), dict(form.items), dict(form.fields)
    assert not form.answer("correct", {"field": field, "value": value, "reason": "try"})["ok"]
    assert (study.rows("assessment"), dict(form.items), dict(form.fields)) == before


def test_a_change_made_elsewhere_meanwhile_is_not_overwritten(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    form = arat()
    choose(form)
    form.choose_side("left")
    form.enter("grip_1", 1)
    form.save()
    row = study.rows("assessment")[0]
    study.amend("assessment", row["id"], {"rater": "Chen L."}, reason="another rater")
    reply = form.answer("correct", {"field": "grip_1", "value": 2, "reason": "typo"})
    assert "changed it meanwhile" in reply["text"]
    assert form.items["grip_1"] == 1


def test_a_draft_that_the_record_would_refuse_is_kept_and_says_why_before_it_is_saved(
    study: Study, arat: Callable[[], AssessmentForm]
) -> None:
    first = arat()
    choose(first)
    first.choose_side("left")
    first.enter("grip_1", 1)
    first.save()
    second = arat()
    second.choose_side("left")
    second.enter("grip_1", 2)
    choose(second)
    assert "state another repeat" in second.kept["fault"]
    assert second.kept["where"] == "file"
    assert not second.answer("save", {})["ok"]
    second.choose_field("repeat", 2)
    assert (second.kept["fault"], second.kept["where"]) == ("", "file")
    second.save()
    assert [row["repeat"] for row in study.rows("assessment")] == [1, 2]


def test_undo_takes_back_a_value_and_a_clearing(arat: Callable[[], AssessmentForm]) -> None:
    form = arat()
    form.enter("grip_1", 1)
    form.enter("grip_1", 2)
    assert "confirm" in form.answer("clear", {"confirmed": False})["text"]
    form.clear(confirmed=True)
    assert form.items == {}
    form.undo()
    assert form.items == {"grip_1": 2}
    form.undo()
    form.undo()
    assert form.items == {}
    assert "nothing to take back" in form.answer("undo", {})["text"]


@pytest.mark.parametrize("condition_first", [True, False])
def test_a_draft_nobody_went_on_with_outlives_the_one_begun_beside_it(
    arat: Callable[[], AssessmentForm], condition_first: bool
) -> None:
    arat().enter("grip_1", 2)
    second = arat()
    if condition_first:
        choose(second)
    second.enter("grip_1", 0)
    if not condition_first:
        choose(second)
    second.choose_side("left")
    second.save()
    third = arat()
    (draft,) = [row for row in third.stored if row["state"] == "draft"]
    third.reopen(draft["id"])
    assert third.items == {"grip_1": 2}


def test_drafts_in_files_are_told_apart(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "draft.json", lambda one: "Saved.")
    measure = outcomes.load("arat")
    for score in (3, 1):
        AssessmentForm.of(measure, store=store, visit_id="v", rater="r").enter("grip_1", score)
    again = AssessmentForm.of(measure, store=store, visit_id="v", rater="r")
    found = []
    for row in again.stored:
        again.reopen(row["id"])
        found.append(again.items["grip_1"])
    assert found == [3, 1]


def test_a_form_without_a_study_keeps_its_draft_in_one_file(tmp_path: Path) -> None:
    saved: list[Assessment] = []
    store = FileStore(tmp_path / "draft.json", lambda one: saved.append(one) or "Saved.")
    measure = outcomes.load("arat")
    form = AssessmentForm.of(measure, store=store, visit_id="v", rater="r")
    form.enter("grip_1", 3)
    assert json.loads((tmp_path / "draft.json").read_text(encoding="utf-8"))["items"] == {"grip_1": 3}
    again = AssessmentForm.of(measure, store=store, visit_id="v", rater="r")
    again.reopen(again.stored[0]["id"])
    choose(again)
    again.choose_side("right")
    assert again.save() == "Saved."
    assert not (tmp_path / "draft.json").exists()
    assert saved[0].items["grip_1"] == 3


def test_a_broken_draft_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "draft.json").write_text('{"items": {', encoding="utf-8")
    store = FileStore(tmp_path / "draft.json", lambda one: "Saved.")
    with pytest.raises(Exception, match=r"draft\.json cannot be read"):
        AssessmentForm.of(outcomes.load("arat"), store=store, visit_id="v", rater="r")


@pytest.mark.parametrize(
    ("name", "value"),
    [("blinded", "maybe"), ("since_session_h", -1), ("since_session_h", float("nan")), ("repeat", True)]
    + [("administered_at", "yesterday"), ("rater", " "), ("mode", "by post"), ("colour", "red"), ("orthosis", 3)],
)
def test_a_circumstance_outside_its_range_is_refused_with_what_is_allowed(
    arat: Callable[[], AssessmentForm], name: str, value: Any
) -> None:
    form = arat()
    before = dict(form.fields)
    assert not form.answer("choose_field", {"name": name, "value": value})["ok"]
    assert dict(form.fields) == before


@pytest.mark.job
@pytest.mark.parametrize("name", [name for name in outcomes.available() if name != "isncsci"])
def test_every_measure_and_version_opens_as_a_form_and_takes_every_value(name: str) -> None:
    measure = outcomes.load(name)
    for definition in measure.definitions:
        form = AssessmentForm.of(
            measure, version=definition.version, save=lambda one: "Saved.", visit_id="v", rater="r"
        )
        for item in (*definition.items, *definition.extras):
            values = (*item.allowed, *item.codes) if item.allowed else (item.low, item.high, *item.codes)
            for value in values:
                assert form._checked(item.code, value) == definition.check(item.code, value)
            form.enter(item.code, values[-1])
            assert not form.answer("enter", {"item": item.code, "value": "no such code"})["ok"]
        choose(form)
        if definition.sides != ("",):
            form.choose_side(definition.sides[0])
        if definition.modes:
            form.choose_field("mode", definition.modes[0])
        assert form.lacking() == []


def test_a_version_is_chosen_before_the_first_entry() -> None:
    measure = next(one for one in map(outcomes.load, outcomes.available()) if len(one.definitions) > 1)
    form = AssessmentForm.of(measure, save=lambda one: "Saved.", visit_id="v", rater="r")
    other = measure.definitions[1]
    form.choose_version(other.version)
    assert form.definition["version"] == other.version
    item = other.items[0]
    form.enter(item.code, item.allowed[0] if item.allowed else item.low)
    assert "one version" in form.answer("choose_version", {"version": measure.definitions[0].version})["text"]


def test_the_safety_item_raises_its_alert_at_once_and_it_is_saved() -> None:
    saved: list[Assessment] = []
    form = AssessmentForm.of(
        outcomes.load("phq9"), save=lambda one: saved.append(one) or "Saved.", visit_id="v", rater="r"
    )
    form.enter(form._definition.items[8].code, 1)
    assert form.result["alerts"]
    choose(form)
    form.choose_field("mode", form._definition.modes[0])
    form.save()
    assert (len(saved[0].alerts), saved[0].state) == (1, "incomplete")


# ------------------------------------------------------------------------------------ the worksheet
@pytest.fixture
def sheet(study: Study, visit: str) -> Callable[[], IsncsciForm]:
    def open_form() -> IsncsciForm:
        store = RecordStore(study, visit_id=visit, folder=study.folder)
        return IsncsciForm(isncsci, store=store, visit_id=visit, rater="Dr Okafor A.")

    return open_form


def fill_normal(form: IsncsciForm) -> None:
    """A whole normal exam, each column by one fill."""
    for side in ("right", "left"):
        form.fill(f"{side}.motor.C5", 5)
        form.fill(f"{side}.lightTouch.C2", 2)
        form.fill(f"{side}.pinPrick.C2", 2)
    form.enter("voluntaryAnalContraction", "Yes")
    form.enter("deepAnalPressure", "Yes")


def test_the_classification_waits_for_the_last_cell_and_says_for_what(sheet: Callable[[], IsncsciForm]) -> None:
    form = sheet()
    fill_normal(form)
    form.enter("right.pinPrick.T4", None)
    assert "result" not in form.result
    assert (
        form.result["missing"],
        form.result["lacking"]["sensory_right"],
        form.result["lacking"]["sensory_left"],
    ) == (
        1,
        1,
        0,
    )
    form.enter("right.pinPrick.T4", 1)
    assert form.result["result"]["sensory_right"] == "T3"
    assert "right.pinPrick.T4" in form.result["frames"]["sensory"]
    assert {"field", "en", "zh-CN"} <= set(form.result["steps"][0])


def test_filling_stops_at_the_next_entered_cell(sheet: Callable[[], IsncsciForm]) -> None:
    form = sheet()
    form.enter("left.lightTouch.C6", 0)
    form.fill("left.lightTouch.C2", 2)
    assert list(form.items) == ["left.lightTouch.C6", *(f"left.lightTouch.C{n}" for n in (2, 3, 4, 5))]
    form.fill("left.lightTouch.C7", 1)
    assert form.items["left.lightTouch.S4_5"] == 1
    form.undo()
    assert "left.lightTouch.C7" not in form.items
    assert "entered already" in form.answer("fill", {"item": "left.lightTouch.C6", "value": 1})["text"]
    assert "tag" in form.answer("fill", {"item": "left.lightTouch.C7", "value": "1*"})["text"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("right.motor.C5", 6), ("right.motor.C5", "5*"), ("right.pinPrick.C2", 3), ("right.motor.C4", 5)],
)
def test_an_impossible_score_is_refused_and_the_cell_named(
    sheet: Callable[[], IsncsciForm], cell: str, value: Any
) -> None:
    reply = sheet().answer("enter", {"item": cell, "value": value})
    assert not reply["ok"]
    assert cell in reply["text"]


def test_a_tag_needs_its_reason_before_the_exam_is_complete(
    study: Study, sheet: Callable[[], IsncsciForm]
) -> None:
    form = sheet()
    choose(form)
    fill_normal(form)
    form.enter("right.motor.C7", "3*")
    assert form.result["bare"] == ["right.motor.C7"]
    assert "right.motor.C7 is tagged and needs a reason" in form.answer("save", {})["text"]
    assert not form.answer("explain", {"item": "right.motor.C7", "cause": "bad luck"})["ok"]
    form.explain("right.motor.C7", "plexopathy")
    form.enter("left.motor.T1", "NT")
    form.note("left.motor.T1", "cast on the hand")
    form.save()
    (row,) = study.rows("assessment")
    assert {name: one for name, one in row["options"].items() if name != "typed"} == {
        "reasons": {"right.motor.C7": "plexopathy"},
        "notes": {"left.motor.T1": "cast on the hand"},
    }
    assert (row["state"], row["score"]["classes"]["ais"]) == ("complete", form.result["result"]["ais"])
    assert isncsci.OUTCOME.score(row["items"], **row["options"]).classes == row["score"]["classes"]


def test_a_reason_goes_with_its_tag_and_a_note_with_its_value(sheet: Callable[[], IsncsciForm]) -> None:
    form = sheet()
    form.enter("right.motor.C7", "3*")
    form.explain("right.motor.C7", "cast")
    form.enter("left.pinPrick.T3", "NT")
    form.note("left.pinPrick.T3", "dressing")
    form.enter("right.motor.C7", 3)
    form.enter("left.pinPrick.T3", None)
    assert form.fields["options"] == {}
    form.undo()
    form.undo()
    assert form.fields["options"] == {
        "reasons": {"right.motor.C7": "cast"},
        "notes": {"left.pinPrick.T3": "dressing"},
    }


def test_missing_cells_are_no_nt_and_close_an_exam_only_when_that_is_meant(
    study: Study, sheet: Callable[[], IsncsciForm]
) -> None:
    form = sheet()
    choose(form)
    form.enter("right.motor.C5", 5)
    assert "missing" in form.answer("save", {})["text"]
    form.save(incomplete=True)
    (row,) = study.rows("assessment")
    assert (row["state"], row["items"]["left.motor.C5"], row["score"].get("classes")) == ("incomplete", None, None)


def test_a_saved_exam_is_corrected_to_a_tagged_score_only_with_both_reasons(
    study: Study, sheet: Callable[[], IsncsciForm]
) -> None:
    form = sheet()
    choose(form)
    fill_normal(form)
    form.save()
    why = {"field": "right.motor.C6", "value": "4*", "reason": "old injury found in the letter"}
    assert "reason out of" in form.answer("correct", why)["text"]
    assert form.items["right.motor.C6"] == 5
    assert form.answer("correct", {**why, "cause": "peripheral neuropathy"})["ok"]
    (row,) = study.rows("assessment")
    assert (row["items"]["right.motor.C6"], row["options"]["reasons"]) == (
        "4*",
        {"right.motor.C6": "peripheral neuropathy"},
    )
    assert form.history("right.motor.C6")[-1]["to"] == "4*"
