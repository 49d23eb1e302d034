"""Canonical correlation analysis of steady-state responses: no calibration needed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from workbench.decoders._ssvep import Canonically
from workbench.decoding.correlations import Canonical


class Cca(Canonically):
    """Greatest correlation of a window with sines and cosines of each class's frequency.

    Parameters
    ----------
    fs, frequencies, harmonics, bands, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._ssvep.FrequencyCoded`. One band, 6–90 Hz; windows of 2.0 s. Several bands are
        weighed equally.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.

    Notes
    -----
    Lin, Zhang, Wu and Gao 2006, doi:10.1109/TBME.2006.886577. Nothing is learned but how scores become
    probabilities; :meth:`start_from` needs no data at all.
    """

    name: ClassVar[str] = "cca"
    n_bands: ClassVar[int] = 1

    def _features(self) -> Canonical:
        weights = np.ones(len(self.settings.bands))
        return Canonical(self.references_, weights, power=1, n_classes=len(self.classes_))


DECODER = Cca
