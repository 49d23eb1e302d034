"""The supervisor: every thread of the engine is started through it, and none ends or stands still unnoticed.

A thread that raises, that returns although it should not, or that does not report within its time is *lost*.
What follows (the effector's safe state, an alarm, a row) is decided by the engine. The supervisor looks from a
thread of its own; the engine's loop looks after that one, so that the two watch each other, and at all others
while that one is lost. Nobody who looks waits for a lock that a lost thread may hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from workbench import world
from workbench.engine.standstill import STANDSTILL_S
from workbench.messages import Message

LOOK_S = 0.05
"""Time between two looks at the threads, s."""
SUPERVISOR = "supervisor"
"""Name of the thread that looks at all others."""
LOOKING_LIMIT_S = 2.0
"""How long the supervisor itself may stand still before the loop counts it as lost, s."""


@dataclass(slots=True)
class SupervisedThread:
    """One thread: its last beat, the first of an unbroken series (monotonic, s), its limit, why it is lost."""

    name: str
    thread: threading.Thread
    limit_s: float
    returns: bool
    beat_at: float
    unbroken_since: float
    error: str = ""
    lost: Message | None = None
    beats: int = 0
    beats_when_lost: int = -1

    @property
    def over(self) -> bool:
        """Whether it has ended; one that was not started yet has not."""
        return self.thread.ident is not None and not self.thread.is_alive()

    @property
    def done(self) -> bool:
        """Whether it ended as it may."""
        return self.returns and self.over and not self.error and not self.lost

    def beat(self, now: float) -> None:
        """It is alive; a beat that comes late by a standstill begins a new series."""
        if now - self.beat_at > STANDSTILL_S:
            self.unbroken_since = now
        self.beat_at = now
        self.beats += 1

    def is_well(self, now: float) -> bool:
        """Whether it runs, was never lost since, and reported in time, whoever listens: nearly every look."""
        return not (self.error or self.lost) and now - self.beat_at <= self.limit_s and self.thread.is_alive()

    def why_lost(self, now: float, heard_since: float) -> Message | None:
        """Why the thread is lost, None while it is not, to somebody who listens since ``heard_since``."""
        if self.error:
            return Message("engine.thread_failed", thread=self.name, error=self.error)
        if self.over:
            return None if self.returns else Message("engine.thread_ended", thread=self.name)
        # It keeps its first sentence: a number of seconds that grows would be a new loss at each look.
        if self.lost and self.beats == self.beats_when_lost:
            return self.lost
        silent = now - max(self.beat_at, heard_since)
        if silent > self.limit_s:
            return Message("engine.thread_silent", thread=self.name, n=f"{silent:.1f}", limit=f"{self.limit_s:g}")
        return None


class Supervisor:
    """Threads of one process.

    Parameters
    ----------
    on_lost : called once for each lost thread with its name and a sentence, on the thread that found it.
    on_back : called when a thread that had stood still reports again.
    """

    def __init__(
        self,
        on_lost: Callable[[str, Message], None],
        *,
        on_back: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._on_lost, self._on_back = on_lost, on_back
        # Replaced, never changed: whoever looks needs no lock.
        self._watched: Mapping[str, SupervisedThread] = {}
        self._lock = world.clock.lock()
        self._closing = world.clock.event()

    def start(
        self, name: str, body: world.Body, *, limit_s: float = inf, returns: bool = True
    ) -> threading.Thread:
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
            # Also SystemExit, with which a library could end a thread without a trace.
            except BaseException as error:
                watched.error = f"{type(error).__name__}: {error}"
                raise

        # A predecessor that failed a moment ago is reported before its successor takes its entry; with `inf` only
        # its end counts, not its silence.
        if name in self._watched:
            self._judge(self._watched[name], world.clock.monotonic(), heard_since=inf)
        thread = world.clock.thread(guarded, name=name)
        # Watched before it starts, because its first beat looks for its entry.
        watched = self._watch(name, thread, limit_s, returns=returns)
        thread.start()
        return thread

    def adopt(self, name: str, *, limit_s: float = inf) -> world.Beat:
        """Watch the calling thread, which was there before; returns its beat."""
        self._watch(name, world.clock.current_thread(), limit_s, returns=False)
        return lambda: self.beat(name)

    def _watch(self, name: str, thread: threading.Thread, limit_s: float, *, returns: bool) -> SupervisedThread:
        now = world.clock.monotonic()
        watched = SupervisedThread(name, thread, limit_s, returns, beat_at=now, unbroken_since=now)
        with self._lock:
            self._watched = {**self._watched, name: watched}
        return watched

    def beat(self, name: str) -> None:
        """The thread ``name`` is alive."""
        watched = self._watched.get(name)
        if watched is not None:
            watched.beat(world.clock.monotonic())

    def limit(self, name: str, limit_s: float) -> None:
        """From now on ``name`` may take ``limit_s`` s between two beats."""
        watched = self._watched[name]
        # The beat comes first: silence under the old, longer limit must not count against the new one.
        watched.beat(world.clock.monotonic())
        watched.limit_s = limit_s

    def start_looking(self, each: Callable[[], None]) -> threading.Thread:
        """Start the thread that looks at all others every :data:`LOOK_S`; ``each`` is called before each look."""

        def looking(beat: world.Beat) -> None:
            while not self.wait(LOOK_S):
                beat()
                each()
                self.look(SUPERVISOR)

        return self.start(SUPERVISOR, looking, limit_s=LOOKING_LIMIT_S, returns=False)

    def look_at_supervisor(self, by: str) -> None:
        """The thread ``by`` looks at the supervisor and, while that is lost, at all others in its place."""
        self.look(by, SUPERVISOR)
        supervisor = self._watched.get(SUPERVISOR)
        if supervisor is not None and supervisor.lost:
            self.look(by)

    def ran_unbroken(self, name: str, since: float) -> bool:
        """Whether the thread ``name`` came round without a break since then (monotonic, s)."""
        watched = self._watched[name]
        return watched.unbroken_since <= since and world.clock.monotonic() - watched.beat_at <= STANDSTILL_S

    def wait(self, seconds: float) -> bool:
        """Wait; True when the process closes."""
        return self._closing.wait(seconds)

    def look(self, by: str, *names: str) -> None:
        """The thread ``by`` looks at all others, or at those named; each newly lost one and each back is reported.

        Silence counts only for as long as ``by`` itself came round without a break: a process that stood still
        blames no single thread.
        """
        now, heard_since = world.clock.monotonic(), self._watched[by].unbroken_since
        # Whoever announces streams makes listening threads come and go: the ended ones must not pile up. A look at
        # one thread, which the loop takes at every round, leaves that to the next look at all.
        if not names and any(watched.done for watched in self._watched.values()):
            with self._lock:
                self._watched = {name: watched for name, watched in self._watched.items() if not watched.done}
        all_watched = self._watched
        for name in names or all_watched:
            if name == by or (watched := all_watched.get(name)) is None:
                continue
            if not watched.is_well(now):
                self._judge(watched, now, heard_since)

    def _judge(self, watched: SupervisedThread, now: float, heard_since: float) -> None:
        if self._closing.is_set():
            return
        sentence = watched.why_lost(now, heard_since)
        if sentence == watched.lost:  # a thread that hung and then ends is reported a second time
            return
        with self._lock:
            sentence = watched.why_lost(now, heard_since)
            if sentence == watched.lost:
                return  # another who looks was first
            watched.lost, watched.beats_when_lost = sentence, watched.beats
        # Outside the lock: what follows starts the thread that orders the safe state, and starting takes the lock.
        if sentence:
            self._on_lost(watched.name, sentence)
        else:
            self._on_back(watched.name)

    def lost(self) -> dict[str, Message]:
        """Name and sentence of each lost thread."""
        return {name: watched.lost for name, watched in self._watched.items() if watched.lost}

    def names(self) -> list[str]:
        """The threads that run and are watched."""
        return sorted(name for name, watched in self._watched.items() if watched.thread.is_alive())

    def unsupervised(self) -> list[str]:
        """Names of the threads of this process that were not started through the supervisor."""
        known = {watched.thread for watched in self._watched.values()}
        return sorted(thread.name for thread in world.clock.threads() if thread not in known)

    def close(self) -> None:
        """From now on threads end on purpose."""
        self._closing.set()
