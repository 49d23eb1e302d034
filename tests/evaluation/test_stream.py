"""Continuous runs are decided as live: each by what the other runs trained, through the paradigm's own rule."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from workbench import evaluation
from workbench.commands import main
from workbench.errors import BadSignal, BadValue
from workbench.evaluation import ContinuousRun, ContinuousRuns, Dataset
from workbench.paradigms import from_params
from workbench.vocabulary import LocatedCue

pytestmark = pytest.mark.job

FS = 100.0
CUE_S = 4.0
SELF_PACED = from_params("grasp_rest", {"attempt_s": CUE_S, "rest_s": CUE_S, "onset_window_s": CUE_S})
CUED = from_params("left_right", {"start_s": 0.5, "stop_s": CUE_S})


def run(name, labels, *, seed, active, gain=1.0):
    """A run of cues of 4 s each; while one of ``active`` is cued, channel 0 has a rhythm of 10 Hz."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n = round(CUE_S * FS)
    samples = rng.normal(0.0, 5.0, (n * (len(labels) + 1), 3))
    t = np.arange(n) / FS
    cues = []
    for i, label in enumerate(labels):
        first = (i + 1) * n
        cues.append(LocatedCue(first, first / FS, label, CUE_S, i))
        samples[first : first + n, 0] += (label in active) * 20.0 * np.sin(2 * np.pi * 10.0 * t)
    return ContinuousRun(name, samples * gain, tuple(cues))


def self_paced(participant="P1", *, seed=0, n_runs=3, gains=(1.0,) * 3, looked_at=()):
    runs = tuple(
        run(f"r{i}", ["rest", "grasp"] * 5 + ["rest"], seed=10 * seed + i, active=("grasp",), gain=gains[i])
        for i in range(n_runs)
    )
    return ContinuousRuns(participant, runs, FS, ("a", "b", "c"), looked_at)


def dataset(rule=SELF_PACED, paradigm="self_paced_eeg"):
    return Dataset("made", "made up", "nobody", "none", paradigm, "run", lambda folder: [], rule=rule)


def test_every_run_is_judged_once_and_attempts_are_found():
    judged = evaluation.judge_stream(dataset(), self_paced())
    assert judged.runs == ("r0", "r1", "r2")
    assert judged.decoder == "bandpower_lda"  # of fewer than eight channels
    assert (judged.correct, len(judged.judged)) == (15, 15)
    assert judged.events.false_in_rest == 0
    assert judged.value == 1.0
    assert judged.window_accuracy > 0.95
    assert "15 of 15 attempts hit" in judged.line()
    assert "per min" in judged.line()


def test_runs_on_which_defaults_were_chosen_train_and_are_not_judged():
    judged = evaluation.judge_stream(dataset(), self_paced(looked_at=("r0", "r1")))
    assert judged.runs == ("r2",)
    with pytest.raises(BadSignal, match="3 runs, 0 of them to judge"):
        evaluation.judge_stream(dataset(), self_paced(looked_at=("r0", "r1", "r2")))
    with pytest.raises(BadSignal, match="1 runs, 1 of them to judge"):
        evaluation.judge_stream(dataset(), self_paced(n_runs=1))


def test_a_cued_rule_gives_the_share_of_right_cues_with_its_chance_limit():
    labels = ["left", "right"] * 6
    runs = tuple(run(f"r{i}", labels, seed=i, active=("left",)) for i in range(2))
    cued = ContinuousRuns("P1", runs, FS, ("a", "b", "c"))
    params = {"n_pairs": 1}
    judged = evaluation.judge_stream(dataset(CUED, "motor_imagery"), cued, decoder="csp_lda", params=params)
    assert judged.events is None
    assert (judged.correct, len(judged.judged), judged.limit) == (24, 24, 17)
    assert "24/24 = 1.000" in judged.line()
    assert "over 2 runs; 95 % chance limit 17/24" in judged.line()


def test_a_decoder_that_adapts_does_so_in_the_stream():
    weaker = self_paced(gains=(1.0, 1.0, 0.4), looked_at=("r0", "r1"))
    params = {"window_s": 1.0, "evidence": {"novelty": None}}
    fixed = evaluation.judge_stream(dataset(), weaker, decoder="tangent_space_lda", params=params)
    adapting = evaluation.judge_stream(
        dataset(),
        weaker,
        decoder="tangent_space_lda",
        params=params | {"adapt": {"rule": "recentre", "balanced": False}},
    )
    assert adapting.correct > fixed.correct


def test_people_are_the_unit_that_varies_and_the_worst_of_them_is_named():
    rows = [evaluation.judge_stream(dataset(), self_paced(f"P{seed}", seed=seed)) for seed in range(3)]
    text = evaluation.streams_as_text(rows)
    assert "clustered by 3 participants" in text
    assert "the worst: made P" in text


def test_the_table_holds_value_interval_and_rest_of_every_row():
    rows = [evaluation.judge_stream(dataset(), self_paced())]
    (row,) = csv.DictReader(io.StringIO(evaluation.streams_as_csv(rows)))
    assert (row["metric"], row["correct"], row["n"], row["false_per_min"]) == ("event_f1", "15", "15", "0.000000")
    assert float(row["low"]) < float(row["value"]) <= float(row["high"])
    assert float(row["rest_min"]) == pytest.approx(3 * 7 * CUE_S / 60, abs=0.1)


def test_what_the_rule_does_not_have_is_refused():
    with pytest.raises(BadValue, match="grasp_rest has no parameter 'patience'; it has condition"):
        evaluation.judge_stream(dataset(), self_paced(), rule={"patience": 3})
    with pytest.raises(BadValue, match="made has no continuous runs to decode"):
        evaluation.judge_stream(dataset(rule=None), self_paced())


def test_the_command_decodes_real_runs_and_leaves_out_those_that_were_looked_at(shared_data, tmp_path, capsys):
    asked = ["evaluate", "eegmmidb_rest_movement_executed", str(shared_data / "eegmmidb"), "--stream"]
    fast = ["--decoder", "bandpower_lda", "--set", "hop_s=0.2", "--rule", "onset_window_s=2"]
    assert main([*asked, *fast, "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "first onset within 2 s" in out
    (row,) = csv.DictReader(io.StringIO((tmp_path / "evaluation_stream.csv").read_text(encoding="utf-8")))
    assert (row["runs"], row["n"]) == ('["S001R07", "S001R09"]', "30")
    assert (tmp_path / "evaluation_stream.svg").stat().st_size > 0
    assert main([*asked, "--split", "blocks"]) == 2
    assert "leave --split out" in capsys.readouterr().err
    assert main(["evaluate", "graz_gdf", str(shared_data / "graz_gdf"), "--stream"]) == 2
    assert "graz_gdf has no continuous runs" in capsys.readouterr().err
