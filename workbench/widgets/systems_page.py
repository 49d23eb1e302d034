"""The systems that a study may follow: a card for each, one of them in full, and the way to the wizard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets

from workbench.widgets._base import SYNCED, Panel, compose, styles


class SystemsPage(Panel):
    """All systems of the register in a fixed order, never ranked, and one of them with all that it states.

    Parameters
    ----------
    systems : each as ``workbench.systems.described`` gives it.
    make : drafts a protocol of the named system in the wizard of a new study; None where there is no wizard.

    Traits
    ------
    systems : as given. makes : whether there is a wizard.
    """

    _esm = compose("parts/dom", "parts/icons", "parts/entry", "parts/chain", "systems_page")
    _css = styles("panels", "systems")

    systems: traitlets.List[Any] = traitlets.List().tag(**SYNCED)
    makes = traitlets.Bool().tag(sync=True)

    def __init__(
        self, systems: Sequence[Mapping[str, Any]], make: Callable[[str], None] | None = None, **traits: Any
    ) -> None:
        super().__init__(**traits)
        self._make = make
        self.systems = list(systems)
        self.makes = make is not None

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The names and titles of all."""
        return "Systems", [(one["name"], str(one["title"])) for one in self.systems]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """A study of a system, where there is a wizard."""
        return {} if self._make is None else {"make": self.make}

    def make(self, system: str) -> None:
        """Draft a protocol of a system in the wizard.

        Parameters
        ----------
        system : name of one.
        """
        if self._make is not None:
            self._make(str(system))
