"""A simulated participant as an LSL player: it publishes signals, reads cues, and keeps its intent to itself.

Stamps are ``t0 + n / fs`` whatever the speed, and the description carries ``speed`` and ``t0``: at speed s
the stream runs through s seconds of its own time in one second, and something stamped x happened at
``t0 + (x - t0) / s`` by the clock. Cues are read from the stream the engine publishes, in stream time.
Ground truth goes to a file of this process, never onto LSL, which has no access control.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices._base import Device
from workbench.devices._evoked import RESPONSES, Observer
from workbench.devices._participant import Attempt, SimParticipant, render
from workbench.devices._physiology import EEG, GRID, NEO, PRESETS, REASONS, Physiology, preset
from workbench.devices._playing import began, pace, play, ready
from workbench.errors import BadValue, StreamFault
from workbench.messages import Message
from workbench.vocabulary import StreamSpec

__all__ = [
    "DEVICE",
    "EEG",
    "GRID",
    "NEO",
    "PRESETS",
    "REASONS",
    "Attempt",
    "Physiology",
    "SimParticipant",
    "render",
    "spec",
]

DEVICE = Device(
    "A simulated participant: epidural ECoG over the hand area, or EEG over both hemispheres, that follows cues; "
    "or EEG of somebody who looks at what flickers or flashes.",
    options={
        "name": "stream name (wb-sim-<preset>)",
        "source_id": "source_id of the signal stream; required",
        "seed": "of the person and the noise (0)",
        "speed": "stream seconds per second (1)",
        "t0": "LSL time of the first sample, s, where another player began then (now)",
        "preset": "neo (8-channel epidural ECoG, 1 kHz), grid (16-channel subdural ECoG, 500 Hz, tuned to the "
        "direction of a movement), legs (32-channel epidural ECoG of both leg areas, "
        "500 Hz), gait (the same while walking is meant), or at 250 Hz eeg (16 channels), ssvep (9) or p300 (8)",
        "shows": "what the screen shows: items, and frequencies_hz with phases (ssvep) or groups (p300)",
        "conditions": "condition → pattern, where a condition is not named like a pattern",
        "efforts": "condition → share of a full effort, 0–1, where a condition asks for less",
        "cue_source_id": "source_id of the cue stream to follow; none = rest throughout",
        "decision_source_id": "source_id of the decision stream to watch a cursor by; none = its cues alone",
        "intent_path": "file for the ground truth (JSON lines, mode 0600); none = not kept",
        "faults": "list of faults, see workbench.devices.FaultPlan",
        "announced_fs": "rate to announce, Hz, when it should differ from the real one",
        "block_s": "length of a block by the clock, s (0.02)",
    },
    player=True,
    simulated=True,
)


ENDS = ("pause", "end", "stop")
"""Kinds of a text on the cue stream that end an attempt without a cue; all others except ``cue`` are ignored."""


def spec(options: Mapping[str, Any]) -> StreamSpec:
    """The line of the stream contract that a player with these options fulfils.

    Raises
    ------
    BadValue
        Without a source_id.
    """
    name = str(options.get("preset", "neo"))
    person = RESPONSES[name].background if name in RESPONSES else preset(name)
    if not options.get("source_id"):
        raise BadValue(Message("device.needs_source_id", device="simulated_participant"))
    return StreamSpec(
        name=str(options.get("name", f"wb-sim-{person.name}")),
        type=person.kind,
        fs=person.fs,
        channels=person.channels,
        unit="uV",
        source_id=str(options["source_id"]),
    )


class IntentFile:
    """Ground truth as JSON lines: one header, then one line each time an attempt begins or is changed."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        """Create the file, readable by this user only."""
        self._file = world.disk.file(
            world.disk.descriptor(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8"
        )
        self._write(dict(header))

    def attempt(self, index: int, attempt: Attempt) -> None:
        """Write an attempt as it is known now; the last line of an index counts."""
        self._write({"index": index, **{key: getattr(attempt, key) for key in attempt.__slots__}})

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CueReader:
    """Follows the stream of cues, or of decisions, on its own thread; :meth:`take` returns what has arrived.

    ``connected`` is set once texts can no longer be missed.
    """

    def __init__(self, source_id: str, stop: threading.Event) -> None:
        """Start to look for the stream."""
        self._source_id, self._stop = source_id, stop
        self.connected = world.clock.event()
        self._lock = world.clock.lock()
        self._texts: list[tuple[str, float]] = []
        self._thread = world.clock.thread(self._run, name="cues")
        self._thread.start()

    def take(self) -> list[dict[str, Any]]:
        """Cues or decisions since the last call; a text that is neither is written to the log."""
        with self._lock:
            texts, self._texts = self._texts, []
        cues = []
        for text, stamp in texts:
            try:
                row = json.loads(text)
                # A presenter need not repeat in its text what the stamp of the marker says.
                row["stamp"] = float(row.get("stamp", stamp))
                row["duration_s"] = float(row.get("duration_s") or 0.0)
                cues.append(row)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                sys.stderr.write(f"not a cue: {text[:200]!r} ({error})\n")
        return cues

    def _run(self) -> None:
        from workbench.devices import lsl

        while not self._stop.is_set():
            try:
                inlet = lsl.connect(self._source_id, timeout=1.0)
            except StreamFault:
                continue
            self.connected.set()
            try:
                self._follow(inlet)
            # Whoever sent the cues has gone; a person waits for the next who does.
            except StreamFault as fault:
                sys.stderr.write(f"{fault}\n")
            finally:
                inlet.close()

    def _follow(self, inlet: Any) -> None:
        """Read until stopped; raises StreamFault when the outlet has gone."""
        while not self._stop.is_set():
            texts, stamps = inlet.pull(0.2)
            with self._lock:
                self._texts.extend(zip(texts, map(float, stamps), strict=True))

    def join(self) -> None:
        """Wait for the thread; after ``stop`` is set it ends within about a second."""
        self._thread.join()


class Player:
    """One run of the participant in this process: paces, follows cues, publishes."""

    def __init__(self, options: Mapping[str, Any], stop: threading.Event) -> None:
        """Draw the person, announce the stream, and fix ``t0``."""
        from workbench.devices import lsl
        from workbench.devices._faults import FaultPlan, FaultyOutlet

        self.options, self.stop = options, stop
        self.clock: Callable[[], float] = lsl.local_clock
        self.spec = spec(options)
        self.speed, self.block_s = pace(options, device="simulated_participant")
        seed = int(options.get("seed", 0))
        name = str(options.get("preset", "neo"))
        self.person: SimParticipant | Observer
        if name in RESPONSES:
            self.person = Observer(seed, preset=name, shows=options.get("shows", {}))
        else:
            self.person = SimParticipant(
                seed, physiology=name, conditions=options.get("conditions"), efforts=options.get("efforts")
            )
        fs = self.person.physiology.fs
        plan = FaultPlan(options.get("faults", ()), fs=fs, seed=seed)
        # Before t0: the first frame of noise takes longer to compute than a block lasts.
        self.person.prepare()
        self.t0 = began(options, self.clock)
        self.about = {
            "simulated": True,
            "speed": self.speed,
            "t0": self.t0,
            "device": "simulated_participant",
            "preset": self.person.physiology.name,
            "parameters_sha256": self.person.parameters_sha256,
        }
        announced = replace(self.spec, fs=float(options.get("announced_fs", fs)))
        self.outlet = FaultyOutlet(lambda: lsl.Outlet(announced, desc=self.about), plan, t0=self.t0)
        self.truth: IntentFile | None = None
        if options.get("intent_path"):
            drawn = {"seed": seed, "fs": fs, **self.person.drawn}
            self.truth = IntentFile(Path(str(options["intent_path"])), {**self.about, **drawn})

    def run(self) -> None:
        """Publish until stopped."""
        cues, decisions = (self._reader(name) for name in ("cue_source_id", "decision_source_id"))
        fs = self.person.physiology.fs
        longest = max(round(0.25 * fs), 1)
        while not self.stop.is_set():
            for cue in cues.take() if cues is not None else ():
                self.follow(cue)
            for decision in decisions.take() if decisions is not None else ():
                if decision.get("position") and isinstance(self.person, SimParticipant):
                    self.person.see(decision["position"])
            due = int((self.clock() - self.t0) * self.speed * fs)
            # After a stall, in bounded blocks and without a pause: the stream catches up and loses no sample.
            n = min(due - self.person.n_seen, longest)
            if n > 0:
                self.publish(n)
            if n < longest:
                self.stop.wait(self.block_s)
        for reader in (cues, decisions):
            if reader is not None:
                reader.join()
        self.outlet.close()
        if self.truth is not None:
            self.truth.close()

    def _reader(self, option: str) -> CueReader | None:
        source = str(self.options.get(option, ""))
        return CueReader(source, self.stop) if source else None

    def publish(self, n: int) -> None:
        """The next ``n`` samples."""
        import numpy as np

        first, fs = self.person.n_seen, self.person.physiology.fs
        samples = self.person.step(n)
        self.outlet.push(samples, self.t0 + np.arange(first, first + n) / fs)

    def follow(self, cue: Mapping[str, Any]) -> None:
        """Take one cue (stream time), and write the resulting ground truth."""
        kind = str(cue.get("kind", "cue"))
        if kind not in ("cue", *ENDS):
            return
        before = list(self.person.attempts)
        label = "rest" if kind in ENDS else str(cue.get("label", ""))
        self.person.cue(cue["stamp"] - self.t0, label, cue["duration_s"])
        if self.truth is not None:
            for index, attempt in enumerate(self.person.attempts):
                if index >= len(before) or attempt != before[index]:
                    self.truth.attempt(index, attempt)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    player = Player(options, stop)
    ready([player.spec], t0=player.t0, speed=player.speed, sha256=player.about["parameters_sha256"])
    player.run()


if __name__ == "__main__":
    sys.exit(play("simulated_participant", DEVICE, _body))
