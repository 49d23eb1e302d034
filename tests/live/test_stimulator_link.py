"""Link, controller and the process of a simulated epidural stimulator: what it measures reaches the supervisor."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.stimulation.worked import limits, signed
from workbench import devices
from workbench.control import ControlLaw
from workbench.devices import lsl, simulated_epidural
from workbench.stimulation import Setup, Wearer
from workbench.stress.strangers import LinkBench

PADDLE = limits(limits={"burst_s": 60.0, "duty": 1.0})
SETUP = Setup(simulated_epidural.PROGRAMME, (signed(PADDLE, "chen", "lin"),), Wearer("T10"))


@contextmanager
def session(folder, **options):
    paired = devices.pairing(folder, "epidural")
    own = {"pairing": str(paired.path), "loss": 0.0, "idle_s": 5.0, **options}
    device = devices.start("simulated_epidural", own, log=folder / "device.log", owned=True)
    bench = LinkBench(paired, "stimulated", law=ControlLaw("trigger", trigger_s=4.0), stimulation=SETUP)
    try:
        assert bench.run(lambda: bench.link.channel.outlet.has_receiver())
        assert bench.self_test()
        yield bench
        bench.close()
    finally:
        devices.stop(device)


def held(bench, condition):
    """Run with somebody in the harness until a condition is met; whether it was."""

    def met():
        bench.link.controller.stimulation.take_load(30.0, local=lsl.local_clock())
        return condition()

    return bench.run(met)


def allowed(bench):
    return next(one.ok for one in bench.link.controller.conditions() if one.key == "stimulation_allowed")


@pytest.mark.job
def test_a_burst_is_armed_by_what_the_device_measures_and_ends_by_itself(tmp_path):
    with session(tmp_path) as bench:
        assert held(bench, lambda: allowed(bench))
        bench.arm()
        bench.decide("activate")
        assert held(bench, lambda: bench.confirmed["level"] == 1.0)
        assert held(bench, lambda: bench.link.state in ("REFRACTORY", "ARMED"))
        assert bench.link.snapshot()["fault"] == ""
        assert held(bench, lambda: bench.confirmed["level"] == 0.0)


@pytest.mark.job
def test_a_device_that_delivers_more_than_was_sent_is_stopped(tmp_path):
    with session(tmp_path, gain=1.4, greatest=0.5) as bench:
        assert held(bench, lambda: allowed(bench))
        bench.arm()
        bench.decide("activate")
        assert held(bench, lambda: bench.link.state in ("ESTOP", "FAULT_SAFE"))
        assert held(bench, lambda: bench.confirmed["level"] == 0.0)
