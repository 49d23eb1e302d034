"""Signed messages to and from one device, and a look-out for strangers that use its names.

It knows nothing of what a command means. The lock of the link guards it, as it takes one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench import world
from workbench.devices import lsl
from workbench.devices._last_metre import Answer, EngineEnd
from workbench.devices._listening import Listener, Lookout
from workbench.devices._pairing import Pairing
from workbench.live.plan import OWN_NAMES
from workbench.messages import Message
from workbench.vocabulary import Command, StreamSpec, contents

ASK_S = 0.15
"""Time between two requests for a session key, s."""

LOOK_S = 0.5
"""Time between two looks for streams that bear this session's names, s."""


class DeviceChannel:
    """The command stream to a device, and its answers.

    Parameters
    ----------
    pairing : with the device.
    session_id : of the session; it ends the source_ids of the engine's other streams.
    own_uids : gives the uids of the engine's other outlets.
    time_base : ``speed`` and ``t0`` of the stream time; the device learns them signed.
    on_text : called with uid and text of whatever claims to be from the device, on a thread of its own.
    spawn : starts the threads that listen.
    """

    def __init__(
        self,
        pairing: Pairing,
        *,
        session_id: str,
        own_uids: Callable[[], frozenset[str]],
        time_base: Mapping[str, float],
        on_text: Callable[[str, str], None],
        spawn: world.Spawn,
    ) -> None:
        self._end = EngineEnd(pairing.key(), pairing.effector)
        self._hello: dict[str, Any] = {"session_id": session_id, **time_base}
        self._own_uids = own_uids
        self._asked_at = self._looked_at = 0.0
        self._device_uids: frozenset[str] = frozenset()
        spec = StreamSpec("wb-commands", "Commands", 0.0, source_id=pairing.source_id("commands"), role="markers")
        self.outlet = lsl.Outlet(spec, desc=dict(time_base))
        # A stranger knows the session's id from the cue stream, and the link's from the device's streams.
        suffixes = (session_id, pairing.link_id)
        names = [own for own in OWN_NAMES if own != "wb-watch"]  # a watcher that holds the key may come and go
        self._names = frozenset(f"{own}-{suffix}" for own in names for suffix in suffixes)
        self._lookout = Lookout("starts-with(name,'wb-') or starts-with(source_id,'wb-')")
        ids = [pairing.source_id("acks"), pairing.source_id("status")]
        self._listener = Listener(ids, on_text, spawn=spawn)

    @property
    def session(self) -> str:
        """Id of the session key that is agreed, ``""`` without one."""
        return self._end.session

    @property
    def foreign_messages(self) -> int:
        """Messages so far that were not the device's own."""
        return self._end.foreign

    def send(self, command: Command) -> bool:
        """Send a command; whether there is a session key to sign it with."""
        texts = self._end.command(contents(command))
        for text in texts:
            self.outlet.push_text(text, command.stamp)
        return bool(texts)

    def verify(self, uid: str, text: str) -> Answer | None:
        """The answer in a text of the outlet ``uid``, None for what is not signed by the device or not fresh."""
        answer = self._end.receive(text)
        if answer is None or not answer.is_fresh:
            return None
        # Only after the signature: the number of outlets heard is bounded, and a trusted one never gives way.
        self._listener.trust(uid)
        return answer

    def bind(self, answer: Answer) -> None:
        """The device names its outlets, signed: nobody else is listened to from here."""
        uids = answer.content.get("uids")
        if isinstance(uids, dict):
            self._device_uids = frozenset(str(uid) for uid in uids.values())
            self._listener.bind(self._device_uids)

    def listen_to_all(self) -> None:
        """The device may be another process by now; whoever it is, a signature decides."""
        self._listener.bind(None)

    def ask_for_key(self, now: float, *, stamp: float) -> None:
        """Ask for a new session key, where the device has offered one; not more often than every :data:`ASK_S`.

        Parameters
        ----------
        now : local time, s.
        stamp : stream time, s.
        """
        if self._end.has_offer and now - self._asked_at >= ASK_S:
            self._asked_at = now
            self.outlet.push_text(self._end.hello(self._hello), stamp)

    def strangers(self, now: float) -> list[Message] | None:
        """Streams that bear a name of this session and are neither the engine's nor the device's.

        None between two looks; ``now`` is local time in s.
        """
        if now - self._looked_at < LOOK_S:
            return None
        self._looked_at = now
        own = self._own_uids() | {self.outlet.uid} | self._device_uids
        strange = []
        for uid, info in self._lookout.infos().items():
            if uid in own or (source_id := info.source_id()) not in self._names:
                continue
            # Until the device has named its own two streams, one of them may be what is seen.
            if self._device_uids or not source_id.startswith(("wb-acks-", "wb-status-")):
                strange.append(Message("engine.stranger", source_id=source_id, host=info.hostname(), uid=uid[:8]))
        return sorted(strange)

    def end(self, reason: str, *, stamp: float) -> None:
        """Tell the device that no engine follows; ``stamp`` is stream time in s."""
        for text in self._end.end(reason):
            self.outlet.push_text(text, stamp)

    def stop_listening(self) -> None:
        """Close what listens to the device."""
        self._listener.close()

    def close(self) -> None:
        """Take the command stream away, and look for no strangers any more."""
        self._lookout.close()
        self.outlet.close()
