"""Fitting a decoder of several streams on recorded runs: each stream's own decoder, and what joins them.

Windows are named by the paradigm on the signal. In another stream a window ends with the last sample that belongs
to the same moment (:mod:`workbench.signals.alignment`); windows where that stream has a gap, or nothing, are left
out of it. What is counted is one cued period, as in :mod:`workbench.runs.fitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import analysis, decoders
from workbench.decoders import JoinedDecoder, Training, WindowDecoder, fuse, fusion_weights
from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.runs.fitting import FOLDS, common_plan, file_fit
from workbench.signals.alignment import taken_by
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Chunk, Evidence, FloatArray, Marker, Montage

SIGNAL = "signal"

Window = tuple[int, str, int]
"""End, class and block of a training window."""


@dataclass(frozen=True)
class _Stream:
    """One stream of all runs: how its decoder is made, and its windows."""

    montage: Montage
    fresh: Callable[[], WindowDecoder]
    summaries: FloatArray
    labels: NDArray[Any]
    blocks: NDArray[np.int64]
    skipped: int


def fit_joint(
    study_folder: Path | str,
    recordings: Sequence[Path | str],
    name: str,
    params: Mapping[str, Any],
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Fit a decoder of several streams on recorded runs and save it as ``STUDY/decoders/<hash>``.

    Parameters
    ----------
    study_folder : of the study.
    recordings : runs of one paradigm and the same montages.
    name : one of :data:`workbench.decoders.JOINT_RULES`.
    params : ``members``: role → ``{"decoder": name, "params": {…}}``, with the role ``"signal"``; ``critical``
        roles, all by default; ``gates`` for gating: role → ``[class that opens, least probability]``.
    progress : called with the share of the work that is done, 0–1.

    Returns
    -------
    dict
        As :func:`workbench.runs.fitting.fit`; ``metrics`` also has ``streams``: by role its area under the ROC
        curve on held-out periods, and its weight. The weights of late fusion follow from these areas.

    Raises
    ------
    BadValue, BadSignal, RecordingFault
        Runs or roles that do not go together, no valid window, no stream better than chance.
    """
    _check(params)
    runs = [RunFile(path) for path in recordings]
    _, paradigm = common_plan(runs)
    streams, folds = _streams(runs, paradigm, params["members"])
    held_out: dict[str, Periods] = {}
    for at, (role, stream) in enumerate(streams.items()):
        progress(at / (len(streams) + 1))
        held_out[role] = _held_out(stream, folds, paradigm)
    areas = {role: _area(periods, paradigm.classes) for role, periods in held_out.items()}
    fitted = {role: stream.fresh() for role, stream in streams.items()}
    for role, stream in streams.items():
        fitted[role].fit_summaries(stream.summaries, stream.labels, blocks=stream.blocks)
    decoder = _joined(name, params, fitted, areas)
    metrics = _counted(decoder, held_out, paradigm) | {
        "validation": Message("fit.leave_one_run_out") if len(runs) > 1 else Message("fit.blocks", n=FOLDS),
        "windows": len(streams[SIGNAL].labels),
        "skipped": sum(stream.skipped for stream in streams.values()),
        "streams": {role: {"auc": areas[role], "weight": decoder.weights.get(role)} for role in streams},
        "params": dict(params),
    }
    montages = {role: stream.montage for role, stream in streams.items()}

    def save(part: Path, meta: Mapping[str, Any]) -> str:
        return decoders.save_joined(decoder, part, montages=montages, meta=meta)

    return file_fit(Path(study_folder), runs, save, name=name, paradigm=paradigm, metrics=metrics)


def _check(params: Mapping[str, Any]) -> None:
    """Raise BadValue unless the parameters are those of a decoder of several streams."""
    members, gates = params.get("members"), params.get("gates") or {}
    well_formed = (
        not set(params) - {"members", "critical", "gates"}
        and isinstance(members, Mapping)
        and SIGNAL in members
        and all(isinstance(member, Mapping) for member in members.values())
        and isinstance(gates, Mapping)
        and all(isinstance(gate, Sequence) and len(gate) == 2 for gate in gates.values())
    )
    if not well_formed:
        raise BadValue(Message("fit.joint", got=repr(dict(params))[:200]))


def _joined(
    name: str, params: Mapping[str, Any], fitted: Mapping[str, WindowDecoder], areas: Mapping[str, float]
) -> JoinedDecoder:
    """The members with what joins them; the weights of a fusion follow from the areas."""
    weights = fusion_weights([*areas.values()]) if name == "late_fusion" else ()
    gates = {role: (str(opens), float(least)) for role, (opens, least) in (params.get("gates") or {}).items()}
    critical = params.get("critical")
    return JoinedDecoder(
        name,
        fitted,
        weights=dict(zip(areas, weights, strict=False)),
        gates=gates,
        critical=None if critical is None else tuple(critical),
    )


# ------------------------------------------------------------------------------------ windows
def _streams(
    runs: Sequence[RunFile], paradigm: Paradigm, members: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, _Stream], dict[int, int]]:
    """Windows of each stream, and the fold of each block."""
    made = {role: _member(runs, role, member, paradigm) for role, member in members.items()}
    # Long enough for each stream, so that no window of any begins before its cue.
    window_s = max(fresh().settings.window_s for _, fresh in made.values())
    hop_s = made[SIGNAL][1]().settings.hop_s
    named = [_named(run, paradigm, window_s=window_s, hop_s=hop_s) for run in runs]
    # Blocks are numbered from 0 in each run; shifted so that no two runs share a number.
    offsets = np.cumsum([0, *(1 + max(block for _, _, block in windows) for windows in named)])
    streams = {}
    for role, (montage, fresh) in made.items():
        parts = [
            _collected(run, role, fresh(), windows, n_channels=len(montage.channels))
            for run, windows in zip(runs, named, strict=True)
        ]
        streams[role] = _Stream(
            montage,
            fresh,
            np.concatenate([part.summaries for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.blocks + offset for part, offset in zip(parts, offsets, strict=False)]),
            sum(part.skipped for part in parts),
        )
        if missing := set(paradigm.classes) - set(streams[role].labels.tolist()):
            raise BadSignal(Message("fit.no_window", classes=sorted(missing)))
    return streams, _folds(offsets.tolist())


def _member(
    runs: Sequence[RunFile], role: str, member: Mapping[str, Any], paradigm: Paradigm
) -> tuple[Montage, Callable[[], WindowDecoder]]:
    """Montage of a stream, and how its decoder is made."""
    montage, _ = common_plan(runs, role)
    name, params = str(member.get("decoder")), {"fs": montage.fs, **dict(member.get("params") or {})}
    kind = decoders.load(name)
    try:
        kind(**params)
    except TypeError as error:
        raise BadValue(Message("fit.parameters", decoder=name, why=str(error))) from error
    n_channels = len(montage.channels)
    return montage, lambda: kind(**params).prepare_for(n_channels, stretch_s=paradigm.stretch_s)


def _named(run: RunFile, paradigm: Paradigm, *, window_s: float, hop_s: float) -> list[Window]:
    cues, n = locate_cues(run.items(), fs=run.signal.fs)
    named = paradigm.training_windows(cues, fs=run.signal.fs, window_s=window_s, hop_s=hop_s)
    complete = [window for window in named if window[0] <= n]
    if not complete:
        raise BadSignal(Message("fit.no_cue", file=run.path.name, conditions=paradigm.conditions))
    return complete


def _collected(
    run: RunFile, role: str, decoder: WindowDecoder, windows: Sequence[Window], *, n_channels: int
) -> Training:
    """Training windows of one stream of one run."""
    if role == SIGNAL:
        return decoders.collect(decoder, run.items(), windows, n_channels=n_channels)
    items = run.items_of(role)
    stamps = [item.stamps for item in items if isinstance(item, Chunk)]
    if not stamps:
        raise BadSignal(Message("fit.no_stream", file=run.path.name, role=repr(role)))
    other = np.concatenate(stamps)
    master = np.concatenate([item.stamps for item in run.items() if isinstance(item, Chunk)])
    gaps = [item.sample for item in items if isinstance(item, Marker)]
    taken = taken_by(master, other)
    # As live: where the stream has a gap, or nothing that is later, it says nothing.
    present = (taken > 0) & (taken < len(other)) & ~np.isin(taken, gaps)
    wanted = [(int(taken[end - 1]), label, block) for end, label, block in windows if present[end - 1]]
    return decoders.collect(decoder, items, wanted, n_channels=n_channels)


def _folds(offsets: Sequence[int]) -> dict[int, int]:
    """Fold of each block: its run, or a contiguous stretch of the only run."""
    if len(offsets) > 2:
        return {
            block: run
            for run, (first, last) in enumerate(zip(offsets, offsets[1:], strict=False))
            for block in range(first, last)
        }
    n = offsets[1]
    return {block: block * min(FOLDS, n) // n for block in range(n)}


# ------------------------------------------------------------------------------------ validation
Periods = dict[tuple[int, str], FloatArray]
"""Block and true class of a cued period → probability of each class of the paradigm."""


def _held_out(stream: _Stream, folds: Mapping[int, int], paradigm: Paradigm) -> Periods:
    """What a stream says of each period by a decoder that has not seen it."""
    fold_of = np.array([folds[block] for block in stream.blocks.tolist()])
    order = [str(name) for name in paradigm.classes]
    periods: Periods = {}
    for fold in np.unique(fold_of).tolist():
        test = fold_of == fold
        # A fold that leaves a class without training data judges no decoder that anybody would use.
        if set(stream.labels[~test].tolist()) != set(order):
            continue
        decoder = stream.fresh().fit_summaries(
            stream.summaries[~test], stream.labels[~test], blocks=stream.blocks[~test]
        )
        scores = decoder.scores_of(stream.summaries[test])
        columns = [decoder.class_names.index(name) for name in order]
        keys = list(zip(stream.blocks[test].tolist(), stream.labels[test].tolist(), strict=True))
        for key in sorted(set(keys)):
            rows = [row for row, other in enumerate(keys) if other == key]
            # Windows of one period overlap and are not independent: they vote by their mean and count once.
            mean = scores[rows].mean(axis=0)[columns]
            periods[int(key[0]), str(key[1])] = _softmax(mean)
    return periods


def _softmax(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max())
    probabilities: FloatArray = powers / powers.sum()
    return probabilities


def _area(periods: Periods, classes: Sequence[str]) -> float:
    """Area under the ROC curve over held-out periods, mean over classes against the others."""
    if not periods:
        raise BadSignal(Message("fit.no_window", classes=sorted(classes)))
    truth = np.array([label for _, label in periods])
    probabilities = np.array([*periods.values()])
    return float(
        np.mean([analysis.auc(probabilities[:, k], truth == name).value for k, name in enumerate(classes)])
    )


def _counted(decoder: JoinedDecoder, held_out: Mapping[str, Periods], paradigm: Paradigm) -> dict[str, Any]:
    """Confusion and accuracy of what the streams say together of periods that none of them had seen.

    Weights come from the same periods, one number a stream; they favour the figure by little, not by nothing.
    """
    names = [str(name) for name in paradigm.classes]
    shared = set.intersection(*(set(periods) for periods in held_out.values()))
    counts = [[0] * len(names) for _ in names]
    for key in sorted(shared):
        said = {role: Evidence(0, tuple(periods[key].tolist())) for role, periods in held_out.items()}
        guess = _guess(decoder, said, names, rest=str(paradigm.params().get("rest", "")))
        if guess:
            counts[names.index(key[1])][names.index(guess)] += 1
    total = sum(map(sum, counts))
    correct = sum(counts[k][k] for k in range(len(names)))
    interval = analysis.wilson(correct, total) if total else None
    return {
        "n": total,
        "correct": correct,
        "accuracy": correct / total if total else None,
        "interval": None if interval is None else list(interval),
        "chance_limit": analysis.chance_limit(total, classes=len(names)) if total else None,
        "classes": names,
        "confusion": [{"run": 1, "labels": names, "counts": counts}],
        "unit": "cued period",
        # What a decoder of one stream has beside it and this one has not.
        **dict.fromkeys(("adapts", "weights", "held_out", "within_runs")),
    }


def _guess(decoder: JoinedDecoder, said: Mapping[str, Evidence], names: Sequence[str], *, rest: str) -> str:
    """Class of a period; where a gate is closed it is rest, or none where the paradigm has no rest."""
    if decoder.gates:
        closed = any(
            said[role].probabilities[list(names).index(opens)] < least
            for role, (opens, least) in decoder.gates.items()
        )
        together = said[SIGNAL]
        if closed:
            return rest if rest in names else ""
    else:
        together = fuse([said[role] for role in decoder.members], [decoder.weights[r] for r in decoder.members])
    return names[int(np.argmax(together.probabilities))]
