"""What a fit would have done on the parts of its runs that it had not seen.

Each part of the cross-validation is decoded as it would have been live: by the one loop, with the paradigm's
rule, by a decoder that was fitted on the other parts. What comes out are decisions and trials like those of an
online run, and what is computed of them is what a report computes of one.

The participant saw no evidence and no effector during a calibration: an online run may go better or worse.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import analysis, paradigms
from workbench.decode import decode
from workbench.decoders import JoinedDecoder, WindowDecoder
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Decision, FloatArray, LocatedCue, Trial

BEFORE_S, AFTER_S = 1.0, 1.0
"""How far evidence is kept before a cue, and after the end of its period, s."""
STEP_S = 0.1
"""Finest step at which it is kept, s."""


@dataclass
class HeldOut:
    """Gathers the parts of a validation.

    Parameters
    ----------
    paradigm : of the runs. fs : rate in Hz.
    """

    paradigm: Paradigm
    fs: float
    trials: list[Trial] = field(default_factory=list)
    _of_run: list[str] = field(default_factory=list)
    _courses: dict[str, list[FloatArray]] = field(default_factory=dict)
    _hop_s: float = 0.0

    def add(
        self,
        run: RunFile,
        decoder: WindowDecoder | JoinedDecoder,
        ends: NDArray[np.int64],
        periods: NDArray[np.int64],
    ) -> None:
        """Decode a run with a decoder that has not seen some of its periods, and keep what belongs to those.

        Parameters
        ----------
        run : recording of a calibration.
        decoder : fitted without the held-out periods.
        ends, periods : ``(n_windows,)`` int64, last sample and period of each training window of this run, and of
            those that were held out; a window that was not is given with period -1.
        """
        # How a cursor is moved depends on where it is seen: a calibration cannot tell what would have been.
        if self.paradigm.evidence != "probabilities":
            return
        cues, n = locate_cues(run.items(), fs=self.fs)
        held_cues = [cue for cue in cues if self._is_held(cue, ends, periods)]
        if not held_cues:
            return
        trials, decisions = self._decoded(run, decoder, held_cues)
        self.trials += trials
        self._of_run += [str(run.plan["run"])] * len(trials)
        self._keep_evidence(decisions, decoder, held_cues, n)

    def _decoded(
        self, run: RunFile, decoder: WindowDecoder | JoinedDecoder, held_cues: Sequence[LocatedCue]
    ) -> tuple[list[Trial], list[Decision]]:
        """The held-out trials, and the decisions up to the end of the last held-out period."""
        trials: list[Trial] = []
        decisions: list[Decision] = []
        waiting = {cue.sample for cue in held_cues if cue.label in self.paradigm.conditions}
        last = max(cue.sample + round((cue.duration_s + AFTER_S) * self.fs) for cue in held_cues)
        items = run.items(block=round(self.fs), inputs=decoder.inputs)
        for item in decode(items, self.paradigm, decoder, fs=self.fs):
            if isinstance(item, Trial) and item.cue_sample in waiting:
                trials.append(item)
                waiting.discard(item.cue_sample)
            elif isinstance(item, Decision):
                decisions.append(item)
                if not waiting and item.sample > last:
                    break  # what follows was not held out
        return trials, decisions

    def _is_held(self, cue: LocatedCue, ends: NDArray[np.int64], periods: NDArray[np.int64]) -> bool:
        """Whether the period that a cue opens was held out: the one whose windows end first after the cue."""
        later = np.flatnonzero(ends > cue.sample)
        if cue.label not in (*self.paradigm.classes, *self.paradigm.conditions) or not len(later):
            return False
        # Windows of later periods end later, so the first to end after a cue belongs to the period it opens.
        return bool(periods[later[np.argmin(ends[later])]] >= 0)

    def _keep_evidence(
        self,
        decisions: Sequence[Decision],
        decoder: WindowDecoder | JoinedDecoder,
        held_cues: Sequence[LocatedCue],
        n: int,
    ) -> None:
        """Evidence for the movement around each held-out cue: the last that was known at each time."""
        # Evidence of a choice is summed from cue to decision and has no course around the cue.
        if not decisions or self.paradigm.selects:
            return
        target = [str(name) for name in decoder.classes_].index(self.paradigm.conditions[0])
        at = np.array([decision.sample for decision in decisions])
        evidence = np.array(
            [decision.probabilities[target] if decision.valid else np.nan for decision in decisions]
        )
        self._hop_s = decoder.step_s
        for cue in held_cues:
            samples = cue.sample + np.round(np.array(self.times(held_cues)) * self.fs).astype(np.int64)
            # The last decision at or before each time. Where there is none the index is -1, and `fresh` is False.
            last = np.searchsorted(at, samples, side="right") - 1
            fresh = (last >= 0) & (samples <= n) & (samples - at[last] < self._stale())
            self._courses.setdefault(cue.label, []).append(np.where(fresh, evidence[last], np.nan))

    def _stale(self) -> float:
        """Samples after which evidence is no longer that of now."""
        return max(2.0 * self._hop_s, STEP_S) * self.fs

    def times(self, held_cues: Sequence[LocatedCue]) -> list[float]:
        """Times from the cue, s, at which evidence is kept: one where it is decided once a cue."""
        if not self.paradigm.asynchronous:
            return [float(self.paradigm.params()["stop_s"])]
        step = max(STEP_S, self._hop_s)
        last = self._attempt_s() + AFTER_S
        # Rounded, because these times are stored and compared as decimals.
        return [round(k * step, 6) for k in range(-round(BEFORE_S / step), round(last / step) + 1)]

    def _attempt_s(self) -> float:
        return float(self.paradigm.params()["attempt_s"])

    def choices(self) -> dict[Hashable, bool]:
        """Run and cue of each held-out choice → whether it was right."""
        return {
            (run, trial.cue_sample): trial.outcome == "correct"
            for run, trial in zip(self._of_run, self.trials, strict=True)
        }

    def figures(self) -> dict[str, Any] | None:
        """Plain data for the record and for the page that approves; None when nothing was decoded.

        ``target`` and ``times_s``; ``evidence``, a mean course with its interval for the cues of each class;
        ``thresholds`` and ``shown_s`` of the paradigm; ``events``, where activations come by themselves: ``n``,
        ``hits``, ``missed``, ``excluded``, ``onsets_s``, ``onset``, ``onset_limit_s``, ``false``, ``rest_s``,
        ``false_per_min``, ``false_interval``.
        """
        if not self._courses:
            return None
        params = self.paradigm.params()
        thresholds = {name: params[name] for name in ("release", "activate") if name in params}
        courses = {
            name: asdict(analysis.mean_course(np.array(rows))) for name, rows in sorted(self._courses.items())
        }
        limit = paradigms.hit_window_s(self.paradigm.name, self.paradigm.params())
        return {
            "target": self.paradigm.conditions[0],
            "times_s": self.times(()),
            "evidence": courses,
            "thresholds": thresholds,
            "shown_s": self._attempt_s(),
            "events": None if limit is None else self._events(limit),
        }

    def _events(self, limit: float) -> dict[str, Any]:
        """What a report counts of an online run, counted over the held-out trials; ``limit`` of an onset in s."""
        several = len(set(self._of_run)) > 1
        metrics = analysis.event_metrics(
            self.trials, onset_window_s=limit, fs=self.fs, runs=self._of_run if several else ()
        )
        hits = [
            trial.latency_s for trial in self.trials if trial.outcome == "correct" and trial.latency_s is not None
        ]
        sure = metrics.false_per_min_interval
        return {
            "n": metrics.n,
            "hits": metrics.hits,
            "missed": metrics.misses,
            "excluded": metrics.excluded,
            "onsets_s": hits,
            "onset": None if metrics.onset is None else asdict(metrics.onset),
            "onset_limit_s": limit,
            "false": metrics.false_in_rest,
            "rest_s": metrics.rest_s,
            "false_per_min": metrics.false_per_min,
            "false_interval": None if sure is None else list(sure),
        }
