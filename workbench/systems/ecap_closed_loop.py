"""The response of the dorsal columns to each pulse is held at a target by the stimulator's own loop.

The arrangement is that of published closed-loop stimulation of the cord (doi:10.1001/jamaneurol.2021.4998): the
evoked compound action potential (ECAP) is sensed after every pulse, and the next pulse follows it. Nothing is
decoded here. The workbench switches bouts with the loop closed and open, bounds the ceiling of their current,
records every response with the current of its pulse, and says how far it was from the target.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.control import ControlLaw
from workbench.devices import simulated_spinal_participant
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
from workbench.vocabulary import FloatArray

if TYPE_CHECKING:
    from workbench.recording import RunFile

CLOSED, OPEN = "closed", "open"
PULSE = "pulse_ma"
"""Channel of the stream that carries the current of the pulse, mA."""

BOUT_S, PAUSE_S = 4.8, 3.0
"""A bout stays below the longest that the profile of the effector allows, s."""
TURNS = ((0.0, "sitting"), (1.8, "lying"), (3.3, "standing"))
"""Postures in a bout of the simulation, s from its cue: the same in both kinds."""
TITRATION = 50
"""Pulses at the beginning of a bout that find the current, loop closed; they count in no endpoint."""

TARGET_UV, WINDOW = 50.0, 0.2
"""Target where nobody states another, µV, and the share of it by which a response in the window may differ."""
SWEEP_FS, SAMPLE_UV = 16_000.0, 3.0
"""Rate within a sweep, Hz, and standard deviation of a sample of it without a response, µV."""

LOOP: dict[str, Any] = {
    "closed": "loop closed",
    "open": "loop open",
    "target_uv": TARGET_UV,
    # 0.3 of the error for a growth of 60 µV/mA: one setting for everybody, as nobody's own growth is known here.
    "gain": 0.005,
    "least_ma": 0.0,
    "most_ma": 7.0,
    "step_ma": 0.3,
    "threshold_ma": 3.0,
    "noise_uv": 4.0,
}
"""Invented settings of the simulated stimulator's loop."""

PRESET: dict[str, Any] = {
    "source_id": SIGNAL,
    "signal": "ecap",
    "person": {"lesion": "T10", "grade": "C"},
    "postures": {CLOSED: [list(turn) for turn in TURNS], OPEN: [list(turn) for turn in TURNS]},
    "loop": LOOP,
}
(ECAP,) = (line for line in simulated_spinal_participant.specs(PRESET) if line.role == "signal")


@dataclass(frozen=True, slots=True)
class Held:
    """How well the response was held in the bouts of one kind.

    Attributes
    ----------
    kind : :data:`CLOSED` or :data:`OPEN`.
    bouts, pulses : how many that count, pulses without those that found the current.
    unread : pulses whose sweep could not be read; they count as outside the window and in no error.
    error_uv : mean distance of the measured amplitude from the target, µV; nan without a pulse.
    in_window : share of the pulses within the window, 0–1; nan without a pulse.
    least_ma, most_ma : of the currents of these pulses, mA.
    missing : bouts that were cued and count nothing: nothing was armed yet, or the current ended too soon.
    """

    kind: str
    bouts: int
    pulses: int
    unread: int
    error_uv: float
    in_window: float
    least_ma: float
    most_ma: float
    missing: int = 0

    def line(self, target_uv: float) -> str:
        """One line for people."""
        bouts = f"{self.bouts} bout{'' if self.bouts == 1 else 's'}"
        return (
            f"ECAP, loop {self.kind}: mean error {self.error_uv:.1f} µV, {100.0 * self.in_window:.1f} % of "
            f"{self.pulses} pulses within ±{WINDOW * 100.0:g} % of {target_uv:g} µV ({bouts}, "
            f"{self.least_ma:.1f} to {self.most_ma:.1f} mA; measured, noise included)"
            + (f"; bouts without a pulse to count: {self.missing}" if self.missing else "")
        )


def responses(run: RunFile) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Kind of each bout of a run, currents ``(n,)`` in mA and amplitudes ``(n,)`` in µV of all its pulses.

    Parameters
    ----------
    run : recorded with a stream that has the channel :data:`PULSE`; one without it has no bout.

    Notes
    -----
    A bout is what flows from its cue to its cue's end: the ramp after it belongs to none.
    """
    # A description is read by whoever lists systems; only figures need kernels.
    from workbench.signals.ecap import amplitude_of

    if PULSE not in run.signal.channels:
        return
    own = run.signal.channels.index(PULSE)
    times, values = run.stamped()
    for cue in run.markers():
        if cue.kind != "cue" or cue.label not in (CLOSED, OPEN):
            continue
        ends = cue.stamp + float(cue.detail["duration_s"])
        mine = values[(times >= cue.stamp) & (times < ends) & (values[:, own] > 0.0)]
        sweeps = np.delete(mine, own, axis=1)
        amplitudes = [amplitude_of(sweep, fs=SWEEP_FS, noise=SAMPLE_UV) for sweep in sweeps]
        yield cue.label, mine[:, own].astype(np.float64), np.array(amplitudes, dtype=np.float64)


def held(run: RunFile, *, target_uv: float = TARGET_UV) -> tuple[Held, ...]:
    """How well the response was held, closed first; a kind without a bout is left out.

    Parameters
    ----------
    run : see :func:`responses`. target_uv : of the participant, µV.
    """
    return summed(list(responses(run)), target_uv=target_uv)


def summed(bouts: Sequence[tuple[str, FloatArray, FloatArray]], *, target_uv: float) -> tuple[Held, ...]:
    """What :func:`held` gives, of bouts as :func:`responses` gives them."""
    found = []
    for kind in (CLOSED, OPEN):
        mine = [(ma[TITRATION:], uv[TITRATION:]) for label, ma, uv in bouts if label == kind]
        if not mine:
            continue
        ma, uv = (np.concatenate(part) for part in zip(*mine, strict=True))
        read = np.abs(uv[np.isfinite(uv)] - target_uv)
        some = len(read) > 0
        found.append(
            Held(
                kind,
                bouts=sum(len(one) > 0 for one, _ in mine),
                pulses=len(uv),
                unread=len(uv) - len(read),
                error_uv=float(read.mean()) if some else float("nan"),
                in_window=float((read <= WINDOW * target_uv).sum() / len(uv)) if some else float("nan"),
                least_ma=float(ma.min(initial=np.inf)),
                most_ma=float(ma.max(initial=0.0)),
                missing=sum(len(one) == 0 for one, _ in mine),
            )
        )
    return tuple(found)


def figures(run: RunFile) -> tuple[str, ...]:
    """What a run is judged by, one line for each kind of bout."""
    return tuple(one.line(TARGET_UV) for one in held(run))


def entries(run: RunFile) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The figures of a run as entries of :data:`HELD`, one for each kind of bout, which name the run.

    A figure without a pulse to count is missing, and no number.
    """
    return tuple((HELD.name, _values(one, run)) for one in held(run))


def _values(one: Held, run: RunFile) -> dict[str, Any]:
    measured = {"error": one.error_uv, "in_window": 100.0 * one.in_window, "current": one.most_ma}
    none = {"missing": "not_done"}
    return {
        "loop": one.kind,
        "target": TARGET_UV,
        "pulses": one.pulses,
        **{name: value if one.pulses and math.isfinite(value) else none for name, value in measured.items()},
        "run": run.path.stem,
    }


def _number(name: str, en: str, zh: str, unit: str, most: float) -> Item:
    return Item(name, words(en, zh), "number", unit=unit, least=0, greatest=most)


HELD = Form(
    "held_response",
    words("Responses of a session, loop closed and open", "会话中的诱发反应：闭环与开环"),
    items=(
        Item("loop", words("Loop", "环路"), "choice", choices=(CLOSED, OPEN), required=True),
        _number("target", "Target of the amplitude", "目标幅值", "uV", 1000),
        Item("pulses", words("Pulses counted", "计入的脉冲数"), "integer", least=0, greatest=100_000_000),
        _number("error", "Mean distance from the target", "与目标的平均偏差", "uV", 10_000),
        _number("in_window", "Pulses within the window", "窗内脉冲比例", "%", 100),
        _number("current", "Greatest current", "最大电流", "mA", 100),
        Item("run", words("Run that the figures come from", "数值来源的运行"), "text"),
    ),
)

SETTINGS = Form(
    "loop_settings",
    words("Settings of the loop", "环路设置"),
    items=(
        _number("target", "Target of the amplitude", "目标幅值", "uV", 1000),
        _number("perception", "Current at which the person begins to feel it", "感觉阈电流", "mA", 100),
        _number("discomfort", "Current at which it becomes unpleasant", "不适阈电流", "mA", 100),
        _number("ceiling", "Ceiling of the current", "电流上限", "mA", 100),
        Item("posture", words("Posture in which they were found", "设定时的体位"), "choice",
             choices=("sitting", "standing", "lying"), required=True),
        Item("remarks", words("Remarks", "备注"), "text"),
    ),
)  # fmt: skip

ENDPOINTS = (
    PlannedEndpoint(
        "error",
        words("Mean error of the response, loop closed", "闭环时反应的平均误差"),
        role="primary",
        measured_by=(HELD.name,),
        variable=words(
            "Mean distance of the measured amplitude from the participant's target, µV, over the pulses of the "
            "closed bouts at Month 3, without those that find the current.",
            "第 3 个月闭环刺激段内各脉冲实测幅值与受试者目标的平均偏差（µV），不含用于确定电流的脉冲。",
        ),
    ),
    PlannedEndpoint(
        "in_window",
        words("Pulses in the window, loop closed", "闭环时窗内脉冲比例"),
        role="secondary",
        measured_by=(HELD.name,),
        variable=words(
            "Share of the same pulses whose amplitude lies within 20 % of the target. The window of a person may "
            "be another, and its protocol then states it.",
            "同一批脉冲中幅值在目标 ±20 % 以内的比例；个体窗可不同，由方案另行规定。",
        ),
    ),
    PlannedEndpoint(
        "against_open",
        words("Closed against open", "闭环与开环之比较"),
        role="secondary",
        measured_by=(HELD.name,),
        variable=words(
            "The same two figures of the open bouts of the same session, under the same postures, and their "
            "difference from the closed ones in the same person.",
            "同一会话、相同体位下开环刺激段的上述两项指标，及其与同一受试者闭环段之差。",
        ),
    ),
    PlannedEndpoint(
        "pain",
        words("Pain", "疼痛"),
        role="secondary",
        measured_by=("pain_nrs",),
        variable=words(
            "Change of the rating of pain from Baseline to Months 1 and 3.",
            "疼痛评分自基线至第 1、3 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "spasticity",
        words("Spasticity", "痉挛"),
        role="secondary",
        measured_by=("mas",),
        variable=words(
            "Grade of the modified Ashworth scale of each muscle of the legs, from Baseline to Month 3.",
            "下肢各肌改良 Ashworth 分级自基线至第 3 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "adverse_events",
        words("Adverse events", "不良事件"),
        role="safety",
        measured_by=("adverse_events", "implant_days"),
        variable=words(
            "Adverse events, and serious ones related to the device, for each implant-day; unpleasant surges at a "
            "change of posture or a cough, and a migrated lead, among them.",
            "每植入日的不良事件数及与器械相关的严重不良事件数，包括体位变化或咳嗽时的不适过强刺激和电极移位。",
        ),
    ),
)

SYSTEM = System(
    name="ecap_closed_loop",
    title=words("Stimulation that holds the evoked response (ECAP)", "维持诱发反应（ECAP）的闭环脊髓刺激"),
    inputs=(
        Input(
            "signal",
            "ECAP",
            at_least_channels=32,
            at_most_channels=512,
            at_least_hz=10.0,
            words=words(
                "sweep after each pulse as the stimulator senses it, with the current of the pulse beside it",
                "刺激器在每个脉冲后感测的波形，并附该脉冲的电流",
            ),
        ),
        CUES_OF_OTHERS,
    ),
    tasks=(
        Task(
            "posture",
            words("Bouts with the loop closed and open while the posture changes", "体位变化下的闭环与开环刺激段"),
            paradigm="left_right",
            params={"conditions": (CLOSED, OPEN), "attempt_s": BOUT_S, "rest_s": PAUSE_S},
            decoder="",
            law=ControlLaw(
                "trigger",
                (CLOSED, OPEN),
                trigger_s=BOUT_S,
                patterns=((CLOSED, (1.0, *(0.0,) * 7)), (OPEN, (0.0, 1.0, *(0.0,) * 6))),
            ),
            trials=(12,),
        ),
    ),
    procedures=("open_loop",),
    published=words(
        "Built after published closed-loop stimulation of the cord: sensing after every pulse, a loop on the "
        "amplitude and its result in people are published (of one person an error of 3.0 µV closed and 66.4 µV "
        "open at a target of 50 µV), the parameters of its law are not in what was seen. The loop here is an "
        "integral law with invented settings; programme and limits are invented examples. The workbench orders "
        "and limits the ceiling of the current; the stimulator's loop sets each pulse below it, so that every "
        "charge that is counted is the most that can have flowed. The participant and the stimulator of a "
        "simulation are simulated, and the simulated loop runs where its sweeps arise, with the participant.",
        "依据已发表的闭环脊髓刺激构建：逐脉冲感测、对幅值的闭环及其人体结果已发表"
        "（某一受试者在 50 µV 目标下误差闭环 3.0 µV、开环 66.4 µV），所见材料中未见其控制律参数。"
        "此处的环路为积分控制律，设置为虚构；刺激程序和限值均为虚构示例。"
        "工作台下达并限制电流上限，刺激器自身的环路在上限以下设定每个脉冲，因此所计电荷均为可能流过的最大值。"
        "模拟会话中的受试者和刺激器均为模拟，模拟环路与产生波形的受试者在同一进程中运行。",
    ),
    effector="epidural",
    stimulation=usual("ecap_closed_loop"),
    checks=(
        words(
            "The ceiling of today is below what the person found unpleasant in any posture that will be taken.",
            "今日电流上限低于受试者在将采取的任何体位下感到不适的电流。",
        ),
        words(
            "The loop of the stimulator is set to this participant's target, and the sweep shows a response.",
            "刺激器环路已设为该受试者的目标，且波形中可见其反应。",
        ),
        words(
            "Whoever stands up in the session holds on or is held.",
            "会话中站立的受试者有扶持或保护。",
        ),
    ),
    visits=(
        BASELINE,
        PlannedVisit("Month 1", day=30, earliest=23, latest=37),
        PlannedVisit("Month 3", day=90, earliest=76, latest=104),
    ),
    endpoints=("pain_nrs",),
    forms=("pain_nrs", "mas"),
    own_forms=(SETTINGS, HELD),
    planned=ENDPOINTS,
    price_items=(PLACEMENT, REMOVAL),
    not_supplied=(
        words(
            "Law, gain, rate of pulses and window of the published device.",
            "已发表器械的控制律、增益、脉冲频率和窗。",
        ),
        words(
            "Currents, contacts, pulse widths and target of a person: the programme and the form of a site state "
            "them.",
            "个体的电流、触点、脉宽和目标：由研究中心在其刺激程序和表单中给出。",
        ),
        words(
            "Whether the spinal stimulator of Chinese press reports senses this response: no evidence was found.",
            "中文报道中的脊髓刺激器是否感测该反应：未见公开证据。",
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
            "A loop that the workbench itself closes: a link that takes longer than the interval of two pulses "
            "would make it too slow for a breath or a cough.",
            "由工作台自身闭合的环路：链路延迟超过脉冲间隔，不足以应对呼吸或咳嗽。",
        ),
        words(
            "Stimulation for hours: the effector's profile ends a bout after 5 s, and no system may widen it.",
            "持续数小时的刺激：执行器规格在 5 s 后结束刺激段，任何系统不得放宽。",
        ),
        words(
            "Driving a real stimulator: its driver comes with it and keeps the protocol of effectors. It states "
            "the ceiling in force as what it delivers, as less would pass for a fault, and the current of each "
            "pulse beside its sweep, which no supervisor but its own compares.",
            "驱动真实刺激器：驱动程序由刺激器附带，并遵守执行器协议。"
            "它以当前生效的上限作为所输出的电流上报"
            "（更小的值会被判为故障），并随波形给出每个脉冲的电流；后者仅由刺激器自身监督。",
        ),
    ),
    simulator=Simulator(
        "simulated_spinal_participant",
        PRESET,
        contract=(replace(ECAP, source_id=SIGNAL),),
        source=words(
            "simulated participant: a sweep of 3 ms after each of 50 pulses a second, with postures, breath and "
            "coughs; simulated epidural stimulator",
            "模拟受试者：每秒 50 个脉冲后的 3 ms 波形，含体位、呼吸和咳嗽；模拟硬膜外刺激器",
        ),
    ),
    figures=figures,
    entries=entries,
)
