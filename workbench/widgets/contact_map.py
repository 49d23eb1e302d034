"""The map of contacts: which contact of a lead moves which muscle, one contact and one question at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench.widgets._base import SYNCED, Panel, compose, styles


class MappingRequests(Protocol):
    """The functions that the page uses (``dashboard.MappingService`` has them)."""

    def plan(
        self, electrode: str, muscles: list[str], top_ma: float, width_us: float, systolic: float | None = None
    ) -> None:
        """Begin a map.

        Parameters
        ----------
        electrode, muscles, top_ma, width_us, systolic : as of the service.
        """

    def act(self, name: str, **arguments: Any) -> None:
        """One act of the wizard.

        Parameters
        ----------
        name, arguments : as of the service.
        """

    def pressure(self, systolic: float, *, resting: bool) -> None:
        """A systolic blood pressure.

        Parameters
        ----------
        systolic : mmHg. resting : without current.
        """

    def leave(self) -> None:
        """Off, and back to the plan."""

    def resume(self) -> None:
        """Go on with the map that was left."""

    def record(self, reason: str = "") -> str:
        """Enter the map into the record; returns the id of its row."""

    def sign_in(self, login: str, password: str) -> None:
        """Sign a person in.

        Parameters
        ----------
        login, password : of the person.
        """

    def here(self) -> None:
        """A page answers."""

    def end(self) -> None:
        """Nothing more is asked."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call this whenever there is something else to show."""

    def state(self) -> dict[str, Any]:
        """What the page shows, without the curves."""

    def curves(self) -> dict[str, Any]:
        """Curves by contact, and the newest EMG."""


class ContactMap(Panel):
    """The page of a map. It shows what the service says and passes on what is pressed; nothing is decided here.

    Parameters
    ----------
    service : makes the map.

    Traits
    ------
    state : see ``MappingService.state``. curves : see ``MappingService.curves``.
    """

    _esm = compose("parts/dom", "parts/icons", "parts/signin", "parts/contact_curves", "contact_map")
    _css = styles("panels", "contact_map")

    state = traitlets.Dict().tag(**SYNCED)
    curves = traitlets.Dict().tag(**SYNCED)

    def __init__(self, service: MappingRequests, **traits: Any) -> None:
        super().__init__(**traits)
        self._service = service
        self._read()
        service.on_change(self._read)

    def _read(self) -> None:
        with self.hold_sync():
            self.state = self._service.state()
            self.curves = self._service.curves()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Whose lead, and how far."""
        state = self.state
        done = [one for one in state.get("contacts", ()) if one != "todo"]
        facts: list[tuple[str, object]] = [
            ("participant", state["place"]["participant"]),
            ("contacts done", len(done)),
        ]
        return "Map of contacts", facts

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """All of the service."""
        service = self._service
        names = ("plan", "act", "pressure", "leave", "resume", "record", "sign_in", "here")
        return {"stop": self.stop, **{name: getattr(service, name) for name in names}}

    def stop(self) -> None:
        """STOP."""
        self._service.act("stop")

    def close(self) -> None:
        """Take the page away; nothing flows without it."""
        self._service.end()
        super().close()
