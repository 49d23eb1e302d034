"""Replay: any XDF, EDF, BDF, BrainVision, GDF or FIF recording as LSL streams, or without LSL as a source.

Live, ``python -m workbench.devices.replay --json '{"files": ["a.edf"], "source_id": "x"}'`` publishes the
signal and its annotations. The original time base and rate are kept at any speed: a sample that lies s after
the first of its file is stamped ``start + s``, and the description carries ``speed`` and ``t0``, so that
something stamped x was published at ``t0 + (x - t0) / speed``. Between two files the streams are silent.

Offline, :func:`items` yields the same samples and cues in the order in which they lie, for ``decode``.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.devices._base import Device
from workbench.devices._playing import play, ready
from workbench.devices._recorded import Annotation, Head, Recorded, load
from workbench.devices.simulated_participant import CueReader
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.recording import Corrector
from workbench.vocabulary import Chunk, Marker

__all__ = ["DEVICE", "Annotation", "Head", "Recorded", "head", "items", "load"]

DEVICE = Device(
    "A recording (XDF, EDF, BDF, BrainVision, GDF, FIF) played through LSL with its annotations, causally.",
    options={
        "files": "paths of one or more recordings of one montage, in the order in which they are played",
        "name": "stream name (wb-replay); the markers are <name>-markers",
        "source_id": "source_id of the signal stream; required",
        "marker_source_id": "source_id of the marker stream; none = annotations are not published",
        "conditions": "annotation → condition, published instead of the annotation; none = as they are",
        "stream": "name of the signal stream, for XDF files with several",
        "speed": "stream seconds per second (1)",
        "start": "a file begins now, on_receiver (somebody listens), on_command (usual with a cue_source_id)",
        "cue_source_id": "source_id of the engine's cue stream: a text of kind run or start begins the next "
        "file (or the one of index 'file'), end or stop ends it",
        "pause_s": "silence between two files unless on_command, s of the clock (2)",
        "block_s": "length of a block by the clock, s (0.02)",
        "faults": "list of faults, see workbench.devices.FaultPlan",
        "seed": "of the faults (0)",
    },
    player=True,
    simulated=False,
)

STARTS = ("now", "on_receiver", "on_command")
BEGIN, END = ("run", "start"), ("end", "stop")
LONGEST_S = 0.25
"""Longest block in s of stream time; a player that is late sends several without a pause."""
CONNECT_S = 5.0
"""How long a player waits for the engine's cue stream before it reports ready, s."""


def head(path: Path | str, *, conditions: Mapping[str, str] | None = None, stream: str = "") -> Head:
    """The description of a recording: channels, rate, length, annotations.

    Parameters
    ----------
    path : of the recording.
    conditions : annotation → condition; None takes the annotations as they are.
    stream : name of the stream, where the file has several.

    Raises
    ------
    RecordingFault, BadValue
        As :func:`load`; in particular when a condition does not occur.
    """
    return load(path, conditions=conditions, stream=stream, samples=False).head


def items(
    path: Path | str,
    *,
    conditions: Mapping[str, str] | None = None,
    block: int | None = None,
    stream: str = "",
    t0: float = 0.0,
) -> Iterator[Chunk | Marker]:
    """A recording as a source for ``decode``, without LSL.

    Parameters
    ----------
    path : of the recording.
    conditions : annotation → condition; those annotations become cues. All others become markers of the
        kind ``"annotation"``, which decide nothing. The cues of a run of ours need no mapping.
    block : most samples per chunk, None for as many as possible; it changes no bit.
    stream : name of the signal stream, for XDF files with several.
    t0 : stamp in s of the first sample.

    Yields
    ------
    Chunk or Marker; a marker comes before the first sample at or after its onset.
    """
    if block is not None and block < 1:
        raise BadValue(Message("recording.block", got=block))
    recorded = load(path, conditions=conditions, stream=stream)
    corrector = Corrector.of_rate(recorded.head.fs)
    at, trial = 0, 0
    for annotation in recorded.head.annotations:
        sample = max(at, int(np.searchsorted(recorded.stamps, annotation.onset_s, side="left")))
        yield from _blocks(corrector, recorded, slice(at, sample), block=block, t0=t0)
        at = sample
        label = recorded.head.conditions.get(annotation.text)
        detail = {"text": annotation.text, "duration_s": annotation.duration_s}
        stamp = t0 + annotation.onset_s
        if label is None:
            yield from corrector.marker(Marker("annotation", at, stamp, annotation.text, detail))
        else:
            yield from corrector.marker(Marker("cue", at, stamp, label, {**detail, "trial": trial}))
            trial += 1
    yield from _blocks(corrector, recorded, slice(at, len(recorded.stamps)), block=block, t0=t0)


def _blocks(
    corrector: Corrector, recorded: Recorded, rows: slice, *, block: int | None, t0: float
) -> Iterator[Chunk | Marker]:
    """Rows of a recording in blocks, through the time base."""
    for at in range(rows.start, rows.stop, block or max(1, rows.stop - rows.start)):
        part = slice(at, min(rows.stop, at + block) if block else rows.stop)
        yield from corrector.samples(recorded.samples[part].astype(np.float64), t0 + recorded.stamps[part])


# ---------------------------------------------------------------------------------------- player
class Player:
    """One replay in this process: paces, listens for the engine, publishes."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        """Read the recordings, announce the streams, and fix ``t0``.

        Raises
        ------
        BadValue, RecordingFault
            For options that contradict themselves, recordings that cannot be read or differ in montage.
        """
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet

        self.stop = stop
        self.clock = lsl.local_clock
        self.speed = _positive(options, "speed", 1.0)
        self.block_s = _positive(options, "block_s", 0.02)
        self.pause_s = float(options.get("pause_s", 2.0))
        self.cue_source_id = str(options.get("cue_source_id", ""))
        self.start = _start(options)
        self.files = _read_all(options)
        first, name = self.files[0].head, str(options.get("name", "wb-replay"))
        self.signal = first.signal(_source_id(options), name=name)
        self.specs = [self.signal]
        self.t0 = self.clock()
        about = {"simulated": True, "replayed": True, "speed": self.speed, "t0": self.t0, "device": "replay"}
        plan = FaultPlan(options.get("faults", ()), fs=first.fs, seed=int(options.get("seed", 0)))
        self._listened: list[lsl.Outlet] = []

        def announce() -> lsl.Outlet:
            self._listened.append(lsl.Outlet(self.signal, desc=about))
            return self._listened[-1]

        self.outlet = FaultyOutlet(announce, plan, t0=self.t0)
        self.texts: FaultyOutlet | None = None
        if options.get("marker_source_id"):
            spec = first.markers(str(options["marker_source_id"]), name=name)
            self.specs.append(spec)
            self.texts = FaultyOutlet(lambda: lsl.Outlet(spec, desc=about), plan, t0=self.t0)
        self._commands = CueReader(self.cue_source_id, stop) if self.cue_source_id else None
        self._position = -1
        self._pending: int | None = None
        self._ended = False

    def ready(self) -> None:
        """Wait until the engine's first command cannot be missed, at most ``CONNECT_S``."""
        if self._commands is not None and not self._commands.connected.wait(CONNECT_S):
            sys.stderr.write(f"no cue stream {self.cue_source_id!r} within {CONNECT_S:g} s; still looking\n")

    def run(self) -> None:
        """Play file after file until stopped; the streams stay announced behind the last one."""
        while self._begin():
            self._play(self.files[self._position])
        if self._commands is not None:
            self._commands.join()
        for outlet in (self.outlet, self.texts):
            if outlet is not None:
                outlet.close()

    def _begin(self) -> bool:
        """Wait until the next file may begin; False when stopped instead."""
        if self.start != "on_command":
            self._pending = self._position + 1
            if self._pending and self._pending < len(self.files):
                self.stop.wait(self.pause_s)
            while self.start == "on_receiver" and not (self.stop.is_set() or self._listened[-1].has_receiver()):
                self.stop.wait(self.block_s)
        while not self.stop.is_set() and (self._pending is None or self._pending >= len(self.files)):
            if self._pending is not None and self.start == "on_command":
                sys.stderr.write(f"all {len(self.files)} recordings were played; there is no next one\n")
                self._pending = None
            self._listen()
            self.stop.wait(self.block_s)
        if self._pending is not None:
            self._position, self._pending, self._ended = self._pending, None, False
        return not self.stop.is_set()

    def _listen(self) -> None:
        """Take the engine's texts, which begin the next file or end the one that plays."""
        for command in self._commands.take() if self._commands is not None else ():
            kind = str(command.get("kind", ""))
            if kind in BEGIN and self.start == "on_command":
                file = command.get("file", self._position + 1)
                self._pending = file if isinstance(file, int) and file >= 0 else self._position + 1
            self._ended |= kind in END or self._pending is not None

    def _play(self, recorded: Recorded) -> None:
        """Publish one recording to its end, or until the engine or its owner ends it."""
        began = self.clock()
        # Stream time at which this file begins: it runs ``speed`` times as fast as the clock since ``t0``.
        base = self.t0 + (began - self.t0) * self.speed
        stamps, waiting = recorded.stamps, list(recorded.head.annotations)
        longest = max(1, round(LONGEST_S * recorded.head.fs))
        at = 0
        while at < len(stamps) and not self.stop.is_set():
            self._listen()
            if self._ended:
                return
            due = (self.clock() - began) * self.speed
            to = int(np.searchsorted(stamps, due, side="right"))
            # After a stall, blocks of bounded length keep annotations in order with their samples.
            behind = to - at > longest
            if behind:
                to = at + longest
                due = float(stamps[to - 1])
            while waiting and waiting[0].onset_s <= due:
                self._publish(waiting.pop(0), recorded.head.conditions, base)
            if to > at:
                self.outlet.push(recorded.samples[at:to], base + stamps[at:to])
                at = to
            if self.texts is not None:
                self.texts.tend(base + due - self.t0)
            if not behind:
                self.stop.wait(self.block_s)

    def _publish(self, annotation: Annotation, conditions: Mapping[str, str], base: float) -> None:
        """One annotation as a marker, stamped with its onset."""
        if self.texts is not None:
            self.texts.push_text(conditions.get(annotation.text, annotation.text), base + annotation.onset_s)


def _positive(options: Mapping[str, Any], name: str, usual: float) -> float:
    value = float(options.get(name, usual))
    if not (math.isfinite(value) and value > 0):
        raise BadValue(Message("replay.above_0", name=name, got=str(value), usual=f"{usual:g}"))
    return value


def _source_id(options: Mapping[str, Any]) -> str:
    if not options.get("source_id"):
        raise BadValue(Message("replay.no_source_id"))
    return str(options["source_id"])


def _start(options: Mapping[str, Any]) -> str:
    """When a file begins."""
    start = str(options.get("start", "on_command" if options.get("cue_source_id") else "now"))
    if start not in STARTS:
        raise BadValue(Message("replay.start_unknown", got=repr(start), allowed=list(STARTS)))
    if start == "on_command" and not options.get("cue_source_id"):
        raise BadValue(Message("replay.no_cue_source"))
    return start


def _read_all(options: Mapping[str, Any]) -> list[Recorded]:
    """All recordings of the list; they must share channels and rate, since one stream carries them."""
    paths = options.get("files")
    if not isinstance(paths, list) or not paths:
        raise BadValue(Message("replay.no_files", got=repr(paths)))
    stream = str(options.get("stream", ""))
    files = [load(str(path), conditions=options.get("conditions"), stream=stream) for path in paths]
    first = files[0].head
    for other in (file.head for file in files[1:]):
        if (other.channels, other.fs) != (first.channels, first.fs):
            raise BadValue(Message("replay.other_montage", files=[_described(other), _described(first)]))
    return files


def _described(head: Head) -> Message:
    return Message("replay.file", file=head.path.name, channels=len(head.channels), fs=f"{head.fs:g}")


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = Player(options, stop)
    for file in player.files:
        for note in file.head.notes:
            sys.stderr.write(f"{file.head.path.name}: {note}\n")
    player.ready()
    files = [{"name": f.head.path.name, "seconds": f.head.seconds, "n_cues": f.head.n_cues} for f in player.files]
    ready(player.specs, t0=player.t0, speed=player.speed, files=files)
    player.run()


if __name__ == "__main__":
    sys.exit(play("replay", DEVICE, _body))
