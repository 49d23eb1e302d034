"""Imagined movement of fists or feet against rest, without a cue to the decoder: PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import IMAGINED, against_rest

DATASET = against_rest(__name__, "imagined movement against rest", runs=IMAGINED)
