"""Registry folders: the folder is the register.

A file is an entry, its file name is its name, and it defines one constant. No decorator, no import
side effect, no list to forget.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from workbench.errors import UnknownName


def available(package: str) -> tuple[str, ...]:
    """Names of the entries of a registry folder, sorted.

    Parameters
    ----------
    package : str
        Dotted name, for example ``"workbench.decoders"``. Files whose name starts with an underscore
        are not entries. Other packages add entries through an entry-point group of the same name.
    """
    folder = Path(str(import_module(package).__file__)).parent
    own = {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    return tuple(sorted(own | {e.name for e in entry_points(group=package)}))


def load(package: str, name: str, constant: str) -> Any:
    """Import one entry and return its constant.

    Raises
    ------
    UnknownName
        When the folder has no such file; the text lists those it has.
    """
    if name not in available(package):
        raise UnknownName(f"{package} has no entry {name!r}; available: {', '.join(available(package))}")
    for entry in entry_points(group=package, name=name):
        return getattr(import_module(entry.module), constant)
    return getattr(import_module(f"{package}.{name}"), constant)
