"""Imagined movement of both fists against both feet: runs 6, 10 and 14 of the PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import sides

DATASET = sides(__name__, "imagined fists against feet", runs=(6, 10, 14), classes=("hands", "feet"))
