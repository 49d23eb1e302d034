"""A recording as a player needs it: one signal, its stamps and its annotations, from any supported format.

XDF is read by our own reader; EDF, BDF, BrainVision, GDF and FIF by MNE, which is imported when it is needed.
Samples are in µV, whatever unit the file uses; BIDS sidecar files say which channels are decoded. They are
float32, as they go over LSL, so that reading a recording and playing it give the same values.
"""

from __future__ import annotations

import struct
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import reading
from workbench.devices._bids import MNE_TYPES, side_files
from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message
from workbench.recording import XdfFile, XdfStream, read
from workbench.recording.run_writer import EVENTS, PREFIX
from workbench.signals import units
from workbench.signals.units import StreamUnits
from workbench.vocabulary import FloatArray, StreamSpec

SUFFIXES = {
    ".xdf": "xdf",
    ".xdfz": "xdf",
    ".edf": "edf",
    ".bdf": "bdf",
    ".gdf": "gdf",
    ".vhdr": "brainvision",
    ".fif": "fif",
}
"""File name ending → format."""

VOLTS = ("eeg", "ecog", "seeg", "dbs", "emg", "eog", "ecg", "bio")
"""MNE channel types in volts; all channels of these types are played, in µV."""

_FAULTS = (
    OSError, EOFError, ValueError, RuntimeError, TypeError, LookupError, AttributeError, ArithmeticError,
    AssertionError, NotImplementedError, struct.error,
)  # fmt: skip
"""Errors that MNE raises for files that it cannot read."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of a recording: s after its first sample, duration in s, text."""

    onset_s: float
    duration_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """A recording without its samples.

    Attributes
    ----------
    path : of the file.
    type : LSL content type, ``"EEG"``, ``"ECoG"``, ``"EMG"``.
    fs : Hz. channels : names in order.
    unit : of every channel: ``"uV"`` for voltages, which are scaled; ``""`` where the file states none that is
        known.
    n_samples : of the signal.
    annotations : in the order of their onset.
    notes : remarks of the reader of the format.
    conditions : annotation → condition, as requested.
    """

    path: Path
    type: str
    fs: float
    channels: tuple[str, ...]
    unit: str
    n_samples: int
    annotations: tuple[Annotation, ...]
    notes: tuple[str, ...]
    conditions: Mapping[str, str]

    @property
    def seconds(self) -> float:
        """Length in s."""
        return self.n_samples / self.fs

    @property
    def n_cues(self) -> int:
        """Number of annotations that name a condition."""
        return sum(a.text in self.conditions for a in self.annotations)

    def signal(self, source_id: str, *, name: str = "wb-replay") -> StreamSpec:
        """The line of the stream contract for its signal."""
        return StreamSpec(name, self.type, self.fs, self.channels, unit=self.unit, source_id=source_id)

    def markers(self, source_id: str, *, name: str = "wb-replay") -> StreamSpec:
        """The line of the stream contract for its annotations."""
        return StreamSpec(f"{name}-markers", "Markers", 0.0, source_id=source_id, role="markers")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording in memory.

    Attributes
    ----------
    head : its description.
    samples : ``(n_times, n_channels)`` float32, in the unit of ``head``.
    stamps : ``(n_times,)`` float64, s after the first sample, with the jitter and the gaps of the original.
    """

    head: Head
    samples: NDArray[np.float32]
    stamps: FloatArray


def load(
    path: Path | str, *, conditions: Mapping[str, str] | None = None, stream: str = "", samples: bool = True
) -> Recorded:
    """Read a recording.

    Parameters
    ----------
    path : ``.xdf``, ``.edf``, ``.bdf``, ``.vhdr``, ``.gdf`` or ``.fif``.
    conditions : annotation → condition; each annotation must occur.
    stream : name of the signal stream of an XDF file that has several.
    samples : False leaves ``samples`` and ``stamps`` empty where the format allows it.

    Raises
    ------
    RecordingFault
        When the file does not exist, is torn, or is of a format that is not supported.
    BadValue
        When a condition does not occur; the text lists what does.
    """
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.lower(), "xdf" if path.name.endswith(".xdf.gz") else "")
    if not kind:
        raise RecordingFault(Message("replay.no_format", file=path.name, formats=sorted(SUFFIXES)))
    if not reading.is_there(path, Message("file.noun_recording"), error=RecordingFault):
        raise RecordingFault(Message("replay.not_there", file=reading.shown(path)))
    # One byte shows that the file can be read, with our own sentence instead of MNE's traceback.
    reading.read_start(path, Message("file.noun_recording"), 1, error=RecordingFault)
    requested = dict(conditions or {})
    recorded = (
        _from_xdf(path, requested, stream) if kind == "xdf" else _from_mne(path, requested, kind, samples=samples)
    )
    _check_conditions(recorded.head)
    return recorded


def _check_conditions(head: Head) -> None:
    """Raise when a requested annotation does not occur."""
    seen = Counter(a.text for a in head.annotations)
    for text in head.conditions:
        if text not in seen:
            frequent = [Message("replay.n_times", text=repr(t), n=n) for t, n in seen.most_common(12)]
            known = frequent or Message("replay.none_at_all")
            raise BadValue(
                Message("replay.no_annotation", file=head.path.name, annotation=repr(text), known=known)
            )


def _inside(annotations: list[Annotation], seconds: float) -> tuple[tuple[Annotation, ...], tuple[str, ...]]:
    """Annotations within the signal, by onset, and a note about those that are not."""
    inside = tuple(sorted((a for a in annotations if 0.0 <= a.onset_s <= seconds), key=lambda a: a.onset_s))
    n_out = len(annotations) - len(inside)
    note = f"{n_out} of {len(annotations)} annotations lie before or behind the signal and are left out"
    return inside, (note,) if n_out else ()


# ---------------------------------------------------------------------------------------- XDF
def _from_xdf(path: Path, conditions: Mapping[str, str], stream: str) -> Recorded:
    file = read(path)
    signal = _signal_of(file, stream)
    stamps = corrected(signal)
    if not len(stamps):
        raise RecordingFault(Message("replay.no_samples", stream=repr(signal.name), file=path.name))
    annotations = _xdf_annotations(file, float(stamps[0]))
    # The cues of our own runs already carry conditions as their labels.
    if not conditions and _is_run(file):
        conditions = {a.text: a.text for a in annotations}
    inside, notes = _inside(annotations, float(stamps[-1] - stamps[0]))
    places, unit, apart = _decoded_channels(signal)
    head = Head(
        path,
        signal.type,
        signal.fs,
        tuple(signal.channels[place] for place in places),
        unit,
        len(stamps),
        inside,
        (*apart, *notes),
        conditions,
    )
    factors = np.array([units.parse(signal.units[place]).factor for place in places])
    samples = StreamUnits((), factors, "recorded").scale(signal.values[:, places])
    return Recorded(head, np.ascontiguousarray(samples, dtype=np.float32), stamps - stamps[0])


def _decoded_channels(signal: XdfStream) -> tuple[list[int], str, tuple[str, ...]]:
    """Indices of the channels that are played, their unit after scaling, and notes.

    In a stream of biopotentials a channel that says that it is something else, by its type or its unit, is left
    out: triggers, movement, counters. In a stream of another kind (an accelerometer) every channel is played.
    """
    parsed = [units.parse(text) for text in signal.units]
    places = list(range(len(signal.channels)))
    if units.is_biopotential(signal.type):
        places = [
            place
            for place in places
            if parsed[place].kind is not units.Kind.OTHER and _is_alike(signal.types[place], signal.type)
        ]
    if not places:
        kinds, announced = sorted(set(signal.types)), sorted(set(signal.units))
        raise RecordingFault(
            Message("replay.nothing_decoded", stream=repr(signal.name), units=announced, types=kinds)
        )
    left = [name for place, name in enumerate(signal.channels) if place not in places]
    notes = [f"not played, since they are no {signal.type}: {', '.join(left)}"] if left else []
    symbols = {parsed[place].symbol for place in places}
    if len(symbols) > 1 or parsed[places[0]].kind is units.Kind.UNKNOWN:
        notes.append(
            f"the units {', '.join(sorted(set(signal.units)))} are not scaled: their size in volts is not known"
        )
    return places, symbols.pop() if len(symbols) == 1 else "", tuple(notes)


def _is_alike(channel: str, stream: str) -> bool:
    """Whether the type of a channel is that of its stream, a biopotential, or not stated."""
    return not channel or channel.casefold() == stream.casefold() or units.is_biopotential(channel)


def _is_run(file: XdfFile) -> bool:
    return any(s.name == EVENTS for s in file.streams)


def _signal_of(file: XdfFile, name: str) -> XdfStream:
    if name:
        return file.stream(name)
    candidates = [
        s
        for s in file.streams
        if s.fs > 0 and s.dtype != "string" and not s.name.startswith(PREFIX) and len(s.stamps)
    ]
    candidates = [s for s in candidates if s.role == "signal"] or candidates
    if len(candidates) != 1:
        names = [repr(s.name) for s in candidates] or Message("word.none")
        sentence = Message("replay.streams", file=file.path.name, n=len(candidates), streams=names)
        raise RecordingFault(sentence)
    return candidates[0]


def corrected(stream: XdfStream) -> FloatArray:
    """Stamps on the recorder's clock: each gets the clock offset that was measured nearest to it.

    Returns
    -------
    ``(n_times,)`` float64, s. Nearest is meant on the sender's clock, on which both stamp and measurement
    (``time − offset``) are known, so that a sender's clock that was reset is followed.
    """
    if not len(stream.clock_times):
        return stream.stamps
    measured = stream.clock_times - stream.clock_offsets
    order = np.argsort(measured, kind="stable")
    measured, offsets = measured[order], stream.clock_offsets[order]
    if len(measured) == 1:
        right = left = np.zeros(len(stream.stamps), dtype=np.int64)
    else:
        right = np.clip(np.searchsorted(measured, stream.stamps), 1, len(measured) - 1)
        left = right - 1
    # <=: between two measurements the earlier one wins a tie, as it did live.
    nearer_left = stream.stamps - measured[left] <= measured[right] - stream.stamps
    stamps: FloatArray = stream.stamps + np.where(nearer_left, offsets[left], offsets[right])
    return stamps


def _xdf_annotations(file: XdfFile, first: float) -> list[Annotation]:
    """Texts of all marker streams; of a run of ours, the cues."""
    if _is_run(file):
        from workbench.recording import RunFile

        cues = [m for m in RunFile(file.path).markers() if m.kind == "cue"]
        return [Annotation(m.stamp - first, float(m.detail.get("duration_s", 0.0)), m.label) for m in cues]
    return [
        Annotation(float(stamp) - first, 0.0, text)
        for s in file.streams
        if s.dtype == "string"
        for stamp, text in zip(corrected(s), s.texts, strict=True)
    ]


# ---------------------------------------------------------------------------------------- MNE
def _from_mne(path: Path, conditions: Mapping[str, str], kind: str, *, samples: bool) -> Recorded:
    import mne

    try:
        # MNE reports oddities of a file as warnings; they become notes that the operator sees.
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            raw = mne.io.read_raw(path, preload=False, verbose="warning")
            types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
            beside = side_files(path)
            types |= {name: MNE_TYPES.get(kind, "misc") for name, kind in beside.types.items() if name in types}
            names = [name for name, of in types.items() if of in VOLTS and beside.is_decoded(name)]
            annotations = _mne_annotations(raw, path, mne)
            values = units.from_mne(raw.get_data(picks=names)) if samples and names else np.empty((len(names), 0))
    except _FAULTS as error:
        sentence = Message("replay.unreadable", file=path.name, format=kind, why=str(error))
        raise RecordingFault(sentence) from error
    if not names:
        kinds = str(sorted(set(types.values())))
        raise RecordingFault(Message("replay.no_volts", file=path.name, types=kinds))
    fs = float(raw.info["sfreq"])
    inside, notes = _inside(annotations, (raw.n_times - 1) / fs)
    most = Counter(types[name] for name in names).most_common(1)[0][0]
    head = Head(
        path,
        {"ecog": "ECoG", "seeg": "ECoG", "dbs": "ECoG", "emg": "EMG"}.get(most, "EEG"),
        fs,
        tuple(names),
        units.MICROVOLT,
        int(raw.n_times),
        inside,
        (*(str(w.message) for w in remarks), *beside.notes(tuple(types), fs), *notes),
        conditions,
    )
    # The only transposition outside signals.epoching: MNE delivers channels first, LSL samples first.
    data = np.ascontiguousarray(values.T, dtype=np.float32)
    return Recorded(head, data, np.arange(len(data)) / fs)


def _mne_annotations(raw: Any, path: Path, mne: Any) -> list[Annotation]:
    """Annotations of a file; where it has none, the events of its stimulus channel or of its ``-eve.fif``."""
    listed = raw.annotations
    # With a measurement date MNE counts onsets from the start of acquisition, without one from the first sample.
    start = raw.first_time if listed.orig_time is not None else 0.0
    annotations = [
        Annotation(float(onset) - start, float(duration), str(text))
        for onset, duration, text in zip(listed.onset, listed.duration, listed.description, strict=True)
    ]
    if annotations:
        return annotations
    beside = path.with_name(path.name.removesuffix(".fif").removesuffix("_raw").removesuffix("-raw") + "-eve.fif")
    if beside.is_file():
        events = mne.read_events(beside, verbose="warning")
    elif "stim" in raw.get_channel_types():
        # Triggers of one sample are common at low rates; MNE refuses them by default.
        events = mne.find_events(raw, shortest_event=1, verbose="warning")
    else:
        return []
    fs = float(raw.info["sfreq"])
    return [Annotation((int(at) - raw.first_samp) / fs, 0.0, str(int(code))) for at, _, code in events]
