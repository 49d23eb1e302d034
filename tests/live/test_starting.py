"""A start that is interrupted leaves no engine behind; an engine that is attached to has said something."""

from __future__ import annotations

import time

import pytest

from workbench import live


def test_an_interrupted_start_ends_the_engine_it_started(make_room):
    room = make_room()
    seen = []

    def interrupt(status):
        seen.append(status["engine"]["pid"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        live.start(room.plan(), progress=interrupt)
    assert seen
    end = time.monotonic() + 60
    while live.find(room.folder) is not None:
        assert time.monotonic() < end, "the engine still runs"
        time.sleep(0.05)


def test_attaching_returns_with_a_status(make_room):
    room = make_room()
    room.start(room.plan())
    client = live.attach(room.folder)
    assert client.status()["engine"]["state"] == "idle"
    client.close()
