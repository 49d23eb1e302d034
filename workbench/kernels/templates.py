"""Correlation of a spatially filtered window with templates: TRCA, its ensemble, TDCA.

``y = W x̃`` are the filtered signals of a window; x̃ is the window beside copies of itself, sample ``t`` of copy
``l`` being its sample ``t + l`` (0 past its end); W are the filters of a class or of all classes together. For
TDCA the projection of y on a class's references stands behind it in time. The score of a class is Pearson's
correlation of all this with the class's template. As it is linear in the window but for the norm, template and
filters are folded into one array when the decoder is fitted (:func:`fold`); at a decision one call of
:func:`template_correlations` scores all classes and bands.

TRCA: Nakanishi et al. 2018, IEEE Transactions on Biomedical Engineering 65, 104–112. TDCA: Liu et al. 2021, IEEE
Transactions on Neural Systems and Rehabilitation Engineering 29, 1998–2007.
"""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, kernel, part
from workbench.kernels.linalg import matmul, matmul_at_b, transpose


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1], float64[:,::1])")
def fold(template: FloatArray, filters: FloatArray, references: FloatArray, out: FloatArray) -> None:
    """Fold a filtered template with its filters, so that its product with a window is their correlation.

    Parameters
    ----------
    template : ``(n_times, n_filters)`` float64, the filtered template; with references
        ``(2 · n_times, n_filters)``: behind it in time its projection on them.
    filters : ``(n_filters, n_copies · n_channels)`` float64, copies outermost.
    references : ``(n_times, n_references)`` float64, orthonormal columns; ``(n_times, 0)`` for none.
    out : ``(n_times, n_channels)`` float64, written; zeros for a template without variance.
    """
    n_times, n_channels = out.shape
    rows, n_filters = template.shape
    mean, norm = 0.0, 0.0
    for t in range(rows):
        for f in range(n_filters):
            mean += template[t, f]
    mean /= rows * n_filters
    centred = np.empty((rows, n_filters))
    for t in range(rows):
        for f in range(n_filters):
            centred[t, f] = template[t, f] - mean
            norm += centred[t, f] * centred[t, f]
    out[:, :] = 0.0
    if not norm > 0.0:
        return
    norm = np.sqrt(norm)
    # <R Rᵀy, b> = <y, R Rᵀb>: the half of the template behind the window is projected back, so that one
    # product with the window covers both halves.
    folded = centred[:n_times].copy()
    if references.shape[1] > 0:
        inner = np.empty((references.shape[1], n_filters))
        matmul_at_b(references, centred[n_times:].copy(), inner)
        back_projected = np.empty((n_times, n_filters))
        matmul(references, inner, back_projected)
        for t in range(n_times):
            for f in range(n_filters):
                folded[t, f] += back_projected[t, f]
    for t in range(n_times):
        for copy in range(min(t + 1, filters.shape[1] // n_channels)):
            for f in range(n_filters):
                for c in range(n_channels):
                    out[t, c] += folded[t - copy, f] * filters[f, copy * n_channels + c] / norm


@part
def energies(y: FloatArray, references: FloatArray, ensemble: int, out: FloatArray) -> None:
    """Sum of squares about the mean of the filtered window, with its projection on each class's references.

    Parameters
    ----------
    y : ``(n_times, n_filters)`` float64. references : ``(n_times, n_classes · n_references)`` float64, or no
        column. ensemble : 1 when all filters belong to each class, 0 when filter ``k`` belongs to class ``k``.
    out : ``(n_classes,)`` float64, written.
    """
    n_times, n_filters = y.shape
    n_classes, n_references = out.shape[0], references.shape[1] // out.shape[0]
    inner, sums = np.empty((n_filters, references.shape[1])), np.zeros(references.shape[1])
    total, square = np.zeros(n_filters), np.zeros(n_filters)
    matmul_at_b(y, references, inner)
    for t in range(n_times):
        for f in range(n_filters):
            total[f] += y[t, f]
            square[f] += y[t, f] * y[t, f]
        for r in range(references.shape[1]):
            sums[r] += references[t, r]
    # Number of values behind the sums: the projection doubles the time, an ensemble joins its filters.
    length = n_times * (2 if n_references > 0 else 1) * (n_filters if ensemble == 1 else 1)
    for k in range(n_classes):
        first, last = (0, n_filters) if ensemble == 1 else (k, k + 1)
        all_squares, all_values = 0.0, 0.0
        for f in range(first, last):
            all_squares += square[f]
            all_values += total[f]
            for r in range(k * n_references, (k + 1) * n_references):
                # The references are orthonormal: the coefficients have the energy of the projection.
                all_squares += inner[f, r] * inner[f, r]
                all_values += inner[f, r] * sums[r]
        # Σx² - (Σx)²/n: the digits that cancel are few, since band-passed windows have a mean near 0.
        out[k] = all_squares - all_values * all_values / length


@kernel("int64(float64[:,::1], float64[:,:,::1], float64[:,::1], float64[:,:,::1], int64, float64[:,::1])")
def template_correlations(
    window: FloatArray,
    filters: FloatArray,
    references: FloatArray,
    templates: FloatArray,
    ensemble: int,
    out: FloatArray,
) -> int:
    """Correlation of each sub-band of a filtered window with each class's template: one call per decision.

    Parameters
    ----------
    window : ``(n_times, n_bands · n_channels)`` float64, µV, band after band.
    filters : ``(n_bands, n_filters, n_copies · n_channels)`` float64, copies (by 0, 1, … samples)
        outermost; one copy for TRCA.
    references : ``(n_times, n_classes · n_references)`` float64, orthonormal columns of each class, for TDCA;
        ``(n_times, 0)`` for TRCA.
    templates : ``(n_bands, n_times · n_channels, n_classes)`` float64: what :func:`fold` gave, class innermost.
    ensemble : 1 when all filters serve each class (ensemble TRCA, TDCA), 0 when filter ``k`` serves class ``k``.
    out : ``(n_bands, n_classes)`` float64, written, -1 to 1; 0 where the filtered window does not vary.

    Returns
    -------
    int
        0, or -1 when a value of the window is not finite; ``out`` is then nan.
    """
    n_times = window.shape[0]
    n_bands, n_classes = out.shape
    n_channels, width = window.shape[1] // n_bands, filters.shape[2]
    band, flat = np.zeros((n_times, width)), np.empty((1, n_times * n_channels))
    transposed, y = np.empty((width, filters.shape[1])), np.empty((n_times, filters.shape[1]))
    energy, product = np.empty(n_classes), np.empty((1, n_classes))
    for t in range(n_times):
        for lane in range(window.shape[1]):
            # Negated, so that nan is caught as well.
            if not abs(window[t, lane]) < np.inf:
                out[:, :] = np.nan
                return -1
    for b in range(n_bands):
        for t in range(n_times):
            for c in range(n_channels):
                value = window[t, b * n_channels + c]
                flat[0, t * n_channels + c] = value
                # Rows past the window's end are never written and stay 0 for each band.
                for copy in range(min(t + 1, width // n_channels)):
                    band[t - copy, copy * n_channels + c] = value
        transpose(filters[b], transposed)
        matmul(band, transposed, y)
        energies(y, references, ensemble, energy)
        matmul(flat, templates[b], product)
        for k in range(n_classes):
            out[b, k] = product[0, k] / np.sqrt(energy[k]) if energy[k] > 0.0 else 0.0
    return 0


@kernel("void(float64[:,::1], float64[::1], int64, float64[::1])")
def weighted_sum(correlations: FloatArray, weights: FloatArray, power: int, out: FloatArray) -> None:
    """Score of each class over the sub-bands.

    Parameters
    ----------
    correlations : ``(n_bands, n_classes)`` float64. weights : ``(n_bands,)`` float64.
    power : 1 for ``Σ w r``, 2 for ``Σ w sign(r) r²``. out : ``(n_classes,)`` float64, written.
    """
    for k in range(out.shape[0]):
        out[k] = 0.0
        for b in range(weights.shape[0]):
            r = correlations[b, k]
            out[k] += weights[b] * (r * abs(r) if power == 2 else r)


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1], float64[::1])")
def projected_correlations(a: FloatArray, b: FloatArray, filters: FloatArray, out: FloatArray) -> None:
    """Pearson's correlation of two windows after the same spatial filter, for each of several filters.

    Parameters
    ----------
    a, b : ``(n_times, n_channels)`` float64, µV. filters : ``(n_filters, n_channels)`` float64.
    out : ``(n_filters,)`` float64, written; 0 where one does not vary, nan where one is not finite.
    """
    n_times, n_filters = a.shape[0], filters.shape[0]
    transposed = np.empty((filters.shape[1], n_filters))
    x, y = np.empty((n_times, n_filters)), np.empty((n_times, n_filters))
    transpose(filters, transposed)
    matmul(a, transposed, x)
    matmul(b, transposed, y)
    for f in range(n_filters):
        mean_x, mean_y = 0.0, 0.0
        for t in range(n_times):
            mean_x += x[t, f]
            mean_y += y[t, f]
        mean_x /= n_times
        mean_y /= n_times
        xx, xy, yy = 0.0, 0.0, 0.0
        for t in range(n_times):
            xx += (x[t, f] - mean_x) * (x[t, f] - mean_x)
            xy += (x[t, f] - mean_x) * (y[t, f] - mean_y)
            yy += (y[t, f] - mean_y) * (y[t, f] - mean_y)
        # Two roots rather than one of the product, which could overflow or underflow.
        size = np.sqrt(xx) * np.sqrt(yy)
        out[f] = 0.0 if size == 0.0 else xy / size
