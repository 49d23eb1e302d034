"""The source of `bench live`, in a process of its own: ``python -m workbench.bench._live_session PLAN``.

``PLAN`` is JSON; what was measured is printed as JSON. Receivers wait in threads that hold no lock while they
wait, and every time is LSL's clock of this computer, so that one process takes both ends of each round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from workbench.bench._loops import FS, HOP, WINDOW, noise
from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.vocabulary import FloatArray, StreamSpec

PERIOD_S = HOP / FS
START_S = 90.0
"""Longest wait for a loop that imports and compiles, s."""
LATEST_S = 10.0
"""How long a sample may be on its way before it counts as lost, s."""


class Partner:
    """A loop in its process, its stream, and what it returned.

    Parameters
    ----------
    name : of the loop. n_channels, fs : of the stream.
    """

    def __init__(self, name: str, n_channels: int, *, fs: float = FS) -> None:
        source = f"bench-{os.getpid()}-{name}"
        self.outlet = lsl.Outlet(StreamSpec(source, "EEG", fs, source_id=source), n_channels=n_channels)
        # A file and not a pipe: a loop that prints much must not block because nobody reads.
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        # More threads make products of small matrices slower, and would take the second processor from the source.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "workbench.bench._loops", name, source, str(n_channels)]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            text=True,
        )
        self.name = name
        self.pushed: list[float] = []
        self.returned: list[tuple[int, float]] = []
        self._open = True
        self._receiver = threading.Thread(target=self._receive, args=(f"{source}-back",), daemon=True)

    def connect(self) -> None:
        """Wait until the loop receives, and listen to what it returns. Raises StreamFault with what it said."""
        for _ in range(round(START_S)):
            if self.outlet.wait_for_receiver(1.0):
                self._receiver.start()
                return
            if self.process.poll() is not None:
                break
        self._said.seek(0)
        said = self._said.read().strip()[-500:]
        raise StreamFault(f"the loop {self.name} did not connect within {START_S:g} s: {said}")

    def _receive(self, source: str) -> None:
        inlet = lsl.connect(source)
        while self._open:
            values, _ = inlet.pull(0.2)
            now = lsl.local_clock()
            self.returned += [(round(float(value)), now) for value in values[:, 0]]
        inlet.close()

    def push(self, samples: FloatArray) -> None:
        """Send a hop of samples ``(HOP, n_channels)``."""
        # Noted before the push: what it takes is part of the way.
        self.pushed.append(lsl.local_clock())
        self.outlet.push(samples, self.pushed[-1] + np.arange(len(samples)) / FS)

    def say(self, word: str) -> None:
        """Tell a kernel to ``hold`` or to ``rest``."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def latencies(self, first: int) -> list[float]:
        """Seconds from the push of each hop to the first answer that knows it, from hop ``first`` on; else NaN."""
        counts = np.array([count for count, _ in self.returned], dtype=np.int64)
        # An answer that rests on later samples answers all hops before it that had none.
        at = np.searchsorted(np.maximum.accumulate(counts), (1 + np.arange(len(self.pushed))) * HOP)
        times = [self.returned[k][1] if k < len(counts) else float("nan") for k in at]
        return [time - pushed for time, pushed in zip(times[first:], self.pushed[first:], strict=True)]

    def close(self) -> None:
        """End the loop and its stream."""
        self._open = False
        if self._receiver.is_alive():
            self._receiver.join()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._said.close()
        self.outlet.close()


@contextmanager
def connected(names: Sequence[str], n_channels: int, *, fs: float = FS) -> Iterator[list[Partner]]:
    """Loops that receive, all ended on the way out.

    Parameters
    ----------
    names : of the loops. n_channels, fs : of the stream of each.
    """
    partners: list[Partner] = []
    try:
        # All are started before the first is waited for: they import and compile meanwhile.
        for name in names:
            partners.append(Partner(name, n_channels, fs=fs))
        for partner in partners:
            partner.connect()
        yield partners
    finally:
        for partner in partners:
            partner.close()


def hops(partner: Partner, samples: FloatArray, n: int, *, echo: Partner | None = None) -> None:
    """Send hops at their rate; half a hop later each goes to the echo as well, so that the two make a pair.

    Parameters
    ----------
    partner : whose turn it is. samples : ``(n_times, n_channels)``, sent again and again. n : hops.
    echo : the paired one, or None.
    """
    due = lsl.local_clock()
    for k in range(n):
        first = k * HOP % (len(samples) - HOP)
        partner.push(samples[first : first + HOP])
        if echo is not None:
            _sleep_until(due + PERIOD_S / 2)
            echo.push(samples[first : first + HOP])
        due += PERIOD_S
        _sleep_until(due)
    # The last answers may still be on their way.
    time.sleep(0.1)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - lsl.local_clock()))


def decisions(names: Sequence[str], n_channels: int, rounds: int, n: int) -> dict[str, list[float]]:
    """Latencies in s of each loop, and of the echo beside it as ``"NAME echo"``.

    Parameters
    ----------
    names : loops. n_channels : of the streams. rounds : turns of each. n : hops a turn.
    """
    samples = noise(5 * WINDOW, n_channels, seed=7)
    with connected(["echo", *names], n_channels) as (echo, *loops):
        for loop in loops:
            # Warm-up: fills the window, compiles and fills caches.
            hops(loop, samples, 2 * WINDOW // HOP, echo=echo)
        warm = {loop.name: len(loop.pushed) for loop in loops}
        mine: dict[str, list[int]] = {loop.name: [] for loop in loops}
        for turn in range(rounds):
            # Each comes first as often as any other.
            for k in range(len(loops)):
                loop = loops[(turn + k) % len(loops)]
                mine[loop.name] += range(len(echo.pushed), len(echo.pushed) + n)
                hops(loop, samples, n, echo=echo)
        beside = echo.latencies(0)
        measured = {loop.name: loop.latencies(warm[loop.name]) for loop in loops}
        return measured | {f"{name} echo": [beside[k] for k in own] for name, own in mine.items()}


def held(rounds: int, n: int) -> dict[str, list[float]]:
    """Latencies in s of acquisition in a process and in a thread of a kernel that rests, or holds its lock.

    Parameters
    ----------
    rounds : turns of each. n : hops a turn.
    """
    samples = noise(5 * WINDOW, 8, seed=7)
    measured: dict[str, list[float]] = {}
    with connected(["inlet", "kernel"], 8) as (process, thread):
        for partner in (process, thread):
            hops(partner, samples, 25)
        for _ in range(rounds):
            for label, partner, word in (
                ("process, kernel rests", process, "rest"),
                ("process, kernel holds", process, "hold"),
                ("thread, kernel holds", thread, "hold"),
            ):
                thread.say(word)
                time.sleep(0.05)
                first = len(partner.pushed)
                hops(partner, samples, n)
                thread.say("rest")
                # A thread that the lock kept waiting answers only now.
                time.sleep(0.2)
                measured.setdefault(label, []).extend(partner.latencies(first))
    return measured


def lost(n_channels: int, fs: float, seconds: float) -> dict[str, list[float]]:
    """Samples sent, and samples received at the end, of a wide and fast stream.

    Parameters
    ----------
    n_channels : of the stream. fs : rate in Hz. seconds : that are sent.
    """
    rows = round(fs * PERIOD_S)
    samples = np.random.Generator(np.random.PCG64(8)).normal(0.0, 10.0, (rows, n_channels)).astype(np.float32)
    with connected(["inlet"], n_channels, fs=fs) as (partner,):
        due, sent = lsl.local_clock(), 0
        for _ in range(round(seconds / PERIOD_S)):
            partner.outlet.push(samples, lsl.local_clock() + np.arange(rows) / fs)
            sent += rows
            due += PERIOD_S
            _sleep_until(due)
        received, until = 0, lsl.local_clock() + LATEST_S
        while received < sent and lsl.local_clock() < until:
            time.sleep(0.1)
            received = partner.returned[-1][0] if partner.returned else 0
    return {"sent": [float(sent)], "received": [float(received)]}


def main(text: str) -> None:
    """Measure what the plan asks for and print it."""
    plan = json.loads(text)
    # A session id of its own, so that no session on this computer sees these streams.
    lsl.configure(session_id=f"bench-{os.getpid()}")
    measures: dict[str, Callable[..., dict[str, list[float]]]] = {
        "decisions": decisions,
        "held": held,
        "lost": lost,
    }
    json.dump(measures[plan.pop("measure")](**plan), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
