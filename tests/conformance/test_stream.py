"""The test of a stream holds for a sound one and finds each fault that is planted in one."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from workbench.conformance import conform_stream
from workbench.devices import FaultPlan, FaultyOutlet, lsl
from workbench.errors import BadValue, StreamFault
from workbench.signals.reception import CounterSteps
from workbench.vocabulary import StreamSpec

FS, BLOCK_S = 200.0, 0.02
LABELS = ("C3", "C4", "counter")
TIMED = {"jitter", "clock"}
"""Facts that a busy computer may spoil."""


class Source:
    """Sends from a thread of its own, stamped by the rate and not by the clock, until it is closed."""

    def __init__(self, *, unit="uV", labels=LABELS, faults=(), counter_step=1):
        self.name = f"stream-{uuid.uuid4().hex[:8]}"
        spec = StreamSpec(self.name, "EEG", FS, labels, unit, source_id=self.name)
        n = 0 if labels else len(LABELS)
        self._t0, self._step = lsl.local_clock(), counter_step
        self._outlet = FaultyOutlet(lambda: lsl.Outlet(spec, n_channels=n), FaultPlan(faults, fs=FS), t0=self._t0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        sent = 0
        while not self._over.wait(BLOCK_S):
            due = int((lsl.local_clock() - self._t0) * FS)
            index = np.arange(sent, due)
            values = np.column_stack([np.sin(index), np.cos(index), index * self._step % 1000])
            self._outlet.push(values, self._t0 + index / FS)
            sent = due

    def close(self):
        self._over.set()
        self._thread.join()
        self._outlet.close()


@pytest.fixture
def source():
    made = []

    def make(**options):
        made.append(Source(**options))
        return made[-1].name

    yield make
    for one in made:
        one.close()


AGAIN = np.arange(2.0, 120.0, 1.5).tolist()
"""When a fault comes, again and again, so that a busy computer hears it whenever it begins to listen, s."""
LOSSES = [{"kind": "packet_loss", "at_s": at_s, "duration_s": 0.3} for at_s in AGAIN]
JUMPS = [{"kind": "clock_reset", "at_s": at_s, "jump_s": 100.0} for at_s in AGAIN]
PLANTED = {
    "no unit": ({"unit": ""}, {"units"}),
    "unknown unit": ({"unit": "parsec"}, {"units"}),
    "labels": ({"labels": ("C3", "C3", "counter")}, {"labels"}),
    "no labels": ({"labels": ()}, {"labels", "units"}),
    "counter": ({"counter_step": 2}, {"counter"}),
    "nan": ({"faults": [{"kind": "nan", "at_s": 0.0, "channels": [0]}]}, {"values"}),
    "rate": ({"faults": [{"kind": "wrong_rate", "at_s": 0.0, "factor": 0.5}]}, {"rate"}),
    "loss": ({"faults": LOSSES}, {"loss", "counter"}),
    "stamps": ({"faults": JUMPS}, {"stamps"}),
}
"""Fault → how it is planted, and facts that must not hold with it."""


@pytest.fixture(scope="module")
def certificates():
    """The certificate of a sound stream and of each planted fault, all heard at once."""
    sources = {"none": Source(), **{fault: Source(**options) for fault, (options, _) in PLANTED.items()}}

    def conform(fault):
        counter = "" if fault == "no labels" else "counter"
        return conform_stream(sources[fault].name, seconds=3.0, counter=counter)

    with ThreadPoolExecutor(len(sources)) as pool:
        found = dict(zip(sources, pool.map(conform, sources), strict=True))
    for one in sources.values():
        one.close()
    return found


def test_a_sound_stream_holds_every_fact_and_each_is_measured(certificates):
    certificate = certificates["none"]
    assert [c for c in certificate.checks if not c.held and c.key not in TIMED] == []
    assert {c.key for c in certificate.checks} == {
        "source_id", "labels", "units", "rate", "jitter", "stamps", "loss", "values", "clock", "counter",
    }  # fmt: skip
    assert certificate.check("units").measured == "3 of 3 (uV)"
    assert certificate.check("labels").measured == "3 of 3"
    assert certificate.check("rate").measured.endswith(" Hz")
    assert "measurements" in certificate.check("clock").measured
    assert certificate.about["announced rate"] == "200 Hz"


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(certificates, fault):
    not_held = {check.key for check in certificates[fault].checks if not check.held}
    assert PLANTED[fault][1] <= not_held
    assert not certificates[fault].held


def test_a_stream_without_labels_says_how_many_it_lacks(certificates):
    assert certificates["no labels"].check("labels").measured == "0 of 3"
    assert certificates["no labels"].check("units").measured == "0 of 3 (none), 3 without a unit"


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        ([5, 6, 7, 8], True),
        ([998, 999, 0, 1], True),
        ([254, 255, 1, 2], True),
        ([998, 999, 60, 61], False),
        ([996, 0, 1, 997], False),
        ([5, 6, 6, 7], False),
        ([5, 6, 8, 9], False),
    ],
)
def test_a_counter_may_begin_again_and_hides_no_loss_there(counts, held):
    assert (CounterSteps.of(np.array(counts, dtype=float)).odd == 0) == held


def test_what_cannot_be_tested_is_refused_in_a_sentence(source):
    with pytest.raises(BadValue, match="--seconds must be 3 to 86400, got 1"):
        conform_stream("x", seconds=1.0)
    with pytest.raises(BadValue, match="--seconds must be 3 to 86400, got nan"):
        conform_stream("x", seconds=float("nan"))
    with pytest.raises(BadValue, match="is not blank"):
        conform_stream(" ", seconds=3.0)
    with pytest.raises(StreamFault, match="no stream 'absent' was found within 2 s"):
        conform_stream("absent", seconds=3.0)
    with pytest.raises(BadValue, match="--counter names no channel .* it has C3, C4, counter"):
        conform_stream(source(), seconds=3.0, counter="count")


def test_two_streams_of_one_name_and_markers_are_refused():
    name = f"twice-{uuid.uuid4().hex[:8]}"
    outlets = [lsl.Outlet(StreamSpec(name, "EEG", FS, ("a",), source_id=f"{name}-{k}")) for k in range(2)]
    with pytest.raises(StreamFault, match=f"'{name}' was found 2 times: .*; stop all but one"):
        conform_stream(name, seconds=3.0)
    outlets[0].close()
    outlets[1].close()
    markers = lsl.Outlet(StreamSpec(f"{name}-m", "Markers", 0.0, source_id=name))
    with pytest.raises(StreamFault, match="has no rate of samples"):
        conform_stream(f"{name}-m", seconds=3.0)
    markers.close()
