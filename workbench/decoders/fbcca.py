"""Filter-bank canonical correlation analysis of steady-state responses: no calibration needed."""

from __future__ import annotations

from typing import ClassVar

from workbench.decoders._signal import as_bands
from workbench.decoders.cca import Cca
from workbench.decoding.correlations import Canonical
from workbench.fitting.steady_state import band_weights, sub_bands


class Fbcca(Cca):
    """Correlation of each sub-band with sines and cosines of each class's frequency, squared, weighed and summed.

    Parameters
    ----------
    fs : rate in Hz.
    frequencies : mapping of the name of each class to its frequency in Hz, such as ``{"13": 13.0}``.
    harmonics : sines and cosines of so many multiples of each frequency; those above the pass band are left out.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    window_s : 2.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    references_ : ``(n_window, n_classes · 2 · harmonics)`` float64, orthonormal for each class.

    Notes
    -----
    Chen, Wang, Gao, Jung and Gao 2015, doi:10.1088/1741-2560/12/4/046008: Σ (n^-1.25 + 0.25) r_n². Nothing is
    learned but how scores become probabilities; :meth:`start_from` needs no data at all.
    """

    name: ClassVar[str] = "fbcca"

    def pass_bands(self) -> tuple[tuple[float, float], ...]:
        """Pass bands, Hz: those given, or the sub-bands at this rate."""
        return sub_bands(self.fs) if self.bands is None else as_bands(self.bands)

    def _features(self) -> Canonical:
        weights = band_weights(len(self.settings.bands))
        return Canonical(self.references_, weights, power=2, n_classes=len(self.classes_))


DECODER = Fbcca
