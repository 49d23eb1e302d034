"""What is left of a muscle's EMG stimulates its own roots: a burst at each onset, or a current that follows it.

The arrangement is that of press reports on an epidural stimulator with EMG feedback; no protocol of it was found.
Visits, endpoints and forms follow what those reports name, and are proposals. What is learned stride by stride
(``control.next_stride``, ``signals.strides``) is computed from recordings and not wired to a stimulator.
"""

from __future__ import annotations

from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_spinal_participant
from workbench.paradigms.amplitude_track import AmplitudeTrack
from workbench.study.forms import Form, Item
from workbench.systems._prices import CODES_NOT_SUPPLIED, PLACEMENT, REMOVAL
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
from workbench.vocabulary import StreamSpec

MUSCLE = "left quadriceps"
"""Of the trained hot-spot, where a stream has a channel of that name; else the first decoded channel is it."""

EXTEND = "extend"

# Shorter than the longest burst of the profile, so that no attempt ends with its current.
TRACK = AmplitudeTrack(attempt_s=4.0)

PRESET: dict[str, Any] = {
    "source_id": SIGNAL,
    # Nothing triggers where no muscle contracts: somebody with incomplete paraplegia.
    "person": {"lesion": "T10", "grade": "D"},
    "conditions": dict.fromkeys((EXTEND, *TRACK.conditions), MUSCLE),
    "efforts": TRACK.levels_by_condition,
}
(EMG,) = (line for line in simulated_spinal_participant.specs(PRESET) if line.role == "signal")

HOT_SPOT = (("", (1.0, *(0.0,) * 7)),)
"""The first channel of the programme is stimulated; the others of the stimulator stay off."""
BURST_S = 3.0
"""How long a detected onset stimulates, s."""


def channel(signal: StreamSpec) -> int:
    """Number of the muscle's channel among the decoded ones."""
    return signal.measured.index(MUSCLE) if MUSCLE in signal.measured else 0


def onset(signal: StreamSpec) -> dict[str, Any]:
    """The envelope between pulses, as a classifier of contraction and rest."""
    # No notch: it would ring on after each pulse.
    return {"fs": signal.fs, "channel": channel(signal), "mains_hz": 0.0}


def envelope(signal: StreamSpec) -> dict[str, Any]:
    """The same as a share of the strongest contraction, which the levels of a calibration teach."""
    return {**onset(signal), "levels": TRACK.levels}


FOLLOW = ControlLaw("proportional", gain=0.5, dead_band=0.15, slew_per_s=2.0, patterns=HOT_SPOT)
"""Half of the decoded level, which the pulses raise by a half to three quarters (``emg_envelope``). Whatever is
decoded, the current ends with its attempt."""


def _count(name: str, en: str, zh: str, *, unit: str = "", most: float = 100_000) -> Item:
    return Item(name, words(en, zh), "integer", unit=unit, least=0, greatest=most)


STRIDES = Form(
    "recorded_strides",
    words("Strides of a recorded walk", "记录步行的步态周期"),
    items=(
        Item(
            "stimulation", words("Stimulation", "刺激"), "choice", choices=("on", "off"), required=True,
        ),
        _count("strides", "Strides recorded", "记录的步态周期数"),
        _count("in_phase", "Strides with stimulation in the right phase", "刺激相位正确的步态周期数"),
        _count("failed", "Steps shorter than 10 cm", "短于 10 cm 的步数"),
        Item(
            "tracking",
            words("EMG tracking: correlation with the target envelope, median of the strides",
                  "肌电跟踪：与目标包络的相关系数，各步态周期的中位数"),
            "number", least=-1, greatest=1,
        ),
        Item("cadence", words("Steps a minute", "每分钟步数"), "number", unit="1/min", least=0, greatest=200),
        Item("support", words("Body weight supported", "减重比例"), "number", unit="%", least=0, greatest=100),
        Item("aid", words("Walking aid", "助行器具"), "text"),
    ),
)  # fmt: skip

ENDPOINTS = (
    PlannedEndpoint(
        "walking_speed",
        words("Walking speed, stimulation on", "刺激开启时的步行速度"),
        role="primary",
        measured_by=("10mwt",),
        variable=words(
            "Change of the preferred speed of the 10 m walk with stimulation on, from Baseline to Month 2. "
            "The same aid and support at both; unable is speed 0.",
            "刺激开启时 10 米步行首选速度自基线至第 2 个月的变化。"
            "两次的助行器具和减重须相同；不能步行记为速度 0。",
        ),
    ),
    PlannedEndpoint(
        "carry_over",
        words("Carry-over: walking speed, stimulation off", "后效：刺激关闭时的步行速度"),
        role="secondary",
        measured_by=("10mwt",),
        variable=words(
            "Change of the same speed with stimulation off, from Baseline to Months 1 and 2: what stays without "
            "current. It is never pooled with speeds while stimulation is on.",
            "刺激关闭时同一速度自基线至第 1、2 个月的变化，即无电流时保留的效果；不与刺激开启时的速度合并。",
        ),
    ),
    PlannedEndpoint(
        "emg_tracking",
        words("EMG tracking", "肌电跟踪"),
        role="secondary",
        measured_by=("recorded_strides",),
        variable=words(
            "Correlation of the envelope with its target over the phases of a stride, median of the strides "
            "of a recorded walk, stimulation on and off apart, at Months 1 and 2.",
            "记录步行中包络与目标包络在步态周期各相位上的相关系数，取各步态周期的中位数，"
            "刺激开启与关闭分别统计，第 1、2 个月。",
        ),
    ),
    PlannedEndpoint(
        "detection",
        words("Onsets that trigger", "触发刺激的起始检测"),
        role="secondary",
        measured_by=("f1", "false_per_min", "onset_s"),
        variable=words(
            "Event F1, false bursts a minute and latency of the online runs, by day.",
            "在线运行的事件 F1、每分钟误触发次数和潜伏期，按日统计。",
        ),
    ),
    PlannedEndpoint(
        "in_phase",
        words("Strides in phase", "相位正确的步态周期"),
        role="secondary",
        measured_by=("recorded_strides",),
        variable=words(
            "Strides with stimulation in the right phase, of all strides of a recorded walk, at Months 1 and 2.",
            "第 1、2 个月记录步行中刺激相位正确的步态周期占全部步态周期的比例。",
        ),
    ),
    PlannedEndpoint(
        "lems",
        words("Motor score of the lower limbs", "下肢运动评分"),
        role="secondary",
        measured_by=("isncsci",),
        variable=words(
            "Change of the lower extremity motor score (ISNCSCI), stimulation off, and of the AIS grade, from "
            "Baseline to Month 2.",
            "刺激关闭时下肢运动评分（ISNCSCI）及 AIS 分级自基线至第 2 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "walking",
        words("Walking index and distance", "步行指数与距离"),
        role="secondary",
        measured_by=("wisci2", "6mwt"),
        variable=words(
            "Change of the self-selected level of the WISCI II, and of the distance in 6 minutes, "
            "stimulation on and off apart, from Baseline to Month 2.",
            "WISCI II 自选等级及 6 分钟步行距离自基线至第 2 个月的变化，刺激开启与关闭分别统计。",
        ),
    ),
    PlannedEndpoint(
        "spasticity",
        words("Spasticity", "痉挛"),
        role="secondary",
        measured_by=("mas",),
        variable=words(
            "Grade of the modified Ashworth scale of each muscle of the legs, from Baseline to Month 2.",
            "下肢各肌改良 Ashworth 分级自基线至第 2 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "bladder_and_bowel",
        words("Bladder and bowel", "膀胱与肠道功能"),
        role="secondary",
        measured_by=("lut_basic2", "bowel_basic2"),
        variable=words(
            "Variables of the basic data sets of the lower urinary tract and of the bowel, from Baseline to "
            "Month 2.",
            "下尿路与肠道基础数据集各变量自基线至第 2 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "adverse_events",
        words("Adverse events", "不良事件"),
        role="safety",
        measured_by=("adverse_events", "implant_days"),
        variable=words(
            "Adverse events, and serious ones related to the device, for each implant-day; dysreflexia and "
            "spasms that stopped a session among them.",
            "每植入日的不良事件数及与器械相关的严重不良事件数，包括导致会话中止的自主神经反射异常和痉挛。",
        ),
    ),
)

SYSTEM = System(
    name="emg_closed_loop_stimulation",
    title=words("EMG-controlled epidural stimulation", "肌电控制的硬膜外刺激"),
    inputs=(
        Input(
            "signal",
            "EMG",
            at_least_channels=1,
            at_most_channels=64,
            at_least_hz=1000.0,
            words=words("surface electrodes over the muscles of the legs", "下肢肌肉表面电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "triggered",
            words("The onset of the muscle triggers a burst", "肌电起始触发一次刺激"),
            paradigm="grasp_rest",
            params={"condition": EXTEND},
            decoder="emg_envelope",
            decoder_params=onset,
            law=ControlLaw("trigger", trigger_s=BURST_S, patterns=HOT_SPOT),
            trials=(12, 10),
        ),
        Task(
            "followed",
            words("The current follows the envelope of the muscle", "电流跟随肌电包络"),
            paradigm="amplitude_track",
            params=TRACK.params(),
            decoder="emg_envelope",
            decoder_params=envelope,
            law=FOLLOW,
            trials=(12, 9),
        ),
    ),
    procedures=("calibration", "online", "open_loop", "sham"),
    published=words(
        "Built after press reports on an epidural stimulator with EMG feedback: 16 contacts on the lumbar "
        "cord and a loop on EMG are reported, its law, rates and limits are not. Decoder and law here are "
        "proposals; programme and limits are invented examples. The participant and the stimulator of a "
        "simulation are simulated.",
        "依据有关肌电反馈硬膜外刺激器的新闻报道构建："
        "报道提及腰段 16 触点电极和肌电闭环，但未公布其控制规则、频率和限值。"
        "此处的解码器和控制规则为建议值，刺激程序和限值均为虚构示例。模拟会话中的受试者和刺激器均为模拟。",
    ),
    effector="epidural",
    stimulation=usual("emg_closed_loop_stimulation"),
    checks=(
        words(
            "The person sits securely; whoever stands or walks is in a harness and the programme says so.",
            "受试者坐稳；站立或步行者须使用安全悬吊，且刺激程序已注明。",
        ),
        words(
            "The contacts of the programme are those that the mapping of this person found.",
            "刺激程序所用触点为该受试者映射所得。",
        ),
        words(
            "No spasm is going on, and the muscle is quiet at rest in the EMG.",
            "当前无痉挛，静息时目标肌肉肌电安静。",
        ),
    ),
    visits=(
        BASELINE,
        PlannedVisit("Month 1", day=30, earliest=23, latest=37),
        PlannedVisit("Month 2", day=60, earliest=46, latest=74),
    ),
    endpoints=("10mwt", "6mwt", "wisci2", "isncsci", "f1", "false_per_min", "onset_s"),
    forms=("isncsci", "wisci2", "10mwt", "6mwt", "mas", "lut_basic2", "bowel_basic2"),
    own_forms=(STRIDES,),
    planned=ENDPOINTS,
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=(
        words(
            "Update rate, control law and latency of the reported device.",
            "所报道器械的更新频率、控制规则和延迟。",
        ),
        words(
            "Currents, contacts, pulse widths and rates of a person: the programme of a site states them.",
            "个体的电流、触点、脉宽和频率：由研究中心在其刺激程序中给出。",
        ),
        words(
            "Protocol, sample size and results of the reported cases beyond single people.",
            "所报道病例除个案外的方案、样本量和结果。",
        ),
        words(
            "Whether the price items of brain-computer interfaces cover a stimulator of the cord: no "
            "document that was seen says so.",
            "脑机接口价格项目是否适用于脊髓刺激器：所见文件均未说明。",
        ),
        CODES_NOT_SUPPLIED,
    ),
    out_of_scope=(
        words(
            "Stimulation that is learned stride by stride: its target, error and next profile are computed from "
            "recordings, and no stimulator follows them.",
            "逐步态周期学习的刺激：目标、误差和下一周期的波形由记录数据计算，不驱动刺激器。",
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
            "simulated participant: EMG of eight leg muscles at 2 kHz with artefacts and reflexes; simulated "
            "epidural stimulator",
            "模拟受试者：八块下肢肌肉的肌电，2 kHz，含刺激伪迹和反射；模拟硬膜外刺激器",
        ),
    ),
)
