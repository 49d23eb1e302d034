"""`workbench bench`: speed and accuracy of the core beside its peers, measured in turns on this machine.

Every figure is a ratio taken in one interleaved run, or a count, and is printed with its goal. A peer that is not
installed is reported as missing; a missed goal is printed with how far it was missed. Nothing here is a test.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import ModuleType

from workbench.bench._items import Item, NotMeasured, Result, Row
from workbench.bench._table import as_markdown, as_text, to_record
from workbench.errors import UnknownName

__all__ = ["Item", "Result", "Row", "as_markdown", "as_text", "chosen", "items", "measure", "methods", "to_record"]

ROUNDS = 15
"""Turns of each contest."""


def methods() -> dict[str, str]:
    """How each key is measured, as text."""
    return {item.key: inspect.cleandoc(module.__doc__ or "") for module in _modules() for item in module.ITEMS}


def items() -> tuple[Item, ...]:
    """Everything that can be measured, in order."""
    return tuple(item for module in _modules() for item in module.ITEMS)


def _modules() -> tuple[ModuleType, ...]:
    # Imported late: a start that only lists options must not load the decoders.
    from workbench.bench import (
        decoding,
        evoked,
        filters,
        live,
        outcomes,
        record,
        recursive,
        reports,
        start,
        statistics,
        streams,
    )

    return filters, decoding, evoked, start, streams, recursive, live, outcomes, statistics, record, reports


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
    except NotMeasured as error:
        return Row(item, None, str(error))
    except ImportError as error:
        return Row(item, None, f"{error.name or error} is not installed: pip install 'sci-bci-workbench[bench]'")
