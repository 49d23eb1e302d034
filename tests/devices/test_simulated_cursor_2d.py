"""A device with a level for each of four ways: it applies them together, and stands still without orders."""

from __future__ import annotations

import pytest

from workbench.devices.simulated_cursor_2d import CursorModel
from workbench.errors import BadValue


def order(seq, level, *, action="close"):
    return {"seq": seq, "profile": "cursor_2d", "action": action, "level": level, "ramp_ms": 0, "ttl_ms": 250}


@pytest.fixture
def cursor():
    model = CursorModel()
    assert model.begin(0.0)
    return model


def test_each_way_is_applied_at_once_and_acknowledged_as_it_is(cursor):
    cursor.receive(order(1, [0.5, 0.0, 0.0, 0.25]), 0.0)
    (first,) = cursor.tick(0.01)
    assert (first.status, first.applied_level) == ("ok", (0.5, 0.0, 0.0, 0.25))
    # The same largest level another way is another order.
    (turned,) = cursor.receive(order(2, [0.0, 0.5, 0.1, 0.0]), 0.05)
    assert turned.applied_level == (0.0, 0.5, 0.1, 0.0)
    cursor.receive(order(3, [0.0, 0.0, 0.0, 0.0]), 0.1)
    (still,) = cursor.tick(0.11)
    assert still.applied_level == (0.0, 0.0, 0.0, 0.0)


def test_it_clips_all_ways_alike_and_says_so():
    cursor = CursorModel(greatest=0.5)
    cursor.begin(0.0)
    cursor.receive(order(1, [1.0, 0.0, 0.5, 0.0]), 0.0)
    (answer,) = cursor.tick(0.01)
    assert (answer.status, answer.applied_level) == ("clipped", (0.5, 0.0, 0.25, 0.0))
    with pytest.raises(BadValue, match=r"greatest of the simulated cursor must be 0 to 1, got 2"):
        CursorModel(greatest=2)


@pytest.mark.parametrize("level", [[0.5], [0.5, 0.0, 0.0, 0.0, 0.0], [float("nan"), 0.0, 0.0, 0.0]])
def test_a_level_without_a_value_for_each_way_is_refused(cursor, level):
    (answer,) = cursor.receive(order(1, level), 0.0)
    assert (answer.status, answer.code, answer.applied_level) == ("refused", "bad_level", (0.0,) * 4)


def test_without_orders_it_stands_still_when_the_time_to_live_is_over_and_stays_locked(cursor):
    cursor.receive(order(1, [0.0, 0.0, 1.0, 0.0]), 0.0)
    assert cursor.applied(0.2) == (0.0, 0.0, 1.0, 0.0)
    cursor.tick(0.26)
    assert cursor.applied(0.26) == (0.0, 0.0, 0.0, 0.0)
    assert cursor.locked
    assert cursor.receive(order(2, [1.0, 0.0, 0.0, 0.0]), 0.3)[-1].code == "locked"


def test_a_stop_stands_still_at_once(cursor):
    cursor.receive(order(1, [1.0, 0.0, 0.0, 0.0]), 0.0)
    *_, answer = cursor.receive(order(2, [0.0] * 4, action="stop"), 0.05)
    assert (answer.status, answer.applied_level) == ("ok", (0.0,) * 4)
