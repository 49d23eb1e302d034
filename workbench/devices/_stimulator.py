"""Simulated stimulators as a pure device model: orders and time in, current, impedances and acknowledgements out.

They follow orders by :mod:`workbench.devices._device_rules` as every device does. Their own are the delay of the
link to the electrodes, the contacts with their impedances, and what an implant has: a radio that loses orders, a
battery, a coil whose coupling limits the voltage, and warmth. A stop cuts the power: no radio delays it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import world
from workbench.control import SafeStep
from workbench.devices._device_rules import DeviceRules
from workbench.devices._follower import greatest_of, run_simulated
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation import Channel, Place, Programme, net_dc_na, voltage_v
from workbench.vocabulary import Acknowledgement

OPTIONS: Mapping[str, str] = {
    "pairing": "path of the key file that it shares with its engine; required",
    "effector": "name of the effector profile (its own)",
    "programme": "list of channels, each with the fields of workbench.stimulation.Channel (its own)",
    "seed": "of delays, losses and impedances (0)",
    "delay_s": "median time from an order to its effect, s",
    "delay_spread": "log standard deviation of it (0.1)",
    "loss": "fraction of orders that never arrive",
    "impedance_ohm": "median impedance of a contact, Ω",
    "open": "contacts that are broken: list of [lead, contact] (none)",
    "compliance_v": "voltage that it can reach, V",
    "coupling": "coupling of the coil of an implant, 0–1; it limits the voltage (1)",
    "coil_off_s": "when the coil of an implant falls off, s after the start (never)",
    "battery": "charge of the battery at the start, 0–1 (1)",
    "battery_uc": "charge that a full battery delivers, µC",
    "gain": "delivered current for each of what was ordered, to rehearse a stimulator that is out of order (1)",
    "greatest": "level above which it clips (1)",
    "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (60)",
    "speed": "how much faster than real time the session runs (1); its time to live stays in real seconds",
    "t0": "LSL time at which stream time and clock agree, s (now)",
}
"""Options of such a player."""

BODY_C, WARM_S = 37.0, 120.0
"""Temperature of an implant at rest in °C, and time constant with which it warms, s."""
WARMS_C = 1.5
"""How much warmer an implant gets at full output, °C."""
MEASURES_S = 1.0
"""Time between two measurements of impedances, s."""
DRIFT = 0.02
"""Standard deviation of an impedance about its median, between two measurements."""
SPREAD = 0.15
"""Log standard deviation of the impedances of contacts."""
OPEN_OHM = 1e6
"""Impedance of a broken contact, Ω."""


@dataclass(frozen=True, slots=True)
class StimulatorSettings:
    """What the device is like. Raises :class:`BadValue` for what no device is.

    Attributes
    ----------
    profile : orders of another profile are refused, but for a stop.
    release_s : ramp of its safe state, s.
    delay_s, delay_spread : median of the lognormal time to the electrodes in s, and its log standard deviation.
    loss : fraction of orders that never arrive.
    impedance_ohm : median impedance of a contact, Ω.
    compliance_v : voltage that it can reach, V.
    battery, battery_uc : charge of the battery at the start, 0–1, and of a full one, µC.
    implant : whether it has a coil and warms the body.
    coupling : of the coil, 0–1.
    coil_off_s : when the coil falls off, s after the start.
    gain : delivered current for each of what was ordered.
    greatest : level above which it clips, 0–1.
    """

    profile: str
    release_s: float
    delay_s: float = 0.03
    delay_spread: float = 0.1
    loss: float = 0.0
    impedance_ohm: float = 1000.0
    compliance_v: float = 120.0
    battery: float = 1.0
    battery_uc: float = 1e9
    implant: bool = False
    coupling: float = 1.0
    coil_off_s: float = math.inf
    gain: float = 1.0
    greatest: float = 1.0

    def __post_init__(self) -> None:
        limits = {
            "release_s": 10.0, "delay_s": 1.0, "delay_spread": 2.0, "loss": 1.0, "impedance_ohm": 1e6,
            "compliance_v": 500.0, "battery": 1.0, "battery_uc": 1e12, "coupling": 1.0, "gain": 10.0,
            "greatest": 1.0, "coil_off_s": math.inf,
        }  # fmt: skip
        for name, limit in limits.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 <= value <= limit):
                raise BadValue(
                    Message("simulated.stimulator_option", name=name, limit=f"{limit:g}", got=repr(value))
                )


class Output:
    """The current of a stimulator as a level: it goes a straight way from one to the next.

    Parameters
    ----------
    seed : of the delays.
    settings : delays.
    """

    def __init__(self, seed: int, settings: StimulatorSettings) -> None:
        self.fault = False
        self._seed, self._settings = seed, settings
        self._path = (0.0, 0.0, 0.0, 0.0)  # from time, from level, to time, to level

    def level(self, now: float) -> float:
        """Fraction 0–1 at ``now``."""
        begin, low, end, high = self._path
        if now >= end:
            return high
        return low if now <= begin else low + (high - low) * (now - begin) / (end - begin)

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Begin to go to a level. See :class:`~workbench.devices._device_rules.Actuator`.

        Parameters
        ----------
        target, action, now : level, action and time in s.
        ramp_s : s. rate : how much faster than real time it goes.
        seq : of the order; None for the safe state.
        """
        here = self.level(now)
        if action == "stop" or target == here:
            self._path = (now, target, now, target)
            return
        self._path = (now, here, now + ramp_s / rate, target)

    def settled(self, now: float) -> float | None:
        """End of the way, None when it lies behind ``now``."""
        return self._path[2] if self._path[2] <= now else None

    def delay(self, seq: int) -> float:
        """Time that this order takes to the electrodes, s; drawn from the seed and its number."""
        draw = world.chance.generator([self._seed, 2, seq])
        return float(self._settings.delay_s * math.exp(self._settings.delay_spread * draw.standard_normal()))


class StimulatorModel(DeviceRules):
    """One stimulator: the rules of every device, on current, with contacts and what feeds them.

    Parameters
    ----------
    programme : the channels, in the order of a command's levels.
    settings : what the device is like.
    channels : values in a level; those beyond the programme must be 0 and deliver nothing.
    seed : of delays, losses and impedances.
    broken : contacts without a connection.
    """

    def __init__(
        self,
        programme: Programme,
        settings: StimulatorSettings,
        *,
        channels: int,
        seed: int = 0,
        broken: tuple[Place, ...] = (),
    ) -> None:
        self.programme, self.settings = programme, settings
        self.output = Output(seed, settings)
        steps = (SafeStep("release", ramp_ms=round(settings.release_s * 1000.0)),)
        super().__init__(
            self.output,
            profile=settings.profile,
            safe_state=lambda: steps,
            greatest=greatest_of(settings.greatest, name=settings.profile),
            channels=channels,
            delay=self.output.delay,
        )
        self._seed, self._n_received = seed, 0
        self._broken = frozenset(broken)
        self._began: float | None = None
        self._seen_at = 0.0
        self._used_uc, self._warmth = 0.0, 0.0
        self._ohm: dict[Place, float] = {}
        self._measured = -1

    # ------------------------------------------------------------------------------------------- orders
    def receive(self, command: Mapping[str, Any], now: float, *, echo_age_s: float = 0.0) -> list[Acknowledgement]:
        """Take one command that arrived at ``now``, or lose it; see :meth:`DeviceRules.receive`.

        Parameters
        ----------
        command, now, echo_age_s : as there.
        """
        self._n_received += 1
        # A stop cuts the power and needs no radio.
        if command.get("action") != "stop" and self._is_lost(self._n_received):
            return self.tick(now)
        return super().receive(command, now, echo_age_s=echo_age_s)

    def tick(self, now: float) -> list[Acknowledgement]:
        """Let time pass to ``now``: without power there is no output, and the safe state begins."""
        self._spend(now)
        self.output.fault = self.coupling(now) <= 0 or self.battery <= 0
        return super().tick(now)

    def level(self, now: float) -> float:
        """The largest level that is really applied, fraction of an approved current."""
        return max(self.applied(now))

    def applied(self, now: float) -> tuple[float, ...]:
        """Level of each channel that is really applied: what voltage and contacts allow, none without power.

        A stimulator that is out of order may apply more than 1; it says 1.
        """
        ordered, channels = super().applied(now), self.programme.channels
        volts = self.settings.compliance_v * self.coupling(now) if self.battery > 0 else 0.0
        levels = []
        for level, channel in zip(ordered, channels):
            ohm = max(self.impedance_ohm((channel.lead, contact), now) for contact in channel.contacts)
            most = volts / voltage_v(channel.approved_ma, ohm)
            levels.append(min(level * self.settings.gain, most, 1.0))
        # What the programme does not use is connected to nothing.
        return (*levels, *(0.0,) * (len(ordered) - len(channels)))

    def _is_lost(self, n: int) -> bool:
        loss = self.settings.loss
        return loss > 0.0 and bool(world.chance.generator([self._seed, 1, n]).random() < loss)

    # ---------------------------------------------------------------------------------------- what feeds it
    def _spend(self, now: float) -> None:
        """Battery and warmth up to ``now``."""
        if self._began is None:
            self._began = self._seen_at = now
        seconds = max(0.0, now - self._seen_at)
        self._seen_at = max(now, self._seen_at)
        level = self.level(now)
        per_s = sum(
            current * channel.width_us * channel.rate_hz / 1000.0
            for current, channel in zip(self.delivered_ma(now), self.programme.channels, strict=True)
        )
        self._used_uc += per_s * seconds
        self._warmth += (level - self._warmth) * -math.expm1(-seconds / WARM_S)

    @property
    def battery(self) -> float:
        """Charge of the battery, 0–1."""
        if not self.settings.battery_uc:
            return 0.0
        return max(0.0, self.settings.battery - self._used_uc / self.settings.battery_uc)

    def coupling(self, now: float) -> float:
        """Coupling of the coil, 0–1; 1 without an implant."""
        if not self.settings.implant:
            return 1.0
        fallen = self._began is not None and now - self._began >= self.settings.coil_off_s
        return 0.0 if fallen else self.settings.coupling

    @property
    def temperature_c(self) -> float | None:
        """Of an implant, °C."""
        return BODY_C + WARMS_C * self._warmth if self.settings.implant else None

    # ------------------------------------------------------------------------------------------- what it measures
    def impedance_ohm(self, place: Place, now: float) -> float:
        """Impedance of a contact, Ω; the same between two measurements."""
        if place in self._broken:
            return OPEN_OHM
        measurement = int(now / MEASURES_S)
        if measurement != self._measured:
            self._measured = measurement
            self._ohm.clear()
        if place not in self._ohm:
            of_contact = [self._seed, 3, sum(place[0].encode()), place[1]]
            own = world.chance.generator(of_contact).standard_normal()
            drift = world.chance.generator([*of_contact, measurement]).standard_normal()
            self._ohm[place] = float(self.settings.impedance_ohm * math.exp(SPREAD * own + DRIFT * drift))
        return self._ohm[place]

    def delivered_ma(self, now: float) -> tuple[float, ...]:
        """Current of each channel of the programme that really flows, mA."""
        return tuple(
            level * channel.approved_ma for level, channel in zip(self.applied(now), self.programme.channels)
        )

    def telemetry(self, now: float) -> dict[str, Any]:
        """What its status says beyond that of every device."""
        contacts = {(c.lead, contact) for c in self.programme.channels for contact in c.contacts}
        flows = self.delivered_ma(now)
        direct = dict.fromkeys(contacts, 0.0)
        for current, channel in zip(flows, self.programme.channels, strict=True):
            charge = current * channel.width_us / 1000.0
            for contact in channel.contacts:
                direct[channel.lead, contact] += net_dc_na(charge, channel.mismatch, channel.rate_hz)
        # Of each lead the contact that has most.
        leads = {lead: max(dc for (of, _), dc in direct.items() if of == lead) for lead, _ in sorted(contacts)}
        warm = self.temperature_c
        return {
            "stimulator": {
                "programme": self.programme.sha256,
                "delivered_ma": [round(current, 3) for current in flows],
                "ohm": [[lead, n, round(self.impedance_ohm((lead, n), now))] for lead, n in sorted(contacts)],
                "leads": [
                    [lead, round(dc, 1), None if warm is None else round(warm, 2)] for lead, dc in leads.items()
                ],
                "battery": round(self.battery, 4),
                "coupling": round(self.coupling(now), 3) if self.settings.implant else None,
            }
        }


def programme_of(options: Mapping[str, Any], usual: Programme) -> Programme:
    """The programme of a player's options; :class:`BadValue` for channels that are none."""
    given = options.get("programme")
    if given is None:
        return usual
    try:
        channels = tuple(Channel(**one) for one in given)
    except TypeError as error:
        raise BadValue(Message("simulated.no_programme", why=str(error))) from error
    return Programme(usual.name, channels, latency_s=usual.latency_s, release_s=usual.release_s)


def stimulate(
    options: Mapping[str, Any],
    stop: threading.Event,
    *,
    effector: str,
    programme: Programme,
    settings: StimulatorSettings,
    channels: int,
) -> None:
    """Run a simulated stimulator until it is stopped.

    Parameters
    ----------
    options : of :data:`OPTIONS`. stop : ends it.
    effector : that it stands for; the player is named after it.
    programme, settings : where no option says otherwise.
    channels : values in a level.
    """
    own = {key: options[key] for key in SETTINGS if key in options}
    run_simulated(
        lambda: StimulatorModel(
            programme_of(options, programme),
            StimulatorSettings(**{**{key: getattr(settings, key) for key in _ALL}, **own}),
            channels=channels,
            seed=int(options.get("seed", 0)),
            broken=tuple((str(lead), int(contact)) for lead, contact in options.get("open", ())),
        ),
        options,
        stop,
        profile=effector,
    )


SETTINGS = (
    "delay_s", "delay_spread", "loss", "impedance_ohm", "compliance_v", "battery", "battery_uc", "coupling",
    "coil_off_s", "gain", "greatest",
)  # fmt: skip
"""Settings that an option may change."""
_ALL = ("profile", "release_s", "implant", *SETTINGS)
