"""A session at full load for minutes: many channels at a high rate over real LSL, on a computer with no core free.

A source in its own process pushes a known pattern as an amplifier would. The engine of a session receives,
journals and decodes it in an online run, while a notebook kernel that is attached holds its interpreter lock and a
plain loop keeps a core busy. Then every recorded value is compared with what was sent, the run is decoded again,
and the memory that the engine had is looked at. The tests run a few seconds of it, ``workbench stress`` minutes.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from workbench import decoders, runs
from workbench.devices import lsl
from workbench.errors import BadValue, WorkbenchError
from workbench.live import _starting
from workbench.live.client import Client
from workbench.live.plan import SessionPlan
from workbench.recording import RunFile, needed_bytes
from workbench.recording.recover import look
from workbench.signals.units import montage_of
from workbench.stress.lossless import BLOCK_S, end_source, hold_in_kernel, start_source
from workbench.vocabulary import FloatArray, StreamSpec

MINUTES = (0.05, 240.0)
"""Shortest and longest soak, min."""
CHANNELS = (2, 1024)
"""Fewest and most channels; the first counts samples."""
RATES = (100.0, 50_000.0)
"""Lowest and highest rate, Hz."""
VALUES = 32_000_000
"""Most values a second, a little more than those of 1,024 channels at 30 kHz."""
COUNTED = 2**24
"""Values of the counter before it begins again at 0: float32 holds no more integers without a gap."""
BAND = (8.0, 30.0)
"""Of the decoder, Hz: one band, which all channels leave time for within a hop."""
TRIAL = {"attempt_s": 15.0, "rest_s": 15.0, "jitter_s": 0.0, "lead_in_s": 1.0}
GROWTH_MB = 1.0
"""Most that the engine's memory may grow in a minute, MB."""
SETTLED_S = 10.0
"""What is not judged of a soak of more than three times as long, s: in it buffers fill up to their size."""
NOISE_MB = 8.0
"""Growth over the whole soak that is not judged, MB: blocks come in sizes that differ from moment to moment."""
ENOUGH = 0.9
"""Share of the samples of so many minutes that the run must have; the source may start late, and not be slow."""
SILENT_S = 60.0
"""How long the engine may take to take in what was sent before the source ended, s."""

BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(1_000_000))\n"
"""A loop that keeps a core busy, and ends with the process that started it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long and how much.

    Attributes
    ----------
    minutes : for which the kernel holds its lock. n_channels : with the counter. fs : rate in Hz. seed : of the
        pattern.
    """

    minutes: float
    n_channels: int
    fs: float
    seed: int

    @property
    def seconds(self) -> float:
        """How long the kernel holds its lock, s."""
        return 60.0 * self.minutes

    def spec(self, source_id: str) -> StreamSpec:
        """The line of the contract."""
        channels = tuple(f"c{i}" for i in range(self.n_channels))
        return StreamSpec("wb-soak", "EEG", self.fs, channels, source_id=source_id, counter="c0")

    def pattern(self) -> NDArray[np.float32]:
        """``(n_times, n_channels)`` float32, µV: what is sent again and again, about a second of it.

        Noise, stronger in every other half, so that the decoder has something to tell apart. Its length is a power
        of two: the counter, which begins again after one, names the row all the same.
        """
        rows = 2 ** round(math.log2(self.fs))
        strength = np.where(np.arange(rows) < rows // 2, 10.0, 15.0)[:, None]
        noise = np.random.Generator(np.random.PCG64(self.seed)).normal(0.0, strength, (rows, self.n_channels))
        return noise.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of the engine: what it holds of the computer's (RSS), without what it shares with screens.

    Attributes
    ----------
    first_mb, last_mb : means over the first and the last minute, of a short soak over its thirds, MB; of a soak
        that is not very short without its first seconds, in which buffers fill.
    slope_mb : growth from the one to the other in a minute, MB.
    grown_mb : growth between them, MB.
    """

    first_mb: float
    last_mb: float
    slope_mb: float
    grown_mb: float

    @classmethod
    def of(cls, seconds: Sequence[float], megabytes: Sequence[float]) -> Memory:
        """Of one figure a second: its time ``(n,)`` in s, and ``(n,)`` MB."""
        if not seconds:
            return cls(math.nan, math.nan, math.nan, math.nan)
        at, held = np.array(seconds), np.array(megabytes)
        if at[-1] - at[0] > 3.0 * SETTLED_S:
            settled = at >= at[0] + SETTLED_S
            at, held = at[settled], held[settled]
        part_s = min(60.0, (at[-1] - at[0]) / 3.0)
        first, last = at <= at[0] + part_s, at >= at[-1] - part_s
        grown = float(held[last].mean() - held[first].mean())
        apart_min = float(at[last].mean() - at[first].mean()) / 60.0
        slope = grown / apart_min if apart_min > 0 else 0.0
        return cls(float(held[first].mean()), float(held[last].mean()), slope, grown)

    @property
    def flat(self) -> bool:
        """Whether it grows by no more than :data:`GROWTH_MB` a minute, or by less than blocks of memory vary."""
        return self.slope_mb <= GROWTH_MB or self.grown_mb <= NOISE_MB


@dataclass(frozen=True, slots=True)
class Compared:
    """A recording beside what was sent.

    Attributes
    ----------
    sent : samples from the first recorded one to the last that was sent. recorded : of them.
    lost, doubled, changed : of them, by counter and pattern.
    gaps : entries of the engine.
    arrived_s, decided_s : ``(n_hops,)`` float64, from the push of a hop's last sample until it was in the engine,
        and until its decision was published, s.
    """

    sent: int
    recorded: int
    lost: int
    doubled: int
    changed: int
    gaps: int
    arrived_s: FloatArray
    decided_s: FloatArray


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes
    ----------
    why : it did not finish, ``""`` where it did. late : hops that took longer to decode than until the next.
    held_s : how long the kernel held its lock, s. sent : samples that were sent in all.
    """

    why: str
    late: int
    held_s: float
    sent: int


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """Figures of :func:`soak`.

    Attributes
    ----------
    size : of the test. ended : how the run did. compared : recording and what was sent, None where it is broken.
    memory : of the engine. n_bytes : of the recording. verified : why it does not verify, ``""`` where it does.
    replayed : why decoding it again did not give the same, ``""`` where it did.
    """

    size: Size
    ended: Ended
    compared: Compared | None
    memory: Memory
    n_bytes: int
    verified: str
    replayed: str

    def broken(self) -> list[str]:
        """What did not hold, in words."""
        found, memory = self.compared, self.memory
        said = [self.ended.why and f"the run did not finish: {self.ended.why}"]
        said += [self.verified and f"the recording does not verify: {self.verified}"]
        said += [self.replayed and f"the run was decoded again otherwise: {self.replayed}"]
        if not self.ended.held_s > 0:
            said.append("the kernel did not hold its lock")
        if found is not None:
            counts = {"lost": found.lost, "doubled": found.doubled, "changed": found.changed}
            said += [f"{n:,} samples were {what}" for what, n in counts.items() if n]
            said += [f"the engine entered {found.gaps} gaps" if found.gaps else ""]
            wanted = round(ENOUGH * self.size.fs * self.size.seconds)
            if found.sent < wanted:
                said.append(f"the source sent {found.sent:,} samples, and {wanted:,} is the least")
            if not len(found.arrived_s):
                said.append("nothing was decided")
        if not memory.flat:
            said.append(
                f"the engine's memory grew by {memory.slope_mb:.1f} MB a minute, and {GROWTH_MB:g} is the most"
            )
        return [one for one in said if one]

    @property
    def passed(self) -> bool:
        """Whether nothing was lost or changed, memory stayed, and the recording is whole and replays equal."""
        return not self.broken()

    def text(self) -> str:
        """The figures, a line for each kind, and what did not hold."""
        size, found, memory = self.size, self.compared, self.memory
        lines = [f"{size.n_channels} channels at {size.fs:g} Hz for {size.minutes:g} min over LSL"]
        if found is not None:
            lines[0] += (
                f": {found.sent:,} samples sent during the run, {found.recorded:,} recorded, {found.lost:,} lost, "
                f"{found.doubled:,} doubled, {found.changed:,} changed, {found.gaps} gaps"
            )
        lines.append(
            f"meanwhile a notebook kernel held its interpreter lock for {self.ended.held_s:.1f} s, and a loop "
            "kept a core busy"
        )
        if found is not None and len(found.arrived_s):
            lines.append(
                f"from the push of a sample until it is in the engine: {_percentiles(found.arrived_s)}; until its "
                f"decision is published: {_percentiles(found.decided_s)}; {len(found.arrived_s):,} hops of 50 ms, "
                f"{self.ended.late} decoded too late for the next"
            )
        lines.append(
            f"memory of the engine (RSS without the ring that screens share): {memory.first_mb:.1f} MB at first, "
            f"{memory.last_mb:.1f} MB at last, {memory.slope_mb:+.2f} MB a minute (at most {GROWTH_MB:g}, or "
            f"{NOISE_MB:g} MB in all)"
        )
        verified = "does not verify" if self.verified else "verifies"
        replayed = "otherwise" if self.replayed else "equal"
        lines.append(
            f"recording: {self.n_bytes / 1e6:,.1f} MB, {verified}; decoded by bandpower_lda on "
            f"{size.n_channels - 1} channels, replayed {replayed}"
        )
        return "\n".join([*lines, *(f"broken: {one}" for one in self.broken())])


def _percentiles(seconds: FloatArray) -> str:
    values = np.percentile(seconds, [50.0, 99.0, 99.9]) * 1e3
    return ", ".join(f"{name} {value:.1f} ms" for name, value in zip(("p50", "p99", "p99.9"), values, strict=True))


def check(size: Size) -> None:
    """Check a size before minutes are spent on it.

    Raises
    ------
    BadValue
        For one that cannot be, or whose recording would not fit into the memory in which it is compared.
    """
    asked = (("minutes", size.minutes, MINUTES), ("channels", size.n_channels, CHANNELS), ("rate", size.fs, RATES))
    remedies = {"minutes": "10 is usual", "channels": "the first counts samples", "rate": "in Hz, 2000 is usual"}
    for name, value, (least, most) in asked:
        if not least <= value <= most:
            raise BadValue(f"--{name} must be {least:g} to {most:,g} ({remedies[name]}), got {str(value):.60}")
    if size.n_channels * size.fs > VALUES:
        raise BadValue(
            f"--channels {size.n_channels} at --rate {size.fs:g} are {size.n_channels * size.fs:,.0f} values a "
            f"second, and {VALUES:,} are the most; take fewer channels or a lower rate"
        )
    n_bytes, available = needed_bytes([size.spec("size")], seconds=size.seconds), psutil.virtual_memory().available
    if n_bytes > available // 2:
        raise BadValue(
            f"--minutes {size.minutes:g} of {size.n_channels} channels at {size.fs:g} Hz make a recording of "
            f"{n_bytes / 1e9:,.1f} GB, and {available / 2e9:,.1f} GB are the most that can be compared in the "
            "memory that is free; take fewer minutes or channels, or a lower rate"
        )


def soak(
    *,
    minutes: float = 10.0,
    n_channels: int = 64,
    fs: float = 2000.0,
    seed: int = 1,
    folder: Path | None = None,
) -> SoakFigures:
    """Record and decode for ``minutes`` min while a kernel holds its interpreter lock and a core is busy.

    Parameters
    ----------
    minutes : how long the kernel computes, min.
    n_channels, fs : of the source, with the channel that counts samples, and Hz.
    seed : of the pattern that is sent.
    folder : for the study; a temporary one by default.

    Raises
    ------
    BadValue
        For a size that cannot be.
    EngineFault, StreamFault, RecordingFault
        For a part that did not start.
    """
    size = Size(minutes, n_channels, fs, seed)
    check(size)
    if folder is not None:
        return _measure(folder, size)
    with tempfile.TemporaryDirectory(prefix="workbench-stress-") as name:
        return _measure(Path(name), size)


def _measure(folder: Path, size: Size) -> SoakFigures:
    session = f"soak-{size.seed}-{time.time_ns()}"
    spec = size.spec(f"source-{session}")
    decoder = _fitted(folder / "decoder", spec, seed=size.seed)
    pushes = folder / "pushes.npy"
    options = {"minutes": size.minutes, "n_channels": size.n_channels, "fs": size.fs, "seed": size.seed}
    source = start_source(
        {**options, "source_id": spec.source_id, "pushes": str(pushes)}, module="workbench.stress.soak"
    )
    try:
        plan = SessionPlan(
            study_folder=str(folder), study="stress", participant="stress", visit="stress", session_id=session,
            operator="stress", contract=(spec,), simulated=True, mains_hz=0.0,
        )  # fmt: skip
        client = _starting.start(plan)
        try:
            run_id = client.start_run(
                "online", "grasp_rest", TRIAL, n_trials=math.ceil(size.seconds / 30.0) + 2, seed=size.seed,
                decoder_folder=decoder,
            )  # fmt: skip
            client.wait("running", timeout=120.0)
            watch = _Watch(client)
            with watch.watching(), _busy_core():
                held_s = hold_in_kernel(folder, size.seconds)
            ended = _end(client, source, held_s)
        finally:
            _shut_down(client)
    finally:
        end_source(source)
    path = folder / "recordings" / f"{run_id}.xdf"
    return _figures(path, size, decoder, ended=ended, memory=watch.memory(), pushes=pushes)


def _fitted(folder: Path, spec: StreamSpec, *, seed: int) -> Path:
    """A decoder of band power on all measured channels, fitted on noise."""
    made = decoders.load("bandpower_lda")(
        spec.fs, bands=(BAND,), window_s=0.1, hop_s=0.05, reference="none", mains_hz=0.0
    )
    noise = np.random.Generator(np.random.PCG64(seed))
    epochs = noise.normal(0.0, 10.0, (12, len(spec.measured), round(0.3 * spec.fs)))
    epochs[::2] *= 1.5
    made.fit(epochs, np.array(["grasp", "rest"] * 6))
    decoders.save(made, folder, montage=montage_of(spec))
    return folder


class _Watch:
    """Memory of the engine, once a second, read beside its status, as a screen reads it."""

    def __init__(self, client: Client) -> None:
        self._client, self._process = client, psutil.Process(client.pid)
        self._seconds: list[float] = []
        self._megabytes: list[float] = []
        self._over = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch from here to the end of the block."""
        thread = threading.Thread(target=self._watch, name="soak-memory", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            try:
                self._client.status()
                held = self._process.memory_info()
            # An engine that has ended is told where its run is ended.
            except (WorkbenchError, psutil.Error):
                return
            self._seconds.append(time.monotonic())
            # The ring that screens read fills by design; it is shared memory, of which not every system tells.
            self._megabytes.append((held.rss - getattr(held, "shared", 0)) / 1e6)

    def memory(self) -> Memory:
        """What was seen."""
        return Memory.of(self._seconds, self._megabytes)


@contextmanager
def _busy_core() -> Iterator[None]:
    """A core has no time to spare meanwhile."""
    loop = subprocess.Popen([sys.executable, "-c", BUSY, str(os.getpid())])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def _end(client: Client, source: subprocess.Popen[bytes], held_s: float) -> Ended:
    """End source and run, in this order: so all that was sent must be in the recording."""
    assert source.stdin is not None
    assert source.stdout is not None
    source.stdin.write(b"end\n")
    source.stdin.flush()
    sent = int(source.stdout.readline() or 0)
    try:
        _wait_until_taken_in(client)
        run = client.status()["run"]
        if run is not None and run["state"] in ("running", "paused"):
            client.end_run()
        run = client.wait("run", timeout=60.0)["run"]
    except WorkbenchError as fault:
        return Ended(str(fault), 0, held_s, sent)
    if run is None:
        return Ended("the engine knows of no run", 0, held_s, sent)
    why = "" if run["state"] == "finished" else f"{run['state']}, {run['sentence']}"
    return Ended(why, run["deadline"]["overruns"], held_s, sent)


def _shut_down(client: Client) -> None:
    """End the session; an engine that cannot must not stay behind, and why its run ended is known by now."""
    try:
        client.shutdown()
    except WorkbenchError:
        client.close()
        with suppress(ProcessLookupError):
            os.kill(client.pid, signal.SIGKILL)


def _wait_until_taken_in(client: Client) -> None:
    """Until the engine finds the source silent and its run no longer grows, at most :data:`SILENT_S` s.

    Silence alone does not say so: an engine that is behind finds a stream silent whose samples still wait.
    """
    before = -1.0
    for _ in range(round(SILENT_S)):
        status = client.status()
        elapsed_s = 0.0 if status["run"] is None else status["run"]["elapsed_s"]
        if status["streams"][0]["state"] != "good" and elapsed_s == before:
            return
        before = elapsed_s
        time.sleep(1.0)


def _figures(path: Path, size: Size, decoder: Path, *, ended: Ended, memory: Memory, pushes: Path) -> SoakFigures:
    """What the recording says."""
    seen, file = look(path)
    whole = seen.state in ("finished", "stopped") and seen.indexed and file is not None
    compared, replayed = None, "it is not whole"
    if file is not None:
        run = RunFile.of(file)
        compared = compare(run, size, sent=ended.sent, pushes=np.load(pushes))
        # A second at a time: all of it at once would be twice the recording in memory.
        result = runs.replay_run(run, decoder, block=round(size.fs))
        replayed = "" if result.equal else result.sentence
    return SoakFigures(
        size, ended, compared, memory, seen.n_bytes, verified="" if whole else seen.sentence, replayed=replayed
    )


def compare(run: RunFile, size: Size, *, sent: int, pushes: FloatArray) -> Compared:
    """The samples of a recording beside what was sent, value by value.

    Parameters
    ----------
    run : the recording. size : of the test.
    sent : samples that were sent in all.
    pushes : ``(n_pushes, 2)`` float64: number of the first sample of each push, and when it was pushed, s.
    """
    values = run.signal.values
    counts = values[:, 0].astype(np.int64)
    steps = np.diff(counts) % COUNTED
    # A step forward by nearly all values of the counter is one back: samples came twice.
    steps[steps >= COUNTED // 2] -= COUNTED
    lost, doubled = int(np.sum(np.maximum(steps - 1, 0))), int(np.sum(np.maximum(1 - steps, 0)))
    tail = (sent - 1 - int(counts[-1])) % COUNTED if len(counts) else sent
    pattern = size.pattern()
    changed = 0
    for at in range(0, len(values), len(pattern)):
        rows = slice(at, at + len(pattern))
        wrong = values[rows, 1:] != pattern[counts[rows] % len(pattern), 1:]
        changed += int(np.count_nonzero(wrong.any(axis=1)))
    # Numbers from the start of the source on, counted from the last backwards.
    numbers = sent - 1 - tail - np.concatenate([np.cumsum(steps[::-1])[::-1], [0]])[: len(counts)]
    ends = numbers[[decision.sample - 1 for decision in run.decisions()]]
    pushed = pushes[np.searchsorted(pushes[:, 0], ends, side="right") - 1, 1]
    times = run.decision_times()
    return Compared(
        sent=sent - int(numbers[0]) if len(numbers) else 0,
        recorded=len(values),
        lost=lost + tail,
        doubled=doubled,
        changed=changed,
        gaps=sum(marker.kind == "gap" for marker in run.markers()),
        arrived_s=times[:, 0] - pushed,
        decided_s=times[:, 2] - pushed,
    )


def play_pattern(options: dict[str, Any], ending: threading.Event, closing: threading.Event) -> None:
    """Publish the pattern at its rate until it is to end; then say how much, and stay until it is to close.

    Parameters
    ----------
    options : ``source_id``, those of :class:`Size`, and ``pushes``, a file for when each block was pushed.
    ending, closing : nothing more is pushed; the outlet goes.
    """
    size = Size(options["minutes"], options["n_channels"], options["fs"], options["seed"])
    outlet = lsl.Outlet(size.spec(options["source_id"]), desc={"simulated": True})
    pattern, pushes = size.pattern(), []
    t0, sent = lsl.local_clock(), 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not ending.wait(BLOCK_S):
        n = int((lsl.local_clock() - t0) * size.fs) - sent
        if n <= 0:
            continue
        count = np.arange(sent, sent + n)
        values = pattern[count % len(pattern)]
        values[:, 0] = count % COUNTED
        # Noted before the push: what it takes is part of the way.
        pushes.append((sent, lsl.local_clock()))
        outlet.push(values, t0 + count / size.fs)
        sent += n
    np.save(options["pushes"], np.array(pushes, dtype=np.float64).reshape(-1, 2))
    sys.stdout.write(f"{sent}\n")
    sys.stdout.flush()
    # What is still on its way to a receiver would be lost with the outlet.
    closing.wait()
    outlet.close()


def _watch_owner(ending: threading.Event, closing: threading.Event) -> None:
    """A line from the owner ends the pushes; that it closes standard input, or dies, ends everything."""
    sys.stdin.buffer.readline()
    ending.set()
    sys.stdin.buffer.read()
    closing.set()


def main(argv: Sequence[str]) -> int:
    """The source of the soak."""
    ending, closing = threading.Event(), threading.Event()
    threading.Thread(target=_watch_owner, args=(ending, closing), daemon=True).start()
    play_pattern(json.loads(argv[0]), ending, closing)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
