"""Power by simulation of the study's own protocol and plan."""

from __future__ import annotations

from math import sqrt

import pytest
from scipy import stats

from tests.estimation.conftest import HEAD, WEEKS, analysis
from workbench import estimation
from workbench.commands import main
from workbench.errors import BadValue, UnknownName
from workbench.estimation.known_trial import definition
from workbench.estimation.power import Assumed, powered
from workbench.study.protocol import Protocol

T_TEST = HEAD + analysis("a", "t_test", "settings = { pooled = true }")
LOOKS = """
[looks]
analysis = "a"
spending = "pocock"
snapshots = ["early", "final"]
information = { planned = [1, 2] }
"""


def of(text, protocol, assumed, n, trials, **more):
    plan = estimation.parse(text, "plan.toml", protocol)
    (found,) = powered(plan, protocol, "a", assumed, sizes=[n], trials=trials, **more)
    return found


def test_the_power_of_a_t_test_is_that_of_the_noncentral_distribution(protocol):
    n, trials = 30, 200
    found = of(T_TEST, protocol, Assumed(effect=2.0, sd=2.0), n, trials)
    away = sqrt(n / 4)
    theirs = stats.nct.sf(stats.t.ppf(0.975, n - 2), n - 2, away)
    assert abs(found.power - theirs) < 3.5 * sqrt(theirs * (1 - theirs) / trials)
    assert found.low <= found.power <= found.high
    assert abs(found.estimate - 2.0) < 4 * 2.0 * 2 / sqrt(n * trials)
    assert (found.refused, found.entered) == (0, n)


def test_the_same_seed_gives_the_same_trials_and_who_leaves_costs_power(protocol):
    text = HEAD + analysis("a", "mmrm", 'covariates = ["baseline", "stratum.site"]', visits=WEEKS)
    own = Assumed(effect=1.0, correlation=0.5, baseline=0.5)
    assert of(text, protocol, own, 24, 4) == of(text, protocol, own, 24, 4)
    assert of(text, protocol, own, 24, 4) != of(text, protocol, own, 24, 4, seed=2)
    left = of(T_TEST, protocol, Assumed(effect=1.0, leave=0.6), 40, 60)
    assert left.power < of(T_TEST, protocol, Assumed(effect=1.0), 40, 60).power


def test_a_trial_with_looks_stops_at_half_its_size_when_the_effect_is_large(protocol):
    found = of(T_TEST + LOOKS, protocol, Assumed(effect=4.0), 24, 20)
    assert (found.power, found.entered) == (1.0, 12)
    none = of(T_TEST + LOOKS, protocol, Assumed(effect=0.0), 24, 50)
    assert none.entered > 20
    assert none.power < 0.05 + 3.5 * sqrt(0.05 * 0.95 / 50)


def test_responders_conditions_and_minimisation_are_simulated_too():
    made = definition()
    made["randomisation"] = {"kind": "minimisation", "strata": {"site": ["north", "south"]}}
    protocol = Protocol.from_definition(made)
    responders = HEAD + analysis("a", "responders", 'covariates = ["stratum.site"]', estimand="responders")
    assert of(responders, protocol, Assumed(effect=0.7, share=0.1), 40, 10).power > 0.5
    orders = 'conditions = { sham = ["on", "off"], stimulation = ["off", "on"] }\ncontrol = "off"'
    crossed = HEAD + analysis("a", "crossover", orders, visits='["Week 4", "Week 8"]')
    found = of(crossed, protocol, Assumed(effect=2.0, correlation=0.8), 16, 8)
    assert found.power == 1.0
    assert found.estimate == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(
    ("text", "assumed", "n", "sentence"),
    [
        (T_TEST, {"sd": 0.0}, 20, "sd above 0"),
        (T_TEST, {"correlation": 0.2, "baseline": 0.9}, 20, "baseline not beyond its root"),
        (T_TEST, {}, 3, "from 4 to 5000, got"),
        (HEAD + analysis("a", "rerandomisation"), {}, 20, "trials of rerandomisation are not simulated here"),
        (HEAD + analysis("a", "cmh"), {"share": 0.6}, 20, "between 0 and 1, got 0.6 \\+ 1"),
        (HEAD + analysis("b", "t_test"), {}, 20, "the plan has no analysis 'a'; it has b"),
    ],
)
def test_what_cannot_be_simulated_is_refused(text, assumed, n, sentence, protocol):
    with pytest.raises((BadValue, UnknownName), match=sentence):
        of(text, protocol, Assumed(**{"effect": 1.0, **assumed}), n, 1)


def test_the_command_prints_each_size_and_the_smallest_that_is_large_enough(folder, capsys):
    words = ["power", str(folder), "--effect", "6", "--sd", "4", "--trials", "5", "--n", "12", "40"]
    assert main([*words, "--analysis", "primary"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("12 participants: power ")
    assert said[-1] == "the smallest of these sizes with a power of 80 %: 40"
    assert main(["power", str(folder), "--effect", "0", "--n", "12", "--trials", "4"]) == 1
    assert "none of these sizes has a power of 80 %" in capsys.readouterr().out
