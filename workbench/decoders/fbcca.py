"""Filter-bank canonical correlation analysis of steady-state responses: no calibration needed."""

from __future__ import annotations

from typing import ClassVar

from workbench.decoders._ssvep import Canonically, band_weights
from workbench.decoding.correlations import Canonical


class Fbcca(Canonically):
    """Correlation of each sub-band with sines and cosines of each class's frequency, squared, weighed and summed.

    Parameters
    ----------
    fs, frequencies, harmonics, bands, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._ssvep.FrequencyCoded`. Windows of 2.0 s.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.

    Notes
    -----
    Chen, Wang, Gao, Jung and Gao 2015, doi:10.1088/1741-2560/12/4/046008: Σ (n^-1.25 + 0.25) r_n². Nothing is
    learned but how scores become probabilities; :meth:`start_from` needs no data at all.
    """

    name: ClassVar[str] = "fbcca"

    def _features(self) -> Canonical:
        weights = band_weights(len(self.settings.bands))
        return Canonical(self.references_, weights, power=2, n_classes=len(self.classes_))


DECODER = Fbcca
