"""What a worker does with one task: read a recording and return metrics, or one sentence why there are none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench import decoders, paradigms, reading, world
from workbench.analysis import JUDGED
from workbench.batch.manifest import Task, program
from workbench.decoders import WindowDecoder
from workbench.errors import BadSignal, BadValue, DecoderMismatch, RecordingFault, WorkbenchError
from workbench.paradigms import Paradigm
from workbench.recording import RunFile, file_sha256
from workbench.runs import fitting, replaying
from workbench.runs.fitting import Windows
from workbench.vocabulary import Trial


@dataclass(frozen=True, slots=True)
class Job:
    """A task with the files that it needs, as a worker takes it.

    Attributes
    ----------
    task : what is to be done.
    program : SHA-256 of the source that it was planned for.
    recording : path of the recording.
    decoders : folders in which stored decoders lie under the first 12 digits of their hash.
    """

    task: Task
    program: str
    recording: str
    decoders: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The task's."""
        return self.task.id(self.program)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: ``metrics``, or None and ``why``."""

    id: str
    metrics: Mapping[str, Any] | None
    why: str = ""


def carry_out(job: Job) -> Outcome:
    """Do a job. What stands in its way is told in the outcome; nothing is written."""
    name = f"recording {job.task.recording[:12]}"
    try:
        if program() != job.program:
            raise BadValue(
                f"a worker has program {program()[:12]}, and {job.program[:12]} was planned; install that"
            )
        path = Path(job.recording)
        try:
            found = file_sha256(path)
        except OSError as error:
            raise RecordingFault(f"{reading.shown(path)} cannot be read ({reading.why(error)})") from error
        if found != job.task.recording:
            raise RecordingFault(
                f"{reading.shown(path)} was changed: its SHA-256 is {found[:12]}; restore it from the backup"
            )
        return Outcome(job.id, CARRIED_OUT[job.task.pipeline](job))
    except WorkbenchError as error:
        return Outcome(job.id, None, f"{name}: {job.task.pipeline} cannot be carried out: {error}")


@cache
def one_thread() -> None:
    """Let linear algebra run on one thread in this process from now on.

    Workers share the processors already, and a sum that is split otherwise may round otherwise.
    """
    # Loaded first: only libraries that are there can be limited, and SciPy brings one of its own.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)


def on_a_worker(job: Job) -> Outcome:
    """As :func:`carry_out`, in a process that is there for such work alone."""
    one_thread()
    return carry_out(job)


def _redecode(job: Job) -> dict[str, Any]:
    """A stored run through its stored decoder."""
    run = RunFile(job.recording)
    planned = str(run.plan.get("decoder_sha256") or "")
    if planned != job.task.decoder:
        raise DecoderMismatch(
            f"the run was decoded by {planned[:12] or 'no decoder'} and the task names {job.task.decoder[:12]}; "
            "plan again from the study's record"
        )
    made = replaying.redecoded(run, _decoder_folder(job))
    compared = replaying.compared(run, made)
    trials = [item for item in made if isinstance(item, Trial)]
    judged = [trial for trial in trials if trial.outcome in JUDGED]
    return {
        "n": len(judged),
        "right": sum(trial.outcome == "correct" for trial in judged),
        "excluded": sum(trial.outcome == "excluded" for trial in trials),
        "unit": "selection" if _paradigm(run).selects else "trial",
        "equal": compared.equal,
        "first_unequal": compared.first,
        "decisions": compared.n,
        "trials": compared.n_trials,
        "updates": compared.n_updates,
        "commands": compared.n_commands,
        "decision_hash": compared.decision_hash,
    }


def _decoder_folder(job: Job) -> Path:
    for home in job.decoders:
        if (folder := Path(home) / job.task.decoder[:12]).is_dir():
            return folder
    looked = ", ".join(map(reading.shown, job.decoders))
    raise DecoderMismatch(
        f"decoder {job.task.decoder[:12]} is not here (looked in {looked}); copy its folder there"
    )


def _paradigm(run: RunFile) -> Paradigm:
    return paradigms.from_params(str(run.plan["paradigm"]), dict(run.plan["params"]))


def _cross_validate(job: Job) -> dict[str, Any]:
    """A decoder fitted on all but one fold of a calibration run, and judged on the cued periods of that fold."""
    task = job.task
    calibration = _calibration(
        job.recording, task.recording, task.decoder, json.dumps(task.params, sort_keys=True)
    )
    windows, names = calibration.windows, [str(name) for name in calibration.paradigm.classes]
    # Folds are drawn before labels are permuted: they are stretches of the run, whatever is asked of it.
    test = fitting.folds_of(windows)[0] == task.fold
    if task.seed:
        windows = permuted(windows, seed=(task.seed, int(task.recording[:16], 16)))
    metrics: dict[str, Any] = {"unit": "cued period", "n": 0, "right": 0, "classes": names}
    # As in a fit: what leaves a class without training data judges no decoder that anybody would use.
    if not test.any() or set(windows.labels[~test].tolist()) != set(names):
        return metrics | {"counts": [[0] * len(names) for _ in names]}
    decoder = calibration.fresh().fit_summaries(
        windows.summaries[~test], windows.labels[~test], blocks=windows.blocks[~test], runs=windows.runs[~test]
    )
    counts, votes = fitting.crossed(decoder, windows, test, names)
    return metrics | {"n": len(votes), "right": sum(votes.values()), "counts": counts}


@dataclass(frozen=True, slots=True)
class _Calibration:
    """Windows of one run as a decoder wants them."""

    windows: Windows
    paradigm: Paradigm
    name: str
    params: Mapping[str, Any]
    n_channels: int

    def fresh(self) -> WindowDecoder:
        """The decoder, prepared and not fitted."""
        return fitting.prepared(self.name, self.params, self.paradigm, n_channels=self.n_channels)


@lru_cache(maxsize=1)
def _calibration(path: str, _sha256: str, name: str, params: str) -> _Calibration:
    """The windows of a recording; those of the last one are kept, since tasks of a recording often follow another.

    Parameters
    ----------
    path, _sha256 : of the recording, whose bytes have this hash.
    name, params : of the decoder; the latter as JSON.
    """
    if name in decoders.JOINT_RULES:
        raise BadValue(f"{name} joins several streams, and cross_validate fits decoders of one; plan without it")
    run = RunFile(path)
    montage, paradigm = fitting.common_plan([run])
    if paradigm.selects:
        raise BadSignal(
            f"{paradigm.name} sums the evidence of a choice over several cues, and cross_validate judges cued "
            "periods one by one; plan redecode for its online runs"
        )
    n_channels = len(montage.channels)
    requested = {"fs": montage.fs, **json.loads(params)}
    decoder = fitting.prepared(name, requested, paradigm, n_channels=n_channels)
    windows = fitting.windows_of(decoder, [run], paradigm, n_channels=n_channels)
    return _Calibration(windows, paradigm, name, requested, n_channels)


def permuted(windows: Windows, *, seed: tuple[int, ...]) -> Windows:
    """The same windows with the labels of the cued periods exchanged among them.

    Windows of one period overlap and keep one label, so that what is exchanged is exchangeable under chance.

    Parameters
    ----------
    windows : of one session. seed : of the permutation.
    """
    periods = np.array([f"{cue} {label}" for cue, label in zip(windows.cued, windows.labels, strict=True)])
    _, first, of_window = np.unique(periods, return_index=True, return_inverse=True)
    labels = world.chance.generator(seed).permutation(windows.labels[first])
    # Two periods of one cue may get the same label now; numbered again, they stay two.
    return replace(windows, labels=labels[of_window], cued=of_window.astype(np.int64))


CARRIED_OUT: Mapping[str, Callable[[Job], dict[str, Any]]] = {
    "redecode": _redecode,
    "cross_validate": _cross_validate,
}
"""What carries out each of :data:`workbench.batch.manifest.PIPELINES`."""
