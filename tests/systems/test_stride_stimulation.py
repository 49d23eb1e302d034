"""The phase of the left shank gives each leg its block of current, and the run replays with its commands."""

from __future__ import annotations

import numpy as np
import pytest

from tests.systems.demos import check_a_walk_that_was_stimulated_in_phase, demo
from workbench import control
from workbench.devices.simulated_spinal_participant import specs
from workbench.physiology import Body, Input, Person
from workbench.systems import simulate, stride_stimulation
from workbench.systems._stride import BLOCKS, PRESET, Swings, counted
from workbench.systems.stride_stimulation import SYSTEM


def walked():
    """Times and both shanks of somebody who walks for half a minute, and the steps that were made."""
    body = Body(Person(lesion="T10", grade="D", residual=0.5), senses=("gait",))
    body.feel(Input(walk=1.0, support=0.5, posture="standing"))
    shanks = body.step(30.0).shanks
    assert not any(step.failed for step in body.steps)
    return np.arange(len(shanks)) / 100.0, shanks, body.steps


def orders(steps, *, shift_s=0.0):
    """The current of each leg from where its foot leaves the ground to where it touches it."""
    at = [(step.leaves_s + shift_s, step.side, True) for step in steps]
    at += [(step.touches_s + shift_s, step.side, False) for step in steps]
    flows, found = [0.0, 0.0], []
    for stamp, side, begins in sorted(at):
        flows[side] = 2.0 if begins else 0.0
        found.append((stamp, tuple(flows)))
    return found


def test_swings_are_counted_with_the_current_of_their_own_leg_and_with_that_of_the_other():
    times, shanks, steps = walked()
    own = counted(times, shanks, orders(steps), fs=100.0)
    assert abs(own.n - len(steps)) <= 2
    assert (own.off, own.crossed) == ((), 0)
    # Half a stride later the current of each leg flows while the other one swings.
    stride_s = np.diff([step.touches_s for step in steps if step.side == 0]).mean()
    other = counted(times, shanks, orders(steps, shift_s=stride_s / 2), fs=100.0)
    assert (other.on, other.n) == ((), own.n)
    assert other.crossed >= own.n - 2
    none = counted(times, shanks, [], fs=100.0)
    assert (len(none.off), none.crossed) == (own.n, 0)
    assert "0 with their own hot-spot" in none.line()
    assert Swings().line() == "Swings of the shanks: none found"


def test_each_leg_has_a_block_and_a_hot_spot_of_its_own_within_the_limits_of_the_profile():
    law, profile = simulate(SYSTEM).task.law, control.load(SYSTEM.effector)
    assert control.check_law(law, control.profile_limits(profile), profile) is law
    names = [channel.name for channel in SYSTEM.stimulation.programme.channels]
    assert names == [name for name, _, _ in BLOCKS]
    assert [[n for n, share in enumerate(law.pattern(name)) if share] for name in names] == [[0], [1]]
    assert any("not exchanged" in check for check in SYSTEM.checks)
    # Between two blocks nothing is asked for.
    phases = np.arange(0.0, 1.0, 0.01)
    asked = [law.window_at(phase) or "" for phase in phases]
    turns = [now for now, before in zip(asked, asked[-1:] + asked[:-1], strict=True) if now != before]
    assert turns == ["", "right swing", "", "left swing"]


def test_the_participant_plays_both_shanks_as_the_signal():
    (shanks,) = (line for line in specs(PRESET) if line.role == "signal")
    assert (shanks.source_id, shanks.measured, shanks.unit) == (PRESET["source_id"], ("left", "right"), "deg/s")
    emg = next(line for line in specs(PRESET) if line.role == "emg")
    assert emg.source_id == f"{PRESET['source_id']}-emg"


@pytest.mark.release
@pytest.mark.timeout(300)
def test_a_walk_is_stimulated_in_phase_visits_follow_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    made = demo(tmp_path / "stride", stride_stimulation, monkeypatch, speed=4)
    said = capsys.readouterr().out
    check_a_walk_that_was_stimulated_in_phase(tmp_path / "stride", stride_stimulation, made, said)
