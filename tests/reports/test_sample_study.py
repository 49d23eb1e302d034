"""The sample study: small, labelled as simulated, verifiable, and its decisions come back bit for bit."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from workbench import decoders, paradigms, runs
from workbench.decode import decode
from workbench.recording import RunFile, decision_hash, file_sha256
from workbench.reports import session_report
from workbench.study import Study
from workbench.vocabulary import Decision

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


def script():
    spec = importlib.util.spec_from_file_location("sample_script", SAMPLES / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The study as the script makes it now."""
    folder = tmp_path_factory.mktemp("sample") / "study"
    script().make(folder)
    return folder


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A copy of the study as it is shipped."""
    if not (SAMPLES / "study" / "study.db").exists():
        pytest.skip("data_samples/study was not made yet; run python data_samples/make.py")
    return Path(shutil.copytree(SAMPLES / "study", tmp_path_factory.mktemp("shipped") / "study"))


@pytest.fixture(params=["made", "shipped"])
def folder(request):
    return request.getfixturevalue(request.param)


def test_samples_are_small(folder):
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 3_300_000


def test_the_sample_record_verifies_with_its_files(folder):
    with Study.open(folder, actor="tests") as study:
        found = study.verify()
        assert found.ok, found.problems
        assert all(row["simulated"] for table in ("participant", "session") for row in study.rows(table))
        for row in study.rows("recording"):
            assert file_sha256(folder / row["path"]) == row["sha256"]


def test_the_sample_decisions_come_back_bit_for_bit(folder):
    with Study.open(folder, actor="tests") as study:
        run = study.rows("run", kind="online")[0]
        path = folder / study.rows("recording", run_id=run["id"])[0]["path"]
        stored = folder / study.rows("decoder", sha256=run["decoder_sha256"])[0]["path"]
    file = RunFile(path)
    paradigm = paradigms.from_params(file.plan["paradigm"], file.plan["params"])
    again = decode(file.items(block=37), paradigm, decoders.read(stored), fs=file.signal.fs)
    decisions = [item for item in again if isinstance(item, Decision)]
    assert len(decisions) > 500
    assert decisions == file.decisions()
    assert decision_hash(decisions) == run["summary"]["decision_hash"]


def test_a_replay_calls_every_run_by_its_number_in_the_record(folder):
    with Study.open(folder, actor="tests") as study:
        rows = {row["id"]: row for row in study.rows("run")}
    for found in runs.replay_study(folder):
        row = rows[found.run]
        assert found.equal
        assert found.sentence.startswith(f"run {row['number']} ({row['kind']}, {row['id']}): ")


class Unnumbered(RunFile):
    """A recording that was not made in a session: its plan holds no number."""

    def __init__(self, path):
        super().__init__(path)
        del self.plan["number"]


@pytest.mark.parametrize("in_record", [False, True])
def test_a_recording_without_a_number_is_called_by_its_id_or_as_the_record_calls_it(
    shipped, monkeypatch, in_record
):
    path = shipped / "recordings" / "sample-calibration.xdf"
    monkeypatch.setattr("workbench.runs.replaying.RunFile", Unnumbered)
    called = "run 1 (calibration, sample-calibration)" if in_record else "run sample-calibration (calibration)"
    found = runs.replay_study(shipped, run_id="sample-calibration")[0] if in_record else runs.replay_run(path)
    assert found.equal
    assert found.sentence.startswith(f"{called}: ")


@pytest.mark.job
def test_the_script_makes_the_same_samples_each_time(made, tmp_path):
    script().make(tmp_path / "again")
    for name in ("sample-calibration", "sample-online"):
        first, second = (RunFile(at / "recordings" / f"{name}.xdf") for at in (made, tmp_path / "again"))
        assert (first.signal.values == second.signal.values).all()
        assert (first.signal.stamps == second.signal.stamps).all()
        assert first.decisions() == second.decisions()


def test_the_sample_report_says_that_it_is_simulated(made):
    with Study.open(made, actor="tests") as study:
        page = session_report(study).html.read_text(encoding="utf-8")
    assert "Simulated data." in page
