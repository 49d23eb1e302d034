"""Action Research Arm Test: 19 items 0–3 for one arm, four subscales, total 0–57, higher is better.

By default every item is administered. Lyle's rule for implied scores was made for hemiplegia; it is
not valid for tetraplegia or with an assistive glove, so it applies only when the protocol uses it
(``skip_rule=True``), and never implies a zero in gross movement.

References
----------
Lyle RC. A performance test for assessment of upper limb function in physical rehabilitation treatment
and research. Int J Rehabil Res 1981;4(4):483–492. doi:10.1097/00004356-198112000-00001
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, Option, ScorerResult, Subscale, Value
from workbench.outcomes._scoring import Measure, score_text, sum_subscale, total_subscale

SOURCE = "Lyle 1981, doi:10.1097/00004356-198112000-00001"
ZERO_TO_THREE = (0, 1, 2, 3)
LABELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "grasp": (
        "Grasp",
        ("largest block", "smallest block", "small block", "medium block", "ball", "flat stone"),
    ),
    "grip": ("Grip", ("pour", "wide tube", "narrow tube", "washer")),
    "pinch": (
        "Pinch",
        (
            "bead, ring finger",
            "marble, index finger",
            "bead, middle finger",
            "bead, index finger",
            "marble, ring finger",
            "marble, middle finger",
        ),
    ),
    "gross": ("Gross movement", ("hand behind head", "hand on head", "hand to mouth")),
}
"""Generic descriptors in the order of administration: the first of a subscale is its hardest item, the
second its easiest, which is what the rule for implied scores rests on."""


def _define() -> Definition:
    items = tuple(
        Item(code=f"{code}_{number}", label=f"{title}: {label}", allowed=ZERO_TO_THREE)
        for code, (title, parts) in LABELS.items()
        for number, label in enumerate(parts, start=1)
    )
    subscales = tuple(
        Subscale(
            code=code,
            label=title,
            items=tuple(f"{code}_{number}" for number in range(1, len(parts) + 1)),
            low=0,
            high=3 * len(parts),
        )
        for code, (title, parts) in LABELS.items()
    )
    return Definition(
        name="arat",
        version="1981",
        title="Action Research Arm Test",
        items=items,
        subscales=subscales,
        low=0,
        high=sum(subscale.high for subscale in subscales),
        direction="up",
        sides=("left", "right"),
        missing="A missing item makes its subscale and the total not determinable (ND); nothing is prorated.",
        licence="Free to use; codes and generic descriptors only.",
        sources=(SOURCE,),
        options=(
            Option(
                "skip_rule",
                "the protocol uses the rule for implied scores",
                default=False,
                allowed=(False, True),
                agree=True,
            ),
            Option(
                "implied",
                "codes whose value was implied and not administered; needs skip_rule",
                default=(),
                agree=False,
            ),
        ),
        domain="upper limb",
        conditions={},
    )


def implied_value(subscale: Subscale, values: Mapping[str, Value | None]) -> int | None:
    """The score that Lyle's rule implies for the rest of a subscale, None when all items must be administered.

    Parameters
    ----------
    subscale : of the ARAT.
    values : administered values by code.

    Returns
    -------
    3 when the first (hardest) item is 3; 0 when the first is below 3 and the second (easiest) is 0, except
    in gross movement; None otherwise, and when those items are missing.
    """
    first, second = (values[code] for code in subscale.items[:2])
    if first == 3:
        return 3
    zero = first is not None and second == 0 and subscale.code != "gross"
    return 0 if zero else None


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    if not isinstance(options["implied"], list | tuple):
        raise BadValue(Message("outcome.arat_implied_list", value=repr(options["implied"])))
    marked = tuple(options["implied"])
    filled = dict(values)
    for code in marked:
        definition.item(code)
    if marked and not options["skip_rule"]:
        raise BadValue(Message("outcome.arat_rule_off", items=marked))
    steps, warnings = _apply_rule(definition, filled, marked) if options["skip_rule"] else ([], [])
    implied = tuple(
        code for code in filled if code in marked or (values[code] is None and filled[code] is not None)
    )
    subscores = {s.code: sum_subscale(s, filled, implied=implied, source=SOURCE) for s in definition.subscales}
    total_scale = total_subscale(definition)
    total = sum_subscale(total_scale, filled, implied=implied, source=SOURCE)
    for subscale in definition.subscales:
        missing = [code for code in subscale.items if filled[code] is None]
        missing_text = f"not determinable, missing {', '.join(missing)}"
        steps.append(
            f"{subscale.label}: {missing_text if missing else score_text(subscale, subscores[subscale.code])}"
        )
    steps.append(f"Total: {'not determinable' if total.value is None else score_text(total_scale, total)}")
    return ScorerResult(subscores, total, tuple(steps), tuple(warnings), values=filled, implied=implied)


def _apply_rule(
    definition: Definition, values: dict[str, Value | None], marked: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Fill ``values`` in place. Returns ``(steps, warnings)``."""
    steps: list[str] = []
    warnings: list[str] = [Message("outcome.arat_other_tool")]
    for subscale in definition.subscales:
        administered = {code: None if code in marked else values[code] for code in subscale.items}
        rule = implied_value(subscale, administered)
        for code in subscale.items:
            if code in marked and (rule is None or values[code] not in (None, rule)):
                implied = Message("outcome.nothing") if rule is None else str(rule)
                raise BadValue(
                    Message("outcome.arat_not_implied", item=code, value=str(values[code]), rule=implied)
                )
            # Administered values always stay; the rule fills gaps only.
            if rule is not None and administered[code] is None:
                values[code] = rule
                steps.append(f"{code} = {rule}, implied by the first items of {subscale.label}")
            elif rule is not None and code != subscale.items[0] and administered[code] != rule:
                warnings.append(
                    Message("outcome.arat_kept", item=code, value=str(administered[code]), rule=str(rule))
                )
    return steps, warnings


OUTCOME = Measure((_define(),), _score)
