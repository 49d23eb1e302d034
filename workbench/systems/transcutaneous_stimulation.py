"""Tonic stimulation of the cervical cord through the skin while the hand practises tasks. Nothing is decoded.

Design and rule of responders are those of the Up-LIFT trial (NCT04697472; Moritz et al. 2024,
doi:10.1038/s41591-024-02940-9): a run-in of rehabilitation alone, as long a period with stimulation, and who gains
in a domain of strength and in one of function. Days and windows are proposals near its two and two months.
"""

from __future__ import annotations

from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_spinal_participant
from workbench.study.forms import Form, Item
from workbench.systems._shared import BASELINE, CUES_OF_OTHERS
from workbench.systems._stimulation import usual
from workbench.systems._system import (
    SIGNAL,
    Input,
    PlannedEndpoint,
    PlannedVisit,
    Simulator,
    System,
    Task,
    words,
)

PRACTISE = "practise"
PRESET: dict[str, Any] = {"source_id": SIGNAL, "person": {"lesion": "C5", "grade": "C"}}
(EMG,) = (line for line in simulated_spinal_participant.specs(PRESET) if line.role == "signal")

LEVELS = (0.25, 0.5, 0.75, 1.0)
"""Levels that amplitude finding steps through, fractions of the approved current, one pair after the other."""
SETTINGS = (*((level, 0.0) for level in LEVELS), *((0.0, level) for level in LEVELS))

RUN_IN, THERAPY = "End of run-in", "End of therapy"

PRACTICE = Form(
    "practice",
    words("Practice since the last visit", "上次访视以来的训练"),
    items=(
        Item(
            "period", words("Period", "阶段"), "choice", choices=("rehabilitation", "stimulation"), required=True,
        ),
        Item("sessions", words("Sessions", "训练次数"), "integer", least=0, greatest=1000, required=True),
        Item("hours", words("Hours of practice", "训练小时数"), "number", unit="h", least=0, greatest=2000),
        Item("stimulated", words("Hours stimulated", "刺激小时数"), "number", unit="h", least=0, greatest=2000),
        Item("remarks", words("Remarks", "备注"), "text"),
    ),
)  # fmt: skip

STRENGTH = ("isncsci", "grassp_v2", "pinch", "grip")
FUNCTION = ("cue_t", "grassp_v2")

ENDPOINTS = (
    PlannedEndpoint(
        "responders",
        words("Response in both domains", "两个领域均应答"),
        role="primary",
        measured_by=("isncsci", "grassp_v2", "pinch", "grip", "cue_t"),
        variable=words(
            "Responder: gains more than the threshold in at least one outcome of strength (upper extremity "
            "motor score, GRASSP strength, pinch or grip force) and in at least one of function (CUE-T, "
            "GRASSP prehension), from End of run-in to End of therapy. Stimulation is off at every "
            "assessment.",
            "应答者：自导入期末至治疗期末，至少一项肌力结局（上肢运动评分、GRASSP 肌力、捏力或握力）和至少一项"
            "功能结局（CUE-T、GRASSP 抓握）的增益均超过阈值。所有评估均在刺激关闭时进行。",
        ),
        summary=words(
            "Responders of all participants, with the exact 95 % interval and a one-sided exact binomial "
            "test against 50 %; responders of each component beside them.",
            "应答者占全部受试者的比例及其精确 95 % 区间，与 50 % 作单侧精确二项检验；并列出各组成结局的应答者。",
        ),
    ),
    PlannedEndpoint(
        "run_in",
        words("Response in the run-in", "导入期内的应答"),
        role="secondary",
        measured_by=("isncsci", "grassp_v2", "pinch", "grip", "cue_t"),
        variable=words(
            "The same from Baseline to End of run-in: what rehabilitation alone gives to the same people, "
            "in as long a time.",
            "同一规则用于自基线至导入期末：同一批受试者在同样时长内仅康复训练的效果。",
        ),
    ),
    PlannedEndpoint(
        "strength",
        words("Strength", "肌力"),
        role="secondary",
        measured_by=STRENGTH,
        variable=words(
            "Change of the upper extremity motor score, of GRASSP strength of each side, and of pinch and "
            "grip force, in the run-in and in the therapy.",
            "上肢运动评分、各侧 GRASSP 肌力以及捏力和握力在导入期与治疗期内的变化。",
        ),
    ),
    PlannedEndpoint(
        "function",
        words("Function of the hand", "手功能"),
        role="secondary",
        measured_by=FUNCTION,
        variable=words(
            "Change of the CUE-T and of GRASSP prehension of each side, in the run-in and in the therapy.",
            "CUE-T 与各侧 GRASSP 抓握在导入期与治疗期内的变化。",
        ),
    ),
    PlannedEndpoint(
        "sensation",
        words("Sensation", "感觉"),
        role="secondary",
        measured_by=("isncsci", "grassp_v2"),
        variable=words(
            "Change of light touch and pin prick (ISNCSCI) and of GRASSP sensation of each side, in the "
            "run-in and in the therapy.",
            "轻触觉与针刺觉（ISNCSCI）及各侧 GRASSP 感觉在导入期与治疗期内的变化。",
        ),
    ),
    PlannedEndpoint(
        "adverse_events",
        words("Adverse events", "不良事件"),
        role="safety",
        measured_by=("adverse_events", "pain_nrs"),
        variable=words(
            "Adverse events of each period, serious ones related to the device apart; skin reactions, "
            "dysreflexia and pain among them.",
            "各阶段不良事件，其中与器械相关的严重不良事件单列；包括皮肤反应、自主神经反射异常和疼痛。",
        ),
    ),
)

SYSTEM = System(
    name="transcutaneous_stimulation",
    title=words("Stimulation of the cord through the skin, with practice", "经皮脊髓刺激结合任务训练"),
    inputs=(
        Input(
            "signal",
            "EMG",
            at_least_channels=1,
            at_most_channels=64,
            at_least_hz=500.0,
            words=words(
                "surface electrodes over muscles that are watched; nothing of them moves the current",
                "所观察肌肉上的表面电极；电流不受其控制",
            ),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "practice",
            words("Practice under tonic stimulation", "持续刺激下的任务训练"),
            paradigm="grasp_rest",
            # A rest is longer than the ramp and the refractory time of the effector, or every other practice would
            # go without current; before the first there is time to arm.
            params={"condition": PRACTISE, "attempt_s": 20.0, "rest_s": 10.0, "lead_in_s": 15.0},
            decoder="",
            # The current flows while a task is practised; between two it is released.
            law=ControlLaw("hold", (PRACTISE,)),
            trials=(6,),
        ),
    ),
    procedures=("mapping", "open_loop"),
    settings=SETTINGS,
    published=words(
        "Built after a published trial: its design, domains and result are published, its waveform, "
        "currents and thresholds are not in what was seen. Programme and limits are invented examples. The "
        "participant and the stimulator of a simulation are simulated; the participant has legs and no "
        "arms, and feels nothing of this stimulation.",
        "依据一项已发表的试验构建：其设计、领域和结果已发表，所见材料中未见其波形、电流和阈值。刺激程序和限值均为"
        "虚构示例。模拟会话中的受试者和刺激器均为模拟；该受试者模型有下肢而无上肢，对此种刺激无反应。",
    ),
    effector="transcutaneous",
    stimulation=usual("transcutaneous_stimulation"),
    checks=(
        words("The skin under the electrodes was looked at and is intact.", "已检查电极下的皮肤，完好无损。"),
        words(
            "The current of each pair was found today below what the person feels as unpleasant or sees move.",
            "今日已确定各电极对的电流，低于引起不适或可见运动的强度。",
        ),
        words(
            "The resting blood pressure was taken seated, and the cuff stays on.",
            "已测坐位静息血压，并保留袖带。",
        ),
    ),
    visits=(
        PlannedVisit(
            "Baseline", BASELINE.day, BASELINE.earliest, BASELINE.latest,
            forms=("isncsci", "grassp_v2", "pinch", "grip", "cue_t", "pain_nrs"),
        ),
        PlannedVisit(RUN_IN, day=60, earliest=53, latest=67),
        PlannedVisit(THERAPY, day=120, earliest=113, latest=134),
    ),
    endpoints=("isncsci", "grassp_v2", "pinch", "grip", "cue_t"),
    forms=("isncsci", "grassp_v2", "pinch", "grip", "cue_t", "pain_nrs"),
    own_forms=(PRACTICE,),
    planned=ENDPOINTS,
    not_supplied=(
        words(
            "Waveform, carrier, currents and places of the electrodes of a person: the programme of a site "
            "states them.",
            "波形、载波、个体电流和电极位置：由研究中心在其刺激程序中给出。",
        ),
        words(
            "The gain of each outcome that makes a responder: the list of thresholds was not found word for "
            "word, and an analysis refuses until its plan names one of each.",
            "判定应答者所需的各结局增益：未见阈值表原文；分析计划逐一指明之前，分析将拒绝执行。",
        ),
        words(
            "A price item: nothing is decoded, so that none of brain-computer interfaces covers it.",
            "价格项目：该系统不进行解码，脑机接口价格项目均不适用。",
        ),
    ),
    out_of_scope=(
        words(
            "A control group: the design compares people with themselves; a session whose programme is a sham "
            "delivers nothing and is blinded.",
            "对照组：该设计为自身对照；使用假刺激程序的会话不输出电流并设盲。",
        ),
        words(
            "Stimulation at home without staff.",
            "无工作人员在场的居家刺激。",
        ),
        words(
            "Driving a real stimulator: its driver comes with it and keeps the protocol of effectors.",
            "驱动真实刺激器：驱动程序由刺激器附带，并遵守执行器协议。",
        ),
    ),
    simulator=Simulator(
        "simulated_spinal_participant",
        PRESET,
        contract=(EMG,),
        source=words(
            "simulated participant: EMG of eight leg muscles at 2 kHz; simulated stimulator of two pairs of "
            "electrodes",
            "模拟受试者：八块下肢肌肉的肌电，2 kHz；模拟两对电极的刺激器",
        ),
    ),
)  # fmt: skip
