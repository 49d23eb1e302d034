"""EEG motor movement/imagery data base of PhysioNet: EDF+ files ``S001R06.edf`` with T1 and T2 annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import BadSignal
from workbench.evaluation._contract import Dataset, Epochs, cues_of, files, joined, microvolts, pieces, read_raw

LEAD_IN_S = 0.5
STOP_S = 4.1
"""The cue stays for 4.1 s: the lead-in is the first half second after it, the rest is decoded."""


def dataset(module: str, title: str, *, runs: tuple[int, ...], classes: tuple[str, str]) -> Dataset:
    """The data set of some runs.

    Parameters
    ----------
    module : that defines it; its last part is the name. title : as text.
    runs : numbers. classes : what T1 and T2 mean in these runs.
    """

    def read(folder: Path) -> Iterator[Epochs]:
        people: dict[str, list[Path]] = {}
        # The folder may contain all 14 runs; those of other tasks mean other things by T1 and T2.
        for path in files(folder, "S[0-9]*R[0-9]*.edf"):
            match = re.fullmatch(r"(S\d+)R(\d+)", path.stem)
            if match and int(match[2]) in runs:
                people.setdefault(match[1], []).append(path)
        if not people:
            raise BadSignal(f"{folder} contains none of the runs {', '.join(map(str, runs))} (S001R06.edf …)")
        for person, paths in people.items():
            # T1 and T2 stand for different movements in different runs.
            yield _person(person, paths, dict(zip(("T1", "T2"), classes)))

    return Dataset(
        name=module.rpartition(".")[2],
        title=f"PhysioNet EEG motor movement/imagery: {title}",
        source="Schalk et al. 2004, doi:10.1109/TBME.2004.827072; Goldberger et al. 2000",
        terms="Open Data Commons Attribution",
        paradigm="motor_imagery",
        split="run",
        read=read,
        parameters={"mains_hz": 60.0},
    )


def _person(person: str, paths: list[Path], names: dict[str, str]) -> Epochs:
    parts = []
    for path in paths:
        raw = read_raw(path)
        fs = float(raw.info["sfreq"])
        parts.append((path.stem, *pieces(microvolts(raw), cues_of(raw, names), fs=fs, start_s=0.0, stop_s=STOP_S)))
    return joined(person, parts, fs=fs, channels=raw.ch_names, lead_in_s=LEAD_IN_S)
