"""Blood pressure and heart rate at rest, and dysreflexia of a lesion at T6 or above it on strong stimulation.

Sources stand in ``_parameters``. Posture, drugs, the bladder and all other triggers are not modelled.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.physiology._noise import Noise
from workbench.physiology._parameters import ECAP, PRESSURE, PRESSURE_FS
from workbench.physiology._person import Person
from workbench.vocabulary import FloatArray


class Circulation:
    """The circulation of one visit.

    Parameters
    ----------
    person : who. visit : number of the visit.

    Attributes
    ----------
    risen_mmhg : how far dysreflexia has raised the systolic pressure: ground truth.
    """

    def __init__(self, person: Person, visit: int) -> None:
        group = "tetraplegia" if person.tetraplegic else "high paraplegia" if person.at_risk else "low paraplegia"
        systolic, rate = person.chance(7, 1).standard_normal(2).clip(-2.0, 2.0)
        (mean, sd), (mean_rate, sd_rate) = dict(PRESSURE.systolic)[group], dict(PRESSURE.rate)[group]
        self._systolic, self._rate = mean + sd * float(systolic), mean_rate + sd_rate * float(rate)
        self._most = person.drawn_rise()
        self._noise = Noise(person, (7, 2, visit), fs=PRESSURE_FS, n_channels=3)
        self.risen_mmhg = 0.0

    def live(self, dt: float, strength: float) -> None:
        """Let time pass under stimulation of a strength 0–1."""
        above = (strength - PRESSURE.begins) / (1.0 - PRESSURE.begins)
        target = self._most * min(max(above, 0.0), 1.0)
        tau = PRESSURE.up_s if target > self.risen_mmhg else PRESSURE.down_s
        self.risen_mmhg += (target - self.risen_mmhg) * -math.expm1(-dt / tau)

    def reading(self, number: int) -> FloatArray:
        """Systolic and diastolic pressure in mmHg and heart rate a minute, ``(3,)`` float64, by its number."""
        t, noise = number / PRESSURE_FS, self._noise.at(number, 1)[0]
        waves = PRESSURE.mayer_mmhg * math.sin(2.0 * math.pi * PRESSURE.mayer_hz * t)
        waves += PRESSURE.breath_mmhg * math.sin(2.0 * math.pi * ECAP.breath_hz * t)
        systolic = self._systolic + self.risen_mmhg + waves
        rate = self._rate + PRESSURE.rate_per_mmhg * self.risen_mmhg
        read: FloatArray = np.array([systolic, PRESSURE.diastolic * systolic, rate]) + PRESSURE.noise_mmhg * noise
        return read
