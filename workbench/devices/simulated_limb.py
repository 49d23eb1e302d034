"""EEG, forearm EMG and an accelerometer on the hand of one simulated participant, as three LSL streams.

Each has its own rate, delay and blocks, and its own faults. The EEG is that of ``simulated_participant`` (preset
``eeg``); the muscle is noise whose amplitude follows the intent a moment later, and the hand shakes while it
moves. These two are simple on purpose: they show whether several streams are decoded at the right time, and
nothing about muscles.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from workbench import world
from workbench.devices._base import Device
from workbench.devices._participant import SimParticipant
from workbench.devices._playing import play, ready
from workbench.devices.simulated_participant import ENDS, CueReader
from workbench.errors import BadValue
from workbench.vocabulary import FloatArray, StreamSpec

__all__ = ["DEVICE", "Limb", "specs"]

DEVICE = Device(
    "A simulated participant whose EEG, forearm EMG and hand movement are three streams of different rates.",
    options={
        "source_id": "source_id of the EEG stream; required",
        "emg_source_id": "source_id of the EMG stream (that of the EEG with -emg)",
        "imu_source_id": "source_id of the accelerometer (that of the EEG with -imu)",
        "seed": "of the person and the noise (0)",
        "speed": "stream seconds per second (1)",
        "conditions": "condition → pattern of the EEG, where a condition is not named like a pattern",
        "cue_source_id": "source_id of the cue stream to follow; none = rest throughout",
        "emg_delay_s": "how much later the EMG amplifier stamps, s (0.03)",
        "stalls": "list of {stream, at_s, for_s, every_s}: a stream delivers nothing for a while, then all of it",
        "faults": "role → list of faults, see workbench.devices.FaultPlan",
        "block_s": "length of a block by the clock, s (0.02)",
    },
    player=True,
    simulated=True,
)

EMG_FS, IMU_FS = 2000.0, 100.0
EMG_REST_UV, EMG_ACTIVE_UV = 4.0, 40.0
"""Standard deviation of the muscle's noise at rest and active, µV."""
IMU_REST, IMU_ACTIVE = 0.05, 0.8
"""Standard deviation of the acceleration of a hand at rest and moving, m/s²."""
MUSCLE_S, RAMP_S = 0.1, 0.1
"""How long the muscle follows the intent, and rises, s."""
_EMG, _IMU = 11, 12
"""Tags of the draws of noise."""


def specs(options: Mapping[str, Any]) -> tuple[StreamSpec, StreamSpec, StreamSpec]:
    """The lines of the stream contract that a player with these options fulfils: EEG, EMG, accelerometer.

    Raises
    ------
    BadValue
        Without a source_id.
    """
    if not options.get("source_id"):
        raise BadValue("simulated_limb needs the option source_id, got none; give one unique in the session")
    source = str(options["source_id"])
    person = SimParticipant(0, physiology="eeg").physiology
    return (
        StreamSpec("wb-sim-eeg", person.kind, person.fs, person.channels, source_id=source),
        StreamSpec(
            "wb-sim-emg",
            "EMG",
            EMG_FS,
            ("FDS", "FCR", "EDC", "ECR"),
            source_id=str(options.get("emg_source_id") or f"{source}-emg"),
            role="emg",
            delay_s=float(options.get("emg_delay_s", 0.03)),
        ),
        StreamSpec(
            "wb-sim-imu",
            "IMU",
            IMU_FS,
            ("x", "y", "z"),
            unit="m/s^2",
            source_id=str(options.get("imu_source_id") or f"{source}-imu"),
            role="imu",
        ),
    )


class Limb:
    """The three signals of one person, each in any blocks.

    Parameters
    ----------
    seed : of the person and the noise.
    conditions : condition → pattern, as for :class:`SimParticipant`.
    """

    def __init__(self, seed: int, *, conditions: Mapping[str, str] | None = None) -> None:
        self.person = SimParticipant(seed, physiology="eeg", conditions=conditions)
        self._seed = seed

    def eeg(self, n: int) -> FloatArray:
        """The next ``n`` samples of EEG, ``(n, n_channels)`` float64, µV."""
        return self.person.step(n)

    def emg(self, first: int, n: int) -> FloatArray:
        """Samples of EMG from ``first`` on, ``(n, 4)`` float64, µV."""
        level = self._activity(first, n, EMG_FS)
        noise = self._noise(_EMG, first, n, fs=EMG_FS, channels=4)
        return noise * (EMG_REST_UV + (EMG_ACTIVE_UV - EMG_REST_UV) * level)[:, None]

    def imu(self, first: int, n: int) -> FloatArray:
        """Samples of acceleration from ``first`` on, ``(n, 3)`` float64, m/s²; gravity along z."""
        level = self._activity(first, n, IMU_FS)
        noise = self._noise(_IMU, first, n, fs=IMU_FS, channels=3)
        shaken = noise * (IMU_REST + (IMU_ACTIVE - IMU_REST) * level)[:, None]
        shaken[:, 2] += 9.81
        return shaken

    def _activity(self, first: int, n: int, fs: float) -> FloatArray:
        """How active the muscle is, ``(n,)`` float64, 0–1, with ramps at both ends of an attempt."""
        at = (first + np.arange(n)) / fs - MUSCLE_S
        level = np.zeros(n)
        for attempt in self.person.attempts:
            start = attempt.start / self.person.physiology.fs
            stop = attempt.stop / self.person.physiology.fs if attempt.stop >= 0 else math.inf
            level = np.maximum(level, np.clip((at - start) / RAMP_S, 0.0, 1.0) * (at < stop))
        return level

    def _noise(self, tag: int, first: int, n: int, *, fs: float, channels: int) -> FloatArray:
        """White noise ``(n, channels)`` that depends on the sample index and the seed only."""
        size = round(fs)
        seconds = range(first // size, (first + n - 1) // size + 1) if n else range(0)
        frames = [
            world.chance.generator([self._seed, tag, second]).standard_normal((size, channels))
            for second in seconds
        ]
        if not frames:
            return np.zeros((0, channels))
        start = first - (first // size) * size
        return np.concatenate(frames)[start : start + n]


@dataclass
class _Outlet:
    """One of the streams: where it is pushed, and how far."""

    spec: StreamSpec
    outlet: Any
    stalls: tuple[Mapping[str, float], ...]
    sent: int = 0

    def due(self, now_s: float) -> int:
        """Samples that may have been delivered by stream time ``now_s`` since the start."""
        for stall in self.stalls:
            every_s = float(stall.get("every_s", math.inf))
            since = (now_s - float(stall["at_s"])) % every_s if now_s >= float(stall["at_s"]) else math.inf
            if since < float(stall["for_s"]):
                now_s -= since
        # What an amplifier stamps late it also delivers late.
        return max(0, int((now_s - self.spec.delay_s) * self.spec.fs))


class _Player:
    """One run of the three streams in this process."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet

        self.stop, self.clock = stop, lsl.local_clock
        self.options, self.specs = options, specs(options)
        self.speed, self.block_s = float(options.get("speed", 1.0)), float(options.get("block_s", 0.02))
        for name, value in (("speed", self.speed), ("block_s", self.block_s)):
            if not (math.isfinite(value) and value > 0):
                raise BadValue(f"{name} of simulated_limb must be above 0, got {value}; 1 and 0.02 are usual")
        seed = int(options.get("seed", 0))
        self.limb = Limb(seed, conditions=options.get("conditions"))
        self.limb.person.prepare()
        faults = dict(options.get("faults") or {})
        self.t0 = lsl.local_clock()
        self.about = {"simulated": True, "speed": self.speed, "t0": self.t0, "device": "simulated_limb"}
        self.outlets = []
        for spec in self.specs:
            key = "eeg" if spec.role == "signal" else spec.role
            plan = FaultPlan(faults.get(key, ()), fs=spec.fs, seed=seed)
            stalls = [stall for stall in options.get("stalls") or () if stall["stream"] == key]
            self.outlets.append(
                _Outlet(
                    spec,
                    FaultyOutlet(partial(lsl.Outlet, spec, desc=self.about), plan, t0=self.t0),
                    tuple(stalls),
                )
            )

    def run(self) -> None:
        """Publish until stopped."""
        source = str(self.options.get("cue_source_id", ""))
        cues = CueReader(source, self.stop) if source else None
        while not self.stop.is_set():
            for cue in cues.take() if cues is not None else ():
                kind = str(cue.get("kind", "cue"))
                if kind in ("cue", *ENDS):
                    label = "rest" if kind in ENDS else str(cue.get("label", ""))
                    self.limb.person.cue(cue["stamp"] - self.t0, label, cue["duration_s"])
            now_s = (self.clock() - self.t0) * self.speed
            for outlet in self.outlets:
                # After a stall of this process in bounded blocks: the stream catches up and loses no sample.
                self.publish(outlet, min(outlet.due(now_s) - outlet.sent, round(outlet.spec.fs)))
            self.stop.wait(self.block_s)
        if cues is not None:
            cues.join()
        for outlet in self.outlets:
            outlet.outlet.close()

    def publish(self, outlet: _Outlet, n: int) -> None:
        """The next ``n`` samples of one stream."""
        if n <= 0:
            return
        spec, first = outlet.spec, outlet.sent
        if spec.role == "signal":
            samples = self.limb.eeg(n)
        else:
            samples = (self.limb.emg if spec.role == "emg" else self.limb.imu)(first, n)
        outlet.outlet.push(samples, self.t0 + np.arange(first, first + n) / spec.fs + spec.delay_s)
        outlet.sent = first + n


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = _Player(options, stop)
    ready(player.specs, t0=player.t0, speed=player.speed)
    player.run()


if __name__ == "__main__":
    sys.exit(play("simulated_limb", DEVICE, _body))
