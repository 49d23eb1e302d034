"""G1 to G3: filters beside SciPy."""

from __future__ import annotations

from workbench.bench._items import Item

ITEMS: tuple[Item, ...] = ()
