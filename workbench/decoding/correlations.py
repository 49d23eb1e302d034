"""From a window to a score of each class by correlation: strict arithmetic, kernels only. Nothing is learned."""

from __future__ import annotations

import numpy as np

from workbench.kernels.correlation import canonical_correlations, canonical_filters
from workbench.kernels.templates import projected_correlations, template_correlations, weighted_sum
from workbench.vocabulary import FloatArray


class Canonical:
    """Canonical correlation of a window with the references of each class, over sub-bands.

    Parameters
    ----------
    references : ``(n_window, n_classes · n_references)`` float64, orthonormal for each class.
    weights : ``(n_bands,)`` float64. power : 1 for Σ w r, 2 for Σ w r².
    n_classes : classes.
    """

    def __init__(self, references: FloatArray, weights: FloatArray, *, power: int, n_classes: int) -> None:
        self._references, self._weights, self._power = references, weights, power
        self._n_classes = n_classes

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64 from a window ``(n_window, n_lanes)`` float64, µV."""
        r, out = np.empty((len(self._weights), self._n_classes)), np.empty(self._n_classes)
        canonical_correlations(summary, self._references, r)
        weighted_sum(r, self._weights, self._power, out)
        return out


class Template:
    """Correlation of a spatially filtered window with the template of each class, over sub-bands.

    Parameters
    ----------
    filters : ``(n_bands, n_filters, n_copies · n_channels)`` float64.
    references : ``(n_window, n_classes · n_references)`` float64, or no column.
    templates : ``(n_bands, n_window · n_channels, n_classes)`` float64, folded with filters and references.
    ensemble : whether all filters serve each class. weights : ``(n_bands,)`` float64.
    """

    def __init__(
        self,
        filters: FloatArray,
        references: FloatArray,
        templates: FloatArray,
        weights: FloatArray,
        *,
        ensemble: bool,
    ) -> None:
        self._filters, self._references, self._templates = filters, references, templates
        self._weights, self._ensemble = weights, int(ensemble)

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64, Σ w sign(r) r², from a window ``(n_window, n_lanes)`` float64, µV."""
        n_classes = self._templates.shape[2]
        r, out = np.empty((len(self._weights), n_classes)), np.empty(n_classes)
        template_correlations(summary, self._filters, self._references, self._templates, self._ensemble, r)
        weighted_sum(r, self._weights, 2, out)
        return out


class Extended:
    """The four correlations of extended CCA with each class, over sub-bands.

    Parameters
    ----------
    references : ``(n_window, n_classes · n_references)`` float64, orthonormal sines and cosines of each class.
    templates : ``(n_bands, n_classes, n_window, n_channels)`` float64, µV: mean window of each class.
    bases : ``(n_bands, n_window, n_classes · n_channels)`` float64, orthonormal columns of the templates.
    filters : ``(n_bands, n_classes, n_channels)`` float64: CCA of each template with its references.
    weights : ``(n_bands,)`` float64.
    """

    def __init__(
        self,
        references: FloatArray,
        templates: FloatArray,
        bases: FloatArray,
        filters: FloatArray,
        weights: FloatArray,
    ) -> None:
        self._references, self._templates, self._bases = references, templates, bases
        self._filters, self._weights = filters, weights

    def features(self, summary: FloatArray) -> FloatArray:
        """``(n_classes,)`` float64, Σ w Σ sign(r) r², from a window ``(n_window, n_lanes)`` float64, µV."""
        n_bands, n_classes, _, n_channels = self._templates.shape
        r, out = np.empty((4 * n_bands, n_classes)), np.empty(n_classes)
        weights = np.empty(4 * n_bands)
        for band in range(n_bands):
            # Kernels take contiguous arrays only.
            lanes = np.ascontiguousarray(summary[:, band * n_channels : (band + 1) * n_channels])
            r[4 * band : 4 * band + 4] = self._band(lanes, band)
            weights[4 * band : 4 * band + 4] = self._weights[band]
        weighted_sum(r, weights, 2, out)
        return out

    def _band(self, window: FloatArray, band: int) -> FloatArray:
        """``(4, n_classes)`` float64."""
        _, n_classes, _, n_channels = self._templates.shape
        r, pair = np.empty((4, n_classes)), np.empty(3)
        sines, template = np.empty((n_classes, n_channels)), np.empty((n_classes, n_channels))
        canonical_filters(window, self._references, r[0], sines, _weights(self._references, n_classes))
        canonical_filters(window, self._bases[band], r[1], template, _weights(self._bases[band], n_classes))
        for k in range(n_classes):
            # In the order r₂, r₃, r₄ of Chen et al. 2015, doi:10.1073/pnas.1508080112.
            filters = np.stack([template[k], sines[k], self._filters[band, k]])
            projected_correlations(window, self._templates[band, k], filters, pair)
            r[1:, k] = pair
        return r


def _weights(references: FloatArray, n_classes: int) -> FloatArray:
    return np.empty((n_classes, references.shape[1] // n_classes))
