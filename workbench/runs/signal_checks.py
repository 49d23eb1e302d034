"""What a calibration's signal itself says against a decoder: another pattern in each run, muscle, a noisy channel.

Found at the fit, kept with its figures, and judged when somebody is to approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import decoders, messages
from workbench.decoders import Training, WindowDecoder
from workbench.errors import BadSignal, WorkbenchError
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.signals.alignment import taken_by
from workbench.signals.cues import locate_cues
from workbench.signals.units import montage_of
from workbench.vocabulary import Chunk, FloatArray, Marker, StreamSpec

FEWEST_DERIVATIONS = 4
"""Fewer have no pattern: two always correlate by 1."""
FEWEST_PERIODS = 8
"""Cued periods of each class on which the pattern of a part is found; fewer show chance."""
OWN_POWER, OTHERS_POWER = 9.0, 100.0
"""Power of a derivation in a cued period from which it is noisy there: over its own median of that class, and over
the median of all derivations, that is, three and ten times the amplitude."""
BASELINE_S, BASELINE_HOP_S = 1.0, 0.05
"""How long before its cue a muscle counts as silent, and between the windows there, s."""
MUSCLE = "EMG"
"""Type of a stream, in upper case, that shows whether a muscle was active."""


@dataclass(frozen=True)
class Looked:
    """Windows of the signal that a decoder was fitted on.

    Attributes
    ----------
    summaries : ``(n, …)`` float64, of the decoder's reducer.
    labels, periods, runs : ``(n,)`` class, cued period (unique over runs) and run of each.
    """

    summaries: FloatArray
    labels: NDArray[Any]
    periods: NDArray[np.int64]
    runs: NDArray[np.int64]


def found(
    decoder: WindowDecoder, looked: Looked, runs: Sequence[RunFile], paradigm: Paradigm, *, inputs: Sequence[str]
) -> dict[str, Any]:
    """Figures of a calibration's signal, for the record.

    Parameters
    ----------
    decoder : of the signal, fitted. looked : what it was fitted on.
    runs, paradigm : the data.
    inputs : roles of the streams that are decoded.

    Returns
    -------
    dict
        ``channels``: ``n`` cued periods, and ``noisy``, derivation → how many it was noisy in. ``pattern``:
        ``parts`` (``"runs"``, or ``"halves"`` of the only one) and ``r``, the least correlation between any two.
        ``muscle``: ``stream``, ``n`` attempts and ``silent``, in how many no window was above the threshold; or
        ``why`` that is not known. The last two are left out where there is nothing to find them from.
    """
    reducer, n_bands = decoder.reducer(), len(decoder.settings.bands)
    power = np.array([reducer.lane_power(summary) for summary in looked.summaries])
    power = power.reshape(len(power), n_bands, -1)
    # A period that holds two classes, such as an attempt and the rest after it, counts as two.
    classes, index = np.unique(looked.labels, return_inverse=True)
    looked = replace(looked, periods=looked.periods * len(classes) + index)
    figures: dict[str, Any] = {"channels": _noisy(power, looked, _names(decoder, runs[0]))}
    if paradigm.evidence == "probabilities" and not paradigm.selects:
        figures |= _pattern(power, looked, target=paradigm.conditions[0])
        figures |= _muscle(runs, paradigm, inputs)
    return figures


def _names(decoder: WindowDecoder, run: RunFile) -> list[str]:
    """Name of each derivation: that of its channel, or of both."""
    channels, pairs = montage_of(_line(run, "signal")).channels, decoder.settings.pairs
    return [f"{channels[plus]}–{channels[minus]}" for plus, minus in pairs] if pairs else list(channels)


def _noisy(power: FloatArray, looked: Looked, names: Sequence[str]) -> dict[str, Any]:
    """In how many cued periods each derivation was noisy, of power ``(n, n_bands, n_derivations)``, µV²."""
    numbers = np.unique(looked.periods)
    mean = np.array([power[looked.periods == number].mean(axis=0) for number in numbers])
    label = np.array([looked.labels[looked.periods == number][0] for number in numbers])
    noisy = np.zeros(mean.shape, dtype=bool)
    for name in np.unique(label):
        own = label == name
        noisy[own] = mean[own] > OWN_POWER * np.median(mean[own], axis=0)
    if mean.shape[2] >= FEWEST_DERIVATIONS:
        noisy |= mean > OTHERS_POWER * np.median(mean, axis=2, keepdims=True)
    counts = noisy.any(axis=1).sum(axis=0)
    # Derivations of a decoder's own making, such as a Laplacian's, have no name of a channel.
    named = names if len(names) == len(counts) else [str(k + 1) for k in range(len(counts))]
    return {"n": len(numbers), "noisy": {name: int(n) for name, n in zip(named, counts, strict=True) if n}}


def _pattern(power: FloatArray, looked: Looked, *, target: str) -> dict[str, Any]:
    """The least correlation of the contrast in log power between runs, or between the halves of one."""
    if power.shape[2] < FEWEST_DERIVATIONS:
        return {}
    part, parts = looked.runs, "runs"
    if part.max() == 0:
        numbers = np.unique(looked.periods)
        part, parts = (np.searchsorted(numbers, looked.periods) * 2 // len(numbers)), "halves"
    contrasts = []
    for number in np.unique(part):
        own, moving = part == number, looked.labels == target
        n_each = [len(np.unique(looked.periods[own & side])) for side in (moving, ~moving)]
        if min(n_each) < FEWEST_PERIODS:
            return {}
        logs = np.log(power)
        contrasts.append((logs[own & moving].mean(axis=0) - logs[own & ~moving].mean(axis=0)).ravel())
    each = [float(np.corrcoef(one, other)[0, 1]) for one, other in combinations(contrasts, 2)]
    return {"pattern": {"parts": parts, "r": min(each)}} if np.isfinite(each).all() else {}


# ------------------------------------------------------------------------------------ muscle
def _muscle(runs: Sequence[RunFile], paradigm: Paradigm, inputs: Sequence[str]) -> dict[str, Any]:
    """In how many attempts a muscle was silent that nobody decodes; empty where none was recorded."""
    lines = [line for line in runs[0].contract if line.type.strip().upper() == MUSCLE and line.decoded_beside]
    shown = next((line for line in lines if line.role not in inputs), None)
    if shown is None:
        return {}
    try:
        n, silent = _silent(runs, shown, paradigm)
    except WorkbenchError as error:
        # A stream that shows nothing is no proof of silence.
        return {"muscle": {"stream": shown.name, "why": messages.of(error)}}
    return {"muscle": {"stream": shown.name, "n": n, "silent": silent}}


def _silent(runs: Sequence[RunFile], line: StreamSpec, paradigm: Paradigm) -> tuple[int, int]:
    """Attempts in which the EMG says something, and in how many of them no window is above the threshold."""
    # The level alone counts: a window that is far above what came before its cue is the finding, and no outlier.
    params = {"measure": "muscle", "baseline": "before", "evidence": {"novelty": None}}
    decoder = decoders.load("activity_level")(line.fs, **params)
    decoder.prepare(len(montage_of(line).channels))
    n = silent = 0
    for run in runs:
        # A threshold of its own for each run: between runs electrodes may be put on again.
        part = _muscle_of(run, line.role, decoder, paradigm)
        decoder.fit_summaries(part.summaries, part.labels, blocks=part.blocks)
        own = part.labels == "attempt"
        levels = np.array([one.values[0] for one in decoder.evidence_of(part.summaries[own])])
        numbers = np.unique(part.blocks[own])
        n += len(numbers)
        silent += sum(bool((levels[part.blocks[own] == number] < 1.0).all()) for number in numbers)
    return n, silent


def _line(run: RunFile, role: str) -> StreamSpec:
    return next(line for line in run.contract if line.role == role)


def _muscle_of(run: RunFile, role: str, decoder: WindowDecoder, paradigm: Paradigm) -> Training:
    """Windows of the EMG of one run: ``"before"`` each cue of a movement, and in its ``"attempt"``."""
    window_s, fs = decoder.settings.window_s, run.signal.fs
    cues, n = locate_cues(run.items(), fs=fs)
    named = paradigm.training_windows(cues, fs=fs, window_s=window_s, hop_s=BASELINE_HOP_S)
    wanted = [(end, "attempt", block) for end, label, block in named if label in paradigm.conditions and end <= n]
    step, blocks = round(BASELINE_HOP_S * fs), 1 + max((block for *_, block in named), default=0)
    for number, cue in enumerate(one for one in cues if one.label in paradigm.conditions):
        first = cue.sample - round((BASELINE_S - window_s) * fs)
        wanted += [(end, "before", blocks + number) for end in range(max(1, first), cue.sample, step)]
    return windows_beside(run, role, decoder, wanted)


def windows_beside(
    run: RunFile, role: str, decoder: WindowDecoder, windows: Sequence[tuple[int, str, int]]
) -> Training:
    """Training windows of a stream beside the signal, where it says something.

    Parameters
    ----------
    run : recording. role : of the stream.
    decoder : prepared for it.
    windows : end on the signal's sample axis, class and period of each.

    Raises
    ------
    BadSignal
        When the run has nothing of the stream, or no window is valid.
    """
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
    return decoders.collect(decoder, items, wanted, n_channels=decoder.n_channels_in_)
