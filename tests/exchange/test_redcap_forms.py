"""REDCap: dictionaries and records go out and come back, row by row, all of them or none."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.protocols import EXAMPLE, entered, items, protocols, small
from tests.study.versions import over
from workbench import exchange, outcomes
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.exchange import redcap_forms as redcap
from workbench.exchange._form_items import items_of, text_value, value_text
from workbench.study import Study, changes, protocol, schema, verify
from workbench.study.forms import Form, Item
from workbench.study.protocol import Protocol
from workbench.vocabulary import Participant, Visit

SECRET = "correct horse"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A study with entries, and one with the same participants and visits and none of them."""
    folder = tmp_path_factory.mktemp("s")
    with Study.create(folder / "filled", code="NEO", title="Grasp", actor="tests") as made:
        for login in ("li", "wu"):
            made.add_person(login, f"Dr {login}", SECRET, roles=("assessor",))
        made.add_person("mo", "Dr mo", SECRET, roles=("monitor",))
        entered(made)
    return folder / "filled"


@pytest.fixture
def study(template, tmp_path):
    shutil.copytree(template, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tests") as opened:
        yield opened


@pytest.fixture
def signer(study):
    return study.sign_in("li", SECRET)


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def table(*rows):
    """CSV text of rows that are mappings; columns in the order in which they are first named."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def row(record="SIM-02", event="wound_check_arm_1", instrument="wound", instance="1", **cells):
    return dict(zip(redcap.KEYS, (record, event, instrument, instance), strict=True)) | cells


def enter(study, signer, text, *, dry_run=False):
    return redcap.enter(study, signer, text, "records.csv", reason="from paper", dry_run=dry_run)


def held(study):
    return study.head(), [(one["id"], one["values"], one["row_version"]) for one in study.rows("form")]


# ------------------------------------------------------------------------------ dictionary
def test_the_dictionary_has_the_columns_of_redcap_and_a_row_for_each_item():
    example = protocol.read(EXAMPLE)
    rows = read(redcap.to_dictionary(example))
    assert tuple(rows[0]) == redcap.COLUMNS
    assert len(rows) == 1 + sum(len(items_of(form)) for form in example.forms)
    by_name = {one["Variable / Field Name"]: one for one in rows}
    systolic = by_name["vitals_systolic"]
    assert systolic["Field Type"] == "text"
    assert systolic["Text Validation Type OR Show Slider Number"] == "integer"
    assert (systolic["Text Validation Min"], systolic["Text Validation Max"]) == ("40", "300")
    assert (systolic["Field Note"], systolic["Required Field?"]) == ("mmHg", "y")
    wound = by_name["wound_state"]
    assert wound["Choices, Calculations, OR Slider Labels"] == "closed, closed | open, open | infected, infected"
    assert rows[0]["Variable / Field Name"] == "record_id"
    assert all(one["Identifier?"] == "" for one in rows)


@pytest.mark.job
@settings(max_examples=80, deadline=None)
@given(protocols())
def test_the_forms_of_any_protocol_come_back_as_they_were(one):
    text = redcap.to_dictionary(one)
    imported = redcap.from_dictionary(text, "d.csv")
    assert imported.definition["form"] == one.definition()["form"]
    assert imported.notes == ()
    whole = Protocol.from_definition({**one.definition(), **imported.definition})
    assert whole.sha256 == one.sha256


@pytest.mark.job
@settings(max_examples=80, deadline=None)
@given(protocols())
def test_every_name_and_code_is_one_that_redcap_takes_and_stands_for_one_thing(one):
    names = redcap.names_of([one])
    variables = [*names.variables.values(), *names.complete.values(), *redcap.KEYS]
    assert len(set(variables)) == len(variables)
    assert all(name[0].isalpha() and name.isascii() and len(name) <= 100 for name in variables)
    assert all(name == name.lower() and "__" not in name.removesuffix("_") for name in names.forms.values())
    for codes in names.codes.values():
        assert len(set(codes.values())) == len(codes)
        assert not set(codes.values()) & set(redcap.MISSING)
        assert all(code.lstrip("-").replace("_", "").isalnum() or code == "_" for code in codes.values())


def test_a_choice_that_is_added_changes_no_code_of_those_before():
    base = small()
    form = {
        "name": "w",
        "title": "W",
        "items": [{"name": "s", "label": "S", "kind": "choice", "choices": ["a b", "c d"]}],
    }
    more = {**form, "items": [{**form["items"][0], "choices": ["x y", "c d", "a b"]}]}
    first, second = (Protocol.from_definition({**base, "form": [*base["form"], one]}) for one in (form, more))
    assert redcap.names_of([first]).codes["w", "s"] == {"a b": "c1", "c d": "c2"}
    assert redcap.names_of([first, second]).codes["w", "s"] == {"a b": "c1", "c d": "c2", "x y": "c3"}


FOREIGN = (
    '"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels",'
    '"Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",'
    '"Branching Logic (Show field only if...)","Required Field?"\n'
    "record_id,demo,text,Record,,,,,,,\n"
    'sex,demo,radio,Sex,"1, female | 2, male",,,,,,y\n'
    'signs,demo,checkbox,Signs,"1, red | 2, warm",,,,,,\n'
    "hr,demo,text,Heart rate,,bpm,number,30,today,[sex]=1,\n"
    "mail,demo,text,Address,,,email,,,,\n"
    "bmi,demo,calc,BMI,[w]/[h],,,,,,\n"
)


def test_of_a_foreign_dictionary_what_can_be_is_taken_over_and_the_rest_is_listed():
    imported = redcap.from_dictionary(FOREIGN, "d.csv")
    (form,) = imported.definition["form"]
    assert (form["name"], form["title"]) == ("demo", "demo")
    assert [(one["name"], one["kind"]) for one in form["items"]] == [
        ("sex", "choice"), ("signs___1", "yes_no"), ("signs___2", "yes_no"), ("hr", "number"), ("mail", "text"),
    ]  # fmt: skip
    assert form["items"][0]["choices"] == ["female", "male"]
    assert form["items"][1]["label"] == "Signs: red"
    assert form["items"][3] == {
        "name": "hr",
        "label": "Heart rate",
        "kind": "number",
        "least": 30.0,
        "unit": "bpm",
    }
    assert list(imported.notes) == [
        "the limit 'today' of 'hr' was not taken over",
        "the branching logic of 'hr' was not taken over",
        "the validation 'email' of 'mail' was not taken over; it became a text",
        "'bmi' is a field of type 'calc', which is no question; it was left out",
    ]
    assert any("visit is missing" in problem for problem in imported.problems)


def test_choices_with_the_same_word_become_their_codes_and_none_is_lost():
    other = FOREIGN.replace("1, female | 2, male", "1, other | 2, male | 3, other")
    assert other != FOREIGN
    (form,) = redcap.from_dictionary(other, "d.csv").definition["form"]
    assert form["items"][0]["choices"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("validation", "kind"),
    [("number_comma_decimal", "number"), ("number_1dp", "number"), ("date_dmy", "date"), ("date_mdy", "date")],
)
def test_a_validation_that_asks_for_another_format_is_told(validation, kind):
    other = FOREIGN.replace("email", validation)
    imported = redcap.from_dictionary(other, "d.csv")
    assert imported.definition["form"][0]["items"][4]["kind"] == kind
    note = f"the validation '{validation}' of 'mail' was not taken over; its kind is {kind}"
    assert [str(one) for one in imported.notes].count(note) == 1
    own = {"number": "number", "date": "date_ymd"}[kind]
    ours = redcap.from_dictionary(FOREIGN.replace("email", own), "d.csv")
    assert not any("validation" in str(one) for one in ours.notes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must begin with a line of column names"),
        ("a,a\n1,2\n", "twice a"),
        ("a,,b\n", "must begin with a line of column names"),
        ("a,b\n1\n", "line 2 of d.csv has 1 cells and not 2"),
        ('a,b\n"1,2\n', "line 2 of d.csv is not CSV"),
        ("a,b\n1,2\n", "has no column Variable / Field Name, Form Name"),
        (
            redcap.to_dictionary(Protocol.from_definition(small())).replace('workbench: {""', "workbench: {["),
            "JSON",
        ),
        (
            redcap.to_dictionary(Protocol.from_definition(small())).replace("workbench: {", "workbench: [{", 1),
            "JSON",
        ),
    ],
)
def test_a_file_that_is_no_dictionary_is_refused(text, why):
    with pytest.raises(BadValue, match=why):
        redcap.from_dictionary(text, "d.csv")


def test_a_label_cannot_become_a_formula_and_comes_back():
    item = {"name": "x", "label": "=HYPERLINK(1)", "kind": "text"}
    base = {**small(), "form": [{"name": "f", "title": "@SUM", "items": [item]}]}
    one = Protocol.from_definition({**base, "visit": [{**visit, "forms": []} for visit in base["visit"]]})
    text = redcap.to_dictionary(one)
    assert all(not cell.startswith(("=", "@", "+")) for cells in csv.reader(io.StringIO(text)) for cell in cells)
    assert redcap.from_dictionary(text, "d.csv").definition["form"] == one.definition()["form"]


# ------------------------------------------------------------------------------ values
@st.composite
def answered(draw):
    item = Protocol.from_definition(
        {**small(), "form": [{"name": "f", "title": "F", "items": [draw(items("x"))]}], "visit": [
            {"name": "V", "anchor": "consent", "day": 0, "earliest": 0, "latest": 0}]}
    ).forms[0].items[0]  # fmt: skip
    value = {
        "integer": st.integers(-(10**12), 10**12),
        "number": st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12)),
        "text": st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(str.strip),
        "choice": st.sampled_from(item.choices or ("",)),
        "date": st.dates().map(str),
        "yes_no": st.booleans(),
    }[item.kind]
    return item, draw(value)


@pytest.mark.job
@settings(max_examples=150, deadline=None)
@given(answered())
def test_any_value_comes_back_from_its_text(pair):
    item, value = pair
    text, code = value_text(value)
    back = text_value(Form("f", "F", (item,)), item, text)
    assert code == ""
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("measure", ["arat", "mas", "10mwt", "isncsci", "gas"])
def test_every_choice_of_a_measure_comes_back_from_its_text(measure):
    form = Form("m", "M", measure=measure)
    definition = outcomes.load(measure).definition
    for item, own in zip(items_of(form), (*definition.items, *definition.extras), strict=True):
        for value in (*own.allowed, *own.codes, *((own.low, 12.5) if not own.allowed else ())):
            assert text_value(form, item, value_text(value)[0]) == value
        assert form.check(
            {item.name: text_value(form, item, str(own.allowed[0] if own.allowed else own.high))}
        ) == ((), ())


def test_what_is_no_number_is_left_for_the_form_to_refuse():
    item = Item("x", "X", "number", greatest=5)
    form = Form("f", "F", (item,))
    for text in ("1e5", "0x10", "١", "1_000", "nan", "inf", "--1", "9" * 400):
        assert form.check({"x": text_value(form, item, text)})[0], text


# ------------------------------------------------------------------------------ records out
def test_every_form_is_a_row_with_its_key_and_missing_values_have_their_codes(study):
    made = redcap.records(study)
    rows = read(made.text)
    assert made.rows == made.read == len(rows) == study.count("form") == 5
    keys = [tuple(one[name] for name in redcap.KEYS) for one in rows]
    assert keys == [
        ("SIM-01", "wound_check_arm_1", "vitals", "1"),
        ("SIM-01", "wound_check_arm_1", "vitals", "2"),
        ("SIM-01", "wound_check_arm_1", "wound", "1"),
        ("SIM-01--1", "week_12_arm_1", "arat", "1"),
        ("SIM-01--2", "week_12_arm_1", "arat", "1"),
    ]
    first, second, wound, draft, _ = rows
    assert (first["vitals_weight"], first["vitals_skin_whole"], first["vitals_pulse"]) == ("70.5", "1", "")
    assert (second["vitals_systolic"], second["vitals_skin_whole"]) == ("md_refused", "0")
    assert wound["wound_state"] == "infected"
    assert (draft["arat_grasp_2"], draft["arat_complete"]) == ("md_not_asked", "0")
    assert {one["redcap_data_access_group"] for one in rows} == {"S1"}


def test_who_is_left_out_is_nowhere_and_the_count_still_adds_up(study):
    made = redcap.records(study, left_out={"SIM-01"})
    assert (made.rows, made.read) == (0, 5)
    assert "SIM-01" not in made.text


def test_a_text_that_redcap_would_read_as_missing_is_refused(study, signer):
    assert {one.what for one in enter(study, signer, table(row(wound_state="open", wound_remarks="x")))} == {"new"}
    script = study.script_signer("Dr B")
    visit = next(one["id"] for one in study.rows("visit", name="Wound check"))
    change = changes.SaveForm(visit, "wound", {"state": "open", "remarks": "md_unknown"})
    study.apply(over(study, change), script, "x")
    with pytest.raises(BadValue, match="item remarks of form wound of SIM-01 holds the text md_unknown"):
        redcap.records(study)


def test_a_study_without_a_protocol_has_no_records(tmp_path):
    made = Study.create(tmp_path / "s", code="N", title="t", actor="a")
    with made, pytest.raises(Refused, match="has adopted no protocol"):
        redcap.records(made)


# ------------------------------------------------------------------------------ records in
def test_what_was_exported_is_the_same_when_it_is_read_again(study, signer):
    before = held(study)
    said = enter(study, signer, redcap.records(study).text)
    assert [one.what for one in said] == ["same"] * 5
    assert held(study) == before


def test_what_was_adjudicated_is_the_same_when_it_is_read_again_and_refused_where_it_differs(study, signer):
    visit = next(one["visit_id"] for one in study.rows("form", name="arat"))
    items = items_of(Protocol.from_definition(study.rows("protocol_version")[0]["definition"]).form("arat"))
    whole = {item.name: {"missing": "not_done"} for item in items}
    for entry, name, value in ((1, "Dr B", 1), (2, "Dr C", 2)):
        change = changes.SaveForm(visit, "arat", {**whole, "grasp_1": value}, entry=entry)
        study.apply(over(study, change), study.script_signer(name), "seen again")
    study.apply(changes.Adjudicate(visit, "arat", {"grasp_1": 2}), study.script_signer("Dr D"), "from the video")
    rows = read(redcap.records(study).text)
    (held_row,) = [one for one in rows if one["record_id"] == "SIM-01" and one["arat_grasp_1"]]
    before = held(study)
    assert [one.what for one in enter(study, signer, table(*rows))] == ["same"] * 6
    new, same = enter(study, signer, table(GOOD, held_row), dry_run=True)
    assert (new.what, same.what) == ("new", "same")
    for other in ({"arat_grasp_1": "1"}, {"arat_complete": "0"}):
        (refused,) = enter(study, signer, table({**held_row, **other}))
        assert refused.what == "refused"
        assert "entered by two people; write --1 or --2" in refused.why
    assert held(study) == before


def test_the_records_of_one_participant_are_entered_for_another_and_come_back_alike(study, signer):
    exported = [
        {**one, "record_id": one["record_id"].replace("SIM-01", "SIM-02")}
        for one in read(redcap.records(study).text)
        if one["record_id"] != "SIM-01--2"
    ]
    assert {one.what for one in enter(study, signer, table(*exported))} == {"new"}
    again = [
        {**one, "record_id": one["record_id"].replace("SIM-02", "SIM-01")}
        for one in read(redcap.records(study).text)
        if one["record_id"].startswith("SIM-02")
    ]
    assert again == [
        one for one in read(redcap.records(study).text) if one["record_id"] in ("SIM-01", "SIM-01--1")
    ]
    assert verify(study.folder).ok
    reasons = {
        event["reason"] for one in study.rows("form", by="Dr li") for event in study.history("form", one["id"])
    }
    assert reasons == {"from paper"}


def test_a_dry_run_says_what_would_be_entered_and_enters_nothing(study, signer):
    text = table(
        row(wound_state="open"), row("SIM-01", wound_state="closed"), row(instrument="vitals", wound_state="")
    )
    text = text.replace("vitals,1,", "wound,2,open")
    before = held(study)
    said = enter(study, signer, text, dry_run=True)
    assert [(one.line, one.key, one.what, one.changes) for one in said] == [
        (2, "SIM-02 / Wound check / wound 1", "new", ("state — → open",)),
        (3, "SIM-01 / Wound check / wound 1", "changed", ("state infected → closed",)),
        (4, "SIM-02 / Wound check / wound 2", "new", ("state — → open",)),
    ]
    assert held(study) == before
    assert [one.what for one in enter(study, signer, text)] == ["new", "changed", "new"]
    assert [one.what for one in enter(study, signer, text)] == ["same"] * 3


def test_an_empty_cell_erases_nothing(study, signer):
    enter(study, signer, table(row(wound_state="open", wound_remarks="as before")))
    (outcome,) = enter(study, signer, table(row(wound_state="closed", wound_remarks="")))
    assert outcome.changes == ("state open → closed",)
    (form,) = [one for one in study.rows("form", name="wound") if one["values"]["state"] == "closed"]
    assert form["values"] == {"state": "closed", "remarks": "as before"}


def test_a_row_without_an_instrument_holds_every_form_of_which_it_has_values(study, signer):
    vitals = {"vitals_measured_on": "2026-03-11", "vitals_systolic": "120", "vitals_skin_whole": "1"}
    said = enter(study, signer, table(row(instrument="", instance="", wound_state="open", **vitals)))
    assert [(one.key, one.what) for one in said] == [
        ("SIM-02 / Wound check / vitals 1", "new"), ("SIM-02 / Wound check / wound 1", "new"),
    ]  # fmt: skip


GOOD = row(wound_state="open")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row("SIM-99", wound_state="open"), "column record_id must be the pseudonym of a participant"),
        (row("SIM-02--1", instance="2", wound_state="open"), "form wound is entered once; leave out the number"),
        (row(event="week_99_arm_1", wound_state="open"), "column redcap_event_name must be a visit of this part"),
        (
            row(event="week_12_arm_1", instrument="arat", arat_grasp_1="2"),
            "entered by two people; write --1 or --2",
        ),
        (row(instrument="wounds", wound_state="open"), "column redcap_repeat_instrument must name a form"),
        (row(instance="0", wound_state="open"), "column redcap_repeat_instance must be an integer from 1"),
        (
            row(instance="2", wound_state="ajar"),
            "column wound_state takes the codes closed, open, infected, md_",
        ),
        (
            row(instrument="vitals", vitals_systolic="1e2"),
            "column vitals_systolic: systolic must be an integer",
        ),
        (row(instrument="vitals", vitals_systolic="500"), "column vitals_systolic: systolic must be"),
        (row(instrument="vitals", vitals_measured_on="11.3.2026"), "column vitals_measured_on: "),
        (row(instrument="vitals", vitals_skin_whole="maybe"), "column vitals_skin_whole: "),
        (row(instrument="vitals", vitals_pulse="60"), "column vitals_measured_on: measured_on is required"),
        (row(instance="2", wound_state="open", wound_complete="3"), "column wound_complete must be 0, 1 or 2"),
        (row(instance="2"), "is required"),
        (row(instrument=""), "names no form and has no value"),
        (row(instance="2", wound_state="open", vitals_pulse="60"), "belong to no form of it"),
        (GOOD, "lines 2, 3 are about the same form"),
    ],
)
def test_one_row_that_is_wrong_says_which_and_why_and_nothing_is_entered(study, signer, bad, why):
    before = held(study)
    said = enter(study, signer, table(GOOD, bad))
    assert said[1].line == 3
    assert said[1].what == "refused"
    assert why in said[1].why
    assert held(study) == before


def test_a_draft_may_lack_what_a_complete_form_may_not(study, signer):
    cells = {"vitals_pulse": "60", "vitals_complete": "0"}
    (outcome,) = enter(study, signer, table(row(instrument="vitals", **cells)))
    assert outcome.what == "new"
    assert study.rows("form", by="Dr li")[0]["state"] == "draft"


def test_what_the_record_itself_refuses_undoes_all_rows(study, signer):
    visit = next(one["id"] for one in study.rows("visit", name="Wound check"))
    study.apply(changes.Freeze("visit", visit), study.script_signer("Dr B"), "monitored")
    before = held(study)
    good, frozen = enter(study, signer, table(GOOD, row("SIM-01", wound_state="open")))
    assert (good.what, frozen.what) == ("new", "refused")
    assert "frozen" in frozen.why or "lock" in frozen.why
    assert held(study) == before


def test_nobody_writes_into_the_entry_of_another(study, signer):
    cells = row("SIM-01--1", "week_12_arm_1", "arat", arat_grasp_1="1")
    (outcome,) = enter(study, signer, table(cells))
    assert outcome.what == "refused"
    assert "Dr B" in outcome.why


def test_who_may_not_enter_forms_is_refused_whole(study):
    monitor = study.sign_in("mo", SECRET)
    with pytest.raises(Refused, match="SaveForm is for assessor"):
        enter(study, monitor, table(GOOD))


def test_a_participant_who_is_not_enrolled_has_no_forms(study, signer):
    person = study.append(Participant("SIM-03", simulated=True))
    study.append(Visit(person, "Wound check"))
    (outcome,) = enter(study, signer, table(row("SIM-03", wound_state="open")))
    assert "is not enrolled" in outcome.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("record_id,x\n1,2\n", "has no column redcap_event_name"),
        (table({**GOOD, "mood": "good"}), "columns that no form has: mood"),
        ("record_id\n", "has no column redcap_event_name"),
    ],
)
def test_a_file_that_is_no_export_of_records_is_refused(study, signer, text, why):
    with pytest.raises(BadValue, match=why):
        enter(study, signer, text)


def test_a_column_of_redcap_that_is_empty_is_passed_over(study, signer):
    (outcome,) = enter(study, signer, table({**GOOD, "redcap_survey_identifier": ""}))
    assert outcome.what == "new"


def test_a_query_is_opened_for_a_doubtful_value_as_at_the_keyboard(study, signer):
    cells = {"vitals_measured_on": "2026-03-11", "vitals_systolic": "180", "vitals_skin_whole": "1"}
    before = study.count("query")
    enter(study, signer, table(row(instrument="vitals", **cells)))
    assert study.count("query") == before + 1


@pytest.mark.job
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_records_are_read_or_refused_and_never_crash(template, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "damaged"
    if not folder.exists():
        shutil.copytree(template, folder)
    with Study.open(folder, actor="tests") as study:
        whole = list(redcap.records(study).text)
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.characters(codec="utf-8"))
        before = held(study)
        with contextlib.suppress(WorkbenchError):
            enter(study, study.script_signer("Dr B"), "".join(whole), dry_run=True)
        assert held(study) == before


# ------------------------------------------------------------------------------ the record's own dictionary
def test_the_dictionary_of_the_record_has_every_column_of_every_table():
    text, n = exchange.data_dictionary()
    rows = read(text)
    wanted = [(table.name, column.name) for table in (*schema.DATA, *schema.OWN) for column in table.columns]
    assert [(one["table"], one["column"]) for one in rows] == wanted
    assert n == len(rows)
    by_name = {(one["table"], one["column"]): one for one in rows}
    assert by_name["form", "state"]["allowed"] == "draft | complete"
    assert by_name["form", "visit_id"]["refers_to"] == "visit.id"
    assert by_name["form", "name"]["meaning"] == "its name in the protocol."
    assert by_name["visit", "room"]["meaning"].startswith("where")
    assert by_name["consent", "purpose"]["changes"] == "never"
    assert by_name["form", "values"]["changes"] == "yes"
    assert sum(not one["meaning"] for one in rows) < len(rows) / 8
