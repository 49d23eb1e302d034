"""The controller against the device model of a stimulator, with what that measures: both ends of the contract."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.control.test_with_glove import Together
from tests.stimulation.worked import limits, signed
from workbench import control
from workbench.control import ControlLaw
from workbench.devices import simulated_epidural, simulated_fes, simulated_transcutaneous
from workbench.devices._stimulator import StimulatorModel
from workbench.stimulation import Setup, Wearer

PADDLE = limits(limits={"burst_s": 60.0, "duty": 1.0, "temperature_c": 39.0, "pulses_per_s": 130.0})
SKIN = {
    "site": "surface",
    "contacts": 2,
    "limits": {
        "density_uc_cm2": None, "shannon_k": None, "rms_ma_cm2": 2.0, "current_ma": 100.0, "width_us": 1000.0,
        "charge_uc": 100.0, "slew_ma_s": 400.0, "ceiling_step_ma": 1.0, "burst_s": 3600.0, "duty": 1.0,
        "dose_session_uc": 1e8, "dose_day_uc": 1e8, "compliance_v": 150.0, "window_s": 60.0,
    },
}  # fmt: skip
SKIN["limits"].pop("window_s")
LARGE = limits(electrode="skin-5x9", area_cm2=45.0, **SKIN)
DISC = limits(electrode="skin-disc-5", area_cm2=19.6, **SKIN)
STIMULATORS = {
    "epidural": (simulated_epidural, PADDLE),
    "fes": (simulated_fes, LARGE),
    "transcutaneous": (simulated_transcutaneous, DISC),
}


class Stimulated(Together):
    """A controller, its supervisor, and a stimulator that says what it measures 20 times a second."""

    def __init__(self, effector, *, law=None, setup=None, **settings):
        module, known = STIMULATORS[effector]
        profile = control.load(effector)
        setup = setup or Setup(module.PROGRAMME, (signed(known, "chen", "lin"),), Wearer("T10"))
        device = StimulatorModel(
            module.PROGRAMME, replace(module.SETTINGS, loss=0.0, **settings), channels=profile.channels, seed=4
        )
        controller = control.Controller(profile, law=law or ControlLaw("toggle"), stimulation=setup)
        super().__init__(controller=controller, device=device)

    def make_ready(self):
        self.report()
        self.controller.stimulation.take_load(30.0, local=self.local)

    def report(self):
        """The part of a status that is about the current, as an engine passes it on."""
        said, reports = self.glove.telemetry(self.stream)["stimulator"], self.controller.stimulation
        reports.take_impedances(said["ohm"], local=self.local)
        reports.take_stimulator(
            local=self.local, delivered_ma=said["delivered_ma"], programme=said["programme"], states=said["leads"]
        )

    def follow(self, seconds, **decision):
        """Like ``run``, with reports and the harness."""
        for n in range(round(seconds / 0.05)):
            self.run(0.05, **(decision if n == 0 else {}))
            self.report()
            self.controller.stimulation.take_load(30.0, local=self.local)


@pytest.mark.parametrize("effector", STIMULATORS)
def test_a_burst_from_intent_to_rest_delivers_what_was_sent_and_no_rule_speaks_of_it(effector):
    both = Stimulated(effector)
    both.follow(2.0, change="activate")
    assert both.controller.state == "HOLD"
    approved = STIMULATORS[effector][0].PROGRAMME.approved_ma
    assert both.glove.delivered_ma(both.stream) == pytest.approx(approved)
    both.follow(1.5, change="activate")
    assert both.glove.delivered_ma(both.stream) == (0.0,) * len(approved)
    kinds = {row.kind for row in both.rows}
    assert not kinds & {"fault", "estop", "command_refused"}
    assert {str(row.extent) for row in both.rows if row.kind == "stimulation_limited"} <= {
        str(row.extent) for row in both.rows if "rise of the current" in str(row.extent)
    }


def test_a_stimulator_that_delivers_more_is_stopped_and_one_that_delivers_less_is_a_fault():
    more = Stimulated("epidural", gain=1.3)
    more.controller.stimulation.set_ceiling(0, 2.0, by="Chen", local=more.local)
    more.follow(1.0, change="activate")
    assert more.controller.state in ("ESTOP", "FAULT_SAFE")
    assert more.glove.delivered_ma(more.stream) == (0.0,) * 8
    less = Stimulated("epidural", coupling=0.2)
    less.follow(1.5, change="activate")
    assert less.controller.state == "FAULT_SAFE"
    less.follow(1.5)
    assert less.glove.delivered_ma(less.stream) == (0.0,) * 8


LAW = ControlLaw("proportional", gain=1.0, dead_band=0.05, slew_per_s=8.0, patterns=(("", (1.0, *(0.0,) * 7)),))


def value(n):
    """What is followed at a hop: up and down in two seconds."""
    return 0.55 + 0.4 * math.sin(2 * math.pi * n * 0.05 / 2.0)


def following(seconds=4.0, **settings):
    """A stimulator behind a radio that is late by two hops and more, and a law that orders at every hop."""
    both = Stimulated("epidural", law=LAW, **settings)
    both.follow(0.05, change="activate", kind="amplitude", values=(0.0,))
    flowed = []
    for n in range(round(seconds / 0.05)):
        both.follow(0.05, kind="amplitude", values=(value(n),))
        flowed.append(both.glove.delivered_ma(both.stream)[0])
    return both, flowed


def test_a_current_that_follows_a_value_at_every_hop_goes_over_a_link_that_is_late_by_more_than_a_hop():
    both, flowed = following(delay_spread=0.15)
    assert both.controller.state == "ACTIVE"
    kinds = {row.kind for row in both.rows}
    assert not kinds & {"fault", "estop", "command_refused", "ack_missing"}
    approved = simulated_epidural.PROGRAMME.approved_ma[0]
    wanted = [approved * max(value(n) - 0.05, 0.0) for n in range(len(flowed))]
    # It follows as late as the radio: three hops or four.
    late = {hops: np.corrcoef(flowed[hops:], wanted[: len(wanted) - hops])[0, 1] for hops in range(10)}
    assert max(late.values()) > 0.95
    assert 2 <= max(late, key=late.get) <= 5
    both.follow(0.05, change="release", kind="amplitude", values=(0.0,))
    both.follow(1.0, kind="amplitude", values=(0.0,))
    assert both.controller.state == "ARMED"
    assert both.glove.delivered_ma(both.stream) == (0.0,) * 8


def test_a_stop_while_orders_are_under_way_is_off_at_once_and_nothing_follows_it():
    both, _ = following(1.0)
    assert len(both.glove._on_the_way) > 1
    both.send(both.controller.operator.estop("key", **both.now()).commands)
    both.run(0.02)
    for _ in range(20):
        both.follow(0.05, kind="amplitude", values=(1.0,))
        assert both.glove.delivered_ma(both.stream) == (0.0,) * 8
    assert both.controller.state == "ESTOP"


@pytest.mark.parametrize("settings", [{"gain": 1.6}, {"gain": 0.5}, {"coupling": 0.1}])
def test_a_stimulator_that_follows_at_every_hop_and_delivers_another_current_is_found_out(settings):
    both, _ = following(**settings)
    assert both.controller.state in ("ESTOP", "FAULT_SAFE")
    both.follow(1.2)
    assert both.glove.delivered_ma(both.stream) == (0.0,) * 8


def test_a_coil_that_falls_off_ends_in_the_safe_state_of_both():
    both = Stimulated("epidural", coil_off_s=2.0)
    both.follow(3.0, change="activate")
    assert both.controller.state == "FAULT_SAFE"
    assert (both.glove.locked, both.glove.level(both.stream)) == (True, 0.0)


def test_a_cut_link_ends_with_the_stimulator_off_and_the_supervisor_not_counting_less_than_flowed():
    both = Stimulated("fes")
    both.follow(1.0, change="activate")
    both.cut = True
    both.run(3.0)
    assert both.controller.state == "FAULT_SAFE"
    assert (both.glove.level(both.stream), both.glove.locked) == (0.0, True)
    used = both.glove.settings.battery_uc * (1.0 - both.glove.battery)
    dose = both.controller._orders.gate.supervisor.dose
    counted = sum(dose.session_uc((channel.lead, 0)) for channel in both.controller.setup.programme.channels)
    assert 0 < used <= counted
