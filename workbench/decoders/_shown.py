"""What a decoder of values is fitted on: the value that was shown for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.decoders._base import WindowDecoder
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import EvidenceType, FloatArray

AXES = ("x", "y", "z")
"""Dimensions of a velocity, in their order."""


def evidence_of(velocities: Mapping[str, Sequence[float]] | None) -> EvidenceType:
    """A velocity in 1/s, in as many dimensions as the first one has; without velocities a probability a class."""
    if velocities is None:
        return EvidenceType()
    return EvidenceType("velocity", AXES[: len(next(iter(velocities.values()), ()))], "1/s")


def refuse_settings_of_classes(decoder: WindowDecoder, *, name: str) -> None:
    """Raise :class:`BadValue` where a decoder of values is asked for what is made of classes.

    Parameters
    ----------
    decoder : of values. name : of the parameter that makes it one.
    """
    settings = decoder.evidence_settings
    adapt = None if decoder.learns_blocks else decoder.adapt
    asked = (settings.memory, settings.calibrate, settings.reject, settings.stop, adapt)
    if any(one is not None for one in asked):
        raise BadValue(Message("fit.for_classes", decoder=name))


def points_of(decoder: WindowDecoder, shown: Mapping[str, Sequence[float]], *, name: str, most: int) -> FloatArray:
    """``(n_classes, n_values)`` float64: the value of each class, in the order of ``classes_``.

    Parameters
    ----------
    decoder : being fitted; its classes are known.
    shown : class → value.
    name : of the decoder's parameter that ``shown`` is.
    most : values that one class may have.

    Raises
    ------
    BadValue
        When a class has no value, values differ in length, are not finite or all alike, or the decoder is asked
        for what is made of classes.
    """
    refuse_settings_of_classes(decoder, name=name)
    points = [tuple(map(float, shown[label])) for label in decoder.class_names if label in shown]
    n = len(next(iter(shown.values()), ()))
    complete = len(points) == len(decoder.class_names) and 1 <= n <= most
    if not complete or any(len(point) != n or not np.isfinite(point).all() for point in points):
        classes, got = list(decoder.class_names), str(dict(shown))
        raise BadValue(
            Message("fit.shown_one", name=name, classes=classes, got=got)
            if most == 1
            else Message("fit.shown_many", name=name, most=most, classes=classes, got=got)
        )
    if len(set(points)) == 1:
        raise BadValue(Message("fit.points_differ", name=name, got=str(points[0])))
    return np.array(points)
