"""Trials that are drawn from a seed."""

from __future__ import annotations

import numpy as np
import pytest


def drawn(seed=1, *, n=24, visits=3, missing=0.15, effect=1.0):
    """Columns of a trial of two arms: who leaves does not come back."""
    draw = np.random.default_rng(seed)
    spread = np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(np.arange(visits), np.arange(visits))))
    arm = np.arange(n) % 2
    base = draw.normal(size=n)
    y = (
        draw.normal(size=(n, visits)) @ spread.T * 3
        + 10
        + base[:, None]
        + effect * np.outer(arm, np.arange(visits))
    )
    gone = np.cumsum(draw.random((n, visits)) < [0.0] + [missing] * (visits - 1), axis=1) > 0
    return {
        "id": [f"P{i:02d}" for i in range(n) for _ in range(visits)],
        "arm": [("sham", "stim")[a] for a in arm for _ in range(visits)],
        "visit": [f"V{j}" for _ in range(n) for j in range(visits)],
        "base": [float(b) for b in base for _ in range(visits)],
        "y": [float(v) for v in np.where(gone, np.nan, y).ravel()],
    }


@pytest.fixture
def trial():
    return drawn()
