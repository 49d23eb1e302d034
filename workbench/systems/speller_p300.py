"""A speller: rows and columns flash, the letter that is meant evokes a P300; EEG, no effector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.devices import simulated_participant, simulated_presenter
from workbench.paradigms.speller import Speller
from workbench.systems._prices import CODES_NOT_SUPPLIED, FITTING
from workbench.systems._shared import PRESENTER_MARKERS, SEIZURES_ASKED
from workbench.systems._system import MARKERS, SIGNAL, Input, Simulator, System, Task, words
from workbench.vocabulary import StreamSpec

_SPELLER = Speller()
PRESET = {
    "preset": "p300",
    "source_id": SIGNAL,
    "shows": {"items": list(_SPELLER.items), "groups": [list(group) for group in _SPELLER.groups]},
}


def decoder_params(spec: StreamSpec) -> Mapping[str, Any]:
    """Calibrated evidence: the error that dynamic stopping aims at is only as good as its probabilities."""
    return {
        "fs": spec.fs,
        "window_s": _SPELLER.window_s,
        "n_filters": 2,
        "evidence": {"calibrate": "platt"},
    }


COPY = Task(
    "copy",
    words("Spell what is asked for", "拼写指定的文字"),
    paradigm="speller",
    decoder="xdawn_lda",
    decoder_params=decoder_params,
    trials=(10, 8),
)

SYSTEM = System(
    name="speller_p300",
    title=words("Speller of rows and columns (P300)", "行列拼写器（P300）"),
    inputs=(
        Input(
            "signal",
            "EEG",
            at_least_channels=4,
            at_most_channels=256,
            at_least_hz=100.0,
            words=words("scalp electrodes, parietal and occipital", "顶叶和枕叶的头皮电极"),
        ),
        PRESENTER_MARKERS,
    ),
    tasks=(COPY, replace(COPY, name="free", title=words("Spell freely", "自由拼写"), online={"mode": "free"})),
    procedures=("calibration", "online"),
    published=words(
        "No system of one maker: the table of Farwell and Donchin (1988). Participant and screen of a simulation "
        "are simulated.",
        "并非某一厂家的系统：采用 Farwell 和 Donchin（1988）的行列表。模拟会话中的受试者和屏幕均为模拟。",
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
            "simulated participant, 8-channel EEG at 250 Hz; simulated screen of 60 Hz",
            "模拟受试者，8 通道脑电，250 Hz；模拟屏幕，60 Hz",
        ),
        presenter="simulated_presenter",
    ),
)
