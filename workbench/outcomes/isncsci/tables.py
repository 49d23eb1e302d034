"""ISNCSCI 2019: segments, codes, and what a code may stand for. The rules are in ``rules``.

A level is stored as its place in :data:`ORDER` (C1 = 0 … S4-5 = 28, INT = 29), so "more caudal" is ">".
The dermatome at place ``i`` of :data:`DERMATOMES` has place ``i + 1`` in :data:`ORDER`; a break at that
dermatome therefore gives the level ``i``, the segment above it.

References
----------
Rupp R, et al. International Standards for Neurological Classification of Spinal Cord Injury, revised
2019 (8th edition). Top Spinal Cord Inj Rehabil 2021;27(2):1–22. doi:10.46292/sci2702-1
Schuld C, et al. Spinal Cord 2012, PMID 21933016 (untested cells: every valid substitution must agree).
"""

from __future__ import annotations

from typing import Final, Literal, get_args

from workbench.errors import BadValue

EDITION = "ISNCSCI 2019 (8th edition)"
RULES = "isncsci-2019.2"
"""Version of this rule book, stored with every result. It changes when any result can change."""
SOURCE = "Rupp et al. 2021, doi:10.46292/sci2702-1"

DERMATOMES: tuple[str, ...] = (
    *(f"C{n}" for n in range(2, 9)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
    *("S1", "S2", "S3", "S4_5"),
)
MUSCLES: tuple[str, ...] = ("C5", "C6", "C7", "C8", "T1", "L2", "L3", "L4", "L5", "S1")
ORDER: tuple[str, ...] = ("C1", *DERMATOMES, "INT")
"""C1 is only ever a result (C2 abnormal); INT means intact and is not S4-5."""
PLACE: dict[str, int] = {name: place for place, name in enumerate(ORDER)}
KEY: tuple[int, ...] = tuple(PLACE[name] for name in MUSCLES)
"""Places of the key muscles."""
C4, C5, C8, T1, T2, L1, L2, L4, S1, S2, S3, INT = (
    PLACE[name] for name in ("C4", "C5", "C8", "T1", "T2", "L1", "L2", "L4", "S1", "S2", "S3", "INT")
)
NOT_APPLICABLE = -1
"""The place of NA in lists of zones of partial preservation: before every level."""
SACRAL = len(DERMATOMES) - 1
"""Index of S4-5 in :data:`DERMATOMES`."""

SIDES = ("right", "left")
MOTOR, LIGHT, PIN = "motor", "lightTouch", "pinPrick"
NON_KEY = "lowestNonKeyMuscleWithMotorFunction"
VAC, DAP = "voluntaryAnalContraction", "deepAnalPressure"

Answer = Literal["Yes", "No", "NT"]
"""An answer to VAC or DAP; NT = not testable."""
Grade = Literal["A", "B", "C", "D", "E"]
"""A grade of the ASIA Impairment Scale (AIS)."""
Completeness = Literal["C", "I"]
"""Complete or incomplete injury."""
NliVac = Literal["praxis", "strict"]
"""Reading of the NLI when everything is normal but VAC, see :class:`~workbench.outcomes.isncsci.Options`."""
NonKeyZpp = Literal["praxis", "motor_level"]
"""Reading of the non-key muscle in the motor zone of partial preservation."""
ANSWERS: tuple[Answer, ...] = get_args(Answer)
COMPLETE: Final = "C"
INCOMPLETE: Final = "I"

PLAIN_SENSORY = frozenset("012")
PLAIN_MOTOR = frozenset("012345")
SENSORY_CODES = ("0", "1", "2", "0*", "1*", "0**", "1**", "NT", "NT*", "NT**")
MOTOR_CODES = (
    *(str(n) for n in range(6)),
    *(f"{n}*" for n in range(5)),
    *(f"{n}**" for n in range(5)),
    *("NT", "NT*", "NT**"),
)
# ISNCSCI 2019 marks scores that a non-SCI condition affects and leaves it to the examiner whether such a score
# counts as normal. Here, as in the Praxis algorithm, "**" counts as normal and "*" as not normal.
TAGGED = frozenset(code for code in (*SENSORY_CODES, *MOTOR_CODES) if code.endswith("*"))
TAGGED_UNTESTED = frozenset(("NT*", "NT**"))
LEGACY_NON_KEY = ("T5", "L1")
"""Segments without a key muscle that occur in published cases: accepted with a warning."""

NORMAL, PRESENT, ABSENT = 1, 2, 4
"""States of a dermatome (light touch and pin prick together): 2/2, something less, 0/0. Bits of a set."""
M0, M12, M34, M5 = 1, 2, 4, 8
"""Classes of a motor grade that the rules distinguish: 0, 1–2, 3–4, 5. Bits of a set."""
ACTIVE, STRONG = M12 | M34 | M5, M34 | M5

Field = Literal[
    "sensory_right",
    "sensory_left",
    "motor_right",
    "motor_left",
    "nli",
    "complete",
    "ais",
    "zpp_sensory_right",
    "zpp_sensory_left",
    "zpp_motor_right",
    "zpp_motor_left",
]
FIELDS: tuple[Field, ...] = get_args(Field)
"""Results other than the sums, in the order in which they are stored."""


def check_field(name: str) -> Field:
    """The result of that name. Raises BadValue with the known names."""
    for field in FIELDS:
        if field == name:
            return field
    raise BadValue(f"isncsci has no result {name!r}; allowed: {', '.join(FIELDS)}")


def same_result(reported: str, computed: str) -> bool:
    """Whether a result as a site wrote it equals the computed one.

    Letter case, spaces, ``*``, the spelling of S4-5 and the order of a list are ignored; ``ND`` agrees with
    several possible values.

    Parameters
    ----------
    reported : as it stands in the site's form, such as ``"t4"``, ``"T10*"`` or ``"ND"``.
    computed : a field of the classification.
    """
    site_values, own_values = _values(reported), _values(computed)
    return site_values == own_values or (site_values == {"ND"} and len(own_values) > 1)


def _values(text: str) -> set[str]:
    plain = text.replace("*", "").replace("-", "_").upper().replace("INTACT", "INT")
    return {value.strip() for value in plain.replace(";", ",").replace("/", ",").split(",")}


def examined(code: str) -> str:
    """The score without its tag: ``"3**"`` → ``"3"``."""
    return code.rstrip("*")


def grades_of(code: str, highest: int, *, handled: bool = True) -> range:
    """Grades that a code may stand for.

    Parameters
    ----------
    code : score, ``"NT"``, or either with a tag.
    highest : grade of normal function, 5 for a key muscle and 2 for a dermatome.
    handled : apply the tag; otherwise it is ignored.
    """
    number, tag = examined(code), code.count("*") if handled else 0
    if tag == 2:
        return range(highest, highest + 1)
    if tag == 1:
        return range(0 if number == "NT" else int(number), highest)
    return range(highest + 1) if number == "NT" else range(int(number), int(number) + 1)


def _motor_class(grade: int) -> int:
    # The rules distinguish only: any function (> 0), at least 3, normal (5).
    return (M0, M12, M12, M34, M34, M5)[grade]


def _motor_set(code: str, *, handled: bool) -> int:
    return sum({_motor_class(grade) for grade in grades_of(code, 5, handled=handled)})


def _pair_set(light: str, pin: str, *, handled: bool) -> int:
    # Only a pair of 2 makes a normal dermatome, and any score above 0 is preserved sensation.
    states = {
        NORMAL if a == b == 2 else ABSENT if a == b == 0 else PRESENT
        for a in grades_of(light, 2, handled=handled)
        for b in grades_of(pin, 2, handled=handled)
    }
    return sum(states)


MOTOR_GRADES: dict[str, tuple[str, ...]] = {code: tuple(map(str, grades_of(code, 5))) for code in MOTOR_CODES}
"""Code → grades that it may stand for, worst first, with the tag applied."""
SENSORY_GRADES: dict[str, tuple[str, ...]] = {code: tuple(map(str, grades_of(code, 2))) for code in SENSORY_CODES}
MOTOR_SET: dict[str, int] = {code: _motor_set(code, handled=True) for code in MOTOR_CODES}
"""Code → set of classes that it may stand for, with the tag applied."""
MOTOR_SET_UNTAGGED: dict[str, int] = {code: _motor_set(code, handled=False) for code in MOTOR_CODES}
PAIR_SET: dict[tuple[str, str], int] = {
    (a, b): _pair_set(a, b, handled=True) for a in SENSORY_CODES for b in SENSORY_CODES
}
"""(light touch, pin prick) → set of states of the dermatome, with the tags applied."""
PAIR_SET_UNTAGGED: dict[tuple[str, str], int] = {
    (a, b): _pair_set(a, b, handled=False) for a in SENSORY_CODES for b in SENSORY_CODES
}
