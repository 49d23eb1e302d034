"""Registry folders: the folder is the register. And packages whose public names load when first asked for.

A file is an entry, its file name is its name, and it defines one constant. No decorator, no import
side effect, no list to forget.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import BadValue, UnknownName
from workbench.messages import Message


def available(package: str) -> tuple[str, ...]:
    """Names of the entries of a registry folder, sorted.

    Parameters
    ----------
    package : str
        Dotted name, for example ``"workbench.decoders"``. Files whose name starts with an underscore
        are not entries. Other packages add entries through an entry-point group of the same name.
    """
    return tuple(sorted(_own(package) | {entry.name for entry in _foreign(package)}))


def load(package: str, name: str, constant: str) -> Any:
    """Import one entry and return its constant.

    Parameters
    ----------
    package : dotted name of the registry folder.
    name : of the entry.
    constant : name of the constant that it defines.

    Raises
    ------
    UnknownName
        When the folder has no such file; the text lists those it has.
    BadValue
        When two entries have that name: none is picked, least of all in place of one of ours. When the file lacks
        the constant.
    """
    modules = [entry.module for entry in _foreign(package) if entry.name == name]
    if name in _own(package):
        modules.append(f"{package}.{name}")
    if not modules:
        known = list(available(package))
        raise UnknownName(Message("registry.no_entry", package=package, name=repr(name), known=known))
    if len(modules) > 1:
        raise BadValue(
            Message("registry.twice", package=package, n=len(modules), name=repr(name), modules=list(modules))
        )
    module = import_module(modules[0])
    if not hasattr(module, constant):
        raise BadValue(Message("registry.no_constant", module=modules[0], constant=constant))
    return getattr(module, constant)


class Origin(NamedTuple):
    """Where an entry comes from: the installed distribution, its version, and the hash of the module's file.

    Attributes
    ----------
    distribution, version : ``""`` where the entry belongs to no distribution that is installed.
    sha256 : of the file that defines it.
    """

    distribution: str
    version: str
    sha256: str


def origin(package: str, name: str, *, own: tuple[str, str]) -> Origin:
    """Where an entry comes from.

    Parameters
    ----------
    package, name : of the entry, which can be loaded.
    own : distribution and version of the folder's own entries.
    """
    entry = next((entry for entry in _foreign(package) if entry.name == name), None)
    if entry is None:
        module, (distribution, version) = f"{package}.{name}", own
    else:
        module = entry.module
        distribution, version = (entry.dist.name, entry.dist.version) if entry.dist is not None else ("", "")
    content = Path(str(import_module(module).__file__)).read_bytes()
    return Origin(distribution, version, hashlib.sha256(content).hexdigest())


def public_name(package: dict[str, Any], homes: Mapping[str, str], name: str) -> Any:
    """A public name of a package, imported when it is first asked for and kept (PEP 562).

    Parameters
    ----------
    package : its ``globals()``.
    homes : public name → dotted name of its module.
    name : what is asked for.

    Raises
    ------
    AttributeError
        When it is not public.
    """
    if name not in homes:
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
    value = getattr(import_module(homes[name]), name)
    # Kept in the module, so that its __getattr__ is not asked a second time.
    package[name] = value
    return value


def _foreign(package: str) -> tuple[EntryPoint, ...]:
    """Entries that other packages bring."""
    return _installed(package, tuple(map(_folder, sys.path)))


@lru_cache(maxsize=32)
def _installed(package: str, folders: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Those entries."""
    return tuple(_all_installed(folders).select(group=package))


@lru_cache(maxsize=1)
def _all_installed(_folders: tuple[tuple[str, int], ...]) -> Any:
    """Entries of every package, read again only when one comes or goes: to look through all there are takes 5 ms.

    Python 3.11 and 3.12 return objects of different classes; both can select.
    """
    return entry_points()


def _folder(path: str) -> tuple[str, int]:
    """A folder of packages, and when it last changed."""
    with suppress(OSError):
        return path, Path(path or ".").stat().st_mtime_ns
    return path, 0


def _own(package: str) -> set[str]:
    """Names of the files of a registry folder that are entries; a folder with an ``__init__`` is one as well."""
    with os.scandir(Path(str(import_module(package).__file__)).parent) as entries:
        files = [entry for entry in entries if not entry.name.startswith("_")]
    names = {entry.name.removesuffix(".py") for entry in files if entry.name.endswith(".py")}
    folders = (entry for entry in files if entry.is_dir())
    return names | {entry.name for entry in folders if os.path.exists(os.path.join(entry.path, "__init__.py"))}
