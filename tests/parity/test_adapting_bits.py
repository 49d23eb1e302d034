"""A decoder that adapts in the loop: any chunking gives the same decisions, trials and updates, in order."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import decoders, paradigms
from workbench.decode import decode
from workbench.vocabulary import Chunk, Decision, Marker, Snapshot, Trial

pytestmark = pytest.mark.job

FS, N, CHANNELS = 200.0, 5600, 4
RULES = {"pmean": "bandpower_lda", "recentre": "csp_lda", "supervised": "csp_lda", "blocks": "rew_pls"}
# Blocks are counted on the sample axis, whatever the paradigm: one is enough.
CASES = [
    (rule, name) for rule in RULES for name in ("grasp_rest", "left_right") if (rule, name[0]) != ("blocks", "g")
]
SHORT = {"attempt_s": 2.0, "rest_s": 2.0}


def paradigm_of(name):
    if name == "grasp_rest":
        return paradigms.load(name)(**SHORT)
    return paradigms.load(name)(conditions=("rest", "grasp"), start_s=0.5, stop_s=1.5, **SHORT)


@cache
def fitted(rule):
    rng = np.random.default_rng(1)
    labels = np.array(["grasp", "rest"])[np.arange(60) % 2]
    x = rng.normal(0, 10, (60, CHANNELS, 80))
    x[labels == "grasp", 0] *= 0.5
    x[labels == "rest", 1] *= 0.6
    memory = "gate" if rule == "pmean" else None
    adapt = {"rule": rule, "longest_rest_s": 60.0, "bound": 50.0, "block_s": 4.0, "delay_s": 2.0}
    made = decoders.load(RULES[rule])(fs=FS, window_s=0.4, evidence={"memory": memory}, adapt=adapt)
    return made.fit(x, labels)


def cue(sample, at, label, duration=2.0):
    return Marker("cue", sample, 50.0 + at / FS, label, {"duration_s": duration, "trial": 0})


MARKERS = [
    cue(0, 0, "rest"),
    cue(300, 430, "grasp"),
    cue(813, 813, "rest"),
    Marker("clock_offset", 900, 0.0),
    cue(1420, 1207, "grasp"),
    cue(1607, 1607, "rest"),
    Marker("gap", 1733, 0.0, "", {"missing_s": 0.04}),
    cue(2000, 2000, "grasp"),
    cue(2400, 2400, "rest"),
    Marker("pause", 2611, 0.0),
    Marker("resume", 2900, 0.0),
    cue(3000, 3003, "grasp"),
    cue(3000, 3403, "rest"),
    cue(4300, 3800, "grasp"),
    cue(4700, 4200, "rest"),
    cue(4800, 4800, "grasp", 1.7),
    cue(5140, 5140, "rest"),
]


@cache
def signal():
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 11, (N, CHANNELS)) + 200.0
    for first in (430, 1207, 2000, 3003, 3800, 4800):
        samples[first : first + 400, 0] = 200.0 + 0.5 * (samples[first : first + 400, 0] - 200.0)
    samples[2300:2305, 2] = np.nan
    return samples, 50.0 + np.arange(N) / FS


def items(cuts):
    samples, stamps = signal()
    edges = sorted({0, N, *cuts, *(m.sample for m in MARKERS)})
    for first, last in zip(edges, edges[1:], strict=False):
        yield from (m for m in MARKERS if m.sample == first)
        yield Chunk(first, samples[first:last], stamps[first:last])


def played(rule, name, cuts=()):
    return list(decode(items(cuts), paradigm_of(name), fitted(rule), fs=FS))


whole = cache(played)


@pytest.mark.parametrize(("rule", "name"), CASES)
@pytest.mark.parametrize("size", [1, 3, 10, 64, 1000])
def test_block_size_changes_no_decision_no_trial_and_no_update(rule, name, size):
    assert played(rule, name, range(0, N, size)) == whole(rule, name)


@pytest.mark.parametrize(("rule", "name"), CASES)
@settings(max_examples=8)
@given(cuts=st.lists(st.integers(1, N - 1), max_size=30))
def test_any_chunking_changes_nothing(rule, name, cuts):
    assert played(rule, name, cuts) == whole(rule, name)


@pytest.mark.parametrize(("rule", "name"), CASES)
def test_updates_are_chained_and_stand_where_they_take_effect(rule, name):
    made = whole(rule, name)
    updates = [item for item in made if isinstance(item, Snapshot)]
    assert len(updates) >= 4
    decoders.check_chain(updates)
    placed = [item.sample for item in made if isinstance(item, Snapshot | Decision)]
    assert placed == sorted(placed)
    for before, after in zip(made, made[1:], strict=False):
        if isinstance(before, Snapshot) and isinstance(after, Decision):
            assert after.sample > before.sample, "a decision comes before the updates of its own sample"
    assert any(isinstance(item, Trial) and item.outcome == "correct" for item in made)


@pytest.mark.parametrize(("rule", "name"), CASES)
def test_adapting_changes_decisions_only_behind_the_first_update(rule, name):
    adapting = fitted(rule)
    params = {**adapting.get_params(), "adapt": None}
    still = type(adapting)(**params)
    still.__dict__ |= {key: value for key, value in adapting.__dict__.items() if key not in params}
    first = next(item.sample for item in whole(rule, name) if isinstance(item, Snapshot))
    plain = [d for d in decode(items(()), paradigm_of(name), still, fs=FS) if isinstance(d, Decision)]
    moved = [d for d in whole(rule, name) if isinstance(d, Decision)]
    differ = [a.sample for a, b in zip(moved, plain, strict=True) if a.probabilities != b.probabilities]
    assert differ
    assert min(differ) > first


def taught(name):
    return [item.sample for item in whole("supervised", name) if isinstance(item, Snapshot)]


def test_a_rule_with_labels_learns_the_window_that_is_decided_when_it_ends_or_its_cue_comes():
    on_time = [300, 730, 1113, 1507, 2300, 3303, 3703, 5100, 5440]
    with_the_cue = [4300, 4700]
    assert taught("left_right") == sorted(on_time + with_the_cue), "not 1907 behind the gap nor 2700 in the pause"


def test_a_rule_with_labels_learns_windows_that_do_not_overlap_inside_each_cued_period():
    rest, grasp, next_rest, late_grasp = [280, 360], [610, 690, 770], [1093, 1173], [1420, 1467, 1547]
    assert taught("grasp_rest")[:10] == rest + grasp + next_rest + late_grasp


def test_a_cue_that_is_older_than_the_history_teaches_nothing():
    markers = [cue(1500, 890, "grasp"), cue(1500, 1000, "rest")]
    samples, stamps = signal()

    def source():
        yield Chunk(0, samples[:1500], stamps[:1500])
        yield from markers
        yield Chunk(1500, samples[1500:3000], stamps[1500:3000])

    made = list(decode(source(), paradigm_of("left_right"), fitted("supervised"), fs=FS))
    assert [item.sample for item in made if isinstance(item, Snapshot)] == [1500]
