"""Direction-tuned high gamma of a subdural grid moves a cursor from the centre to one of four targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.paradigms.centre_out import CentreOut
from workbench.systems._shared import BASELINE, CUES_OF_OTHERS, week
from workbench.systems._system import SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

PRESET = {"preset": "grid", "source_id": SIGNAL}

PARADIGM = CentreOut(n_targets=4)


def decoder_params(signal: StreamSpec) -> dict[str, Any]:
    """Rate of the stream, a short window, and the velocities that the calibration shows."""
    return {"fs": signal.fs, "window_s": 0.2, "velocities": PARADIGM.velocities}


# Half of the greatest speed at the speed that the calibration shows, as the decoded one may exceed it.
LAW = ControlLaw("proportional", gain=2.5, dead_band=0.02, slew_per_s=5.0)

CENTRE_OUT = Task(
    "centre_out",
    words("From the centre to a target", "从中心移向目标"),
    paradigm="centre_out",
    params=PARADIGM.params(),
    decoder="bandpower_ridge",
    decoder_params=decoder_params,
    law=LAW,
    trials=(24, 16),
)

SYSTEM = System(
    name="cursor_velocity",
    title=words("Velocity from a cortical grid, cursor", "皮层电极阵列解码速度与光标"),
    inputs=(
        Input(
            "signal",
            "ECoG",
            at_least_channels=8,
            at_most_channels=256,
            at_least_hz=400.0,
            words=words("subdural electrodes over the arm area of the motor cortex", "运动皮层手臂区硬膜下电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        CENTRE_OUT,
        replace(
            CENTRE_OUT,
            name="assisted",
            title=words("From the centre to a target, with assistance", "从中心移向目标，带辅助"),
            law=replace(LAW, share=0.3, assist_s=2.0, targets=tuple(PARADIGM.targets.items())),
        ),
        replace(
            CENTRE_OUT,
            name="filtered",
            title=words("From the centre to a target, with a Kalman filter", "从中心移向目标，使用卡尔曼滤波"),
            decoder="kalman",
        ),
    ),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker: a usual arrangement of the literature. The participant and the device of a "
        "simulation are simulated.",
        "并非某一厂家的系统，而是文献中的常用配置。模拟会话中的受试者和光标设备均为模拟。",
    ),
    effector="cursor_2d",
    checks=(words("The participant sees the whole screen.", "受试者能看到整个屏幕。"),),
    visits=(
        BASELINE,
        week(4),
    ),
    endpoints=("accuracy", "time_to_target_s", "path_efficiency", "bits_per_min"),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 16-channel subdural ECoG at 500 Hz; simulated cursor",
            "模拟受试者，16 通道硬膜下皮层脑电，500 Hz；模拟光标",
        ),
    ),
)
