"""The engine's side of a link, under control of a test: it can make, hold back, repeat or corrupt every message.

It gives no orders of a session: it tests a device with nobody in it.
"""

from __future__ import annotations

import hmac
import json
import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench import devices
from workbench.control import Effector
from workbench.devices import Pairing, lsl
from workbench.devices._last_metre import EngineEnd, parse
from workbench.devices._listening import Inbox, Listener
from workbench.errors import EngineFault, StreamFault
from workbench.vocabulary import StreamSpec

STEP_S = 0.004
START_S = 30.0
"""How long a device may take until its first signed status, s."""
AGREE_S = 5.0
ASK_S = 0.2
"""Time between two requests for a session key, s."""
LISTENER_S = 0.3
"""Listeners end within this time; liblsl complains of an outlet that goes before them, s."""
KEY, EFFECTOR = "WORKBENCH_PAIRING", "WORKBENCH_EFFECTOR"
"""Environment of the device: path of its key file, name of its profile."""


class NotTried(Exception):
    """A precondition of a fact was not met, so that the fact could not be tested."""


class StoodStill(NotTried):
    """This computer stood still for longer than a command lives: that says nothing about the device."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A signed and fresh status: local time of its arrival in s, and its body."""

    at: float
    body: Mapping[str, Any]

    @property
    def level(self) -> float:
        """What the device says that it applies; infinite when it does not say."""
        level = self.body.get("level")
        return float(level) if isinstance(level, int | float) else math.inf

    @property
    def locked(self) -> bool:
        """Whether it follows nothing but a stop."""
        return self.body.get("locked") is True

    @property
    def stopped(self) -> bool:
        """Whether nothing is applied because of a STOP, and not because the link was lost."""
        return self.level == 0 and self.body.get("state") == "stopped"

    @property
    def is_safe(self) -> bool:
        """Whether nothing is applied and the safe state is complete."""
        return self.level == 0 and self.body.get("state") in ("safe", "stopped")


@dataclass(slots=True)
class Sent:
    """An order: its texts, when they went out, and its acknowledgement with the time of its arrival, s."""

    body: dict[str, Any]
    texts: list[str]
    at: float = 0.0
    answer: Mapping[str, Any] | None = None
    answered_at: float = 0.0

    @property
    def took_s(self) -> float:
        """Time to the acknowledgement, s; infinite without one."""
        return math.inf if self.answer is None else self.answered_at - self.at

    @property
    def status(self) -> str:
        """Status of the acknowledgement, ``""`` without one."""
        return "" if self.answer is None else str(self.answer.get("status"))

    @property
    def applied(self) -> float:
        """Level of the acknowledgement, NaN where it has none."""
        levels = None if self.answer is None else self.answer.get("applied_level")
        return float(levels[0]) if isinstance(levels, list) and levels else math.nan


@dataclass
class EngineSide:
    """One engine as a device sees it: a command stream, a session key, and what came back.

    Attributes
    ----------
    paired, profile : pairing and profile of the device.
    beating : level that heartbeats carry, None for silence.
    slowest_s : longest time between two heartbeats without silence between them, s.
    statuses : signed and fresh, in order.
    sent : order number → order.
    """

    paired: Pairing
    profile: Effector
    beating: float | None = None
    slowest_s: float = 0.0
    statuses: list[Seen] = field(default_factory=list)
    sent: dict[int, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.end = EngineEnd(self.paired.key(), self.paired.effector)
        spec = StreamSpec(
            "wb-commands", "Commands", 0.0, source_id=self.paired.source_id("commands"), role="markers"
        )
        self._outlet = lsl.Outlet(spec)
        self._inbox = Inbox()
        ids = [self.paired.source_id("acks"), self.paired.source_id("status")]
        self._listener = Listener(ids, self._inbox.put)
        self._seq = 0
        self._beat_at = -math.inf

    def push(self, *texts: str) -> None:
        """Send texts as they are."""
        for text in texts:
            self._outlet.push_text(text, lsl.local_clock())

    def make(self, action: str, level: float = 0.0, *, seq: int | None = None) -> Sent:
        """An order, signed and not sent.

        Parameters
        ----------
        action, level : of the order.
        seq : its number; by default the next one.
        """
        if seq is None:
            self._seq += 1
            seq = self._seq
        now = lsl.local_clock()
        body = {
            "seq": seq, "stamp": now, "window_end": now, "sample": -1, "device": self.profile.name,
            "profile": self.profile.profile, "action": action, "level": [level] * self.profile.channels,
            "ramp_ms": 0, "ttl_ms": self.profile.ttl_ms, "state": "ACTIVE", "decoder_sha256": "",
            "reason": "test of conformance",
        }  # fmt: skip
        return Sent(body, self.end.command(body))

    def send(self, order: Sent) -> Sent:
        """Send an order that was made."""
        order.at = lsl.local_clock()
        self.sent[order.body["seq"]] = order
        self.push(*order.texts)
        return order

    def order(self, action: str, level: float = 0.0) -> Sent:
        """Make an order and send it."""
        return self.send(self.make(action, level))

    def hello(self) -> None:
        """Ask for a session key."""
        self.push(self.end.hello({"session_id": "conformance", "speed": 1.0, "t0": 0.0}))

    def step(self) -> None:
        """Take what has arrived, and send the heartbeat that is due."""
        for uid, text in self._inbox.take(0.0):
            answer = self.end.receive(text)
            if answer is None or not answer.is_fresh:
                continue
            self._listener.trust(uid)
            now = lsl.local_clock()
            if answer.kind == "ack":
                order = self.sent.get(answer.content.get("seq", 0))
                if order is not None and order.answer is None:
                    order.answer, order.answered_at = answer.content, now
            else:
                self.statuses.append(Seen(now, answer.content))
        if self.beating is None:
            self._beat_at = -math.inf
            return
        now = lsl.local_clock()
        if now - self._beat_at < self.profile.heartbeat_s:
            return
        if math.isfinite(self._beat_at):
            self.slowest_s = max(self.slowest_s, now - self._beat_at)
        self._beat_at = now
        self.order("heartbeat", self.beating)

    def close(self) -> None:
        """Remove the command stream."""
        self._listener.close()
        self._outlet.close()


class Bench:
    """A foreign device process, one engine or two, and a stranger who holds no key.

    Parameters
    ----------
    command : that starts the device. ``{key}`` in it becomes the path of its key file, which stands in the
        environment variable ``WORKBENCH_PAIRING`` as well.
    profile : of its effector.

    Raises
    ------
    EngineFault, StreamFault
        When entered: the process ends at once, or says nothing signed.
    """

    def __init__(self, command: Sequence[str], profile: Effector) -> None:
        self.profile = profile
        self._command = tuple(command)
        self.engines: list[EngineSide] = []

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-conformance-")
        folder = Path(self._folder.name)
        lsl.configure()
        lsl.check_library()
        self.paired = devices.pairing(folder / "study", self.profile.name)
        self._log = folder / "device.log"
        # The name of the file that holds it, never the key: arguments can be read by every process.
        file = str(self.paired.path)
        argv = [word.replace("{key}", file) for word in self._command]
        try:
            with self._log.open("wb") as log:
                self.process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, KEY: file, EFFECTOR: self.profile.name},
                )
        except OSError as error:
            self._forget()
            raise EngineFault(f"the device cannot be started ({error.strerror}); correct the command") from error
        try:
            self._meet()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _meet(self) -> None:
        spec = StreamSpec(
            "wb-commands", "Commands", 0.0, source_id=self.paired.source_id("commands"), role="markers"
        )
        self.stranger = lsl.Outlet(spec)
        engine = self.join()
        self.wait(lambda: engine.end.has_offer or self.process.poll() is not None, START_S)
        if self.process.poll() is not None:
            raise EngineFault(
                f"the device ended with exit code {self.process.returncode} before it was tested; its last words: "
                f"{self.last_words()}"
            )
        if not engine.end.has_offer:
            raise StreamFault(
                f"no signed status of the device came within {START_S:g} s; its last words: {self.last_words()}. "
                f"It reads its key from the file that {KEY} names, and publishes the status stream of "
                "docs/effector_protocol.md"
            )
        # A device that only listens to the engine's outlet is as good as one that ignores the stranger.
        self.stranger.wait_for_receiver(2.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self.engines:
            engine.close()
        time.sleep(LISTENER_S)
        for number in (signal.SIGCONT, signal.SIGTERM):
            self.signal(number)
        try:
            self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.stranger.close()
        self._forget()

    def _forget(self) -> None:
        """Delete the key, so that it is of no use after the test."""
        self.paired.path.unlink(missing_ok=True)
        self.paired.device_file.unlink(missing_ok=True)
        self._folder.cleanup()

    @property
    def engine(self) -> EngineSide:
        """The first engine."""
        return self.engines[0]

    def join(self) -> EngineSide:
        """Another engine that holds the key."""
        self.engines.append(EngineSide(self.paired, self.profile))
        return self.engines[-1]

    def leave(self, engine: EngineSide) -> None:
        """An engine disappears without notice."""
        self.engines.remove(engine)
        engine.close()

    def signal(self, number: int) -> None:
        """Send a signal to the device and to what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def last_words(self) -> str:
        """The end of what the device printed, in one line."""
        text = self._log.read_bytes()[-600:].decode("utf-8", errors="replace")
        return " | ".join(text.strip().splitlines()[-3:]) or "none"

    # ------------------------------------------------------------------------------------- procedures
    def wait(self, condition: Callable[[], object], timeout: float) -> bool:
        """Let time pass for all engines until a condition holds; whether it did within ``timeout`` s."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                return False
            for engine in self.engines:
                engine.step()
            time.sleep(STEP_S)
        return True

    def pause(self, seconds: float) -> None:
        """Let time pass for all engines."""
        self.wait(lambda: False, seconds)

    def begin_try(self) -> None:
        """From here on it counts whether our own heartbeats come in time."""
        for engine in self.engines:
            engine.slowest_s = 0.0

    def check_pace(self) -> None:
        """Whether what was found since :meth:`begin_try` is about the device.

        Raises
        ------
        StoodStill
            When heartbeats of our own came too late: a device goes to its safe state then, whatever its faults.
        """
        slowest_s = max(engine.slowest_s for engine in self.engines)
        if slowest_s >= self.profile.ttl_ms / 1000.0:
            raise StoodStill(
                f"this computer was too busy: two heartbeats of the test were {slowest_s * 1000:.0f} ms apart, "
                f"and commands live for {self.profile.ttl_ms} ms; close other programs and test again"
            )

    def agree(self, engine: EngineSide) -> float:
        """Agree on a new session key; LSL time in s at which it was asked for."""
        before, asked_at = engine.end.session, -math.inf

        def agreed() -> bool:
            nonlocal asked_at
            if self.process.poll() is not None:
                raise NotTried(f"the device ended with exit code {self.process.returncode}")
            if engine.end.session != before:
                return True
            if engine.end.has_offer and lsl.local_clock() - asked_at > ASK_S:
                asked_at = lsl.local_clock()
                engine.hello()
            return False

        if not self.wait(agreed, AGREE_S):
            raise NotTried("the device agreed on no session key")
        return asked_at

    def acknowledged(self, order: Sent, timeout: float) -> Sent:
        """Wait for the acknowledgement of an order.

        Raises
        ------
        NotTried
            When it does not come, or says that the order is not followed.
        """
        self.wait(lambda: order.answer is not None, timeout)
        if order.status not in ("ok", "clipped"):
            what = order.status and f"acknowledged as {order.status} ({(order.answer or {}).get('code')})"
            raise NotTried(f"{order.body['action']} was {what or 'not acknowledged'}")
        return order

    def self_test(self, *, timeout: float = 2.0, safe_s: float = 10.0) -> float:
        """A stop and an opening command under a key of their own, as an engine does; the worst round trip, s.

        Parameters
        ----------
        timeout : s to wait for an acknowledgement.
        safe_s : s to wait for the device to complete its safe state.

        Raises
        ------
        NotTried
            When the device does not follow.
        """
        engine = self.engine
        engine.beating = None
        worst = 0.0
        for action in ("stop", "open"):
            asked_at = self.agree(engine)
            order = engine.order(action)
            try:
                self.acknowledged(order, timeout)
            except NotTried as why:
                # With the key the device has begun to wait for orders.
                took_ms = 1000.0 * (order.answered_at - asked_at)
                if order.status != "refused" or took_ms < self.profile.ttl_ms:
                    raise
                raise StoodStill(
                    f"this computer was too busy: {why}, {took_ms:.0f} ms after the key was asked for, and "
                    f"commands live for {self.profile.ttl_ms} ms; close other programs and test again"
                ) from why
            worst = max(worst, order.took_s)
            if not self.wait(lambda: engine.statuses and engine.statuses[-1].level == 0, safe_s):
                raise NotTried(f"the level did not become 0 after {action}")
        engine.beating = 0.0
        return worst

    def closed(self, level: float = 0.8, *, timeout: float = 3.0) -> Sent:
        """A self-test and a close that is acknowledged and shows in the status.

        Raises
        ------
        NotTried
            When the device does not follow.
        """
        self.self_test()
        order = self.engine.order("close", level)
        self.engine.beating = level
        self.acknowledged(order, timeout)
        if not self.wait(lambda: self.engine.statuses[-1].level > 0, timeout):
            raise NotTried("close was acknowledged, and the status shows no level")
        return order

    def attack(self, *texts: str) -> None:
        """Texts from the stranger's stream, and from the engine's own: a name or an outlet proves nothing."""
        for text in texts:
            self.stranger.push_text(text, lsl.local_clock())
        self.engine.push(*texts)

    def watched(self, seconds: float) -> list[Seen]:
        """The statuses that arrive from now on, for so many seconds.

        Raises
        ------
        NotTried
            When none does.
        """
        # A status that is on its way was made earlier, so the first one is skipped.
        n = len(self.engine.statuses)
        self.wait(lambda: len(self.engine.statuses) > n, 2.0)
        n = len(self.engine.statuses)
        self.pause(seconds)
        if seen := self.engine.statuses[n:]:
            return seen
        raise NotTried("no signed status came")


def signed_with(text: str, key: bytes) -> str:
    """A message with its MAC made under another key.

    Raises
    ------
    NotTried
        When the text is no message.
    """
    message = parse(text)
    if message is None:
        raise NotTried("there is no message to spoil")
    mac = hmac.new(key, message.signed(), "sha256").hexdigest()
    return text.replace(message.mac, mac, 1)


def plain(order: Sent) -> str:
    """The body of an order without a signature."""
    return json.dumps(order.body)
