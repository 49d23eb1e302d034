"""The simulated glove as a pure device model: commands and time in, pressure and acknowledgements out.

It follows orders by :mod:`workbench.devices._device_rules` as every device does. Its own are the air that comes in
after a delay, the slow vent, and the commands that never arrive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import world
from workbench.control import SafeStep
from workbench.devices._device_rules import DeviceRules
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Acknowledgement


@dataclass(frozen=True, slots=True)
class GloveSettings:
    """What the device is like.

    Attributes
    ----------
    profile : commands of another profile are refused, but for a stop.
    delay_s, delay_spread : median of the lognormal time to inflate in s, and its log standard deviation;
        300 to 600 ms covers 95 %.
    loss : fraction of commands that never arrive.
    hold_s, vent_s : how long it holds without a command, and how long a slow vent takes, s.
    greatest : level above which it clips, 0–1.
    """

    profile: str = "glove"
    delay_s: float = 0.42
    delay_spread: float = 0.18
    loss: float = 0.001
    hold_s: float = 1.0
    vent_s: float = 2.0
    greatest: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no device is.

        Raises
        ------
        BadValue
            For a negative or non-finite number, a loss or greatest level above 1, a hold above 1 s.
        """
        limits = {
            "delay_s": 10.0,
            "delay_spread": 2.0,
            "loss": 1.0,
            "hold_s": 1.0,
            "vent_s": 10.0,
            "greatest": 1.0,
        }
        for name, limit in limits.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= limit):
                raise BadValue(Message("simulated.glove_option", name=name, limit=f"{limit:g}", got=repr(value)))


class Air:
    """The pressure of the glove: a straight path from one level to the next.

    Parameters
    ----------
    seed : of the delays.
    settings : delays and the time of a slow vent.
    """

    fault = False

    def __init__(self, seed: int, settings: GloveSettings) -> None:
        self._seed, self._settings = seed, settings
        self._path = (0.0, 0.0, 0.0, 0.0)  # from time, from level, to time, to level

    def level(self, now: float) -> float:
        """Pressure fraction 0–1 at ``now``."""
        begin, low, end, high = self._path
        if now >= end:
            return high
        return low + (high - low) * (now - begin) / (end - begin)

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Begin to fill or to vent; a stop vents at once. See :class:`~workbench.devices._device_rules.Actuator`.

        Parameters
        ----------
        target, action, now : level, action and time in s.
        ramp_s : s; a fill takes its delay at least.
        seq : of the order; None for the safe state, whose vent has a time of its own.
        rate : how much faster than real time it moves.
        """
        here = self.level(now)
        if action == "stop" or target == here:
            self._path = (now, target, now, target)
            return
        slow_s = self._settings.vent_s / rate * here if seq is None else max(self.delay(seq), ramp_s) / rate
        self._path = (now, here, now + slow_s, target)

    def settled(self, now: float) -> float | None:
        """End of the path, None when it lies behind ``now``."""
        return self._path[2] if self._path[2] <= now else None

    def delay(self, seq: int) -> float:
        """Time this command takes to have effect, s; drawn from the seed and the sequence number."""
        draw = world.chance.generator([self._seed, 2, seq])
        return float(self._settings.delay_s * math.exp(self._settings.delay_spread * draw.standard_normal()))


class GloveModel(DeviceRules):
    """One glove: the rules of every device, on air, behind a link that loses some commands.

    Parameters
    ----------
    seed : of delays and losses.
    settings : what the device is like.
    """

    def __init__(self, seed: int = 0, settings: GloveSettings | None = None) -> None:
        self.settings = settings or GloveSettings()
        self.air = Air(seed, self.settings)
        super().__init__(
            self.air, profile=self.settings.profile, safe_state=self._safe_steps, greatest=self.settings.greatest
        )
        self._seed = seed
        self._n_received = 0

    def _safe_steps(self) -> tuple[SafeStep, ...]:
        """Without a link: hold (a dropped hot cup, a trapped finger), then vent slowly."""
        return SafeStep("hold", keep_level=True), SafeStep("release", after_s=self.settings.hold_s / self.rate)

    def receive(self, command: Mapping[str, Any], now: float, *, echo_age_s: float = 0.0) -> list[Acknowledgement]:
        """Take one command that arrived at ``now``, or lose it; see :meth:`DeviceRules.receive`.

        Parameters
        ----------
        command, now, echo_age_s : as there.
        """
        self._n_received += 1
        if self._is_lost(self._n_received):
            return self.tick(now)
        return super().receive(command, now, echo_age_s=echo_age_s)

    def _is_lost(self, n: int) -> bool:
        """Whether the ``n``-th command never arrives; drawn from the seed and that number."""
        loss = self.settings.loss
        return loss > 0.0 and bool(world.chance.generator([self._seed, 1, n]).random() < loss)

    def delay(self, seq: int) -> float:
        """Time this command takes to have effect, s."""
        return self.air.delay(seq)
