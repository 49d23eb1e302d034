"""The interface of a data set: raw epochs with their labels, run by run, and how they are split."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.paradigms import Paradigm
from workbench.signals import units
from workbench.signals.epoching import cut
from workbench.vocabulary import FloatArray, LocatedCue

READERS_RAISE = (OSError, EOFError, ValueError, TypeError, AttributeError, RuntimeError, LookupError, BadZipFile)
"""What NumPy and MNE raise for a file that they cannot read."""


@dataclass(frozen=True)
class Epochs:
    """Raw epochs of one participant, in order of time.

    Attributes
    ----------
    participant : name.
    X : ``(n_epochs, n_channels, n_times)`` float64, µV unless the data set says otherwise; not filtered.
    y : ``(n_epochs,)`` class of each.
    run : ``(n_epochs,)`` run of each.
    fs : rate in Hz. channels : names.
    lead_in_s : start of each epoch that only warms the filters up, s; time 0 of the paradigm is at its end.
    judged_runs : runs that are judged by what all others trained, where the data set fixes that; else empty.
    """

    participant: str
    X: FloatArray
    y: NDArray[np.str_]
    run: tuple[str, ...]
    fs: float
    channels: tuple[str, ...]
    lead_in_s: float
    judged_runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContinuousRun:
    """One run from its first sample to its last.

    Attributes
    ----------
    name : of the run.
    samples : ``(n_times, n_channels)`` float64, µV; not filtered.
    cues : in order of time; those of rest among them.
    """

    name: str
    samples: FloatArray
    cues: tuple[LocatedCue, ...]


@dataclass(frozen=True)
class ContinuousRuns:
    """Continuous runs of one participant, in order of time.

    Attributes
    ----------
    participant : name. runs : two or more.
    fs : rate in Hz. channels : names.
    looked_at : names of the runs on which defaults were chosen: they train, and are never judged.
    """

    participant: str
    runs: tuple[ContinuousRun, ...]
    fs: float
    channels: tuple[str, ...]
    looked_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One data set and one classification problem on it.

    Attributes
    ----------
    name, title, source, terms : of the recordings; ``terms`` is what their owners allow.
    paradigm : whose default decoder is used, a name of ``DEFAULTS``.
    metric : ``"accuracy"``, or ``"auc"`` for a rare target.
    target : class whose evidence the AUC judges.
    split : ``"run"`` leaves each run out, ``"blocks"`` cuts a run into contiguous fifths, ``"fixed"`` is given.
    read : called with the folder; yields one :class:`Epochs` per participant. Raises BadSignal with what it
        expected where no file matches.
    parameters : of the decoder that only the data can tell, such as ``frequencies`` and ``mains_hz``.
    rule : paradigm by which continuous runs are decided, None where the data set has none.
    read_runs : called with the folder; yields one :class:`ContinuousRuns` per participant, None without a rule.
    """

    name: str
    title: str
    source: str
    terms: str
    paradigm: str
    split: str
    read: Callable[[Path | str], Iterable[Epochs]]
    metric: str = "accuracy"
    target: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    rule: Paradigm | None = None
    read_runs: Callable[[Path | str], Iterable[ContinuousRuns]] | None = None


def files(folder: Path | str, pattern: str) -> list[Path]:
    """Files of a folder and those below it, sorted.

    Raises
    ------
    BadSignal
        When none matches the pattern.
    """
    paths = sorted(Path(folder).rglob(pattern))
    if not paths:
        raise BadSignal(f"{folder} contains no file named {pattern}; give the folder of the recordings")
    return paths


def read_raw(path: Path) -> Any:
    """A recording through MNE, loaded; its own deprecation warnings are not ours to show.

    Raises
    ------
    BadSignal
        When the file cannot be read.
    """
    import mne

    # MNE's deprecation warnings concern its own code, not the recording.
    with warnings.catch_warnings(), legible(path):
        warnings.simplefilter("ignore")
        return mne.io.read_raw(path, preload=True, verbose="ERROR")


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Arrays of an npz file by name. Raises BadSignal when it is none, or lacks one of them."""
    with legible(path), np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in names}


@contextmanager
def legible(path: Path) -> Iterator[None]:
    """Errors of a reader as BadSignal with the name of the file."""
    try:
        yield
    except READERS_RAISE as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise BadSignal(
            f"{path} cannot be read ({message}); fetch it again, or move it out of the folder"
        ) from error


def microvolts(raw: Any) -> FloatArray:
    """Samples ``(n_times, n_channels)`` float64 in µV, from MNE's volts."""
    return np.ascontiguousarray(units.from_mne(raw.get_data().T))


def located_cues(raw: Any, names: Mapping[str, str]) -> tuple[LocatedCue, ...]:
    """A cue for each annotation that ``names`` gives a class; its stamp counts from the first sample, s."""
    fs = float(raw.info["sfreq"])
    named = [a for a in raw.annotations if a["description"] in names]
    return tuple(
        LocatedCue(at := round(a["onset"] * fs), at / fs, names[a["description"]], float(a["duration"]), trial)
        for trial, a in enumerate(named)
    )


def cues_of(raw: Any, names: Mapping[str, str]) -> list[tuple[int, str]]:
    """Sample and class of each annotation that ``names`` gives a class."""
    return [(cue.sample, cue.label) for cue in located_cues(raw, names)]


def pieces(
    samples: FloatArray, cues: Sequence[tuple[int, str]], *, fs: float, start_s: float, stop_s: float
) -> tuple[FloatArray, list[str]]:
    """Epochs around cues, and the class of each; a cue too near an end of the recording is left out.

    Parameters
    ----------
    samples : ``(n_times, n_channels)``. cues : sample and class of each. start_s, stop_s : relative to the cue.
    """
    before, n = round(start_s * fs), round((stop_s - start_s) * fs)
    # No padding: an epoch that is not complete would train on made-up samples.
    starts = [(at + before, name) for at, name in cues if at + before >= 0 and at + before + n <= len(samples)]
    return cut(samples, [at for at, _ in starts], n), [name for _, name in starts]


def joined(
    participant: str,
    runs: Iterable[tuple[str, FloatArray, Sequence[str]]],
    *,
    fs: float,
    channels: Sequence[str],
    lead_in_s: float,
    judged_runs: tuple[str, ...] = (),
) -> Epochs:
    """One :class:`Epochs` of several runs.

    Parameters
    ----------
    participant : code.
    runs : ``(name, X, y)`` of each, ``X`` ``(n_epochs, n_channels, n_times)`` float64, µV.
    fs : rate in Hz. channels : names. lead_in_s : at the start of each epoch, s.
    judged_runs : runs that are judged by what all others trained; else empty.
    """
    parts = list(runs)
    return Epochs(
        participant,
        np.concatenate([x for _, x, _ in parts]),
        np.array([label for _, _, labels in parts for label in labels]),
        tuple(name for name, _, labels in parts for _ in labels),
        fs,
        tuple(channels),
        lead_in_s,
        judged_runs,
    )
