"""What share of all cases a run tries: the suite a few, CI some more, ``.ci/release`` every one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pytest
from _pytest.mark import MarkDecorator, ParameterSet

from workbench import decoders

ONE_OF_EACH_KIND = ("bandpower_ridge", "csp_lda", "riemann_mdm", "trca")
"""Decoders of band power, spatial patterns, covariances and evoked templates."""
ALIKE = {"rew_pls": "rew_mslm", "wiener": "bandpower_ridge"}
"""Decoders whose class is that of another but for the weights that it learns."""
EVERYTHING = bool(os.environ.get("WORKBENCH_TEST_RELEASE"))
"""Whether properties are tried with all their examples."""


def examples(n: int) -> int:
    """Examples of a property: all ``n`` before a release, else three tenths, as Hypothesis' profiles have it."""
    return n if EVERYTHING else round(0.3 * n)


def in_release(cases: Iterable[Any]) -> list[Any]:
    """Cases of before a release; one is a tuple of arguments, one argument, or a ``pytest.param`` with a name."""
    return [_marked(one, pytest.mark.release) for one in cases]


def some(cases: Sequence[Any], *, of: int = 4) -> list[Any]:
    """Of many cases of one kind the first of each ``of``, and the others before a release."""
    return [one if n % of == 0 else _marked(one, pytest.mark.release) for n, one in enumerate(cases)]


def crossed(*axes: Sequence[Any]) -> list[Any]:
    """Every combination of the values; the suite tries each value, CI no more, a release all with all.

    Of the combinations the suite takes as many as the longest axis has values: the first of each axis together,
    then the second of each, and from the beginning again of an axis that has come to its end. A value that is a
    tuple stands for as many arguments.
    """
    length = max(len(axis) for axis in axes)
    tried = {tuple(n % len(axis) for axis in axes) for n in range(length)}
    combined = product(*(range(len(axis)) for axis in axes))
    cases = [(at, sum((_values(axis[n]) for axis, n in zip(axes, at, strict=True)), ())) for at in combined]
    return [case if at in tried else _marked(case, pytest.mark.release) for at, case in cases]


def every_decoder() -> list[Any]:
    """Decoders for a check that takes a second: one of each kind, and the others before a release."""
    return [
        name if name in ONE_OF_EACH_KIND else _marked(name, pytest.mark.release) for name in decoders.available()
    ]


def without_alike(names: Sequence[str]) -> list[Any]:
    """All decoders but those that share their class with another of them, and these before a release."""
    return [_marked(name, pytest.mark.release) if name in ALIKE else name for name in names]


def _marked(case: Any, mark: MarkDecorator) -> ParameterSet:
    if isinstance(case, ParameterSet):
        return pytest.param(*case.values, id=case.id, marks=[*case.marks, mark])
    return pytest.param(*_values(case), marks=mark)


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
