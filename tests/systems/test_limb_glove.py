"""EEG, EMG and an accelerometer that close a glove together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.errors import BadValue
from workbench.systems import bind, simulate
from workbench.systems.limb_glove import SYSTEM


def test_each_stream_has_a_role_that_a_decoder_names():
    fused, gated = simulate(SYSTEM, task="fused"), simulate(SYSTEM, task="gated")
    assert {line.role for line in fused.contract} == {"signal", "emg", "imu"}
    assert set(fused.decoder_params["members"]) == {"signal", "emg", "imu"}
    assert gated.decoder_params["gates"] == {"emg": ["hands", 0.5]}


def test_a_stream_that_a_task_decodes_must_be_there_and_fit_its_decoder():
    contract = SYSTEM.simulator.contract
    without_imu = [line for line in contract if line.role != "imu"]
    assert bind(SYSTEM, without_imu, task="gated").decoder == "gating"
    with pytest.raises(BadValue, match="'imu'|imu"):
        bind(SYSTEM, without_imu, task="fused")
    slow = [replace(line, fs=60.0) if line.role == "imu" else line for line in contract]
    assert bind(SYSTEM, slow, task="fused").decoder == "late_fusion"
    too_slow = [replace(line, fs=30.0) if line.role == "imu" else line for line in contract]
    with pytest.raises(BadValue, match="imu"):
        bind(SYSTEM, too_slow, task="fused")
