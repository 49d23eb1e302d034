"""The assisted response against an unassisted baseline, of a protocol with one arm: exact, and never recovery."""

from __future__ import annotations

import pytest
from scipy import stats

from tests.dashboard.test_phases import definition
from tests.reports.trial import ago, assess
from workbench import estimation
from workbench.errors import BadValue
from workbench.estimation.methods import METHODS
from workbench.estimation.results import plain
from workbench.reports import result_words
from workbench.study import Study
from workbench.study.changes import AdoptProtocol, CutData, Enrol, GiveConsent, SetAnchor, SetStatus
from workbench.study.protocol import Protocol
from workbench.vocabulary import Condition, Participant

ALONE, WITH_DEVICE = Condition(False, False, False), Condition(True, True, False)
BASELINE, GAINS = 20, (8, 6, 5, 9, None, 7)
"""Total at baseline, and how much more with the device at Month 3; None was not assessed."""
HELPED = 4
PLAN = """
[plan]
protocol = "1.0.0"
reference = "one"

[[event]]
name = "withdrawal"
kind = "left"

[[analysis]]
name = "assisted"
estimand = "{estimand}"
role = "primary"
method = "response_rate"
variable = "arat.total"
side = "trained"
state = "assisted+device"
baseline_state = "off"
visits = ["Month 3"]
threshold = {{ value = 6, unit = "points", version = "1981", source = "protocol 1.0.0, made up" }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("rate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        with Study.create(home / "study", code="S", title="Hand", actor="tests") as study:
            signers = [study.script_signer(name) for name in ("Lin Q.", "Wang M.")]
            study.apply(AdoptProtocol(definition("neo_hand")), [one.confirm() for one in signers])
            for n, gain in enumerate(GAINS, start=1):
                person = study.append(Participant(f"P-{n}", trained_side="right", simulated=True))
                study.apply(Enrol(person, f"S-{n}"), signers[0])
                study.apply(GiveConsent(person, ("participation",), "1", ago(101)), signers[0])
                study.apply(SetStatus(person, "enrolled"), signers[0], "tests")
                study.apply(SetAnchor(person, "first_session", ago(100)), signers[0])
                visits = {row["name"]: row["id"] for row in study.rows("visit", participant_id=person)}
                assess(study, visits["Baseline"], ALONE, BASELINE, ago(100))
                if gain is not None:
                    assess(study, visits["Month 3"], WITH_DEVICE, BASELINE + gain, ago(10))
                    # Without the device nobody has gained anything.
                    assess(study, visits["Month 3"], ALONE, BASELINE, ago(10))
            study.apply(CutData("look"), [one.confirm() for one in signers], "tests")
        yield home / "study"


@pytest.fixture
def study(folder, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(folder.parent / "keys"))
    with Study.open(folder, actor="tests") as opened:
        yield opened


def plan(study, *more, without=""):
    """Text of the plan, with further lines, without the line of one key."""
    protocol = Protocol.from_definition(study.rows("protocol_version")[0]["definition"])
    lines = [*PLAN.format(estimand=protocol.estimands[0].name).splitlines(), *more]
    return "\n".join(line for line in lines if not without or not line.startswith(without)), protocol


def analysed(study, *more, without=""):
    (one,) = estimation.analyse(study, plan=plan(study, *more, without=without)[0]).results.analyses
    return one


@pytest.mark.parametrize(("missing", "n"), [("non-responder", 6), ("observed", 5)])
def test_the_share_its_interval_and_its_test_are_exact_and_said_to_be_no_recovery(study, missing, n):
    one = analysed(study, f'settings = {{ missing = "{missing}" }}')
    assert one.refusal == ""
    (row,) = one.estimates
    exact = stats.binomtest(HELPED, n, 0.5, alternative="greater")
    interval = stats.binomtest(HELPED, n).proportion_ci(method="exact")
    assert (row.value, row.n, row.reference, row.scale) == (HELPED / n, n, "50 %", "proportion")
    assert (row.low, row.high) == pytest.approx(tuple(interval), abs=1e-9)
    assert row.p == pytest.approx(exact.pvalue, rel=1e-12)
    notes = " ".join(map(str, one.notes))
    assert "one-sided" in notes
    assert "not recovery" in notes
    assert len(one.rows) > 0


def test_another_share_may_be_tested(study):
    one = analysed(study, "settings = { against_percent = 80 }")
    assert one.estimates[0].p == pytest.approx(stats.binomtest(HELPED, 6, 0.8, alternative="greater").pvalue)
    assert one.estimates[0].reference == "80 %"


@pytest.mark.parametrize("percent", [50, 80])
def test_the_line_of_the_figure_stands_at_the_share_that_is_tested(study, percent):
    made = estimation.analyse(study, plan=plan(study, f"settings = {{ against_percent = {percent} }}")[0])
    (estimand,) = result_words.of_results(plain(made.results), "en").estimands
    assert estimand.forest.none == percent / 100


def test_nobody_is_judged_from_a_baseline_that_was_not_taken_in_the_state_of_the_visit(study):
    one = analysed(study, 'settings = { missing = "observed" }', without="baseline_state")
    assert one.estimates == ()
    assert "no participant has a value" in str(one.refusal)


def test_a_threshold_has_no_default(study):
    one = analysed(study, without="threshold")
    assert "threshold" in str(one.refusal)
    assert one.estimates == ()


def test_only_responders_have_a_baseline_in_another_state_and_no_share_is_0_or_all(study):
    text, protocol = plan(study, without="threshold")
    with pytest.raises(BadValue, match="ancova judges no responders"):
        estimation.parse(text.replace('"response_rate"', '"ancova"'), "plan.toml", protocol)
    text, _ = plan(study, "settings = { against_percent = 100 }")
    with pytest.raises(BadValue, match="against_percent"):
        estimation.parse(text, "plan.toml", protocol)


def test_the_draft_of_a_plan_for_one_arm_counts_responders_and_compares_nothing(study):
    _, protocol = plan(study)
    (first, *_) = estimation.parse(estimation.draft(protocol), "draft", protocol).analyses
    assert first.method == "response_rate"
    assert METHODS[first.method].alone
    assert (first.state, first.baseline_state, first.visits) == ("assisted+device", "off", ("Month 3",))
