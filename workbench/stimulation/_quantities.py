"""What a train of pulses does to tissue, in numbers. One formula a function, with its source.

Shannon's model: Shannon RV. A model of safe levels for electrical stimulation. IEEE Trans Biomed Eng 1992;
39:424–426, doi:10.1109/10.126616. It rests on cat cortex, surface discs of 1 mm² and more, 7 h at 50 pulses a
second and 400 µs; rate, duty and size stand outside of the formula, and micro-electrodes do not follow it
(PMC5386002).
"""

from __future__ import annotations

from math import log10, sqrt

BIPHASIC = 2.0
"""Phases of a pulse whose charge an equal and opposite second phase takes back."""


def charge_uc(current_ma: float, width_us: float) -> float:
    """Charge of one phase, µC, of a rectangular pulse of a current in mA and a width in µs."""
    return current_ma * width_us / 1000.0


def density_uc_cm2(charge: float, area_cm2: float) -> float:
    """Charge density of one phase, µC/cm², of a charge in µC on a contact of an area in cm²."""
    return charge / area_cm2


def shannon_k(charge: float, area_cm2: float) -> float:
    """Shannon's k = log10(Q · D), dimensionless, of a charge Q in µC on an area in cm²; −∞ without any charge.

    The lowest value at which damage was seen in the data of the model is 1.85.
    """
    # Not the logarithm of the product, which underflows for a tiny charge.
    return 2.0 * log10(charge) - log10(area_cm2) if charge > 0 else float("-inf")


def rms_ma(current_ma: float, width_us: float, rate_hz: float, *, phases: float = BIPHASIC) -> float:
    """Root mean square of a train's current, mA.

    IEC 60601-2-10 asks for the attention of the operator above 2 mA/cm² (201.7.9.2, advice on current densities).

    Parameters
    ----------
    current_ma, width_us : amplitude in mA and width in µs of each phase.
    rate_hz : pulses a second.
    phases : of equal amplitude and width in a pulse.
    """
    return current_ma * sqrt(min(phases * width_us * 1e-6 * rate_hz, 1.0))


def net_dc_na(charge: float, mismatch: float, rate_hz: float) -> float:
    """Direct current that phases which do not cancel leave, nA.

    Parameters
    ----------
    charge : of the first phase, µC.
    mismatch : share of it that the second phase does not take back, 0–1.
    rate_hz : pulses a second.
    """
    return charge * mismatch * rate_hz * 1000.0


def voltage_v(current_ma: float, impedance_ohm: float) -> float:
    """Voltage that a current in mA needs across an impedance in Ω, V."""
    return current_ma * impedance_ohm / 1000.0


def above(value: float, limit: float) -> bool:
    """Whether a value lies above a limit by more than the rounding of float64; a value that is no number does."""
    # Not `>`: 1.8 µC on 0.06 cm² is 30.000000000000004 µC/cm², and a value that is no number must not pass.
    return not value <= limit + 1e-9 * max(1.0, abs(limit))
