"""Simulated effectors as processes keep the protocol: what stops them, what they report, how they become safe."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from tests.shares import some
from workbench import control
from workbench.conformance import limits_of
from workbench.conformance._engine_side import Bench
from workbench.conformance.effector import examine

FACTS = ("applied", "clipped", "lapse", "safe_state", "locked", "stop", "after_stop")
"""What differs between effectors; the other facts are those of the code that all of them share."""


@pytest.mark.job
@pytest.mark.parametrize("effector", some(["epidural", "fes", "transcutaneous", "powered_orthosis"]))
def test_a_simulated_effector_keeps_the_protocol(effector):
    profile = control.load(effector)
    # The computer of the tests is busy; `workbench conform effector` judges by the limits themselves.
    wide = replace(limits_of(profile), status_s=0.3, acknowledged_s=3.0, lapse_s=1.0, safe_s=3.0)
    options = json.dumps({"pairing": "{key}", "loss": 0.0} if profile.stimulates else {"pairing": "{key}"})
    command = [sys.executable, "-m", f"workbench.devices.simulated_{effector}", "--json", options]
    with Bench(command, profile) as bench:
        checks = examine(bench, wide, only=FACTS)
        last = bench.engine.statuses[-1].body
    assert [check.key for check in checks] == list(FACTS)
    assert [check for check in checks if not check.held] == []
    if profile.stimulates:
        assert last["stimulator"]["delivered_ma"] == [0.0] * profile.channels
        assert all(ohm > 0 for _, _, ohm in last["stimulator"]["ohm"])
