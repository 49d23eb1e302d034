"""Watching and stopping a device with nothing but its pairing key: no engine and no screen is needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Self, get_args

from workbench.devices import lsl
from workbench.devices._last_metre import EngineEnd
from workbench.devices._listening import Inbox, Listener
from workbench.devices._pairing import Pairing
from workbench.errors import StreamFault
from workbench.messages import Message
from workbench.vocabulary import DeviceState, DeviceStatus, StreamSpec

STATES: tuple[str, ...] = get_args(DeviceState)
REPEAT_S = 0.2
"""Time between two requests to a device that has not answered, s."""


def device_status(content: Mapping[str, Any], *, commanded: float = 0.0) -> DeviceStatus | None:
    """The device status in the body of a message, None when the body is not a status.

    Parameters
    ----------
    content : body of a verified status, report or welcome.
    commanded : level last commanded, fraction 0–1.
    """
    # "" fails every check of type below: a missing field is refused like a wrong one.
    named = ("counter", "state", "level", "locked", "stamp")
    counter, state, level, locked, stamp = (content.get(name, "") for name in named)
    foreign = content.get("foreign") or {}
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (counter, level, stamp))
    if not numbers or state not in STATES or not isinstance(locked, bool) or not isinstance(foreign, dict):
        return None
    # A correct signature proves who sent it, not that the numbers make sense: level and stamp are checked too.
    if not (math.isfinite(stamp) and 0 <= level <= 1 and all(isinstance(n, int) for n in foreign.values())):
        return None
    return DeviceStatus(int(counter), float(stamp), state, float(level), locked, commanded, sum(foreign.values()))


def watch_status(
    paired: Pairing, *, timeout: float = 5.0, until: Callable[[DeviceStatus], bool] | None = None
) -> DeviceStatus:
    """The first fresh signed status of a device that fulfils a condition.

    Parameters
    ----------
    paired : the pairing with the device.
    timeout : s.
    until : the condition; by default that the device is safe.

    Raises
    ------
    StreamFault
        When no signed status comes, or none fulfils the condition in time; the text says what was last known.
    """
    with _Watcher(paired) as watcher:
        return watcher.wait(until or _is_safe, timeout=timeout, ask=watcher.query)


def stop_device(paired: Pairing, reason: str, *, timeout: float = 5.0) -> DeviceStatus:
    """Stop a device directly, and return its signed status that confirms level 0.

    Parameters
    ----------
    paired : the pairing with the device.
    reason : one phrase, sent with the stop.
    timeout : s.

    Raises
    ------
    StreamFault
        When the device does not confirm in time.
    """
    with _Watcher(paired) as watcher:
        return watcher.wait(_is_safe, timeout=timeout, ask=lambda: watcher.stop(reason), acknowledged=True)


def _is_safe(status: DeviceStatus) -> bool:
    return status.is_safe


class _Watcher:
    """Announces the watch stream and receives acknowledgements and statuses, with the pairing key."""

    def __init__(self, paired: Pairing) -> None:
        self._paired = paired
        self._end = EngineEnd(paired.key(), paired.effector)
        self._inbox = Inbox()
        spec = StreamSpec("wb-watch", "Commands", 0.0, source_id=paired.source_id("watch"), role="aux")
        self._outlet = lsl.Outlet(spec)
        ids = [paired.source_id("acks"), paired.source_id("status")]
        self._listener = Listener(ids, self._inbox.put)
        self._acknowledged = False
        self._queried = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._outlet.close()

    def query(self) -> None:
        """Ask for a report, once: the statuses after it are known to be new."""
        if not self._queried:
            self._send([self._end.query()])

    def stop(self, reason: str) -> None:
        """Agree on a session, then send the stop until it is acknowledged."""
        # A stop needs a session key; one is agreed on the offer of any status, without the engine.
        if not self._end.session and self._end.has_offer:
            self._send([self._end.hello({"purpose": "stop"})])
        elif self._end.session and not self._acknowledged:
            # Cut to 200 characters: with a longer reason the message could exceed its limit and be refused.
            command = {"action": "stop", "profile": self._paired.effector, "seq": 0, "reason": reason[:200]}
            self._send(self._end.command(command))

    def _send(self, texts: list[str]) -> None:
        for text in texts:
            self._outlet.push_text(text, lsl.local_clock())

    def wait(
        self,
        until: Callable[[DeviceStatus], bool],
        *,
        timeout: float,
        ask: Callable[[], None],
        acknowledged: bool = False,
    ) -> DeviceStatus:
        """Repeat the request until a fresh status fulfils the condition."""
        end, asked_at = lsl.local_clock() + timeout, -math.inf
        last: DeviceStatus | None = None
        while (now := lsl.local_clock()) < end:
            # LSL drops what is pushed before somebody listens; repeating is safe, since a stop is idempotent.
            if now - asked_at >= REPEAT_S and self._outlet.has_receiver():
                asked_at = now
                ask()
            for uid, text in self._inbox.take(0.05):
                answer = self._end.receive(text)
                if answer is None:
                    continue
                if answer.is_fresh:
                    self._listener.trust(uid)
                # The session is agreed: send the stop itself now rather than at the next repetition.
                if answer.kind == "welcome":
                    asked_at = -math.inf
                if answer.kind == "ack":
                    self._acknowledged |= answer.content.get("status") == "ok"
                self._queried |= answer.kind == "report"
                status = device_status(answer.content) if answer.is_fresh and answer.kind != "ack" else None
                # A status alone may be older than the stop; only a fresh one after the acknowledgement counts.
                last = status or last
                if status is not None and until(status) and (self._acknowledged or not acknowledged):
                    return status
        raise StreamFault(self._silent(timeout, last))

    def _silent(self, timeout: float, last: DeviceStatus | None) -> Message:
        known = Message("device.no_status")
        if last is not None:
            known = Message("device.last_status", state=last.state, level=f"{last.level:g}")
        return Message("device.unconfirmed", device=self._paired.effector, n=f"{timeout:g}", known=known)
