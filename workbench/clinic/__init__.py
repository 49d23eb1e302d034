"""Clinic mode: the record behind a service of another account, and the client that asks it.

One process, run by an account of its own, opens the record and holds its keys and the secrets of the randomisation
(:class:`Service`, ``workbench serve``). Everybody else asks it with a token that a password gives
(:class:`Client`): there roles, sites, concealment and signatures are enforced and not only shown.
``docs/clinic_mode.md`` says how a site sets it up, and what it protects from whom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import registry

if TYPE_CHECKING:
    from workbench.clinic.client import Client
    from workbench.clinic.readers import Reader
    from workbench.clinic.service import Service

__all__ = ["Client", "Reader", "Service"]

_LAZY = {
    "Client": "workbench.clinic.client",
    "Reader": "workbench.clinic.readers",
    "Service": "workbench.clinic.service",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    return registry.public_name(globals(), _LAZY, name)


def __dir__() -> list[str]:
    """Every public name."""
    return sorted(__all__)
