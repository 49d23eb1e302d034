"""Agreement with a published number is judged to its printed digits, and simulations hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.bench import published, statistics
from workbench.bench.published import Number
from workbench.commands import main
from workbench.stress import statistics as stress


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


def test_a_few_simulated_trials_keep_their_level():
    rows = stress.simulate(6, 3)
    assert len(rows) == stress.count()
    assert all(row.held and row.refused <= 1 for row in rows)
    wide = stress.Row("m", 8, 4000, 0, 320, exact=False)
    assert not wide.held
    assert stress.Row("m", 8, 4000, 0, 100, exact=True).held
    assert "4.1 % (beyond ± 0.7 %)" in stress.table([stress.Row("m", 20, 4000, 0, 164, exact=False)])
    assert "8.0 % **missed**" in stress.table([wide])
