"""What a page sends, checked for its kind and size."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.errors import BadValue
from workbench.messages import Message


def typed(fields: Mapping[str, str], *, longest: int) -> dict[str, str]:
    """Fields that a page sent, which may be anything.

    Parameters
    ----------
    fields : as they came.
    longest : characters of one field.

    Raises
    ------
    BadValue
        Where they are no texts by name, or one is too long.
    """
    if not isinstance(fields, Mapping) or not all(isinstance(one, str) for one in (*fields, *fields.values())):
        raise BadValue(Message("participant.fields"))
    long = [name for name, value in fields.items() if len(value) > longest]
    if long:
        raise BadValue(Message("participant.long", field=f"{long[0]:.60}", most=longest))
    return dict(fields)
