"""What share of all cases a developer's run tries; CI tries every one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from workbench import decoders

ONE_OF_EACH_KIND = ("bandpower_ridge", "csp_lda", "riemann_mdm", "trca")
"""Decoders of band power, spatial patterns, covariances and evoked templates."""


def examples(n: int) -> int:
    """Examples of a property: all ``n`` in CI, elsewhere three tenths, as Hypothesis' profiles have it."""
    return n if os.environ.get("CI") else round(0.3 * n)


def as_jobs(cases: Iterable[Any]) -> list[Any]:
    """Cases that only CI tries; one is a tuple of arguments, one argument, or a ``pytest.param`` with a name."""
    params = (one if isinstance(one, ParameterSet) else pytest.param(*_values(one)) for one in cases)
    return [pytest.param(*one.values, id=one.id, marks=pytest.mark.job) for one in params]


def some(cases: Sequence[Any], *, of: int = 4) -> list[Any]:
    """Of many cases of one kind the first of each ``of`` for a developer's run, the others as jobs of CI."""
    return [one if n % of == 0 else as_jobs([one])[0] for n, one in enumerate(cases)]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)


def every_decoder() -> list[Any]:
    """Names for a check that takes a second for each decoder: one of each kind, and the others as jobs."""
    names = decoders.available()
    return [pytest.param(name, marks=[pytest.mark.job] * (name not in ONE_OF_EACH_KIND)) for name in names]
