"""The set-up of a session's hardware: streams found, their roles, what they do not say, and what differs since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import traitlets

from workbench.errors import Refused
from workbench.messages import Message
from workbench.widgets._base import SYNCED, Panel, compose, styles


class SetupRequests(Protocol):
    """The functions of a set-up that the panel uses (``dashboard.SetupService`` has them)."""

    def state(self) -> Mapping[str, Any]:
        """Everything that is shown; see :class:`SetupPanel`."""

    def refusal(self) -> str | None:
        """Why no session can start with the set-up now, None when one can."""

    def choose_site(self, site: str) -> None:
        """Take up the saved set-up of a site, or begin one."""

    def name_peers(self, peers: Sequence[str]) -> None:
        """State the acquisition computers."""

    def look(self) -> int:
        """Look for streams."""

    def assign(self, uid: str, role: str) -> None:
        """Let a stream feed a role."""

    def take_out(self, stream: str) -> None:
        """Take a stream out of its role."""

    def answer(self, stream: str, **answers: Any) -> None:
        """State what a stream does not say."""

    def number_channels(self, stream: str) -> None:
        """Name the channels by their numbers."""

    def waive(self, role: str, reason: str) -> None:
        """Go without a stream that is not critical."""

    def measure(self, stream: str = "") -> None:
        """Listen to a stream, or to all that were not listened to."""

    def waive_check(self, stream: str, check: str, reason: str) -> None:
        """Let a failed check pass.

        Parameters
        ----------
        stream, check : their names.
        reason : why; an empty one takes the waiver back.
        """

    def attach_effector(self, *, real: bool) -> None:
        """State whether a real device is attached."""

    def pair(self) -> None:
        """Make a code that pairs an effector."""

    def confirm(self) -> None:
        """Confirm the differences from the last visit."""

    def keep(self) -> None:
        """Save the set-up."""


class SetupPanel(Panel):
    """Found streams on the left, roles in the middle; differences, saving and the start on the right.

    Parameters
    ----------
    service : edits and saves the set-up.
    start : starts the session, None where the panel starts none.
    blocked : why no session can start although the set-up is complete, None when one can.

    Traits
    ------
    setup : ``{"site", "sites", "system", "peers", "looked_at", "own_configuration", "found", "inputs",
    "connections", "waived", "effector", "device", "problems", "changes", "unconfirmed", "ready", "saved",
    "as_saved", "decoder", "start"}``; problems are ``{"role", "field", "text", "stream"}``, changes ``{"role",
    "text", "confirm"}``; a connection has its ``checks``, its ``electrodes`` and when it was ``measured``;
    ``device`` is the effector with its ``pairing`` and ``certificate`` (``{"state", "text"}``), ``decoder`` says
    whether the approved one fits (``{"hash", "ok", "why"}``, empty for none), and ``start`` is
    ``{"shown", "ok", "why"}``.
    """

    _esm = compose("parts/dom", "parts/icons", "parts/head", "setup_panel")
    _css = styles("panels", "setup")

    setup = traitlets.Dict().tag(**SYNCED)

    def __init__(
        self,
        service: SetupRequests,
        *,
        start: Callable[[], None] | None = None,
        blocked: Callable[[], str | None] = lambda: None,
        **traits: Any,
    ) -> None:
        super().__init__(**traits)
        self._service, self._start, self._blocked = service, start, blocked
        self.refresh()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The site, the streams in their roles, and what is in the way."""
        lines = [(str(one["role"]), one["name"]) for one in self.setup["connections"]]
        return str(self.setup["site"]), [*lines, ("in the way", len(self.setup["problems"]))]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Every step of a set-up, saving and starting; each answer comes after the new state."""
        steps = (
            self._service.choose_site,
            self._service.name_peers,
            self._service.look,
            self._service.assign,
            self._service.take_out,
            self._service.answer,
            self._service.number_channels,
            self._service.waive,
            self._service.measure,
            self._service.waive_check,
            self._service.attach_effector,
            self._service.pair,
            self._service.confirm,
            self._service.keep,
        )
        return {step.__name__: self._shown(step) for step in steps} | {"start": self._shown(self.start)}

    def start(self) -> None:
        """Start the session; refused while the set-up or the page is in the way."""
        if self._start is None:
            raise Refused(Message("setup.no_start"))
        if why := self._service.refusal() or self._blocked():
            raise Refused(why)
        self._start()

    def refresh(self) -> None:
        """Show the set-up as it stands."""
        why = self._service.refusal() or self._blocked()
        start = {"shown": self._start is not None, "ok": why is None, "why": why or ""}
        self.setup = {**self._service.state(), "start": start}

    def _shown(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(**arguments: Any) -> None:
            # Also after a refusal: a page that already shows its own choice must take it back.
            try:
                step(**arguments)
            finally:
                self.refresh()

        return stepped
