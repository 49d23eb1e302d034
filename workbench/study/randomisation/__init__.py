"""Randomisation: designs, lists that are sealed, committed and proven, minimisation, the order of slots.

Pure: nothing is stored or read here, and every draw comes from a seed that the caller hands in. What is secret
(:class:`Secret`) and what blinded people may read (:class:`SealedList`) are two values; where each is kept is the
caller's. `docs/randomisation.md` says what this proves, and what it cannot.
"""

from __future__ import annotations

from workbench.study.randomisation.design import Design
from workbench.study.randomisation.draws import GENERATOR_VERSION
from workbench.study.randomisation.lists import generate
from workbench.study.randomisation.minimisation import Allocation, imbalances, minimise
from workbench.study.randomisation.order import next_slot
from workbench.study.randomisation.proof import Proof, prove, replay_minimisation
from workbench.study.randomisation.sealing import (
    SealedList,
    SealedSlot,
    SlotProof,
    open_slot,
    open_slots,
    reveal,
    seal,
)
from workbench.study.randomisation.secret import Secret

__all__ = [
    "GENERATOR_VERSION", "Allocation", "Design", "Proof", "SealedList", "SealedSlot", "Secret", "SlotProof",
    "generate", "imbalances", "minimise", "next_slot", "open_slot", "open_slots", "prove", "replay_minimisation",
    "reveal", "seal",
]  # fmt: skip
