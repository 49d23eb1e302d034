"""A trial of two arms behind a service that runs as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dashboard import trial
from tests.dashboard.trial import SECRET
from workbench.clinic import Client
from workbench.study import Study
from workbench.study.changes import GrantRole, MakeList, OpenQuery, RecordDeviation, RevokeRole


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a trial with P-041 in the middle of it; ``blind`` is blinded, ``north`` limited to the site N."""
    folder = tmp_path_factory.mktemp("clinic") / "study"
    trial.begin(folder)
    with Study.open(folder, actor="test") as study:
        manager = study.sign_in("he", SECRET)
        for login, name, role, more in (
            ("blind", "Blind B.", "assessor", {"blinded": True}),
            ("north", "North N.", "coordinator", {"site": "N"}),
            ("stat", "Stat S.", "statistician", {}),
        ):  # fmt: skip
            person = study.add_person(login, name, SECRET, ("operator",))
            study.apply(GrantRole(person, role, "GCP 2026", **more), manager, "joins")
            study.apply(RevokeRole(person, "operator"), manager, "joins")
        study.apply(MakeList("1.0.0"), study.sign_in("stat", SECRET), "before the first participant")
        doctor = study.sign_in("okafor", SECRET)
        on = next(row for row in study.rows("assessment") if row["device_on"])
        off = next(row for row in study.rows("assessment") if not row["device_on"] and not row["stimulation_on"])
        for row, text in ((on, "34 with the device?"), (off, "12 at screening?")):
            study.apply(OpenQuery("assessment", row["id"], "items", text), manager)
        person = study.rows("participant", pseudonym="P-041")[0]["id"]
        study.apply(RecordDeviation(person, "decoder", "used an older decoder"), doctor)
    return folder


def copied(template: Path, to: Path) -> Path:
    """A copy of the trial that nobody else may enter."""
    copy = to / "study"
    shutil.copytree(template, copy)
    copy.chmod(0o700)
    Path(os.environ["WORKBENCH_KEYS"]).chmod(0o700)
    return copy


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """A trial of the test's own."""
    return copied(template, tmp_path)


class Served:
    """A service as a process.

    Attributes
    ----------
    folder, socket : of the study, and where it is heard.
    process : the service.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.socket = folder, folder.parent / "socket"
        self.clients: list[Client] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "serve", str(folder), "--socket", str(self.socket), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        assert "Serving" in self.said, self.process.communicate()

    def client(self, login: str = "", password: str = SECRET) -> Client:
        """A client, signed in where a login is given."""
        made = Client(self.socket)
        self.clients.append(made)
        if login:
            made.sign_in(login, password)
        return made

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """End it; exit code, output and errors."""
        self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=30)
        return self.process.returncode, out, errors


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    served = Served(folder, *options)
    try:
        yield served
    finally:
        for client in served.clients:
            client.close()
        if served.process.poll() is None:
            served.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The trial, served for all tests of a file that leave one another alone."""
    with serving(copied(template, tmp_path_factory.mktemp("shared"))) as made:
        yield made


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """The trial, served."""
    with serving(folder) as made:
        yield made


def visit_of(folder: Path, name: str) -> str:
    """Id of a visit of P-041."""
    with Study.open(folder, actor="test") as study:
        return trial.visit_of(study, name)


def head_of(folder: Path) -> tuple[int, str]:
    """``(seq, hash)`` of the newest entry, read beside the service."""
    with Study.open(folder, actor="test") as study:
        return study.head()


__all__ = ["SECRET", "Served", "head_of", "serving", "visit_of"]
