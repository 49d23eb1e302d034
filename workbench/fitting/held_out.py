"""Calibration, rejection and thresholds, learned from blocks that are held out in turn. Fitting only."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.decoding.reducers import Covariances, PowerAndNeighbours
from workbench.decoding.scorer import Calibration
from workbench.errors import BadSignal
from workbench.fitting.confidence import confidence_threshold, temperature
from workbench.fitting.lda import ledoit_wolf
from workbench.fitting.learnable import Learnable
from workbench.fitting.novelty_limit import learn_neighbours, learn_novelty, learn_unlikeness
from workbench.fitting.settings import EvidenceSettings
from workbench.kernels.evidence import softmax
from workbench.kernels.scores import log_odds
from workbench.messages import Message
from workbench.vocabulary import FloatArray

FOLDS = 5
"""Contiguous folds of blocks that are held out in turn."""

MANY = 200
"""Held-out windows above which ``calibrate="auto"`` takes isotonic maps."""

FEW = 10
"""Held-out windows of a class below which ``calibrate="auto"`` leaves scores as they are."""

INSIDE = 0.99
"""Share of the windows of a class that lie within the limit of an outlier."""


def learn_evidence(
    decoder: Learnable, summaries: FloatArray, y: NDArray[Any], blocks: NDArray[Any] | None
) -> dict[str, FloatArray]:
    """Learn calibration, rejection and thresholds from blocks that are held out in turn.

    Parameters
    ----------
    decoder : fitted on all windows; its ``settings`` are known.
    summaries : ``(n, …)`` float64. y : ``(n,)`` classes.
    blocks : ``(n,)``; windows of one block are held out together. None: each window is a block.

    Returns
    -------
    dict of float64 arrays, empty where nothing is asked for: ``calibration_x``, ``calibration_y``
    ``(n_classes, n_knots)``, ``calibration_slope`` ``(n_classes,)``; ``factor`` ``(1,)``; ``least`` ``(1,)``,
    ``whitening``, ``means``, ``limit`` ``(1,)``; ``threshold`` and ``release`` ``(1,)``; ``bounds``
    ``(n_classes,)``; what :func:`workbench.fitting.novelty_limit.learn_novelty` returns.

    Raises
    ------
    BadSignal
        When calibration, rejection or a threshold is asked for, and a class has one block only. The limit of what
        is far from the training data needs none to be held out.
    """
    settings, classes = decoder.evidence_settings, decoder.class_names
    kind = settings.remembers(classes)
    index = np.searchsorted(decoder.classes_, y)
    out = bounds_of(settings, classes) | novelty_of(decoder, summaries, index, blocks)
    calibrate = settings.calibrate
    # One factor changes no decision, so a fit that cannot hold a block out may do without it.
    if calibrate == "temperature" and _blocks_of_scarcest(index, blocks) < 2:
        calibrate = None
    thresholds = kind in ("trigger", "detector")
    if calibrate is None and settings.reject is None and settings.stop is None and not thresholds:
        return out
    fold = folds(index, blocks)
    scores, distances = _held_out(decoder, summaries, y, fold)
    maps = _maps(calibrate, scores, index)
    if maps is not None:
        out |= {"calibration_x": maps.x, "calibration_y": maps.y, "calibration_slope": maps.slope}
        scores = np.array([maps.scores(row) for row in scores])
    if calibrate == "temperature":
        out["factor"] = np.array([temperature(scores, index)])
        scores = scores * out["factor"]
    if settings.reject is not None:
        min_probability = 0.0 if kind is not None else _least(scores, index, settings.reject)
        out |= {"least": np.array([min_probability]), **_outliers(decoder, summaries, index, distances)}
    if settings.stop is not None and kind is None:
        threshold = confidence_threshold(scores, index, settings.stop)
        out["least"] = np.maximum(out.get("least", threshold), threshold)
    if kind == "trigger":
        out["threshold"] = np.array([_threshold(scores, index, decoder)])
    if kind == "detector":
        onset, release = detector_thresholds(scores, index, _blocks(index, blocks), decoder)
        out |= {"threshold": np.array([onset]), "release": np.array([release])}
    return out


def novelty_of(
    decoder: Learnable, summaries: FloatArray, index: NDArray[np.int64], blocks: NDArray[Any] | None
) -> dict[str, FloatArray]:
    """Arrays that detect windows far from these; empty where that is not asked for.

    Parameters
    ----------
    decoder : its ``settings`` are known.
    summaries : ``(n, …)`` float64. index : ``(n,)`` class of each window.
    blocks : ``(n,)``; windows of one block are held out together. None: each window is a block.
    """
    share = decoder.evidence_settings.novelty
    if share is None:
        return {}
    reducer = decoder.reducer()
    power = np.array([reducer.lane_power(summary) for summary in summaries])
    fold = folds(index, blocks) if _blocks_of_scarcest(index, blocks) > 1 else None
    arrays = learn_novelty(power, index, n_bands=len(decoder.settings.bands), share=share, fold=fold)
    if isinstance(reducer, Covariances):
        arrays |= learn_unlikeness(summaries, share=share, fold=fold)
    if isinstance(reducer, PowerAndNeighbours):
        neighbours = np.array([reducer.neighbours(summary) for summary in summaries])
        arrays |= learn_neighbours(neighbours, share=share, fold=fold)
    return arrays


def folds(index: NDArray[np.int64], blocks: NDArray[Any] | None) -> NDArray[np.int64]:
    """``(n,)`` fold of each window: blocks in the order given, in contiguous folds, each class in several.

    Parameters
    ----------
    index : ``(n,)`` class of each window. blocks : ``(n,)`` block of each; None: each window is a block.

    Notes
    -----
    A block is judged by all classes in it, never by that of its first window. Blocks of the same classes fall in
    contiguous folds of their own, so that every fold has its share of each class. Where that leaves a class in one
    fold (blocks of different mixtures, few of each), every block is a fold: with two blocks of each class,
    whatever is held out leaves some of it.

    Raises
    ------
    BadSignal
        When a class has a single block: nothing can be held out.
    """
    scarcest = _blocks_of_scarcest(index, blocks)
    if scarcest < 2:
        raise BadSignal(Message("fit.one_block"))
    n_folds = min(FOLDS, scarcest)
    _, first, owner = np.unique(_blocks(index, blocks), return_index=True, return_inverse=True)
    owner = owner.ravel()
    mixtures: dict[tuple[int, ...], list[int]] = {}
    for block in np.argsort(first).tolist():
        mixtures.setdefault(tuple(np.unique(index[owner == block]).tolist()), []).append(block)
    fold = np.empty(len(first), dtype=np.int64)
    for members in mixtures.values():
        # Contiguous, because neighbouring blocks resemble one another: a random split would leak.
        fold[members] = np.arange(len(members)) * n_folds // len(members)
    assigned: NDArray[np.int64] = fold[owner]
    # A class in one fold would be missing from the training of that fold.
    if min(len(np.unique(assigned[index == k])) for k in np.unique(index)) < 2:
        assigned = np.argsort(np.argsort(first))[owner]
    return assigned


def _blocks(index: NDArray[np.int64], blocks: NDArray[Any] | None) -> NDArray[Any]:
    return np.arange(len(index)) if blocks is None else blocks


def _blocks_of_scarcest(index: NDArray[np.int64], blocks: NDArray[Any] | None) -> int:
    """Number of blocks of the class that lies in the fewest."""
    block_of = _blocks(index, blocks)
    return min(len(np.unique(block_of[index == k])) for k in np.unique(index))


def _held_out(
    decoder: Learnable, summaries: FloatArray, y: NDArray[Any], fold: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Scores ``(n, n_classes)`` and squared distances ``(n,)`` of windows that the decoder had not seen."""
    scores, distances = np.empty((len(y), len(decoder.classes_))), np.empty(len(y))
    for k in np.unique(fold):
        train, test = fold != k, fold == k
        # It shares settings and filters, which need no data; everything else is learned again.
        twin = copy(decoder)
        twin.evidence_ = {}
        twin.learn(summaries[train], y[train])
        scorer = twin.scorer()
        every = decoder.evidence_settings.reject is not None
        features = {i: scorer.features(summaries[i]) for i in range(len(y)) if every or test[i]}
        for i in np.flatnonzero(test).tolist():
            scores[i] = scorer.scores(features[i])
        if every:
            normalised = np.array([scorer.classifier.normalised(row) for row in features.values()])
            index = np.searchsorted(decoder.classes_, y)
            white, means = _whitening(normalised[train], index[train])
            differences = (normalised[test] @ white.T)[:, None] - means
            distances[test] = (differences**2).sum(axis=2).min(axis=1)
    return scores, distances


def bounds_of(settings: EvidenceSettings, classes: tuple[str, ...]) -> dict[str, FloatArray]:
    """``bounds`` ``(n_classes,)``: Wald's, where movements are tested against rest; 0 for a leaky sum.

    Empty where evidence is not a sum.
    """
    kind = settings.remembers(classes)
    if kind not in ("leaky", "sprt"):
        return {}
    if kind == "leaky":
        return {"bounds": np.zeros(len(classes))}
    rest = settings.rest_index(classes)
    upper = np.log((1 - settings.beta) / settings.alpha)
    lower = np.log((1 - settings.alpha) / settings.beta)
    return {"bounds": np.array([lower if k == rest else upper for k in range(len(classes))])}


# ------------------------------------------------------------------ calibration
def _maps(kind: str | None, scores: FloatArray, index: NDArray[np.int64]) -> Calibration | None:
    counts = np.bincount(index)
    if kind == "auto":
        kind = "isotonic" if len(index) > MANY else "platt" if counts.min() >= FEW else None
    if kind in (None, "temperature"):
        return None
    odds = np.array([_odds(row) for row in scores])
    maps = [(platt if kind == "platt" else isotonic)(odds[:, k], index == k) for k in range(len(counts))]
    longest = max(len(x) for x, _, _ in maps)
    return Calibration(
        np.array([np.pad(x, (0, longest - len(x)), mode="edge") for x, _, _ in maps]),
        np.array([np.pad(y, (0, longest - len(y)), mode="edge") for _, y, _ in maps]),
        np.array([slope for _, _, slope in maps]),
    )


def platt(odds: FloatArray, true: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, float]:
    """A logistic: knot, log odds at the knot, slope.

    Parameters
    ----------
    odds : ``(n,)`` float64, held out. true : ``(n,)``, whether the class was that.

    Notes
    -----
    Platt 1999, Advances in Large Margin Classifiers, 61–74, with his targets; Newton steps as in Lin, Lin and
    Weng 2007, Machine Learning 68, 267–276. The slope is never negative: scores are never inverted.
    """
    n_true, n_false = int(true.sum()), int((~true).sum())
    # Platt's targets: no finite number of windows shows a probability of 0 or 1.
    target = np.where(true, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))
    middle, scale = float(odds.mean()), float(odds.std()) or 1.0
    z = np.stack([(odds - middle) / scale, np.ones(len(odds))], axis=1)
    # Platt's start: a flat map at the log odds of the classes.
    w = np.array([0.0, np.log((n_true + 1) / (n_false + 1))])
    for _ in range(100):
        p = 1 / (1 + np.exp(-z @ w))
        gradient = z.T @ (p - target)
        # The small ridge keeps the Hessian invertible where the two classes are separated.
        step = np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + 1e-9 * np.eye(2), gradient)
        # Newton's steps overshoot where the logistic is flat.
        step *= min(1.0, 5.0 / float(np.abs(step).max() + 1e-300))
        w = w - step
        if np.abs(step).max() < 1e-10:
            break
    return np.array([middle]), np.array([w[1]]), max(float(w[0]) / scale, 0.0)


def isotonic(odds: FloatArray, true: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, float]:
    """A rising map: knots, log odds at the knots, slope 0 beyond them.

    Parameters
    ----------
    odds : ``(n,)`` float64, held out. true : ``(n,)``, whether the class was that.

    Notes
    -----
    Zadrozny and Elkan 2002, doi:10.1145/775047.775151. Probabilities keep away from 0 and 1 by ``1 / (n + 2)``,
    as no finite number of windows shows more; between knots the log odds are straight.
    """
    from sklearn.isotonic import IsotonicRegression

    margin = 1 / (len(odds) + 2)
    model = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip").fit(odds, true.astype(float))
    p = np.clip(model.y_thresholds_, margin, 1 - margin)
    return np.asarray(model.X_thresholds_, dtype=np.float64), np.log(p / (1 - p)), 0.0


# ------------------------------------------------------------------ rejection
def _least(scores: FloatArray, index: NDArray[np.int64], target: float) -> float:
    """The least probability that keeps the share of errors among held-out windows at the target."""
    p = np.empty_like(scores)
    for row, out in zip(scores, p):
        softmax(row, out)
    sure, right = p.max(axis=1), p.argmax(axis=1) == index
    order = np.argsort(-sure, kind="stable")
    errors = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    # A threshold cannot separate windows of equal confidence.
    last = np.append(sure[order][1:] < sure[order][:-1], True)
    good = np.flatnonzero((errors <= target) & last)
    if not len(good):
        raise BadSignal(
            Message(
                "fit.no_threshold",
                target=f"{target:.0%}",
                wrong=f"{(~right).mean():.0%}",
                least=f"{errors[last].min():.0%}",
            )
        )
    return float(sure[order][good[-1]])


def _whitening(features: FloatArray, index: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Lower triangular whitening of the spread within classes, and whitened means."""
    means = np.array([features[index == k].mean(axis=0) for k in range(int(index.max()) + 1)])
    pooled, _ = ledoit_wolf(features - means[index])
    white = np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(pooled)))
    return white, means @ white.T


def _outliers(
    decoder: Learnable, summaries: FloatArray, index: NDArray[np.int64], distances: FloatArray
) -> dict[str, FloatArray]:
    """Whitening, means and limit: the chi-square one, or what held-out windows reach where that is more."""
    from scipy.stats import chi2

    scorer = decoder.scorer()
    features = np.array([scorer.classifier.normalised(scorer.features(summary)) for summary in summaries])
    white, means = _whitening(features, index)
    # Features are not quite normal, so what held-out windows reach is allowed where it is more.
    limit = max(float(chi2.ppf(INSIDE, features.shape[1])), float(np.quantile(distances, INSIDE)))
    return {"whitening": white, "means": means, "limit": np.array([limit])}


# ------------------------------------------------------------------ self-paced detection
def _threshold(scores: FloatArray, index: NDArray[np.int64], decoder: Learnable) -> float:
    """The least log odds of a movement, 0 or more, with few enough false detections in held-out rest.

    Windows of rest count for a hop each, however far apart they are, which errs on the safe side.
    """
    settings, step_s = decoder.evidence_settings, decoder.step_s
    rest = settings.rest_index(decoder.class_names)
    moving = np.array([-_odds(row)[rest] for row in scores[index == rest]])
    allowed = settings.false_per_min * len(moving) * step_s / 60.0
    refractory = max(1, round(settings.refractory_s / step_s))
    threshold = float(np.nextafter(moving.max(), np.inf))
    # From the highest down: detections increase as the threshold falls, so the first that is too low ends it.
    for candidate in np.quantile(moving, np.linspace(1.0, 0.0, 201)):
        if candidate < 0.0 or detections(moving, float(candidate), refractory) > allowed:
            break
        threshold = float(candidate)
    return max(threshold, 0.0)


def detector_thresholds(
    scores: FloatArray, index: NDArray[np.int64], blocks: NDArray[Any], decoder: Learnable
) -> tuple[float, float]:
    """Onset and release of a detector, from the running mean of the log odds in held-out rest.

    Parameters
    ----------
    scores : ``(n, n_classes)`` float64, held out and calibrated, in the order of time.
    index : ``(n,)`` true class of each. blocks : ``(n,)`` block of each; each has a running mean of its own.
    decoder : with a rest class, a hop, and how many false onsets a minute are allowed.

    Notes
    -----
    How often a running mean rises above a level is taken from its spread and speed in rest, as of a normal
    process: ``ν exp(-z² / 2)`` with ``ν = σ' / (2 π σ)`` (Rice 1945, Bell System Technical Journal 24, 46–156).
    Seconds of rest then give a threshold for a rate that they are too short to show, which counting onsets cannot.
    It is raised by what few stretches of rest leave unknown. Release is half-way to the median of rest.
    """
    settings, step_s = decoder.evidence_settings, decoder.step_s
    rest, share = settings.rest_index(decoder.class_names), settings.newest_share(step_s)
    level = np.array([-_odds(row)[rest] for row in scores])
    follows = np.zeros(len(level), dtype=bool)
    follows[1:] = (blocks[1:] == blocks[:-1]) & (index[1:] == index[:-1])
    begins = np.flatnonzero(~follows)
    for first, last in zip(begins, np.append(begins[1:], len(level)), strict=True):
        # From the mean of its stretch: the first window alone varies more than a running mean does.
        mean = level[first:last].mean()
        for i in range(first, last):
            level[i] = mean = mean + share * (level[i] - mean)
    resting = index == rest
    middle, spread = float(np.median(level[resting])), float(level[resting].std())
    speeds = np.diff(level, prepend=level[0])[resting & follows] / step_s
    # Without neighbours nothing shows the speed: a running mean of windows forgets within their length.
    window_s = decoder.settings.n_window(decoder.fs) / decoder.fs
    speed = float(np.sqrt((speeds**2).mean())) if len(speeds) else spread / (window_s + settings.smooth_s)
    # Spread that is rounding would make both thresholds one.
    spread = max(spread, 1e-6)
    per_min = 60.0 * speed / (2.0 * np.pi * spread)
    height = float(np.sqrt(2.0 * np.log(max(per_min / settings.false_per_min, np.e))))
    onset = middle + spread * _predicted(height, n=int((resting & ~follows).sum()))
    return onset, 0.5 * (onset + middle)


def _predicted(height: float, *, n: int) -> float:
    """The height, in spreads above the middle, that a new normal value passes as rarely as ``height``.

    Middle and spread were estimated from ``n`` independent values: Student's t takes the place of the normal.
    """
    from scipy.stats import norm, t

    return float(t.isf(norm.sf(height), max(1, n - 1)) * np.sqrt(1.0 + 1.0 / n))


def detections(odds: FloatArray, threshold: float, refractory: int) -> int:
    """How often odds rise to a threshold.

    Parameters
    ----------
    odds : ``(n,)`` float64, log odds of a movement, window after window.
    threshold : log odds at which a movement is detected.
    refractory : windows for which a detection is held; there is no other in them.
    """
    count, remaining, armed = 0, 0, True
    for above in (odds >= threshold).tolist():
        remaining = max(remaining - 1, 0)
        if remaining:
            continue
        if above and armed:
            count, remaining, armed = count + 1, refractory, False
        else:
            armed = not above
    return count


def _odds(row: FloatArray) -> FloatArray:
    out = np.empty_like(row)
    log_odds(row, out)
    return out
