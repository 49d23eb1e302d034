"""Executed movement of fists or feet against rest, without a cue to the decoder: PhysioNet motor data base."""

from __future__ import annotations

from workbench.evaluation._eegmmidb import EXECUTED, against_rest

DATASET = against_rest(__name__, "executed movement against rest", runs=EXECUTED)
