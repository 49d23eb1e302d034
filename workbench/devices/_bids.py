"""BIDS sidecar files of a recording: ``*_channels.tsv`` and ``*_eeg.json``, ``*_ieeg.json`` describe its channels.

References: BIDS 1.10, https://bids-specification.readthedocs.io, "Intracranial electroencephalography", "The
inheritance principle"; doi:10.1038/s41597-019-0105-7 (iEEG), doi:10.1038/s41597-019-0104-8 (EEG).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import reading
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.signals.units import Kind, parse

LARGEST = 4_000_000
"""Bytes of a side file that is read; 10,000 channels take about one million."""

DECODED = {
    "ieeg": ("ECOG", "SEEG", "DBS"),
    "eeg": ("EEG",),
    "emg": ("EMG",),
}
"""BIDS suffix of a recording → channel types that are decoded; all others (MISC, TRIG, EOG, ECG …) are not."""

MNE_TYPES = {"ECOG": "ecog", "SEEG": "seeg", "DBS": "dbs", "EEG": "eeg", "EMG": "emg"}
"""BIDS channel type → that of MNE."""


@dataclass(frozen=True)
class SideFiles:
    """Content of the sidecar files.

    Attributes
    ----------
    types : channel → BIDS type in upper case; empty where there is no ``channels.tsv``.
    units : channel → unit, as it is stated.
    bad : channels that are marked bad.
    about : the JSON side file.
    suffix : BIDS suffix of the recording.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    bad: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""

    def is_decoded(self, channel: str) -> bool:
        """Whether a channel may be the input of a decoder; True where the side files do not name it."""
        kind = self.types.get(channel)
        # The unit counts more than the type: a channel in degrees or counts is not a voltage.
        if parse(self.units.get(channel, "")).kind is Kind.OTHER:
            return False
        return kind is None or kind in DECODED.get(self.suffix, tuple(MNE_TYPES))

    def _named(self, channel: str) -> str:
        """A channel with what keeps it from being decoded."""
        unit = self.units.get(channel, "")
        other = f", in {unit}" if parse(unit).kind is Kind.OTHER and self.types.get(channel) in MNE_TYPES else ""
        return f"{channel} ({self.types.get(channel, '')}{other})"

    def notes(self, channels: tuple[str, ...], fs: float) -> tuple[str, ...]:
        """Sentences about what was left out, what is marked bad, and what contradicts the file."""
        remarks = []
        if apart := [self._named(name) for name in channels if not self.is_decoded(name)]:
            remarks.append(f"not played, by the BIDS side file: {', '.join(apart)}")
        if bad := [name for name in self.bad if name in channels and self.is_decoded(name)]:
            remarks.append(f"marked bad in the BIDS side file: {', '.join(bad)}")
        if unknown := [name for name in channels if self.types and name not in self.types]:
            remarks.append(
                f"not named in the BIDS side file, played as the recording types them: {', '.join(unknown)}"
            )
        stated = self.about.get("SamplingFrequency")
        # 0.1 %: headers of EDF and BrainVision round the rate by less than that.
        if isinstance(stated, int | float) and abs(stated - fs) > 1e-3 * fs:
            remarks.append(f"the BIDS side file states {stated:g} Hz, the recording has {fs:g} Hz")
        return tuple(remarks)


def side_files(path: Path) -> SideFiles:
    """The sidecar files of a recording; empty where its name is not a BIDS name or it has none.

    Raises
    ------
    RecordingFault
        When one exists and cannot be read.
    """
    parts = path.name.split(".", 1)[0].split("_")
    if len(parts) < 2 or parts[-1] not in DECODED or not parts[0].startswith("sub-"):
        return SideFiles()
    # The inheritance principle: a file applies when all of its entities are those of the recording.
    suffix, entities = parts[-1], set(parts[:-1])
    table = _nearest(path, entities, "channels", ".tsv")
    about = _nearest(path, entities, suffix, ".json")
    rows = [] if table is None else _rows(table)
    return SideFiles(
        types={row["name"]: row.get("type", "").strip().upper() for row in rows if row.get("type")},
        units={row["name"]: row["units"] for row in rows if row.get("units")},
        # Only noted, never left out: a channel marked bad belongs to the montage that a decoder was fitted on.
        bad=tuple(row["name"] for row in rows if row.get("status", "").strip().lower() == "bad"),
        about={} if about is None else _object(about),
        suffix=suffix,
    )


def _nearest(path: Path, entities: set[str], suffix: str, ending: str) -> Path | None:
    """The side file that applies: the one with most entities of the recording, in its folder or above it."""
    for folder in path.absolute().parents:
        fitting = [
            file
            for file in folder.glob(f"*{suffix}{ending}")
            if file.is_file() and set(file.name.removesuffix(ending).split("_")) <= entities | {suffix}
        ]
        if fitting:
            return max(fitting, key=lambda file: (len(file.name.split("_")), file.name))
        # Above the folder of the data set, and outside of one, nothing is inherited.
        inside = any(part.startswith("sub-") for part in folder.parts)
        if not inside or (folder / "dataset_description.json").is_file():
            return None
    return None


def _text(path: Path) -> str:
    """A side file; a byte-order mark is left out."""
    return reading.read_text(path, Message("file.noun_bids"), largest=LARGEST, error=RecordingFault, signed=True)


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a ``channels.tsv`` by column."""
    lines = csv.DictReader(_text(path).splitlines(), delimiter="\t")
    rows = [{str(key): str(value) for key, value in row.items() if key and value is not None} for row in lines]
    if any("name" not in row for row in rows):
        raise RecordingFault(Message("replay.no_name_column", file=path.name))
    return rows


def _object(path: Path) -> dict[str, Any]:
    """A JSON object."""
    content = reading.parse_json(
        _text(path), Message("file.named", what=Message("file.noun_bids"), path=path.name), error=RecordingFault
    )
    if not isinstance(content, dict):
        raise RecordingFault(Message("replay.no_json_object", file=path.name))
    return content
