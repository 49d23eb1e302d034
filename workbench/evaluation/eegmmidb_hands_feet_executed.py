"""Executed movement of both fists against both feet: runs 5, 9 and 13 of the PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import sides

DATASET = sides(__name__, "executed fists against feet", runs=(5, 9, 13), classes=("hands", "feet"))
