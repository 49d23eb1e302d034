"""Bad streams and a foreign decoder in a whole demo, as real processes: one clear sentence, exit 2, nothing lost.

The demo runs unchanged; only what plays or is expected is made wrong, as it would be in a laboratory.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from workbench import live, runs
from workbench.study import Study, verify

pytestmark = pytest.mark.timeout(240)

DEMO = """
import sys
from dataclasses import replace
from workbench import commands, runs, systems
from workbench.systems import BoundSystem

usual, planned = systems.simulate, BoundSystem.new_session

def hasty(*args, **more):
    return replace(planned(*args, **more), resolve_s=4.0{plan})

def wrong(system, *, task, seed):
    made = usual(system, task=task, seed=seed, trials=(6, 2))
    options = dict(made.source.player["options"])
    signal = made.signal
    {change}
    source = replace(made.source, player={{**made.source.player, "options": options}})
    return replace(made, contract=(signal,), source=source)

systems.simulate, BoundSystem.new_session = wrong, hasty
{more}
sys.exit(commands.main(["demo", "--no-browser", "--speed", "12", "--study", sys.argv[1]]))
"""

FOREIGN = """
import pathlib
from workbench import decoders, live, runs
from workbench.vocabulary import Montage

fitted = runs.run_fit

def foreign(folder, *args):
    found = fitted(folder, *args)
    decoder = decoders.read(pathlib.Path(found["folder"]))
    names = ("Cz", *decoder.montage_.channels[1:])
    other = pathlib.Path(folder) / "decoders" / "other"
    other.mkdir()
    montage = replace(decoder.montage_, channels=names)
    return {**found, "folder": str(other), "sha256": decoders.save(decoder, other, montage=montage, meta={})}

runs.run_fit = foreign
"""

START = {  # one of each way in; every other difference from a contract is tried in tests/devices/test_lsl.py
    "absent": (
        "",
        ", players=()",
        [
            "stream 'wb-sim-neo' (type 'ECoG'",
            "was not found within 4 s",
            "Start its source, or correct name, type",
        ],
    ),
    "names": (
        'signal = replace(signal, channels=("Cz", *signal.channels[1:]))',
        "",
        ["channel 1 is", "expected 'Cz'", "Correct the setting of the device, or the contract"],
    ),
}


@pytest.fixture
def demo():
    """Start a demo in which something is wrong; it does not outlive its test, nor does its engine."""
    started = []

    def start(folder, *, change="", plan="", more="", **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", DEMO.format(change=change, plan=plan, more=more), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        started.append((process, folder))
        return process

    yield start
    for process, folder in started:
        with process:
            process.kill()
        if (lock := live.find(folder)) is not None:
            os.kill(int(lock["pid"]), signal.SIGKILL)


def refused(process, folder, *words) -> str:
    """It ends with exit 2, one sentence with these words, no engine left, a whole record. Returns its output."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2, out + err
    assert "Traceback" not in out + err
    assert "defect" not in err
    said = [line for line in err.splitlines() if not re.match(r"\[ *\d+ %\]", line)]
    assert len(said) == 1, err
    assert said[0].startswith("workbench demo: ")
    assert "'wb-cues'" not in said[0], "our own streams are no help to who looks for an amplifier"
    for word in words:
        assert word in said[0], (word, said[0])
    assert live.find(folder) is None
    assert verify(folder).ok
    assert f"workbench demo --append --study {folder}" in out
    return out


@pytest.mark.release
@pytest.mark.parametrize("case", START)
def test_a_stream_that_is_not_what_was_agreed_blocks_the_start(demo, tmp_path, case):
    change, plan, words = START[case]
    folder = tmp_path / "study"
    refused(demo(folder, change=change, plan=plan), folder, *words)
    assert not list((folder / "recordings").iterdir())


@pytest.mark.release
def test_a_stream_that_dies_in_a_run_ends_it_and_everything_before_is_kept(demo, tmp_path):
    folder = tmp_path / "study"
    process = demo(folder)
    pause = threading.Event()
    while live.find(folder) is None:
        assert process.poll() is None, process.communicate()
        pause.wait(0.05)
    with live.attach(folder, timeout=30.0) as client:
        while (client.status().get("run") or {}).get("trials_done", 0) < 2:
            pause.wait(0.05)
    log = (folder / "engine" / "engine.log").read_text(encoding="utf-8")
    player = re.search(r"player simulated_participant started as process (\d+)", log)
    os.kill(int(player[1]), signal.SIGKILL)
    words = ["the calibration run ended early", "of 6 trials", "The program simulated_participant ended"]
    out = refused(process, folder, *words, "what came before is recorded", "Start the session again")
    assert re.search(r"Run 1 \(calibration\): [2-6] trials, finished, taken into the record", out)
    with Study.open(folder, actor="tests") as study:
        (run,) = study.rows("run")
        kinds = [row["kind"] for row in study.rows("ledger", run_id=run["id"])]
        trials = study.rows("trial", run_id=run["id"])
    assert len(trials) >= 2
    assert "stream_lost" in kinds
    assert all(result.equal for result in runs.replay_study(folder))


@pytest.mark.release
def test_a_decoder_of_another_montage_is_refused_by_the_engine(demo, tmp_path):
    folder = tmp_path / "study"
    out = refused(
        demo(folder, more=FOREIGN), folder, "missing Cz; unknown E1", "Use the montage of the calibration or"
    )
    assert "Run 1 (calibration): 6 trials, finished, taken into the record." in out
    with Study.open(folder, actor="tests") as study:
        assert [row["kind"] for row in study.rows("run")] == ["calibration"]


@pytest.mark.release
def test_a_defect_of_ours_leaves_no_engine_behind_and_keeps_the_run(demo, tmp_path):
    folder = tmp_path / "study"
    broken = "def broken(*args): raise RuntimeError('boom')\nfrom workbench import runs\nruns.run_fit = broken"
    process = demo(folder, more=broken, TMPDIR=str(tmp_path))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "a defect of the workbench, not of your data: RuntimeError: boom" in err
    assert "Traceback" not in err
    assert len(list(tmp_path.glob("workbench-defect-*.txt"))) == 1
    assert "Run 1 (calibration): 6 trials, finished, taken into the record." in out
    assert live.find(folder) is None
    assert verify(folder).ok
