"""The loop places markers by stamp, and chunk size changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shares import examples
from workbench import paradigms
from workbench.decode import decode
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Chunk, Decision, Evidence, LedgerRow, Marker, Trial

FS = 100.0


class MeanDecoder:
    """Probability from the mean of the last ten samples: small, causal, exact."""

    def __init__(self, classes):
        self.classes_ = classes

    def start(self):
        return MeanStream()


class MeanStream:
    hop = 5
    remembers = False

    def __init__(self):
        self.samples = np.empty((0, 1))
        self.since = 0

    def step(self, samples):
        self.samples = np.concatenate([self.samples, samples])

    def evidence(self, end):
        window = self.samples[max(end - 10, 0) : end, 0]
        p = 1.0 / (1.0 + float(np.exp(-window.mean())))
        return Evidence(end, (1.0 - p, p), valid=end - 10 >= self.since)

    def reset(self):
        self.since = len(self.samples)


def items(samples, stamps, markers, cuts):
    """Chunks cut at ``cuts`` and at every marker, with the markers between them."""
    edges = sorted({0, len(samples), *cuts, *(m.sample for m in markers)})
    for first, last in zip(edges, edges[1:], strict=False):
        yield from (m for m in markers if m.sample == first)
        yield Chunk(first, samples[first:last], stamps[first:last])
    yield from (m for m in markers if m.sample == len(samples))


def signal(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.normal(0, 3, n // 100 + 1), 100)[:n]
    return (slow + rng.normal(0, 1, n))[:, None], 50.0 + np.arange(n) / FS


def cue(sample, at_s, label, duration=3.0, trial=0):
    return Marker("cue", sample, 50.0 + at_s, label, {"duration_s": duration, "trial": trial})


MARKERS = [
    cue(0, 2.0, "grasp"),
    cue(500, 5.0, "rest"),
    Marker("gap", 733, 0.0, "", {"missing_s": 0.04}),
    cue(1000, 10.0, "grasp", trial=1),
    cue(1340, 13.0, "rest"),
    cue(1500, 15.5, "grasp", trial=2),
]


@settings(max_examples=examples(60))
@given(st.lists(st.integers(1, 1999), max_size=40), st.sampled_from(["grasp_rest", "left_right"]))
def test_any_chunking_gives_the_same_decisions_and_trials(cuts, name):
    paradigm = paradigms.load(name)(**({"conditions": ("rest", "grasp")} if name == "left_right" else {}))
    samples, stamps = signal()
    decoder = MeanDecoder(("rest", "grasp"))
    whole = list(decode(items(samples, stamps, MARKERS, []), paradigm, decoder, fs=FS))
    cut = list(decode(items(samples, stamps, MARKERS, cuts), paradigm, decoder, fs=FS))
    assert cut == whole
    assert any(isinstance(x, Trial) for x in whole)


def test_one_sample_at_a_time_gives_the_same_decisions():
    samples, stamps = signal()
    decoder, paradigm = MeanDecoder(("rest", "grasp")), paradigms.load("grasp_rest")()
    whole = list(decode(items(samples, stamps, MARKERS, []), paradigm, decoder, fs=FS))
    assert list(decode(items(samples, stamps, MARKERS, range(2000)), paradigm, decoder, fs=FS)) == whole


def test_an_empty_chunk_changes_nothing():
    samples, stamps = signal()
    decoder, paradigm = MeanDecoder(("rest", "grasp")), paradigms.load("grasp_rest")()
    whole = list(decode(items(samples, stamps, MARKERS, []), paradigm, decoder, fs=FS))

    def padded():
        for item in items(samples, stamps, MARKERS, [100, 900]):
            yield item
            if isinstance(item, Chunk):
                end = item.first + len(item.stamps)
                yield Chunk(end, samples[:0], stamps[:0])

    assert list(decode(padded(), paradigm, decoder, fs=FS)) == whole


def trials_of(markers, name="left_right"):
    samples, stamps = signal()
    paradigm = paradigms.load(name)(**({"conditions": ("rest", "grasp")} if name == "left_right" else {}))
    made = list(decode(items(samples, stamps, markers, []), paradigm, MeanDecoder(("rest", "grasp")), fs=FS))
    return (
        [x for x in made if isinstance(x, Trial)],
        [x for x in made if isinstance(x, LedgerRow)],
        [x for x in made if isinstance(x, Decision)],
    )


def test_a_marker_is_placed_by_its_stamp_and_not_by_its_arrival():
    (early,), rows, _ = trials_of([cue(300, 4.0, "grasp")])
    (late,), late_rows, _ = trials_of([cue(480, 4.0, "grasp")])
    assert (early.cue_sample, late.cue_sample) == (400, 400)
    assert early.decided == late.decided
    assert rows == []
    assert [r.kind for r in late_rows] == ["late_marker"]


def test_a_late_marker_after_its_window_gives_the_same_decision_late():
    (early,), _, (before,) = trials_of([cue(300, 4.0, "grasp")])
    (late,), _, (after,) = trials_of([cue(680, 4.0, "grasp")])
    assert before.probabilities == after.probabilities
    assert (before.sample, after.sample) == (650, 680)


def test_a_marker_older_than_the_history_is_an_entry_and_no_trial():
    trials, rows, _ = trials_of([cue(1500, 2.0, "grasp")])
    assert trials == []
    assert [r.kind for r in rows] == ["impossible_marker"]


def test_overlapping_and_repeated_cues_are_separate_trials():
    trials, _, _ = trials_of([cue(100, 2.0, "grasp"), cue(150, 2.0, "grasp"), cue(200, 3.0, "rest")])
    assert [(t.index, t.cue_sample, t.condition) for t in trials] == [
        (0, 200, "grasp"),
        (1, 200, "grasp"),
        (2, 300, "rest"),
    ]


def test_a_gap_excludes_the_trial_it_touches_and_no_other():
    markers = [
        cue(0, 2.0, "grasp"),
        Marker("gap", 300, 0.0, "", {"missing_s": 4.0}),
        cue(0, 8.0, "grasp", trial=1),
    ]
    trials, _, _ = trials_of(sorted(markers, key=lambda m: m.sample))
    assert [t.excluded for t in trials] == ["gap of 4000 ms", ""]


@pytest.mark.parametrize("name", ["grasp_rest", "left_right"])
def test_without_a_decoder_every_trial_is_recorded_and_nothing_is_decided(name):
    samples, stamps = signal()
    paradigm = paradigms.load(name)(**({"conditions": ("rest", "grasp")} if name == "left_right" else {}))
    markers = [m for m in MARKERS if m.kind == "cue"]
    made = list(decode(items(samples, stamps, markers, []), paradigm, fs=FS))
    assert {t.outcome for t in made if isinstance(t, Trial)} <= {"recorded", "excluded"}
    assert not any(isinstance(x, Decision) for x in made)


def test_cues_are_located_as_the_loop_places_them():
    samples, stamps = signal()
    cues, n = locate_cues(items(samples, stamps, MARKERS, [7, 801]), fs=FS)
    assert n == 2000
    assert [c.sample for c in cues] == [200, 1000, 1300, 1550]
    made = decode(items(samples, stamps, MARKERS, [7, 801]), paradigms.load("grasp_rest")(), fs=FS)
    begun = {trial.cue_sample for trial in made if isinstance(trial, Trial)}
    assert {c.sample for c in cues if c.label == "grasp"} <= begun


def test_an_empty_chunk_does_not_make_an_old_marker_young():
    samples, stamps = signal()
    old = cue(1500, 2.0, "grasp")
    source = [Chunk(0, samples[:1500], stamps[:1500]), Chunk(1500, samples[:0], stamps[:0]), old]
    source.append(Chunk(1500, samples[1500:], stamps[1500:]))
    made = list(decode(source, paradigms.load("grasp_rest")(), MeanDecoder(("rest", "grasp")), fs=FS))
    assert [x.kind for x in made if isinstance(x, LedgerRow)] == ["impossible_marker"]
