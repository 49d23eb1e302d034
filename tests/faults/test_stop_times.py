"""How soon effectors stop and make themselves safe: what is measured, judged and kept."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import pytest

from workbench import control
from workbench.errors import BadValue
from workbench.stimulation import StimulationSupervisor
from workbench.stress import stopping

STIMULATORS = [name for name in control.available() if control.load(name).stimulates]
GOOD = stopping.StoppingFigures(
    control.load("fes"),
    stop=(0.002,) * 3,
    echo=(0.001,) * 3,
    beat=(0.002,) * 3,
    begun=(0.26,) * 3,
    done=(0.76,) * 3,
)


@pytest.mark.job
def test_each_stop_and_silence_is_timed_by_the_device_itself_and_a_run_that_was_ended_goes_on(
    tmp_path, monkeypatch
):
    keep = tmp_path / "kept.json"
    figures = stopping.stopping(1, 1, names=("cursor", "fes"), keep=keep)
    for one in figures:
        ttl_s, last = one.effector.ttl_ms / 1000.0, one.effector.on_fault[-1]
        assert one.misses == 0, one.text()
        times = (*one.stop, *one.echo, *one.beat)
        assert None not in times, (one.stop, one.echo, one.beat)
        assert all(0.0 < value < ttl_s for value in times), one.text()
        # No device may give its wearer up before the time to live is over, nor skip the ramp of its profile.
        assert one.begun[0] >= ttl_s - 0.001, one.text()
        assert one.done[0] - one.begun[0] >= last.ramp_ms / 1000.0 - 0.05, one.text()
    # What is kept is not measured again.
    monkeypatch.setattr(stopping, "_batch", None)
    assert stopping.stopping(1, 1, names=("cursor", "fes"), keep=keep) == figures
    kept = json.loads(keep.read_text())
    assert kept["parts"]["cursor"]["cases"] == 1
    with pytest.raises(BadValue, match="is of a run with seed 1, and this one has seed 2"):
        stopping.stopping(1, 2, names=("cursor", "fes"), keep=keep)


@pytest.mark.job
def test_a_stop_waits_for_the_first_heartbeat_of_which_its_figures_tell(tmp_path):
    class At0(random.Random):
        def uniform(self, a, b):
            return 0.0

    class Silent:
        def round_trip(self):
            return None

    with stopping.rig(tmp_path, "cursor") as bench:
        found = stopping._stop(bench, At0(), Silent())
    assert found["beat"] is not None
    assert found["stop"] is not None


class Stalled(random.Random):
    """A computer that does something else for a while, just as the device has closed."""

    def uniform(self, a, b):
        time.sleep(0.5)
        return a


@pytest.mark.job
def test_a_silence_is_timed_from_the_last_command_that_the_device_took_and_not_from_one_that_came_later(tmp_path):
    with stopping.rig(tmp_path, "cursor") as bench:
        begun = stopping._lose(bench, Stalled(1))["begun"]
    answers = {ack.seq: ack.status for _, ack in bench.answered}
    (close_s,) = [at for at, command in bench.sent if command.action == "close"]
    assert {answers[command.seq] for at, command in bench.sent if at > close_s} == {"refused"}
    locked_s = next(one.stamp for one in bench.seen if one.stamp > close_s and one.locked)
    assert begun == pytest.approx(locked_s - close_s)
    assert begun >= control.load("cursor").ttl_ms / 1000.0 - 0.001


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"stop": (0.002, 0.002, 0.04)}, "p99 above 20 ms"),
        ({"stop": (0.002, None, 0.002)}, "1 missed, p99 within 20 ms"),
        ({"begun": (0.26, 0.31, 0.26)}, "1 above 300 ms; until"),
        ({"done": (0.76, 0.76, 0.81)}, "1 above 800 ms; 0 missed"),
        ({"done": (0.76, 0.76, None)}, "; 1 missed"),
    ],
)
def test_what_came_too_late_or_never_is_counted_and_not_passed(times, said):
    assert GOOD.passed
    spoiled = replace(GOOD, **times)
    assert not spoiled.passed
    assert said in spoiled.text()


def test_limits_are_judged_only_where_the_transport_is_quick_and_a_miss_always():
    slow = replace(GOOD, echo=(0.001, 0.03, 0.03), stop=(0.03,) * 3)
    assert slow.passed
    assert "p99 above 20 ms, not judged: the echo is slow" in slow.text()
    assert not replace(slow, begun=(0.26, 0.26, None)).passed


@pytest.mark.parametrize("name", STIMULATORS)
def test_the_supervisor_takes_the_programme_of_each_simulated_stimulator(name):
    supervisor = StimulationSupervisor(stopping.setup_of(name))
    assert supervisor.programme.channels
