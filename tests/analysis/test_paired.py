"""The same trials judged twice: what is better is what is right where the other is wrong."""

from __future__ import annotations

import pytest

from workbench.analysis import paired, wilson
from workbench.errors import BadValue


@pytest.mark.parametrize(
    ("only_first", "only_second", "p", "verdict"),
    [
        (0, 0, 1.0, "no different"),
        (5, 0, 0.0625, "no different"),
        (6, 0, 0.03125, "better"),
        (0, 6, 0.03125, "worse"),
        (9, 1, 0.021484375, "better"),
        (3, 3, 1.0, "no different"),
    ],
)
def test_the_verdict_is_that_of_the_exact_test_on_what_only_one_had_right(only_first, only_second, p, verdict):
    first = [True] * 10 + [True] * only_first + [False] * only_second
    second = [True] * 10 + [False] * only_first + [True] * only_second
    found = paired(first, second)
    assert (found.only_first, found.only_second, found.verdict) == (only_first, only_second, verdict)
    assert found.p == pytest.approx(p)
    assert found.first_interval == wilson(10 + only_first, len(first))
    assert found.line().startswith(f"{verdict}: {10 + only_first} and {10 + only_second} of {len(first)} right")


def test_lists_of_different_length_and_none_are_refused():
    for first, second in (([], []), ([True], [True, False])):
        with pytest.raises(BadValue, match="two equally long lists"):
            paired(first, second)
