"""What several systems have in common: inputs, checks, visits and procedures that are the same fact in each.

A system's endpoints, its visits as a whole and its tasks are decisions of its own protocol and stand in its file.
"""

from __future__ import annotations

from workbench.systems._system import Input, PlannedVisit, words
from workbench.vocabulary import RunKind

CUES_OF_OTHERS = Input(
    "markers",
    "markers",
    critical=False,
    words=words("cues of another presenter", "其他程序呈现的提示标记"),
)
PRESENTER_MARKERS = Input(
    "markers",
    "markers",
    critical=False,
    words=words("markers of the presenter, stamped when the light changes", "呈现程序在光线变化时刻发出的标记"),
)
SENSORIMOTOR_EEG = Input(
    "signal",
    "EEG",
    at_least_channels=3,
    at_most_channels=256,
    at_least_hz=128.0,
    words=words("scalp electrodes over the sensorimotor cortex", "感觉运动皮层上方的头皮电极"),
)

SKIN_CHECKED = words("The skin under the glove was looked at and has no mark.", "已检查手套下的皮肤，无压痕。")
FINGERS_FREE = words("The fingers move freely in the glove.", "手指在手套内活动自如。")
SEIZURES_ASKED = words(
    "The participant was asked about seizures, and the answer is entered.",
    "已询问受试者癫痫发作史并录入回答。",
)

GLOVE_PROCEDURES: tuple[RunKind, ...] = ("calibration", "online", "passive", "open_loop", "sham", "mapping")
GLOVE_LEVELS = (0.25, 0.5, 0.75, 1.0)
"""Levels that the operator tries in a mapping run, fractions of the whole closing."""

USUAL_GLOVE = words(
    "No system of one maker: a usual arrangement of the literature. The participant and the glove of a "
    "simulation are simulated.",
    "并非某一厂家的系统，而是文献中的常用配置。模拟会话中的受试者和手套均为模拟。",
)

BASELINE = PlannedVisit("Baseline", day=0, earliest=-14, latest=0)


def week(n: int) -> PlannedVisit:
    """The visit of a week of treatment, a week earlier or later."""
    return PlannedVisit(f"Week {n}", day=7 * n, earliest=7 * n - 7, latest=7 * n + 7)
