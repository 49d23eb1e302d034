"""Whether somebody is there: a visible page of the operator answers, not the kernel behind it.

A kernel outlives the tab that it serves, so that its requests prove nobody. The engine issues a challenge, the
page's own script answers it while the page is visible, and the kernel only carries the answer. A script may stand
in for somebody where the effector is simulated; status and record say so.

At home a page is not enough, as nobody of the study looks at it: each of those whom the home rule names says that
they are there, and says it again when its time is over.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from math import inf
from typing import Any

from workbench import world
from workbench.errors import BadValue, Refused
from workbench.live.status import PresenceState, PresenceStatus
from workbench.messages import Message
from workbench.vocabulary import HomeRule

PRESENT_S = 2.0
"""An answer older than this proves nobody, s. So does an answer to a challenge older than this."""
RENEW_S = 0.5
"""Time between two challenges, s."""
MAX_PAGES = 64


class Presence:
    """Challenges and answers of one session. The door answers on its thread, the loop asks on its own.

    Parameters
    ----------
    limit_s : absence after which the effector is released, s; shown to the page.
    script : whether a script stands in for somebody.
    home : rule for use at home, None elsewhere.
    """

    def __init__(self, *, limit_s: float, script: bool, home: HomeRule | None = None) -> None:
        self.limit_s, self.script, self._home = limit_s, script, home
        self._attends: dict[str, float] = {}
        self._lock = world.clock.lock()
        self._issued: OrderedDict[str, float] = OrderedDict()
        self._pages: OrderedDict[str, float] = OrderedDict()
        self._answered: set[tuple[str, str]] = set()
        self._last: float | None = None
        self._began = world.clock.monotonic()

    def challenge(self) -> str:
        """The challenge of now, renewed every :data:`RENEW_S`."""
        with self._lock:
            now = world.clock.monotonic()
            if not self._issued or now - next(reversed(self._issued.values())) >= RENEW_S:
                self._issued[world.chance.token_hex(16)] = now
            # Ends at the newest at the latest, which is younger than that.
            while now - next(iter(self._issued.values())) > PRESENT_S:
                old, _ = self._issued.popitem(last=False)
                self._answered = {pair for pair in self._answered if pair[1] != old}
            return next(reversed(self._issued))

    def answer(self, args: Mapping[str, Any]) -> None:
        """What a page said: ``page``, ``challenge`` and ``visible``.

        Raises
        ------
        BadValue
            For an answer that is malformed, late, repeated, or to no challenge of this engine.
        """
        page, challenge, visible = args.get("page"), args.get("challenge"), args.get("visible")
        if not isinstance(page, str) or not 1 <= len(page) <= 64 or not isinstance(visible, bool):
            raise BadValue(Message("engine.page_malformed"))
        with self._lock:
            now = world.clock.monotonic()
            if not visible:
                # A page that says that it is hidden is believed at once: that errs to the safe side.
                self._pages.pop(page, None)
                return
            issued = self._issued.get(str(challenge))
            if issued is None or now - issued > PRESENT_S:
                raise BadValue(Message("engine.page_late", page=page[:8], n=f"{PRESENT_S:g}"))
            if (page, str(challenge)) in self._answered:
                raise BadValue(Message("engine.page_repeats", page=page[:8]))
            self._answered.add((page, str(challenge)))
            self._pages[page] = self._last = now
            self._pages.move_to_end(page)
            # Each reload is a page of its own: without a bound they would pile up over a day.
            while len(self._pages) > MAX_PAGES:
                self._pages.popitem(last=False)

    def away_s(self) -> float:
        """Seconds since a visible page answered, or since one of those who must be there at home was.

        0 while a script stands in for the page; it stands in for nobody whom the home rule names.
        """
        with self._lock:
            now = world.clock.monotonic()
            return max(0.0 if self.script else self._away(now), self._unattended(now))

    def attend(self, role: str, *, there: bool) -> None:
        """Somebody whom the home rule names says that they are there, or that they go.

        Raises
        ------
        Refused
            Where no rule for use at home is in the plan.
        BadValue
            For a role that the rule does not ask for.
        """
        if self._home is None:
            raise Refused(Message("home.no_rule"))
        if role not in self._home.present:
            raise BadValue(Message("home.role", got=repr(role), allowed=list(self._home.present)))
        with self._lock:
            now = world.clock.monotonic()
            # Who goes is no longer there now, and was until now.
            self._attends[role] = now if there else now - 60.0 * self._home.present_min - PRESENT_S - 1e-3

    def missing(self) -> list[str]:
        """Who must be there at home and has not said so, or too long ago."""
        with self._lock:
            now = world.clock.monotonic()
            return [] if self._home is None else [one for one in self._home.present if self._overdue(one, now) > 0]

    def _unattended(self, now: float) -> float:
        """Seconds for which one of those who must be there at home has not been; 0 where all are."""
        return 0.0 if self._home is None else max(0.0, *(self._overdue(one, now) for one in self._home.present))

    def _overdue(self, role: str, now: float) -> float:
        said = self._attends.get(role)
        if self._home is None or said is None:
            return max(PRESENT_S + 1e-3, now - self._began)
        return now - said - 60.0 * self._home.present_min

    @property
    def present(self) -> bool:
        """Whether somebody is there now."""
        return self.away_s() <= PRESENT_S

    def _away(self, now: float) -> float:
        since = now - (self._began if self._last is None else self._last)
        newest = max(self._pages.values(), default=-inf)
        # Where no page that answered lately is left (each is hidden or closed), somebody went away with the last
        # answer of all: a tab that crashed an hour ago says nothing about how long.
        return now - newest if now - newest <= PRESENT_S else max(PRESENT_S + 1e-3, since)

    def status(self) -> PresenceStatus:
        """The presence part of the status."""
        challenge, present, missing = self.challenge(), self.present, self.missing()
        with self._lock:
            now, last = world.clock.monotonic(), self._last
            pages = sum(now - at <= PRESENT_S for at in self._pages.values())
        state: PresenceState = "present" if present else "absent" if last is not None else "nobody_yet"
        return {
            "state": "script" if self.script and not missing else state,
            "challenge": challenge,
            "age_s": None if last is None else round(now - last, 3),
            "limit_s": self.limit_s,
            "pages": pages,
            "missing": missing,
        }
