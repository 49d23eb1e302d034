"""A day at home by one noisy switch, on the real page in Chromium, with engine and simulated glove."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.stress import switch

pytestmark = pytest.mark.timeout(400)


@pytest.mark.release
def test_a_day_at_home_is_completed_by_one_noisy_switch_and_nothing_unmeant_is_done(
    chromium: Any,
) -> None:
    figures = switch.days_in_browser(1, 1, browser=chromium)
    (day,) = figures.days
    assert day.done, figures.text()
    assert day.moved, figures.text()
    assert day.unmeant == 0, figures.text()
