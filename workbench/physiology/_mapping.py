"""Which contact moves which muscle: a recruitment map of sixteen contacts in simulated time, from EMG alone.

Each current is given as two pulses 50 ms apart, twice, the second time with the other polarity: the mean of both
has no artefact, and what follows the second pulse shows whether the response is a reflex. The map measures as a
clinic would: it reads no ground truth of the body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology._body import Body, Input, Train
from workbench.physiology._model import model_sha256
from workbench.physiology._parameters import CONTACTS, EMG_FS, MUSCLES
from workbench.vocabulary import FloatArray

GAP_S = 0.05
"""Between the two pulses, s."""
WINDOW_S = (0.0075, 0.045)
"""After a pulse, in which its response lies, s."""
LEAST_UV = 50.0
"""Peak to peak, from which a response is one, µV."""
MOST_WAITS = 5
"""How often a pause is put in for a muscle that is not quiet, before it is measured all the same."""
LEAST_SHARE = 0.3
"""Of a muscle's greatest response that a contact must reach to be chosen for it."""


@dataclass(frozen=True, slots=True)
class RecruitmentMap:
    """Result of a map.

    Attributes
    ----------
    currents_ma : ``(n_currents,)`` float64.
    response_uv, second_uv : ``(16, n_currents, 8)`` float64, peak to peak after the first and the second pulse.
    threshold_ma : ``(16, 8)`` float64, least current with a response; nan for none.
    selectivity : ``(16, 8)`` float64, largest share of the muscle minus the mean share of all others, over the
        currents at which the muscle reaches :data:`LEAST_SHARE`; nan where it never does. A share is that of the
        greatest response of the muscle in the map.
    best_contact : ``(8,)`` int64, most selective for each muscle; -1 for none. best_ma : ``(8,)`` float64.
    reflex : ``(8,)`` bool, whether the second response was less than half of the first, at the median of all that
        reach four times :data:`LEAST_UV`; false where none does.
    minutes : simulated time that it took.
    model_sha256, person_sha256 : what was simulated.
    """

    currents_ma: FloatArray
    response_uv: FloatArray
    second_uv: FloatArray
    threshold_ma: FloatArray
    selectivity: FloatArray
    best_contact: np.ndarray
    best_ma: FloatArray
    reflex: np.ndarray
    minutes: float
    model_sha256: str
    person_sha256: str


def recruitment_map(
    body: Body,
    *,
    most_ma: float = 6.0,
    n_currents: int = 12,
    us: float = 300.0,
    pause_s: float = 4.0,
    change_s: float = 15.0,
) -> RecruitmentMap:
    """Map all contacts.

    Parameters
    ----------
    body : with the sense ``"emg"``. most_ma : last current of the ramp, mA. n_currents : of the ramp, 2 or more.
    us : width of a pulse. pause_s : between two double pulses, s: shorter, and reflexes are still depressed.
    change_s : from one contact to the next, s.

    Raises
    ------
    BadValue
        For a ramp or times that cannot be.
    """
    if not (most_ma > 0.0 and n_currents >= 2 and pause_s > 0.0 and change_s >= 0.0):
        raise BadValue(Message("physiology.map", got=f"{most_ma:g}, {n_currents}, {pause_s:g}, {change_s:g}"))
    began = body.state.lived_s
    currents = np.linspace(most_ma / n_currents, most_ma, n_currents)
    both = np.zeros((2, CONTACTS, n_currents, len(MUSCLES)))
    for contact in range(CONTACTS):
        for n, ma in enumerate(currents.tolist()):
            both[:, contact, n] = _double_pulse(body, contact, ma=ma, us=us, pause_s=pause_s)
        body.rest(change_s)
    first, second = both
    return _read(currents, first, second, body=body, minutes=(body.state.lived_s - began) / 60.0)


def _double_pulse(body: Body, contact: int, *, ma: float, us: float, pause_s: float) -> FloatArray:
    """Peak to peak of both responses, ``(2, 8)`` float64, µV."""
    mean: FloatArray | None = None
    for polarity in (1, -1):
        _wait_until_quiet(body, pause_s=pause_s)
        body.feel(Input(trains=(Train(contact, ma, hz=1.0 / GAP_S, us=us, pulses=2, polarity=polarity),)))
        emg = body.step(0.12).emg
        mean = emg / 2.0 if mean is None else mean + emg / 2.0
        body.rest(pause_s)
    out = np.empty((2, len(MUSCLES)))
    for k in (0, 1):
        begin, end = (round((k * GAP_S + at) * EMG_FS) for at in WINDOW_S)
        out[k] = np.ptp(mean[begin:end], axis=0) if mean is not None else math.nan
    return out


def _wait_until_quiet(body: Body, *, pause_s: float) -> None:
    """Let a spasm pass, as far as it does: nobody measures a reflex in a muscle that contracts by itself."""
    for _ in range(MOST_WAITS):
        if float(np.ptp(body.step(0.05).emg, axis=0).max()) < LEAST_UV:
            return
        body.rest(pause_s)


def _read(
    currents: FloatArray, first: FloatArray, second: FloatArray, *, body: Body, minutes: float
) -> RecruitmentMap:
    responds = first >= LEAST_UV
    threshold = np.where(responds.any(axis=1), currents[responds.argmax(axis=1)], np.nan)
    share = np.where(responds, first, 0.0) / np.maximum(first.max(axis=(0, 1)), LEAST_UV)
    others = (share.sum(axis=2, keepdims=True) - share) / (len(MUSCLES) - 1)
    index = np.where(share >= LEAST_SHARE, share - others, -np.inf)
    best = index.max(axis=1)
    contact = best.argmax(axis=0)
    at = index.argmax(axis=1)
    muscles = np.arange(len(MUSCLES))
    found = np.isfinite(best.max(axis=0))
    return RecruitmentMap(
        currents,
        first,
        second,
        threshold,
        np.where(np.isfinite(best), best, np.nan),
        np.where(found, contact, -1),
        np.where(found, currents[at[contact, muscles]], np.nan),
        np.array([_is_reflex(first[..., m], second[..., m]) for m in muscles]),
        minutes,
        model_sha256(),
        body.person.sha256,
    )


def _is_reflex(first: FloatArray, second: FloatArray) -> bool:
    """Whether second responses are less than half of the first; the smallest are left out, as noise comes near."""
    large = first >= 4 * LEAST_UV
    return bool(large.any()) and float(np.median(second[large] / first[large])) < 0.5
