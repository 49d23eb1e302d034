"""The screen of a running session: shows the engine's status and passes requests on to it.

The engine is another process and does not need this screen. A thread polls the client for its status and for new
samples at 10 Hz while a run is under way and a page is visible, else at 2 Hz, and sets traits; requests come as
named messages from a closed list, are carried out by the client, and are validated by the engine.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import traitlets

from workbench import messages
from workbench.errors import BadValue, EngineFault, Refused, WorkbenchError
from workbench.messages import Message
from workbench.vocabulary import LiveClient
from workbench.widgets._base import SAYABLE, SYNCED, Panel, compose, styles
from workbench.widgets._locale import text

PERIOD_S = 0.1
"""Time between two statuses, and between two increments of the signals, that somebody follows closely, s."""
IDLE_PERIOD_S = 0.5
"""The same while no run is under way, and while no page is visible, s."""
FOLLOWED_S = 3.0
"""What a request changes is followed closely for this long, s."""
LOOK_PERIOD_S = 2.0
"""Time between two looks for an engine, and between two looks at what the run form can start, s."""
UNSEEN_S = 90.0
"""A screen without a message of its page for this long stops polling, so that its kernel can be culled, s."""
HISTORY_S = 10.0
MOST_TRIALS = 200
"""Most trials of a run that the form offers."""

MODULES = (
    "parts/dom",
    "parts/icons",
    "parts/signin",
    "parts/topbar",
    "parts/run_strip",
    "parts/inputs",
    "parts/participant",
    "parts/cue",
    "parts/ring",
    "parts/states",
    "parts/evidence",
    "parts/scope",
    "parts/stimulation",
    "parts/consequences",
    "live_session",
)
PANELS = (
    *("bar", "banner", "run"),
    *("streams", "electrodes"),
    *("cue", "evidence", "stimulation", "scope"),
    *("effector", "ledger", "stop"),
)


@dataclass(frozen=True)
class PageActions:
    """What a standalone page can do beside the session.

    Attributes
    ----------
    show : called with the name of the requested view.
    sign_in : called as ``sign_in(login=…, password=…)``; raises a :class:`WorkbenchError` when refused. The
        password came by POST (:mod:`workbench.widgets._tickets`); it is no trait and is not stored.
    sign_out : called when the page is locked.
    """

    show: Callable[[str], None]
    sign_in: Callable[..., None]
    sign_out: Callable[[], None]


class LiveSession(Panel):
    """The live session screen.

    Parameters
    ----------
    client : the live client, or None while no session runs.
    connect : called every 2 s while there is no client or it does not answer; returns a client, or None when
        no engine runs. Without it a page that lost its client stays lost.
    start_session : called when the page asks to start a session, with what to call with each status on the way;
        returns a client. None hides the button.
    run_settings : called as ``run_settings(kind)`` before each run; returns the keyword arguments of
        ``client.start_run`` beside ``kind`` and ``n_trials`` (paradigm, params, seed, decoder_folder …). It
        raises a :class:`WorkbenchError` when such a run cannot start.
    run_kinds : called regularly; returns ``[{"kind", "ok", "why"}]`` for the run form, with ``n_trials``
        where it is not the form's.
    after_run : called on its own thread with the status when a run has ended, such as to ingest it.
    after_session : called when this page has ended the engine, before that is shown, such as for the last ingest.
    panels : names of the panels to show alone, ``()`` for the whole screen. Allowed: see ``PANELS``.
    run_form : returns ``{"paradigm", "n_trials"}``, what the run form shows before the first run, and whether
        there are ``"targets"`` of a cursor, so that the participant's screen can be opened.

    Traits
    ------
    status : the engine's status (see ``workbench.live``), empty without one; link : state of the connection to the
    engine, ``{"state": "none" | "starting" | "live" | "ending" | "lost", "sentence"}`` and, where the sentence is
    one of the catalogue, its ``key`` and ``args``;
    place : whose visit, which view, who is signed in (``study, participant, visit, confirmed, view, views,
    badges, signed_in, can_sign_in``), set by the creator of the screen; form : what the run form offers; beat :
    counts up with every answer of the engine. A page reports every 10 s and when it is hidden or shown; without a
    page the screen stops polling.
    """

    _esm = compose(*MODULES)
    _css = styles("live")

    status = traitlets.Dict().tag(**SYNCED)
    link = traitlets.Dict().tag(**SYNCED)
    form = traitlets.Dict().tag(**SYNCED)
    place = traitlets.Dict().tag(sync=True)
    panels: traitlets.List[Any] = traitlets.List().tag(sync=True)
    beat = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        client: LiveClient | None = None,
        *,
        connect: Callable[[], LiveClient | None] | None = None,
        start_session: Callable[[Callable[[Mapping[str, Any]], None]], LiveClient] | None = None,
        run_settings: Callable[[str], Mapping[str, Any]] | None = None,
        run_kinds: Callable[[], list[dict[str, Any]]] | None = None,
        after_run: Callable[[dict[str, Any]], None] | None = None,
        after_session: Callable[[], None] | None = None,
        panels: tuple[str, ...] = (),
        run_form: Callable[[], Mapping[str, Any]] = lambda: {"paradigm": "", "n_trials": 20},
        **traits: Any,
    ) -> None:
        super().__init__(link={"state": "none", "sentence": ""}, **traits)
        self._ended = threading.Event()
        # A daemon thread that still sets traits while the interpreter shuts down may crash it.
        atexit.register(self._ended.set)
        _receive_while_busy(self.comm)
        self.panels = _known(panels)
        self._client = client
        self._connect = connect
        self._start_session = start_session
        self._run_settings = run_settings
        self._run_kinds = run_kinds
        self._after_run = after_run
        self._after_session = after_session
        self._page: PageActions | None = None
        self._challenge = ""
        self._turn, self._showing = threading.RLock(), threading.Lock()
        self._view_asked = ""
        self._run_form = run_form
        self._lost_since: float | None = None
        self._stop_owed: tuple[Any, ...] | None = None
        self._newest = 0
        self._seen_at = self._asked_at = time.monotonic()
        self._visible: dict[str, float] = {}
        self._fresh_view = threading.Event()
        self._offer()
        self._thread = threading.Thread(target=self._follow, name="workbench-live-session", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------- requests
    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """States of the engine and of its run."""
        return "", [
            *((name, (self.status.get(name) or {}).get("state")) for name in ("engine", "run", "effector")),
        ]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """The closed list of requests that a page may send."""
        return {
            "hello": self._hello,
            "here": self._here,
            "start_session": self._start,
            "end_session": self._end,
            "start_run": self._start_run,
            "pause": lambda: self._engine().pause(),
            "resume": lambda: self._engine().resume(),
            "end_run": lambda: self._engine().end_run(),
            "stop": self._stop,
            "reset_stop": lambda: self._engine().reset_stop(),
            "arm": lambda: self._engine().arm(self._who()),
            "disarm": lambda: self._engine().disarm(self._who()),
            "apply_setting": lambda: self._engine().apply_setting(self._who()),
            "note_reaction": lambda words: self._engine().note_reaction(str(words), self._who()),
            "take_pressure": self._pressure,
            "set_ceiling": self._ceiling,
            "take_symptom": lambda words: self._engine().take_symptom(str(words), by=self._who()),
            "waive": lambda stream, reason: self._engine().waive(str(stream), str(reason)),
            "note": lambda words: self._engine().note(str(words)),
            "reconnect": lambda: self._engine().reconnect(),
            "acknowledge": lambda alarm: self._engine().acknowledge(str(alarm), by=self._who()),
            "hardware_stop": lambda: self._engine().note(Message("page.hardware_stop", who=self._who())),
            "presence": self._presence,
            "show": self._show_asked,
            "sign_in": self._sign,
            "sign_out": self._lock,
        }

    def on_page(self, actions: PageActions) -> None:
        """Enable views and sign-in, as the screen of a standalone page; a notebook has neither."""
        self._page = actions

    def start(self) -> None:
        """Start the session through ``start_session``, as the page's request does.

        Raises
        ------
        Refused
            When this screen cannot start a session.
        """
        self._start()

    def tell(self, key: str, **args: Any) -> None:
        """Show a text of the catalogue in the run strip until the next request. Thread-safe."""
        self.send({"kind": "said", "key": key, "args": args, "text": text(key, **args)})

    def close(self) -> None:
        """Stop following the engine and remove the widget. The engine continues."""
        self._ended.set()
        atexit.unregister(self._ended.set)
        super().close()

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and content.get("name") not in ("here", "presence"):
            self._asked_at = time.monotonic()
            if content.get("name") == "show":
                arguments = content.get("args")
                self._view_asked = str((arguments if isinstance(arguments, dict) else {}).get("view"))
        # Each request has its own thread: one may take seconds (loading a decoder), and STOP must not wait for it.
        threading.Thread(
            target=super()._received, args=(widget, content, buffers), name="workbench-request", daemon=True
        ).start()

    def _engine(self) -> LiveClient:
        if self._client is None:
            raise EngineFault(Message("page.no_session"))
        return self._client

    def _who(self) -> str:
        signed = str(self.place.get("signed_in") or "")
        return signed or str((self.status.get("session") or {}).get("operator") or Message("page.somebody"))

    def _pressure(self, systolic: float, *, resting: bool = False) -> None:
        """Pass a reading of the blood pressure on; one that is no number is refused here."""
        if isinstance(systolic, bool) or not isinstance(systolic, int | float):
            raise BadValue(Message("page.no_pressure", got=repr(systolic)))
        self._engine().take_pressure(float(systolic), resting=resting is True, by=self._who())

    def _ceiling(self, channel: int, current_ma: float) -> None:
        """Pass another ceiling on; what is no number is refused here, what a rule forbids by the engine."""
        numbers = isinstance(channel, int) and isinstance(current_ma, int | float)
        if not numbers or isinstance(channel, bool) or isinstance(current_ma, bool):
            raise BadValue(Message("page.no_ceiling", got=repr(current_ma)[:40]))
        self._engine().set_ceiling(channel, float(current_ma), by=self._who())

    def _presence(self, page: str, challenge: str, *, visible: bool) -> None:
        """Pass the page's answer on unchanged: this kernel outlives the page and never answers for it."""
        if self._client is not None:
            with suppress(WorkbenchError):  # An answer that came too late; the next challenge is on its way.
                self._client.presence(str(page), str(challenge), visible=visible is True)

    def _show_asked(self, view: str) -> None:
        allowed = self.place.get("views") or []
        if self._page is None or view not in allowed:
            views = list(allowed) or Message("word.none")
            raise BadValue(Message("page.view_unknown", views=views, got=repr(view)))
        # Threads may change places: one that is late must not take the page back to a view that was left.
        with self._showing:
            if self._view_asked in ("", view):
                self._page.show(str(view))

    def _sign(self, login: str, password: str = "") -> None:
        if self._page is None:
            raise Refused(Message("page.no_sign_in"))
        self._page.sign_in(login=str(login), password=str(password))

    def _lock(self) -> None:
        if self._page is not None:
            self._page.sign_out()

    def _hello(self, page: str = "", *, visible: bool = True) -> None:
        self._fresh_view.set()
        self._here(page, visible=visible)

    def _here(self, page: str = "", *, visible: bool = True) -> None:
        """Note that a page is open, and whether somebody can see it."""
        with self._turn:
            now = self._seen_at = time.monotonic()
            others = {one: at for one, at in self._visible.items() if one != page and now - at <= UNSEEN_S}
            self._visible = others | ({page: now} if visible else {})

    def _start(self) -> None:
        if self._start_session is None:
            raise Refused(Message("page.cannot_start_session"))
        with self._turn:
            if self._client is not None or self.link["state"] == "starting":
                return
            self.link = {"state": "starting", "sentence": ""}
        try:
            client = self._start_session(self._starting)
        except SAYABLE as error:
            self.link = {"state": "none", "sentence": messages.of(error)}
            raise
        self._client, self._newest = client, 0
        self._offer()

    def _starting(self, status: Mapping[str, Any]) -> None:
        """Show how far a start is: the first one on a computer compiles for minutes."""
        left = status["engine"]["kernels_left"]
        compiling = {"key": "run.first_start", "args": {"n": left}} if left else {}
        self.link = {"state": "starting", "sentence": ""} | compiling

    def _end(self) -> None:
        """End the session in good order. Refused during a run, so that nobody ends one by mistake."""
        with self._turn:
            client = self._engine()
            if _runs(client.status()):
                raise Refused(Message("page.run_under_way"))
            # Taken away first: the polling thread must not report the engine that ends as lost.
            self._client, before = None, self.link
            self.link = {"state": "ending", "sentence": ""}
        try:
            client.shutdown()
        except WorkbenchError:
            self._client, self.link = client, before
            raise
        session = (self.status.get("session") or {}).get("session", "")
        try:
            if self._after_session is not None:
                self._after_session()
        finally:
            self._show_none(key="run.session_ended_more", session=session)

    def _start_run(self, kind: str, n_trials: int) -> None:
        if not isinstance(n_trials, int) or not 1 <= n_trials <= MOST_TRIALS:
            raise BadValue(Message("run.n_trials", most=MOST_TRIALS, got=repr(n_trials)))
        if self._run_settings is None:
            raise Refused(Message("page.starts_no_runs"))
        self._engine().start_run(kind=str(kind), n_trials=n_trials, **self._run_settings(str(kind)))

    def _stop(self) -> None:
        """STOP; an engine that takes it on no path gets it again when it next answers, with or without a page."""
        try:
            self._engine().stop()
        except WorkbenchError:
            self._stop_owed = _identity(self.status)
            raise
        self._stop_owed = None

    def _give_owed_stop(self, client: LiveClient, status: Mapping[str, Any]) -> None:
        """Send a STOP that this engine has not taken yet; another engine knows nothing of it."""
        if _identity(status) == self._stop_owed and not (status.get("session") or {}).get("stopped"):
            client.stop()
        self._stop_owed = None

    # -------------------------------------------------------------------------------- following
    def _offer(self) -> None:
        """Update what the run form can start. An unreadable record is shown as a reason, not as a lost engine."""
        try:
            kinds = self._run_kinds() if self._run_kinds and self._client is not None else []
        except WorkbenchError as error:
            why = messages.of(error)
            kinds = [{**kind, "ok": False, "why": why} for kind in self.form.get("kinds", [])]
        self.form = {**self._run_form(), "kinds": kinds, "can_start": self._start_session is not None}

    def _follow(self) -> None:
        look = signals = status = offer = 0.0
        while not self._ended.wait(PERIOD_S):
            now = time.monotonic()
            if now - self._seen_at > UNSEEN_S and self._stop_owed is None:
                continue
            if (self._client is None or self._lost_since is not None) and now >= look:
                look = now + LOOK_PERIOD_S
                self._look()
            client = self._client
            if client is None:
                continue
            closely = self._is_visible(now) and (_runs(self.status) or now - self._asked_at < FOLLOWED_S)
            # Before the status: the page places a cue of the status at the newest sample that it has.
            if closely or now >= signals or self._shows_signals(now):
                signals = now + IDLE_PERIOD_S
                with suppress(WorkbenchError):  # Not connected to the streams yet, or lost: the status shows it.
                    self._show_signals(client)
            if now >= status or (closely and self._lost_since is None):
                try:
                    self._show_status(client)
                    status = now + IDLE_PERIOD_S
                except WorkbenchError as error:
                    self._show_lost(client, messages.of(error))
                    status = now + LOOK_PERIOD_S
            if now >= offer:
                offer = now + LOOK_PERIOD_S
                self._offer()

    def _is_visible(self, now: float) -> bool:
        """Whether somebody can see a page."""
        return any(now - seen <= UNSEEN_S for seen in self._visible.values())

    def _shows_signals(self, now: float) -> bool:
        """Whether somebody can see the signals: other views of a page stand in their place."""
        return self.place.get("view", "run") == "run" and self._is_visible(now)

    def _look(self) -> None:
        """Attach to a new engine, or show that there is none."""
        if self._connect is None or self.link.get("state") in ("starting", "ending"):
            return
        try:
            client = self._connect()
        except WorkbenchError as error:
            if self._client is None:
                self.link = {"state": "none", "sentence": messages.of(error)}
            return
        if client is not None:
            self._client, self._newest = client, 0
            self._offer()
        elif self._client is not None:
            self._client, self._lost_since = None, None
            self._show_none(sentence=self.link.get("sentence", ""))

    def _show_none(self, sentence: str = "", key: str = "", **args: Any) -> None:
        """Show that there is no session: nothing of the last one may stay on the screen as if it were live."""
        with self.hold_sync():
            self.status = {}
            self.link = {"state": "none", "sentence": sentence} | ({"key": key, "args": args} if key else {})
        self._offer()

    def _show_status(self, client: LiveClient) -> None:
        status = dict(client.status())
        if self._stop_owed is not None:
            self._give_owed_stop(client, status)
        with self._turn, self.hold_sync():
            if client is not self._client:
                return  # The session was ended meanwhile.
            ended = _runs(self.status) and not _runs(status)
            changed = _runs(self.status) != _runs(status)
            self._lost_since = None
            self.link = {"state": "live", "sentence": ""}
            self.status = status
            self.beat += 1
        if changed:
            self._offer()
        self._challenge_pages(status)
        # On its own thread: ingesting takes seconds, during which status and alarms must go on.
        if ended and self._after_run is not None:
            threading.Thread(
                target=self._close_run, args=(status,), name="workbench-after-run", daemon=True
            ).start()

    def _close_run(self, status: dict[str, Any]) -> None:
        try:
            if self._after_run is not None:
                self._after_run(status)
        except SAYABLE as error:
            self.send(messages.carried({"kind": "said", "key": "", "args": {}, "text": messages.of(error)}))
        self._offer()

    def _challenge_pages(self, status: Mapping[str, Any]) -> None:
        """Send the engine's newest challenge to the page, which answers while it is visible."""
        challenge = str((status.get("presence") or {}).get("challenge") or "")
        if challenge and challenge != self._challenge:
            self._challenge = challenge
            self.send({"kind": "presence", "challenge": challenge})

    def _show_signals(self, client: LiveClient) -> None:
        if self._fresh_view.is_set():
            self._fresh_view.clear()
            self._newest = 0
        block = client.signals(self._newest, HISTORY_S)
        if block is None:
            return
        n = len(block.data)
        self._newest = block.first + n
        self.send(
            {
                "kind": "signals",
                "first": int(block.first),
                "n": n,
                "fs": float(block.fs),
                "names": list(block.names),
                "age_s": None if block.age_s is None else float(block.age_s),
            },
            [block.data.tobytes()],
        )

    def _show_lost(self, client: LiveClient, sentence: str) -> None:
        with self._turn:
            if client is not self._client:
                return
            now = time.monotonic()
            self._lost_since = self._lost_since or now
            self.link = {"state": "lost", "sentence": sentence, "age_s": now - self._lost_since}


def _receive_while_busy(comm: Any) -> None:
    """Let requests through while a cell of the notebook runs.

    JupyterLab sends widget messages to a subshell of the kernel, so that STOP does not wait for a cell. ipykernel
    7.4 redirects them to the shell that used the comm last, which is the busy one: here every message stays
    in the shell it was sent to. Where the kernel has no subshells, nothing changes.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default


def _runs(status: Mapping[str, Any]) -> bool:
    return (status.get("run") or {}).get("state") in ("compiling", "running", "paused")


def _identity(status: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Process and start of the engine that a status is of; None without one."""
    engine = status.get("engine") or {}
    return (engine["pid"], engine["started"]) if engine else None


def _known(panels: tuple[str, ...]) -> list[str]:
    unknown = [name for name in panels if name not in PANELS]
    if unknown:
        raise BadValue(Message("page.panels", allowed=list(PANELS), got=list(unknown)))
    return list(panels)
