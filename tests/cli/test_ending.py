"""A demo that is interrupted, killed, or loses its engine: what was recorded is kept, and the next start goes on.

Each part leaves its study to the next one, as it happens to a user; they run in order on one worker.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench import live, runs
from workbench.study import Study, verify

pytestmark = [pytest.mark.release, pytest.mark.timeout(240)]


@dataclass
class Running:
    """A command that runs; what it says is read as it comes."""

    process: subprocess.Popen[str]
    out: list[str]
    err: list[str]
    threads: list[threading.Thread]
    news: threading.Event

    def until(self, words: str) -> None:
        """Wait until it says something; pytest's timeout ends a hopeless wait."""
        while words not in "".join(self.err + self.out):
            assert self.process.poll() is None, "".join(self.err)
            self.news.wait(0.1)
            self.news.clear()

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Send a signal, if any, and wait for the end."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(200)
        for thread in self.threads:
            thread.join()
        return code, "".join(self.out), "".join(self.err)


@pytest.fixture(scope="module")
def begin(tmp_path_factory) -> Callable[..., Running]:
    """Start `workbench …`; whatever still runs at the end of the module is killed."""
    home, started = tmp_path_factory.mktemp("cwd"), []

    def start(*args: object) -> Running:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
        )
        made = Running(process, [], [], [], threading.Event())

        def read(stream, lines):
            for line in stream:
                lines.append(line)
                made.news.set()

        for stream, lines in ((process.stdout, made.out), (process.stderr, made.err)):
            made.threads.append(threading.Thread(target=read, args=(stream, lines)))
            made.threads[-1].start()
        started.append(made)
        return made

    yield start
    for one in started:
        one.process.kill()
        one.end()
        one.process.stdout.close()
        one.process.stderr.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The study; an engine that still runs at the end of the module is killed."""
    made = tmp_path_factory.mktemp("ending") / "study"
    yield made
    lock = live.find(made) if made.exists() else None
    if lock is not None:
        os.kill(int(lock["pid"]), signal.SIGKILL)


def demo(begin, folder, *more):
    return begin("demo", "--no-browser", "--speed", "8", "--study", folder, *more)


def run_states(folder) -> list[tuple[int, str]]:
    with Study.open(folder, actor="tests") as study:
        return [(row["number"], row["state"]) for row in study.rows("run")]


def recording(folder, running):
    """Wait until the engine has recorded a second trial of its run; its process id."""
    pause = threading.Event()
    with live.attach(folder) as client:
        while (client.status().get("run") or {}).get("trials_done", 0) < 2:
            assert running.process.poll() is None, "".join(running.err)
            pause.wait(0.1)
        return client.pid


def sentence(err: str) -> str:
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.startswith("workbench ")]
    assert len(lines) == 1, err
    return lines[0]


def test_1_ctrl_c_ends_engine_and_run_in_good_order(begin, folder):
    running = demo(begin, folder)
    running.until("Calibration run")
    recording(folder, running)
    code, out, err = running.end(signal.SIGINT)
    assert code == 130, err
    assert sentence(err) == "workbench demo: stopped by you; what was recorded is kept"
    assert re.search(r"Run 1 \(calibration\): \d+ trials, stopped, taken into the record\.", out)
    assert f"Kept       everything recorded so far, in {folder / 'recordings'}" in out
    assert f"workbench demo --append --study {folder}" in out
    assert live.find(folder) is None
    assert run_states(folder) == [(1, "stopped")]
    assert all(result.equal for result in runs.replay_study(folder))
    assert verify(folder).ok


def test_2_kill_9_of_the_demo_leaves_the_engine_recording_and_the_next_start_explains(begin, folder):
    running = demo(begin, folder, "--append")
    running.until("Calibration run")
    engine = recording(folder, running)
    running.end(signal.SIGKILL)
    assert live.find(folder)["pid"] == engine
    code, _, err = demo(begin, folder, "--append").end()
    assert code == 2
    said = sentence(err)
    assert f"a session still runs in {folder} (engine process {engine})" in said
    assert f"'workbench dashboard {folder}'" in said
    assert f"'workbench end {folder}'" in said
    code, out, err = begin("end", folder).end()
    assert (code, err) == (0, "")
    assert "has ended in good order" in out
    assert "Run 1 (calibration): " in out
    assert live.find(folder) is None
    assert [state for _, state in run_states(folder)][0] == "stopped"
    assert len(run_states(folder)) == 2
    assert all(result.equal for result in runs.replay_study(folder))


def test_3_kill_9_of_the_engine_is_explained_and_the_run_recovered(begin, folder):
    running = demo(begin, folder, "--append")
    running.until("Calibration run")
    os.kill(recording(folder, running), signal.SIGKILL)
    code, out, err = running.end()
    assert code == 2
    assert "has ended" in sentence(err)
    assert "is gone" in sentence(err)
    assert "was never closed" in out
    assert "recovered, taken into the record. It is quarantined." in out
    assert run_states(folder)[-1] == (1, "recovered")


def test_4_ctrl_c_while_the_engine_starts_leaves_nothing_running(begin, folder):
    running = demo(begin, folder, "--append")
    pause = threading.Event()
    while live.find(folder) is None:
        assert running.process.poll() is None, "".join(running.err)
        pause.wait(0.02)
    code, out, err = running.end(signal.SIGINT)
    assert code == 130, err
    assert sentence(err).endswith("stopped by you; what was recorded is kept")
    assert "Earlier    The last engine" in out
    assert live.find(folder) is None
    assert len(run_states(folder)) == 3
    assert verify(folder).ok


def test_4b_ctrl_c_before_the_engine_starts_ends_at_once(begin, folder):
    running = demo(begin, folder, "--append")
    running.until("Speed")
    code, _, err = running.end(signal.SIGINT)
    assert code == 130, err
    assert live.find(folder) is None
    assert len(run_states(folder)) == 3


def test_5_closing_the_terminal_or_sigterm_ends_it_like_ctrl_c(begin, folder):
    running = demo(begin, folder, "--append")
    running.until("Calibration run")
    recording(folder, running)
    code, _, err = running.end(signal.SIGTERM)
    assert code == 130, err
    assert live.find(folder) is None
    assert run_states(folder)[-1] == (1, "stopped")


def test_what_ends_and_keeps_a_session_is_loaded_before_there_is_a_study(tmp_path):
    """An interrupt while modules load leaves half of one, which the cleaning up then needs."""
    code = (
        "import sys\n"
        "from workbench import commands, live, runs\n"
        "from workbench.commands import _demo_session\n"
        "def stop(*_):\n"
        "    print(*[name for room in (live, runs) for name in room._LAZY if name not in vars(room)])\n"
        "    sys.exit(0)\n"
        "_demo_session._study = stop\n"
        "commands.main(['demo', '--no-browser', '--study', sys.argv[1]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "study")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
