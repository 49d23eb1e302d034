"""ISNCSCI 2019 (8th edition): levels, NLI, completeness, AIS, zones of partial preservation, sums.

:func:`classify` is a pure function of an exam (all cells given, as text) and two declared readings. A
cell that is not testable (``NT``) stands for every score, a tagged one for the scores its tag allows; a
result that differs between substitutions lists its possible values. Every result carries the
reason in English and Chinese, warnings, and the version of the rule book.

The rules are in ``rules`` (numbers only), ``sets`` (untested and tagged cells) and ``stars`` (the ``*`` of
tagged results). Form and wording are our own; the worksheet of the American Spinal Injury Association is not
reproduced. Research use.

References
----------
Rupp R, et al. 2021, doi:10.46292/sci2702-1. Schuld C, et al. Spinal Cord 2012, PMID 21933016.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale, SubScore, Value
from workbench.outcomes._lines import answer_lines
from workbench.outcomes._scoring import Measure, make_subscore, score_text
from workbench.outcomes.isncsci.classify import (
    DEFAULT,
    NLI_VAC,
    NONKEY_ZPP,
    Classification,
    Options,
    Possible,
    Step,
    classify,
)
from workbench.outcomes.isncsci.classify import deciding_cells as _deciding_cells
from workbench.outcomes.isncsci.exam import REASONS, Exam, check_reasons, read_exam, tagged_cells
from workbench.outcomes.isncsci.rescoring import Rescoring, rescore
from workbench.outcomes.isncsci.tables import (
    ANSWERS,
    DAP,
    DERMATOMES,
    EDITION,
    FIELDS,
    LEGACY_NON_KEY,
    LIGHT,
    MOTOR,
    MOTOR_CODES,
    MUSCLES,
    NON_KEY,
    ORDER,
    PIN,
    RULES,
    SENSORY_CODES,
    SIDES,
    SOURCE,
    VAC,
    NliVac,
    NonKeyZpp,
    same_result,
)
from workbench.outcomes.isncsci.texts import Text
from workbench.outcomes.isncsci.warnings import ExamWarning

__all__ = [
    "EDITION",
    "FIELDS",
    "NLI_VAC",
    "NONKEY_ZPP",
    "OUTCOME",
    "REASONS",
    "RULES",
    "Classification",
    "Options",
    "Possible",
    "Reclassification",
    "Rescoring",
    "Step",
    "ExamWarning",
    "Text",
    "check_reasons",
    "classify",
    "deciding_cells",
    "differences",
    "exam_of",
    "items_of",
    "read_exam",
    "reclassify",
    "rescore",
    "score_lines",
    "site_differences",
    "tagged_cells",
]

GRIDS = (
    ("uems", "Upper extremity motor", MOTOR, MUSCLES[:5], 5),
    ("lems", "Lower extremity motor", MOTOR, MUSCLES[5:], 5),
    ("light_touch", "Light touch", LIGHT, DERMATOMES, 2),
    ("pin_prick", "Pin prick", PIN, DERMATOMES, 2),
)
"""Code, title, grid of the exam, its segments, highest score."""
SITE = "site_reported"
"""What a site classified by hand: items ``site_reported.nli`` and ``site_reported.ais`` beside the exam."""


# ----- many exams


@dataclass(frozen=True, slots=True)
class Reclassification:
    """The answer to an old exam that is classified again.

    Attributes
    ----------
    id : of the exam, None when its record has none.
    classification : None when the exam cannot be read.
    error : why, ``""`` when it can.
    changed : field → (result as stored or reported, result now); empty without an earlier result.
    """

    id: Any
    classification: Classification | None
    error: str
    changed: Mapping[str, tuple[Any, Any]]


def differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields of an earlier (or hand-entered) result that differ: field → (earlier, now).

    Only fields that ``earlier`` has are compared, so that a site may report NLI and AIS alone.
    """
    return {name: (value, now.get(name)) for name, value in earlier.items() if value != now.get(name)}


def reclassify(records: Iterable[Mapping[str, Any]], *, options: Options = DEFAULT) -> Iterator[Reclassification]:
    """Classify old exams again under this rule book: one answer per record, in order, nothing kept in memory.

    Parameters
    ----------
    records : mappings ``{"id", "exam"}`` and, where there is one, the earlier ``"result"``.
    options : declared readings.
    """
    for record in records:
        try:
            classification = classify(record["exam"], options=options)
        except KeyError:
            yield Reclassification(record.get("id"), None, "isncsci record has no exam; give it under 'exam'", {})
        except BadValue as error:
            yield Reclassification(record.get("id"), None, str(error), {})
        else:
            changed = differences(record.get("result") or {}, classification.result)
            yield Reclassification(record.get("id"), classification, "", changed)


def score_lines(lines: Iterable[str], *, options: Options = DEFAULT) -> Iterator[str]:
    """Classify exams given as lines of JSON, one answer per line, in the same order.

    Parameters
    ----------
    lines : ``{"id", "exam"}`` each, the exam as :func:`classify` reads it. Empty lines are skipped.
    options : declared readings.

    Yields
    ------
    ``{"id", "result", "steps", "warnings"}``, or ``{"id", "error"}`` where the exam cannot be read.
    """
    return answer_lines(lines, lambda exam: classify(exam, options=options).to_json(), holds="exam")


# ----- the entry of the register


OPTIONS = (
    Option(
        "nli_vac",
        "NLI when all is normal but voluntary anal contraction",
        NLI_VAC[0],
        NLI_VAC,
        agree=True,
        parts=("nli",),
    ),
    Option(
        "nonkey_zpp",
        "when a non-key muscle enters the motor zone (ZPP)",
        NONKEY_ZPP[0],
        NONKEY_ZPP,
        agree=True,
        parts=("zpp_motor_right", "zpp_motor_left"),
    ),
    Option("reasons", "why each tagged score is tagged, by cell; checked when it is given", agree=False),
    Option("notes", "what was noted at a cell, by cell; enters no result", agree=False),
)
NOTES = (
    "Gives levels, NLI, completeness, AIS, zones of partial preservation and sums, each with reasons [T]",
    "Agrees with the 128 expert cases of the Praxis algorithm in every undisputed field [T]",
    "Two readings are settled by no source: options nli_vac and nonkey_zpp; a warning says where they differ [T]",
    "Whether and where non-key muscles enter the zones is an open question of the field: Schuld 2024, Spinal Cord "
    "62:79-87, doi 10.1038/s41393-023-00950-x [S]",
    "A level or grade that the site reported stands beside the computed one and is never replaced [T]",
)


def _define() -> Definition:
    items, subscales = [], []
    for code, title, grid, segments, highest in GRIDS:
        codes = MOTOR_CODES if grid == MOTOR else SENSORY_CODES
        grid_items = [
            Item(
                code=f"{side}.{grid}.{segment}",
                label=f"{side.capitalize()} {title.lower()} {segment.replace('_', '-')}",
                allowed=tuple(range(highest + 1)),
                codes=tuple(text for text in codes if not text.isdigit()),
            )
            for side in SIDES
            for segment in segments
        ]
        items += grid_items
        subscales.append(
            Subscale(code, title, tuple(item.code for item in grid_items), 0, highest * len(grid_items))
        )
    extras = (
        Item(VAC, "Voluntary anal contraction", ANSWERS),
        Item(DAP, "Deep anal pressure", ANSWERS),
        Item(f"right.{NON_KEY}", "Right lowest active non-key muscle", MUSCLES, LEGACY_NON_KEY),
        Item(f"left.{NON_KEY}", "Left lowest active non-key muscle", MUSCLES, LEGACY_NON_KEY),
        Item(f"{SITE}.nli", "NLI as the site reported it", (*ORDER, "ND")),
        Item(f"{SITE}.ais", "AIS as the site reported it", (*"ABCDE", "ND")),
    )
    return Definition(
        name="isncsci",
        version="2019",
        title="International Standards for Neurological Classification of Spinal Cord Injury",
        items=tuple(items),
        subscales=tuple(subscales),
        low=0,
        high=100,
        direction="up",
        sides=("",),
        missing=(
            "A missing cell is an error of the classification and never NT; a sum with a missing or NT cell is "
            "not determinable (ND), never prorated."
        ),
        licence="Free to use; codes and own words only, the worksheet is copyrighted and not reproduced.",
        sources=(SOURCE,),
        extras=extras,
        options=OPTIONS,
        notes=NOTES,
        domain="neurological examination",
        conditions={},
        least=2 * len(MUSCLES),
    )


def exam_of(items: Mapping[str, Any]) -> dict[str, Any]:
    """Item code → value as the nested exam of :func:`classify`; numbers become text, None is left out.

    The site's own result is not a cell of the exam and is left out too.

    Raises
    ------
    BadValue
        An unknown item code.
    """
    exam: dict[str, Any] = {side: {MOTOR: {}, LIGHT: {}, PIN: {}} for side in SIDES}
    for code, value in items.items():
        OUTCOME.definition.item(code)
        if value is not None and not code.startswith(SITE):
            # "right.motor.C5" is the path through the nested exam.
            *path, last = code.split(".")
            place = exam
            for key in path:
                place = place[key]
            place[last] = value if isinstance(value, str) else str(value)
    return exam


def deciding_cells(
    items: Mapping[str, Any], field: str, *, nli_vac: NliVac = "praxis", nonkey_zpp: NonKeyZpp = "praxis"
) -> tuple[str, ...]:
    """The untested or tagged cells of a stored examination that one result depends on.

    Parameters
    ----------
    items : of the examination, by code.
    field : name of the result, such as ``"ais"``.
    nli_vac, nonkey_zpp : declared readings.

    Raises
    ------
    BadValue
        Items that do not form an examination, or no such result.
    """
    return _deciding_cells(exam_of(items), field, options=Options(nli_vac, nonkey_zpp))


def items_of(exam: Mapping[str, Any]) -> dict[str, int | str | None]:
    """The nested exam as item code → value: plain scores as numbers, NT and tagged ones as text.

    Raises
    ------
    BadValue
        When the exam is invalid.
    """
    items: dict[str, int | str | None] = {
        name: int(code) if code.isdigit() else code for name, code in read_exam(exam).cells()
    }
    for side in SIDES:
        if exam[side].get(NON_KEY) is not None:
            items[f"{side}.{NON_KEY}"] = exam[side][NON_KEY]
    return items


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    needed = [item.code for item in (*definition.items, *definition.extras[:2])]
    # A missing cell is not NT: nobody decided that it could not be tested, so nothing is classified.
    missing = [code for code in needed if values[code] is None]
    subscores = {scale.code: _sum(scale, values) for scale in definition.subscales}
    steps = [f"{scale.label}: {score_text(scale, subscores[scale.code])}" for scale in definition.subscales]
    warnings: list[str] = []
    classes: dict[str, Any] = {}
    if missing:
        warnings.append(f"not classified, {len(missing)} cells are missing: {', '.join(missing[:5])}")
    else:
        exam = exam_of(values)
        classification = classify(exam, options=Options(options["nli_vac"], options["nonkey_zpp"]))
        warnings += _reason_warnings(read_exam(exam), options["reasons"])
        classes = {**classification.result, "rules": classification.rules}
        steps += [f"{step.field}: {step.text.en}" for step in classification.steps]
        warnings += [text.en for _, text in classification.warnings]
        warnings += _site_warnings(values, classification.result)
    motor = tuple(code for scale in definition.subscales[:2] for code in scale.items)
    total = _sum(Subscale("total", "Motor", motor, 0, 100), values, rule="derived; report UEMS and LEMS: ")
    return ScorerResult(subscores, total, tuple(steps), tuple(warnings), classes=classes)


def site_differences(items: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Differences from the site's own NLI or AIS: ``"nli"``, ``"ais"`` → (as the site reported it, computed).

    Parameters
    ----------
    items : of an examination, by code.
    result : fields and spelling of :func:`classify`; tags are ignored.

    "ND" agrees with several possible values.
    """
    pairs = {name: (items.get(f"{SITE}.{name}"), result[name].replace("*", "")) for name in ("nli", "ais")}
    return {
        name: (reported, computed)
        for name, (reported, computed) in pairs.items()
        if reported is not None and not same_result(str(reported), computed)
    }


def _site_warnings(values: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    for name, (reported, computed) in site_differences(values, result).items():
        yield f"the site reported {name.upper()} {reported}, computed is {computed}; both are kept"


def _reason_warnings(exam: Exam, reasons: Any) -> Iterator[str]:
    """Check the reasons of tagged cells where they are given; a warning where a tagged exam has none."""
    # A tag needs its non-SCI cause in the comments box of the worksheet (ISNCSCI 2019); old records lack it.
    if reasons is not None:
        check_reasons(exam, reasons)
    elif tagged := tagged_cells(exam):
        yield f"no reason is given for {len(tagged)} tagged cells: {', '.join(tagged[:5])}; each tag needs one"


def _sum(subscale: Subscale, values: Mapping[str, Value | None], *, rule: str = "") -> SubScore:
    """Examined numbers added, tags ignored; ND with a missing or untested cell."""
    scores = {code: _number(values[code]) for code in subscale.items}
    valid = [score for score in scores.values() if score is not None]
    total = sum(valid) if len(valid) == len(scores) else None
    full_rule = f"{rule}sum of {len(scores)} examined scores, tags ignored; ND with a missing or untested cell"
    return make_subscore(subscale, scores, total, rule=full_rule, source=SOURCE)


def _number(value: Value | None) -> int | None:
    # Sums take the score that was examined, with or without a tag (ISNCSCI 2019, motor and sensory scores).
    if isinstance(value, str):
        return int(value[0]) if value[0].isdigit() else None
    return None if value is None else int(value)


OUTCOME = Measure((_define(),), _score)
