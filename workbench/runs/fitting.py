"""Fitting, in a process of its own: ``python -m workbench.runs.fitting '{"study_folder": …}'``.

The windows that the paradigm names are filtered as the stream filters them, over the continuous recording.
Accuracy is cross-validated by run, or by contiguous blocks of one run; what is counted is one cued period
(an attempt or a rest), never overlapping windows, so that n is honest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench import analysis, decoders, paradigms, world
from workbench.decoders import JoinedDecoder, Training, WindowDecoder
from workbench.errors import BadSignal, BadValue, Refused, WorkbenchError
from workbench.live import _wire
from workbench.messages import Message, carried
from workbench.paradigms import Paradigm
from workbench.recording import RunFile, file_sha256
from workbench.runs.held_out import HeldOut
from workbench.runs.signal_checks import Looked, found
from workbench.signals.cues import locate_cues
from workbench.signals.units import montage_of
from workbench.study import Study, stores
from workbench.study.changes import consents
from workbench.vocabulary import FloatArray, Montage, Trial

MOST_PERIODS = 1_000_000
"""More cued periods than a run has."""
FOLDS = 5
"""Contiguous blocks of a single run in its cross-validation."""


Votes = Mapping[Hashable, bool]
"""Cued period or choice → whether it was taken for what it is."""


@dataclass(frozen=True)
class Windows:
    """Windows of all runs: summaries, classes, period (unique over runs), end within its run in samples, run.

    ``cued`` numbers the cued period by its cue, the same for every decoder, however long its windows are.
    """

    summaries: FloatArray
    labels: NDArray[Any]
    blocks: NDArray[np.int64]
    cued: NDArray[np.int64]
    ends: NDArray[np.int64]
    runs: NDArray[np.int64]
    skipped: int


class Make(Protocol):
    """Makes a decoder: a fit, or one that is re-centred."""

    def __call__(self, windows: Windows, rows: NDArray[np.bool_] | slice) -> WindowDecoder:
        """From some of the windows."""


class Save(Protocol):
    """Writes a fitted decoder."""

    def __call__(self, folder: Path, *, meta: Mapping[str, Any]) -> str:
        """To a folder, with facts about the fit; returns its hash."""


def fit(
    study_folder: Path | str,
    recordings: Sequence[Path | str],
    decoder_name: str,
    params: Mapping[str, Any] | None = None,
    *,
    last: Path | str | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Fit a decoder on recorded runs and save it as ``STUDY/decoders/<hash>``.

    Parameters
    ----------
    recordings : runs of one paradigm and one montage.
    decoder_name, params : the decoder; ``fs`` is that of the recordings. For a decoder of several streams see
        :func:`workbench.runs.joint_fitting.fit_joint`.
    last : folder of the decoder that was approved last, to be compared on the same runs; None for none.
    progress : called with the share of the work that is done, 0–1.

    Returns
    -------
    dict
        ``sha256``, ``name``, ``folder``, ``recordings`` (their hashes) and ``metrics``: ``validation``,
        ``n``, ``correct``, ``accuracy``, ``interval``, ``chance_limit``, ``confusion`` (one
        ``{"run", "labels", "counts"}`` a fold), ``within_runs`` (the same from blocks within each of two runs,
        None for one run and for more), ``windows``, ``skipped``, ``weights``, ``params`` (as asked for),
        ``adapts`` (``{"rule", "bound"}``, None for a decoder that stays as it was fitted; the accuracy is that of
        the fit), ``signal`` (see :func:`workbench.runs.signal_checks.found`), ``held_out`` (what was decided on
        what was held out, see :meth:`HeldOut.figures`), and where a last one is given ``compared`` (see
        :func:`workbench.runs.comparing.compare`).

    Raises
    ------
    BadValue, BadSignal, RecordingFault
        Runs that do not go together, no valid window, a recording that cannot be read.
    """
    if not recordings:
        raise BadValue(Message("fit.no_recording"))
    if decoder_name in decoders.JOINT_RULES:
        from workbench.runs.joint_fitting import fit_joint

        return fit_joint(study_folder, recordings, decoder_name, params or {}, last=last, progress=progress)
    runs = [RunFile(path) for path in recordings]
    montage, paradigm = common_plan(runs)
    requested = {"fs": montage.fs, **(params or {})}
    if float(requested["fs"]) != montage.fs:
        raise BadValue(Message("fit.other_rate", got=str(requested["fs"]), fs=f"{montage.fs:g}"))
    n_channels = len(montage.channels)

    def fresh() -> WindowDecoder:
        return prepared(decoder_name, requested, paradigm, n_channels=n_channels)

    def make(windows: Windows, rows: NDArray[np.bool_] | slice) -> WindowDecoder:
        summaries, labels = windows.summaries[rows], windows.labels[rows]
        return fresh().fit_summaries(summaries, labels, blocks=windows.blocks[rows], runs=windows.runs[rows])

    decoder, metrics = _made(make, fresh(), runs, paradigm, last=last, progress=progress)
    metrics["params"] = dict(params or {})
    save = partial(decoders.save, decoder, montage=montage)
    return file_fit(Path(study_folder), runs, save, name=decoder.name, paradigm=paradigm, metrics=metrics)


def recentre(
    study_folder: Path | str,
    recordings: Sequence[Path | str],
    last: Path | str,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Move the centre of a fitted decoder to recorded runs of another day, and save it as a decoder of its own.

    What tells the classes apart stays as it was fitted (:meth:`WindowDecoder.recentred_on`). It is judged as a fit
    is: each part of the runs by a decoder that was re-centred on the others.

    Parameters
    ----------
    study_folder, recordings, progress : as in :func:`fit`; the runs are of the decoder's montage.
    last : folder of the decoder.

    Returns
    -------
    dict
        As :func:`fit`; ``recordings`` begins with those of the decoder itself, whose hash is
        ``metrics["recentred_from"]``.

    Raises
    ------
    BadValue, BadSignal, RecordingFault, DecoderMismatch
        As :func:`fit`; a decoder of another montage, or without a centre that can be moved.
    """
    if not recordings:
        raise BadValue(Message("fit.no_recording"))
    runs = [RunFile(path) for path in recordings]
    montage, paradigm = common_plan(runs)
    origin = decoders.read(Path(last))
    if not isinstance(origin, WindowDecoder):
        from workbench.runs.joint_fitting import recentre_joint

        return recentre_joint(study_folder, runs, origin, Path(last), progress=progress)
    decoders.check_montage(origin, montage)

    def make(windows: Windows, rows: NDArray[np.bool_] | slice) -> WindowDecoder:
        return origin.recentred_on(windows.summaries[rows], windows.labels[rows], blocks=windows.blocks[rows])

    decoder, metrics = _made(make, origin, runs, paradigm, last=last, progress=progress)
    metrics["recentred_from"] = origin.sha256_
    before = decoders.recordings_in(Path(last))
    save = partial(decoders.save, decoder, montage=montage)
    study = Path(study_folder)
    return file_fit(study, runs, save, name=decoder.name, paradigm=paradigm, metrics=metrics, before=before)


def _made(
    make: Make,
    prepared: WindowDecoder,
    runs: Sequence[RunFile],
    paradigm: Paradigm,
    *,
    last: Path | str | None,
    progress: Callable[[float], None],
) -> tuple[WindowDecoder, dict[str, Any]]:
    """A decoder of all windows of the runs, and what its validation says of it.

    Parameters
    ----------
    make : makes one from windows.
    prepared : has its filters and windows.
    runs, paradigm : the data.
    last : folder of a decoder to compare with, None for none.
    progress : as in :func:`fit`.
    """
    n_channels = prepared.n_channels_in_
    windows = windows_of(prepared, runs, paradigm, n_channels=n_channels)
    metrics, votes = _judged(make, windows, paradigm, runs, progress=progress)
    decoder = make(windows, slice(None))
    metrics |= {"windows": len(windows.labels), "skipped": windows.skipped, "adapts": adapts_of(decoder)}
    looked = Looked(windows.summaries, windows.labels, windows.blocks, windows.runs)
    metrics["signal"] = found(decoder, looked, runs, paradigm, inputs=decoder.inputs)
    if weights := _weights(decoder, n_channels, target=paradigm.conditions[0]):
        weights["channels"] = list(common_plan(runs)[0].channels)
    metrics["weights"] = weights
    if last is not None:
        from workbench.runs.comparing import compare

        metrics["compared"] = compare(votes, Path(last), runs, paradigm)
    return decoder, metrics


def prepared(
    decoder_name: str, params: Mapping[str, Any], paradigm: Paradigm, *, n_channels: int
) -> WindowDecoder:
    """A decoder whose filters and window are those for the paradigm.

    Parameters
    ----------
    decoder_name, params : the decoder.
    paradigm : of the runs. n_channels : of the decoded stream.
    """
    try:
        decoder = decoders.load(decoder_name)(**params)
        return decoder.prepare_for(n_channels, stretch_s=paradigm.stretch_s)
    except TypeError as error:
        raise BadValue(Message("fit.parameters", decoder=decoder_name, why=str(error))) from error


def common_plan(runs: Sequence[RunFile], role: str = "signal") -> tuple[Montage, Paradigm]:
    """Montage of a decoded stream, and paradigm, that all runs share."""
    montages, settings = [], []
    for run in runs:
        line = next((line for line in run.contract if line.role == role), None)
        if line is None:
            raise BadValue(Message("fit.no_stream", file=run.path.name, role=repr(role)))
        montages.append(montage_of(line))
        settings.append((str(run.plan["paradigm"]), dict(run.plan["params"])))
    for run, montage, own in zip(runs[1:], montages[1:], settings[1:], strict=True):
        if montage != montages[0]:
            raise BadValue(Message("fit.other_montage", file=run.path.name, first=runs[0].path.name))
        if not _same(own, settings[0]):
            first, other = runs[0].path.name, settings[0][0]
            raise BadValue(
                Message("fit.other_paradigm", file=run.path.name, paradigm=own[0], first=first, other=other)
            )
    return montages[0], paradigms.from_params(*settings[0])


def _same(first: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> bool:
    """Whether two runs are of one paradigm; a parameter that one version did not know yet is not compared."""
    known = first[1].keys() & other[1].keys()
    return first[0] == other[0] and all(first[1][name] == other[1][name] for name in known)


def windows_of(decoder: WindowDecoder, runs: Sequence[RunFile], paradigm: Paradigm, *, n_channels: int) -> Windows:
    """Training windows of all runs.

    Parameters
    ----------
    decoder : prepared. runs : recordings of one montage.
    paradigm : of the runs. n_channels : of the decoded stream.
    """
    parts: list[Training] = []
    settings = decoder.settings
    for run in runs:
        fs = run.signal.fs
        cues, n = locate_cues(run.items(), fs=fs)
        named = paradigm.training_windows(cues, fs=fs, window_s=settings.window_s, hop_s=settings.hop_s)
        complete = [w for w in named if w[0] <= n]
        if not complete:
            raise BadSignal(Message("fit.no_cue", file=run.path.name, conditions=paradigm.conditions))
        parts.append(decoders.collect(decoder, run.items(), complete, n_channels=n_channels))
    # Blocks are numbered from 0 in each run; shifted so that no two runs share a number.
    offsets = np.cumsum([0, *(int(p.blocks.max()) + 1 for p in parts[:-1])])
    labels = np.concatenate([p.labels for p in parts])
    missing = set(paradigm.classes) - set(labels.tolist())
    if missing:
        raise BadSignal(Message("fit.no_window", classes=sorted(missing)))
    return Windows(
        np.concatenate([p.summaries for p in parts]),
        labels,
        np.concatenate([p.blocks + offset for p, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([p.blocks + at * MOST_PERIODS for at, p in enumerate(parts)]),
        np.concatenate([p.ends for p in parts]),
        np.concatenate([np.full(len(p.labels), at) for at, p in enumerate(parts)]),
        sum(p.skipped for p in parts),
    )


def folds_of(windows: Windows) -> tuple[NDArray[np.int64], Message]:
    """Fold of each window: its run, or a contiguous stretch of blocks of the only run."""
    if windows.runs.max() > 0:
        return windows.runs, Message("fit.leave_one_run_out")
    blocks = np.unique(windows.blocks)
    n = min(FOLDS, len(blocks))
    # Contiguous, because neighbouring blocks share drifts of the signal, which a random split would leak.
    order = np.searchsorted(blocks, windows.blocks)
    return order * n // len(blocks), Message("fit.blocks", n=n)


def _judged(
    make: Make,
    windows: Windows,
    paradigm: Paradigm,
    runs: Sequence[RunFile],
    *,
    progress: Callable[[float], None],
) -> tuple[dict[str, Any], Votes]:
    """Figures of the cross-validation, those within runs, and what it would have decided; and trial by trial.

    Parameters
    ----------
    make : makes a decoder from windows.
    windows, paradigm, runs : the data.
    progress : as in :func:`fit`.
    """
    folds, validation = folds_of(windows)
    held_out = HeldOut(paradigm, runs[0].signal.fs)
    # Almost all of the time goes into the parts of the validation; each part, and the last fit, count alike.
    steps = len(np.unique(folds)) + (2 * FOLDS if windows.runs.max() == 1 else 0) + 1
    done = 0

    def step(decoder: WindowDecoder, test: NDArray[np.bool_]) -> None:
        nonlocal done
        done += 1
        progress(done / steps)

    def decoded(decoder: WindowDecoder, test: NDArray[np.bool_]) -> None:
        for at, run in enumerate(runs):
            own = windows.runs == at
            if test[own].any():
                held_out.add(run, decoder, windows.ends[own], np.where(test, windows.blocks, -1)[own])
        step(decoder, test)

    metrics, votes = _validated(make, windows, folds, paradigm.classes, also=decoded)
    metrics["validation"] = validation
    within = _within_runs(make, windows, paradigm.classes, also=step)
    if paradigm.selects:
        # One window says little: what is approved is what the windows of a choice say together.
        metrics |= _of_choices(held_out.trials, paradigm)
        votes = held_out.choices()
        within = None
    return metrics | {"within_runs": within, "held_out": held_out.figures()}, votes


def _of_choices(trials: Sequence[Trial], paradigm: Paradigm) -> dict[str, Any]:
    """Figures of held-out choices, decided as they would have been online."""
    items = paradigm.choices(paradigm.classes)
    judged, crossed = analysis.accuracy(trials, items), analysis.confusion(trials, items, run="1")
    return {
        "n": judged.n,
        "correct": judged.correct,
        "accuracy": judged.value,
        "interval": None if judged.interval is None else list(judged.interval),
        "chance_limit": judged.limit,
        "classes": list(items),
        "confusion": [
            {
                "run": 1,
                "labels": list(crossed.labels),
                "counts": [list(row) for row in crossed.counts],
                "undecided": list(crossed.undecided),
            }
        ],
        "unit": "choice",
    }


def _within_runs(
    make: Make,
    windows: Windows,
    classes: Sequence[str],
    *,
    also: Callable[[WindowDecoder, NDArray[np.bool_]], None],
) -> dict[str, Any] | None:
    """Of two runs, the figure from contiguous blocks of each run as well; None for one run, and for more than two.

    To leave one of two runs out is to fit on half of the data. Blocks within the runs judge a fit on nearly all of
    it, but never one on a run that it has not seen: both figures stand side by side.
    """
    if windows.runs.max() != 1:
        return None
    fold = np.empty(len(windows.labels), dtype=np.int64)
    for run in (0, 1):
        own = windows.runs == run
        blocks = np.unique(windows.blocks[own])
        order = np.searchsorted(blocks, windows.blocks[own])
        fold[own] = run * FOLDS + order * FOLDS // len(blocks)
    figures, _ = _validated(make, windows, fold, classes, also=also)
    return figures | {"validation": Message("fit.blocks_of_each_run", n=FOLDS)}


def _validated(
    make: Make,
    windows: Windows,
    folds: NDArray[np.int64],
    classes: Sequence[str],
    *,
    also: Callable[[WindowDecoder, NDArray[np.bool_]], None],
) -> tuple[dict[str, Any], Votes]:
    """Confusion by fold, accuracy with interval and chance limit; one prediction a cued period, also one by one.

    ``also`` is called with the decoder of each fold and the windows ``(n,)`` bool that it has not seen.
    """
    names = [str(c) for c in classes]
    tables = []
    votes: dict[Hashable, bool] = {}
    for fold in np.unique(folds).tolist():
        test = folds == fold
        # A fold that leaves a class without training data judges no decoder that anybody would use.
        if set(windows.labels[~test].tolist()) != set(names):
            continue
        decoder = make(windows, ~test)
        also(decoder, test)
        counts, own = crossed(decoder, windows, test, names)
        votes |= own
        tables.append({"run": fold + 1, "labels": names, "counts": counts})
    return figures_of(tables, names), votes


def crossed(
    decoder: WindowDecoder, windows: Windows, test: NDArray[np.bool_], names: Sequence[str]
) -> tuple[list[list[int]], dict[Hashable, bool]]:
    """Cued periods by what they are (rows) and what a decoder takes them for, and which of them are right.

    Parameters
    ----------
    decoder : fitted. windows : of all periods.
    test : ``(n,)`` bool, those that count. names : the classes, in the order of rows and columns.
    """
    counts = [[0] * len(names) for _ in names]
    votes: dict[Hashable, bool] = {}
    for period, truth, guess in decided(decoder, windows, test):
        counts[names.index(truth)][names.index(guess)] += 1
        votes[period] = truth == guess
    return counts, votes


def figures_of(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Accuracy of a validation with interval and chance limit, beside its confusion by fold.

    ``tables`` are ``{"run", "labels", "counts"}`` of each fold, ``names`` the classes in the order of their rows.
    """
    total = sum(sum(map(sum, table["counts"])) for table in tables)
    correct = sum(table["counts"][at][at] for table in tables for at in range(len(names)))
    interval = analysis.wilson(correct, total) if total else None
    return {
        "n": total,
        "correct": correct,
        "accuracy": correct / total if total else None,
        "interval": None if interval is None else list(interval),
        "chance_limit": analysis.chance_limit(total, classes=len(names)) if total else None,
        "classes": list(names),
        "confusion": list(tables),
        "unit": "cued period",
    }


def decided(
    decoder: WindowDecoder, windows: Windows, test: NDArray[np.bool_]
) -> Iterator[tuple[Hashable, str, str]]:
    """What each cued period is, and what a decoder takes it for: ``(period, truth, guess)``.

    Parameters
    ----------
    decoder : fitted; the windows are as it wants them.
    windows : of all periods. test : ``(n,)`` bool, those that count.
    """
    scores = decoder.scores_of(windows.summaries[test])
    order = [str(c) for c in decoder.classes_]
    labels = windows.labels[test]
    # One block may contain an attempt and the rest after it: these are two periods.
    periods = np.array([f"{k} {name}" for k, name in zip(windows.cued[test], labels, strict=True)])
    for period in np.unique(periods):
        rows = periods == period
        # Windows of one period overlap and are not independent: they vote by their mean and count once.
        yield str(period), str(labels[rows][0]), order[int(np.argmax(scores[rows].mean(axis=0)))]


def _weights(decoder: WindowDecoder, n_channels: int, *, target: str) -> dict[str, Any] | None:
    """Weight of each band and derivation for the target class, where the decoder has one weight a lane; else None.

    A positive weight says that more power speaks for the target, whatever the order of the classes.
    """
    weights = getattr(decoder, "weights_", None)
    bands = decoder.feature_bands()
    # Weights of a value speak for a way of moving or a level, not for a class.
    if decoder.evidence_type.kind != "probabilities":
        return None
    if weights is None or weights.ndim != 2 or weights.shape[1] % len(bands):
        return None
    names = [str(name) for name in decoder.classes_]
    if target not in names:
        return None
    at = names.index(target)
    if len(weights) > 1:
        contrast = weights[at] - np.delete(weights, at, axis=0).mean(axis=0)
    else:  # one row speaks for the second of two classes
        contrast = weights[0] if at else -weights[0]
    settings = decoder.settings
    derivations = [list(pair) for pair in settings.pairs] if settings.pairs else [[i] for i in range(n_channels)]
    shaped = contrast.reshape(len(bands), -1)
    if shaped.shape[1] != len(derivations):
        return None
    weights = {"bands": [list(b) for b in bands], "derivations": derivations, "values": shaped.tolist()}
    return weights | {"target": target}


def adapts_of(decoder: WindowDecoder | JoinedDecoder) -> dict[str, Any] | None:
    """Rule and bound of a decoder that adapts while it decides."""
    settings = decoder.adapt_settings
    return None if settings is None else {"rule": settings.rule, "bound": settings.limit}


def file_fit(
    study: Path,
    runs: Sequence[RunFile],
    save: Save,
    *,
    name: str,
    paradigm: Paradigm,
    metrics: Mapping[str, Any],
    before: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Save a fitted decoder, and what its fit found beside it; returns the latter, as :func:`fit` does.

    What it was re-centred from, where ``metrics`` says so, is part of its hash.

    Parameters
    ----------
    study : folder of the study; the same decoder twice is one folder in it.
    runs : on which it was fitted.
    save : writes the decoder to a folder, with facts about the fit, and returns its hash.
    name : of the decoder.
    paradigm : of the runs.
    metrics : of the fit.
    before : ``{"run", "sha256"}`` of each recording that is in it from an earlier fit.
    """
    _refuse_withdrawn(study, runs)
    sources = [*before, *({"run": str(run.plan["run"]), "sha256": file_sha256(run.path)} for run in runs)]
    meta = {"recordings": sources, "paradigm": paradigm.name}
    meta |= {name: metrics[name] for name in ("recentred_from",) if name in metrics}
    home = study / "decoders"
    world.disk.mkdir(home, mode=0o777, exist_ok=True)
    # Beside its final place: a rename within one file system is a single step.
    part = world.disk.temporary(".fit-", home)
    try:
        sha256 = save(part, meta=meta)
        folder = home / sha256[:12]
        if not folder.is_dir():
            world.disk.replace(part, folder)
    finally:
        with suppress(OSError):  # the folder is there under its own name by now
            world.disk.rmtree(part)
    summary = {
        "sha256": sha256,
        "name": name,
        "recordings": [source["sha256"] for source in sources],
        "metrics": {**metrics, "runs": [str(run.plan["run"]) for run in runs]},
    }
    # Beside the decoder too: who asked for the fit may be gone before it is entered in the record.
    world.disk.save(folder / "fit.json", json.dumps(carried(summary), sort_keys=True).encode())
    return {**summary, "folder": str(folder)}


def _refuse_withdrawn(folder: Path, runs: Sequence[RunFile]) -> None:
    """Refuse to keep what was learned from somebody who took back the consent to train decoders."""
    # Runs of a folder without a record are nobody's of a study.
    if not stores.holds_record(folder):
        return
    with Study.open(folder, actor="fit") as study:
        withdrawn = consents.withdrawn(study, "decoder_training")
    for person in {str(run.plan.get("participant", "")) for run in runs} & set(withdrawn):
        on = withdrawn[person]["consented_on"]
        raise Refused(Message("consent.withdrawn", participant=person, purpose="decoder_training", on=on))


def main(argv: Sequence[str]) -> int:
    """One fit from one JSON argument; the result is the last line of standard output, as JSON."""
    try:
        request = json.loads(argv[0])
        file, study, recordings = request.get("progress"), request["study_folder"], request["recordings"]

        def progress(share: float) -> None:
            if file:
                world.disk.save(Path(file), f"{share:.4f}".encode())

        if request["recentre"]:
            value = recentre(study, recordings, request["last"], progress=progress)
        else:
            settings = (request["decoder"], request["params"])
            value = fit(study, recordings, *settings, last=request["last"], progress=progress)
    except WorkbenchError as error:
        sys.stdout.write(json.dumps(carried(_wire.refusal(error))) + "\n")
        return 2
    sys.stdout.write(json.dumps({"ok": True, "value": carried(value)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
