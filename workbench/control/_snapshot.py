"""The effector's part of the engine's status."""

from __future__ import annotations

from typing import Literal, TypedDict

from workbench.control._stimulation_status import StimulationStatus
from workbench.control._table import State


class ConfirmedStatus(TypedDict):
    """The device's newest signed status: ``level`` 0–1, its ``state``, its age in s, its counter.

    ``at_rest`` : whether it says that no pressure is applied, held or vented; False before the first.
    """

    level: float | None
    state: str
    age_s: float | None
    at_rest: bool
    counter: int


class StopStatus(TypedDict):
    """What became of the newest STOP; times in s, None for what did not happen."""

    asked_age_s: float | None
    sent: bool
    acknowledged_after_s: float | None
    safe_after_s: float | None
    confirmed: bool


class ConditionStatus(TypedDict):
    """One arming condition."""

    text_key: str
    ok: bool
    text: str


class RuleValues(TypedDict):
    """Numbers of the rule between a state and the next: evidence 0–1, hops, s."""

    activate: float
    release: float
    dwell: int
    hold_limit_s: float
    refractory_s: float
    trigger_s: float


class EffectorStatus(TypedDict):
    """``level`` (0–1) was commanded; ``confirmed`` and ``stop`` are what the device's signed status says.

    Where whoever looks must not know a sham, ``level`` is what is asked for, and of what is confirmed only rest is
    said, and no command is counted. ``stimulation`` : None of an effector that does not stimulate.
    ``mover`` : what moves it, the hash of a decoder or :data:`SCHEDULE` and a procedure, ``""`` for nothing;
    ``cause`` : the fault, the reason of a stop or what failed in a self-test, ``""`` without one; ``fault`` : its
    code.
    """

    confirmed: ConfirmedStatus
    stop: StopStatus
    foreign: int
    foreign_streams: list[str]
    heartbeats_missed: int
    absent: bool
    round_trip_ms: float | None
    name: str
    simulated: bool
    mover: str
    state: State
    previous: State | Literal[""]
    next: State
    why: str
    why_key: str
    why_args: RuleValues
    fault: str
    cause: str
    level: float
    stimulation: StimulationStatus | None
    acknowledged: int
    sent: int
    dose_s: float
    dose_limit_s: float
    held_s: float
    conditions: list[ConditionStatus]
