"""What stands in the way of the lock of a study, as the page lists it and the lock refuses."""

from __future__ import annotations

from workbench import world
from workbench.study.completeness import signed_rows
from workbench.study.lock_conditions import conditions


def found(study):
    signed = signed_rows(row["targets"] for row in study.rows("signature"))
    every = conditions(
        study, world.clock.now(), signed=lambda table, row: (table, row["id"], row["row_version"]) in signed
    )
    return {one.name: one.people for one in every}


def test_each_open_point_names_whom_it_is_about(study):
    (query,) = study.rows("query")
    (event,) = study.rows("adverse_event")
    told = found(study)
    assert list(told) == ["queries", "entries", "unsigned", "unsent", "uncoded", "serious"]
    assert told["queries"] == (query["participant_id"],)
    assert told["uncoded"] == told["serious"] == (event["participant_id"],)
    assert len(told["unsigned"]) >= 1
