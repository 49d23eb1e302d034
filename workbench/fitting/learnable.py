"""What fitting needs of a decoder, so that this room need not know the decoders."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from workbench.decoding.blocks import Lesson
from workbench.decoding.reducers import Reducer
from workbench.decoding.scorer import Scorer
from workbench.fitting.settings import AdaptSettings, EvidenceSettings
from workbench.signals import SignalSettings
from workbench.vocabulary import FloatArray


class Learnable(Protocol):
    """A decoder while it is fitted; :class:`workbench.decoders.WindowDecoder` is one, and documents the names."""

    name: ClassVar[str]
    scores_hold_prior: ClassVar[bool]
    fs: float
    classes_: NDArray[Any]
    log_prior_: FloatArray
    evidence_: dict[str, FloatArray]
    adaptation_: dict[str, FloatArray]

    @property
    def settings(self) -> SignalSettings: ...
    @property
    def evidence_settings(self) -> EvidenceSettings: ...
    @property
    def adapt_settings(self) -> AdaptSettings | None: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def step_s(self) -> float: ...
    def reducer(self) -> Reducer: ...
    def scorer(self) -> Scorer: ...
    def learn(self, summaries: FloatArray, y: NDArray[Any]) -> None: ...
    def lesson(self) -> Lesson: ...
