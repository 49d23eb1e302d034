"""`workbench analyse`: a draft, results in a folder, and the exit code where an analysis was refused."""

from __future__ import annotations

import io
import json

import pytest

from tests.estimation.conftest import HEAD, PLAN, analysis
from tests.study import databases
from workbench.commands import main
from workbench.study import Study
from workbench.study.changes import GrantRole

SECRET = "correct horse"


@pytest.fixture
def call(capsys):
    def called(*arguments):
        code = main(["analyse", *(str(one) for one in arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.mark.job
def test_a_plan_with_a_refused_analysis_writes_the_others_and_ends_with_1(folder, tmp_path, call, analysed):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    code, out, err = call(folder, "--plan", plan, "--output", tmp_path / "results")
    assert code == 1
    assert "SIMULATED" in out.splitlines()[0]
    assert "unknown (secondary, estimand primary, ancova, itt): refused: no row of the visits" in out
    assert err.splitlines() == [f"[{n}/9] {one.name}" for n, one in enumerate(analysed.results.analyses, start=1)]
    for name, content in analysed.files.items():
        assert (tmp_path / "results" / name).read_bytes() == content
    # The folder tells the arms.
    assert (tmp_path / "results" / "visits.csv").stat().st_mode & 0o077 == 0


@pytest.mark.job
def test_a_drafted_plan_is_a_file_to_check_and_runs(folder, tmp_path, call):
    plan = tmp_path / "plan.toml"
    assert call(folder, "--draft", plan)[0] == 0
    code, _, err = call(folder, "--draft", plan)
    assert (code, "is there already" in err) == (2, True)
    code, out, _ = call(folder, "--plan", plan, "--output", tmp_path / "results", "--json")
    answer = json.loads(out)
    assert (code, answer["ok"]) == (1, False)  # Nobody has stated a threshold yet.
    assert [one["status"] for one in answer["result"]["analyses"]] == ["estimated", "refused"]


def test_everything_estimated_ends_with_0_and_results_are_replaced_but_nothing_else(folder, tmp_path, call):
    plan = tmp_path / "plan.toml"
    plan.write_text(HEAD + analysis("a", "t_test"))
    for _ in range(2):
        assert call(folder, "--plan", plan, "--output", tmp_path / "results")[0] == 0
    code, _, err = call(folder, "--plan", plan, "--output", tmp_path)
    assert (code, "holds something else than results" in err) == (2, True)


def test_the_arms_of_real_participants_are_told_to_who_signs_in_and_may_learn_them(
    folder, tmp_path, call, monkeypatch
):
    databases.copied(folder, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        sato = study.add_person("sato", "Sato K.", SECRET, ("monitor",))
        grant = GrantRole(sato, "statistician", "GCP 2026", blinded=False)
        study.apply(grant, study.script_signer("manager"), "joins")
        person = study.rows("participant")[0]["id"]
        study.amend("participant", person, {"simulated": False}, reason="for the test")
    plan = tmp_path / "plan.toml"
    plan.write_text(HEAD + analysis("a", "t_test"))
    arguments = (tmp_path / "study", "--plan", plan, "--output", tmp_path / "results")
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert "the arms are concealed from who asks; sign in with --as LOGIN" in err
    assert not (tmp_path / "results").exists()
    # A statistician who is not blinded signs in, and learns each arm by a row of the chain.
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{SECRET}\n".encode()), "utf-8"))
    assert call(*arguments, "--as", "sato", "--reason", "final analysis")[0] == 0
    with Study.open(tmp_path / "study", actor="tester") as study:
        read = [entry for entry in study.entries() if (entry.action, entry.actor) == ("arm_read", "Sato K.")]
    assert len(read) == 12
