"""The bench measures in turns, keeps a goal beside each figure, and names what is missing."""

from __future__ import annotations

import json
import time

import pytest

from workbench import bench
from workbench.bench._items import Item, race, rate
from workbench.commands import main
from workbench.errors import UnknownName


def item(run, *, sense=">=", goal=2.0):
    return Item("T1", "work", "small", "×", sense, goal, run)


def test_two_competitors_take_turns_and_the_order_alternates():
    calls = []

    def work(name):
        def run():
            calls.append(name)
            time.sleep(0.03)

        return run

    found = race(work("ours"), work("peer"), rounds=4, name="peer")
    assert calls == ["ours"] * 2 + ["peer"] * 2 + ["ours", "peer", "peer", "ours"] * 2
    assert 0 < found.low <= found.value <= found.high
    assert "4 rounds" in found.detail


def test_a_rate_counts_what_one_call_does():
    def work():
        sum(range(100_000))

    one, ten = (rate(work, n=n, rounds=3, of="sums").value for n in (1, 1000))
    assert ten > 50 * one > 0


@pytest.mark.parametrize(
    ("sense", "goal", "met"),
    [(">=", 2.0, True), (">=", 4.0, False), ("<=", 4.0, True), ("<=", 2.0, False), ("<=", None, None)],
)
def test_a_figure_is_printed_beside_its_goal(sense, goal, met):
    row = bench.measure(
        item(lambda rounds: bench.Result(3.0, 2.5, 3.5, f"{rounds} rounds"), sense=sense, goal=goal), rounds=7
    )
    assert row.met is met
    text = bench.as_text([row])
    assert "3 × (2.5–3.5)" in text
    assert ("MISSED by" in text) is (met is False)
    figure = bench.to_record([row])["figures"][0]
    assert (figure["value"], figure["goal"], figure["met"]) == (3.0, goal, met)


def test_a_peer_that_is_not_installed_is_named_and_the_rest_is_measured():
    def run(rounds):
        raise ImportError("no", name="peerlib")

    row = bench.measure(item(run))
    assert row.met is None
    assert "not measured, peerlib is not installed: pip install 'sci-bci-workbench[bench]'" in bench.as_text([row])
    assert bench.to_record([row])["figures"][0]["value"] is None


def test_keys_are_chosen_by_name():
    every = bench.items()
    assert bench.chosen([]) == every
    assert {one.key for one in bench.chosen(["isncsci"])} == {"isncsci"}
    with pytest.raises(UnknownName, match="nothing to measure called 'G99'"):
        bench.chosen(["G99"])


def test_the_command_prints_a_figure_with_its_goal_and_the_machine(capsys):
    assert main(["bench", "isncsci", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["result"]
    assert [figure["goal"] for figure in found["figures"]] == [5000.0, 200.0]
    assert all(figure["value"] > 0 for figure in found["figures"])
    assert found["machine"]["workbench"]
    assert main(["bench", "--rounds", "0"]) == 2
    assert "--rounds must be from 1 to 10,000, got 0" in capsys.readouterr().err
