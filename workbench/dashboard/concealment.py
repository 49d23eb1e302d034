"""What the record keeps from who looks at a participant: results that may tell the arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.study import Study

ABOUT = ("query", "deviation")
"""Tables whose rows are about another row and tell what stands in it."""


def tells_arm(condition: Any) -> bool:
    """Whether something was measured under a condition that may reveal the arm.

    Parameters
    ----------
    condition : has ``device_on`` and ``stimulation_on``, as keys or as attributes.
    """
    if isinstance(condition, Mapping):
        return bool(condition.get("device_on") or condition.get("stimulation_on"))
    return bool(condition.device_on or condition.stimulation_on)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person may see.

    Attributes
    ----------
    concealed : whether the arm is kept from them.
    """

    concealed: bool

    def hides(self, study: Study, table: str, row: Mapping[str, Any]) -> bool:
        """Whether a row is kept from them.

        Parameters
        ----------
        study : the open record.
        table, row : which row.
        """
        if table in ABOUT:
            about = str(row["table_name"])
            return about in (*ABOUT, "assessment") and self.hides(study, about, study.get(about, row["row_id"]))
        return table == "assessment" and self.concealed and tells_arm(row)
