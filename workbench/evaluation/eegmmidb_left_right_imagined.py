"""Imagined movement of the left against the right fist: runs 4, 8 and 12 of the PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import sides

DATASET = sides(__name__, "imagined left against right fist", runs=(4, 8, 12), classes=("left", "right"))
