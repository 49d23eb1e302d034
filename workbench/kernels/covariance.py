"""Second moments of a window."""

from __future__ import annotations

import numpy as np

from workbench.kernels._jit import FloatArray, IntArray, kernel, part
from workbench.kernels._tile import (
    add_rows,
    prefetch,
    subtract,
    tile_2,
    tile_4,
    tile_6,
    tile_8,
    triangle_2,
    triangle_4,
    triangle_6,
    triangle_8,
)

SIDE = 8
"""Lanes of a vector, as in ``kernels._tile``."""

ROWS = 8
"""Samples that are added at a time, as in ``kernels._tile``."""

PIECE = 64
"""Samples that are centred at a time: with 64 lanes 32 KiB, which the fastest cache holds."""

LINE = 64
"""Bytes of a line of the cache, and of eight lanes."""


@kernel("void(float64[:,::1], float64[::1])")
def mean_square(window: FloatArray, out: FloatArray) -> None:
    """Power of each lane.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV.
    out : ``(n_lanes,)`` float64, µV², written.
    """
    n_times, n_lanes = window.shape
    for lane in range(n_lanes):
        out[lane] = 0.0
    for t in range(n_times):
        for lane in range(n_lanes):
            out[lane] += window[t, lane] * window[t, lane]
    for lane in range(n_lanes):
        out[lane] /= n_times


@kernel("void(float64[:,::1], int64, float64[::1])")
def neighbour_correlations(window: FloatArray, n_bands: int, out: FloatArray) -> None:
    """Power of each lane, the bits of :func:`mean_square`, and its correlation with the next lane of its band.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV, band after band. n_bands : bands of the lanes.
    out : ``(2 · n_lanes,)`` float64, written: power, µV², then correlations, 0 for the last lane of a band and
        where either lane has no power.
    """
    n_times, n_lanes = window.shape
    n = n_lanes // n_bands
    for i in range(2 * n_lanes):
        out[i] = 0.0
    for t in range(n_times):
        for lane in range(n_lanes):
            out[lane] += window[t, lane] * window[t, lane]
        for lane in range(n_lanes - 1):
            out[n_lanes + lane] += window[t, lane] * window[t, lane + 1]
    for lane in range(n_lanes):
        out[lane] /= n_times
    for lane in range(n_lanes):
        last = lane % n == n - 1
        size = 0.0 if last else np.sqrt(out[lane] * out[lane + 1])
        out[n_lanes + lane] = out[n_lanes + lane] / n_times / size if size > 0.0 else 0.0


@part
def padded(n_lanes: int) -> int:
    """Number of columns in whole groups of eight that hold ``n_lanes`` lanes."""
    return (n_lanes + SIDE - 1) // SIDE * SIDE


@part
def column(lane: int, n_lanes: int) -> int:
    """Column of a lane in groups of eight: the last group ends with the last lane and overlaps the one before.

    So every group is a contiguous vector. Fewer than eight lanes stand at the end, behind zeros.
    """
    wide = padded(n_lanes)
    return lane if lane < wide - SIDE else lane + wide - n_lanes


@part
def average(window: FloatArray, first: int, n_lanes: int, mean: FloatArray) -> None:
    """Mean of some lanes, summed in the order of the samples.

    Parameters
    ----------
    window : ``(n_times, n)`` float64, µV. first, n_lanes : the lanes to average.
    mean : ``(padded(n_lanes),)`` float64, µV, written at the columns of the lanes.
    """
    n_times, wide = window.shape[0], mean.shape[0]
    for c in range(wide):
        mean[c] = 0.0
    # Blocks of eight samples are added in registers, the rest one by one: each sum keeps the samples' order.
    n_blocked = n_times - n_times % ROWS if n_lanes >= SIDE else 0
    for t in range(0, n_blocked, ROWS):
        for c in range(0, wide, SIDE):
            add_rows(window, t, first + min(c, n_lanes - SIDE), mean, c)
    shift = wide - n_lanes
    for t in range(n_blocked, n_times):
        for c in range(wide - SIDE):
            mean[c] += window[t, first + c]
        for c in range(max(wide - SIDE, shift), wide):
            mean[c] += window[t, first + c - shift]
    for c in range(wide):
        mean[c] /= n_times


@part
def centre(window: FloatArray, t: int, first: int, n_lanes: int, mean: FloatArray, out: FloatArray) -> int:
    """Some samples of some lanes without their mean.

    Parameters
    ----------
    window : ``(n_times, n)`` float64, µV. t : first sample. first, n_lanes : those lanes that are taken.
    mean : ``(padded(n_lanes),)`` float64, µV, by columns.
    out : ``(n_rows, padded(n_lanes))`` float64, µV, written by columns.

    Returns
    -------
    Rows written: those of ``out``, or fewer at the end of the window.
    """
    wide = out.shape[1]
    n_rows: int = min(out.shape[0], window.shape[0] - t)
    # With fewer lanes than a vector holds there is nothing to overlap; the zeros in front add nothing.
    if n_lanes >= SIDE:
        for c in range(0, wide, SIDE):
            subtract(window, t, first + min(c, n_lanes - SIDE), mean, c, n_rows, out)
        return n_rows
    for row in range(n_rows):
        for c in range(wide - n_lanes):
            out[row, c] = 0.0
        for lane in range(n_lanes):
            out[row, wide - n_lanes + lane] = window[t + row, first + lane] - mean[wide - n_lanes + lane]
    return n_rows


@part
def products(centred: FloatArray, n_rows: int, group: int, n_new: int, sums: FloatArray) -> None:
    """Add the products of a group's lanes with those of the groups before it, and with one another.

    Parameters
    ----------
    centred : ``(PIECE, width)`` float64, µV. n_rows : samples that are taken.
    group : its first column. n_new : lanes at its end that no group before it holds.
    sums : ``(width, width)`` float64, added to: before the diagonal blocks, and in them from the diagonal on.
    """
    # Tiles have even widths: for an odd number of new lanes the sums of one overlapping lane are formed
    # again, at places that ``scatter`` does not read.
    if n_new > 6:
        for earlier in range(0, group, SIDE):
            tile_8(centred, n_rows, group, earlier, sums)
        triangle_8(centred, n_rows, group, group, sums)
    elif n_new > 4:
        for earlier in range(0, group, SIDE):
            tile_6(centred, n_rows, group + 2, earlier, sums)
        triangle_6(centred, n_rows, group + 2, group, sums)
    elif n_new > 2:
        for earlier in range(0, group, SIDE):
            tile_4(centred, n_rows, group + 4, earlier, sums)
        triangle_4(centred, n_rows, group + 4, group, sums)
    else:
        for earlier in range(0, group, SIDE):
            tile_2(centred, n_rows, group + 6, earlier, sums)
        triangle_2(centred, n_rows, group + 6, group, sums)


@part
def workspace(n_rows: int, wide: int) -> FloatArray:
    """``(n_rows, wide)`` float64, not set, for whole groups of eight: each lies in one line of the cache."""
    whole = np.empty(n_rows * wide + SIDE)
    start = (LINE - whole.ctypes.data % LINE) % LINE // 8
    return whole[start : start + n_rows * wide].reshape(n_rows, wide)


@part
def scatter(
    window: FloatArray,
    first: int,
    following: FloatArray,
    ahead: int,
    mean: FloatArray,
    centred: FloatArray,
    sums: FloatArray,
    out: FloatArray,
) -> None:
    """Covariance of some lanes; symmetric to the bit.

    Parameters
    ----------
    window : ``(n_times, n)`` float64, µV. first : of the lanes that are taken, as many as ``out`` has.
    following, ahead : window of the same shape and first lane of what comes next, fetched from memory
        while this one is worked on; −1 for nothing.
    mean : ``(padded(n_lanes),)`` float64, overwritten.
    centred : ``(PIECE, padded(n_lanes))`` float64, overwritten. Pieces stay in the fastest cache between the
        subtraction of the mean and the products, and change no order: the sums are carried from piece to piece.
    sums : ``(padded(n_lanes), padded(n_lanes))`` float64, overwritten.
    out : ``(n_lanes, n_lanes)`` float64, µV², written.
    """
    n_times, n_lanes, wide = window.shape[0], out.shape[0], sums.shape[0]
    average(window, first, n_lanes, mean)
    sums[:] = 0.0
    for t in range(0, n_times, PIECE):
        n_rows = centre(window, t, first, n_lanes, mean, centred)
        fetched = 0
        for group in range(0, wide, SIDE):
            if ahead >= 0:
                # A share for each group: the processor keeps only so many requests at a time.
                until = n_rows * (group + SIDE) // wide
                prefetch(following, t + fetched, ahead, n_lanes, until - fetched)
                fetched = until
            products(centred, n_rows, group, min(SIDE, n_lanes - group), sums)
    for i in range(n_lanes):
        for j in range(i, n_lanes):
            a, b = column(i, n_lanes), column(j, n_lanes)
            # Sums with earlier groups stand in the rows of the later one, those within a group above its diagonal.
            same_group = a // SIDE == b // SIDE
            out[i, j] = (sums[a, b] if same_group else sums[b, a]) / (n_times - 1.0)
            out[j, i] = out[i, j]


@kernel("void(float64[:,::1], float64[:,::1], float64[:,::1])")
def covariance(window: FloatArray, centred: FloatArray, out: FloatArray) -> None:
    """Centred covariance, normalised by the number of samples less one.

    Parameters
    ----------
    window : ``(n_times, n_lanes)`` float64, µV; at least two samples (one gives nan).
    centred : same shape, written: the window less its mean.
    out : ``(n_lanes, n_lanes)`` float64, µV², written, symmetric to the bit. A lane with a value that is not
        finite gives nan in its row and column, and nowhere else.
    """
    n_times, n_lanes = window.shape
    wide = padded(n_lanes)
    mean, piece, sums = np.empty(wide), workspace(PIECE, wide), workspace(wide, wide)
    scatter(window, 0, window, -1, mean, piece, sums, out)
    for t in range(n_times):
        for lane in range(n_lanes):
            centred[t, lane] = window[t, lane] - mean[column(lane, n_lanes)]


@kernel("void(float64[:,::1], float64[:,:,::1])")
def band_covariances(window: FloatArray, out: FloatArray) -> None:
    """The :func:`covariance` of each band of a window: the same bits.

    Parameters
    ----------
    window : ``(n_times, n_bands · n_channels)`` float64, µV, band after band.
    out : ``(n_bands, n_channels, n_channels)`` float64, µV², written.
    """
    n_bands, n_channels, _ = out.shape
    wide = padded(n_channels)
    mean, centred, sums = np.empty(wide), workspace(PIECE, wide), workspace(wide, wide)
    for band in range(n_bands):
        scatter(window, band * n_channels, window, -1, mean, centred, sums, out[band])


@kernel("void(float64[:,:,::1], float64[:,:,:,::1])")
def epoch_covariances(epochs: FloatArray, out: FloatArray) -> None:
    """The :func:`band_covariances` of each epoch: the same bits.

    Parameters
    ----------
    epochs : ``(n_epochs, n_times, n_bands · n_channels)`` float64, µV: samples as they arrive, not channels first.
    out : ``(n_epochs, n_bands, n_channels, n_channels)`` float64, µV², written.
    """
    n_epochs, n_bands, n_channels, _ = out.shape
    wide = padded(n_channels)
    mean, centred, sums = np.empty(wide), workspace(PIECE, wide), workspace(wide, wide)
    n_all = n_epochs * n_bands
    for k in range(n_all):
        e, band = k // n_bands, k % n_bands
        # The last one has nothing after it.
        following, ahead = (k + 1) // n_bands % n_epochs, (k + 1) % n_bands * n_channels if k + 1 < n_all else -1
        scatter(epochs[e], band * n_channels, epochs[following], ahead, mean, centred, sums, out[e, band])


@kernel("void(float64[:,::1], float64[:,::1], float64[::1])")
def projected_variance(covariance: FloatArray, filters: FloatArray, out: FloatArray) -> None:
    """Variance after spatial filters: the diagonal of W C Wᵀ.

    Parameters
    ----------
    covariance : ``(n_lanes, n_lanes)`` float64, µV².
    filters : ``(n_filters, n_lanes)`` float64, rows are spatial filters.
    out : ``(n_filters,)`` float64, written.
    """
    n_filters, n_lanes = filters.shape
    for f in range(n_filters):
        total = 0.0
        for i in range(n_lanes):
            inner = 0.0
            for j in range(n_lanes):
                inner += covariance[i, j] * filters[f, j]
            total += filters[f, i] * inner
        out[f] = total


@kernel("void(float64[:,:,::1], float64[:,:,::1], int64[::1], float64[:,::1])")
def group_variances(covariances: FloatArray, filters: FloatArray, group: IntArray, out: FloatArray) -> None:
    """The :func:`projected_variance` of each band, averaged over the bands of a group: sums go from band to band.

    Parameters
    ----------
    covariances : ``(n_bands, n_lanes, n_lanes)`` float64, µV².
    filters : ``(n_bands, n_filters, n_lanes)`` float64, rows are spatial filters.
    group : ``(n_bands,)`` int64, row of ``out`` into which a band goes.
    out : ``(n_groups, n_filters)`` float64, written; nan for a group without a band.
    """
    n_bands, n_filters, _ = filters.shape
    power, bands = np.empty(n_filters), np.zeros(out.shape[0])
    out[:] = 0.0
    for band in range(n_bands):
        projected_variance(covariances[band], filters[band], power)
        row = group[band]
        bands[row] += 1.0
        for f in range(n_filters):
            out[row, f] += power[f]
    for row in range(out.shape[0]):
        for f in range(n_filters):
            out[row, f] /= bands[row]


@kernel("float64(float64[:,::1], float64[:,::1])")
def unlikeness(covariance: FloatArray, other: FloatArray) -> float:
    """One minus the cosine between two covariances, independent of scale: 0 where one is a multiple of the other.

    ``nan`` where either is zero or not finite.

    Parameters
    ----------
    covariance, other : ``(n, n)`` float64, µV².

    Notes
    -----
    One minus the RV coefficient of Robert and Escoufier 1976, doi:10.2307/2347233.
    """
    n = covariance.shape[0]
    inner, square, other_square = 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(n):
            inner += covariance[i, j] * other[i, j]
            square += covariance[i, j] * covariance[i, j]
            other_square += other[i, j] * other[i, j]
    size = np.sqrt(square * other_square)
    # Negated, so that nan ends here as well.
    if not size > 0.0:
        return np.nan
    value: float = 1.0 - inner / size
    return value


@kernel("boolean(float64[:,:,::1], float64[:,:,::1], float64[::1])")
def any_unlike(covariances: FloatArray, others: FloatArray, limits: FloatArray) -> bool:
    """Whether the :func:`unlikeness` of any band is not within its limit; ``nan`` is within none.

    Parameters
    ----------
    covariances, others : ``(n_bands, n, n)`` float64, µV².
    limits : ``(n_bands,)`` float64.
    """
    beyond = False
    for band in range(limits.shape[0]):
        beyond |= not unlikeness(covariances[band], others[band]) <= limits[band]
    return beyond
