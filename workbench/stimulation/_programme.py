"""What is stimulated: channels, each on its contacts, up to a ceiling of current that was found and approved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, get_args

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import contents

Balance = Literal["active", "passive", "none"]
"""What takes the charge of a phase back: an equal and opposite phase, the discharge of a capacitor, or nothing."""

BALANCES: tuple[Balance, ...] = get_args(Balance)

Mode = Literal["active", "sham"]
"""Whether current flows. A sham is asked for, judged and shown like the other, and nothing leaves."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One muscle, hot-spot or pair of electrodes. Raises :class:`BadValue` for one that contradicts itself.

    Attributes
    ----------
    name : of the muscle or the hot-spot.
    electrode : model, whose limits hold.
    lead : which electrode of that model; contacts of one lead are counted together, over all channels.
    cathodes, anodes : contacts of the lead, from 0.
    approved_ma : current that was found and approved for it, mA; its ceiling may be lower, never higher.
    width_us : of one phase, µs.
    rate_hz : pulses a second.
    balance : what takes the charge of a phase back.
    mismatch : share of the charge that is not taken back, as the stimulator's maker states it, 0–1.
    """

    name: str
    electrode: str
    lead: str
    cathodes: tuple[int, ...]
    anodes: tuple[int, ...]
    approved_ma: float
    width_us: float
    rate_hz: float
    balance: Balance = "active"
    mismatch: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "cathodes", tuple(self.cathodes))
        object.__setattr__(self, "anodes", tuple(self.anodes))
        numbers = (self.approved_ma, self.width_us, self.rate_hz)
        contacts = (*self.cathodes, *self.anodes)
        # Not `<=`: a number that is none is refused too.
        sound = all(isfinite(value) and value > 0 for value in numbers) and 0 <= self.mismatch <= 1
        if not sound or not self.cathodes or min(contacts) < 0 or len(set(contacts)) != len(contacts):
            raise BadValue(Message("stimulation.channel_wrong", channel=repr(self.name)))
        if not self.name.strip() or not self.lead.strip() or self.balance not in BALANCES:
            raise BadValue(Message("stimulation.channel_wrong", channel=repr(self.name)))

    @property
    def contacts(self) -> tuple[int, ...]:
        """Contacts that carry its current."""
        return (*self.cathodes, *self.anodes)


@dataclass(frozen=True, slots=True)
class Programme:
    """The channels of one stimulator, in the order of a command's levels.

    Attributes
    ----------
    name : under which it was approved.
    channels : at least one, each with its own name.
    needs_support : whether the person would fall without body-weight support or a harness, as in gait.
    support_kg : least load on the harness, kg; 0 takes a person's word for the support.
    latency_s : longest time from an order to its effect, s.
    release_s : ramp with which current is released, s.
    mode : whether current flows.
    """

    name: str
    channels: tuple[Channel, ...]
    needs_support: bool = False
    support_kg: float = 0.0
    latency_s: float = 0.0
    release_s: float = 0.0
    # Not printed: a notebook that shows a plan of a blinded session would tell a sham.
    mode: Mode = field(default="active", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        names = [channel.name for channel in self.channels]
        times = (self.support_kg, self.latency_s, self.release_s)
        # Not `<`: a number that is none is refused too.
        sound = all(isfinite(value) and value >= 0 for value in times) and self.mode in get_args(Mode)
        if not names or len(set(names)) != len(names) or not sound or (self.support_kg and not self.needs_support):
            raise BadValue(Message("stimulation.programme_wrong", programme=repr(self.name)))

    @property
    def approved_ma(self) -> tuple[float, ...]:
        """Current of each channel of which a command's level is a fraction, mA."""
        return tuple(channel.approved_ma for channel in self.channels)

    @property
    def sha256(self) -> str:
        """Hash of what a stimulator must know of it. The mode is not among it: it would tell a sham."""
        known = json.dumps([contents(channel) for channel in self.channels], sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest()


Place = tuple[str, int]
"""A contact: its lead and its number."""


def name_of(place: Place) -> str:
    """What people call a contact."""
    return f"{place[0]} {place[1]}"


def places(channels: Sequence[Channel]) -> Mapping[Place, tuple[int, ...]]:
    """Each contact in use, and the channels that share it."""
    shared: dict[Place, list[int]] = {}
    for number, channel in enumerate(channels):
        for contact in channel.contacts:
            shared.setdefault((channel.lead, contact), []).append(number)
    return {place: tuple(numbers) for place, numbers in shared.items()}
