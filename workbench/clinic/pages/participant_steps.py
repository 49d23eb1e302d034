"""What leads a participant through the trial from their page.

Eligibility, the days that visits count from, randomisation, and the forms of the protocol that are filled in
there.
"""

from __future__ import annotations

from typing import Any

from workbench.study.forms import Item
from workbench.study.protocol import ANCHORS, Protocol


def steps_of(record: Any, participant_id: str, protocol: Protocol | None, *, randomised: bool) -> dict[str, Any]:
    """The steps of one participant; empty while no protocol is in force for them.

    Parameters
    ----------
    record : as who asks sees it.
    participant_id : whose.
    protocol : that they take part under, None without one.
    randomised : whether they were, which tells no arm.

    Returns
    -------
    dict
        ``criteria`` as ``{"id", "text", "kind", "answer"}``; ``anchors`` as ``{"name", "day"}``; ``strata``, the
        levels of each factor; ``randomised``, which tells no arm; ``forms`` by name as ``{"items", "twice"}``,
        those of the protocol that have items of their own.
    """
    if protocol is None:
        return {}
    design = protocol.design()
    of = {"participant_id": participant_id}
    answers = {row["criterion"]: row["answer"] for row in record.rows("eligibility", **of)}
    days = {row["anchor"]: row["day"] for row in record.rows("anchor_day", **of)}
    return {
        "criteria": [
            {"id": one.id, "text": one.text, "kind": one.kind, "answer": answers.get(one.id, "")}
            for one in protocol.criteria
        ],
        "anchors": [{"name": name, "day": days.get(name, "")} for name in ANCHORS],
        "strata": {} if design is None else {name: list(levels) for name, levels in design.strata.items()},
        "randomised": randomised,
        "may_randomise": design is not None,
        "forms": {
            form.name: {"items": [_item(one) for one in form.items], "twice": form.double_entry}
            for form in protocol.forms
            if form.items
        },
    }


def _item(one: Item) -> dict[str, Any]:
    """An item as a page asks for it."""
    return {
        "name": one.name, "label": one.label, "kind": one.kind, "unit": one.unit, "choices": list(one.choices),
        "required": one.required,
    }  # fmt: skip
