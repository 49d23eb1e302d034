"""Column types on TEXT, INTEGER, REAL and BLOB: all that a STRICT table takes; in PostgreSQL what equals them.

Each refuses what it does not mean instead of coercing it, and stores exactly one form of a value, so
that what is read back equals, bit for bit, what the audit chain committed to.
"""

from __future__ import annotations

import math
import numbers
from typing import Any

from sqlalchemy import BLOB, INTEGER, REAL, TEXT
from sqlalchemy.dialects.postgresql import BIGINT, BYTEA, DOUBLE_PRECISION
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from workbench import reading
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message, carried, restored
from workbench.study.chain import canonical, clean, clean_text

JSON_COLUMN = Message("file.noun_json_column")


class StrictType(TypeDecorator[Any]):
    """Base of the column types of the record: :meth:`stored` on the way in, :meth:`seen` on the way out."""

    impl: Any = TEXT
    cache_ok = True
    # Equal and in order by their bytes, whatever the language of the database.
    on_server: TypeEngine[Any] = TEXT(collation="C")

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Called by SQLAlchemy for the type in a database."""
        return self.on_server if dialect.name == "postgresql" else self.impl_instance

    def stored(self, value: Any) -> Any:
        """The value as SQLite keeps it. Raises BadValue for one the column does not take."""
        return value

    def seen(self, value: Any) -> Any:
        """The Python value of what SQLite kept."""
        return value

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Called by SQLAlchemy on the way in."""
        return None if value is None else self.stored(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Called by SQLAlchemy on the way out."""
        return None if value is None else self.seen(value)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """Asked by SQLAlchemy for what is done with each value; nothing, where it is kept as it is seen."""
        # A long record is millions of texts: a call for each was half of the time in which a table is read.
        if type(self).seen is StrictType.seen:
            return self.type_engine(dialect).result_processor(dialect, coltype)
        return super().result_processor(dialect, coltype)


class Text(StrictType):
    """Text in Unicode normal form C."""

    cache_ok = True

    def stored(self, value: Any) -> str:
        """Refuses anything but text, and U+0000, which PostgreSQL cannot keep."""
        if not isinstance(value, str):
            raise BadValue(Message("study.text_expected", kind=type(value).__name__, got=f"{value!r:.80}"))
        if "\0" in value:
            raise BadValue(Message("store.nul", got=f"{value!r:.80}"))
        return clean_text(value)


class Integer(StrictType):
    """An integer of at most 64 bits."""

    impl: Any = INTEGER
    cache_ok = True
    on_server = BIGINT()

    def stored(self, value: Any) -> int:
        """Refuses True and False, fractions, and numbers beyond 64 bits."""
        integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not integer or not -(2**63) <= int(value) < 2**63:
            raise BadValue(Message("study.integer_expected", got=f"{value!r:.80}"))
        return int(value)


class _Int(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "INT"


class Key(Integer):
    """An integer as a key, spelt ``INT``.

    SQLite turns ``INTEGER PRIMARY KEY`` into the row's address and leaves a dead byte in its place, in which
    a flipped bit changes nothing that could be noticed; ``INT`` stores the number itself.
    """

    impl = _Int
    cache_ok = True


class Flag(StrictType):
    """Yes or no, as 1 or 0."""

    impl = INTEGER
    cache_ok = True
    on_server = BIGINT()

    def stored(self, value: Any) -> int:
        """Refuses anything but True and False."""
        if not isinstance(value, bool):
            raise BadValue(Message("study.truth_expected", got=f"{value!r:.80}"))
        return int(value)

    def seen(self, value: Any) -> bool:
        """True or False."""
        return bool(value)


class Number(StrictType):
    """A finite float64; minus zero is stored as zero, because SQLite does not keep its sign."""

    impl = REAL
    cache_ok = True
    on_server = DOUBLE_PRECISION()

    def stored(self, value: Any) -> float:
        """Refuses True and False, NaN and infinities."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise BadValue(Message("study.number_expected", got=f"{value!r:.80}"))
        # -0.0 + 0.0 is 0.0.
        return float(value) + 0.0


class Json(StrictType):
    """Plain data as canonical JSON text, made in Python and never by the database; messages keep their codes."""

    cache_ok = True

    def stored(self, value: Any) -> str:
        """Refuses what JSON cannot hold, and NaN."""
        return canonical(clean(carried(value)))

    def seen(self, value: Any) -> Any:
        """Plain data; :class:`RecordFault` for a text that somebody else put there."""
        return restored(reading.parse_json(value, JSON_COLUMN, error=RecordFault))


class Blob(StrictType):
    """Bytes."""

    impl = BLOB
    cache_ok = True
    on_server = BYTEA()
