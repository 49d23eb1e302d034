"""The plan file: what it says, and that everything it cannot mean is refused with what is allowed."""

from __future__ import annotations

import pytest

from tests.estimation.conftest import HEAD, PLAN, THRESHOLD, WEEKS, analysis
from workbench import estimation
from workbench.errors import BadValue
from workbench.estimation.known_trial import definition
from workbench.study.protocol import Protocol

GRAPH = '[multiplicity]\nprocedure = "graph"\norder = ["a"]\ngraph = {{ weights = {}, transitions = {} }}\n'


def parsed(text, protocol):
    return estimation.parse(text, "plan.toml", protocol)


def test_a_plan_fills_in_the_defaults_of_its_methods_and_takes_strategies_from_the_estimand(protocol):
    plan = parsed(PLAN, protocol)
    primary = plan.analyses[0]
    assert primary.settings == {"covariance": "unstructured", "inference": "kenward-roger"}
    assert primary.strategies == {"left the study": "hypothetical"}
    assert (primary.at, primary.outcome, primary.side, primary.state) == ("Week 12", "change", "trained", "off")
    assert plan.analyses[-1].strategies == {"left the study": "composite"}


def test_comments_and_spacing_do_not_change_the_hash_and_any_value_does(protocol):
    plain = parsed(PLAN, protocol).sha256
    assert parsed("# looked at\n" + PLAN.replace(" = ", "="), protocol).sha256 == plain
    assert parsed(PLAN.replace("seed = 7", "seed = 8"), protocol).sha256 != plain


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD, r"no \[\[analysis\]\]"),
        (HEAD.replace("1.0.0", "2.0.0"), "protocol must be one of 1.0.0; got '2.0.0'"),
        (HEAD.replace("sham", "placebo"), "reference must be one of sham, stimulation; got 'placebo'"),
        (HEAD.replace("seed", "sead"), "there is no key 'sead'"),
        (HEAD.replace('"left"', '"gone"'), "kind must be one of adverse_event, .* got 'gone'"),
        (HEAD + analysis("a", "mmrm"), "mmrm takes at least 2 visits, got 1"),
        (HEAD + analysis("a", "magic"), "method must be one of mmrm, .* got 'magic'"),
        (HEAD + analysis("a", "ancova", estimand="other"), "one of primary, responders; got 'other'"),
        (HEAD + analysis("a", "ancova", visits='["Week 3"]'), r"visits must be .*Week 4.* got \['Week 3'\]"),
        (HEAD + analysis("a", "ancova", 'covariates = ["age"]'), "no covariate 'age'; allowed are baseline, site"),
        (HEAD + analysis("a", "t_test", 'covariates = ["baseline"]'), "t_test adjusts for nothing"),
        (HEAD + analysis("a", "ancova", "settings = { covariance = 1 }"), "ancova has no setting 'covariance'"),
        (HEAD + analysis("a", "mmrm", 'settings = { covariance = "x" }', visits=WEEKS), "one of unstructured"),
        (HEAD + analysis("a", "rerandomisation", "settings = { replications = 5 }"), "100 .*1000000.*got 5"),
        (HEAD + analysis("a", "ancova", THRESHOLD), "ancova judges no responders"),
        (HEAD + analysis("a", "cmh", THRESHOLD.replace("protocol 1.0.0, estimands", "")), "needs a citation"),
        (HEAD + analysis("a", "cmh", THRESHOLD.replace("6", "0")), "must be a number above 0"),
        (HEAD + analysis("a", "t_test") + analysis("a", "t_test"), "'a'"),
        (HEAD.replace("left the study", "moved") + analysis("a", "t_test"), r"'left the study' .*\[\[event\]\]"),
        (HEAD + analysis("a", "t_test", 'intercurrent_events = { "x" = "composite" }'), "no .* event 'x'"),
        (HEAD + analysis("a", "t_test", 'intercurrent_events = { "left the study" = "x" }'), "principal stratum"),
        (HEAD + analysis("a", "t_test") + '[multiplicity]\nprocedure = "holm"\n', "order is missing"),
        (HEAD + analysis("a", "t_test") + '[multiplicity]\nprocedure = "holm"\norder = ["b"]\n', "names out of a"),
        (HEAD + analysis("a", "t_test") + GRAPH.format("[0.5]", "[[0, 1], [1, 0]]"), "a graph of 1 hypotheses"),
        (HEAD + analysis("a", "t_test") + GRAPH.format('["x"]', "[[0]]"), "a graph of 1 hypotheses"),
        (HEAD + analysis("a", "t_test") + GRAPH.format("[1]", "[[1]]"), "set the diagonal to 0"),
        ("[plan", "TOML"),
    ],
)  # fmt: skip
def test_what_a_plan_cannot_mean_is_refused_in_words(text, sentence, protocol):
    with pytest.raises(BadValue, match=sentence):
        parsed(text, protocol)


def test_a_strategy_that_is_none_in_the_protocol_can_be_stated_in_the_plan():
    made = definition()
    made["estimand"][0]["intercurrent_events"] = {"left the study": "as usual"}
    protocol = Protocol.from_definition(made)
    with pytest.raises(BadValue, match="the strategy of 'left the study' must be one of treatment policy"):
        parsed(HEAD + analysis("a", "t_test"), protocol)
    line = 'intercurrent_events = { "left the study" = "hypothetical" }'
    assert parsed(HEAD + analysis("a", "t_test", line), protocol).analyses[0].strategies["left the study"]


def test_a_draft_from_the_estimands_is_a_plan_that_assumes_no_threshold(protocol):
    plan = parsed(estimation.draft(protocol), protocol)
    primary, responders = plan.analyses
    assert (primary.method, primary.variable, primary.visits) == (
        "mmrm",
        "arat.total",
        ("Week 4", "Week 8", "Week 12"),
    )
    assert (responders.method, responders.visits, responders.threshold) == ("responders", ("Week 12",), None)
    assert plan.multiplicity.order == ("primary", "responders")
