"""Sessions that stimulate in virtual time: what must hold of a current, and that what is planted is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.conftest import QUIET
from workbench import control, systems
from workbench.devices._stimulator import StimulatorModel
from workbench.simulation import Life, template
from workbench.simulation.scheduler import NS
from workbench.simulation.stimulated import Current
from workbench.simulation.virtual_world import VirtualWorld
from workbench.simulation.watcher import Watcher

STIMULATION = systems.load("stride_stimulation").stimulation
CHANNELS = STIMULATION.programme.channels
SIGNED, CEILING, UNSUPPORTED = (
    "no current above what two people signed", "a ceiling holds", "no current without support",
)  # fmt: skip
OPEN_LOOP, TRANSCUTANEOUS, DECODED = "ecap_closed_loop", "transcutaneous_stimulation", "stride_stimulation"
"""Two systems without a decoder, whose lives begin at once, and one whose decoder says when current flows."""
COUNTED = "every charge is counted"


def flowing(*currents):
    """Currents of the first channels, mA; of the others none flows."""
    return (*currents, *(0.0,) * (len(CHANNELS) - len(currents)))


@pytest.mark.parametrize("signed_ma", [None, 1.5])
def test_a_current_above_the_lesser_of_approved_and_signed_is_found_and_none_up_to_it(signed_ma):
    stimulation, most = STIMULATION, CHANNELS[0].approved_ma
    if signed_ma is not None:
        (limits,) = STIMULATION.example
        most = signed_ma
        stimulation = replace(
            STIMULATION, example=(replace(limits, limits={**limits.limits, "current_ma": signed_ma}),)
        )
    current = Current(stimulation)
    assert list(current.flows(flowing(most), at_s=1.0)) == []
    ((rule, why),) = current.flows(flowing(most + 0.01), at_s=1.1)
    assert (rule, CHANNELS[0].name in why) == (SIGNED, True)


def test_a_ceiling_holds_after_the_delay_of_the_link_and_the_ramp_and_until_another_engine_begins():
    current, late_s = Current(STIMULATION), STIMULATION.programme.latency_s + STIMULATION.programme.release_s
    current.ceiling(0, 0.5, at_s=10.0)
    assert list(current.flows(flowing(1.0), at_s=10.0 + late_s)) == []
    assert list(current.flows(flowing(0.5), at_s=20.0)) == []
    assert [rule for rule, _ in current.flows(flowing(1.0), at_s=10.1 + late_s)] == [CEILING]
    current.begins()
    assert list(current.flows(flowing(1.0), at_s=21.0)) == []


def test_a_charge_of_which_less_is_counted_than_flowed_is_found():
    current, one = Current(STIMULATION), CHANNELS[0]
    for step in range(11):
        assert list(current.flows(flowing(1.0), at_s=0.1 * step)) == []
    borne = one.width_us / 1000.0 * one.rate_hz
    places = [(one.lead, contact) for contact in (one.cathodes[0], one.anodes[0])]
    assert {place: pytest.approx(borne) for place in places} == {
        place: current.least_uc[place] for place in places
    }
    assert current.forgotten(dict.fromkeys(places, 1.001 * borne)) == []
    (why,) = current.forgotten({places[0]: 1.001 * borne, places[1]: 0.9 * borne})
    assert why.startswith(f"{one.lead} {places[1][1]}: {borne:.1f} µC flowed")
    assert len(current.forgotten({})) == 2


def test_what_flowed_while_a_stimulator_said_nothing_is_not_guessed():
    current = Current(STIMULATION)
    for at_s in (0.0, 2.0):
        list(current.flows(flowing(1.0), at_s=at_s))
    list(current.flows(flowing(0.0), at_s=2.5))
    assert not any(current.least_uc.values())


def watching():
    """Who sees a stimulator, and the world's clock."""
    scheduler = VirtualWorld(1).scheduler
    return scheduler, Watcher(scheduler, effector=control.load("epidural"), stimulation=STIMULATION)


@pytest.mark.parametrize(("seconds", "found"), [(1.7, []), (1.8, [UNSUPPORTED])])
def test_a_current_that_outlasts_its_support_is_found(seconds, found):
    # 0.25 s without orders, 1 s of ramp, 0.25 s of radio, two statuses.
    scheduler, watcher = watching()
    watcher.supported("Chen")
    watcher.supported("")
    scheduler.now = round(seconds * NS)
    watcher._order_at = watcher.now
    watcher._status({"level": [0.25], "state": "following", "stimulator": {"delivered_ma": flowing(1.0)}})
    assert [broken.rule for broken in watcher.broken] == found
    watcher.supported("Lin")
    scheduler.now += 10 * NS
    watcher._order_at = watcher.now
    watcher._status({"level": [0.25], "state": "following", "stimulator": {"delivered_ma": flowing(1.0)}})
    assert [broken.rule for broken in watcher.broken] == found


def test_a_stimulator_may_keep_no_current_while_nothing_is_armed():
    scheduler, watcher = watching()
    scheduler.now = NS
    watcher._order({"action": "hold", "level": [0.5], "state": "FAULT_SAFE"})
    scheduler.now = round(1.3 * NS)
    watcher._order({"action": "hold", "level": [0.5], "state": "FAULT_SAFE"})
    assert [broken.rule for broken in watcher.broken] == ["no order without arming"]


@pytest.fixture(scope="module")
def stimulating(tmp_path_factory):
    """A study with limits in force, of a system whose plan says when current flows."""
    return template(tmp_path_factory.mktemp("stimulating"), system=OPEN_LOOP)


@pytest.mark.job
def test_a_quiet_session_that_stimulates_breaks_no_rule_and_its_current_is_counted(stimulating):
    life = Life(QUIET, seconds=8.0, template=stimulating)
    assert life.live().broken == ()
    assert max(life.watcher.current.least_uc.values()) > 1.0


@pytest.mark.job
def test_a_charge_that_the_record_forgets_is_found_in_a_life(stimulating, monkeypatch):
    monkeypatch.setattr("workbench.simulation.life.charge_of_today", lambda folder, *, participant: {})
    lived = Life(QUIET, seconds=8.0, template=stimulating).live()
    assert [broken.rule for broken in lived.broken] == [COUNTED]


@pytest.mark.job
def test_a_stimulator_that_delivers_more_than_was_signed_is_found_in_a_life(stimulating, monkeypatch):
    real = StimulatorModel.delivered_ma
    monkeypatch.setattr(
        StimulatorModel, "delivered_ma", lambda self, now: tuple(3.0 * one for one in real(self, now))
    )
    lived = Life(QUIET, seconds=8.0, template=stimulating).live()
    assert SIGNED in {broken.rule for broken in lived.broken}


@pytest.mark.job
@pytest.mark.parametrize("stroke", ["kill engine when moved", "freeze engine when moved", "power loss when moved"])
def test_a_stroke_while_current_flows_breaks_no_rule(stimulating, stroke):
    life = Life(201, seconds=20.0, template=stimulating, strokes=((1.0, stroke),))
    assert life.live().broken == ()
    assert max(life.watcher.current.least_uc.values()) > 0.0


@pytest.mark.job
@pytest.mark.parametrize(
    ("system", "seed"), [(OPEN_LOOP, 500014), (TRANSCUTANEOUS, 510015), (TRANSCUTANEOUS, 510042)]
)
def test_lives_in_which_a_symptom_was_forgotten_or_a_cut_run_was_not_taken_in_break_no_rule(
    tmp_path, system, seed
):
    assert Life(seed, seconds=20.0, template=template(tmp_path, system=system)).live().broken == ()


@pytest.mark.release
@pytest.mark.parametrize("seed", [201, 210])
def test_a_life_in_which_a_decoder_says_when_current_flows_breaks_no_rule(tmp_path, seed):
    life = Life(seed, seconds=20.0, template=template(tmp_path, system=DECODED))
    assert life.live().broken == ()
    assert max(life.watcher.current.least_uc.values()) > 1.0
