"""Carrying out a manifest on the recordings of one site; what is done already is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench import reading, world
from workbench.batch.executors import Executor, Serial
from workbench.batch.manifest import Manifest, Task
from workbench.batch.pipelines import Job
from workbench.batch.planning import refused_recordings
from workbench.batch.results import Result, combined_hash, stored
from workbench.errors import BadValue

NOT_HERE = "is not at this site"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of a manifest did.

    Attributes
    ----------
    manifest : its SHA-256.
    tasks : of the manifest. computed, kept : results that were made now, and that were there already.
    failed : task id → one sentence why it has no result.
    left_out : tasks of participants who took back their consent since the manifest was made.
    combined : SHA-256 over ids and hashes of all results of the manifest that are there.
    """

    manifest: str
    tasks: int
    computed: int
    kept: int
    failed: Mapping[str, str]
    left_out: int
    combined: str

    @property
    def ok(self) -> bool:
        """Whether every task that may be carried out has its result."""
        return not self.failed


def run(
    manifest: Manifest,
    recordings: Path | str,
    results: Path | str,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Ran:
    """Carry out the tasks of a manifest that have no result yet, and write a file for each.

    Parameters
    ----------
    manifest : what to do.
    recordings : folder of the site's recordings, such as ``STUDY/recordings``. Stored decoders lie in ``decoders``
        beside the folder of the recording, or in this one.
    results : folder of the results, which is made.
    executor : who carries them out; None for this process alone.
    progress : called with the tasks that are done and all that there are to do.

    Raises
    ------
    BadValue
        A folder that cannot be used, or a manifest of another program.
    """
    manifest.refuse_other_program()
    recordings, results = Path(recordings), Path(results)
    if not reading.is_there(recordings, "--recordings") or not recordings.is_dir():
        raise BadValue(f"there is no folder of recordings {reading.shown(recordings)}; name the one of this site")
    try:
        world.disk.mkdir(results, mode=0o777, parents=True, exist_ok=True)
    except OSError as error:
        raise BadValue(
            f"--results {reading.shown(results)} cannot be made ({reading.why(error)}); name another folder"
        ) from error
    tasks = manifest.ids()
    refused = refused_recordings(recordings)
    asked = {key: task for key, task in tasks.items() if task.recording not in refused.get(task.pipeline, ())}
    kept = {key: result for key in asked if (result := stored(results, key)) is not None}
    jobs, failed = _jobs(manifest, {key: task for key, task in asked.items() if key not in kept}, recordings)
    made: dict[str, Result] = {}
    progress(0, len(jobs))
    for n, outcome in enumerate((executor or Serial()).outcomes(jobs), 1):
        if outcome.metrics is None:
            failed[outcome.id] = outcome.why
        else:
            made[outcome.id] = Result.of(tasks[outcome.id], manifest.program, outcome.metrics)
            _save(made[outcome.id], results)
        progress(n, len(jobs))
    combined = combined_hash([*kept.values(), *made.values()])
    left_out = len(tasks) - len(asked)
    return Ran(manifest.sha256, len(tasks), len(made), len(kept), failed, left_out, combined)


def _save(result: Result, folder: Path) -> None:
    try:
        result.save(folder)
    except OSError as error:
        raise BadValue(
            f"a result cannot be written to {reading.shown(folder)} ({reading.why(error)}); make room and run the "
            "manifest again: what is there is kept"
        ) from error


def _jobs(manifest: Manifest, tasks: Mapping[str, Task], recordings: Path) -> tuple[list[Job], dict[str, str]]:
    """Jobs of the recordings that are here, and a sentence for each task whose recording is not."""
    home = recordings.resolve()
    found = _found(home, {task.recording: manifest.recordings[task.recording] for task in tasks.values()})
    jobs, failed = [], {}
    for key, task in tasks.items():
        path = found.get(task.recording)
        if path is None:
            hint = manifest.recordings[task.recording]
            failed[key] = f"recording {task.recording[:12]} ({hint}) {NOT_HERE}; run the manifest where it is"
            continue
        decoders = tuple(str(folder / "decoders") for folder in dict.fromkeys((path.parent.parent, home)))
        jobs.append(Job(task, manifest.program, str(path), decoders))
    return jobs, failed


def _found(home: Path, hints: Mapping[str, str]) -> dict[str, Path]:
    """Recordings by their hash: where the hint says, else wherever in the folder a file has the hash."""
    found = {}
    for sha256, hint in hints.items():
        # What lies there is hashed by who reads it; whether it is the right one is told then.
        path = next((path for path in (home / hint, home / Path(hint).name) if path.is_file()), None)
        if path is not None:
            found[sha256] = path
    missing = hints.keys() - found.keys()
    for path in _others(home, set(found.values())) if missing else ():
        sha256 = reading.sha256(path, "recording")
        if sha256 in missing:
            found[sha256] = path
    return found


def _others(home: Path, known: set[Path]) -> Iterator[Path]:
    yield from (path for path in sorted(home.rglob("*.xdf")) if path not in known and path.is_file())
