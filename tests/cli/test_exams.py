"""`workbench reclassify`, `workbench export` and `workbench score --from redcap`: nothing is written unasked."""

from __future__ import annotations

import csv
import json

import pytest

from workbench import commands, outcomes
from workbench.outcomes import isncsci
from workbench.study import Study
from workbench.study.changes import GiveConsent, WithdrawConsent
from workbench.vocabulary import Assessment, Condition, Participant, Visit

ALONE = Condition(assisted=False, device_on=False, stimulation_on=False)
OLD = "isncsci-2015.3"


def items(*, ais_c=False):
    """A normal exam without anal function but for the arms: C5 on both sides."""
    found = {}
    for item in outcomes.load("isncsci").definition.items:
        side, grid, segment = item.code.split(".")
        above = segment in ("C2", "C3", "C4", "C5")
        found[item.code] = (5 if grid == "motor" else 2) if above else 0
    return found | {"voluntaryAnalContraction": "Yes" if ais_c else "No", "deepAnalPressure": "No"}


@pytest.fixture
def folder(tmp_path):
    """One exam of today, two of old rules, one of them with another result, one that cannot be scored, a draft."""
    with Study.create(tmp_path / "study", code="NEO", title="Grasp", actor="tester") as study:
        person = study.append(Participant("P01"))
        for name, changes, exam in (
            ("screening", {}, items()),
            ("baseline", {"rules": OLD}, items()),
            ("month 3", {"rules": OLD, "ais": "B"}, items(ais_c=True)),
            ("month 6", {"rules": OLD}, items()),
        ):
            visit = study.append(Visit(person, name))
            score = outcomes.score("isncsci", exam).to_json()
            score["classes"] |= changes
            stored = exam | ({"right.motor.C5": 9} if name == "month 6" else {})
            study.append(Assessment(visit, "isncsci", "2019", ALONE, stored, score, "rater"))
        draft = Assessment(visit, "isncsci", "2019", ALONE, {}, {}, "rater", state="draft", repeat=2)
        study.append(draft)
    return tmp_path / "study"


def run(capsys, *arguments):
    code = commands.main([str(one) for one in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def stored(folder):
    with Study.open(folder, actor="tester") as study:
        return {
            study.get("visit", row["visit_id"])["name"]: row
            for row in study.rows("assessment")
            if row["state"] != "draft"
        }


def test_reclassify_lists_what_differs_and_writes_nothing(capsys, folder):
    with Study.open(folder, actor="tester") as study:
        head = study.head()
    code, out, err = run(capsys, "reclassify", folder)
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert lines[0].startswith("P01 baseline ")
    assert lines[0].endswith(f"rules {OLD} → {isncsci.RULES}: same results")
    assert lines[1].endswith(f"rules {OLD} → {isncsci.RULES}: ais B → C")
    assert "cannot be scored: isncsci item right.motor.C5 must be one of" in lines[2]
    assert lines[3] == (
        f"4 examinations under rules {isncsci.RULES}: 2 to be amended, 1 cannot be scored, 1 drafts left out"
    )
    assert "nothing was written" in lines[4]
    with Study.open(folder, actor="tester") as study:
        assert study.head() == head


def test_reclassify_stores_the_new_results_with_the_reason_in_the_audit_chain(capsys, folder):
    before = stored(folder)
    code, out, _ = run(capsys, "reclassify", folder, "--apply", "--reason", "rules of 2019")
    assert code == 1, "one cannot be scored"
    assert "2 amended, 1 cannot be scored" in out
    after = stored(folder)
    assert after["month 3"]["score"]["classes"]["ais"] == "C"
    assert {row["score"]["classes"]["rules"] for name, row in after.items() if name != "month 6"} == {
        isncsci.RULES
    }
    assert after["month 6"] == before["month 6"]
    assert after["screening"] == before["screening"]
    assert [row["items"] for row in after.values()] == [row["items"] for row in before.values()]
    with Study.open(folder, actor="tester") as study:
        last = study.history("assessment", after["month 3"]["id"])[-1]
        assert (last["actor"], last["action"]) == ("command line", "amend")
        assert last["reason"] == f"rules of 2019 (ISNCSCI rules {OLD} → {isncsci.RULES})"
        assert last["old"]["score"]["classes"]["ais"] == "B"
        assert study.verify().ok


def test_a_second_reclassification_finds_nothing(capsys, folder):
    run(capsys, "reclassify", folder, "--apply", "--reason", "rules of 2019")
    with Study.open(folder, actor="tester") as study:
        head = study.head()
    _, out, _ = run(capsys, "reclassify", folder, "--apply", "--reason", "again")
    assert "0 amended" in out
    with Study.open(folder, actor="tester") as study:
        assert study.head() == head


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--apply",), "needs --reason"),
        (("--apply", "--reason", " "), "needs --reason"),
        (("--reason", "x"), "--apply"),
    ],
)
def test_a_change_needs_both_words(capsys, folder, arguments, words):
    code, out, err = run(capsys, "reclassify", folder, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_export_writes_a_row_an_examination_and_names_what_is_missing(capsys, folder, tmp_path):
    file = tmp_path / "core.csv"
    code, out, _ = run(capsys, "export", folder, "--form", "core", "--out", file)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert (code, len(rows)) == (0, 4)
    assert [row["visit"] for row in rows] == ["screening", "baseline", "month 3", "month 6"]
    assert (rows[0]["nli"], rows[0]["ais"], rows[0]["birth_date"]) == ("C5", "A", "")
    assert "not in the record, left empty: birth_date, sex_assigned_at_birth" in out
    assert "reporting_group" not in out


def test_who_took_back_the_consent_to_share_data_is_left_out_and_named(capsys, folder, tmp_path):
    with Study.open(folder, actor="tester") as study:
        other = study.append(Participant("P02", simulated=True))
        script = study.script_signer("test")
        study.apply(GiveConsent(other, ("participation", "data_sharing"), "1", "2026-03-01"), script)
        study.apply(WithdrawConsent(other, ("data_sharing",), "2026-03-02"), script)
    _, out, _ = run(capsys, "export", folder, "--form", "core", "--out", tmp_path / "core.csv")
    assert "left out: P02, who took back the consent to share data on 2026-03-02" in out
    assert "P02" not in (tmp_path / "core.csv").read_text(encoding="utf-8")


def test_export_of_ninds_names_leaves_out_what_has_no_name(capsys, folder, tmp_path):
    file = tmp_path / "ninds.csv"
    code, out, _ = run(capsys, "export", folder, "--form", "ninds", "--out", file, "--groups")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert code == 0
    assert rows[0]["SCIClssSensNeuroLvlRtReslt"] == "C5"
    assert "ASIA Impairment Scale (name not seen)" in out
    assert rows[0]["reporting_group_unless_ventilated"] == "C5-8 ABC"


def test_an_export_is_never_replaced_and_a_place_that_cannot_be_is_told(capsys, folder, tmp_path):
    there = tmp_path / "there.csv"
    there.write_text("mine")
    code, _, err = run(capsys, "export", folder, "--form", "core", "--out", there)
    assert (code, there.read_text()) == (2, "mine")
    assert "exists already" in err
    code, _, err = run(capsys, "export", folder, "--form", "core", "--out", tmp_path / "no" / "x.csv")
    assert code == 2
    assert "cannot be written" in err


# ----- score --from redcap


def test_a_redcap_export_is_scored(capsys, tmp_path):
    exam = isncsci.exam_of(items())
    row = {"record_id": "P01", "voluntary_anal_contraction": "No", "deep_anal_pressure": "no"}
    for side in ("right", "left"):
        for grid, part in (("motor", "motor"), ("lightTouch", "light_touch"), ("pinPrick", "pinprick")):
            row |= {f"{side}_{part}_{at.lower()}_value": code for at, code in exam[side][grid].items()}
    file = tmp_path / "export.csv"
    text = ",".join(row) + "\r\n" + ",".join(row.values()) + "\r\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    code, out, err = run(capsys, "score", "isncsci", "--from", "redcap", file)
    (answer,) = [json.loads(line) for line in out.splitlines()]
    assert (code, err, answer["id"]) == (0, "", "P01")
    assert answer["result"] == isncsci.classify(exam).result


@pytest.mark.parametrize(
    ("measure", "source", "words"),
    [
        ("arat", ("redcap", "x.csv"), "isncsci alone"),
        ("isncsci", ("odm", "x.xml"), "reads redcap, got 'odm'"),
        ("isncsci", ("redcap", "absent.csv"), "absent.csv cannot be read (No such file or directory)"),
    ],
)
def test_another_source_is_refused(capsys, measure, source, words):
    code, out, err = run(capsys, "score", measure, "--from", *source)
    assert (code, out) == (2, "")
    assert words in err


def test_a_file_that_is_no_text_is_refused(capsys, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    code, _, err = run(capsys, "score", "isncsci", "--from", "redcap", tmp_path / "x.csv")
    assert code == 2
    assert "must be UTF-8" in err
