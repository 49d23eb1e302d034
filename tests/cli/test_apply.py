"""`workbench apply` and `workbench history`: every change from the command line, and what happened to a row."""

from __future__ import annotations

import json

import pytest

from workbench.study import Study
from workbench.study.changes import ALL
from workbench.vocabulary import Participant


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    with Study.create(tmp_path / "study", code="NEO", title="Grasp trial", actor="tests") as study:
        study.append(Participant("P-041"))
        for login, role in (("lin", "investigator"), ("wu", "data_manager"), ("he", "statistician")):
            study.add_person(login, f"Dr {login}", "correct horse", (role,))
    return study.folder


GIVE = ("GiveConsent", "participant_id=P-041", "purposes=participation,upload", "document_version=2.1")
LIN = ("--as", "lin")


def test_every_change_is_listed_with_its_fields_and_who_makes_it(run, folder):
    code, out, _ = run("apply", folder)
    assert code == 0
    assert all(f"{name}  " in out for name in ALL)
    assert "WithdrawConsent  participant_id purposes consented_on\n    A consent ends, at once." in out
    assert "by data_manager + investigator + statistician" in out


def test_a_change_is_made_in_the_name_of_who_signs_in(run, folder):
    code, out, err = run("apply", folder, *GIVE, "consented_on=2026-03-01", *LIN, stdin="correct horse\n")
    assert (code, err) == (0, "")
    assert "GiveConsent: entered as " in out
    with Study.open(folder, actor="tests") as study:
        rows = study.rows("consent")
        assert [(row["purpose"], row["by"]) for row in rows] == [("participation", "Dr lin"), ("upload", "Dr lin")]
        assert study.rows("participant")[0]["consent"] == "2.1"


@pytest.mark.parametrize(
    ("words", "stdin", "why"),
    [
        (GIVE, "correct horse\n", "GiveConsent also needs consented_on"),
        ((*GIVE, "consented_on=2026-03-01", "mood=good"), "correct horse\n", "has no field mood; it has"),
        ((*GIVE, "consented_on=2026-03-01"), "wrong horse\n", "do not match"),
        ((*GIVE, "consented_on"), "", "fields are FIELD=VALUE"),
        ((*GIVE, "participant_id=P-041"), "", "each once"),
        (("GiveConsnt",), "", "there is no change 'GiveConsnt'; those there are: AddVisit"),
        (("GiveConsent", "participant_id=P-999"), "", "GiveConsent also needs purposes"),
        (
            ("GiveConsent", "participant_id=P-999", *GIVE[2:], "consented_on=2026-03-01"),
            "",
            "no participant 'P-999' in this study; there are P-041",
        ),
        (
            ("GrantRole", "person_id=lin", "role=monitor", "training=x", "blinded=maybe"),
            "",
            "must be true or false",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(run, folder, words, stdin, why):
    with Study.open(folder, actor="tests") as study:
        before = study.count("consent"), study.count("role_grant")
    code, out, err = run("apply", folder, *words, *LIN, stdin=stdin)
    assert (code, out) == (2, "")
    assert why in err
    with Study.open(folder, actor="tests") as study:
        assert (study.count("consent"), study.count("role_grant")) == before


def test_who_makes_a_change_must_be_named(run, folder):
    code, _, err = run("apply", folder, *GIVE)
    assert (code, "--as LOGIN is missing" in err) == (2, True)


def test_a_study_is_locked_by_three_who_each_type_a_password(run, folder):
    three = ("--as", "lin", "--as", "wu", "--as", "he")
    code, out, err = run("apply", folder, "LockStudy", *three, "--reason", "lock", stdin="correct horse\n" * 3)
    assert (code, err) == (0, "")
    assert "LockStudy: entered as" in out
    code, _, err = run("apply", folder, *GIVE, "consented_on=2026-03-01", *LIN, stdin="correct horse\n")
    assert (code, "this study was locked by Dr lin" in err) == (2, True)


def test_the_history_of_one_field_tells_when_by_whom_why_and_from_what_to_what(run, folder):
    with Study.open(folder, actor="Dr Wu") as study:
        person = study.rows("participant")[0]["id"]
        study.amend("participant", person, {"ais": "C"}, reason="exam of 3 March")
        study.amend("participant", person, {"injury_level": "C6"}, reason="exam of 3 March")
    code, out, _ = run("history", folder, "participant", person, "--field", "ais")
    assert code == 0
    assert "Dr Wu: amend (exam of 3 March)\n    ais:  → C\n" in out
    assert "injury_level" not in out
    code, out, _ = run("history", folder, "participant", person, "--json")
    answer = json.loads(out)["result"]
    assert [entry["action"] for entry in answer["entries"]] == ["create", "amend", "amend"]
    assert len(answer["sha256"]) == 64
    sign = ("Sign", f"targets=participant:{person}", "meaning=I reviewed this", f"shown_sha256={answer['sha256']}")
    assert run("apply", folder, *sign, *LIN, stdin="correct horse\n")[0] == 0
    assert run("history", folder, "participant", person, "--field", "mood")[0] == 2
    assert run("history", folder, "moods", person)[0] == 2
