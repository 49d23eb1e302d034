"""The study record: verifying a long chain, saving a form, the worklist of 500 participants, the service.

*Verify* reads a keyed record of more than 100,000 audit rows as it lies there, in a file and on a server:
chain, payloads, the replay against every table, signed heads. A row is an audit row with its payload and its
row of data. *Form* saves forms of a visit, one after the other, in a study of 500 participants: protocol,
locks, roles and the wait for the disk are in it. *Worklist* is every visit that is due, early, late or open on
a day. *Service* is `workbench serve` of that study once somebody has signed in and asked for the worklist: its
memory, and the time of an answer.

What is measured on a server is measured where ``WORKBENCH_BENCH_POSTGRESQL`` names a database of one; each
study is a schema of its own, which is dropped.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from workbench.bench._items import Item, NotMeasured, Result
from workbench.clinic import questions
from workbench.clinic.client import Client
from workbench.study import Study, stores, verify
from workbench.study.applying import Change
from workbench.study.backup import backup
from workbench.study.changes.consents import GiveConsent
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.grants import GrantRole
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.visits import SetAnchor
from workbench.study.keys import VARIABLE as KEYS
from workbench.study.moving import move
from workbench.study.restore import restore
from workbench.study.stores.postgresql import PostgreSQL
from workbench.vocabulary import LedgerRow, Participant, Run, Session, Trial, Visit

SERVER = "WORKBENCH_BENCH_POSTGRESQL"
"""Variable of the environment that names a database of PostgreSQL."""
RUNS, TRIALS = 100, 1000
"""Of the long chain."""
PEOPLE = 500
SAVED, ASKED = 200, 20
SECRET = "correct horse battery"
DAY = "2026-03-01"
DEFINITION: dict[str, Any] = {
    "study": {
        "code": "BENCH", "title": "Bench", "version": "1.0.0", "sponsor": "nobody", "jurisdictions": ["EU"],
        "effective_from": DAY,
    },
    "arm": [{"name": "one", "title": "One"}],
    "criterion": [{"id": "I1", "text": "Is simulated.", "kind": "inclusion", "origin": "trial"}],
    "consent": {
        "purposes": {"required": ["participation"], "optional": ["upload"]},
        "document_version": "1", "document_sha256": "0" * 64,
    },
    "visit": [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 7, "forms": ["scores"]},
        *(
            {
                "name": f"Week {4 * n}", "anchor": "Screening", "day": 28 * n, "earliest": 28 * n - 7,
                "latest": 28 * n + 7, "forms": ["scores"],
            }
            for n in range(1, 6)
        ),
    ],
    "form": [
        {"name": "scores", "title": "Scores", "items": [
            *({"name": f"i{n}", "label": f"Item {n}", "kind": "integer", "in_range_query": {"low": 0, "high": 5}}
              for n in range(30)),
            {"name": "remark", "label": "Remark", "kind": "text"},
        ]},
    ],
}  # fmt: skip
"""A protocol of six visits with a form of thirty-one items."""


# ------------------------------------------------------------------------------------ studies
@cache
def _home() -> Path:
    """A folder that goes when the process ends, with keys of its own."""
    home = tempfile.TemporaryDirectory(prefix="workbench-bench-")
    atexit.register(home.cleanup)
    folder = Path(home.name)
    (folder / "keys").mkdir(mode=0o700)
    return folder


@contextmanager
def _own_keys() -> Iterator[None]:
    """Keys of these studies lie beside them and not among those of the studies of this account."""
    before = os.environ.get(KEYS)
    os.environ[KEYS] = str(_home() / "keys")
    try:
        yield
    finally:
        del os.environ[KEYS]
        if before is not None:
            os.environ[KEYS] = before


def long_chain(folder: Path, *, runs: int, trials: int) -> None:
    """A keyed record of runs with their trials.

    Parameters
    ----------
    folder : of the study, new.
    runs, trials : how many, and of each run.
    """
    with Study.create(folder, code="LONG", title="long", actor="bench") as study:
        person = study.append(Participant("SIM-1", simulated=True))
        session = study.append(Session(study.append(Visit(person, "v")), "bench", simulated=True, plan={}))
        for number in range(runs):
            rows = [
                Trial(i, "grasp", 100 * i, 0.1 * i, 100 * i + 90, "correct", "grasp", latency_s=i / 7)
                for i in range(trials)
            ]
            run = Run(session, number + 1, "online", "grasp_rest", "finished", summary={"p99_ms": 12.5})
            study.append_run(run, trials=rows, ledger=[LedgerRow("gap", 1.5, 2.5, extent="3 samples")])


@cache
def _long() -> Path:
    folder = _home() / "long"
    long_chain(folder, runs=RUNS, trials=TRIALS)
    return folder


def many_people(folder: Path, *, people: int) -> None:
    """A study with a protocol and people who are enrolled in it, their consents some weeks apart.

    Parameters
    ----------
    folder : of the study, new.
    people : how many.
    """
    with Study.create(folder, code="BENCH", title="Bench", actor="bench") as study:
        folder.chmod(0o700)
        for login, role in (("doctor", "investigator"), ("manager", "data_manager")):
            study.add_person(login, login, SECRET, (role,))
        doctor, manager = (study.sign_in(login, SECRET) for login in ("doctor", "manager"))
        study.apply(AdoptProtocol(DEFINITION), [one.confirm(SECRET) for one in (doctor, manager)])
        coordinator = study.add_person("coordinator", "coordinator", SECRET, ("monitor",))
        study.apply(GrantRole(coordinator, "coordinator", "GCP"), manager, "bench")
        steps: list[Change] = []
        for number in range(people):
            person = study.append(Participant(f"B-{number:04d}"))
            day = (date.fromisoformat(DAY) + timedelta(days=number % 60)).isoformat()
            steps += [
                Enrol(person, f"S-{number:04d}"), GiveConsent(person, ("participation",), "1", DAY),
                SetAnchor(person, "consent", day), AnswerCriterion(person, "I1", "yes", "file"),
                SetStatus(person, "enrolled"),
            ]  # fmt: skip
        refused = [said for said in study.apply_all(steps, doctor, "bench") if said]
        if refused:
            raise RuntimeError(f"a change of the bench is refused: {refused[0]}")


@cache
def _people() -> Path:
    folder = _home() / "people"
    many_people(folder, people=PEOPLE)
    return folder


@contextmanager
def _on_server(made: Callable[[], Path]) -> Iterator[Path]:
    """A copy of a study whose record lies on the server. Raises NotMeasured where none is named."""
    if not (url := os.environ.get(SERVER)):
        raise NotMeasured(f"no server: {SERVER} names a PostgreSQL database")
    source = made()
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as home:
        folder = Path(home) / "study"
        # By a backup, which also takes what a write-ahead log still holds.
        restore(backup(source, Path(home) / "backups").folder, folder)
        move(folder, actor="bench", database=url)
        try:
            yield folder
        finally:
            store = stores.at(folder)
            assert isinstance(store, PostgreSQL)
            store.drop()


# ------------------------------------------------------------------------------------ figures
def _verified(folder: Path, rounds: int) -> Result:
    """Audit rows a second by the clock, and in the detail by the processor time of this process."""
    clock, processor, n, rows = [], [], 0, 0
    for _ in range(max(1, min(rounds, 5))):
        began, busy = time.perf_counter(), time.process_time()
        found = verify(folder, files=False)
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
        if not found.ok:
            raise RuntimeError(f"the record of the bench does not verify: {found.problems[0]}")
        n = found.checked["audit"]
        rows = sum(found.checked.values())
    rates = [n / seconds for seconds in clock]
    detail = (
        f"by the clock; {n / median(processor):,.0f} a second of processor time; {n:,} audit rows, {rows:,} rows "
        f"of all tables, {len(clock)} rounds"
    )
    return Result(median(rates), min(rates), max(rates), detail)


def _verify_file(rounds: int) -> Result:
    with _own_keys():
        return _verified(_long(), rounds)


def _verify_server(rounds: int) -> Result:
    with _own_keys(), _on_server(_long) as folder:
        return _verified(folder, rounds)


def _saved(folder: Path) -> Result:
    """Time to save a form, 95 % of all within it."""
    seconds = []
    with Study.open(folder, actor="bench") as study:
        doctor = study.sign_in("doctor", SECRET)
        for visit in study.rows("visit", name="Screening")[:SAVED]:
            there = study.rows("form", visit_id=visit["id"])
            version = there[0]["row_version"] if there else 0
            values = {**{f"i{n}": (version + n) % 6 for n in range(30)}, "remark": "as expected"}
            change = SaveForm(visit["id"], "scores", values, state="draft", row_version=version)
            began = time.perf_counter()
            study.apply(change, doctor, "bench")
            seconds.append(1e3 * (time.perf_counter() - began))
    low, high = median(seconds), max(seconds)
    p95 = quantiles(seconds, n=20)[-1]
    detail = f"p50 {low:.1f} ms, p95 {p95:.1f} ms, longest {high:.1f} ms of {len(seconds)} forms of 31 items"
    return Result(p95, p95, p95, detail)


def _form_file(_rounds: int) -> Result:
    with _own_keys():
        return _saved(_people())


def _form_server(_rounds: int) -> Result:
    with _own_keys(), _on_server(_people) as folder:
        return _saved(folder)


def _listed(folder: Path, rounds: int) -> Result:
    on, seconds, n = date.fromisoformat(DAY) + timedelta(days=30), [], 0
    with Study.open(folder, actor="bench") as study:
        study.worklist(on)
        for _ in range(rounds):
            began = time.perf_counter()
            n = len(study.worklist(on))
            seconds.append(time.perf_counter() - began)
    return Result(median(seconds), min(seconds), max(seconds), f"{n} rows of the worklist, {rounds} rounds")


def _worklist_file(rounds: int) -> Result:
    with _own_keys():
        return _listed(_people(), rounds)


def _worklist_server(rounds: int) -> Result:
    with _own_keys(), _on_server(_people) as folder:
        return _listed(folder, rounds)


@contextmanager
def _served() -> Iterator[tuple[psutil.Process, Client]]:
    """The service of the study of many people, and somebody who signed in."""
    folder, address = _people(), _home() / "socket"
    command = [sys.executable, "-m", "workbench", "serve", str(folder), "--socket", str(address)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            with Client(address) as client:
                client.sign_in("coordinator", SECRET)
                yield psutil.Process(process.pid), client
        finally:
            process.terminate()


def _memory(_rounds: int) -> Result:
    with _own_keys(), _served() as (process, client):
        idle = process.memory_info().rss / 2**20
        for _ in range(ASKED):
            client.ask(questions.Worklist(DAY))
        rss = process.memory_info().rss / 2**20
    return Result(rss, rss, rss, f"RSS after {ASKED} worklists; {idle:.0f} MB after the first sign-in")


def _answer(_rounds: int) -> Result:
    seconds = []
    with _own_keys(), _served() as (_process, client):
        for _ in range(ASKED):
            began = time.perf_counter()
            client.ask(questions.Worklist(DAY))
            seconds.append(time.perf_counter() - began)
    return Result(
        median(seconds), min(seconds), max(seconds), f"over the socket, {ASKED} answers, one after the other"
    )


_LONG, _MANY = f"{RUNS * TRIALS:,} trials", f"{PEOPLE} participants"
ITEMS = (
    Item("record", "verify, a file", _LONG, "rows/s", ">=", 30_000.0, _verify_file, 90.0),
    Item("record", "verify, a server", _LONG, "rows/s", ">=", 30_000.0, _verify_server, 60.0),
    Item("record", "save of a form, p95, a file", _MANY, "ms", "<=", 100.0, _form_file, 40.0),
    Item("record", "save of a form, p95, a server", _MANY, "ms", "<=", 100.0, _form_server, 20.0),
    Item("record", "worklist, a file", _MANY, "s", "<=", 1.0, _worklist_file, 5.0),
    Item("record", "worklist, a server", _MANY, "s", "<=", 1.0, _worklist_server, 15.0),
    Item("record", "worklist from the service", _MANY, "s", "<=", 1.0, _answer, 10.0),
    Item("record", "memory of the service", _MANY, "MB", "<=", None, _memory, 10.0),
)
