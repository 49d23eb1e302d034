"""Light that changes, and how much of it nobody is shown unasked: photosensitive seizures.

Rates between 3 and 60 Hz can provoke a seizure in a photosensitive person, most of all 15–25 Hz (Fisher, Harding,
Erba, Barkley and Wilkins 2005, Epilepsia 46:1426–1441, doi:10.1111/j.1528-1167.2005.31405.x). What is below all of
the general flash thresholds of WCAG 2.2, criterion 2.3.1 (three flashes a second; 10 % of the greatest luminance;
0.006 sr within any 10° of the visual field, a quarter of it) is taken for safe there for the public.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import BadValue
from workbench.messages import Message

SAFE_HZ, SAFE_AREA_SR, SAFE_CONTRAST = 3.0, 0.006, 0.1
"""General flash thresholds of WCAG 2.2, criterion 2.3.1: flashes a second, sr, share of the greatest luminance."""

GREATEST_HZ = 60.0
"""Fastest light that provokes seizures (Fisher et al. 2005), and the fastest that is presented, Hz."""

GREATEST_AREA_SR = 0.1
"""Greatest area that changes, sr: about 18° × 18°. A proposal of ours: well below a full field, which provokes
most (Fisher et al. 2005), and room for a keyboard of targets."""

MOST_ERROR_MS, OF_A_PERIOD = 10.0, 7.0
"""Greatest error of when light changes, ms, and the part of the fastest period that it may be at most: a seventh
turns a response by 51°."""

ANSWERS = ("none", "history")
"""Answers of the screening: no seizure and no epilepsy ever, or one or the other."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """Light that changes.

    Attributes
    ----------
    fastest_hz : greatest rate of any part of the screen, flashes a second.
    area_sr : all parts that change, seen from the participant's place, sr.
    contrast : change of luminance over the greatest luminance, 0–1.
    """

    fastest_hz: float
    area_sr: float
    contrast: float

    def __post_init__(self) -> None:
        # Negated, so that nan is refused too.
        if not 0 < self.fastest_hz <= GREATEST_HZ:
            raise BadValue(Message("flicker.rate", most=f"{GREATEST_HZ:g}", got=f"{self.fastest_hz:g}"))
        if not 0 < self.area_sr <= GREATEST_AREA_SR:
            raise BadValue(Message("flicker.area", most=f"{GREATEST_AREA_SR:g}", got=f"{self.area_sr:g}"))
        if not 0 < self.contrast <= 1:
            raise BadValue(Message("flicker.contrast", got=f"{self.contrast:g}"))

    @property
    def most_error_ms(self) -> float:
        """How far a change of light may lie from its marker, ms."""
        return min(MOST_ERROR_MS, 1000.0 / (OF_A_PERIOD * self.fastest_hz))

    @property
    def is_general_flash(self) -> bool:
        """Whether it passes all of the general flash thresholds."""
        return self.fastest_hz > SAFE_HZ and self.area_sr >= SAFE_AREA_SR and self.contrast >= SAFE_CONTRAST

    def refusal(self, answer: str, *, simulated: bool) -> str:
        """Why it is not presented, one sentence; ``""`` when it may be.

        Parameters
        ----------
        answer : of the screening, one of :data:`ANSWERS`, ``""`` where nobody was asked.
        simulated : whether the participant is.
        """
        # Nobody is there who could be asked.
        if simulated and not answer:
            return ""
        if answer not in ANSWERS:
            return Message("flicker.not_asked")
        if answer == "history" and self.is_general_flash:
            return Message(
                "flicker.history", hz=f"{SAFE_HZ:g}", sr=f"{SAFE_AREA_SR:g}", contrast=f"{100 * SAFE_CONTRAST:g}"
            )
        return ""
