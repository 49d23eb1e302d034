"""BCI2000's rule: over 75 % of a hop warns, repeated over 100 % ends; at another speed it only warns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench.engine import deadline as deadlines
from workbench.engine.deadline import REPEATED, Deadline, Latency, percentiles


def test_the_two_thresholds():
    deadline = Deadline(hop_s=0.05, speed=1.0)
    assert deadline.hop(0.0375, local=0.0) == ""
    assert deadline.hop(0.038, local=0.0) == "warning"
    assert deadline.hop(0.050, local=0.0) == "warning"
    assert deadline.hop(0.051, local=0.0) == "overrun"
    assert (deadline.warnings, deadline.overruns) == (3, 1)


def test_repeated_overruns_end_the_run():
    deadline = Deadline(hop_s=0.05, speed=1.0)
    verdicts = [deadline.hop(0.06, local=0.06 * i) for i in range(REPEATED)]
    assert verdicts == ["overrun"] * (REPEATED - 1) + ["repeated"]


def test_overruns_far_apart_do_not():
    deadline = Deadline(hop_s=0.05, speed=1.0)
    assert {deadline.hop(0.06, local=5.0 * i) for i in range(3 * REPEATED)} == {"overrun"}


def test_faster_than_real_time_it_only_warns():
    deadline = Deadline(hop_s=0.05, speed=5.0)
    assert deadline.budget_s == pytest.approx(0.01)
    assert {deadline.hop(0.06, local=0.0) for _ in range(3 * REPEATED)} == {"overrun"}


def test_percentiles():
    assert percentiles(np.array([]))["p50_ms"] is None
    found = percentiles(np.linspace(0.0, 0.1, 101))
    assert found == {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "max_ms": 100.0}


@settings(max_examples=examples(200))
@given(st.lists(st.floats(-1.0, 1e6) | st.sampled_from([0.0, 0.02, np.nan, np.inf]), min_size=1, max_size=40))
def test_percentiles_are_those_of_numpy_to_the_bit(seconds):
    with np.errstate(invalid="ignore"):
        expected = [round(float(value) * 1e3, 3) for value in np.percentile(seconds, [50, 95, 99, 100])]
    np.testing.assert_array_equal(list(percentiles(np.array(seconds)).values()), expected)


def test_latency_says_whether_it_is_representative():
    latency = Latency(representative=False)
    latency.add(0.002)
    assert latency.status() == {
        "p50_ms": 2.0,
        "p95_ms": 2.0,
        "p99_ms": 2.0,
        "max_ms": 2.0,
        "n": 1,
        "representative": False,
    }


def test_percentiles_are_computed_again_only_when_a_decision_was_made(monkeypatch):
    computed = []

    def counted(values):
        computed.append(len(values))
        return percentiles(values)

    monkeypatch.setattr(deadlines, "percentiles", counted)
    latency = Latency(representative=True)
    for n in range(3):
        latency.add(0.01 * (n + 1))
        shown = [latency.status() for _ in range(5)]
        assert all(one == shown[0] for one in shown)
    assert computed == [0, 1, 2, 3]
    assert shown[0]["max_ms"] == 30.0
