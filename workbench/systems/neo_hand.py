"""Attempted grasp, self-paced, by implanted electrodes over the hand area; a glove follows."""

from __future__ import annotations

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems._shared import (
    BASELINE,
    CUES_OF_OTHERS,
    FINGERS_FREE,
    GLOVE_LEVELS,
    GLOVE_PROCEDURES,
    SKIN_CHECKED,
)
from workbench.systems._system import SIGNAL, Input, PlannedVisit, Simulator, System, Task, words

PRESET = {"preset": "neo", "source_id": SIGNAL}

SYSTEM = System(
    name="neo_hand",
    title=words("Implanted electrodes over the hand area, glove", "手区植入电极与手套"),
    inputs=(
        Input(
            "signal",
            "ECoG",
            at_least_channels=2,
            at_most_channels=64,
            at_least_hz=500.0,
            words=words("epidural or subdural electrodes over the hand area", "手区硬膜外或硬膜下电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "self_paced",
            words("Attempted grasp, self-paced", "自主节奏的尝试抓握"),
            paradigm="grasp_rest",
            decoder="bandpower_lda",
            law=ControlLaw("hold"),
        ),
    ),
    procedures=GLOVE_PROCEDURES,
    settings=GLOVE_LEVELS,
    published=words(
        "Rate, bands, decoder and latency of the implant's own system are not published: the values here are "
        "proposals. The participant and the glove of a simulation are simulated.",
        "该植入系统自身的采样率、频带、解码器和延迟均未公开：此处数值为建议值。模拟会话中的受试者和手套均为模拟。",
    ),
    effector="glove",
    checks=(
        SKIN_CHECKED,
        FINGERS_FREE,
    ),
    visits=(
        BASELINE,
        PlannedVisit("Month 3", day=90, earliest=76, latest=104),
        PlannedVisit("Month 6", day=180, earliest=159, latest=201),
    ),
    endpoints=("arat", "isncsci", "grassp_v2", "f1", "false_per_min", "onset_s"),
    forms=("arat", "isncsci"),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source="simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
    ),
)
