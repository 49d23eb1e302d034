"""Short forms with a raw sum and a T score (mean 50, SD 10): PROMIS and SCI-QOL share their scorer.

The T score comes from the developer's look-up table, which the user supplies with the columns ``raw,t``: one
row for each possible raw sum, so its first row gives the number of items of the form. It is valid for complete
forms only. A T score that was computed elsewhere (response-pattern scoring, an adaptive test) is entered as
``t_entered`` in place of the items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import Definition, Direction, Item, ScorerResult, Subscale, SubScore
from workbench.outcomes._questionnaires import missing_items, numbered_items
from workbench.outcomes._scoring import make_subscore
from workbench.outcomes._tables import Table, given_table, table_needed, table_option

TOP = 5
"""Items are 1–5."""
ENTERED = "t_entered"


def t_definition(
    name: str,
    version: str,
    *,
    title: str,
    n_items: int,
    direction: Direction,
    licence: str,
    source: str,
    notes: tuple[str, ...],
) -> Definition:
    """Definition of one short form.

    Parameters
    ----------
    name, version, title, direction, licence, notes : of the definition.
    n_items : items of the form, or item places where forms differ in length; answers are 1–5.
    source : its reference.
    """
    items = numbered_items([f"Item {n} of the form" for n in range(1, n_items + 1)], tuple(range(1, TOP + 1)))
    codes = tuple(item.code for item in items)
    return Definition(
        name=name,
        version=version,
        title=title,
        items=items,
        subscales=(
            Subscale("raw", "Raw sum", codes, 1, TOP * n_items),
            Subscale("t", "T score", codes, 0, 100, unit="T"),
        ),
        low=None,
        high=None,
        direction=direction,
        sides=("",),
        missing=(
            "The table is valid for a complete form: with a missing item raw sum and T are ND. Such a form is "
            "scored by response pattern elsewhere, and its T score entered."
        ),
        licence=licence,
        sources=(source,),
        extras=(Item(ENTERED, "T score computed elsewhere", low=0, high=100, unit="T"),),
        options=(table_option("the form's look-up table: raw,t", parts=("t",)),),
        modes=("self-report", "interview", "adaptive test"),
        table=f"T scores of {version}, columns raw,t",
        notes=notes,
        domain="quality of life, mood, goals, device",
        conditions={},
    )


def t_scored(
    definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any], *, fixed: bool
) -> ScorerResult:
    """Raw sum and T score.

    Parameters
    ----------
    definition : of the form.
    values : by item code; None = missing.
    options : with the look-up table.
    fixed : the form has every item of the definition; otherwise the table gives their number.

    Raises
    ------
    BadValue
        A table of another form, items beyond its end, or items beside an entered T score.
    """
    table = given_table(definition, options)
    places = definition.subscales[0].items
    answered = [code for code in places if values[code] is not None]
    # A T score from an adaptive test has no fixed items: items beside it would be two results of one form.
    if values[ENTERED] is not None:
        return _entered(definition, values, answered)
    n_items = len(places) if fixed else None
    if table is not None:
        n_items = _form_length(definition, table, fixed=fixed)
    form = places[:n_items] if n_items else places
    beyond = [code for code in answered if code not in form]
    if beyond and table is not None:
        raise BadValue(
            f"{definition.name} {beyond[0]} was answered, and table {table.label!r} is of {n_items} items"
        )
    missing = missing_items(form, values)
    raw = None if missing or n_items is None else sum(values[code] for code in form)
    missing_text = f"; missing {', '.join(missing)}" if missing else ""
    rule = table_needed(definition) if table is None else f"T score of the raw sum in the table{missing_text}"
    subscores = {
        "raw": _of(definition, 0, form, values, raw, rule="sum of a complete form"),
        "t": _of(definition, 1, form, values, _t(table, raw), rule=rule, source=table.label if table else ""),
    }
    return ScorerResult(subscores, warnings=(rule,) if table is None else ())


def _form_length(definition: Definition, table: Table, *, fixed: bool) -> int:
    places = len(definition.subscales[0].items)
    rows = {int(key) for key in table.values if key.isascii() and key.isdigit()}
    # With answers of 1 to 5 the lowest raw sum, the first row, is the number of items.
    n_items = min(rows, default=0)
    complete = rows == set(range(n_items, TOP * n_items + 1)) and len(rows) == len(table.values)
    if not complete or n_items > places or (fixed and n_items != places) or n_items < 1:
        wanted = f"{places} to {TOP * places}" if fixed else f"n to 5 n with n up to {places}"
        raise BadValue(
            f"table {table.label!r} must have one row for each raw sum of {definition.name} {definition.version}, "
            f"{wanted}; got {len(table.values)} rows from {min(table.values, key=len)!r}"
        )
    wrong = sorted(key for key, value in table.values.items() if not 0 <= value <= 100)
    if wrong:
        raise BadValue(f"table {table.label!r}: T of {wrong[0]} must be 0 to 100, got {table[wrong[0]]:g}")
    return n_items


def _t(table: Table | None, raw: int | None) -> float | None:
    return None if table is None or raw is None else table[str(raw)]


def _of(
    definition: Definition,
    at: int,
    form: tuple[str, ...],
    values: Mapping[str, Any],
    value: float | None,
    *,
    rule: str,
    source: str = "",
) -> SubScore:
    scale = definition.subscales[at]
    form_scale = Subscale(scale.code, scale.label, form, scale.low, scale.high, unit=scale.unit)
    return make_subscore(form_scale, values, value, rule=rule, source=source or definition.sources[0])


def _entered(definition: Definition, values: Mapping[str, Any], answered: list[str]) -> ScorerResult:
    if answered:
        raise BadValue(
            Message("outcome.t_entered_and_answers", measure=definition.name, name=ENTERED, item=answered[0])
        )
    raw, t = definition.subscales
    subscores = {
        "raw": make_subscore(raw, values, None, rule="no items were entered", source=definition.sources[0]),
        "t": make_subscore(t, values, values[ENTERED], rule="computed elsewhere", source=definition.sources[0]),
    }
    return ScorerResult(subscores, warnings=(Message("outcome.t_elsewhere"),))
