"""How many attempts are found at few false activations, after 0, 10 and 40 calibration trials.

    python -m tests.reference.no_control_study FOLDER > docs/no_control.md

Each decoder chooses its own threshold on held-out rest of the calibration, and nothing is chosen afterwards.
Beside detection stands the rate of false activations that came of it, with interval and minutes of rest.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from tests.reference.grasp_simulation import items
from workbench import analysis, decoders, evaluation, paradigms
from workbench.decode import decode
from workbench.devices._physiology import preset as physiology
from workbench.devices.simulated_participant import render
from workbench.evaluation._document import rate_range
from workbench.evaluation._stream import _fitted, collected, events_of
from workbench.evaluation._stream import items as run_items
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Trial

TRIALS = (0, 10, 40)
PEOPLE, OTHERS = range(100, 106), range(200, 204)
"""Seeds of the simulated people who are judged, and of those who calibrate where there is nothing of their own."""
ONLINE = 12
KINDS = ("executed", "imagined")
TARGET = {"memory": "detector", "false_per_min": 0.25}
TRIGGER = {"memory": "trigger", "false_per_min": 0.25}

HEAD = """# Detection without control

How many attempts are found while a person who does not want to move sets off next to nothing. Do not edit; made by
`python -m tests.reference.no_control_study FOLDER > docs/no_control.md`, with the folder of eegmmidb.

Each decoder chooses its threshold on held-out rest of its calibration, for one false onset in four minutes, so
that another run may stay below 0.5 a minute; nothing is chosen afterwards. 95 % intervals, over people or runs.

| recordings | decoder | calibration trials | attempts found | false a minute of rest | rest | onset |
|---|---|---|---|---|---|---|"""

FOOT = """
- *Simulated* people are evidence of nothing but the program: seeds {first}–{last}, epidural, 8 channels at 1 kHz;
  with 0 trials, other simulated people calibrate. An onset within 1.5 s of the cue is a hit.
- *Potential*: the slow potential before a prepared movement, 10 µV at the vertex, 16 channels of scalp EEG at
  250 Hz; the same seeds. An onset within 3.5 s of the cue, 1.5 s of the movement, is a hit.
- *S…* are people of the PhysioNet motor movement/imagery data base (Schalk et al. 2004) whose recordings are in
  the folder: runs 7 and 9 (executed), 8 and 10 (imagined) are judged, on which nothing was chosen. An onset within
  4.1 s of the cue is a hit. With 0 trials all other people calibrate, where there are any. Two minutes of rest
  cannot show a rate below 0.5 a minute, as the intervals say.

## Self-paced, beside pyRiemann

Each run decoded by what all other runs of the person trained: event F1, false activations a minute of rest, and
the mean over classes of the share of windows that are right. pyRiemann's tangent space stands in the place of
ours, on the same windows and by the same rule; both without calibration, rejection and the detector, which would
fit several times, so neither is what a session uses: that is above.

| recordings | decoder | event F1 | false a minute of rest | rest | windows |
|---|---|---|---|---|---|"""
BARE = {"calibrate": None, "novelty": None}
"""Evidence that is the classifier's own."""


def row(source, decoder, n, metrics):
    low, high = metrics.recall_interval
    false_low, false_high = metrics.false_per_min_interval
    onset = f"{metrics.onset.median:.2f} s" if metrics.onset else "none"
    print(
        f"| {source} | {decoder} | {n} | {metrics.hits}/{metrics.n} = {metrics.recall:.2f} ({low:.2f}–{high:.2f}) "
        f"| {metrics.false_per_min:.2f} ({rate_range(false_low, false_high)}) | {metrics.rest_s / 60:.1f} min "
        f"| {onset} |",
        flush=True,
    )


# ------------------------------------------------------------------ simulated people
class Simulated:
    """People of a preset who do a task: a calibration run, and another one that is judged."""

    def __init__(self, preset, paradigm, decoder, evidence):
        self.person, self.calibration = physiology(preset), paradigm
        # Long rests: without them there is little rest to be false in.
        self.judged = replace(paradigm, rest_s=20.0)
        self.decoder, self.evidence = decoder, evidence

    def run(self, paradigm, seed, n, *, schedule):
        """Items of a run, and how many channels it has."""
        plan = paradigm.schedule(n, seed=schedule)
        end_s = plan[-1].at_s + plan[-1].duration_s
        samples, _ = render(seed, plan, end_s, physiology=self.person.name)
        return list(items(samples, plan, fs=self.person.fs)), samples.shape[1]

    def training_of(self, decoder, seed, n):
        """What a decoder keeps of a calibration of ``n`` attempts."""
        run, n_channels = self.run(self.calibration, seed, n, schedule=seed)
        cues, total = locate_cues(run, fs=self.person.fs)
        length = {"window_s": decoder.settings.window_s, "hop_s": decoder.settings.hop_s}
        named = self.calibration.training_windows(cues, fs=self.person.fs, **length)
        complete = [window for window in named if window[0] <= total]
        return decoders.collect(decoder, run, complete, n_channels=n_channels)

    def metrics(self, n):
        """What was found after ``n`` calibration trials, of other people where there are none."""
        fs, trials, people, others = self.person.fs, [], [], None
        for seed in PEOPLE:
            decoder = decoders.load(self.decoder)(fs, evidence=self.evidence).prepare(len(self.person.channels))
            if n == 0:
                others = others or [self.training_of(decoder, other, 10) for other in OTHERS]
            fitted = _fitted(decoder, others if n == 0 else [self.training_of(decoder, seed, n)])
            run, _ = self.run(self.judged, seed, ONLINE, schedule=seed + 1000)
            made = decode(run, self.judged, fitted, fs=fs)
            own = [trial for trial in made if isinstance(trial, Trial)]
            trials += own
            people += [str(seed)] * len(own)
        window_s = self.judged.onset_window_s
        return analysis.event_metrics(trials, onset_window_s=window_s, fs=fs, runs=people, unit="participant")


def potentials():
    """Rows of movement potentials."""
    people = Simulated("mrcp", paradigms.load("movement_onset")(condition="hand"), "mrcp_lda", TRIGGER)
    for n in TRIALS[1:]:
        row("simulated, potential", "mrcp_lda", n, people.metrics(n))


# ------------------------------------------------------------------ recorded
def first_movements(runs, n):
    """Runs cut so that they hold ``n`` movements together."""
    kept = []
    for run in runs:
        here = [cue.sample for cue in run.cues if cue.label == "movement"]
        if n <= 0:
            break
        end = len(run.samples) if n >= len(here) else here[n]
        cues = tuple(cue for cue in run.cues if cue.sample < end)
        kept.append(replace(run, samples=run.samples[:end], cues=cues))
        n -= len(here)
    return kept


def recorded(dataset, recording, n, others=()):
    """Metrics of the judged runs of a person, after ``n`` movements of its own, or for 0 those of all others."""
    name, used = evaluation.chosen(
        dataset, decoder="", params=None, fs=recording.fs, n_channels=len(recording.channels)
    )
    trials, run_of = [], []
    for run in recording.runs:
        if run.name in recording.looked_at:
            continue
        decoder = decoders.load(name)(recording.fs, **used).prepare(len(recording.channels))
        own_runs = [other for other in recording.runs if other.name != run.name]
        from_runs = first_movements(own_runs, n) if n else [r for other in others for r in other.runs]
        fitted = _fitted(decoder, [collected(decoder, r, dataset.rule, fs=recording.fs) for r in from_runs])
        made = decode(run_items(run, fs=recording.fs), dataset.rule, fitted, fs=recording.fs)
        own = [trial for trial in made if isinstance(trial, Trial)]
        trials += own
        run_of += [run.name] * len(own)
    window_s = dataset.rule.onset_window_s
    return name, analysis.event_metrics(trials, onset_window_s=window_s, fs=recording.fs, runs=run_of)


def main(folder):
    print(HEAD, flush=True)
    simulated = Simulated("neo", paradigms.load("grasp_rest")(), "bandpower_lda", TARGET)
    for n in TRIALS:
        row("simulated", "bandpower_lda", n, simulated.metrics(n))
    potentials()
    people = {kind: list(evaluation.load(f"eegmmidb_rest_movement_{kind}").read_runs(folder)) for kind in KINDS}
    for kind in KINDS:
        dataset = evaluation.load(f"eegmmidb_rest_movement_{kind}")
        for person in people[kind]:
            others = [other for other in people[kind] if other is not person]
            for n in TRIALS if others else TRIALS[1:]:
                name, metrics = recorded(dataset, person, n, others)
                row(f"{person.participant}, {kind}", name, n, metrics)
    print(FOOT.format(first=PEOPLE[0], last=PEOPLE[-1]), flush=True)
    self_paced(people)


def self_paced(people):
    """Rows beside pyRiemann's, and in words in which of them it is better."""
    verdicts = []
    for kind in KINDS:
        judged = list(beside_pyriemann(evaluation.load(f"eegmmidb_rest_movement_{kind}"), people[kind]))
        for rows in judged:
            row_of_windows(rows)
        half = len(judged) // 2
        verdicts += [verdict(*pair) for pair in zip(judged[:half], judged[half:], strict=False)]
    print("\n" + "\n".join(verdicts), flush=True)


def verdict(ours, theirs):
    """In what pyRiemann's was better, and in what ours."""
    figures = [
        (events_of(rows).f1, -events_of(rows).false_per_min, windows_right(rows)) for rows in (ours, theirs)
    ]
    names = ("event F1", "false a minute", "windows")
    better = [
        ", ".join(name for name, one, other in zip(names, *pair, strict=True) if one > other) or "nothing"
        for pair in (figures, figures[::-1])
    ]
    low, mean, high, n = difference(ours, theirs)
    return (
        f"- {of_whom(ours)}: pyRiemann's is better in {better[1]}; ours in {better[0]}. Windows, ours less "
        f"pyRiemann's: {mean:+.3f} ({low:+.3f} to {high:+.3f}, over {n} periods of rest or movement)."
    )


def difference(ours, theirs):
    """Low end, mean and high end of what ours has more of right windows, 95 %, and of how many periods.

    Windows of a period overlap, so a period is one observation; each class counts half.
    """
    truths = np.array([truth for one in ours for truth, _ in one.windows])
    right = [np.array([truth == said for one in rows for truth, said in one.windows]) for rows in (ours, theirs)]
    starts = np.flatnonzero(np.r_[True, truths[1:] != truths[:-1]])
    more = np.add.reduceat(right[0].astype(float) - right[1], starts) / np.diff(np.r_[starts, len(truths)])
    of_class = [more[truths[starts] == name] for name in np.unique(truths)]
    mean = float(np.mean([one.mean() for one in of_class]))
    error = np.sqrt(sum(one.var(ddof=1) / len(one) for one in of_class)) / len(of_class)
    width = float(stats.t.ppf(0.975, len(more) - len(of_class)) * error)
    return mean - width, mean, mean + width, len(more)


def beside_pyriemann(dataset, people):
    """Ours and pyRiemann's of each person, and of all people together where there are several."""
    peer = next(one for one in evaluation.PEERS["tangent_space_lda"] if one.package == "pyriemann")
    for one in (None, peer) if peer.installed else (None,):
        rows = [evaluation.judge_stream(dataset, person, params={"evidence": BARE}, peer=one) for person in people]
        yield from ([judged] for judged in rows)
        if len(rows) > 1:
            yield rows


def windows_right(rows):
    return np.mean([judged.window_accuracy for judged in rows])


def of_whom(rows):
    return f"{', '.join(one.participant for one in rows)}, {rows[0].dataset.rsplit('_', maxsplit=1)[1]}"


def row_of_windows(rows):
    events = events_of(rows)
    (low, high), rate = events.f1_interval, rate_range(*events.false_per_min_interval)
    print(
        f"| {of_whom(rows)} | {rows[0].decoder} | {events.f1:.2f} ({low:.2f}–{high:.2f}) "
        f"| {events.false_per_min:.2f} ({rate}) | {events.rest_s / 60:.1f} min | {windows_right(rows):.3f} |",
        flush=True,
    )


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(Path(sys.argv[1]))
