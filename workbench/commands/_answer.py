"""Machine-readable answers: one shape for all commands, described in ``docs/commands.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from workbench import __version__


def as_json(command: str, result: object, *, ok: bool) -> str:
    """The answer of a command as one JSON object: ``command``, ``workbench``, ``ok`` and ``result``.

    Parameters
    ----------
    command : as it was typed, without its arguments.
    result : of the command: a dataclass, a mapping, a sequence, or a plain value.
    ok : whether the exit code is 0.
    """
    answer = {"command": command, "workbench": __version__, "ok": ok, "result": plain(result)}
    return json.dumps(answer, indent=1, ensure_ascii=False, allow_nan=False)


def plain(value: object) -> Any:
    """A value as JSON has it: dataclasses as objects, paths as text, numbers that are not finite as null."""
    # A dataclass itself, not an instance, passes is_dataclass too.
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    # JSON has no NaN; what Python writes for it would break other readers.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
