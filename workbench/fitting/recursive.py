"""The fit of models that go on learning block by block: their lines and errors, and what they go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.decoding.blocks import Lesson, Part, constant_line, stacked
from workbench.decoding.recursive import Line, RecursivePls
from workbench.errors import BadValue
from workbench.fitting.settings import AdaptSettings
from workbench.messages import Message
from workbench.vocabulary import FloatArray

BLOCKS = 5
"""Blocks, one after the other in time, of a fit: each but the first is predicted before it is learned."""

LEAST_ERROR = 0.01
"""Share of the variance of a target that its error is at least: few blocks show no smaller one."""


@dataclass(frozen=True)
class ModelSettings:
    """How features are made, and which models learn them.

    Parameters
    ----------
    stretches : into which a window is cut, 1 or more.
    n_components : most components of a model; those in use are chosen by recursive validation.
    n_way : the weights of a component are a product of one of time, one of frequency and one of space (N-PLS).
    smoothing_s : of ``rew_pls``: time constant of the mean over hops, s; at least the hop.
    states : of ``rew_mslm``: class → name of its state; None makes every class a state of its own.
    mixing : of ``rew_mslm``: the values of the states are weighed by the belief in them; else it is that of the
        likeliest state.
    dwell_s : of ``rew_mslm``: expected stay in the state ``rest`` and in any other, s.
    """

    stretches: int = 5
    n_components: int = 20
    n_way: bool = False
    smoothing_s: float = 0.3
    states: Mapping[str, str] | None = None
    mixing: bool = True
    dwell_s: tuple[float, ...] = (5.0, 3.0)

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> ModelSettings:
        """Settings from a mapping; raises BadValue for a name that is none, and for a number below 1."""
        given, names = dict(values or {}), [field.name for field in fields(cls)]
        if unknown := sorted(set(given) - set(names)):
            raise BadValue(Message("fit.model_keys", got=unknown, known=names))
        if "dwell_s" in given:
            given["dwell_s"] = tuple(float(seconds) for seconds in given["dwell_s"])
        made = cls(**given)
        if not (made.stretches >= 1 and made.n_components >= 1):
            raise BadValue(Message("fit.model_counts", got=f"{made.stretches}, {made.n_components}"))
        return made


class Fitted(NamedTuple):
    """What a fit gives.

    Attributes
    ----------
    line : of all parts, below one another. variance : ``(n_parts,)`` float64, mean square error of a target on
        blocks that were not learned yet.
    errors : ``(n_parts, n_components + 1)`` float64, as :class:`Lesson` has them. scale : ``(n_outputs,)``
        float64.
    """

    line: Line
    variance: FloatArray
    errors: FloatArray
    scale: FloatArray


def fitted(
    parts: Sequence[Part],
    rows: FloatArray,
    index: NDArray[np.int64],
    *,
    n_components: int,
    shape: tuple[int, ...] | None,
) -> Fitted:
    """Fit every part on the windows that it takes.

    Parameters
    ----------
    parts : the models. rows : ``(n, n_features)`` float64, in the order of time. index : ``(n,)`` class of each.
    n_components : most components of a model. shape : of the features for N-way models, None for plain ones.
    """
    most = min(n_components, rows.shape[1])
    lines, variance, errors, scale = [], [], np.zeros((len(parts), most + 1)), []
    for part, own_errors in zip(parts, errors):
        own = np.isin(index, part.takes)
        targets = part.targets[index[own]]
        spread = targets.std(axis=0)
        scale.append(np.where(spread > 0.0, spread, 1.0))
        if part.constant:
            lines.append(constant_line(part, rows.shape[1]))
            variance.append(LEAST_ERROR)
            continue
        model = validated(rows[own], targets, n_components=most, shape=shape)
        own_errors[:-1], own_errors[-1] = model.errors, model.judged
        lines.append(model.line())
        error = max(float(model.errors[model.best - 1]), LEAST_ERROR)
        variance.append(error * float((spread**2).mean()))
    return Fitted(stacked(lines), np.array(variance), errors, np.concatenate(scale))


def validated(
    rows: FloatArray, targets: FloatArray, *, n_components: int, shape: tuple[int, ...] | None
) -> RecursivePls:
    """A model that has predicted every block but the first before it learned it.

    Parameters
    ----------
    rows : ``(n, n_features)`` float64, in the order of time. targets : ``(n, n_targets)`` float64.
    n_components : most components. shape : of the features for an N-way model, None for a plain one.
    """
    model = RecursivePls(rows.shape[1], targets.shape[1], n_components=n_components, shape=shape)
    for block in np.array_split(np.arange(len(rows)), min(BLOCKS, len(rows))):
        model.validate(rows[block], targets[block])
        model.learn(rows[block], targets[block])
        model.prepare()
    return model


def lesson_arrays(
    made: Fitted,
    rows: FloatArray,
    index: NDArray[np.int64],
    *,
    settings: AdaptSettings,
    window_s: float,
    step_s: float,
) -> dict[str, FloatArray]:
    """What a stream goes on from, as a decoder stores it.

    Parameters
    ----------
    made : by :func:`fitted`. rows : ``(n, n_features)`` float64. index : ``(n,)`` class of each.
    settings : of the adaptation. window_s, step_s : length and distance of windows, s.
    """
    return {
        "rows": rows,
        "index": index.astype(np.float64),
        "errors": made.errors,
        "scale": made.scale,
        # Windows of the fit overlap, those that a stream is taught do not.
        "share": np.array([min(1.0, step_s / window_s)]),
        # Half is forgotten after so many windows, which are taught a window apart.
        "keep": np.array([0.5 ** (window_s / settings.half_life_s)]),
    }


def lesson_of(arrays: dict[str, FloatArray], parts: Sequence[Part], *, shape: tuple[int, ...] | None) -> Lesson:
    """The lesson of stored arrays.

    Parameters
    ----------
    arrays : by :func:`lesson_arrays`. parts : the models, in their order. shape : of the features.
    """
    return Lesson(
        tuple(parts),
        rows=arrays["rows"],
        index=arrays["index"],
        errors=arrays["errors"],
        scale=arrays["scale"],
        share=float(arrays["share"][0]),
        keep=float(arrays["keep"][0]),
        shape=shape,
    )
