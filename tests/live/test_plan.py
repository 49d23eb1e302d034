"""The session plan: stored as text, refused when it contradicts itself."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from workbench.engine.events import EventLog
from workbench.engine.inlets import Arrival
from workbench.engine.intake import texts_of
from workbench.engine.ledger import Ledger
from workbench.engine.players import player_options
from workbench.engine.signal_monitor import SignalMonitor
from workbench.engine.streams import Streams
from workbench.errors import BadValue
from workbench.live import SessionPlan
from workbench.signals.units import montage_of
from workbench.vocabulary import StreamSpec

ECOG = StreamSpec("ecog", "ECoG", 1000.0, ("a", "b"), source_id="s1")
MARKERS = StreamSpec("texts", "Markers", 0.0, source_id="s2", role="markers", critical=False)


def plan_with(**changes):
    usual = {
        "study_folder": "study",
        "study": "S",
        "participant": "P1",
        "visit": "V1",
        "session_id": "abc",
        "operator": "Chen",
        "contract": (ECOG, MARKERS),
    }
    return SessionPlan(**(usual | changes))


def test_a_plan_comes_back_from_its_text():
    plan = plan_with(
        effector="glove",
        players=({"device": "simulated_glove", "options": {"loss": 0.5}},),
        speed=4.0,
        cue_source="stream",
        labels={"T1": "hands"},
        waived={"texts": "not connected"},
        peers=("amp-pc",),
        setup={"site": "ward", "sha256": "ab"},
    )
    assert SessionPlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"operator": " "}, "operator"),
        ({"contract": (MARKERS,)}, "one stream with the role 'signal'"),
        ({"contract": (ECOG, dataclasses.replace(ECOG, name="b"))}, "one stream with the role 'signal'"),
        ({"contract": (dataclasses.replace(ECOG, critical=False),)}, "must be critical"),
        ({"speed": 0.0}, "speed"),
        ({"cue_source": "browser"}, "cue_source"),
        ({"cue_source": "stream", "contract": (ECOG,)}, "role 'markers'"),
        ({"waived": {"texts": ""}}, "no reason"),
        ({"transport": "udp"}, "transport"),
        ({"setup": {"site": "ward"}}, "sha256, as it was saved"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(changes, words):
    with pytest.raises(BadValue, match=words):
        plan_with(**changes)


@pytest.mark.parametrize("text", ["", "[]", '{"speed": 1}', '{"contract": 3}'])
def test_a_text_that_is_no_plan_is_refused(text):
    with pytest.raises(BadValue, match="no session plan"):
        SessionPlan.from_json(text)


def test_an_unknown_entry_is_named():
    with pytest.raises(BadValue, match="'colour'"):
        SessionPlan.from_json(plan_with().to_json().replace("{", '{"colour": 1,', 1))


def test_players_get_the_sessions_own_streams_and_only_options_they_know():
    plan = plan_with(speed=3.0, seed=7)
    assert player_options(plan, {"device": "simulated_glove"}) == {
        "speed": 3.0,
        "seed": 7,
    }
    stated = player_options(plan, {"device": "simulated_participant", "options": {"seed": 1, "source_id": "x"}})
    streams = {"cue_source_id": "wb-cues-abc", "decision_source_id": "wb-decisions-abc", "source_id": "x"}
    assert stated == {"speed": 3.0, "seed": 1, **streams}


@pytest.mark.parametrize("name", ["wb-cues", "wb-commands", "wb-acks", "wb-status"])
def test_an_input_that_bears_a_name_of_the_workbenchs_own_streams_is_refused(name):
    with pytest.raises(BadValue, match="bears a name of the workbench's own streams"):
        plan_with(contract=(ECOG, StreamSpec(name, "Markers", 0.0, role="markers")))


def test_the_montage_of_a_stream():
    montage = montage_of(ECOG)
    assert (montage.channels, montage.fs, montage.kind, montage.unit) == (("a", "b"), 1000.0, "ecog", "uV")


def test_codes_of_an_integer_marker_stream_are_texts_that_the_plan_labels():
    assert texts_of(np.array([[1], [769], [-2]], dtype=np.int32)) == ["1", "769", "-2"]
    assert texts_of(["grasp", "rest"]) == ["grasp", "rest"]


def test_the_tolerances_and_the_word_on_the_unit_of_a_stream_survive_the_plan_as_text():
    spec = StreamSpec("Amp", "EEG", 250.0, ("C3", "T"), unmeasured=("T",), unit_declared_by="Lin")
    spec = dataclasses.replace(spec, gap_tolerance_s=0.05, jitter_s=2.0)
    told = json.loads(json.dumps(dataclasses.asdict(spec)))
    assert StreamSpec(**told) == spec
    assert montage_of(dataclasses.replace(spec, unit="microvolts")).unit == "uV"
    assert montage_of(spec).channels == ("C3",)


def test_streams_beside_the_signal_have_roles_rates_and_delays_of_their_own():
    emg = StreamSpec("emg", "EMG", 2000.0, ("e",), source_id="s3", role="emg", delay_s=0.03)
    plan = plan_with(contract=(ECOG, emg, MARKERS))
    assert plan.beside == (emg,)
    assert SessionPlan.from_json(plan.to_json()) == plan
    for wrong, said in (
        ({"role": "EMG 1"}, "a word of lower case letters"),
        ({"fs": 0.0}, "needs a rate and channel names"),
        ({"channels": ()}, "needs a rate and channel names"),
        ({"delay_s": 0.2}, "delay_s of stream 'emg' must be from -1 to 0.08 s"),
        ({"role": "aux"}, "delay_s of stream 'emg'"),
    ):
        with pytest.raises(BadValue, match=said):
            plan_with(contract=(ECOG, dataclasses.replace(emg, **wrong)))
    with pytest.raises(BadValue, match="that no other stream has"):
        plan_with(contract=(ECOG, emg, dataclasses.replace(emg, name="other")))


def test_each_stream_that_may_be_decoded_has_a_light_and_a_critical_one_that_is_bad_arms_nothing(tmp_path):
    emg = StreamSpec("emg", "EMG", 1000.0, ("e",), role="emg")
    imu = StreamSpec("imu", "IMU", 100.0, ("x",), unit="m/s^2", role="imu", critical=False)
    aux = StreamSpec("heart", "ECG", 250.0, ("h",), role="aux")
    streams = Streams((ECOG, emg, imu, aux), signal="ecog")
    monitor = SignalMonitor(streams, events=EventLog(Ledger(), streams, between_runs=tmp_path / "rows"))
    monitor.open(tmp_path / "display", mains_hz=50.0)
    noise = np.random.default_rng(0).normal(0.0, 20.0, (3000, 2))
    monitor.take(noise, Arrival("ecog", noise, np.arange(3000) / 1000.0, 0.0))
    monitor.take_beside("emg", noise[:, :1] * 20.0)
    # An accelerometer that lies still says the same number again and again.
    monitor.take_beside("imu", np.full((300, 1), 9.81))
    monitor.assess()
    assert [monitor.light(name) for name in streams] == ["good", "good", "bad", None]
    assert monitor.ok
    monitor.take_beside("emg", np.full((3000, 1), np.nan))
    monitor.assess()
    assert monitor.light("emg") == "bad"
    assert monitor.ok is False
    monitor.close()
