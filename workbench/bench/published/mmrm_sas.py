"""Listings of SAS PROC MIXED that come with R mmrm: every number of their tables, read where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.bench.published._numbers import Number, lines_of, rows_of
from workbench.statistics._columns import Columns, Floats
from workbench.statistics._estimates import Estimate
from workbench.statistics.covariances import Structure
from workbench.statistics.mmrm import Inference, Mmrm, Options, mmrm

SOURCE = "SAS 9.4 PROC MIXED (R mmrm, design/)"
STRUCTURES = {
    "us": Structure.UNSTRUCTURED, "log": Structure.UNSTRUCTURED, "log_simple": Structure.UNSTRUCTURED,
    "cs": Structure.COMPOUND, "csh": Structure.COMPOUND_HETEROGENEOUS, "ar1": Structure.AUTOREGRESSIVE,
    "arh1": Structure.AUTOREGRESSIVE_HETEROGENEOUS, "ar1h": Structure.AUTOREGRESSIVE_HETEROGENEOUS,
    "toep": Structure.TOEPLITZ, "toeph": Structure.TOEPLITZ_HETEROGENEOUS, "adh": Structure.ANTE_HETEROGENEOUS,
    "spexp": Structure.SPATIAL, "sp_exp": Structure.SPATIAL, "sp_exp2": Structure.SPATIAL,
    "sp_gau": Structure.GAUSSIAN, "sp_gau2": Structure.GAUSSIAN,
}  # fmt: skip
COORDINATES = {"spexp": ("VISITN", "VISITN2"), "sp_exp2": ("VISITN", "VISITN2"), "sp_gau2": ("VISITN", "VISITN2")}
LEVELS = {
    "ARMCD": ("PBO", "TRT"),
    "SEX": ("Male", "Female"),
    "RACE": ("Asian", "Black or African American", "White"),
}
FOLLOWED = (Structure.UNSTRUCTURED, Structure.COMPOUND)
WHY = (
    "SAS stops at its criterion of 1e-8, before the maximum; its path is known to us for the unstructured "
    "covariance and compound symmetry alone"
)
TAIL = re.compile(r"^(.*?\S)((?:\s+(?:<?-?\d*\.?\d+(?:E[+-]\d+)?|\.))+)\s*$")


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing and our fit of the same model."""

    name: str
    lines: tuple[str, ...]
    fit: Mmrm
    null: float


def numbers(root: Path) -> Iterator[Number]:
    """Every number of every listing and table of the folder."""
    data = rows_of(root / "fev_data.csv")
    for path in sorted((root / "mmrm_sas").glob("*.txt")):
        yield from _of_listing(_listing(path, data))
    for path in sorted((root / "mmrm_sas").glob("*.csv")):
        yield from _of_table(path, data)


def _key(stem: str) -> tuple[str, Inference]:
    """Structure and inference that a file's name tells; for spexp its script swapped ``kr`` and ``kr1``."""
    kind = re.sub(r"^(SAS__sas_|ddfm_covtype__kr1?_|Robust__empirical_)|_reml$|_lsmean$|_covb$", "", stem)
    if stem.startswith("ddfm"):
        linear = ("__kr1_" in stem) != (kind == "spexp")
        return kind, "kenward-roger-linear" if linear else "kenward-roger"
    return kind, "empirical" if stem.startswith("Robust") else "satterthwaite"


def _fit(stem: str, data: Columns, visits: tuple[str, ...]) -> Mmrm:
    kind, inference = _key(stem)
    structure = STRUCTURES[kind]
    spatial = structure in (Structure.SPATIAL, Structure.GAUSSIAN)
    terms: tuple[str, ...] = ("ARMCD",) if not stem.startswith("SAS") else ()
    if kind == "log":
        terms = ("ARMCD", "AVISIT", "ARMCD:AVISIT", "RACE", "SEX")
    options = Options(
        visits=() if spatial else visits,
        coordinates=COORDINATES.get(kind, ("VISITN",)) if spatial else (),
        # Its iterations are ours for these structures, so that we may stop where it stops.
        tolerance=1e-8 if structure in FOLLOWED else 0.0,
    )
    levels = LEVELS | ({"AVISIT": (visits[-1], *visits[:-1])} if kind == "log" else {})
    return mmrm(
        data, outcome="FEV1", terms=terms, participant="USUBJID", visit="AVISIT", structure=structure,
        inference=inference, levels=levels, options=options,
    )  # fmt: skip


def _listing(path: Path, data: Columns) -> Listing:
    lines = tuple(lines_of(path))
    order = next((line.split()[2:] for line in lines if re.match(r"\s+AVISIT\s+4 ", line)), [])
    fit = _fit(path.stem, data, tuple(order) or ("VIS1", "VIS2", "VIS3", "VIS4"))
    x, y = fit.matrix, fit.outcome
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    n, p = x.shape
    s2 = float(rest @ rest) / (n - p)
    null = (
        n * np.log(s2) - p * np.log(s2) + float(np.linalg.slogdet(x.T @ x)[1]) + (n - p) * (1 + np.log(2 * np.pi))
    )
    return Listing(path.name, lines, fit, float(null))


def _of_listing(listing: Listing) -> Iterator[Number]:
    section, last = "", ("", 0)
    for number, line in enumerate(listing.lines, 1):
        title = next((name for name in SECTIONS if name in line), None)
        if title is not None:
            if section == "Iteration History" and last[0]:
                yield _number(listing, last[1], "−2 restricted log likelihood", last[0], listing.fit.deviance)
            section, last = title, ("", 0)
        fields = line.split()
        if section == "Iteration History" and len(fields) >= 3 and fields[0].isdigit():
            last = fields[2], number
        elif section in READERS:
            yield from READERS[section](listing, number, line)


def _number(listing: Listing, line: int, what: str, printed: str, ours: float) -> Number:
    exact = listing.fit.structure in FOLLOWED
    return Number(SOURCE, f"mmrm_sas/{listing.name}", line, what, printed, float(ours), "" if exact else WHY)


def _values(line: str) -> tuple[str, list[str]]:
    """Text of a row and the numbers that end it."""
    found = TAIL.match(f" {line}")
    return (found[1].strip(), found[2].split()) if found else ("", [])


def _pick(
    listing: Listing, line: int, what: str, values: list[str], ours: Mapping[int, tuple[str, float]]
) -> Iterator[Number]:
    for at, (name, value) in ours.items():
        if values[at] != ".":
            yield _number(listing, line, f"{what} {name}", values[at], value)


def _parameters(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    known = {one.name: one for one in listing.fit.covariance_parameters()}
    name = text.split()[0] if text else ""
    if len(values) == 4 and name in known:
        own = known[name]
        ours = {0: ("estimate", own.value), 2: ("lower", own.low), 3: ("upper", own.high)}
        yield from _pick(listing, number, name, values, ours)


def _statistics(listing: Listing, number: int, line: str) -> Iterator[Number]:
    fit = listing.fit
    own = {"-2 Res": fit.deviance, "AIC (": fit.aic, "AICC (": fit.aicc, "BIC (": fit.bic}
    for name, value in own.items():
        if line.strip().startswith(name):
            yield _number(listing, number, line.strip().split("  ")[0], line.split()[-1], value)


def _null(listing: Listing, number: int, line: str) -> Iterator[Number]:
    fields = line.split()
    if len(fields) == 3 and fields[0].isdigit():
        chance = listing.null - listing.fit.deviance
        yield _number(listing, number, "null model chi-square", fields[1], chance)
        yield _number(
            listing, number, "null model degrees of freedom", fields[0], len(listing.fit.point.theta) - 1
        )


def _levels(text: str, listing: Listing) -> tuple[str, dict[str, list[str]]]:
    """Effect of a row, and the levels in it, factor by factor."""
    effect, _, rest = text.partition(" ")
    found: dict[str, list[str]] = {}
    for word in filter(None, re.split(r"\s{2,}", rest)):
        for factor, levels in listing.fit.design.levels.items():
            if word in levels:
                found.setdefault(factor, []).append(word)
    return effect, found


def _estimate(listing: Listing, number: int, what: str, values: list[str], own: Estimate) -> Iterator[Number]:
    ours = {0: ("estimate", own.value), 1: ("SE", own.se), 2: ("df", own.df), 3: ("t", own.t), 4: ("p", own.p)}
    if len(values) == 8:
        ours |= {6: ("lower", own.low), 7: ("upper", own.high)}
    yield from _pick(listing, number, what, values, ours)


def _coefficient(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    if len(values) == 5 and values[1] != ".":
        effect, found = _levels(text, listing)
        factors = effect.split("*")
        names = {":".join(sorted(f"{f}{found[f][0]}" for f in factors if f in found))}
        for name, own in listing.fit.coefficients().items():
            if ":".join(sorted(name.split(":"))) in names or (effect == "Intercept" and name == "(Intercept)"):
                yield from _estimate(listing, number, text, values, own)


def _type_three(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    if len(values) == 6:
        tests = {":".join(sorted(name.split(":"))): own for name, own in listing.fit.type_three().items()}
        own = tests[":".join(sorted(text.split("*")))]
        ours = {0: ("df", float(own.df)), 1: ("denominator df", own.df_error), 3: ("F", own.f), 5: ("p", own.p)}
        yield from _pick(listing, number, f"type III {text}", values, ours)


def _mean(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    if len(values) == 8:
        _, found = _levels(text, listing)
        own = listing.fit.contrast(_row(listing, found, 0))
        yield from _estimate(listing, number, f"mean {' '.join(text.split())}", values, own)


def _difference(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    if len(values) == 8:
        effect = text.split()[0].split("*")
        found: dict[str, list[str]] = {}
        words = text.split()[1:]
        for at, word in enumerate(words):
            found.setdefault(effect[at % len(effect)], []).append(word)
        own = listing.fit.contrast(_row(listing, found, 0) - _row(listing, found, 1))
        yield from _estimate(listing, number, f"difference {' '.join(words)}", values, own)


def _row(listing: Listing, found: Mapping[str, list[str]], at: int) -> Floats:
    return listing.fit.design.mean_row({factor: levels[at] for factor, levels in found.items()})


def _slice(listing: Listing, number: int, line: str) -> Iterator[Number]:
    text, values = _values(line)
    if len(values) == 4:
        (own,) = listing.fit.differences("ARMCD", at={"AVISIT": text.split()[-1]}).values()
        ours = {1: ("denominator df", own.df), 2: ("F", own.t**2), 3: ("p", own.p)}
        yield from _pick(listing, number, f"slice {text.split()[-1]}", values, ours)


READERS = {
    "Covariance Parameter Estimates": _parameters,
    "Fit Statistics": _statistics,
    "Null Model Likelihood Ratio Test": _null,
    "Solution for Fixed Effects": _coefficient,
    "Type 3 Tests of Fixed Effects": _type_three,
    "Differences of Least Squares Means": _difference,
    "Least Squares Means": _mean,
    "Tests of Effect Slices": _slice,
}
SECTIONS = (*READERS, "Iteration History", "Convergence criteria", "Estimated R", "Class Level")


def _of_table(path: Path, data: Columns) -> Iterator[Number]:
    """A table of contrasts, or of the covariance of the coefficients, with all digits of the machine."""
    fit = _fit(path.stem, data, ("VIS1", "VIS2", "VIS3", "VIS4"))
    why = "" if fit.structure in FOLLOWED else WHY
    lines = lines_of(path)
    if path.stem.endswith("covb"):
        # Order of the rows: intercept, treatment.
        for number, i in ((2, 0), (3, 1)):
            for j, printed in enumerate(lines[number - 1].split(",")[-3:-1]):
                what = f"empirical covariance {i + 1},{j + 1}"
                yield Number(
                    SOURCE, f"mmrm_sas/{path.name}", number, what, printed, float(fit.covariance[i, j]), why
                )
        return
    (own,) = fit.differences("ARMCD").values()
    names = ("Estimate", "StdErr", "DF", "tValue", "Probt", "Lower", "Upper")
    ours = (own.value, own.se, own.df, own.t, own.p, own.low, own.high)
    header = [name.strip('"') for name in lines[0].split(",")]
    fields = dict(zip(header, lines[1].split(","), strict=True))
    for name, value in zip(names, ours, strict=True):
        yield Number(SOURCE, f"mmrm_sas/{path.name}", 2, f"TRT − PBO {name}", fields[name], value, why)
