"""What participants receive beside the study, and the forms of data sets that others have defined."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.study.conftest import EXAMPLE
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.exchange import data_dictionary
from workbench.study import changes, protocol, standard_forms
from workbench.study.changes import (
    EndTreatment,
    RecordAssistiveDevice,
    RecordRehabilitation,
    RecordTreatment,
    ReviseTreatment,
    VoidTreatment,
)
from workbench.study.forms import MISSING_CODES
from workbench.study.treatments import treatments
from workbench.vocabulary import Participant


def made(study, change, reason=""):
    return study.apply(change, study.script_signer("Dr B"), reason)


@pytest.fixture
def person(study):
    return study.append(Participant("SIM-77", simulated=True))


def test_drugs_rehabilitation_and_devices_stand_in_one_table_with_what_each_has(study, person):
    made(
        study,
        RecordTreatment(person, "drug", "baclofen", "spasticity", "10 mg t.i.d.", "2026-01-05", ongoing="yes"),
    )
    made(
        study,
        RecordTreatment(person, "procedure", "tendon transfer", started_on="2025-06-01", ended_on="2025-06-01"),
    )
    made(study, RecordRehabilitation(person, "hand", "2026-02-01", 45, "occupational therapist"))
    made(study, RecordAssistiveDevice(person, "power wheelchair", "2020-01-01", ongoing="yes"))
    table = study.treatments().query("participant == 'SIM-77'")
    assert list(table["kind"]) == ["drug", "procedure", "rehabilitation", "device"]
    assert list(table["minutes"].fillna(0)) == [0, 0, 45, 0]
    assert list(table["ongoing"]) == ["yes", "unknown", "no", "yes"]
    assert table["dose"].iloc[0] == "10 mg t.i.d."
    assert study.verify().ok


def test_a_treatment_ends_once_and_not_before_it_began(study, person):
    row = made(study, RecordTreatment(person, "drug", "baclofen", started_on="2026-01-05", ongoing="yes"))
    with pytest.raises(BadValue, match="does not end .2026-01-01. before it begins"):
        made(study, EndTreatment(row, "2026-01-01"))
    made(study, EndTreatment(row, "2026-02-01"))
    kept = study.get("treatment", row)
    assert (kept["ended_on"], kept["ongoing"], kept["row_version"]) == ("2026-02-01", "no", 2)
    with pytest.raises(Refused, match="baclofen ended on 2026-02-01 already"):
        made(study, EndTreatment(row, "2026-02-02"))


def test_a_treatment_is_revised_with_a_reason_as_it_was_shown_and_keeps_its_kind_and_its_history(study, person):
    row = made(study, RecordTreatment(person, "drug", "baclofen", dose="10 mg", started_on="2026-01-05"))
    revised = ReviseTreatment(row, "baclofen", dose="20 mg", started_on="2026-01-05", ongoing="yes", row_version=1)
    with pytest.raises(BadValue, match="reason"):
        made(study, revised)
    made(study, revised, "the letter says 20")
    kept = study.get("treatment", row)
    assert (kept["kind"], kept["dose"], kept["ongoing"], kept["row_version"]) == ("drug", "20 mg", "yes", 2)
    with pytest.raises(RecordFault, match="version"):
        made(study, ReviseTreatment(row, "tizanidine", row_version=1), "seen before it was revised")
    assert [entry["reason"] for entry in study.history("treatment", row)][1:] == ["the letter says 20"]
    with pytest.raises(BadValue, match="nothing of baclofen would be different"):
        made(
            study, ReviseTreatment(row, "baclofen", dose="20 mg", started_on="2026-01-05", ongoing="yes"), "again"
        )
    made(study, VoidTreatment(row), "somebody else's")
    with pytest.raises(Refused, match="entered by mistake"):
        made(study, ReviseTreatment(row, "x"), "again")
    assert study.verify().ok


@pytest.mark.parametrize(
    ("entered", "revised", "match"),
    [
        (lambda p: RecordAssistiveDevice(p, "chair"), {"dose": "2"}, "kind device has no dose"),
        (lambda p: RecordTreatment(p, "drug", "x"), {"minutes": 3}, "kind drug has no minutes"),
        (lambda p: RecordTreatment(p, "drug", "x"), {"ended_on": "2999-01-01"}, "ended_on must be an ISO date"),
        (lambda p: RecordRehabilitation(p, "hand", "2026-02-01", 45), {"minutes": 45}, "entered for one day"),
        (
            lambda p: RecordRehabilitation(p, "hand", "2026-02-01", 45),
            {"started_on": "2026-02-01", "ended_on": "2026-02-01"},
            "minutes must be 1 to 1440",
        ),
    ],
)
def test_a_revision_that_does_not_fit_the_kind_is_refused_in_one_sentence(study, person, entered, revised, match):
    row = made(study, entered(person))
    before = study.head()
    with pytest.raises(BadValue, match=match):
        made(study, ReviseTreatment(row, "other", **revised), "more is known")
    assert study.head() == before


def test_what_was_entered_by_mistake_is_void_with_a_reason_and_stands_no_more(study, person):
    row = made(study, RecordTreatment(person, "drug", "baclofen"))
    with pytest.raises(BadValue, match="reason"):
        made(study, VoidTreatment(row))
    made(study, VoidTreatment(row), "somebody else's")
    assert treatments(study, "SIM-77") == []
    assert study.get("treatment", row)["state"] == "void"
    for change in (VoidTreatment(row), EndTreatment(row, "2026-01-01")):
        with pytest.raises(Refused, match="entered by mistake"):
            made(study, change, "again")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: RecordTreatment(p, "rehabilitation", "hand"), "kind must be one of"),
        (lambda p: RecordTreatment(p, "drug", " "), "name"),
        (lambda p: RecordTreatment(p, "drug", "x", started_on="2999-01-01"), "started_on must be an ISO date"),
        (lambda p: RecordTreatment(p, "drug", "x", ended_on="1.2.2026"), "ended_on must be an ISO date"),
        (lambda p: RecordTreatment(p, "drug", "x", ended_on="2026-01-01", ongoing="yes"), "is not ongoing"),
        (lambda p: RecordTreatment(p, "drug", "x", ongoing="perhaps"), "ongoing"),
        (lambda p: RecordRehabilitation(p, "hand", "2026-01-01", 0), "minutes must be 1 to 1440"),
        (lambda p: RecordRehabilitation(p, "hand", "2026-01-01", 1441), "minutes must be 1 to 1440"),
        (lambda p: RecordRehabilitation(p, "hand", "", 30), "on must be an ISO date"),
        (lambda p: RecordAssistiveDevice("nobody", "chair"), "no participant"),
    ],
)
def test_what_is_not_right_is_refused_in_one_sentence_and_nothing_is_written(study, person, change, match):
    before = study.head()
    with pytest.raises((BadValue, UnknownName), match=match):
        made(study, change(person))
    assert study.head() == before


def test_a_frozen_participant_takes_no_treatment(study, person):
    made(study, changes.Freeze("participant", person), "clean")
    with pytest.raises(Refused, match="participant was locked"):
        made(study, RecordTreatment(person, "drug", "x"))


def test_the_data_dictionary_explains_every_column_of_it(study):
    lines = [line for line in data_dictionary()[0].splitlines() if line.startswith("treatment,")]
    assert len(lines) == 15
    assert all(not line.endswith(",") for line in lines)


# ------------------------------------------------------------------------------ standard forms
@pytest.mark.parametrize("name", standard_forms.available())
def test_a_standard_form_is_a_form_that_a_protocol_can_ask_for(name):
    text = standard_forms.text(name)
    data = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    data["study"]["effective_from"] = data["study"]["effective_from"].isoformat()
    data["form"] += tomllib.loads(text)["form"]
    data["visit"][0]["forms"].append(name)
    made = protocol.Protocol.from_definition(data)
    assert made.form(name) == standard_forms.load(name)
    assert made.sha256 != protocol.read(EXAMPLE).sha256


def test_every_value_of_the_core_data_set_may_be_missing_with_a_reason_and_not_without():
    form = standard_forms.load(standard_forms.CORE)
    for code in MISSING_CODES:
        assert form.check({item.name: {"missing": code} for item in form.items}) == ((), ())
    errors, _ = form.check({})
    assert {error.item for error in errors} == {item.name for item in form.items} - {"birth_date"}


def test_what_is_from_memory_says_that_the_site_confirms_it():
    form = standard_forms.load(standard_forms.CORE)
    assert all("to be confirmed by the site" in item.label for item in form.items if item.kind == "choice")


def test_there_is_no_other_form():
    with pytest.raises(UnknownName, match="no standard form '../x'; those there are: sci_core_3"):
        standard_forms.text("../x")


def test_values_of_forms_are_a_table_with_what_holds(study):
    table = study.forms()
    (row,) = table.query("form == 'wound'").to_dict("records")
    assert (row["participant"], row["visit"], row["item"], row["value"]) == (
        "SIM-02", "Wound check", "state", "closed",
    )  # fmt: skip
    assert row["holds"]


@pytest.mark.job
def test_treatments_and_forms_are_exported_without_who_took_back_the_consent_to_share(study, tmp_path):
    (other,) = study.rows("participant", pseudonym="SIM-02")
    made(study, RecordAssistiveDevice(other["id"], "chair"))
    made(study, changes.GiveConsent(other["id"], ("data_sharing",), "1.0", "2026-03-01"))
    made(study, changes.WithdrawConsent(other["id"], ("data_sharing",), "2026-03-01"))
    study.close()

    def exported(form):
        out = tmp_path / f"{form}.csv"
        words = ["export", study.folder, "--form", form, "--out", out]
        done = subprocess.run(
            [sys.executable, "-m", "workbench", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return out.read_text(encoding="utf-8"), done.stdout

    text, said = exported("treatments")
    assert "baclofen" in text
    assert "chair" not in text
    assert "left out: SIM-02" in said
    assert "closed" not in exported("forms")[0]


def test_the_command_prints_a_form_for_a_protocol_file():
    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", "workbench", "protocol", "forms", *words], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    assert command() == (0, "sci_core_3  International SCI Core Data Set 3.0, 13 items\n")
    home = Path(standard_forms.__file__).parent
    assert command("sci_core_3") == (0, (home / "sci_core_3.toml").read_text(encoding="utf-8"))
