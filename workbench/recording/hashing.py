"""Hashes by which two runs of the decode loop, or two copies of a file, are compared."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable
from pathlib import Path

from workbench import reading
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.vocabulary import Decision, EvidenceType

PROBABILITIES = EvidenceType()


VERSION = 2
"""Of the hash of decisions that are more than probabilities. Those of probabilities alone keep version 1, which
names no version, so that the hashes of every earlier run stay as they are."""


def decision_hash(decisions: Iterable[Decision], evidence: EvidenceType = PROBABILITIES) -> str:
    """SHA-256 over the exact bits of every decision, in order.

    Numbers enter as the 8 bytes of their float64 (sample, stamp, validity, trial, probabilities), texts
    (label, change) as UTF-8 with their length. The times of acquisition, decision and emission are left out.
    Evidence of another type adds version, kind, names and unit once, then values and position of each decision.
    """
    digest = hashlib.sha256()
    typed = evidence.kind != "probabilities"
    if typed:
        header = [VERSION, evidence.kind, list(evidence.names), evidence.unit]
        digest.update(json.dumps(header, ensure_ascii=True, separators=(",", ":")).encode())
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
        if typed:
            places, position = decision.values, decision.position
            sizes = (len(places), len(position))
            digest.update(struct.pack(f"<II{sum(sizes)}d", *sizes, *places, *position))
    return digest.hexdigest()


def file_sha256(path: Path | str) -> str:
    """SHA-256 of a file, read in blocks.

    Raises
    ------
    RecordingFault
        When it cannot be read.
    """
    return reading.sha256(Path(path), Message("file.noun_file"), error=RecordingFault)
