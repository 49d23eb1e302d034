"""What a session writes down beside its samples: ledger rows, and events of the run whose recording is open."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

from workbench import messages
from workbench.devices import lsl
from workbench.engine.effector_recording import EffectorEvent
from workbench.engine.ledger import Ledger
from workbench.engine.run import LiveRun
from workbench.engine.streams import Streams
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording import append_rows
from workbench.signals.stamps import StampFault
from workbench.vocabulary import LedgerRow, Marker, Priority

LOG = logging.getLogger("workbench.engine")


RowKind = Literal[
    "alarm",
    "alarm_acknowledged",
    "clock",
    "clock_jump",
    "contract",
    "consent",
    "disk",
    "disturbed",
    "effector_found",
    "estop",
    "gap",
    "impossible_marker",
    "jitter",
    "late_stream",
    "missed_deadline",
    "note",
    "operator",
    "other_outlet",
    "outlet_taken",
    "player_ended",
    "presence",
    "procedure",
    "run_failed",
    "stale_lock",
    "stamps_steady",
    "standstill",
    "stream_back",
    "stream_duplicate",
    "stream_gone",
    "stream_lost",
    "stream_missing",
    "suspended",
    "thread_lost",
    "unit_implausible",
    "waiver",
]
"""Kinds of the rows that the engine enters, beside those of stamps at fault and of the controller."""


class EventLog:
    """Rows and events, each at the sample and the time at which it takes effect.

    Parameters
    ----------
    ledger : of the session.
    streams : give the time.
    between_runs : file of the rows that belong to no run.

    Attributes
    ----------
    run : the run under way, else the last one; None before the first.
    """

    def __init__(self, ledger: Ledger, streams: Streams, *, between_runs: Path) -> None:
        self.ledger = ledger
        self.run: LiveRun | None = None
        self._streams, self._between_runs = streams, between_runs

    @property
    def live_run(self) -> LiveRun | None:
        """The run to which current samples belong, None between runs."""
        run = self.run  # read once: another thread may ask while the next run is added
        return run if run is not None and run.live else None

    def enter(
        self,
        kind: RowKind | StampFault,
        *,
        stream: str = "",
        extent: str = "",
        consequence: str = "",
        priority: Priority = "info",
    ) -> None:
        """A row of the ledger, now. Any thread.

        Parameters
        ----------
        kind, stream, extent, consequence, priority : see :class:`LedgerRow`.
        """
        run = self.live_run
        now = lsl.local_clock()
        stamp = self._streams.signal.stream_time(now)
        sample = -1 if run is None else run.source.seen
        self.ledger.enter(LedgerRow(str(kind), stamp, now, sample, stream, extent, consequence, priority))

    def mark(self, kind: str, *, label: str = "", **detail: Any) -> None:
        """Record an event of the live run at the sample at which it takes effect; nothing without one."""
        run = self.live_run
        if run is not None:
            run.source.mark(kind, stamp=self._streams.now(), label=label, **detail)

    def record_marker(self, marker: Marker) -> None:
        """A marker of the live source goes into its run."""
        if self.run is not None:
            self.run.record(marker)

    def record_effector(self, event: EffectorEvent) -> None:
        """What the effector is told and says goes into the run that is open. Any thread.

        A recording that fails is the loop's to report, at its next write: here it must cost neither the effector
        the command that comes next, nor a listening thread its life.
        """
        run = self.run
        if run is not None:
            try:
                run.record(event)
            except RecordingFault as fault:
                LOG.error("not recorded: %s; %s", type(event).__name__, fault)

    def write_rows(self) -> None:
        """Write the rows that are in no file yet: into the open run, else into the session's own file."""
        run = self.run
        if run is not None and run.is_open:
            run.write_rows()
        else:
            self.write_rows_between_runs()

    def write_rows_between_runs(self) -> None:
        """Write the rows that are in no file yet into the session's own file; an alarm where that fails."""
        try:
            written = self.ledger.hand_over(lambda row: append_rows(self._between_runs, [row]))
        except RecordingFault as error:
            self.ledger.alarms.raise_alarm(
                "ledger_unwritten",
                priority="high",
                what=messages.of(error),
                means=Message("alarm.ledger_unwritten_means"),
                do=Message("alarm.ledger_unwritten_do"),
            )
            return
        if written:
            self.ledger.alarms.clear("ledger_unwritten")
