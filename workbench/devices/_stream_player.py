"""A player of one simulated person: one or several streams, the cues that they follow, the pace, and the noise.

Each stream has its own rate, delay, stalls and faults. What its samples are, the person says, by their index.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from workbench import world
from workbench.devices._playing import began, pace, ready
from workbench.devices.simulated_participant import ENDS, CueReader
from workbench.vocabulary import FloatArray, StreamSpec

Samples = Callable[[int, int], FloatArray]
"""Number of the first sample, and how many → ``(n, n_channels)`` float64 in the unit of the stream."""


def white_noise(seed: Sequence[int], first: int, n: int, *, fs: float, n_channels: int) -> FloatArray:
    """White noise that depends on the sample's number and the seed only, whatever the blocks.

    Parameters
    ----------
    seed : of the draws.
    first, n : number of the first sample, and how many.
    fs : rate in Hz.
    n_channels : drawn independently of one another.

    Returns
    -------
    FloatArray
        ``(n, n_channels)`` float64 of unit variance.
    """
    size = round(fs)
    seconds = range(first // size, (first + n - 1) // size + 1) if n else range(0)
    frames = [world.chance.generator([*seed, second]).standard_normal((size, n_channels)) for second in seconds]
    return np.concatenate(frames)[first % size : first % size + n] if frames else np.zeros((0, n_channels))


@dataclass
class PacedOutlet:
    """One of the streams: where it is pushed, and how far.

    Attributes
    ----------
    spec : line of the contract.
    samples : what it carries.
    outlet : where it is pushed.
    stalls : mappings with ``at_s``, ``for_s`` and ``every_s``: times in which nothing is delivered.
    sent : samples so far.
    """

    spec: StreamSpec
    samples: Samples
    outlet: Any
    stalls: Sequence[Mapping[str, float]] = ()
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

    def publish(self, n: int, *, t0: float) -> None:
        """The next ``n`` samples; ``t0`` is the LSL time of the first of all, s."""
        if n > 0:
            stamps = t0 + np.arange(self.sent, self.sent + n) / self.spec.fs + self.spec.delay_s
            self.outlet.push(self.samples(self.sent, n), stamps)
            self.sent += n


class StreamPlayer:
    """One run of the streams of a person in this process.

    Parameters
    ----------
    device : name of the player.
    options : of the player; ``speed``, ``t0``, ``block_s``, ``seed``, ``cue_source_id``, ``faults`` and ``stalls``
        are read here. Faults and stalls go by the role of a stream, ``"eeg"`` for the signal.
    stop : ends it.
    streams : lines of the contract, each with its samples.
    cue : told each cue: stream time in s, label and duration in s; the end of an attempt is a cue of ``"rest"``.
    about : what the description of each stream and the handshake say beyond that of every player.

    Raises
    ------
    BadValue
        For a speed or a block that is not above 0, or an unknown fault.
    """

    def __init__(
        self,
        device: str,
        options: Mapping[str, Any],
        stop: threading.Event,
        *,
        streams: Sequence[tuple[StreamSpec, Samples]],
        cue: Callable[[float, str, float], object],
        about: Mapping[str, object] | None = None,
    ) -> None:
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet

        self._stop, self._cue, self._clock = stop, cue, lsl.local_clock
        self._cues_from = str(options.get("cue_source_id", ""))
        self._speed, self._block_s = pace(options, device=device)
        self._t0 = began(options, self._clock)
        self._about = dict(about or {})
        described = {"simulated": True, "speed": self._speed, "t0": self._t0, "device": device, **self._about}
        faults = dict(options.get("faults") or {})
        self._outlets = []
        for spec, samples in streams:
            key = "eeg" if spec.role == "signal" else spec.role
            plan = FaultPlan(faults.get(key, ()), fs=spec.fs, seed=int(options.get("seed", 0)))
            outlet = FaultyOutlet(partial(lsl.Outlet, spec, desc=described), plan, t0=self._t0)
            stalls = [stall for stall in options.get("stalls") or () if stall["stream"] == key]
            self._outlets.append(PacedOutlet(spec, samples, outlet, stalls))

    def run(self) -> None:
        """Say that the streams are there, and publish until stopped."""
        ready([outlet.spec for outlet in self._outlets], t0=self._t0, speed=self._speed, **self._about)
        cues = CueReader(self._cues_from, self._stop) if self._cues_from else None
        while not self._stop.is_set():
            for cue in cues.take() if cues is not None else ():
                kind = str(cue.get("kind", "cue"))
                if kind in ("cue", *ENDS):
                    label = "rest" if kind in ENDS else str(cue.get("label", ""))
                    self._cue(cue["stamp"] - self._t0, label, cue["duration_s"])
            now_s = (self._clock() - self._t0) * self._speed
            for outlet in self._outlets:
                # After a stall of this process in bounded blocks: the stream catches up and loses no sample.
                outlet.publish(min(outlet.due(now_s) - outlet.sent, round(outlet.spec.fs)), t0=self._t0)
            self._stop.wait(self._block_s)
        if cues is not None:
            cues.join()
        for outlet in self._outlets:
            outlet.outlet.close()
