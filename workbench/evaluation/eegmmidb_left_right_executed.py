"""Executed movement of the left against the right fist: runs 3, 7 and 11 of the PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import sides

DATASET = sides(__name__, "executed left against right fist", runs=(3, 7, 11), classes=("left", "right"))
