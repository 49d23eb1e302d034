"""Evoked compound action potentials: what of a sweep after a pulse is nerve, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.evidence import exp
from workbench.kernels.linalg import cholesky, matmul, matmul_at_b, solve_lower, solve_upper
from workbench.messages import Message
from workbench.vocabulary import FloatArray

DECAYS_S = (0.0001, 0.00018, 0.00032, 0.00056, 0.001, 0.0018, 0.0032)
"""Time constants from which the two of an artefact are chosen, s."""

LEAST_SD = 3.0
"""Standard deviations of the noise that an amplitude must reach to count as a response."""


@dataclass(frozen=True)
class Ecap:
    """A response.

    Attributes
    ----------
    amplitude : from the trough N1 to the peak P2, in the unit of the sweep.
    n1_s, p2_s : after the end of the pulse, s.
    found : whether the amplitude is at least three standard deviations of the noise.
    """

    amplitude: float
    n1_s: float
    p2_s: float
    found: bool


def without_exponentials(
    sweep: FloatArray, *, fs: float, blank_s: float = 0.0003, response_s: tuple[float, float] = (0.0004, 0.0025)
) -> FloatArray:
    """A sweep without a constant and two exponentials, which are fitted to what lies about the response.

    Parameters
    ----------
    sweep : ``(n_times,)`` float64, µV, from the end of the pulse on. fs : rate in Hz, 10–16 kHz or more.
    blank_s : at the begin that is not looked at, s; it is 0 in the answer.
    response_s : from and to where the response may lie, s: these samples do not count in the fit.

    Raises
    ------
    BadSignal
        For samples that are not finite.
    BadValue
        Where fewer than six samples lie about the response.

    Notes
    -----
    The time constants are the two of :data:`DECAYS_S` that leave least, so that a fit is linear and always ends.
    Where pulses alternate in polarity, the mean of two sweeps has no artefact, and needs no model of it.
    """
    sweep = _checked(sweep)
    t = np.arange(len(sweep)) / fs
    about = (t >= blank_s) & ((t < response_s[0]) | (t >= response_s[1]))
    if int(about.sum()) < 6:
        raise BadValue(Message("ecap.about", n=int(about.sum())))
    best, out = np.inf, sweep
    curves = {tau: np.array([exp(-at / tau) for at in t.tolist()]) for tau in DECAYS_S}
    for k, slow in enumerate(DECAYS_S):
        for fast in DECAYS_S[:k]:
            model = np.column_stack([np.ones(len(t)), curves[slow], curves[fast]])
            left = sweep - _fitted(model, sweep, about)
            size = float(np.cumsum(left[about] ** 2)[-1])
            if size < best:
                best, out = size, left
    return np.where(t < blank_s, 0.0, out)


def ecap(
    sweep: FloatArray,
    *,
    fs: float,
    noise: float,
    n1_s: tuple[float, float] = (0.0004, 0.0012),
    p2_s: tuple[float, float] = (0.0006, 0.0025),
) -> Ecap:
    """The response in a sweep without artefact.

    Parameters
    ----------
    sweep : ``(n_times,)`` float64, µV, from the end of the pulse on. fs : rate in Hz.
    noise : standard deviation of a sample where nothing responds, µV.
    n1_s, p2_s : from and to where trough and peak may lie, s; the peak follows the trough.

    Raises
    ------
    BadSignal
        For samples that are not finite.
    BadValue
        For windows that the sweep does not have.

    Notes
    -----
    Chakravarthy et al. 2020, doi:10.2147/JPR.S289098: form and amplitude of responses that are sensed in the
    spine.
    """
    sweep = _checked(sweep)
    first, last = round(n1_s[0] * fs), min(round(n1_s[1] * fs) + 1, len(sweep))
    end = min(round(p2_s[1] * fs) + 1, len(sweep))
    if not 0 <= first < last or not last < end:
        raise BadValue(Message("ecap.windows", n=f"{len(sweep) / fs:g}", got=f"{n1_s}, {p2_s}"))
    n1 = first + int(np.argmin(sweep[first:last]))
    begin = max(n1 + 1, round(p2_s[0] * fs))
    p2 = begin + int(np.argmax(sweep[begin:end]))
    amplitude = float(sweep[p2] - sweep[n1])
    return Ecap(amplitude, n1 / fs, p2 / fs, amplitude >= LEAST_SD * noise)


def amplitude_of(sweep: FloatArray, *, fs: float, noise: float) -> float:
    """Amplitude of the response in a sweep with its artefact, in its unit; nan where it cannot be read.

    Parameters
    ----------
    sweep : ``(n_times,)``, from the end of the pulse on, as a stream carries it: read in float32.
    fs : rate in Hz. noise : standard deviation of a sample where nothing responds.
    """
    carried = np.asarray(sweep, dtype=np.float32).astype(np.float64)
    if not np.isfinite(carried).all():
        return float("nan")
    return ecap(without_exponentials(carried, fs=fs), fs=fs, noise=noise).amplitude


def _checked(sweep: FloatArray) -> FloatArray:
    sweep = np.ascontiguousarray(sweep, dtype=np.float64)
    if sweep.ndim != 1 or not np.isfinite(sweep).all():
        raise BadSignal(Message("ecap.sweep", shape=str(sweep.shape)))
    return sweep


def _fitted(model: FloatArray, sweep: FloatArray, about: np.ndarray) -> FloatArray:
    """The model ``(n_times, k)`` as fitted to the samples ``about`` the response, by least squares."""
    rows, shown = np.ascontiguousarray(model[about]), np.ascontiguousarray(sweep[about][:, None])
    k = model.shape[1]
    gram, right, lower = np.empty((k, k)), np.empty((k, 1)), np.empty((k, k))
    matmul_at_b(rows, rows, gram)
    matmul_at_b(rows, shown, right)
    if cholesky(gram, lower) != 0:
        return np.full(len(sweep), np.inf)
    half, weights, out = np.empty((k, 1)), np.empty((k, 1)), np.empty((len(sweep), 1))
    solve_lower(lower, right, half)
    solve_upper(np.ascontiguousarray(lower.T), half, weights)
    matmul(np.ascontiguousarray(model), weights, out)
    fitted: FloatArray = out[:, 0]
    return fitted
