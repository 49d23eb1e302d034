"""A speller of items that flash: the item that is meant evokes a P300 each time it flashes.

The marker of a choice is stamped when the item is named (copy) or ``free``; each flash has a marker ``stim:K:on``,
K the number of the row, column or item from 1, stamped when the light changed; ``rest`` says that no more flashes
come. Log odds of flashes are summed over the items that flashed, until one item is likely enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from workbench.decoding.flashes import Flashes
from workbench.errors import BadValue
from workbench.kernels.evidence import log
from workbench.messages import Message
from workbench.paradigms._base import (
    Paradigm,
    PlannedCue,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._choosing import DISTURBED, FREE, MODES, REST, Choice, ChoosingRule, check_items
from workbench.paradigms._flicker import Flicker
from workbench.vocabulary import Evidence, LocatedCue

TARGET, OTHER = "target", "other"
"""Classes of a flash: of the item that is meant, or not."""

LAYOUTS = ("row_column", "single")


@dataclass(frozen=True)
class Speller(Paradigm):
    """One choice of several items that flash.

    Parameters
    ----------
    items : names, row after row. columns : of the table.
    layout : ``"row_column"`` (rows and columns flash) or ``"single"`` (each item does).
    mode : ``"copy"`` (the item is named) or ``"free"`` (only the participant knows it).
    text : what is spelled in copy mode, item after item and again from its start; ``""`` draws items.
    flash_s, soa_s : length of a flash, and from one to the next, s.
    repetitions : least and most flashes of each row, column or item.
    stop : posterior from which an item is chosen; 1 − stop is the share of errors that is aimed at.
    window_s : from a flash to the end of its window, s; that of the decoder.
    gaze_s, rest_s, lead_in_s : from the name of the item to the first flash, after the last flash, and before the
        first choice, s.
    area_sr, contrast : of what changes at one time, sr, and change over greatest luminance, 0–1.

    Notes
    -----
    Farwell and Donchin 1988, doi:10.1016/0013-4694(88)90149-6 (rows and columns). Dynamic stopping: Throckmorton
    et al. 2013, IEEE Transactions on Neural Systems and Rehabilitation Engineering 21, 508–517.
    """

    name: ClassVar[str] = "speller"
    asynchronous: ClassVar[bool] = False
    selects: ClassVar[bool] = True

    items: tuple[str, ...] = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789_")
    columns: int = 6
    layout: str = "row_column"
    mode: str = "copy"
    text: str = ""
    flash_s: float = 0.1
    soa_s: float = 0.15
    repetitions: tuple[int, int] = (3, 12)
    stop: float = 0.95
    window_s: float = 0.8
    gaze_s: float = 1.5
    rest_s: float = 2.0
    lead_in_s: float = 6.0
    area_sr: float = 0.005
    contrast: float = 0.7

    def __post_init__(self) -> None:
        for name in ("items", "repetitions"):
            # Stored parameters come from JSON as lists.
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_items(self.items, name=self.name)
        if self.layout not in LAYOUTS or self.mode not in MODES:
            raise BadValue(
                Message(
                    "paradigm.layout",
                    layouts=list(LAYOUTS),
                    modes=list(MODES),
                    layout=repr(self.layout),
                    mode=repr(self.mode),
                )
            )
        if self.layout == "row_column" and not (self.columns > 1 and len(self.items) > self.columns):
            raise BadValue(Message("paradigm.rows", items=len(self.items), columns=self.columns))
        if unknown := sorted(set(self.text) - set(self.items)):
            raise BadValue(Message("paradigm.text", got=repr(unknown[0]), items=list(self.items)))
        require_positive(flash_s=self.flash_s, soa_s=self.soa_s, window_s=self.window_s)
        require_not_negative(gaze_s=self.gaze_s, rest_s=self.rest_s, lead_in_s=self.lead_in_s)
        if self.flash_s > self.soa_s:
            raise BadValue(Message("paradigm.flash", flash=f"{self.flash_s:g}", soa=f"{self.soa_s:g}"))
        Flashes(len(self.items), log_prior=(0.0, 0.0), target=1, stop=self.stop, repetitions=self.repetitions)
        Flicker(1.0 / self.soa_s, self.area_sr, self.contrast)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The items, and a free choice."""
        return (*self.items, FREE)

    @property
    def classes(self) -> tuple[str, ...]:
        """Whether a flash was of the item that is meant."""
        return (OTHER, TARGET)

    @cached_property
    def stimuli(self) -> tuple[str, ...]:
        """Markers of the flashes."""
        return tuple(f"stim:{k}:on" for k in range(1, len(self.groups) + 1))

    @property
    def flicker(self) -> Flicker:
        """Flashes as often as they follow one another."""
        return Flicker(1.0 / self.soa_s, self.area_sr, self.contrast)

    def takes(self, label: str) -> bool:
        """An item, a free choice, a flash, or that the presentation was disturbed."""
        return label in self.conditions or label in self.stimuli or label.startswith(DISTURBED)

    def choices(self, classes: Sequence[str]) -> tuple[str, ...]:
        """The items; none without a decoder."""
        return self.items if classes else ()

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Items of each flash, in the order of their numbers: rows, then columns; or single items."""
        n = len(self.items)
        if self.layout == "single":
            return tuple((i,) for i in range(n))
        rows = [tuple(range(at, min(at + self.columns, n))) for at in range(0, n, self.columns)]
        return (*rows, *(tuple(range(column, n, self.columns)) for column in range(self.columns)))

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """For each choice its cue, every group once a repetition in seeded random order, and a rest."""
        require_positive(n_trials=n_trials)
        # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
        rng = np.random.Generator(np.random.PCG64(seed))
        drawn = rng.permutation(len(self.items))
        cues, at = [PlannedCue(0.0, REST, self.lead_in_s, -1)], self.lead_in_s
        for trial in range(n_trials):
            named = self.text[trial % len(self.text)] if self.text else self.items[int(drawn[trial % len(drawn)])]
            cues.append(PlannedCue(at, named if self.mode == "copy" else FREE, self.gaze_s, trial))
            at += self.gaze_s
            last = -1
            for _ in range(self.repetitions[1]):
                order = rng.permutation(len(self.groups)).tolist()
                # The same group twice in a row is seen as one flash.
                if order[0] == last:
                    order.append(order.pop(0))
                last = order[-1]
                for group in order:
                    cues.append(PlannedCue(at, self.stimuli[group], self.soa_s, trial))
                    at += self.soa_s
            # Flashes of the next choice must not fall into the last window of this one.
            rest_s = max(self.rest_s, self.window_s)
            cues.append(PlannedCue(at, REST, rest_s, trial))
            at += rest_s
        return tuple(cues)

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """One window per flash while the item is known; a choice is a block.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : not used: the window ends ``window_s`` of the paradigm after its flash.
        """
        windows, block, meant = [], -1, -1
        for cue in sorted(cues, key=lambda one: one.sample):
            if cue.label in self.items:
                meant, block = self.items.index(cue.label), block + 1
            elif cue.label in (FREE, REST):
                meant = -1
            elif cue.label in self.stimuli and meant >= 0:
                label = TARGET if meant in self.groups[self.stimuli.index(cue.label)] else OTHER
                windows.append((cue.sample + round(self.window_s * fs), label, block))
        return windows

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : not used.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return _SpellerRule(self, fs=fs, classes=tuple(classes))


class _SpellerRule(ChoosingRule[Flashes]):
    """Windows come with the flashes."""

    def __init__(self, paradigm: Speller, *, fs: float, classes: tuple[str, ...]) -> None:
        super().__init__(paradigm.items, fs=fs, decodes=bool(classes))
        self._paradigm = paradigm
        self._numbers = {label: k for k, label in enumerate(paradigm.stimuli)}
        # The share of target flashes in a calibration of this very table.
        share = sum(map(len, paradigm.groups)) / len(paradigm.items) / len(paradigm.groups)
        self._log_prior = [log(share if name == TARGET else 1.0 - share) for name in classes]
        self._target = classes.index(TARGET) if classes else 1

    def posterior(self) -> Flashes:
        """Equal for all items."""
        return Flashes(
            len(self._items),
            log_prior=self._log_prior,
            target=self._target,
            stop=self._paradigm.stop,
            repetitions=self._counts,
        )

    @property
    def _counts(self) -> tuple[int, int]:
        """Least and most flashes of an item: each flashes once a repetition in every group that holds it."""
        groups = self._paradigm.groups
        each = min(sum(item in group for group in groups) for item in range(len(self._items)))
        least, most = self._paradigm.repetitions
        return least * each, most * each

    def opened(self, choice: Choice[Flashes], *, at: int) -> None:
        """Nothing has flashed yet."""

    def stimulus(self, choice: Choice[Flashes], cue: LocatedCue, *, at: int) -> None:
        """A flash: its window is awaited."""
        if cue.label in self._numbers:
            end = cue.sample + round(self._paradigm.window_s * self._fs)
            self.wait(choice, end, stimulus=self._numbers[cue.label], at=at)

    def add(self, posterior: Flashes, stimulus: int, evidence: Evidence) -> None:
        """Add a flash to the items that it showed."""
        posterior.add(self._paradigm.groups[stimulus], evidence)


PARADIGM = Speller
