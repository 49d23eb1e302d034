"""The supervisor: every thread of the engine is started through it, and none ends or stands still unnoticed.

A thread that raises, that returns although it should not, or that does not report within its time is *lost*.
What follows (the effector's safe state, an alarm, a row) is decided by the engine. The supervisor looks from a
thread of its own; the engine's loop looks after that one, so that the two watch each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from workbench.threads import Beat, Body

LOOK_S = 0.05
"""Time between two looks at the threads, s."""
LOOKING_LIMIT_S = 2.0
"""How long the supervisor itself may stand still before the loop counts it as lost, s."""


@dataclass(slots=True)
class Watched:
    """One thread: its last beat (monotonic, s), its limit, and why it is lost."""

    name: str
    thread: threading.Thread
    limit_s: float
    returns: bool
    beat_at: float
    error: str = ""
    lost: str = ""

    @property
    def over(self) -> bool:
        """Whether it has ended; one that was not started yet has not."""
        return self.thread.ident is not None and not self.thread.is_alive()


class Supervisor:
    """Threads of one process.

    Parameters
    ----------
    on_lost : called once for each lost thread with its name and a sentence, on the thread that found it.
    on_back : called when a thread that had stood still reports again.
    clock : monotonic time, s.
    """

    def __init__(
        self,
        on_lost: Callable[[str, str], None],
        *,
        on_back: Callable[[str], None] = lambda name: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_lost, self._on_back, self._clock = on_lost, on_back, clock
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def start(self, name: str, body: Body, *, limit_s: float = inf, returns: bool = True) -> threading.Thread:
        """Start a thread and watch it.

        Parameters
        ----------
        name : unique among the threads that run; a thread that ended makes room for its successor.
        body : what it does, called with its beat.
        limit_s : longest time between two beats, s.
        returns : whether ``body`` may return before :meth:`close`; then it did so on purpose.
        """

        def guarded() -> None:
            try:
                body(lambda: self.beat(name))
            except BaseException as error:
                watched.error = f"{type(error).__name__}: {error}"
                raise

        # A predecessor that failed a moment ago is reported before its successor takes its place.
        self.look(name)
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        watched = Watched(name, thread, limit_s, returns, self._clock())
        with self._lock:
            self._watched[name] = watched
        thread.start()
        return thread

    def adopt(self, name: str, *, limit_s: float = inf) -> Beat:
        """Watch the calling thread, which was there before; returns its beat."""
        watched = Watched(name, threading.current_thread(), limit_s, returns=False, beat_at=self._clock())
        with self._lock:
            self._watched[name] = watched
        return lambda: self.beat(name)

    def beat(self, name: str) -> None:
        """The thread ``name`` is alive."""
        watched = self._watched.get(name)
        if watched is not None:
            watched.beat_at = self._clock()

    def limit(self, name: str, limit_s: float) -> None:
        """From now on ``name`` may take ``limit_s`` s between two beats."""
        watched = self._watched[name]
        watched.beat_at, watched.limit_s = self._clock(), limit_s

    def look_after(self, each: Callable[[], bool]) -> threading.Thread:
        """Start the thread that looks at all others every :data:`LOOK_S`.

        ``each`` is called before each look; True when the whole process stood still, which no single thread
        is to be blamed for.
        """

        def looking(beat: Beat) -> None:
            while not self.wait(LOOK_S):
                beat()
                if each():
                    self._refresh()
                self.look()

        return self.start("supervisor", looking, limit_s=LOOKING_LIMIT_S, returns=False)

    def wait(self, seconds: float) -> bool:
        """Wait; True when the process closes."""
        return self._closing.wait(seconds)

    def _refresh(self) -> None:
        now = self._clock()
        with self._lock:
            for watched in self._watched.values():
                watched.beat_at = now

    def look(self, *names: str) -> None:
        """Look at all threads, or those named, and report each newly lost one."""
        if self._closing.is_set():
            return
        now = self._clock()
        with self._lock:
            chosen = [w for n, w in self._watched.items() if not names or n in names]
            # Whoever announces streams makes listening threads come and go: the ended ones must not pile up.
            ended = [n for n, w in self._watched.items() if w.over and w.returns and not w.error]
            for name in ended:
                del self._watched[name]
        for watched in chosen:
            sentence = self._fate(watched, now)
            if bool(sentence) == bool(watched.lost):
                continue
            watched.lost = sentence
            if sentence:
                self._on_lost(watched.name, sentence)
            else:
                self._on_back(watched.name)

    def _fate(self, watched: Watched, now: float) -> str:
        """Why a thread is lost, ``""`` while it is not."""
        if watched.error:
            return f"thread {watched.name} ended: {watched.error}"
        if watched.over:
            return "" if watched.returns else f"thread {watched.name} ended by itself"
        silent = now - watched.beat_at
        if silent > watched.limit_s:
            return f"thread {watched.name} has not reported for {silent:.1f} s (limit {watched.limit_s:g} s)"
        return ""

    def lost(self) -> dict[str, str]:
        """Name and sentence of each lost thread."""
        with self._lock:
            return {name: watched.lost for name, watched in self._watched.items() if watched.lost}

    def names(self) -> list[str]:
        """The threads that run and are watched."""
        with self._lock:
            return sorted(name for name, watched in self._watched.items() if watched.thread.is_alive())

    def unwatched(self) -> list[str]:
        """Names of the threads of this process that were not started through the supervisor."""
        with self._lock:
            known = {watched.thread for watched in self._watched.values()}
        return sorted(thread.name for thread in threading.enumerate() if thread not in known)

    def close(self) -> None:
        """From now on threads end on purpose."""
        self._closing.set()
