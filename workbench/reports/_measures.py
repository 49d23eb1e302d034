"""An outcome measure in the words of a report: its total, which way is better, its levels and grades."""

from __future__ import annotations

from typing import Any

from workbench import outcomes
from workbench.errors import UnknownName
from workbench.reports._facts import Row
from workbench.reports._say import Say

LEVELS = ("sensory", "motor", "zpp_sensory", "zpp_motor")
NOT_A_RESULT = ("totals", "rules")
"""Parts of an examination's classes that repeat the sums, or name the rules' version."""


def definition_of(row: Row) -> Any:
    """The definition that an assessment was entered with, None for a measure that is not in the register."""
    try:
        measure = outcomes.load(str(row["measure"]))
    except UnknownName:
        return None
    found = [one for one in measure.definitions if one.version == row["version"]]
    return found[0] if found else None


def missing_of(row: Row) -> int:
    """Items of a sum or a level that have no value; what is recorded beside them is never missing.

    DAP and VAC of the neurological examination count, because its grade needs them.
    """
    definition = definition_of(row)
    if definition is None:
        return sum(value is None for value in row["items"].values())
    needed = [item.code for item in definition.items]
    needed += [item.code for item in definition.extras if row["measure"] == "isncsci" and "." not in item.code]
    return sum(row["items"].get(code) is None for code in needed)


def axis(say: Say, row: Row, name: str, maximum: float) -> str:
    """The line under the axis of a total: what it counts, of how many, and which way is better.

    Parameters
    ----------
    say : words of the report.
    row : a stored assessment.
    name : of the measure.
    maximum : end of the axis.
    """
    definition = definition_of(row)
    down = definition is not None and definition.direction == "down"
    counted = say.t("total_isncsci" if row["measure"] == "isncsci" else "total_points")
    return say.t(
        "marks_axis",
        measure=name,
        what=counted,
        maximum=f"{maximum:g}",
        better=say.t("lower" if down else "higher"),
    )


def classes(say: Say, row: Row) -> list[str]:
    """Levels and grades in words: of the neurological examination AIS and NLI first, right and left together."""
    found = row["score"].get("classes", {})
    if row["measure"] != "isncsci":
        return [f"{name.replace('_', ' ')} {value}" for name, value in found.items() if isinstance(value, str)]
    t = say.t
    words = []
    if "ais" in found:
        words.append(t("isncsci_ais", grade=_level(found["ais"])))
    if "nli" in found:
        words.append(t("isncsci_nli", level=_level(found["nli"])))
    for name in LEVELS:
        right, left = found.get(f"{name}_right"), found.get(f"{name}_left")
        if right is not None and left is not None:
            words.append(t(f"isncsci_{name}", right=_level(right), left=_level(left)))
    if "complete" in found:
        code = str(found["complete"]).rstrip("*")
        star = "*" if str(found["complete"]).endswith("*") else ""
        words.append(t(f"isncsci_complete_{code}") + star if code in ("C", "I") else t("isncsci_complete_open"))
    return words


def subscore_name(say: Say, row: Row, code: str) -> str:
    """The name of a subscore: the abbreviation a clinician writes, else that of the definition.

    Parameters
    ----------
    say : words of the report.
    row : a stored assessment.
    code : of the subscore.
    """
    if row["measure"] == "isncsci":
        return say.t(f"isncsci_{code}")
    definition = definition_of(row)
    found = [one.label for one in definition.subscales if one.code == code] if definition else []
    return found[0] if found else code.replace("_", " ")


def _level(text: Any) -> str:
    return str(text).replace("S4_5", "S4-5").replace(",", ", ")
