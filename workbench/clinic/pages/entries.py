"""What forms of safety events start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMED = {"CN": "CN", "US": "US"}
"""Country of the sites of a study under the rules of one jurisdiction."""


def whole_row(record: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """An event or a deficiency as a form shows it, with the pseudonym of whom it is about.

    Parameters
    ----------
    record : as who asks sees it.
    row : of the event or deficiency.
    """
    owner = row["participant_id"]
    return {**row, "participant": record.get("participant", owner)["pseudonym"] if owner else ""}


def country_of(record: Any) -> str:
    """The country that was stated last, else that of the protocol's one jurisdiction; ``""`` where it is open.

    Parameters
    ----------
    record : as who asks sees it.
    """
    stated = record.rows("awareness")
    if stated:
        return str(stated[-1]["country"])
    versions = record.rows("protocol_version")
    under = versions[-1]["definition"]["study"].get("jurisdictions", []) if versions else []
    return NAMED.get(under[0], "") if len(under) == 1 else ""
