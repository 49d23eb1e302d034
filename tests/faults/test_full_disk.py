"""A disk that is full in the middle of a run, on a real engine with a glove: the run fails, and nothing else."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.faults.test_supervised_engine import Broken
from tests.processes import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def broken(make_room, tmp_path):
    """An engine whose recording can be made unwritable."""
    made = Broken(make_room(), tmp_path / "order.json")
    try:
        made.attach()
        yield made
        made.client.close()
    finally:
        made.process.kill()
        made.process.wait()


def test_a_recording_that_can_no_longer_be_written_fails_its_run_and_no_thread_and_stop_is_followed(broken, fast):
    """Commands, acknowledgements and statuses are recorded on other threads; none of them may die of it."""
    client = broken.client
    client.start_run("calibration", "grasp_rest", fast, n_trials=40)
    client.wait("running", timeout=60)
    broken.order.write_text(json.dumps({"how": "full"}))
    os.kill(broken.process.pid, signal.SIGUSR1)
    ended = client.wait("run", timeout=60)["run"]
    assert (ended["state"], "No space left" in ended["sentence"]) == ("failed", True)
    until(lambda: broken.status()["effector"]["state"] == "FAULT_SAFE")
    status = broken.status()
    assert (status["engine"]["state"], status["engine"]["lost"]) == ("idle", {})
    client.stop("pinched")
    until(lambda: broken.status()["effector"]["stop"]["confirmed"])
