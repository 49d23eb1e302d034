"""Five streams of one body: the same in any blocks, after cues, under a stimulator's statuses, over visits."""

from __future__ import annotations

import itertools
import json
import os
import stat
import uuid

import numpy as np
import pytest

from workbench import devices
from workbench.control import EcapLaw, EcapState, next_pulse
from workbench.devices import lsl, simulated_epidural, simulated_fes, simulated_spinal_participant
from workbench.devices._last_metre import DeviceEnd, EngineEnd
from workbench.devices._listening import Inbox, Listener
from workbench.devices._pairing import pairing
from workbench.devices._stimulator import StimulatorModel
from workbench.devices.simulated_spinal_participant import STREAMS, Participant, felt, specs
from workbench.errors import BadValue
from workbench.physiology import MUSCLES, Body, Input, Person, Train, model_sha256
from workbench.signals.ecap import amplitude_of
from workbench.vocabulary import StreamSpec

LOOP = {
    "closed": "on", "open": "off", "target_uv": 50.0, "gain": 0.005, "least_ma": 0.0, "most_ma": 7.0,
    "step_ma": 0.3, "threshold_ma": 3.0, "noise_uv": 4.0,
}  # fmt: skip
QUIET = {"seed": 4, "residual": 0.4, "spasms_per_h": 0.0}


def test_a_contract_line_for_each_stream_with_rate_unit_and_role():
    lines = specs({"source_id": "s"})
    assert [(line.role, line.fs, line.unit, line.source_id) for line in lines] == [
        ("signal", 2000.0, "uV", "s"),
        ("ecap", 50.0, "uV", "s-ecap"),
        ("joints", 100.0, "deg", "s-joints"),
        ("imu", 100.0, "deg/s", "s-imu"),
        ("pressure", 2.0, "mmHg", "s-bp"),
    ]
    assert lines[0].measured == MUSCLES
    assert lines[4].measured == ("systolic", "diastolic")
    first = specs({"source_id": "s", "signal": "ecap"})
    assert [(line.role, line.source_id) for line in first[:2]] == [("emg", "s-emg"), ("signal", "s")]
    assert (len(first[1].measured), first[1].unmeasured) == (48, ("pulse_ma",))
    with pytest.raises(BadValue, match="simulated_spinal_participant must be one of emg, ecap, imu, got 'x'"):
        specs({"source_id": "s", "signal": "x"})
    with pytest.raises(BadValue, match="simulated_spinal_participant needs the option source_id"):
        specs({})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"person": 3}, "person is a table of fields or the path of a TOML file, got 3"),
        ({"person": {"grade": "X"}}, "grade of a simulated person must be"),
        ({"conditions": {"T1": "left ear"}}, "condition 'T1' must map to walk or left quadriceps or .*'left ear'"),
        ({"conditions": ["walk"]}, "conditions of simulated_spinal_participant must be a table, got"),
        ({"dorsal_ma": "3"}, "dorsal_ma of simulated_spinal_participant must be a number, got '3'"),
        ({"loop": {"closed": "a"}}, "a loop is a table with closed, open and the fields of an ECAP law"),
        ({"loop": {**LOOP, "open": LOOP["closed"]}}, "a loop needs two different channels"),
        ({"loop": {**LOOP, "gain": 0.0}}, "target, gain, step, noise, width and charge must be above 0"),
        (
            {"postures": {"a": [["sitting", 0.0]]}},
            "postures of simulated_spinal_participant must be a table of lists",
        ),
        (
            {"postures": {"a": [[-1.0, "sitting"]]}},
            "postures of simulated_spinal_participant must be a table of lists",
        ),
        ({"support": 2}, "efforts, stimulation and support are 0 to 1"),
        ({"stimulator": "key", "effector": "glove"}, "feels epidural, fes, not 'glove'|feels .*epidural"),
    ],
)
def test_what_it_cannot_be_asked_for_is_refused_before_it_starts(options, sentence):
    with pytest.raises(BadValue, match=sentence):
        Participant(options)


def asked(participant, order, seconds, block_s):
    """Samples of every stream, asked for in blocks and in this order of streams."""
    lines = dict(zip(STREAMS, specs({"source_id": "s"}), strict=True))
    got = {name: [] for name in STREAMS}
    for k in range(round(seconds / block_s)):
        for name in order:
            first, last = (round(n * block_s * lines[name].fs) for n in (k, k + 1))
            got[name].append(participant.samples(name, first, last - first))
    return {name: np.concatenate(parts) for name, parts in got.items()}


def test_any_blocks_and_any_order_of_streams_give_the_same_samples():
    def run(order, block_s):
        participant = Participant({"person": QUIET, "support": 0.4})
        participant.cue(0.5, "walk", 1.0)
        return asked(participant, order, 2.0, block_s)

    one, other = run(STREAMS, 0.5), run(STREAMS[::-1], 0.02)
    assert {name: len(rows) for name, rows in one.items()} == {
        "emg": 4000, "ecap": 100, "kinematics": 200, "shanks": 200, "pressure": 4,
    }  # fmt: skip
    for name in STREAMS:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    assert one["shanks"][:45].std() < 4.0 < one["shanks"][80:140].std()


def test_a_cue_asks_for_a_muscle_until_its_end_and_a_later_one_is_not_cut_by_the_end_of_the_one_before():
    participant = Participant({"person": QUIET, "conditions": {"kick": "left quadriceps"}})
    participant.cue(0.5, "kick", 2.0)
    participant.cue(1.5, "right tibialis anterior", 0.0)
    emg = participant.samples("emg", 0, 7000)
    left, right = emg[:, 0], emg[:, MUSCLES.index("right tibialis anterior")]
    sizes = [[wave[a:b].std() for a, b in ((0, 900), (1600, 2900), (4200, 7000))] for wave in (left, right)]
    assert sizes[0][1] > 5 * sizes[0][0]
    assert sizes[0][2] < 2 * sizes[0][0]
    assert sizes[1][2] > 5 * sizes[1][0]
    assert sizes[1][1] < 2 * sizes[1][0]


def test_what_a_stimulator_delivers_is_felt_at_its_contacts_and_muscles():
    epidural, fes = simulated_epidural.PROGRAMME, simulated_fes.PROGRAMME
    trains = felt("epidural", epidural, (0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0))["trains"]
    assert trains == (Train(2, 2.0, 40.0, 300.0), Train(14, 3.0, 40.0, 300.0))
    assert felt("fes", fes, (30.0, 0.0, 60.0, 60.0, 0.0, 0.0, 0.0, 0.0)) == {
        "muscles": {"left quadriceps": 0.5, "left tibialis anterior": 1.0}
    }


class Flowing:
    """Stands where statuses of a stimulator arrive: what may flow on each channel, mA."""

    def __init__(self):
        self.flowing_ma = {}

    def fields(self):
        return {"trains": ()}


def looped(**more):
    """A participant with a sensing stimulator, and what may flow on its channels."""
    participant = Participant({"person": QUIET, "loop": {**LOOP, **more}, "postures": {"lie": [[0.0, "lying"]]}})
    participant._stimulator = flowing = Flowing()
    return participant, flowing


def pulses(participant, first, n):
    """Current of each pulse, mA, and amplitude of its response, µV."""
    rows = participant.samples("ecap", first, n)
    return rows[:, -1], np.array([amplitude_of(row[:-1], fs=16_000.0, noise=3.0) for row in rows])


def test_a_loop_holds_the_response_when_the_posture_changes_and_an_open_one_keeps_its_current():
    errors = {}
    for channel in ("on", "off"):
        participant, flowing = looped()
        participant.samples("ecap", 0, 5)
        flowing.flowing_ma = {channel: 7.0}
        found, _ = pulses(participant, 5, 60)
        participant.cue(65 / 50.0, "lie", 0.0)
        lying, amplitudes = pulses(participant, 65, 120)
        errors[channel] = np.abs(amplitudes[60:] - 50.0).mean()
        assert found[:1] == 0.0
        assert (np.unique(lying).size == 1) is (channel == "off")
    assert errors["on"] < 12.0
    assert errors["off"] > 3.0 * errors["on"]


def test_no_pulse_passes_what_may_flow_and_none_is_given_without_it():
    participant, flowing = looped()
    flowing.flowing_ma = {"on": 2.0}
    given, _ = pulses(participant, 0, 60)
    assert given.max() == 2.0
    flowing.flowing_ma = {"on": 0.0}
    after, _ = pulses(participant, 60, 20)
    assert not after[6:].any()
    # The loop has wound up nothing below the ceiling: it begins again from its least current.
    flowing.flowing_ma = {"on": 7.0}
    again, _ = pulses(participant, 80, 20)
    assert np.diff(again).max() <= LOOP["step_ma"] + 1e-9


def test_the_loop_can_be_computed_again_from_what_the_stream_carries():
    participant, flowing = looped()
    flowing.flowing_ma = {"on": 7.0}
    rows = participant.samples("ecap", 0, 80).astype(np.float32)
    law = EcapLaw(**{key: value for key, value in LOOP.items() if key not in ("closed", "open")})
    state = EcapState(0.0)
    for row, following in itertools.pairwise(rows[6:]):
        state = next_pulse(
            law, EcapState(float(row[-1]), state.lost), amplitude_of(row[:-1], fs=16_000.0, noise=3.0)
        )
        assert following[-1] == pytest.approx(state.current_ma, abs=1e-5)


def test_pulses_on_the_dorsal_columns_are_felt_by_no_root_of_the_legs():
    programme, currents = simulated_epidural.PROGRAMME, (2.0, *(0.0,) * 6, 3.0)
    assert felt("epidural", programme, currents, apart=("left trunk",))["trains"] == (Train(14, 3.0, 40.0, 300.0),)


def test_the_state_goes_on_over_visits_in_a_file_of_its_own(tmp_path):
    path = tmp_path / "state.json"
    options = {"person": QUIET, "state_path": str(path), "conditions": {"kick": "left quadriceps"}}
    first = Participant(options)
    first.cue(0.0, "kick", 0.0)
    first.samples("emg", 0, 6000)
    first.close()
    again, later = Participant(options), Participant({**options, "days": 7})
    assert again.body.state == first.body.state
    assert again.body.state.lived_s >= 3.0
    assert (later.body.state.visit, later.body.state.day, later.body.state.lived_s) == (1, 7.0, 0.0)
    assert later.body.state.practised_h == first.body.state.practised_h > 0.0
    with pytest.raises(BadValue, match="the state belongs to another person"):
        Participant({**options, "person": {**QUIET, "seed": 5}})


def test_it_feels_the_current_that_a_signed_status_tells_and_no_forged_one(tmp_path):
    paired = pairing(tmp_path, "epidural")
    model = StimulatorModel(simulated_epidural.PROGRAMME, simulated_epidural.SETTINGS, channels=8, seed=1)
    model.tick(0.0)
    telemetry = model.telemetry(0.0)["stimulator"]
    participant = Participant({"person": QUIET, "stimulator": str(paired.path)})
    spec = StreamSpec("wb-status", "DeviceStatus", 0.0, source_id=paired.source_id("status"), role="aux")
    outlet = lsl.Outlet(spec)
    try:
        assert outlet.wait_for_receiver(10)
        n = 0

        def pulses_until(key, ma, *, want):
            """Push statuses with this current until the EMG has as many pulses a tenth of a second, or 5 s."""
            nonlocal n
            end, device = lsl.local_clock() + 5.0, DeviceEnd(key, "epidural")
            found = -1.0
            while found != want and lsl.local_clock() < end:
                said = {**telemetry, "delivered_ma": [ma] + [0.0] * 7}
                outlet.push_text(device.status({"stimulator": said}, now=0.0), lsl.local_clock())
                participant._stimulator._inbox._arrived.wait(0.2)
                found = participant.samples("emg", n, 200)[:, -1].sum()
                n += 200
            return found

        assert pulses_until(paired.key(), 3.0, want=4.0) == 4.0
        # Nobody without the key ends it.
        forger = DeviceEnd(bytes(32), "epidural")
        said = {**telemetry, "delivered_ma": [0.0] * 8}
        outlet.push_text(forger.status({"stimulator": said}, now=0.0), lsl.local_clock())
        assert participant._stimulator._inbox._arrived.wait(5.0)
        assert participant.samples("emg", n, 400)[:, -1].sum() == pytest.approx(8.0, abs=1)
        n += 400
        assert pulses_until(paired.key(), 0.0, want=0.0) == 0.0
    finally:
        participant.close()
        outlet.close()


@pytest.mark.parametrize("option", ["truth_path", "state_path"])
def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(tmp_path, option):
    path = tmp_path / "nowhere" / "file"
    said = f"{option} of simulated_spinal_participant cannot be written: {path}, No such file"
    with pytest.raises(BadValue, match=said):
        Participant({"source_id": "x", option: str(path)}).close()


def words(value):
    """Every text and number of nested mappings and sequences, as text."""
    if isinstance(value, dict):
        return [w for key, v in value.items() for w in (str(key), *words(v))]
    return [w for v in value for w in words(v)] if isinstance(value, list | tuple) else [str(value)]


def test_ground_truth_stays_in_its_process_and_its_file_and_is_in_no_stream(tmp_path):
    key, truth = uuid.uuid4().hex, tmp_path / "truth.jsonl"
    seed = 48_151_623_42
    options = {"source_id": key, "speed": 4, "person": {"seed": seed, "residual": 0.5, "spasms_per_h": 0.0},
               "cue_source_id": f"{key}-cues", "truth_path": str(truth), "support": 0.5}  # fmt: skip
    cues = lsl.Outlet(StreamSpec("test-cues", "Markers", 0.0, source_id=f"{key}-cues", role="markers"))
    player = devices.start("simulated_spinal_participant", options)
    try:
        assert player.pid != os.getpid()
        inlets = lsl.resolve(player.streams)
        assert cues.wait_for_receiver(10)
        now = player.info["t0"] + (lsl.local_clock() - player.info["t0"]) * 4.0
        cues.push_text(json.dumps({"kind": "cue", "label": "walk", "stamp": now, "duration_s": 0.0}), now)
        steps, moved = [], np.zeros((0, 2))
        end = lsl.local_clock() + 20.0
        shanks = next(inlet for inlet in inlets.values() if inlet.seen.source_id.endswith("-imu"))
        while len(steps) < 3 and lsl.local_clock() < end:
            moved = np.concatenate([moved, shanks.pull(0.5)[0]])
            rows = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
            steps = [row["step"] for row in rows if "step" in row]
        assert len(steps) >= 3
        assert np.abs(moved).max() > 60.0
        for inlet in inlets.values():
            assert inlet.seen.extra["model_sha256"] == model_sha256()
            assert inlet.seen.extra["person_sha256"] == Person(**options["person"]).sha256
            said = set(words([dict(inlet.seen.header), dict(inlet.seen.extra), list(inlet.seen.channels)]))
            assert str(seed) not in said
            assert not said & {"residual", "truth_path", str(truth), "effort", "drive", "steps", "spasms"}
            inlet.close()
        assert str(seed) not in json.dumps(dict(player.info))
    finally:
        devices.stop(player)
        cues.close()
    assert stat.S_IMODE(truth.stat().st_mode) == 0o600
    assert json.loads(truth.read_text(encoding="utf-8").splitlines()[0])["seed"] == seed


def test_streams_carry_what_amplifiers_record_and_nothing_else_of_the_body():
    participant = Participant({"person": QUIET})
    got = asked(participant, STREAMS, 1.0, 0.5)
    signals = Body(Person(**QUIET))
    signals.feel(Input())
    same = signals.step(1.0)
    sweeps = np.column_stack([same.ecap, np.zeros(len(same.ecap))])
    recorded = (np.column_stack([same.emg, same.pulses]), sweeps, same.kinematics, same.shanks, same.pressure)
    for name, rows in zip(STREAMS, recorded, strict=True):
        np.testing.assert_array_equal(got[name], rows)
    assert simulated_spinal_participant.DEVICE.simulated


@pytest.mark.job
def test_in_three_processes_the_current_that_an_engine_orders_reaches_the_legs_and_ends_with_it(tmp_path):
    paired, key = pairing(tmp_path, "epidural"), uuid.uuid4().hex
    engine, inbox = EngineEnd(paired.key(), "epidural"), Inbox()
    outlet = lsl.Outlet(StreamSpec("wb-commands", "Commands", 0.0, source_id=paired.source_id("commands")))
    listener = Listener([paired.source_id("acks"), paired.source_id("status")], inbox.put)
    legs = {"source_id": key, "person": QUIET, "stimulator": str(paired.path)}
    started = [
        devices.start("simulated_epidural", {"pairing": str(paired.path), "loss": 0.0}),
        devices.start("simulated_spinal_participant", legs),
    ]
    (emg,) = lsl.resolve([stream for stream in started[1].streams if stream.source_id == key]).values()
    try:
        end, rates, ordered, seq = lsl.local_clock() + 30.0, [], 0.0, 0
        while lsl.local_clock() < end and not (ordered and rates and rates[-1] > 0):
            for _, text in inbox.take(0.05):
                engine.receive(text)
            if not engine.session and engine.has_offer:
                outlet.push_text(engine.hello({"speed": 1.0, "t0": lsl.local_clock()}), lsl.local_clock())
            elif engine.session:
                seq += 1
                order = {
                    "seq": seq,
                    "profile": "ees",
                    "action": "close",
                    "level": [0.5] + [0.0] * 7,
                    "ramp_ms": 50,
                }
                for text in engine.command({**order, "ttl_ms": 1000}):
                    outlet.push_text(text, lsl.local_clock())
                ordered = lsl.local_clock()
            rates.append(emg.pull(0.02)[0][:, -1].sum())
        assert rates[-1] > 0
        assert not any(rates[:3])
        # Without another order the device makes itself safe, and the legs feel nothing.
        quiet_since = None
        while lsl.local_clock() < end and (quiet_since is None or lsl.local_clock() - quiet_since < 1.0):
            pulses = emg.pull(0.1)[0][:, -1].sum()
            quiet_since = None if pulses else quiet_since or lsl.local_clock()
        assert quiet_since is not None
        assert quiet_since > ordered
    finally:
        emg.close()
        for player in reversed(started):
            devices.stop(player)
        listener.close()
        outlet.close()
