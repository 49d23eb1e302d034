"""The page of use at home: one thing at a time, big, with STOP always in its place; by touch or by one switch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench.errors import WorkbenchError
from workbench.widgets._base import SYNCED, Panel, compose, styles
from workbench.widgets._locale import LANGUAGES

PERIOD_S = 0.1
"""How often the engine is asked and the frame of the switch moves, s."""


class HomeActions(Protocol):
    """What the page asks; ``workbench.dashboard.HomeService`` has it."""

    turned: int

    def look(self) -> dict[str, Any]:
        """What the page shows now."""

    def press(self) -> None:
        """The switch closes."""

    def release(self) -> None:
        """The switch opens."""

    def touch(self, act: str) -> None:
        """An act of the screen, by hand."""

    def stop(self) -> None:
        """STOP, by hand."""

    def attend(self) -> None:
        """The caregiver is there."""

    def reset(self) -> None:
        """The caregiver resets a STOP."""

    def back_to_site(self) -> None:
        """Use the decoder of the site again."""

    def sign_in(self, login: str, password: str) -> None:
        """Sign a person in.

        Parameters
        ----------
        login, password : as on every page.
        """

    def presence(self, page: str, challenge: str, *, visible: bool) -> None:
        """The page's own answer to a challenge of the engine.

        Parameters
        ----------
        page : its id. challenge : that it answers. visible : whether the page is.
        """


class HomePage(Panel):
    """The page of caregiver and participant at home.

    Parameters
    ----------
    actions : what it shows and asks.

    Traits
    ------
    view : what is on the screen, see ``workbench.dashboard.home``.
    """

    _esm = compose("parts/dom", "parts/icons", "parts/signin", "home_page")
    _css = styles("panels", "home")

    view: traitlets.Dict[str, Any] = traitlets.Dict().tag(**SYNCED)

    def __init__(self, actions: HomeActions, **traits: Any) -> None:
        super().__init__(**traits)
        self._actions = actions
        self._ended = threading.Event()
        self._turned = actions.turned
        self.view = actions.look()
        threading.Thread(target=self._follow, name="workbench-home", daemon=True).start()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The screen and the use of today."""
        used = self.view.get("use") or {}
        return "Use at home", [("screen", self.view.get("screen")), ("minutes today", used.get("today_min"))]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Switch, touch, STOP, who is there, reset, way back, and the answer to the engine's challenge."""
        actions = self._actions
        return {
            "press": actions.press,
            "release": actions.release,
            "touch": lambda act: actions.touch(str(act)),
            "stop": actions.stop,
            "attend": actions.attend,
            "reset": actions.reset,
            "back_to_site": actions.back_to_site,
            "sign_in": lambda login, password: actions.sign_in(str(login), str(password)),
            "presence": lambda page, challenge, visible: actions.presence(
                str(page), str(challenge), visible=visible is True
            ),
        }

    def close(self) -> None:
        """Stop following and remove the widget. The engine continues."""
        self._ended.set()
        super().close()

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        name = content.get("name") if isinstance(content, dict) else ""
        if name in ("press", "release"):
            # In the order in which they came: a release that overtook its press would leave the switch closed.
            super()._received(widget, content, buffers)
            return
        # Each of the others has its own thread: STOP waits for none.
        threading.Thread(
            target=super()._received, args=(widget, content, buffers), name="workbench-request", daemon=True
        ).start()

    def _follow(self) -> None:
        while not self._ended.wait(PERIOD_S):
            try:
                view = self._actions.look()
            except WorkbenchError:
                continue  # a record that another process holds; the next look shows it
            if self._actions.turned != self._turned:
                self._turned = self._actions.turned
                self.language = next(one for one in LANGUAGES if one != self.language)
            if view != self.view:
                self.view = view
