"""From one exam to its ISNCSCI classification: results, reasons, warnings, the version of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.errors import BadValue
from workbench.outcomes.isncsci import rules, sets, stars
from workbench.outcomes.isncsci.deciding import POSSIBLE, Found, Search, state_of
from workbench.outcomes.isncsci.exam import Exam, Side, read_exam
from workbench.outcomes.isncsci.steps import Extreme, open_steps, plain_steps
from workbench.outcomes.isncsci.tables import (
    EDITION,
    FIELDS,
    MOTOR_SET,
    MOTOR_SET_UNTAGGED,
    ORDER,
    PAIR_SET,
    PAIR_SET_UNTAGGED,
    RULES,
    S3,
    SIDES,
    grades_of,
)
from workbench.outcomes.isncsci.texts import Words, compose, say
from workbench.outcomes.isncsci.warnings import Warned, nli_differs, non_key_differs, warn, warnings

NLI_VAC = ("praxis", "strict")
NONKEY_ZPP = ("praxis", "motor_level")
PRINTED: tuple[str, ...] = (*ORDER, "NA")
"""Place → result as text; the last one is at -1."""
Values = Sequence[int] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Options:
    """Readings that no source settles; they are stored with every result.

    Attributes
    ----------
    nli_vac : everything is normal but VAC: ``"praxis"`` gives NLI INT as the reference software does,
        ``"strict"`` the most rostral level, S3.
    nonkey_zpp : which non-key muscle enters the motor zone: ``"praxis"`` with AIS C and more than three
        levels below the lowest active key muscle, ``"motor_level"`` with AIS C or D and more than three
        levels below the motor level.
    """

    nli_vac: str = "praxis"
    nonkey_zpp: str = "praxis"

    def __post_init__(self) -> None:
        """Refuse unknown readings."""
        for name, value, allowed in (
            ("nli_vac", self.nli_vac, NLI_VAC),
            ("nonkey_zpp", self.nonkey_zpp, NONKEY_ZPP),
        ):
            if value not in allowed:
                raise BadValue(f"isncsci {name} must be one of {', '.join(allowed)}, got {value!r}")


DEFAULT = Options()


class Possible(NamedTuple):
    """One possible value of a result; ``tag`` is ``"*"`` where the handling of tagged scores made it so."""

    level: str
    tag: str


class Step(NamedTuple):
    """Why one result is what it is."""

    field: str
    words: Words

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return {"field": self.field, "en": self.words.en, "zh-CN": self.words.zh}


@dataclass(frozen=True, slots=True)
class Classification:
    """The classification of one exam.

    Attributes
    ----------
    result : the fields of ``FIELDS`` as text (several possible values joined by commas, ``*`` where the
        handling of tags made a value), and ``totals`` with ``"ND"`` where a cell is untested.
    steps : the reasons, one a field, and those of the rules and sums.
    warnings : what a reader has to know.
    affected : fields whose possible values the tags change, starred or not.
    rules, options : version of the rule book and the readings.
    """

    result: dict[str, Any]
    steps: tuple[Step, ...]
    warnings: tuple[Warned, ...]
    affected: tuple[str, ...]
    rules: str
    options: Options

    def possible(self, field: str) -> tuple[Possible, ...]:
        """Possible values of a field, rostral to caudal, NA first; one when it is determined."""
        if field not in FIELDS:
            raise BadValue(f"isncsci has no result {field!r}; allowed: {', '.join(FIELDS)}")
        values = self.result[field].split(",")
        return tuple(Possible(value.rstrip("*"), "*" if value.endswith("*") else "") for value in values)

    def determined(self, field: str) -> bool:
        """Every substitution gives the same value."""
        return len(self.possible(field)) == 1

    def to_json(self) -> dict[str, Any]:
        """Plain data: ``result``, ``steps``, ``warnings``."""
        return {
            "result": self.result,
            "steps": [step.to_json() for step in self.steps],
            "warnings": [{"code": code, "en": words.en, "zh-CN": words.zh} for code, words in self.warnings],
        }


def classify(exam: Mapping[str, Any], *, options: Options = DEFAULT) -> Classification:
    """Classify one exam by ISNCSCI 2019.

    Parameters
    ----------
    exam : see :mod:`workbench.outcomes.isncsci.exam`; every cell is text.
    options : declared readings.

    Raises
    ------
    BadValue
        A missing cell or an unknown code, named.
    """
    read = read_exam(exam)
    return _plain(read, options) if read.plain else _open(read, options)


# ----- exams of numbers only


def _plain_side(side: Side) -> rules.PlainSide:
    return rules.PlainSide("".join(side.motor), "".join(side.light), "".join(side.pin), side.non_key)


def _plain(exam: Exam, options: Options) -> Classification:
    right, left = _plain_side(exam.right), _plain_side(exam.left)
    vac, dap = exam.vac == "Yes", exam.dap == "Yes"
    found = rules.classify(right, left, vac=vac, dap=dap, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    printed = [_printed(one) for one in _single(found)]
    told = list(warnings(exam, motor=((found.motor[0],), (found.motor[1],)), ais=found.ais))
    if not vac and (right.non_key >= 0 or left.non_key >= 0 or min(found.motor) == S3):
        readings = [
            rules.classify(right, left, vac=vac, dap=dap, nli_vac=nli_vac, nonkey_zpp=nonkey_zpp)
            for nli_vac, nonkey_zpp in zip(NLI_VAC, NONKEY_ZPP)
        ]
        told += _differences(*([(other.nli,), *((zone,) for zone in other.zpp_motor)] for other in readings))
    return _finish(
        exam,
        options,
        printed,
        plain_steps(right, left, found, codes=(exam.right, exam.left), vac=vac, dap=dap),
        told,
    )


def _single(found: rules.Result) -> tuple[Values, ...]:
    """The value of each field, in their order, as the only possible one."""
    grades = (("C" if found.complete else "I",), (found.ais,))
    levels, zones = (*found.sensory, *found.motor, found.nli), (*found.zpp_sensory, *found.zpp_motor)
    return (*((level,) for level in levels), *grades, *((zone,) for zone in zones))


def _differences(praxis: Sequence[Values], other: Sequence[Values]) -> Iterator[Warned]:
    """Warnings where the two readings of NLI, motor zone right and motor zone left differ."""
    texts = [(_printed(one), _printed(two)) for one, two in zip(praxis, other)]
    if texts[0][0] != texts[0][1]:
        yield nli_differs(*texts[0])
    for side, (one, two) in enumerate(texts[1:]):
        if one != two:
            yield non_key_differs(side, one, two)


def _printed(values: Values, starred: frozenset[int] | frozenset[str] = frozenset()) -> str:
    names = (PRINTED[value] if isinstance(value, int) else value for value in values)
    return ",".join(name + ("*" if value in starred else "") for name, value in zip(names, values))


# ----- exams with untested or tagged cells


def _side_sets(side: Side, *, handled: bool) -> sets.SideSets:
    pairs, motor = (PAIR_SET, MOTOR_SET) if handled else (PAIR_SET_UNTAGGED, MOTOR_SET_UNTAGGED)
    dermatomes = tuple(pairs[pair] for pair in zip(side.light, side.pin))
    return sets.SideSets(dermatomes, tuple(motor[code] for code in side.motor), side.non_key)


def _fields(found: sets.Results) -> tuple[Values, ...]:
    return (
        *(*found.sensory, *found.motor, found.nli, found.complete, found.ais),
        *(*found.zpp_sensory, *found.zpp_motor),
    )


def _open(exam: Exam, options: Options) -> Classification:
    tagged = any(code.endswith("*") for _, code in exam.cells())
    vacs, daps = POSSIBLE[exam.vac], POSSIBLE[exam.dap]
    now = _side_sets(exam.right, handled=True), _side_sets(exam.left, handled=True)
    before = (_side_sets(exam.right, handled=False), _side_sets(exam.left, handled=False)) if tagged else now
    found, earlier = (
        sets.classify(*sides, vacs=vacs, daps=daps, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
        for sides in ((now, before) if tagged else (now, now))
    )
    values, untagged = _fields(found), _fields(earlier)
    affected = tuple(field for field, one, two in zip(FIELDS, values, untagged) if stars.affected(one, two))
    starred = _stars(exam, now, before, found, earlier) if tagged else (frozenset[int](),) * len(FIELDS)
    printed = [_printed(one, star) for one, star in zip(values, starred)]
    told = list(warnings(exam, motor=found.motor, ais=found.ais))
    told += _differences(
        *(
            [
                sets.neurological_levels(*now, vacs=vacs, reading=nli_vac),
                *sets.motor_zones(*now, vacs=vacs, daps=daps, ais=found.ais, reading=nonkey_zpp),
            ]
            for nli_vac, nonkey_zpp in zip(NLI_VAC, NONKEY_ZPP)
        )
    )
    unstarred = (field for field, text in zip(FIELDS, printed) if "*" not in text)
    told += [warn("tags_narrow", field) for field in unstarred if field in affected]
    steps = open_steps(
        exam,
        now,
        values,
        untagged,
        printed=printed,
        extremes=(_extreme(exam, options, min), _extreme(exam, options, max)),
        deciding=_deciding(exam, now, values, options),
    )
    return _finish(exam, options, printed, steps, told, affected)


def _extreme(exam: Exam, options: Options, pick: Callable[[Iterable[str]], str]) -> Sequence[Extreme]:
    """Values and reasons when every open cell has the worst (``min``) or best (``max``) score it can stand for."""
    right, left = (
        rules.PlainSide(
            "".join(pick(map(str, grades_of(code, 5))) for code in side.motor),
            "".join(pick(map(str, grades_of(code, 2))) for code in side.light),
            "".join(pick(map(str, grades_of(code, 2))) for code in side.pin),
            side.non_key,
        )
        for _, side in exam.sides
    )
    vac, dap = (pick(("0", "1")) == "1" if code == "NT" else code == "Yes" for code in (exam.vac, exam.dap))
    found = rules.classify(right, left, vac=vac, dap=dap, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    steps = plain_steps(right, left, found, codes=(exam.right, exam.left), vac=vac, dap=dap)
    return list(zip(_single(found), steps))


def _deciding(
    exam: Exam, now: tuple[sets.SideSets, sets.SideSets], values: Sequence[Values], options: Options
) -> dict[str, Found]:
    search = Search(exam, state_of(exam, now), nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    several = (field for field, possible in zip(FIELDS, values) if len(possible) > 1)
    return {field: search.deciding(field) for field in several}


def deciding_cells(exam: Mapping[str, Any], field: str, *, options: Options = DEFAULT) -> tuple[str, ...]:
    """The untested or tagged cells on which one result depends, as ``right.motor.L2``; empty when determined.

    Parameters
    ----------
    exam : as for :func:`classify`.
    field : name of the result.
    options : declared readings.

    Raises
    ------
    BadValue
        An exam that is not sound, or no such result.
    """
    if field not in FIELDS:
        raise BadValue(f"isncsci has no result {field!r}; allowed: {', '.join(FIELDS)}")
    read = read_exam(exam)
    now = _side_sets(read.right, handled=True), _side_sets(read.left, handled=True)
    search = Search(read, state_of(read, now), nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp, most=None)
    return search.deciding(field).names


def _stars(
    exam: Exam,
    now: tuple[sets.SideSets, sets.SideSets],
    before: tuple[sets.SideSets, sets.SideSets],
    found: sets.Results,
    earlier: sets.Results,
) -> tuple[frozenset[int] | frozenset[str], ...]:
    """Starred values of every field."""
    right, left = (stars.Both(codes, *pair) for (_, codes), *pair in zip(exam.sides, now, before))
    return (
        *(stars.sensory(side) for side in (right, left)),
        *(stars.motor(*three) for three in zip((right, left), found.motor, earlier.motor)),
        stars.nli((right, left), found.nli, earlier.nli),
        stars.complete(found, earlier),
        stars.ais(exam, (right, left), found, earlier),
        *(stars.zpp_sensory(*three) for three in zip((right, left), found.zpp_sensory, earlier.zpp_sensory)),
        *(stars.zpp_motor(*two) for two in zip(found.zpp_motor, earlier.zpp_motor)),
    )


# ----- both


def _finish(
    exam: Exam,
    options: Options,
    printed: Sequence[str],
    words: Sequence[Words],
    told: Sequence[Warned],
    affected: tuple[str, ...] = (),
) -> Classification:
    totals, sums = _totals(exam)
    opened = () if exam.plain else (Step("cells", compose("open", ", ".join(_open_cells(exam)))),)
    return Classification(
        result={**dict(zip(FIELDS, printed)), "totals": totals},
        steps=(
            Step("rules", say("rules", EDITION, RULES, options.nli_vac, options.nonkey_zpp)),
            *opened,
            *map(Step, FIELDS, words),
            Step("totals", sums),
        ),
        warnings=tuple(told),
        affected=affected,
        rules=RULES,
        options=options,
    )


def _open_cells(exam: Exam) -> Iterator[str]:
    return (f"{name} {code}" for name, code in exam.cells() if code.startswith("NT") or code.endswith("*"))


def _totals(exam: Exam) -> tuple[dict[str, Any], Words]:
    """Sums per side and in all; None, printed ND, with an untested cell."""
    sides: dict[str, dict[str, int | None]] = {}
    for name, side in exam.sides:
        uems, lems = _sum(side.motor[:5]), _sum(side.motor[5:])
        sides[name] = {
            "uems": uems,
            "lems": lems,
            "motor": _add(uems, lems),
            "light_touch": _sum(side.light),
            "pin_prick": _sum(side.pin),
        }
    both = {
        name: _add(*(sides[side][name] for side in SIDES)) for name in ("uems", "lems", "light_touch", "pin_prick")
    }
    told = compose("totals.ND" if None in both.values() else "totals", *map(_number, both.values()))
    by_side = {side: {name: _number(value) for name, value in sums.items()} for side, sums in sides.items()}
    return {**by_side, **{name: _number(value) for name, value in both.items()}}, told


def _sum(codes: tuple[str, ...]) -> int | None:
    """Examined numbers added, tags ignored; None with an untested cell."""
    text = "".join(codes)
    if "N" in text:
        return None
    low = text.count("1") + 2 * text.count("2")
    return low + 3 * text.count("3") + 4 * text.count("4") + 5 * text.count("5")


def _add(one: int | None, two: int | None) -> int | None:
    return None if one is None or two is None else one + two


def _number(value: int | None) -> str:
    return "ND" if value is None else str(value)
