"""The worksheet of the neurological examination: 132 cells by keyboard, and the classification after each key.

Own drawing and own words; the worksheet of the American Spinal Injury Association is not reproduced. The rules
are handed in (``workbench.outcomes.isncsci``): this panel asks for scores and shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import traitlets

from workbench import messages
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.messages import Message
from workbench.widgets._base import compose, styles
from workbench.widgets._entry import AssessmentEntry

REASONS, NOTES = "reasons", "notes"
FEW = 3
"""Open cells are named up to this number, and counted beyond it."""
WAIT_FOR_ALL = ("nli", "ais", "zpp_motor_right", "zpp_motor_left")
"""Results that any cell may change: the motor zone depends on the grade."""
PAIRS = ("sensory", "motor", "zpp_sensory", "zpp_motor")


class IsncsciRules(Protocol):
    """The parts of ``workbench.outcomes.isncsci`` that the worksheet uses."""

    OUTCOME: Any
    REASONS: tuple[str, ...]
    classify: Callable[..., Any]
    exam_of: Callable[[Mapping[str, Any]], dict[str, Any]]
    site_differences: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, tuple[str, str]]]
    Options: Callable[..., Any]


class IsncsciForm(AssessmentEntry):
    """The worksheet. Parameters beside ``rules`` are those of :class:`~workbench.widgets._entry.AssessmentEntry`.

    Parameters
    ----------
    rules : the module ``workbench.outcomes.isncsci``.

    Traits
    ------
    causes : the reasons that a tagged score may have.
    """

    _esm = compose(
        *("parts/dom", "parts/icons", "parts/entry", "parts/bodychart", "parts/worksheet", "parts/classification"),
        "isncsci_form",
    )
    _css = styles("entry", "isncsci")

    causes: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, rules: IsncsciRules, **more: Any) -> None:
        self._rules = rules
        definition = rules.OUTCOME.definition
        self._segments = _segments(definition)
        super().__init__(definition, score=rules.OUTCOME.score, causes=list(rules.REASONS), **more)

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Those of every form, and filling down and the reasons of single cells."""
        return {**super().requests(), "fill": self.fill, "explain": self.explain, "note": self.note}

    def enter(self, item: str, value: Any) -> None:
        """Enter one cell; a cell without a tag loses its reason."""
        self._open()
        value = self._checked(item, value)
        self._remember()
        self._entered = {**self._entered, item: value}
        self._sort_out()
        self._keep()

    def fill(self, item: str, value: Any) -> None:
        """Fill an empty cell and those below it, down to the next entered one or the end of the column."""
        self._open()
        # Each tag needs its own reason, which a fill could not ask for.
        if isinstance(value, str) and value.endswith("*"):
            raise Refused(Message("isncsci.no_fill_of_tags"))
        column = self._column(item)
        empty: dict[str, Any] = {}
        for code in column[column.index(item) :]:
            # A fill never overwrites what was examined.
            if self._entered.get(code) is not None:
                break
            empty[code] = self._checked(code, value)
        if not empty:
            raise Refused(Message("isncsci.entered_already", item=item))
        self._change(empty)

    def explain(self, item: str, cause: str) -> None:
        """Why one score is tagged."""
        self._open()
        self._set_cause(item, cause)
        self._keep()

    def note(self, item: str, words: str) -> None:
        """Note something at one cell, such as why it cannot be tested; an empty text removes the note."""
        self._open()
        if item not in self._entered:
            raise BadValue(Message("isncsci.no_value", item=str(item)))
        self._remember()
        notes = {code: text for code, text in self._options.get(NOTES, {}).items() if code != item}
        self._options = {**self._options, NOTES: notes | ({item: words.strip()} if words.strip() else {})}
        self._sort_out()
        self._keep()

    def save(self, *, incomplete: bool = False) -> str:
        """As in every form; refuses tagged scores without a reason, and missing cells unless ``incomplete``."""
        self._open()
        bare = self._without_cause()
        if bare:
            raise Refused(Message("isncsci.tags_need_reasons", item=bare[0], n=len(bare) - 1))
        return super().save(incomplete=incomplete)

    # ------------------------------------------------------------------------------ inside
    def _set_cause(self, item: str, cause: str) -> None:
        if not str(self._entered.get(item, "")).endswith("*"):
            raise BadValue(Message("isncsci.not_tagged", item=str(item)))
        if cause not in self._rules.REASONS:
            raise BadValue(Message("isncsci.reason", allowed=self._rules.REASONS, value=repr(cause)))
        self._remember()
        self._options = {**self._options, REASONS: {**self._options.get(REASONS, {}), item: cause}}

    def _sort_out(self) -> None:
        """Drop reasons of cells without a tag, notes of empty cells, and empty lists."""
        tagged = {code for code, value in self._entered.items() if str(value).endswith("*")}
        entered = {code for code, value in self._entered.items() if value is not None}
        for name, cells in ((REASONS, tagged), (NOTES, entered)):
            remaining = {code: text for code, text in self._options.get(name, {}).items() if code in cells}
            self._options = {key: value for key, value in self._options.items() if key != name}
            if remaining:
                self._options = {**self._options, name: remaining}

    def _without_reasons(self) -> dict[str, Any]:
        return {name: value for name, value in self._options.items() if name not in (REASONS, NOTES)}

    def _apply(self, field: str, value: Any, cause: str) -> None:
        super()._apply(field, value, cause)
        self._sort_out()
        if cause:
            self._set_cause(field, cause)
        bare = self._without_cause()
        if bare:
            raise BadValue(Message("isncsci.tag_needs_reason", item=bare[0], allowed=self._rules.REASONS))

    def _missing(self) -> list[str]:
        needed = (*self._definition.items, *self._definition.extras[:2])
        return [item.code for item in needed if self._entered.get(item.code) is None]

    def _without_cause(self) -> list[str]:
        causes = self._options.get(REASONS, {})
        return [code for code, value in self._entered.items() if str(value).endswith("*") and code not in causes]

    def _column(self, item: str) -> list[str]:
        side_and_grid, _, last = item.rpartition(".")
        column = [item.code for item in self._definition.items if item.code.startswith(f"{side_and_grid}.")]
        if not last or item not in column:
            raise BadValue(Message("isncsci.no_column", measure=self._definition.name, item=repr(item)))
        return column

    def _scored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The score; without the reasons while some are missing, since a number does not depend on them."""
        options = self._options if not self._without_cause() else self._without_reasons()
        return dict(self._rules.OUTCOME.score(values, **options).to_json())

    def _result(self) -> dict[str, Any]:
        missing = self._missing()
        try:
            score = self._scored(self._entered)
            classification = None if missing else self._classified()
        except WorkbenchError as error:
            return {"error": messages.of(error)}
        more = {"bare": self._without_cause(), "missing": len(missing), "cells": len(self._definition.items) + 2}
        lacking: dict[str, Any] = {}
        if missing:
            cells = self._lacking_by_field(missing)
            lacking = {
                "lacking": {name: len(codes) for name, codes in cells.items()},
                "lacking_cells": {name: codes for name, codes in cells.items() if 0 < len(codes) <= FEW},
                "partial": self._partial([name for name, codes in cells.items() if not codes]),
            }
        classified: dict[str, Any] = {}
        if classification:
            differs = self._rules.site_differences(self._entered, classification["result"])
            classified = {
                **classification,
                "frames": self._frames(classification["result"]),
                "site_differs": differs,
            }
        sums = {name: score["subscores"][name] for name in score["subscores"]}
        return {"sums": sums, **more, **lacking, **classified}

    def _classified(self) -> dict[str, Any]:
        options = {n: v for n, v in self._options.items() if n not in (REASONS, NOTES)}
        return dict(
            self._rules.classify(
                self._rules.exam_of(self._entered), options=self._rules.Options(**options)
            ).to_json()
        )

    def _partial(self, settled: list[str]) -> dict[str, Any]:
        """Results that depend on no open cell any more; open cells count as not testable meanwhile."""
        if not settled:
            return {}
        needed = (*self._definition.items, *self._definition.extras[:2])
        open_cells = {item.code: "NT" for item in needed if self._entered.get(item.code) is None}
        options = {n: v for n, v in self._options.items() if n not in (REASONS, NOTES)}
        try:
            exam = self._rules.exam_of({**self._entered, **open_cells})
            result = self._rules.classify(exam, options=self._rules.Options(**options)).to_json()["result"]
        except WorkbenchError:
            return {}
        return {name: result[name] for name in settled if name in result and name not in WAIT_FOR_ALL}

    def _lacking_by_field(self, missing: list[str]) -> dict[str, list[str]]:
        """Result → the missing cells that it depends on."""

        def those(*ends: str) -> list[str]:
            return [code for code in missing if any(code.startswith(end) for end in ends)]

        sensory = {side: (f"{side}.lightTouch", f"{side}.pinPrick") for side in ("right", "left")}
        vac, dap = (item.code for item in self._definition.extras[:2])
        lacking = {"nli": list(missing), "ais": list(missing)}
        for side, cells in sensory.items():
            lacking[f"sensory_{side}"] = those(*cells)
            # The motor level follows the dermatomes where no key muscle can be tested, and S3 needs VAC.
            lacking[f"motor_{side}"] = those(*cells, f"{side}.motor", vac)
            lacking[f"zpp_sensory_{side}"] = those(*cells, dap)
            lacking[f"zpp_motor_{side}"] = lacking[f"motor_{side}"]
        sacral = [f"{cell}.S4_5" for cells in sensory.values() for cell in cells]
        lacking["complete"] = those(*sacral, vac, dap)
        return lacking

    def _frames(self, result: Mapping[str, Any]) -> dict[str, list[str]]:
        """Result → the cells that decide it, which are framed when it is selected."""
        vac, dap = (item.code for item in self._definition.extras[:2])
        sacral = [f"{side}.{grid}.S4_5" for side in ("right", "left") for grid in ("lightTouch", "pinPrick")]
        at = partial(self._cells_at, result)
        frames = {name: [*at(name, "right"), *at(name, "left")] for name in PAIRS}
        frames["nli"] = self._of_nli(result, frames)
        frames["complete"] = [vac, dap, *sacral]
        # Only C and D are decided by the muscles below the NLI.
        grade = result["ais"].rstrip("*")
        below = self._below(result["nli"]) if grade in ("C", "D") else []
        frames["ais"] = [vac, dap, *sacral, *below]
        return frames

    def _cells_at(self, result: Mapping[str, Any], name: str, side: str) -> list[str]:
        cells: list[str] = []
        for level in result[f"{name}_{side}"].replace("*", "").split(","):
            level = level.replace("-", "_")
            for grid in ("motor",) if name.endswith("motor") else ("lightTouch", "pinPrick"):
                column = self._segments[grid]
                # A level lies above the first abnormal segment: both are shown. A zone is the segment itself.
                places = [level] if name.startswith("zpp") else [level, *self._after(level)]
                cells += [f"{side}.{grid}.{place}" for place in places if place in column]
            if name == "motor" and not any(code.startswith(f"{side}.motor") for code in cells):
                near = (level, *self._after(level))
                cells += [
                    f"{side}.{g}.{p}" for p in near for g in ("lightTouch", "pinPrick") if p in self._segments[g]
                ]
        return list(dict.fromkeys(cells))

    def _of_nli(self, result: Mapping[str, Any], frames: Mapping[str, list[str]]) -> list[str]:
        levels = set(result["nli"].replace("*", "").split(","))
        cells: list[str] = []
        for name in ("sensory", "motor"):
            for side in ("right", "left"):
                if levels & set(result[f"{name}_{side}"].replace("*", "").split(",")):
                    cells += [code for code in frames[name] if code.startswith(side)]
        return cells

    def _after(self, level: str) -> list[str]:
        places = self._segments["lightTouch"]
        if level == "C1":
            return places[:1]
        return places[places.index(level) + 1 :][:1] if level in places else []

    def _below(self, nli: str) -> list[str]:
        places = self._segments["lightTouch"]
        level = nli.replace("*", "").split(",")[0].replace("-", "_")
        start = places.index(level) + 1 if level in places else 0
        below = [place for place in places[start:] if place in self._segments["motor"]]
        return [f"{side}.motor.{place}" for side in ("right", "left") for place in below]


def _segments(definition: Any) -> dict[str, list[str]]:
    """Grid → its segments, rostral to caudal, as the items of the right side name them."""
    segments: dict[str, list[str]] = {}
    for item in definition.items:
        side, grid, segment = item.code.split(".")
        if side == "right":
            segments.setdefault(grid, []).append(segment)
    return segments
