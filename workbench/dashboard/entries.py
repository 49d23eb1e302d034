"""What a page sends, checked for its kind and size, and what its forms of safety events start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study import Study

NAMED = {"CN": "CN", "US": "US"}
"""Country of the sites of a study under the rules of one jurisdiction."""


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


def whole_row(study: Study, row: Mapping[str, Any]) -> dict[str, Any]:
    """An event or a deficiency as a form shows it, with the pseudonym of whom it is about.

    Parameters
    ----------
    study : the open record.
    row : of the event or deficiency.
    """
    owner = row["participant_id"]
    return {**row, "participant": study.get("participant", owner)["pseudonym"] if owner else ""}


def country_of(study: Study) -> str:
    """The country that was stated last, else that of the protocol's one jurisdiction; ``""`` where it is open.

    Parameters
    ----------
    study : the open record.
    """
    stated = study.rows("awareness")
    if stated:
        return str(stated[-1]["country"])
    versions = study.rows("protocol_version")
    under = versions[-1]["definition"]["study"].get("jurisdictions", []) if versions else []
    return NAMED.get(under[0], "") if len(under) == 1 else ""
