"""A certificate: what was tested, on what, fact by fact with what was measured and what is allowed."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from workbench import __version__
from workbench.devices import lsl
from workbench.errors import BadValue

FORMAT = 1
"""Version of the JSON form."""
LONGEST_PATH = 1000
"""Characters from which a word of a command line is no path."""


@dataclass(frozen=True, slots=True)
class Check:
    """One fact.

    Attributes
    ----------
    key : names it for programs.
    fact : what has to hold, a sentence.
    measured, allowed : with units.
    held : whether it holds.
    """

    key: str
    fact: str
    measured: str
    allowed: str
    held: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a test of conformance found.

    Attributes
    ----------
    kind : what was tested.
    subject : the command line, or the name of the stream (a presenter's: of its markers).
    files : path → SHA-256 of each file that the command line names.
    about : what else identifies the subject: profile and limits, or the announced header.
    checks : every fact.
    made_at : ISO 8601, UTC.
    versions : of the workbench, Python, liblsl and the system.
    host : name of the computer.
    """

    kind: Literal["effector", "presenter", "stream"]
    subject: str
    files: dict[str, str]
    about: dict[str, Any]
    checks: tuple[Check, ...]
    made_at: str
    versions: dict[str, str]
    host: str

    @property
    def held(self) -> bool:
        """Whether every fact holds, and there is one."""
        return bool(self.checks) and all(check.held for check in self.checks)

    def check(self, key: str) -> Check:
        """The fact of that key.

        Raises
        ------
        BadValue
            When it was not tested.
        """
        for check in self.checks:
            if check.key == key:
                return check
        raise BadValue(f"the certificate has no fact {key!r}; it has {', '.join(c.key for c in self.checks)}")

    def as_text(self) -> str:
        """The certificate for a reader."""
        head = [f"Conformance of the {self.kind} {self.subject}", f"{self.made_at}, on {self.host}"]
        head += [", ".join(f"{name} {version}" for name, version in self.versions.items())]
        head += [f"{name}: {value}" for name, value in self.about.items()]
        head += [f"SHA-256 {digest}  {path}" for path, digest in self.files.items()]
        rows = [("fact", "measured", "allowed", "held")]
        rows += [(c.fact, c.measured, c.allowed, "yes" if c.held else "NO") for c in self.checks]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        table = [
            "  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[3]]).rstrip() for row in rows
        ]
        failed = sum(not c.held for c in self.checks)
        verdict = (
            f"held: all {len(self.checks)} facts"
            if self.held
            else f"NOT HELD: {failed} of {len(self.checks)} facts"
        )
        return "\n".join([*head, "", *table, "", verdict, NOTE])

    def as_json(self) -> str:
        """The certificate for a program; ``held`` stands beside the fields."""
        return json.dumps({"format": FORMAT, "held": self.held, **asdict(self), "note": NOTE}, indent=1)

    def save(self, path: Path) -> tuple[Path, Path]:
        """Write ``path`` with the endings ``.json`` and ``.txt``; both paths.

        Raises
        ------
        OSError
            When they cannot be written.
        """
        as_json, as_text = places(path)
        as_json.write_text(self.as_json() + "\n", encoding="utf-8")
        as_text.write_text(self.as_text() + "\n", encoding="utf-8")
        return as_json, as_text


NOTE = (
    "Says what was measured on this computer at that time. An effector was tested by its own signed "
    "statements; whether they are true, a measurement at the machine shows. Research use; "
    "conformity with no regulation is claimed."
)


def places(path: Path) -> tuple[Path, Path]:
    """Where the two forms of a certificate go."""
    stem = path.with_suffix("") if path.suffix in (".json", ".txt") else path
    return stem.with_name(f"{stem.name}.json"), stem.with_name(f"{stem.name}.txt")


def made(
    kind: Literal["effector", "presenter", "stream"],
    subject: str,
    *,
    checks: Sequence[Check],
    about: dict[str, Any],
    command: Sequence[str] = (),
) -> Certificate:
    """A certificate with the present time and this computer.

    Parameters
    ----------
    kind, subject, about : what was tested.
    checks : every fact.
    command : command line whose files are hashed.
    """
    versions = {
        "workbench": __version__,
        "Python": platform.python_version(),
        "liblsl": str(lsl.check_library().version),
        "system": platform.platform(),
    }
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Certificate(kind, subject, _hashed(command), about, tuple(checks), now, versions, socket.gethostname())


def _hashed(command: Sequence[str]) -> dict[str, str]:
    """Path → SHA-256 of the program, of every file that the command line names, and of a module behind ``-m``."""
    found = {}
    for before, text in zip(("", *command), command):
        path = Path(shutil.which(text) or text) if len(text) < LONGEST_PATH else Path()
        if before == "-m":
            places = [Path(folder, *text.split(".")).with_suffix(".py") for folder in sys.path]
            path = next((place for place in places if place.is_file()), path)
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.absolute())] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
