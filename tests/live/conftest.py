"""A study, a session plan of a simulated participant, and engines that never outlive their test."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from workbench import live, runs
from workbench.devices import simulated_participant
from workbench.errors import WorkbenchError
from workbench.live import SessionPlan
from workbench.runs import approve, grant
from workbench.study import Study, uuid7
from workbench.vocabulary import Participant, Session, Visit

FAST = {"attempt_s": 2.0, "rest_s": 3.0, "jitter_s": 0.2, "lead_in_s": 1.0}
"""Parameters of a short grasp_rest run."""


@dataclass
class Room:
    """A study folder with a participant and a visit; starts sessions and ends them."""

    folder: Path
    study: Study
    participant: str
    visit: str
    clients: list[live.Client] = field(default_factory=list)

    def plan(self, *, speed=8.0, glove=False, contract=None, options=None, **changes) -> SessionPlan:
        session = uuid7()
        self.study.append(Session(self.visit, "tests", id=session, simulated=True))
        played = {"preset": "neo", "seed": 3, "source_id": f"sig-{session}", **(options or {})}
        spec = simulated_participant.spec(played)
        players = [{"device": "simulated_participant", "options": played}]
        if glove:
            players.append({"device": "simulated_glove", "options": {"loss": 0.0}})
        usual = {
            "study_folder": str(self.folder),
            "study": "TEST",
            "participant": "P1",
            "visit": "V1",
            "session_id": session,
            "operator": "tests",
            "contract": contract(spec) if contract else (spec,),
            "effector": "glove" if glove else None,
            "players": tuple(players),
            "speed": speed,
            "seed": 3,
            "simulated": True,
            "script_present": True,
        }
        return SessionPlan(**(usual | changes))

    def start(self, plan) -> live.Client:
        client = live.start(plan)
        client.use_grants(grant.issuer(self.study, self.study.script_signer("tests")))
        self.clients.append(client)
        return client

    def approve(self, fitted) -> None:
        sha256 = approve.enter(self.study, fitted)
        runs.ingest_pending(self.study)
        approve.approve(
            self.study,
            sha256,
            effector="glove",
            participant_id=self.participant,
            by=self.study.script_signer("tests").confirm(),
            reason="tests",
        )

    def close(self) -> None:
        for client in self.clients:
            with contextlib.suppress(WorkbenchError):
                client.shutdown()
            client.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(client.pid, signal.SIGKILL)
        self.study.close()


@contextlib.contextmanager
def rooms(tmp_path_factory):
    """What makes rooms; all of them are closed at the end."""
    made = []

    def make():
        folder = tmp_path_factory.mktemp("live") / "study"
        study = Study.create(folder, code="TEST", title="tests", actor="tests")
        participant = study.append(Participant("P1", simulated=True))
        visit = study.append(Visit(participant, "V1"))
        made.append(Room(folder, study, participant, visit))
        return made[-1]

    try:
        yield make
    finally:
        for room in made:
            room.close()


@pytest.fixture(scope="module")
def make_room(tmp_path_factory):
    """Call it for a new room; all of them are closed at the end of the module."""
    with rooms(tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="module")
def fast():
    """Parameters of a short grasp_rest run."""
    return FAST
