"""`workbench systems` and `workbench new`: what there is, and a study that follows one of it."""

from __future__ import annotations

import json

import pytest

from workbench import commands, systems
from workbench.errors import BadValue
from workbench.study import Study


def test_every_system_is_listed_with_its_inputs_effector_and_what_is_simulated(capsys):
    assert commands.main(["systems"]) == 0
    text = capsys.readouterr().out
    for name in systems.available():
        assert f"{name}  {systems.load(name).title}" in text
    assert "input     signal: ECoG, epidural or subdural electrodes" in text
    assert "effector  glove" in text
    assert "simulated nothing: hardware or recordings only" in text


def test_a_program_reads_name_title_inputs_effector_and_what_is_simulated(capsys):
    assert commands.main(["systems", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["result"]}
    assert set(found) == set(systems.available())
    hand = found["neo_hand"]
    assert (hand["inputs"][0]["kind"], hand["effector"]) == ("ECoG", "glove")
    assert "simulated participant" in hand["simulated"]
    assert hand["tasks"][0]["law"]["law"] == "hold"
    assert hand["limits"]["hold_limit_s"] == 30.0
    assert [one["role"] for one in hand["planned"]].count("primary") == 1
    assert [one["kind"] for one in hand["price_items"]] == ["implant", "removal"]


def test_a_new_study_holds_its_first_participant_the_visits_of_the_protocol_and_the_system(tmp_path, capsys):
    folder = tmp_path / "trial"
    assert commands.main(["new", str(folder), "--system", "neo_hand", "--first-visit", "2026-12-01"]) == 0
    assert "P-001, Month 3: 2027-03-01 (2027-02-15 to 2027-03-15)" in capsys.readouterr().out
    with Study.open(folder, actor="test") as study:
        (person,) = study.rows("participant")
        assert (study.code, person["pseudonym"], bool(person["simulated"])) == ("trial", "P-001", False)
        assert [row["name"] for row in study.rows("visit")] == ["Baseline", "Month 2", "Month 3", "Month 6"]
        assert study.verify().ok
    assert systems.system_of(folder) == (systems.load("neo_hand"), "")


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        (["--system", "arm"], "no entry 'arm'"),
        (["--participant", " "], "needs a pseudonym"),
        (["--first-visit", "soon"], "--first-visit must be a date, as 2026-12-01; got 'soon'"),
    ],
)
def test_a_study_that_is_refused_leaves_no_folder_behind(tmp_path, capsys, argument, sentence):
    assert commands.main(["new", str(tmp_path / "trial"), *argument]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "trial").exists()


def test_a_study_says_when_the_file_of_its_system_has_changed(tmp_path):
    assert systems.system_of(tmp_path) == (systems.load(systems.USUAL), "")
    stated = systems.provenance(systems.load("neo_hand"))
    (tmp_path / "system.json").write_text(json.dumps({**stated, "sha256": "0" * 64}))
    system, sentence = systems.system_of(tmp_path)
    assert system.name == "neo_hand"
    assert "was sci-bci-workbench 0.1.0 (00000000) and is now" in sentence
    (tmp_path / "system.json").write_text("[]")
    with pytest.raises(BadValue, match="names no system"):
        systems.system_of(tmp_path)


def test_recordings_and_the_name_of_another_system_contradict_each_other(tmp_path, capsys):
    folder = tmp_path / "study"
    asked = ["demo", "--recordings", "a.edf", "b.edf", "--system", "neo_hand", "--study", str(folder)]
    assert commands.main(asked) == 2
    assert "--recordings plays replay_recordings" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize("name", [one for one in systems.available() if not systems.load(one).visits])
def test_the_study_of_a_system_without_a_protocol_has_a_visit_whose_session_can_start(tmp_path, capsys, name):
    folder = tmp_path / "trial"
    assert commands.main(["new", str(folder), "--system", name, "--simulated"]) == 0
    assert "Visit 1: any day" in capsys.readouterr().out
    with Study.open(folder, actor="test") as study:
        (row,) = study.worklist()
        assert (row.window, row.state) == ("unscheduled", "ready")
