"""No thread of the engine ends or stands still unnoticed; nor does the process, nor the computer."""

from __future__ import annotations

import threading

import pytest

from workbench.live._standstill import StandstillWatch
from workbench.live._supervision import Supervisor


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watched():
    """A supervisor with a clock in hand, and what it found lost and back."""
    clock, lost, back = Clock(), [], []
    supervisor = Supervisor(lambda name, why: lost.append((name, why)), on_back=back.append, clock=clock)
    yield supervisor, clock, lost, back
    supervisor.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_raises_is_lost_once_with_its_reason(watched):
    supervisor, _, lost, _ = watched

    def failing(beat):
        raise OverflowError("int too large")

    supervisor.start("door", failing).join()
    supervisor.look()
    supervisor.look()
    assert lost == [("door", "thread door ended: OverflowError: int too large")]
    assert supervisor.lost() == dict(lost)


def test_a_thread_that_must_not_return_is_lost_when_it_does(watched):
    supervisor, _, lost, _ = watched
    supervisor.start("watch", lambda beat: None, returns=False).join()
    supervisor.start("inlet", lambda beat: None).join()
    supervisor.look()
    assert [name for name, _ in lost] == ["watch"]


def test_a_thread_that_stands_still_is_lost_and_is_back_when_it_reports(watched):
    supervisor, clock, lost, back = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    clock.now += 1.9
    supervisor.look()
    assert lost == []
    clock.now += 0.2
    supervisor.look()
    assert lost == [("inlet", "thread inlet has not reported for 2.1 s (limit 2 s)")]
    supervisor.beat("inlet")
    supervisor.look()
    assert back == ["inlet"]
    assert supervisor.lost() == {}
    end.set()


def test_the_supervisor_itself_is_watched_by_whoever_looks_at_it(watched):
    supervisor, clock, lost, _ = watched
    stuck, end = threading.Event(), threading.Event()

    def each():
        stuck.set()
        end.wait()
        return False

    supervisor.look_after(each)
    stuck.wait()
    clock.now += 2.1
    supervisor.look("supervisor")
    assert [name for name, _ in lost] == ["supervisor"]
    end.set()


def test_a_process_that_stood_still_blames_no_single_thread(watched):
    supervisor, clock, lost, _ = watched
    stood, seen, end = threading.Event(), threading.Event(), threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)

    def each():
        if stood.is_set():
            seen.set()
            return True
        return False

    clock.now += 8.0
    stood.set()
    supervisor.look_after(each)
    seen.wait()
    assert lost == []
    end.set()


def test_threads_that_ended_on_purpose_are_forgotten_and_a_lost_one_is_not(watched):
    supervisor, _, _, _ = watched
    for number in range(50):
        supervisor.start(f"listener-{number}", lambda beat: None).join()
    supervisor.start("watch", lambda beat: None, returns=False).join()
    supervisor.look()
    assert list(supervisor._watched) == ["watch"]
    assert set(supervisor.lost()) == {"watch"}


def test_a_thread_that_nobody_watches_is_named(watched):
    supervisor, _, _, _ = watched
    end = threading.Event()
    stray = threading.Thread(target=end.wait, name="stray", daemon=True)
    stray.start()
    assert "stray" in supervisor.unwatched()
    end.set()
    stray.join()


def test_sleep_of_the_computer_and_a_frozen_process_are_told_apart():
    boot, monotonic = Clock(), Clock()
    watch = StandstillWatch(boot, monotonic=monotonic)
    assert watch.look() is None
    boot.now += 30.0
    assert watch.look() == ("suspended", "The computer slept for 30.0 s")
    boot.now, monotonic.now = boot.now + 0.05, monotonic.now + 0.05
    assert watch.look() is None
    boot.now, monotonic.now = boot.now + 1.2, monotonic.now + 1.2
    assert watch.look() == ("standstill", "The engine stood still for 1.2 s")
    assert watch.look() is None
