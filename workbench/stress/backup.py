"""Back up a large study while another process writes it: the time, the longest wait of the writer, what is lost.

The longest wait depends on the disk and on whoever shares it, so the same writer is timed alone first.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from workbench.study import Study, verify
from workbench.study.backup import backup
from workbench.study.restore import restore
from workbench.vocabulary import Participant, Recording, Run, Session, Trial, Visit

TRIALS = 2000
"""Trials of a run, stored in one transaction."""
ALONE_S = 10.0
"""How long the writer is timed alone, s; less for a small study."""
EVERY_S = 0.01
"""Between two entries of the writer, s."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one backup.

    Attributes
    ----------
    record, files : bytes of the record and of the recordings.
    seconds : of the backup; ``restore_s``: of restoring and verifying it.
    alone, during : times of the writer's entries in s, alone and while the backup was made.
    holds : the backup was restored, verified, and is a beginning of the chain; the study verifies too.
    """

    record: int
    files: int
    seconds: float
    restore_s: float
    alone: tuple[float, ...]
    during: tuple[float, ...]
    holds: bool

    @property
    def passed(self) -> bool:
        """Nothing lost, nothing broken, and the writer wrote meanwhile."""
        return self.holds and bool(self.during)

    def text(self) -> str:
        """The figures as text, one line each."""
        waits = [
            f"{len(times)} entries, longest {1000 * max(times, default=0.0):.0f} ms, "
            f"99 % within {1000 * float(np.quantile(times or (0.0,), 0.99)):.0f} ms"
            for times in (self.alone, self.during)
        ]
        return "\n".join(
            [
                f"{self.record / 1e6:.0f} MB of record and {self.files / 1e6:.0f} MB of recordings, on one disk",
                f"backup: {self.seconds:.1f} s; restored and verified: {self.restore_s:.1f} s",
                f"writer alone: {waits[0]}",
                f"writer during the backup: {waits[1]}",
                f"restored, verified, a beginning of the chain: {'yes' if self.holds else 'NO'}",
            ]
        )


def backed_up(megabytes: int, seed: int) -> Figures:
    """Back up a study of that size, half of it rows, while another process writes it.

    Parameters
    ----------
    megabytes : of the study, MB.
    seed : of what is in the recordings.
    """
    with TemporaryDirectory(prefix="workbench-backup-") as home:
        folder = Path(home) / "study"
        files = _large_study(folder, megabytes * 500_000, seed)
        size = (folder / "study.db").stat().st_size
        with _writer(folder) as lines:
            time.sleep(min(ALONE_S, 0.5 + megabytes / 30))
            began = time.monotonic()
            made = backup(folder, Path(home) / "backups")
            ended = time.monotonic()
        entries = [(float(start), float(end)) for start, end in map(str.split, lines)]
        restored = restore(made.folder, Path(home) / "restored")
        restore_s = time.monotonic() - ended
        with Study.open(folder, actor="stress") as study:
            on_chain = study.rows("audit", seq=made.head[0])[0]["hash"] == made.head[1]
        return Figures(
            record=size,
            files=files,
            seconds=ended - began,
            restore_s=restore_s,
            alone=tuple(end - start for start, end in entries if end < began),
            during=tuple(end - start for start, end in entries if end >= began and start <= ended),
            holds=restored.ok and on_chain and verify(folder).ok,
        )


def _large_study(folder: Path, half: int, seed: int) -> int:
    """A study with that many bytes of rows and as many of recordings; how many bytes the recordings have."""
    chance, total = np.random.default_rng(seed), 0
    with Study.create(folder, code="stress", title="large", actor="stress") as study:
        visit = study.append(Visit(study.append(Participant("P01")), "baseline"))
        session = study.append(Session(visit, "stress"))
        (folder / "recordings").mkdir()
        for number in count(1):
            if total >= half and study.path.stat().st_size >= half:
                return total
            recordings = []
            if total < half:
                content = chance.bytes(min(20_000_000, half - total))
                path = f"recordings/r{number}.xdf"
                (folder / path).write_bytes(content)
                total += len(content)
                digest = hashlib.sha256(content).hexdigest()
                recordings = [Recording(f"r{number}", path, digest, len(content), 1000, 250.0, "finished")]
            trials: list[Trial] = []
            if study.path.stat().st_size < half:
                trials = [Trial(i, "grasp", i, 0.1 * i, i + 1, "correct", "grasp") for i in range(TRIALS)]
            run = Run(session, number, "online", "grasp_rest", "finished", id=f"r{number}")
            study.append_run(run, trials=trials, recordings=recordings)
    raise AssertionError("the loop ends by its return")


@contextmanager
def _writer(folder: Path) -> Iterator[list[str]]:
    """Another process that writes until the block ends; then what it said, a line an entry."""
    lines: list[str] = []
    command = [sys.executable, "-m", "workbench.stress.backup", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield lines
        finally:
            lines += child.communicate()[0].splitlines()


def write(folder: Path) -> None:
    """Append until standard input ends, then print when each entry began and was stored, s."""
    from threading import Thread

    ending = Thread(target=sys.stdin.read, daemon=True)
    ending.start()
    times: list[tuple[float, float]] = []
    with Study.open(folder, actor="writer") as study:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for number in count():
            if not ending.is_alive():
                break
            start = time.monotonic()
            study.append(Participant(f"W{number}"))
            times.append((start, time.monotonic()))
            time.sleep(EVERY_S)
    sys.stdout.writelines(f"{start!r} {end!r}\n" for start, end in times)


if __name__ == "__main__":  # pragma: no cover - the process that writes
    write(Path(sys.argv[1]))
