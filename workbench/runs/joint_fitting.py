"""Fitting a decoder of several streams on recorded runs: each stream's own decoder, and what joins them.

Windows are named by the paradigm on the signal. In another stream a window ends with the last sample that belongs
to the same moment (:mod:`workbench.signals.alignment`); windows where that stream has a gap, or nothing, are left
out of it. What is counted is one cued period, as in :mod:`workbench.runs.fitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench import analysis, decoders
from workbench.decoders import JoinedDecoder, Training, WindowDecoder, fuse, fusion_weights
from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.runs.fitting import FOLDS, MOST_PERIODS, Votes, adapts_of, common_plan, figures_of, file_fit
from workbench.runs.held_out import HeldOut
from workbench.runs.signal_checks import Looked, found, windows_beside
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Chunk, Evidence, FloatArray, Marker, Montage

SIGNAL = "signal"

Window = tuple[int, str, int]
"""End, class and period of a training window."""

Rows = NDArray[np.bool_] | slice

Picks = Mapping[str, tuple[int, ...]]
"""Role → channels of the signal, by number from 0."""


class Period(NamedTuple):
    """A cued period: its number, unique over the runs, and its class."""

    number: int
    label: str

    def __str__(self) -> str:
        """As the fit of one stream names it, so that any two decoders are compared on it."""
        return f"{self.number} {self.label}"


Said = dict[Period, list[Evidence]]
"""What one stream says of each period: one evidence of its classes, or that of each window where it is a gate."""


@dataclass(frozen=True)
class _Stream:
    """Windows of one stream of all runs; ``blocks`` are the numbers of their periods."""

    summaries: FloatArray
    labels: NDArray[Any]
    blocks: NDArray[np.int64]
    skipped: int

    @property
    def runs(self) -> NDArray[np.int64]:
        """``(n,)`` int64: run of each window."""
        return self.blocks // MOST_PERIODS

    @property
    def looked(self) -> Looked:
        """The windows as the checks of the signal take them."""
        return Looked(self.summaries, self.labels, self.blocks, self.runs)


@dataclass(frozen=True)
class _Way:
    """How a decoder of several streams is made of their windows.

    Attributes
    ----------
    member : role, windows and rows of them → the decoder of that stream.
    join : members by role and the areas of those that vote → the decoder.
    picks : channels of the signal of each role that reads them, see :class:`JoinedDecoder`.
    """

    member: Callable[[str, _Stream, Rows], WindowDecoder]
    join: Callable[[Mapping[str, WindowDecoder], Mapping[str, float]], JoinedDecoder]
    picks: Picks


def fit_joint(
    study_folder: Path | str,
    recordings: Sequence[Path | str],
    name: str,
    params: Mapping[str, Any],
    *,
    last: Path | str | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Fit a decoder of several streams on recorded runs and save it as ``STUDY/decoders/<hash>``.

    Parameters
    ----------
    study_folder : of the study.
    recordings : runs of one paradigm and the same montages.
    name : one of :data:`workbench.decoders.JOINT_RULES`.
    params : ``members``: role → ``{"decoder": name, "params": {…}}``, with the role ``"signal"``; one that has
        ``"channels": [name, …]`` too reads these of the signal and needs no stream; ``critical`` roles, all by
        default; ``gates`` for gating: role → what opens it, see :class:`JoinedDecoder`.
    last : folder of the decoder that was approved last, to be compared on the same runs; None for none.
    progress : called with the share of the work that is done, 0–1.

    Returns
    -------
    dict
        As :func:`workbench.runs.fitting.fit`; ``metrics`` also has ``streams``: by role the area under the ROC
        curve on held-out periods and the weight, and for a gate ``opened``, by class the held-out periods in which
        it opened and their number. The weights of late fusion follow from the areas, also in what was decided on
        what was held out.

    Raises
    ------
    BadValue, BadSignal, RecordingFault
        Runs or roles that do not go together, no valid window, no stream better than chance.
    """
    _check(params)
    runs = [RunFile(path) for path in recordings]
    signal, paradigm = common_plan(runs)
    picks = _picks(params["members"], signal)
    fresh = {role: _fresh(runs, role, one, paradigm, picks) for role, one in params["members"].items()}

    def member(role: str, stream: _Stream, rows: Rows) -> WindowDecoder:
        labels, blocks = stream.labels[rows], stream.blocks[rows]
        return fresh[role]().fit_summaries(stream.summaries[rows], labels, blocks=blocks, runs=stream.runs[rows])

    def join(members: Mapping[str, WindowDecoder], areas: Mapping[str, float]) -> JoinedDecoder:
        weights = fusion_weights([*areas.values()]) if name == "late_fusion" else ()
        critical = params.get("critical")
        return JoinedDecoder(
            name,
            members,
            weights=dict(zip(areas, weights, strict=False)),
            gates=params.get("gates") or {},
            critical=None if critical is None else tuple(critical),
            picks=picks,
        )

    prepared = {role: make() for role, make in fresh.items()}
    decoder, metrics = _made(_Way(member, join, picks), prepared, runs, paradigm, last=last, progress=progress)
    metrics["params"] = dict(params)
    return _filed(study_folder, runs, decoder, paradigm, metrics=metrics)


def recentre_joint(
    study_folder: Path | str,
    runs: Sequence[RunFile],
    origin: JoinedDecoder,
    last: Path,
    *,
    progress: Callable[[float], None],
) -> dict[str, Any]:
    """Move the centres of a decoder of several streams to other runs, as :func:`workbench.runs.fitting.recentre`.

    Streams whose decoder has no centre, such as the phase of a cycle, stay as they were fitted; weights and gates
    stay too.

    Parameters
    ----------
    study_folder, progress : as there.
    runs : read. origin, last : the decoder, and its folder.

    Raises
    ------
    BadValue, BadSignal, RecordingFault, DecoderMismatch
        As there; also where the decoder of the signal has no centre.
    """
    if not origin.members[SIGNAL].movable:
        raise BadValue(Message("decoder.no_centre", decoder=origin.members[SIGNAL].name))
    _, paradigm = common_plan(runs)
    decoders.check_inputs(origin, _montages(runs, origin.inputs))

    def member(role: str, stream: _Stream, rows: Rows) -> WindowDecoder:
        own = origin.members[role]
        if not own.movable:
            return own
        return own.recentred_on(stream.summaries[rows], stream.labels[rows], blocks=stream.blocks[rows])

    def join(members: Mapping[str, WindowDecoder], areas: Mapping[str, float]) -> JoinedDecoder:
        return replace(origin, members=members, sha256_="")

    way = _Way(member, join, origin.picks)
    decoder, metrics = _made(way, origin.members, runs, paradigm, last=last, progress=progress)
    metrics["recentred_from"] = origin.sha256_
    metrics["recentred"] = [role for role, one in origin.members.items() if one.movable]
    before = decoders.recordings_in(last)
    return _filed(study_folder, runs, decoder, paradigm, metrics=metrics, before=before)


def votes_of(decoder: JoinedDecoder, runs: Sequence[RunFile], paradigm: Paradigm) -> Votes:
    """What a fitted decoder of several streams says of each cued period of recorded runs: whether it is right.

    Parameters
    ----------
    decoder : as it is.
    runs, paradigm : of a calibration.

    Raises
    ------
    BadValue, BadSignal, DecoderMismatch
        Runs without its streams or with other montages, no valid window.
    """
    decoders.check_inputs(decoder, _montages(runs, decoder.inputs))
    named = _named_in(runs, paradigm, decoder.members)
    streams = _streams(runs, named, decoder.members, paradigm, decoder.picks)
    said = {role: _said(role, member, streams[role], slice(None)) for role, member in decoder.members.items()}
    return {str(period): period.label == guess for period, guess in _guesses(decoder, said, paradigm)}


def _check(params: Mapping[str, Any]) -> None:
    """Raise BadValue unless the parameters are those of a decoder of several streams."""
    members, gates = params.get("members"), params.get("gates") or {}
    well_formed = (
        not set(params) - {"members", "critical", "gates"}
        and isinstance(members, Mapping)
        and SIGNAL in members
        and all(isinstance(member, Mapping) for member in members.values())
        and all(isinstance(member.get("channels", []), list | tuple) for member in members.values())
        and "channels" not in members[SIGNAL]
        and isinstance(gates, Mapping)
        and all(isinstance(gate, Sequence) and len(gate) == 2 for gate in gates.values())
    )
    if not well_formed:
        raise BadValue(Message("fit.joint", got=repr(dict(params))[:200]))


def _montages(runs: Sequence[RunFile], roles: Iterable[str]) -> dict[str, Montage]:
    return {role: common_plan(runs, role)[0] for role in roles}


def _made(
    way: _Way,
    prepared: Mapping[str, WindowDecoder],
    runs: Sequence[RunFile],
    paradigm: Paradigm,
    *,
    last: Path | str | None,
    progress: Callable[[float], None],
) -> tuple[JoinedDecoder, dict[str, Any]]:
    """A decoder of all windows of the runs, and what its validation says of it.

    Parameters
    ----------
    way : makes it.
    prepared : by role, with filters and windows.
    runs, paradigm : the data.
    last : folder of a decoder to compare with, None for none.
    progress : as in :func:`fit_joint`.
    """
    named = _named_in(runs, paradigm, prepared)
    streams = _streams(runs, named, prepared, paradigm, way.picks)
    parts, said = _held_out(way, streams, _folds(named), paradigm, progress=lambda share: progress(share / 2))
    areas = {role: _area(said[role], paradigm.classes) for role, one in prepared.items() if _votes(role, one)}
    joined = [(way.join(part.members, areas), part.periods) for part in parts]
    held_out = _decided(joined, runs, named[SIGNAL], paradigm, progress=lambda share: progress((1 + share) / 2))
    members = {role: way.member(role, stream, slice(None)) for role, stream in streams.items()}
    decoder = way.join(members, areas)
    guesses = _guesses(decoder, said, paradigm)
    metrics = _counted(guesses, paradigm) | {
        "held_out": held_out,
        "validation": Message("fit.leave_one_run_out") if len(runs) > 1 else Message("fit.blocks", n=FOLDS),
        "windows": len(streams[SIGNAL].labels),
        "skipped": sum(stream.skipped for stream in streams.values()),
        "adapts": adapts_of(decoder),
        "signal": found(decoder.members[SIGNAL], streams[SIGNAL].looked, runs, paradigm, inputs=decoder.inputs),
        "streams": {
            role: {"auc": areas.get(role), "weight": decoder.weights.get(role)} | _opened(decoder, role, each)
            for role, each in said.items()
        },
    }
    if last is not None:
        from workbench.runs.comparing import compare

        votes: Votes = {str(period): period.label == guess for period, guess in guesses}
        metrics["compared"] = compare(votes, Path(last), runs, paradigm)
    return decoder, metrics


def _opened(decoder: JoinedDecoder, role: str, said: Said) -> dict[str, Any]:
    """By class, in how many held-out periods a gate opened, and of how many."""
    if role not in decoder.gates:
        return {}
    opened: dict[str, list[int]] = {}
    for period, evidence in said.items():
        count = opened.setdefault(period.label, [0, 0])
        count[0] += decoder.opens(role, evidence)
        count[1] += 1
    return {"opened": opened}


def _filed(
    study: Path | str, runs: Sequence[RunFile], decoder: JoinedDecoder, paradigm: Paradigm, **found: Any
) -> dict[str, Any]:
    """Save a decoder of several streams with what its fit found."""
    save = partial(decoders.save_joined, decoder, montages=_montages(runs, decoder.inputs))
    return file_fit(Path(study), runs, save, name=decoder.name, paradigm=paradigm, **found)


# ------------------------------------------------------------------------------------ windows
def _named_in(
    runs: Sequence[RunFile], paradigm: Paradigm, prepared: Mapping[str, WindowDecoder]
) -> dict[str, list[list[Window]]]:
    """By role, windows of each run that the paradigm names; no two runs share the number of a period."""
    # Long enough for each stream of classes, so that no window of any begins before its cue. What only opens and
    # closes is not of a class, and may look back as far as it needs.
    window_s = max(one.settings.window_s for one in prepared.values() if one.evidence_type.has_classes)
    hop_s = prepared[SIGNAL].settings.hop_s

    def named(window_s: float) -> list[list[Window]]:
        return [
            _named(run, paradigm, window_s=window_s, hop_s=hop_s, first=at * MOST_PERIODS)
            for at, run in enumerate(runs)
        ]

    common = named(window_s)
    if prepared[SIGNAL].evidence_type.has_classes:
        return dict.fromkeys(prepared, common)
    # A signal that is let through, such as a phase, looks back much further than those that open for it.
    return dict.fromkeys(prepared, common) | {SIGNAL: named(prepared[SIGNAL].settings.window_s)}


def _votes(role: str, decoder: WindowDecoder) -> bool:
    """Whether the windows of a stream vote for a class; those of the signal do, whatever its evidence is."""
    return role == SIGNAL or decoder.evidence_type.has_classes


def _streams(
    runs: Sequence[RunFile],
    named: Mapping[str, Sequence[Sequence[Window]]],
    prepared: Mapping[str, WindowDecoder],
    paradigm: Paradigm,
    picks: Picks,
) -> dict[str, _Stream]:
    """Windows of each stream, and of what is read of the signal's channels.

    Parameters
    ----------
    runs, named, paradigm : the data.
    prepared : decoders by role. picks : channels of the signal that they read.
    """
    streams = {}
    for role, decoder in prepared.items():
        parts = [
            _collected(run, role, decoder, windows, picks.get(role))
            for run, windows in zip(runs, named[role], strict=True)
        ]
        streams[role] = _Stream(
            np.concatenate([part.summaries for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.blocks for part in parts]),
            sum(part.skipped for part in parts),
        )
        if missing := set(paradigm.classes) - set(streams[role].labels.tolist()):
            raise BadSignal(Message("fit.no_window", classes=sorted(missing)))
    return streams


def _fresh(
    runs: Sequence[RunFile], role: str, member: Mapping[str, Any], paradigm: Paradigm, picks: Picks
) -> Callable[[], WindowDecoder]:
    """How the decoder of a stream is made, with its filters and windows.

    Parameters
    ----------
    runs, paradigm : the data. role, member : its role and parameters.
    picks : channels of the signal that some roles read.
    """
    montage, _ = common_plan(runs, SIGNAL if role in picks else role)
    name, params = str(member.get("decoder")), {"fs": montage.fs, **dict(member.get("params") or {})}
    kind = decoders.load(name)
    try:
        kind(**params)
    except TypeError as error:
        raise BadValue(Message("fit.parameters", decoder=name, why=str(error))) from error
    n_channels = len(picks.get(role, montage.channels))
    return lambda: kind(**params).prepare_for(n_channels, stretch_s=paradigm.stretch_s)


def _named(run: RunFile, paradigm: Paradigm, *, window_s: float, hop_s: float, first: int) -> list[Window]:
    """Windows that the paradigm names in a run, whose periods are numbered from ``first``."""
    cues, n = locate_cues(run.items(), fs=run.signal.fs)
    named = paradigm.training_windows(cues, fs=run.signal.fs, window_s=window_s, hop_s=hop_s)
    complete = [(end, label, first + block) for end, label, block in named if end <= n]
    if not complete:
        raise BadSignal(Message("fit.no_cue", file=run.path.name, conditions=paradigm.conditions))
    return complete


def _collected(
    run: RunFile, role: str, decoder: WindowDecoder, windows: Sequence[Window], numbers: Sequence[int] | None
) -> Training:
    """Training windows of one stream of one run, or of these channels of its signal."""
    if role != SIGNAL and numbers is None:
        return windows_beside(run, role, decoder, windows)
    items = run.items() if numbers is None else _picked(run, numbers)
    return decoders.collect(decoder, items, windows, n_channels=decoder.n_channels_in_)


def _picked(run: RunFile, numbers: Sequence[int]) -> Iterator[Chunk | Marker]:
    """The signal of a run, some of its channels."""
    for item in run.items():
        yield replace(item, samples=item.samples[:, list(numbers)]) if isinstance(item, Chunk) else item


def _picks(members: Mapping[str, Any], signal: Montage) -> Picks:
    """Numbers of the channels that the members read of the signal, where they name any."""
    picks = {}
    for role, names in ((role, one["channels"]) for role, one in members.items() if "channels" in one):
        if not names or len(set(names)) != len(names) or not set(names) <= set(signal.channels):
            channels = list(signal.channels)
            raise BadValue(Message("fit.channels_of_signal", role=repr(role), channels=channels, got=list(names)))
        picks[role] = tuple(signal.channels.index(name) for name in names)
    return picks


def _folds(named: Mapping[str, Sequence[Sequence[Window]]]) -> dict[int, int]:
    """Fold of each period: its run, or a contiguous stretch of the only run."""
    periods = sorted({period for of_role in named.values() for windows in of_role for _, _, period in windows})
    if len(named[SIGNAL]) > 1:
        return {period: period // MOST_PERIODS for period in periods}
    n = periods[-1] + 1
    return {period: period * min(FOLDS, n) // n for period in periods}


# ------------------------------------------------------------------------------------ validation
@dataclass(frozen=True)
class _Part:
    """A part of the validation: decoders that have not seen some periods."""

    members: Mapping[str, WindowDecoder]
    periods: frozenset[int]


def _held_out(
    way: _Way,
    streams: Mapping[str, _Stream],
    folds: Mapping[int, int],
    paradigm: Paradigm,
    *,
    progress: Callable[[float], None],
) -> tuple[list[_Part], dict[str, Said]]:
    """The parts in which every stream could be fitted, and what each stream says of periods that it has not seen.

    Parameters
    ----------
    way : makes a decoder of some windows.
    streams, folds, paradigm : the data.
    progress : called with the share of the work that is done, 0–1.
    """
    said: dict[str, Said] = {role: {} for role in streams}
    parts = []
    numbers = sorted(set(folds.values()))
    for at, fold in enumerate(numbers):
        progress(at / len(numbers))
        held = frozenset(period for period, own in folds.items() if own == fold)
        members = {}
        for role, stream in streams.items():
            test = np.isin(stream.blocks, list(held))
            # A fold that leaves a class without training data judges no decoder that anybody would use.
            if test.any() and set(stream.labels[~test].tolist()) == set(paradigm.classes):
                members[role] = way.member(role, stream, ~test)
                said[role] |= _said(role, members[role], stream, test)
        if len(members) == len(streams):
            parts.append(_Part(members, held))
    return parts, said


def _decided(
    joined: Sequence[tuple[JoinedDecoder, frozenset[int]]],
    runs: Sequence[RunFile],
    named: Sequence[Sequence[Window]],
    paradigm: Paradigm,
    *,
    progress: Callable[[float], None],
) -> dict[str, Any] | None:
    """What the streams would have decided together, see :meth:`HeldOut.figures`.

    Parameters
    ----------
    joined : decoders, each with the periods that none of its members has seen.
    runs, named, paradigm : the data.
    progress : called with the share of the work that is done, 0–1.
    """
    held_out = HeldOut(paradigm, runs[0].signal.fs)
    for at, (decoder, held) in enumerate(joined):
        progress(at / len(joined))
        for run, windows in zip(runs, named, strict=True):
            periods = np.array([period if period in held else -1 for *_, period in windows])
            if (periods >= 0).any():
                held_out.add(run, decoder, np.array([end for end, *_ in windows]), periods)
    return held_out.figures()


def _said(role: str, decoder: WindowDecoder, stream: _Stream, rows: Rows) -> Said:
    """What a stream says of the periods of some windows; probabilities are in the order of its classes."""
    summaries, of_classes = stream.summaries[rows], _votes(role, decoder)
    scores = decoder.scores_of(summaries) if of_classes else np.empty((0, 0))
    each = [] if of_classes else decoder.evidence_of(summaries)
    periods = [
        Period(int(block), str(label))
        for block, label in zip(stream.blocks[rows].tolist(), stream.labels[rows].tolist(), strict=True)
    ]
    said: Said = {}
    for period in sorted(set(periods)):
        own = [row for row, other in enumerate(periods) if other == period]
        if of_classes:
            # Windows of one period overlap and are not independent: they vote by their mean and count once.
            said[period] = [Evidence(0, _softmax(scores[own].mean(axis=0)))]
        else:
            said[period] = [each[row] for row in own]
    return said


def _softmax(scores: FloatArray) -> tuple[float, ...]:
    powers = np.exp(scores - scores.max())
    return tuple((powers / powers.sum()).tolist())


def _area(said: Said, classes: Sequence[str]) -> float:
    """Area under the ROC curve over held-out periods, mean over classes against the others."""
    if not said:
        raise BadSignal(Message("fit.no_window", classes=sorted(classes)))
    truth = np.array([period.label for period in said])
    probabilities = np.array([evidence.probabilities for (evidence,) in said.values()])
    areas = [analysis.auc(probabilities[:, sorted(classes).index(name)], truth == name) for name in classes]
    return float(np.mean([area.value for area in areas]))


def _guesses(decoder: JoinedDecoder, said: Mapping[str, Said], paradigm: Paradigm) -> list[tuple[Period, str]]:
    """What the streams say together of each period that all of them know; periods without a guess are left out."""
    rest = str(paradigm.params().get("rest", ""))
    guesses = []
    for period in sorted(set.intersection(*(set(periods) for periods in said.values()))):
        guess = _guess(decoder, {role: periods[period] for role, periods in said.items()}, rest=rest)
        if guess:
            guesses.append((period, guess))
    return guesses


def _guess(decoder: JoinedDecoder, said: Mapping[str, Sequence[Evidence]], *, rest: str) -> str:
    """Class of a period; where a gate never opened it is rest, or none where the paradigm has no rest."""
    together = said[SIGNAL][0]
    if not decoder.gates:
        each = [said[role][0] for role in decoder.members]
        together = fuse(each, [decoder.weights[role] for role in decoder.members])
    elif not all(decoder.opens(role, said[role]) for role in decoder.gates):
        return rest if rest in decoder.class_names else ""
    return decoder.class_names[int(np.argmax(together.probabilities))]


def _counted(guesses: Sequence[tuple[Period, str]], paradigm: Paradigm) -> dict[str, Any]:
    """Confusion and accuracy of what the streams say together of periods that none of them had seen.

    Weights come from the same periods, one number a stream; they favour the figure by little, not by nothing.
    """
    names = [str(name) for name in paradigm.classes]
    counts = [[0] * len(names) for _ in names]
    for period, guess in guesses:
        counts[names.index(period.label)][names.index(guess)] += 1
    figures = figures_of([{"run": 1, "labels": names, "counts": counts}], names)
    # What a decoder of one stream has beside it and this one has not.
    return figures | dict.fromkeys(("weights", "within_runs"))
