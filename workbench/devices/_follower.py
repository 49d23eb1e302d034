"""What the simulated effectors that follow a level share: an actuator that is there at once, and their process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.devices._device_process import DeviceProcess
from workbench.devices._device_rules import DeviceRules
from workbench.devices._pairing import Pairing
from workbench.devices._playing import ready
from workbench.errors import BadValue
from workbench.messages import Message

OPTIONS: Mapping[str, str] = {
    "pairing": "path of the key file that it shares with its engine; required",
    "effector": "name of the effector profile (its own)",
    "greatest": "level above which it clips (1)",
    "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (60)",
    "speed": "how much faster than real time the session runs (1); its time to live stays in real seconds",
    "t0": "LSL time at which stream time and clock agree, s (now)",
}
"""Options of such a player."""


class Follower:
    """A number that is there at once. An actuator of a device."""

    fault = False

    def __init__(self) -> None:
        self._level, self._since = 0.0, 0.0

    def level(self, now: float) -> float:
        """Fraction 0–1."""
        return self._level

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Take another level.

        Parameters
        ----------
        target, now : level 0–1, and s.
        action, ramp_s, seq, rate : of the order; a number has no ramp.
        """
        self._level, self._since = target, now

    def settled(self, now: float) -> float | None:
        """When it took the level, None before."""
        return self._since if self._since <= now else None


def greatest_of(value: float, *, name: str) -> float:
    """The level above which a device clips; :class:`BadValue` where it is no fraction."""
    if not 0 <= value <= 1:
        raise BadValue(Message("simulated.greatest", device=name, got=repr(value)))
    return value


def follow(
    options: Mapping[str, Any], stop: threading.Event, *, profile: str, made: Callable[[float], DeviceRules]
) -> None:
    """Run a simulated effector until it is stopped.

    Parameters
    ----------
    options : of :data:`OPTIONS`. stop : ends it.
    profile : that it follows; the player is named after it.
    made : makes its rules from the level above which it clips.
    """
    run_simulated(lambda: made(float(options.get("greatest", 1.0))), options, stop, profile=profile)


def run_simulated(
    made: Callable[[], DeviceRules],
    options: Mapping[str, Any],
    stop: threading.Event,
    *,
    profile: str,
    **more: Any,
) -> None:
    """Run a simulated device as a player until it is stopped.

    Parameters
    ----------
    made : makes its rules.
    options : ``pairing``, and those of :data:`OPTIONS` that every player takes. stop : ends it.
    profile : of the effector that it stands for; the player is named after it.
    **more : see :class:`DeviceProcess`.

    Raises
    ------
    BadValue
        Without a pairing.
    """
    name = f"simulated_{profile}"
    if not options.get("pairing"):
        raise BadValue(Message("device.needs_pairing", device=name))
    process = DeviceProcess(
        made(),
        Pairing(Path(str(options["pairing"])), str(options.get("effector", profile))),
        name=name,
        stop=stop,
        simulated=True,
        idle_s=float(options.get("idle_s", 60.0)),
        time_base={key: options[key] for key in ("speed", "t0") if key in options},
        **more,
    )
    ready(process.specs, t0=process.t0, speed=process.speed)
    process.run()
