"""The record as datasets: whole, alike in every form, without whom and what may not leave."""

from __future__ import annotations

import io
import json

import odmlib.dataset_json_1_1 as dataset_json
import pytest

from tests.doors import SeededChance, SteppedClock
from tests.exchange.protocols import EXAMPLE
from workbench import outcomes, world
from workbench.errors import BadValue, Refused
from workbench.exchange import datasets, fhir
from workbench.exchange._datasets import _tests_of
from workbench.study import Study, allocations, changes, protocol
from workbench.study.protocol import Protocol
from workbench.vocabulary import Assessment, Condition, Participant, Visit

SECRET = "correct horse"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Outcomes, forms, an event, deviations; somebody blinded; an arm, and one who withdrew."""
    with Study.create(tmp_path_factory.mktemp("d") / "study", code="X", title="t", actor="Canary A") as one:
        someone, other = one.script_signer("Canary B"), one.script_signer("Canary C")
        definition = protocol.read(EXAMPLE).definition()
        one.apply(changes.AdoptProtocol(definition), [who.confirm() for who in (someone, other)])
        person = one.append(Participant("P01", simulated=True, injury_level="C6", ais="B"))
        one.apply(changes.MakeList("1.0.0"), someone, "before the first")
        randomised(one, one.append(Participant("SIM-02", simulated=True)), someone)
        with_outcomes(one, person, someone)
        gone = one.append(Participant("SIM-GONE", simulated=True))
        one.apply(changes.GiveConsent(gone, ("data_sharing",), "1.0", "2026-03-01"), someone)
        one.apply(changes.WithdrawConsent(gone, ("data_sharing",), "2026-03-02"), someone)
        one.append(Visit(gone, "first"))
        for login, role, blinded in (("stat", "statistician", False), ("blind", "assessor", True)):
            who = one.add_person(login, f"Canary {login}", SECRET, ("operator",))
            one.apply(changes.GrantRole(who, role, "GCP", blinded=blinded), someone, "joins")
        yield one


def randomised(study, person, someone):
    study.apply(changes.Enrol(person, "S-001"), someone)
    for criterion, answer in (("I1", "yes"), ("I2", "yes"), ("E1", "no")):
        study.apply(changes.AnswerCriterion(person, criterion, answer, "MRI"), someone)
    study.apply(changes.GiveConsent(person, ("participation", "neural_data_use"), "1.0", "2026-03-01"), someone)
    study.apply(changes.SetStatus(person, "enrolled"), someone, "eligible")
    study.apply(changes.Randomise(person, {"side": "left"}), someone, "allocated")
    study.apply(changes.SetAnchor(person, "implant", "2026-03-01"), someone, "operated")
    (visit,) = study.rows("visit", name="Wound check")
    study.apply(changes.SaveForm(visit["id"], "wound", {"state": "closed"}), someone)


def with_outcomes(study, person, someone):
    visit = study.append(Visit(person, "baseline"))
    items = {"grasp_1": 2, "grasp_2": 1}
    off, on = Condition(False, False, False), Condition(True, True, False)
    score = outcomes.score("arat", items).to_json()
    study.append(Assessment(visit, "arat", "1981", off, items, score, "Canary D", side="left"))
    later = study.append(Visit(person, "later", status="done", started="2026-03-02T09:00:00Z"))
    study.append(Assessment(later, "pgic", "guy-1976", on, {"change": None}, {}, "Canary E"))
    facts = {
        "serious": True, "criteria": ["hospitalisation"], "severity": "severe", "device": "possible",
        "procedure": "not_related", "stimulation": "not_related", "expected": None,
    }  # fmt: skip
    aware = {"aware": "2026-03-01T08:00Z", "zone": "Asia/Shanghai", "country": "CN", "narrative": "Canary F fell"}
    study.apply(changes.ReportEvent(person, "wound infection", "2026-02", facts, **aware), someone)
    study.apply(changes.RecordDeviation(person, "other", "came late", "none"), someone)


@pytest.fixture(scope="module")
def who(study):
    """Somebody who may learn arms, and somebody who may not."""
    return {login: study.sign_in(login, SECRET) for login in ("stat", "blind")}


@pytest.fixture(scope="module")
def seen(study, who):
    """The datasets as somebody sees them from whom no arm is kept."""
    given = datasets.release(study, signer=who["stat"])
    return given, {one.name: one for one in datasets.datasets(given)}


def dicts(one):
    names = [column.name for column in one.columns]
    return [dict(zip(names, row, strict=True)) for row in one.rows]


def test_every_item_of_every_assessment_is_a_row_that_says_where_it_comes_from(study, seen):
    found = {
        (row[f"{name}REFID"], row[f"{name}SPID"]): row for name in ("FT", "QS") for row in dicts(seen[1][name])
    }
    (arat,) = study.rows("assessment", measure="arat")
    for code, value in arat["items"].items():
        name = "FT" if (arat["id"], code) in found else "QS"
        row = found[arat["id"], code]
        assert (row[f"{name}ORRES"], row[f"{name}STRESN"]) == (str(value), float(value))
        assert (row["USUBJID"], row["VISIT"], row[f"{name}LAT"]) == ("X-P01", "baseline", "LEFT")
    (missing,) = [row for row in dicts(seen[1]["QS"]) if row["QSCAT"] == "pgic"]
    assert (missing["QSSTAT"], missing["QSORRES"], missing["DEVICEON"]) == ("NOT DONE", None, "Y")
    (wound,) = dicts(seen[1]["XF"])
    assert (wound["XFCAT"], wound["XFSPID"], wound["XFORRES"]) == ("wound", "state", "closed")


def test_adverse_events_and_deviations_have_the_terms_of_sdtm(seen):
    (event,) = dicts(seen[1]["AE"])
    names = ("AETERM", "AESEV", "AESER", "AESHOSP", "AESDTH", "AERELDEV", "AEOUT", "AESTDTC")
    assert [event[name] for name in names] == [
        "wound infection",
        "SEVERE",
        "Y",
        "Y",
        "N",
        "POSSIBLE",
        "UNKNOWN",
        "2026-02",
    ]
    assert "came late" in [row["DVTERM"] for row in dicts(seen[1]["DV"])]


def test_dataset_json_is_taken_by_the_model_of_odmlib_and_read_back_whole(seen):
    given, found = seen
    files = datasets.files_of(list(found.values()), "dataset-json", given)
    assert files == datasets.files_of(list(found.values()), "dataset-json", given)
    for data in files.values():
        told = json.loads(data)
        columns = [dataset_json.Column(**column) for column in told.pop("columns")]
        system = dataset_json.SourceSystem(**told.pop("sourceSystem"))
        model = dataset_json.DatasetJSON(columns=columns, sourceSystem=system, **told)
        assert {"rows": []} | json.loads(model.to_json()) == json.loads(data)
        assert datasets.from_json(data) == found[told["name"]]


def test_names_labels_and_short_names_of_tests_have_the_lengths_of_sdtm(seen):
    for one in seen[1].values():
        assert all(len(column.name) <= 8 and len(column.label) <= 40 for column in one.columns)
    tests = {(row["FTCAT"], row["FTSPID"]): row["FTTESTCD"] for row in dicts(seen[1]["FT"])}
    assert len(set(tests.values())) == len(tests)
    assert all(len(short) <= 8 and short[0].isalpha() for short in tests.values())


def test_two_measures_that_begin_alike_have_short_names_of_their_own():
    short = [name for measure in outcomes.available() for name, _ in _tests_of(measure).values()]
    assert len(set(short)) == len(short)
    assert max(map(len, short)) <= 8


def test_xpt_has_the_same_columns_labels_and_values(seen, tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    given, found = seen
    files = datasets.files_of(list(found.values()), "xpt", given)
    assert files == datasets.files_of(list(found.values()), "xpt", given)
    for one in found.values():
        path = tmp_path / f"{one.name.lower()}.xpt"
        path.write_bytes(files[path.name])
        frame, about = pyreadstat.read_xport(path)
        assert (about.table_name, about.file_label) == (one.name, one.label)
        assert about.column_names_to_labels == {column.name: column.label for column in one.columns}
        back = [
            tuple(None if value in ("", None) or value != value else value for value in row)
            for row in frame.itertuples(index=False)
        ]
        assert back == list(one.rows)


def test_a_text_that_xpt_cannot_hold_is_refused_and_not_cut(seen):
    pytest.importorskip("pyreadstat")
    long = datasets.Dataset("AE", "x", (datasets.Column("AETERM", "x"),), (("手" * 67,),))
    with pytest.raises(BadValue, match=r"AE\.AETERM in row 1 is longer than 200 bytes"):
        datasets.files_of([long], "xpt", seen[0])


def test_parquet_has_the_same_columns_labels_and_values(seen):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    given, found = seen
    for name, data in datasets.files_of(list(found.values()), "parquet", given).items():
        table, one = parquet.read_table(io.BytesIO(data)), found[name.removesuffix(".parquet").upper()]
        assert table.column_names == [column.name for column in one.columns]
        labels = [field.metadata[b"label"].decode() for field in table.schema]
        assert labels == [column.label for column in one.columns]
        assert [tuple(row.values()) for row in table.to_pylist()] == list(one.rows)


@pytest.mark.parametrize("form", ["xpt", "parquet"])
def test_a_form_whose_package_is_absent_says_how_to_install_it(seen, form, monkeypatch):
    import importlib

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(Refused, match=r"is not installed; install it with pip install .*\[exchange\]"):
        datasets.files_of(list(seen[1].values()), form, seen[0])


# ------------------------------------------------------------------------------ who and what may not leave
def everything(given):
    """All text that the forms hold."""
    found = datasets.datasets(given)
    protocol = Protocol.from_definition(given.study.rows("protocol_version")[-1]["definition"])
    files = datasets.files_of(found, "dataset-json", given)
    return b"".join([*files.values(), *(fhir.bundle(given, protocol, one).data for one in fhir.EDITIONS)]).decode()


def test_who_took_back_the_consent_to_share_is_in_no_form_and_named(study, who):
    given = datasets.release(study, signer=who["stat"])
    assert "SIM-GONE" not in everything(given)
    assert "SIM-GONE" in given.remarks()[0]
    assert "P01" in everything(given)


def test_nobody_of_the_staff_and_no_narrative_is_in_any_form(study, who):
    text = everything(datasets.release(study, signer=who["stat"]))
    assert "Canary" not in text
    assert "wound infection" in text


def test_for_somebody_blinded_no_form_tells_what_an_arm_could_change(study, who):
    for signer in (who["blind"], None):
        given = datasets.release(study, signer=signer)
        found = {one.name: dicts(one) for one in datasets.datasets(given)}
        assert found["AE"] == []
        assert {row["DEVICEON"] for name in ("FT", "QS") for row in found[name]} == {"N"}
        assert "ARM" not in found["DM"][0]
        assert "arm is kept" in str(given.remarks()[-1])
        assert "assigned" not in everything(given)


def twin(folder, seed):
    """A study in which everything but the list is the same; its arm, and all that a blinded reader gets of it but
    ids of rows, which are random."""
    with (
        world.entered(clock=SteppedClock(), chance=SeededChance(1)),
        Study.create(folder, code="X", title="t", actor="Canary A") as one,
    ):
        someone, other = one.script_signer("Canary B"), one.script_signer("Canary C")
        definition = protocol.read(EXAMPLE).definition()
        one.apply(changes.AdoptProtocol(definition), [who.confirm() for who in (someone, other)])
        person = one.append(Participant("SIM-02", simulated=True))
        with world.entered(chance=SeededChance(seed)):
            one.apply(changes.MakeList("1.0.0"), someone, "before the first")
        randomised(one, person, someone)
        with_outcomes(one, person, someone)
        blinded = one.add_person("blind", "B", SECRET, ("operator",))
        one.apply(changes.GrantRole(blinded, "assessor", "GCP", blinded=True), someone, "joins")
        given = datasets.release(one)
        told = json.loads(fhir.bundle(given, Protocol.from_definition(definition), "r5").data)
        rows = [
            [
                {name: value for name, value in row.items() if name[2:] not in ("REFID", "SPID")}
                for row in dicts(each)
            ]
            for each in datasets.datasets(given)
        ]
        seen = [rows, told["entry"], given.remarks()]
        return allocations.arm_of(one, person, someone, "to see that they differ"), seen


def test_what_somebody_blinded_gets_is_the_same_in_both_arms(tmp_path):
    found = {}
    for seed in range(2, 12):
        arm, told = twin(tmp_path / str(seed), seed)
        found.setdefault(arm, told)
        if len(found) == 2:
            break
    first, second = found.values()
    assert first == second


def test_an_arm_is_told_to_who_may_learn_it_and_each_reading_is_in_the_chain(study, who):
    reader = who["stat"]
    before = study.head()[0]
    given = datasets.release(study, signer=reader, with_arms=True, reason="final analysis")
    assert [entry.action for entry in study.entries(after=before)] == ["arm_read"]
    (person,) = {row["participant_id"] for row in study.rows("allocation")}
    (row,) = [row for row in dicts(datasets.datasets(given)[0]) if row["SUBJID"] == "SIM-02"]
    assert row["ARMCD"] == given.arms[person]
    assert f'"assignedComparisonGroup": "{row["ARMCD"]}"' in everything(given)
    assert row["ARMCD"] == allocations.arm_of(study, person, reader, "to compare")


def test_arms_are_refused_to_somebody_blinded_and_to_nobody(study, who):
    with pytest.raises(Refused, match="blinded"):
        datasets.release(study, signer=who["blind"], with_arms=True)
    with pytest.raises(BadValue, match="an arm is told to somebody who signs in"):
        datasets.release(study, with_arms=True)


def test_a_record_that_is_written_to_meanwhile_gives_no_export(study):
    given = datasets.release(study)
    study.append(Participant("SIM-LATE", simulated=True))
    with pytest.raises(Refused, match="written to"):
        datasets.datasets(given)
