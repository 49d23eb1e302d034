"""SF-36v2: eight scales 0–100 and norm-based, physical and mental summary; all numbers from a licensed table.

Which items form a scale is public; how answers are recoded, the norms and the weights of the summaries are
licensed. The user's table has the columns ``what,of,value`` and these rows:

* ``q1,5,…`` the recoded value of answer 5 to item 1, for every answer of every item but q2; where it depends
  on another item, also ``q22&q21,1&2,…``: of answer 1 to item 22 when item 21 was answered 2;
* ``mean,pf,…`` and ``sd,pf,…`` norm of each scale (pf, rp, bp, gh, vt, sf, re, mh);
* ``pcs,pf,…`` and ``mcs,pf,…`` weight of each scale in the summaries.

A scale with at least half of its items uses the person's mean for the others.

References
----------
Ware JE, et al. User's manual for the SF-36v2 Health Survey. QualityMetric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import missing_items
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._tables import Table, given_table, table_needed, table_option
from workbench.outcomes.rand36 import LABELS

SOURCE = "SF-36v2 user's manual, with the user's licensed table"
SCALES: dict[str, tuple[str, tuple[int, ...]]] = {
    "pf": ("Physical functioning", (3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
    "rp": ("Role, physical", (13, 14, 15, 16)),
    "bp": ("Bodily pain", (21, 22)),
    "gh": ("General health", (1, 33, 34, 35, 36)),
    "vt": ("Vitality", (23, 27, 29, 31)),
    "sf": ("Social functioning", (20, 32)),
    "re": ("Role, emotional", (17, 18, 19)),
    "mh": ("Mental health", (24, 25, 26, 28, 30)),
}
SUMMARIES = {"pcs": "Physical component summary", "mcs": "Mental component summary"}
ANSWERS = {**dict.fromkeys(range(1, 37), 5), **dict.fromkeys(range(3, 13), 3), 21: 6}
"""Number of answers of each item."""
T_LOW, T_HIGH = -50.0, 150.0
_CODES = {code: tuple(f"q{n}" for n in numbers) for code, (_, numbers) in SCALES.items()}
_ALL = tuple(code for codes in _CODES.values() for code in codes)


def _half(scale: str) -> int:
    """Half of the items of a scale, rounded up: the fewest from which it is formed."""
    return (len(_CODES[scale]) + 1) // 2


DEFINITION = Definition(
    name="sf36v2",
    version="2",
    title="SF-36v2 Health Survey",
    items=tuple(Item(f"q{n}", text, tuple(range(1, ANSWERS[n] + 1))) for n, text in enumerate(LABELS, start=1)),
    subscales=(
        *(Subscale(code, text, _CODES[code], 0, 100, least=_half(code)) for code, (text, _) in SCALES.items()),
        *(
            Subscale(f"{code}_t", f"{text}, norm-based", _CODES[code], T_LOW, T_HIGH, unit="T", least=_half(code))
            for code, (text, _) in SCALES.items()
        ),
        *(
            Subscale(code, text, _ALL, T_LOW, T_HIGH, unit="T", least=sum(map(_half, SCALES)))
            for code, text in SUMMARIES.items()
        ),
        Subscale("transition", "Health against a year ago", ("q2",), 1, 5, direction="down"),
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing=(
        "A scale needs at least half of its items; the others are replaced by the person's mean. The summaries "
        "need all eight scales."
    ),
    licence="Licensed by QualityMetric: codes, own descriptors and scores; no wording, no scoring numbers.",
    sources=(SOURCE,),
    options=(table_option("licensed scoring numbers: what,of,value"),),
    modes=("self-report", "interview"),
    table="scoring numbers of the SF-36v2, columns what,of,value",
    notes=(
        "The half-scale rule is the published one; the software of the owner has another estimate for gaps [S]",
        "Pain and general health are recoded differently from the RAND-36; the two are never mixed [S]",
    ),
    domain="quality of life, mood, goals, device",
    conditions={},
)


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    table = given_table(definition, options)
    *scales, transition = definition.subscales
    last = make_subscore(transition, values, values["q2"], rule="as answered", source=SOURCE)
    if table is None:
        rule = table_needed(definition)
        empty = {scale.code: make_subscore(scale, values, None, rule=rule, source=SOURCE) for scale in scales}
        return ScorerResult({**empty, transition.code: last}, warnings=(rule,))
    subscores: dict[str, SubScore] = {}
    z: dict[str, float] = {}
    for scale in scales[: len(SCALES)]:
        subscores[scale.code] = _scale(scale, values, table)
        value = subscores[scale.code].value
        if value is not None:
            z[scale.code] = (value - table[f"mean:{scale.code}"]) / _deviation(scale.code, table)
    for scale in scales[len(SCALES) : 2 * len(SCALES)]:
        subscores[scale.code] = _norm_based(
            scale, values, z.get(scale.code.removesuffix("_t")), subscores=subscores
        )
    for scale in scales[2 * len(SCALES) :]:
        subscores[scale.code] = _summary(scale, values, z, table)
    return ScorerResult({**subscores, transition.code: last})


def _scale(scale: Subscale, values: Mapping[str, Any], table: Table) -> SubScore:
    missing = missing_items(scale.items, values)
    points = [_recoded(code, values, table) for code in scale.items if code not in missing]
    value = None
    if len(points) >= scale.min_answered:
        lows, highs = zip(*(_ends(code, table) for code in scale.items))
        if not sum(lows) < sum(highs):
            raise BadValue(f"table {table.label!r} recodes every answer of scale {scale.code} alike")
        # The person's own mean stands in for the gaps (half-scale rule).
        raw = sum(points) / len(points) * len(scale.items)
        value = 100 * (raw - sum(lows)) / (sum(highs) - sum(lows))
    rule = "recoded items, mean for gaps of up to half the scale, 0-100 of the possible range"
    imputed = missing if value is not None else ()
    return make_subscore(scale, values, value, rule=rule, source=SOURCE, imputed=imputed)


def _recoded(code: str, values: Mapping[str, Any], table: Table) -> float:
    """Recoded value of an answer: from the row of the pair where the table has one, else from its own row."""
    for other in _ALL:
        key = f"{code}&{other}:{values[code]}&{values[other]}"
        if other != code and key in table.values:
            return table[key]
    return table[f"{code}:{values[code]}"]


def _ends(code: str, table: Table) -> tuple[float, float]:
    """Least and greatest recoded value of an item; its rows are all needed."""
    own = [table[f"{code}:{answer}"] for answer in range(1, ANSWERS[int(code[1:])] + 1)]
    # Conditional recodings count too: the 0–100 range must contain every value that the table can give.
    pairs = [value for key, value in table.values.items() if key.startswith(f"{code}&")]
    return min(own + pairs), max(own + pairs)


def _deviation(code: str, table: Table) -> float:
    sd = table[f"sd:{code}"]
    if sd <= 0:
        raise BadValue(f"table {table.label!r}: sd of {code} must be above 0, got {sd:g}")
    return sd


def _norm_based(
    scale: Subscale, values: Mapping[str, Any], z: float | None, *, subscores: Mapping[str, SubScore]
) -> SubScore:
    imputed = subscores[scale.code.removesuffix("_t")].imputed
    value = None if z is None else 50 + 10 * z
    return make_subscore(scale, values, value, rule="50 + 10 z of the norm", source=SOURCE, imputed=imputed)


def _summary(scale: Subscale, values: Mapping[str, Any], z: Mapping[str, float], table: Table) -> SubScore:
    value = None
    # Each summary weights all eight scales, also the other component's: with one missing it cannot be formed.
    if len(z) == len(SCALES):
        value = 50 + 10 * sum(table[f"{scale.code}:{code}"] * z[code] for code in SCALES)
    rule = "50 + 10 sum(weight x z) over the eight scales"
    imputed = missing_items(scale.items, values) if value is not None else ()
    return make_subscore(scale, values, value, rule=rule, source=SOURCE, imputed=imputed)


OUTCOME = Measure((DEFINITION,), _score)
