"""Extended canonical correlation analysis: sines and cosines, and the person's own mean trials."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._ssvep import band_weights
from workbench.decoders._template_coded import TemplateCoded
from workbench.decoding.correlations import Extended
from workbench.kernels.correlation import canonical_filters, orthonormal
from workbench.vocabulary import FloatArray


class Ecca(TemplateCoded):
    """Four correlations of a window with the sines, cosines and mean trial of each class.

    Parameters
    ----------
    fs, frequencies, harmonics, bands, latency_s, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._template_coded.TemplateCoded`.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.
    means_ : ``(n_bands, n_classes, n_window, n_channels)`` float64, µV: mean trials.
    bases_ : ``(n_bands, n_window, n_classes · n_channels)`` float64: orthonormal columns of the mean trials.
    filters_ : ``(n_bands, n_classes, n_channels)`` float64: filters of the mean trials with the references.

    Notes
    -----
    Chen et al. 2015, doi:10.1073/pnas.1508080112: r₁ of window X and references Y; r₂, r₃ and r₄ of the window and
    the mean trial X̂ through the filters of X with X̂, of X with Y and of X̂ with Y; Σ sign(r) r², in sub-bands
    weighed by n^-1.25 + 0.25. Trials must be locked in phase.
    """

    name: ClassVar[str] = "ecca"
    learned: ClassVar[tuple[str, ...]] = ("references_", "means_", "bases_", "filters_")

    means_: FloatArray
    bases_: FloatArray
    filters_: FloatArray

    def _learn_templates(self, windows: FloatArray, y: NDArray[Any]) -> None:
        self._learn_references()
        n_references = 2 * self.harmonics
        means, bases, filters = [], [], []
        for band in self._bands_of(windows):
            own = np.array([band[y == name].mean(axis=0) for name in self.classes_])
            q, rows = np.empty_like(own), np.empty((len(own), band.shape[2]))
            for k, mean in enumerate(own):
                orthonormal(np.ascontiguousarray(mean - mean.mean(axis=0)), q[k])
                columns = np.ascontiguousarray(self.references_[:, k * n_references : (k + 1) * n_references])
                canonical_filters(mean, columns, np.empty(1), rows[k : k + 1], np.empty((1, n_references)))
            means.append(own)
            bases.append(np.concatenate(list(q), axis=1))
            filters.append(rows)
        self.means_, self.bases_, self.filters_ = np.array(means), np.array(bases), np.array(filters)

    def _features(self) -> Extended:
        weights = band_weights(len(self.settings.bands))
        return Extended(self.references_, self.means_, self.bases_, self.filters_, weights)


DECODER = Ecca
