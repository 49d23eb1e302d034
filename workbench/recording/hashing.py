"""Hashes by which two runs of the decode loop, or two copies of a file, are compared."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path

from workbench import reading
from workbench.errors import RecordingFault
from workbench.vocabulary import Decision


def decision_hash(decisions: Iterable[Decision]) -> str:
    """SHA-256 over the exact bits of every decision, in order.

    Numbers enter as the 8 bytes of their float64 (sample, stamp, validity, trial, probabilities), texts
    (label, change) as UTF-8 with their length. The times of acquisition, decision and emission are left out.
    """
    digest = hashlib.sha256()
    for decision in decisions:
        numbers = (
            float(decision.sample),
            decision.stamp,
            float(decision.valid),
            float(decision.trial),
            *decision.probabilities,
        )
        label, change = decision.label.encode("utf-8"), decision.change.encode("utf-8")
        # Lengths go first: without them, characters could move from one text to the next under the same hash.
        digest.update(struct.pack(f"<III{len(numbers)}d", len(numbers), len(label), len(change), *numbers))
        digest.update(label + change)
    return digest.hexdigest()


def file_sha256(path: Path | str) -> str:
    """SHA-256 of a file, read in blocks.

    Raises
    ------
    RecordingFault
        When it cannot be read.
    """
    return reading.sha256(Path(path), "file", error=RecordingFault)
