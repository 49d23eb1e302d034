"""Late fusion of the evidence of several decoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.scores import fused
from workbench.messages import Message
from workbench.vocabulary import Evidence, FloatArray


def fusion_weights(auc: Sequence[float]) -> tuple[float, ...]:
    """Weight of each decoder from its area under the ROC curve at calibration: ``2 AUC - 1``, summing to 1.

    Parameters
    ----------
    auc : of each decoder on held-out windows, 0–1; one at 0.5 or below gets no weight.

    Raises
    ------
    BadValue
        Values outside 0–1, or none above 0.5.
    """
    if not all(0 <= value <= 1 for value in auc) or not any(value > 0.5 for value in auc):
        raise BadValue(Message("decide.areas", got=[f"{value:g}" for value in auc]))
    # 2 AUC - 1 is the Gini coefficient: 0 at chance level.
    excess = [max(0.0, 2.0 * value - 1.0) for value in auc]
    return tuple(value / sum(excess) for value in excess)


def fuse(evidence: Sequence[Evidence], weights: Sequence[float]) -> Evidence:
    """One evidence of several about windows with the same end: ``log p = Σ v_m log p_m``, normalised.

    Parameters
    ----------
    evidence : one of each decoder, of the same classes in the same order.
    weights : v of each, 0 or more.

    Returns
    -------
    Evidence
        Of those that are valid and not rejected; where none is, equal to the first, so never valid and accepted.

    Raises
    ------
    BadValue
        Other ends, other numbers of classes or of weights, a weight below 0, or none above.
    """
    ends, sizes = {source.end for source in evidence}, {len(source.probabilities) for source in evidence}
    if len(ends) != 1 or len(sizes) != 1 or len(weights) != len(evidence):
        raise BadValue(
            Message(
                "decide.fusion",
                ends=str(sorted(ends)),
                sizes=str(sorted(sizes)),
                n=len(evidence),
                weights=len(weights),
            )
        )
    if min(weights) < 0 or max(weights) <= 0:
        raise BadValue(Message("decide.weights", got=[f"{weight:g}" for weight in weights]))
    usable = [i for i, source in enumerate(evidence) if source.valid and not source.rejected and weights[i] > 0]
    # Never valid and accepted without a usable source, so that no decision can rest on it.
    if not usable:
        return next((source for source in evidence if not source.valid or source.rejected), evidence[0])
    probabilities: FloatArray = np.array([evidence[i].probabilities for i in usable])
    out = np.empty(probabilities.shape[1])
    fused(probabilities, np.array([float(weights[i]) for i in usable]), out)
    return Evidence(evidence[0].end, tuple(out.tolist()))
