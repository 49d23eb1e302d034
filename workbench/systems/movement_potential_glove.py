"""The slow potential before a movement, in scalp EEG, closes a glove once: after a cue, or self-paced."""

from __future__ import annotations

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import (
    BASELINE,
    CUES_OF_OTHERS,
    GLOVE_LEVELS,
    GLOVE_PROCEDURES,
    SKIN_CHECKED,
    USUAL_GLOVE,
    week,
)
from workbench.systems._system import SIGNAL, Input, Simulator, System, Task, words

PRESET = {"preset": "mrcp", "source_id": SIGNAL}
HAND, STILL = "hand", "still"
PREPARE_S = 2.0
"""The participant prepares for so long after a cue, then moves, s."""
EDGE_S = 0.5
"""Decided so long after the movement should have begun, as its potential returns; 67 ms are the filter's, s."""
TRIGGER = ControlLaw("trigger", (HAND,), trigger_s=2.0)

SYSTEM = System(
    name="movement_potential_glove",
    title=words("Movement-related potential in EEG, glove", "脑电运动相关电位，手套"),
    inputs=(
        Input(
            "signal",
            "EEG",
            at_least_channels=3,
            at_most_channels=256,
            at_least_hz=100.0,
            words=words("scalp electrodes around the vertex", "头顶周围的头皮电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "cued",
            words("Prepare and move, or stay still, after a cue", "按提示准备并运动，或保持不动"),
            paradigm="left_right",
            params={
                "conditions": [HAND, STILL],
                "start_s": PREPARE_S + EDGE_S - 1.0,
                "stop_s": PREPARE_S + EDGE_S,
                "attempt_s": 4.0,
            },
            decoder="mrcp_lda",
            law=TRIGGER,
            trials=(40, 20),
        ),
        Task(
            "self_paced",
            words("A prepared movement against rest, self-paced", "自主节奏的准备运动与休息"),
            paradigm="movement_onset",
            params={"condition": HAND, "prepare_s": PREPARE_S, "edge_s": EDGE_S},
            decoder="mrcp_lda",
            law=TRIGGER,
            trials=(40, 15),
        ),
    ),
    procedures=GLOVE_PROCEDURES,
    settings=GLOVE_LEVELS,
    published=USUAL_GLOVE,
    effector="glove",
    checks=(SKIN_CHECKED,),
    visits=(
        BASELINE,
        week(6),
    ),
    endpoints=("arat", "accuracy", "f1", "false_per_min"),
    forms=("arat",),
    price_items=(FITTING,),
    not_supplied=(CODES_NOT_SUPPLIED,),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 16-channel scalp EEG at 250 Hz with movement potentials; simulated glove",
            "模拟受试者，16 通道头皮脑电，250 Hz，含运动相关电位；模拟手套",
        ),
    ),
)
