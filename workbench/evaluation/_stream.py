"""Decoders judged as they run: continuous runs through the one loop, by the paradigm's own rule.

Each run is decoded from its first sample to its last by a decoder that all other runs trained, on the windows that
the paradigm names, as a fit for a session does. A decoder that adapts begins each run as it was fitted, as live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench import decoders
from workbench.analysis import EventMetrics, Interval, chance_limit_of, event_metrics, share_of_events
from workbench.decode import decode
from workbench.decoders import Training, WindowDecoder
from workbench.errors import BadSignal, BadValue
from workbench.evaluation._contract import ContinuousRun, ContinuousRuns, Dataset
from workbench.evaluation._defaults import chosen
from workbench.evaluation._peers import Peer, kind_of
from workbench.paradigms import Paradigm
from workbench.vocabulary import Chunk, Marker, Trial

BLOCK_S = 1.0
"""Length of the chunks in which a run is decoded, s; it changes no bit."""


@dataclass(frozen=True)
class StreamJudged:
    """What one decoder did in the continuous runs of one participant.

    Attributes
    ----------
    dataset, participant, decoder : what was judged. params : of the decoder. rule : of the runs.
    trials : of the judged runs. run_of : ``(n_trials,)`` run of each.
    fs : rate in Hz.
    windows : class of each window that the paradigm names in the judged runs, and what it was taken for.
    """

    dataset: str
    participant: str
    decoder: str
    params: Mapping[str, Any]
    rule: Paradigm
    trials: tuple[Trial, ...]
    run_of: tuple[str, ...]
    fs: float
    windows: tuple[tuple[str, str], ...]

    @property
    def runs(self) -> tuple[str, ...]:
        """Names of the judged runs."""
        return tuple(dict.fromkeys(self.run_of))

    @property
    def events(self) -> EventMetrics | None:
        """Event metrics of a self-paced rule; None of a cued one."""
        return events_of([self]) if self.rule.asynchronous else None

    @property
    def judged(self) -> tuple[Trial, ...]:
        """Trials that are not excluded."""
        return tuple(trial for trial in self.trials if trial.outcome != "excluded")

    @property
    def correct(self) -> int:
        """Judged trials that are right: hits of a self-paced rule."""
        return sum(trial.outcome == "correct" for trial in self.judged)

    @property
    def value(self) -> float:
        """Event F1, or the share of right trials."""
        events = self.events
        share = self.correct / len(self.judged)
        return share if events is None or events.f1 is None else events.f1

    @property
    def interval(self) -> Interval:
        """95 % interval of :attr:`value`, over runs."""
        events = self.events
        if events is not None and events.f1_interval is not None:
            return events.f1_interval
        right = np.array([trial.outcome == "correct" for trial in self.judged], dtype=np.float64)
        runs = [run for trial, run in zip(self.trials, self.run_of) if trial.outcome != "excluded"]
        interval = share_of_events(right, np.ones(len(right)), runs)
        assert interval is not None
        return interval

    @property
    def limit(self) -> int | None:
        """95 % chance limit of the right trials of a cued rule; None of a self-paced one."""
        if self.rule.asynchronous:
            return None
        return chance_limit_of(Counter(trial.condition for trial in self.judged).values())

    @property
    def window_accuracy(self) -> float:
        """Mean over classes of the share of right windows."""
        right = np.array([truth == decided for truth, decided in self.windows])
        truths = np.array([truth for truth, _ in self.windows])
        return float(np.mean([right[truths == name].mean() for name in np.unique(truths)]))

    def line(self) -> str:
        """One sentence with n, interval and definition."""
        head = f"{self.dataset} {self.participant} {self.decoder} (stream, {len(self.runs)} runs)"
        windows = f"windows {self.window_accuracy:.3f} (mean over classes, {len(self.windows)} of them)"
        if (events := self.events) is not None:
            return f"{head}: {events.line()}; {events.rest_line()}; {events.timing_line()}; {windows}"
        low, high = self.interval
        limit = "none" if self.limit is None else f"{self.limit}/{len(self.judged)}"
        return (
            f"{head}: {self.correct}/{len(self.judged)} = {self.value:.3f} (95 % CI {low:.3f}–{high:.3f}, "
            f"over {len(self.runs)} runs; 95 % chance limit {limit}); {windows}"
        )


def judge_stream(
    dataset: Dataset,
    runs: ContinuousRuns,
    *,
    decoder: str = "",
    params: Mapping[str, Any] | None = None,
    rule: Mapping[str, Any] | None = None,
    peer: Peer | None = None,
) -> StreamJudged:
    """Decode each run with what all others trained, in order of time.

    Parameters
    ----------
    dataset, runs : what is judged.
    decoder, params : name and parameters; the paradigm's default without a name.
    rule : parameters of the data set's rule that differ.
    peer : an algorithm of another library that is judged in the decoder's place.

    Raises
    ------
    BadValue
        Without a rule, for a parameter that the rule or the decoder does not have or cannot take.
    BadSignal
        Fewer than two runs, no run that was not looked at, or what the decoder cannot be fitted on.
    """
    if dataset.rule is None:
        raise BadValue(f"{dataset.name} has no continuous runs to decode; leave --stream out")
    paradigm = _changed(dataset.rule, rule or {})
    name, used = chosen(dataset, decoder=decoder, params=params, fs=runs.fs, n_channels=len(runs.channels))
    kind = kind_of(name, peer)

    def fresh() -> WindowDecoder:
        return kind(runs.fs, **used).prepare_for(len(runs.channels), stretch_s=paradigm.stretch_s)

    # Collected once: what a decoder keeps of a window does not depend on what it learned.
    training = {run.name: collected(fresh(), run, paradigm, fs=runs.fs) for run in runs.runs}
    trials: list[Trial] = []
    run_of: list[str] = []
    windows: list[tuple[str, str]] = []
    for run in _to_judge(runs):
        fitted = _fitted(fresh(), [part for name, part in training.items() if name != run.name])
        own = [i for i in decode(items(run, fs=runs.fs), paradigm, fitted, fs=runs.fs) if isinstance(i, Trial)]
        trials += own
        run_of += [run.name] * len(own)
        windows += _decided(fitted, training[run.name])
    if all(trial.outcome == "excluded" for trial in trials):
        raise BadSignal(f"no trial of {runs.participant} can be judged; check the cues and the gaps of the runs")
    return StreamJudged(
        dataset.name,
        runs.participant,
        name if peer is None else peer.name,
        used,
        paradigm,
        tuple(trials),
        tuple(run_of),
        runs.fs,
        tuple(windows),
    )


def _to_judge(runs: ContinuousRuns) -> list[ContinuousRun]:
    """Runs that were not looked at when defaults were chosen."""
    judged = [run for run in runs.runs if run.name not in runs.looked_at]
    if len(runs.runs) < 2 or not judged:
        raise BadSignal(
            f"{runs.participant} has {len(runs.runs)} runs, {len(judged)} of them to judge (defaults were chosen "
            "on the others); leaving one out takes two or more, at least one to judge"
        )
    return judged


def _fitted(decoder: WindowDecoder, parts: Sequence[Training]) -> WindowDecoder:
    """A prepared decoder after a fit on several runs."""
    # Blocks are numbered from 0 in each run; shifted so that no two runs share a number.
    offsets = np.cumsum([0, *(int(part.blocks.max()) + 1 for part in parts[:-1])])
    return decoder.fit_summaries(
        np.concatenate([part.summaries for part in parts]),
        np.concatenate([part.labels for part in parts]),
        blocks=np.concatenate([part.blocks + offset for part, offset in zip(parts, offsets, strict=True)]),
    )


def _decided(decoder: WindowDecoder, held: Training) -> list[tuple[str, str]]:
    """Class of each window that the decoder has not seen, and what it takes it for."""
    best = decoder.classes_[np.argmax(decoder.scores_of(held.summaries), axis=1)]
    return list(zip(held.labels.tolist(), best.tolist(), strict=True))


def events_of(rows: Sequence[StreamJudged]) -> EventMetrics:
    """Event metrics of one participant over runs, or of several with the participant as the unit that varies."""
    people = len({row.participant for row in rows}) > 1
    units = [row.participant if people else run for row in rows for run in row.run_of]
    window_s = rows[0].rule.params()["onset_window_s"]
    trials = [trial for row in rows for trial in row.trials]
    unit = "participant" if people else "run"
    return event_metrics(trials, onset_window_s=window_s, fs=rows[0].fs, runs=units, unit=unit)


def items(run: ContinuousRun, *, fs: float) -> Iterator[Chunk | Marker]:
    """A run as the loop takes it: its cues, which are awaited, then its samples."""
    for cue in run.cues:
        detail = {"duration_s": cue.duration_s, "trial": cue.trial}
        yield Marker("cue", 0, cue.stamp, cue.label, detail)
    block = max(1, round(BLOCK_S * fs))
    for first in range(0, len(run.samples), block):
        samples = run.samples[first : first + block]
        yield Chunk(first, samples, np.arange(first, first + len(samples)) / fs)


def collected(decoder: WindowDecoder, run: ContinuousRun, paradigm: Paradigm, *, fs: float) -> Training:
    """What a prepared decoder keeps of the windows of a run that the paradigm names.

    Parameters
    ----------
    decoder : prepared. run, paradigm : give the windows; those that end after the run are left out.
    fs : rate in Hz.
    """
    settings = decoder.settings
    named = paradigm.training_windows(run.cues, fs=fs, window_s=settings.window_s, hop_s=settings.hop_s)
    complete = [window for window in named if window[0] <= len(run.samples)]
    return decoders.collect(decoder, items(run, fs=fs), complete, n_channels=run.samples.shape[1])


def _changed(rule: Paradigm, changes: Mapping[str, Any]) -> Paradigm:
    known = rule.params()
    for name in changes:
        if name not in known:
            raise BadValue(f"the rule {rule.name} has no parameter {name!r}; it has {', '.join(known)}")
    return replace(rule, **changes)
