"""The deterministic kernel of ISNCSCI 2019: every score a number, VAC and DAP yes or no.

Scores of a side are text, one character per cell, rostral to caudal: 28 for light touch and pin prick,
10 for the key muscles. So "the first dermatome that is not 2" is the number of leading 2s. Untested and tagged
cells are handled by ``sets``, which must agree with this file on every substitution (tested).

References
----------
Rupp R, et al. 2021, doi:10.46292/sci2702-1
"""

from __future__ import annotations

from typing import NamedTuple

from workbench.outcomes.isncsci.tables import (
    C4,
    DERMATOMES,
    INT,
    KEY,
    L1,
    NOT_APPLICABLE,
    S1,
    S3,
    T1,
    Grade,
    NliVac,
    NonKeyZpp,
)


class PlainSide(NamedTuple):
    """One side in numbers: ``motor`` 10 characters 0–5, ``light`` and ``pin`` 28 characters 0–2."""

    motor: str
    light: str
    pin: str
    non_key: int


class Result(NamedTuple):
    """The classification of one exam without untested or tagged cells; levels are places in ``ORDER``."""

    sensory: tuple[int, int]
    motor: tuple[int, int]
    nli: int
    complete: bool
    far: tuple[bool, bool]
    ais: Grade
    zpp_sensory: tuple[int, int]
    zpp_motor: tuple[int, int]


def sensory_level(light: str, pin: str) -> int:
    """Most caudal segment with light touch and pin prick 2, all rostral ones too; C1 when C2 is not."""
    # Light touch and pin prick both have to be normal, and so has everything above (ISNCSCI 2019, sensory level).
    normal = min(_leading(light, "2"), _leading(pin, "2"))
    return INT if normal == len(DERMATOMES) else normal


def _leading(scores: str, normal: str) -> int:
    return len(scores) - len(scores.lstrip(normal))


def motor_level(sensory: int, motor: str, *, vac: bool) -> int:
    """Lowest key muscle of at least 3 with all above it 5; where there is none it follows the dermatomes.

    Parameters
    ----------
    sensory : the sensory level of the side. The motor level depends on the same first dermatome that is not
        2/2, so no other dermatome is needed.
    motor : 10 grades.
    vac : with every dermatome and muscle normal, no voluntary anal contraction gives S3.
    """
    # Where no key muscle can be tested the motor level is presumed to be the sensory level, if the testable
    # motor function above is normal (ISNCSCI 2019, motor level).
    if sensory < C4:
        return sensory
    fives = _leading(motor, "5")
    if fives < 5:
        return level_at(fives, motor[fives])
    if sensory < T1:
        return T1
    if sensory < L1:
        return sensory
    if fives < 10:
        return level_at(fives, motor[fives])
    if sensory < S1:
        return S1
    if sensory < INT:
        return sensory
    return INT if vac else S3


def level_at(muscle: int, grade: str) -> int:
    """The level at the first key muscle that is not 5: its own from grade 3, otherwise the one above."""
    return KEY[muscle] if grade >= "3" else KEY[muscle] - 1


def far_function(motor: str, motor_level: int, non_key: int) -> bool:
    """Motor function more than three levels below the motor level of the same side.

    Parameters
    ----------
    motor : 10 grades.
    motor_level : of the side.
    non_key : place of the lowest non-key muscle with function, -1 when there is none.
    """
    # Counted from the motor level of each side, with key and non-key muscles: this separates B from C
    # (ISNCSCI 2019, note to the AIS).
    below = motor_level + 3
    return _beyond(motor, below) or non_key > below


def _beyond(motor: str, place: int) -> bool:
    last = len(motor.rstrip("0"))
    return last > 0 and KEY[last - 1] > place


def first_below(place: int) -> int:
    """Index of the first key muscle caudal to a place; 10 when there is none."""
    return sum(key <= place for key in KEY)


FIRST_BELOW = tuple(first_below(place) for place in range(INT + 1))
"""Index of the first key muscle below a level."""


def strong_below(motor: str, nli: int) -> int:
    """How many key muscles of the side below the neurological level have grade 3 or more."""
    below = motor[FIRST_BELOW[nli] :]
    return below.count("3") + below.count("4") + below.count("5")


def half_or_more(strong: int, below: int) -> bool:
    """At least half of the key muscles below the neurological level; true when there is none."""
    # With no key muscle below, 0 of 0 is at least half, which gives D.
    return 2 * strong >= below


def sensory_zpp(side: PlainSide, *, dap: bool) -> int:
    """NA with DAP or S4-5 sensation on this side, else the most caudal dermatome with any sensation."""
    # S4-5 sensation of the other side does not matter: zones are of one side (Rupp et al. 2021, ZPP).
    if dap or side.light[-1] != "0" or side.pin[-1] != "0":
        return NOT_APPLICABLE
    return max(len(side.light.rstrip("0")), len(side.pin.rstrip("0")))


def motor_zpp(side: PlainSide, level: int, *, vac: bool, counted: int) -> int:
    """NA with VAC, else the most caudal of the motor level and the key muscles with any function.

    Parameters
    ----------
    side : its scores.
    level : its motor level.
    vac : voluntary anal contraction.
    counted : place of a non-key muscle that counts, -1 when there is none (see :func:`non_key_counts`).
    """
    if vac:
        return NOT_APPLICABLE
    # A muscle above the motor level never sets the zone: the zone reaches at least to the level itself.
    last = len(side.motor.rstrip("0"))
    return max(level, KEY[last - 1] if last else level, counted)


def non_key_counts(side: PlainSide, level: int, ais: Grade, *, reading: NonKeyZpp) -> int:
    """Place of the non-key muscle where it enters the motor zone of partial preservation, else -1.

    ``"motor_level"``: AIS C or D and more than three below the motor level. ``"praxis"``: AIS C and more
    than three below the most caudal of the motor level and the active key muscles. No source settles it.

    Parameters
    ----------
    side : its scores and non-key muscle.
    level : its motor level.
    ais : grade.
    reading : ``nonkey_zpp``.
    """
    if side.non_key < 0 or ais not in ("C", "D"):
        return -1
    if reading == "motor_level":
        return side.non_key if side.non_key > level + 3 else -1
    lowest = motor_zpp(side, level, vac=False, counted=-1)
    return side.non_key if ais == "C" and side.non_key > lowest + 3 else -1


def grade(right: PlainSide, left: PlainSide, *, nli: int, complete: bool, incomplete_motor: bool) -> Grade:
    """AIS A to D; E is decided before.

    Parameters
    ----------
    right, left : the sides.
    nli : neurological level of injury.
    complete : no sacral sparing.
    incomplete_motor : VAC, or sacral sensation with motor function more than three levels below.
    """
    if complete:
        return "A"
    if not incomplete_motor:
        return "B"
    # C and D are counted below the single NLI, not below the motor levels (ISNCSCI 2019, note to the AIS).
    strong = strong_below(right.motor, nli) + strong_below(left.motor, nli)
    return "D" if half_or_more(strong, 2 * (10 - FIRST_BELOW[nli])) else "C"


def classify(
    right: PlainSide,
    left: PlainSide,
    *,
    vac: bool,
    dap: bool,
    nli_vac: NliVac = "praxis",
    nonkey_zpp: NonKeyZpp = "praxis",
) -> Result:
    """Classify one exam.

    Parameters
    ----------
    right, left : the sides.
    vac, dap : voluntary anal contraction, deep anal pressure.
    nli_vac : ``"strict"`` takes the neurological level from the four levels as they are; ``"praxis"`` takes
        a motor level of S3 that only the missing VAC causes as intact.
    nonkey_zpp : see :func:`non_key_counts`.
    """
    sensory = sensory_level(right.light, right.pin), sensory_level(left.light, left.pin)
    motor = motor_level(sensory[0], right.motor, vac=vac), motor_level(sensory[1], left.motor, vac=vac)
    # The motor level S3 of an exam without VAC is not a segment that was examined; no source says whether it
    # enters the NLI.
    if nli_vac == "praxis" and not vac:
        intact = motor_level(sensory[0], right.motor, vac=True), motor_level(sensory[1], left.motor, vac=True)
        nli = min(*sensory, *intact)
    else:
        nli = min(*sensory, *motor)
    # DAP and any S4-5 sensation of either side are sacral sensory sparing (ISNCSCI 2019, AIS).
    felt = dap or any(scores[-1] != "0" for side in (right, left) for scores in (side.light, side.pin))
    complete = not vac and not felt
    far = far_function(right.motor, motor[0], right.non_key), far_function(left.motor, motor[1], left.non_key)
    # E means that sensation and motor function are normal in all segments; a warning asks whether there was an
    # earlier deficit (ISNCSCI 2019, AIS).
    if vac and min(*sensory, *motor) == INT:
        ais: Grade = "E"
    else:
        ais = grade(right, left, nli=nli, complete=complete, incomplete_motor=vac or (felt and any(far)))
    counted = [non_key_counts(side, level, ais, reading=nonkey_zpp) for side, level in zip((right, left), motor)]
    return Result(
        sensory,
        motor,
        nli,
        complete,
        far,
        ais,
        (sensory_zpp(right, dap=dap), sensory_zpp(left, dap=dap)),
        (
            motor_zpp(right, motor[0], vac=vac, counted=counted[0]),
            motor_zpp(left, motor[1], vac=vac, counted=counted[1]),
        ),
    )
