"""What `workbench stress soak` finds in a recording, and what it does not let pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.recording import RunFile, RunWriter
from workbench.stress.soak import COUNTED, Ended, Memory, Size, SoakFigures, compare
from workbench.vocabulary import Decision

SIZE = Size(minutes=0.05, n_channels=4, fs=200.0, seed=3)
BLOCK = 50
"""Samples of each push."""


def recorded(path, numbers, *, wrong=None):
    """A run of the samples of these numbers, but for one value ``wrong`` ``(row, channel)``."""
    numbers = np.array(numbers)
    pattern = SIZE.pattern()
    values = pattern[numbers % len(pattern)]
    values[:, 0] = numbers % COUNTED
    if wrong is not None:
        values[wrong] += 1.0
    spec = SIZE.spec("amplifier")
    with RunWriter(path, plan={"run": "r", "classes": ["grasp", "rest"]}, stamp=0.0, signal=spec) as writer:
        writer.signal(values, numbers / SIZE.fs)
        end = len(numbers)
        late = (numbers[-1] // BLOCK) * BLOCK / SIZE.fs + 0.25
        writer.decision(
            Decision(end, 1.0, "rest", (0.1, 0.9)), acquired=late, decided=late + 0.1, emitted=late + 0.5
        )
    return RunFile(path)


def pushes(sent):
    """Each block is pushed at the time of its first sample."""
    first = np.arange(0, sent, BLOCK)
    return np.column_stack([first, first / SIZE.fs])


def of(path, numbers, *, sent, wrong=None):
    found = compare(recorded(path, numbers, wrong=wrong), SIZE, sent=sent, pushes=pushes(sent))
    return found, (found.sent, found.recorded, found.lost, found.doubled, found.changed)


WHOLE = list(range(120, 1000))


def test_a_whole_recording_has_lost_nothing_and_says_when_each_hop_came(tmp_path):
    found, counts = of(tmp_path / "r.xdf", WHOLE, sent=1000)
    assert counts == (880, 880, 0, 0, 0)
    assert found.arrived_s.tolist() == pytest.approx([0.25])
    assert found.decided_s.tolist() == pytest.approx([0.75])


@pytest.mark.parametrize(
    ("numbers", "counts"),
    [
        (WHOLE[:100] + WHOLE[103:], (880, 877, 3, 0, 0)),
        (WHOLE[:-7], (880, 873, 7, 0, 0)),
        (WHOLE[:100] + WHOLE[99:], (880, 881, 0, 1, 0)),
        (WHOLE[:100] + WHOLE[90:], (880, 890, 0, 10, 0)),
    ],
)
def test_what_is_missing_or_came_twice_is_counted_at_the_end_too(tmp_path, numbers, counts):
    assert of(tmp_path / "r.xdf", numbers, sent=1000)[1] == counts


def test_one_value_of_one_channel_that_was_not_sent_is_a_changed_sample(tmp_path):
    assert of(tmp_path / "r.xdf", WHOLE, sent=1000, wrong=(500, 2))[1] == (880, 880, 0, 0, 1)


def test_the_counter_may_begin_again(tmp_path):
    numbers = list(range(COUNTED - 100, COUNTED + 100))
    found = compare(recorded(tmp_path / "r.xdf", numbers), SIZE, sent=COUNTED + 100, pushes=np.zeros((1, 2)))
    assert (found.sent, found.recorded, found.lost, found.doubled, found.changed) == (200, 200, 0, 0, 0)


def test_memory_that_grows_is_told_by_its_slope():
    seconds = np.arange(600.0)
    grown = Memory.of(seconds.tolist(), (200.0 + 3.0 * seconds / 60.0).tolist())
    assert grown.slope_mb == pytest.approx(3.0)
    assert not grown.flat
    assert Memory.of(seconds.tolist(), (200.0 + 0.5 * seconds / 60.0).tolist()).flat
    # Seconds of a small soak say nothing of a minute.
    assert Memory.of([0.0, 1.0, 2.0, 3.0], [200.0, 202.0, 203.0, 204.0]).flat
    assert not Memory.of([], []).flat


def test_a_soak_that_did_not_hold_says_what(tmp_path):
    found, _ = of(tmp_path / "r.xdf", WHOLE, sent=1000)
    memory = Memory(200.0, 200.0, 0.0, 0.0)
    good = SoakFigures(SIZE, Ended("", 0, 3.0, 1000), found, memory, 1000, verified="", replayed="")
    assert good.passed, good.text()
    assert "broken" not in good.text()
    broken = {
        "3 samples were lost": {"compared": replace(found, lost=3)},
        "1 samples were changed": {"compared": replace(found, changed=1)},
        "2 gaps": {"compared": replace(found, gaps=2)},
        "nothing was decided": {"compared": replace(found, arrived_s=np.empty(0), decided_s=np.empty(0))},
        "540 is the least": {"compared": replace(found, sent=539)},
        "did not finish: failed, too slow": {"ended": Ended("failed, too slow", 0, 3.0, 1000)},
        "did not hold its lock": {"ended": Ended("", 0, 0.0, 1000)},
        "grew by 12.0 MB a minute": {"memory": Memory(200.0, 320.0, 12.0, 120.0)},
        "does not verify: cut off": {"verified": "cut off", "compared": None},
        "decoded again otherwise: decision 3": {"replayed": "decision 3"},
    }
    for words, change in broken.items():
        figures = replace(good, **change)
        assert not figures.passed
        assert words in figures.text().partition("broken: ")[2]
