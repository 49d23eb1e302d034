"""A form saved over whatever version of it stands in the record."""

from __future__ import annotations

from dataclasses import replace


def over(study, change):
    """The change of a form, made for the version that stands there now."""
    where = {"visit_id": change.visit_id, "name": change.form, "instance": change.instance, "entry": change.entry}
    there = study.rows("form", **where)
    return replace(change, row_version=there[0]["row_version"] if there else 0)
