"""An accelerometer on the forearm of somebody who pulls and lets go, again and again, while a cue asks for it.

A swing of one rate with its second harmonic, and noise: simple on purpose. It shows whether the phase of a cycle
is decided and acted on at the right time, and nothing about how people move.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench import world
from workbench.devices._base import Device
from workbench.devices._playing import play
from workbench.devices._stream_player import StreamPlayer, white_noise
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray, StreamSpec

__all__ = ["DEVICE", "Rower", "spec"]

DEVICE = Device(
    "A simulated participant whose forearm swings at its own rate while a cue asks for it, as one IMU stream.",
    options={
        "source_id": "source_id of the stream; required",
        "seed": "of the person and the noise (0)",
        "speed": "stream seconds per second (1)",
        "t0": "LSL time of the first sample, s, where another player began then (now)",
        "condition": "label of the cue that asks for the movement (pull)",
        "cue_source_id": "source_id of the cue stream to follow; none = rest throughout",
        "block_s": "length of a block by the clock, s (0.02)",
    },
    player=True,
    simulated=True,
)

FS = 100.0
SWING, NOISE = 2.0, 0.15
"""Amplitude of the swing and standard deviation of the noise, m/s²."""
RATE_HZ = (0.36, 0.44)
"""Between these lies the rate of a person, Hz."""
REACTION_S, RAMP_S = 0.4, 0.5
"""How long after a cue the movement begins or ends, and how long it takes to reach its full swing, s."""


def spec(options: Mapping[str, Any]) -> StreamSpec:
    """The line of the stream contract that a player with these options fulfils.

    Raises
    ------
    BadValue
        Without a source_id.
    """
    if not options.get("source_id"):
        raise BadValue(Message("device.needs_source_id", device="simulated_rower"))
    source = str(options["source_id"])
    return StreamSpec("wb-sim-forearm", "IMU", FS, ("along", "across"), unit="m/s^2", source_id=source)


class Rower:
    """The signal of one person, in any blocks.

    Parameters
    ----------
    seed : of the person and the noise.
    condition : label of the cue that asks for the movement.
    """

    def __init__(self, seed: int, *, condition: str = "pull") -> None:
        self.rate_hz = float(world.chance.generator([seed, 21]).uniform(*RATE_HZ))
        self._seed, self._condition = seed, condition
        self._bouts: list[list[float]] = []

    def cue(self, at_s: float, label: str) -> None:
        """A cue at stream time ``at_s``, s: that of the movement begins a bout, every other one ends it."""
        moving = bool(self._bouts) and self._bouts[-1][1] == math.inf
        if label == self._condition and not moving:
            self._bouts.append([at_s + REACTION_S, math.inf])
        elif label != self._condition and moving:
            self._bouts[-1][1] = at_s + REACTION_S

    def samples(self, first: int, n: int) -> FloatArray:
        """Samples from ``first`` on, ``(n, 2)`` float64, m/s²."""
        at = (first + np.arange(n)) / FS
        wave = np.zeros(n)
        for begin, end in self._bouts:
            size = np.clip((at - begin) / RAMP_S, 0.0, 1.0) * (at < end)
            turns = self.rate_hz * (at - begin)
            wave += size * (np.sin(2 * np.pi * turns) + 0.2 * np.sin(4 * np.pi * turns))
        noise = white_noise([self._seed, 22], first, n, fs=FS, n_channels=2)
        return SWING * np.stack([wave, 0.3 * wave], axis=1) + NOISE * noise


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    rower = Rower(int(options.get("seed", 0)), condition=str(options.get("condition", "pull")))

    def cue(at_s: float, label: str, duration_s: float) -> None:
        rower.cue(at_s, label)

    StreamPlayer("simulated_rower", options, stop, streams=[(spec(options), rower.samples)], cue=cue).run()


if __name__ == "__main__":
    sys.exit(play("simulated_rower", DEVICE, _body))
