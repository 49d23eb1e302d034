"""Selection by gaze: items that flicker, EEG over the visual cortex, no effector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.devices import simulated_participant, simulated_presenter
from workbench.paradigms.selection import Selection
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import PRESENTER_MARKERS, SEIZURES_ASKED
from workbench.systems._system import MARKERS, SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

_SELECTION = Selection()
PRESET = {
    "preset": "ssvep",
    "source_id": SIGNAL,
    "shows": {name: _SELECTION.params()[name] for name in ("items", "frequencies_hz", "phases")},
}


def decoder_params(spec: StreamSpec) -> Mapping[str, Any]:
    """Windows of the paradigm's own length."""
    return {"fs": spec.fs, "window_s": _SELECTION.window_s}


COPY = Task(
    "copy",
    words("Select what is asked for", "选择指定的项目"),
    paradigm="selection",
    decoder="etrca",
    decoder_params=decoder_params,
    trials=(40, 24),
)

SYSTEM = System(
    name="selection_ssvep",
    title=words("Selection by flicker (SSVEP)", "闪烁选择（SSVEP）"),
    inputs=(
        Input(
            "signal",
            "EEG",
            at_least_channels=3,
            at_most_channels=256,
            at_least_hz=200.0,
            words=words("scalp electrodes over the visual cortex", "视觉皮层上方的头皮电极"),
        ),
        PRESENTER_MARKERS,
    ),
    tasks=(COPY, replace(COPY, name="free", title=words("Select freely", "自由选择"), online={"mode": "free"})),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker: frequencies and phases as in the literature. Participant and screen of a "
        "simulation are simulated.",
        "并非某一厂家的系统：频率和相位取自文献。模拟会话中的受试者和屏幕均为模拟。",
    ),
    checks=(SEIZURES_ASKED,),
    endpoints=("accuracy", "selections_per_min", "bits_per_min"),
    price_items=(FITTING,),
    not_supplied=(CODES_NOT_SUPPLIED,),
    simulator=Simulator(
        "simulated_participant",
        PRESET,
        contract=(simulated_participant.spec(PRESET), simulated_presenter.spec({"source_id": MARKERS})),
        source=words(
            "simulated participant, 9-channel EEG over the visual cortex at 250 Hz; simulated screen of 60 Hz",
            "模拟受试者，9 通道视觉皮层脑电，250 Hz；模拟屏幕，60 Hz",
        ),
        presenter="simulated_presenter",
    ),
)
