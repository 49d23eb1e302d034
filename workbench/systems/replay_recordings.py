"""Recordings that are played through LSL: the first calibrate, the last is decoded online, causally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from pathlib import Path

import numpy as np

from workbench import messages
from workbench.devices import replay
from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.recording import file_sha256
from workbench.signals import units
from workbench.systems._bound import BoundSystem, Source, bind
from workbench.systems._system import MARKERS, SIGNAL, Input, System, Task, words
from workbench.vocabulary import StreamSpec

FEWEST = 2
"""Fewest trials of each condition for a calibration."""


SYSTEM = System(
    name="replay_recordings",
    title=words("Recordings, played again", "回放已有记录"),
    inputs=(
        Input("signal", "potential", at_least_hz=1.0, words=words("the recorded channels", "已记录的通道")),
        Input("markers", "markers", words=words("the annotations of the recordings", "记录中的标注")),
    ),
    tasks=(Task("cued", words("Two recorded conditions", "两种已记录的条件"), "left_right", "csp_lda"),),
    procedures=("calibration", "online"),
    published=words(
        "Nothing is simulated and nothing is live: somebody else's recordings run through the same path.",
        "既非模拟也非实时：他人的记录经同一通路运行。",
    ),
    endpoints=("accuracy",),
    report=("decoder", "trials", "latency", "assessments"),
)


def play(
    files: Sequence[Path], conditions: Mapping[str, str], *, unit: str = "", declared_by: str = ""
) -> BoundSystem:
    """The system bound to recordings that are played: the first calibrate, the last is decoded.

    Parameters
    ----------
    files : two or more recordings of one montage.
    conditions : annotation → condition, exactly two.
    unit, declared_by : the unit of recordings that state none, and the name of the person who declares it.

    Raises
    ------
    BadValue
        With fewer than two files, one file twice, other than two conditions, a file without them or with
        another montage, or a unit that is neither stated nor declared, stated and declared, or implausible.
    RecordingFault
        When a file cannot be read.
    """
    if len(files) < 2:
        raise BadValue(Message("recordings.files", n=len(files)))
    _check_names(conditions)
    heads = [replay.head(path, conditions=conditions) for path in files]
    _check_distinct(files)
    for head in heads[1:]:
        if difference := _difference(heads[0], head):
            raise BadValue(
                Message("recordings.montage", file=head.path.name, first=heads[0].path.name, difference=difference)
            )
    # Without the last recording: that one is decoded online and never calibrates.
    _check_enough(heads[:-1], conditions)
    signal = _vouched(heads, unit.strip(), declared_by.strip())
    source = Source(
        f"replayed recordings {', '.join(path.name for path in files)}; no effector",
        player={"device": "replay", "options": {"files": [str(path.absolute()) for path in files]}},
        labels=dict(conditions),
        durations=tuple(head.seconds for head in heads),
        notes=tuple(f"{head.path.name}: {note}" for head in heads for note in head.notes),
    )
    return bind(
        SYSTEM,
        (signal, heads[0].markers(MARKERS)),
        source=source,
        params={"conditions": list(dict.fromkeys(conditions.values()))},
        trials=tuple(head.n_cues for head in heads),
    )


def _check_names(conditions: Mapping[str, str]) -> None:
    """Two conditions, neither of them the name of rest."""
    got = ", ".join(f"{k}={v}" for k, v in conditions.items()) or "none"
    # The paradigm decides between two conditions; several annotations may mean the same one.
    if len(set(conditions.values())) != 2:
        raise BadValue(Message("recordings.conditions", got=got))
    if "rest" in conditions.values():
        raise BadValue(Message("recordings.rest", got=got))


def _check_distinct(files: Sequence[Path]) -> None:
    """A recording that also calibrated would make the accuracy worthless."""
    seen: dict[str, Path] = {}
    for path in files:
        # By content, not by name: a copy under another name is the same recording.
        digest = file_sha256(path)
        if digest in seen:
            raise BadValue(Message("recordings.same", file=path.name, other=seen[digest].name))
        seen[digest] = path


def _vouched(heads: Sequence[replay.Head], unit: str, by: str) -> StreamSpec:
    """The contract of the signal, with the unit that the recordings state or that somebody declares by name."""
    if bool(unit) != bool(by):
        raise BadValue(Message("recordings.unit", unit=repr(unit), name=repr(by)))
    first = heads[0]
    signal = changed(first.signal(SIGNAL), unit=unit or first.unit, unit_declared_by=by)
    try:
        scale = units.of_stream(signal, (first.unit,) * len(first.channels), len(first.channels))
    except BadSignal as error:
        file, why = first.path.name, messages.of(error)
        raise BadValue(
            Message("recordings.unit_unknown", file=file, why=why)
            if unit
            else Message("recordings.unit_unknown_remedy", file=file, why=why)
        ) from error
    if unit and scale.source != "declared":
        raise BadValue(Message("recordings.unit_stated", file=first.path.name, unit=first.unit))
    # A declared unit may be wrong by a factor of a thousand; amplitudes of tissue show it.
    if unit and units.is_voltage(unit):
        for head in heads:
            if problem := units.implausible(_amplitudes(replay.load(head.path), scale)):
                raise BadValue(
                    Message(
                        "recordings.unit_impossible",
                        file=head.path.name,
                        unit=unit,
                        by=by,
                        why=problem,
                    )
                )
    return signal


def _amplitudes(recorded: replay.Recorded, scale: units.StreamUnits) -> list[float]:
    """Root mean square of each channel about its mean, µV: the median over the whole seconds of a recording."""
    n = max(1, round(recorded.head.fs))
    values = scale.scale(recorded.samples)
    # Whole seconds, and their median: one artefact of some seconds does not decide about the unit.
    whole = max(1, len(values) // n)
    seconds = values[: whole * n].reshape(whole, -1, values.shape[1])
    return [float(value) for value in np.median(seconds.std(axis=1), axis=0)]


def _check_enough(heads: Sequence[replay.Head], conditions: Mapping[str, str]) -> None:
    """Each condition needs trials to calibrate with."""
    for name in dict.fromkeys(conditions.values()):
        n = sum(conditions.get(a.text) == name for head in heads for a in head.annotations)
        if n < FEWEST:
            raise BadValue(
                Message(
                    "recordings.few_trials",
                    files=[h.path.name for h in heads],
                    condition=repr(name),
                    n=n,
                    least=FEWEST,
                )
            )


def _difference(first: replay.Head, other: replay.Head) -> str:
    """How the montage of a recording differs from that of the first, ``""`` when it does not."""
    if other.fs != first.fs:
        return Message("recordings.other_rate", got=f"{other.fs:g}", wanted=f"{first.fs:g}")
    if len(other.channels) != len(first.channels):
        return Message("recordings.other_count", got=len(other.channels), wanted=len(first.channels))
    for i, (got, want) in enumerate(zip(other.channels, first.channels, strict=True), 1):
        if got != want:
            return Message("recordings.other_channel", n=i, got=repr(got), wanted=repr(want))
    if units.same(other.unit, first.unit):
        return ""
    return Message("recordings.other_unit", got=repr(other.unit), wanted=repr(first.unit))
