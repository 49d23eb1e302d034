"""The mean of several time courses, with its interval at each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis._exact import student_t_quantile
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray


@dataclass(frozen=True, slots=True)
class MeanCourse:
    """Mean of ``n`` courses, and the 95 % interval of the mean at each time (not of all times together).

    Attributes
    ----------
    n : courses.
    mean, low, high : ``(n_times,)`` each; None where no course has a value, and without an interval where fewer
        than two have.
    """

    n: int
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


def mean_course(values: FloatArray, *, least: float = 0.0, most: float = 1.0, level: float = 0.95) -> MeanCourse:
    """Mean and interval (Student's t over courses) at each time.

    Parameters
    ----------
    values : ``(n_courses, n_times)`` float64; NaN where a course has no value.
    least, most : limits of the scale, which no interval leaves: 0 and 1 for probabilities.

    Raises
    ------
    BadValue
        When ``values`` has not two dimensions.
    """
    if values.ndim != 2:
        raise BadValue(Message("rate.courses", got=str(values.shape)))
    points = [_at(column[np.isfinite(column)], least=least, most=most, level=level) for column in values.T]
    return MeanCourse(len(values), *(tuple(point[i] for point in points) for i in range(3)))


def _at(
    values: FloatArray, *, least: float, most: float, level: float
) -> tuple[float | None, float | None, float | None]:
    if not len(values):
        return None, None, None
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    # Student's t, since the spread is estimated from few courses.
    half = student_t_quantile(0.5 + level / 2, len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, max(least, mean - half), min(most, mean + half)
