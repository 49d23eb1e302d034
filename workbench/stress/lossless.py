"""Nothing lost, nothing doubled: many channels with a sample counter, while a notebook kernel holds the GIL.

A source in its own process counts samples in its first channel; the engine records a run; a notebook kernel
attaches, polls, and computes without releasing its interpreter lock. Then the counter in the recording is
checked. The tests run a few seconds of it, ``workbench stress`` a long time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.devices import lsl
from workbench.errors import BadValue, EngineFault
from workbench.live import _starting
from workbench.live.client import Client
from workbench.live.plan import SessionPlan
from workbench.recording import RunFile
from workbench.vocabulary import StreamSpec

BLOCK_S = 0.01


@dataclass(frozen=True, slots=True)
class LosslessFigures:
    """Figures of :func:`lossless`.

    Attributes
    ----------
    n_channels, fs, seconds : of the test.
    n : samples recorded.
    lost, doubled : by the counter, between the first and the last recorded sample.
    gaps : gap entries of the engine.
    held_s : seconds for which the kernel held its interpreter lock.
    """

    n_channels: int
    fs: float
    seconds: float
    n: int
    lost: int
    doubled: int
    gaps: int
    held_s: float

    @property
    def passed(self) -> bool:
        """Whether nothing was lost or doubled in a recording of sufficient length."""
        # 10 % for start and end of the run, which are not part of the time that the kernel computes.
        enough = self.n >= 0.9 * self.fs * self.seconds and self.held_s > 0
        return enough and self.lost == self.doubled == self.gaps == 0

    def text(self) -> str:
        """The figures in one sentence."""
        return (
            f"{self.n_channels} channels at {self.fs:g} Hz for {self.seconds:g} s: {self.n:,} samples recorded, "
            f"{self.lost} lost, {self.doubled} doubled, {self.gaps} gaps, while a notebook kernel held its "
            f"interpreter lock for {self.held_s:.1f} s"
        )


def lossless(
    *, seconds: float = 60.0, seed: int = 1, n_channels: int = 64, fs: float = 1000.0, folder: Path | None = None
) -> LosslessFigures:
    """Record ``seconds`` s from a counting source while a notebook kernel holds its interpreter lock.

    Parameters
    ----------
    seconds : how long the kernel computes, s.
    seed : names the run; the samples are a counter and need none.
    n_channels, fs : of the source, Hz.
    folder : for the study; a temporary one by default.

    Raises
    ------
    BadValue, EngineFault, StreamFault
        For a test that is too small, or a part that did not start.
    """
    if not seconds >= 1 or n_channels < 1:
        raise BadValue(f"the test needs 1 s and 1 channel or more, got {seconds} s and {n_channels}")
    if folder is not None:
        return _measure(folder, seconds, seed, n_channels, fs)
    with tempfile.TemporaryDirectory(prefix="workbench-stress-") as name:
        return _measure(Path(name), seconds, seed, n_channels, fs)


def _measure(folder: Path, seconds: float, seed: int, n_channels: int, fs: float) -> LosslessFigures:
    session = f"stress-{seed}-{time.time_ns()}"
    channels = tuple(f"c{i}" for i in range(n_channels))
    spec = StreamSpec("wb-stress", "EEG", fs, channels, source_id=f"source-{session}", counter="c0")
    plan = SessionPlan(
        study_folder=str(folder),
        study="stress",
        participant="stress",
        visit="stress",
        session_id=session,
        operator="stress",
        contract=(spec,),
        simulated=True,
        mains_hz=0.0,
    )
    # A process of its own: the source must keep its rate while the kernel computes.
    source = start_source({"source_id": spec.source_id, "n_channels": n_channels, "fs": fs})
    try:
        client = _starting.start(plan)
        try:
            run_id = client.start_run("calibration", "grasp_rest", n_trials=round(seconds / 8) + 5, seed=seed)
            client.wait("running", timeout=60.0)
            held_s = hold_in_kernel(folder, seconds)
            client.end_run()
            run = client.wait("run", timeout=60.0)["run"]
        finally:
            client.shutdown()
    finally:
        end_source(source)
    finished = run is not None and run["state"] == "finished"
    n, lost, doubled, gaps = count(folder / "recordings" / f"{run_id}.xdf")
    return LosslessFigures(
        n_channels=n_channels,
        fs=fs,
        seconds=seconds,
        n=n if finished else 0,
        lost=lost,
        doubled=doubled,
        gaps=gaps,
        held_s=held_s,
    )


def count(path: Path) -> tuple[int, int, int, int]:
    """Samples of a recording of the counting source, of these lost and doubled, and gap entries of the engine."""
    file = RunFile(path)
    # float32 counts exactly up to 2²⁴ samples: 4.6 hours at 1 kHz.
    steps = np.diff(file.signal.values[:, 0])
    lost, doubled = int(np.sum(np.maximum(steps - 1, 0))), int(np.sum(steps < 1))
    return len(file.signal.stamps), lost, doubled, sum(m.kind == "gap" for m in file.markers())


def hold_in_kernel(folder: Path, seconds: float) -> float:
    """A notebook kernel whose cell holds its interpreter lock; how long it did, s."""
    from jupyter_client.manager import start_new_kernel

    cell = (
        "from pathlib import Path\nfrom workbench.stress.lossless import hold\n"
        f"print(hold(Path({str(folder)!r}), {seconds!r}))"
    )
    output: list[str] = []
    quiet = ["--IPKernelApp.log_level=ERROR"]
    manager, kernel = start_new_kernel(
        startup_timeout=120, kernel_name="python3", cwd=str(folder), extra_arguments=quiet
    )
    try:
        reply = kernel.execute_interactive(
            cell,
            timeout=seconds + 60.0,
            output_hook=lambda message: output.append(message["content"].get("text", "")),
        )
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise EngineFault(f"the cell that holds the interpreter lock failed: {reply['content']['evalue']}")
    return float("".join(output))


def start_source(
    options: dict[str, Any], *, module: str = "workbench.stress.lossless", before: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start the process that counts samples; it ends when its standard input is closed.

    Parameters
    ----------
    options : of the source, as its module takes them.
    module : that is run, and says ``ready`` on its standard output.
    before : words before the command, as those that run it in a network of its own.

    Raises
    ------
    EngineFault
        When it does not start.
    """
    child = subprocess.Popen(
        [*before, sys.executable, "-m", module, json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if child.stdout is not None and not child.stdout.readline():
        child.wait()
        raise EngineFault(f"the source of the stress test did not start (exit {child.returncode})")
    return child


def end_source(child: subprocess.Popen[bytes]) -> None:
    """End the process that counts samples."""
    if child.stdin is not None:
        child.stdin.close()
    child.wait(10.0)
    if child.stdout is not None:
        child.stdout.close()


def play_counter(options: dict[str, Any], stop: threading.Event) -> None:
    """Publish samples whose first channel counts from 0, at the real rate, until stopped."""
    n_channels, fs = int(options["n_channels"]), float(options["fs"])
    channels = tuple(f"c{i}" for i in range(n_channels))
    spec = StreamSpec("wb-stress", "EEG", fs, channels, source_id=str(options["source_id"]), counter="c0")
    outlet = lsl.Outlet(spec, desc={"simulated": True})
    t0, sent = lsl.local_clock(), 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not stop.wait(BLOCK_S):
        n = int((lsl.local_clock() - t0) * fs) - sent
        if n <= 0:
            continue
        count = np.arange(sent, sent + n)
        # A short period keeps the other channels cheap and still different from sample to sample.
        values = np.repeat((count % 97)[:, None], n_channels, axis=1).astype(np.float32)
        values[:, 0] = count
        outlet.push(values, t0 + count / fs)
        sent += n
    outlet.close()


def hold(folder: Path, seconds: float) -> float:
    """Attach and hold the interpreter lock for most of ``seconds``; returns for how long, s."""
    from workbench.live import attach

    client: Client = attach(folder)
    end, held_s, newest = time.monotonic() + seconds, 0.0, 0
    poller = threading.Thread(target=lambda: [client.status() for _ in range(5)], daemon=True)
    poller.start()
    while time.monotonic() < end:
        began = time.monotonic()
        # One call into C that never gives the interpreter lock back: no other thread runs meanwhile.
        sum(range(10_000_000))
        held_s += time.monotonic() - began
        block = client.signals(newest)
        newest = block.first + len(block.data)
    poller.join()
    client.close()
    return held_s


def _watch_owner(stop: threading.Event) -> None:
    """End when the owner closes standard input, or dies."""
    sys.stdin.buffer.read()
    stop.set()


def main(argv: Sequence[str]) -> int:
    """The source of the stress test."""
    stop = threading.Event()
    threading.Thread(target=_watch_owner, args=(stop,), daemon=True).start()
    play_counter(json.loads(argv[0]), stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
