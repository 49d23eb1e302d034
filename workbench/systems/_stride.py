"""Walking with hot-spots of the cord in the phase of the stride: what the systems that do so have in common.

The arrangement is that of published spatiotemporal stimulation (Wagner et al. 2018,
doi:10.1038/s41586-018-0649-2): a hot-spot for each leg, on in its swing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.control import ControlLaw
from workbench.devices import simulated_spinal_participant
from workbench.paradigms.cycle_rest import CycleRest
from workbench.study.forms import Form, Item
from workbench.systems._prices import CODES_NOT_SUPPLIED
from workbench.systems._shared import BASELINE
from workbench.systems._stimulation import usual
from workbench.systems._system import SIGNAL, Input, PlannedEndpoint, PlannedVisit, words
from workbench.vocabulary import FloatArray, StreamSpec

if TYPE_CHECKING:
    from workbench.recording import RunFile

Order = tuple[float, tuple[float, ...]]

WALK = "walk"
SIDES = ("left", "right")

BOUTS = CycleRest(condition=WALK, attempt_s=24.0, rest_s=12.0, lead_in_s=12.0, onset_window_s=14.0)
"""A phase is known after two strides, each of up to 4 s, and lost one and a half after the last."""

BLOCKS = (("left swing", 0.72, 0.12), ("right swing", 0.24, 0.6))
"""Phases of the left leg at which each hot-spot is asked for. A cycle begins within the swing of the left leg,
where its shank turns forward fastest. A block begins before its swing by what link and ramp take, and ends within
it."""

PRESET: dict[str, Any] = {
    "source_id": SIGNAL,
    "signal": "imu",
    # Somebody who steps in a harness and drags a foot now and then.
    "person": {"lesion": "T10", "grade": "D", "residual": 0.3},
    "conditions": {WALK: WALK},
    "support": 0.5,
    "posture": "standing",
}
SHANKS = replace(
    next(line for line in simulated_spinal_participant.specs(PRESET) if line.role == "signal"), source_id=SIGNAL
)


GYROSCOPES = Input(
    "signal",
    "IMU",
    at_least_channels=2,
    at_most_channels=12,
    at_least_hz=50.0,
    unit="deg/s",
    words=words(
        "gyroscopes on both shanks, sagittal, positive while the leg swings forward",
        "双侧小腿矢状面陀螺仪，小腿前摆时为正",
    ),
)

PROGRAMME = usual("stride_stimulation")

LAW = ControlLaw(
    "stride_gated",
    blocks=BLOCKS,
    patterns=(("left swing", (1.0, *(0.0,) * 7)), ("right swing", (0.0, 1.0, *(0.0,) * 6))),
)


def phase(signal: StreamSpec) -> dict[str, Any]:
    """The phase of the left shank, of strides of 1.2 to 4 s."""
    return {
        "fs": signal.fs,
        "channel": _shank(signal, "left"),
        "bands": [[0.2, 1.2]],
        "window_s": 8.0,
        "reference": "none",
        "mains_hz": 0.0,
    }


def _shank(signal: StreamSpec, side: str) -> int:
    """Number of a shank among the decoded channels; the first two where none is named so."""
    return signal.measured.index(side) if side in signal.measured else SIDES.index(side)


LEAST_DEG_S, REFRACTORY_S = 60.0, 0.6
"""Angular velocity from which a shank counts as swinging, deg/s, and the least time between two swings, s: a foot
that is dragged still turns forward, and twice within a swing."""
LEAST_SHARE = 1 / 3
"""Share of a swing for which a hot-spot is on, from which the swing counts as stimulated: between two blocks the
effector releases, rests and is answered, which takes much of a stride."""


@dataclass(frozen=True, slots=True)
class Swings:
    """What a run shows of the swings of both legs.

    Attributes
    ----------
    on : of those in which the own hot-spot was on for a third of the swing or more, the greatest angular velocity
        of each, ``(n,)`` deg/s.
    off : the same of the others.
    crossed : how many in which the hot-spot of the other leg was on for a third or more.
    """

    on: tuple[float, ...] = ()
    off: tuple[float, ...] = ()
    crossed: int = 0

    @property
    def n(self) -> int:
        """All swings."""
        return len(self.on) + len(self.off)

    def line(self) -> str:
        """One line for people."""
        if not self.n:
            return "Swings of the shanks: none found"
        both = ((self.on, "with current"), (self.off, "without"))
        medians = [f"{np.median(peaks):.0f} deg/s {how}" for peaks, how in both if peaks]
        return (
            f"Swings of the shanks: {self.n}, {len(self.on)} with their own hot-spot on for a third of it or "
            f"more, {self.crossed} with the other; greatest angular velocity, median: {', '.join(medians)}"
        )


def swings(run: RunFile) -> Swings:
    """Swings of a recorded run, and which of them were stimulated, by the orders that left.

    Parameters
    ----------
    run : of one of these systems; its first two decoded channels are the shanks where none is named so.
    """
    # A description is read by whoever lists systems; only figures need the whole of these.
    from workbench import control

    times, samples = run.stamped()
    line = run.contract_line or SHANKS
    shanks = samples[:, [_shank(line, side) for side in SIDES]]
    orders = [(one.stamp, one.given_ma) for one in control.given(run.control(), run.decisions())]
    return counted(times, shanks, orders, fs=run.signal.fs)


def counted(times: FloatArray, shanks: FloatArray, orders: Sequence[Order], *, fs: float) -> Swings:
    """Swings of both legs, and which of them were stimulated.

    Parameters
    ----------
    times : of each sample ``(n,)`` float64, s.
    shanks : ``(n, 2)`` float64, angular velocity of the left and the right shank, deg/s.
    orders : at each change, when it left in s and the current of each channel in mA from then on.
    fs : rate in Hz.
    """
    from workbench.signals import gait

    on: list[float] = []
    off: list[float] = []
    crossed = 0
    for own, wave in enumerate(shanks.T):
        for step in gait.steps(wave, fs=fs, least_deg_s=LEAST_DEG_S, refractory_s=REFRACTORY_S):
            if step.leaves < 0 or step.touches < 0:
                continue
            shares = _shares(orders, times[step.leaves], times[step.touches])
            (on if shares[own] >= LEAST_SHARE else off).append(float(wave[step.swings]))
            crossed += shares[1 - own] >= LEAST_SHARE
    return Swings(tuple(on), tuple(off), crossed)


def _shares(orders: Sequence[Order], begins: float, ends: float) -> tuple[float, ...]:
    """Share of a time in which each channel was on."""
    edges = np.clip([-np.inf, *(stamp for stamp, _ in orders), np.inf], begins, ends)
    lengths = np.diff(edges) / (ends - begins)
    flows = [(0.0,) * len(BLOCKS), *(currents for _, currents in orders)]
    return tuple(float(sum(lengths[k] for k, now in enumerate(flows) if now[n] > 0.0)) for n in range(len(BLOCKS)))


def figures(run: RunFile) -> tuple[str, ...]:
    """What a run is judged by beside the decisions on walking and standing."""
    return (swings(run).line(),)


def entries(run: RunFile) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The figures of a run as an entry of :data:`SWINGS`, which names the run."""
    found, none = swings(run), {"missing": "not_done"}

    def median(peaks: Sequence[float]) -> Any:
        return float(np.median(peaks)) if peaks else none

    values = {
        "stimulation": "on" if found.on else "off",
        "swings": found.n,
        "in_phase": len(found.on),
        "crossed": found.crossed,
        "speed_on": median(found.on),
        "speed_off": median(found.off),
        "run": run.path.stem,
    }
    return ((SWINGS.name, values),)


def _count(name: str, en: str, zh: str) -> Item:
    return Item(name, words(en, zh), "integer", least=0, greatest=100_000)


def _speed(name: str, en: str, zh: str) -> Item:
    return Item(name, words(en, zh), "number", unit="deg/s", least=0, greatest=2000)


SWINGS = Form(
    "stimulated_swings",
    words("Swings of a recorded walk", "记录步行中的摆动期"),
    items=(
        Item("stimulation", words("Stimulation", "刺激"), "choice", choices=("on", "off"), required=True),
        _count("swings", "Swings of both legs", "双下肢摆动次数"),
        _count("in_phase", "Own hot-spot on for a third of the swing or more", "本侧热点开启达三分之一的次数"),
        _count("crossed", "The other hot-spot on for a third or more", "对侧热点开启达三分之一的次数"),
        _speed("speed_on", "Greatest angular velocity, with current, median", "有电流时最大角速度中位数"),
        _speed("speed_off", "The same without current", "无电流时最大角速度中位数"),
        Item("run", words("Run that the figures come from", "数值来源的运行"), "text"),
    ),
)  # fmt: skip

_TO = ", from Baseline to Month 6"

ENDPOINTS = (
    PlannedEndpoint(
        "walking_speed",
        words("Walking speed, stimulation on", "刺激开启时的步行速度"),
        role="primary",
        measured_by=("10mwt",),
        variable=words(
            f"Change of the preferred speed of the 10 m walk with stimulation on{_TO}. The same aid and support "
            "at both; unable is speed 0.",
            "刺激开启时 10 米步行首选速度自基线至第 6 个月的变化。"
            "两次的助行器具和减重须相同；不能步行记为速度 0。",
        ),
    ),
    PlannedEndpoint(
        "without_current",
        words("Walking, stimulation off", "刺激关闭时的步行"),
        role="secondary",
        measured_by=("10mwt", "6mwt"),
        variable=words(
            f"Change of the same speed and of the distance in 6 minutes with stimulation off{_TO}; never pooled "
            "with those while stimulation is on.",
            "刺激关闭时同一速度及 6 分钟步行距离自基线至第 6 个月的变化；不与刺激开启时的结果合并。",
        ),
    ),
    PlannedEndpoint(
        "in_phase",
        words("Swings in phase", "相位正确的摆动"),
        role="secondary",
        measured_by=(SWINGS.name,),
        variable=words(
            "Share of the swings of the online runs in which the leg's own hot-spot was on for a third of the "
            "swing or more, and of those in which the other leg's was, by day.",
            "在线运行各摆动中本侧热点开启达三分之一者的比例，以及对侧热点开启达三分之一者的比例，按日统计。",
        ),
    ),
    PlannedEndpoint(
        "lems",
        words("Motor score of the lower limbs", "下肢运动评分"),
        role="secondary",
        measured_by=("isncsci",),
        variable=words(
            f"Change of the lower extremity motor score (ISNCSCI), stimulation off, and of the AIS grade{_TO}.",
            "刺激关闭时下肢运动评分（ISNCSCI）及 AIS 分级自基线至第 6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "walking",
        words("Walking index and mobility", "步行指数与移动能力"),
        role="secondary",
        measured_by=("wisci2", "tug"),
        variable=words(
            f"Change of the self-selected level of the WISCI II and of the time to get up and go{_TO}.",
            "WISCI II 自选等级及起立行走计时自基线至第 6 个月的变化。",
        ),
    ),
    PlannedEndpoint(
        "adverse_events",
        words("Adverse events", "不良事件"),
        role="safety",
        measured_by=("adverse_events", "implant_days"),
        variable=words(
            "Adverse events, and serious ones related to the device, for each implant-day; falls and near falls "
            "among them.",
            "每植入日的不良事件数及与器械相关的严重不良事件数，包括跌倒和险些跌倒。",
        ),
    ),
)

CHECKS = (
    words(
        "The harness is closed and holds the person, and somebody answers for it.",
        "安全悬吊已扣好并承托受试者，且有专人负责。",
    ),
    words(
        "The hot-spots of the programme are those that the mapping of this person found.",
        "刺激程序所用热点为该受试者映射所得。",
    ),
    words(
        "Left and right shank are not exchanged, and both turn positive while the leg swings forward.",
        "左右小腿传感器未互换，且小腿前摆时两者均为正。",
    ),
)

VISITS = (
    BASELINE,
    PlannedVisit("Month 1", day=30, earliest=23, latest=37),
    PlannedVisit("Month 3", day=90, earliest=76, latest=104),
    PlannedVisit("Month 6", day=180, earliest=159, latest=201),
)

FORMS = ("isncsci", "wisci2", "10mwt", "6mwt", "tug")
MEASURED = ("10mwt", "6mwt", "wisci2", "tug", "isncsci", "f1", "false_per_min")

NOT_SUPPLIED = (
    words(
        "Phases, currents and hot-spots of a person: the mapping and the programme of a site state them.",
        "个体的相位、电流和热点：由研究中心的映射和刺激程序给出。",
    ),
    words(
        "Whether the price items of brain-computer interfaces cover a stimulator of the cord: no document "
        "that was seen says so.",
        "脑机接口价格项目是否适用于脊髓刺激器：所见文件均未说明。",
    ),
    CODES_NOT_SUPPLIED,
)

AT_ONCE = words(
    "Hot-spots that are on at once, such as extension of one leg while the other swings: the effector's "
    "profile opens between two blocks, and no system may widen it.",
    "同时开启的热点（如一侧摆动而另一侧伸展）：执行器规格要求两段之间断流，任何系统不得放宽。",
)
REAL_STIMULATOR = words(
    "Driving a real stimulator: its driver comes with it and keeps the protocol of effectors.",
    "驱动真实刺激器：驱动程序由刺激器附带，并遵守执行器协议。",
)
