"""Imagery of both hands in scalp EEG, asked for by a cue; when it is found, the extensors are stimulated once."""

from __future__ import annotations

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import BASELINE, CUES_OF_OTHERS, SENSORIMOTOR_EEG, week
from workbench.systems._stimulation import usual
from workbench.systems._system import SIGNAL, Simulator, System, Task, words

PRESET = {"preset": "eeg", "source_id": SIGNAL}
HANDS, FEET = "hands", "feet"
REPETITION_S = 3.0
"""How long the muscles are stimulated when imagery was found, s."""

SYSTEM = System(
    name="eeg_fes_rehabilitation",
    title=words("Motor imagery in EEG, electrical stimulation of the forearm", "脑电运动想象与前臂功能性电刺激"),
    inputs=(SENSORIMOTOR_EEG, CUES_OF_OTHERS),
    tasks=(
        Task(
            "cued",
            words("Hands or feet after a cue", "按提示想象双手或双脚"),
            paradigm="left_right",
            params={"conditions": [HANDS, FEET]},
            decoder="tangent_space_lda",
            # One decision a cue: imagery of the hands starts one assisted repetition, of the feet none.
            law=ControlLaw("trigger", (HANDS,), trigger_s=REPETITION_S),
            trials=(60, 20),
        ),
    ),
    procedures=("calibration", "online", "passive", "open_loop", "sham"),
    published=words(
        "No system of one maker: a usual arrangement of the literature. Programme and limits are invented "
        "examples. The participant and the stimulator of a simulation are simulated.",
        "并非某一厂家的系统，而是文献中的常用配置。刺激程序和限值均为虚构示例。模拟会话中的受试者和刺激器均为模拟。",
    ),
    effector="fes",
    stimulation=usual("eeg_fes_rehabilitation"),
    checks=(
        words("The skin under the electrodes was looked at and is intact.", "已检查电极下的皮肤，完好无损。"),
        words("The arm is supported and moves freely.", "手臂有支撑且活动自如。"),
    ),
    visits=(BASELINE, week(4), week(12)),
    endpoints=("arat", "grip", "isncsci", "accuracy"),
    forms=("arat", "isncsci"),
    price_items=(FITTING,),
    not_supplied=(
        words(
            "Currents, electrode places and muscles of a person: the programme of a site states them.",
            "个体的电流、电极位置和目标肌肉：由研究中心在其刺激程序中给出。",
        ),
        CODES_NOT_SUPPLIED,
    ),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 16-channel scalp EEG at 250 Hz; simulated stimulator of the forearm",
            "模拟受试者，16 通道头皮脑电，250 Hz；模拟前臂刺激器",
        ),
    ),
)
