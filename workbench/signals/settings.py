"""What is done to the signal before a decoder sees it. Frozen, with units, JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message

REFERENCES = ("none", "car", "bipolar", "laplacian")
SHAPES = ("butterworth", "chebyshev1", "chebyshev2")


@dataclass(frozen=True)
class SignalSettings:
    """Reference, notch comb, filter bank and window.

    Parameters
    ----------
    bands : pass bands ``(low, high)`` in Hz, each a band-pass of ``order``, from 0 Hz a low-pass; the edges are
        3 dB down, 0.5 dB for ``"chebyshev1"``.
    window_s : length of a window in s.
    reference : ``"none"``, ``"car"`` (common average of all channels), ``"bipolar"`` (``pairs``) or
        ``"laplacian"`` (``neighbours``).
    pairs : channel indices ``(plus, minus)`` of the bipolar derivations.
    neighbours : channel indices ``(centre, neighbour, …)`` of each derivation: the centre minus the mean of its
        neighbours.
    mains_hz : mains frequency in Hz; it and its harmonics are notched; 0 for none.
    notch_q : quality factor of the notches.
    order : order of the band-pass prototype (order 4 makes four second-order sections).
    shape : ``"butterworth"``, ``"chebyshev1"`` with a ripple of 0.5 dB in the pass band, or ``"chebyshev2"``
        with 40 dB in the stop band.
    hop_s : step between windows in s.
    history_s : how far back a window may end, in s.
    flat_s : a channel that does not change for this long counts as disconnected, s.

    Raises
    ------
    BadValue
        For a value outside what is allowed; rates are checked by :func:`workbench.signals.design`.
    """

    bands: tuple[tuple[float, float], ...]
    window_s: float
    reference: str = "none"
    pairs: tuple[tuple[int, int], ...] = ()
    neighbours: tuple[tuple[int, ...], ...] = ()
    mains_hz: float = 50.0
    notch_q: float = 30.0
    order: int = 4
    shape: str = "butterworth"
    hop_s: float = 0.05
    history_s: float = 3.0
    flat_s: float = 0.1

    def __post_init__(self) -> None:
        # Lists from JSON become tuples, so that settings that are equal compare and hash as equal.
        object.__setattr__(self, "bands", tuple((float(low), float(high)) for low, high in self.bands))
        object.__setattr__(self, "pairs", tuple((int(plus), int(minus)) for plus, minus in self.pairs))
        object.__setattr__(self, "neighbours", tuple(tuple(int(i) for i in near) for near in self.neighbours))
        if self.shape not in SHAPES:
            raise BadValue(Message("signal.filter_shape", allowed=list(SHAPES), got=repr(self.shape)))
        self._check_reference()
        if not self.bands:
            raise BadValue(Message("signal.no_band"))
        for low, high in self.bands:
            if not 0 <= low < high:
                raise BadValue(Message("signal.band", low=f"{low:g}", high=f"{high:g}"))
        for name in ("window_s", "notch_q", "hop_s", "flat_s"):
            if not 0 < getattr(self, name) < float("inf"):
                raise BadValue(Message("signal.above_0", name=name, got=str(getattr(self, name))))
        if not 0 <= self.mains_hz < float("inf"):
            raise BadValue(Message("signal.mains", got=str(self.mains_hz)))
        if not 1 <= self.order <= 8:
            raise BadValue(Message("signal.order", got=self.order))
        if not 0 <= self.history_s <= 60:
            raise BadValue(Message("signal.history", got=str(self.history_s)))

    def _check_reference(self) -> None:
        if self.reference not in REFERENCES:
            raise BadValue(Message("signal.reference", allowed=list(REFERENCES), got=repr(self.reference)))
        if (self.reference == "bipolar") != bool(self.pairs):
            raise BadValue(Message("signal.pairs", reference=repr(self.reference), n=len(self.pairs)))
        if (self.reference == "laplacian") != bool(self.neighbours):
            raise BadValue(
                Message("signal.neighbour_lists", reference=repr(self.reference), n=len(self.neighbours))
            )
        for near in self.neighbours:
            if len(near) < 2 or len(set(near)) < len(near):
                raise BadValue(Message("signal.neighbours", got=str(near)))

    def n_derivations(self, n_channels: int) -> int:
        """Derivations that the reference makes of ``n_channels`` channels."""
        return len(self.pairs) or len(self.neighbours) or n_channels

    def n_window(self, fs: float) -> int:
        """Samples of a window at rate ``fs`` in Hz."""
        # A variance needs two samples.
        return max(2, round(self.window_s * fs))

    def n_hop(self, fs: float) -> int:
        """Samples of a hop at rate ``fs`` in Hz."""
        return max(1, round(self.hop_s * fs))

    def to_json(self) -> dict[str, Any]:
        """JSON-able mapping; :meth:`from_json` gives the same settings back."""
        values = asdict(self)
        values["bands"] = [list(band) for band in self.bands]
        values["pairs"] = [list(pair) for pair in self.pairs]
        values["neighbours"] = [list(near) for near in self.neighbours]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SignalSettings:
        """Settings from what :meth:`to_json` returned."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise BadValue(Message("signal.settings_unknown", names=sorted(unknown)))
        return cls(**values)
