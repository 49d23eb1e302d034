"""The live bench: what counts as an answer, what is judged, and which peers are there."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import bench
from workbench.bench import _live_session, _loops, live

MS = 1e-3


def partner(pushed, returned):
    """A partner that has no process: what was pushed and what came back."""
    made = _live_session.Partner.__new__(_live_session.Partner)
    made.pushed, made.returned = pushed, returned
    return made


def test_a_latency_ends_with_the_first_answer_that_knows_the_samples():
    hop = _loops.HOP
    one = partner([0.0, 1.0, 2.0, 3.0], [(hop, 0.5), (3 * hop, 2.25), (2 * hop, 2.5)])
    found = one.latencies(0)
    assert found[:3] == [0.5, 1.25, 0.25]
    assert np.isnan(found[3])
    assert one.latencies(2)[0] == 0.25


def test_medians_are_compared_over_all_hops_with_the_range_over_turns():
    ours = np.array([2.0] * live.HOPS + [4.0] * live.HOPS + [4.0] * live.HOPS) * MS
    echo = np.full(len(ours), 2.0) * MS
    found = live.compared(ours, echo, "p50", called="ours", beside="its echo")
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 1.0, 2.0))
    assert found.detail == "p50 of ours and its echo: ours 4 ms, its echo 2 ms; 300 hops"


def test_answers_that_never_came_are_counted_beside_the_percentile_of_the_others():
    ours = np.array([1.0, np.nan, 1.0, np.nan]) * MS
    found = live.compared(ours, np.full(4, MS), "p99.9", called="ours", beside="its echo")
    assert found.value == pytest.approx(1.0)
    assert "4 hops, 2 never answered" in found.detail


@pytest.mark.parametrize(("echo_ms", "met"), [(0.5, True), (1.5, None)])
def test_a_limit_in_milliseconds_is_judged_only_where_the_echo_was_quiet(echo_ms, met):
    found = live.limited(np.full(10, 1.9 * MS), np.full(10, echo_ms * MS))
    item = bench.Item("live", "p99", "small", "ms", "<=", 2.0, lambda rounds: found)
    row = bench.measure(item)
    assert row.met is met
    assert ("not judged" in bench.as_text([row])) is (met is None)


def test_a_peer_that_is_not_installed_is_named_and_is_not_measured(monkeypatch):
    monkeypatch.setitem(_loops.NEEDS, "ezmsg", ("package_that_nobody_has.lsl",))
    assert _loops.missing("ezmsg") == "package_that_nobody_has.lsl"
    assert _loops.missing(live.OURS) == ""
    (item, *_) = [one for one in live.ITEMS if "workbench beside ezmsg" in one.what]
    assert "package_that_nobody_has.lsl is not installed" in bench.measure(item).note


def test_every_figure_of_g8_is_printed_beside_its_echo_at_both_sizes_with_the_goals():
    goals = {(one.what, one.size.split()[0]): one.goal for one in live.ITEMS}
    for loop in (live.OURS, *live.PEERS):
        for size in ("8", "64"):
            assert (f"G8 {loop} beside its echo, p50", size) in goals
            assert (f"G8 {loop} beside its echo, p99.9", size) in goals
    assert goals["G8 workbench beside its echo, p50", "8"] == 1.6
    assert {goals["G8 workbench beside mne-lsl, p50", size] for size in ("8", "64")} == {0.4}
    assert {goals["G8 workbench beside ezmsg, p99.9", size] for size in ("8", "64")} == {1.0}
    assert goals["G9 samples lost", "256"] == 0.0


def test_a_page_gives_the_method_before_the_figures():
    item = bench.Item(
        "live", "loop", "small", "×", "<=", 2.0, lambda rounds: bench.Result(1.5, 1.0, 2.0, "10 hops")
    )
    page = bench.as_markdown([bench.measure(item)], bench.methods())
    assert "| loop | small | 1.5 × (1–2) | ≤ 2, met | 10 hops |" in page
    assert page.index("*Echo.*") < page.index("| loop |")
