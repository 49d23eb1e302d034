"""How often somebody may try a password: few times for one login, and slowly for all of them together."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from workbench import world
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.people import FREE_ATTEMPTS, LONGEST_WAIT_S

MOST_LOGINS = 10_000
"""Logins whose attempts are remembered; at the speed of :data:`LONGEST_PAUSE_S` it takes hours to push one out."""
MOST_WAITING = 32
"""Attempts that may be under way at once."""
WATCHED_S = 60.0
FREE_FAILURES = 10
"""Refused attempts of all logins within :data:`WATCHED_S` before every attempt has to pause first."""
LONGEST_PAUSE_S = 2.0


class TooMany(Refused):
    """An attempt that has to wait."""

    status = 429


@dataclass(slots=True)
class _Attempts:
    """Of one login: how many were refused in a row, until when the next has to wait, and whose turn it is."""

    refused: int = 0
    until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Limits:
    """Attempts of every login, known or not, so that a wait says nothing about whether a login exists."""

    def __init__(self) -> None:
        self._logins: OrderedDict[bytes, _Attempts] = OrderedDict()
        self._failures: deque[float] = deque()
        self._under_way = 0

    @asynccontextmanager
    async def attempt(self, login: str) -> AsyncIterator[Attempt]:
        """Whether an attempt of a login may be made: one after the other; the block says whether it was accepted.

        Raises
        ------
        TooMany
            Naming the seconds to wait.
        """
        if self._under_way >= MOST_WAITING:
            raise TooMany(Message("people.wait", n="2"))
        of = self._of(login)
        self._under_way += 1
        try:
            async with of.turn:
                wait = of.until - world.clock.monotonic()
                if wait > 0:
                    raise TooMany(Message("people.wait", n=f"{max(wait, 1.0):.0f}"))
                await asyncio.sleep(self._pause_s())
                made = Attempt()
                yield made
                self._count(of, accepted=made.accepted)
        finally:
            self._under_way -= 1

    def _of(self, login: str) -> _Attempts:
        # Hashed: what was typed as a login may be a password in the wrong field.
        key = hashlib.sha256(login.encode()).digest()
        of = self._logins.setdefault(key, _Attempts())
        self._logins.move_to_end(key)
        if len(self._logins) > MOST_LOGINS:
            self._logins.popitem(last=False)
        return of

    def _pause_s(self) -> float:
        """Longer with every refused attempt of the last minute, whoever made it."""
        now = world.clock.monotonic()
        while self._failures and now - self._failures[0] > WATCHED_S:
            self._failures.popleft()
        excess = len(self._failures) - FREE_FAILURES
        return 0.0 if excess <= 0 else min(LONGEST_PAUSE_S, 0.1 * excess)

    def _count(self, of: _Attempts, *, accepted: bool) -> None:
        now = world.clock.monotonic()
        if accepted:
            of.refused = 0
            return
        of.refused += 1
        self._failures.append(now)
        if of.refused >= FREE_ATTEMPTS:
            # No more than eight doublings: the wait is at its longest by then.
            of.until = now + min(LONGEST_WAIT_S, 2.0 ** min(of.refused - FREE_ATTEMPTS + 1, 8))


@dataclass(slots=True)
class Attempt:
    """One attempt; counts as refused until it is said to be accepted."""

    accepted: bool = False
