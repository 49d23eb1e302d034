"""`workbench batch`: from a study to a manifest, to results, to one table; a wrong call is refused."""

from __future__ import annotations

import csv
import io
import json

import pytest

from workbench.batch.stress import recorded
from workbench.recording import RunFile, file_sha256
from workbench.study import Study
from workbench.vocabulary import Participant, Recording, Run, Session, Visit


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with one online run, and a calibration that its record does not know."""
    folder = tmp_path_factory.mktemp("batch") / "study"
    with Study.create(folder, code="B", title="batch", actor="test") as study:
        recorded(folder, 1, seed=1)
        (path,) = (folder / "recordings").glob("*.xdf")
        session = study.append(
            Session(study.append(Visit(study.append(Participant("P01")), "baseline")), "therapist")
        )
        sha256 = str(RunFile(path).plan["decoder_sha256"])
        run = Run(session, 1, "online", "grasp_rest", "finished", id="run-1", decoder_sha256=sha256)
        about = (file_sha256(path), path.stat().st_size, 1000, 1000.0, "finished")
        file = Recording("run-1", f"recordings/{path.name}", *about)
        study.append_run(run, trials=[], ledger=[], recordings=[file])
    return folder


@pytest.mark.job
def test_a_study_is_planned_run_and_tabled_and_a_second_run_does_nothing(inside, study, tmp_path):
    manifest, results = tmp_path / "m.json", tmp_path / "results"
    said = inside("batch", "plan", study, "--pipeline", "redecode", "--out", manifest)
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == f"{manifest}: 1 tasks on 1 recordings"
    call = ("batch", "run", manifest, "--recordings", study / "recordings", "--results", results)
    said = inside(*call)
    assert said.code == 0, said.err
    assert "1 of 1 tasks carried out, 0 were there, 0 have no result" in said.out
    again = json.loads(inside(*call, "--json").out)
    assert (again["ok"], again["result"]["computed"], again["result"]["kept"]) == (True, 0, 1)
    assert f"combined SHA-256 {again['result']['combined']}" in said.out
    (row,) = csv.DictReader(io.StringIO(inside("batch", "table", results).out))
    assert (row["pipeline"], row["equal"], row["unit"]) == ("redecode", "True", "trial")
    table = json.loads(inside("batch", "table", results, "--json").out)
    assert table["result"]["combined"] == again["result"]["combined"]


def test_a_recording_that_is_not_here_is_a_sentence_and_exit_code_1(inside, study, tmp_path):
    inside("batch", "plan", study, "--pipeline", "redecode", "--out", tmp_path / "m.json")
    (tmp_path / "empty").mkdir()
    here = ("--recordings", tmp_path / "empty", "--results", tmp_path / "results")
    said = inside("batch", "run", tmp_path / "m.json", *here)
    assert said.code == 1
    assert "is not at this site; run the manifest where it is" in said.out
    assert "0 of 1 tasks carried out, 0 were there, 1 have no result" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("plan {study} --pipeline invent --out {new}", "there is no pipeline 'invent'"),
        ("plan {study} --pipeline cross_validate --out {new}", "name it with --decoder"),
        ("plan {study} --pipeline redecode --out {old}", "exists already"),
        ("run {old} --recordings {study} --results {new}", "has the format None"),
        ("run {new} --recordings {study} --results {new}", "manifest"),
        ("run {good} --recordings {new} --results {new}", "there is no folder of recordings"),
        ("run {good} --recordings {study} --results {new} --workers 2", "goes with --executor processes"),
        ("run {good} --recordings {study} --results {new} --executor dask", "--address and --executor dask go"),
        ("table {new}", "there is no folder of results"),
    ],
)
def test_a_wrong_call_is_refused_in_a_sentence_and_writes_nothing(inside, study, tmp_path, words, sentence):
    (tmp_path / "old.json").write_text("{}")
    good = tmp_path / "good.json"
    inside("batch", "plan", study, "--pipeline", "redecode", "--out", good)
    places = {"study": study, "new": tmp_path / "new", "old": tmp_path / "old.json", "good": good}
    said = inside("batch", *words.format(**places).split())
    assert said.code == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "new").exists()
