"""What is particular to one effector: its limits in time, its ramps and its safe states.

Off is not always safe, so every profile names its own safe state for lost commands and faults, and
another for the emergency stop. Numbers marked [D] in the entries are proposed defaults, to be set by
the protocol of a study.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal, NamedTuple, get_args

from workbench.errors import BadValue
from workbench.messages import Message

Action = Literal["close", "open", "hold", "release", "stop", "heartbeat"]
"""What a command orders."""

ACTIONS: tuple[Action, ...] = get_args(Action)
"""Every action a command may name."""

ACTION_WORDS: dict[str, Message] = {
    "close": Message("action.close"),
    "open": Message("action.open"),
    "hold": Message("action.hold"),
    "release": Message("action.release"),
    "stop": Message("action.stop"),
    "heartbeat": Message("action.heartbeat"),
}

Law = Literal["hold", "toggle", "trigger", "proportional", "stride_gated"]
"""How decisions close and open an effector: evidence keeps it closed; a first intent closes it and a second one
opens it; one decision closes it for a set time; it is engaged for a bout of movement, and its level follows what
is decoded; or it is closed while movement is meant and the phase of a cycle lies in a window."""


@dataclass(frozen=True, slots=True)
class SafeStep:
    """One step of a safe state.

    Attributes
    ----------
    action : ``"hold"``, ``"open"``, ``"release"`` or ``"stop"``.
    after_s : s after the safe state was entered; the first step has 0.
    ramp_ms : ramp of the step in ms.
    keep_level : the level last commanded is kept; otherwise the level is 0.
    """

    action: Action
    after_s: float = 0.0
    ramp_ms: int = 0
    keep_level: bool = False


class LimitRule(NamedTuple):
    """One limit of a profile: ``value`` may not pass ``bound``, in ``unit``."""

    value: str
    bound: float
    unit: str


@dataclass(frozen=True, slots=True)
class Effector:
    """Profile of one effector. Raises :class:`BadValue` for a profile that contradicts itself.

    Attributes
    ----------
    name, profile : entry name and profile word of the command (``"glove"``).
    title : what people call it; ``""`` for its name.
    channels : number of values in a command's level, each a fraction 0–1. An effector that follows a velocity has
        two a dimension, one for each way: a level of its own for right and for left.
    level_unit : what a level is a fraction of.
    level : fraction asked for when nothing else is said, 0–1.
    ramp_ms, release_ramp_ms : ramps up and down in ms.
    ttl_ms : time to live of a command in ms; the device goes to its safe state after it.
    heartbeat_s : longest time between two commands in s; below the time to live.
    ack_timeout_s : s of local time after which a missing acknowledgement counts.
    missed_limit : acknowledgements in a row that may be missing before it is a fault.
    hold_limit_s, hold_reminder_s : longest activation, and when before its end the operator is reminded, in s.
    refractory_s : s after a release in which no intent is followed.
    dose_s : activation in a session, in s, after which the effector stays off.
    on_fault, on_estop : safe state as steps, in order.
    activate_action, release_action : words of the command for the two changes.
    slew_per_s : fastest rise of a level under a proportional law, fraction a second; 0 where there is none.
    share_max : greatest share of assistance in what a proportional law asks for, 0–1; 0 where none is allowed.
    skin_check : whether the operator is asked to look at the skin when the dose nears its end.
    stimulates : whether current flows through a person: nothing leaves then but by the supervisor of stimulation.
    needs_certificate : whether a real device is used only with a certificate of conformance that held.
    """

    name: str
    profile: str
    on_fault: tuple[SafeStep, ...]
    on_estop: tuple[SafeStep, ...]
    title: str = ""
    channels: int = 1
    level: float = 1.0
    ramp_ms: int = 500
    release_ramp_ms: int = 500
    ttl_ms: int = 250
    heartbeat_s: float = 0.1
    ack_timeout_s: float = 1.0
    missed_limit: int = 3
    hold_limit_s: float = 30.0
    hold_reminder_s: float = 20.0
    refractory_s: float = 0.5
    dose_s: float = 3600.0
    activate_action: Action = "close"
    release_action: Action = "release"
    level_unit: str = "fraction"
    slew_per_s: float = 0.0
    share_max: float = 0.0
    skin_check: bool = False
    stimulates: bool = False
    needs_certificate: bool = False

    def __post_init__(self) -> None:
        if self.channels < 1 or self.missed_limit < 1:
            raise BadValue(
                Message(
                    "control.profile_channels",
                    effector=self.name,
                    channels=self.channels,
                    missed=self.missed_limit,
                )
            )
        self._check_numbers()
        for steps in (self.on_fault, self.on_estop):
            self._check_steps(steps)
        # Only a stop locks the device until a new session key; after an open or release it would follow the next
        # command.
        if any(step.action != "stop" for step in self.on_estop):
            raise BadValue(Message("control.profile_stop", effector=self.name))
        # To keep a current is to go on stimulating somebody whom nobody watches.
        if self.stimulates and any(step.keep_level or step.action == "hold" for step in self.on_fault):
            raise BadValue(Message("control.profile_keeps_current", effector=self.name))

    def _check_numbers(self) -> None:
        for name in ("level", "heartbeat_s", "ack_timeout_s", "hold_limit_s", "hold_reminder_s", "dose_s"):
            value = float(getattr(self, name))
            if not (isfinite(value) and value > 0):
                raise BadValue(Message("control.profile_above_0", name=name, effector=self.name, got=str(value)))
        for name in ("level", "share_max"):
            # Not `>`: a number that is none is refused too.
            if not 0 <= float(getattr(self, name)) <= 1:
                raise BadValue(
                    Message(
                        "control.profile_fraction", name=name, effector=self.name, got=str(getattr(self, name))
                    )
                )
        lowest = (self.ramp_ms, self.release_ramp_ms, self.refractory_s, self.slew_per_s)
        # Not `<`: a number that is none is refused too.
        if not all(value >= 0 for value in lowest):
            raise BadValue(Message("control.profile_negative", effector=self.name))
        # Not `>=`: a number that is none is refused too.
        if not self.hold_reminder_s < self.hold_limit_s:
            reminder, limit = f"{self.hold_reminder_s:g}", f"{self.hold_limit_s:g}"
            raise BadValue(Message("control.profile_reminder", effector=self.name, reminder=reminder, limit=limit))
        # Otherwise the device would go to its safe state between two heartbeats that both arrived.
        if not self.heartbeat_s * 1000 < self.ttl_ms:
            raise BadValue(
                Message(
                    "control.profile_heartbeat",
                    effector=self.name,
                    ttl=self.ttl_ms,
                    got=f"{self.heartbeat_s * 1000:.0f}",
                )
            )

    @property
    def rules(self) -> tuple[LimitRule, ...]:
        """Its limits, each by the value that it bounds; a protocol may only narrow them."""
        rules = [
            LimitRule("level_max", 1.0, self.level_unit),
            LimitRule("hold_limit_s", self.hold_limit_s, "s"),
            LimitRule("dose_s", self.dose_s, "s"),
        ]
        # Only a level that follows the evidence has a slew; every other one has its ramps.
        if self.slew_per_s:
            rules.append(LimitRule("slew_per_s", self.slew_per_s, "1/s"))
        if self.share_max:
            rules.append(LimitRule("share", self.share_max, "fraction"))
        return tuple(rules)

    def _check_steps(self, steps: tuple[SafeStep, ...]) -> None:
        times = [step.after_s for step in steps]
        allowed = ("hold", "open", "release", "stop")
        if not times or times[0] != 0 or times != sorted(times):
            raise BadValue(Message("control.profile_safe_state", effector=self.name, got=str(times)))
        if bad := [step.action for step in steps if step.action not in allowed]:
            raise BadValue(
                Message("control.profile_safe_actions", effector=self.name, allowed=list(allowed), got=list(bad))
            )
