"""The page of systems, led to the wizard of a new study."""

from __future__ import annotations

from workbench import systems
from workbench.widgets import NewStudy, SystemsPage


def systems_page(wizard: NewStudy | None = None) -> SystemsPage:
    """Every system of the register, from which the wizard drafts a protocol.

    Parameters
    ----------
    wizard : of the new study, shown on the same page; None for a page that only shows.
    """
    every = [systems.described(systems.load(name)) for name in systems.available()]
    return SystemsPage(every, make=None if wizard is None else wizard.draft)
