"""The body of one person in one visit: it feels what acts on it, and gives what amplifiers record as time passes.

Time goes in ticks of 10 ms, so that any blocks give the same bits for the same inputs. What comes depends on
person, state and inputs alone. Ground truth (spasms, steps, fatigue, thresholds) stays on this object: it
belongs to the process of whoever simulates, and is in none of the signals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology import _reflex
from workbench.physiology._circulation import Circulation
from workbench.physiology._dorsal import POSTURES, DorsalColumns
from workbench.physiology._emg import Emg, Spasm
from workbench.physiology._gait import Push, Step, Walker, activity
from workbench.physiology._parameters import (
    CHANGE,
    CONTACTS,
    ECAP_FS,
    EMG_FS,
    GROUPS,
    MUSCLE,
    MUSCLES,
    POOLS,
    PRESSURE_FS,
    REFLEX,
    SWEEP,
)
from workbench.physiology._person import Person
from workbench.physiology._state import State, residual_now
from workbench.vocabulary import FloatArray

__all__ = ["SENSES", "Body", "Input", "Signals", "Spasm", "Train"]

TICK_S = 0.01
PER_TICK = round(TICK_S * EMG_FS)
AHEAD = 140
"""Samples of EMG that a pulse may still fill: 70 ms."""
SENSES = ("emg", "ecap", "gait", "pressure")
FES_HZ = 40.0
"""Rate of stimulation of a muscle through the skin, Hz."""
LIFTING, HOLDING = (
    (GROUPS.index("tibialis anterior"),),
    (GROUPS.index("quadriceps"), GROUPS.index("triceps surae")),
)
"""Groups whose stimulation through the skin helps a swing, and whose stimulation in it hinders."""
MOST = {"ma": 200.0, "hz": 1000.0, "us": 10_000.0, "pulses": 10**9}


@dataclass(frozen=True, slots=True)
class Train:
    """Pulses of one contact of the lumbar lead, as they flow. Raises :class:`BadValue` for one that cannot be.

    Attributes
    ----------
    contact : cathode, 0–15. ma : current. hz : rate. us : width of a pulse.
    pulses : how many; 0 for no end. polarity : 1 or -1, of the artefact.
    """

    contact: int
    ma: float
    hz: float = 40.0
    us: float = 300.0
    pulses: int = 0
    polarity: int = 1

    def __post_init__(self) -> None:
        inside = all(0 <= getattr(self, name) <= most for name, most in MOST.items()) and self.hz > 0
        if not (inside and 0 <= self.contact < CONTACTS and self.polarity in (1, -1)):
            raise BadValue(Message("physiology.train", last=CONTACTS - 1, got=repr(self)))


@dataclass(frozen=True, slots=True)
class Input:
    """What acts on the body from now on. Raises :class:`BadValue` for what cannot act.

    Attributes
    ----------
    effort : muscle → voluntary effort 0–1. walk : effort to walk, 0–1.
    trains : pulses on the lumbar lead.
    muscles : muscle → stimulation through the skin, 0–1 of a full contraction.
    dorsal_ma : current of the pulses on the dorsal columns, mA.
    support : share of the body weight that is held, 0–1.
    posture : ``"sitting"``, ``"standing"`` or ``"lying"``.
    """

    effort: Mapping[str, float] = field(default_factory=dict)
    walk: float = 0.0
    trains: tuple[Train, ...] = ()
    muscles: Mapping[str, float] = field(default_factory=dict)
    dorsal_ma: float = 0.0
    support: float = 0.0
    posture: str = "sitting"

    def __post_init__(self) -> None:
        for named in (self.effort, self.muscles):
            for muscle in named:
                if muscle not in MUSCLES:
                    raise BadValue(Message("physiology.muscle", got=repr(muscle), known=list(MUSCLES)))
        shares = [self.walk, self.support, *self.effort.values(), *self.muscles.values()]
        if not all(0.0 <= share <= 1.0 for share in shares) or not 0.0 <= self.dorsal_ma <= MOST["ma"]:
            raise BadValue(Message("physiology.input", most=f"{MOST['ma']:g}", got=repr(self)))
        if self.posture not in POSTURES:
            raise BadValue(Message("physiology.posture", got=repr(self.posture), known=list(POSTURES)))


@dataclass(frozen=True, slots=True)
class Signals:
    """What was recorded in a stretch of time; a sense that the body was made without has no rows.

    Attributes
    ----------
    emg : ``(n, 8)`` float64, µV at 2 kHz, raw, with artefacts.
    pulses : ``(n,)`` float64, pulses of any stimulator within each sample of EMG: what its trigger line tells.
    ecap : ``(n, 48)`` float64, a sweep of 3 ms at 16 kHz after each pulse on the dorsal columns, µV; 50 a second.
    kinematics : ``(n, 6)`` float64, hip, knee and ankle of the left and the right leg, deg at 100 Hz.
    shanks : ``(n, 2)`` float64, angular velocity of both shanks, forward positive, deg/s at 100 Hz.
    force : ``(n, 8)`` float64, of each muscle, share of a full contraction, at 100 Hz.
    pressure : ``(n, 3)`` float64, systolic and diastolic in mmHg and heart rate a minute, at 2 Hz.
    """

    emg: FloatArray
    pulses: FloatArray
    ecap: FloatArray
    kinematics: FloatArray
    shanks: FloatArray
    force: FloatArray
    pressure: FloatArray


class Body:
    """One person in one visit. The one interface of devices and players: :meth:`feel`, then :meth:`step`.

    Parameters
    ----------
    person : who. state : with which the visit goes on.
    senses : what is recorded, of :data:`SENSES`; fewer are quicker and change no other.
    """

    def __init__(self, person: Person, *, state: State | None = None, senses: tuple[str, ...] = SENSES) -> None:
        for sense in senses:
            if sense not in SENSES:
                raise BadValue(Message("physiology.sense", got=repr(sense), known=list(SENSES)))
        self.person, self._state = person, state or State()
        visit, self._senses = self._state.visit, frozenset(senses)
        self.muscles, self.circulation = Emg(person, visit), Circulation(person, visit)
        self.walker = Walker(person, visit)
        self.columns = DorsalColumns(person, visit, drift=self._state.drift)
        self._pools = _reflex.Pools(person)
        self._usual = _reflex.thresholds(person, visit, distance=math.exp(self._state.drift))
        self._tick = round(self._state.lived_s / TICK_S)
        self._due = 0.0
        self._fatigue = np.array(self._state.fatigue)
        self._skill_h = float(person.chance(2, 2).uniform(*CHANGE.skill_h))
        self._full_mv = person.chance(4, 5).uniform(*REFLEX.full_mv, len(MUSCLES))
        self._artefact = person.chance(4, 6).uniform(*REFLEX.artefact_mv, len(MUSCLES)) * 1000.0
        self._decay = np.exp(-np.arange(AHEAD) / EMG_FS / person.chance(4, 7).uniform(*REFLEX.artefact_s))
        self._latency = np.array([dict(REFLEX.latency_ms)[group] / 1000.0 for group in GROUPS])
        self._activation, self._force = np.zeros(len(MUSCLES)), np.zeros(len(MUSCLES))
        self._evoked = np.zeros((AHEAD, len(MUSCLES)))
        self._pulses = np.zeros(AHEAD)
        self._began: dict[object, float] = {}
        self.feel(Input())

    # ------------------------------------------------------------------------------------------- interface
    def feel(self, acting: Input) -> None:
        """From the next tick of 10 ms on, this acts, and what acted before does no longer."""
        self._acting = acting
        now = self._tick * TICK_S
        self._threshold = self._usual * POSTURES[acting.posture]
        self._reach = [_reflex.recruited(self._threshold[t.contact], ma=t.ma, us=t.us) for t in acting.trains]
        # A train that only changes its current keeps its rhythm.
        endless = {(t.contact, t.hz) for t in acting.trains if not t.pulses}
        skin = {"skin"} if any(acting.muscles.values()) else set()
        self._began = {key: self._began.get(key, now) for key in endless | skin}
        self._counted = now
        lasting = [reach for train, reach in zip(acting.trains, self._reach) if not train.pulses]
        self._tonic = _acting_on_legs(np.max(lasting, axis=0) if lasting else np.zeros(_reflex.N_POOLS))
        self._effort = np.array([float(acting.effort.get(muscle, 0.0)) for muscle in MUSCLES])
        self._skin = np.array([float(acting.muscles.get(muscle, 0.0)) for muscle in MUSCLES])
        self._strength = max([self._strength_of(t) for t in acting.trains] + self._skin.tolist())
        self._residual = residual_now(self.person, self._state)

    def step(self, dt: float) -> Signals:
        """Live on for ``dt`` s; what is less than a tick is lived with the next step."""
        if not 0.0 <= dt < math.inf:
            raise BadValue(Message("physiology.time", got=f"{dt:g}"))
        self._due += dt
        n = int(self._due / TICK_S + 1e-6)
        self._due -= n * TICK_S
        rows: dict[str, list[FloatArray]] = {name: [] for name in ("emg", "pulses", "ecap", "gait", "force", "bp")}
        for _ in range(n):
            self._live(rows)
        self._keep()
        gait = np.array(rows["gait"]).reshape(-1, 8)
        return Signals(
            np.concatenate(rows["emg"]) if rows["emg"] else np.zeros((0, len(MUSCLES))),
            np.concatenate(rows["pulses"]) if rows["pulses"] else np.zeros(0),
            np.array(rows["ecap"]).reshape(-1, SWEEP),
            gait[:, :6],
            gait[:, 6:],
            np.array(rows["force"]).reshape(-1, len(MUSCLES)),
            np.array(rows["bp"]).reshape(-1, 3),
        )

    def rest(self, dt: float) -> None:
        """Let ``dt`` s pass in which nothing acts and nobody records: quick, however long."""
        if not 0.0 <= dt < math.inf:
            raise BadValue(Message("physiology.time", got=f"{dt:g}"))
        self.feel(replace(Input(), posture=self._acting.posture))
        n = round(dt / TICK_S)
        self._tick += n
        self._evoked[:], self._pulses[:] = 0.0, 0.0
        self._activation, self._force = np.zeros(len(MUSCLES)), np.zeros(len(MUSCLES))
        self._fatigue = self._fatigue * math.exp(-n * TICK_S / CHANGE.rest_s)
        self.circulation.live(n * TICK_S, 0.0)
        self._keep()

    @property
    def state(self) -> State:
        """What goes on to the next visit."""
        return self._state

    @property
    def steps(self) -> list[Step]:
        """Ground truth: the steps of this visit."""
        return self.walker.steps

    # ------------------------------------------------------------------------------------------- a tick
    def _live(self, rows: dict[str, list[FloatArray]]) -> None:
        acting, tick, now = self._acting, self._tick, self._tick * TICK_S
        if "gait" in self._senses:
            moved = self.walker.tick(
                tick, walking=acting.walk > 0.0, support=acting.support, push=(self._push(0), self._push(1))
            )
            rows["gait"].append(moved)
        intended = self._effort
        if acting.walk > 0.0:
            intended = np.maximum(intended, acting.walk * activity(self.walker))
        wanted = np.minimum(intended * self._residual * self.muscles.share, 1.0)
        self._activation += (wanted - self._activation) * -math.expm1(-TICK_S / MUSCLE.rise_s)
        self._tire()
        contracted = np.minimum(self._activation + self._skin * (1.0 - self._fatigue), 1.0)
        self._force += (contracted - self._force) * -math.expm1(-TICK_S / MUSCLE.rise_s)
        rows["force"].append(self._force.copy())
        if "emg" in self._senses:
            self._record_emg(tick, now, rows)
        if "ecap" in self._senses and tick % round(1.0 / ECAP_FS / TICK_S) == 0:
            number = tick // round(1.0 / ECAP_FS / TICK_S)
            rows["ecap"].append(self.columns.sweep(number, now, acting.dorsal_ma, acting.posture))
        self.circulation.live(TICK_S, self._strength)
        every = round(1.0 / PRESSURE_FS / TICK_S)
        if "pressure" in self._senses and tick % every == 0:
            rows["bp"].append(self.circulation.reading(tick // every))
        self._tick += 1

    def _record_emg(self, tick: int, now: float, rows: dict[str, list[FloatArray]]) -> None:
        self._pulse(now)
        t = now + np.arange(PER_TICK) / EMG_FS
        activation = np.maximum(self._activation, self.muscles.involuntary(t))
        emg = self.muscles.samples(tick, PER_TICK, activation) + self._evoked[:PER_TICK]
        most = REFLEX.clip_mv * 1000.0
        rows["emg"].append(np.clip(emg, -most, most))
        rows["pulses"].append(self._pulses[:PER_TICK].copy())
        for ahead in (self._evoked, self._pulses):
            ahead[:-PER_TICK] = ahead[PER_TICK:].copy()
            ahead[-PER_TICK:] = 0.0

    def _pulse(self, now: float) -> None:
        """What the pulses of this tick evoke, from now on."""
        at_once: dict[int, list[int]] = {}
        for k, train in enumerate(self._acting.trains):
            began = self._counted if train.pulses else self._began[train.contact, train.hz]
            for number in _numbers(now - began, train.hz):
                if not train.pulses or number < train.pulses:
                    at_once.setdefault(round((began + number / train.hz - now) * 1e6), []).append(k)
        for us in sorted(at_once):
            self._evoke(now, us / 1e6, at_once[us])
        if "skin" in self._began:
            began = self._began["skin"]
            for number in _numbers(now - began, FES_HZ):
                self._twitch(max(0.0, began + number / FES_HZ - now))

    def _evoke(self, now: float, after_s: float, which: list[int]) -> None:
        """The reflexes to pulses that come together, and their artefact."""
        trains = [self._acting.trains[k] for k in which]
        answer = self._pools.answer(np.max([self._reach[k] for k in which], axis=0), now + after_s)
        n, legs = len(GROUPS), answer.reshape(2, len(POOLS))
        since = np.arange(AHEAD)[:, None] / EMG_FS - after_s - self._latency[None, :]
        course = _reflex.wave(since)
        for side in (0, 1):
            size = 1000.0 * self._full_mv[side * n : side * n + n] * legs[side, :n]
            self._evoked[:, side * n : side * n + n] += course * size
        self._spike(after_s, self._artefact * sum(t.polarity * t.ma for t in trains), len(trains))

    def _twitch(self, after_s: float) -> None:
        """The direct response of muscles to a pulse through the skin, and its artefact."""
        since = np.arange(AHEAD) / EMG_FS - after_s - REFLEX.direct_ms / 1000.0
        self._evoked += _reflex.wave(since)[:, None] * (1000.0 * REFLEX.direct_mv * self._skin)
        self._spike(after_s, 10.0 * self._artefact * self._skin, 1)

    def _spike(self, after_s: float, size: FloatArray, n_pulses: int) -> None:
        """An artefact: both phases within two samples, then a decay."""
        first = int(after_s * EMG_FS)
        tail = self._decay[: AHEAD - first, None] * size
        tail[0] *= 3.0
        tail[1] *= -2.0
        self._evoked[first:] += tail
        self._pulses[first] += n_pulses

    # ------------------------------------------------------------------------------------------- what changes
    def _push(self, side: int) -> Push:
        helped, opposed = self._tonic[side]
        if "skin" in self._began:
            first, skin = side * len(GROUPS), self._skin * (1.0 - self._fatigue)
            helped = max(helped, *(float(skin[first + k]) for k in LIFTING))
            opposed = max(opposed, *(float(skin[first + k]) for k in HOLDING))
        return Push(self._acting.walk * self._residual, helped, opposed)

    def _tire(self) -> None:
        load = self._skin + CHANGE.voluntary * self._activation
        self._fatigue += (CHANGE.fatigue_most - self._fatigue) * load * TICK_S / CHANGE.fatigue_s
        self._fatigue -= self._fatigue * TICK_S / CHANGE.rest_s

    def _keep(self) -> None:
        """Bring the state up to now."""
        lived = self._tick * TICK_S
        effort = max(self._acting.walk, float(self._effort.max()))
        practised = self._state.practised_h + (lived - self._state.lived_s) / 3600.0 * effort
        self._state = replace(
            self._state,
            lived_s=lived,
            practised_h=practised,
            skill=-math.expm1(-practised / self._skill_h),
            fatigue=tuple(self._fatigue.tolist()),
        )

    def _strength_of(self, train: Train) -> float:
        """How strong a train is for the circulation, 0–1: 1 from four times the least motor threshold on."""
        if train.pulses:
            return 0.0
        over = train.ma / float(self._threshold[train.contact].min()) - 1.0
        return min(max(over / 3.0, 0.0), 1.0) * min(1.0, train.hz / 20.0)


def _acting_on_legs(tonic: FloatArray) -> list[tuple[float, float]]:
    """What trains do to a swing of each leg, 0–1: how far they reach what lifts it, and what holds it down."""
    legs = tonic.reshape(2, len(POOLS)).tolist()
    return [(leg[POOLS.index("hip flexors")], max(leg[k] for k in HOLDING)) for leg in legs]


def _numbers(since_s: float, hz: float) -> range:
    """Numbers of the pulses of a rate that fall into the tick that begins so long after the first."""
    first = math.ceil(since_s * hz - 1e-6)
    return range(max(first, 0), math.ceil((since_s + TICK_S) * hz - 1e-6))
