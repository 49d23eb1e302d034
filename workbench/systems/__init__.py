"""Ready systems of a session: which streams, paradigm, decoder and effector, and who plays them.

The folder is the register; an entry defines ``SYSTEM``, which makes a :class:`System` from what is particular to a
session, such as a seed or files. A clinical study writes its own plan.
"""

from collections.abc import Callable

from workbench import registry
from workbench.systems._system import System

__all__ = ["System", "available", "load"]


def available() -> tuple[str, ...]:
    """Names of the systems."""
    return registry.available(__name__)


def load(name: str) -> Callable[..., System]:
    """What makes the system of that name; raises :class:`~workbench.errors.UnknownName` when there is none."""
    make: Callable[..., System] = registry.load(__name__, name, "SYSTEM")
    return make
