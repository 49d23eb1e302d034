"""A page that presents what flickers or flashes, frame by frame, and says when each frame changed.

The page counts its frames and measures the refresh rate and, by round trips to this kernel, what the engine's
clock says at each of them: from the fifth of the round trips that were shortest, with offset and drift fitted
before each choice. The bound of that error goes with every marker. A page that is hidden or drops a frame says so,
and the choice is excluded; a page whose clock is known too badly presents nothing and names the external
presenter. While the run is paused, and after a STOP, nothing flickers: the page says so, and a choice that was
open is excluded. What was decided is shown as feedback and never read back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.messages import Message
from workbench.widgets._base import Panel, compose, styles

MOST_ERROR_MS = 10.0
"""Greatest bound of the error of a page's clock with which it presents, ms: a seventh of a period of 15 Hz."""
LEAST_REFRESH_HZ = 50.0
"""Fewest frames a second with which it presents."""
POLL_S, LOOK_S = 0.05, 1.0
"""How often the engine is asked, and how often one is looked for, s."""


class PresenterClient(Protocol):
    """What the presenter asks of the engine; ``workbench.live.Client`` has it."""

    def status(self) -> Mapping[str, Any]:
        """The status of now."""

    def task(self) -> Mapping[str, Any]:
        """What to present in the run under way."""

    def present(self, marker: Mapping[str, Any], *, local: float) -> None:
        """A marker of what was shown, with its local time in s."""

    def local_clock(self) -> float:
        """The engine's clock, s."""


class Presenter(Panel):
    """The page that the participant looks at.

    Parameters
    ----------
    connect : gives a client of the engine, such as ``lambda: live.attach(folder)``; asked until there is one.
    wave : of flicker, ``"sine"`` or ``"square"``.

    Traits
    ------
    run : id of the run to present, ``""`` while there is none. paused : whether it is paused.
    chosen : what was decided in each choice that is over, ``""`` where nothing was. wave : as given.
    """

    _esm = compose("parts/dom", "presenter")
    _css = styles("panels")

    _client: PresenterClient | None

    run = traitlets.Unicode("").tag(sync=True)
    paused = traitlets.Bool(default_value=False).tag(sync=True)
    chosen: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    wave = traitlets.Enum(("sine", "square"), default_value="sine").tag(sync=True)

    def __init__(self, connect: Callable[[], PresenterClient], *, wave: str = "sine", **traits: Any) -> None:
        super().__init__(wave=wave, **traits)
        self._connect, self._client = connect, None
        self._ended = threading.Event()
        threading.Thread(target=self._follow, name="workbench-presenter", daemon=True).start()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Which run it presents."""
        return "", [("run", self.run or "—"), ("choices over", len(self.chosen))]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """The clock, what to present, and what was shown."""
        return {"clock": self._clock, "begin": self._begin, "shown": self._shown}

    def _engine(self) -> PresenterClient:
        """The client; connected again where there is none."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _clock(self) -> float:
        """The engine's clock now, s."""
        return self._engine().local_clock()

    def _begin(self, refresh_hz: float, error_ms: float) -> dict[str, Any]:
        """What to present, for a page that measured its frames and its clock well enough."""
        refresh, error = float(refresh_hz), float(error_ms)
        # Negated, so that nan is refused too.
        if not error <= MOST_ERROR_MS:
            raise Refused(Message("presenter.clock", got=f"{error:.1f}", most=f"{MOST_ERROR_MS:g}"))
        if not refresh >= LEAST_REFRESH_HZ:
            raise Refused(Message("presenter.refresh", got=f"{refresh:.0f}", least=f"{LEAST_REFRESH_HZ:g}"))
        return dict(self._engine().task())

    def _shown(self, marks: list[Mapping[str, Any]]) -> None:
        """Markers of frames, in their order, each with ``local`` by the engine's clock in s."""
        refusals: list[BadValue] = []
        for mark in marks:
            try:
                self._present(mark)
            except BadValue as refusal:
                refusals.append(refusal)  # those after it were shown too
        if refusals:
            raise refusals[0]

    def _present(self, mark: Mapping[str, Any]) -> None:
        marker = {name: mark[name] for name in mark if name != "local"}
        local, error = float(mark["local"]), float(mark.get("error_ms", math.inf))
        if not str(marker.get("label", "")).strip():
            raise BadValue(Message("engine.must_be_text", name="label", got=repr(marker.get("label"))))
        self._engine().present(marker, local=local)
        if not error <= MOST_ERROR_MS:
            self._engine().present({"label": f"disturbed: clock known to {error:.1f} ms"}, local=local)

    def close(self) -> None:
        """Stop following and remove the widget."""
        self._ended.set()
        super().close()

    def _follow(self) -> None:
        """Tell the page of runs that begin, pause and end, and of choices that are over."""
        period = POLL_S
        while not self._ended.wait(period):
            try:
                status = self._engine().status()
                period = POLL_S
            except WorkbenchError:
                # No engine, or another one next time.
                status, self._client, period = {}, None, LOOK_S
            self._show(status)

    def _show(self, status: Mapping[str, Any]) -> None:
        """What the page presents at a status; nothing after a STOP, although its run may still be closing."""
        run = status.get("run")
        presents = run is not None and run["state"] in ("running", "paused") and not status["session"]["stopped"]
        if run is None or not presents:
            self.run, self.paused, self.chosen = "", False, []
            return
        self.chosen = [str(trial["decided"]) for trial in run["trials"]]
        self.paused = run["state"] == "paused"
        self.run = str(run["id"])
