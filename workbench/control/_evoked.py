"""Closed loops of stimulation as pure functions: the next pulse from the last response, and the next stride.

Neither is wired to a device: a driver or a study of a simulated device calls them, and what they give goes
through the limits of whatever delivers it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


@dataclass(frozen=True, slots=True)
class EcapLaw:
    """Integral control of the current by the response to the last pulse. Raises BadValue for one that cannot be.

    Attributes
    ----------
    target_uv : amplitude of the response that is to be held, µV.
    gain : change of the current for an error of the amplitude, mA/µV. With the slope S of the response, µV/mA, the
        loop settles for ``gain · S`` between 0 and 2, and well for 0.2 to 0.4.
    least_ma, most_ma : bounds of the current, mA. step_ma : largest change from pulse to pulse, mA.
    threshold_ma : current at which the response begins, mA.
    noise_uv : standard deviation of an amplitude without a response, µV.
    lost_pulses : pulses without a response after which it is lost. hold_pulses : for which the current is then
        held, before it falls by ``step_ma`` a pulse.
    width_us, most_nc : width of a phase, µs, and the most charge of a phase, nC, which bounds the current too.
    """

    target_uv: float
    gain: float
    least_ma: float
    most_ma: float
    step_ma: float
    threshold_ma: float
    noise_uv: float
    lost_pulses: int = 20
    hold_pulses: int = 20
    width_us: float = 200.0
    most_nc: float = 5000.0

    def __post_init__(self) -> None:
        positive = (self.target_uv, self.gain, self.step_ma, self.noise_uv, self.width_us, self.most_nc)
        bounds = 0.0 <= self.least_ma < self.ceiling_ma and isfinite(self.most_ma) and self.threshold_ma >= 0.0
        if not (all(isfinite(one) and one > 0.0 for one in positive) and bounds and self.lost_pulses >= 1):
            raise BadValue(Message("evoked.law", got=repr(self)))

    @property
    def ceiling_ma(self) -> float:
        """The most current, mA: that of the bound, or of the charge where it is less."""
        return min(self.most_ma, self.most_nc / self.width_us)


@dataclass(frozen=True, slots=True)
class EcapState:
    """What the loop stands at.

    Attributes
    ----------
    current_ma : of the next pulse, mA.
    lost : pulses in a row that should have had a response and had none.
    """

    current_ma: float
    lost: int = 0


def next_pulse(law: EcapLaw, state: EcapState, amplitude_uv: float) -> EcapState:
    """The state after the response to a pulse.

    Parameters
    ----------
    law : of the loop. state : with which the pulse was given.
    amplitude_uv : of the response, µV; nan where the sweep could not be read.

    Notes
    -----
    Parker et al. 2020, doi:10.1049/htl.2019.0110: stimulation of the spinal cord that holds the evoked response.
    What is no response (less than three standard deviations of the noise) raises no current above the threshold of
    responses by a fifth: a lead that came loose would else be driven to the bound. A response that comes back
    closes the loop again.
    """
    current = min(max(state.current_ma, law.least_ma), law.ceiling_ma)
    # Negated, so that nan is no response.
    silent = not amplitude_uv >= 3.0 * law.noise_uv
    if silent and current > 1.2 * law.threshold_ma:
        lost = state.lost + 1
        falls = lost >= law.lost_pulses + law.hold_pulses
        return EcapState(max(law.least_ma, current - law.step_ma) if falls else current, lost)
    if not isfinite(amplitude_uv):
        return replace(state, current_ma=current)
    step = min(max(law.gain * (law.target_uv - amplitude_uv), -law.step_ma), law.step_ma)
    return EcapState(min(max(current + step, law.least_ma), law.ceiling_ma))


def next_stride(
    profile: FloatArray,
    *,
    wanted: FloatArray,
    measured: FloatArray,
    gain: float,
    delay: float,
    least: float,
    most: float,
    frozen: bool = False,
) -> FloatArray:
    """The stimulation of the next stride, learned from the last one.

    Parameters
    ----------
    profile : ``(n,)`` float64, stimulation at each phase of the last stride.
    wanted, measured : ``(n,)`` float64, envelope of the muscle at each phase: as it is to be, and as it was; in
        one unit.
    gain : change of the stimulation for an error of 1.
    delay : from a stimulus to the muscle's answer, in strides, 0–1.
    least, most : bounds of the stimulation.
    frozen : nothing is learned, as after a fall or in a spasm.

    Returns
    -------
    ``(n,)`` float64, within the bounds.

    Raises
    ------
    BadValue
        For profiles of several lengths, or fewer than five phases, or bounds that hold nothing.

    Notes
    -----
    Iterative learning as in Freeman et al. 2012, doi:10.1109/MCS.2011.2173261: ``u ← Q(u + gain · e)``, with the
    error e of a delay later, so that a stimulus leads what it is to make, and for Q a mean over five neighbouring
    phases about the stride. A value that is not finite teaches nothing.
    """
    n = len(profile)
    if n < 5 or wanted.shape != (n,) or measured.shape != (n,) or not least <= most or not 0.0 <= delay < 1.0:
        got = f"{profile.shape}, {wanted.shape}, {measured.shape}, {delay:g}, {least:g}, {most:g}"
        raise BadValue(Message("evoked.stride", got=got))
    if frozen:
        return np.clip(profile, least, most)
    # Between two phases in a straight line, and from the last to the first.
    place = np.arange(n) + delay * n
    before = np.floor(place).astype(np.int64)
    share = place - before
    error = np.where(np.isfinite(wanted - measured), wanted - measured, 0.0)
    taught = profile + gain * ((1.0 - share) * error[before % n] + share * error[(before + 1) % n])
    smooth = sum(np.roll(taught, shift) for shift in (-2, -1, 0, 1, 2)) / 5.0
    bounded: FloatArray = np.clip(smooth, least, most)
    return bounded
