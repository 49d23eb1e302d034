"""What a stress test of hours has counted, in a file that it goes on from when it was ended before its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue


class Kept:
    """Counts by the name of a part, each with the number of its cases that were tried.

    Parameters
    ----------
    file : where they are kept; None keeps them for this run alone.
    what : name of the test.
    about : seed and sizes of the run: the file of another one is refused.

    Raises
    ------
    BadValue
        For a file of another run, or one that is no such file or cannot be written.
    """

    def __init__(self, file: Path | None, what: str, about: Mapping[str, Any]) -> None:
        self._file, self._about = file, {"format": f"workbench stress {what} 1", **about}
        self._parts: dict[str, dict[str, Any]] = {}
        if file is not None and reading.is_there(file, "--keep"):
            self._read(file)
        self._write()

    def counts(self, part: str) -> dict[str, Any]:
        """What a part has counted so far; empty before its first case."""
        return dict(self._parts.get(part, {}))

    def add(self, part: str, cases: int, counts: Mapping[str, Any]) -> None:
        """Add what some cases counted: numbers are summed, lists are joined.

        Parameters
        ----------
        part : its name.
        cases : that were tried.
        counts : by name.
        """
        before = self._parts.get(part, {})
        added = {name: before.get(name, type(value)()) + value for name, value in counts.items()}
        self._parts[part] = {"cases": before.get("cases", 0) + cases, **added}
        self._write()

    def left(self, part: str, total: int, most: int) -> Iterator[tuple[int, int]]:
        """First case and number of cases of each batch that was not tried yet.

        Parameters
        ----------
        part : its name.
        total : cases of the whole part.
        most : cases of a batch.
        """
        for first in range(int(self.counts(part).get("cases", 0)), total, most):
            yield first, min(most, total - first)

    def _read(self, file: Path) -> None:
        shown = reading.shown(file)
        kept = reading.parse_json(reading.read_text(file, "--keep", largest=reading.LARGEST_TEXT), "--keep")
        parts = kept.get("parts") if isinstance(kept, Mapping) else None
        if not isinstance(parts, Mapping) or not all(_is_counted(one) for one in parts.values()):
            raise BadValue(
                f"--keep {shown} holds no run of a stress test; name the file of such a run, or a new one"
            )
        for name, value in self._about.items():
            if kept.get(name) != value:
                other = f"{name} {str(kept.get(name))[:60]}"
                raise BadValue(
                    f"--keep {shown} is of a run with {other}, and this one has {name} {value}; run that one, or "
                    "name a new file"
                )
        self._parts = {str(name): dict(one) for name, one in parts.items()}

    def _write(self) -> None:
        if self._file is None:
            return
        text = json.dumps({**self._about, "parts": self._parts}, indent=1, ensure_ascii=False)
        try:
            world.disk.save(self._file, (text + "\n").encode())
        except OSError as error:
            shown = reading.shown(self._file)
            raise BadValue(f"--keep {shown} cannot be written ({error.strerror}); name another") from error


def _is_counted(part: Any) -> bool:
    """Whether a part is what :meth:`Kept.add` left: whole numbers that are not negative, and lists of texts."""
    return isinstance(part, Mapping) and all(
        all(isinstance(one, str) for one in value)
        if isinstance(value, list)
        else type(value) is int and value >= 0
        for value in part.values()
    )
