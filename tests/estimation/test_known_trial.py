"""A whole simulated trial, from its protocol to locked results: jobs, since each takes seconds."""

from __future__ import annotations

import json

import pytest

from workbench.commands import main
from workbench.stress import known_trials
from workbench.study import verify


@pytest.mark.job
def test_the_trial_of_the_demo_is_refused_before_its_lock_and_right_after_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    assert main(["demo", "--trial", "--study", str(tmp_path / "study")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("before the lock: refused: the study has no snapshot")
    assert "SIMULATED trial, lock-1" in lines[1]
    compared = [line for line in lines if "; simulated " in line]
    assert len(compared) == 6
    assert compared[0].endswith("simulated 6, inside")
    results = json.loads((tmp_path / "study-results" / "results.json").read_text(encoding="utf-8"))
    assert results["snapshot"]["level"] == "hard"
    assert [one["status"] for one in results["analyses"]] == ["estimated"] * 7
    assert verify(tmp_path / "study").ok


@pytest.mark.release
def test_the_intervals_of_simulated_trials_hold_the_effect():
    rows = known_trials.simulated(2, 1, people=16)
    assert {row.name for row in rows} >= {"primary", "responders", "complete-cases"}
    assert all(len(row.values) + row.refused == 2 for row in rows)
    assert "simulated 6.000" in known_trials.text(rows)
