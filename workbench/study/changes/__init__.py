"""Every change of the record that people make, one dataclass each; see :meth:`workbench.study.Study.apply`.

The folder is the register: a change is a public class of one of its modules that comes from
:class:`workbench.study.applying.Change`. Each can be imported from here by its name; ``ALL`` has them by name.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from workbench.study.applying import Change
from workbench.study.changes._fields import from_plain, from_text, plain, required, typed_fields

ALL: dict[str, type[Change]]
"""Every change by its name; made when it is first asked for."""
__all__ = ["from_plain", "from_text", "plain", "required", "typed_fields"]


@cache
def _all() -> dict[str, type[Change]]:
    found: dict[str, type[Change]] = {}
    for module in iter_modules(__path__):
        if not module.name.startswith("_"):
            content = vars(import_module(f"{__name__}.{module.name}"))
            found |= {name: kind for name, kind in content.items() if _is_change(kind) and name[0] != "_"}
    return dict(sorted(found.items()))


def _is_change(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Change) and kind is not Change


def __getattr__(name: str) -> Any:
    """A change by its name, or all of them."""
    if name == "ALL":
        return _all()
    if name[:1].isupper() and name in _all():
        return _all()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every public name."""
    return sorted([*__all__, "ALL", *_all()])
