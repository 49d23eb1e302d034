"""Listening to every LSL outlet that claims a name, each bound to its uid; the signature decides which is genuine.

Anybody can use any name on LSL, so "the stream of that name" may be anybody's. A :class:`Listener` therefore opens
every outlet that claims one of its source_ids, without recovery (an inlet never moves on to another outlet), each
on its own thread, so that an outlet that accepts a connection and then says nothing delays no other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench import world
from workbench.devices._last_metre import MAX_MESSAGE
from workbench.devices._lsl_library import library, local_clock, open_inlet
from workbench.devices._lsl_seen import StreamSeen, header
from workbench.errors import BadValue
from workbench.messages import Message

LOOK_S = 0.1
"""Time between two looks at what is announced, s."""
PULL_S = 0.2
OPEN_S = 2.0
MAX_OUTLETS = 8
"""Outlets that are listened to at once; with more, the oldest without a verified message is dropped."""
MAX_TEXTS = 64
"""Texts of one outlet that are pulled at once, or wait in an :class:`Inbox`."""

LIMIT_S = 15.0
"""Longest time that a listening thread may be busy with LSL before it counts as hung, s."""


def announced_as(names: Sequence[str], *, field_name: str = "source_id") -> str:
    """Predicate of the LSL resolver for streams whose field has one of these values.

    Raises
    ------
    BadValue
        For a value with a quotation mark, which would end the predicate early.
    """
    for name in names:
        if "'" in name or '"' in name:
            raise BadValue(Message("lsl.search_name", got=repr(name)))
    return " or ".join(f"{field_name}='{name}'" for name in names)


class Lookout:
    """What is announced on LSL now, looked for in the background: cheap to ask, never blocks.

    It takes one of the few ports of LSL until it is closed, however long it is no longer used.
    """

    def __init__(self, predicate: str, *, forget_after: float = 3.0) -> None:
        """Begin to look for streams that fulfil an LSL predicate; one not seen for ``forget_after`` s is gone."""
        self._resolver = library().ContinuousResolver(pred=predicate, forget_after=forget_after)

    def infos(self) -> dict[str, Any]:
        """uid → ``pylsl.StreamInfo``, from which an inlet can be opened; an answer without a uid is left out."""
        resolver = self._resolver
        return {} if resolver is None else {info.uid(): info for info in resolver.results() if info.uid()}

    def close(self) -> None:
        """Look no longer; nothing is seen from here."""
        self._resolver = None

    def seen(self) -> dict[str, StreamSeen]:
        """uid → header."""
        return {uid: header(info) for uid, info in self.infos().items()}


class Inbox:
    """Texts that wait to be verified, by outlet: one that floods loses its own texts, never those of others."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[str]] = {}
        self._lock = world.clock.lock()
        self._arrived = world.clock.event()

    def put(self, uid: str, text: str) -> None:
        """A text of an outlet; any thread. The oldest of more than :data:`MAX_TEXTS` is dropped."""
        with self._lock:
            self._waiting.setdefault(uid, deque(maxlen=MAX_TEXTS)).append(text)
        self._arrived.set()

    def take(self, timeout: float) -> list[tuple[str, str]]:
        """uid and text of all waiting texts; waits at most ``timeout`` s for the first."""
        self._arrived.wait(timeout)
        # Cleared before the texts are taken: one that arrives in between sets it again, and is not forgotten.
        self._arrived.clear()
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return [(uid, text) for uid, texts in waiting.items() for text in texts]


@dataclass(slots=True)
class _Outlet:
    """One outlet that is listened to."""

    uid: str
    info: Any
    since: float
    stop: threading.Event = field(default_factory=lambda: world.clock.event())
    trusted: bool = False


class Listener:
    """Texts of every outlet that claims one of the source_ids.

    Parameters
    ----------
    source_ids : of the streams to listen to.
    on_text : called with uid and text, on the thread of that outlet.
    spawn : starts the threads; the engine passes its supervisor's.
    """

    def __init__(
        self,
        source_ids: Sequence[str],
        on_text: Callable[[str, str], None],
        *,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self._on_text, self._spawn = on_text, spawn
        self._lookout = Lookout(announced_as(source_ids))
        self._outlets: dict[str, _Outlet] = {}
        self._opened = 0
        self._only: frozenset[str] | None = None
        self._lock = world.clock.lock()
        self._end = world.clock.event()
        spawn("listener-look", self._look, limit_s=LIMIT_S)

    @property
    def uids(self) -> frozenset[str]:
        """uids of the outlets that are listened to."""
        with self._lock:
            return frozenset(self._outlets)

    def trust(self, uid: str) -> None:
        """This outlet sent a verified message: it is never dropped for others."""
        with self._lock:
            if uid in self._outlets:
                self._outlets[uid].trusted = True

    def bind(self, uids: frozenset[str] | None) -> None:
        """Listen to these outlets only from now on; None for all again."""
        with self._lock:
            self._only = uids
            for uid, outlet in self._outlets.items():
                if uids is not None and uid not in uids:
                    outlet.stop.set()

    def close(self) -> None:
        """End all threads; does not wait for them."""
        self._end.set()
        with self._lock:
            for outlet in self._outlets.values():
                outlet.stop.set()

    def _look(self, beat: world.Beat) -> None:
        try:
            while not self._end.wait(LOOK_S):
                beat()
                for uid, info in self._lookout.infos().items():
                    self._consider(uid, info)
        finally:
            self._lookout.close()

    def _consider(self, uid: str, info: Any) -> None:
        """Begin to listen to an outlet; if there is no room, drop the oldest that is not trusted."""
        with self._lock:
            if uid in self._outlets or (self._only is not None and uid not in self._only) or self._end.is_set():
                return
            if len(self._outlets) >= MAX_OUTLETS:
                silent = [o for o in self._outlets.values() if not o.trusted and not o.stop.is_set()]
                # Room comes when its thread ends; the next look takes the new outlet in.
                if silent:
                    min(silent, key=lambda o: o.since).stop.set()
                return
            outlet = self._outlets[uid] = _Outlet(uid, info, local_clock())
            self._opened += 1
        # Numbered, not named by uid: the announcer chooses the uid, and supervised threads need distinct names.
        self._spawn(f"listener-{self._opened}", lambda beat: self._pull(outlet, beat), limit_s=LIMIT_S)

    def _pull(self, outlet: _Outlet, beat: world.Beat) -> None:
        """Pull from one outlet until it is gone or no longer wanted."""
        inlet: Any = None
        try:
            inlet, _ = open_inlet(outlet.info, timeout=OPEN_S)
            while not outlet.stop.is_set():
                beat()
                values, stamps = inlet.pull_chunk(PULL_S, MAX_TEXTS, min_samples=1, as_numpy=True)
                for value in values[:, 0] if len(stamps) else ():
                    self._on_text(outlet.uid, _text(value))
        except RuntimeError:
            # Lost, refused or silent: the next look decides whether it is tried again.
            outlet.stop.set()
        finally:
            if inlet is not None:
                inlet.close_stream()
            with self._lock:
                self._outlets.pop(outlet.uid, None)


def _text(value: Any) -> str:
    """The text of a sample, cut just above the longest message; numbers become texts that are no messages."""
    return value[: MAX_MESSAGE + 1].decode("ascii", errors="replace") if isinstance(value, bytes) else str(value)
