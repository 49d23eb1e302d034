"""Settings of a fit beside its signal: calibration, rejection and memory of evidence, and adaptation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any

import numpy as np

from workbench.decoding.accumulation import Detector, EvidenceAccumulator, LeakySum, Trigger, stages_gate
from workbench.decoding.adapt import LEAST_STEP
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

STAGES = 3
"""Stages through which the gate passes in the time it holds a state."""

MEMORIES = ("gate", "leaky", "sprt", "trigger", "detector")
NEED_REST = ("gate", "trigger", "detector")
"""Memories that tell movements from rest, and are none where the classes have no rest."""
CALIBRATIONS = ("auto", "platt", "isotonic", "temperature")


@dataclass(frozen=True)
class EvidenceSettings:
    """How scores become evidence.

    Parameters
    ----------
    rest : name of the rest, or idle, class.
    calibrate : None, ``"platt"`` (a logistic), ``"isotonic"``, ``"temperature"`` (one factor for all classes, for
        scores that are not log posteriors, or too sure; none where a class has one block), or ``"auto"``: isotonic
        above 200 windows, a logistic from 10 of each class, otherwise none. Learned from held-out blocks.
    reject : None, or the share of errors aimed at, for example 0.05. A window is rejected when it lies farther
        from every class than 99 % of windows do, and, where evidence has no memory, when no class is likely
        enough: the threshold is the least that keeps errors on held-out windows at that share.
    novelty : None, or the share of held-out training windows, for example 0.01, that may be rejected as far from
        the training data, whatever their class: by default, a window whose power in channels and bands is unlike
        that of every class is rejected (:mod:`workbench.decoding.novelty`).
    stop : None, or the probability of being right from which a window may decide, for example 0.95: dynamic
        stopping. A less sure window is rejected where evidence has no memory, so that the next, or a longer one
        (:class:`workbench.decoders.Stopping`), decides. Learned from the confidence of
        held-out windows that were right and of those that were wrong.
    memory : None, ``"gate"`` (hidden Markov chain), ``"leaky"`` (sum of log likelihoods), ``"sprt"`` (the same
        with the bounds of a sequential test; undecided evidence is rejected), ``"trigger"`` (self-paced: a
        threshold with few false detections in rest), or ``"detector"`` (self-paced and graded: a running mean of
        the log odds, seen from a threshold with few false onsets in rest and one for release half-way to rest).
        Gate, trigger and detector need a rest class.
    gamma : exponent of the gate's likelihood, below 1 because windows overlap.
    dwell_s : expected stay in rest, expected stay in a movement, and optionally how much of both is a hold:
        before it is over, leaving is unlikely; after it the stay has no memory, s.
    leak : share of a sum that stays from hop to hop.
    alpha, beta : error rates of the sequential test: movements detected in error, and movements missed.
    false_per_min : false detections a minute of rest for the trigger and the detector.
    refractory_s : how long a detection of the trigger is held, s.
    smooth_s : time constant of the detector's running mean, s.
    """

    rest: str | None = "rest"
    calibrate: str | None = None
    reject: float | None = None
    novelty: float | None = 0.01
    stop: float | None = None
    memory: str | None = None
    gamma: float = 0.35
    dwell_s: tuple[float, ...] = (5.0, 3.0)
    leak: float = 0.97
    alpha: float = 0.02
    beta: float = 0.1
    false_per_min: float = 1.0
    refractory_s: float = 2.0
    smooth_s: float = 0.5

    @classmethod
    def of(cls, *mappings: Mapping[str, Any] | None) -> EvidenceSettings:
        """Settings from mappings; a later one overrides an earlier one."""
        merged = {name: value for mapping in mappings for name, value in (mapping or {}).items()}
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(merged) - set(names))
        if unknown:
            raise BadValue(Message("fit.evidence_unknown", got=list(unknown), known=list(names)))
        if "dwell_s" in merged:
            merged["dwell_s"] = tuple(float(seconds) for seconds in merged["dwell_s"])
        return cls(**merged)

    def __post_init__(self) -> None:
        if self.memory not in (None, *MEMORIES):
            raise BadValue(Message("fit.memory", allowed=list(MEMORIES), got=repr(self.memory)))
        if self.calibrate not in (None, *CALIBRATIONS):
            raise BadValue(Message("fit.calibrate", allowed=list(CALIBRATIONS), got=repr(self.calibrate)))
        if self.reject is not None and not 0 < self.reject < 1:
            raise BadValue(Message("fit.reject", got=str(self.reject)))
        if self.novelty is not None and not 0 < self.novelty < 1:
            raise BadValue(Message("fit.novelty", got=str(self.novelty)))
        if self.stop is not None and not 0 < self.stop < 1:
            raise BadValue(Message("fit.stop", got=str(self.stop)))
        if not 0 < self.gamma <= 1:
            raise BadValue(Message("fit.gamma", got=str(self.gamma)))
        if not 0 < self.leak <= 1:
            raise BadValue(Message("fit.leak", got=str(self.leak)))
        if not (0 < self.alpha < 0.5 and 0 < self.beta < 0.5):
            raise BadValue(Message("fit.alpha_beta", alpha=str(self.alpha), beta=str(self.beta)))
        positive = {name: getattr(self, name) for name in ("false_per_min", "refractory_s", "smooth_s")}
        for name, value in positive.items():
            if not 0 < value < inf:
                raise BadValue(Message("fit.above_0", name=name, got=str(value)))

    def rest_index(self, classes: tuple[str, ...]) -> int:
        """Index of the rest class, -1 without one."""
        return classes.index(self.rest) if self.rest in classes else -1

    def remembers(self, classes: tuple[str, ...]) -> str | None:
        """The memory there is for these classes: some need rest."""
        return None if self.memory in NEED_REST and self.rest_index(classes) < 0 else self.memory

    def newest_share(self, hop_s: float) -> float:
        """Share of a new window in the detector's running mean, for a hop in s."""
        return min(1.0, hop_s / self.smooth_s)

    def check_dwell(self, hop_s: float) -> None:
        """Raise :class:`BadValue` for dwell times that a hop of ``hop_s`` s cannot serve."""
        # A stay must exceed a hop, or the probability of leaving within one would exceed 1.
        if len(self.dwell_s) not in (2, 3) or not all(hop_s < stay < inf for stay in self.dwell_s[:2]):
            raise BadValue(Message("fit.dwell", hop=f"{hop_s:g}", got=str(self.dwell_s)))
        shortest, longest = STAGES * hop_s, min(self.dwell_s[:2]) - hop_s
        if len(self.dwell_s) == 3 and not shortest < self.dwell_s[2] < longest:
            raise BadValue(
                Message("fit.hold", shortest=f"{shortest:g}", longest=f"{longest:g}", got=str(self.dwell_s[2]))
            )

    def stays(self, *, rest: int, n_classes: int) -> list[list[float]]:
        """Expected stay in each stage of each class, s."""
        stays = []
        for k in range(n_classes):
            dwell = self.dwell_s[0] if k == rest else self.dwell_s[1]
            hold = self.dwell_s[2] if len(self.dwell_s) == 3 else 0.0
            # Stages in series give the hold a narrow distribution; one last stage without memory follows.
            stays.append([hold / STAGES] * STAGES * bool(hold) + [dwell - hold])
        return stays


def accumulator_of(
    settings: EvidenceSettings,
    *,
    classes: tuple[str, ...],
    hop_s: float,
    window_s: float,
    log_prior: FloatArray,
    arrays: Mapping[str, FloatArray],
) -> EvidenceAccumulator | None:
    """What accumulates the evidence of a fitted decoder; None where each window is judged separately.

    Parameters
    ----------
    settings : of evidence. classes : names, sorted.
    hop_s, window_s : of the stream, s.
    log_prior : ``(n_classes,)`` float64, that of the scores.
    arrays : as :func:`workbench.fitting.held_out.learn_evidence` returned them.
    """
    kind, n, rest = settings.remembers(classes), len(classes), settings.rest_index(classes)
    if kind == "gate":
        stays = settings.stays(rest=rest, n_classes=n)
        return stages_gate(stays, hop_s=hop_s, log_prior=log_prior, gamma=settings.gamma)
    if kind == "trigger":
        refractory = max(1, round(settings.refractory_s / hop_s))
        return Trigger(float(arrays["threshold"][0]), rest, refractory, n)
    if kind == "detector":
        onset, release = float(arrays["threshold"][0]), float(arrays["release"][0])
        return Detector(onset, release, settings.newest_share(hop_s), rest, n)
    if kind is None:
        return None
    return LeakySum(
        initial=np.zeros(n),
        log_prior=log_prior,
        leak=settings.leak,
        weight=hop_s / window_s,
        bounds=arrays["bounds"],
    )


BOUNDS = {"recentre": 2.0, "pmean": 3.0, "supervised": 3.0, "blocks": 3.0}
"""Bound of each rule where none is given."""
RULES = tuple(BOUNDS)
MEANS = ("riemann", "euclid")


@dataclass(frozen=True)
class AdaptSettings:
    """How a decoder changes while it decides.

    Parameters
    ----------
    rule : ``"recentre"`` (covariances are seen from their running mean), ``"pmean"`` (the pooled mean of a linear
        discriminant follows the features), ``"supervised"`` (class means and covariance follow labels) or
        ``"blocks"`` (the models of ``rew_pls`` and ``rew_mslm`` learn labelled windows, a block at a time).
    mean : of covariances, ``"riemann"`` or ``"euclid"``. least : least share of a new window in the mean.
    rate : share of a new window in means of features; 0.05 for pmean, 0.03 for supervised by default.
    balanced : rules without labels take in windows in rounds of one a class, as the evidence names them, so that a
        class that comes for minutes alone moves nothing; nor does a change after which all windows seem one class:
        that takes a new calibration. False takes in every window.
    longest_rest_s : rules without labels pause after so much rest, s, as they take the classes for balanced.
    bound : distance from the fit at which it goes back to the fit: root mean square of log eigenvalues (2.0 by
        default), of a shift in standard deviations within the classes (3.0 by default), or of the outputs on a
        block in standard deviations of what they are to be (3.0 by default).
    block_s, delay_s : length of a block and time from its end to the effect of its update, s; the delay is at most
        a block. half_life_s : of labelled windows after which half of what was learned before is forgotten, s.
    """

    rule: str
    mean: str = "riemann"
    least: float = LEAST_STEP
    rate: float | None = None
    balanced: bool = True
    longest_rest_s: float = 10.0
    bound: float | None = None
    block_s: float = 15.0
    delay_s: float = 15.0
    half_life_s: float = 900.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AdaptSettings:
        """Settings from a mapping."""
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown or "rule" not in values:
            raise BadValue(Message("fit.adapt_keys", rules=list(RULES), known=list(names), got=list(values)))
        return cls(**values)

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise BadValue(Message("fit.adapt_rule", allowed=list(RULES), got=repr(self.rule)))
        if self.mean not in MEANS:
            raise BadValue(Message("fit.adapt_mean", allowed=list(MEANS), got=repr(self.mean)))
        if not 0 < self.least <= 1:
            raise BadValue(Message("fit.adapt_least", got=str(self.least)))
        if self.rate is not None and not 0 < self.rate < 1:
            raise BadValue(Message("fit.adapt_rate", got=str(self.rate)))
        if not 0 < self.longest_rest_s < inf or (self.bound is not None and not 0 < self.bound < inf):
            raise BadValue(Message("fit.adapt_bounds", rest=str(self.longest_rest_s), bound=str(self.bound)))
        if not 0 < self.delay_s <= self.block_s < inf or not 0 < self.half_life_s < inf:
            got = f"{self.block_s}, {self.delay_s}, {self.half_life_s}"
            raise BadValue(Message("fit.adapt_blocks", got=got))

    @property
    def limit(self) -> float:
        """The bound in force: the one given, else that of the rule."""
        return BOUNDS[self.rule] if self.bound is None else float(self.bound)
