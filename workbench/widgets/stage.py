"""The layout of a page: a shell that stays, and the view below it."""

from __future__ import annotations

from typing import Any

from ipywidgets import VBox

from workbench.widgets._base import Panel


class Stage(VBox):  # type: ignore[misc]
    """A shell with one view below it; the view follows the language and the theme of the shell.

    Parameters
    ----------
    shell : stays on every view (the live session's screen: identity, alarms, STOP).
    """

    def __init__(self, shell: Panel, **traits: Any) -> None:
        super().__init__([shell], **traits)
        self._shell = shell
        self._following: set[int] = set()

    def show(self, *panels: Panel) -> None:
        """Show these panels below the shell, instead of the present ones."""
        for panel in panels:
            # Linked once: a panel that is shown again would otherwise be linked, and updated, several times.
            if id(panel) not in self._following:
                self._following.add(id(panel))
                panel.follow(self._shell)
        self.children = (self._shell, *panels)
