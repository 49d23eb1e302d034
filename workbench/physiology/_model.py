"""Which model this is: a version that rises when an equation changes, and a hash of it and of every parameter."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from workbench.physiology import _course
from workbench.physiology import _parameters as p

VERSION = 2
"""Of the equations. A test freezes the hash and what the body gives; whoever changes either raises it."""


def model_sha256() -> str:
    """Hash of version and parameters, over canonical JSON; whoever shows what a body gave states it."""
    tables = (p.MUSCLE, p.REFLEX, p.ECAP, p.GAIT, p.PRESSURE, p.CHANGE)
    content = {
        "version": VERSION,
        "parameters": [asdict(table) for table in tables],
        "course": {key: list(rows) for key, rows in _course.LEGS.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
