"""A recorded run as MNE has it: V, annotations, epochs. MNE loads when one of these is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.signals.cues import locate_cues

if TYPE_CHECKING:
    import mne

    from workbench.recording.run_file import RunFile

UV = 1e-6
"""V per µV."""
KINDS = {"eeg": "eeg", "ecog": "ecog", "ieeg": "ecog", "seeg": "seeg", "lfp": "dbs", "dbs": "dbs", "emg": "emg"}
"""Content type of a stream, in lower case → MNE's type of its channels."""
WARM_UP_S = 1.0
"""Signal before a cue that an epoch includes, on which causal filters settle, s."""


def raw_of(run: RunFile) -> mne.io.RawArray:
    """The decoded stream of a run, with its events as annotations: see :meth:`RunFile.to_raw`."""
    import mne

    stream, kinds = run.signal, channel_types(run)
    info = mne.create_info(list(stream.channels), stream.fs, kinds)
    # A channel that is not a voltage keeps its values, as it does live.
    to_volts = np.array([1.0 if kind == "misc" else UV for kind in kinds])
    values = run.units.scale(np.asarray(stream.values, dtype=np.float64)) * to_volts
    raw = mne.io.RawArray(values.T, info, verbose="ERROR")
    cues, _ = locate_cues(run.items(), fs=stream.fs)
    marks = [(cue.sample, cue.duration_s, cue.label) for cue in cues]
    for marker in run.markers():
        if marker.kind == "gap":
            marks.append((marker.sample, 1.0 / stream.fs, "BAD_gap"))
        elif marker.kind not in ("cue", "run"):
            marks.append((marker.sample, 0.0, marker.label or marker.kind))
    # An event takes effect before its sample, the last one behind the last sample; MNE wants all within.
    last = len(values) - 1
    for sample, duration_s, text in sorted(marks):
        onset_s = min(sample, last) / stream.fs
        raw.annotations.append(onset_s, min(duration_s, last / stream.fs - onset_s), text)
    return raw


def epochs_of(run: RunFile, *, tmin: float = -WARM_UP_S, tmax: float | None = None) -> mne.Epochs:
    """Epochs around the cues of a run: see :meth:`RunFile.to_epochs`.

    Parameters
    ----------
    run : the recorded run.
    tmin, tmax : start and end relative to the cue, s; ``tmax`` is by default the end of the shortest cue.
    """
    import mne
    import pandas as pd

    fs = run.signal.fs
    cues, _ = locate_cues(run.items(), fs=fs)
    if not cues:
        raise BadSignal(Message("recording.no_cues", file=run.path.name))
    # MNE includes both ends of an epoch: one sample less keeps the next cue out.
    last = min(cue.duration_s for cue in cues) - 1.0 / fs if tmax is None else tmax
    if not tmin < last:
        raise BadValue(Message("recording.epoch_ends", start=f"{tmin:g}", end=f"{last:g}"))
    classes = {name: code for code, name in enumerate(sorted({cue.label for cue in cues}), start=1)}
    events = np.array([[cue.sample, 0, classes[cue.label]] for cue in cues])
    of_run = {"run": str(run.plan.get("run", run.path.stem)), "simulated": bool(run.plan.get("simulated"))}
    metadata = pd.DataFrame({"trial": [cue.trial for cue in cues], **of_run})
    picks: Any = [
        name for name, kind in zip(run.signal.channels, channel_types(run), strict=True) if kind != "misc"
    ]
    return mne.Epochs(
        raw_of(run),
        events,
        classes,
        tmin,
        last,
        baseline=None,
        picks=picks,
        metadata=metadata,
        preload=True,
        on_missing="ignore",
        verbose="ERROR",
    )


def channel_types(run: RunFile) -> list[str]:
    """MNE's type of each channel of the decoded stream; one that is recorded and not decoded is ``"misc"``.

    Parameters
    ----------
    run : the recorded run.
    """
    line, stream = run.contract_line, run.signal
    aside = () if line is None else line.without
    kind = KINDS.get(stream.type.lower(), "misc")
    return ["misc" if place in aside else kind for place in range(len(stream.channels))]
