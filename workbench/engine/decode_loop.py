"""A run from its first sample to its closed recording: the one loop of :mod:`workbench.decode`, live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from workbench.decode import Made, decode
from workbench.devices import lsl
from workbench.engine.run import LiveRun
from workbench.engine.session import Session
from workbench.engine.watching import DeadlineReport
from workbench.vocabulary import Chunk, LedgerRow, Marker, Snapshot, Trial


class DecodeLoop:
    """Decodes runs. While a run waits for samples, ``pump`` keeps the rest of the engine alive.

    Parameters
    ----------
    session : whose runs they are.
    pump : takes in what arrived and does what is due.
    beat : tells the supervisor that the loop comes round.
    """

    def __init__(self, session: Session, *, pump: Callable[[], None], beat: Callable[[], None]) -> None:
        self._session, self._pump, self._beat = session, pump, beat
        self._deadlines = DeadlineReport()
        self._rows, self._busy_s = 0, 0.0

    def decode(self, run: LiveRun) -> None:
        """From the first sample to the last item; the recording is still open afterwards.

        Raises
        ------
        WorkbenchError
            When the run cannot continue.
        """
        self._rows, self._busy_s = 0, 0.0
        fs, rule = self._session.plan.signal.fs, run.request.paradigm
        source = self._source(run)
        for item in decode(source, rule, run.decoder, fs=fs, begun=run.decide_by, worker=run.worker):
            self._emit(run, item)

    def _source(self, run: LiveRun) -> Iterator[Chunk | Marker]:
        """What the decode loop reads; between items the engine lives on."""
        session = self._session
        while run.live:
            for item in run.source.items():
                yield from self._measure(run, item)
            # A schedule of the engine is complete when it was presented; cues from another program or from the
            # operator have no known end, so that the trials are counted.
            if session.plan.cue_source == "engine" and not run.request.paradigm.by_operator:
                complete = run.source.complete
            else:
                complete = len(run.trials) >= run.request.n_trials
            if complete:
                session.runs.end("finished")
            # Asked again: an item above may have ended the run, and then nothing more is waited for.
            elif run.live:
                self._pump()
        for item in run.source.finish(stamp=session.streams.now(), state=run.over, sentence=run.sentence):
            # What waited is no longer measured against a deadline; its decisions still state when it arrived.
            if isinstance(item, Chunk) and not item.stream:
                run.acquired = item.local
            yield item

    def _measure(self, run: LiveRun, item: Chunk | Marker) -> Iterator[Chunk | Marker]:
        """Pass an item on and note how long the loop was busy with it."""
        self._beat()
        # The signal's samples alone count hops and are awaited.
        if isinstance(item, Marker) or item.stream:
            if isinstance(item, Marker) and run.moves is not None:
                run.moves.take(item)
            yield item
            return
        run.acquired = item.local
        # The loop of `workbench.decode` works between this `yield` and the line after it, so the difference of the
        # two clocks is the time that this item cost.
        began = lsl.local_clock()
        yield item
        now = lsl.local_clock()
        self._move(run)
        self._busy_s += now - began
        self._rows += len(item.stamps)
        if self._rows < run.hop:
            return
        # Chunks need not end at hops: the time is that of one hop's share of the rows.
        seconds = self._busy_s * run.hop / self._rows
        self._rows, self._busy_s = 0, 0.0
        verdict = run.deadline.hop(seconds, local=now)
        if verdict:
            self._deadlines.note(self._session, run, seconds=seconds, verdict=verdict)
            # The controller counts overruns only, by a stricter rule of its own; a warning is for the record.
            if verdict != "warning" and self._session.effector.link is not None:
                self._session.effector.link.hop(seconds)

    def _move(self, run: LiveRun) -> None:
        """What the schedule of the run asks of the effector by now."""
        link = self._session.effector.link
        if run.moves is None or link is None or not run.live or run.state != "running":
            return
        for step in run.moves.due(run.source.newest):
            link.follow(step, quality_ok=self._session.monitor.ok is not False)

    def _emit(self, run: LiveRun, item: Made) -> None:
        """What the decode loop made: published, followed by the effector, recorded."""
        session = self._session
        if isinstance(item, Trial):
            run.record_trial(item)
            return
        if isinstance(item, Snapshot):
            run.record_snapshot(item)
            return
        if isinstance(item, LedgerRow):
            stream = item.stream or session.plan.signal.name
            session.ledger.enter(replace(item, local=lsl.local_clock(), stream=stream))
            return
        decided = lsl.local_clock()
        # The effector comes before the recording: a slow disk must not delay a command. Samples that are decoded
        # after the run has ended or paused move nothing.
        session.outlets.publish_decision(item, run.writer.classes)
        follows = run.moves is None and run.live and run.state == "running"
        if session.effector.link is not None and follows:
            session.effector.link.follow(item, quality_ok=session.monitor.ok is not False)
        run.record_decision(item, decided=decided, emitted=lsl.local_clock())
