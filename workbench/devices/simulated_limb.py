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
from typing import Any

import numpy as np

from workbench.devices._base import Device
from workbench.devices._participant import SimParticipant
from workbench.devices._playing import play
from workbench.devices._stream_player import Samples, StreamPlayer, white_noise
from workbench.errors import BadValue
from workbench.messages import Message
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
        "t0": "LSL time of the first sample, s, where another player began then (now)",
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
        raise BadValue(Message("device.needs_source_id", device="simulated_limb"))
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
        noise = white_noise([self._seed, _EMG], first, n, fs=EMG_FS, n_channels=4)
        return noise * (EMG_REST_UV + (EMG_ACTIVE_UV - EMG_REST_UV) * level)[:, None]

    def imu(self, first: int, n: int) -> FloatArray:
        """Samples of acceleration from ``first`` on, ``(n, 3)`` float64, m/s²; gravity along z."""
        level = self._activity(first, n, IMU_FS)
        noise = white_noise([self._seed, _IMU], first, n, fs=IMU_FS, n_channels=3)
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


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    limb = Limb(int(options.get("seed", 0)), conditions=options.get("conditions"))
    # The first frame of noise takes longer to compute than a block lasts.
    limb.person.prepare()
    # The person counts the samples of the EEG itself.
    signals: tuple[Samples, ...] = (lambda first, n: limb.eeg(n), limb.emg, limb.imu)
    streams = list(zip(specs(options), signals, strict=True))
    StreamPlayer("simulated_limb", options, stop, streams=streams, cue=limb.person.cue).run()


if __name__ == "__main__":
    sys.exit(play("simulated_limb", DEVICE, _body))
