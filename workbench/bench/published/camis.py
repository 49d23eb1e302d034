"""Pages of CAMIS that print results of R and SAS: t tests, ANCOVA, CMH, binomial tests, proportions, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from workbench.bench.published._numbers import Number, lines_of, rows_of
from workbench.statistics._columns import Columns
from workbench.statistics._estimates import Estimate
from workbench.statistics.linear import ancova, as_ratio, paired_t_test, t_test
from workbench.statistics.proportions import binomial_test, difference, paired_difference, proportion
from workbench.statistics.sizes import noninferiority
from workbench.statistics.survival import kaplan_meier
from workbench.statistics.tables import cmh, counts

NUMBER = re.compile(r"-?\d+\.\d+|-?\d+")


def numbers(root: Path) -> Iterator[Number]:
    """Every number that the pages print of what we do."""
    folder = root / "camis"
    for part in (_two_samples, _pairs, _ancova, _cmh, _binomial, _paired_proportions, _counts, _others):
        yield from part(folder)


def _row(folder: Path, name: str, line: int, what: str, ours: float, why: str = "") -> Iterator[Number]:
    """The numbers of a table's row after its name: those of R, then of SAS."""
    text = lines_of(folder / name)[line - 1]
    cells = [cell.strip().replace("\\<", "<") for cell in text.strip().strip("|").split("|")]
    for cell in cells[1:]:
        if re.fullmatch(r"[A-Za-z -]*:?\s*-?\d+(\.\d+)?", cell):
            yield Number("CAMIS", f"camis/{name}", line, what, NUMBER.findall(cell)[-1], float(ours), why)


def _test(folder: Path, name: str, first: int, what: str, one: Estimate) -> Iterator[Number]:
    rows = (
        ("df", one.df),
        ("t", one.t),
        ("p", one.p),
        ("estimate", one.value),
        ("lower", one.low),
        ("upper", one.high),
    )
    for offset, (part, value) in enumerate(rows):
        yield from _row(folder, name, first + offset, f"{what} {part}", value)


def _two_samples(folder: Path) -> Iterator[Number]:
    name = "Comp_ttest_2Sample.qmd"
    text = " ".join(lines_of(folder / name)[61:70])
    found = re.findall(r'"(placebo|treatment)",\s*(\d+)', text)
    a, b = ([float(value) for arm, value in found if arm == own] for own in ("placebo", "treatment"))
    yield from _test(folder, name, 112, "Student", t_test(a, b, pooled=True))
    yield from _test(folder, name, 129, "Welch", t_test(a, b))
    yield from _test(
        folder, name, 144, "log-normal", as_ratio(t_test(list(np.log(a)), list(np.log(b)), pooled=True))
    )


def _pairs(folder: Path) -> Iterator[Number]:
    name = "Comp_ttest_Paired.qmd"
    text = lines_of(folder / name)[57:69]
    a, b = zip(*([float(value) for value in re.findall(r"\d+", line)] for line in text), strict=True)
    yield from _test(folder, name, 112, "paired", paired_t_test(a, b))
    yield from _test(
        folder, name, 127, "paired log-normal", as_ratio(paired_t_test(list(np.log(a)), list(np.log(b))))
    )


def _ancova(folder: Path) -> Iterator[Number]:
    lines = lines_of(folder / "R_ancova.qmd")[20:50]
    rows = [re.findall(r'"(\w)",\s*(\d+),\s*(\d+)', line)[0] for line in lines]
    data = {name: [row[i] for row in rows] for i, name in enumerate(("drug", "pre", "post"))}
    fit = ancova(data, outcome="post", terms=("drug", "pre"))
    one, three, means = fit.type_one(), fit.type_three(), fit.means("drug")
    ours = [one["drug"].value, one["pre"].value, three["drug"].value, three["pre"].value]
    ours += [means[drug,].value for drug in "ADF"]
    names = ("type I drug", "type I pre", "type III drug", "type III pre", "mean A", "mean D", "mean F")
    for line, (what, value) in enumerate(zip(names, ours, strict=True), 25):
        yield from _row(folder, "Comp_ancova.qmd", line, what, value)


def _cmh(folder: Path) -> Iterator[Number]:
    data = rows_of(folder / "data_adcibc.csv")
    kept = [i for i, arm in enumerate(data["TRTPN"]) if arm != "54" and data["AGEGR1"][i] != ">80"]
    some = {name: [values[i] for i in kept] for name, values in data.items()}
    schemes: dict[str, tuple[Columns, str, str, str]] = {
        "1": (some, "TRTP", "SEX", "AGEGR1"), "2": (data, "TRTP", "SEX", "AGEGR1"),
        "3": (data, "TRTP", "SEX", "RACE"), "6": (some, "TRTP", "AVAL", "SEX"),
        "9": (data, "TRTP", "AVAL", "SITEID"), "10": (data, "AVAL", "AGEGR1N", "TRTP"),
    }  # fmt: skip
    name = "Comp_cmh.qmd"
    for line, text in enumerate(lines_of(folder / name), 1):
        found = re.match(r'\s*(\d+)L ,"([\w ]+)",\s*([\d.]+), (\d), ([\d.]+)', text)
        if not found:
            continue
        table, row, answer, stratum = schemes[found[1]]
        made, (rows, answers) = counts(table, row, answer, stratum)
        scores = [[float(one) for one in own] if variable in ("AVAL", "AGEGR1N") else None
                  for variable, own in ((row, rows), (answer, answers))]  # fmt: skip
        tests = cmh(made, rows=scores[0], answers=scores[1])
        own = {"Correlation": tests.correlation, "Row Means": tests.row_means}.get(found[2], tests.general)
        values = (("chi-square", found[3], own.value), ("df", found[4], own.df), ("p", found[5], own.p))
        for what, printed, value in values:
            why = "the page prints the p-value of 2 degrees of freedom beside a 1" if what == "df" else ""
            yield Number("CAMIS", f"camis/{name}", line, f"CMH {found[1]} {found[2]} {what}", printed, value, why)


def _binomial(folder: Path) -> Iterator[Number]:
    name = "Comp_binomial_test.qmd"
    for k, n, p, line in ((520, 1000, 0.5, 39), (63, 228, 0.19, 83)):
        doubled = binomial_test(k, n, p, method="exact-doubled")
        rows: list[tuple[int, str, float]] = []
        for at, method in ((0, "clopper-pearson"), (8, "wald"), (16, "mid-p"), (28, "wilson")):
            low, high = proportion(k, n, method=method)  # type: ignore[arg-type]
            rows += [
                (at, f"{method} share", k / n),
                (at + 2, f"{method} lower", low),
                (at + 4, f"{method} upper", high),
            ]
        rows += [(14, "wald p", binomial_test(k, n, p, method="wald"))]
        rows += [(34, "wilson p", binomial_test(k, n, p, method="wilson"))]
        middle = binomial_test(k, n, p, method="mid-p")
        rows += [
            (22, "mid-p one-sided", middle / 2),
            (24, "mid-p", middle),
            (26, "mid-p other side", 1 - middle / 2),
        ]
        for offset, what, value in sorted(rows):
            yield from _row(folder, name, line + offset, f"{k}/{n} {what}", value, ROUNDED)
        exact = list(_row(folder, name, line + 6, f"{k}/{n} exact p", binomial_test(k, n, p)))
        yield from exact[:1]
        # The second is that of SAS, which doubles the smaller tail.
        yield from (
            Number(one.source, one.file, one.line, f"{one.what}, doubled", one.printed, doubled)
            for one in exact[1:]
        )


ROUNDED = "R's column is cut or printed from another digit than SAS's beside it"


def _paired_proportions(folder: Path) -> Iterator[Number]:
    name = "Comp_ci_for_paired_prop.qmd"
    why = "worked out by hand from rounded steps that are not shown; taken off the page by its authors"
    lines = lines_of(folder / name)
    own: Mapping[int, object] = {
        28: paired_difference(20, 15, 6, 5, method="wald"), 30: paired_difference(20, 15, 6, 5, method="newcombe"),
    }  # fmt: skip
    for line, one in own.items():
        printed = NUMBER.findall(lines[line - 1].rsplit("|", 3)[1] + " " + lines[line - 1].rsplit("|", 3)[2])
        for what, shown in zip(("low", "high"), printed, strict=False):
            yield Number(
                "CAMIS", f"camis/{name}", line, f"paired difference {what}", shown, getattr(one, what), why
            )


def _counts(folder: Path) -> Iterator[Number]:
    data = rows_of(folder / "data_adcibc.csv")
    active = [float(value) > 4 for value, arm in zip(data["AVAL"], data["TRTP"], strict=True) if arm != "Placebo"]
    placebo = [float(value) > 4 for value, arm in zip(data["AVAL"], data["TRTP"], strict=True) if arm == "Placebo"]
    one = difference(sum(active), len(active), sum(placebo), len(placebo))
    name = "R_ci_for_2indep_prop.qmd"
    text = lines_of(folder / name)[45]
    for pattern, value in (("36/154 = ", sum(active) / len(active)), ("12/77 = ", sum(placebo) / len(placebo)),
                           ("difference [^=]*= ?[^=]*= ?", one.value)):  # fmt: skip
        if found := re.search(pattern + r"(\d\.\d+)", text):
            yield Number("CAMIS", f"camis/{name}", 46, "share or difference", found[1], value)
    name = "R_ci_for_paired_prop.qmd"
    value = paired_difference(20, 15, 6, 5).value
    yield Number("CAMIS", f"camis/{name}", 74, "paired difference", "0.196", value)
    yield Number("CAMIS", f"camis/{name}", 132, "share of the first", "0.761", 35 / 46)


def _others(folder: Path) -> Iterator[Number]:
    curve = kaplan_meier([54, 75, 77, 84, 87, 92, 103, 105, 112, 118], [True] * 5 + [False] * 5)
    text = lines_of(folder / "Comp_survival.qmd")[216]
    if "102.5" in text:
        yield Number(
            "CAMIS", "camis/Comp_survival.qmd", 217, "median of a level curve", "102.5", curve.quantile(0.5)[0]
        )
    text = lines_of(folder / "R_sample_size_non-inferiority.qmd")[34]
    if "100.3" in text:
        total = 2 * noninferiority(0.05, 0.1)
        yield Number("CAMIS", "camis/R_sample_size_non-inferiority.qmd", 35, "participants", "100.3", total)
