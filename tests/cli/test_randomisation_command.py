"""`workbench randomisation`: no arm is shown but where one is asked for, and what concealment is worth is said."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.study.test_allocation import (
    ARMS,
    BLOCKS,
    LEFT,
    LEFT_A,
    MINIMISED,
    PEOPLE,
    SECRET,
    enrolled,
    trial_of,
    unblinded,
)
from workbench.study import allocation_keys
from workbench.study.changes import Randomise

PASSWORD = f"{SECRET}\n"
PASSPHRASE = "four random plain words\n"
NOTE = "(note) concealment is procedural only: record and secret lie under one account"
STAT = ("--as", "stat")


@pytest.fixture(scope="module", params=[BLOCKS, MINIMISED], ids=["blocks", "minimisation"])
def made(request, tmp_path_factory):
    """A study with two participants randomised; `stat` may learn arms, `a1` may not."""
    home = tmp_path_factory.mktemp("made")
    covariates = LEFT if request.param is BLOCKS else LEFT_A
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        with trial_of(home / "study", request.param) as study:
            for pseudonym in ("P-1", "P-2"):
                study.apply(Randomise(enrolled(study, pseudonym), covariates), study.who["inv"])
            unblinded(study, "stat", "engineer")
    return home


@pytest.fixture
def folder(made, run, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "study"


@pytest.fixture
def drawn(folder):
    """The JSON of the only secret."""
    (path,) = allocation_keys.key_folder().glob("randomisation-*[0-9a-f].json")
    return json.loads(path.read_text())["secret"]


def refused(answer, *words):
    code, out, err = answer
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert all(word in err for word in words), err
    assert not any(arm in err for arm in ARMS)


def test_lists_slots_and_proof_name_no_arm_and_say_that_concealment_is_procedural(run, folder, drawn):
    said = {
        "list": run("randomisation", "list", folder),
        "slots": run("randomisation", "slots", folder),
        "prove": run("randomisation", "prove", folder, *STAT, stdin=PASSWORD),
    }
    for code, out, err in said.values():
        assert (code, err) == (0, "")
        assert out.splitlines()[-1].startswith(NOTE)
        assert drawn["list_id"] in out
        assert not any(word in out for word in (*ARMS, drawn["seed"], drawn["key"]))
    listed = drawn["design"]["kind"] == "blocks"
    assert ("used 2 of 24\n" if listed else "used 2\n") in said["list"][1]
    assert ('{"side":"left"}  used 2 of 12' if listed else "-  used 2") in said["slots"][1]
    compared = "24 slots drawn again" if listed else "2 draws replayed"
    assert f"holds: {compared}, 2 allocations compared" in said["prove"][1]


@pytest.mark.parametrize("action", ["list", "slots", "prove"])
def test_the_same_is_told_to_programs(run, folder, drawn, action):
    signed = STAT if action == "prove" else ()
    code, out, _ = run("randomisation", action, folder, *signed, "--json", stdin=PASSWORD)
    answer = json.loads(out)
    assert (code, answer["ok"], answer["command"]) == (0, True, f"randomisation {action}")
    result = answer["result"]
    assert result["concealment"].startswith("concealment is procedural only")
    rows = result["slots" if action == "slots" else "lists"]
    assert drawn["list_id"] in {row[{"list": "id", "slots": "list", "prove": "list_id"}[action]] for row in rows}
    assert not any(word in out for word in (*ARMS, drawn["seed"], drawn["key"]))


def test_an_arm_is_told_to_who_may_learn_it_and_to_nobody_else(run, folder):
    asked = ("randomisation", "arm", folder, "P-1", "--reason", "sets up the sham")
    code, out, _ = run(*asked, *STAT, stdin=PASSWORD)
    assert code == 0
    first, note = out.splitlines()
    assert first.removeprefix("P-1: ").removesuffix("; this reading is in the record") in ARMS
    assert note.startswith(NOTE)
    answer = json.loads(run(*asked, *STAT, "--json", stdin=PASSWORD)[1])["result"]
    assert answer["arm"] in first
    refused(run(*asked, "--as", "a1", stdin=PASSWORD), "Dr a1 has no role among")
    refused(run(*asked, *STAT, stdin="wrong\n"), "login")
    refused(
        run("randomisation", "arm", folder, "P-9", "--reason", "x", *STAT, stdin=PASSWORD), "no participant 'P-9'"
    )
    refused(run("randomisation", "prove", folder, "--as", "a1", stdin=PASSWORD), "Dr a1 has no role among")


def test_a_participant_is_unblinded_and_read_from_the_command_line(run, folder):
    code, out, err = run(
        "apply", folder, "Unblind", "participant_id=P-1", "pseudonym_again=P-1", "requester=ward 3",
        "told=a1,Dr Night", "emergency=yes", "--as", "inv", "--reason", "must know before surgery", stdin=PASSWORD,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert not any(arm in out for arm in ARMS)
    for login in ("inv", "a1"):
        asked = ("--as", login, "--reason", "surgery")
        assert run("randomisation", "arm", folder, "P-1", *asked, stdin=PASSWORD)[0] == 0
        refused(run("randomisation", "arm", folder, "P-2", *asked, stdin=PASSWORD), f"Dr {login}")


def test_a_proof_that_does_not_hold_ends_with_1_and_names_what_differs(run, folder, drawn):
    path = allocation_keys.path_of(drawn["list_id"])
    path.write_text(json.dumps({"secret": {**drawn, "seed": "0" * 32}}))
    code, out, _ = run("randomisation", "prove", folder, *STAT, stdin=PASSWORD)
    assert code == 1
    assert "does NOT hold" in out
    answer = json.loads(run("randomisation", "prove", folder, *STAT, "--json", stdin=PASSWORD)[1])
    assert (answer["ok"], answer["result"]["holds"]) == (False, False)
    assert answer["result"]["lists"][0]["differences"]


def test_secrets_are_backed_up_and_restored_under_a_passphrase(run, folder, drawn, tmp_path):
    file, path = tmp_path / "backup", allocation_keys.path_of(drawn["list_id"])
    refused(run("randomisation", "backup", folder, file, stdin="short\n"), "passphrase")
    assert run("randomisation", "backup", folder, file, stdin=PASSPHRASE)[0] == 0
    assert drawn["seed"] not in file.read_text()
    path.unlink()
    assert "its secret is NOT on this computer" in run("randomisation", "list", folder)[1]
    refused(run("randomisation", "prove", folder, *STAT, stdin=PASSWORD), "not on this computer")
    refused(run("randomisation", "restore", file, stdin="five random plain words\n"), "does not open")
    assert run("randomisation", "restore", file, stdin=PASSPHRASE)[0] == 0
    assert run("randomisation", "prove", folder, *STAT, stdin=PASSWORD)[0] == 0


def test_a_study_without_a_list_says_so(run, tmp_path):
    from workbench.study import Study

    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        study.add_person("stat", "Dr stat", SECRET, (PEOPLE["stat"],))
    assert run("randomisation", "list", study.folder)[1].splitlines()[0] == "no list was made yet"
    refused(run("randomisation", "backup", study.folder, tmp_path / "b", stdin=PASSPHRASE), "no list whose secret")
