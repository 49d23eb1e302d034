"""EEG, EMG and an accelerometer that close a glove together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench import commands, decoders
from workbench.devices.simulated_limb import EMG_ACTIVE_UV
from workbench.errors import BadValue
from workbench.recording import RunFile
from workbench.systems import bind, limb_glove, simulate
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


def test_a_gate_may_be_any_decoder_that_opens_and_closes_and_the_signal_only_one_of_classes():
    tasks = {task.name: task for task in SYSTEM.tasks}
    asked = tasks["at_onset"].decoder_params(SYSTEM.simulator.contract[0])
    muscle, wrong = asked["members"]["emg"], replace(tasks["at_onset"], name="wrong")
    swapped = {**asked, "members": {"signal": muscle, "emg": muscle}}
    system = replace(SYSTEM, tasks=(replace(wrong, decoder_params=lambda _: swapped),))
    with pytest.raises(BadValue, match="grasp_rest decides on probabilities, and this decoder gives amplitude"):
        simulate(system)


def test_a_task_may_tell_the_workload_from_channels_of_the_eeg_that_it_decodes():
    load = {"decoder": "activity_level", "params": {"measure": "workload"}, "channels": ["FCz", "Cz"]}
    asked = {"members": {"signal": limb_glove.GATED_EEG, "load": load}, "gates": {"load": ["below", 1.0]}}
    task = next(one for one in SYSTEM.tasks if one.name == "gated")
    system = replace(SYSTEM, tasks=(replace(task, decoder_params=lambda _: asked),))
    assert simulate(system).decoder_params["members"]["load"]["channels"] == ["FCz", "Cz"]
    asked["members"]["load"] = load | {"channels": ["EOG"]}
    with pytest.raises(BadValue, match="'load' reads channels of the signal"):
        simulate(system)


def strongest(run, sample, *, within_s):
    """The largest amplitude of the recorded muscle, µV over 0.1 s, in the last seconds before a sample."""
    (emg,) = [stream for stream in run.aux if stream.type == "EMG"]
    end, tenth = int(np.searchsorted(emg.stamps, run.signal.stamps[sample])), round(0.1 * emg.fs)
    begin = max(0, end - round(within_s * emg.fs))
    tenths = [np.asarray(emg.values[at : at + tenth], float) for at in range(begin, end - tenth + 1, tenth)]
    return max(part.std() for part in tenths)


@pytest.mark.release
@pytest.mark.timeout(240)
@pytest.mark.parametrize("task", ["gated", "at_onset"])
def test_the_glove_closes_only_while_the_muscle_is_active_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys, task
):
    fewer = [replace(one, trials=(14, 6)) for one in SYSTEM.tasks if one.name == task]
    monkeypatch.setattr(limb_glove, "SYSTEM", replace(SYSTEM, tasks=tuple(fewer)))
    folder = tmp_path / "limb"
    options = ["--system", "limb_glove", "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *options]) == 0
    assert capsys.readouterr().out.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    decoder = decoders.read(folder / "decoders" / run.plan["decoder_sha256"][:12])
    opens = {"gated": ("hands", 0.5), "at_onset": ("above", 1.0)}
    assert (decoder.name, decoder.gates) == ("gating", {"emg": opens[task]})
    closed = [command for command in run.commands() if command.action == "close"]
    assert closed
    # The recorded muscle itself, not the cue: on a busy computer the participant hears a cue late. The gate looks
    # at the last second, and so closes a second after the muscle rests.
    assert all(strongest(run, command.sample, within_s=1.5) > 0.5 * EMG_ACTIVE_UV for command in closed)
    # In rest the gate is closed: what the EEG says has no label, whatever its probabilities are.
    shut = [one for one in run.decisions() if one.valid and not one.label]
    assert len(shut) > 100
