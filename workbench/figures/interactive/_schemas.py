"""jsonschema, started without a grammar that takes a second to build and that hardly anybody asks for.

A notebook shows a figure by means of nbformat, which plotly imports, and that imports jsonschema. To check
internationalised addresses (RFC 3987) jsonschema imports a package that builds a grammar at once. No schema of a
notebook names that format; code of a notebook may, so the check stays and the grammar waits for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

GRAMMAR = "rfc3987_syntax"


def start() -> None:
    """Import jsonschema, if it is installed; its check of addresses builds the grammar at its first use.

    Where jsonschema or the grammar was imported before, nothing is left to save.
    """
    if "jsonschema" in sys.modules or find_spec("jsonschema") is None:
        return
    late = GRAMMAR not in sys.modules and find_spec(GRAMMAR) is not None
    if late:
        sys.modules[GRAMMAR] = _late()
    try:
        import_module("jsonschema")
    finally:
        if late:
            del sys.modules[GRAMMAR]


def _late() -> ModuleType:
    """What jsonschema takes for the package: the one function that it asks for."""

    def is_valid_syntax(term: str, value: str) -> bool:
        return bool(import_module(GRAMMAR).is_valid_syntax(term, value))

    stand_in = ModuleType(GRAMMAR)
    stand_in.__dict__["is_valid_syntax"] = is_valid_syntax
    return stand_in
