"""A glove with switches for what a driver of somebody else may get wrong: ``KEY FAULT``, a file that names one.

The fault is read again at every step, so that one process serves many tests.
"""

from __future__ import annotations

import hmac
import json
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from workbench.control import SafeStep
from workbench.devices import Pairing, _device_process
from workbench.devices._device_process import DeviceProcess
from workbench.devices._glove import GloveModel, GloveSettings
from workbench.devices._last_metre import DeviceEnd, Received, parse

FAULT = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
SETTINGS = GloveSettings(loss=0.0, delay_s=0.05, delay_spread=0.0, hold_s=0.2, vent_s=0.2)
USUAL_S, SELDOM_S = _device_process.STATUS_EVERY_S, 0.6


def fault():
    return FAULT.read_text(encoding="ascii")


class Careless(DeviceEnd):
    """Does not look closely at what comes down."""

    def __init__(self, key, effector):
        super().__init__(key, effector)
        self.earlier = {}

    def receive(self, text, *, now, status):
        now_wrong = fault()
        if now_wrong == "unsigned" and text.startswith("{"):
            return Received("command", json.loads(text), 0.0)
        message = parse(text)
        if now_wrong == "watcher" and message is not None and message.kind == "query":
            return None
        if message is not None and message.kind == "command":
            if now_wrong == "forged" and message.session == self.session:
                return Received("command", message.content(), 0.0)
            if now_wrong == "old_session" and message.session in self.earlier:
                key = self.earlier[message.session].key
                if (
                    message.session != self.session
                    and hmac.new(key, message.signed(), "sha256").hexdigest() == message.mac
                ):
                    return Received("command", message.content(), 0.0)
            if now_wrong == "replayed" and self._current is not None:
                self._current.received = 0
            if (
                now_wrong == "stop"
                and message.session == self.session
                and message.sequence <= self._current.received
            ):
                return None
        received = super().receive(text, now=now, status=status)
        if received is not None and received.begins_session:
            self.earlier[self.session] = self._current
        if received is not None and now_wrong == "delayed":
            return replace(received, echo_age_s=0.0)
        return received


class Faulty(GloveModel):
    """Does not keep the rules of a device."""

    seen = 0.0
    lapsed = False

    def begin(self, now):
        super().begin(now)
        if self.lapsed:
            self.locked = True
        return not self.locked

    def stand_still(self, now):
        """Whichever comes first when it wakes, a message or a step of its own: the time between goes unnoticed."""
        if fault() == "woken" and now - self.seen > 0.2:
            # On a busy computer the next heartbeat that it may follow comes late, and to lapse then is no fault.
            self._deadline += now - self.seen + 1.0
        self.seen = now

    def tick(self, now):
        now_wrong = fault()
        self.stand_still(now)
        _device_process.STATUS_EVERY_S = SELDOM_S if now_wrong == "statuses" else USUAL_S
        if now_wrong == "lapse" and self.state == "following":
            self._deadline = now + 1.0
        closed = self.state == "following" and self.level(now) > 0
        due = super().tick(now)
        self.lapsed = now_wrong == "self_test" and (self.lapsed or (closed and self.state == "holding"))
        return due

    def receive(self, command, now, *, echo_age_s=0.0):
        now_wrong, action = fault(), command.get("action")
        self.stand_still(now)
        if now_wrong == "acknowledged" and action == "heartbeat":
            super().receive(command, now, echo_age_s=echo_age_s)
            return []
        if now_wrong == "round_trip" and action in ("stop", "open"):
            time.sleep(1.2)
        if now_wrong in ("replayed", "old_session"):
            self.last_seq = 0
            self._answers.clear()
        locked = self.locked
        self.locked = locked and now_wrong != "unlocked"
        answers = super().receive(command, now, echo_age_s=echo_age_s)
        self.locked = self.locked or locked
        return answers

    def _take_effect(self, at):
        answers = super()._take_effect(at)
        if fault() == "clipped":
            answers = [replace(answer, status="ok") for answer in answers]
        if fault() == "applied":
            answers = [replace(answer, applied_level=(answer.applied_level[0] / 2,)) for answer in answers]
        return answers

    def _safe_steps(self):
        if fault() == "safe_state":
            return SafeStep("hold", keep_level=True), SafeStep("release", after_s=60.0)
        return super()._safe_steps()


def main():
    paired, stop = Pairing(Path(sys.argv[1]), "glove"), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    process = DeviceProcess(Faulty(1, SETTINGS), paired, name="faulty", stop=stop, simulated=True, idle_s=60.0)
    process.end = Careless(paired.key(), paired.effector)
    process.run()


if __name__ == "__main__":
    main()
