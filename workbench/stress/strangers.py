"""Attacks on the last metre: a process without the key tries to take over the effector.

``taken_by_stranger`` runs the real link, controller and device process against a real stranger process that sees
everything on LSL. It announces every name of the session, before, after or together with the engine; it sends
commands in the form of version 2 and with a guessed key; it repeats what it hears at once, changed and unchanged;
and it records a whole session in which the hand closes and is stopped, to replay it in the next one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench import control, devices, world
from workbench.control import ConfirmedStatus
from workbench.devices import lsl
from workbench.devices._last_metre import EngineEnd
from workbench.devices._listening import Listener
from workbench.devices._pairing import Pairing
from workbench.engine.effector_link import EffectorLink
from workbench.engine.effector_recording import EffectorEvent
from workbench.engine.ledger import Ledger
from workbench.errors import BadValue, EngineFault
from workbench.live.plan import OWN_NAMES
from workbench.stimulation import Setup
from workbench.vocabulary import Acknowledgement, Command, Decision, DeviceStatus, StreamSpec

ORDERS = ("first", "replay", "after", "together")
"""When the stranger starts: before the engine, after it, at the same time, or with a recorded session."""

STEP_S = 0.01
PATIENCE_S = 30.0
ATTACK_S = 1.0


@dataclass(frozen=True, slots=True)
class StrangerFigures:
    """Figures of :func:`taken_by_stranger`.

    Attributes
    ----------
    n : starts.
    taken : starts in which the device had pressure, or was stopped, without a command of the engine.
    unseen : starts in which no status of the device arrived during the attack, so that its state is unknown.
    noticed : starts in which the foreign streams raised the alarm and blocked arming.
    followed : starts in which the engine's own close and stop worked, which shows that a taken hand would be seen.
    sent : messages of strangers.
    """

    n: int
    taken: int
    unseen: int
    noticed: int
    followed: int
    sent: int

    @property
    def passed(self) -> bool:
        """Whether the effector was never taken, every stranger was noticed, and every start was a real one."""
        return self.taken == self.unseen == 0 and self.noticed == self.followed == self.n and self.sent > 0

    def text(self) -> str:
        """The figures in one sentence."""
        return (
            f"{self.n} starts with a stranger ({', '.join(ORDERS)}): effector taken {self.taken} times, not "
            f"to be seen {self.unseen} times, stranger noticed {self.noticed} times, own close and stop followed "
            f"{self.followed} times; "
            f"{self.sent:,} strange messages"
        )


def taken_by_stranger(n: int, *, folder: Path | None = None) -> StrangerFigures:
    """Start ``n`` times with a stranger, the orders of :data:`ORDERS` in turn.

    Parameters
    ----------
    n : starts.
    folder : for the pairing; a temporary one by default. Nothing else is written.

    Raises
    ------
    BadValue
        When ``n`` is below 1.
    EngineFault, StreamFault
        When a part did not start.
    """
    if n < 1:
        raise BadValue(f"the number of starts must be 1 or more, got {n}")
    with tempfile.TemporaryDirectory(prefix="workbench-stranger-") as name:
        counted = [_start(folder or Path(name), ORDERS[k % len(ORDERS)], k) for k in range(n)]
    return StrangerFigures(n, *(sum(column) for column in zip(*counted, strict=True)))


class LinkBench:
    """Link, controller and device process as in an engine, driven by a clock instead of signals.

    Parameters
    ----------
    paired : the pairing.
    session_id : of the session that it stands for.
    law, stimulation : of the controller, None for its own.

    Attributes
    ----------
    seen, commands : statuses of the device, and what was ordered, in order.
    sent, answered : commands with the LSL time in s at which each had left; answers with that of their arrival.
    """

    def __init__(
        self,
        paired: Pairing,
        session_id: str,
        *,
        law: control.ControlLaw | None = None,
        stimulation: Setup | None = None,
    ) -> None:
        self._paired = paired
        self.seen: list[DeviceStatus] = []
        self.commands: list[Command] = []
        self.sent: list[tuple[float, Command]] = []
        self.answered: list[tuple[float, Acknowledgement]] = []
        self.ledger = Ledger()
        lsl.configure()
        self.link = EffectorLink(
            pairing=paired,
            session_id=session_id,
            own_uids=frozenset,
            ledger=self.ledger,
            record=self._record,
            stream_now=lsl.local_clock,
            speed=1.0,
            t0=0.0,
            controller=control.Controller(control.load(paired.effector), law=law, stimulation=stimulation),
        )
        self.link.recording.begin(stamp=lsl.local_clock())

    def _record(self, item: EffectorEvent) -> None:
        if isinstance(item, DeviceStatus):
            self.seen.append(item)
        elif isinstance(item, Command):
            self.commands.append(item)
            self.sent.append((lsl.local_clock(), item))
        elif isinstance(item, Acknowledgement):
            self.answered.append((lsl.local_clock(), item))

    def run(self, condition: Callable[[], bool], *, timeout: float = PATIENCE_S) -> bool:
        """Tick as an engine does until the condition is met; whether it was in time."""
        pause, end = threading.Event(), time.monotonic() + timeout
        while not (met := condition()) and time.monotonic() < end:
            self.link.tick(quality_ok=True)
            if self.link.state in ("ACTIVE", "HOLD"):
                self.decide("")
            pause.wait(STEP_S)
        return met

    def self_test(self) -> bool:
        """Reset latched states and run a self-test; whether the effector is off and ready to be armed."""
        if self.link.state in ("ESTOP", "FAULT_SAFE"):
            self.run(lambda: self.link.controller.device.at_rest)
            self.link.reset("bench")
        self.link.self_test(streams=True, clock=True)
        return self.run(lambda: self.link.state == "IDLE_SAFE")

    def arm(self) -> None:
        """Arm with an approved decoder of which only the hash exists."""
        self.link.set_decoder("a" * 64, approved="a" * 64, rule={})
        self.link.arm("bench")

    def decide(self, change: str) -> None:
        """One decision."""
        decision = Decision(0, lsl.local_clock(), "grasp", (0.1, 0.9), change=change)
        self.link.follow(decision, quality_ok=True)

    def close_hand(self) -> bool:
        """Close, and wait until the device confirms it."""
        self.decide("activate")
        return self.run(lambda: self.confirmed["level"] == 1.0)

    @property
    def confirmed(self) -> ConfirmedStatus:
        """What the device confirmed."""
        return self.link.snapshot()["confirmed"]

    def stop(self) -> bool:
        """STOP, and wait until the device confirms it."""
        self.link.estop("bench")
        return self.run(lambda: bool(self.link.snapshot()["stop"]["confirmed"]))

    def close(self) -> None:
        """End the link; the device ends by itself when it receives the end."""
        self.link.disconnect()
        # Texts that were pushed and not fetched are lost with the outlet: wait until the device has ended.
        self.run(lambda: devices.running_device(self._paired) is None, timeout=3.0)
        self.link.channel.close()


def _start(folder: Path, order: str, number: int) -> tuple[int, int, int, int, int]:
    """One start: taken, unseen, noticed, followed, strange messages."""
    paired = devices.pairing(folder, "glove")
    session = f"strange-{number}"
    log = folder / "glove.log"
    stranger = _Stranger(paired, session, publishes=order == "first")
    bench: LinkBench | None = None
    glove = None
    try:
        glove = devices.start(
            "simulated_glove", {"pairing": str(paired.path), "loss": 0.0, "idle_s": 10.0}, log=log, owned=False
        )
        if order == "together":
            stranger.publish()
        bench = LinkBench(paired, session)
        followed = order != "replay" or _close_and_stop(bench)
        ready = bench.self_test()
        stranger.publish()
        noticed = bench.run(lambda: "foreign_stream" in bench.ledger.alarms) and _is_blocked(bench)
        seen = _under_attack(bench)
        # Locked alone proves nothing: on a busy computer the time to live of an idle device may lapse.
        taken = any(status.level > 0 or status.state == "stopped" for status in seen)
        sent = stranger.end()
        bench.run(lambda: not bench.link.snapshot()["foreign_streams"])
        followed = followed and ready and bench.self_test() and _close_and_stop(bench)
        return int(taken), int(not seen), int(noticed), int(followed), sent
    finally:
        stranger.end()
        if bench is not None:
            bench.close()
        if glove is not None:
            devices.stop(glove)


def _close_and_stop(bench: LinkBench) -> bool:
    if bench.link.state != "IDLE_SAFE" and not bench.self_test():
        return False
    bench.arm()
    return bench.close_hand() and bench.stop()


def _is_blocked(bench: LinkBench) -> bool:
    """Whether arming is refused while the stranger is there."""
    condition = {c.key: c.ok for c in bench.link.controller.conditions()}
    return not condition["link_authenticated"]


def _under_attack(bench: LinkBench) -> list[DeviceStatus]:
    """Statuses of the device while the stranger sends for some time and the engine commands nothing."""
    begin = lsl.local_clock()
    bench.run(lambda: False, timeout=ATTACK_S)
    # By the device's own stamp: on a busy computer the stop of the self-test before arrives late.
    return [status for status in bench.seen if status.stamp >= begin]


class _Stranger:
    """Starts and ends the stranger's process, which gets names, but no key and no path."""

    def __init__(self, paired: Pairing, session: str, *, publishes: bool) -> None:
        suffixes = [session, paired.link_id]
        command = [sys.executable, "-m", "workbench.stress.strangers", "--suffixes", *suffixes]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._sent = 0
        self._published = False
        if self._line() != "listening":
            raise EngineFault("the stranger did not start")
        if publishes:
            self.publish()

    def _line(self) -> str:
        pipe = self._process.stdout
        return "" if pipe is None else pipe.readline().strip()

    def publish(self) -> None:
        """Make it announce the names and send."""
        if self._published or self._process.stdin is None:
            return
        self._published = True
        self._process.stdin.write("publish\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """End it; returns how many messages it sent."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.close()
            self._sent = int(self._line() or 0)
            self._process.wait(10.0)
            if self._process.stdout is not None:
                self._process.stdout.close()
        return self._sent


class _Attack:
    """Runs inside the stranger's process: receives everything, and sends every kind of attack."""

    def __init__(self, suffixes: list[str]) -> None:
        self.names = [(own, f"{own}-{suffix}") for own in OWN_NAMES for suffix in suffixes]
        self.heard: list[str] = []
        self.publishing, self.over = threading.Event(), threading.Event()
        self.sent = 0
        self.listener = Listener([source_id for _, source_id in self.names], self._hear)
        # A key of zeros: valid in form, wrong in content.
        self.guess = EngineEnd(bytes(32), "glove")

    def _hear(self, _uid: str, text: str) -> None:
        # Its own texts come back too: only genuine messages are worth repeating.
        if text.startswith("wbm1") and len(self.heard) < 20_000:
            self.heard.append(text)

    def run(self) -> None:
        """Wait for the order, then send until ended."""
        while not self.publishing.wait(0.05):
            if self.over.is_set():
                return
        outlets = [
            lsl.Outlet(StreamSpec(own, "Commands", 0.0, source_id=source_id, role="markers"))
            for own, source_id in self.names
        ]
        recorded = list(dict.fromkeys(self.heard))
        at = 0
        while not self.over.wait(0.02):
            texts = [*self._forged(), *recorded[at : at + 20], *self.heard[-3:]]
            at = at + 20 if at + 20 < len(recorded) else 0
            for outlet in outlets:
                for text in texts:
                    outlet.push_text(text, lsl.local_clock())
                    self.sent += 1

    def _forged(self) -> list[str]:
        """Commands of version 2, and messages with a guessed key or a changed body."""
        now = lsl.local_clock()
        plain = {"seq": self.sent + 10**6, "stamp": now, "ttl_ms": 2000, "profile": "glove", "device": "glove"}
        texts = [json.dumps({**plain, "action": action, "level": [1.0]}) for action in ("close", "stop")]
        texts.append(self.guess.query())
        # A genuine command with its signature and another body: the MAC must give it away.
        commands = [text for text in self.heard[-200:] if " command " in text][-1:]
        for text in commands:
            texts += [text.replace('"level":[0.0]', '"level":[1.0]'), text.replace("heartbeat", "close")]
        return texts


def main(argv: list[str] | None = None) -> int:
    """The stranger's process: ``publish`` on standard input makes it attack, its end ends it."""
    parser = argparse.ArgumentParser(description="a stranger on LSL, for a stress test")
    parser.add_argument("--suffixes", nargs=2, required=True, help="ends of the source_ids seen on LSL")
    attack = _Attack(parser.parse_args(argv).suffixes)
    thread = world.start_thread("attack", lambda beat: attack.run())
    _say("listening")
    for line in sys.stdin:
        if line.strip() == "publish":
            attack.publishing.set()
    attack.over.set()
    attack.listener.close()
    thread.join()
    _say(str(attack.sent))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
