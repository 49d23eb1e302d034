"""Reading one run by the run-file convention, and playing it back to the decode loop.

``items`` sends the raw stamps through the same ``Timebase`` as the live engine, with the recorded clock
offsets at the samples at which they took effect, so that the loop sees what it saw live, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import numpy as np

from workbench import reading
from workbench.errors import BadValue, RecordingFault
from workbench.html_repr import card
from workbench.messages import SAID, Message, restored
from workbench.recording import run_writer
from workbench.recording.corrector import Corrector
from workbench.recording.run_writer import CHANGES, LEADING, PREFIX, TIMES
from workbench.recording.xdf import XdfFile, XdfStream, read
from workbench.vocabulary import (
    Acknowledgement,
    Chunk,
    Command,
    Decision,
    DeviceStatus,
    EvidenceType,
    FloatArray,
    LedgerRow,
    Marker,
    RecordingState,
    Snapshot,
    StreamSpec,
    Trial,
)

if TYPE_CHECKING:
    from mne import Epochs
    from mne.io import RawArray

    from workbench.signals.timebase import Timebase
    from workbench.signals.units import StreamUnits

T = TypeVar("T")
_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
}
"""Declared type of a field → types of JSON that it accepts."""


class RunFile:
    """A recorded run.

    Parameters
    ----------
    path : of the recording.
    damaged, only : as :func:`workbench.recording.read` takes them; with ``only`` at least its events.

    Raises
    ------
    RecordingFault
        When the file cannot be read, is torn or damaged, or contains no run.
    """

    def __init__(self, path: Path | str, *, damaged: str = "refuse", only: Collection[str] | None = None) -> None:
        self._take(read(path, damaged=damaged, only=only))

    @classmethod
    def of(cls, file: XdfFile) -> Self:
        """The run in a recording that was read already; else as the class itself takes its path."""
        run = cls.__new__(cls)
        run._take(file)
        return run

    def _take(self, file: XdfFile) -> None:
        self.path, self.file = file.path, file
        runs = [m for m in self.markers() if m.kind == "run"]
        if not runs:
            raise RecordingFault(Message("recording.no_run", file=self.path.name, stream=run_writer.EVENTS))
        self.plan: dict[str, Any] = dict(runs[0].detail)
        for name, kind in (("classes", list), ("contract", list), ("params", dict), ("signal", str)):
            if name in self.plan and not isinstance(self.plan[name], kind):
                raise RecordingFault(
                    Message(
                        "recording.plan_kind",
                        file=self.path.name,
                        name=name,
                        got=f"{self.plan[name]!r:.60}",
                        kind=kind.__name__,
                    )
                )

    def planned(self, name: str, *kinds: type[T]) -> T:
        """An entry of the plan that a run cannot do without, of one of these types.

        Raises
        ------
        RecordingFault
            When it is missing or of another type.
        """
        value = self.plan.get(name)
        # In Python a bool is an int; in a plan it never stands for a number.
        if isinstance(value, kinds) and not isinstance(value, bool):
            return value
        raise RecordingFault(
            Message(
                "recording.plan_needs",
                file=self.path.name,
                name=name,
                got=f"{value!r:.60}",
                kind=kinds[0].__name__,
            )
        )

    @property
    def state(self) -> RecordingState:
        """``"finished"``, ``"stopped"``, ``"failed"``, ``"recovered"`` or ``"unfinished"``."""
        return self.file.state

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the decoder, in the order of the probabilities; empty in a calibration run."""
        return tuple(str(name) for name in self.plan.get("classes", ()))

    @cached_property
    def evidence(self) -> EvidenceType:
        """What the decisions of the run rest on; earlier recordings have probabilities alone."""
        with self._of_plan(Message("recording.plan_evidence"), self.plan.get("evidence")):
            return run_writer.evidence_of(self.plan)

    @cached_property
    def signal(self) -> XdfStream:
        """The decoded stream: the one that the plan names, else the only regular one.

        Raises
        ------
        RecordingFault
            When it is missing or ambiguous.
        """
        if "signal" in self.plan:
            return self.file.stream(str(self.plan["signal"]))
        candidates = [s for s in self.file.streams if s.fs > 0 and s.dtype != "string"]
        candidates = [s for s in candidates if s.role == "signal"] or candidates
        if len(candidates) != 1:
            names = ", ".join(repr(s.name) for s in candidates) or "none"
            raise RecordingFault(
                Message("recording.signal_streams", file=self.path.name, n=len(candidates), streams=names)
            )
        return candidates[0]

    def items(
        self,
        *,
        block: int | None = None,
        timebase: Timebase | None = None,
        inputs: Sequence[str] = ("signal",),
    ) -> Iterator[Chunk | Marker]:
        """The run as the decode loop saw it: chunks, and each event exactly at its sample.

        Parameters
        ----------
        block : samples a chunk at most, None for as many as possible; it changes no bit.
        timebase : fresh; by default the one that the run was recorded with.
        inputs : roles of the streams that are decoded; those beside the signal come between its chunks.
        """
        signal = self._signal_items(block=block, timebase=timebase)
        if tuple(inputs) == ("signal",):
            yield from signal
            return
        from workbench.recording.other_streams import TIMEOUT, join

        others = {role: self.items_of(role) for role in inputs if role != "signal"}
        yield from join(signal, others, [marker for marker in self.markers() if marker.kind == TIMEOUT])

    def stamped(self) -> tuple[FloatArray, FloatArray]:
        """The signal as it was recorded, with the times that its time base gives.

        Returns
        -------
        tuple of FloatArray
            Stream time of each sample ``(n,)`` in s, and all channels ``(n, n_channels)`` float64, in the stream's
            own units.
        """
        chunks = [item for item in self.items() if isinstance(item, Chunk)]
        rows = [self.signal.values[one.first : one.first + len(one.stamps)] for one in chunks]
        empty = np.empty((0, len(self.signal.channels)))
        stamps = np.concatenate([np.empty(0), *(one.stamps for one in chunks)])
        return stamps, np.concatenate([empty, *rows]).astype(np.float64, copy=False)

    def items_of(self, role: str) -> list[Chunk | Marker]:
        """Chunks and gaps of a stream that is decoded beside the signal; none where it was not recorded.

        Raises
        ------
        RecordingFault
            When the contract of the run has no stream of this role.
        """
        from workbench.recording.other_streams import OtherStream, recorded
        from workbench.signals.timebase import Timebase as Fresh

        spec = self._line_of_role(role)
        if spec.name not in self.names:
            return []
        stream, described = self.file.stream(spec.name), self.plan.get("timebase")
        with self._of_plan(Message("recording.plan_timebase"), described):
            rule = {"gap_tolerance_s": spec.gap_tolerance_s, "jitter_s": spec.jitter_s}
            timebase = Fresh.of_plan(spec.fs, {**dict(described or {}), **rule})
        values = self._units_of(stream).scale(np.ascontiguousarray(stream.values, dtype=np.float64))
        with self._of_plan(Message("recording.plan_offset"), role):
            return recorded(OtherStream(spec, timebase=timebase), values, stream.stamps, self.markers())

    def _line_of_role(self, role: str) -> StreamSpec:
        for line in self.contract:
            if line.role == role:
                return line
        roles = ", ".join(line.role for line in self.contract) or "none"
        raise RecordingFault(Message("recording.no_role", file=self.path.name, role=repr(role), known=roles))

    def _signal_items(self, *, block: int | None, timebase: Timebase | None) -> Iterator[Chunk | Marker]:
        from workbench.signals.timebase import Timebase as Fresh

        if block is not None and block < 1:
            raise BadValue(Message("recording.block", got=block))
        with self._of_plan(Message("recording.plan_timebase"), self.plan.get("timebase")):
            fresh = Fresh.of_plan(self.signal.fs, self.plan.get("timebase")) if timebase is None else timebase
        line = self.contract_line
        # Recordings from before plans had a time base were made when gaps were still taken from stamps.
        counted = bool(line is not None and line.counter) and "timebase" in self.plan
        corrector = Corrector(fresh, without=() if line is None else line.without, counted=counted)
        at = 0
        # The sort is stable: events at one sample keep the order in which they took effect.
        for marker in sorted(self.markers(), key=lambda m: m.sample):
            yield from self._samples(corrector, at, marker.sample, block)
            at = max(at, marker.sample)
            yield from corrector.marker(marker)
        yield from self._samples(corrector, at, len(self.signal.stamps), block)

    @property
    def contract_line(self) -> StreamSpec | None:
        """The line of the contract that the signal was recorded under, None where the plan has none."""
        return next((line for line in self.contract if line.name == self.signal.name), None)

    @cached_property
    def contract(self) -> tuple[StreamSpec, ...]:
        """The streams that the session expected; empty where the plan states none."""
        known = {field.name for field in fields(StreamSpec)}
        lines = []
        for line in self.plan.get("contract", ()):
            with self._of_plan(Message("recording.plan_contract"), line):
                stated = {name: value for name, value in line.items() if name in known}
                if stated["name"] == self.signal.name:
                    stated = {"type": self.signal.type, "fs": self.signal.fs, **stated}
                lines.append(StreamSpec(**stated))
        return tuple(lines)

    @contextmanager
    def _of_plan(self, what: str, value: Any) -> Iterator[None]:
        """Any error that a malformed entry of the plan causes in the code that reads it is a fault of the file."""
        try:
            yield
        except (TypeError, LookupError, AttributeError, ValueError, OverflowError) as error:
            raise RecordingFault(
                Message("recording.plan_wrong", file=self.path.name, what=what, got=f"{value!r:.60}")
            ) from error

    @cached_property
    def units(self) -> StreamUnits:
        """Units of the signal as they were announced, with the factors to µV; earlier recordings are in µV."""
        return self._units_of(self.signal)

    def _units_of(self, stream: XdfStream) -> StreamUnits:
        from workbench.signals.units import StreamUnits as Units

        stated, n_channels = self.plan.get("units", {}), len(stream.channels)
        with self._of_plan(Message("recording.plan_units", stream=stream.name), stated):
            described = stated.get(stream.name)
            units = Units((), np.ones(n_channels), "recorded") if described is None else Units.of(described)
            if len(units.factors) != n_channels:
                raise ValueError(f"{len(units.factors)} factors for {n_channels} channels")
        return units

    def _samples(self, corrector: Corrector, start: int, stop: int, block: int | None) -> Iterator[Chunk | Marker]:
        stop = min(stop, len(self.signal.stamps))
        for at in range(start, stop, block or max(1, stop - start)):
            rows = slice(at, min(stop, at + block if block else stop))
            # The same layout and dtype as live: other strides may give other bits further on.
            values = np.ascontiguousarray(self.signal.values[rows], dtype=np.float64)
            yield from corrector.samples(self.units.scale(values), self.signal.stamps[rows])

    def markers(self) -> list[Marker]:
        """Recorded events in the order in which they took effect."""
        return list(self._events)

    @cached_property
    def _events(self) -> tuple[Marker, ...]:
        return tuple(self._objects(run_writer.EVENTS, Marker))

    def decisions(self) -> list[Decision]:
        """Decisions, bit for bit as they were made."""
        classes = self.classes
        return [self._decision(row, classes) for row in self._decision_rows().tolist()]

    def _decision(self, row: list[float], classes: tuple[str, ...]) -> Decision:
        sample, stamp, label, valid, change, trial = row[: len(LEADING)]
        # Checked before int(), which raises on NaN and infinity.
        whole = all(math.isfinite(number) for number in (sample, label, change, trial))
        if not whole or not -1 <= label < len(classes) or not 0 <= change < len(CHANGES):
            raise RecordingFault(
                Message(
                    "recording.row_no_decision",
                    file=self.path.name,
                    stream=run_writer.DECISIONS,
                    got=f"{row!r:.80}",
                )
            )
        evidence, rest = self.evidence, row[len(LEADING) : len(row) - len(TIMES)]
        n_classes = len(classes) if evidence.has_classes else 0
        first_place = n_classes + len(evidence.names)
        position = tuple(rest[first_place:])
        return Decision(
            sample=int(sample),
            stamp=stamp,
            label=classes[int(label)] if label >= 0 else "",
            probabilities=tuple(rest[:n_classes]),
            valid=bool(valid),
            change=CHANGES[int(change)],
            trial=int(trial),
            kind=evidence.kind,
            values=tuple(rest[n_classes:first_place]),
            position=() if any(math.isnan(place) for place in position) else position,
        )

    def decision_times(self) -> FloatArray:
        """``(n_decisions, 3)`` float64, s, local clock: last sample acquired, decided, emitted."""
        return self._decision_rows()[:, -len(TIMES) :]

    def _decision_rows(self) -> FloatArray:
        width = len(run_writer.decision_columns(self.classes, self.evidence))
        if run_writer.DECISIONS not in self.names:
            return np.empty((0, width))
        values: FloatArray = self.file.stream(run_writer.DECISIONS).values
        if values.shape[1] != width:
            raise RecordingFault(
                Message("recording.decision_columns", file=self.path.name, n=str(values.shape[1]), needed=width)
            )
        return values

    def trials(self) -> list[Trial]:
        """Trials in the order in which they ended."""
        return self._objects(run_writer.TRIALS, Trial)

    @property
    def adapts(self) -> str:
        """Rule by which the run's decoder adapted, empty for none."""
        return str(self.plan.get("adapts") or "")

    def snapshots(self) -> list[Snapshot]:
        """Updates of the decoder in the order of effect, without their arrays, which a replay computes again."""
        return self._objects(run_writer.SNAPSHOTS, Snapshot)

    def ledger(self) -> list[LedgerRow]:
        """Rows of the integrity ledger."""
        return self._objects(run_writer.LEDGER, LedgerRow)

    def commands(self) -> list[Command]:
        """Commands as they were sent."""
        return self._objects(run_writer.COMMANDS, Command)

    def acks(self) -> list[Acknowledgement]:
        """Acknowledgements as they came."""
        return self._objects(run_writer.ACKS, Acknowledgement)

    def effector_statuses(self) -> list[DeviceStatus]:
        """What the effector confirmed in its signed status; empty in runs without one and before version 3."""
        return self._objects(run_writer.EFFECTOR, DeviceStatus)

    def control(self) -> list[tuple[str, dict[str, Any]]]:
        """Kind and content of what the controller was given: its state, then its inputs in their order.

        Empty in runs without an effector, and in those from before this was recorded.
        """
        if run_writer.CONTROL not in self.names:
            return []
        entry = f"{self.path.name}: an entry of {run_writer.CONTROL}"
        entries = []
        for text, kind in self.file.stream(run_writer.CONTROL).values:
            content = _content(text, entry)
            if not isinstance(content, dict):
                raise RecordingFault(Message("recording.entry_no_input", entry=entry, got=f"{text!r:.60}"))
            entries.append((str(kind), content))
        return entries

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all streams."""
        return tuple(s.name for s in self.file.streams)

    @property
    def aux(self) -> tuple[XdfStream, ...]:
        """Streams that are neither the signal nor the workbench's own."""
        return tuple(s for s in self.file.streams if s is not self.signal and not s.name.startswith(PREFIX))

    # ------------------------------------------------------------------ for researchers
    def to_raw(self) -> RawArray:
        """The decoded stream as ``mne.io.Raw``, in V, with cues and other events as annotations.

        A cue's annotation has its label and duration; a gap is ``BAD_gap``, so that MNE leaves out what it
        touches. Channels that are recorded and not decoded have the type ``misc`` and keep their values.
        """
        from workbench.recording import to_mne

        return to_mne.raw_of(self)

    def to_epochs(self, *, tmin: float = -1.0, tmax: float | None = None) -> Epochs:
        """Epochs of the decoded channels around the cues as ``mne.Epochs``, in V, not filtered, no baseline.

        Parameters
        ----------
        tmin, tmax : start and end relative to the cue, s. Filters settle on the signal before the cue; ``tmax``
            is by default the end of the shortest cue.

        The metadata of each epoch state its run and trial, and whether it is simulated.

        Raises
        ------
        BadSignal
            A run without a cue.
        BadValue
            An epoch that ends before it starts.
        """
        from workbench.recording import to_mne

        return to_mne.epochs_of(self, tmin=tmin, tmax=tmax)

    def _repr_html_(self) -> str:
        plan, signal = self.plan, self.signal
        seconds = len(signal.stamps) / signal.fs
        return card(
            "Recorded run",
            self.path.name,
            [
                ("kind", plan.get("kind")),
                ("paradigm", plan.get("paradigm")),
                ("state", self.state),
                ("signal", f"{signal.name}, {len(signal.channels)} channels at {signal.fs:g} Hz, {seconds:.1f} s"),
                ("cues", sum(marker.kind == "cue" for marker in self.markers())),
                ("trials", len(self.trials())),
                ("decisions", len(self._decision_rows())),
                ("decoder", str(plan.get("decoder_sha256", ""))[:12]),
            ],
            simulated=bool(plan.get("simulated")),
        )

    def _objects(self, name: str, kind: type[T]) -> list[T]:
        if name not in self.names:
            return []
        return [self._object(text, name, kind) for text in self.file.stream(name).texts]

    def _object(self, text: str, name: str, kind: type[T]) -> T:
        entry = f"{self.path.name}: an entry of {name}"
        content = _content(text, entry)
        known = _declared(cast("Any", kind))
        if not isinstance(content, dict):
            raise RecordingFault(
                Message("recording.entry_kind", entry=entry, kind=kind.__name__, got=f"{text!r:.60}")
            )
        if unknown := set(content) - set(known):
            raise RecordingFault(
                Message("recording.entry_field_unknown", entry=entry, field=f"{sorted(unknown)[0]!r:.60}")
            )
        for field, declared in known.items():
            # Fields added since have defaults: an older recording stays readable.
            if field not in content and not declared.needed:
                continue
            value = content.get(field)
            if type(value) not in declared.usual and not _fits(value, declared.type):
                raise RecordingFault(
                    Message(
                        "recording.entry_field",
                        entry=entry,
                        kind=kind.__name__,
                        field=field,
                        got=f"{value!r:.60}",
                    )
                )
        return kind(**{name: tuple(value) if known[name].is_list else value for name, value in content.items()})


class _Declared(NamedTuple):
    """A field as its class declares it: its type, whether an entry must have it, whether JSON has it as a list.

    ``usual`` are types of values that fit in any case, for which nothing more is asked.
    """

    type: str
    needed: bool
    is_list: bool
    usual: frozenset[object]


@cache
def _declared(kind: type[Any]) -> Mapping[str, _Declared]:
    """The fields of a class of entries; a recording has thousands of each."""
    return {
        field.name: _Declared(
            str(field.type),
            field.default is MISSING and field.default_factory is MISSING,
            str(field.type).startswith("tuple"),
            frozenset(_KINDS.get(str(field.type), ())),
        )
        for field in fields(kind)
    }


_SAID = f'"{SAID}"'
"""A text without this and without an escape holds no message of the catalogue."""


def _content(text: str, entry: str) -> Any:
    """An entry of a text stream; :class:`RecordingFault` for what is no JSON."""
    content = reading.parse_json(text, entry, error=RecordingFault)
    # Most hold no message: to look for one in every part takes longer than to read the entry.
    return restored(content) if _SAID in text or "\\" in text else content


def _fits(value: Any, declared: str) -> bool:
    """Whether a value from JSON fits the type that a field is declared with."""
    if declared.startswith("tuple"):
        return isinstance(value, list)
    if declared.startswith("Mapping"):
        return isinstance(value, Mapping)
    kinds = _KINDS.get(declared, (object,))
    # In Python a bool is an int, but true is not a number in JSON.
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
