"""EEG motor movement/imagery data base of PhysioNet: EDF+ files ``S001R06.edf`` with T0, T1 and T2 annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from workbench.errors import BadSignal
from workbench.evaluation._contract import (
    ContinuousRun,
    ContinuousRuns,
    Dataset,
    Epochs,
    cues_of,
    files,
    joined,
    located_cues,
    microvolts,
    pieces,
    read_raw,
)
from workbench.paradigms import Paradigm, from_params

LEAD_IN_S = 0.5
STOP_S = 4.1
"""The cue stays for 4.1 s: the lead-in is the first half second after it, the rest is decoded."""

LOOKED_AT = ("S001R03", "S001R04", "S001R05", "S001R06")
"""Runs on which the defaults of self-paced use were chosen."""

EXECUTED, IMAGINED = (3, 5, 7, 9, 11, 13), (4, 6, 8, 10, 12, 14)
"""Runs of executed and of imagined movements, fists and feet."""


def sides(module: str, title: str, *, runs: tuple[int, ...], classes: tuple[str, str]) -> Dataset:
    """The data set of two movements, told apart after each cue.

    Parameters
    ----------
    module : that defines it; its last part is the name. title : as text.
    runs : numbers. classes : what T1 and T2 mean in these runs.
    """
    # The window of the rule is that of the epochs: from the end of their lead-in to their end.
    window = {"start_s": LEAD_IN_S, "stop_s": STOP_S, "attempt_s": STOP_S, "rest_s": STOP_S}
    rule = from_params("left_right", {"conditions": classes, **window})
    labels = dict(zip(("T1", "T2"), classes))
    return _dataset(module, title, runs=runs, labels=labels, paradigm="motor_imagery", rule=rule)


def against_rest(module: str, title: str, *, runs: tuple[int, ...]) -> Dataset:
    """The data set of any movement against the rest between movements, found without a cue.

    Parameters
    ----------
    module : that defines it; its last part is the name. title : as text. runs : numbers.
    """
    # The cue stays for as long as the movement is made: an onset at any time of it is a hit.
    schedule = {"attempt_s": STOP_S, "rest_s": STOP_S, "onset_window_s": STOP_S}
    rule = from_params("grasp_rest", {"condition": "movement", "rest": "rest", **schedule})
    labels = {"T0": "rest", "T1": "movement", "T2": "movement"}
    return _dataset(module, title, runs=runs, labels=labels, paradigm="self_paced_eeg", rule=rule)


def _dataset(
    module: str,
    title: str,
    *,
    runs: tuple[int, ...],
    labels: Mapping[str, str],
    paradigm: str,
    rule: Paradigm,
) -> Dataset:
    def read(folder: Path | str) -> Iterator[Epochs]:
        for person, paths in _people(folder, runs):
            yield _epochs(person, paths, labels)

    def read_runs(folder: Path | str) -> Iterator[ContinuousRuns]:
        for person, paths in _people(folder, runs):
            yield _continuous(person, paths, labels)

    return Dataset(
        name=module.rpartition(".")[2],
        title=f"PhysioNet EEG motor movement/imagery: {title}",
        source="Schalk et al. 2004, doi:10.1109/TBME.2004.827072; Goldberger et al. 2000",
        terms="Open Data Commons Attribution",
        paradigm=paradigm,
        split="run",
        read=read,
        parameters={"mains_hz": 60.0},
        rule=rule,
        read_runs=read_runs,
    )


def _people(folder: Path | str, runs: tuple[int, ...]) -> list[tuple[str, list[Path]]]:
    """Each person with the files of these runs, in order."""
    people: dict[str, list[Path]] = {}
    # The folder may contain all 14 runs; those of other tasks mean other things by T1 and T2.
    for path in files(folder, "S[0-9]*R[0-9]*.edf"):
        match = re.fullmatch(r"(S\d+)R(\d+)", path.stem)
        if match and int(match[2]) in runs:
            people.setdefault(match[1], []).append(path)
    if not people:
        raise BadSignal(f"{folder} contains none of the runs {', '.join(map(str, runs))} (S001R06.edf …)")
    return list(people.items())


def _epochs(person: str, paths: list[Path], labels: Mapping[str, str]) -> Epochs:
    parts = []
    for path in paths:
        raw = read_raw(path)
        fs = float(raw.info["sfreq"])
        cues = cues_of(raw, labels)
        parts.append((path.stem, *pieces(microvolts(raw), cues, fs=fs, start_s=0.0, stop_s=STOP_S)))
    return joined(person, parts, fs=fs, channels=raw.ch_names, lead_in_s=LEAD_IN_S)


def _continuous(person: str, paths: list[Path], labels: Mapping[str, str]) -> ContinuousRuns:
    parts = []
    for path in paths:
        raw = read_raw(path)
        parts.append(ContinuousRun(path.stem, microvolts(raw), located_cues(raw, labels)))
    return ContinuousRuns(person, tuple(parts), float(raw.info["sfreq"]), tuple(raw.ch_names), LOOKED_AT)
