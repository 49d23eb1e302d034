"""The folder is the register, for every registry folder alike."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from workbench import registry
from workbench.errors import BadValue, UnknownName

ROOM = "workbench.control"
FOREIGN = EntryPoint("glove", "workbench.control.cursor", ROOM)
MORE = EntryPoint("more", "workbench.control.cursor", ROOM)


@pytest.fixture
def installed(monkeypatch):
    """Entries that another package brings."""
    entries = []

    def entry_points(*, group, name=None):
        return [entry for entry in entries if entry.group == group and name in (None, entry.name)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    return entries


def test_an_entry_of_another_package_is_listed_and_loaded(installed):
    installed.append(MORE)
    assert "more" in registry.available(ROOM)
    assert registry.load(ROOM, "more", "EFFECTOR").name == "cursor"


def test_an_entry_of_another_package_never_takes_the_place_of_ours(installed):
    installed.append(FOREIGN)
    with pytest.raises(BadValue, match="2 entries 'glove' .workbench.control.cursor, workbench.control.glove"):
        registry.load(ROOM, "glove", "EFFECTOR")


def test_two_packages_with_one_name_are_refused(installed):
    installed += [MORE, MORE]
    with pytest.raises(BadValue, match="2 entries 'more'.*uninstall all but one"):
        registry.load(ROOM, "more", "EFFECTOR")


def test_an_unknown_entry_lists_those_there_are(installed):
    with pytest.raises(UnknownName, match="no entry 'arm'; available: cursor, glove"):
        registry.load(ROOM, "arm", "EFFECTOR")
    assert not [name for name in registry.available(ROOM) if name.startswith("_")]
