"""Selection by gaze: each item flickers at a frequency of its own, and steady-state responses say which one.

The marker of a choice is stamped when the items begin to flicker: with the name of the item that was asked for
(copy) or ``free``. ``rest`` says that they stopped. From the onset on, windows of one length follow one another;
their evidence is summed until one item is likely enough, or for so many windows at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from workbench.decoding.windows import Windows
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._base import (
    Paradigm,
    PlannedCue,
    Rule,
    require_classes,
    require_not_negative,
    require_positive,
)
from workbench.paradigms._choosing import DISTURBED, FREE, LOOK, MODES, REST, Choice, ChoosingRule, check_items
from workbench.paradigms._flicker import Flicker
from workbench.vocabulary import Evidence, LocatedCue


@dataclass(frozen=True)
class Selection(Paradigm):
    """One choice of several items that flicker.

    Parameters
    ----------
    items : names.
    frequencies_hz, phases : of each item, Hz and multiples of π at the onset.
    mode : ``"copy"`` (the item is asked for) or ``"free"`` (only the participant knows it).
    window_s : length of a window, s; that of the decoder.
    latency_s : from the light to the response, s; Chen et al. 2015, doi:10.1073/pnas.1508080112.
    windows : least and most windows of a choice; equal for a stated length.
    stop : posterior from which an item is chosen; 1 − stop is the share of errors that is aimed at.
    gaze_s, rest_s, jitter_s, lead_in_s : before the onset, after the choice, and before the first one, s.
    area_sr, contrast : of all that flickers, sr, and change over greatest luminance, 0–1.
    """

    name: ClassVar[str] = "selection"
    asynchronous: ClassVar[bool] = False
    selects: ClassVar[bool] = True

    items: tuple[str, ...] = ("1", "2", "3", "4", "5", "6", "7", "8")
    frequencies_hz: tuple[float, ...] = (8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
    phases: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 0.0, 0.5, 1.0, 1.5)
    mode: str = "copy"
    window_s: float = 1.0
    latency_s: float = 0.14
    windows: tuple[int, int] = (1, 4)
    stop: float = 0.95
    gaze_s: float = 0.8
    rest_s: float = 1.0
    jitter_s: float = 0.2
    lead_in_s: float = 4.0
    area_sr: float = 0.02
    contrast: float = 1.0

    def __post_init__(self) -> None:
        for name in ("items", "frequencies_hz", "phases", "windows"):
            # Stored parameters come from JSON as lists.
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_items(self.items, name=self.name)
        if not len(self.items) == len(self.frequencies_hz) == len(self.phases):
            raise BadValue(
                Message(
                    "paradigm.frequencies",
                    items=len(self.items),
                    frequencies=len(self.frequencies_hz),
                    phases=len(self.phases),
                )
            )
        if self.mode not in MODES:
            raise BadValue(Message("paradigm.mode", allowed=list(MODES), got=repr(self.mode)))
        require_positive(window_s=self.window_s)
        require_not_negative(
            latency_s=self.latency_s, gaze_s=self.gaze_s, rest_s=self.rest_s, jitter_s=self.jitter_s
        )
        require_not_negative(lead_in_s=self.lead_in_s)
        Windows(len(self.items), stop=self.stop, windows=self.windows)
        Flicker(max(self.frequencies_hz), self.area_sr, self.contrast)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The items, and a free choice."""
        return (*self.items, FREE)

    @property
    def classes(self) -> tuple[str, ...]:
        """The items."""
        return self.items

    @property
    def flicker(self) -> Flicker:
        """The fastest item, and the area of all of them."""
        return Flicker(max(self.frequencies_hz), self.area_sr, self.contrast)

    def takes(self, label: str) -> bool:
        """An item, a free choice, or that the presentation was disturbed."""
        return label in self.conditions or label.startswith(DISTURBED)

    @property
    def longest_s(self) -> float:
        """Longest flicker of a choice, s; the response to its end is a latency later."""
        return self.windows[1] * self.window_s

    def schedule(self, n_trials: int, *, seed: int) -> tuple[PlannedCue, ...]:
        """Every item once, in seeded random order, before any comes again."""
        require_positive(n_trials=n_trials)
        # A named bit generator: NumPy's default may change, and a seed must always give the same schedule.
        rng = np.random.Generator(np.random.PCG64(seed))
        n = len(self.items)
        order = np.concatenate([rng.permutation(n) for _ in range(-(-n_trials // n))])
        jitter = rng.uniform(0.0, self.jitter_s, n_trials)
        cues, at = [PlannedCue(0.0, REST, self.lead_in_s, -1)], self.lead_in_s
        for trial in range(n_trials):
            label = self.items[int(order[trial])] if self.mode == "copy" else FREE
            cues.append(PlannedCue(at, LOOK + label, self.gaze_s, trial))
            at += self.gaze_s
            cues.append(PlannedCue(at, label, self.longest_s, trial))
            at += self.longest_s
            rest_s = self.latency_s + self.rest_s + float(jitter[trial])
            cues.append(PlannedCue(at, REST, rest_s, trial))
            at += rest_s
        return tuple(cues)

    def ends(self, onset: int, *, fs: float) -> list[int]:
        """Exclusive end of each window of a choice.

        Parameters
        ----------
        onset : first sample of the flicker. fs : rate in Hz.
        """
        return [onset + round((self.latency_s + k * self.window_s) * fs) for k in range(1, self.windows[1] + 1)]

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """Every window of a flicker at which the participant was asked to look; a choice is a block.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s : of the decoder, s. hop_s : not used.

        Raises
        ------
        BadValue
            For a decoder of windows of another length.
        """
        if abs(window_s - self.window_s) * fs >= 1:
            raise BadValue(Message("paradigm.window_of_decoder", needed=f"{self.window_s:g}", got=f"{window_s:g}"))
        windows, block = [], 0
        for cue in cues:
            if cue.label not in self.items:
                continue
            shown = cue.duration_s or self.longest_s
            latest = cue.sample + round((self.latency_s + shown) * fs)
            windows += [(end, cue.label, block) for end in self.ends(cue.sample, fs=fs) if end <= latest]
            block += 1
        return windows

    def start(self, *, fs: float, hop: int, classes: Sequence[str]) -> Rule:
        """The rule of one run.

        Parameters
        ----------
        fs : rate in Hz. hop : not used.
        classes : in the decoder's order, empty without one.
        """
        require_classes(classes, self.classes, self.name)
        return _SelectionRule(self, fs=fs, classes=tuple(classes))


class _SelectionRule(ChoosingRule[Windows]):
    """All windows of a choice are known at its onset."""

    def __init__(self, paradigm: Selection, *, fs: float, classes: tuple[str, ...]) -> None:
        # The posterior is in the decoder's order.
        super().__init__(tuple(map(str, classes)) or paradigm.items, fs=fs, decodes=bool(classes))
        self._paradigm = paradigm

    def posterior(self) -> Windows:
        """Equal for all items."""
        return Windows(len(self._items), stop=self._paradigm.stop, windows=self._paradigm.windows)

    def opened(self, choice: Choice[Windows], *, at: int) -> None:
        """Await every window; `rest` may come before the response to the last one has ended."""
        for end in self._paradigm.ends(choice.cue.sample, fs=self._fs):
            self.wait(choice, end, stimulus=0, at=at)
        choice.closed = True

    def ended(self, choice: Choice[Windows], cue: LocatedCue) -> None:
        """A flicker that stopped early fills no more windows; some ms are the jitter of markers."""
        paradigm = self._paradigm
        latest = cue.sample + round((paradigm.latency_s + 0.05 * paradigm.window_s) * self._fs)
        choice.waiting = [waiting for waiting in choice.waiting if waiting[0].end <= latest]

    def stimulus(self, choice: Choice[Windows], cue: LocatedCue, *, at: int) -> None:
        """Nothing is shown beside the flicker."""

    def add(self, posterior: Windows, stimulus: int, evidence: Evidence) -> None:
        """Add a window."""
        posterior.add(evidence)


PARADIGM = Selection
