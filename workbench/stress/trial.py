"""Break the changes of a trial on purpose: writes that fail, killed processes, twenty writers at once.

A script makes fifty changes of all kinds, one after the other. Where a write fails or the process is killed, the
record must hold what was before the change or after it, and every change that was acknowledged. In a file a write
fails because the file may not grow; on a server because the server ends the connection.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench import world
from workbench.errors import WorkbenchError
from workbench.stress.crowd import WRITERS, CrowdFigures, crowd
from workbench.stress.scenario import DEFINITION, fifty, gone
from workbench.study import Study, record_file, verify
from workbench.study.changes.protocols import AdoptProtocol
from workbench.study.stores.postgresql import APPLICATION

Progress = Callable[[], None]
LEAST_BYTES = 40_960
"""The index of the write-ahead log takes 32 KiB: below this limit no record opens."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one stress test.

    Attributes
    ----------
    kills, acknowledged, lost : processes killed, changes that they had acknowledged, how many of those were gone.
    failing, refused : writes that failed, and how many were told in a sentence of the record; on a server also
        those that fell between two changes, so that the next one found another connection.
    mixed, broken : records that were neither before nor after a change, and that did not verify.
    crowd : what many processes did that wrote at once.
    seed : of the moments.
    """

    kills: int
    acknowledged: int
    lost: int
    failing: int
    refused: int
    mixed: int
    broken: int
    crowd: CrowdFigures
    seed: int

    @property
    def passed(self) -> bool:
        """Nothing lost, mixed, broken or overwritten, and every failing write told."""
        return self.lost == self.mixed == self.broken == 0 and self.refused == self.failing and self.crowd.passed

    def text(self) -> str:
        """The figures as text, one line each."""
        return "\n".join(
            [
                f"kill -9: {self.kills} kills, {self.acknowledged} changes acknowledged, {self.lost} lost",
                f"failing writes: {self.failing}, {self.refused} told in a sentence",
                f"afterwards {self.mixed} neither before nor after a change, {self.broken} broken",
                self.crowd.text(),
                f"seed: {self.seed}",
            ]
        )


def broken(
    n: int, seed: int, *, step: Progress = lambda: None, database: str = "", writers: int | None = None
) -> Figures:
    """Kill ``n`` writing processes, fail ``n`` writes, and let twenty processes write for ``0.06 n`` seconds.

    Parameters
    ----------
    n : how many.
    seed : of the moments.
    step : called after each case.
    database : URL of a PostgreSQL database that holds the records, ``""`` for files.
    writers : how many write at once; by default :data:`WRITERS`, and fewer for a small size.
    """
    chance, seconds = random.Random(seed), max(1.0, 0.06 * n)
    with TemporaryDirectory(prefix="workbench-trial-") as home:
        begun = _Begun(_begun(Path(home) / "begun"), database)
        heads, size = _whole(begun, Path(home) / "whole")
        acknowledged = lost = refused = mixed = bad = 0
        for number in range(n):
            done = _killed(begun, Path(home) / f"kill{number}", after=chance.randrange(len(heads)), chance=chance)
            acknowledged += len(done.acknowledged)
            lost += done.head < (done.acknowledged or [0])[-1]
            mixed, bad = mixed + (done.head not in heads), bad + (not done.verifies)
            step()
        for number in range(n):
            if database:
                done = _cut_off(
                    begun, Path(home) / f"cut{number}", after=chance.randrange(len(heads)), chance=chance
                )
            else:
                limit = chance.randrange(LEAST_BYTES, size)
                done = _failing(begun, Path(home) / f"full{number}", limit=limit)
            last = len(done.acknowledged)
            refused += done.refused or (bool(database) and done.head == heads[-1])
            mixed, bad = mixed + (done.head not in heads[last : last + 2]), bad + (not done.verifies)
            step()
        # A small size starts fewer: twenty interpreters take longer to start than it lasts.
        writers = writers or min(WRITERS, 2 * n)
        return Figures(
            kills=n, acknowledged=acknowledged, lost=lost, failing=n, refused=refused, mixed=mixed,
            broken=bad, crowd=crowd(seconds, writers=writers, database=database),
            seed=seed,
        )  # fmt: skip


# ---------------------------------------------------------------------------------------- fifty changes
@dataclass(frozen=True, slots=True)
class _Begun:
    """A ``folder`` with a study that has its protocol, and the ``database`` in which each case has such a one."""

    folder: Path
    database: str

    def again(self, folder: Path) -> None:
        """The same study in another folder."""
        if self.database:
            _begun(folder, self.database)
        else:
            shutil.copytree(self.folder, folder)


def _begun(folder: Path, database: str = "") -> Path:
    """A study with its protocol."""
    with Study.create(
        folder, code="STRESS", title="trial", actor="stress", keyed=False, database=database
    ) as study:
        signers = [study.script_signer(name).confirm() for name in ("one", "two")]
        study.apply(AdoptProtocol(DEFINITION), signers)
    return folder


@dataclass(frozen=True, slots=True)
class _Done:
    """What a process left: heads that it ``acknowledged``, the ``head`` now, was a refusal told, is it whole."""

    acknowledged: list[int]
    head: int
    refused: bool
    verifies: bool


def _whole(begun: _Begun, folder: Path) -> tuple[list[int], int]:
    """The head before the first change and after each, and the size of the write-ahead log of a file."""
    begun.again(folder)
    with Study.open(folder, actor="stress") as study:
        heads = [study.head()[0]]
        for _ in fifty(study):
            heads.append(study.head()[0])
        size = 0 if begun.database else (folder / f"{record_file.FILE}-wal").stat().st_size
    gone(folder)
    return heads, size


def _killed(begun: _Begun, folder: Path, *, after: int, chance: random.Random) -> _Done:
    """Kill the process somewhere in the change after so many."""
    begun.again(folder)
    with subprocess.Popen(_command(folder), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(after)]
        time.sleep(chance.random() * 0.01)  # The kill falls anywhere within the next change.
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    return _left(folder, lines)


def _cut_off(begun: _Begun, folder: Path, *, after: int, chance: random.Random) -> _Done:
    """Let the server end the connection somewhere in the change after so many."""
    begun.again(folder)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    with subprocess.Popen(_command(folder), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        with world.network.database(begun.database, autocommit=True) as server:
            lines = [child.stdout.readline() for _ in range(after)]
            time.sleep(chance.random() * 0.01)
            server.execute(end, [APPLICATION.format(child.pid)])
        lines += child.stdout.readlines()
    return _left(folder, lines)


def _failing(begun: _Begun, folder: Path, *, limit: int) -> _Done:
    """No file may grow beyond a limit: the write that would, fails, wherever in a change it falls."""
    begun.again(folder)
    done = subprocess.run([*_command(folder), str(limit)], capture_output=True, text=True, check=False)
    return _left(folder, done.stdout.splitlines())


def _command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "workbench.stress.trial", str(folder)]


def _left(folder: Path, lines: list[str]) -> _Done:
    told = [json.loads(line) for line in lines if line.strip()]
    found = verify(folder)
    gone(folder)
    return _Done(
        acknowledged=[one for one in told if isinstance(one, int)],
        head=found.head[0],
        refused=any(isinstance(one, str) for one in told),
        verifies=found.ok,
    )


def _run(folder: Path, limit: int) -> None:
    """Make the changes and tell the head after each; a refusal ends it with its sentence."""
    try:
        with Study.open(folder, actor="stress") as study:
            if limit:
                _limit_files(limit)
            for _ in fifty(study):
                # Unbuffered: a line that was read is a change that was acknowledged before the kill.
                os.write(1, f"{study.head()[0]}\n".encode())
    except WorkbenchError as error:
        os.write(1, f"{json.dumps(str(error))}\n".encode())


def _limit_files(limit: int) -> None:
    import resource

    # Without this the process would be ended by the signal instead of being told by the failing write.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


if __name__ == "__main__":  # pragma: no cover - the processes that are killed, refused, or write at once
    _run(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
