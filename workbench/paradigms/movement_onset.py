"""A prepared movement against rest, self-paced: found by the potential that precedes it.

The rule is that of ``grasp_rest``. What differs is where a decoder learns: at one moment, ``edge_s`` after the
movement begins, which is ``prepare_s`` after the cue. What tells a movement potential from slow drifts is less its
rise than its return, so that an edge before the movement finds few. The edge belongs to the task and not to a
decoder: it says how late a detection may be, and holds the delay of the filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._base import require_positive
from workbench.paradigms.grasp_rest import GraspRest
from workbench.vocabulary import LocatedCue

AROUND_S = 0.125
"""Movements begin a little sooner or later than asked for: windows that end up to this around the edge, s."""


@dataclass(frozen=True)
class MovementOnset(GraspRest):
    """Prepare, move, rest.

    Parameters
    ----------
    prepare_s : from the cue to the movement, as the participant is asked, s.
    edge_s : from the beginning of the movement to the end of the window that decides, s; below 0 before it.

    The others are those of :class:`GraspRest`.
    """

    name: ClassVar[str] = "movement_onset"

    condition: str = "move"
    attempt_s: float = 4.0
    rest_s: float = 6.0
    onset_window_s: float = 3.5
    prepare_s: float = 2.0
    edge_s: float = 0.5

    def __post_init__(self) -> None:
        GraspRest.__post_init__(self)
        require_positive(prepare_s=self.prepare_s)
        # Negated, so that nan is refused too.
        if not 0 < self.prepare_s + self.edge_s <= self.onset_window_s:
            raise BadValue(
                Message(
                    "paradigm.onset_window",
                    window=f"{self.onset_window_s:g}",
                    got=f"{self.prepare_s + self.edge_s:g}",
                )
            )

    def training_windows(
        self, cues: Sequence[LocatedCue], *, fs: float, window_s: float, hop_s: float
    ) -> list[tuple[int, str, int]]:
        """Of a movement, windows that end at the edge or up to an eighth of a second from it; of rest, all.

        Parameters
        ----------
        cues : of a run, in its samples.
        fs : rate in Hz. window_s, hop_s : of the decoder, s.
        """
        named = GraspRest.training_windows(self, cues, fs=fs, window_s=window_s, hop_s=hop_s)
        windows = [window for window in named if window[1] == self.rest]
        hop = max(1, round(hop_s * fs))
        most = round(AROUND_S * fs) // hop
        periods = [cue for cue in cues if cue.label in (self.condition, self.rest)]
        for block, cue in enumerate(periods):
            if cue.label == self.condition:
                edge = cue.sample + round((self.prepare_s + self.edge_s) * fs)
                windows += [(edge + k * hop, cue.label, block) for k in range(-most, most + 1)]
        return sorted(windows)


PARADIGM = MovementOnset
