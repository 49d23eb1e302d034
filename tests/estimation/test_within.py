"""Conditions compared within people or clusters, and looks at a running trial, from a plan to the result."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.estimation.conftest import HEAD, WEEKS, analysis, keys_of
from tests.estimation.test_refusals import NO_RECORD, chosen, refusal
from workbench import estimation
from workbench.errors import BadValue, Refused
from workbench.estimation._fitting import fit
from workbench.estimation.known_trial import definition
from workbench.estimation.looks import Looks
from workbench.estimation.results import EstimateRow
from workbench.estimation.running import confirmed
from workbench.statistics.sequential import boundaries
from workbench.study import Study
from workbench.study.protocol import Protocol

POLICY = 'intercurrent_events = { "left the study" = "treatment policy" }'
TWO = '["Week 4", "Week 8"]'
ORDERS = 'conditions = { sham = ["on", "off"], stimulation = ["off", "on"] }\ncontrol = "off"'
WAVES = 'conditions = { sham = ["off", "on", "on"], stimulation = ["off", "off", "on"] }\ncontrol = "off"'
ALL = '["Baseline", "Week 4", "Week 8", "Week 12"]'
BOTH = 'state = "stimulation"\nagainst = "off"'


@pytest.fixture
def complete(data):
    """The datasets of those who have every visit, and their values by participant, in the order of weeks."""
    rows = [row for row in data.visits if row.variable == "arat.total" and row.trained]
    values = {one.participant_id: [r.value for r in rows if r.participant_id == one.participant_id]
              for one in data.subjects}  # fmt: skip
    kept = tuple(one for one in data.subjects if None not in values[one.participant_id])
    return replace(data, subjects=kept), {one.participant_id: values[one.participant_id] for one in kept}


def fitted(text, protocol, data):
    return fit(chosen(text, protocol, data), NO_RECORD)


def stated(data, state_of):
    """The datasets with each ARAT total in the states, and with the values, that ``state_of`` gives it."""
    rows = [
        replace(row, state=state, value=value, key=f"{row.key}/{state}")
        for row in data.visits
        if row.variable == "arat.total" and row.trained
        for state, value in state_of(row).items()
    ]
    return replace(data, visits=tuple(rows))


def test_a_crossover_of_a_plan_is_the_t_test_of_half_differences_between_the_orders(protocol, complete):
    data, values = complete
    found = fitted(analysis("a", "crossover", ORDERS, POLICY, visits=TWO), protocol, data)
    half = {"sham": [], "stimulation": []}
    for one in data.subjects:
        _, first, second, _ = values[one.participant_id]
        half[one.arm].append((first - second) / 2)
    theirs = stats.ttest_ind(half["sham"], half["stimulation"])
    (row,) = found.estimates
    assert (row.arm, row.reference, row.visit, row.n) == ("on", "off", "", len(values))
    assert (row.statistic, row.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-6)
    assert "it is told and decides nothing" in str(found.notes[0])
    assert len({(one.arm, one.visit) for one in found.means}) == 4


def test_a_stepped_wedge_of_a_plan_has_its_sites_as_clusters(protocol, complete):
    data, values = complete
    waves = {"north": "sham", "east": "stimulation", "south": "stimulation"}
    site = {one.participant_id: one.site for one in data.subjects}
    apart = {"north": -6.0, "east": 0.0, "south": 6.0}
    moved = stated(data, lambda row: {"off": row.value and row.value + apart.get(site.get(row.participant_id), 0)})
    own = replace(moved, subjects=tuple(replace(one, arm=waves[one.site]) for one in data.subjects))
    text = analysis("a", "stepped_wedge", WAVES, POLICY, 'settings = { shared = "cluster" }', visits=WEEKS)
    found = fitted(text, protocol, own)
    assert str(found.notes[0]).startswith("3 clusters; variances: cluster ")
    assert (found.estimates[0].arm, found.estimates[0].n) == ("on", len(values))
    # Before week 8 nobody is on, so that only the control has a mean there.
    assert [one.arm for one in found.means if one.visit == "Week 4"] == ["off"]


def test_pairs_within_visits_are_the_t_test_of_each_participants_mean(protocol, complete):
    data, values = complete
    draw = np.random.default_rng(2)
    gains = {one: draw.integers(0, 9, size=4) for one in values}

    def states(row):
        gain = gains.get(row.participant_id, np.zeros(4))[row.visit_number % 4]
        return {"off": row.value, "stimulation": row.value and row.value + float(gain)}

    own = stated(data, states)
    made = chosen(analysis("a", "paired", BOTH, POLICY, visits=WEEKS), protocol, own)
    found = fit(made, NO_RECORD)
    places = {row.visit_number % 4 for row in own.visits if row.visit in WEEKS}
    means = [np.mean([gain[place] for place in places]) for gain in gains.values()]
    (row,) = found.estimates
    assert (row.value, row.df) == pytest.approx((np.mean(means), len(values) - 1))
    assert row.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue, rel=1e-6)
    had = {"participants": len(values), "with_outcome": len(values)}
    assert made.counts() == {"off": had, "stimulation": had}
    # Both values of a pair are told as rows that entered.
    assert len(made.keys()) == 2 * 3 * len(values)


def alternating(row):
    return {("off", "stimulation")[row.visit_number % 2]: row.value}


def test_sessions_of_one_are_dealt_again_as_the_plan_says_they_were_drawn(protocol, complete):
    data, values = complete
    own = stated(data, alternating)
    text = analysis("a", "single_case", BOTH, POLICY, visits=ALL)
    found = fitted(text, protocol, own)
    differences = [np.mean(one[1::2]) - np.mean(one[::2]) for one in values.values()]
    assert abs(found.estimates[0].value) == pytest.approx(abs(np.mean(differences)))
    assert f"of {4 ** len(values)} permitted assignments" in str(found.notes[0])
    # Of several participants each has an effect of his own, with too few assignments for an interval.
    assert sum(bool(re.search(r"\(– to –\), p = ", str(note))) for note in found.notes) == len(values)
    alone = replace(own, subjects=own.subjects[:1])
    found = fitted(text, protocol, alone)
    assert (found.estimates[0].low, found.estimates[0].high) == (None, None)
    assert found.estimates[0].p >= 0.5


def test_what_cannot_be_compared_within_people_is_refused(protocol, complete):
    data, _ = complete
    sessions = analysis("a", "single_case", BOTH, POLICY, visits=ALL)
    phases = analysis("a", "single_case", BOTH, POLICY, 'settings = { design = "phases" }', visits=ALL)
    twice = stated(data, lambda row: {"off": row.value, "stimulation": row.value})
    own = stated(data, alternating)
    assert "has both states at Baseline; conditions that alternate" in refusal(sessions, protocol, twice)
    assert "none that the design phases permits" in refusal(phases, protocol, own)
    gone = replace(own, visits=tuple(replace(r, value=None) if r.visit == "Week 8" else r for r in own.visits))
    assert "has no outcome at Week 8, so that its condition is not known" in refusal(phases, protocol, gone)
    # A block that is not whole is left out, and then too few sessions are left.
    assert "sessions has 2 values, and at least 4" in refusal(sessions, protocol, gone)
    pairs = analysis("a", "paired", BOTH, POLICY, visits=WEEKS)
    assert "no visit has both stimulation and off" in refusal(pairs, protocol, own)
    untold = replace(data, subjects=tuple(replace(s, arm="") for s in data.subjects))
    assert "the arms are concealed" in refusal(analysis("a", "crossover", ORDERS, visits=TWO), protocol, untold)
    # States are compared within people, so that nobody has to know the arms.
    blind = replace(twice, subjects=untold.subjects)
    assert "difference does not vary" in refusal(pairs, protocol, blind)


LOOKS = '[looks]\nanalysis = "a"\nspending = "obrien-fleming"\nsnapshots = {}\ninformation = {}\n'
GOOD = LOOKS.format('["early", "final"]', "{ planned = [5, 12], observed = [6] }")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (analysis("a", "crossover", visits=TWO), "control is missing"),
        (analysis("a", "crossover", ORDERS, visits=WEEKS), "condition at each of the 3 visits"),
        (analysis("a", "crossover", ORDERS.replace('"off", "on"', '"off", "up"'), visits=TWO), "two conditions"),
        (analysis("a", "crossover", ORDERS.replace('control = "off"', 'control = "x"'), visits=TWO), "is one"),
        (analysis("a", "crossover", 'conditions = { sham = 1 }\ncontrol = "x"', visits=TWO), "a table of arms"),
        (analysis("a", "ancova", ORDERS), "ancova does not compare conditions of visits"),
        (analysis("a", "ancova", 'against = "off"'), "ancova does not compare two states"),
        (analysis("a", "paired", visits=TWO), "against is missing"),
        (analysis("a", "paired", 'against = "off"', visits=TWO), "state and against are both 'off'"),
        (analysis("a", "single_case", BOTH, "settings = { block = 1 }", visits=ALL), "block must be"),
        (analysis("a", "rank_sum") + GOOD, "rank_sum cannot stop a trial"),
        (analysis("a", "t_test") + GOOD.replace("[5, 12]", "[12, 5]"), "the 2 looks need information"),
        (analysis("a", "t_test") + GOOD.replace("[6]", "[6, 12]"), "the 2 looks need information"),
        (analysis("a", "t_test") + GOOD.replace('"a"', '"b"'), "analysis must be one of a; got 'b'"),
        (analysis("a", "t_test") + GOOD.replace("obrien-fleming", "x"), "one of obrien-fleming, pocock"),
    ],
)  # fmt: skip
def test_what_a_plan_of_conditions_or_looks_cannot_mean_is_refused_in_words(text, sentence, protocol):
    with pytest.raises(BadValue, match=sentence):
        estimation.parse(HEAD + text, "plan.toml", protocol)


def row(value, se, *, n, scale="difference_of_means"):
    p = 2 * stats.norm.sf(abs((np.log(value) if "ratio" in scale else value) / se))
    return EstimateRow("b", "a", "Week 12", scale, value, se, None, None, p, None, None, 0.95, n)


def test_a_look_is_judged_at_the_information_that_it_really_has():
    looks = Looks("a", "pocock", 0.05, ("early", "middle", "final"), (10, 20, 30), (12,))
    found = looks.look_at(row(1.0, 1.0, n=19), "middle")
    assert (found.number, found.of, found.crossed, found.p) == (2, 3, False, None)
    assert found.boundary == pytest.approx(boundaries([12 / 30, 19 / 30], spending="pocock")[-1].z)
    last = looks.look_at(row(0.5, 0.2, n=33, scale="hazard_ratio"), "final")
    assert (last.final, last.crossed, last.spent) == (True, True, 0.05)
    assert 0 < last.adjusted_low < last.value < last.adjusted_high < 1
    with pytest.raises(Refused, match="other is no look of the plan, .*early, middle, final"):
        looks.look_at(row(1.0, 1.0, n=19), "other")
    with pytest.raises(Refused, match=r"11 participants with .* no more than at the look before \(12\)"):
        looks.look_at(row(1.0, 1.0, n=11), "middle")


def test_a_look_of_a_plan_stands_in_the_results_and_its_probability_enters_the_order_of_tests(made):
    order = '[multiplicity]\nprocedure = "fixed-sequence"\norder = ["a"]\n'
    text = HEAD + analysis("a", "t_test") + GOOD + order
    with keys_of(made), Study.open(made, actor="tester") as study:
        done = estimation.analyse(study, plan=text, where="plan.toml", signer=study.script_signer("statistician"))
    told = json.loads(done.files["results.json"])["analyses"][0]
    (one,) = done.results.analyses
    assert (told["look"]["number"], told["look"]["of"], told["look"]["final"]) == (2, 2, True)
    assert told["look"]["boundary"] == pytest.approx(one.look.boundary)
    assert told["confirmation"]["p_adjusted"] == pytest.approx(one.look.p)
    plan = estimation.parse(text, "plan.toml", _protocol(made))
    going_on = replace(one, look=replace(one.look, p=None), confirmation=None)
    assert confirmed(plan, [going_on])[0].confirmation.p_adjusted == 1.0


def _protocol(folder):
    with keys_of(folder), Study.open(folder, actor="tester") as study:
        return estimation.protocol_of(study)


def examples():
    """Each section of a plan that the document shows, with what it says."""
    text = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")
    for block in re.findall(r"```toml\n(.*?)```", text[text.index("## Conditions in place of arms") :], re.DOTALL):
        for part in re.split(r"(?=^\[)", block, flags=re.MULTILINE)[1:]:
            yield part, tomllib.loads(part)


def test_each_example_of_a_plan_in_the_documents_is_one_that_is_read():
    seen = []
    for text, found in examples():
        one = found.get("analysis", [{"name": "looks"}])[0]
        arms, visits = list(one.get("conditions", ("sham", "stimulation"))), one.get("visits", ["Week 12"])
        made = definition()
        made["arm"] = [{"name": name, "title": name} for name in arms]
        made["randomisation"] = {"kind": "simple", "slots": 50}
        made["visit"] = [{**made["visit"][0], "name": name} for name in dict.fromkeys(("Baseline", *visits))]
        head = HEAD.replace('"sham"', f'"{arms[0]}"')
        head += "" if "analysis" in found else analysis("primary", "t_test")
        plan = estimation.parse(f"{head}\n{text}", "document", Protocol.from_definition(made))
        assert plan.analyses[0].compared or plan.looks
        seen.append(one["name"])
    assert seen == ["crossover", "wedge", "on-and-off", "one-participant", "looks"]
