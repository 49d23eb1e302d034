"""Fault → device safe: one closed simulated hand after another, and every fault that can be injected.

The glove is a process of its own. Measured is the time from the fault to its own signed status of level 0
and a complete safe state, as another process receives it (25 statuses per second).
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from workbench import devices, live
from workbench.runs import stop_session
from workbench.stress._armed import Clinic, DeviceWatch, break_engine, close_hand, make_clinic, session

Fault = Callable[["Case"], object]


@dataclass
class Case:
    """One closed hand and the parts that a fault may break."""

    clinic: Clinic
    client: live.Client
    order: Path
    boot: Path


def _freeze(seconds: float) -> Fault:
    def fault(case: Case) -> None:
        os.kill(case.client.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(case.client.pid, signal.SIGCONT)

    return fault


def _freeze_glove(case: Case) -> None:
    glove = devices.running_device(case.clinic.pairing)
    if glove is not None:
        os.kill(glove, signal.SIGSTOP)
        time.sleep(1.0)
        os.kill(glove, signal.SIGCONT)


def _kill_player(case: Case) -> None:
    log = (case.clinic.folder / "engine" / "engine.log").read_text(encoding="utf-8", errors="replace")
    lines = [line for line in log.splitlines() if "player simulated_participant started as process" in line]
    os.kill(int(lines[-1].rsplit(" ", 1)[1]), signal.SIGKILL)


def _largest_file(case: Case) -> None:
    run = case.client.status()["run"]
    size = (case.clinic.folder / run["recording"]).stat().st_size
    # The limit is set from outside to the present size: the engine's next write fails with EFBIG.
    resource.prlimit(case.client.pid, resource.RLIMIT_FSIZE, (size, resource.prlimit(case.client.pid, 1)[1]))


FAULTS: dict[str, Fault] = {
    "STOP": lambda case: case.client.stop("stress test"),
    "STOP by workbench stop": lambda case: stop_session(case.clinic.folder, "stress test") and None,
    "SIGTERM of the engine": lambda case: os.kill(case.client.pid, signal.SIGTERM),
    "kill -9 of the engine": lambda case: os.kill(case.client.pid, signal.SIGKILL),
    "engine frozen 0.7 s": _freeze(0.7),
    "engine frozen 1.15 s": _freeze(1.15),
    "engine frozen 8 s": _freeze(8.0),
    "disk full (ENOSPC)": lambda case: break_engine(case.client, case.order, how="full"),
    "disk reserve reached": lambda case: break_engine(case.client, case.order, how="reserve"),
    "recording as large as a file may be": _largest_file,
    "player killed": _kill_player,
    "command stream cut": lambda case: break_engine(case.client, case.order, how="cut"),
    "door killed": lambda case: break_engine(case.client, case.order, how="raise", thread="door"),
    "computer slept (boot clock jumps 30 s)": lambda case: case.boot.write_text("30") and None,
    "glove frozen 1 s": _freeze_glove,
}
"""Faults by name. Sleep is simulated by a boot clock that jumps; no computer sleeps."""


RELEASES = ("disk reserve reached",)
"""Faults after which the engine ends the run in good order: the hand is opened, and no safe state is needed."""


@dataclass(frozen=True, slots=True)
class SafetyFigures:
    """Times of each fault in s, None where the device was not safe in time."""

    times: dict[str, list[float | None]]

    @property
    def passed(self) -> bool:
        """Whether the device became safe every time."""
        return all(time is not None for times in self.times.values() for time in times)

    def text(self) -> str:
        """One line per fault: n, median, worst, and how many were not safe."""
        lines = [f"{'fault':42s} {'n':>3s} {'median':>8s} {'worst':>8s} {'not safe':>8s}"]
        for name, times in self.times.items():
            known = [seconds for seconds in times if seconds is not None]
            middle = f"{statistics.median(known):.2f} s" if known else "-"
            worst = f"{max(known):.2f} s" if known else "-"
            lines.append(f"{name:42s} {len(times):3d} {middle:>8s} {worst:>8s} {len(times) - len(known):8d}")
        return "\n".join(lines)


def matrix(n: int, *, seed: int = 1, faults: tuple[str, ...] = (), folder: Path | None = None) -> SafetyFigures:
    """Break ``n`` closed hands by each fault.

    Parameters
    ----------
    n : hands per fault.
    seed : of the simulated participant.
    faults : names of :data:`FAULTS`; all by default.
    folder : for the study; a temporary one by default.

    Raises
    ------
    WorkbenchError
        When a hand could not be closed.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="workbench-stress-", ignore_cleanup_errors=True) as temporary:
            return matrix(n, seed=seed, faults=faults, folder=Path(temporary))
    clinic = make_clinic(folder / "study", seed=seed)
    times: dict[str, list[float | None]] = {name: [] for name in faults or FAULTS}
    with tqdm(total=n * len(times), unit="hand", disable=None) as bar:
        for number in range(n):
            # Faults in turn, not all of one kind together: a change of the machine's load then affects all alike.
            for name in times:
                times[name].append(_one(clinic, name, folder / f"order-{number}.json"))
                bar.update()
    clinic.study.close()
    return SafetyFigures(times)


def _one(clinic: Clinic, name: str, order: Path) -> float | None:
    """One closed hand, one fault."""
    boot = order.with_suffix(".boot")
    boot.write_text("0")
    with session(clinic, clinic.plan(), order=order, boot=boot) as client:
        # Connected before the hand closes: it takes seconds, in which a closed hand may open by itself.
        watch = DeviceWatch(clinic.pairing, open_is_enough=name in RELEASES)
        close_hand(clinic, client)
        return watch.measure(lambda: FAULTS[name](Case(clinic, client, order, boot)))
