"""From the parameters of a decoder and its defaults to the settings of its signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.signals import SignalSettings

ECOG_RATE = 500.0
"""From this rate in Hz on, a montage is taken for ECoG unless stated otherwise."""

STRIP_PAIRS: tuple[tuple[int, int], ...] = ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7))
"""Neighbours within each of two epidural strips of four contacts."""

CAR_CHANNELS = 8
"""Number of channels from which the common average is the default; fewer estimate a reference badly."""


def strips_or_average(fs: float, n_channels: int) -> str:
    """Neighbours within the strips for 8 channels at 500 Hz or more, else the common average from 8 channels."""
    if fs >= ECOG_RATE and n_channels == 8:
        return "bipolar"
    return "car" if n_channels >= CAR_CHANNELS else "none"


def average_of_two_or_more(fs: float, n_channels: int) -> str:
    """The common average from 2 channels on, at any rate."""
    return "car" if n_channels >= 2 else "none"


def no_reference(fs: float, n_channels: int) -> str:
    """None: for decoders whose filters learn their own reference."""
    return "none"


@dataclass(frozen=True)
class SignalDefaults:
    """What a decoder takes where its parameters leave it open.

    Parameters
    ----------
    window_s : length of a window, s.
    reference : what ``reference="auto"`` means, from the rate in Hz and the number of channels.
    order, shape : of the band-passes, as in :class:`workbench.signals.SignalSettings`.
    """

    window_s: float
    reference: Callable[[float, int], str] = strips_or_average
    order: int = 4
    shape: str = "butterworth"


def signal_settings(
    defaults: SignalDefaults,
    *,
    fs: float,
    n_channels: int,
    bands: tuple[tuple[float, float], ...],
    window_s: float | None,
    hop_s: float,
    reference: str | Sequence[tuple[int, int]],
    mains_hz: float,
) -> SignalSettings:
    """Signal settings for a raw stream.

    Parameters
    ----------
    defaults : of the decoder.
    fs : rate in Hz. n_channels : of the raw stream.
    bands : pass bands in Hz.
    window_s : None for that of the defaults. hop_s : s.
    reference : ``"auto"`` for that of the defaults, ``"none"``, ``"car"``, ``"bipolar"`` for the neighbours within
        two strips of four contacts, or bipolar pairs of channel indices.
    mains_hz : 50, 60, or 0 for no notch.

    Raises
    ------
    BadValue
        When bipolar neighbours are asked for that nobody knows, or a value is outside what is allowed.
    """
    # Pairs of indices name the derivations themselves; a text names a rule.
    pairs = STRIP_PAIRS if isinstance(reference, str) else tuple(reference)
    if not isinstance(reference, str):
        reference = "bipolar"
    elif reference == "auto":
        reference = defaults.reference(fs, n_channels)
    elif reference == "bipolar" and n_channels != 8:
        raise BadValue(Message("fit.bipolar", got=n_channels))
    return SignalSettings(
        bands=bands,
        window_s=defaults.window_s if window_s is None else window_s,
        reference=reference,
        pairs=pairs if reference == "bipolar" else (),
        mains_hz=mains_hz,
        order=defaults.order,
        shape=defaults.shape,
        hop_s=hop_s,
    )


def as_bands(bands: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Pass bands in Hz as tuples of floats, from any sequences."""
    return tuple((float(low), float(high)) for low, high in bands)
