"""Reading a protocol file: its tables key by key, all that is wrong with it told at once."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from workbench import messages, reading
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.chain import clean, clean_text
from workbench.study.nouns import LONGEST_NAME, UNSEEN, told

FARTHEST_DAY = 36_500
"""Days between a visit and its anchor."""
LONGEST_TEXT = 10_000
"""Characters of a text, such as the wording of a criterion."""
LARGEST_NUMBER = 1e12
"""Of a protocol, and of a value that is entered."""
MOST_TOLD = 20
"""Problems of one file that are told in words; the others are counted."""
MOST_COUNTED = 1000
"""Problems after which a file is read no further."""
CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
"""A name that becomes a column, a file name or a key: of an arm, a criterion, a form, an item."""


class BadProtocol(BadValue):
    """A protocol with problems.

    Parameters
    ----------
    where : names the file.
    problems : the first :data:`MOST_TOLD`, one sentence each.
    count : of all problems; one more than :data:`MOST_COUNTED` where reading ended there.
    """

    def __init__(self, where: str, problems: tuple[Message, ...], count: int) -> None:
        self.where, self.problems, self.count = where, problems, count
        if count > len(problems):
            n = Message("protocol.over", n=MOST_COUNTED) if count > MOST_COUNTED else count
            told = Message("protocol.problems_first", where=where, n=n, shown=len(problems), problems=problems)
        else:
            told = Message("protocol.problems", where=where, n=count, problems=problems)
        super().__init__(told)


@dataclass(slots=True)
class Problems:
    """What is wrong with the file that ``where`` names."""

    where: str
    found: list[Message] = field(default_factory=list)
    count: int = 0

    def add(self, where: str, what: Message) -> None:
        """Note a problem of one place of the file. Raises :class:`BadProtocol` when there are too many."""
        self.count += 1
        if len(self.found) < MOST_TOLD:
            self.found.append(Message("protocol.problem", where=where, what=what))
        if self.count > MOST_COUNTED:
            self.refuse()

    def refuse(self) -> None:
        """Raise :class:`BadProtocol` where there is any problem."""
        if self.count:
            raise BadProtocol(self.where, tuple(self.found), self.count)


def is_name(value: Any) -> bool:
    """Whether a value is one line that shows what it is, without blanks at its ends."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME
        and value == value.strip()
        and not any(unicodedata.category(character) in UNSEEN for character in value)
    )


def is_text(value: Any) -> bool:
    """Whether a value is a text of one or more lines, not blank, without control characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_TEXT
        and bool(value.strip())
        and not any(
            unicodedata.category(character) in ("Cc", "Cs") for character in value if character not in "\n\t"
        )
    )


def is_integer(value: Any) -> bool:
    """Whether a value is a integer of usable size; True is none."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def is_number(value: Any) -> bool:
    """Whether a value is a finite number of usable size; True is none."""
    return is_integer(value) or (
        isinstance(value, float) and math.isfinite(value) and abs(value) <= LARGEST_NUMBER
    )


def day_of(value: Any) -> date | None:
    """The date of a TOML date or of a text such as ``2026-12-01``; None for anything else."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


@dataclass(slots=True)
class Table:
    """One table of the file, taken key by key; a value that does not fit is noted and read as empty.

    Attributes
    ----------
    where : names the table in a sentence, such as ``"[[visit]] 'Week 4'"``.
    data : its keys and values.
    problems : of the file.
    is_root : whether it is the file itself.
    """

    where: str
    data: Mapping[str, Any]
    problems: Problems
    is_root: bool = False
    _asked: dict[str, None] = field(default_factory=dict)

    def problem(self, what: Message) -> None:
        """Note a problem of this table."""
        self.problems.add(self.where, what)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                self.problem(Message("protocol.unknown_key", key=told(key), allowed=list(self._asked)))

    def text(self, key: str) -> str:
        """A text of one or more lines."""
        value = self._take(key, Message("protocol.kind_text", most=LONGEST_TEXT), is_text, needed=True)
        return clean_text(value or "")

    def name(self, key: str, *, needed: bool = True) -> str:
        """A text of one line; one that is not needed may be empty."""
        what = Message("protocol.kind_name", most=LONGEST_NAME)
        value = self._take(key, what, lambda got: is_name(got) or (got == "" and not needed), needed=needed)
        return clean_text(value or "")

    def matching(self, key: str, pattern: re.Pattern[str], what: Message) -> str:
        """A text of a form.

        Parameters
        ----------
        key : of the table.
        pattern : that the whole text matches.
        what : the form in words.
        """
        value = self._take(
            key, what, lambda got: isinstance(got, str) and bool(pattern.fullmatch(got)), needed=True
        )
        return str(value or "")

    def code(self, key: str) -> str:
        """A name of letters, digits, ``_``, ``.`` and ``-``."""
        return self.matching(key, CODE, Message("protocol.kind_code"))

    def integer(self, key: str, *, most: int) -> int | None:
        """A integer between ``-most`` and ``most``; None without one."""
        what = Message("protocol.kind_integer", least=-most, most=most)
        value = self._take(key, what, lambda got: is_integer(got) and abs(got) <= most, needed=True)
        return None if value is None else int(value)

    def number(self, key: str, *, needed: bool = True) -> float | None:
        """A finite number; None without one."""
        value = self._take(key, Message("protocol.kind_number"), is_number, needed=needed)
        return None if value is None else float(value)

    def flag(self, key: str) -> bool:
        """True or false; false without one."""
        kind = Message("protocol.kind_flag")
        return self._take(key, kind, lambda got: isinstance(got, bool), needed=False) or False

    def day(self, key: str) -> date:
        """A date."""
        value = self._take(key, Message("protocol.kind_day"), lambda got: day_of(got) is not None, needed=True)
        return day_of(value) or date.min

    def word(self, key: str, allowed: tuple[str, ...]) -> str:
        """One word of a closed set."""
        what = Message("protocol.kind_word", allowed=allowed)
        return self._take(key, what, lambda got: isinstance(got, str) and got in allowed, needed=True) or ""

    def names(self, key: str, *, needed: bool = True, allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of different names, each of them allowed.

        Parameters
        ----------
        key : of the table.
        needed : whether the list must be there and hold something.
        allowed : the closed set; empty for any name.
        """
        what = Message("protocol.kind_words", allowed=allowed) if allowed else Message("protocol.kind_names")

        def fits(got: Any) -> bool:
            each = isinstance(got, list | tuple) and all(
                is_name(one) and one in (allowed or (one,)) for one in got
            )
            return each and (bool(got) or not needed)

        found = tuple(clean_text(one) for one in self._take(key, what, fits, needed=needed) or ())
        for again in repeated(found):
            self.problem(Message("protocol.twice", key=key, got=told(again)))
        return found

    def table(self, key: str, *, needed: bool = True) -> Table | None:
        """The table below a key; None without one."""
        value = self._take(key, Message("protocol.kind_table"), _is_table, needed=needed)
        return None if value is None else Table(self._below(key), value, self.problems)

    def tables(self, key: str, *, needed: bool = False) -> list[Table]:
        """The list of tables below a key, each named by its ``name`` or ``id``, or else by its number."""

        def fits(got: Any) -> bool:
            each = isinstance(got, list | tuple) and all(_is_table(one) for one in got)
            return each and (bool(got) or not needed)

        found = self._take(key, Message("protocol.kind_tables"), fits, needed=needed) or ()
        place = self._below(key, entries=True)
        return [Table(f"{place} {_called(one, n)}", one, self.problems) for n, one in enumerate(found, start=1)]

    def named(self) -> Table:
        """The same table with all its keys in normal form C, for keys that are names chosen by the protocol."""
        for key in self.data:
            if not is_name(key):
                self.problem(Message("protocol.key_no_name", got=told(key), most=LONGEST_NAME))
        named = [(clean_text(key), value) for key, value in self.data.items() if is_name(key)]
        for again in repeated(tuple(key for key, _ in named)):
            self.problem(Message("protocol.key_twice", got=told(again)))
        return Table(self.where, dict(named), self.problems)

    def plain(self, key: str) -> Mapping[str, Any]:
        """A table that others understand, as plain JSON data; empty without one."""
        value = self._take(key, Message("protocol.kind_table"), _is_table, needed=False)
        try:
            return dict(clean(value or {}))
        except BadValue as error:
            self.problems.add(self._below(key), Message("protocol.no_json", why=messages.of(error)))
            return {}

    def _take(self, key: str, what: Message, fits: Callable[[Any], bool], *, needed: bool) -> Any:
        self._asked[key] = None
        value = self.data.get(key)
        if value is None:
            if needed:
                self.problem(Message("protocol.missing", key=key, what=what))
            return None
        if not fits(value):
            self.problem(Message("protocol.type", key=key, what=what, got=told(value)))
            return None
        return value

    def _below(self, key: str, *, entries: bool = False) -> str:
        if self.is_root:
            return f"[[{key}]]" if entries else f"[{key}]"
        return f"{self.where}, {key}"


def repeated(names: tuple[str, ...]) -> list[str]:
    """Names that stand there more than once, each once; empty ones, which are noted already, are left out."""
    seen: set[str] = set()
    again: dict[str, None] = {}
    for name in names:
        if name and name in seen:
            again[name] = None
        seen.add(name)
    return list(again)


def is_too_deep(data: Any) -> bool:
    """Whether lists and tables are nested more than :data:`workbench.reading.DEEPEST` levels."""
    # Level by level and not by recursion, which deep nesting would exhaust.
    level = [data]
    for _ in range(reading.DEEPEST):
        below = [one.values() if isinstance(one, Mapping) else one for one in level]
        level = [one for inner in below for one in inner if isinstance(one, Mapping | list | tuple)]
        if not level:
            return False
    return True


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _called(entry: Mapping[str, Any], number: int) -> str:
    name = entry.get("name", entry.get("id"))
    return told(name) if isinstance(name, str) else str(number)
