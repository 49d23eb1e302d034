"""Decoders that decide without a calibration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.decoders._base import WindowDecoder
from workbench.errors import BadValue
from workbench.fitting.held_out import bounds_of
from workbench.messages import Message


def ready_without_data(
    decoder: WindowDecoder, n_channels: int, *, frequencies: Mapping[str, float] | None
) -> None:
    """Set everything that a fit sets, except the decoder's own references, from its parameters alone.

    Parameters
    ----------
    decoder : not fitted; changed.
    n_channels : of the raw stream.
    frequencies : of each class, Hz; its names are the classes.

    Raises
    ------
    BadValue
        When ``frequencies`` names fewer than two classes, or evidence has a trigger or detector, which take data.
    """
    names = sorted(str(name) for name in frequencies or {})
    if len(names) < 2:
        raise BadValue(Message("fit.frequencies_two", got=str(frequencies)))
    decoder.prepare(n_channels)
    n_lanes = decoder.signal().n_lanes
    decoder.classes_, decoder.log_prior_ = np.array(names), np.zeros(len(names))
    # The power of this participant is unknown, so only the quality of the signal makes a window invalid.
    decoder.low_, decoder.high_ = np.zeros(n_lanes), np.full(n_lanes, np.inf)
    decoder.lead_in_, decoder.adaptation_ = 0.0, {}
    kind = decoder.evidence_settings.remembers(decoder.class_names)
    if kind in ("trigger", "detector"):
        raise BadValue(Message("fit.threshold_from_rest", kind=kind))
    decoder.evidence_ = bounds_of(decoder.evidence_settings, decoder.class_names)
    # The hash of an earlier fit or file does not name these arrays.
    decoder.__dict__.pop("sha256_", None)
