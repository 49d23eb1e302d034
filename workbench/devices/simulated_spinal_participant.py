"""The legs and the cord of one simulated participant as five LSL streams: EMG, ECAP, joints, shanks, pressure.

The body is that of :mod:`workbench.physiology`. It follows cues, feels what a paired stimulator says it delivers,
and goes on from visit to visit by a file of its own. Ground truth goes to a file of this process, never onto LSL.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench import reading, world
from workbench.devices._base import Device
from workbench.devices._last_metre import EngineEnd
from workbench.devices._pairing import Pairing
from workbench.devices._participant import REST
from workbench.devices._playing import play
from workbench.devices._response_loop import loop_of
from workbench.devices._stimulator import programme_of
from workbench.devices._stream_player import StreamPlayer
from workbench.devices.simulated_epidural import PROGRAMME as EPIDURAL
from workbench.devices.simulated_fes import PROGRAMME as FES
from workbench.devices.simulated_transcutaneous import PROGRAMME as TRANSCUTANEOUS
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology import (
    ECAP_FS,
    EMG_FS,
    MUSCLES,
    SWEEP,
    Body,
    Input,
    Person,
    Signals,
    State,
    Train,
    model_sha256,
    next_visit,
    person_of,
    read_person,
    restored,
    saved,
)
from workbench.stimulation import Programme
from workbench.vocabulary import FloatArray, StreamSpec

__all__ = ["DEVICE", "Participant", "felt", "specs"]

NAME = "simulated_spinal_participant"

DEVICE = Device(
    "A simulated participant of the spinal systems: EMG of eight leg muscles, ECAP, joints and shanks of both "
    "legs, and blood pressure, as five streams.",
    options={
        "source_id": "source_id of the EMG stream; required. The others add -ecap, -joints, -imu and -bp",
        "signal": "emg, ecap or imu: the stream whose source_id that is; the EMG beside another adds -emg (emg)",
        "ecap_source_id": "source_id of the ECAP stream, where it is another",
        "joints_source_id": "the same of the joints",
        "imu_source_id": "the same of the shanks",
        "pressure_source_id": "the same of the blood pressure",
        "person": "fields of workbench.physiology.Person, or the path of a TOML file with them (all usual); "
        "without a seed of its own it has that of the option",
        "speed": "stream seconds per second (1)",
        "t0": "LSL time of the first sample, s, where another player began then (now)",
        "cue_source_id": "source_id of the cue stream to follow; none = rest throughout",
        "conditions": "condition → muscle, or walk, where a condition is not named like one",
        "efforts": "condition → effort 0–1, where it is not the whole one",
        "support": "share of the body weight that is held while walking, 0–1 (0)",
        "posture": "sitting, standing or lying (sitting)",
        "postures": "condition → list of [s after the cue, posture], where a cue changes it",
        "dorsal_ma": "current of the pulses on the dorsal columns, mA (0)",
        "loop": "closed and open, channels of the stimulator that give these pulses, and the fields of "
        "workbench.control.EcapLaw; none = no channel does",
        "stimulator": "path of the pairing key of a stimulator whose delivered current is felt; none = nothing is",
        "effector": "name of the effector profile of that pairing: epidural, fes, or transcutaneous, of which "
        "these legs feel nothing (epidural)",
        "programme": "list of channels that the stimulator holds, where it is not its usual one",
        "state_path": "file with the state that goes on over visits; none = not kept",
        "days": "days since the visit whose state is kept: a new visit begins; 0 goes on with the last one (0)",
        "truth_path": "file for the ground truth (JSON lines, mode 0600); none = not kept",
        "seed": "of the faults, and of a person who states none (0)",
        "faults": "role → list of faults, see workbench.devices.FaultPlan; eeg is the EMG",
        "stalls": "list of {stream, at_s, for_s, every_s}: a stream delivers nothing for a while, then all of it",
        "block_s": "length of a block by the clock, s (0.02)",
    },
    player=True,
    simulated=True,
)

STREAMS = ("emg", "ecap", "kinematics", "shanks", "pressure")
JOINTS = tuple(f"{side} {joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle"))
PROGRAMMES: Mapping[str, Programme] = {"epidural": EPIDURAL, "fes": FES, "transcutaneous": TRANSCUTANEOUS}
LONGEST_S = 0.1
"""The body lives at most so long before it looks again at what acts on it, s."""
SAVE_S = 60.0
"""Time between two savings of the state, s of the visit."""


def specs(options: Mapping[str, Any]) -> tuple[StreamSpec, ...]:
    """The lines of the stream contract that a player with these options fulfils, in the order of :data:`STREAMS`.

    Raises
    ------
    BadValue
        Without a source_id.
    """
    if not options.get("source_id"):
        raise BadValue(Message("device.needs_source_id", device=NAME))
    source = str(options["source_id"])
    sweep, pulse = tuple(f"t{n}" for n in range(SWEEP)), ("pulse_ma",)
    pressures = ("systolic", "diastolic", "heart_rate")
    aside = ("heart_rate",)
    suffixes = {"emg": "emg", "ecap": "ecap", "joints": "joints", "imu": "imu", "pressure": "bp"}
    ids = {role: str(options.get(f"{role}_source_id") or f"{source}-{end}") for role, end in suffixes.items()}
    roles = {"emg": "emg", "ecap": "ecap", "imu": "imu"}
    first = str(options.get("signal", "emg"))
    if first not in roles:
        raise BadValue(Message("simulated.first_stream", device=NAME, got=repr(first), allowed=list(roles)))
    ids[first], roles[first] = source, "signal"
    return (
        StreamSpec(
            *("wb-sim-emg", "EMG", EMG_FS, (*MUSCLES, "pulses")),
            source_id=ids["emg"],
            role=roles["emg"],
            unmeasured=("pulses",),
        ),
        StreamSpec(
            *("wb-sim-ecap", "ECAP", ECAP_FS, (*sweep, *pulse)),
            source_id=ids["ecap"],
            role=roles["ecap"],
            unmeasured=pulse,
        ),
        StreamSpec("wb-sim-joints", "MoCap", 100.0, JOINTS, "deg", source_id=ids["joints"], role="joints"),
        StreamSpec("wb-sim-shanks", "IMU", 100.0, ("left", "right"), "deg/s", ids["imu"], role=roles["imu"]),
        StreamSpec("wb-sim-bp", "BP", 2.0, pressures, "mmHg", ids["pressure"], role="pressure", unmeasured=aside),
    )


def felt(
    effector: str,
    programme: Programme,
    delivered_ma: Sequence[float],
    *,
    pulses: int = 0,
    polarity: int = 1,
    apart: Sequence[str] = (),
) -> dict[str, Any]:
    """What a body feels of a stimulator: fields of :class:`~workbench.physiology.Input`.

    Parameters
    ----------
    effector : ``"epidural"`` for contacts of the lumbar lead, ``"fes"`` for muscles through the skin,
        ``"transcutaneous"`` for the cord through the skin, which the model of these legs does not have.
    programme : the channels, in order. delivered_ma : current of each that really flows, mA.
    pulses, polarity : of test pulses of a lead (:class:`~workbench.physiology.Train`); 0 is a train that lasts.
    apart : names of channels of another lead, which no root of the legs feels.
    """
    flows = zip(programme.channels, delivered_ma, strict=True)
    flowing = [(channel, ma) for channel, ma in flows if ma > 0.0 and channel.name not in apart]
    if effector == "fes":
        # A channel of a muscle that the body does not have moves nothing.
        return {"muscles": {c.name: min(1.0, ma / c.approved_ma) for c, ma in flowing if c.name in MUSCLES}}
    if effector == "transcutaneous":
        return {}
    trains = [
        Train(n, ma / len(c.cathodes), c.rate_hz, c.width_us, pulses, polarity)
        for c, ma in flowing
        for n in c.cathodes
    ]
    return {"trains": tuple(trains)}


class Felt(Protocol):
    """What is felt of a stimulator.

    Attributes
    ----------
    flowing_ma : current of each channel by its name, mA; empty while nobody knows.
    """

    flowing_ma: dict[str, float]

    def fields(self) -> dict[str, Any]:
        """What is felt of it now: fields of :class:`~workbench.physiology.Input`."""

    def close(self) -> None:
        """Listen no longer."""


class Stimulator:
    """What a paired stimulator says it delivers, by its signed statuses.

    Parameters
    ----------
    options : of the player.
    apart : names of channels that no root of the legs feels.

    Attributes
    ----------
    flowing_ma : current of each channel by its name, mA; empty while nobody knows.
    """

    def __init__(self, options: Mapping[str, Any], *, apart: Sequence[str] = ()) -> None:
        from workbench.devices._listening import Inbox, Listener

        self._effector = str(options.get("effector", "epidural"))
        if self._effector not in PROGRAMMES:
            raise BadValue(
                Message("simulated.felt_effector", got=repr(self._effector), allowed=sorted(PROGRAMMES))
            )
        self._programme = programme_of(options, PROGRAMMES[self._effector])
        paired = Pairing(Path(str(options["stimulator"])), self._effector)
        self._end, self._inbox = EngineEnd(paired.key(), self._effector), Inbox()
        self._listener = Listener([paired.source_id("status")], self._inbox.put)
        self._fields: dict[str, Any] = {}
        self._apart, self._told = apart, False
        self.flowing_ma: dict[str, float] = {}

    def fields(self) -> dict[str, Any]:
        """What is felt of it now."""
        for uid, text in self._inbox.take(0.0):
            answer = self._end.receive(text)
            said = answer.content.get("stimulator") if answer is not None else None
            if not isinstance(said, dict):
                continue
            self._listener.trust(uid)
            if said.get("programme") == self._programme.sha256:
                delivered = said["delivered_ma"]
                self._fields = felt(self._effector, self._programme, delivered, apart=self._apart)
                names = (channel.name for channel in self._programme.channels)
                self.flowing_ma = dict(zip(names, delivered, strict=True))
            elif self._fields or not self._told:
                # Whose contacts these currents are nobody knows: nothing is felt, and the log says why.
                self._told, self._fields, self.flowing_ma = True, {}, {}
                sys.stderr.write("the stimulator holds another programme; give it as the option programme\n")
        return self._fields

    def close(self) -> None:
        """Listen no longer."""
        self._listener.close()


class Participant:
    """The person behind the streams: each is asked for its samples, and the body lives as far as it must.

    Parameters
    ----------
    options : of the player.
    stimulator : whose current is felt; by default the one that is paired as the options say.

    Attributes
    ----------
    person, body : who, and the body of this visit.
    """

    def __init__(self, options: Mapping[str, Any], *, stimulator: Felt | None = None) -> None:
        self.person = _stated_person(options.get("person", {}), seed=options.get("seed", 0))
        self._state_path = Path(str(options["state_path"])) if options.get("state_path") else None
        self.body = Body(self.person, state=_begun(self.person, self._state_path, _number(options, "days")))
        self._conditions = _table(options, "conditions")
        self._usual: dict[str, Any] = {
            "support": _number(options, "support"),
            "posture": str(options.get("posture", "sitting")),
            "dorsal_ma": _number(options, "dorsal_ma"),
        }
        Input(**self._usual)
        for condition, intent in self._conditions.items():
            if intent not in ("walk", *MUSCLES, *REST):
                allowed = " or ".join(("walk", *MUSCLES))
                raise BadValue(
                    Message("simulated.pattern", condition=repr(condition), allowed=allowed, got=repr(intent))
                )
        self._efforts, self._postures = _efforts(options), _postures(options)
        self._loop = loop_of(options["loop"]) if options.get("loop") else None
        apart = self._loop.channels if self._loop is not None else ()
        self._truth = Truth(Path(str(options["truth_path"])), self) if options.get("truth_path") else None
        paired = Stimulator(options, apart=apart) if options.get("stimulator") and stimulator is None else None
        self._stimulator = stimulator or paired
        self._began_s = self.body.state.lived_s
        self._cues: list[tuple[float, dict[str, Any]]] = []
        self._turns: list[tuple[float, str]] = []
        self._intent: dict[str, Any] = {}
        self._posture: dict[str, Any] = {}
        self._felt: dict[str, Any] | None = None
        self._saved_s = self._began_s
        self._ready = {name: (0, rows) for name, rows in _by_stream(self.body.step(0.0), 0.0).items()}

    @property
    def about(self) -> dict[str, object]:
        """What a stream says of the model and the person: hashes, and nothing that is true of its signals."""
        return {"model_sha256": model_sha256(), "person_sha256": self.person.sha256}

    def cue(self, at_s: float, label: str, duration_s: float) -> None:
        """A cue: a muscle or walking is meant from then on, for a time or until the next.

        Parameters
        ----------
        at_s : stream time, s. label : condition. duration_s : how long it lasts, s; 0 is until the next.
        """
        # Whatever was to come later belonged to the cue before, its end among it.
        self._cues = [cue for cue in self._cues if cue[0] < at_s]
        meant = self._meant(self._conditions.get(label, label), effort=self._efforts.get(label, 1.0))
        self._cues.append((at_s, meant))
        if duration_s > 0.0:
            self._cues.append((at_s + duration_s, {}))
        self._turns = [turn for turn in self._turns if turn[0] < at_s]
        self._turns += [(at_s + after_s, posture) for after_s, posture in self._postures.get(label, ())]

    def samples(self, stream: str, first: int, n: int) -> FloatArray:
        """Samples of a stream, in its unit; the body lives as far as they need.

        Parameters
        ----------
        stream : of :data:`STREAMS`. first : number of the first, which follows those that were asked for before.
        n : how many.

        Returns
        -------
        FloatArray
            ``(n, n_channels)`` float64.
        """
        begin, kept = self._ready[stream]
        while begin + len(kept) < first + n:
            self._live()
            begin, kept = self._ready[stream]
        self._ready[stream] = (first + n, kept[first + n - begin :])
        return kept[first - begin : first + n - begin]

    def close(self) -> None:
        """Save the state, and close what is open."""
        self._save()
        if self._stimulator is not None:
            self._stimulator.close()
        if self._truth is not None:
            self._truth.close()

    def _meant(self, intent: str, *, effort: float) -> dict[str, Any]:
        if intent == "walk":
            return {"walk": effort}
        # A cue for something else, such as a hand, asks nothing of the legs.
        return {"effort": {intent: effort}} if intent in MUSCLES else {}

    def _live(self) -> None:
        """A tenth of a second, or up to the next cue."""
        now = self.body.state.lived_s - self._began_s
        while self._cues and self._cues[0][0] <= now + 1e-9:
            self._intent = self._cues.pop(0)[1]
        while self._turns and self._turns[0][0] <= now + 1e-9:
            self._posture = {"posture": self._turns.pop(0)[1]}
        fields = {**self._usual, **self._posture, **self._intent}
        if self._stimulator is not None:
            fields |= self._stimulator.fields()
        if self._loop is not None:
            fields["dorsal_ma"] = self._loop.pulse_ma(self._stimulator.flowing_ma if self._stimulator else {})
        if fields != self._felt:
            self._felt = fields
            self.body.feel(Input(**fields))
        # While a loop is closed nobody lives past the next pulse: its current is not known before.
        longest = LONGEST_S if self._loop is None or not self._loop.on else 1.0 / ECAP_FS
        until = min([longest, *(due[0] - now for due in (*self._cues[:1], *self._turns[:1]))])
        got = self.body.step(max(0.01, np.ceil(until * 100.0 - 1e-6) / 100.0))
        if self._loop is not None:
            for sweep in got.ecap:
                self._loop.take(sweep)
        for name, rows in _by_stream(got, fields["dorsal_ma"]).items():
            begin, kept = self._ready[name]
            self._ready[name] = (begin, np.concatenate([kept, rows]))
        if self._truth is not None:
            self._truth.note(fields)
        if self.body.state.lived_s - self._saved_s >= SAVE_S:
            self._save()

    def _save(self) -> None:
        self._saved_s = self.body.state.lived_s
        if self._state_path is not None:
            try:
                world.disk.save(self._state_path, saved(self.person, self.body.state).encode())
            except OSError as error:
                raise _not_written("state_path", self._state_path, error) from error


def _not_written(option: str, path: Path, error: OSError) -> BadValue:
    where = reading.shown(path)
    return BadValue(
        Message("simulated.not_written", name=option, path=where, why=str(error.strerror), device=NAME)
    )


class Truth:
    """Ground truth as JSON lines in a file of this user alone: who it is, what is meant, spasms and steps.

    Parameters
    ----------
    path : of the file. participant : whose.

    Raises
    ------
    BadValue
        For a file that cannot be written.
    """

    def __init__(self, path: Path, participant: Participant) -> None:
        self._body = participant.body
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            self._file = world.disk.file(world.disk.descriptor(path, flags), "w", encoding="utf-8")
        except OSError as error:
            raise _not_written("truth_path", path, error) from error
        self._n_steps = 0
        self._noted: dict[str, Any] = {}
        self._write({**participant.about, "seed": participant.person.seed, "state": self._body.state.lived_s})

    def note(self, fields: Mapping[str, Any]) -> None:
        """Write what is new since the last call."""
        meant = {key: fields[key] for key in ("walk", "effort") if key in fields}
        spasms = [[s.begins_s, s.ends_s, s.sides, s.level, s.clonus_hz] for s in self._body.muscles.spasms]
        now = {"meant": meant, "spasms": spasms}
        if now != self._noted:
            self._noted = now
            self._write({"at_s": self._body.state.lived_s, **now})
        for step in self._body.steps[self._n_steps :]:
            self._write({"step": [step.side, step.leaves_s, step.touches_s, step.length_m, step.failed]})
        self._n_steps = len(self._body.steps)

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _by_stream(got: Signals, pulse_ma: float) -> dict[str, FloatArray]:
    return {
        "emg": np.column_stack([got.emg, got.pulses]),
        "ecap": np.column_stack([got.ecap, np.full(len(got.ecap), pulse_ma)]),
        "kinematics": got.kinematics,
        "shanks": got.shanks,
        "pressure": got.pressure,
    }


def _number(options: Mapping[str, Any], name: str) -> float:
    """An option that is a number, 0 by default."""
    value = options.get(name, 0.0)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadValue(Message("simulated.option_number", name=name, device=NAME, got=repr(value)[:80]))
    return float(value)


def _table(options: Mapping[str, Any], name: str) -> dict[str, str]:
    """An option that is a table of texts, empty by default."""
    value = options.get(name) or {}
    if not isinstance(value, dict):
        raise BadValue(Message("simulated.option_table", name=name, device=NAME, got=repr(value)[:80]))
    return {str(key): str(one) for key, one in value.items()}


def _efforts(options: Mapping[str, Any]) -> dict[str, float]:
    """Effort of each condition that has one of its own."""
    efforts = options.get("efforts") or {}
    shares = efforts.values() if isinstance(efforts, dict) else [None]
    # Negated, so that nan is none.
    if not all(isinstance(x, int | float) and not isinstance(x, bool) and 0.0 <= x <= 1.0 for x in shares):
        raise BadValue(Message("simulated.spinal_efforts", device=NAME, got=repr(efforts)[:80]))
    return {str(condition): float(effort) for condition, effort in efforts.items()}


def _postures(options: Mapping[str, Any]) -> dict[str, list[tuple[float, str]]]:
    """When which posture is taken after the cue of a condition, s."""
    given = options.get("postures") or {}
    found: dict[str, list[tuple[float, str]]] = {}
    try:
        for condition, turns in given.items():
            found[str(condition)] = sorted((float(after_s), str(posture)) for after_s, posture in turns)
    except (AttributeError, TypeError, ValueError):
        raise BadValue(Message("simulated.postures", device=NAME, got=repr(given)[:80])) from None
    for after_s, posture in (turn for turns in found.values() for turn in turns):
        if not 0.0 <= after_s < math.inf:
            raise BadValue(Message("simulated.postures", device=NAME, got=repr(given)[:80]))
        Input(posture=posture)
    return found


def _stated_person(stated: object, *, seed: object) -> Person:
    if isinstance(stated, str):
        return read_person(Path(stated))
    if not isinstance(stated, dict):
        raise BadValue(Message("simulated.stated_person", got=repr(stated)[:80]))
    return person_of({"seed": seed, **stated})


def _begun(person: Person, path: Path | None, days: float) -> State:
    """The state with which the visit begins: that of the file if there is one."""
    if path is None or not reading.is_there(path, "state of a simulated person"):
        return State()
    state = restored(person, reading.read_text(path, "state of a simulated person"))
    return next_visit(person, state, days=days) if days else state


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    lines = specs(options)
    participant = Participant(options)
    streams = [(line, partial(participant.samples, name)) for line, name in zip(lines, STREAMS, strict=True)]
    try:
        StreamPlayer(NAME, options, stop, streams=streams, cue=participant.cue, about=participant.about).run()
    finally:
        participant.close()


if __name__ == "__main__":
    sys.exit(play(NAME, DEVICE, _body))
