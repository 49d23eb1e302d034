"""Injected faults: what happens to a player's stream, and when, in stream time.

A plan is a list of JSON objects, each with ``kind``, ``at_s`` (s since the stream's first sample) and what
the kind needs; ``duration_s`` without a value means until the end. Which samples are hit depends on the
sample index and the seed only, never on the block in which they are pushed.

===================  =====================================================================================
kind                 what it needs, with its default
===================  =====================================================================================
``packet_loss``      ``duration_s``; ``fraction`` of the packets lost (1), ``packet`` samples in one (10)
``clock_reset``      ``jump_s``: the stamps jump by this, for good or for ``duration_s``
``stream_death``     ``duration_s``: the outlet is gone, and comes back after it
``duplicate_stream`` ``duration_s``: a second outlet of the same name and source_id sends the same
``wrong_rate``       ``factor`` of the samples that are sent (0.5)
``nan``              ``channels`` (all)
``saturation``       ``channels`` (all), ``level_uv`` (1000)
``electrode_pop``    ``channels`` (all), ``level_uv`` (500), ``tau_s`` of its decay (0.3)
``mains``            ``channels`` (all), ``hz`` (50), ``level_uv`` amplitude (50)
``marker_delay``     ``delay_s``: texts are sent this much later, with their original stamp
``marker_loss``      ``every``: of every ``every`` texts the last is lost (1 = all)
===================  =====================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

DEFAULTS: dict[str, dict[str, Any]] = {
    "packet_loss": {"fraction": 1.0, "packet": 10},
    "clock_reset": {"jump_s": 1.0},
    "stream_death": {},
    "duplicate_stream": {},
    "wrong_rate": {"factor": 0.5},
    "nan": {"channels": None},
    "saturation": {"channels": None, "level_uv": 1000.0},
    "electrode_pop": {"channels": None, "level_uv": 500.0, "tau_s": 0.3},
    "mains": {"channels": None, "hz": 50.0, "level_uv": 50.0},
    "marker_delay": {"delay_s": 1.0},
    "marker_loss": {"every": 1},
}
"""Every kind of fault, with its settings beside ``at_s`` and ``duration_s``."""

LEAST = {"fraction": 0.0, "packet": 1, "factor": 0.0, "tau_s": 1e-3, "hz": 0.0, "delay_s": 0.0, "every": 1}
"""Smallest allowed values."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, when it begins and ends in s since the first sample, and its settings."""

    kind: str
    begin_s: float
    end_s: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, first: int, n: int, fs: float) -> slice:
        """The rows of a block of ``n`` samples from ``first`` that it hits.

        Parameters
        ----------
        first, n : number of the block's first sample, and how many it has.
        fs : rate, Hz.
        """
        # Rounded up on the sample index, so that every division into blocks hits the same samples.
        begin = math.ceil(self.begin_s * fs)
        end = math.ceil(self.end_s * fs) if math.isfinite(self.end_s) else first + n
        return slice(min(max(begin - first, 0), n), min(max(end - first, 0), n))


class FaultPlan:
    """The faults of one player, and what they do to samples."""

    def __init__(self, faults: Sequence[Mapping[str, Any]], *, fs: float, seed: int = 0) -> None:
        """Check and keep the plan.

        Parameters
        ----------
        faults : mappings with ``kind``, ``at_s`` and what :data:`DEFAULTS` lists for the kind.
        fs : rate of the stream, Hz.
        seed : of random choices, such as the packets that are lost.

        Raises
        ------
        BadValue
            For an unknown kind or setting, or a time that is not a number.
        """
        self.faults = tuple(_fault(item) for item in faults)
        self.fs = fs
        self._seed = seed

    def of(self, kind: str) -> tuple[Fault, ...]:
        """The faults of one kind."""
        return tuple(fault for fault in self.faults if fault.kind == kind)

    def active(self, kind: str, at_s: float) -> Fault | None:
        """The fault of that kind that is active at ``at_s``, or None."""
        return next((f for f in self.of(kind) if f.begin_s <= at_s < f.end_s), None)

    def apply(
        self, first: int, values: NDArray[Any], stamps: FloatArray
    ) -> tuple[NDArray[Any], FloatArray, NDArray[np.bool_]]:
        """Apply the faults to a block.

        Parameters
        ----------
        first : index of its first row since the stream began.
        values, stamps : ``(n_times, n_channels)`` µV and ``(n_times,)`` s; not changed.

        Returns
        -------
        values, stamps : changed copies. keep : ``(n_times,)`` bool, False where a sample is lost.
        """
        values = np.array(values, dtype=np.float64)
        stamps = np.array(stamps, dtype=np.float64)
        keep = np.ones(len(stamps), dtype=np.bool_)
        for fault in self.faults:
            rows = fault.rows(first, len(stamps), self.fs)
            if rows.start < rows.stop:
                self._hit(fault, rows, first, values, stamps, keep)
        return values, stamps, keep

    def _hit(
        self,
        fault: Fault,
        rows: slice,
        first: int,
        values: FloatArray,
        stamps: FloatArray,
        keep: NDArray[np.bool_],
    ) -> None:
        """One fault on the rows it hits, in place."""
        index = np.arange(first + rows.start, first + rows.stop)
        age = index / self.fs - fault.begin_s
        s = fault.settings
        if fault.kind == "packet_loss":
            keep[rows] &= ~self._lost(index // int(s["packet"]), float(s["fraction"]))
        elif fault.kind == "stream_death":
            keep[rows] = False
        elif fault.kind == "wrong_rate":
            # A sample stays where the running count of samples sent rises: evenly thinned, whatever the block.
            keep[rows] &= np.floor((index + 1) * s["factor"]) > np.floor(index * s["factor"])
        elif fault.kind == "clock_reset":
            stamps[rows] += s["jump_s"]
        # The faults above hit whole samples; those below hit single channels.
        if "channels" not in s:
            return
        columns = list(range(values.shape[1])) if s["channels"] is None else list(s["channels"])
        if fault.kind == "nan":
            values[rows, columns] = np.nan
        elif fault.kind == "saturation":
            values[rows, columns] = s["level_uv"]
        elif fault.kind == "electrode_pop":
            values[rows, columns] += (s["level_uv"] * np.exp(-age / s["tau_s"]))[:, None]
        elif fault.kind == "mains":
            values[rows, columns] += (s["level_uv"] * np.sin(2 * np.pi * s["hz"] * index / self.fs))[:, None]

    def _lost(self, packets: NDArray[np.int64], fraction: float) -> NDArray[np.bool_]:
        """Which packets are lost: each packet number has its own draw, so that blocks make no difference."""
        draws = {int(k): world.chance.generator([self._seed, int(k)]).random() for k in np.unique(packets)}
        return np.array([draws[int(k)] < fraction for k in packets], dtype=np.bool_)


def _fault(item: Mapping[str, Any]) -> Fault:
    """One fault from its JSON object."""
    kind = str(item.get("kind", ""))
    if kind not in DEFAULTS:
        raise BadValue(Message("simulated.fault_kind", allowed=list(DEFAULTS), got=repr(kind)))
    settings = dict(DEFAULTS[kind])
    for key, value in item.items():
        if key in settings:
            settings[key] = value
        elif key not in ("kind", "at_s", "duration_s"):
            raise BadValue(Message("simulated.fault_setting", kind=kind, settings=list(settings), got=repr(key)))
    for key, value in settings.items():
        minimum = LEAST.get(key, -math.inf)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key != "channels" and not (number and math.isfinite(value) and value >= minimum):
            if math.isfinite(minimum):
                raise BadValue(
                    Message("simulated.fault_least", name=key, kind=kind, least=f"{minimum:g}", got=repr(value))
                )
            raise BadValue(Message("simulated.fault_number", name=key, kind=kind, got=repr(value)))
    begin = item.get("at_s", 0.0)
    length = item.get("duration_s")
    for name, value in (("at_s", begin), ("duration_s", 0.0 if length is None else length)):
        if not isinstance(value, int | float) or not value >= 0:
            raise BadValue(Message("simulated.fault_time", name=name, kind=kind, got=repr(value)))
    return Fault(kind, float(begin), math.inf if length is None else float(begin) + float(length), settings)


class Pushes(Protocol):
    """What an outlet does (:class:`workbench.devices.lsl.Outlet`)."""

    def push(self, values: NDArray[Any], stamps: FloatArray) -> None: ...
    def push_text(self, text: str, stamp: float) -> None: ...
    def close(self) -> None: ...


class FaultyOutlet:
    """An outlet with the faults of a plan. Without faults it passes everything on."""

    def __init__(self, make: Callable[[], Pushes], plan: FaultPlan, *, t0: float = 0.0) -> None:
        """Announce the stream.

        Parameters
        ----------
        make : makes the outlet; called again after a stream death, and for a duplicate.
        plan : the faults.
        t0 : stamp in s of the first sample, the origin of stream time.
        """
        self._make, self.plan, self.t0 = make, plan, t0
        self._outlet: Pushes | None = make()
        self._double: Pushes | None = None
        self._n_seen = 0
        self._n_texts = 0
        self._waiting: list[tuple[float, str, float]] = []

    def push(self, values: NDArray[Any], stamps: FloatArray) -> None:
        """Send the samples of a block that the faults leave; shapes as for the outlet."""
        first, n = self._n_seen, len(stamps)
        self._n_seen += n
        if not self.plan.faults:
            if self._outlet is not None:
                self._outlet.push(values, stamps)
            return
        values, stamps, keep = self.plan.apply(first, values, stamps)
        for outlet in (self._outlet, self._double):
            if outlet is not None and keep.any():
                outlet.push(values[keep], stamps[keep])
        self.tend((first + n) / self.plan.fs)

    def push_text(self, text: str, stamp: float) -> None:
        """Send a text, or lose it, or hold it back until :meth:`tend` is past its time."""
        at_s = stamp - self.t0
        self._n_texts += 1
        loss = self.plan.active("marker_loss", at_s)
        if loss is not None and self._n_texts % int(loss.settings["every"]) == 0:
            return
        delay = self.plan.active("marker_delay", at_s)
        # Even without a delay the text takes this way, so that order is kept and a dead stream loses it.
        self._waiting.append((at_s + (delay.settings["delay_s"] if delay else 0.0), text, stamp))
        self.tend(at_s)

    def tend(self, at_s: float) -> None:
        """Bring outlets and held-back texts to stream time ``at_s`` (s since the first sample)."""
        # A device asks at every look, most often without a fault and with nothing held back.
        if not self.plan.faults and not self._waiting:
            return
        dead = self.plan.active("stream_death", at_s) is not None
        if dead and self._outlet is not None:
            self._outlet.close()
            self._outlet = None
        elif not dead and self._outlet is None:
            self._outlet = self._make()
        double = self.plan.active("duplicate_stream", at_s) is not None
        if double and self._double is None:
            self._double = self._make()
        elif not double and self._double is not None:
            self._double.close()
            self._double = None
        # Texts that fall due while the stream is dead are lost, as they would be on a network.
        due = [item for item in self._waiting if item[0] <= at_s]
        self._waiting = [item for item in self._waiting if item[0] > at_s]
        for _, text, stamp in due:
            if self._outlet is not None:
                self._outlet.push_text(text, stamp)

    def close(self) -> None:
        """Take the stream away."""
        for outlet in (self._outlet, self._double):
            if outlet is not None:
                outlet.close()
        self._outlet = self._double = None
