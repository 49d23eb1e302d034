"""Calibrations of several streams on disk: EEG, EMG and an accelerometer of one simulated participant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench import paradigms
from workbench.devices import simulated_limb
from workbench.paradigms import Paradigm, PlannedCue
from workbench.recording import RunWriter
from workbench.vocabulary import FloatArray, Marker

PARAMS = {"condition": "hands", "attempt_s": 3.0, "rest_s": 3.0, "lead_in_s": 3.0}
START = 50.0
EEG = {"decoder": "tangent_space_lda", "params": {"bands": [[8, 30]], "window_s": 1.0, "hop_s": 0.25}}
MUSCLE = {"decoder": "activity_level", "params": {"measure": "muscle", "baseline": "rest", "hop_s": 0.25}}
AT_ONSET = {"members": {"signal": EEG, "emg": MUSCLE}, "gates": {"emg": ["above", 1.0]}}


class Person:
    """A simulated person whose runs follow one another: no noise comes twice.

    Parameters
    ----------
    seed : of the person.
    streams : how many of EEG, EMG and accelerometer are there.
    """

    def __init__(self, seed: int, *, streams: int = 3) -> None:
        self.specs = simulated_limb.specs({"source_id": "limb"})[:streams]
        self.limb = simulated_limb.Limb(seed)
        self.limb.person.prepare()
        self._at_s = 0

    def record(self, path: Path, paradigm: Paradigm, n_trials: int, *, schedule: int, **changes: Any) -> Path:
        """The next run, see :func:`record`.

        Parameters
        ----------
        path, paradigm, n_trials : of the run.
        schedule : seed.
        changes : as keywords of :func:`record`: still, sent, breath.
        """
        cues = paradigm.schedule(n_trials, seed=schedule)
        values = self._values(cues, **{name: changes.get(name, False) for name in ("still", "breath")})
        sent = changes.get("sent", tuple(spec.role for spec in self.specs))
        plan = {
            "run": path.stem, "kind": "calibration", "paradigm": paradigm.name, "params": paradigm.params(),
            "classes": [], "contract": [asdict(spec) for spec in self.specs],
            "inputs": [spec.role for spec in self.specs], "participant": "SIM-LIMB",
        }  # fmt: skip
        others = [(spec, "float32") for spec in self.specs[1:]]
        with RunWriter(path, plan=plan, stamp=START, signal=self.specs[0], others=others) as writer:
            for spec, own in zip(self.specs, values, strict=True):
                stamps = START + spec.delay_s + np.arange(len(own)) / spec.fs
                if spec.role in sent:
                    writer.samples(spec.name, own.astype(np.float32), stamps)
            for cue in cues:
                at = round(cue.at_s * self.specs[0].fs)
                detail = {"duration_s": cue.duration_s, "trial": cue.trial}
                writer.marker(Marker("cue", at, START + cue.at_s, cue.label, detail))
        return path

    def _values(self, cues: Sequence[PlannedCue], *, still: bool, breath: bool) -> list[FloatArray]:
        """Samples of each stream of a run of whole seconds."""
        limb, at_s = self.limb, self._at_s
        for cue in cues:
            limb.person.cue(at_s + cue.at_s, cue.label, cue.duration_s)
        seconds = round(cues[-1].at_s + cues[-1].duration_s) + 1
        self._at_s += seconds
        values = [limb.eeg(round(seconds * self.specs[0].fs))]
        attempts = list(limb.person.attempts)
        if still:
            limb.person.attempts.clear()
        values += [
            make(round(at_s * spec.fs), round(seconds * spec.fs))
            for make, spec in zip((limb.emg, limb.imu), self.specs[1:], strict=False)
        ]
        limb.person.attempts[:] = attempts
        if breath:
            turns = 0.4 * np.arange(len(values[2])) / self.specs[2].fs
            values[2] = np.sin(2 * np.pi * turns)[:, None] + 0.01 * values[2]
        return values


def record(
    folder: Path,
    name: str,
    *,
    person: int = 3,
    schedule: int = 1,
    n_trials: int = 8,
    streams: int = 3,
    **changes: Any,
) -> Path:
    """A calibration run of somebody new.

    Parameters
    ----------
    folder, name : of the file.
    person, schedule : seeds. n_trials : of the run.
    streams : how many of EEG, EMG and accelerometer are there.
    changes : ``still``, whether the EMG is that of a muscle that never moves; ``sent``, roles of those that send
        anything; ``breath``, whether the accelerometer shows breaths of 2.5 s in the place of the hand.
    """
    paradigm = paradigms.from_params("grasp_rest", PARAMS)
    somebody = Person(person, streams=streams)
    return somebody.record(folder / f"{name}.xdf", paradigm, n_trials, schedule=schedule, **changes)
