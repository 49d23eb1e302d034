"""The core data set: what the record holds, what is missing by name, and nothing invented."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from workbench import exchange, outcomes
from workbench.errors import BadValue
from workbench.exchange import _core_data_set as core
from workbench.outcomes import isncsci
from workbench.outcomes.isncsci.tables import DERMATOMES
from workbench.study import standard_forms
from workbench.vocabulary import Assessment, Condition, Participant, Visit

ALONE = Condition(assisted=False, device_on=False, stimulation_on=False)
STIMULATED = Condition(assisted=False, device_on=False, stimulation_on=True)
COMPLETE_C6 = {"motor": "5500000000", "normal_to": "C6"}
PEOPLE = [Participant("P01", id="p1"), Participant("P02", id="p2", simulated=True, injury_level="C4", ais="B")]
VISITS = [Visit("p1", "baseline", id="v1"), Visit("p1", "month 3", id="v2"), Visit("p2", "baseline", id="v3")]


def assess(exam, *, visit="v1", condition=ALONE, at="", **changes):
    items = isncsci.items_of(exam)
    score = outcomes.score("isncsci", items).to_json()
    score["classes"] |= changes
    made = {"id": f"a-{visit}", "administered_at": at}
    return Assessment(visit, "isncsci", "2019", condition, items, score, "rater", **made)


# ----- reporting groups


@pytest.mark.parametrize(
    ("nli", "ais", "group"),
    [
        ("C1", "A", "C1-4 ABC"),
        ("C4", "C", "C1-4 ABC"),
        ("C5", "B", "C5-8 ABC"),
        ("C8*", "A*", "C5-8 ABC"),
        ("T1", "A", "T1-S5 ABC"),
        ("S4_5", "C", "T1-S5 ABC"),
        ("S4-5", "C", "T1-S5 ABC"),
        ("C2", "D", "D"),
        ("L3", "D", "D"),
        ("INT", "E", ""),
        ("C5", "E", ""),
        ("", "", ""),
        ("C5", "ND", ""),
        ("C5,C6", "A,B", "C5-8 ABC"),
        ("C4,C5", "A", ""),
        ("C4,C5", "D", "D"),
        ("C5", "C,D", ""),
    ],
)
def test_reporting_groups(nli, ais, group):
    assert exchange.reporting_group(nli, ais, ventilator_dependent=False) == group
    assert exchange.reporting_group(nli, ais, ventilator_dependent=True) == "ventilator"


def test_every_level_and_grade_with_an_injury_has_one_group():
    for level in ("C1", *DERMATOMES):
        for grade in "ABCD":
            assert exchange.reporting_group(level, grade, ventilator_dependent=False) in core.GROUPS


# ----- the mapping


@pytest.mark.parametrize("form", exchange.FORMS)
def test_every_row_of_the_mapping_has_a_mark_and_a_source(form):
    rows = core.variables(form)
    assert rows
    for row in rows:
        assert row.evidence in ("[S]", "[T]", "[M]", "[M?]")
        assert row.source
        if "not seen)" in row.label:
            assert (row.variable, row.evidence) == ("", "[M?]")
        else:
            assert row.variable


def test_the_neurological_part_of_the_core_form_is_nli_ais_and_the_non_sci_condition():
    held = [row.variable for row in core.variables("core") if row.holds and row.holds not in core.ITEMS]
    assert held == ["participant", "exam_date", "nli", "ais", "non_sci_condition"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("core,nli,", "core,ais,"), "twice"),
        (("[M]", "[X]"), "evidence mark"),
        (("exam_date,[M]", "nowhere,[M]"), "place that is none"),
        (("form,variable", "form,name"), "must have the columns"),
    ],
)
def test_a_mapping_with_a_fault_is_refused(tmp_path, change, reason):
    file = tmp_path / "mapping.csv"
    file.write_text(core.FILE.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(BadValue, match=reason):
        core.variables("core", file=file)


def test_an_unknown_form_is_refused():
    with pytest.raises(BadValue, match="no form 'cdisc'; they are core, ninds"):
        exchange.core_data_set([], [], [], form="cdisc")


# ----- the rows


def test_one_row_an_examination_and_one_for_a_participant_without_any(make):
    exams = [
        assess(make(COMPLETE_C6), at="2026-03-01T09:30:00Z"),
        assess(make({"motor": "5550000000", "normal_to": "C7"}, dap="Yes"), visit="v2", condition=STIMULATED),
    ]
    export = exchange.core_data_set(PEOPLE, VISITS, exams)
    first, second, bare = export.rows
    assert (first["participant"], first["visit"], first["nli"], first["ais"]) == ("P01", "baseline", "C6", "A")
    assert (first["exam_date"], first["non_sci_condition"], first["rules"]) == ("2026-03-01", "no", isncsci.RULES)
    assert (second["ais"], second["exam_date"], second["stimulation_on"]) == ("B", "", "yes")
    assert (bare["participant"], bare["simulated"], bare["visit"], bare["nli"]) == ("P02", "yes", "", "")


def test_what_is_missing_is_empty_and_named_and_nothing_stands_in_for_it(make):
    export = exchange.core_data_set(PEOPLE, VISITS, [assess(make(COMPLETE_C6))])
    first, bare = export.rows
    assert {"birth_date", "injury_date", "etiology", "ventilatory_assistance_discharge"} <= set(export.missing)
    assert all(row[name] == "" for row in export.rows for name in export.missing)
    assert first["missing"].split("; ") == [
        *(one.variable for one in core.variables("core") if one.holds in core.ITEMS or one.variable == "exam_date")
    ]
    assert {"nli", "ais", "non_sci_condition"} <= set(bare["missing"].split("; "))
    assert "C4" not in bare.values()


def entered(visit="v1", *, name="sci_core_3", state="complete", entry=1, instance=1, **values):
    return {
        "visit_id": visit,
        "name": name,
        "instance": instance,
        "entry": entry,
        "state": state,
        "values": values,
    }


CORE_VALUES = {
    "injury_date": "2019-05-02", "acute_admission_date": "2019-05-03",
    "days_hospitalised": {"value": 87, "unit": "d"}, "etiology": "sports", "vertebral_injury": True,
    "spinal_surgery": False, "birth_date": {"missing": "not_asked"}, "place_of_discharge": {"missing": "unknown"},
}  # fmt: skip


def test_what_the_record_holds_of_the_core_data_set_is_exported_and_nothing_of_it_called_missing(make):
    export = exchange.core_data_set(PEOPLE, VISITS, [assess(make(COMPLETE_C6))], entered=[entered(**CORE_VALUES)])
    row = export.rows[0]
    assert (row["injury_date"], row["days_hospitalised"], row["etiology"]) == ("2019-05-02", "87", "sports")
    assert (row["vertebral_injury"], row["spinal_surgery"], row["birth_date"]) == ("yes", "no", "")
    assert not {"injury_date", "etiology", "vertebral_injury", "spinal_surgery"} & set(export.missing)
    missing = row["missing"].split("; ")
    assert "birth_date (not_asked)" in missing
    assert "place_of_discharge (unknown)" in missing
    assert "associated_injuries" in missing
    assert export.rows[1]["etiology"] == ""


def test_ninds_has_what_the_record_holds_under_the_names_that_were_seen():
    export = exchange.core_data_set(PEOPLE[:1], VISITS, [], entered=[entered(**CORE_VALUES)], form="ninds")
    (row,) = export.rows
    assert (row["AcuteCareUnitAdmissionDate"], row["InpatTreatmtTotlDyNum"]) == ("2019-05-03", "87")
    assert export.missing == ()


def test_every_variable_of_the_form_is_in_the_mapping_and_the_other_way_round():
    form = standard_forms.load("sci_core_3")
    held = {row.holds for row in core.variables("core")} & set(core.ITEMS)
    assert held == set(core.ITEMS) == {f"form.{item.name}" for item in form.items}


def test_what_was_adjudicated_holds_and_drafts_and_other_forms_do_not():
    rows = [
        entered(etiology="fall"), entered(etiology="sports", entry=2), entered(etiology="transport", entry=0),
        entered("v2", etiology="assault", state="draft"), entered("v2", etiology="assault", name="other"),
    ]  # fmt: skip
    assert exchange.core_data_set(PEOPLE[:1], VISITS, [], entered=rows).rows[0]["etiology"] == "transport"


def test_the_date_of_injury_is_that_of_the_form_or_else_that_of_the_participant():
    person = Participant("P01", id="p1", injured_on="2018-01-01")
    (row,) = exchange.core_data_set([person], VISITS, []).rows
    assert row["injury_date"] == "2018-01-01"
    (row,) = exchange.core_data_set([person], VISITS, [], entered=[entered(**CORE_VALUES)]).rows
    assert row["injury_date"] == "2019-05-02"


def test_drafts_and_other_measures_are_left_out(make):
    draft = assess(make(COMPLETE_C6))
    other = Assessment("v1", "arat", "1981", ALONE, {}, {}, "rater")
    rows = exchange.core_data_set(PEOPLE[:1], VISITS, [replace(draft, state="draft"), other]).rows
    assert [row["assessment"] for row in rows] == [""]


def test_an_incomplete_examination_has_no_level(make):
    items = isncsci.items_of(make(COMPLETE_C6)) | {"left.motor.C5": None}
    score = outcomes.score("isncsci", items).to_json()
    exam = Assessment("v1", "isncsci", "2019", ALONE, items, score, "rater", id="a", state="incomplete")
    (row,) = exchange.core_data_set(PEOPLE[:1], VISITS, [exam]).rows
    assert (row["state"], row["nli"], row["ais"], row["non_sci_condition"]) == ("incomplete", "", "", "")


def test_tagged_scores_that_change_level_or_grade_are_told(make):
    tagged = make({**COMPLETE_C6, "motor": ["5", "5", "0**", *"0000000"]})
    found = isncsci.classify(tagged)
    (row,) = exchange.core_data_set(PEOPLE[:1], VISITS, [assess(tagged)]).rows
    wanted = [name.upper() for name in ("nli", "ais") if name in found.affected or "*" in found.result[name]]
    assert row["non_sci_condition"] == (" and ".join(wanted) or "no")
    both = assess(tagged, nli="C6*", ais="A*")
    assert exchange.core_data_set(PEOPLE[:1], VISITS, [both]).rows[0]["non_sci_condition"] == "NLI and AIS"


def test_a_result_of_other_rules_is_judged_by_its_stars_alone(make):
    tagged = make({"motor": ["5", "5", "3**", *"0000000"], "normal_to": "C8"})
    old = assess(tagged, nli="C6", ais="A*", rules="isncsci-2015.3")
    (row,) = exchange.core_data_set(PEOPLE[:1], VISITS, [old]).rows
    assert (row["non_sci_condition"], row["rules"]) == ("AIS", "isncsci-2015.3")


def test_groups_are_from_memory_and_only_on_request(make):
    exams = [assess(make(COMPLETE_C6))]
    assert core.GROUP not in exchange.core_data_set(PEOPLE, VISITS, exams).columns
    export = exchange.core_data_set(PEOPLE, VISITS, exams, groups=True)
    assert export.rows[0][core.GROUP] == "C5-8 ABC"
    assert core.GROUP in export.memory


@pytest.mark.parametrize(
    ("stored", "exported"),
    [("C6", "C6"), ("S4_5*", "S4-5"), ("C5,C6*", "C99"), ("T12,L1", "X99"), ("INT", ""), ("S3,INT", "")],
)
def test_levels_by_the_permissible_values_of_ninds(make, stored, exported):
    export = exchange.core_data_set(
        PEOPLE[:1], VISITS, [assess(make(COMPLETE_C6), sensory_right=stored)], form="ninds"
    )
    (row,) = export.rows
    assert row["SCIClssSensNeuroLvlRtReslt"] == exported
    assert ("SCIClssSensNeuroLvlRtReslt" in row["missing"]) is (exported == "")


def test_a_ninds_variable_without_a_name_is_not_written_but_told(make):
    export = exchange.core_data_set(PEOPLE[:1], VISITS, [assess(make(COMPLETE_C6))], form="ninds")
    assert "ASIA Impairment Scale (name not seen)" in export.unnamed
    assert "" not in export.columns
    assert export.rows[0]["SubIDNam"] == "P01"


def test_the_csv_reads_back(make):
    export = exchange.core_data_set(PEOPLE, VISITS, [assess(make(COMPLETE_C6))])
    assert list(csv.DictReader(io.StringIO(export.csv()))) == [dict(row) for row in export.rows]
