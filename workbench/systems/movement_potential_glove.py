"""The slow potential before a movement, in scalp EEG, closes a glove once: after a cue, or self-paced."""

from __future__ import annotations

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems._system import SIGNAL, Input, PlannedVisit, Simulator, System, Task, words

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
        Input(
            "markers",
            "markers",
            critical=False,
            words=words("cues of another presenter", "其他程序呈现的提示标记"),
        ),
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
    procedures=("calibration", "online", "passive", "open_loop", "sham", "mapping"),
    settings=(0.25, 0.5, 0.75, 1.0),
    published=words(
        "No system of one maker: a usual arrangement of the literature. The participant and the glove of a "
        "simulation are simulated.",
        "并非某一厂家的系统，而是文献中的常用配置。模拟会话中的受试者和手套均为模拟。",
    ),
    effector="glove",
    checks=(words("The skin under the glove was looked at and has no mark.", "已检查手套下的皮肤，无压痕。"),),
    visits=(
        PlannedVisit("Baseline", day=0, earliest=-14, latest=0),
        PlannedVisit("Week 6", day=42, earliest=35, latest=49),
    ),
    endpoints=("arat", "accuracy", "f1", "false_per_min"),
    forms=("arat",),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source="simulated participant, 16-channel scalp EEG at 250 Hz with movement potentials; simulated glove",
    ),
)
