"""The six verbs are the public Python API."""

from __future__ import annotations

import importlib

import pytest

import workbench as wb


@pytest.mark.parametrize("verb", ["acquire", "decode", "append", "score", "estimate", "report"])
def test_each_verb_is_a_function_however_its_room_was_imported(verb):
    for room in ("live", "decode", "study", "outcomes", "analysis", "reports"):
        importlib.import_module(f"workbench.{room}")
    assert callable(getattr(wb, verb))
    assert verb in dir(wb)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        wb.guess  # noqa: B018
