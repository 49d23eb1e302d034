"""Replay: any stored run through its stored decoder gives back, bit for bit, the decisions in the record.

From these and from what else the controller was given follow the commands, where the recording holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from workbench import control, decoders, messages, paradigms
from workbench.decode import Made, decode
from workbench.decoding.blocks import AtHand
from workbench.errors import DecoderMismatch, RecordingFault, UnknownName, WorkbenchError
from workbench.messages import Message
from workbench.recording import RunFile, decision_hash, file_sha256
from workbench.runs.recomputing import CommandComparison, compare_commands, first_unequal
from workbench.vocabulary import Chunk, Decision, EvidenceType, Marker, Snapshot, Trial

KINDS = {"calibration": Message("replay.calibration"), "online": Message("replay.online"), **control.SCHEDULED}
CUT = {
    "failed": Message("replay.failed"),
    "recovered": Message("replay.recovered"),
    "unfinished": Message("replay.unfinished"),
}
"""States of a recording that does not reach to the end of its run."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found.

    Attributes
    ----------
    run : id of the run. n : decisions compared; n_trials : trials compared.
    equal : whether every decision, trial, update of the decoder and recomputed command is the recorded one, bit
        for bit.
    first : place of the first that differs (a decision, else a trial, an update, a command), -1 when none does.
    sentence : the result in words.
    decision_hash : hash over the replayed decisions.
    n_updates : updates of an adapting decoder compared. chain_head : hash of the last replayed one, of the decoder
        where there is none, empty where the decoder does not adapt.
    n_commands : commands recomputed and compared; None where the recording does not hold what they follow from.
    commands : what became of the commands in words, empty where the run has none; the sentence says it too.
    """

    run: str
    n: int
    n_trials: int
    equal: bool
    first: int
    sentence: str
    decision_hash: str = ""
    n_updates: int = 0
    chain_head: str = ""
    n_commands: int | None = None
    commands: str = ""


def replay_run(
    run: RunFile | Path | str, decoder_folder: Path | str | None = None, *, block: int | None = None
) -> ReplayResult:
    """Decode a recorded run again and compare.

    Parameters
    ----------
    run : its recording, or what was read of it.
    decoder_folder : of its decoder; None looks in ``decoders`` beside the folder of the recording.
    block : samples read at once, None for all; it changes no bit.

    Raises
    ------
    RecordingFault
        When the recording or the decoder cannot be read.
    DecoderMismatch
        When the decoder is not the one of the run.
    """
    return _replayed(run if isinstance(run, RunFile) else RunFile(run), decoder_folder, block=block)


def _replayed(
    run: RunFile, decoder_folder: Path | str | None, *, block: int | None = None, name: Message | None = None
) -> ReplayResult:
    """Decode a run again and compare; it is called as the record calls it, else as its recording does."""
    return compared(run, redecoded(run, decoder_folder, block=block), name=name)


def redecoded(run: RunFile, decoder_folder: Path | str | None, *, block: int | None = None) -> list[Made]:
    """All that a run's decoder and paradigm make of its recording; else as :func:`replay_run`.

    Parameters
    ----------
    run : its recording.
    decoder_folder : of its decoder; None looks in ``decoders`` beside the folder of the recording.
    block : samples read at once, None for all; it changes no bit.
    """
    decoder = _decoder(run, None if decoder_folder is None else Path(decoder_folder))
    paradigm = paradigms.from_params(str(run.plan["paradigm"]), dict(run.plan["params"]))
    inputs = ("signal",) if decoder is None else decoder.inputs
    items = _to_end(run.items(block=block, inputs=inputs))
    return list(decode(items, paradigm, decoder, fs=run.signal.fs, worker=_recorded_worker(run)))


def _recorded_worker(run: RunFile) -> AtHand:
    """Who computes the updates of the run: everything, up to where the worker of the run did not answer."""
    return AtHand(next((snapshot.sample for snapshot in run.snapshots() if snapshot.rule == "ended"), None))


def _name(number: object, kind: object, run_id: object) -> Message:
    """What a sentence calls a run; a recording that was not made in a session has no number."""
    named = KINDS.get(str(kind), str(kind))
    if number is None:
        return Message("replay.recording", id=str(run_id), kind=named)
    return Message("replay.run", n=str(number), kind=named, id=str(run_id))


def _of_run(name: Message, result: Message) -> Message:
    return Message("replay.of_run", run=name, result=result)


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
            raise UnknownName(Message("replay.no_run", folder=str(folder)))
        if not rows:
            known = ", ".join(str(r["id"]) for r in study.rows("run")) or "none"
            raise UnknownName(Message("replay.unknown_run", folder=str(folder), run=str(run_id), known=known))
        requests = [
            (row, study.rows("recording", run_id=row["id"]), study.nouns("trial", run_id=row["id"]))
            for row in rows
        ]
    return [_of_record(folder, *request) for request in requests]


def _of_record(
    folder: Path, row: dict[str, Any], recordings: Sequence[dict[str, Any]], trials: Sequence[object]
) -> ReplayResult:
    """Replay one run and compare it with recording and record; what stands in the way is a difference too."""
    name = _name(row["number"], row["kind"], row["id"])
    if not recordings:
        return _not(row, _of_run(name, Message("replay.no_recording")))
    recording = recordings[0]
    path = folder / str(recording["path"])
    sha256 = str(row["decoder_sha256"])
    try:
        if file_sha256(path) != recording["sha256"]:
            raise RecordingFault(Message("replay.other_file", file=path.name))
        run = RunFile(path)
        result = _replayed(run, folder / "decoders" / sha256[:12] if sha256 else None, name=name)
    except WorkbenchError as error:
        return _not(row, _of_run(name, Message("replay.cannot", why=messages.of(error))))
    if not result.equal:
        return result
    # Reports are made of the record's trials, so these must be the recording's, whatever the replay gave.
    entered = first_unequal(run.trials(), trials)
    if entered >= 0:
        sentence = _of_run(name, Message("replay.other_trial", n=entered + 1))
        return replace(result, equal=False, first=entered, sentence=sentence)
    if row["state"] == "recovered":
        return result
    stored = str(row["summary"].get("decision_hash") or "")
    if stored and stored != result.decision_hash:
        sentence = _of_run(name, Message("replay.other_hash", hash=stored[:12]))
        return replace(result, equal=False, first=0, sentence=sentence)
    head = str(row["summary"].get("adaptation", {}).get("head") or "")
    if head and head != result.chain_head:
        sentence = _of_run(name, Message("replay.other_head", hash=head[:12]))
        return replace(result, equal=False, first=0, sentence=sentence)
    return result


def _not(row: dict[str, Any], sentence: Message) -> ReplayResult:
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
            Message(
                "replay.other_decoder",
                file=run.path.name,
                hash=sha256[:12],
                folder=str(folder),
                other=decoder.sha256_[:12],
            )
        )
    return decoder


def _to_end(items: Iterable[Chunk | Marker]) -> Iterator[Chunk | Marker]:
    """Up to the end of the run, which the engine marked."""
    for item in items:
        yield item
        if isinstance(item, Marker) and item.kind == "end":
            return


def chain_head(run: RunFile, made: Sequence[Snapshot] | None = None) -> str:
    """Head of the chain of a run whose decoder adapts: its last snapshot, or the decoder where there is none.

    ``made`` are the snapshots of a replay, None for the recorded ones. Empty where the decoder does not adapt.
    """
    if not run.adapts:
        return ""
    chain = run.snapshots() if made is None else made
    return chain[-1].sha256 if chain else str(run.plan.get("decoder_sha256") or "")


def compared(run: RunFile, made: Sequence[Made], *, name: Message | None = None) -> ReplayResult:
    """What was recorded against what was made again.

    A run that was cut off is compared as far as it goes.

    Parameters
    ----------
    run : its recording.
    made : by :func:`redecoded`.
    name : what sentences call the run; None for what its recording calls it.
    """
    own = _name(run.plan.get("number"), run.plan.get("kind"), run.plan.get("run"))
    return _compared(run, made, name or own)


def _compared(run: RunFile, made: Sequence[Made], name: Message) -> ReplayResult:
    recorded, recorded_trials = run.decisions(), run.trials()
    decisions = replayed = [item for item in made if isinstance(item, Decision)]
    trials = [item for item in made if isinstance(item, Trial)]
    chain, snapshots = run.snapshots(), [item for item in made if isinstance(item, Snapshot) and run.adapts]
    # A run that failed was left in the middle of a block, so that its recording may hold more than was decided.
    complete = run.state in ("finished", "stopped")
    if not complete:
        decisions, trials = decisions[: len(recorded)], trials[: len(recorded_trials)]
        snapshots = snapshots[: len(chain)]
    at, trial_at = _first_difference(recorded, decisions, run.evidence), first_unequal(recorded_trials, trials)
    link = first_unequal(chain, snapshots)
    # Commands follow from decisions; where those differ, nothing is to be learned from comparing them.
    commands = CommandComparison() if at >= 0 else compare_commands(run, replayed, complete=complete)
    found = [Message("replay.decision", n=at + 1, all=len(recorded))] if at >= 0 else []
    if at < 0 <= trial_at:
        found.append(Message("replay.trial", n=trial_at + 1, all=len(recorded_trials)))
    if link >= 0:
        sample = (chain if link < len(chain) else snapshots)[link].sample
        found.append(Message("replay.update", n=link + 1, all=len(chain), sample=sample))
    equal = not found and commands.first < 0
    result = _said(found or [_equal(run, len(recorded), len(recorded_trials), len(chain))], commands.sentence)
    if not complete:
        result = Message("replay.cut", result=result, state=CUT.get(run.state, run.state))
    return ReplayResult(
        run=str(run.plan.get("run")),
        n=len(recorded),
        n_trials=len(recorded_trials),
        equal=equal,
        first=next((index for index in (at, trial_at, link, commands.first) if index >= 0), -1),
        sentence=_of_run(name, result),
        decision_hash=decision_hash(decisions, run.evidence),
        n_updates=len(chain),
        chain_head=chain_head(run, snapshots),
        n_commands=commands.n,
        commands=commands.sentence or "",
    )


def _said(found: Sequence[Message], commands: Message | None) -> Message:
    """What was found, of commands last, as one sentence."""
    parts = [*found, commands] if commands is not None else found
    return reduce(lambda first, second: Message("replay.both", first=first, second=second), parts)


def _equal(run: RunFile, decisions: int, trials: int, updates: int) -> Message:
    if run.adapts:
        return Message("replay.equal_adapting", decisions=decisions, trials=trials, updates=updates)
    return Message("replay.equal", decisions=decisions, trials=trials)


def _first_difference(recorded: list[Decision], replayed: list[Decision], evidence: EvidenceType) -> int:
    """Place of the first decision whose bits differ, -1 when none does."""
    # Bits, not values: a NaN equals itself here, and 0.0 is not -0.0.
    if decision_hash(recorded, evidence) == decision_hash(replayed, evidence):
        return -1
    for at, (a, b) in enumerate(zip(recorded, replayed)):
        if decision_hash([a], evidence) != decision_hash([b], evidence):
            return at
    return min(len(recorded), len(replayed))
