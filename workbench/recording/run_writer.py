"""Writing one run by the run-file convention: signal, other streams, and every decision.

Streams beside the signal: ``wb.events``, ``wb.trials``, ``wb.ledger``, ``wb.commands``, ``wb.acks`` (two texts per
sample: one JSON object, and its kind) and ``wb.decisions`` (double64); ``wb.snapshots`` where the decoder adapts,
where the session has an effector, ``wb.effector``: what the device's signed status confirmed, and ``wb.control``:
the state of its controller as the run began and every input since, from which its commands are recomputed.
Two texts, since readers of other projects take every irregular stream of one channel for markers; the cues stand
as plain labels in ``wb.markers``, of the type ``Markers``, which those readers turn into annotations.
:class:`workbench.recording.RunFile` reads it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.errors import BadValue
from workbench.messages import Message, carried
from workbench.recording.journal import Journal
from workbench.vocabulary import (
    Acknowledgement,
    Command,
    Decision,
    DeviceStatus,
    EvidenceType,
    FloatArray,
    LedgerRow,
    Marker,
    Snapshot,
    StreamSpec,
    Trial,
    contents,
)

PREFIX = "wb."
EVENTS, DECISIONS, TRIALS = "wb.events", "wb.decisions", "wb.trials"
LEDGER, COMMANDS, ACKS, SNAPSHOTS = "wb.ledger", "wb.commands", "wb.acks", "wb.snapshots"
EFFECTOR, CONTROL = "wb.effector", "wb.control"
MARKERS = "wb.markers"
TEXTS = ("json", "kind")
"""Channels of a text stream of the workbench; the first is the whole entry."""
CHANGES = ("", "activate", "release", "cued")
"""Codes of ``Decision.change`` in the decision stream."""
LEADING = ("sample", "stamp", "label_index", "valid", "change", "trial")
TIMES = ("t_acquire", "t_decided", "t_emitted")
RULE = 2
"""Rule of the time base of new recordings, ``workbench.signals.timebase.RULE``; a test keeps the two equal."""
KEPT_COMMANDS = 4096
"""Commands whose stamps are remembered until they are acknowledged."""


class RunWriter:
    """A journal with the streams of a run.

    Parameters
    ----------
    path : of the new recording.
    plan : JSON-able: study, run, kind, paradigm, params, decoder_sha256, classes, contract, speed, t0,
        workbench. ``classes`` and ``evidence`` (an :class:`EvidenceType` as a mapping, left out for
        probabilities alone) name the columns of the decision stream; ``adapts`` is the rule by which the decoder
        adapts, empty or left out for none.
    stamp : LSL time in s of the start, which the first entry of ``wb.events`` carries.
    signal : the decoded stream; its samples are stored as they arrive, with raw stamps.
    others : further streams, each with its dtype.
    dtype : of the signal stream, as LSL delivers it.
    desc : description of the signal stream.
    headers : stream name → what its outlet announced, see :meth:`Journal.add_stream`.
    on_slow_sync, spawn : see :class:`Journal`.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        plan: Mapping[str, Any],
        stamp: float,
        signal: StreamSpec,
        others: Sequence[tuple[StreamSpec, str]] = (),
        dtype: str = "float32",
        desc: Mapping[str, Any] | None = None,
        headers: Mapping[str, Mapping[str, Any]] | None = None,
        on_slow_sync: Callable[[float], None] | None = None,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.classes = tuple(str(name) for name in plan.get("classes", ()))
        self.evidence = evidence_of(plan)
        self.plan = {"timebase": time_base(signal), **plan, "signal": signal.name}
        started = str(plan.get("started") or world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        # In the first chunk: by these a recording whose plan never reached the disk is known.
        whose = {name: str(plan[name]) for name in ("session", "run") if plan.get(name)}
        header = {"workbench": "run", **whose, "datetime": started}
        self.journal = Journal(path, header=header, on_slow_sync=on_slow_sync, spawn=spawn)
        announced = headers or {}
        self.ids: dict[str, int] = {}
        self._signal, self._newest = signal.name, stamp
        self._sent: dict[int, float] = {}
        try:
            self.ids[signal.name] = self.journal.add_stream(
                signal, dtype=dtype, desc=desc, header=announced.get(signal.name)
            )
            for spec, kind in others:
                self._add(spec, kind, announced.get(spec.name, {}))
            self._add_own(stamp)
            self._own = [name for name in self.ids if name.startswith(PREFIX)]
            self._offsets_of_own()
            # Copied into the index: without its plan a run cannot be read at all.
            self._text(EVENTS, contents(Marker("run", 0, stamp, detail=self.plan)), stamp, kind="run", copied=True)
            # A run that was confirmed can be read whatever happens next, a power cut too.
            self.journal.sync()
        except BaseException:
            self.journal.close(state="failed")
            raise

    def _add_own(self, stamp: float) -> None:
        """The workbench's own streams; some runs have more of them than others."""
        own = self._own_header(stamp)
        specs = [
            StreamSpec(name, "Workbench", 0.0, TEXTS, unit="", source_id=name, role="markers")
            for name in (EVENTS, TRIALS, LEDGER, COMMANDS, ACKS, *self._extra())
        ]
        # Cues from a stream are recorded with that stream; a second copy would double the annotations.
        if self.plan.get("cue_source") != "stream":
            specs.append(StreamSpec(MARKERS, "Markers", 0.0, source_id=MARKERS, role="markers"))
        for spec in specs:
            self._add(spec, "string", {**own, "uid": f"{own['uid']}:{spec.name}"})
        columns = decision_columns(self.classes, self.evidence)
        spec = StreamSpec(DECISIONS, "Workbench", 0.0, columns, unit="", source_id=DECISIONS, role="aux")
        self._add(spec, "double64", {**own, "uid": f"{own['uid']}:{DECISIONS}"})

    def _extra(self) -> list[str]:
        """Text streams that only some runs have."""
        adapts, effector = bool(self.plan.get("adapts")), bool(self.plan.get("effector"))
        return [SNAPSHOTS] * adapts + [EFFECTOR, CONTROL] * effector

    def _add(self, spec: StreamSpec, dtype: str, header: Mapping[str, Any]) -> None:
        if spec.name in self.ids:
            raise BadValue(Message("recording.streams_same_name", stream=repr(spec.name)))
        self.ids[spec.name] = self.journal.add_stream(spec, dtype=dtype, header=header)

    def _own_header(self, stamp: float) -> dict[str, Any]:
        """What the workbench announces about its own streams."""
        return {
            "version": "1.0",
            "created_at": repr(float(stamp)),
            "uid": str(self.plan.get("run") or self.journal.path.stem),
            "session_id": str(self.plan.get("session") or ""),
            "hostname": world.computer.name(),
            "desc": {"manufacturer": "workbench", "version": str(self.plan.get("workbench") or "")},
        }

    def _offsets_of_own(self) -> None:
        """The workbench's own streams are stamped by the recorder's clock: an offset of 0, recorded too."""
        for name in self._own:
            self.journal.clock_offset(self.ids[name], self._newest, 0.0, uncertainty=0.0)

    def signal(self, values: NDArray[Any], stamps: FloatArray) -> None:
        """Samples ``(n_times, n_channels)`` of the signal with raw stamps ``(n_times,)`` float64, s."""
        self.samples(self._signal, values, stamps)

    def samples(self, name: str, values: NDArray[Any] | Sequence[Any], stamps: FloatArray) -> None:
        """Samples of any stream of the run, as :meth:`Journal.samples` takes them.

        Parameters
        ----------
        name : of the stream.
        values : ``(n_times, n_channels)`` in its unit, or texts.
        stamps : ``(n_times,)`` float64, s, raw LSL time.
        """
        if name not in self.ids:
            raise BadValue(Message("recording.no_stream", stream=repr(name), known=list(self.ids)))
        self.journal.samples(self.ids[name], values, stamps)
        if name == self._signal and len(stamps) and math.isfinite(stamps[-1]):
            self._newest = float(stamps[-1])

    def clock_offset(self, name: str, time: float, offset: float, *, uncertainty: float | None = None) -> None:
        """Measured clock offset of a stream, s; see :meth:`Journal.clock_offset`.

        Parameters
        ----------
        name : of the stream.
        time : local time of the measurement, s.
        offset : s, as in ``corrected = raw + offset``.
        uncertainty : s, half the round trip.
        """
        self.journal.clock_offset(self.ids[name], time, offset, uncertainty=uncertainty)
        if name == self._signal:
            # At the same pace as the signal's, so that readers that interpolate offsets treat all streams alike.
            self._offsets_of_own()

    def marker(self, marker: Marker) -> None:
        """A recorded event. Write it when it takes effect, after the samples before it."""
        self._text(EVENTS, contents(marker), marker.stamp, kind=marker.kind)
        if marker.kind == "cue" and MARKERS in self.ids:
            self.journal.samples(self.ids[MARKERS], [marker.label], np.array([marker.stamp]))

    def decision(
        self, decision: Decision, *, acquired: float = 0.0, decided: float = 0.0, emitted: float = 0.0
    ) -> None:
        """Write a decision with its local times.

        Parameters
        ----------
        decision : what was decided.
        acquired, decided, emitted : local times in s of its last sample's arrival, the decision, and its emission.
        """
        if decision.label and decision.label not in self.classes:
            raise BadValue(Message("recording.no_class", label=repr(decision.label), known=list(self.classes)))
        probabilities = decision.probabilities
        n_classes = len(self.classes) if self.evidence.has_classes else 0
        if len(probabilities) != n_classes:
            raise BadValue(Message("recording.probabilities", n=len(probabilities), classes=n_classes))
        if decision.kind != self.evidence.kind or len(decision.values) != len(self.evidence.names):
            raise BadValue(
                Message(
                    "recording.evidence_kind",
                    kind=decision.kind,
                    n=len(decision.values),
                    run_kind=self.evidence.kind,
                    needed=len(self.evidence.names),
                )
            )
        # A cursor that is nowhere before the first trial is at no number.
        position = decision.position or (math.nan,) * len(positions(self.evidence))
        row = (
            float(decision.sample),
            decision.stamp,
            float(self.classes.index(decision.label)) if decision.label else -1.0,
            float(decision.valid),
            float(CHANGES.index(decision.change)),
            float(decision.trial),
            *probabilities,
            *decision.values,
            *position,
            acquired,
            decided,
            emitted,
        )
        self.journal.samples(self.ids[DECISIONS], np.array([row]), np.array([decision.stamp]))

    def trial(self, trial: Trial) -> None:
        """A finished trial."""
        self._text(TRIALS, contents(trial), trial.cue_stamp, kind=trial.outcome)

    def snapshot(self, snapshot: Snapshot, *, stamp: float) -> None:
        """An update of the decoder, by its hash; ``stamp`` is LSL time in s of about its sample.

        Its arrays are not written: the hash covers their bits, a replay computes them again, and they can be as
        large as the signal (spatial covariances of many bands and channels every window).
        """
        if SNAPSHOTS not in self.ids:
            raise BadValue(Message("recording.plan_no_adapting"))
        content = {f.name: getattr(snapshot, f.name) for f in fields(snapshot) if f.name != "arrays"}
        self._text(SNAPSHOTS, content, stamp, kind=snapshot.rule)

    def ledger(self, row: LedgerRow) -> None:
        """A row of the integrity ledger."""
        self._text(LEDGER, contents(row), row.stamp, kind=row.kind)

    def command(self, command: Command) -> None:
        """A command as it was sent."""
        self._sent[command.seq] = command.stamp
        # A dict keeps the order of insertion: the oldest goes first. A silent effector must not fill the memory.
        while len(self._sent) > KEPT_COMMANDS:
            del self._sent[next(iter(self._sent))]
        self._text(COMMANDS, contents(command), command.stamp, kind=command.action)

    def ack(self, ack: Acknowledgement) -> None:
        """An acknowledgement as it came; its sample is never stamped earlier than that of its command.

        The entry keeps the times that the device states. Its clock may differ from ours, above all when a
        simulation runs faster than real time.
        """
        self._text(ACKS, contents(ack), max(ack.received, self._sent.get(ack.seq, ack.received)), kind=ack.status)

    def control(self, entries: Sequence[tuple[str, Mapping[str, Any], float]]) -> None:
        """What the effector's controller was given: its state as the run begins, then each input.

        An entry has its kind, its content as JSON has it, and stream time in s.
        """
        self._require_effector()
        # Without blanks: there are a hundred a second, more than of any other text.
        texts = [(_CLOSE(carried(content)), kind) for kind, content, _ in entries]
        self.journal.samples(self.ids[CONTROL], texts, np.array([stamp for *_, stamp in entries]))

    def _require_effector(self) -> None:
        if EFFECTOR not in self.ids:
            raise BadValue(Message("recording.plan_no_effector"))

    def effector(self, status: DeviceStatus) -> None:
        """What the effector's signed status confirmed, beside the level that was commanded."""
        self._require_effector()
        self._text(EFFECTOR, contents(status), status.stamp, kind=status.state)

    def close(self, *, state: str = "finished") -> None:
        """Close the journal with ``"finished"``, ``"stopped"`` or ``"failed"``."""
        self.journal.close(state=state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(state="finished" if kind is None else "stopped")

    def _text(
        self, name: str, content: Mapping[str, Any], stamp: float, *, kind: str, copied: bool = False
    ) -> None:
        self.journal.samples(
            self.ids[name], [(_TEXT(carried(content)), kind)], np.array([stamp], dtype=np.float64), copied=copied
        )


def evidence_of(plan: Mapping[str, Any]) -> EvidenceType:
    """The type of a run's evidence, from its plan; ``TypeError`` for an entry that is none."""
    return EvidenceType(**plan.get("evidence", {}))


def positions(evidence: EvidenceType) -> tuple[str, ...]:
    """Dimensions in which a decision may place a cursor."""
    return evidence.names if evidence.kind == "velocity" else ()


def decision_columns(classes: Sequence[str], evidence: EvidenceType) -> tuple[str, ...]:
    """Columns of the decision stream, in order; ``p_`` marks a probability, ``at_`` a place of the cursor."""
    named = tuple(f"p_{name}" for name in classes) if evidence.has_classes else ()
    return LEADING + named + evidence.names + tuple(f"at_{name}" for name in positions(evidence)) + TIMES


def time_base(spec: StreamSpec) -> dict[str, Any]:
    """The rule and the tolerances by which the stamps of a new recording are corrected, live and in every
    replay."""
    return {"rule": RULE, "gap_tolerance_s": spec.gap_tolerance_s, "jitter_s": spec.jitter_s}


def _plain(value: Any) -> Any:
    """NumPy numbers and arrays as JSON has them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise BadValue(Message("recording.not_storable", kind=type(value).__name__))


# Made once: an entry is written up to a hundred times a second. None holds itself: `carried` has walked it before.
_TEXT = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=_plain).encode
_CLOSE = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_plain).encode
