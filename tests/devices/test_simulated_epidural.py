"""A simulated epidural stimulator: its radio, contacts, coil, battery and warmth, and how it becomes safe."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench.devices import simulated_epidural
from workbench.devices._stimulator import StimulatorModel, programme_of
from workbench.errors import BadValue

PROGRAMME, SETTINGS = simulated_epidural.PROGRAMME, simulated_epidural.SETTINGS


def stimulator(*, seed=1, broken=(), **settings):
    model = StimulatorModel(PROGRAMME, replace(SETTINGS, **settings), channels=8, seed=seed, broken=broken)
    model.tick(0.0)
    assert model.begin(0.0)
    return model


def order(seq, level, *, action="close", ramp_ms=100):
    levels = [level] + [0.0] * 7
    return {"seq": seq, "profile": "ees", "action": action, "level": levels, "ramp_ms": ramp_ms, "ttl_ms": 250}


def keep(model, since, until, *, seq=1000):
    """Heartbeats, so that its time to live is no matter; the acknowledgements of everything else."""
    answers, now = [], since
    while now < until:
        now = round(now + 0.05, 9)
        seq += 1
        answers += model.receive(order(seq, 0.0, action="heartbeat"), now)
    return [answer for answer in answers if answer.code != "heartbeat"]


def test_an_order_takes_effect_after_the_radio_and_its_ramp():
    model = stimulator(delay_spread=0.0, loss=0.0)
    model.receive(order(1, 0.5), 0.0)
    keep(model, 0.0, 0.1)
    assert model.level(0.11) == 0.0
    (answer,) = keep(model, 0.1, 0.3, seq=2000)
    assert (answer.status, answer.applied_level[:2]) == ("ok", (0.5, 0.0))
    assert answer.effective == pytest.approx(0.22, abs=0.01)
    assert model.delivered_ma(0.3) == (2.0, *(0.0,) * 7)


def test_one_order_in_so_many_is_lost_and_a_stop_never_is():
    model = stimulator(loss=1.0)
    assert model.receive(order(1, 1.0), 0.0) == []
    (answer,) = model.receive(order(2, 0.0, action="stop"), 0.1)
    assert (answer.status, model.state, model.locked) == ("ok", "stopped", True)


def test_a_stop_cuts_the_current_at_once():
    model = stimulator(loss=0.0)
    model.receive(order(1, 1.0), 0.0)
    keep(model, 0.0, 0.5)
    assert model.level(0.5) == 1.0
    model.receive(order(2, 0.0, action="stop"), 0.5)
    assert model.delivered_ma(0.5) == (0.0,) * 8


def test_without_orders_it_ramps_down_in_a_second_by_itself_and_stays_locked():
    model = stimulator(loss=0.0)
    model.receive(order(1, 1.0), 0.0)
    keep(model, 0.0, 0.5)
    for now in (0.76, 1.2, 1.3):
        model.tick(now)
    assert 0.3 < model.level(1.3) < 0.7
    model.tick(1.8)
    assert (model.level(1.8), model.state, model.locked) == (0.0, "safe", True)


def test_orders_that_come_faster_than_the_radio_each_take_effect_in_their_turn_with_their_own_answer():
    model = stimulator(delay_s=0.2, delay_spread=0.0, loss=0.0)
    answers = []
    for n in range(8):
        answers += model.receive(order(n + 1, (n + 1) / 10, ramp_ms=0), 0.05 * n)
    # A little more than 0.35 s after the first one, that of 0.15 s has arrived.
    answers += model.tick(0.36)
    assert model.level(0.36) == pytest.approx(0.4)
    answers += keep(model, 0.36, 0.6)
    assert [(answer.seq, answer.status, answer.code) for answer in answers] == [(n, "ok", "") for n in range(1, 9)]
    assert [answer.effective for answer in answers] == pytest.approx([0.2 + 0.05 * n for n in range(8)])
    assert [answer.applied_level[0] for answer in answers] == pytest.approx([n / 10 for n in range(1, 9)])


def test_an_order_never_overtakes_the_one_before_it():
    model = stimulator(delay_spread=2.0, loss=0.0)
    answers = []
    for n in range(30):
        answers += model.receive(order(n + 1, (n % 7 + 1) / 10, ramp_ms=0), 0.02 * n)
    answers += keep(model, 0.6, 8.0)
    assert [answer.seq for answer in answers] == list(range(1, 31))
    assert model.level(8.0) == pytest.approx(0.2)


def test_the_share_of_a_channel_changes_when_its_order_begins_and_not_as_it_arrives():
    model = stimulator(delay_spread=0.0, loss=0.0)
    model.receive(order(1, 0.5, ramp_ms=0), 0.0)
    keep(model, 0.0, 0.3)
    model.receive({**order(2000, 0.0, ramp_ms=0), "level": [0.0, 0.5] + [0.0] * 6}, 0.3)
    assert model.applied(0.4)[:2] == (0.5, 0.0)
    keep(model, 0.4, 0.5, seq=3000)
    assert model.applied(0.5)[:2] == (0.0, 0.5)


@pytest.mark.parametrize("end", ["stop", "lapse", "lost", "begin"])
def test_what_is_on_its_way_never_begins_after_a_stop_a_lost_link_or_another_session(end):
    model = stimulator(delay_s=0.2, delay_spread=0.0, loss=0.0)
    model.receive(order(1, 0.5, ramp_ms=0), 0.0)
    model.receive({**order(2, 1.0, ramp_ms=0), "ttl_ms": 80}, 0.1)
    answers = []
    if end == "stop":
        answers = model.receive(order(3, 0.0, action="stop"), 0.15)
    elif end == "lost":
        answers = model.lose_link(0.15)
    elif end == "begin":
        assert model.begin(0.15)
    else:
        answers = model.tick(0.25)
    statuses = {"stop": ("ok", "superseded"), "lost": ("timeout", "link_lost"), "lapse": ("timeout", "link_lost")}
    assert end == "begin" or [(a.seq, a.status, a.code) for a in answers if a.seq < 3] == (
        [(1, *statuses[end]), (2, *statuses[end])]
    )
    highest = 0.0
    for now in range(25, 300, 5):
        model.tick(now / 100)
        highest = max(highest, model.level(now / 100))
    assert highest == 0.0


ACTS = st.one_of(
    st.tuples(st.just("close"), st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])),
    st.tuples(st.sampled_from(["close", "wait"]), st.floats(0.0, 1.0)),
    st.tuples(st.sampled_from(["release", "stop", "lost", "begin"]), st.just(0.0)),
)


def has_ended(model):
    """Whether a stop or a lost link ended what flowed; a new session keeps the state until its first order."""
    return model.locked and model.state in ("venting", "stopped")


@settings(max_examples=examples(200))
@given(acts=st.lists(st.tuples(ACTS, st.sampled_from([0.0, 10.0, 100.0])), max_size=40), seed=st.integers(0, 99))
def test_whatever_is_ordered_and_lost_nothing_above_it_flows_and_after_a_stop_it_only_falls(acts, seed):
    model = stimulator(seed=seed, delay_spread=1.0, loss=0.1)
    now, ended, highest = 0.0, False, 0.0
    for seq, ((act, value), ramp_ms) in enumerate(acts, start=1):
        if act == "close":
            model.receive(order(seq, value, ramp_ms=ramp_ms), now)
            highest = max(highest, value)
        elif act in ("release", "stop"):
            model.receive(order(seq, 0.0, action=act, ramp_ms=ramp_ms), now)
            assert act == "release" or model.level(now) == 0.0
        elif act == "lost":
            model.lose_link(now)
        elif act == "begin" and model.begin(now):
            ended, highest = False, 0.0
        ended = ended or has_ended(model)
        last = model.level(now)
        for _ in range(round(30 * value) if act == "wait" else 2):
            now = round(now + 0.01, 9)
            model.tick(now)
            level = model.level(now)
            assert level <= highest + 1e-9
            assert not (ended and level > last + 1e-9)
            last, ended = level, ended or has_ended(model)


def test_contacts_are_measured_and_a_broken_one_delivers_nothing_and_is_said():
    model = stimulator(loss=0.0, broken=(("lead", 0),))
    said = model.telemetry(0.0)["stimulator"]
    ohm = {(lead, contact): value for lead, contact, value in said["ohm"]}
    assert len(ohm) == 16
    assert ohm["lead", 0] == 1_000_000
    assert all(400 < value < 2000 for place, value in ohm.items() if place != ("lead", 0))
    model.receive(order(1, 1.0), 0.0)
    (answer,) = keep(model, 0.0, 0.5)
    assert answer.status == "clipped"
    assert answer.applied_level[0] < 0.01
    assert model.telemetry(0.5)["stimulator"]["delivered_ma"][0] == pytest.approx(0.012)


def test_a_weaker_coil_limits_the_current_and_one_that_falls_off_ends_it_and_locks():
    weak = stimulator(loss=0.0, coupling=0.2)
    weak.receive(order(1, 1.0), 0.0)
    (answer,) = keep(weak, 0.0, 0.5)
    assert (answer.status, 0.3 < answer.applied_level[0] < 0.9) == ("clipped", True)
    off = stimulator(loss=0.0, coil_off_s=0.6)
    off.receive(order(1, 1.0), 0.0)
    keep(off, 0.0, 0.55)
    assert off.level(0.55) == 1.0
    off.tick(0.61)
    assert (off.level(0.61), off.locked) == (0.0, True)
    assert off.telemetry(0.61)["stimulator"]["coupling"] == 0.0


def test_a_battery_is_used_by_what_is_delivered_and_an_empty_one_ends_it():
    model = stimulator(loss=0.0, battery_uc=20.0)
    model.receive(order(1, 1.0), 0.0)
    keep(model, 0.0, 0.4)
    assert 0.0 < model.battery < 1.0
    keep(model, 0.4, 1.5, seq=3000)
    assert (model.battery, model.level(1.5), model.locked) == (0.0, 0.0, True)


def test_an_implant_warms_with_its_output_and_says_so():
    model = stimulator(loss=0.0)
    model.receive(order(1, 1.0), 0.0)
    keep(model, 0.0, 2.0)
    assert 37.0 < model.temperature_c < 38.5
    ((lead, net_dc_na, temperature_c),) = model.telemetry(2.0)["stimulator"]["leads"]
    # 1.2 µC a phase, of which one in two thousand stays, 40 times a second.
    assert (lead, net_dc_na, temperature_c > 37.0) == ("lead", pytest.approx(24.0), True)


def test_a_stimulator_that_is_out_of_order_says_what_it_delivers():
    model = stimulator(loss=0.0, gain=1.5)
    model.receive(order(1, 0.5), 0.0)
    (answer,) = keep(model, 0.0, 0.5)
    assert answer.applied_level[0] == pytest.approx(0.75)


def test_it_holds_another_programme_where_it_is_told_to_and_refuses_one_that_is_none():
    channel = {
        "name": "hip", "electrode": "paddle-16", "lead": "lead", "cathodes": [1], "anodes": [2],
        "approved_ma": 2.0, "width_us": 200.0, "rate_hz": 30.0,
    }  # fmt: skip
    other = programme_of({"programme": [channel]}, PROGRAMME)
    assert [one.name for one in other.channels] == ["hip"]
    assert other.sha256 != PROGRAMME.sha256
    assert programme_of({}, PROGRAMME) is PROGRAMME
    with pytest.raises(BadValue, match="a programme is a list of channels"):
        programme_of({"programme": [{"name": "hip"}]}, PROGRAMME)


@pytest.mark.parametrize(("name", "value"), [("loss", 1.5), ("battery", -0.1), ("coupling", float("nan"))])
def test_what_no_stimulator_is_is_refused(name, value):
    with pytest.raises(BadValue, match=f"{name} of a simulated stimulator must be 0 to"):
        replace(SETTINGS, **{name: value})
