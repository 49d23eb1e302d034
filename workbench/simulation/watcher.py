"""What must hold in every world, looked at with every message to and from a device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from workbench.control import Effector
from workbench.devices import _last_metre
from workbench.live.status import Status
from workbench.simulation.lsl import Source
from workbench.simulation.scheduler import NS, Process, Scheduler
from workbench.simulation.stimulated import Current
from workbench.systems import Stimulation

LAPSE_S = 0.25
"""Time to live of an order, s: a device that hears nothing newer leaves it."""
HOLD_S, VENT_S = 1.0, 2.0
"""How long the simulated glove holds and vents without a link, s."""
SLACK_S = 0.25
"""Two of the device's statuses, and one delivery, s."""
MOVED = 0.2
"""Level from which the device counts as moved."""
STOPPED_S = LAPSE_S + HOLD_S + VENT_S + SLACK_S
"""How long a glove may take to be safe after a STOP, also one that never hears of it, s."""
LOOKS = 3
"""Looks of a page in a row: what a page never shows for so long is not shown."""
UNSYNCED_S = 1.5
"""What was written longer ago than this is on the disk, s: the journal promises 1 s."""
MOVES = ("close", "hold")
"""Actions that hold or raise a level."""


@dataclass(frozen=True)
class Broken:
    """A rule that did not hold.

    Attributes
    ----------
    rule : its name. at_s : world time, s. why : what was seen.
    """

    rule: str
    at_s: float
    why: str


class Watcher:
    """Hears everything, sees every device, and says what did not hold.

    Parameters
    ----------
    scheduler : of the world.
    device : name of the device's process.
    greatest : level that no order may exceed.
    effector, stimulation : profile of a device that stimulates, and with what; by default it does not.

    Attributes
    ----------
    persons : whose session each is, by its id.
    current : what it delivers; None where nothing stimulates.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        device: str = "simulated_glove",
        greatest: float = 1.0,
        effector: Effector | None = None,
        stimulation: Stimulation | None = None,
    ) -> None:
        self._scheduler, self.device, self._greatest = scheduler, device, greatest
        self._hold_s, self._vent_s = HOLD_S, VENT_S
        self.current = None if stimulation is None else Current(stimulation)
        if effector is not None and stimulation is not None:
            # No stimulator keeps a current; what it does reaches the contacts after the delay of its link.
            self._hold_s = effector.on_fault[-1].after_s
            self._vent_s = effector.on_fault[-1].ramp_ms / 1000.0 + stimulation.programme.latency_s
        self._unsupported: float | None = None
        self._engine: Process | None = None
        self.broken: list[Broken] = []
        self.story: list[tuple[float, str]] = []
        self._hash = hashlib.sha256()
        self._armed, self._asking = False, 0
        self.notes: list[tuple[str, float]] = []
        self.runs_shown: set[str] = set()
        self.persons: dict[str, str] = {}
        self._untold = 0
        self._spoilt = -1e9
        self.disk_failed = False
        self.session_s = 0.0
        self.level = self.highest = 0.0
        self.device_state = ""
        self._stop_at: float | None = None
        self._safe_since: float | None = None
        self._says_unconfirmed = False
        self._order_at = self._device_since = -1e9
        self.device_frozen = False
        self.orders = 0
        self.n_events = 0

    @property
    def now(self) -> float:
        """World time, s."""
        return self._scheduler.now / NS

    @property
    def trace(self) -> str:
        """Hash of everything that happened so far."""
        return self._hash.hexdigest()

    def note(self, what: str) -> None:
        """Something happened that belongs in the story."""
        self.story.append((self.now, what))
        self._enter("story", what)

    def breaks(self, rule: str, why: str) -> None:
        """A rule did not hold."""
        if not any(one.rule == rule for one in self.broken):
            self.broken.append(Broken(rule, self.now, why))
            self.note(f"RULE BROKEN: {rule}: {why}")

    def _enter(self, kind: str, what: str) -> None:
        self.n_events += 1
        self._hash.update(f"{self._scheduler.now} {kind} {what}\n".encode())

    # --------------------------------------------------------------------------- what is heard
    def heard(self, outlet: Source, values: Any) -> None:
        """Every push of every outlet; ``values`` ``(n_times, n_channels)``."""
        name = outlet.info.name()
        if name not in ("wb-commands", "wb-status", "wb-acks"):
            self._enter(name, str(len(values)))
            return
        for value in values[:, 0].tolist():
            message = _last_metre.parse(value.decode())
            if message is None:
                continue
            kind = message.kind
            self._enter(name, f"{kind} {message.body}")
            if kind == "command" and outlet.process.name == "engine":
                if self.current is not None and outlet.process is not self._engine:
                    self._engine = outlet.process
                    self.current.begins()
                content = message.content()
                if content is not None:
                    self._order(content)
            elif kind == "status" and outlet.process.name == self.device:
                content = message.content()
                if content is not None:
                    self._status(content)

    def _order(self, content: dict[str, Any]) -> None:
        """The engine orders something."""
        self.orders += 1
        action, level = content.get("action"), _greatest(content.get("level"))
        if level > self._greatest:
            self.breaks("no order above a limit", f"{action} at level {level}, allowed are {self._greatest:g}")
        # Before it opens a safe state stays where it is, for a second at most; unanswered, that is said again.
        if content.get("state") != "FAULT_SAFE":
            self._safe_since = None
        elif self._safe_since is None:
            self._safe_since = self.now
        lasts_s = 0.0 if self._safe_since is None else self.now - self._safe_since
        safe = action == "hold" and self._safe_since is not None and lasts_s <= self._hold_s + SLACK_S
        if action in MOVES and level > 0.0 and not (self._armed or self._asking or safe):
            self.breaks("no order without arming", f"{action} at level {level} while nothing is armed")
        self._order_at = self.now

    def _status(self, content: dict[str, Any]) -> None:
        """The device says where it is."""
        level, self.device_state = _greatest(content.get("level")), str(content.get("state"))
        rose, self.level = level > self.level + 1e-9, level
        self.highest = max(self.highest, level)
        if level > self._greatest + 1e-9:
            self.breaks("no level above a limit", f"the device is at {level}, allowed are {self._greatest:g}")
        if self.current is not None:
            self._delivered(self.current, content)
        silent, safe_s = self.now - max(self._order_at, self._device_since), self._safe_s
        if level > 1e-6 and silent > safe_s:
            self.breaks("a device that hears nothing becomes safe", f"level {level:.3f} after {silent:.2f} s")
        if self._stop_at is not None:
            since = self.now - self._stop_at
            if rose and since > SLACK_S:
                self.breaks("nothing rises after STOP", f"level rose to {level:.3f}, {since:.2f} s after STOP")
            moving_s = self.now - max(self._stop_at, self._device_since)
            if level > 1e-6 and moving_s > safe_s and not self._says_unconfirmed:
                self.breaks(
                    "STOP makes safe in its time, or the screen says that it did not",
                    f"level {level:.3f}, {moving_s:.2f} s after STOP",
                )

    @property
    def _safe_s(self) -> float:
        """How long the device may take to be safe after a STOP, also one that never hears of it, s."""
        return LAPSE_S + self._hold_s + self._vent_s + SLACK_S

    def _delivered(self, current: Current, content: dict[str, Any]) -> None:
        """The stimulator says what flows through each of its channels."""
        flows = content.get("stimulator", {}).get("delivered_ma", ())
        if not flows:
            return
        for rule, why in current.flows(flows, at_s=self.now):
            self.breaks(rule, why)
        since = None if self._unsupported is None else max(self._unsupported, self._device_since)
        if any(flows) and since is not None and self.now - since > self._safe_s:
            seen = f"{max(flows):g} mA, {self.now - since:.2f} s after whoever held the support had left"
            self.breaks("no current without support", seen)

    def device_resumed(self) -> None:
        """The device had stood still: what it does by itself begins now."""
        self.device_frozen, self._device_since = False, self.now

    def screen(self, status: Status) -> None:
        """What a page shows."""
        shown = str(status["session"]["participant"])
        whose = self.persons.get(str(status["session"]["id"]), shown)
        if shown != whose:
            self.breaks("nobody's data enters another's record", f"{whose}'s session is shown as {shown}'s")
        if status["run"] is not None:
            self.runs_shown.add(status["run"]["id"])
        effector = status["effector"]
        if effector is None:
            return
        self._says_unconfirmed = bool(effector["stop"]["sent"]) and not effector["stop"]["confirmed"]
        told = effector["state"] != "FAULT_SAFE" or any(not one["cleared"] for one in status["alarms"])
        self._untold = 0 if told else self._untold + 1
        if self._untold >= LOOKS:
            self.breaks("a fault is an alarm", f"FAULT_SAFE ({effector['fault']}), and no alarm whose cause lasts")
        if self.device_frozen:
            return
        if effector["state"] == "ESTOP" and effector["stop"]["confirmed"] and self.level > 1e-6:
            self.breaks("what a screen confirms is so", f"a confirmed STOP, and the device is at {self.level:.3f}")
        if effector["level"] > self._greatest:
            self.breaks("no order above a limit", f"the screen shows {effector['level']:.3f}")

    # ------------------------------------------------------------------------ what people did
    def asks_to_arm(self) -> None:
        """Somebody asks to arm; until it is known what came of it, orders may move."""
        self._asking += 1

    def arming_refused(self) -> None:
        """The engine refused."""
        self._asking -= 1

    def armed(self) -> None:
        """The engine armed."""
        self._asking, self._armed = self._asking - 1, True

    def disarmed(self) -> None:
        """Nothing may move from here: disarmed, or an engine that is gone or slept."""
        self._armed = False

    def stopped(self) -> None:
        """The engine said that it took a STOP."""
        # What a page said of an earlier stop says nothing of this one.
        self._stop_at, self._says_unconfirmed = self.now, False
        self.disarmed()

    def supported(self, by: str) -> None:
        """The engine has confirmed who answers for the support of the person; ``""`` for nobody any more."""
        self._unsupported = None if by else self.now

    def ceiling(self, channel: int, current_ma: float) -> None:
        """The engine has confirmed the ceiling of a channel, mA."""
        if self.current is not None:
            self.current.ceiling(channel, current_ma, at_s=self.now)

    def confirmed(self, note: str) -> None:
        """The engine confirmed a note: from here it is not lost, but with the power or by a disk that fails."""
        if self.now > self._spoilt:
            self.notes.append((note, self.now))

    def disk_fails(self, seconds: float) -> None:
        """Notes of this time, and shortly before it, may be lost."""
        self._spoilt, self.disk_failed = self.now + seconds, True
        self._forget()

    def power_lost(self, *, device: bool) -> None:
        """Notes that were not synced yet may be lost; a device without power counts as open."""
        self._forget()
        self.disarmed()
        if device:
            self.level = 0.0

    def _forget(self) -> None:
        self.notes = [one for one in self.notes if one[1] < self.now - UNSYNCED_S]

    def stop_left(self) -> None:
        """The stop was left by somebody."""
        self._stop_at = None


def _greatest(level: Any) -> float:
    """The greatest of one or several levels."""
    if isinstance(level, list):
        return max((abs(float(one)) for one in level), default=0.0)
    return abs(float(level or 0.0))
