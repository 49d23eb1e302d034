"""The contract of the stand-in for LSL, held by real liblsl and by the stand-in alike."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest

from tests.processes import resume, suspend
from tests.simulation.lsl_processes import announce, receive
from workbench import world
from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.simulation.virtual_world import VirtualWorld
from workbench.vocabulary import StreamSpec


@pytest.fixture(params=["liblsl", "stand-in"])
def live(request):
    """Runs a body on real LSL, or as a process of a virtual world; returns what it returns."""

    def real(body):
        lsl.configure()
        return body()

    def virtual(body):
        made, said = VirtualWorld(1), []
        with made.entered():
            process = made.start("test", lambda: said.append(body()))
            made.scheduler.run(until_s=600.0, done=lambda: not process.alive)
            for _, _, error in made.scheduler.defects:
                raise error
        return said[0]

    return real if request.param == "liblsl" else virtual


def spec(**changes) -> StreamSpec:
    usual = {"name": "Contract", "type": "EEG", "fs": 250.0, "channels": ("a", "b"), "unit": "uV"}
    return StreamSpec(**usual | {"source_id": f"contract-{uuid.uuid4()}"} | changes)


def pulled(inlet, n):
    """``n`` samples, or what came within 5 s."""
    values, stamps, end = [], [], lsl.local_clock() + 5.0
    while sum(map(len, stamps)) < n and lsl.local_clock() < end:
        some, at = inlet.pull(0.5)
        values.append(some)
        stamps.append(at)
    return np.concatenate(values), np.concatenate(stamps)


def pulled_beside(other, inlet):
    """Pull while another outlet of the same name pushes; none of its samples may come."""
    for _ in range(50):
        other.push(np.ones((5, 2)), np.arange(5.0))
        assert not len(inlet.pull(0.2)[1])


def test_samples_come_in_order_each_with_the_stamp_it_was_pushed_with(live):
    def body():
        line = spec()
        outlet = lsl.Outlet(line)
        inlet = lsl.resolve([line])["Contract"]
        assert outlet.wait_for_receiver(5.0)
        sent = np.arange(600, dtype=np.float32).reshape(300, 2)
        at = 100.0 + np.arange(300) / 250.0
        for start in range(0, 300, 25):
            outlet.push(sent[start : start + 25], at[start : start + 25])
        got = pulled(inlet, 300)
        seen = inlet.seen
        inlet.close()
        outlet.close()
        return sent, at, *got, (seen.channels, seen.units, seen.fs, seen.dtype, seen.extra.keys() >= {"pid"})

    sent, at, values, stamps, seen = live(body)
    assert np.array_equal(values, sent)
    assert np.array_equal(stamps, at)
    assert seen == (("a", "b"), ("uV", "uV"), 250.0, "float32", True)


def test_texts_come_whole(live):
    def body():
        line = spec(type="Markers", fs=0.0, channels=(), unit="", role="markers")
        outlet = lsl.Outlet(line)
        inlet = lsl.connect(line.source_id)
        assert outlet.wait_for_receiver(5.0)
        outlet.push_text('{"label": "抓握"}', 7.25)
        got = inlet.pull(5.0)
        inlet.close()
        outlet.close()
        return got

    texts, stamps = live(body)
    assert texts == ['{"label": "抓握"}']
    assert list(stamps) == [7.25]


def test_an_outlet_that_goes_is_lost_and_another_of_its_name_is_never_taken(live):
    def body():
        line = spec()
        outlet = lsl.Outlet(line)
        inlet = lsl.resolve([line])["Contract"]
        assert outlet.wait_for_receiver(5.0)
        outlet.close()
        other = lsl.Outlet(line)
        with pytest.raises(StreamFault, match="is gone"):
            pulled_beside(other, inlet)
        inlet.close()
        other.close()
        return True

    assert live(body)


def test_an_offset_is_small_on_one_computer_and_its_uncertainty_covers_it(live):
    def body():
        line = spec()
        outlet = lsl.Outlet(line)
        inlet = lsl.resolve([line])["Contract"]
        measured = inlet.offset(3.0)
        inlet.close()
        outlet.close()
        return measured

    measured = live(body)
    assert measured is not None
    assert abs(measured.offset) <= max(measured.uncertainty, 1e-3)
    assert measured.uncertainty >= 0.0


def test_a_resolver_sees_a_new_outlet_and_forgets_one_that_has_gone(live):
    def body():
        line = spec()
        watch = lsl.watcher()

        def announced():
            return [seen.source_id for seen in watch()].count(line.source_id)

        before = announced()
        outlet = lsl.Outlet(line)
        came = world.clock.until(announced, 5.0)
        outlet.close()
        went = world.clock.until(lambda: not announced(), 20.0)
        return before, came, went

    assert live(body) == (0, True, True)


def test_a_local_clock_is_monotonic_seconds(live):
    first, second = live(lambda: (lsl.local_clock(), lsl.local_clock()))
    assert 0.0 < first <= second


class OfLiblsl:
    """An outlet and an inlet of real LSL, each a process: a pull that waits for ever cannot be ended otherwise."""

    def __init__(self, source_id, *, described):
        lsl.configure()
        ours = "import sys; from tests.simulation.lsl_processes import announce, receive; "
        told = "lambda word: print(word, flush=True) or sys.stdin.readline()"
        self._outlet = self._started(f"{ours}announce(sys.argv[1])", source_id)
        self._inlet = self._started(f"{ours}receive(sys.argv[1], described={described}, tell={told})", source_id)
        self._said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._said.get(timeout=60.0) == "open"

    @staticmethod
    def _started(code, source_id):
        root = Path(__file__).parents[2]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", code, source_id], cwd=root, text=True, **pipes)

    def _read(self):
        for line in self._inlet.stdout:
            self._said.put(line.strip())

    def stop(self):
        """The outlet stands still from now on."""
        suspend(self._outlet.pid)

    def go_on(self):
        resume(self._outlet.pid)

    def kill(self):
        self._outlet.kill()

    def pull(self):
        self._inlet.stdin.write("\n")
        self._inlet.stdin.flush()

    def said(self, limit_s):
        """What the pull gave within so many seconds, ``""`` for nothing."""
        try:
            return self._said.get(timeout=limit_s)
        except queue.Empty:
            return ""

    def close(self):
        for process in (self._outlet, self._inlet):
            process.kill()
            process.communicate()


class OfTheStandIn:
    """The same in a virtual world."""

    def __init__(self, source_id, *, described):
        self._world, self._words, self._may_pull = VirtualWorld(1), [], False
        self._entered = self._world.entered()
        self._entered.__enter__()
        self._outlet = self._world.start("outlet", lambda: announce(source_id))
        self._world.start("inlet", lambda: receive(source_id, described=described, tell=self._tell))
        assert self.said(60.0) == "open"

    def _tell(self, word):
        self._words.append(word)
        world.clock.until(lambda: self._may_pull, 600.0)

    def stop(self):
        self._world.scheduler.freeze(self._outlet)

    def go_on(self):
        self._world.scheduler.thaw(self._outlet)

    def kill(self):
        self._world.scheduler.end(self._outlet, -9)

    def pull(self):
        self._may_pull = True

    def said(self, limit_s):
        scheduler = self._world.scheduler
        scheduler.run(until_s=scheduler.now / 1e9 + limit_s, done=lambda: bool(self._words))
        return self._words.pop() if self._words else ""

    def close(self):
        self._entered.__exit__(None, None, None)


@pytest.fixture(params=[OfLiblsl, OfTheStandIn])
def pair(request):
    """Makes an outlet and an open inlet, which pulls when it is told to."""
    made = []

    def make(**options):
        made.append(request.param(f"contract-{uuid.uuid4()}", **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_first_pull_without_the_description_waits_until_the_outlet_goes_on_whatever_its_timeout(pair):
    both = pair(described=False)
    both.stop()
    both.pull()
    assert both.said(2.0) == ""
    both.go_on()
    assert both.said(60.0) == "pulled"


def test_a_first_pull_with_the_description_waits_for_no_outlet(pair):
    both = pair(described=True)
    both.stop()
    both.pull()
    assert both.said(60.0) == "pulled"


def test_a_first_pull_without_the_description_ends_with_its_outlet(pair):
    both = pair(described=False)
    both.stop()
    both.pull()
    both.kill()
    assert both.said(60.0) == "lost"
