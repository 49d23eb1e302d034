"""G4 to G6: decoders beside pyRiemann, MNE and meegkit."""

from __future__ import annotations

from workbench.bench._items import Item

ITEMS: tuple[Item, ...] = ()
