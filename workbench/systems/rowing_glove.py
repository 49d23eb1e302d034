"""A cyclic pull of the arm, as in rowing: the phase of the stroke is decoded, and a glove grips while it pulls."""

from __future__ import annotations

from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_rower
from workbench.systems._shared import BASELINE, CUES_OF_OTHERS, SKIN_CHECKED, week
from workbench.systems._system import SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

PRESET = {"source_id": SIGNAL}
PULL = (0.0, 0.4)
"""Where in the stroke the glove is closed; it begins where the acceleration along the forearm rises above 0."""


def decoder_params(signal: StreamSpec) -> dict[str, Any]:
    """The phase of the first channel, of strokes of 2 to 4 s."""
    return {
        "fs": signal.fs,
        "channel": 0,
        "bands": [[0.2, 0.8]],
        "window_s": 8.0,
        "reference": "none",
        "mains_hz": 0.0,
    }


SYSTEM = System(
    name="rowing_glove",
    title=words("Phase of a cyclic pull, glove grips in the stroke", "周期性拉动的相位，手套在拉动期抓握"),
    inputs=(
        Input(
            "signal",
            "IMU",
            at_least_channels=1,
            at_most_channels=12,
            at_least_hz=50.0,
            unit="",
            words=words(
                "accelerometer on the forearm, its first axis along it", "前臂上的加速度计，第一轴沿前臂方向"
            ),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "stroke",
            words("Grip while pulling", "拉动时抓握"),
            paradigm="cycle_rest",
            decoder="cycle_phase",
            decoder_params=decoder_params,
            law=ControlLaw("stride_gated", phase_window=PULL),
            trials=(6, 5),
        ),
    ),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker. The participant, the movement and the glove of a simulation are simulated, the "
        "movement in the simplest way.",
        "并非某一厂家的系统。模拟会话中的受试者、动作和手套均为模拟，其中动作为最简模型。",
    ),
    effector="glove",
    checks=(SKIN_CHECKED,),
    visits=(BASELINE, week(6)),
    endpoints=("f1", "false_per_min", "onset_s", "grip"),
    simulator=Simulator(
        "simulated_rower",
        PRESET,
        contract=(simulated_rower.spec(PRESET),),
        source=words(
            "simulated participant: accelerometer on the forearm at 100 Hz; simulated glove",
            "模拟受试者：前臂加速度计，100 Hz；模拟手套",
        ),
    ),
)
