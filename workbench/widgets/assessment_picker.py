"""Choosing the visit and the measure: the strip above a form in a dashboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.widgets._base import Panel, compose, styles


class AssessmentPicker(Panel):
    """A visit and a measure to choose.

    Parameters
    ----------
    visits, measures : ``(id, text)`` each, in the order in which they are offered.
    pick : called with the chosen visit and measure; it shows the form.
    rater : shown at the end of the strip.

    Traits
    ------
    chosen : ``{"visit", "measure"}``, the form that is open.
    """

    _esm = compose("parts/dom", "assessment_picker")
    _css = styles("panels", "desk")

    visits: traitlets.List[Any] = traitlets.List().tag(sync=True)
    measures: traitlets.List[Any] = traitlets.List().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    rater = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        visits: Sequence[tuple[str, str]],
        measures: Sequence[tuple[str, str]],
        *,
        pick: Callable[[str, str], None],
        rater: str = "",
        **traits: Any,
    ) -> None:
        offered = {
            "visits": [list(visit) for visit in visits],
            "measures": [list(measure) for measure in measures],
        }
        super().__init__(**offered, rater=rater, **traits)
        self._visits, self._measures = dict(visits), dict(measures)
        self._pick = pick

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The chosen visit and measure."""
        return "", [(name, value) for name, value in self.chosen.items()]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Choosing."""
        return {"choose": self.choose}

    def choose(self, visit: str, measure: str) -> None:
        """Open the form of one measure at one visit. Raises BadValue for one that is not offered."""
        for name, value, known in (("visit", visit, self._visits), ("measure", measure, self._measures)):
            if value not in known:
                raise BadValue(Message("picker.not_offered", name=name, allowed=list(known), value=repr(value)))
        self._pick(visit, measure)
        # After pick: a form that could not be opened is not shown as chosen.
        self.chosen = {"visit": visit, "measure": measure}
