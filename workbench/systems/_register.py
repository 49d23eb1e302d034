"""The register of systems: the files of this folder, and the entry points of other packages."""

from __future__ import annotations

from typing import TypedDict

from workbench import __version__, registry
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.systems._system import System

ROOM = "workbench.systems"
OWN = ("sci-bci-workbench", __version__)


USUAL = "neo_hand"
"""The system of a study that names none."""


class Provenance(TypedDict):
    """Which description a session followed: kept in its plan and in each of its recordings."""

    name: str
    distribution: str
    version: str
    sha256: str


def available() -> tuple[str, ...]:
    """Names of the systems."""
    return registry.available(ROOM)


def load(name: str) -> System:
    """The system of that name.

    Raises
    ------
    UnknownName
        When there is none; the text lists those there are.
    BadValue
        When two packages bring it, or when its file describes no system of that name.
    """
    system = registry.load(ROOM, name, "SYSTEM")
    if not isinstance(system, System) or system.name != name:
        got = f"one named {system.name!r}" if isinstance(system, System) else type(system).__name__
        raise BadValue(Message("system.entry", name=repr(name), got=got))
    return system


def provenance(system: System) -> Provenance:
    """Where a system comes from; one that is not of the register has a name and nothing else."""
    # By value: a copy that was changed in a notebook must not pass under the hash of the file.
    if system.name not in available() or load(system.name) != system:
        return {"name": system.name, "distribution": "", "version": "", "sha256": ""}
    found = registry.origin(ROOM, system.name, own=OWN)
    return {"name": system.name, **found._asdict()}  # type: ignore[typeddict-item]
