"""Grasp force from epidural ECoG: the grip of a motor-driven glove follows it."""

from __future__ import annotations

from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.paradigms.force_track import ForceTrack
from workbench.systems._system import SIGNAL, Input, PlannedVisit, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

PARADIGM = ForceTrack()

PRESET = {"preset": "neo", "source_id": SIGNAL, "efforts": PARADIGM.levels_by_condition}


def decoder_params(signal: StreamSpec) -> dict[str, Any]:
    """Rate of the stream, and the levels that the calibration shows."""
    return {"fs": signal.fs, "levels": PARADIGM.levels, "quantity": ["force", "fraction"], "smoothing_s": 0.5}


SYSTEM = System(
    name="force_glove",
    title=words("Grasp force from epidural ECoG, motor-driven glove", "硬膜外皮层脑电解码抓握力，电机驱动手套"),
    inputs=(
        Input(
            "signal",
            "ECoG",
            at_least_channels=4,
            at_most_channels=256,
            at_least_hz=400.0,
            words=words("epidural electrodes over the hand area of the motor cortex", "运动皮层手区硬膜外电极"),
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
            "force_track",
            words("Follow levels of force", "跟随力量水平"),
            paradigm="force_track",
            params=PARADIGM.params(),
            decoder="bandpower_level",
            decoder_params=decoder_params,
            # The level is the force itself, above what a resting hand is decoded with.
            law=ControlLaw("proportional", gain=1.0, dead_band=0.1, slew_per_s=2.0),
            trials=(18, 12),
        ),
    ),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker: force decoded from ECoG is known from the literature. The participant and the "
        "glove of a simulation are simulated, and the signal follows the effort in the simplest way.",
        "并非某一厂家的系统；由皮层脑电解码力量见于文献。模拟会话中的受试者和手套均为模拟，信号随用力程度的变化为最简模型。",
    ),
    effector="tendon_glove",
    checks=(words("The skin under the glove was looked at and has no mark.", "已检查手套下的皮肤，无压痕。"),),
    visits=(
        PlannedVisit("Baseline", day=0, earliest=-14, latest=0),
        PlannedVisit("Week 6", day=42, earliest=35, latest=49),
    ),
    endpoints=("accuracy", "rmse", "r_squared", "in_band", "grip"),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source="simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
    ),
)
