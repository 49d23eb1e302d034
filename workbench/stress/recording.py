"""Torn files on purpose: kill writers at random moments, tear the files further, recover them, count.

The test suite runs a small size, ``workbench stress`` a large one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from workbench.errors import BadValue, RecordingFault
from workbench.recording import index, xdf
from workbench.recording.journal import Journal
from workbench.recording.recover import inspect, recover
from workbench.vocabulary import StreamSpec

FS = 1000.0
N_CHANNELS = 64
BLOCK = 20
"""Samples per chunk, as LSL delivers 20 ms at 1 kHz."""

SIGNAL = StreamSpec("stress", "EEG", FS, tuple(f"c{k}" for k in range(N_CHANNELS)), counter="c0")


@dataclass(frozen=True, slots=True)
class TornFigures:
    """Figures of ``torn_files``.

    Attributes
    ----------
    n_killed : writers ended by SIGKILL at a random moment.
    n_torn : further cuts of their files, as a power cut leaves them: shortened, or with a tail of zeros.
    max_lost_s : longest signal in s between the last kept sample and the kill.
    n_over_1s : kills that lost more than 1 s.
    n_missing_before : samples missing or doubled before the last kept one, over all files.
    n_lost_synced : torn files that lost a byte which had been confirmed to be on the disk.
    n_unreadable : recovered files that our own reader refused.
    n_changed_again : files that a second ``recover`` changed.
    n_not_quarantined : recovered files that are not marked so.
    """

    n_killed: int
    n_torn: int
    max_lost_s: float
    n_over_1s: int
    n_missing_before: int
    n_lost_synced: int
    n_unreadable: int
    n_changed_again: int
    n_not_quarantined: int

    @property
    def passed(self) -> bool:
        """Whether the promise was kept every time."""
        return not (
            self.n_over_1s
            or self.n_missing_before
            or self.n_lost_synced
            or self.n_unreadable
            or self.n_changed_again
            or self.n_not_quarantined
        )

    def text(self) -> str:
        """One sentence with all counts."""
        return (
            f"{self.n_killed} writers killed with SIGKILL: at most {self.max_lost_s:.3f} s lost, "
            f"{self.n_over_1s} lost more than 1 s, {self.n_missing_before} samples missing before the cut; "
            f"{self.n_torn} further torn files: {self.n_lost_synced} lost confirmed bytes; of all, "
            f"{self.n_unreadable} unreadable after recovery, {self.n_changed_again} changed by a second "
            f"recovery, {self.n_not_quarantined} not quarantined"
        )


def torn_files(n: int, seed: int, *, torn_per_kill: int = 4, longest_s: float = 1.5) -> TornFigures:
    """Kill ``n`` writing processes and recover their files.

    Parameters
    ----------
    n : writers to kill, each with 64 channels at 1 kHz in real time.
    seed : of the moments and of the cuts.
    torn_per_kill : further cuts of each file.
    longest_s : latest moment of a kill after the first sample, s.
    """
    if n < 1:
        raise BadValue(f"n must be 1 or more, got {n}")
    rng = np.random.default_rng(seed)
    counts = dict.fromkeys((f.name for f in fields(TornFigures) if f.name != "max_lost_s"), 0)
    longest = 0.0
    with tempfile.TemporaryDirectory(prefix="workbench-torn-") as name:
        folder = Path(name)
        for k in range(n):
            path = folder / f"{k}.xdf"
            killed_at = _kill_a_writer(path, after=float(rng.uniform(0.0, longest_s)))
            for _ in range(torn_per_kill):
                _tear(path, folder / "torn.xdf", rng, counts)
            # Last, since recovering changes the file that the torn copies were made from.
            last_stamp = _recovered(path, counts)
            counts["n_killed"] += 1
            counts["n_over_1s"] += killed_at - last_stamp > 1.0
            longest = max(longest, killed_at - last_stamp)
    return TornFigures(max_lost_s=longest, **counts)


def write_until_killed(path: Path | str) -> None:
    """Write a counter in real time, for ever; stamps are ``time.monotonic()``.

    Channel 0 counts samples from 0, the others are noise. One line on standard output reports that the
    first samples are in the file.
    """
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(BLOCK, N_CHANNELS)).astype(np.float32)
    with Journal(path) as journal:
        stream = journal.add_stream(SIGNAL, dtype="double64")
        began = time.monotonic()
        at = 0
        while True:
            values = noise.astype(np.float64)
            values[:, 0] = np.arange(at, at + BLOCK)
            stamps = began + np.arange(at, at + BLOCK) / FS
            at += BLOCK
            time.sleep(max(0.0, began + at / FS - time.monotonic()))
            journal.samples(stream, values, stamps)
            if at == BLOCK:
                sys.stdout.write("writing\n")
                sys.stdout.flush()


def _kill_a_writer(path: Path, *, after: float) -> float:
    """Start a writer, kill it ``after`` s after its first sample; the time of its death, s."""
    command = [sys.executable, "-m", "workbench.stress.recording", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as writer:
        if writer.stdout is None or writer.stdout.readline() != b"writing\n":
            raise RecordingFault(f"the writer of {path.name} ended before its first sample")
        time.sleep(after)
        writer.kill()
        ended = time.monotonic()
        writer.wait()
    return ended


def _tear(whole: Path, path: Path, rng: np.random.Generator, counts: dict[str, int]) -> None:
    """A power cut: unconfirmed bytes are shortened or zeroed, in recording and index independently."""
    original = index.read(whole)
    synced = original.synced if original is not None else 0
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()
    shutil.copyfile(whole, path)
    entries = index.path_of(whole).read_bytes()
    # What the index says was synced survives a power cut by definition; only bytes behind it may be lost.
    confirmed = entries.rfind(index.encode_sync(synced)) + index.SIZE if synced else 0
    index.path_of(path).write_bytes(entries[: int(rng.integers(confirmed, len(entries) + 1))])
    size = path.stat().st_size
    cut = int(rng.integers(max(synced, 4), size + 1))
    os.truncate(path, cut)
    # Half of the files: some file systems grow a file before its data reach the disk, which leaves zeros.
    if rng.random() < 0.5:
        os.truncate(path, int(rng.integers(cut, size + 1)))
    counts["n_torn"] += 1
    _recovered(path, counts)
    counts["n_lost_synced"] += path.stat().st_size < synced


def _recovered(path: Path, counts: dict[str, int]) -> float:
    """Recover a file and check it; stamp in s of the last kept sample."""
    first = recover(path)
    before = path.read_bytes()
    again = recover(path)
    counts["n_changed_again"] += again != first or path.read_bytes() != before
    counts["n_not_quarantined"] += not (first.quarantined and inspect(path).quarantined)
    file = xdf.read(path, damaged="skip")
    counts["n_unreadable"] += bool(file.damaged)
    if not file.streams:
        return -np.inf
    stream = file.streams[0]
    counts["n_missing_before"] += int(np.count_nonzero(stream.values[:, 0] != np.arange(len(stream.stamps))))
    return float(stream.stamps[-1]) if len(stream.stamps) else -np.inf


if __name__ == "__main__":
    write_until_killed(sys.argv[1])
