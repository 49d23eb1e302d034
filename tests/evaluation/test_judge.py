"""Judging fits on one side of a split and counts on the other, with the numbers a reader can check."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from workbench import analysis, evaluation
from workbench.commands import main
from workbench.errors import BadSignal, BadValue, UnknownName
from workbench.evaluation import Dataset, Epochs

FS = 100.0


def made(participant="P1", *, seed=0, n=24, runs=2, judged=()):
    """Two classes that differ in the power of one of three channels."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x = rng.normal(0.0, 5.0, (n, 3, 300))
    y = np.array(["left", "right"] * (n // 2))
    t = np.arange(300) / FS
    x[y == "left", 0] += 20.0 * np.sin(2 * np.pi * 10.0 * t)
    run = tuple(f"r{i * runs // n}" for i in range(n))
    return Epochs(participant, x, y, run, FS, ("a", "b", "c"), 1.0, judged)


def dataset(**changes):
    usual = {"paradigm": "motor_imagery", "split": "run", "read": lambda folder: [made()]}
    return Dataset("made", "made up", "nobody", "none", **(usual | changes))


@pytest.mark.parametrize("split", ["", "run", "blocks"])
def test_every_epoch_is_judged_once_by_what_did_not_train_on_it(split):
    found = evaluation.judge(dataset(), made(), split=split)
    assert (found.correct, found.n, found.decoder) == (24, 24, "bandpower_lda")
    assert found.truth == tuple(made().y.tolist())
    assert found.limit == 17
    assert "24/24 = 1.000 (95 % CI 0.862–1.000, Wilson; 95 % chance limit 17/24)" in found.line()


def test_an_interval_over_runs_is_wider_where_runs_differ_and_there_is_none_of_a_single_run():
    truth = ("left",) * 40
    decided = ("left",) * 19 + ("right",) * 1 + ("left",) * 8 + ("right",) * 12
    usual = ("made", "P1", "csp_lda", {}, "run", truth, decided, 27, 40, analysis.wilson(27, 40), None, None)
    found = evaluation.Judged(*usual, run_of=("r0",) * 20 + ("r1",) * 20)
    assert found.over_runs.low < found.interval.low
    assert found.over_runs.high > found.interval.high
    assert f"over 2 runs {found.over_runs.low:.3f}" in found.line()
    assert evaluation.Judged(*usual, run_of=("r0",) * 40).over_runs is None
    (record,) = evaluation.to_records([found])
    assert (record["low_runs"], record["high_runs"]) == tuple(found.over_runs)


def test_a_fixed_split_judges_the_runs_the_data_set_names():
    epochs = made(judged=("r1",))
    found = evaluation.judge(dataset(split="fixed"), epochs)
    assert found.n == 12
    with pytest.raises(BadValue, match="one of run, blocks for P1"):
        evaluation.judge(dataset(split="fixed"), made())


def test_labels_that_mean_nothing_are_judged_at_chance():
    epochs = made()
    rng = np.random.Generator(np.random.PCG64(5))
    noise = Epochs("P1", rng.normal(0.0, 5.0, epochs.X.shape), epochs.y, epochs.run, FS, epochs.channels, 1.0)
    found = evaluation.judge(dataset(), noise, decoder="csp_lda", params={"reference": "none", "n_pairs": 1})
    assert found.correct < found.limit


def test_a_rare_target_is_judged_by_its_area():
    found = evaluation.judge(dataset(metric="auc", target="right"), made())
    assert found.area.value == 1.0
    assert "AUC 1.000" in found.line()
    assert evaluation.as_csv([found]).splitlines()[1].endswith(",17,auc")


def test_the_table_and_the_figure_hold_every_row(tmp_path):
    rows = [evaluation.judge(dataset(), made(f"P{i}", seed=i)) for i in range(3)]
    table = list(csv.DictReader(io.StringIO(evaluation.as_csv(rows))))
    assert [row["participant"] for row in table] == ["P0", "P1", "P2"]
    assert {row["n"] for row in table} == {"24"}
    text = evaluation.as_text(rows)
    assert "all participants" in text
    assert "72 trials in 3 clusters" in text
    evaluation.figure(rows, tmp_path / "made_up.svg")
    assert (tmp_path / "made_up.svg").read_text(encoding="utf-8").count("P1") >= 1


def test_a_parameter_the_decoder_does_not_have_is_refused():
    with pytest.raises(BadValue, match="bandpower_lda has no parameter 'wavelets'; it has .*window_s"):
        evaluation.judge(dataset(), made(), params={"wavelets": 3})


def test_a_word_where_a_number_belongs_is_refused_in_words():
    with pytest.raises(BadValue, match="bandpower_lda cannot take .*window_s.*numbers where it wants numbers"):
        evaluation.judge(dataset(), made(), params={"window_s": "abc"})


def test_every_paradigm_of_a_data_set_has_a_default_with_its_reason():
    for name in evaluation.available():
        chosen = evaluation.load(name)
        assert chosen.name == name
        assert evaluation.DEFAULTS[chosen.paradigm].reason
        assert chosen.terms
        assert chosen.source
    with pytest.raises(UnknownName, match="motor_imagery"):
        evaluation.default_of("telepathy", n_channels=3)


def test_a_folder_without_recordings_is_one_sentence(tmp_path, capsys):
    for name in evaluation.available():
        with pytest.raises(BadSignal, match="contains no"):
            list(evaluation.load(name).read(tmp_path))
    assert main(["evaluate", "graz_gdf", str(tmp_path)]) == 2
    assert "give the folder of the recordings" in capsys.readouterr().err
    assert main(["evaluate", "graz_gdf", str(tmp_path / "absent")]) == 2
    assert main(["evaluate", "nothing", str(tmp_path)]) == 2
    assert "graz_gdf" in capsys.readouterr().err


def test_the_list_names_source_and_terms(capsys):
    assert main(["evaluate", "list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in evaluation.available())
    assert "Terms:" in out
