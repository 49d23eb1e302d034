"""The antidepressant trial: what R rbmi prints by conditional means and the jackknife, and a MMRM of CAMIS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from workbench.bench.published._numbers import Number, lines_of, rows_of
from workbench.statistics._columns import Columns
from workbench.statistics.imputation import Plan, reference_based
from workbench.statistics.mmrm import mmrm

PLAN = Plan(
    outcome="CHANGE", participant="PATIENT", visit="VISIT", arm="THERAPY",
    terms=("THERAPY", "VISIT", "BASVAL", "BASVAL:VISIT", "THERAPY:VISIT"), covariates=("BASVAL",),
    reference="PLACEBO", strategy="jump to reference", at_random=("3618",),
)  # fmt: skip
CONSTANT = ("THERAPY", "BASVAL", "GENDER")


def expanded(data: Columns) -> dict[str, list[str]]:
    """The trial with a row for each visit of each participant, empty where none was made."""
    people = list(dict.fromkeys(data["PATIENT"]))
    place = {key: i for i, key in enumerate(zip(data["PATIENT"], data["VISIT"], strict=True))}
    first = {who: list(data["PATIENT"]).index(who) for who in people}
    made: dict[str, list[str]] = {name: [] for name in ("PATIENT", "VISIT", "CHANGE", *CONSTANT)}
    for who in people:
        for visit in sorted(set(data["VISIT"])):
            at = place.get((who, visit))
            made["PATIENT"].append(who)
            made["VISIT"].append(visit)
            made["CHANGE"].append("" if at is None else data["CHANGE"][at])
            for name in CONSTANT:
                made[name].append(data[name][first[who]])
    return made


def numbers(root: Path) -> Iterator[Number]:
    """Jump to reference at each visit, and the complete-case MMRM."""
    data = expanded(rows_of(root / "rbmi" / "antidepressant_data.csv"))
    yield from _complete(root, data)
    path = root / "rbmi" / "expected.json"
    lines = lines_of(path)
    printed = json.loads("\n".join(lines), parse_float=str)["treatment_effect"]
    ours = reference_based(data, PLAN)
    for visit, own in printed.items():
        line = next(i for i, text in enumerate(lines, 1) if f'"{visit}": {{' in text)
        one = ours[visit]["DRUG"]
        # rbmi gives placebo less drug.
        values = {"est": -one.value, "se": one.se, "lci": -one.high, "uci": -one.low, "p": one.p}
        for name, value in values.items():
            yield Number(
                "R rbmi 1.6.0.9000", "rbmi/expected.json", line, f"visit {visit} {name}", own[name], value
            )


def _complete(root: Path, data: Columns) -> Iterator[Number]:
    name = "R_rbmi_continuous_joint.qmd"
    text = lines_of(root / "camis" / name)[158]
    fit = mmrm(
        data, outcome="CHANGE", terms=("THERAPY", "GENDER", "VISIT", "BASVAL", "THERAPY:VISIT", "BASVAL:VISIT"),
        participant="PATIENT", visit="VISIT", inference="satterthwaite", levels={"THERAPY": ("PLACEBO", "DRUG")},
    )  # fmt: skip
    (own,) = fit.differences("THERAPY", at={"VISIT": "7"}).values()
    ours = (("difference", own.value), ("SE", own.se), ("lower", own.low), ("upper", own.high), ("p", own.p))
    why = "R mmrm ends a little before the maximum"
    found = re.findall(r"-?\d+\.\d+", text)
    for (what, value), shown in zip(ours, found, strict=False):
        yield Number("R mmrm (CAMIS)", f"camis/{name}", 159, f"visit 7 {what}", shown, value, why)
