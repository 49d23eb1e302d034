"""Evoked compound action potentials of the dorsal columns: growth above a threshold, distance, noise, artefact.

Sources stand in ``_parameters``. The distance between lead and cord is posture, breath and cough; rootlets, late
responses and habituation are not modelled.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.physiology._noise import Noise
from workbench.physiology._parameters import ECAP, ECAP_FS, SWEEP, SWEEP_FS
from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray

POSTURES = dict(ECAP.posture)


def _template() -> FloatArray:
    """Course of a response of 1 from the trough N1 to the peak P2, ``(SWEEP,)`` float64."""
    t = np.arange(SWEEP) / SWEEP_FS
    bell = {name: np.exp(-0.5 * ((t - at) / 0.00016) ** 2) for name, at in (("n1", ECAP.n1_s), ("p2", ECAP.p2_s))}
    course = 0.55 * bell["p2"] - 0.45 * bell["n1"]
    scaled: FloatArray = course / (course.max() - course.min())
    return scaled


TEMPLATE = _template()
DECAY = np.exp(-np.arange(SWEEP) / SWEEP_FS / ECAP.artefact_s)


class DorsalColumns:
    """The dorsal columns of one visit.

    Parameters
    ----------
    person : who. visit : number of the visit. drift : log of the distance over that of the first visit.
    """

    def __init__(self, person: Person, visit: int, *, drift: float) -> None:
        median, spread = ECAP.slope_uv_ma
        self._person, self._visit, self._drift = person, visit, drift
        self.slope = median * math.exp(spread * float(person.chance(5, 1).standard_normal()))
        self.threshold_ma = float(person.chance(5, 2).uniform(*ECAP.threshold_ma))
        self._noise = Noise(person, (5, 3, visit), fs=ECAP_FS, n_channels=SWEEP)
        self._coughs: tuple[int, list[float]] = (-1, [])

    def distance(self, t: float, posture: str) -> float:
        """Of the lead from the cord at ``t`` s, 1 at the first visit, sitting."""
        away = POSTURES[posture] * math.exp(self._drift)
        away *= 1.0 + ECAP.breath_share * math.sin(2.0 * math.pi * ECAP.breath_hz * t)
        return away * (1.0 - ECAP.cough_share) if self._coughing(t) else away

    def amplitude(self, t: float, ma: float, posture: str) -> float:
        """Response to a pulse from trough to peak, µV: ground truth.

        Parameters
        ----------
        t, ma : when, s, and its current. posture : of the person.
        """
        d = self.distance(t, posture)
        above = max(0.0, ma - self.threshold_ma * d)
        return ECAP.full_uv * -math.expm1(-self.slope / d**2 * above / ECAP.full_uv)

    def sweep(self, number: int, t: float, ma: float, posture: str) -> FloatArray:
        """What is recorded after a pulse, ``(SWEEP,)`` float64, µV.

        Parameters
        ----------
        number : of the pulse; its noise is numbered by it. t, ma : when, s, and its current.
        posture : of the person.
        """
        noise = ECAP.noise_uv * self._noise.at(number, 1)[0]
        response = self.amplitude(t, ma, posture) * TEMPLATE
        swept: FloatArray = noise + response + ECAP.artefact_uv_ma * ma * DECAY
        return swept

    def _coughing(self, t: float) -> bool:
        minute = int(t // 60.0)
        if self._coughs[0] != minute:
            draw = self._person.chance(5, 4, self._visit, minute)
            times = 60.0 * (minute + draw.random(int(draw.poisson(ECAP.cough_per_min))))
            self._coughs = (minute, times.tolist())
        return any(0.0 <= t - begins < ECAP.cough_s for begins in self._coughs[1])
