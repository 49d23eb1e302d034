"""What cannot be estimated is refused in a sentence, and what an intercurrent event does to a value."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.estimation.conftest import HEAD, THRESHOLD, WEEKS, analysis
from workbench import estimation
from workbench.errors import WorkbenchError
from workbench.estimation import _selecting
from workbench.estimation._fitting import fit
from workbench.estimation._selecting import select
from workbench.estimation.known_trial import definition
from workbench.study.protocol import Protocol

NO_RECORD = SimpleNamespace(rows=lambda _table, **_where: [])
"""A record without anything, for methods that read nothing but the datasets."""


def planned(text, protocol):
    plan = estimation.parse(HEAD + text, "plan.toml", protocol)
    return plan.analyses[0], plan


def chosen(text, protocol, data):
    return select(*planned(text, protocol), data, protocol=protocol, record=NO_RECORD)


def refusal(text, protocol, data):
    with pytest.raises(WorkbenchError) as caught:
        fit(chosen(text, protocol, data), NO_RECORD)
    return str(caught.value)


def changed(data, change):
    """The datasets with another value of every ARAT total after the baseline."""
    rows = [change(r) if r.variable == "arat.total" and r.visit != "Baseline" else r for r in data.visits]
    return replace(data, visits=tuple(row for row in rows if row is not None))


T_TEST = analysis("a", "t_test")
MMRM = analysis("a", "mmrm", 'covariates = ["baseline"]', visits=WEEKS)


def only(arm):
    return lambda row: row if row.arm == arm else replace(row, change=None)


@pytest.mark.job
@pytest.mark.parametrize(
    ("change", "text", "sentence"),
    [
        (lambda row: replace(row, change=3.0), T_TEST, "does not vary"),
        (lambda row: replace(row, change=3.0), MMRM, "does not vary"),
        (lambda row: replace(row, change=None), T_TEST, "no participant has a value of arat.total at Week 12"),
        (only("sham"), T_TEST, "participants with an outcome in arm stimulation: 0; at least 2 are needed"),
        (only("sham"), MMRM, "participants with an outcome in arm stimulation: 0"),
        (lambda row: replace(row, baseline=5.0), MMRM, "baseline.* cannot be told apart"),
    ],
    ids=[
        "constant",
        "constant model",
        "all missing",
        "arm without values",
        "arm without values in a model",
        "singular",
    ],
)
def test_values_that_tell_nothing_are_refused(change, text, sentence, protocol, data):
    assert re.search(sentence, refusal(text, protocol, changed(data, change)))


def test_a_visit_that_somebody_has_twice_is_refused(protocol, data):
    row = next(row for row in data.visits if row.variable == "arat.total" and row.visit == "Week 12")
    twice = replace(data, visits=(*data.visits, replace(row, repeat=2, key="again")))
    assert f"participant {row.participant} has visit Week 12 twice" in refusal(T_TEST, protocol, twice)


def test_an_arm_without_anybody_and_concealed_arms_are_refused(protocol, data):
    one = replace(data, subjects=tuple(s for s in data.subjects if s.arm == "sham"))
    assert "arm stimulation has no participant in this population" in refusal(T_TEST, protocol, one)
    untold = replace(data, subjects=tuple(replace(s, arm="") for s in data.subjects))
    assert "the arms are concealed" in refusal(T_TEST, protocol, untold)
    nobody = replace(data, subjects=tuple(replace(s, itt=False) for s in data.subjects))
    assert "nobody is in the population itt" in refusal(T_TEST, protocol, nobody)


def test_a_perfect_separation_gives_no_odds_ratio(protocol, data, monkeypatch):
    def judged(made, _record, _baseline):
        return {
            (one.participant_id, "Week 12"): _selecting.Cell(float(one.arm == "stimulation"), None)
            for one in made.people
        }

    monkeypatch.setattr(_selecting, "_judged", judged)
    for method in ("responders_adjusted", "cmh"):
        text = analysis("a", method, THRESHOLD, 'intercurrent_events = { "left the study" = "treatment policy" }',
                        estimand="responders")  # fmt: skip
        assert refusal(text, protocol, data).startswith(
            ("an effect grows without bound", "a cell of the table is 0")
        )


def with_strategy(strategy, method="t_test", visits='["Week 12"]'):
    return analysis("a", method, f'intercurrent_events = {{ "left the study" = "{strategy}" }}', visits=visits)


@pytest.fixture
def told(data):
    """Somebody who left after Week 8 and came to Week 12 all the same: ``(datasets, person)``."""
    rows = [row for row in data.visits if row.variable == "arat.total"]
    last = next(row for row in rows if row.visit == "Week 12" and row.change is not None)
    left = next(row for row in data.events if row.kind == "left")
    eighth = next(r for r in rows if (r.participant, r.visit) == (last.participant, "Week 8"))
    mine = replace(
        left, participant=last.participant, participant_id=last.participant_id, on=f"{eighth.day[:-2]}28"
    )
    assert eighth.day < mine.on < last.day
    return replace(data, events=(mine,)), last, eighth


def test_treatment_policy_keeps_a_value_after_the_event_and_hypothetical_takes_it_out(told, protocol):
    data, last, _ = told
    place = (last.participant_id, "Week 12")
    assert chosen(with_strategy("treatment policy"), protocol, data).cells[place].value == last.change
    hypothetical = chosen(with_strategy("hypothetical"), protocol, data)
    assert hypothetical.cells[place].value is None
    assert hypothetical.had["left the study"] == (last.participant,)


def test_while_on_treatment_takes_the_last_value_before_the_event_and_no_model_of_several_visits(told, protocol):
    data, last, eighth = told
    made = chosen(with_strategy("while on treatment", visits=WEEKS), protocol, data)
    assert made.cells[last.participant_id, "Week 12"].value == eighth.change
    text = refusal(with_strategy("while on treatment", "mmrm", WEEKS), protocol, data)
    assert "while on treatment" in text
    assert "ancova" in text


def test_a_composite_of_means_is_refused_and_of_ranks_is_the_worst(told, protocol):
    data, last, _ = told
    assert "the strategy for left the study is composite" in refusal(with_strategy("composite"), protocol, data)
    made = chosen(with_strategy("composite", "rank_sum"), protocol, data)
    assert made.worst == {last.participant_id}
    found = fit(made, NO_RECORD)
    assert "worst outcome" in found.notes[0]
    n = sum(
        row.visit == "Week 12" and row.change is not None for row in data.visits if row.variable == "arat.total"
    )
    assert found.estimates[0].n == n


def test_a_principal_stratum_and_an_event_without_a_day_are_refused(told, protocol):
    data, _, _ = told
    assert "principal stratum" in refusal(with_strategy("principal stratum"), protocol, data)
    dayless = replace(data, events=(replace(data.events[0], on=""),))
    assert "the day of left the study" in refusal(with_strategy("hypothetical"), protocol, dayless)


def test_a_protocol_of_one_arm_compares_nothing(data):
    made = definition()
    made["arm"] = made["arm"][:1]
    del made["randomisation"]
    protocol = Protocol.from_definition(made)
    assert "the protocol has the one arm sham" in refusal(T_TEST, protocol, data)
