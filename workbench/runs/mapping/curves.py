"""What a map of contacts says: thresholds, saturation, selectivity, and whether a response is a reflex. Pure.

A *share* is that of the greatest response of a muscle over everything that was measured, so that contacts are
compared on one scale, and selectivities move a little while the map grows. Rules as of
:func:`workbench.physiology.recruitment_map`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

LEAST_UV = 50.0
"""Peak to peak, from which a response is one, µV."""
LEAST_SHARE = 0.3
"""Share of a muscle's greatest response that a contact must reach to be chosen for it."""
CLEAR = 4.0
"""Responses from so many times :data:`LEAST_UV` on tell a reflex; smaller ones lie near the noise."""
DEPRESSED = 0.5
"""Second over first response below which it is a reflex: a motor nerve answers both pulses alike."""
LEVEL_RISE, SATURATED = 0.05, 0.9
"""Mean rise of the last two steps, as a share of the largest response, below which a curve has levelled; and the
share of it at which the curve counts as saturated."""
MOST_FALL = 0.25
"""Largest fall from one current to the next, as a share of the largest response; more of it is worth a repeat."""

Ended = Literal["top", "discomfort", "limit", "operator", "stopped"]
"""Why a ramp went no further: its last current, the person, a rule of the supervisor, who maps, or STOP."""
Origin = Literal["reflex", "direct", "unclear"]
"""What a response is: of the posterior root, of the motor nerve, or too small to tell."""


@dataclass(frozen=True, slots=True)
class ContactCurves:
    """What one contact was found to move. Raises :class:`BadValue` for what was measured by nobody.

    Attributes
    ----------
    contact : of the lead, from 0.
    currents_ma : rising, mA; as many as were reached.
    response_uv, second_uv : peak to peak of each muscle after the first and the second pulse, µV;
        ``[current][muscle]``.
    ended : why the ramp went no further; why in words: ``said``.
    """

    contact: int
    currents_ma: tuple[float, ...]
    response_uv: tuple[tuple[float, ...], ...]
    second_uv: tuple[tuple[float, ...], ...]
    ended: Ended
    said: str = ""

    def __post_init__(self) -> None:
        for name in ("currents_ma", "response_uv", "second_uv"):
            value = getattr(self, name)
            object.__setattr__(self, name, tuple(tuple(one) if isinstance(one, list) else one for one in value))
        rows = (*self.response_uv, *self.second_uv)
        n = len(self.currents_ma)
        rising = all(a < b for a, b in zip(self.currents_ma, self.currents_ma[1:]))
        numbers = all(_amount(one) for one in self.currents_ma) and all(
            _amount(one) for row in rows for one in row
        )
        alike = len(self.response_uv) == len(self.second_uv) == n and len({len(row) for row in rows}) <= 1
        whole = isinstance(self.contact, int) and not isinstance(self.contact, bool) and self.contact >= 0
        if not (rising and numbers and alike and whole and self.ended in get_args(Ended)):
            raise BadValue(Message("mapping.curves_wrong", contact=f"{self.contact!r:.20}"))

    @property
    def first(self) -> FloatArray:
        """``(n_currents, n_muscles)`` float64, µV; responses below :data:`LEAST_UV` as measured."""
        return np.array(self.response_uv, dtype=np.float64).reshape(len(self.currents_ma), -1)

    @property
    def second(self) -> FloatArray:
        """The same after the second pulse."""
        return np.array(self.second_uv, dtype=np.float64).reshape(len(self.currents_ma), -1)

    def definition(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "contact": self.contact,
            "currents_ma": list(self.currents_ma),
            "response_uv": [list(row) for row in self.response_uv],
            "second_uv": [list(row) for row in self.second_uv],
            "ended": self.ended,
            "said": str(self.said),
        }


@dataclass(frozen=True, slots=True)
class MuscleFinding:
    """One muscle at one contact.

    Attributes
    ----------
    threshold_ma : least current with a response; None for none.
    saturation_ma : least current at :data:`SATURATED` of a curve that has levelled; None where it still rises.
    selectivity : largest share of the muscle minus the mean share of the others; None below :data:`LEAST_SHARE`.
    best_ma : where it is largest; None with it.
    second_share : second over first response, median of the clear ones; None without any.
    origin : what the response is.
    fall : largest fall between neighbouring currents, as a share of the largest response.
    """

    threshold_ma: float | None
    saturation_ma: float | None
    selectivity: float | None
    best_ma: float | None
    second_share: float | None
    origin: Origin
    fall: float


def greatest_uv(contacts: Sequence[ContactCurves], n_muscles: int) -> FloatArray:
    """Greatest response of each muscle over all that was measured, at least :data:`LEAST_UV`; ``(n,)`` µV.

    Parameters
    ----------
    contacts : what was measured. n_muscles : how many.
    """
    found = np.full(n_muscles, LEAST_UV)
    for one in contacts:
        if one.currents_ma:
            found = np.maximum(found, one.first.max(axis=0))
    return found


def read(curves: ContactCurves, greatest: FloatArray) -> tuple[MuscleFinding, ...]:
    """What the curves of a contact say of each muscle.

    Parameters
    ----------
    curves : of the contact. greatest : of each muscle (:func:`greatest_uv`), ``(n,)`` float64, µV.
    """
    if not curves.currents_ma:
        return tuple(MuscleFinding(None, None, None, None, None, "unclear", 0.0) for _ in greatest)
    first, second = curves.first, curves.second
    share = np.where(first >= LEAST_UV, first, 0.0) / greatest
    n = len(greatest)
    others = (share.sum(axis=1, keepdims=True) - share) / max(1, n - 1)
    index = np.where(share >= LEAST_SHARE, share - others, -np.inf)
    return tuple(_muscle(curves.currents_ma, first[:, m], second[:, m], index[:, m]) for m in range(n))


def _muscle(
    currents: tuple[float, ...], first: FloatArray, second: FloatArray, index: FloatArray
) -> MuscleFinding:
    responds = np.flatnonzero(first >= LEAST_UV)
    at = int(index.argmax())
    chosen = bool(np.isfinite(index[at]))
    ratio, origin = origin_of(first, second)
    return MuscleFinding(
        currents[int(responds[0])] if len(responds) else None,
        _saturation(currents, first),
        float(index[at]) if chosen else None,
        currents[at] if chosen else None,
        ratio,
        origin,
        float(max(0.0, -np.diff(first).min()) / max(first.max(), LEAST_UV)) if len(first) > 1 else 0.0,
    )


def origin_of(first: FloatArray, second: FloatArray) -> tuple[float | None, Origin]:
    """Second over first response and what that tells.

    Parameters
    ----------
    first, second : ``(n_currents,)`` float64, µV, peak to peak after both pulses of a pair.
    """
    clear = first >= CLEAR * LEAST_UV
    if not clear.any():
        return None, "unclear"
    ratio = float(np.median(second[clear] / first[clear]))
    return ratio, "reflex" if ratio < DEPRESSED else "direct"


def _saturation(currents: tuple[float, ...], first: FloatArray) -> float | None:
    """Where a curve that has levelled reaches its plateau; None where it still rises, or ended too early."""
    most = float(first.max())
    if most < CLEAR * LEAST_UV or len(first) < 4 or float(first[-1] - first[-3]) / 2.0 > LEVEL_RISE * most:
        return None
    return currents[int(np.flatnonzero(first >= SATURATED * most)[0])]


def candidates(contacts: Mapping[int, ContactCurves], n_muscles: int) -> list[list[tuple[float, int, float]]]:
    """Contacts that may be chosen for each muscle, the most selective first: selectivity, contact, current in mA.

    Parameters
    ----------
    contacts : accepted ones by number. n_muscles : how many.
    """
    greatest = greatest_uv(list(contacts.values()), n_muscles)
    found: list[list[tuple[float, int, float]]] = [[] for _ in range(n_muscles)]
    for contact, curves in contacts.items():
        for m, one in enumerate(read(curves, greatest)):
            if one.selectivity is not None and one.best_ma is not None:
                found[m].append((one.selectivity, contact, one.best_ma))
    return [sorted(rows, key=lambda row: (-row[0], row[1])) for rows in found]


def _amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
