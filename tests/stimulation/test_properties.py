"""Whatever is asked for, in any order and at any time: nothing above a limit flows, and a STOP always wins."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.shares import examples
from workbench.stress.control import NONSENSE, SOONEST_S, Walk, small_limits, walked, walked_setup

PART = st.floats(-0.5, 1.5)
LATE = st.sampled_from([0.0, 0.3, 0.7, 1.0])


class WhateverIsAskedFor(RuleBasedStateMachine):
    """Orders, time, silence, people and telemetry, in any order."""

    @initialize(latency_s=st.sampled_from([0.0, 0.07, 0.15]), burst_s=st.sampled_from([1.6, 3.0]))
    def begin(self, latency_s, burst_s):
        self.walk = Walk(walked_setup(small_limits(burst_s=burst_s, dose_session_uc=700.0)), latency_s=latency_s)

    @rule(levels=st.one_of(st.tuples(PART, PART, PART), st.sampled_from(NONSENSE)), ramp_s=st.floats(0.0, 3.0))
    def order(self, levels, ramp_s):
        self.walk.order(levels, ramp_s)

    @rule()
    def all_of_it(self):
        self.walk.order((0.0, 1.0, 1.0), 0.2)

    @rule(times=st.integers(1, 20), seconds=st.sampled_from(SOONEST_S))
    def time(self, times, seconds):
        for _ in range(times):
            self.walk.pass_time(seconds)
            self.walk.supervisor.person.take_load(30.0, now=self.walk.now)

    @rule(seconds=st.floats(0.26, 30.0))
    def silence(self, seconds):
        self.walk.pass_time(seconds)

    @rule()
    def stop(self):
        self.walk.stop()
        self.walk.pass_time(0.16)
        assert not any(self.walk.stimulator.currents(self.walk.now))

    @rule()
    def reset(self):
        self.walk.make_ready()
        self.walk.reset()

    @rule(systolic=st.sampled_from([100.0, 131.0]))
    def pressure(self, systolic):
        self.walk.supervisor.take_pressure(systolic, now=self.walk.now, resting=False)

    @rule(channel=st.integers(0, 2), change_ma=st.floats(-5.0, 5.0))
    def ceiling(self, channel, change_ma):
        asked = self.walk.supervisor.ceilings_ma[channel] + change_ma
        self.walk.take(self.walk.supervisor.set_ceiling(channel, asked, now=self.walk.now))

    @rule(share=st.sampled_from([0.0, 1.0, 1.5]))
    def delivered(self, share):
        self.walk.deliver(share)

    @rule(
        levels=st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), max_size=15), late=st.lists(LATE, min_size=15)
    )
    def one_order_a_hop(self, levels, late):
        """A law that follows a value, over a link that is later than a hop, and not always as late."""
        for level, share in zip(levels, late):
            self.walk.stimulator.late_s = share * self.walk.latency_s
            self.walk.order((level, 0.0, level), 0.0)
            self.walk.pass_time(0.05)
            self.walk.supervisor.person.take_load(30.0, now=self.walk.now)
            self.walk.deliver(1.0)

    @invariant()
    def nothing_above_a_limit_flows_and_a_stop_wins(self):
        if hasattr(self, "walk"):
            assert self.walk.wrong == []


WhateverIsAskedFor.TestCase.settings = settings(max_examples=examples(120), stateful_step_count=25)
TestWhateverIsAskedFor = WhateverIsAskedFor.TestCase


@pytest.mark.parametrize("looks", range(12))
def test_an_engine_that_dies_at_any_moment_of_a_release_makes_no_burst_too_long(looks):
    """The stimulator's own watchdog begins a release again that is almost over, late and for its whole length."""
    walk = Walk(walked_setup())
    walk.order((1.0, 0.0, 0.0), 0.0)
    while walk.supervisor.sent_ma[0]:
        walk.supervisor.person.take_load(30.0, now=walk.now)
        walk.pass_time(0.23)  # the look that releases comes as late as it may
    for _ in range(looks):
        walk.pass_time(0.05)
    walk.pass_time(5.0, silent=True)
    assert walk.rules["burst"] == 1
    assert walk.wrong == []


def test_a_drawn_walk_lets_current_flow_meets_most_rules_and_passes_no_limit():
    figures = walked(2000, 2, length=2)
    assert figures.wrong == ()
    assert figures.flowed_uc > 0
    assert figures.roads == 64
    met = {"burst", "duty", "refractory", "slew", "stopped", "watchdog", "level", "ceiling", "dose_day"}
    assert met <= set(figures.rules)


def test_the_walk_sees_a_supervisor_that_looks_ahead_too_little(monkeypatch):
    from workbench.stimulation import StimulationSupervisor

    monkeypatch.setattr(StimulationSupervisor, "_ahead_s", 0.0)
    assert any("burst" in one or "duty" in one for one in walked(1500, 3, length=1).wrong)


def test_the_walk_sees_a_supervisor_that_forgets_a_stop(monkeypatch):
    from workbench.stimulation import StimulationSupervisor

    monkeypatch.setattr(StimulationSupervisor, "to_begin", lambda self, now: [])
    assert any("after a stop" in one for one in walked(1500, 3, length=1).wrong)
