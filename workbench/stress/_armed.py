"""A study with an approved decoder, and sessions with a closed simulated hand, for the stress tests to break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import devices, live, runs, systems
from workbench.errors import EngineFault, Refused, StreamFault, WorkbenchError
from workbench.live import SessionPlan
from workbench.live.client import READY
from workbench.runs import approve, grant
from workbench.study import Study
from workbench.vocabulary import DeviceStatus, Participant, Visit

EFFECTOR = "glove"
CALIBRATION = {"attempt_s": 2.0, "rest_s": 3.0, "jitter_s": 0.2, "lead_in_s": 1.0}
LONG = {"attempt_s": 20.0, "rest_s": 2.0, "jitter_s": 0.0, "lead_in_s": 1.0}
"""Attempts long enough for a fault to occur while the hand is closed."""
CLOSED = 0.9
"""Level from which the hand counts as closed, fraction 0–1."""
CLOSE_S = 120.0
"""How long a hand may take to close on a busy machine, s."""
SAFE_S = 20.0
"""Longest wait for a device to become safe, s."""


@dataclass
class Clinic:
    """A study folder with one simulated participant and a decoder that a script approved for her."""

    folder: Path
    study: Study
    visit: str
    decoder: Path
    system: systems.BoundSystem

    def plan(self, *, speed: float = 1.0, **changes: Any) -> SessionPlan:
        """The plan of a new session of her, entered into the record."""
        plan = self.system.new_session(
            self.study, visit=self.visit, operator="stress test", speed=speed, seed=1, script_present=True
        )
        return replace(plan, **changes)

    @property
    def pairing(self) -> devices.Pairing:
        """The pairing with her glove."""
        return devices.pairing(self.folder, EFFECTOR)


def make_clinic(folder: Path, *, seed: int) -> Clinic:
    """Calibrate at eight times real time, fit, approve.

    Raises
    ------
    WorkbenchError
        When a part of it fails.
    """
    study = Study.create(folder, code="STRESS", title="stress test", actor="stress test")
    person = study.append(Participant("STRESS-1", simulated=True))
    visit = study.append(Visit(person, "stress"))
    system = systems.simulate(systems.load("neo_hand"), seed=seed)
    clinic = Clinic(folder, study, visit, folder, system)
    # Eight times real time: the calibration itself is not what is measured.
    with session(clinic, clinic.plan(speed=8.0)) as client:
        run = client.start_run("calibration", "grasp_rest", CALIBRATION, n_trials=12, seed=seed)
        client.wait("run", timeout=120.0)
    runs.ingest_pending(study)
    fitted = runs.run_fit(folder, [folder / "recordings" / f"{run}.xdf"], "bandpower_lda")
    sha256 = approve.enter(study, fitted)
    signed = study.script_signer("stress test").confirm()
    approve.approve(study, sha256, effector=EFFECTOR, participant_id=person, by=signed, reason="stress test")
    clinic.decoder = Path(fitted["folder"])
    return clinic


@contextmanager
def session(
    clinic: Clinic, plan: SessionPlan, *, order: Path | None = None, boot: Path | None = None
) -> Iterator[live.Client]:
    """A session from start to end, even after a fault; with ``order`` its engine can be broken.

    Parameters
    ----------
    clinic, plan : whose session.
    order, boot : see :mod:`workbench.stress.breakable`.
    """
    process = None if order is None else _breakable(plan, order, boot)
    client = live.start(plan) if process is None else _attached(clinic.folder)
    client.use_grants(grant.issuer(clinic.study, clinic.study.script_signer("stress test")))
    try:
        yield client
    finally:
        if order is not None:
            # In this order: continue what hangs or is frozen, ask for a proper end, and only then kill.
            order.with_suffix(".hang").unlink(missing_ok=True)
        with suppress(ProcessLookupError):
            os.kill(client.pid, signal.SIGCONT)
        with suppress(WorkbenchError):
            client.shutdown()
        client.close()
        with suppress(ProcessLookupError):
            os.kill(client.pid, signal.SIGKILL)
        if process is not None:
            process.wait()
        devices.end_device(clinic.pairing)


def _breakable(plan: SessionPlan, order: Path, boot: Path | None) -> subprocess.Popen[bytes]:
    folder = Path(plan.study_folder)
    (folder / "engine" / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "workbench.stress.breakable", str(folder), str(order)]
    with (folder / "engine" / "engine.log").open("ab") as log:
        return subprocess.Popen(
            command if boot is None else [*command, str(boot)], stdout=log, stderr=log, start_new_session=True
        )


def _attached(folder: Path) -> live.Client:
    end = time.monotonic() + 60.0
    while "endpoint" not in (live.find(folder) or {}):
        if time.monotonic() > end:
            raise EngineFault(f"the engine did not start within 60 s; see {folder / 'engine' / 'engine.log'}")
        time.sleep(0.05)
    client = live.attach(folder)
    client.wait("idle", timeout=120.0)
    return client


def break_engine(client: live.Client, order: Path, **what: str) -> None:
    """Give the breakable engine an order."""
    order.write_text(json.dumps(what))
    os.kill(client.pid, signal.SIGUSR1)


def close_hand(clinic: Clinic, client: live.Client, *, n_trials: int = 6) -> None:
    """Start an online run of trials of 22 s, arm, and wait until the device confirms that the hand is closed.

    A fault that a busy machine causes meanwhile is reset, as an operator would.

    Parameters
    ----------
    clinic, client : whose session.
    n_trials : of the run.

    Raises
    ------
    EngineFault
        When it does not close within :data:`CLOSE_S` s.
    """
    end = time.monotonic() + CLOSE_S
    recover(client, end)
    client.start_run("online", "grasp_rest", LONG, n_trials=n_trials, decoder_folder=clinic.decoder)
    client.wait("running", timeout=60.0)
    while time.monotonic() < end:
        effector = client.status()["effector"]
        level = effector["confirmed"]["level"]
        # The confirmed level, not the commanded one: a fault must hit a hand that is really closed.
        if effector["state"] in ("ACTIVE", "HOLD") and level is not None and level >= CLOSED:
            return
        if effector["state"] == "IDLE_SAFE":
            with suppress(Refused):
                client.arm("stress test")
        elif effector["state"] not in READY:
            recover(client, end)
        time.sleep(0.05)
    raise EngineFault(f"the hand did not close within {CLOSE_S:g} s; the effector is in {effector['state']}")


def recover(client: live.Client, end: float) -> None:
    """Reset a fault and resume a paused run until the effector is ready, at most until ``end`` (monotonic, s)."""
    while (client.status()["effector"] or {}).get("state") not in READY and time.monotonic() < end:
        for act in (client.reset_stop, client.resume):
            with suppress(Refused):
                act()
        time.sleep(0.2)


class DeviceWatch:
    """Watches a device from before a fault until its signed status confirms that it is safe, or at least open."""

    def __init__(self, pairing: devices.Pairing, *, open_is_enough: bool = False) -> None:
        self._pairing, self._open_is_enough = pairing, open_is_enough
        self._began: float | None = None
        self._after: float | None = None
        self._seen = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="device-watch", daemon=True)
        self._thread.start()
        # The watch is connected before the fault: the time measured must not include discovery on LSL.
        self._seen.wait(10.0)

    def _watch(self) -> None:
        def safe(status: DeviceStatus) -> bool:
            self._seen.set()
            return self._began is not None and (status.is_safe or (self._open_is_enough and status.level == 0))

        with suppress(StreamFault):
            devices.watch_status(self._pairing, timeout=CLOSE_S + 3.0 * SAFE_S, until=safe)
            self._after = time.monotonic() - (self._began or 0.0)

    def measure(self, fault: Callable[[], object]) -> float | None:
        """Cause the fault; s until the device is safe, None when it is not within :data:`SAFE_S` s."""
        self._began = time.monotonic()
        fault()
        self._thread.join(SAFE_S)
        return self._after
