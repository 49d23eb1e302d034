"""Fitting and evaluating a decoder on one's own epochs or recordings, with intervals and chance limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench import analysis, decoders
from workbench.analysis import Accuracy, Confusion, Fold
from workbench.decoders import WindowDecoder
from workbench.errors import BadValue
from workbench.html_repr import card
from workbench.recording import RunFile
from workbench.signals.units import epochs_uv
from workbench.vocabulary import FloatArray, Montage

if TYPE_CHECKING:
    import mne
    import pandas as pd

FOLDS = 5
"""Contiguous blocks of a cross-validation where there is one run only."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Performance of a decoder on epochs that it had not seen.

    Attributes
    ----------
    decoder, params : name and parameters.
    validation : how the epochs were split, as text.
    accuracy : over all epochs that were judged, with interval and chance limit.
    confusions : one matrix per fold.
    truth, decided : ``(n,)`` class of each judged epoch, in the order of judging.
    simulated : some of the epochs came from a simulated participant.
    """

    decoder: str
    params: Mapping[str, Any]
    validation: str
    accuracy: Accuracy
    confusions: tuple[Confusion, ...]
    truth: tuple[str, ...]
    decided: tuple[str, ...]
    simulated: bool

    def line(self) -> str:
        """One sentence with n, interval and chance limit."""
        return f"{self.decoder}, {self.validation}: {self.accuracy.line()}"

    def to_frame(self) -> pd.DataFrame:
        """One row per fold: counts, accuracy with its Wilson 95 % interval (``low``, ``high``), chance limit."""
        import pandas as pd

        rows = []
        for confusion in self.confusions:
            accuracy = analysis.accuracy_of(confusion)
            low, high = accuracy.interval or (None, None)
            rows.append((confusion.run, accuracy.correct, accuracy.n, accuracy.value, low, high, accuracy.limit))
        names = ["fold", "correct", "n", "accuracy", "low", "high", "chance_limit"]
        return pd.DataFrame(rows, columns=names).astype({"chance_limit": "Int64"})

    def _repr_html_(self) -> str:
        accuracy = self.accuracy
        low, high = accuracy.interval or (float("nan"), float("nan"))
        above = "above" if accuracy.above_chance else "not above"
        return card(
            "Evaluation",
            self.decoder,
            [
                ("right", f"{accuracy.correct} of {accuracy.n}"),
                (
                    "accuracy",
                    f"{accuracy.value:.3f} (95 % CI {low:.3f} to {high:.3f}, Wilson)" if accuracy.n else "none",
                ),
                (
                    "95 % chance limit",
                    f"{accuracy.limit} of {accuracy.n}" if accuracy.limit is not None else "none",
                ),
                ("validation", self.validation),
                *((name, value) for name, value in self.params.items()),
            ],
            remarks=[f"The accuracy is {above} the chance limit."],
            simulated=self.simulated,
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Epochs ready to learn from: ``X`` ``(n_epochs, n_channels, n_times)`` float64, µV; ``groups`` the runs."""

    X: FloatArray
    y: NDArray[Any]
    groups: tuple[str, ...]
    lead_in_s: float
    montage: Montage
    simulated: bool = False


Source = Any
"""``mne.Epochs``, an array, or recordings: see :func:`fit`."""


def fit(
    source: Source,
    decoder: str,
    y: Sequence[str] | NDArray[Any] | None = None,
    *,
    fs: float | None = None,
    groups: Sequence[str] | None = None,
    lead_in_s: float | None = None,
    **params: Any,
) -> WindowDecoder:
    """Fit a decoder on epochs or recordings.

    The decoder is for study and comparison. Decoders for sessions are fitted by :func:`workbench.runs.fit` on
    the windows that the paradigm names, entered in the record and approved.

    Parameters
    ----------
    source : ``mne.Epochs`` (in V, scaled; classes are the names of the events), an array
        ``(n_epochs, n_channels, n_times)`` in µV with ``y`` and ``fs``, or recordings of this workbench: a path, a
        :class:`~workbench.recording.RunFile`, several of them, or the table ``study.recordings()``. Not filtered:
        the decoder brings its own causal filters.
    decoder : a name of ``workbench.decoders.available()``.
    y : ``(n_epochs,)`` class of each epoch, for an array, or in place of the events' names.
    fs : rate in Hz, for an array.
    groups : ``(n_epochs,)`` run of each epoch; by default the column ``run`` of the metadata, or the recording.
    lead_in_s : start of every epoch that only warms the filters up, s; by default what lies before time 0.
    params : of the decoder.

    Returns
    -------
    WindowDecoder
        Fitted, with ``montage_``, so that ``decoders.save(decoder, folder, montage=decoder.montage_)`` stores it.

    Raises
    ------
    BadValue
        Labels or rate missing, recordings of different montages, a parameter that the decoder does not have.
    BadSignal
        What the decoder cannot be fitted on, in its own words.
    """
    data = _data(source, y, fs=fs, groups=groups, lead_in_s=lead_in_s)
    return _fitted(decoder, params, data, np.arange(len(data.y)))


def evaluate(
    source: Source,
    decoder: str,
    y: Sequence[str] | NDArray[Any] | None = None,
    *,
    fs: float | None = None,
    groups: Sequence[str] | None = None,
    lead_in_s: float | None = None,
    **params: Any,
) -> Evaluation:
    """Cross-validate a decoder: each run is left out in turn; of one run, each of five contiguous blocks.

    Parameters
    ----------
    source, decoder, y, fs, groups, lead_in_s, params : as :func:`fit` takes them.

    Raises
    ------
    BadValue, BadSignal
        As :func:`fit`.
    """
    data = _data(source, y, fs=fs, groups=groups, lead_in_s=lead_in_s)
    # Runs are nearly independent; blocks of one run still share its drift and are the second choice.
    several = len(set(data.groups)) > 1
    folds: Iterable[Fold] = (
        analysis.leave_one_out(data.groups) if several else analysis.blocks(len(data.y), k=FOLDS)
    )
    classes = [str(name) for name in np.unique(data.y)]
    truth: list[str] = []
    decided: list[str] = []
    tables = []
    for number, fold in enumerate(folds, start=1):
        fitted = _fitted(decoder, params, data, fold.train)
        predicted = fitted.predict(data.X[fold.judged], lead_in=data.lead_in_s)
        cued, answers = ([str(name) for name in names] for names in (data.y[fold.judged], predicted))
        tables.append(analysis.confusion_of(cued, answers, classes, run=str(number)))
        truth += cued
        decided += answers
    # Counts are pooled, not accuracies averaged: folds may differ in size.
    pooled = analysis.confusion_of(truth, decided, classes)
    return Evaluation(
        decoder=decoder,
        params=params,
        validation="leave one run out" if several else f"{len(tables)} contiguous blocks",
        accuracy=analysis.accuracy_of(pooled),
        confusions=tuple(tables),
        truth=tuple(truth),
        decided=tuple(decided),
        simulated=data.simulated,
    )


def evidence_of(decoder: WindowDecoder, source: Source, *, target: str) -> tuple[FloatArray, Data]:
    """Evidence of one class for each epoch of a source, and the epochs.

    Parameters
    ----------
    decoder : fitted.
    source : as :func:`fit` takes it, without labels.
    target : the class.

    Returns
    -------
    ``(n_epochs,)`` float64, log odds where the decoder's probabilities are not 0 or 1; and the epochs.
    """
    data = _data(source, None, fs=decoder.fs, groups=None, lead_in_s=None)
    column = [str(name) for name in decoder.classes_].index(target)
    # Clipped, since the log odds of a probability of 0 or 1 are infinite.
    probability = np.clip(decoder.predict_proba(data.X, lead_in=data.lead_in_s)[:, column], 1e-12, 1.0 - 1e-12)
    return np.log(probability / (1.0 - probability)), data


def band_power(data: Data, low_hz: float, high_hz: float) -> FloatArray:
    """Log power of each epoch and channel in a band, after the lead-in: ``(n_epochs, n_channels)`` float64.

    Filtered forwards and backwards, so for display only, not for decisions.

    Parameters
    ----------
    data : epochs.
    low_hz, high_hz : the band, Hz.
    """
    import mne

    filtered = mne.filter.filter_data(
        data.X, data.montage.fs, low_hz, high_hz, method="iir", copy=True, verbose="ERROR"
    )
    after_lead_in = filtered[:, :, round(data.lead_in_s * data.montage.fs) :]
    power: FloatArray = np.log((after_lead_in**2).mean(axis=2))
    return power


def _fitted(name: str, params: Mapping[str, Any], data: Data, rows: NDArray[np.int64]) -> WindowDecoder:
    kind = decoders.load(name)
    allowed = kind.parameter_names()
    for key in params:
        if key not in allowed:
            raise BadValue(f"decoder {name} has no parameter {key!r}; it has {', '.join(allowed)}")
    unfitted = kind(data.montage.fs, **params)
    # Evidence is calibrated on held-out runs where there are two or more, else on held-out epochs.
    runs = np.array(data.groups)[rows]
    blocks = runs if len(np.unique(runs)) > 1 else None
    fitted = unfitted.fit(data.X[rows], data.y[rows], lead_in=data.lead_in_s, blocks=blocks)
    fitted.montage_ = data.montage
    return fitted


def _data(
    source: Source,
    y: Sequence[str] | NDArray[Any] | None,
    *,
    fs: float | None,
    groups: Sequence[str] | None,
    lead_in_s: float | None,
) -> Data:
    """Epochs from any accepted source, as arrays in µV.

    Parameters
    ----------
    source, y, fs, groups, lead_in_s : as :func:`fit` takes them.
    """
    if hasattr(source, "get_data") and hasattr(source, "event_id"):
        return _of_epochs(source, y, groups=groups, lead_in_s=lead_in_s)
    # Duck typing: pandas and MNE are not imported for sources that do not need them.
    if hasattr(source, "columns") and "file" in source.columns:
        source = list(source["file"])
    if isinstance(source, str | Path | RunFile):
        source = [source]
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | Path | RunFile):
        return _of_recordings(source, lead_in_s=lead_in_s)
    if y is None or fs is None:
        raise BadValue(
            "epochs as an array need y, the class of each, and fs, their rate in Hz; mne.Epochs and recordings "
            "bring both"
        )
    X = np.asarray(epochs_uv(source), dtype=np.float64)
    if X.ndim != 3:
        raise BadValue(f"epochs must have shape (n_epochs, n_channels, n_times), got {X.shape}")
    channels = tuple(f"channel {i + 1}" for i in range(X.shape[1]))
    runs = tuple(str(name) for name in groups) if groups is not None else ("",) * len(X)
    return _checked(Data(X, np.asarray(y), runs, lead_in_s or 0.0, Montage(channels, float(fs))))


def _of_epochs(
    epochs: mne.Epochs,
    y: Sequence[str] | NDArray[Any] | None,
    *,
    groups: Sequence[str] | None,
    lead_in_s: float | None,
) -> Data:
    if y is None:
        name_of = {code: name for name, code in epochs.event_id.items()}
        y = [name_of[code] for code in epochs.events[:, 2].tolist()]
    if groups is None and epochs.metadata is not None and "run" in epochs.metadata:
        groups = epochs.metadata["run"].astype(str).tolist()
    metadata = epochs.metadata
    kinds = epochs.get_channel_types()
    X = np.asarray(epochs_uv(epochs), dtype=np.float64)
    return _checked(
        Data(
            X=X,
            y=np.asarray(y),
            groups=tuple(groups) if groups is not None else ("",) * len(X),
            # What lies before time 0 warms up the causal filters unless stated otherwise.
            lead_in_s=max(0.0, -float(epochs.tmin)) if lead_in_s is None else lead_in_s,
            montage=Montage(tuple(epochs.ch_names), float(epochs.info["sfreq"]), str(kinds[0])),
            simulated=metadata is not None and "simulated" in metadata and bool(metadata["simulated"].any()),
        )
    )


def _of_recordings(source: Sequence[Path | str | RunFile], *, lead_in_s: float | None) -> Data:
    runs = [run if isinstance(run, RunFile) else RunFile(run) for run in source]
    cut = [run.to_epochs() for run in runs]
    # Epochs of one array need one length: the shortest run sets it.
    tmax = min(float(epochs.tmax) for epochs in cut)
    parts = [_of_epochs(epochs.crop(tmax=tmax), None, groups=None, lead_in_s=lead_in_s) for epochs in cut]
    for run, part in zip(runs[1:], parts[1:], strict=True):
        if part.montage != parts[0].montage:
            raise BadValue(
                f"{run.path.name} has other channels or another rate than {runs[0].path.name}; take recordings of "
                "one montage"
            )
    return Data(
        X=np.concatenate([part.X for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        groups=tuple(name for part in parts for name in part.groups),
        lead_in_s=parts[0].lead_in_s,
        montage=parts[0].montage,
        simulated=any(part.simulated for part in parts),
    )


def _checked(data: Data) -> Data:
    for name, values in (("y", data.y), ("groups", data.groups)):
        if len(values) != len(data.X):
            raise BadValue(f"{name} must name each of {len(data.X)} epochs once, got {len(values)}")
    return data
