"""`workbench bench`: speed and accuracy of the core beside its peers, measured in turns on this machine.

Every figure is a ratio taken in one interleaved run, or a count, and is printed with its goal. A peer that is not
installed is named as missing; a missed goal is printed with its distance. Nothing here is a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.bench._items import Item, Result, Row
from workbench.bench._table import as_text, to_record
from workbench.errors import UnknownName

__all__ = ["Item", "Result", "Row", "as_text", "chosen", "items", "measure", "to_record"]

ROUNDS = 15
"""Turns of each contest."""


def items() -> tuple[Item, ...]:
    """Everything that can be measured, in order."""
    # Imported late: a start that only lists options must not load the decoders.
    from workbench.bench import decoding, evoked, filters, outcomes, start, streams

    return (*filters.ITEMS, *decoding.ITEMS, *evoked.ITEMS, *start.ITEMS, *streams.ITEMS, *outcomes.ITEMS)


def chosen(keys: Sequence[str]) -> tuple[Item, ...]:
    """The items whose key is named, all of them without names. Raises UnknownName with the keys there are."""
    all_items = items()
    keys_available = list(dict.fromkeys(item.key for item in all_items))
    for key in keys:
        if key not in keys_available:
            raise UnknownName(
                f"there is nothing to measure called {key!r}; choose from {', '.join(keys_available)}"
            )
    return tuple(item for item in all_items if not keys or item.key in keys)


def measure(item: Item, *, rounds: int = ROUNDS) -> Row:
    """Measure one item; without its peer the row has no value."""
    try:
        return Row(item, item.run(rounds), "")
    except ImportError as error:
        return Row(item, None, f"{error.name or error} is not installed: pip install 'sci-bci-workbench[bench]'")
