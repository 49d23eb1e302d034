"""Agreement with a published number is judged to its printed digits, and simulations hold."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from workbench.bench import published, statistics
from workbench.bench.published import Number
from workbench.commands import main
from workbench.errors import BadValue
from workbench.stress import statistics as stress
from workbench.stress._drawn_trials import METHODS

pytestmark = pytest.mark.job


def number(printed, ours):
    return Number("a", "b", 1, "c", printed, ours)


@pytest.mark.parametrize(
    ("printed", "ours", "agrees"),
    [
        ("0.05", 0.0549, True), ("0.05", 0.0551, False), ("-7.9375", -7.93754, True), ("30", 29.694, True),
        ("<.0001", 0.00002, True), ("<.0001", 0.0002, False), ("3.26e-06", 3.2638e-06, True),
        ("3.81972492174648", 3.819724, True), ("3.81972492174648", 3.81974, False), ("1.0", float("nan"), False),
    ],
)  # fmt: skip
def test_a_number_agrees_to_its_printed_digits(printed, ours, agrees):
    assert number(printed, ours).agrees is agrees


def test_a_miss_says_by_how_much_and_why():
    text = published.table([Number("SAS", "a.txt", 3, "SE", "1.50", 1.51, "it stops early")])
    assert text.endswith("| SAS | a.txt | 3 | SE | 1.50 | 1.51 | off by 0.01: it stops early |")
    assert published.summary([number("1", 1.0), number("1", 2.0)]) == "a 1 of 2"


def test_numbers_are_plain_data_whatever_type_they_were_worked_out_in():
    made = published.records([number("1.0", np.float64(1.0)), number("<.0001", np.float64(1.0))])
    assert [one["agrees"] for one in json.loads(json.dumps(made))] == [True, False]


def test_without_the_published_results_the_bench_says_what_to_name(tmp_path, capsys):
    assert published.folder(tmp_path) is None
    assert all(not one.run(1).judged for one in statistics.items_of(tmp_path)[:2])
    assert main(["bench", "statistics", "--rounds", "1", "--published", str(tmp_path)]) == 0
    assert "name their folder with --published FOLDER" in capsys.readouterr().out


def test_listings_are_compared_where_they_are():
    root = published.folder()
    if root is None:
        pytest.skip("no published results beside this folder")
    from workbench.bench.published import fitted

    found = list(fitted.numbers(root))
    assert sum(one.agrees for one in found) >= 13


@pytest.mark.job
def test_each_method_of_a_report_is_simulated():
    smallest = [replace(one, sizes=one.sizes[:1]) for one in METHODS]
    rows = stress.simulate(1, 3, methods=smallest)
    assert [row.trials for row in rows] == [1] * len(METHODS)
    assert sum(row.refused for row in rows) <= 2
    assert all(row.rates for row in rows if not row.refused)


@pytest.mark.release
def test_dealing_again_by_the_studys_own_design_keeps_its_level_under_a_trend_of_the_outcomes():
    own = [replace(one, sizes=(8,)) for one in METHODS if "dealt again by the study's blocks" in one.method]
    (row,) = stress.simulate(150, 3, methods=own)
    assert (row.tested, row.refused, row.held) == (150, 0, True)
    assert row.rejected > 0


@pytest.mark.job
def test_simulations_that_were_cut_short_go_on_and_end_with_the_same_figures(tmp_path):
    quick = [one for one in METHODS if one.method in ("t test (Welch)", "ANCOVA")]
    file, said = tmp_path / "kept.json", []
    stress.simulate(20, 3, methods=quick, file=file)
    rows = stress.simulate(60, 3, methods=quick, file=file, told=said.append)
    assert rows == stress.simulate(60, 3, methods=quick)
    assert rows != stress.simulate(60, 4, methods=quick)
    assert said[-1] == "60 of 60 trials of each; 0 min left"
    with pytest.raises(BadValue, match="is of --seed 3, got --seed 4; give that seed, or a new file"):
        stress.simulate(60, 4, methods=quick, file=file)
    file.write_text("{}")
    with pytest.raises(BadValue, match="holds no simulations"):
        stress.simulate(60, 3, methods=quick, file=file)


def test_a_rate_is_told_with_its_error_and_with_what_is_wrong_with_it():
    wide = stress.Row("m", 8, trials=4000, judged=4000, outside=320)
    assert not wide.held
    assert "92.0 % [91.1–92.8] **missed**" in stress.table([wide])
    cautious = stress.Row("m", 8, cautious=True, trials=4000, tested=4000, rejected=100)
    assert cautious.held
    assert "| m | 8 an arm | 2.5 % [2.1–3.0] | – | 0 | 4000 |" in stress.table([cautious])
    near = stress.Row("m", 20, trials=4000, tested=4000, rejected=164, judged=4000, outside=200)
    assert "4.1 % [3.5–4.8] (beyond ± 0.7 %) | 95.0 % [94.3–95.6] |" in stress.table([near])
