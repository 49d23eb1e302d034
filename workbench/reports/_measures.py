"""An outcome measure in a report: its total, which direction is better, its levels and grades."""

from __future__ import annotations

from typing import Any

from workbench import outcomes
from workbench.errors import UnknownName
from workbench.reports._facts import Row
from workbench.reports._say import Say
from workbench.reports.texts import Texts

LEVELS = ("sensory", "motor", "zpp_sensory", "zpp_motor")
NOT_A_RESULT = ("totals", "rules")
"""Parts of an examination's classes that repeat the sums, or name the rules' version."""


def measure_name(t: Texts, measure: str, side: str) -> str:
    """``ARAT, right``.

    Parameters
    ----------
    t : texts of the language.
    measure, side : of an assessment; ``""`` for a measure without sides.
    """
    return measure.upper() if not side else f"{measure.upper()}{t('join')}{t.word('side', side)}"


def definition_of(row: Row) -> Any:
    """The definition that an assessment was entered with, None for a measure that is not in the register."""
    try:
        measure = outcomes.load(str(row["measure"]))
    except UnknownName:
        return None
    matching = [one for one in measure.definitions if one.version == row["version"]]
    return matching[0] if matching else None


def missing_of(row: Row) -> int:
    """Items of a sum or a level that have no value; extras recorded beside them are never missing.

    DAP and VAC of the neurological examination count, because its grade needs them.
    """
    definition = definition_of(row)
    if definition is None:
        return sum(value is None for value in row["items"].values())
    needed = [item.code for item in definition.items]
    # DAP and VAC are the extras without a dot in their code; the others are non-key muscles and remarks.
    needed += [item.code for item in definition.extras if row["measure"] == "isncsci" and "." not in item.code]
    return sum(row["items"].get(code) is None for code in needed)


def axis(say: Say, row: Row, name: str, maximum: float) -> str:
    """The label of a total's axis: what it counts, its maximum, and which direction is better.

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
    """Levels and grades in words; of the neurological examination AIS and NLI first, right and left together."""
    result = row["score"].get("classes", {})
    # Other measures' classes that are not text (labels per muscle, counts) do not fit into one cell.
    if row["measure"] != "isncsci":
        return [f"{name.replace('_', ' ')} {value}" for name, value in result.items() if isinstance(value, str)]
    t = say.t
    texts = []
    if "ais" in result:
        texts.append(t("isncsci_ais", grade=_level(result["ais"])))
    if "nli" in result:
        texts.append(t("isncsci_nli", level=_level(result["nli"])))
    for name in LEVELS:
        right, left = result.get(f"{name}_right"), result.get(f"{name}_left")
        if right is not None and left is not None:
            texts.append(t(f"isncsci_{name}", right=_level(right), left=_level(left)))
    if "complete" in result:
        # The star marks a result that rests on an assumption about a non-SCI condition; it must not be lost.
        code = str(result["complete"]).rstrip("*")
        star = "*" if str(result["complete"]).endswith("*") else ""
        texts.append(t(f"isncsci_complete_{code}") + star if code in ("C", "I") else t("isncsci_complete_open"))
    return texts


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
    labels = [one.label for one in definition.subscales if one.code == code] if definition else []
    return labels[0] if labels else code.replace("_", " ")


def _level(text: Any) -> str:
    return str(text).replace("S4_5", "S4-5").replace(",", ", ")
