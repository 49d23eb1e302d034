"""`workbench import`, `workbench protocol import` and the exports of forms: what is printed is what was done."""

from __future__ import annotations

import csv
import io
import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.exchange.protocols import entered, small
from workbench.study import Study, changes, protocol, verify
from workbench.study.protocol import Protocol

SECRET = "correct horse"
WHO = ("--as", "li", "--reason", "from paper")
CANARIES = ("Canary", "Müller", "CAN4711", "1977-11-03", "canary@example.org")
FORMS = ("odm-1.3.2", "odm-2.0", "redcap-dictionary", "redcap-records", "dictionary")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study with entries and its keys, to be copied."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        with Study.create(home / "study", code="NEO", title="Grasp trial", actor="tests") as study:
            study.add_person("li", "Dr li", SECRET, roles=("assessor",))
            entered(study)
    return home


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    return tmp_path / "study"


def records(tmp_path, *rows):
    path = tmp_path / "records.csv"
    head = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,wound_state"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


GOOD = "SIM-02,wound_check_arm_1,wound,1,open"
BAD = "SIM-02,wound_check_arm_1,wound,2,ajar"


# ------------------------------------------------------------------------------ records
def test_a_dry_run_prints_what_would_be_entered_and_only_then_it_is(run, folder, tmp_path):
    file = records(tmp_path, GOOD)
    code, out, err = run("import", folder, file, *WHO, "--dry-run", stdin=f"{SECRET}\n")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "line 2: SIM-02 / Wound check / wound 1: new: state — → open",
        "1 forms in 1 rows: 1 new, 0 changed, 0 the same, 0 refused",
        "a dry run: nothing was entered; run it again without --dry-run",
    ]
    with Study.open(folder, actor="tests") as study:
        assert study.count("form") == 5
    code, out, err = run("import", folder, file, *WHO, stdin=f"{SECRET}\n")
    assert (code, err) == (0, "")
    assert out.splitlines()[-2] == "entered"
    with Study.open(folder, actor="tests") as study:
        (form,) = study.rows("form", by="Dr li")
        assert form["values"] == {"state": "open"}
        assert study.history("form", form["id"])[0]["reason"] == "from paper"
        assert out.splitlines()[-1] == "head: {} {}".format(*study.head())
    assert verify(folder).ok


def test_one_row_that_is_refused_keeps_all_rows_out(run, folder, tmp_path):
    code, out, _ = run("import", folder, records(tmp_path, GOOD, BAD), *WHO, stdin=f"{SECRET}\n")
    assert code == 1
    lines = out.splitlines()
    assert lines[1].startswith(
        "line 3: SIM-02 / Wound check / wound 2: refused: column wound_state takes the codes"
    )
    assert lines[2] == "2 forms in 2 rows: 1 new, 0 changed, 0 the same, 1 refused"
    assert lines[3] == "nothing was entered: correct what is refused, or remove its rows"
    with Study.open(folder, actor="tests") as study:
        assert study.count("form") == 5


def test_a_program_reads_row_by_row_what_became_of_them(run, folder, tmp_path):
    code, out, _ = run("import", folder, records(tmp_path, GOOD, BAD), *WHO, "--json", stdin=f"{SECRET}\n")
    answer = json.loads(out)
    assert (code, answer["ok"], answer["result"]["entered"]) == (1, False, False)
    assert answer["result"]["counts"] == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert [(row["line"], row["what"]) for row in answer["result"]["rows"]] == [(2, "new"), (3, "refused")]


def test_what_was_exported_is_imported_again_without_a_change(run, folder, tmp_path):
    file = tmp_path / "out.csv"
    assert run("export", folder, "--form", "redcap-records", "--out", file)[0] == 0
    code, out, _ = run("import", folder, file, *WHO, stdin=f"{SECRET}\n")
    assert code == 0
    assert "5 forms in 5 rows: 0 new, 0 changed, 5 the same, 0 refused" in out


@pytest.mark.parametrize(
    ("content", "stdin", "why"),
    [
        (b"", f"{SECRET}\n", "is empty"),
        (b"\xff\xfe", f"{SECRET}\n", "must be UTF-8 text"),
        (b"a,b\n1,2\n", f"{SECRET}\n", "has no column record_id, redcap_event_name"),
        (b"record_id,redcap_event_name\n", "wrong horse\n", "do not match"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_entered(run, folder, tmp_path, content, stdin, why):
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    code, out, err = run("import", folder, file, *WHO, stdin=stdin)
    assert (code, out) == (2, "")
    assert why in err
    assert len(err.splitlines()) == 1


def test_who_and_why_must_be_said(workbench, folder, tmp_path):
    assert workbench("import", folder, records(tmp_path, GOOD), "--as", "li").code == 2
    assert workbench("import", folder, records(tmp_path, GOOD), "--reason", "x").code == 2


# ------------------------------------------------------------------------------ exports
def test_each_form_is_written_and_its_rows_are_counted(run, folder, tmp_path):
    said = {}
    for form in FORMS:
        code, out, err = run("export", folder, "--form", form, "--out", tmp_path / form)
        assert (code, err) == (0, "")
        said[form] = out
    for form in ("odm-1.3.2", "odm-2.0"):
        assert "2 of 2 rows of participant, 6 of 6 rows of visit, 5 of 5 rows of form, 7 entries" in said[form]
        assert len(list(ElementTree.parse(tmp_path / form).getroot())) == 3
    assert f"{len(table(tmp_path / 'redcap-records'))} rows, of 5 forms in the record" in said["redcap-records"]
    assert "4 forms of protocol 1.0.0" in said["redcap-dictionary"]
    assert "md_not_asked, md_not_done, md_unknown, md_refused, md_not_applicable" in said["redcap-dictionary"]
    assert f"{len(table(tmp_path / 'dictionary'))} rows" in said["dictionary"]


def test_an_export_has_the_same_bytes_again_and_is_never_replaced(run, folder, tmp_path):
    for form in FORMS:
        assert run("export", folder, "--form", form, "--out", tmp_path / form)[0] == 0
        assert run("export", folder, "--form", form, "--out", tmp_path / f"{form}-2")[0] == 0
        assert (tmp_path / form).read_bytes() == (tmp_path / f"{form}-2").read_bytes()
    code, _, err = run("export", folder, "--form", "odm-2.0", "--out", tmp_path / "odm-2.0")
    assert (code, "exists already" in err) == (2, True)


def test_who_took_back_the_consent_to_share_data_is_left_out_and_named(run, folder, tmp_path):
    with Study.open(folder, actor="tests") as study:
        script = study.script_signer("Dr B")
        person = study.rows("participant", pseudonym="SIM-01")[0]["id"]
        study.apply(changes.GiveConsent(person, ("data_sharing",), "1.0", "2026-03-01"), script, "signed")
        study.apply(changes.WithdrawConsent(person, ("data_sharing",), "2026-03-02"), script, "asked by telephone")
    for form in ("odm-1.3.2", "odm-2.0", "redcap-records"):
        code, out, _ = run("export", folder, "--form", form, "--out", tmp_path / form)
        assert code == 0
        assert "left out: SIM-01, who took back the consent to share data on 2026-03-02" in out
        assert "SIM-01" not in (tmp_path / form).read_text(encoding="utf-8")


def test_no_name_of_a_person_who_takes_part_is_in_any_file(run, folder, tmp_path):
    given = f"Anna {CANARIES[0]}-{CANARIES[1]}\n{CANARIES[2]}\n{CANARIES[3]}\n{CANARIES[4]}\n"
    assert run("identities", "create", tmp_path / "apart", "--study", folder)[0] == 0
    code, _, err = run("identities", "add", tmp_path / "apart", "SIM-01", "--own-code", stdin=given)
    assert (code, err) == (0, ""), err
    for form in FORMS:
        assert run("export", folder, "--form", form, "--out", tmp_path / form)[0] == 0
        text = (tmp_path / form).read_text(encoding="utf-8")
        assert [one for one in CANARIES if one in text] == []


def test_a_study_without_a_protocol_says_so(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    with Study.create(tmp_path / "s", code="N", title="t", actor="a") as study:
        pass
    for form in ("odm-2.0", "redcap-records", "redcap-dictionary"):
        code, out, err = run("export", study.folder, "--form", form, "--out", tmp_path / form)
        assert (code, out) == (2, "")
        assert "has adopted no protocol" in err
        assert not (tmp_path / form).exists()


# ------------------------------------------------------------------------------ protocols
@pytest.mark.parametrize("form", ["odm-1.3.2", "odm-2.0"])
def test_a_protocol_comes_back_from_the_export_of_its_study(run, folder, tmp_path, form):
    assert run("export", folder, "--form", form, "--out", tmp_path / "x.xml")[0] == 0
    code, out, err = run("protocol", "import", tmp_path / "x.xml", "--out", tmp_path / "p.toml")
    assert (code, err) == (0, "")
    assert "6 visits, 4 forms" in out
    wanted = Protocol.from_definition(small()).sha256
    assert out.splitlines()[-1].split() == ["sha256", wanted]
    assert "not taken over: AdminData (1), ClinicalData (1)" in out
    assert protocol.read(tmp_path / "p.toml").sha256 == wanted


def test_a_dictionary_becomes_the_forms_of_a_protocol_and_what_is_missing_is_said(run, folder, tmp_path):
    assert run("export", folder, "--form", "redcap-dictionary", "--out", tmp_path / "d.csv")[0] == 0
    code, out, _ = run("protocol", "import", tmp_path / "d.csv", "--out", tmp_path / "p.toml")
    assert code == 1
    assert "0 visits, 4 forms" in out
    assert "to be completed before it is a protocol:" in out
    assert "consent is missing" in out
    code, _, err = run("protocol", "check", tmp_path / "p.toml")
    assert (code, "consent is missing" in err) == (2, True)


def test_a_hostile_file_is_one_sentence_and_leaves_no_file(run, tmp_path):
    bomb = tmp_path / "bomb.xml"
    bomb.write_text('<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><ODM>&b;</ODM>', encoding="utf-8")
    code, out, err = run("protocol", "import", bomb, "--out", tmp_path / "p.toml")
    assert (code, out) == (2, "")
    assert "declares the document type" in err
    assert not (tmp_path / "p.toml").exists()
