"""Somebody whose legs walk and whose cortex means to walk, each when it is told to, and calibrations of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench.devices._participant import SimParticipant
from workbench.paradigms import PlannedCue
from workbench.physiology import Body, Input, person_of
from workbench.recording import RunWriter
from workbench.runs.fitting import fit
from workbench.systems import simulate
from workbench.systems._stride import BOUTS, PRESET, WALK
from workbench.systems.brain_spine_walking import ARRAYS, SYSTEM
from workbench.vocabulary import FloatArray, Marker

Stretches = Sequence[tuple[float, bool]]
"""Length in s, and whether it is spent walking, one after the other."""


class Person:
    """Legs and cortex of one simulated person, in one time; ``seed`` is that of both."""

    def __init__(self, seed: int) -> None:
        self.body = Body(person_of({"seed": seed, **PRESET["person"]}), senses=("gait",))
        self.cortex = SimParticipant(seed, physiology="gait")
        self._at_s = 0.0

    def live(self, *, legs: Stretches, cortex: Stretches) -> tuple[FloatArray, FloatArray]:
        """Shanks ``(n, 2)``, deg/s, and ECoG ``(n, 32)``, µV, float64, of the next stretches, of one length."""
        usual = {"support": PRESET["support"], "posture": PRESET["posture"]}
        shanks = []
        for seconds, walks in legs:
            self.body.feel(Input(walk=float(walks), **usual))
            shanks.append(self.body.step(seconds).shanks)
        for seconds, means in cortex:
            self.cortex.cue(self._at_s, WALK if means else "rest", seconds)
            self._at_s += seconds
        return np.concatenate(shanks), self.cortex.step(round(self._at_s * ARRAYS.fs) - self.cortex.n_seen)

    def obey(self, cues: Sequence[PlannedCue]) -> tuple[FloatArray, FloatArray]:
        """Both streams of a run in which legs and cortex do what is cued."""
        ends = [*(cue.at_s for cue in cues[1:]), cues[-1].at_s + cues[-1].duration_s]
        stretches = [(round(end - cue.at_s, 2), cue.label == WALK) for cue, end in zip(cues, ends, strict=True)]
        return self.live(legs=stretches, cortex=stretches)

    def calibrate(self, folder: Path, n_trials: int) -> dict[str, Any]:
        """What the usual fit of the system makes of a calibration of so many bouts, in a folder."""
        cues, bound = BOUTS.schedule(n_trials, seed=1), simulate(SYSTEM)
        lines = bound.contract
        plan = {
            "run": "r1", "kind": "calibration", "paradigm": BOUTS.name, "params": BOUTS.params(), "classes": [],
            "contract": [asdict(line) for line in lines], "inputs": [line.role for line in lines],
            "participant": "SIM-WALK",
        }  # fmt: skip
        path, others = folder / "r1.xdf", [(lines[1], "float32")]
        with RunWriter(path, plan=plan, stamp=0.0, signal=lines[0], others=others) as writer:
            for line, values in zip(lines, self.obey(cues), strict=True):
                writer.samples(line.name, values.astype(np.float32), np.arange(len(values)) / line.fs)
            for cue in cues:
                detail = {"duration_s": cue.duration_s, "trial": cue.trial}
                writer.marker(Marker("cue", round(cue.at_s * lines[0].fs), cue.at_s, cue.label, detail))
        return fit(folder, [path], bound.decoder, bound.decoder_params)
