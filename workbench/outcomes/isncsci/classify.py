"""From one exam to its ISNCSCI classification: results, reasons, warnings, the version of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from workbench.errors import BadValue
from workbench.outcomes.isncsci import rules, sets, stars
from workbench.outcomes.isncsci.deciding import POSSIBLE_ANSWERS, DecidingCells, Search, state_of
from workbench.outcomes.isncsci.exam import Exam, Side, read_exam
from workbench.outcomes.isncsci.steps import Extreme, OpenResult, Values, open_steps, plain_steps
from workbench.outcomes.isncsci.tables import (
    COMPLETE,
    EDITION,
    FIELDS,
    INCOMPLETE,
    MOTOR_GRADES,
    MOTOR_SET,
    MOTOR_SET_UNTAGGED,
    ORDER,
    PAIR_SET,
    PAIR_SET_UNTAGGED,
    RULES,
    S3,
    SENSORY_GRADES,
    SIDES,
    TAGGED,
    Field,
    NliVac,
    NonKeyZpp,
    check_field,
)
from workbench.outcomes.isncsci.texts import Text, compose, text_of
from workbench.outcomes.isncsci.warnings import ExamWarning, nli_differs, non_key_differs, warn, warnings

NLI_VAC: tuple[NliVac, ...] = get_args(NliVac)
NONKEY_ZPP: tuple[NonKeyZpp, ...] = get_args(NonKeyZpp)
PRINTED: tuple[str, ...] = (*ORDER, "NA")
"""Place → result as text; the last one is at -1."""


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

    nli_vac: NliVac = "praxis"
    nonkey_zpp: NonKeyZpp = "praxis"

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
    """The reason of one result."""

    field: str
    text: Text

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return {"field": self.field, "en": self.text.en, "zh-CN": self.text.zh}


@dataclass(frozen=True, slots=True)
class Classification:
    """The classification of one exam.

    Attributes
    ----------
    result : the fields of ``FIELDS`` as text (several possible values joined by commas, ``*`` where the
        handling of tags made a value), and ``totals`` with ``"ND"`` where a cell is untested.
    steps : the reasons, one per field, and those of the rules and sums.
    warnings : cautions for the reader.
    affected : fields whose possible values the tags change, starred or not.
    rules, options : version of the rule book and the readings.
    """

    result: dict[str, Any]
    steps: tuple[Step, ...]
    warnings: tuple[ExamWarning, ...]
    affected: tuple[str, ...]
    rules: str
    options: Options

    def possible(self, field: str) -> tuple[Possible, ...]:
        """Possible values of a field, rostral to caudal, NA first; one when it is determined."""
        values = self.result[check_field(field)].split(",")
        return tuple(Possible(value.rstrip("*"), "*" if value.endswith("*") else "") for value in values)

    def determined(self, field: str) -> bool:
        """Every substitution gives the same value."""
        return len(self.possible(field)) == 1

    def to_json(self) -> dict[str, Any]:
        """Plain data: ``result``, ``steps``, ``warnings``."""
        return {
            "result": self.result,
            "steps": [step.to_json() for step in self.steps],
            "warnings": [{"code": code, "en": text.en, "zh-CN": text.zh} for code, text in self.warnings],
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
    result = rules.classify(right, left, vac=vac, dap=dap, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    printed = [_printed(values) for values in _single_values(result)]
    exam_warnings = list(warnings(exam, motor=((result.motor[0],), (result.motor[1],)), ais=(result.ais,)))
    # The readings can only differ without VAC, with a non-key muscle or with everything else normal.
    if not vac and (right.non_key >= 0 or left.non_key >= 0 or min(result.motor) == S3):
        readings = [
            rules.classify(right, left, vac=vac, dap=dap, nli_vac=nli_vac, nonkey_zpp=nonkey_zpp)
            for nli_vac, nonkey_zpp in zip(NLI_VAC, NONKEY_ZPP)
        ]
        exam_warnings += _reading_warnings(
            *([(other.nli,), *((zone,) for zone in other.zpp_motor)] for other in readings)
        )
    steps = plain_steps(right, left, result, codes=(exam.right, exam.left), vac=vac, dap=dap)
    return _classification(exam, options, printed, steps, exam_warnings)


def _single_values(result: rules.Result) -> tuple[Values, ...]:
    """The value of each field, in their order, as the only possible one."""
    grades = ((COMPLETE if result.complete else INCOMPLETE,), (result.ais,))
    levels, zones = (*result.sensory, *result.motor, result.nli), (*result.zpp_sensory, *result.zpp_motor)
    return (*((level,) for level in levels), *grades, *((zone,) for zone in zones))


def _reading_warnings(praxis: Sequence[Values], other: Sequence[Values]) -> Iterator[ExamWarning]:
    """Warnings where the two readings of NLI, motor zone right and motor zone left differ."""
    nli, *zones = ((_printed(first), _printed(second)) for first, second in zip(praxis, other))
    if nli[0] != nli[1]:
        yield nli_differs(*nli)
    for side, (first, second) in enumerate(zones):
        if first != second:
            yield non_key_differs(side, first, second)


def _printed(values: Values, starred: frozenset[int] | frozenset[str] = frozenset()) -> str:
    names = (PRINTED[value] if isinstance(value, int) else value for value in values)
    return ",".join(name + ("*" if value in starred else "") for name, value in zip(names, values))


# ----- exams with untested or tagged cells


def _side_sets(side: Side, *, handled: bool) -> sets.SideSets:
    pairs, motor = (PAIR_SET, MOTOR_SET) if handled else (PAIR_SET_UNTAGGED, MOTOR_SET_UNTAGGED)
    dermatomes = tuple(pairs[pair] for pair in zip(side.light, side.pin))
    return sets.SideSets(dermatomes, tuple(motor[code] for code in side.motor), side.non_key)


def _possible_values(results: sets.PossibleResults) -> tuple[Values, ...]:
    """Possible values of each field, in their order."""
    return (
        *(*results.sensory, *results.motor, results.nli, results.complete, results.ais),
        *(*results.zpp_sensory, *results.zpp_motor),
    )


def _open(exam: Exam, options: Options) -> Classification:
    tagged = exam.contains_any(TAGGED)
    vacs, daps = POSSIBLE_ANSWERS[exam.vac], POSSIBLE_ANSWERS[exam.dap]
    handled = _side_sets(exam.right, handled=True), _side_sets(exam.left, handled=True)
    # Without a tag the untagged exam is the same object, so that its cached results serve twice.
    ignored = (_side_sets(exam.right, handled=False), _side_sets(exam.left, handled=False)) if tagged else handled
    results, untagged = (
        sets.classify(*sides, vacs=vacs, daps=daps, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
        for sides in (handled, ignored)
    )
    values, values_untagged = _possible_values(results), _possible_values(untagged)
    affected = tuple(field for field, *pair in zip(FIELDS, values, values_untagged) if stars.affected(*pair))
    starred = _stars(exam, handled, ignored, results, untagged) if tagged else (frozenset[int](),) * len(FIELDS)
    printed = [_printed(*pair) for pair in zip(values, starred)]
    exam_warnings = list(warnings(exam, motor=results.motor, ais=results.ais))
    exam_warnings += _reading_warnings(
        *(
            [
                sets.neurological_levels(*handled, vacs=vacs, reading=nli_vac),
                *sets.motor_zones(*handled, vacs=vacs, daps=daps, ais=results.ais, reading=nonkey_zpp),
            ]
            for nli_vac, nonkey_zpp in zip(NLI_VAC, NONKEY_ZPP)
        )
    )
    unstarred = (field for field, text in zip(FIELDS, printed) if "*" not in text)
    exam_warnings += [warn("tags_narrow", field) for field in unstarred if field in affected]
    deciding = _deciding(exam, handled, values, options)
    worst, best = _extreme(exam, options, 0), _extreme(exam, options, -1)
    open_results = [
        OpenResult(field, values[at], values_untagged[at], printed[at], worst[at], best[at], deciding.get(field))
        for at, field in enumerate(FIELDS)
    ]
    steps = open_steps(exam, handled, open_results)
    return _classification(exam, options, printed, steps, exam_warnings, affected)


def _extreme(exam: Exam, options: Options, end: int) -> Sequence[Extreme]:
    """Values and reasons when every open cell has the worst (``end`` 0) or best (-1) score it can stand for."""
    right, left = (
        rules.PlainSide(
            "".join([MOTOR_GRADES[code][end] for code in side.motor]),
            "".join([SENSORY_GRADES[code][end] for code in side.light]),
            "".join([SENSORY_GRADES[code][end] for code in side.pin]),
            side.non_key,
        )
        for _, side in exam.sides
    )
    vac, dap = POSSIBLE_ANSWERS[exam.vac][end], POSSIBLE_ANSWERS[exam.dap][end]
    result = rules.classify(right, left, vac=vac, dap=dap, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    steps = plain_steps(right, left, result, codes=(exam.right, exam.left), vac=vac, dap=dap)
    return list(zip(_single_values(result), steps))


def _deciding(
    exam: Exam, sides: tuple[sets.SideSets, sets.SideSets], values: Sequence[Values], options: Options
) -> dict[Field, DecidingCells]:
    search = Search(exam, state_of(exam, sides), nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp)
    undetermined = (field for field, possible in zip(FIELDS, values) if len(possible) > 1)
    return {field: search.deciding(field) for field in undetermined}


def deciding_cells(exam: Mapping[str, Any], field: str, *, options: Options = DEFAULT) -> tuple[str, ...]:
    """The untested or tagged cells that one result depends on, as ``right.motor.L2``; empty when determined.

    Parameters
    ----------
    exam : as for :func:`classify`.
    field : name of the result.
    options : declared readings.

    Raises
    ------
    BadValue
        An invalid exam, or no such result.
    """
    checked = check_field(field)
    read = read_exam(exam)
    sides = _side_sets(read.right, handled=True), _side_sets(read.left, handled=True)
    state = state_of(read, sides)
    search = Search(read, state, nli_vac=options.nli_vac, nonkey_zpp=options.nonkey_zpp, max_cells=None)
    return search.deciding(checked).names


def _stars(
    exam: Exam,
    handled: tuple[sets.SideSets, sets.SideSets],
    ignored: tuple[sets.SideSets, sets.SideSets],
    results: sets.PossibleResults,
    untagged: sets.PossibleResults,
) -> tuple[frozenset[int] | frozenset[str], ...]:
    """Starred values of each field."""
    right, left = (stars.TaggedSide(codes, *pair) for (_, codes), *pair in zip(exam.sides, handled, ignored))
    sides = (right, left)
    return (
        *(stars.sensory(side) for side in sides),
        *(stars.motor(*of_side) for of_side in zip(sides, results.motor, untagged.motor)),
        stars.nli(sides, results.nli, untagged.nli),
        stars.complete(results, untagged),
        stars.ais(exam, sides, results, untagged),
        *(stars.zpp_sensory(*of_side) for of_side in zip(sides, results.zpp_sensory, untagged.zpp_sensory)),
        *(stars.zpp_motor(*of_side) for of_side in zip(results.zpp_motor, untagged.zpp_motor)),
    )


# ----- both


def _classification(
    exam: Exam,
    options: Options,
    printed: Sequence[str],
    reasons: Sequence[Text],
    exam_warnings: Sequence[ExamWarning],
    affected: tuple[str, ...] = (),
) -> Classification:
    totals, totals_reason = _totals(exam)
    open_step: tuple[Step, ...] = ()
    if not exam.plain:
        open_cells = ", ".join(f"{name} {code}" for name, code in exam.open_cells())
        open_step = (Step("cells", compose("open", open_cells)),)
    return Classification(
        result={**dict(zip(FIELDS, printed)), "totals": totals},
        steps=(
            Step("rules", text_of("rules", EDITION, RULES, options.nli_vac, options.nonkey_zpp)),
            *open_step,
            *map(Step, FIELDS, reasons),
            Step("totals", totals_reason),
        ),
        warnings=tuple(exam_warnings),
        affected=affected,
        rules=RULES,
        options=options,
    )


def _totals(exam: Exam) -> tuple[dict[str, Any], Text]:
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
    # Over both sides the worksheet adds arms and legs separately; it has no motor total of both.
    both = {
        name: _add(*(sides[side][name] for side in SIDES)) for name in ("uems", "lems", "light_touch", "pin_prick")
    }
    reason = compose("totals.ND" if None in both.values() else "totals", *map(_printed_sum, both.values()))
    by_side = {
        side: {name: _printed_sum(value) for name, value in totals.items()} for side, totals in sides.items()
    }
    return {**by_side, **{name: _printed_sum(value) for name, value in both.items()}}, reason


def _sum(codes: tuple[str, ...]) -> int | None:
    """Examined numbers added, tags ignored; None with an untested cell."""
    # Counting digits is several times faster than adding ten or 28 numbers, and this runs ten times per exam.
    text = "".join(codes)
    if "N" in text:
        return None
    low = text.count("1") + 2 * text.count("2")
    return low + 3 * text.count("3") + 4 * text.count("4") + 5 * text.count("5")


def _add(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _printed_sum(value: int | None) -> str:
    return "ND" if value is None else str(value)
