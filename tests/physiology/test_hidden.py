"""Ground truth of a simulated person is out of reach of whatever decodes."""

from __future__ import annotations

from tests import house


def test_no_room_but_that_of_devices_knows_the_body():
    above = {room for room, below in house.arrows().items() if "physiology" in below}
    assert above <= {"devices"}
