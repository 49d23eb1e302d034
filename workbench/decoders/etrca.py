"""Ensemble task-related component analysis of steady-state responses that are locked to the stimulus."""

from __future__ import annotations

from typing import ClassVar

from workbench.decoders._trca import TaskRelated


class Etrca(TaskRelated):
    """Correlation with the mean trial of each class, through the filters of all classes together.

    Parameters
    ----------
    fs, bands, latency_s, window_s, hop_s, reference, mains_hz, evidence : see
        :class:`workbench.decoders._trca.TaskRelated`. Windows of 1.0 s from 0.14 s after the stimulus.

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
