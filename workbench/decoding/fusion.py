"""Late fusion of the evidence of several decoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.scores import fused
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
    if not all(0 <= one <= 1 for one in auc) or not any(one > 0.5 for one in auc):
        raise BadValue(f"areas must lie in 0–1 and one above 0.5, got {', '.join(f'{one:g}' for one in auc)}")
    worth = [max(0.0, 2.0 * one - 1.0) for one in auc]
    return tuple(one / sum(worth) for one in worth)


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
    ends, sizes = {one.end for one in evidence}, {len(one.probabilities) for one in evidence}
    if len(ends) != 1 or len(sizes) != 1 or len(weights) != len(evidence):
        raise BadValue(
            f"fusion needs evidence of one end and the same classes and a weight for each; got ends "
            f"{sorted(ends)}, {sorted(sizes)} classes, {len(evidence)} evidences and {len(weights)} weights"
        )
    if min(weights) < 0 or max(weights) <= 0:
        raise BadValue(f"weights must be 0 or more, and one above, got {', '.join(f'{one:g}' for one in weights)}")
    usable = [i for i, one in enumerate(evidence) if one.valid and not one.rejected and weights[i] > 0]
    if not usable:
        return next((one for one in evidence if not one.valid or one.rejected), evidence[0])
    probabilities: FloatArray = np.array([evidence[i].probabilities for i in usable])
    out = np.empty(probabilities.shape[1])
    fused(probabilities, np.array([float(weights[i]) for i in usable]), out)
    return Evidence(evidence[0].end, tuple(out.tolist()))
