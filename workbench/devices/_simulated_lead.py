"""A simulated lead in one process: the model of the epidural stimulator, and the body that feels its test pulses.

Time is given by the caller, in s, and goes as fast as it likes. What is read of the body is its EMG alone; what is
true of it stays here. A pair of pulses is given once the ramp of a current is over: until then none is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.devices._stimulator import StimulatorModel
from workbench.devices.simulated_epidural import SETTINGS
from workbench.devices.simulated_spinal_participant import felt
from workbench.physiology import EMG_FS, MUSCLES, Body, Input, Person, model_sha256, restored, saved
from workbench.stimulation import Programme
from workbench.vocabulary import Acknowledgement, FloatArray

__all__ = ["EMG_FS", "MUSCLES", "SimulatedLead", "about"]

EFFECTOR = "epidural"
GAP_S = 0.05
"""Between the two pulses of a pair, s."""
WINDOW_S = (0.0075, 0.045)
"""After a pulse, in which its response lies, s."""


def _person(code: str) -> Person:
    """The same simulated person for the same code, whatever it is."""
    return Person(seed=int.from_bytes(hashlib.sha256(code.encode()).digest()[:3], "big"))


def about(code: str) -> dict[str, str]:
    """Hashes of the model and of the person of a code, for whoever shows what they gave."""
    return {"model_sha256": model_sha256(), "person_sha256": _person(code).sha256}


class SimulatedLead:
    """One stimulator with its lead in one simulated person.

    Parameters
    ----------
    programme : of the stimulator. code : of the person.
    state : as :attr:`state` gave it, ``""`` for a first visit.
    seed : of the stimulator.
    """

    def __init__(self, programme: Programme, code: str, *, state: str = "", seed: int = 1) -> None:
        self._programme, self._person = programme, _person(code)
        kept = restored(self._person, state) if state else None
        self._body = Body(self._person, state=kept, senses=("emg",))
        channels = len(programme.channels)
        self._device = StimulatorModel(programme, replace(SETTINGS, loss=0.0), channels=channels, seed=seed)
        self._acting: Input | None = None
        self._rested_s = 0.0
        self.begin, self.tick, self.delivered_ma = self._device.begin, self._device.tick, self._device.delivered_ma

    @property
    def state(self) -> str:
        """What goes on in another process, as text."""
        return saved(self._person, self._body.state)

    def receive(self, command: Mapping[str, Any], now: float) -> list[Acknowledgement]:
        """One command. A stop ends the pulses too.

        Parameters
        ----------
        command, now : as of every device.
        """
        if command.get("action") == "stop":
            self._acting = None
            self._body.feel(Input())
        return self._device.receive(command, now)

    def telemetry(self, now: float) -> Any:
        """What the stimulator says of itself at ``now``, s."""
        return self._device.telemetry(now)["stimulator"]

    def begin_pair(self, now: float, *, polarity: int) -> None:
        """Two pulses of what is delivered at ``now``, from the next :meth:`live` on, until :meth:`end_pair`.

        Parameters
        ----------
        now : s. polarity : 1 or -1, of the artefact.
        """
        given = self._device.delivered_ma(now)
        self._acting = Input(**felt(EFFECTOR, self._programme, given, pulses=2, polarity=polarity))

    def end_pair(self) -> None:
        """Nothing acts any more."""
        self._acting = None

    def live(self, seconds: float, *, records: bool) -> FloatArray:
        """The person lives on; EMG, ``(n, 8)`` float64, µV at 2 kHz, while a pair is given or it is asked for.

        Parameters
        ----------
        seconds : s. records : whether EMG is asked for.
        """
        if self._acting is None and not records:
            # Lived when it matters next: to rest is quick, however long, and slow a hundred times a second.
            self._rested_s += seconds
            return np.zeros((0, len(MUSCLES)))
        if self._rested_s:
            self._body.rest(self._rested_s)
            self._rested_s = 0.0
        # Once: a pair that is felt again begins again.
        if self._acting is not None and self._acting.trains:
            self._body.feel(self._acting)
            self._acting = Input()
        return self._body.step(seconds).emg


def responses(emg: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Peak to peak after the first and the second pulse of a pair, ``(8,)`` float64 each, µV.

    Parameters
    ----------
    emg : ``(n, 8)`` float64, µV at 2 kHz, from the first pulse on.
    """
    found = []
    for k in (0, 1):
        begin, end = (round((k * GAP_S + at) * EMG_FS) for at in WINDOW_S)
        found.append(np.ptp(emg[begin:end], axis=0))
    return found[0], found[1]
