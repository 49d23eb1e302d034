"""An assessment being entered: what the forms of all measures share, from the first key to saving and correcting.

Values, circumstances and reasons come as requests. Each one is checked against the definition, scored by the
measure and kept as a draft. The condition (assisted × device × stimulation) has no default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import traitlets

from workbench import messages
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.messages import Message
from workbench.vocabulary import Assessment, Condition, MeasureDefinition
from workbench.widgets._base import SYNCED, Panel
from workbench.widgets._circumstances import CONDITIONS, check_field, defaults, field_names
from workbench.widgets._history import TYPED, field_history, listed
from workbench.widgets._stores import CLOSED, AssessmentStore, NoStore, Row, utc_now

UNDO_DEPTH = 200
STORED = ("id", "state", "rater", "version", "side", "repeat")
"""Columns of a stored assessment that the page shows beside its condition."""


class AssessmentEntry(Panel):
    """A form for one administration of a measure, whose saved assessments can be read and corrected with a reason.

    Parameters
    ----------
    definition : of the measure (a dataclass).
    score : called with item code → value and, as keywords, the options that were chosen; returns the score as a
        mapping or an object with ``to_json``.
    save : called with the finished :class:`Assessment`; returns the sentence that the page shows.
    store : keeps drafts, saves and corrects (see ``_stores``); replaces ``save``.
    visit_id, rater : go into the assessment.
    place : where this is, for the top of the page: study, participant, visit.
    session : called before every entry; the visit of the session that runs on this computer as ``(visit_id,
        text)``, or None. A form of another visit refuses every entry.

    Traits
    ------
    items : code → value; condition : name → bool, absent until chosen; side ; fields : the other circumstances ;
    result : the score so far ; saved : the sentence after saving, ``""`` before ; kept : where the draft is, and
    that sentence ;
    stored : drafts and saved assessments of this visit ; undoable : entries that can be taken back.
    """

    definition = traitlets.Dict().tag(sync=True)
    items = traitlets.Dict().tag(sync=True)
    condition = traitlets.Dict().tag(sync=True)
    side = traitlets.Unicode("").tag(sync=True)
    fields = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(**SYNCED)
    saved = traitlets.Unicode("").tag(sync=True)
    kept = traitlets.Dict().tag(**SYNCED)
    stored: traitlets.List[Any] = traitlets.List().tag(sync=True)
    undoable = traitlets.Int(0).tag(sync=True)
    place: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        definition: MeasureDefinition,
        *,
        score: Callable[..., Any],
        save: Callable[[Assessment], str] | None = None,
        store: AssessmentStore | None = None,
        visit_id: str,
        rater: str,
        place: Sequence[str] = (),
        session: Callable[[], tuple[str, str] | None] | None = None,
        **traits: Any,
    ) -> None:
        if store is None and save is None:
            raise BadValue(Message("form.no_store"))
        super().__init__(definition=plain(definition), place=list(place), **traits)
        self._definition = definition
        self._score = score
        self._store: AssessmentStore = store if store is not None else NoStore(save or _nowhere)
        self._visit_id, self._rater = visit_id, rater
        self._session = session
        self._begin()
        self._look()
        self._tell()

    def _begin(self) -> None:
        self._entered: dict[str, Any] = {}
        self._condition: dict[str, bool] = {}
        self._side = self._definition.sides[0] if len(self._definition.sides) == 1 else ""
        self._fields = defaults(self._definition, rater=self._rater)
        self._options: dict[str, Any] = {}
        self._undo: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._typed: dict[str, str] = {}
        self._seen_last = self._shown()
        self._row: Row | None = None
        self._fault, self._unkept = "", False

    # ------------------------------------------------------------------------------ requests
    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Enter, choose, undo, save, open and correct a stored assessment, and the history of a field."""
        return {
            "enter": self.enter,
            "choose": self.choose,
            "choose_side": self.choose_side,
            "choose_field": self.choose_field,
            "choose_option": self.choose_option,
            "undo": self.undo,
            "clear": self.clear,
            "save": self.save,
            "new": self.begin_new,
            "reopen": self.reopen,
            "correct": self.correct,
            "history": self.history,
        }

    def enter(self, item: str, value: Any) -> None:
        """Enter one item; None takes the value back. An impossible value is refused with what is allowed."""
        self._open()
        self._change({item: self._checked(item, value)})

    def choose(self, name: str, *, value: bool) -> None:
        """Choose one part of the condition."""
        self._open()
        if name not in CONDITIONS or not isinstance(value, bool):
            raise BadValue(Message("form.condition", allowed=CONDITIONS, name=str(name), value=repr(value)))
        self._condition = {**self._condition, name: value}
        self._keep()

    def choose_side(self, side: str) -> None:
        """Choose the side that was examined."""
        self._open()
        if side not in self._definition.sides:
            raise BadValue(self._no_side(side))
        self._side = side
        self._keep()

    def choose_field(self, name: str, value: Any) -> None:
        """State one of the other circumstances: orthosis, mode, rater, blinding, times, repeat."""
        self._open()
        self._fields = {**self._fields, name: check_field(self._definition, name, value)}
        self._keep()

    def choose_option(self, name: str, value: Any) -> None:
        """Choose a scoring option that the protocol leaves open."""
        self._open()
        option = next((option for option in self._definition.options if option.name == name), None)
        if option is None:
            raise BadValue(Message("form.no_option", measure=self._definition.name, name=repr(name)))
        if option.allowed and value not in option.allowed:
            allowed = [str(choice) for choice in option.allowed]
            raise BadValue(Message("form.one_of", name=name, allowed=allowed, value=repr(value)))
        self._options = {**self._options, name: value}
        self._keep()

    def undo(self) -> None:
        """Undo the last entry; a fill or a clearing counts as one."""
        self._open()
        if not self._undo:
            raise Refused(Message("form.nothing_to_undo"))
        self._entered, self._options = self._undo.pop()
        self._keep()

    def clear(self, *, confirmed: bool) -> None:
        """Empty the form, once confirmed. Undo restores the entries; the record keeps its history."""
        self._open()
        # "is not True": any other truthy value from a page is no confirmation.
        if confirmed is not True:
            raise Refused(Message("form.confirm_clearing"))
        self._remember()
        self._entered = {}
        self._options = self._without_reasons()
        self._keep()

    def save(self, *, incomplete: bool = True) -> str:
        """Close the assessment through the store; returns the sentence to show.

        Raises
        ------
        Refused
            While the condition, the side or the mode is not chosen, while items are missing and ``incomplete`` is
            False, or when it was saved already.
        """
        self._open()
        lacking = self.lacking()
        if lacking:
            raise Refused(Message("form.condition_open", open=lacking))
        missing = self._missing()
        if missing and not incomplete:
            raise Refused(Message("form.items_missing", n=len(missing), item=missing[0]))
        self._row, self.saved = self._store.save(self._assessment(missing), row=self._row)
        self._look()
        self._tell()
        return self.saved

    def begin_new(self) -> None:
        """Begin an empty form for the next administration; saved assessments stay in the record."""
        self._begin()
        self.saved = ""
        self._look()
        self._tell()

    def reopen(self, row_id: str) -> None:
        """Open a stored assessment of this visit: a draft to continue, a saved one to read and correct."""
        row = next((row for row in self._rows if row_id in (row["id"], row.get("file"))), None)
        if row is None:
            raise BadValue(Message("form.not_stored", id=repr(row_id), measure=self._definition.name))
        if row["version"] != self._definition.version:
            raise Refused(Message("form.other_version", entered=row["version"], held=self._definition.version))
        self._begin()
        self._take(row)
        state = row["state"]
        self.saved = "" if state == "draft" else Message("form.saved_as", id=row["id"], state=CLOSED[state])
        self._tell()

    def correct(self, field: str, value: Any, *, reason: str, cause: str = "") -> None:
        """Correct one field of a saved assessment, with a reason.

        Parameters
        ----------
        field : an item, a part of the condition, the side or a circumstance.
        value : the correct one.
        reason : free text.
        cause : why a score is tagged, for a tagged one.

        Raises
        ------
        Refused
            When no saved assessment is open.
        BadValue
            For an empty reason or an impossible value.
        """
        self._same_visit()
        if self._row is None or not self._row.get("id") or self._row["state"] == "draft":
            raise Refused(Message("form.nothing_saved_open"))
        if not isinstance(reason, str) or not reason.strip():
            raise BadValue(Message("form.correction_reason", field=str(field)))
        # What the form shows is what the record has: a refused correction must leave no trace on the page.
        before = self._entered, self._condition, self._side, self._fields, self._options
        typed, shown = self._typed, self._seen_last
        try:
            self._apply(field, value, cause)
            self._stamp()
            assessment = self._assessment(self._missing())
            names = ("items", "score", "options", "alerts", "implied", "state", "side", *CONDITIONS, *self._fields)
            row = asdict(assessment) | asdict(assessment.condition)
            new = {name: listed(row[name]) for name in names}
            changed = {
                name: column_value for name, column_value in new.items() if column_value != self._row.get(name)
            }
            if not changed:
                raise BadValue(Message("form.nothing_to_correct", field=field, value=repr(value)))
            self._row = self._store.amend(self._row, changed, reason=reason.strip())
        except WorkbenchError:
            self._entered, self._condition, self._side, self._fields, self._options = before
            self._typed, self._seen_last = typed, shown
            raise
        finally:
            self._look()
            self._tell()

    def history(self, field: str) -> list[dict[str, Any]]:
        """Changes of one field: by whom, when, from what to what, and why; oldest first.

        ``utc`` is when it was typed, where that is recorded, and ``entered`` when the record stored it.
        """
        return field_history(self._store.history(self._row) if self._row else [], field)

    # ------------------------------------------------------------------------------ what the rest is made of
    def lacking(self) -> list[str]:
        """What must be chosen before saving: parts of the condition, the side, the mode."""
        names = [name for name in CONDITIONS if name not in self._condition]
        side = [] if self._side or self._definition.sides == ("",) else ["side"]
        mode = [] if self._fields.get("mode") or not self._definition.modes else ["mode"]
        return [*names, *side, *mode]

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The measure, how much is entered, the condition, and the total."""
        chosen = ", ".join(
            f"{name.replace('_', ' ')}: {'yes' if on else 'no'}" for name, on in self.condition.items()
        )
        codes = [item.code for item in self._definition.items]
        total = self.result.get("total") or {}
        return f"{self._definition.title} {self._definition.version}", [
            ("where", " · ".join(self.place)),
            ("entered", f"{sum(self.items.get(code) is not None for code in codes)} of {len(codes)} items"),
            ("condition", chosen or "not chosen"),
            ("side", self.side),
            ("total", total.get("value")),
            ("saved", self.saved),
        ]

    def _open(self) -> None:
        self._same_visit()
        if self.saved:
            raise Refused(Message("form.is_saved"))

    def _same_visit(self) -> None:
        """Refuse an entry for one participant during a session of another."""
        running = self._session() if self._session is not None else None
        if running is not None and running[0] != self._visit_id:
            own = " · ".join(self.place[1:]) or self._visit_id
            raise Refused(Message("form.other_session", own=own, running=running[1]))

    def _no_side(self, got: object) -> Message:
        return Message("form.one_of", name="side", allowed=self._definition.sides, value=repr(got))

    def _checked(self, item: str, value: Any) -> Any:
        """The value as the definition accepts it, by the same rule as in scoring."""
        return self._definition.check(item, value)

    def _apply(self, field: str, value: Any, cause: str) -> None:
        """Set one field, whether an item, a part of the condition or a circumstance."""
        if field in CONDITIONS:
            if not isinstance(value, bool):
                raise BadValue(Message("form.true_or_false", name=field, value=repr(value)))
            self._condition = {**self._condition, field: value}
        elif field == "side":
            if value not in self._definition.sides:
                raise BadValue(self._no_side(value))
            self._side = value
        elif field in field_names():
            self._fields = {**self._fields, field: check_field(self._definition, field, value)}
        else:
            self._entered = {**self._entered, field: self._checked(field, value)}

    def _change(self, values: Mapping[str, Any]) -> None:
        self._remember()
        self._entered = {**self._entered, **values}
        self._keep()

    def _shown(self) -> dict[str, Any]:
        """Every field with a value: items, condition, side and circumstances."""
        side = {"side": self._side} if self._side else {}
        entered = {code: value for code, value in self._entered.items() if value is not None}
        return {**entered, **self._condition, **side, **self._fields}

    def _stamp(self) -> None:
        """Note when each field got its value: the record itself only knows when all of them were saved."""
        shown, last, now = self._shown(), self._seen_last, utc_now()
        fresh = {name: now for name, value in shown.items() if name not in last or last[name] != value}
        self._typed = {name: at for name, at in {**self._typed, **fresh}.items() if name in shown}
        self._seen_last = shown

    def _options_kept(self) -> dict[str, Any]:
        """What is stored under ``options``: those in force, and when each field was typed."""
        return {**self._options, **({TYPED: dict(self._typed)} if self._typed else {})}

    def _remember(self) -> None:
        self._undo = [*self._undo[-UNDO_DEPTH:], (self._entered, self._options)]

    def _without_reasons(self) -> dict[str, Any]:
        return self._options

    def _missing(self) -> list[str]:
        return [item.code for item in self._definition.items if self._entered.get(item.code) is None]

    def _scored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return plain(self._score(values, **self._options) if self._options else self._score(values))

    def _assessment(self, missing: Sequence[str]) -> Assessment:
        items = (*self._definition.items, *self._definition.extras)
        values = {item.code: self._entered.get(item.code) for item in items}
        score = self._scored(values)
        return Assessment(
            visit_id=self._visit_id,
            measure=self._definition.name,
            version=self._definition.version,
            condition=Condition(**self._condition),
            items=values,
            score=score,
            side=self._side,
            implied=tuple(score.get("implied", ())),
            state="incomplete" if missing else "complete",
            options=self._options_kept(),
            alerts=tuple(score.get("alerts", ())),
            **self._fields,
        )

    def _draft(self) -> Row:
        values = {code: value for code, value in self._entered.items() if value is not None}
        row = {"visit_id": self._visit_id, "measure": self._definition.name, "version": self._definition.version}
        condition = {name: self._condition.get(name) for name in CONDITIONS}
        more = {"items": values, "score": {}, "side": self._side, "options": self._options_kept()}
        return {**row, **condition, **more, **self._fields}

    def _keep(self) -> None:
        """Store the draft and update the page; a draft that cannot be stored stays on the page, with the fault."""
        # The time of the first entry, not of saving: an assessment may be saved long after it was administered.
        if self._entered and not self._fields["administered_at"]:
            self._fields = {**self._fields, "administered_at": utc_now()}
        self._stamp()
        try:
            self._row = self._store.keep(self._draft(), row=self._row)
            self._fault, self._unkept = self._row.get("fault", ""), False
        except WorkbenchError as error:
            self._fault, self._unkept = messages.of(error), True
        self._tell()

    def _take(self, row: Row) -> None:
        self._row = row
        self._entered = dict(row["items"])
        self._condition = {name: row[name] for name in CONDITIONS if row.get(name) is not None}
        self._side, self._options = row["side"], dict(row["options"])
        self._typed = dict(self._options.pop(TYPED, {}))
        self._fields |= {name: row[name] for name in self._fields if name in row}
        self._seen_last = self._shown()

    def _look(self) -> None:
        """Read the assessments of this measure at this visit from the store."""
        self._rows = self._store.stored(self._definition.name)
        self.stored = [
            {
                **{name: row.get(name) for name in (*STORED, *CONDITIONS)},
                "id": row["id"] or row.get("file", ""),
                "kept_at": row.get("kept_at", ""),
                "n": sum(value is not None for value in row["items"].values()),
                "where": row.get("where", ""),
            }
            for row in self._rows
        ]

    def _tell(self) -> None:
        row = self._row or {}
        # One message with all traits: a page must never show the total of one entry beside the items of another.
        with self.hold_sync():
            self.items = dict(self._entered)
            self.condition = dict(self._condition)
            self.side = self._side
            self.fields = {**self._fields, "options": dict(self._options)}
            self.undoable = len(self._undo)
            self.kept = {
                **{name: row.get(name, "") for name in ("id", "where", "kept_at", "state", "rater")},
                **({"where": ""} if self._unkept else {}),
                "fault": self._fault,
                "saved": self.saved,
                "lacking": self.lacking(),
                "missing": self._missing(),
            }
            self.result = self._result()

    def _result(self) -> dict[str, Any]:
        try:
            return self._scored(self._entered)
        except WorkbenchError as error:
            return {"error": messages.of(error)}


def plain(thing: Any) -> dict[str, Any]:
    """A mapping, a dataclass or an object with ``to_json`` as a dict."""
    if isinstance(thing, Mapping):
        return dict(thing)
    return dict(thing.to_json()) if hasattr(thing, "to_json") else asdict(thing)


def _nowhere(assessment: Assessment) -> str:
    raise Refused(Message("form.nowhere", measure=assessment.measure))
