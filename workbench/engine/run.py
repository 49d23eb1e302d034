"""One run: its recording, and what came of it so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import hypot
from pathlib import Path
from typing import Any, Literal

from workbench import __version__, control, messages, world
from workbench.decode import EvidenceStream, JoinedStream, StreamingDecoder
from workbench.devices import lsl
from workbench.engine.adaptation import Adaptation
from workbench.engine.deadline import Deadline, Latency
from workbench.engine.ledger import Ledger
from workbench.engine.live_source import LiveSource
from workbench.engine.procedures import ScheduledMoves
from workbench.engine.run_request import RunRequest
from workbench.engine.streams import Stream
from workbench.engine.updates import UpdateWorker
from workbench.errors import RecordingFault
from workbench.live.plan import SessionPlan
from workbench.live.status import CueStatus, EvidenceStatus, RunEnd, RunState, RunStatus, SettingStatus, TaskStatus
from workbench.messages import Message
from workbench.paradigms import Rule
from workbench.recording import RunWriter, ensure_space, needed_bytes
from workbench.stimulation import definition_of
from workbench.vocabulary import (
    Acknowledgement,
    Command,
    Decision,
    DeviceStatus,
    EvidenceType,
    LedgerRow,
    Marker,
    Snapshot,
    Trial,
)

HISTORY_S = 10.0
USUAL_RADIUS = 0.3
"""Radius of a target where a paradigm states none, in distances from the centre to a target."""
FAST_WAIT_S = 1.0
"""Longest wait for an update of the decoder where a stream is faster than time, s; below the limit of the loop."""
LONGEST_GAP_S = 60.0
"""A run ends when its signal stays away for longer than this, so that a longer step is one of the clock, s."""


class LiveRun:
    """A run under way.

    Parameters
    ----------
    request : checked. number : of the run in the session. signal, others : streams to record.
    spawn : starts the thread that syncs the recording.

    Raises
    ------
    RecordingFault
        When the recording cannot be created or does not fit on the disk.
    """

    def __init__(
        self,
        request: RunRequest,
        *,
        plan: SessionPlan,
        number: int,
        signal: Stream,
        others: list[Stream],
        ledger: Ledger,
        source: LiveSource,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.request, self.number, self.source = request, number, source
        self.plan, self.signal, self._ledger = plan, signal, ledger
        self.state: RunState = "compiling"
        self.sentence = ""
        self.over: RunEnd | Literal[""] = ""
        self.trials: list[Trial] = []
        self.behind = self.awaits_reaction = False
        # Without a decoder the loop of `workbench.decode` keeps the same 50 ms.
        hop_s = 0.05 if request.decoder is None else float(request.decoder.hop_s)
        self.hop = max(1, round(hop_s * signal.spec.fs))
        # Asked for with every decision.
        self._params = request.paradigm.params()
        self.deadline = Deadline(hop_s=hop_s, speed=plan.speed)
        # Half a hop is within its deadline. A faster stream leaves an update less time than a person's would, and
        # nobody is moved by it.
        wait_s = 0.5 * hop_s if plan.speed <= 1.0 else FAST_WAIT_S
        self.worker = UpdateWorker(spawn, name=f"decoder-updates-{number}", wait_s=wait_s)
        self.moves = ScheduledMoves(request, plan) if request.scheduled else None
        self.adaptation = Adaptation(request.adapts, bound=request.bound, head=request.decoder_sha256)
        self.latency = Latency(representative=plan.speed == 1.0)
        self.recent: deque[tuple[float, float | None]] = deque()
        self.last: Decision | None = None
        self._rule: Rule | None = None
        self._joined: JoinedStream | None = None
        self._active = False
        self.began = 0.0
        self.acquired = 0.0
        # Filled by the thread that syncs the recording, emptied by the loop; a deque needs no lock for that.
        self._slow: deque[float] = deque()
        self._streams = streams = [signal, *others]
        folder = Path(plan.study_folder) / "recordings"
        # A fifth more than planned and half a minute: pauses are recorded too, and nobody knows their length.
        ensure_space(folder, needed_bytes([s.spec for s in streams], seconds=1.2 * request.seconds + 30.0))
        self.path = folder / f"{request.id}.xdf"
        self.names = {s.spec.name for s in streams}
        self.writer = RunWriter(
            self.path,
            plan=self._header(),
            stamp=signal.stream_time(lsl.local_clock()),
            signal=signal.spec,
            others=[(s.spec, s.dtype) for s in others],
            dtype=signal.dtype,
            desc={"speed": plan.speed, "t0": signal.t0},
            headers={s.spec.name: s.seen.header for s in streams if s.seen is not None},
            on_slow_sync=self._slow.append,
            spawn=spawn,
        )
        self.closed = False

    def _header(self) -> dict[str, Any]:
        request, plan = self.request, self.plan
        return {
            "study": plan.study,
            "participant": plan.participant,
            "visit": plan.visit,
            "session": plan.session_id,
            "operator": plan.operator,
            "run": request.id,
            "number": self.number,
            "kind": request.kind,
            "paradigm": request.paradigm.name,
            "params": self._params,
            "n_trials": request.n_trials,
            "seed": request.seed,
            "decoder_sha256": request.decoder_sha256,
            "decoder_name": request.decoder_name,
            "adapts": request.adapts,
            "approved": request.approved,
            "moves": [[[move.delay_s, move.hold_s] for move in moves] for moves in request.moves],
            "yoked_to": request.yoked_to,
            "classes": list(request.choices),
            "evidence": asdict(EvidenceType() if request.decoder is None else request.decoder.evidence_type),
            "contract": [
                {"name": s.name, "type": s.type, "fs": s.fs, "channels": list(s.channels), "unit": s.unit,
                 "source_id": s.source_id, "critical": s.critical, "role": s.role, "counter": s.counter,
                 "unmeasured": list(s.unmeasured), "unit_declared_by": s.unit_declared_by,
                 "unit_waived": s.unit_waived, "gap_tolerance_s": s.gap_tolerance_s, "jitter_s": s.jitter_s,
                 "delay_s": s.delay_s}
                for s in plan.contract
            ],
            "units": {s.spec.name: s.units.described() for s in self._streams},
            "waived": dict(plan.waived),
            "effector": plan.effector or "",
            "law": asdict(plan.law),
            "limits": None if plan.limits is None else asdict(plan.limits),
            "system": dict(plan.system),
            "simulated": plan.simulated,
            "place": plan.place,
            "presence": "script" if plan.script_present else "operator",
            "cue_source": plan.cue_source,
            "screening": dict(plan.screening),
            "stimulation": None if plan.stimulation is None else definition_of(plan.stimulation),
            "speed": plan.speed,
            "t0": self.signal.t0,
            "started": f"{world.clock.now():%Y-%m-%dT%H:%M:%SZ}",
            "workbench": __version__,
        }  # fmt: skip

    # ---------------------------------------------------------------------------------- writing
    @property
    def live(self) -> bool:
        """Whether samples of now belong to it."""
        return self.state in ("running", "paused") and not self.over

    def end(self, state: RunEnd, sentence: str) -> None:
        """No more samples; ``state`` is shown once the recording is closed."""
        self.over, self.sentence = state, sentence

    @property
    def is_open(self) -> bool:
        """Whether its recording takes rows; after its last sample too, until the effector has been released."""
        return self.state in ("running", "paused") and not self.closed

    @property
    def in_progress(self) -> bool:
        """Whether it was accepted and has not ended."""
        return self.state in ("compiling", "running", "paused")

    @property
    def rest(self) -> str:
        """The paradigm's label of rest."""
        return str(self.request.paradigm.params().get("rest", "rest"))

    @property
    def decoder(self) -> StreamingDecoder | None:
        """What decodes it."""
        decoder: StreamingDecoder | None = self.request.decoder
        return decoder

    def record(self, item: Marker | Command | Acknowledgement | DeviceStatus | list[control.Entry]) -> None:
        """Journal an event, or what the effector is told and says. Any thread."""
        if self.closed:
            return
        if isinstance(item, Marker):
            self.writer.marker(item)
            if item.kind == "gap":
                self._enter_gap(item)
        elif isinstance(item, Command):
            self.writer.command(item)
        elif isinstance(item, Acknowledgement):
            self.writer.ack(item)
        elif isinstance(item, list):
            self.writer.control(item)
        else:
            self.writer.effector(item)

    def _enter_gap(self, marker: Marker) -> None:
        missing = float(marker.detail.get("missing_s", 0.0))
        samples = int(marker.detail.get("samples", round(missing * self.signal.spec.fs)))
        back = missing < 0 or marker.detail.get("cause") == "clock" or missing > LONGEST_GAP_S
        self._ledger.enter(
            LedgerRow(
                "clock_jump" if back else "gap",
                marker.stamp,
                lsl.local_clock(),
                sample=marker.sample,
                stream=self.signal.spec.name,
                extent=Message("amount.ms", n=f"{missing * 1000:,.0f}")
                if back
                else Message("engine.samples_missing", n=samples, ms=f"{missing * 1000:.0f}"),
                consequence=Message("engine.new_clock_segment") if back else Message("engine.filters_restart"),
                priority="medium",
            )
        )

    def write_rows(self) -> None:
        """Journal the ledger rows that are in no recording yet."""
        while self._slow:
            seconds = self._slow.popleft()
            self._ledger.enter(
                LedgerRow(
                    "sync_slow",
                    self.source.newest,
                    lsl.local_clock(),
                    sample=self.source.seen,
                    extent=Message("amount.s", n=f"{seconds:.2f}"),
                    consequence=Message("engine.sync_slow"),
                    priority="medium",
                )
            )
        # A row from between two runs has no sample; it is recorded at the one that is current.
        seen, write = self.source.seen, self.writer.ledger
        self._ledger.hand_over(lambda row: write(row if row.sample >= 0 else replace(row, sample=seen)))

    def decide_by(self, rule: Rule, stream: EvidenceStream | None = None) -> None:
        """The loop decides by this rule on this evidence now: the screen shows what is counted, and who agreed."""
        self._rule, self._joined = rule, stream if isinstance(stream, JoinedStream) else None

    def record_decision(self, decision: Decision, *, decided: float, emitted: float) -> None:
        """Record a decision with its times, and keep it for the screen.

        Parameters
        ----------
        decision : made by the decode loop.
        decided, emitted : local time in s at which it was made and was published.
        """
        self.writer.decision(decision, acquired=self.acquired, decided=decided, emitted=emitted)
        if self.acquired:
            self.latency.add(emitted - self.acquired)
        self.last = decision
        # A phase that nobody knows is no 0: the curve has a hole there.
        unknown = decision.kind == "phase" and not self._agreed().get("signal", bool(decision.label))
        self.recent.append((decision.stamp, None if unknown else round(self._shown(decision), 4)))
        while self.recent and decision.stamp - self.recent[0][0] > HISTORY_S:
            self.recent.popleft()
        if decision.change in ("activate", "release"):
            self._active = decision.change == "activate"

    def _agreed(self) -> Mapping[str, bool]:
        """Whether each stream agreed to the newest evidence; empty where none can hold back another."""
        return {} if self._joined is None else self._joined.agreed

    def _shown(self, decision: Decision) -> float:
        """What the evidence panel shows, 0–1: probability of a class, a phase, or the size of anything else."""
        if decision.probabilities:
            return decision.probabilities[self.writer.classes.index(self.request.paradigm.conditions[0])]
        if decision.kind == "phase":
            return decision.values[0]
        return min(1.0, hypot(*decision.values))

    def record_snapshot(self, snapshot: Snapshot) -> None:
        """Journal an update of the decoder, and in the ledger that it went back to its fit or adapts no more."""
        self.writer.snapshot(snapshot, stamp=self.source.newest)
        row = self.adaptation.count(snapshot, stamp=self.source.newest)
        if row is not None:
            self._ledger.enter(row)

    def record_trial(self, trial: Trial) -> None:
        """Journal a trial."""
        self.trials.append(trial)
        self.writer.trial(trial)

    def close(self) -> None:
        """Write what is left and close the recording with the state of the run."""
        if self.closed:
            return
        try:
            self.write_rows()
        finally:
            # Before the writer is closed: threads that record ask this first.
            self.closed = True
            self.worker.close()
            self.writer.close(state=self.over or "failed")
            self.state = self.over or "failed"

    def abandon(self, sentence: str) -> None:
        """The run failed: keep what was recorded."""
        self.end("failed", sentence)
        try:
            self.close()
        except RecordingFault as error:
            self.sentence = Message("engine.two_reasons", reasons=[sentence, messages.of(error)])
        self.state = "failed"

    # ---------------------------------------------------------------------------------- showing
    def status(self) -> RunStatus:
        """The run's part of the status."""
        left, fs = self.source.left_s(), self.signal.spec.fs
        over = not self.in_progress
        return {
            "id": self.request.id,
            "number": self.number,
            "kind": self.request.kind,
            "paradigm": self.request.paradigm.name,
            "state": self.state,
            "trials_done": len(self.trials),
            "trials_total": self.request.n_trials,
            "elapsed_s": self.source.seen / fs,
            "left_s": 0.0 if over else left,
            "left_real_s": 0.0 if over else None if left is None else left / self.plan.speed,
            "cue": None if over else self._cue(),
            "trials": [
                {"index": t.index, "condition": t.condition, "outcome": t.outcome, "decided": t.decided}
                for t in self.trials
            ],
            "recording": f"recordings/{self.path.name}",
            "sentence": self.sentence,
            "adapting": self.adaptation.status(over=over),
            "deadline": {"warnings": self.deadline.warnings, "overruns": self.deadline.overruns},
            "task": None if over else self._task(),
            "setting": None if over else self._setting(),
        }

    def _task(self) -> TaskStatus | None:
        """Where the task's cursor is: as it was decided, or as a calibration shows it."""
        paradigm, cue, last = self.request.paradigm, self.source.cue, self.last
        if not paradigm.targets:
            return None
        position = (0.0, 0.0) if last is None else paradigm.place_of(last)
        if self.request.decoder is None and cue is not None:
            position = paradigm.shown_at(cue.label, self.source.newest - cue.stamp)
        targets = {name: list(place) for name, place in paradigm.targets.items()}
        radius = float(self._params.get("target_radius", USUAL_RADIUS))
        return {"position": list(position), "targets": targets, "radius": radius}

    def _setting(self) -> SettingStatus | None:
        """Of a mapping run, the setting that the operator may confirm next, or that awaits its reaction."""
        paradigm, done = self.request.paradigm, len(self.trials)
        if not paradigm.by_operator or done >= self.request.n_trials:
            return None
        label = self.request.schedule[done].label
        return {
            "label": label,
            "level": list(paradigm.level_of(label) or ()),
            "awaits_reaction": self.awaits_reaction,
        }

    def _cue(self) -> CueStatus | None:
        cue, coming = self.source.cue, self.source.next_cue()
        if cue is None:
            return None
        return {
            "label": cue.label,
            "trial": cue.detail.get("trial", -1),
            "elapsed_s": max(0.0, self.source.newest - cue.stamp),
            "duration_s": cue.detail.get("duration_s", 0.0),
            "next": None if coming is None else {"label": coming[0], "in_s": coming[1]},
        }

    def evidence(self) -> EvidenceStatus | None:
        """The evidence's part of the status."""
        last = self.last
        if last is None:
            return None
        params = self._params
        count, needed = (0, 0) if self._rule is None else self._rule.dwell()
        return {
            "classes": list(self.writer.classes),
            "target": self.request.paradigm.conditions[0] if last.probabilities else "",
            "p": self._shown(last),
            "activate": params.get("activate"),
            "release": params.get("release"),
            "dwell": count,
            "active": self._active,
            "dwell_needed": needed,
            "valid": last.valid,
            "rejected": last.valid and not last.label,
            "history": [[round(t - last.stamp, 3), p] for t, p in self.recent],
            "kind": last.kind,
            "values": list(last.values or last.probabilities),
            "sure": params.get("reject_below"),
            "position": list(last.position),
            "windows": [{"name": name, "begin": a, "end": b} for name, a, b in self.plan.law.windows],
            "agreed": dict(self._agreed()),
        }
