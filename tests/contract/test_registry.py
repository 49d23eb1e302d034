"""The folder is the register, for every registry folder alike."""

from __future__ import annotations

import pytest

from workbench import registry
from workbench.errors import BadValue, UnknownName

ROOM = "workbench.control"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package that brings an entry, as an installer leaves it on disk."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(package, name, module="workbench.control.cursor"):
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{ROOM}]\n{name} = {module}\n")

    return install


def test_an_entry_of_another_package_is_listed_and_loaded_once_it_is_installed(install):
    assert "more" not in registry.available(ROOM)
    install("first", "more")
    assert "more" in registry.available(ROOM)
    assert registry.load(ROOM, "more", "EFFECTOR").name == "cursor"


def test_an_entry_of_another_package_never_takes_the_place_of_ours(install):
    install("first", "glove")
    with pytest.raises(BadValue, match="2 entries 'glove' .workbench.control.cursor, workbench.control.glove"):
        registry.load(ROOM, "glove", "EFFECTOR")


def test_two_packages_with_one_name_are_refused(install):
    install("first", "more")
    install("second", "more")
    with pytest.raises(BadValue, match="2 entries 'more'.*uninstall all but one"):
        registry.load(ROOM, "more", "EFFECTOR")


def test_an_entry_without_its_constant_is_refused_with_the_remedy(install):
    install("first", "more", "workbench.control._profile")
    with pytest.raises(BadValue, match="_profile defines no EFFECTOR; end the file with EFFECTOR = …, or begin"):
        registry.load(ROOM, "more", "EFFECTOR")


def test_an_unknown_entry_lists_those_there_are():
    with pytest.raises(UnknownName, match="no entry 'arm'; available: cursor, cursor_2d, epidural"):
        registry.load(ROOM, "arm", "EFFECTOR")
    assert not [name for name in registry.available(ROOM) if name.startswith("_")]
