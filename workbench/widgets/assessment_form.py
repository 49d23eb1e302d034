"""Entering an outcome measure: a form made from its definition, with every number scored by the measure.

The condition under which an assessment is made (assisted or not × device on or off × stimulation on or off) has
no default: a form without it cannot be saved, because an assisted score is never recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue, Refused
from workbench.vocabulary import Assessment, Condition
from workbench.widgets._base import Panel, compose, styles

CONDITIONS = ("assisted", "device_on", "stimulation_on")


class MeasureDefinition(Protocol):
    """What this form needs of a definition (``outcomes.load(name).definition`` has it)."""

    name: str
    version: str
    title: str
    items: Any
    subscales: Any
    sides: tuple[str, ...]


class AssessmentForm(Panel):
    """A keyboard form for one administration of one measure.

    Parameters
    ----------
    definition : of the measure (a dataclass).
    score : called with item code → value; returns the score as a mapping or an object with ``to_json``.
    save : called with the finished :class:`Assessment`; returns the sentence that the page shows. It writes
        to the record and may refuse.
    visit_id, rater : go into the assessment.

    Traits
    ------
    items : code → value; condition : name → bool, absent until chosen; side ; result : the score so far ;
    saved : the sentence after saving, ``""`` before.
    """

    _esm = compose("parts/dom", "parts/icons", "assessment_form")
    _css = styles("panels", "assessment")

    definition = traitlets.Dict().tag(sync=True)
    items = traitlets.Dict().tag(sync=True)
    condition = traitlets.Dict().tag(sync=True)
    side = traitlets.Unicode("").tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    saved = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        definition: MeasureDefinition,
        *,
        score: Callable[[Mapping[str, Any]], Any],
        save: Callable[[Assessment], str],
        visit_id: str,
        rater: str,
        **traits: Any,
    ) -> None:
        super().__init__(definition=_plain(definition), **traits)
        self._definition = definition
        self._score = score
        self._save = save
        self._visit_id, self._rater = visit_id, rater
        self._entered: dict[str, Any] = {}
        self._condition: dict[str, bool] = {}
        self._side = definition.sides[0] if len(definition.sides) == 1 else ""
        self._tell()

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Enter an item, choose a condition or a side, save, begin anew."""
        return {
            "enter": self.enter,
            "choose": self.choose,
            "choose_side": self.choose_side,
            "save": self.save,
            "anew": self.anew,
        }

    def enter(self, item: str, value: Any) -> None:
        """Enter one item; None takes the value back. An impossible value is refused with what is allowed."""
        self._open()
        found = next((one for one in self._definition.items if one.code == item), None)
        if found is None:
            raise BadValue(f"{self._definition.name} has no item {item!r}")
        if value is not None and (isinstance(value, bool) or value not in found.allowed):
            allowed = ", ".join(map(str, found.allowed))
            raise BadValue(f"{item} must be one of {allowed}, got {value!r}")
        self._entered = {**self._entered, item: value}
        self._tell()

    def choose(self, name: str, *, value: bool) -> None:
        """Choose one part of the condition."""
        self._open()
        if name not in CONDITIONS or not isinstance(value, bool):
            raise BadValue(
                f"a condition is one of {', '.join(CONDITIONS)} and true or false, got {name}={value!r}"
            )
        self._condition = {**self._condition, name: value}
        self._tell()

    def choose_side(self, side: str) -> None:
        """Choose the side that was examined."""
        self._open()
        if side not in self._definition.sides:
            raise BadValue(f"side must be one of {', '.join(self._definition.sides)}, got {side!r}")
        self._side = side
        self._tell()

    def save(self) -> str:
        """Write the assessment through ``save``; the sentence it returns.

        Raises
        ------
        Refused
            While the condition or the side is not chosen, or when it was saved already.
        """
        self._open()
        missing = [name for name in CONDITIONS if name not in self._condition]
        if missing or not (self._side or self._definition.sides == ("",)):
            lacking = ", ".join([*missing, *([] if self._side else ["side"])])
            raise Refused(f"the assessment cannot be saved without its condition; still open: {lacking}")
        values = {one.code: self._entered.get(one.code) for one in self._definition.items}
        complete = all(value is not None for value in values.values())
        self.saved = self._save(
            Assessment(
                visit_id=self._visit_id,
                measure=self._definition.name,
                version=self._definition.version,
                condition=Condition(**self._condition),
                items=values,
                score=_plain(self._score(values)),
                rater=self._rater,
                side=self._side,
                state="complete" if complete else "incomplete",
            )
        )
        return self.saved

    def anew(self) -> None:
        """An empty form for the next administration; what was saved stays in the record."""
        self._entered, self._condition, self.saved = {}, {}, ""
        self._side = self._definition.sides[0] if len(self._definition.sides) == 1 else ""
        self._tell()

    def _open(self) -> None:
        if self.saved:
            raise Refused("this assessment is saved; begin a new one, or amend the saved one with a reason")

    def _tell(self) -> None:
        with self.hold_sync():
            self.items = dict(self._entered)
            self.condition = dict(self._condition)
            self.side = self._side
            self.result = _plain(self._score(self._entered))


def _plain(thing: Any) -> dict[str, Any]:
    if isinstance(thing, Mapping):
        return dict(thing)
    return dict(thing.to_json()) if hasattr(thing, "to_json") else asdict(thing)
