"""Many short recordings decoded again by every executor, with a worker killed on the way: the same results.

Each recording is an online run of a simulated participant, decoded as it would have been live, and written by the
engine's own writer. The same functions make the recordings of the suite's tests.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from workbench import batch, decoders, paradigms
from workbench.batch.executors import Executor, Processes, Serial
from workbench.batch.manifest import Manifest, Task, ordered, program
from workbench.batch.pipelines import Job, Outcome
from workbench.batch.running import Ran
from workbench.decode import decode
from workbench.decoders import WindowDecoder
from workbench.devices import simulated_participant
from workbench.devices.simulated_participant import render
from workbench.errors import BadValue
from workbench.paradigms import PlannedCue
from workbench.recording import Corrector, RunWriter, file_sha256
from workbench.runs import fitting
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Chunk, Decision, FloatArray, Marker, Trial

if TYPE_CHECKING:
    from distributed import Client

FS, BLOCK, START_S = 1000.0, 50, 1000.0
"""Rate in Hz, samples of a block, and stamp of the first sample, s."""
CALIBRATION_TRIALS, TRIALS = 6, 2
PARADIGM, DECODER, PARAMS = "grasp_rest", "bandpower_lda", {"hop_s": 0.1}


@dataclass(frozen=True, slots=True)
class Pass:
    """One time through all tasks: who carried them out, how long it took in s, and what came of it."""

    name: str
    seconds: float
    ran: Ran


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """Figures of the test.

    Attributes
    ----------
    n : recordings. seconds : of each of them, about, s. n_bytes : of all.
    passes : the first one is serial; of those with a kill, time is not compared.
    site : what a second site with half of the recordings had: its results, and tasks that it could not carry out.
    merged : whether its results and those of the other half are the serial ones together.
    n_leaks : results that name a path, a run or a person.
    n_unequal : recordings whose decisions are not those that were recorded, bit for bit.
    """

    n: int
    seconds: float
    n_bytes: int
    passes: tuple[Pass, ...]
    site: tuple[int, int]
    merged: bool
    n_leaks: int
    n_unequal: int

    @property
    def passed(self) -> bool:
        """Whether every pass had the results of the serial one, and a site gave metrics alone."""
        equal = len({one.ran.combined for one in self.passes}) == 1
        whole = all(one.ran.ok and one.ran.computed == self.n for one in self.passes)
        apart = self.merged and not self.n_leaks and self.site == (self.n - self.n // 2, self.n // 2)
        return equal and whole and apart and not self.n_unequal

    def text(self) -> str:
        """One line a pass."""
        serial = self.passes[0]
        lines = [
            f"{self.n} recordings of {self.seconds:.0f} s, {self.n_bytes / 1e6:.1f} MB; "
            f"{os.cpu_count()} processors; {self.n_unequal} decoded otherwise than they were recorded"
        ]
        for one in self.passes:
            same = "the same" if one.ran.combined == serial.ran.combined else "OTHER"
            lines.append(
                f"{one.name}: {one.ran.computed} results in {one.seconds:.1f} s, "
                f"{serial.seconds / one.seconds:.2f} times as fast as serial, "
                f"combined hash {one.ran.combined[:12]} ({same})"
            )
        lines.append(
            f"a second site, another process with half of the recordings: {self.site[0]} results, {self.site[1]} "
            f"tasks not of this site; merged with the other half {'the same' if self.merged else 'OTHER'}; "
            f"{self.n_leaks} results with more than metrics"
        )
        return "\n".join(lines)


def batches(n: int, seed: int, *, say: Callable[[str], None] = lambda what: None) -> BatchFigures:
    """Make recordings, and decode them again by every executor.

    Parameters
    ----------
    n : recordings. seed : of the first participant; the others follow.
    say : called with what begins.

    Raises
    ------
    BadValue
        With fewer than 4 recordings, or without Dask.
    """
    if n < 4:
        raise BadValue(f"4 recordings or more are needed, so that a worker can be killed on the way; got {n}")
    with tempfile.TemporaryDirectory(prefix="workbench-batch-") as name:
        home = Path(name)
        say("recordings")
        manifest = recorded(home / "study", n, seed)
        files = sorted((home / "study" / "recordings").glob("*.xdf"))
        passes = list(_passes(manifest, home, say))
        say("a second site")
        site, merged = _second_site(manifest, home, files[: n - n // 2], passes[0].ran.combined)
        secrets = [path.stem for path in files] + [name, "recordings"]
        unequal = sum(not one.metrics["equal"] for one in batch.merged([home / "serial"]))
        texts = [path.read_text() for path in (home / "serial").glob("*.json")]
        leaks = sum(any(secret in text for secret in secrets) for text in texts)
        length = _cues(1, TRIALS)[-1]
        return BatchFigures(
            n,
            length.at_s + length.duration_s,
            sum(path.stat().st_size for path in files),
            tuple(passes),
            site,
            merged,
            leaks,
            unequal,
        )


def recorded(folder: Path, n: int, seed: int) -> Manifest:
    """``n`` online runs and their decoder, as in the folder of a study, and the manifest that decodes them again.

    Parameters
    ----------
    folder : made if it is not there.
    n, seed : as of :func:`batches`.
    """
    home = folder / "recordings"
    home.mkdir(parents=True, exist_ok=True)
    calibration = write_run(folder / "calibration.xdf", seed=seed, n_trials=CALIBRATION_TRIALS)
    fitted = fitting.fit(folder, [calibration], DECODER, PARAMS)
    decoder = decoders.read(Path(fitted["folder"]))
    if not isinstance(decoder, WindowDecoder):
        raise BadValue(f"{DECODER} must decode one stream")
    of, hints, tasks = program(), {}, []
    for k in range(n):
        path = write_run(home / f"run-{seed + k:06d}.xdf", seed=seed + k, n_trials=TRIALS, decoder=decoder)
        sha256 = file_sha256(path)
        hints[sha256] = f"recordings/{path.name}"
        tasks.append(Task(sha256, "redecode", str(decoder.sha256_)))
    return Manifest(of, hints, ordered(tasks, of))


def write_run(path: Path, *, seed: int, n_trials: int, decoder: WindowDecoder | None = None) -> Path:
    """A run of a simulated participant, as the engine records it; returns its path.

    Parameters
    ----------
    path : of the new recording.
    seed : of the participant and of the schedule.
    n_trials : attempts.
    decoder : of an online run; None for a calibration.
    """
    paradigm = paradigms.load(PARADIGM)().suited(remembers=True)
    cues = _cues(seed, n_trials)
    samples, _ = render(seed, cues, cues[-1].at_s + cues[-1].duration_s)
    spec = simulated_participant.spec({"preset": "neo", "seed": seed, "source_id": "simulated"})
    line: dict[str, Any] = {
        name: getattr(spec, name) for name in ("name", "type", "fs", "unit", "source_id", "critical", "role")
    }
    line |= {"channels": list(spec.channels), "counter": spec.counter}
    plan = {
        "run": path.stem,
        "kind": "calibration" if decoder is None else "online",
        "paradigm": PARADIGM,
        "params": paradigm.params(),
        "classes": [] if decoder is None else [str(name) for name in decoder.classes_],
        "decoder_sha256": "" if decoder is None else decoder.sha256_,
        "contract": [line],
        "simulated": True,
    }
    items = list(_items(samples.astype(np.float32), cues))
    with RunWriter(path, plan=plan, stamp=START_S, signal=spec) as writer:
        for item in items:
            if isinstance(item, Marker):
                writer.marker(item)
            else:
                writer.signal(item.samples, item.stamps)
        corrected = _corrected(items, Timebase.of_plan(FS, writer.plan["timebase"]))
        for made in decode(corrected, paradigm, decoder, fs=FS) if decoder is not None else ():
            if isinstance(made, Decision):
                writer.decision(made)
            elif isinstance(made, Trial):
                writer.trial(made)
    return path


def _corrected(items: Iterable[Chunk | Marker], timebase: Timebase) -> Iterator[Chunk | Marker]:
    """The items with the stamps that the engine would have given them."""
    corrector = Corrector(timebase)
    for item in items:
        if isinstance(item, Marker):
            yield from corrector.marker(item)
        else:
            yield from corrector.samples(item.samples, item.stamps)


def _cues(seed: int, n_trials: int) -> Sequence[PlannedCue]:
    return paradigms.load(PARADIGM)().suited(remembers=True).schedule(n_trials, seed=seed)


def _items(samples: FloatArray, cues: Sequence[PlannedCue]) -> Iterator[Chunk | Marker]:
    """Blocks, each cue before the sample at which it takes effect."""
    stamps = START_S + np.arange(len(samples)) / FS
    marks = [
        Marker(
            "cue",
            round(cue.at_s * FS),
            START_S + cue.at_s,
            cue.label,
            {"duration_s": cue.duration_s, "trial": cue.trial},
        )
        for cue in cues
    ]
    edges = sorted({*range(0, len(samples), BLOCK), len(samples), *(mark.sample for mark in marks)})
    for first, last in zip(edges, edges[1:], strict=False):
        yield from (mark for mark in marks if mark.sample == first)
        yield Chunk(first, samples[first:last].astype(np.float64), stamps[first:last])


class Backwards:
    """Another order: the last job first, in this process."""

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job."""
        return Serial().outcomes(jobs[::-1])


def _passes(manifest: Manifest, home: Path, say: Callable[[str], None]) -> Iterator[Pass]:
    """Every executor in turn, each into a folder of its own."""

    def through(name: str, executor: Executor, *, kill: Callable[[], Sequence[int]] | None = None) -> Pass:
        say(name)
        began = time.monotonic()
        progress = killing(kill) if kill else lambda done, total: None
        folder = home / name.replace(" ", "-")
        ran = batch.run(manifest, home / "study" / "recordings", folder, executor=executor, progress=progress)
        return Pass(name, time.monotonic() - began, ran)

    yield through("serial", Serial())
    yield through("serial, last task first", Backwards())
    yield through("processes, 1 worker", Processes(1))
    yield through("processes, 2 workers", Processes(2))
    yield through("processes, 2 workers, one killed", Processes(2), kill=spawned)
    with local_cluster(2) as client:
        yield through("Dask, 2 workers", batch.on_dask(client))
        yield through(
            "Dask, 2 workers, one killed",
            batch.on_dask(client),
            kill=lambda: list(client.run(os.getpid).values()),
        )


def killing(workers: Callable[[], Sequence[int]]) -> Callable[[int, int], None]:
    """A progress that kills one of the workers, by SIGKILL, when half of the tasks are done."""
    killed: list[int] = []

    def progress(done: int, total: int) -> None:
        if not killed and done >= total // 2:
            killed.append(workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    return progress


def spawned() -> list[int]:
    """Ids of the worker processes of this process."""
    own = psutil.Process().children()
    return [one.pid for one in own if any("spawn_main" in word for word in one.cmdline())]


@contextmanager
def local_cluster(workers: int) -> Iterator[Client]:
    """A client of Dask workers of this computer, one thread each, heard on the loopback address alone.

    Raises
    ------
    BadValue
        Where Dask is not installed.
    """
    try:
        from distributed import Client as Connected
        from distributed import LocalCluster
    except ImportError as error:
        raise BadValue(
            "the package distributed is not installed; pip install 'sci-bci-workbench[dask]'"
        ) from error
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    with cluster, Connected(cluster, set_as_default=False) as client:
        yield client


def _second_site(
    manifest: Manifest, home: Path, files: Sequence[Path], combined: str
) -> tuple[tuple[int, int], bool]:
    """Half of the recordings in another folder, carried out by another process; whether the halves make one."""
    for folder, of_site in (("north", True), ("south", False)):
        (home / folder / "recordings").mkdir(parents=True)
        (home / folder / "decoders").symlink_to(home / "study" / "decoders")
        for path in sorted((home / "study" / "recordings").glob("*.xdf")):
            if (path in files) == of_site:
                os.link(path, home / folder / "recordings" / path.name)
    manifest.save(home / "manifest.json")
    for folder in ("north", "south"):
        own = home / folder
        command = [sys.executable, "-m", "workbench", "batch", "run", str(home / "manifest.json")]
        command += ["--recordings", str(own / "recordings"), "--results", str(own / "results")]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    had = len(list((home / "north" / "results").glob("*.json")))
    both = batch.merged([home / "north" / "results", home / "south" / "results"])
    return (had, len(manifest.tasks) - had), batch.combined_hash(both) == combined
