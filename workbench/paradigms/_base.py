"""What every paradigm offers, and the shapes it exchanges with the decode loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple, Self

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._flicker import Flicker
from workbench.vocabulary import Decision, Evidence, EvidenceKind, LocatedCue, Trial


class PlannedCue(NamedTuple):
    """One cue of a schedule: onset and duration in s of stream time from the run's first sample."""

    at_s: float
    label: str
    duration_s: float
    trial: int


class Request(NamedTuple):
    """What a rule asks for: at sample ``at`` (exclusive), the evidence of the window that ends before ``end``."""

    at: int
    end: int


class Rule(ABC):
    """The state of one run: from evidence to decisions and trials. Pure; counts in samples.

    Rejected evidence never starts an activation and never prolongs one, in any rule.
    """

    @property
    @abstractmethod
    def due(self) -> Request | None:
        """The next request for evidence, or None while there is none."""

    @abstractmethod
    def cue(self, cue: LocatedCue, *, at: int) -> list[Trial]:
        """A cue took effect at sample ``at`` (later than ``cue.sample`` when its marker was late)."""

    @abstractmethod
    def decide(self, request: Request, *, stamp: float, evidence: Evidence | None) -> list[Decision | Trial]:
        """Answer the pending request.

        Parameters
        ----------
        request : the pending one. stamp : of its last sample, s of stream time.
        evidence : of its window; None in a run without a decoder.
        """

    @abstractmethod
    def interrupt(self, *, at: int, reason: str, resets: bool) -> None:
        """A gap or a pause: open trials are excluded with the reason, never repaired.

        Parameters
        ----------
        at : sample. reason : stored with each excluded trial.
        resets : whether samples are missing, as in a gap.
        """

    @abstractmethod
    def finish(self, *, at: int) -> list[Trial]:
        """The source ended: open trials are closed as excluded."""

    def dwell(self) -> tuple[int, int]:
        """Consecutive hops past the threshold so far, and how many are needed; (0, 0) for cued rules."""
        return (0, 0)


@dataclass(frozen=True)
class Paradigm(ABC):
    """Parameters of a paradigm. Everything in here is stored with the run.

    Class attributes
    ----------------
    name : the file name. asynchronous : decided at every hop, or once per cue.
    selects : whether an item is chosen from evidence that is summed over several windows.
    evidence : kind of evidence that its rule decides on.
    by_operator : whether the operator gives the cues, one at a time, and not a schedule.
    hit_window : name of the parameter that says how long after a cue an onset is a hit, in s; ``""`` where each
        cue is decided once.
    """

    name: ClassVar[str]
    asynchronous: ClassVar[bool]
    selects: ClassVar[bool] = False
    evidence: ClassVar[EvidenceKind] = "probabilities"
    hit_window: ClassVar[str] = ""
    by_operator: ClassVar[bool] = False

    @property
    @abstractmethod
    def conditions(self) -> tuple[str, ...]:
        """Cued conditions, in the usual order."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Classes a decoder must tell apart; includes rest for asynchronous paradigms."""

    def takes(self, label: str) -> bool:
        """Whether a marker of a presenter is a cue for the rule; rest always is, any other is a note."""
        return label in self.conditions

    @property
    def flicker(self) -> Flicker | None:
        """How the light changes, None where it does not flicker."""
        return None

    def choices(self, classes: Sequence[str]) -> tuple[str, ...]:
        """What the probabilities of a decision are of, for a decoder of these ``classes``: usually just these."""
        return tuple(classes)

    @property
    def decided_after_s(self) -> float | None:
        """How long after a cue its one decision comes, s; None where decisions come at every hop or by choice."""
        return None

    def level_of(self, label: str) -> tuple[float, ...] | None:
        """Level that a cue asks of the effector, a fraction 0–1 per channel; None where it asks for none."""
        return None

    @property
    def targets(self) -> Mapping[str, tuple[float, float]]:
        """Name and place of each target of a cursor, in distances from the centre; none without a cursor."""
        return {}

    def shown_at(self, label: str, elapsed_s: float) -> tuple[float, float]:
        """Where a calibration shows the cursor, ``elapsed_s`` s after a cue; the centre without one."""
        return 0.0, 0.0

    def place_of(self, decision: Decision) -> tuple[float, float]:
        """Where a decision puts the cursor; the centre without one."""
        x, y = decision.position or (0.0, 0.0)
        return x, y

    @abstractmethod
    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """Cues of a run, the same for the same seed."""

    @abstractmethod
    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """``(exclusive end sample, class, block)`` of each window to fit on; a block is never split.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """

    @abstractmethod
    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : between windows, samples.
        classes : in the decoder's order, empty without one.
        """

    @property
    def stretch_s(self) -> float | None:
        """Length of the one window that decides on a cue, s; None where decisions come at every hop."""
        return None

    def suited(self, *, remembers: bool) -> Self:
        """This paradigm with the parameters filled in that depend on whether evidence has a memory."""
        return self

    def params(self) -> dict[str, Any]:
        """JSON-able parameters; ``from_params(name, params)`` gives the same paradigm back."""
        # As JSON will give them back, so that parameters compare as equal after a round trip.
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def require_classes(actual: Sequence[str], required: Sequence[str], name: str) -> None:
    """Raise :class:`BadValue` unless the decoder knows exactly the classes of the paradigm.

    Parameters
    ----------
    actual : classes of the decoder, empty without one. required : those of the paradigm.
    name : of the paradigm.
    """
    if actual and set(actual) != set(required):
        raise BadValue(Message("paradigm.classes", paradigm=name, required=sorted(required), got=sorted(actual)))


def require_positive(**values: float) -> None:
    """Raise :class:`BadValue` for the first parameter that is not above zero."""
    for name, value in values.items():
        # Negated, so that nan is refused too.
        if not value > 0:
            raise BadValue(Message("paradigm.above_0", name=name, got=str(value)))


def require_not_negative(**values: float) -> None:
    """Raise :class:`BadValue` for the first parameter that is below zero or not a number."""
    for name, value in values.items():
        # Negated, so that nan is refused too.
        if not value >= 0:
            raise BadValue(Message("paradigm.from_0", name=name, got=str(value)))
