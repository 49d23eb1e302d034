"""An engine commands a device that shares no code with the workbench."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import devices
from workbench.conformance._engine_side import EFFECTOR, KEY
from workbench.devices import lsl
from workbench.engine.effector import check_driver
from workbench.errors import Refused
from workbench.stress.strangers import LinkBench


@pytest.fixture
def paired(tmp_path):
    """The pairing with a foreign device that runs."""
    lsl.configure()
    paired = devices.pairing(tmp_path, "glove")
    environment = {**os.environ, KEY: str(paired.path), EFFECTOR: "glove"}
    script = Path(__file__).with_name("foreign_effector.py")
    process = subprocess.Popen([sys.executable, str(script)], env=environment)
    yield paired
    process.terminate()
    assert process.wait(20.0) == 0


def test_link_and_controller_test_arm_close_and_stop_it(paired):
    bench = LinkBench(paired, "foreign")
    assert bench.self_test()
    check_driver(bench.link.driver, certified="foreign 1.0")
    with pytest.raises(Refused, match=r"states the driver foreign 1\.0, its certificate .* for foreign 0\.9"):
        check_driver(bench.link.driver, certified="foreign 0.9")
    bench.arm()
    assert bench.close_hand()
    assert bench.stop()
    assert bench.confirmed["level"] == 0.0
    bench.close()
    assert devices.watch_status(paired, timeout=20.0).locked
