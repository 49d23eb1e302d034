"""A real notebook kernel is interrupted, restarted and killed during a run; the run does not notice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import live, runs
from workbench.recording import RunFile
from workbench.study import Study
from workbench.vocabulary import Participant, Visit

pytestmark = pytest.mark.job

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 6

BEGIN = """
from workbench import live, runs, systems
from workbench.study import Study
system = systems.simulate(systems.load("neo_hand"), seed=3, trials=({trials}, 15))
with Study.open({folder!r}, actor="notebook") as study:
    visit = study.rows("visit")[0]["id"]
    plan = system.new_session(study, visit=visit, operator="notebook", speed=6.0)
client = live.start(plan)
client.start_run("calibration", system.paradigm, system.paradigm_params, n_trials={trials}, seed=3)
client.wait("running", timeout=120)
"""
ATTACH = """
from workbench import live, runs
client = live.attach({folder!r})
print(client.status()["run"]["state"], client.pid)
"""
HANG = "import threading; print('hanging', flush=True); threading.Event().wait(300)"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    """Manager and client of a fresh kernel."""
    manager_module = pytest.importorskip("jupyter_client.manager")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}
    manager, client = manager_module.start_new_kernel(kernel_name="python3", env=env, cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run_cell(client: Any, code: str) -> str:
    """Run a cell to its end; what it printed."""
    said: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=240, output_hook=listen)
    assert reply["content"]["status"] == "ok", reply["content"].get("evalue")
    return "".join(said)


def hang(client: Any) -> str:
    """Start a cell that does not end; returns its id once it hangs."""
    # Else the kernel aborts what it is sent in the moment after the interrupt, which is longer on a busy computer.
    asked: str = client.execute(HANG, stop_on_error=False)
    while "hanging" not in client.get_iopub_msg(timeout=60)["content"].get("text", ""):
        pass
    return asked


def test_a_kernel_that_is_interrupted_restarted_and_killed_loses_no_sample_and_no_trial(kernel, tmp_path):
    manager, client = kernel
    folder = tmp_path / "study"
    with Study.create(folder, code="K", title="Kernel", actor="test") as study:
        study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "first"))
    try:
        run_cell(client, BEGIN.format(folder=str(folder), trials=TRIALS))
        asked = hang(client)
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert "running" in run_cell(client, ATTACH.format(folder=str(folder)))
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=120)
        second = run_cell(client, ATTACH.format(folder=str(folder)))
        manager.shutdown_kernel(now=True)
        mine = live.attach(folder)
        assert str(mine.pid) in second
        ended = mine.wait("run", timeout=240)["run"]
    finally:
        if live.find(folder):
            live.attach(folder).shutdown()
    assert (ended["state"], ended["trials_done"]) == ("finished", TRIALS)
    run = RunFile(folder / ended["recording"])
    assert np.diff(run.signal.stamps) == pytest.approx(1e-3, abs=1e-6)
    assert [row.kind for row in run.ledger() if row.kind in ("gap", "stream_lost")] == []
    with Study.open(folder, actor="test") as study:
        runs.ingest_pending(study)
        assert len(study.rows("trial")) == TRIALS
