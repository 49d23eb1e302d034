"""Clock offsets with their uncertainty, measured in a thread of their own.

pylsl exposes no uncertainty, so ``lsl_time_correction_ex`` is called through ctypes. liblsl returns its
last estimate for ever, even when the other side has gone; an estimate is passed on only when the remote
time that came with it is new, so that an old offset is never recorded as a measurement.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench import world
from workbench.devices._lsl_library import library, local_clock

_DOUBLE = ctypes.POINTER(ctypes.c_double)


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """One measured clock offset.

    Attributes
    ----------
    time : LSL time of this computer in s at which it was read.
    offset : s to add to a raw stamp to convert it to the clock of this computer.
    uncertainty : s, round-trip time of the probe behind it (an upper bound of the error).
    remote : time of the probe by the clock of the source, s.
    """

    time: float
    offset: float
    uncertainty: float
    remote: float


class ClockProbe:
    """Asks one inlet for its clock offset; answers with new measurements only."""

    def __init__(self, inlet: Any) -> None:
        """Bind to a ``pylsl.StreamInlet``."""
        # By index, not by attribute: its own function object, whose argument types pylsl does not share.
        self._call = library().lib.lib["lsl_time_correction_ex"]
        self._call.restype = ctypes.c_double
        self._call.argtypes = [ctypes.c_void_p, _DOUBLE, _DOUBLE, ctypes.c_double, ctypes.POINTER(ctypes.c_int)]
        self._inlet = inlet
        self._last = 0.0
        self._lock = world.clock.lock()

    def measure(self, timeout: float) -> ClockOffset | None:
        """A new measurement, or None: timed out, source lost, or nothing newer.

        Parameters
        ----------
        timeout : s to wait for the first estimate; the first one takes about 0.65 s.
        """
        remote, spread, code = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
        at = ctypes.byref
        offset = self._call(self._inlet.obj, at(remote), at(spread), ctypes.c_double(timeout), at(code))
        with self._lock:
            if code.value or remote.value == self._last:
                return None
            self._last = remote.value
        return ClockOffset(local_clock(), float(offset), float(spread.value), float(remote.value))


class ClockThread:
    """Measures every ``every`` seconds and hands each new measurement to a callback on its own thread."""

    def __init__(
        self,
        probe: ClockProbe,
        on_offset: Callable[[ClockOffset], None],
        *,
        every: float = 5.0,
        timeout: float = 2.0,
        spawn: world.Spawn = world.start_thread,
        name: str = "lsl-clock",
    ) -> None:
        """Start the thread.

        Parameters
        ----------
        probe : asks for the offset.
        on_offset : takes each new measurement, on the thread.
        every, timeout : s between two measurements, and for one.
        spawn, name : start the thread under this name.
        """
        self._probe = probe
        self._on_offset = on_offset
        self._every = every
        self._timeout = timeout
        self._stop = world.clock.event()
        # Three rounds without a sign of life: one slow probe is no reason to count the thread as hung.
        self._thread = spawn(name, self._run, limit_s=3.0 * (every + timeout))

    def _run(self, beat: world.Beat) -> None:
        while not self._stop.is_set():
            beat()
            measurement = self._probe.measure(self._timeout)
            if measurement is not None and not self._stop.is_set():
                self._on_offset(measurement)
            self._stop.wait(self._every)

    def close(self) -> None:
        """End the thread; returns when it has ended."""
        self._stop.set()
        # A callback may close its own clock; a thread that joins itself never ends.
        if self._thread is not world.clock.current_thread():
            self._thread.join()
