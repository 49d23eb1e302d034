"""What share of all cases a developer's run tries; CI tries every one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from workbench import decoders

ONE_OF_EACH_KIND = ("bandpower_ridge", "csp_lda", "riemann_mdm", "trca")
"""Decoders of band power, spatial patterns, covariances and evoked templates."""


def examples(n: int) -> int:
    """Examples of a property: all ``n`` in CI, elsewhere three tenths, as Hypothesis' profiles have it."""
    return n if os.environ.get("CI") else round(0.3 * n)


def some(cases: list[Any], *, of: int = 4) -> list[Any]:
    """Of many cases of one kind the first of each ``of`` for a developer's run, the others as jobs of CI."""
    return [pytest.param(*case, marks=[pytest.mark.job] * (n % of > 0)) for n, case in enumerate(cases)]


def every_decoder() -> list[Any]:
    """Names for a check that takes a second for each decoder: one of each kind, and the others as jobs."""
    names = decoders.available()
    return [pytest.param(name, marks=[pytest.mark.job] * (name not in ONE_OF_EACH_KIND)) for name in names]
