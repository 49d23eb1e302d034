"""Forearm EMG of eight gestures, two people in three sessions each: windows of 0.25 s that lie in one cue.

A file holds a gesture, in turn with rest every 5 s; that of gesture 0 is rest throughout. Rest is taken from it
alone, in every second stretch of 5 s, so that all classes have as many windows and one in eight guesses is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal
from workbench.evaluation._contract import Dataset, Epochs, files, joined, legible, pieces
from workbench.vocabulary import FloatArray

FS, N_CHANNELS, STRETCH_S = 200.0, 8, 5.0
WINDOW_S, LEAD_IN_S = 0.25, 0.5
REST = "0"
Run = tuple[str, FloatArray, list[str]]
"""Name, epochs and their classes."""


def _table(path: Path) -> tuple[FloatArray, NDArray[np.int64]]:
    """Samples ``(n_times, 8)`` float64, in the armband's unit, and the label of each."""
    with legible(path):
        table = np.loadtxt(path, delimiter=",", ndmin=2)
        if table.shape[1] != N_CHANNELS + 1:
            raise ValueError(f"{table.shape[1]} columns in place of {N_CHANNELS + 1}")
    return np.ascontiguousarray(table[:, :N_CHANNELS]), table[:, N_CHANNELS].astype(np.int64)


def stretches(labels: NDArray[np.int64], name: str) -> list[tuple[int, int]]:
    """Begin and end of each stretch of a class in a file, in samples.

    Parameters
    ----------
    labels : ``(n_times,)``. name : of the file, which is its class.
    """
    if name == REST:
        n = round(STRETCH_S * FS)
        return [(first, min(first + n, len(labels))) for first in range(0, len(labels), 2 * n)]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (labels == int(name)).astype(np.int64), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))


def _windows(folder: Path) -> Iterator[tuple[int, FloatArray, list[str]]]:
    """Number of each stretch of a session, the windows in it, and their class; file after file."""
    window, before = round(WINDOW_S * FS), round(LEAD_IN_S * FS)
    for path in sorted(folder.glob("[0-7].txt")):
        samples, labels = _table(path)
        for k, (first, last) in enumerate(stretches(labels, path.stem)):
            starts = range(max(first, before), last - window + 1, window)
            yield (
                k,
                *pieces(samples, [(at, path.stem) for at in starts], fs=FS, start_s=-LEAD_IN_S, stop_s=WINDOW_S),
            )


def _sessions(folder: Path | str) -> dict[str, list[Path]]:
    """Person → folders of the sessions, in order."""
    people: dict[str, list[Path]] = {}
    for path in files(folder, "0.txt"):
        people.setdefault(path.parent.name.rpartition("-")[0], []).append(path.parent)
    if "" in people:
        raise BadSignal(f"{people[''][0]} is no folder of a session; its name is PERSON-SESSION")
    return people


def within(folder: Path | str) -> Iterator[Epochs]:
    """Each session by itself; a run is a repetition of every gesture.

    Parameters
    ----------
    folder : of the recordings.
    """
    for folders in _sessions(folder).values():
        for session in folders:
            yield _epochs(session.name, [(f"repetition {k + 1}", x, y) for k, x, y in _windows(session)])


def across(folder: Path | str) -> Iterator[Epochs]:
    """Each person; a run is a session.

    Parameters
    ----------
    folder : of the recordings.
    """
    for person, folders in _sessions(folder).items():
        yield _epochs(person, [(session.name, x, y) for session in folders for _, x, y in _windows(session)])


def _epochs(participant: str, runs: list[Run]) -> Epochs:
    channels = [f"EMG{k + 1}" for k in range(N_CHANNELS)]
    return joined(participant, runs, fs=FS, channels=channels, lead_in_s=LEAD_IN_S)


def dataset(name: str, title: str, read: Callable[[Path | str], Iterator[Epochs]]) -> Dataset:
    """A data set of these recordings.

    Parameters
    ----------
    name, title : of the data set. read : of its folder.
    """
    parameters: Mapping[str, Any] = {"window_s": WINDOW_S, "reference": "none", "bands": ((20.0, 90.0),)}
    return Dataset(
        name=name,
        title=title,
        source="A. Francic, Myo armband gestures",
        terms="MIT",
        paradigm="emg_gestures",
        split="run",
        read=read,
        parameters=dict(parameters),
    )
