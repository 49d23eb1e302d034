"""Correlation of a window with references and templates: what evoked decoders need at a decision.

A window consists of ``n_bands`` sub-bands of the same channels, band after band, as a stream delivers it.
Everything that does not depend on the window is computed when the decoder is fitted: references are orthonormal
there (:func:`orthonormal`). A decision is one call. Templates: ``kernels.templates``.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, IntArray, kernel, part
from workbench.kernels._qr import basis, householder, orthonormal
from workbench.kernels.linalg import matmul_at_b, symmetric_eigen, symmetric_eigenvalues

__all__ = ["canonical_correlations", "canonical_filters", "finite", "orthonormal"]


@kernel("boolean(float64[:,::1])")
def finite(a: FloatArray) -> bool:
    """Whether every value of ``a`` ``(n_times, n_lanes)`` float64 is finite."""
    for t in range(a.shape[0]):
        for lane in range(a.shape[1]):
            # Negated, so that nan is caught too: each comparison with it is false.
            if not abs(a[t, lane]) < np.inf:
                return False
    return True


@part
def centred_band(window: FloatArray, first: int, out: FloatArray) -> None:
    """Columns of a window from ``first`` on, less their means.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV. out : ``(n_times, n_channels)`` float64, µV, written.
    """
    n_times, n_channels = out.shape
    mean = np.zeros(n_channels)
    for t in range(n_times):
        for c in range(n_channels):
            mean[c] += window[t, first + c]
    for t in range(n_times):
        for c in range(n_channels):
            out[t, c] = window[t, first + c] - mean[c] / n_times


@part
def rows_gram(product: FloatArray, first: int, n: int, out: FloatArray) -> None:
    """``S Sᵀ`` of the block ``S = product[:rank, first:first + n]``.

    Parameters
    ----------
    product : ``(n_rows, n_columns)`` float64. out : ``(rank, rank)`` float64, its upper triangle is written.
    """
    for i in range(out.shape[0]):
        for j in range(i, out.shape[0]):
            out[i, j] = 0.0
            for k in range(first, first + n):
                out[i, j] += product[i, k] * product[j, k]


@part
def columns_gram(product: FloatArray, first: int, rank: int, out: FloatArray) -> None:
    """``Sᵀ S`` of the block ``S = product[:rank, first:first + n]``.

    Parameters
    ----------
    product : ``(n_rows, n_columns)`` float64. out : ``(n, n)`` float64, its upper triangle is written.
    """
    for i in range(out.shape[0]):
        for j in range(i, out.shape[0]):
            out[i, j] = 0.0
            for k in range(rank):
                out[i, j] += product[k, first + i] * product[k, first + j]


@part
def back_substitute(a: FloatArray, columns: IntArray, right: FloatArray, out: FloatArray) -> None:
    """Coefficients of the chosen columns, from the triangle that ``_qr.householder`` left.

    Parameters
    ----------
    a, columns : as it left them. right : ``(rank,)`` float64. out : ``(n_columns,)`` float64, written, 0 for
        the columns that were passed over.
    """
    rank = right.shape[0]
    out[:] = 0.0
    for i in range(rank - 1, -1, -1):
        total = right[i]
        for k in range(i + 1, rank):
            total -= a[i, columns[k]] * out[columns[k]]
        out[columns[i]] = total / a[i, columns[i]]


@kernel("int64(float64[:,::1], float64[:,::1], float64[:,::1])")
def canonical_correlations(window: FloatArray, references: FloatArray, out: FloatArray) -> int:
    """Largest canonical correlation of each sub-band with each class's references: CCA and filter-bank CCA.

    Parameters
    ----------
    window : ``(n_times, n_bands · n_channels)`` float64, µV; centred here.
    references : ``(n_times, n_classes · n_references)`` float64: for each class orthonormal columns of centred
        references (:func:`orthonormal`; columns of zeros do no harm).
    out : ``(n_bands, n_classes)`` float64, written, 0–1.

    Returns
    -------
    int
        The smallest rank of a sub-band; with rank 0 (flat) its correlations are 0. -1 when a value is not
        finite; ``out`` is then nan.

    Notes
    -----
    Björck and Golub 1973, Mathematics of Computation 27, 579–594; for SSVEP: Lin, Zhang, Wu and Gao 2006,
    IEEE Transactions on Biomedical Engineering 53, 2610–2614.
    """
    n_bands, n_classes = out.shape
    n_channels, n_references = window.shape[1] // n_bands, references.shape[1] // n_classes
    band, q = np.empty((window.shape[0], n_channels)), np.empty((window.shape[0], n_channels))
    product = np.empty((n_channels, references.shape[1]))
    min_rank: int = n_channels
    out[:, :] = 0.0
    if not finite(window):
        out[:, :] = np.nan
        return -1
    for b in range(n_bands):
        centred_band(window, b * n_channels, band)
        rank = orthonormal(band, q)
        min_rank = min(min_rank, rank)
        if rank == 0:
            continue
        matmul_at_b(q, references, product)
        size = min(rank, n_references)
        square, values = np.empty((size, size)), np.empty(size)
        for k in range(n_classes):
            # S Sᵀ and Sᵀ S share their largest eigenvalue; the smaller of the two is decomposed.
            if rank <= n_references:
                rows_gram(product, k * n_references, n_references, square)
            else:
                columns_gram(product, k * n_references, rank, square)
            symmetric_eigenvalues(square, values)
            # The squared cosine of an angle; rounding may leave it a little outside 0 to 1.
            out[b, k] = np.sqrt(min(max(values[size - 1], 0.0), 1.0))
    return min_rank


@kernel("int64(float64[:,::1], float64[:,::1], float64[::1], float64[:,::1], float64[:,::1])")
def canonical_filters(
    window: FloatArray, references: FloatArray, out: FloatArray, filters: FloatArray, weights: FloatArray
) -> int:
    """First canonical pair of a window with each class's references: correlation and both projections.

    Parameters
    ----------
    window : ``(n_times, n_channels)`` float64, µV; centred here.
    references : ``(n_times, n_classes · n_references)`` float64, orthonormal columns of each class.
    out : ``(n_classes,)`` float64, written, 0–1.
    filters : ``(n_classes, n_channels)`` float64, written: row ``k`` projects the window on a signal of unit
        norm; the largest element of its orthonormal form is positive.
    weights : ``(n_classes, n_references)`` float64, written: row ``k`` projects the references on the signal
        of unit norm that correlates with it; 0 when the correlation is 0.

    Returns
    -------
    int
        Rank of the window; channels that depend on those before them get the weight 0. -1 when a value is not
        finite; the output is then nan.
    """
    n_channels, n_references = window.shape[1], weights.shape[1]
    band, q = np.empty(window.shape), np.empty(window.shape)
    factors, columns = np.empty(n_channels), np.empty(n_channels, dtype=np.int64)
    product = np.empty((n_channels, references.shape[1]))
    out[:] = 0.0
    filters[:, :] = 0.0
    weights[:, :] = 0.0
    if not finite(window):
        out[:] = np.nan
        filters[:, :] = np.nan
        weights[:, :] = np.nan
        return -1
    centred_band(window, 0, band)
    # The factorisation is kept, not only its basis: the filters are solved for in R below.
    rank = householder(band, factors, columns)
    if rank == 0:
        return 0
    basis(band, factors, columns, rank, q)
    matmul_at_b(q, references, product)
    square, values, vectors = np.empty((rank, rank)), np.empty(rank), np.empty((rank, rank))
    for k in range(out.shape[0]):
        first = k * n_references
        rows_gram(product, first, n_references, square)
        symmetric_eigen(square, values, vectors)
        # The squared cosine of an angle; rounding may leave it a little outside 0 to 1.
        out[k] = np.sqrt(min(max(values[rank - 1], 0.0), 1.0))
        back_substitute(band, columns, vectors[rank - 1], filters[k])
        # The paired filter is the projection of the first one on the references: no second eigenproblem.
        norm = 0.0
        for r in range(n_references):
            for i in range(rank):
                weights[k, r] += vectors[rank - 1, i] * product[i, first + r]
            norm += weights[k, r] * weights[k, r]
        for r in range(n_references):
            weights[k, r] = weights[k, r] / np.sqrt(norm) if norm > 0.0 else 0.0
    return rank
