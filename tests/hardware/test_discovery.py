"""Streams are looked for in a process of its own, so that the peers may differ from one search to the next."""

from __future__ import annotations

import threading
import uuid

import numpy as np
import pytest

from workbench.devices import lsl
from workbench.errors import BadValue, StreamFault
from workbench.hardware import FoundStream, discover, measure
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


def test_streams_are_heard_in_a_process_of_their_own():
    name = f"amp-{uuid.uuid4().hex[:8]}"
    amplifier = lsl.Outlet(StreamSpec(name, "EEG", 100.0, ("C3", "Counter"), unit="mV", source_id=name))
    codes = lsl.Outlet(StreamSpec(f"{name}-codes", "Markers", 0.0, source_id=f"{name}-codes"), dtype="int32")
    streams = [
        FoundStream(name, "EEG", name, fs=100.0, n_channels=2, channels=("C3", "Counter")),
        FoundStream(f"{name}-codes", "Markers", f"{name}-codes", dtype="int32"),
    ]
    over = threading.Event()

    def send():
        began, sent = lsl.local_clock(), 0
        while not over.wait(0.02):
            index = np.arange(sent, int((lsl.local_clock() - began) * 100.0))
            amplifier.push(np.column_stack([np.sin(index), index]), began + index / 100.0)
            codes.push(np.full((1, 1), 7), np.array([lsl.local_clock()]))
            sent += len(index)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        eeg, markers = measure(streams, seconds=2.0)
    finally:
        over.set()
        thread.join()
        amplifier.close()
        codes.close()
    assert (eeg.counter, eeg.counter_lost, eeg.counter_odd, eeg.n_lost) == ("Counter", 0, 0, 0)
    assert eeg.n > 50
    assert abs(eeg.fs - 100.0) < 1.0
    # As sent: the unit is applied when it is known.
    assert eeg.rms[0] == pytest.approx(0.5**0.5, rel=0.05)
    assert (set(markers.codes), markers.fs) == ({"7"}, 0.0)
    gone = FoundStream(f"{name}-gone", "EEG", "x", fs=100.0)
    with pytest.raises(StreamFault, match=f"{name}-gone"):
        measure([gone], seconds=1.0)
