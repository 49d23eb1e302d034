"""The alarms of a session: one cause, one alarm, and none leaves before somebody has acknowledged it.

An alarm is journalled before it is shown, as a row of the ledger and as a line of the engine's own alarm journal;
so is its acknowledgement. The journal is what makes an alarm survive the page, the kernel and the engine.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, Protocol

from workbench import world
from workbench.errors import BadValue
from workbench.live.status import AlarmPriority, AlarmStatus
from workbench.messages import Message, carried, restored
from workbench.vocabulary import Priority

LOG = logging.getLogger("workbench.engine")

STOP = "estop"
"""Key of the alarm of a STOP, which outranks every other."""
MAX_JOURNAL = 1_000_000
"""Bytes of an alarm journal that are read, at most; it is written again, with what is open, at half of them."""
_RANK: dict[str, int] = {"high": 0, "medium": 1, "low": 2}


AlarmRow = Literal["alarm", "alarm_acknowledged"]
"""Kinds of rows about alarms."""


class Enter(Protocol):
    """Makes a row of the ledger."""

    def __call__(self, kind: AlarmRow, *, extent: str, consequence: str, priority: Priority) -> None:
        """See :class:`LedgerRow`."""


@dataclass
class Alarm:
    """One alarm. Times are UTC in s since 1970, so that an age holds across engines.

    Attributes
    ----------
    id : unique in the study's engine folder.
    cause : one alarm exists for each; ``key`` names its kind.
    raised, acknowledged_at : when, 0 for never. acknowledged_by : who.
    cleared : whether the cause has gone. earlier : raised by an engine before this one.
    """

    id: str
    cause: str
    key: str
    priority: AlarmPriority
    what: str
    means: str
    do: str
    raised: float = 0.0
    cleared: bool = False
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0
    earlier: bool = False

    @property
    def over(self) -> bool:
        """Whether it may leave the screen."""
        return self.cleared and bool(self.acknowledged_by)

    def shown(self, now: float) -> AlarmStatus:
        """Its entry of the status; ``now`` in s since 1970."""
        by = self.acknowledged_by
        return {
            "id": self.id,
            "key": self.key,
            "priority": self.priority,
            "what": self.what,
            "means": self.means,
            "do": self.do,
            "raised_s": round(max(0.0, now - self.raised), 1),
            "cleared": self.cleared,
            "earlier": self.earlier,
            "acknowledged": {"by": by, "age_s": round(max(0.0, now - self.acknowledged_at), 1)} if by else None,
        }


class Alarms:
    """The alarms of one engine. Any thread may raise, clear or acknowledge one."""

    def __init__(self) -> None:
        self._lock = world.clock.rlock()
        self._alarms: dict[str, Alarm] = {}
        self._n = 0
        self._journal: Path | None = None
        self._enter: Enter | None = None

    def open(self, journal: Path, enter: Enter) -> None:
        """Take over what an earlier engine left unacknowledged, and journal from now on.

        Parameters
        ----------
        journal : file of the engine's folder; it is written again with what is still open.
        enter : makes a row of the ledger.
        """
        with self._lock:
            for alarm in _read(journal):
                self._n = max(self._n, _number(alarm.id))
                # Its cause was a state of an engine that is gone: what somebody saw is over. Its own key keeps
                # it when the same cause arises again.
                alarm.cleared = alarm.earlier = True
                if not alarm.over:
                    self._alarms[f"{alarm.cause} {alarm.id}"] = alarm
            world.disk.save(journal, b"".join(map(_line, self._alarms.values())))
            self._journal, self._enter = journal, enter

    def __contains__(self, cause: object) -> bool:
        """Whether the alarm of a cause is raised and its cause has not gone."""
        alarm = self._alarms.get(str(cause))
        return alarm is not None and not alarm.cleared

    @property
    def lasting(self) -> set[str]:
        """Kinds of the alarms whose cause has not gone."""
        return {alarm.key for alarm in list(self._alarms.values()) if not alarm.cleared}

    def raise_alarm(
        self, cause: str, *, key: str = "", priority: AlarmPriority, what: str, means: str, do: str
    ) -> None:
        """Raise an alarm, or renew the text of the one with the same cause.

        Parameters
        ----------
        cause : one alarm exists for each. key : its kind, the cause by default.
        priority : ``"high"``, ``"medium"`` or ``"low"``.
        what, means, do : what happened, what it means, what to do.

        """
        with self._lock:
            alarm = self._alarms.get(cause)
            if alarm is not None and not alarm.cleared:
                alarm.what, alarm.means, alarm.do, alarm.priority = what, means, do, priority
                return
            self._n += 1
            fresh = Alarm(f"a{self._n}", cause, key or cause, priority, what, means, do, world.clock.wall())
            if alarm is not None and alarm.acknowledged_by == "":
                # The one before was never acknowledged: it stays the same alarm, with its first time.
                fresh.id, fresh.raised = alarm.id, alarm.raised
            # The journal before the table that screens read: an alarm that somebody has seen survives the engine.
            self._record(fresh)
            self._row("alarm", Message("alarm.row", id=fresh.id, what=what), means, priority)
            self._alarms[cause] = fresh

    def clear(self, cause: str) -> None:
        """The cause has gone; the alarm stays until somebody acknowledges it."""
        with self._lock:
            alarm = self._alarms.get(cause)
            if alarm is None or alarm.cleared:
                return
            alarm.cleared = True
            self._record(alarm)
            self._drop()

    def acknowledge(self, alarm_id: str, *, by: str) -> None:
        """Somebody has seen it.

        Raises
        ------
        BadValue
            For an alarm that is not there.
        """
        with self._lock:
            alarm = next((a for a in self._alarms.values() if a.id == alarm_id), None)
            if alarm is None:
                known = [a.id for a in self._alarms.values()] or Message("word.none")
                raise BadValue(Message("alarm.unknown", id=repr(alarm_id), known=known))
            if alarm.acknowledged_by:
                return
            alarm.acknowledged_by, alarm.acknowledged_at = by, world.clock.wall()
            self._record(alarm)
            extent = Message("alarm.row", id=alarm.id, what=alarm.what)
            self._row("alarm_acknowledged", extent, Message("alarm.acknowledged", by=by), "info")
            self._drop()

    def acknowledge_cause(self, cause: str, *, by: str) -> None:
        """Somebody has acted on the cause itself, which acknowledges its alarm."""
        alarm = self._alarms.get(cause)
        if alarm is not None:
            self.acknowledge(alarm.id, by=by)

    def shown(self) -> list[AlarmStatus]:
        """STOP first, then open before cleared, then the highest priority, then the newest.

        Without the lock, which is held while the disk is waited for: the door asks, and a STOP waits behind it.
        """
        now = world.clock.wall()
        order = sorted(
            # Copied in one step under the GIL; alarms that leave replace the dict and are not deleted from it.
            list(self._alarms.values()),
            key=lambda a: (a.key != STOP or a.cleared, a.cleared, _RANK.get(a.priority, 3), -a.raised),
        )
        return [alarm.shown(now) for alarm in order]

    # ---------------------------------------------------------------------------------- inside
    def _drop(self) -> None:
        self._alarms = {cause: alarm for cause, alarm in self._alarms.items() if not alarm.over}

    def _row(self, kind: AlarmRow, extent: str, consequence: str, priority: Priority) -> None:
        if self._enter is not None:
            self._enter(kind, extent=extent, consequence=consequence, priority=priority)

    def _record(self, alarm: Alarm) -> None:
        """One line of the journal, on the disk when this returns; a full disk must not silence the alarm."""
        if self._journal is None:
            return
        try:
            descriptor = world.disk.descriptor(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                world.disk.write(descriptor, _line(alarm))
                world.disk.sync(descriptor)
                size = os.lseek(descriptor, 0, os.SEEK_END)
            finally:
                world.disk.close(descriptor)
            # At half of what a reader takes, so that the newest lines are always among those read.
            if size > MAX_JOURNAL // 2:
                newest = {a.id: a for a in (*self._alarms.values(), alarm)}.values()
                world.disk.save(self._journal, b"".join(_line(a) for a in newest if not a.over))
        except OSError as error:
            LOG.error("alarm %s is not in its journal: %s", alarm.id, error)


def _line(alarm: Alarm) -> bytes:
    """A line of its own, whatever a full disk has left of the one before."""
    return b"\n" + json.dumps(carried(asdict(alarm)), ensure_ascii=False).encode("utf-8") + b"\n"


def _read(journal: Path) -> list[Alarm]:
    """The last line of each alarm; a line that was cut off says nothing.

    Lines of versions before codes hold ``args`` beside the English texts, which stay as they are.
    """
    try:
        with journal.open("rb") as file:
            lines = file.read(MAX_JOURNAL).splitlines()
    except OSError:
        return []
    alarms: dict[str, Alarm] = {}
    names = {field.name for field in fields(Alarm)}
    for line in lines:
        try:
            content = restored(json.loads(line))
            alarm = Alarm(**{name: value for name, value in content.items() if name in names})
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
        alarms[alarm.id] = alarm
    return list(alarms.values())


def _number(alarm_id: str) -> int:
    digits = alarm_id[1:]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0
