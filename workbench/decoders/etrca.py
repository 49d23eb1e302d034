"""Ensemble task-related component analysis of steady-state responses that are locked to the stimulus."""

from __future__ import annotations

from typing import ClassVar

from workbench.decoders.trca import Trca


class Etrca(Trca):
    """Correlation with the mean trial of each class, through the filters of all classes together.

    Parameters
    ----------
    fs : rate in Hz.
    bands : pass bands in Hz; the sub-bands [8 n - 2, 90] by default, lower at low rates.
    latency_s : from the stimulus to the start of the window, s.
    window_s : 1.0 s by default. hop_s : s.
    reference : ``"auto"`` takes none; ``"none"``, ``"car"``, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.
    evidence : see :class:`WindowDecoder`.

    Attributes
    ----------
    filters_ : ``(n_bands, n_classes, n_channels)`` float64.
    templates_ : ``(n_bands, n_window · n_channels, n_classes)`` float64: mean trials, filtered and folded.

    Notes
    -----
    Nakanishi, Wang, Chen, Wang, Gao and Jung 2018, doi:10.1109/TBME.2017.2694818. Sub-bands are summed as
    Σ (n^-1.25 + 0.25) sign(r) r². Trials must be locked in phase.
    """

    name: ClassVar[str] = "etrca"
    ensemble: ClassVar[bool] = True


DECODER = Etrca
