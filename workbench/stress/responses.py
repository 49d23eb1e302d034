"""How well the loop of ``ecap_closed_loop`` holds the evoked response of many simulated participants.

Each has two bouts with the loop closed and two with it open under the system's own changes of posture, in
virtual time. The response is measured from the stream with its noise; the link to the stimulator and its ramp are
left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench import analysis
from workbench.devices.simulated_spinal_participant import Participant
from workbench.signals.ecap import amplitude_of
from workbench.stress._full_speed import card_figure, over_participants, seeds_of
from workbench.systems import CardFigure
from workbench.systems.ecap_closed_loop import (
    BOUT_S,
    CLOSED,
    LOOP,
    OPEN,
    PRESET,
    SAMPLE_UV,
    SWEEP_FS,
    TARGET_UV,
    WINDOW,
    Held,
    summed,
)
from workbench.vocabulary import FloatArray

SYSTEM = "ecap_closed_loop"
GOAL_UV = 6.0
"""Error with the loop closed that participants are counted beside, µV."""
PUBLISHED = "published: 3.0 µV closed and 66.4 µV open, of one person (doi:10.1001/jamaneurol.2021.4998)"
BEFORE_S, EVERY_S = 1.0, 8.0
SWEEPS_PER_S = 50.0


@dataclass(frozen=True, slots=True)
class ResponseFigures:
    """Figures over participants.

    Attributes
    ----------
    people : of each, with the loop closed and with it open.
    """

    people: tuple[tuple[Held, Held], ...]

    @property
    def passed(self) -> bool:
        """Whether no pulse was above the ceiling."""
        return all(one.most_ma <= LOOP["most_ma"] for both in self.people for one in both)

    @property
    def card_figure(self) -> CardFigure | None:
        """The figure of the system's card."""
        return card_figure("error_uv", [closed.error_uv for closed, _ in self.people], unit="µV")

    def text(self) -> str:
        """The figures in one line."""
        within = sum(closed.error_uv <= GOAL_UV for closed, _ in self.people)
        low, high = analysis.wilson(within, len(self.people))
        most = max(one.most_ma for both in self.people for one in both)
        return (
            f"{SYSTEM}: {len(self.people)} simulated participants, two bouts of {BOUT_S:g} s each with two "
            f"changes of posture: {self._of(0)}; {self._of(1)}; at most {GOAL_UV:g} µV closed in {within} of "
            f"{len(self.people)} ({low:.2f}–{high:.2f}); at most {most:.1f} mA; {PUBLISHED}"
        )

    def _of(self, number: int) -> str:
        held = [both[number] for both in self.people]
        error = over_participants([one.error_uv for one in held], ".1f")
        share = over_participants([one.in_window for one in held], ".2f", most=1.0)
        return (
            f"loop {held[0].kind} mean error {error} µV, {share} of the pulses within {100.0 * WINDOW:g} % of "
            f"{TARGET_UV:g} µV"
        )


def responses(n: int, seed: int, *, step: Callable[[], object] = lambda: None) -> ResponseFigures:
    """Figures over ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : of the first one; the others follow.
    step : called after each participant.

    Raises
    ------
    BadValue
        Without a participant.
    """
    people = []
    for one in seeds_of(n, seed):
        people.append(_bouts(one))
        step()
    return ResponseFigures(tuple(people))


class _Flowing:
    """What may flow on each channel, mA, in place of the statuses of a stimulator."""

    def __init__(self) -> None:
        self.flowing_ma: dict[str, float] = {}

    def fields(self) -> dict[str, Any]:
        """Nothing on the lumbar lead."""
        return {"trains": ()}

    def close(self) -> None:
        """Nothing is open."""


def _bouts(seed: int) -> tuple[Held, Held]:
    flowing = _Flowing()
    participant = Participant({**PRESET, "person": {**PRESET["person"], "seed": seed}}, stimulator=flowing)
    bouts, first = [], 0

    def until(at_s: float) -> FloatArray:
        nonlocal first
        rows = participant.samples("ecap", first, round(at_s * SWEEPS_PER_S) - first)
        first += len(rows)
        return rows

    for n, kind in enumerate((CLOSED, OPEN, CLOSED, OPEN)):
        at_s = BEFORE_S + n * EVERY_S
        until(at_s)
        participant.cue(at_s, kind, BOUT_S)
        flowing.flowing_ma = {LOOP[kind]: LOOP["most_ma"]}
        rows = until(at_s + BOUT_S)
        flowing.flowing_ma = {}
        rows = rows[rows[:, -1] > 0.0]
        sizes = [amplitude_of(row[:-1], fs=SWEEP_FS, noise=SAMPLE_UV) for row in rows]
        bouts.append((kind, rows[:, -1], np.array(sizes)))
    closed, opened = summed(bouts, target_uv=TARGET_UV)
    return closed, opened
