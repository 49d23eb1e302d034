"""Ingest: from the recording, which is the truth, into the study record. Repeating it changes nothing.

A recording that is torn or damaged is taken in with everything that could be saved of it, as *quarantined*; what
could not be saved stands in its ledger and in the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workbench import analysis, control, messages, paradigms, world
from workbench.errors import BadValue, RecordingFault, WorkbenchError
from workbench.live import _engine_folder
from workbench.live._engine_folder import EngineFolder
from workbench.live.latency import percentiles
from workbench.messages import Message
from workbench.recording import RunFile, XdfFile, decision_hash, file_sha256, index, read, read_rows
from workbench.recording.recover import Recovery, inspect, look, recover
from workbench.recording.salvage import FOLDER
from workbench.recording.session_ledger import DAMAGED, SUFFIX, append_rows, session_of
from workbench.runs.replaying import chain_head, replay_run
from workbench.stimulation import name_of
from workbench.vocabulary import Decision, LedgerRow, Recording, Run, RunKind, RunState

if TYPE_CHECKING:
    from workbench.study import Study


RELEASE_S = 5.0
"""Time within which the system releases the file of an engine that was killed, s."""

SET_ASIDE = "set_aside"
"""Folder beside the recordings for those whose beginning is lost, and kind of the ledger row that names one."""


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What was taken into the record.

    Attributes
    ----------
    sentences : one for everything that was done or could not be done; empty when nothing was waiting.
    damaged : something was lost, damaged, or could not be taken in.
    """

    sentences: tuple[str, ...]
    damaged: bool = False


def ingest(study: Study, run_path: Path | str, *, recovery: Recovery | None = None) -> str:
    """Copy one closed recording into the record, all or nothing; a second time changes nothing.

    Parameters
    ----------
    study : the open record.
    run_path : the recording, inside the study's folder.
    recovery : what :func:`workbench.recording.recover` said, for a recording that was torn.

    Returns
    -------
    str
        What was done, in one sentence.

    Raises
    ------
    RecordingFault
        When the recording is torn, damaged, being written, or contains no run.
    UnknownName
        When its session is not in the record.
    """
    return _entered(study, RunFile(Path(run_path)), recovery=recovery)


def _entered(study: Study, file: RunFile, *, recovery: Recovery | None) -> str:
    """Copy a recording that was read into the record; see :func:`ingest`."""
    path = file.path
    run_id, number = file.planned("run", str), file.planned("number", int)
    if study.has_run(run_id):
        return Message("ingest.there_already", n=number, id=run_id)
    if file.state == "unfinished":
        raise RecordingFault(Message("ingest.not_closed", file=path.name))
    ledger = file.ledger()
    if file.state == "recovered":
        ledger.append(_quarantined(file, recovery.sentence if recovery is not None else inspect(path).sentence))
    run, trials = _run_of(file), file.trials()
    recording = _recording_of(file, study.path.parent)
    study.append_run(run, trials=trials, ledger=ledger, recordings=[recording], reason="ingest of the recording")
    if file.state == "recovered":
        return Message(
            "ingest.taken_quarantined", n=run.number, kind=run.kind, trials=len(trials), state=file.state
        )
    return Message("ingest.taken", n=run.number, kind=run.kind, trials=len(trials), state=file.state)


def _quarantined(file: RunFile, sentence: str) -> LedgerRow:
    """The ledger's entry of a recording that was cut off or damaged."""
    stamps = file.signal.stamps
    return LedgerRow(
        "recovered",
        float(stamps[-1]) if len(stamps) else 0.0,
        0.0,
        sample=len(stamps),
        stream=file.signal.name,
        extent=sentence,
        consequence=Message("ingest.quarantined"),
        priority="high",
    )


def _run_of(file: RunFile) -> Run:
    """The run's row."""
    plan = file.plan
    return Run(
        session_id=file.planned("session", str),
        number=file.planned("number", int),
        kind=cast("RunKind", file.planned("kind", str)),  # the record refuses any other
        paradigm=file.planned("paradigm", str),
        state=cast("RunState", file.state),
        id=file.planned("run", str),
        decoder_sha256=str(plan.get("decoder_sha256") or ""),
        n_trials_planned=file.planned("n_trials", int) if plan.get("n_trials") else 0,
        parameters=dict(file.planned("params", dict)),
        summary=_summary(file),
    )


def _recording_of(file: RunFile, folder: Path) -> Recording:
    """The recording's row; its path is relative to the study's folder."""
    path = file.path
    return Recording(
        run_id=str(file.plan["run"]),
        path=path.absolute().relative_to(folder.absolute()).as_posix(),
        sha256=file_sha256(path),
        n_bytes=path.stat().st_size,
        n_samples=len(file.signal.stamps),
        fs=file.signal.fs,
        state=file.state,
        streams={
            s.name: {"type": s.type, "fs": s.fs, "dtype": s.dtype, "n": len(s.stamps)} for s in file.file.streams
        },
    )


def _summary(file: RunFile) -> dict[str, Any]:
    """What the record keeps of a run beside its trials."""
    plan, decisions, times = file.plan, file.decisions(), file.decision_times()
    speed = float(file.planned("speed", int, float) if "speed" in plan else 1.0)
    ends = [m for m in file.markers() if m.kind == "end"]
    summary: dict[str, Any] = {
        "speed": speed,
        "software": f"workbench {plan.get('workbench', '')}".strip(),
        "started": str(plan.get("started", "")),
        "sentence": str(ends[-1].detail.get("sentence", "")) if ends else "",
        "cue_source": str(plan.get("cue_source", "")),
        "seed": plan.get("seed"),
        "n_decisions": len(decisions),
        "quarantined": file.state == "recovered",
    }
    summary |= {name: plan[name] for name in ("units", "timebase") if name in plan}
    if file.adapts:
        summary["adaptation"] = _adaptation(file)
    if plan.get("stimulation") and (charge := _charge(file, decisions)):
        summary["charge_uc"] = charge
    if not decisions:
        return summary
    # Decisions on samples whose arrival was not noted have 0 there.
    known = times[times[:, 0] > 0]
    summary["decision_hash"] = decision_hash(decisions, file.evidence)
    # Every activation, a false one too: its trial counts it and does not say when it was.
    summary["onsets"] = [decision.sample for decision in decisions if decision.change == "activate"]
    walks = _random_walks(file, decisions)
    if walks is not None:
        summary["random_walks"] = asdict(walks)
    summary["latency"] = {
        **percentiles(known[:, 2] - known[:, 0]),
        "n": len(known),
        "representative": speed == 1.0,
        "acquire_to_decide": percentiles(known[:, 1] - known[:, 0]),
        "decide_to_emit": percentiles(known[:, 2] - known[:, 1]),
    }
    summary["replay"] = _replayed(file)
    return summary


def _random_walks(file: RunFile, decisions: Sequence[Decision]) -> analysis.RandomWalks | None:
    """What a cursor without aim would have reached in this run; None where nothing was to be reached."""
    task = paradigms.from_params(str(file.plan["paradigm"]), dict(file.plan["params"]))
    if file.evidence.kind != "velocity" or not isinstance(task, analysis.ReachingTask) or len(decisions) < 2:
        return None
    hop_s = (decisions[1].sample - decisions[0].sample) / file.signal.fs
    return analysis.random_walks(task, decisions, hop_s=hop_s, seed_of=str(file.plan["run"]))


def _adaptation(file: RunFile) -> dict[str, Any]:
    """How the decoder adapted in a run: rule, updates, those that went back to the fit, head of the chain."""
    snapshots = file.snapshots()
    return {
        "rule": file.adapts,
        "n": sum(snapshot.rule != "ended" for snapshot in snapshots),
        "rolled_back": sum(snapshot.rule == "roll_back" for snapshot in snapshots),
        "head": chain_head(file),
    }


def _charge(file: RunFile, decisions: Sequence[Decision]) -> dict[str, float]:
    """Charge of each contact in a run, µC, as its supervisor counted it; empty where the inputs do not tell."""
    entries = file.control()
    if not control.of_this_version(entries):
        return {}
    try:
        given = control.charge_of(entries, decisions, lapse_s=0.0)
    except BadValue:  # inputs are lost: the ledger says so
        return {}
    return {name_of(place): amount for place, amount in given.items()}


def _replayed(file: RunFile) -> dict[str, Any]:
    """Whether the run replays bit for bit, as found at ingest."""
    sha256 = str(file.plan.get("decoder_sha256") or "")
    # A salvaged recording lies one folder deeper than the others.
    study = file.path.parent.parent if file.path.parent.name != FOLDER else file.path.parent.parent.parent
    try:
        result = replay_run(file, study / "decoders" / sha256[:12] if sha256 else None)
    except WorkbenchError as error:
        return {"equal": False, "n": 0, "sentence": messages.of(error)}
    return {"equal": result.equal, "n": result.n, "sentence": result.sentence, "commands": result.commands}


def ingest_pending(study: Study) -> list[str]:
    """Like :func:`take_in`, its sentences alone."""
    return list(take_in(study).sentences)


def take_in(study: Study) -> Ingestion:
    """Take every recording that is not in the record yet into it; of torn and damaged ones what can be saved.

    To be called when a study is opened and when a run has ended. A recording that is being written is left
    alone.
    """
    folder = study.path.parent
    stale = _engine_folder.end_stale(folder)
    parts = [Ingestion((stale,) if stale else ())]
    if _pending(study):
        # Every open page takes in the run that has just ended. Replaying it takes seconds: one does it, and the
        # others find it done.
        with _engine_folder.in_turn(EngineFolder(folder), "ingest"):
            parts += [_take_in_one(study, path) for path in _pending(study)]
    parts.append(_between_runs(study, folder))
    return Ingestion(
        tuple(sentence for part in parts for sentence in part.sentences), any(part.damaged for part in parts)
    )


def _pending(study: Study) -> list[Path]:
    """Recordings that are not in the record, the oldest first."""
    # By name: a salvaged recording keeps it, in a folder of its own.
    known = {Path(str(row["path"])).name for row in study.rows("recording")}
    return [path for path in _by_age(study.path.parent / "recordings") if path.name not in known]


def _by_age(folder: Path) -> list[Path]:
    """Recordings of a folder, the oldest first."""
    try:
        return sorted(folder.glob("*.xdf"), key=lambda path: path.lstat().st_mtime)
    except OSError as error:
        raise RecordingFault(Message("ingest.folder", folder=str(folder), why=str(error.strerror))) from error


def _between_runs(study: Study, folder: Path) -> Ingestion:
    """What the ledgers of the sessions hold that no run does."""
    sentences: list[str] = []
    damaged = False
    lock = _engine_folder.running(EngineFolder(folder)) or {}
    for path in sorted((folder / "recordings").glob(f"*{SUFFIX}")):
        session_id = session_of(path)
        try:
            rows = read_rows(path, growing=lock.get("session_id") == session_id)
            new = study.append_session_ledger(session_id, rows, reason="ingest of the session's ledger")
        except WorkbenchError as error:
            sentences.append(Message("ingest.not_taken", file=path.name, why=messages.of(error)))
            damaged = True
            continue
        if new:
            sentences.append(Message("ingest.session_rows", id=session_id, n=new))
            lost = sum(row.kind == DAMAGED for row in rows)
            if lost:
                sentences.append(Message("ingest.session_rows_damaged", n=lost, file=path.name))
            damaged |= lost > 0
    return Ingestion(tuple(sentences), damaged)


def _take_in_one(study: Study, path: Path) -> Ingestion:
    """One recording that is not in the record."""
    sentences: list[str] = []
    damaged = False
    try:
        seen, file = look(path)
        end = world.clock.monotonic() + RELEASE_S
        # The lock of an engine that was killed goes a moment after the process.
        while seen.state == "recording":
            if _engine_folder.running(EngineFolder(study.path.parent)) is not None:
                return Ingestion(())
            if world.clock.monotonic() > end:
                return Ingestion((Message("ingest.held", file=path.name),), damaged=True)
            world.clock.sleep(0.05)
            seen, file = look(path)
        recovery, taken = None, path
        if seen.state == "unfinished" or not seen.n_chunks or seen.torn_bytes or seen.damage or seen.n_bad_entries:
            recovery = recover(path)
            damaged, taken = recovery.damaged, recovery.salvaged or path
            sentences.append(recovery.sentence)
            file = None
        file = file or read(taken)
        # What is damaged inside has samples that nobody can read; it is no beginning of a run.
        aside = _set_aside(file) if taken == path else None
        damaged |= aside is not None
        sentences.append(aside or _entered(study, RunFile.of(file), recovery=recovery))
    except WorkbenchError as error:
        sentences.append(Message("ingest.not_taken", file=path.name, why=messages.of(error)))
        damaged = True
    return Ingestion(tuple(sentences), damaged)


def _set_aside(file: XdfFile) -> Message | None:
    """Set a recording whose beginning is lost aside, named in its session's ledger; None for any other.

    A run is confirmed once its plan is on the disk: this is what a power cut leaves of one about to begin. Among
    the recordings it would be advised to be taken in for ever, and block arming as a dose that nobody knows.
    """
    path = file.path
    ours = not file.header or file.header.get("workbench") == "run"
    if not ours or any(len(stream.stamps) for stream in file.streams):
        return None
    folder, session = path.parent / SET_ASIDE, str(file.header.get("session") or "")
    said = Message("ingest.set_aside", file=path.name, folder=f"{path.parent.name}/{folder.name}")
    try:
        # The row first: what is set aside has been named, wherever this is interrupted.
        if session:
            row = LedgerRow(SET_ASIDE, 0.0, 0.0, extent=path.name, consequence=said, priority="high")
            append_rows(path.parent / f"{session}{SUFFIX}", [row])
        world.disk.mkdir(folder, exist_ok=True)
        for part in (index.path_of(path), path):
            if part.exists():
                world.disk.replace(part, folder / part.name)
        world.disk.sync_folder(folder)
        world.disk.sync_folder(path.parent)
    except OSError as error:
        raise RecordingFault(Message("ingest.not_moved", file=path.name, why=str(error.strerror))) from error
    return said
