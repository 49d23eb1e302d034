"""Attempted grasp from EEG, forearm EMG and the movement of the hand together; a glove follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench import decoders
from workbench.control import ControlLaw
from workbench.devices import simulated_limb
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import (
    BASELINE,
    CUES_OF_OTHERS,
    GLOVE_LEVELS,
    GLOVE_PROCEDURES,
    SENSORIMOTOR_EEG,
    SKIN_CHECKED,
    week,
)
from workbench.systems._system import SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

HANDS = "hands"
PRESET = {"source_id": SIGNAL, "emg_source_id": f"{SIGNAL}-emg", "imu_source_id": f"{SIGNAL}-imu"}


EEG: Mapping[str, Any] = {"decoder": "tangent_space_lda", "params": decoders.SELF_PACED_EEG}
EMG: Mapping[str, Any] = {
    "decoder": "bandpower_lda",
    "params": {"bands": [[20, 90], [110, 190]], "reference": "none"},
}
IMU: Mapping[str, Any] = {
    "decoder": "bandpower_lda",
    "params": {"bands": [[2, 8], [8, 20]], "reference": "none", "mains_hz": 0.0},
}
"""A decoder for each stream: rhythms, power of the muscle, and shaking of the hand."""


def _fused(_: StreamSpec) -> dict[str, Any]:
    """All three are weighed by their calibration; without the accelerometer the others go on."""
    return {"members": {"signal": EEG, "emg": EMG, "imu": IMU}, "critical": ["signal", "emg"]}


# A gate keeps rest quiet, so that the EEG needs no long window and no detector that waits to be sure.
GATED_EEG: Mapping[str, Any] = {
    "decoder": "tangent_space_lda",
    "params": {"bands": [[8, 30]], "window_s": 1.0, "evidence": {"memory": None}},
}
# A window of 1 s shows an onset more than 1 s after the cue; the muscle opens its gate until the attempt ends.
ATTEMPTS: Mapping[str, Any] = {"condition": HANDS, "attempt_s": 5.0, "onset_window_s": 4.0}


def _gated(_: StreamSpec) -> dict[str, Any]:
    """What the EEG says counts while the muscle agrees."""
    return {"members": {"signal": GATED_EEG, "emg": EMG}, "gates": {"emg": [HANDS, 0.5]}}


def _at_onset(_: StreamSpec) -> dict[str, Any]:
    """What the EEG says counts while the muscle is active: no class of the muscle has to be learned for it."""
    muscle = {"decoder": "activity_level", "params": {"measure": "muscle", "baseline": "rest"}}
    return {"members": {"signal": GATED_EEG, "emg": muscle}, "gates": {"emg": ["above", 1.0]}}


GATED = Task(
    "gated",
    words("EEG, while the muscle agrees", "脑电解码，肌电一致时有效"),
    paradigm="grasp_rest",
    params=ATTEMPTS,
    decoder="gating",
    decoder_params=_gated,
    law=ControlLaw("hold"),
    # The EEG alone says when, and needs more examples than the muscle.
    trials=(40, 15),
)

SYSTEM = System(
    name="limb_glove",
    title=words("EEG, EMG and hand movement together, glove", "脑电、肌电与手部运动联合，手套"),
    inputs=(
        SENSORIMOTOR_EEG,
        Input(
            "emg",
            "EMG",
            at_least_channels=1,
            at_most_channels=64,
            at_least_hz=500.0,
            words=words("electrodes over the finger flexors", "指屈肌上方的电极"),
        ),
        Input(
            "imu",
            "IMU",
            at_least_channels=1,
            at_most_channels=12,
            at_least_hz=50.0,
            critical=False,
            unit="",
            words=words("accelerometer on the back of the hand", "手背上的加速度计"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "fused",
            words("EEG, EMG and hand movement, weighed", "脑电、肌电与手部运动加权融合"),
            paradigm="grasp_rest",
            params={"condition": HANDS},
            decoder="late_fusion",
            decoder_params=_fused,
            law=ControlLaw("hold"),
        ),
        GATED,
        replace(
            GATED,
            name="at_onset",
            title=words("EEG, from the onset of the muscle", "脑电解码，自肌电起始时有效"),
            decoder_params=_at_onset,
        ),
    ),
    procedures=GLOVE_PROCEDURES,
    settings=GLOVE_LEVELS,
    published=words(
        "No system of one maker. The participant, the muscle, the hand and the glove of a simulation are "
        "simulated, the muscle and the hand in the simplest way.",
        "并非某一厂家的系统。模拟会话中的受试者、肌肉、手和手套均为模拟，其中肌肉和手为最简模型。",
    ),
    effector="glove",
    checks=(SKIN_CHECKED,),
    visits=(
        BASELINE,
        week(6),
    ),
    endpoints=("arat", "f1", "false_per_min", "onset_s"),
    forms=("arat",),
    price_items=(FITTING,),
    not_supplied=(CODES_NOT_SUPPLIED,),
    simulator=Simulator(
        "simulated_limb",
        PRESET,
        contract=simulated_limb.specs(PRESET),
        source=words(
            "simulated participant: EEG at 250 Hz, EMG at 2 kHz, accelerometer at 100 Hz; simulated glove",
            "模拟受试者：脑电 250 Hz、肌电 2 kHz、加速度计 100 Hz；模拟手套",
        ),
    ),
)
