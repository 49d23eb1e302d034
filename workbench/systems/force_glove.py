"""Grasp force from epidural ECoG: the grip of a motor-driven glove follows it."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.paradigms.force_track import ForceTrack
from workbench.systems._shared import BASELINE, CUES_OF_OTHERS, SKIN_CHECKED, week
from workbench.systems._system import SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

PARADIGM = ForceTrack()

PRESET = {"preset": "neo", "source_id": SIGNAL, "efforts": PARADIGM.levels_by_condition}


# The level is the decoded value itself, above what a resting hand is decoded with.
LAW = ControlLaw("proportional", gain=1.0, dead_band=0.1, slew_per_s=2.0)


def decoder_params(signal: StreamSpec, quantity: str = "force") -> dict[str, Any]:
    """Rate of the stream, and the levels that the calibration shows, as a value of that kind."""
    return {"fs": signal.fs, "levels": PARADIGM.levels, "quantity": [quantity, "fraction"], "smoothing_s": 0.5}


def _tracked(quantity: str, title: str) -> Task:
    """Following levels of a value of that kind."""
    return Task(
        f"{quantity}_track",
        title,
        paradigm=f"{quantity}_track",
        params=PARADIGM.params(),
        decoder="bandpower_level",
        decoder_params=partial(decoder_params, quantity=quantity),
        law=LAW,
        trials=(18, 12),
    )


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
        CUES_OF_OTHERS,
    ),
    tasks=(
        _tracked("force", words("Follow levels of force", "跟随力量水平")),
        _tracked("amplitude", words("Follow levels of an amplitude", "跟随幅度水平")),
        _tracked("state_level", words("Follow levels while grasp is meant", "意图抓握时跟随水平")),
    ),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker: force decoded from ECoG is known from the literature. The participant and the "
        "glove of a simulation are simulated, and the signal follows the effort in the simplest way.",
        "并非某一厂家的系统；由皮层脑电解码力量见于文献。模拟会话中的受试者和手套均为模拟，信号随用力程度的变化为最简模型。",
    ),
    effector="tendon_glove",
    checks=(SKIN_CHECKED,),
    visits=(
        BASELINE,
        week(6),
    ),
    endpoints=("accuracy", "rmse", "r_squared", "in_band", "grip"),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 8-channel epidural ECoG at 1 kHz; simulated glove",
            "模拟受试者，8 通道硬膜外皮层脑电，1 kHz；模拟手套",
        ),
    ),
)
