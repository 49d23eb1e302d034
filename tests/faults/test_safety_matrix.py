"""A small size of `workbench stress safety`: closed simulated hands, and faults that once held one longer."""

from __future__ import annotations

import pytest

from workbench.stress import safety

pytestmark = pytest.mark.timeout(300)

LONGEST_S = 8.0
"""Hold of 1 s, a vent of 3 s, and room for a busy machine; before, a frozen engine stretched the hold to 5.22 s
and more, and a device that died with its engine never became safe at all."""


@pytest.mark.job
def test_a_hand_opens_by_itself_when_its_engine_was_frozen_for_less_than_two_statuses(tmp_path):
    faults = ("engine frozen 1.15 s",)
    figures = safety.matrix(1, faults=faults, folder=tmp_path)
    assert figures.passed, figures.text()
    assert all(seconds < LONGEST_S for times in figures.times.values() for seconds in times), figures.text()
    assert [line.split("  ")[0] for line in figures.text().splitlines()[1:]] == list(faults)


def test_figures_say_how_often_a_device_was_not_safe():
    figures = safety.SafetyFigures({"STOP": [0.1, None, 0.3]})
    assert not figures.passed
    assert figures.text().splitlines()[1].split() == ["STOP", "3", "0.20", "s", "0.30", "s", "1"]
