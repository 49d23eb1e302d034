"""Attempted movements of the legs, decoded from epidural ECoG, each stimulate a hot-spot of the lumbar cord.

The decoder is of the class that Lorach et al. 2023, doi:10.1038/s41586-023-06094-5, describe: a gate over states,
learned again every 15 s. Visits and endpoints are proposals. One decision a cue stimulates once; gating by the
phase of a stride is ``brain_spine_walking``, and a current that follows the decoder at every hop, are not in it.
"""

from __future__ import annotations

from typing import Any

from workbench.control import ControlLaw
from workbench.devices import simulated_participant
from workbench.paradigms.leg_states import JOINTS, STILL, LegStates
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

SURE = 0.5
"""Least probability of a state that acts: it is more likely than all others together. After other cues nothing
is stimulated."""
PARADIGM = LegStates(reject_below=SURE)

PRESET: dict[str, Any] = {"preset": "legs", "source_id": SIGNAL}

BLOCK_S = 15.0
"""Length of a block after which the decoder learns, s."""
BURST_S = 3.0
"""How long a decided state stimulates its hot-spot, s: as long as an attempt is asked for."""

HOT_SPOTS = tuple((joint, tuple(float(k == n) for k in range(8))) for n, joint in enumerate(JOINTS))
"""State → share of each channel of the stimulator; the programme has the hot-spots in the order of the joints."""


def states(signal: StreamSpec) -> dict[str, Any]:
    """The gate over states alone, on the window that decides."""
    return {
        "fs": signal.fs,
        "window_s": PARADIGM.stretch_s,
        # An attempt is held through its window, so that its power is one number in each band.
        "model": {"stretches": 1, "states": {STILL: "rest", **{joint: joint for joint in JOINTS}}},
        "adapt": {"rule": "blocks", "block_s": BLOCK_S, "delay_s": BLOCK_S},
    }


def _number(name: str, en: str, zh: str, *, unit: str, most: float) -> Item:
    return Item(name, words(en, zh), "number", unit=unit, least=0, greatest=most)


GAIT = Form(
    "recorded_gait",
    words("Kinematics of a recorded walk", "记录步行的运动学"),
    items=(
        Item("stimulation", words("Stimulation", "刺激"), "choice", choices=("on", "off"), required=True),
        Item("steps", words("Steps recorded", "记录的步数"), "integer", least=0, greatest=100_000),
        Item(
            "failed",
            words("Steps shorter than 10 cm", "短于 10 cm 的步数"),
            "integer",
            least=0,
            greatest=100_000,
        ),
        _number("step_length", "Length of a step, median", "步长中位数", unit="cm", most=200),
        _number(
            "distance",
            "Distance of the gait pattern to that of uninjured people, in the space of its principal components",
            "步态模式与健康人群在主成分空间中的距离",
            unit="",
            most=1000,
        ),
        _number("support", "Body weight supported", "减重比例", unit="%", most=100),
        Item("aid", words("Walking aid", "助行器具"), "text"),
    ),
)

_TO = ", from Baseline to Month 6"


def _planned(
    name: str, title: tuple[str, str], measured_by: tuple[str, ...], variable: tuple[str, str], *, role: Any
) -> PlannedEndpoint:
    return PlannedEndpoint(name, words(*title), role=role, measured_by=measured_by, variable=words(*variable))


ENDPOINTS = (
    _planned(
        "walking_speed",
        ("Walking speed, stimulation on", "刺激开启时的步行速度"),
        ("10mwt",),
        (
            f"Change of the preferred speed of the 10 m walk with stimulation on{_TO}. The same aid and support "
            "at both; unable is speed 0.",
            "刺激开启时 10 米步行首选速度自基线至第 6 个月的变化。"
            "两次的助行器具和减重须相同；不能步行记为速度 0。",
        ),
        role="primary",
    ),
    _planned(
        "without_current",
        ("Walking, stimulation off", "刺激关闭时的步行"),
        ("10mwt", "6mwt"),
        (
            f"Change of the same speed and of the distance in 6 minutes with stimulation off{_TO}; never pooled "
            "with those while stimulation is on.",
            "刺激关闭时同一速度及 6 分钟步行距离自基线至第 6 个月的变化；不与刺激开启时的结果合并。",
        ),
        role="secondary",
    ),
    _planned(
        "states",
        ("States decoded right", "状态解码正确率"),
        ("accuracy",),
        (
            "Share of cues whose state was decided, of all seven states and of each, by day.",
            "七种状态合计及各状态中解码正确的提示所占比例，按日统计。",
        ),
        role="secondary",
    ),
    _planned(
        "walking",
        ("Walking index and mobility", "步行指数与移动能力"),
        ("wisci2", "tug", "bbs"),
        (
            f"Change of the self-selected level of the WISCI II, of the time to get up and go, and of the Berg "
            f"balance scale{_TO}.",
            "WISCI II 自选等级、起立行走计时及 Berg 平衡量表自基线至第 6 个月的变化。",
        ),
        role="secondary",
    ),
    _planned(
        "lems",
        ("Motor score of the lower limbs", "下肢运动评分"),
        ("isncsci",),
        (
            f"Change of the lower extremity motor score (ISNCSCI), stimulation off, and of the AIS grade{_TO}.",
            "刺激关闭时下肢运动评分（ISNCSCI）及 AIS 分级自基线至第 6 个月的变化。",
        ),
        role="secondary",
    ),
    _planned(
        "kinematics",
        ("Kinematics of gait", "步态运动学"),
        ("recorded_gait",),
        (
            f"Length of steps, share of failed steps and distance of the gait pattern to that of uninjured "
            f"people, stimulation on and off apart{_TO}.",
            "步长、失败步比例及步态模式与健康人群的距离自基线至第 6 个月的变化，刺激开启与关闭分别统计。",
        ),
        role="secondary",
    ),
    _planned(
        "independence",
        ("Independence", "独立能力"),
        ("scim3",),
        (f"Change of the total of the SCIM III{_TO}.", "SCIM III 总分自基线至第 6 个月的变化。"),
        role="secondary",
    ),
    _planned(
        "adverse_events",
        ("Adverse events", "不良事件"),
        ("adverse_events", "implant_days"),
        (
            "Adverse events, and serious ones related to a device, for each implant-day; falls, dysreflexia and "
            "what stopped a session among them.",
            "每植入日的不良事件数及与器械相关的严重不良事件数，包括跌倒、自主神经反射异常及导致会话中止的事件。",
        ),
        role="safety",
    ),
)

SYSTEM = System(
    name="brain_spine_interface",
    title=words("Brain-spine interface: cortex to epidural stimulation", "脑脊接口：皮层脑电控制硬膜外刺激"),
    inputs=(
        Input(
            "signal",
            "ECoG",
            at_least_channels=8,
            at_most_channels=256,
            at_least_hz=400.0,
            words=words("electrodes over the leg areas of both hemispheres", "双侧运动皮层下肢区电极"),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "cued",
            words("Attempt a movement of a leg after a cue", "按提示尝试下肢动作"),
            paradigm="leg_states",
            params=PARADIGM.params(),
            decoder="rew_mslm",
            decoder_params=states,
            law=ControlLaw("trigger", JOINTS, trigger_s=BURST_S, patterns=HOT_SPOTS),
            trials=(28, 28, 21),
        ),
    ),
    procedures=("calibration", "online", "passive", "open_loop", "sham"),
    published=words(
        "Built after a published decoder of two cortical implants that stimulates the cord (Lorach et al. 2023), "
        "which learns again every 15 s; the decoder here is an implementation of its own, and a state acts where "
        "it is more likely than all others together. Cases of an implant that records and stimulates are press "
        "reports. Programme and limits are invented examples. The cortex and the stimulator of a simulation are "
        "simulated; the legs are not, and nothing is felt of the current.",
        "依据已发表的双侧皮层植入物控制脊髓刺激的解码器（Lorach 等，2023）构建，该解码器每 15 s 重新学习；"
        "此处为独立实现，仅当某状态的概率大于其余状态之和时才执行。"
        "记录与刺激一体植入物的病例来自新闻报道。刺激程序和限值均为虚构示例。"
        "模拟会话中的皮层信号和刺激器均为模拟；不模拟下肢，受试者对电流无感觉。",
    ),
    effector="epidural",
    stimulation=usual("brain_spine_interface"),
    checks=(
        words(
            "The harness is closed and holds the person, and somebody answers for it.",
            "安全悬吊已扣好并承托受试者，且有专人负责。",
        ),
        words(
            "The hot-spots of the programme are those that the mapping of this person found.",
            "刺激程序所用热点为该受试者映射所得。",
        ),
    ),
    visits=(
        BASELINE,
        PlannedVisit("Month 1", day=30, earliest=23, latest=37),
        PlannedVisit("Month 3", day=90, earliest=76, latest=104),
        PlannedVisit("Month 6", day=180, earliest=159, latest=201),
    ),
    endpoints=("10mwt", "6mwt", "wisci2", "tug", "bbs", "isncsci", "scim3", "accuracy"),
    forms=("isncsci", "wisci2", "10mwt", "6mwt", "tug", "bbs", "scim3"),
    own_forms=(GAIT,),
    planned=ENDPOINTS,
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=(
        words(
            "Channels, rate, bands and accuracy of the implant that the press reports.",
            "新闻所报道植入物的通道数、采样率、频带和准确率。",
        ),
        words(
            "Currents, contacts, pulse widths and rates of a person: the programme of a site states them.",
            "个体的电流、触点、脉宽和频率：由研究中心在其刺激程序中给出。",
        ),
        words(
            "Whether the price items of brain-computer interfaces cover a stimulator of the cord: no document "
            "that was seen says so.",
            "脑机接口价格项目是否适用于脊髓刺激器：所见文件均未说明。",
        ),
        CODES_NOT_SUPPLIED,
    ),
    out_of_scope=(
        words(
            "Gait: bursts that the phase of a stride lets through while the cortex means to walk. The system "
            "brain_spine_walking has it.",
            "步行：皮层意图行走期间由步态相位放行的刺激。见系统 brain_spine_walking。",
        ),
        words(
            "A current that follows the decoder at every hop: the link and the supervisor would carry it, but no "
            "level of the simulated legs' cortex was measured, so that none is offered.",
            "逐步跟随解码结果的电流：链路和监督器可以支持，但尚未测定模拟下肢皮层的连续强度，因此不提供。",
        ),
        words(
            "Driving a real stimulator: its driver comes with it and keeps the protocol of effectors.",
            "驱动真实刺激器：驱动程序由刺激器附带，并遵守执行器协议。",
        ),
    ),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET),),
        source=words(
            "simulated participant, 32-channel epidural ECoG of both leg areas at 500 Hz; simulated epidural "
            "stimulator",
            "模拟受试者，双侧下肢区 32 通道硬膜外皮层脑电，500 Hz；模拟硬膜外刺激器",
        ),
    ),
)
