"""The recordings of a study as a folder of BIDS 1.11: signals, channels, events, participants.

Epidural, subdural and depth electrodes are ``ieeg``, scalp electrodes ``eeg``, muscles ``emg``. A cue is an event
with what came of its trial. Participants are named by their pseudonym, or by a number where BIDS cannot spell it.
Who took part, in which arm, when, with whom and in which room stands nowhere in the folder: no dates, no
operators, no notes, no paths of this computer.

References
----------
Gorgolewski KJ, et al. Sci Data 2016;3:160044 (BIDS). doi:10.1038/s41597-019-0104-8 (EEG),
doi:10.1038/s41597-019-0105-7 (iEEG); EMG: BIDS 1.11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench import __version__
from workbench.errors import RecordFault, Refused, WorkbenchError
from workbench.exchange._release import Release, Row
from workbench.exchange._signal_files import bdf, brainvision
from workbench.messages import Message
from workbench.recording.hashing import file_sha256
from workbench.recording.run_file import RunFile
from workbench.recording.to_mne import channel_types
from workbench.signals.cues import locate_cues
from workbench.vocabulary import ConsentPurpose, FloatArray

VERSION = "1.11.1"
NEEDS: tuple[ConsentPurpose, ...] = ("data_sharing", "neural_data_use")
"""Purposes of consent: who took back one of them has nothing in the folder."""
DATATYPES = {"eeg": "eeg", "emg": "emg", "ecog": "ieeg", "seeg": "ieeg", "dbs": "ieeg"}
"""Datatype of BIDS by MNE's type of a channel."""
KEPT = ("finished", "stopped", "recovered", "failed")
"""States of recordings that are written; others are not closed, or not whole."""
DESCRIBED = {
    "trial_type": "cue of the trial, BAD_gap for samples that are missing, or the kind of another event",
    "sample": "of the signal, from 0",
    "trial": "number of the trial within the run",
    "outcome": "of the trial, as the record has it",
    "decided": "what was decided",
    "excluded": "whether the trial is excluded",
}
ABOUT_PEOPLE = {
    "pseudonym": "of the participant in the study",
    "injury_level": "neurological level at entry",
    "ais": "ASIA Impairment Scale at entry",
    "trained_side": "side that is trained",
    "simulated": "whether the participant is no person",
}


@dataclass(slots=True)
class Folder:
    """What was written.

    Attributes
    ----------
    recordings, participants : how many.
    skipped : a sentence for each recording of the record that is not in the folder.
    electrodes : of iEEG, by the path of their session without its ending.
    """

    recordings: int = 0
    participants: int = 0
    skipped: list[Message] = field(default_factory=list)
    electrodes: dict[Path, dict[str, None]] = field(default_factory=dict)


def write(given: Release, folder: Path) -> Folder:
    """Write the folder.

    Parameters
    ----------
    given : what of the record may leave; made for the purposes :data:`NEEDS`.
    folder : an empty one.

    Raises
    ------
    Refused
        For readers from whom the arm is kept, since recordings tell it; for a record that was written to
        meanwhile. RecordFault
        For a recording that is not the one that the record knows.
    """
    if given.is_blind:
        raise Refused(Message("bids.blind"))
    made = Folder()
    labels = _labels(given.participants())
    for run, stem in _runs(given, labels):
        for n, row in enumerate(given.rows("recording", run_id=run["id"]), start=1):
            # A run that was begun again has a second file: its acquisition is numbered.
            part = stem if n == 1 else stem.replace("_run-", f"{n}_run-")
            _recording(given, made, row, run, folder / part)
    for place, electrodes in made.electrodes.items():
        _electrodes(place, electrodes)
    written = {path.name for path in folder.iterdir()}
    people = [row for row in given.participants() if f"sub-{labels[row['id']]}" in written]
    made.participants = len(people)
    _about(given, folder, people, labels)
    given.check_unmoved()
    return made


def label(text: str) -> str:
    """A text as BIDS spells a label: ASCII letters and digits.

    Parameters
    ----------
    text : such as a pseudonym or the name of a visit.
    """
    return re.sub(r"[^0-9A-Za-z]", "", text)


def _labels(people: Sequence[Row]) -> dict[str, str]:
    """Label of each participant; a number where the pseudonym has none or shares it with another."""
    plain = [label(row["pseudonym"]) for row in people]
    spelled = [re.sub(r"[-_.]", "", row["pseudonym"]) == one != "" for row, one in zip(people, plain, strict=True)]
    folded = [one.casefold() for one in plain]
    own = [ok and folded.count(one) == 1 for ok, one in zip(spelled, folded, strict=True)]
    taken = {one for one, ok in zip(folded, own, strict=True) if ok}
    found = {}
    numbers = (f"P{n:03d}" for n in range(1, 10**6) if f"p{n:03d}" not in taken)
    for row, one, ok in zip(people, plain, own, strict=True):
        found[row["id"]] = one if ok else next(numbers)
    return found


def _runs(given: Release, labels: Mapping[str, str]) -> list[tuple[Row, str]]:
    """Every run with its path from the folder, without datatype and ending."""
    visits = {row["id"]: row for row in given.rows("visit")}
    places: dict[str, tuple[str, str]] = {}
    taken: dict[str, int] = {}
    for session in given.rows("session"):
        visit = visits[session["visit_id"]]
        subject = labels[visit["participant_id"]]
        name = label(visit["name"]) or "visit"
        key = f"{subject}/{name}".casefold()
        taken[key] = number = taken.get(key, 0) + 1
        places[session["id"]] = (subject, f"{name}S{number:02d}")
    found = []
    for run in given.rows("run"):
        whose, when = places[run["session_id"]]
        task = label(run["paradigm"]) or "run"
        stem = f"sub-{whose}_ses-{when}_task-{task}_acq-{label(run['kind'])}_run-{run['number']:02d}"
        found.append((run, f"sub-{whose}/ses-{when}/{stem}"))
    return found


def _recording(given: Release, made: Folder, row: Row, run: Row, stem: Path) -> None:
    """One recording with its side files, unless it is not whole, not there, or of nothing that BIDS knows."""
    name = Path(row["path"]).name
    if row["state"] not in KEPT:
        made.skipped.append(Message("bids.state", file=name, state=row["state"]))
        return
    path = given.study.folder / row["path"]
    if not path.is_file():
        made.skipped.append(Message("bids.absent", file=name))
        return
    if file_sha256(path) != row["sha256"]:
        raise RecordFault(Message("bids.changed", file=name))
    try:
        file = RunFile(path, damaged="skip" if row["state"] == "recovered" else "refuse")
        kinds = channel_types(file)
    except WorkbenchError as error:
        made.skipped.append(Message("bids.unread", file=name, why=str(error)))
        return
    datatypes = dict.fromkeys(DATATYPES[kind] for kind in kinds if kind in DATATYPES)
    if not datatypes:
        made.skipped.append(Message("bids.no_signal", file=name, type=file.signal.type))
        return
    # A stream has one type; channels that are recorded beside it and not decoded are "misc".
    datatype = next(iter(datatypes))
    place = stem.parent / datatype
    place.mkdir(parents=True, exist_ok=True)
    _write_run(file, run, given.rows("trial", run_id=run["id"]), place / stem.name, datatype)
    if datatype == "ieeg":
        session = place / "_".join(stem.name.split("_")[:2])
        named = [one for one, kind in zip(file.signal.channels, kinds, strict=True) if kind != "misc"]
        made.electrodes.setdefault(session, {}).update(dict.fromkeys(named))
    made.recordings += 1


def _write_run(file: RunFile, run: Row, trials: Sequence[Row], stem: Path, datatype: str) -> None:
    stream, kinds = file.signal, channel_types(file)
    values: FloatArray = file.units.scale(np.asarray(stream.values, dtype=np.float64))
    stated = stream.units or ("",) * len(stream.channels)
    units = ["µV" if kind != "misc" else (unit or "n/a") for kind, unit in zip(kinds, stated, strict=True)]
    events = _events(file, trials)
    whole = stem.with_name(f"{stem.name}_{datatype}")
    if datatype == "emg":
        padding = bdf(whole.with_name(f"{whole.name}.bdf"), values, stream.channels, units, stream.fs)
        if padding:
            events.append(_event(len(values), padding / stream.fs, "BAD_padding", stream.fs))
    else:
        brainvision(whole, values, stream.channels, units, stream.fs)
    _json(whole.with_name(f"{whole.name}.json"), _sidecar(file, run, kinds, datatype, len(values)))
    names = ("name", "type", "units", "low_cutoff", "high_cutoff", "sampling_frequency", "status")
    rows = [
        (channel, kind.upper(), unit, "n/a", "n/a", f"{stream.fs:g}", "good" if kind != "misc" else "n/a")
        for channel, kind, unit in zip(stream.channels, kinds, units, strict=True)
    ]
    _tsv(stem.with_name(f"{stem.name}_channels.tsv"), names, rows)
    columns = ("onset", "duration", *DESCRIBED)
    _tsv(stem.with_name(f"{stem.name}_events.tsv"), columns, ([one[name] for name in columns] for one in events))
    _json(
        stem.with_name(f"{stem.name}_events.json"),
        {name: {"Description": what} for name, what in DESCRIBED.items()},
    )


def _electrodes(session: Path, names: Iterable[str]) -> None:
    """Electrodes of a session, whose places the record does not have."""
    columns = ("name", "x", "y", "z", "size")
    _tsv(session.with_name(f"{session.name}_electrodes.tsv"), columns, [(one, *["n/a"] * 4) for one in names])
    _json(
        session.with_name(f"{session.name}_coordsystem.json"),
        {
            "iEEGCoordinateSystem": "Other", "iEEGCoordinateUnits": "n/a",
            "iEEGCoordinateSystemDescription": "The record has no positions of electrodes.",
        },
    )  # fmt: skip


def _sidecar(file: RunFile, run: Row, kinds: Sequence[str], datatype: str, n: int) -> Mapping[str, Any]:
    prefix = {"eeg": "EEG", "emg": "EMG", "ieeg": "iEEG"}[datatype]
    misc = "MISC" if datatype == "eeg" else "Misc"
    counted = {"ecog": "ECOG", "seeg": "SEEG", "dbs": "DBS", "eeg": "EEG", "emg": "EMG", "misc": misc}
    about: dict[str, Any] = {
        "TaskName": label(run["paradigm"]) or "run",
        "TaskDescription": f"Paradigm {run['paradigm']}, run of kind {run['kind']}.",
        f"{prefix}Reference": "n/a",
        "SamplingFrequency": file.signal.fs,
        "PowerLineFrequency": "n/a",
        "SoftwareFilters": "n/a",
        "RecordingDuration": n / file.signal.fs,
        "RecordingType": "continuous",
    }
    about |= {f"{name}ChannelCount": kinds.count(kind) for kind, name in counted.items() if kind in kinds}
    if datatype == "emg":
        about |= {
            "EMGPlacementScheme": "Other",
            "EMGPlacementSchemeDescription": "The record has no places of electrodes.",
        }
    return about


# ------------------------------------------------------------------------------------ events
def _event(sample: int, duration_s: float, kind: str, fs: float, trial: Row | None = None) -> dict[str, str]:
    known = trial or {}
    excluded = "n/a" if trial is None else "yes" if trial["excluded"] else "no"
    return {
        "onset": f"{sample / fs:.6f}", "duration": f"{duration_s:.6f}", "trial_type": kind, "sample": str(sample),
        "trial": str(known.get("index", "n/a")), "outcome": known.get("outcome", "") or "n/a",
        "decided": known.get("decided", "") or "n/a", "excluded": excluded,
    }  # fmt: skip


def _events(file: RunFile, trials: Sequence[Row]) -> list[dict[str, str]]:
    """Cues with their trials, gaps, and other events by their kind alone: a label may be what somebody typed."""
    fs, at_cue = file.signal.fs, {row["cue_sample"]: row for row in trials}
    last = len(file.signal.stamps) - 1
    cues, _ = locate_cues(file.items(), fs=fs)
    found = [
        (cue.sample, _event(cue.sample, cue.duration_s, cue.label, fs, at_cue.get(cue.sample))) for cue in cues
    ]
    for marker in file.markers():
        if marker.kind not in ("cue", "run"):
            kind, lasts = ("BAD_gap", 1.0 / fs) if marker.kind == "gap" else (marker.kind, 0.0)
            at = min(max(marker.sample, 0), last)
            found.append((at, _event(at, lasts, kind, fs)))
    return [event for _, event in sorted(found, key=lambda one: one[0])]


# ------------------------------------------------------------------------------------ the folder
def _about(given: Release, folder: Path, people: Iterable[Row], labels: Mapping[str, str]) -> None:
    names = ("participant_id", *ABOUT_PEOPLE)
    rows = [
        (
            f"sub-{labels[row['id']]}", row["pseudonym"], row["injury_level"] or "n/a", row["ais"] or "n/a",
            row["trained_side"] or "n/a", "yes" if row["simulated"] else "no",
        )
        for row in people
    ]  # fmt: skip
    _tsv(folder / "participants.tsv", names, rows)
    _json(folder / "participants.json", {name: {"Description": what} for name, what in ABOUT_PEOPLE.items()})
    study = given.study.rows("study")[0]
    made = {"Name": "sci-bci-workbench", "Version": __version__}
    _json(
        folder / "dataset_description.json",
        {"Name": study["title"], "BIDSVersion": VERSION, "DatasetType": "raw", "GeneratedBy": [made]},
    )
    text = (
        f"{study['title']}\n\nRecordings of study {study['code']}, entry {given.head[0]} of its record "
        f"({given.head[1]}).\n\nParticipants are named by pseudonyms. Dates and arms are not in this folder. "
        "Signals of voltages are in µV, as they were recorded: not filtered.\n"
    )
    with (folder / "README").open("x", encoding="utf-8") as file:
        file.write(text)


def _tsv(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = ["\t".join(names), *("\t".join(re.sub(r"[\t\r\n]", " ", cell) for cell in row) for row in rows)]
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _json(path: Path, content: Mapping[str, Any]) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(f"{json.dumps(content, ensure_ascii=False, indent=1)}\n")
