"""Streams are looked for in a process of its own, so that the peers may differ from one search to the next."""

from __future__ import annotations

import uuid

import pytest

from workbench.devices import lsl
from workbench.errors import BadValue
from workbench.hardware import discover
from workbench.vocabulary import StreamSpec


def test_a_search_finds_what_is_there_although_the_peers_were_others_before():
    name = f"amp-{uuid.uuid4().hex[:8]}"
    outlet = lsl.Outlet(StreamSpec(name, "EEG", 250.0, ("C3", "C4"), unit="microvolts", source_id=name))
    status = lsl.Outlet(StreamSpec("wb-status", "DeviceStatus", 0.0, source_id=f"wb-status-{name}", role="aux"))
    # This process has loaded liblsl without peers, and could not ask one any more.
    found = discover(["127.0.0.2"], seconds=2.0)
    (stream,) = [one for one in found.streams if one.name == name]
    assert (stream.fs, stream.channels, stream.units, stream.dtype) == (
        250.0,
        ("C3", "C4"),
        ("microvolts", "microvolts"),
        "float32",
    )
    assert stream.uid == outlet.uid
    assert f"wb-status-{name}" in found.effectors
    assert not any(one.type == "DeviceStatus" for one in found.streams)
    status.close()
    outlet.close()


def test_a_peer_that_is_no_name_is_refused_before_anything_is_looked_for():
    with pytest.raises(BadValue, match="letters, digits"):
        discover(["amp pc"])
