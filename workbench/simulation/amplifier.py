"""An amplifier that makes few samples, in which the evidence stands as it was drawn: for lives of many hours.

One channel at :data:`FS`: a rhythm of 10 Hz whose amplitude is the evidence, drawn from the seed as somebody
attempts, rests, or is mistaken. A decoder of that one band reads it back, so that engine, controller, journal,
record and replay run as they are. No brain looks like that: the decoder is fitted to this channel's name and rate,
approved by a script for a simulated participant, and serves nowhere else.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from workbench import world
from workbench.devices import lsl
from workbench.devices.simulated_participant import CueReader
from workbench.vocabulary import StreamSpec

NAME = "wb-drawn-evidence"
FS = 64.0
"""Rate, Hz."""
RHYTHM_HZ = 10.0
BLOCK_S = 0.25
"""Time between two blocks, s."""
REACTION_S = 0.4
"""From a cue to the evidence of an attempt, s."""
REST_UV, ATTEMPT_UV, NOISE_UV = 1.0, 8.0, 0.5
"""Amplitude of the rhythm at rest and in an attempt, and of the noise, µV."""
MISSED, MISTAKEN = 0.1, 0.002
"""Probability that an attempt is not made, and that a block of rest looks like one."""
DECODER = "bandpower_lda"
PARAMS = {"bands": ((8.0, 12.0),), "window_s": 0.5, "hop_s": 0.25, "mains_hz": 0.0, "reference": "none"}
"""The decoder that reads the evidence back."""


def spec(source_id: str) -> StreamSpec:
    """The line of the stream contract."""
    return StreamSpec(NAME, "EEG", FS, ("drawn",), unit="uV", source_id=source_id)


def play(source_id: str, cue_source_id: str, *, seed: int) -> int:
    """Be the amplifier until the process is told to end.

    Parameters
    ----------
    source_id : of the stream.
    cue_source_id : of the cues that are followed.
    seed : of what is drawn.
    """
    stop = world.clock.event()
    world.computer.on_signal("SIGTERM", lambda *_: stop.set())
    cues = CueReader(cue_source_id, stop)
    outlet = lsl.Outlet(spec(source_id), desc={"simulated": True, "device": "drawn evidence"})
    _run(outlet, cues, stop, world.chance.generator([seed, 1]))
    cues.join()
    outlet.close()
    return 0


def _run(outlet: lsl.Outlet, cues: CueReader, stop: threading.Event, draw: np.random.Generator) -> None:
    t0, n_seen, until = lsl.local_clock(), 0, -np.inf
    begins = np.inf
    while not stop.wait(BLOCK_S):
        for cue in cues.take():
            begins, until = _attempt(cue, draw)
        # After a stall in bounded blocks: the stream catches up and loses no sample.
        while (n := min(int((lsl.local_clock() - t0) * FS) - n_seen, round(FS))) > 0:
            stamps = t0 + np.arange(n_seen, n_seen + n) / FS
            mistaken = draw.random() < MISTAKEN
            meant = ((stamps >= begins) & (stamps < until)) | mistaken
            values = np.where(meant, ATTEMPT_UV, REST_UV) * np.sin(2.0 * np.pi * RHYTHM_HZ * (stamps - t0))
            values += draw.standard_normal(n) * NOISE_UV
            outlet.push(values[:, None], stamps)
            n_seen += n


def _attempt(cue: dict[str, Any], draw: np.random.Generator) -> tuple[float, float]:
    """From when until when a cue makes somebody attempt, stream time in s."""
    made = cue.get("label") not in ("rest", "", None) and cue.get("kind", "cue") == "cue"
    if not made or draw.random() < MISSED:
        return np.inf, -np.inf
    begins = cue["stamp"] + REACTION_S
    return begins, begins + cue["duration_s"]
