"""Models whose printed results stand in the specification: lme4 on sleepstudy, R mmrm on its FEV data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

from workbench.bench.published._numbers import Number, lines_of, rows_of
from workbench.bench.published.mmrm_sas import LEVELS
from workbench.statistics.mixed import mixed
from workbench.statistics.mmrm import mmrm

FILE = Path("specs", "statistics_reports.md")
"""Beside the folder of the data."""


def numbers(root: Path) -> Iterator[Number]:
    """What lme4, lmerTest and R mmrm printed; nothing where the specification is absent."""
    path = root.parents[1] / FILE
    if not path.is_file():
        return
    lines = lines_of(path)
    yield from _sleepstudy(root, lines)
    yield from _fev(root, lines)


def _found(lines: list[str], start: str, cell: int) -> tuple[int, list[str]]:
    """Line of a table's row, and the numbers of one of its cells."""
    for number, line in enumerate(lines, 1):
        if line.startswith(start):
            return number, re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line.split("|")[cell])
    return 0, []


def _sleepstudy(root: Path, lines: list[str]) -> Iterator[Number]:
    data = rows_of(root / "sleepstudy.csv")
    fit = mixed(data, outcome="Reaction", terms=("Days",), participant="Subject", random=("Days",))
    d, own = fit.effects, fit.model.coefficients()
    a, b = own["(Intercept)"], own["Days"]
    sd = [sqrt(d[0, 0]), sqrt(d[1, 1]), sqrt(fit.residual)]
    table = {
        "| REML criterion": (("REML criterion",), (fit.model.deviance,)),
        "| fixed (SE)": (("intercept", "its SE", "slope", "its SE"), (a.value, a.se, b.value, b.se)),
        "| SD int": (("SD intercept", "SD slope", "SD residual", "correlation"), (*sd, d[0, 1] / sd[0] / sd[1])),
        "| df, p(Days)": (("df", "p of the slope"), (b.df, b.p)),
    }
    for start, (names, values) in table.items():
        line, printed = _found(lines, start, 2)
        if start.startswith("| df"):
            printed = [shown for shown in printed if shown != "0"]
        for name, value, shown in zip(names, values, printed, strict=False):
            source = "R lmerTest" if start.startswith("| df") else "R lme4"
            yield Number(source, str(FILE), line, f"sleepstudy {name}", shown, value)


def _fev(root: Path, lines: list[str]) -> Iterator[Number]:
    fit = mmrm(
        rows_of(root / "fev_data.csv"), outcome="FEV1", terms=("RACE", "SEX", "ARMCD", "AVISIT", "ARMCD:AVISIT"),
        participant="USUBJID", visit="AVISIT", inference="satterthwaite", levels=LEVELS,
    )  # fmt: skip
    own = fit.coefficients()["ARMCDTRT"]
    why = "R mmrm ends a little before the maximum; its deviance is ours"
    line, printed = _found(lines, "| REML deviance", 2)
    if printed:
        yield Number("R mmrm 0.3.18", str(FILE), line, "FEV1 deviance", printed[0], fit.deviance)
    line, printed = _found(lines, "| ARMCDTRT", 2)
    for name, value, shown in zip(
        ("estimate", "SE", "df", "p"), (own.value, own.se, own.df, own.p), printed, strict=False
    ):
        yield Number("R mmrm 0.3.18", str(FILE), line, f"FEV1 ARMCDTRT {name}", shown, value, why)
