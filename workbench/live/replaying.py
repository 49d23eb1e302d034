"""Replay: any stored run through its stored decoder gives back, bit for bit, the decisions in the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import decoders, paradigms
from workbench.decode import decode
from workbench.errors import DecoderMismatch, RecordingFault, UnknownName, WorkbenchError
from workbench.recording import RunFile, decision_hash, file_sha256
from workbench.vocabulary import Chunk, Decision, Marker, Trial


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found.

    Attributes
    ----------
    run : id of the run. n : decisions compared; n_trials : trials compared.
    equal : whether every decision and every trial is the recorded one, bit for bit.
    first : place of the first that differs, -1 when none does.
    sentence : the result in words.
    decision_hash : hash over the replayed decisions.
    """

    run: str
    n: int
    n_trials: int
    equal: bool
    first: int
    sentence: str
    decision_hash: str = ""


def replay_run(
    path: Path | str, decoder_folder: Path | str | None = None, *, block: int | None = None
) -> ReplayResult:
    """Decode a recorded run again and compare.

    Parameters
    ----------
    path : recording of the run.
    decoder_folder : of its decoder; None looks in ``decoders`` beside the folder of the recording.
    block : samples read at once, None for all; it changes no bit.

    Raises
    ------
    RecordingFault
        When the recording or the decoder cannot be read.
    DecoderMismatch
        When the decoder is not the one of the run.
    """
    path = Path(path)
    run = RunFile(path)
    decoder = _decoder(run, None if decoder_folder is None else Path(decoder_folder))
    paradigm = paradigms.from_params(str(run.plan["paradigm"]), dict(run.plan["params"]))
    made = list(decode(_to_end(run.items(block=block)), paradigm, decoder, fs=run.signal.fs))
    decisions = [item for item in made if isinstance(item, Decision)]
    trials = [item for item in made if isinstance(item, Trial)]
    return _compared(run, decisions, trials)


def replay_study(folder: Path | str, *, run_id: str | None = None) -> list[ReplayResult]:
    """Replay the runs of a study record, all or one, and compare with recording and record.

    Raises
    ------
    RecordFault
        When the study cannot be opened.
    UnknownName
        When it has no such run.
    """
    from workbench.study import Study

    folder = Path(folder)
    with Study.open(folder, actor="replay") as study:
        rows = study.rows("run") if run_id is None else study.rows("run", id=run_id)
        if not rows and run_id is None:
            raise UnknownName(f"the study in {folder} has no run yet; record one first")
        if not rows:
            known = ", ".join(str(r["id"]) for r in study.rows("run")) or "none"
            raise UnknownName(f"the study in {folder} has no run {run_id}; it has {known}")
        asked = [(row, study.rows("recording", run_id=row["id"])) for row in rows]
    return [_of_record(folder, row, recordings) for row, recordings in asked]


def _of_record(folder: Path, row: dict[str, Any], recordings: Sequence[dict[str, Any]]) -> ReplayResult:
    """Replay one run of the record; what stands in the way is a difference too."""
    name = f"run {row['number']} ({row['kind']}, {row['id']})"
    if not recordings:
        return _not(row, f"{name}: the record has no recording of it")
    recording = recordings[0]
    path = folder / str(recording["path"])
    sha256 = str(row["decoder_sha256"])
    try:
        if file_sha256(path) != recording["sha256"]:
            raise RecordingFault(f"{path.name} is not the file of the record (its hash differs)")
        found = replay_run(path, folder / "decoders" / sha256[:12] if sha256 else None)
    except WorkbenchError as error:
        return _not(row, f"{name}: cannot be replayed: {error}")
    stored = str(row["summary"].get("decision_hash") or "")
    if found.equal and stored and stored != found.decision_hash and row["state"] != "recovered":
        words = f"{name}: the decisions equal the recording, but not the hash in the record ({stored[:12]})"
        return replace(found, equal=False, first=0, sentence=words)
    return found


def _not(row: dict[str, Any], sentence: str) -> ReplayResult:
    """A run that could not be compared."""
    return ReplayResult(run=str(row["id"]), n=0, n_trials=0, equal=False, first=0, sentence=sentence)


def _decoder(run: RunFile, folder: Path | None) -> Any:
    """The decoder of a run, verified; None for a calibration run."""
    sha256 = str(run.plan.get("decoder_sha256") or "")
    if not sha256:
        return None
    if folder is None:
        folder = run.path.parent.parent / "decoders" / sha256[:12]
    decoder = decoders.read(folder)
    if decoder.sha256_ != sha256:
        raise DecoderMismatch(
            f"{run.path.name} was decoded with {sha256[:12]}, the decoder in {folder} is {decoder.sha256_[:12]}"
        )
    return decoder


def _to_end(items: Iterable[Chunk | Marker]) -> Iterator[Chunk | Marker]:
    """Up to the end of the run, which the engine marked."""
    for item in items:
        yield item
        if isinstance(item, Marker) and item.kind == "end":
            return


def _compared(run: RunFile, decisions: list[Decision], trials: list[Trial]) -> ReplayResult:
    """Recorded against replayed. A run that was cut off is compared as far as it goes."""
    recorded, recorded_trials = run.decisions(), run.trials()
    whole = run.state in ("finished", "stopped", "failed")
    if not whole:
        decisions, trials = decisions[: len(recorded)], trials[: len(recorded_trials)]
    at = _first_difference(recorded, decisions)
    trial_at = next(
        (i for i, (a, b) in enumerate(zip(recorded_trials, trials)) if a != b),
        -1 if len(recorded_trials) == len(trials) else min(len(recorded_trials), len(trials)),
    )
    name = f"run {run.plan.get('number')} ({run.plan.get('kind')}, {run.plan.get('run')})"
    cut = "" if whole else f" (the recording is {run.state}; compared as far as it goes)"
    what = f"{len(recorded)} decisions and {len(recorded_trials)} trials"
    if at < 0 and trial_at < 0:
        words = f"{name}: {what} equal the recording bit for bit{cut}"
    elif at >= 0:
        words = f"{name}: decision {at + 1} of {len(recorded)} differs{cut}"
    else:
        words = f"{name}: the decisions are equal, trial {trial_at + 1} of {len(recorded_trials)} differs{cut}"
    return ReplayResult(
        str(run.plan.get("run")),
        len(recorded),
        len(recorded_trials),
        at < 0 and trial_at < 0,
        at if at >= 0 else trial_at,
        words,
        decision_hash(decisions),
    )


def _first_difference(recorded: list[Decision], replayed: list[Decision]) -> int:
    """Place of the first decision whose bits differ, -1 when none does."""
    if decision_hash(recorded) == decision_hash(replayed):
        return -1
    for at, (a, b) in enumerate(zip(recorded, replayed)):
        if decision_hash([a]) != decision_hash([b]):
            return at
    return min(len(recorded), len(replayed))
