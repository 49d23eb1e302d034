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
from workbench.stress.kept import Kept
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
    n: int,
    seed: int,
    *,
    step: Progress = lambda: None,
    database: str = "",
    writers: int | None = None,
    keep: Path | None = None,
) -> Figures:
    """Kill ``n`` writing processes, fail ``n`` writes, and let twenty processes write for ``0.06 n`` seconds.

    Parameters
    ----------
    n : how many.
    seed : of the moments.
    step : called after each case.
    database : URL of a PostgreSQL database that holds the records, ``""`` for files.
    writers : how many write at once; by default :data:`WRITERS`, and fewer for a small size.
    keep : keeps what was counted after each case, and is gone on from.

    Raises
    ------
    BadValue
        As :class:`workbench.stress.kept.Kept`.
    """
    kept = Kept(keep, "trial", {"seed": seed, "n": n, "server": bool(database)})
    for _ in range(sum(int(kept.counts(part).get("cases", 0)) for part in ("kills", "failing"))):
        step()
    with TemporaryDirectory(prefix="workbench-trial-") as home:
        begun = _Begun(_begun(Path(home) / "begun"), database)
        heads, size = _whole(begun, Path(home) / "whole")
        for number, _one in kept.left("kills", n, 1):
            chance = random.Random(f"{seed} kill {number}")
            done = _killed(begun, Path(home) / f"kill{number}", after=chance.randrange(len(heads)), chance=chance)
            lost = done.head < (done.acknowledged or [0])[-1]
            told = {"acknowledged": len(done.acknowledged), "lost": int(lost)}
            kept.add("kills", 1, {**told, "mixed": int(done.head not in heads), "broken": int(not done.verifies)})
            step()
        for number, _one in kept.left("failing", n, 1):
            chance = random.Random(f"{seed} fail {number}")
            done = _failed(begun, Path(home) / f"fail{number}", heads, size, chance)
            last = len(done.acknowledged)
            mixed = done.head not in heads[last : last + 2]
            refused = done.refused or (bool(database) and done.head == heads[-1])
            told = {"refused": int(refused), "mixed": int(mixed), "broken": int(not done.verifies)}
            kept.add("failing", 1, told)
            step()
    # A small size starts fewer: twenty interpreters take longer to start than it lasts.
    many = crowd(max(1.0, 0.06 * n), writers=writers or min(WRITERS, 2 * n), database=database)
    kills, failing = kept.counts("kills"), kept.counts("failing")
    return Figures(
        kills=n, acknowledged=kills["acknowledged"], lost=kills["lost"], failing=n, refused=failing["refused"],
        mixed=kills["mixed"] + failing["mixed"], broken=kills["broken"] + failing["broken"], crowd=many, seed=seed,
    )  # fmt: skip


def _failed(begun: _Begun, folder: Path, heads: list[int], size: int, chance: random.Random) -> _Done:
    """Let a write fail: on a server somewhere in any change, in a file wherever it may not grow."""
    if begun.database:
        return _cut_off(begun, folder, after=chance.randrange(len(heads)), chance=chance)
    return _failing(begun, folder, limit=chance.randrange(LEAST_BYTES, size))


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
