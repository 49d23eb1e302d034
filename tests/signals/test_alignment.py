"""Which samples of another stream belong to a sample of the master follows from stamps and order alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.signals.alignment import AlignedStream
from workbench.vocabulary import Chunk


def naive(master, other, delivered, gaps):
    """Per master sample: samples taken, and presence; ``delivered[n]`` samples had come before master sample n."""
    taken, rows = 0, []
    for stamp, n in zip(master, delivered, strict=True):
        while taken < n and other[taken] <= stamp:
            taken += 1
        # What is not delivered yet is no known gap.
        follows_gap = taken < n and taken in gaps
        rows.append((taken, n > 0 and other[n - 1] > stamp and not follows_gap))
    return rows


stamps = st.lists(st.integers(-3, 12), min_size=1, max_size=60).map(lambda steps: np.cumsum(steps).astype(float))


@given(stamps, stamps, st.data())
def test_taken_and_present_are_those_of_the_sample_by_sample_twin_for_any_cuts(master, other, data):
    counts = data.draw(st.lists(st.integers(0, len(other)), min_size=len(master), max_size=len(master)))
    delivered = sorted(counts)
    gaps = data.draw(st.sets(st.integers(0, len(other)), max_size=3))
    cuts = set(data.draw(st.lists(st.integers(1, len(master)), max_size=5)))
    aligned, came, taken, first = AlignedStream(100.0, n_channels=1), 0, [], 0
    for n in range(1, len(master) + 1):
        # A stretch of the master ends where more has been delivered, and wherever it is cut.
        if n < len(master) and delivered[n] == delivered[n - 1] and n not in cuts:
            continue
        for at in range(came, delivered[first]):
            if at in gaps:
                aligned.gap()
            aligned.deliver(Chunk(at, np.array([[float(at)]]), other[at : at + 1], stream="emg"))
        came = max(came, delivered[first])
        taken += [float(x) for part in aligned.advance(master[first:n]) if part is not None for x in part[:, 0]]
        first = n
    expected = naive(master, other, delivered, gaps)
    assert [aligned.at(end) for end in range(1, len(master) + 1)] == expected
    assert taken == list(range(expected[-1][0]))


def test_a_gap_lies_where_it_was_delivered():
    aligned = AlignedStream(100.0, n_channels=1)
    aligned.deliver(Chunk(0, np.arange(3.0)[:, None], np.array([0.0, 1.0, 2.0]), stream="imu"))
    aligned.gap()
    aligned.deliver(Chunk(3, np.arange(3.0, 6.0)[:, None], np.array([7.0, 8.0, 9.0]), stream="imu"))
    parts = [*aligned.advance(np.array([1.0, 5.0]))]
    assert [None if part is None else part[:, 0].tolist() for part in parts] == [[0.0, 1.0, 2.0]]
    parts = [*aligned.advance(np.array([8.0]))]
    assert [None if part is None else part[:, 0].tolist() for part in parts] == [None, [3.0, 4.0]]
    assert [aligned.at(end) for end in (0, 1, 2, 3, 4)] == [
        (0, False),
        (2, True),
        (3, False),
        (5, True),
        (0, False),
    ]
