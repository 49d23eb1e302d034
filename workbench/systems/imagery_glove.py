"""Imagery of both hands in scalp EEG closes a glove: once after a cue, or for as long as it lasts, self-paced."""

from __future__ import annotations

from typing import Any

from workbench import decoders
from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import (
    BASELINE,
    CUES_OF_OTHERS,
    FINGERS_FREE,
    GLOVE_LEVELS,
    GLOVE_PROCEDURES,
    SENSORIMOTOR_EEG,
    SKIN_CHECKED,
    USUAL_GLOVE,
    week,
)
from workbench.systems._system import SIGNAL, Input, PlannedVisit, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

PRESET = {"preset": "eeg", "source_id": SIGNAL}
HANDS, FEET = "hands", "feet"


def _self_paced(spec: StreamSpec) -> dict[str, Any]:
    # Two false activations a minute instead of one in four minutes: at that rate imagery in scalp EEG is hardly
    # ever found, and in this exercise a person looks on.
    return {"fs": spec.fs, **decoders.SELF_PACED_EEG, "evidence": {"memory": "detector", "false_per_min": 2.0}}


SYSTEM = System(
    name="imagery_glove",
    title=words("Motor imagery in EEG, glove", "脑电运动想象与手套"),
    inputs=(
        SENSORIMOTOR_EEG,
        Input(
            "emg",
            "EMG",
            at_least_hz=200.0,
            critical=False,
            words=words(
                "electrodes over the muscles that must stay silent, only checked",
                "应保持静息的肌肉上方的电极，仅供核对",
            ),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "cued",
            words("Hands or feet after a cue", "按提示想象双手或双脚"),
            paradigm="left_right",
            params={"conditions": [HANDS, FEET]},
            decoder="tangent_space_lda",
            # One decision a cue: the glove closes once for the hands, and the feet leave it open.
            law=ControlLaw("trigger", (HANDS,), trigger_s=2.0),
            trials=(60, 20),
        ),
        Task(
            "self_paced",
            words("Hands against rest, self-paced", "自主节奏的双手想象与休息"),
            paradigm="grasp_rest",
            # Windows of 2 s need that long to show an onset.
            params={"condition": HANDS, "attempt_s": 5.0, "onset_window_s": 4.0},
            decoder="tangent_space_lda",
            decoder_params=_self_paced,
            law=ControlLaw("hold"),
            trials=(40, 15),
        ),
    ),
    procedures=GLOVE_PROCEDURES,
    settings=GLOVE_LEVELS,
    published=USUAL_GLOVE,
    effector="glove",
    checks=(
        SKIN_CHECKED,
        FINGERS_FREE,
    ),
    visits=(
        BASELINE,
        week(6),
        PlannedVisit("Week 12", day=84, earliest=77, latest=98),
    ),
    endpoints=("arat", "isncsci", "accuracy", "f1", "false_per_min"),
    forms=("arat", "isncsci"),
    price_items=(FITTING,),
    not_supplied=(CODES_NOT_SUPPLIED,),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 16-channel scalp EEG at 250 Hz; simulated glove",
            "模拟受试者，16 通道头皮脑电，250 Hz；模拟手套",
        ),
    ),
)
