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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench import world
from workbench.errors import RecordFault, WorkbenchError
from workbench.study import Study, record_file, stores, verify
from workbench.study.applying import Change, bound_now
from workbench.study.changes.consents import GiveConsent, WithdrawConsent
from workbench.study.changes.deviations import CloseDeviation, RecordDeviation
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.locking import Freeze, Unfreeze
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.queries import AnswerQuery, CloseQuery, OpenQuery
from workbench.study.changes.signing import Sign
from workbench.study.changes.visits import AddVisit, HoldVisit, SetAnchor
from workbench.study.stores.postgresql import APPLICATION, PostgreSQL
from workbench.vocabulary import Participant

Progress = Callable[[], None]
WRITERS = 20
DAY = "2026-03-01"
LEAST_BYTES = 40_960
"""The index of the write-ahead log takes 32 KiB: below this limit no record opens."""
DEFINITION: dict[str, Any] = {
    "study": {
        "code": "STRESS", "title": "Stress", "version": "1.0.0", "sponsor": "nobody", "jurisdictions": ["EU"],
        "effective_from": DAY,
    },
    "arm": [{"name": "one", "title": "One"}],
    "criterion": [{"id": "I1", "text": "Is simulated.", "kind": "inclusion", "origin": "trial"}],
    "consent": {
        "purposes": {"required": ["participation"], "optional": ["upload"]},
        "document_version": "1", "document_sha256": "0" * 64,
    },
    "visit": [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 7, "forms": ["count"]},
        {"name": "Week 4", "anchor": "Screening", "day": 28, "earliest": 21, "latest": 35},
    ],
    "form": [
        {"name": "count", "title": "Count", "items": [
            {"name": "n", "label": "Number", "kind": "integer", "in_range_query": {"low": 0, "high": 5}},
        ]},
    ],
}  # fmt: skip
"""The protocol of the study that is broken."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one stress test.

    Attributes
    ----------
    kills, acknowledged, lost : processes killed, changes that they had acknowledged, how many of those were gone.
    failing, refused : writes that failed, and how many were told in a sentence of the record; on a server also
        those that fell between two changes, so that the next one found another connection.
    mixed, broken : records that were neither before nor after a change, and that did not verify.
    writers, seconds, changes, doubled : processes that wrote at once, for how long, changes of one common number,
        and how many of those overwrote another one.
    seed : of the moments.
    """

    kills: int
    acknowledged: int
    lost: int
    failing: int
    refused: int
    mixed: int
    broken: int
    writers: int
    seconds: float
    changes: int
    doubled: int
    seed: int

    @property
    def passed(self) -> bool:
        """Nothing lost, mixed, broken or overwritten, and every failing write told."""
        return (
            self.lost == self.mixed == self.broken == self.doubled == 0
            and self.refused == self.failing
            and self.changes > 0
        )

    def text(self) -> str:
        """The figures as text, one line each."""
        return "\n".join(
            [
                f"kill -9: {self.kills} kills, {self.acknowledged} changes acknowledged, {self.lost} lost",
                f"failing writes: {self.failing}, {self.refused} told in a sentence",
                f"afterwards {self.mixed} neither before nor after a change, {self.broken} broken",
                f"{self.writers} writers, {self.seconds:g} s: {self.changes} changes, {self.doubled} overwritten",
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
        changes, doubled, holds = _together(begun, Path(home) / "together", seconds, writers=writers)
        return Figures(
            kills=n, acknowledged=acknowledged, lost=lost, failing=n, refused=refused, mixed=mixed,
            broken=bad + (not holds), writers=writers, seconds=seconds, changes=changes, doubled=doubled,
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


def _gone(folder: Path) -> None:
    """Remove a study with everything that it left."""
    if isinstance(store := stores.at(folder), PostgreSQL):
        store.drop()
    shutil.rmtree(folder)


def _begun(folder: Path, database: str = "") -> Path:
    """A study with its protocol."""
    with Study.create(
        folder, code="STRESS", title="trial", actor="stress", keyed=False, database=database
    ) as study:
        signers = [study.script_signer(name).confirm() for name in ("one", "two")]
        study.apply(AdoptProtocol(DEFINITION), signers)
    return folder


def fifty(study: Study) -> Iterator[None]:
    """Make fifty changes of two simulated participants, one at each step."""
    script = study.script_signer("stress")
    change: Change

    def made(change: Change, reason: str = "stress") -> str:
        return study.apply(change, script, reason)

    for number in (1, 2):
        person = study.append(Participant(f"SIM-{number}", simulated=True))
        yield
        for change in (
            Enrol(person, f"S-{number}"), GiveConsent(person, ("participation", "upload"), "1", DAY),
            AnswerCriterion(person, "I1", "yes", "it is a script"), SetStatus(person, "enrolled"),
            SetAnchor(person, "consent", DAY), AddVisit(person, "Extra", DAY),
        ):  # fmt: skip
            made(change)
            yield
        screening = study.rows("visit", participant_id=person, name="Screening")[0]["id"]
        form = ""
        for version, value in enumerate((1, 2, 9, 3)):
            form = made(SaveForm(screening, "count", {"n": value}, row_version=version))
            yield
        query = study.rows("query", row_id=form)[0]["id"]
        asked = made(OpenQuery("form", form, "values", "is that so?"))
        yield
        for change in (AnswerQuery(query, "yes"), CloseQuery(query, "fine"), AnswerQuery(asked, "it is")):
            made(change)
            yield
        deviation = made(RecordDeviation(person, "other", "came late"))
        yield
        made(CloseDeviation(deviation, "none", "none needed"))
        yield
        target = ("form", form)
        study.apply(Sign((target,), "I reviewed this", bound_now(study, [target])[1]), script.confirm())
        yield
        for change in (
            Freeze("visit", screening), Unfreeze("visit", screening), HoldVisit(screening, DAY),
            SetAnchor(person, "consent", "2026-02-28"), SetAnchor(person, "implant", DAY),
            WithdrawConsent(person, ("upload",), DAY), RecordDeviation(person, "consent", "form was unsigned"),
        ):  # fmt: skip
            made(change)
            yield


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
    _gone(folder)
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
    _gone(folder)
    return _Done(
        acknowledged=[one for one in told if isinstance(one, int)],
        head=found.head[0],
        refused=any(isinstance(one, str) for one in told),
        verifies=found.ok,
    )


# ---------------------------------------------------------------------------------------- many writers
def _together(begun: _Begun, folder: Path, seconds: float, *, writers: int) -> tuple[int, int, bool]:
    """Changes of one common number by many processes, how many overwrote another one, and whether it verifies."""
    begun.again(folder)
    with Study.open(folder, actor="stress") as study:
        script = study.script_signer("stress")
        person = study.append(Participant("SIM-0", simulated=True))
        study.apply(Enrol(person, "S-0"), script)
        study.apply(SetAnchor(person, "consent", DAY), script)
        visit = study.rows("visit", participant_id=person)[0]["id"]
        form = study.apply(SaveForm(visit, "count", {"n": 0}), script)
    children = [_counting(folder, form) for _ in range(writers)]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()  # It is ready: starting twenty takes longer than a short test.
    until = time.time() + seconds
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{until}\n")
        child.stdin.flush()
    changes = sum(int(child.communicate()[0]) for child in children)
    with Study.open(folder, actor="stress") as study:
        value = study.get("form", form)["values"]["n"]
    found = verify(folder)
    _gone(folder)
    return changes, changes - value, found.ok


def _counting(folder: Path, form: str) -> subprocess.Popen[str]:
    command = [*_command(folder), form]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def count_up(folder: Path, form: str) -> int:
    """Add one to a number again and again, each time only if nobody changed it since; how often that was so.

    Says on standard output that it is ready, and takes the time of the clock at which to end from standard input.

    Parameters
    ----------
    folder : of the study.
    form : id of the form that holds the number.
    """
    done = 0
    with Study.open(folder, actor="stress") as study:
        script = study.script_signer(f"writer {os.getpid()}")
        os.write(1, b"ready\n")
        until = float(sys.stdin.readline())
        while time.time() < until:
            row = study.get("form", form)
            values = {"n": row["values"]["n"] + 1}
            change = SaveForm(row["visit_id"], "count", values, row_version=row["row_version"])
            try:
                study.apply(change, script, "one more")
            except RecordFault:
                continue
            done += 1
    return done


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
    folder_, *more = sys.argv[1:]
    if more and not more[0].isdecimal():
        os.write(1, f"{count_up(Path(folder_), more[0])}\n".encode())
    else:
        _run(Path(folder_), int(more[0]) if more else 0)
