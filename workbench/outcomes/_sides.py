"""Items and subscales of measures that are administered on both sides in one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.outcomes._contract import Item, Subscale

SIDES = ("right", "left")


def both_sides(
    parts: Mapping[str, str],
    *,
    allowed: tuple[int | float | str, ...] = (),
    codes: tuple[str, ...] = (),
    low: float = 0.0,
    high: float = 0.0,
    unit: str = "",
) -> tuple[Item, ...]:
    """The same items for the right and the left side.

    Parameters
    ----------
    parts : code → label; the items are ``right_<code>`` … and then ``left_<code>`` ….
    allowed, codes, low, high, unit : as of :class:`Item`, the same for all.
    """
    return tuple(
        Item(f"{side}_{code}", f"{side} {label}", allowed, codes, low, high, unit)
        for side in SIDES
        for code, label in parts.items()
    )


def sum_of(code: str, label: str, items: Iterable[Item]) -> Subscale:
    """A subscale that adds items with lists of numbers; its range follows from these lists.

    Parameters
    ----------
    code, label : of the subscale.
    items : that are added.
    """
    chosen = tuple(items)
    numbers = [[value for value in item.allowed if not isinstance(value, str)] for item in chosen]
    return Subscale(
        code, label, tuple(item.code for item in chosen), sum(map(min, numbers)), sum(map(max, numbers))
    )


def items_starting_with(items: Iterable[Item], *prefixes: str) -> tuple[Item, ...]:
    """The items whose code starts with one of the prefixes."""
    return tuple(item for item in items if item.code.startswith(prefixes))
