"""No thread of the engine ends or stands still unnoticed; nor does the process, nor the computer."""

from __future__ import annotations

import threading

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.engine.standstill import STANDSTILL_S, SUSPENDED_S, StandstillWatch
from workbench.engine.supervision import Supervisor


class Rounds(Supervisor):
    """A supervisor that is looked through by the test, as the engine's loop does: ``test`` comes round."""

    def pass_time(self, seconds):
        """So much time in which the test looks every 0.1 s."""
        for _ in range(round(seconds * 10)):
            world.clock.now_s = round(world.clock.now_s + 0.1, 3)
            self.beat("test")
            self.look("test")


@pytest.fixture
def watched():
    """A supervisor with a clock in hand, and what it found lost and back."""
    clock, lost, back = SteppedClock(100.0), [], []
    with world.entered(clock=clock):
        supervisor = Rounds(lambda name, why: lost.append((name, why)), on_back=back.append)
        supervisor.adopt("test")
        yield supervisor, clock, lost, back
        supervisor.close()
        # One that still winds down would be a stranger to the supervisor of the next test.
        for watched in supervisor._watched.values():
            if watched.name != "test":
                watched.thread.join(60.0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_raises_is_lost_once_with_its_reason(watched):
    supervisor, _, lost, _ = watched

    def failing(beat):
        raise OverflowError("int too large")

    supervisor.start("door", failing).join()
    supervisor.look("test")
    supervisor.look("test")
    assert lost == [("door", "thread door ended: OverflowError: int too large")]
    assert supervisor.lost() == dict(lost)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_hung_and_then_ends_is_reported_a_second_time(watched):
    supervisor, clock, lost, back = watched
    end = threading.Event()

    def hangs_and_fails(beat):
        beat()
        end.wait()
        raise OverflowError("late")

    thread = supervisor.start("door", hangs_and_fails, limit_s=2.0)
    for _ in range(40):
        clock.now_s += 0.1
        supervisor.beat("test")
        supervisor.look("test")
    end.set()
    thread.join()
    supervisor.look("test")
    supervisor.look("test")
    assert [name for name, _ in lost] == ["door", "door"]
    assert "has not reported" in lost[0][1]
    assert lost[1][1] == "thread door ended: OverflowError: late"
    assert back == []


def test_a_thread_that_must_not_return_is_lost_when_it_does(watched):
    supervisor, _, lost, _ = watched
    supervisor.start("watch", lambda beat: None, returns=False).join()
    supervisor.start("inlet", lambda beat: None).join()
    supervisor.look("test")
    assert [name for name, _ in lost] == ["watch"]


def test_a_thread_that_stands_still_is_lost_and_is_back_when_it_reports(watched):
    supervisor, _, lost, back = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    supervisor.pass_time(1.9)
    assert lost == []
    supervisor.pass_time(0.2)
    assert lost == [("inlet", "thread inlet has not reported for 2.1 s (limit 2 s)")]
    supervisor.beat("inlet")
    supervisor.pass_time(0.1)
    assert back == ["inlet"]
    assert supervisor.lost() == {}
    end.set()


def test_a_hung_supervisor_is_noticed_its_work_is_taken_over_and_it_reports_back(watched):
    supervisor, clock, lost, back = watched
    stuck, go_on, end = threading.Event(), threading.Event(), threading.Event()

    def each():
        stuck.set()
        go_on.wait()

    supervisor.start("inlet", lambda beat: end.wait(), limit_s=5.0)
    supervisor.start_looking(each)
    stuck.wait()

    def pass_time(seconds):
        """As the engine's loop does: it looks at the supervisor alone, and at others only in its place."""
        for _ in range(round(seconds * 10)):
            clock.now_s = round(clock.now_s + 0.1, 3)
            supervisor.beat("test")
            supervisor.look_at_supervisor("test")

    try:
        pass_time(1.9)
        assert lost == []
        pass_time(0.2)
        assert [name for name, _ in lost] == ["supervisor"]
        pass_time(3.0)
        assert [name for name, _ in lost] == ["supervisor", "inlet"]
        go_on.set()
        while not back:
            supervisor.look_at_supervisor("test")
        assert back == ["supervisor"]
        assert set(supervisor.lost()) == {"inlet"}
    finally:
        go_on.set()
        end.set()


def test_whoever_looks_waits_for_no_lock_that_a_lost_thread_may_hold(watched):
    supervisor, clock, _, _ = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    with supervisor._lock:
        supervisor.beat("inlet")
        supervisor.look("test")
        assert supervisor.lost() == {}
        assert "inlet" in supervisor.names()
        assert "inlet" not in supervisor.unsupervised()
        assert supervisor.ran_unbroken("test", clock.now_s)
    end.set()


def test_a_process_that_stood_still_blames_no_single_thread(watched):
    supervisor, clock, lost, _ = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    clock.now_s += 8.0
    supervisor.pass_time(1.9)
    assert lost == []
    supervisor.pass_time(0.5)
    assert [name for name, _ in lost] == ["inlet"]
    end.set()


def test_a_standstill_calls_no_thread_back_that_still_hangs(watched):
    supervisor, clock, lost, back = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    supervisor.pass_time(2.5)
    clock.now_s += 8.0
    supervisor.pass_time(1.0)
    assert [name for name, _ in lost] == ["inlet"]
    assert back == []
    end.set()


def test_threads_that_ended_on_purpose_are_forgotten_and_a_lost_one_is_not(watched):
    supervisor, _, _, _ = watched
    for number in range(50):
        supervisor.start(f"listener-{number}", lambda beat: None).join()
    supervisor.start("watch", lambda beat: None, returns=False).join()
    supervisor.look("test")
    assert list(supervisor._watched) == ["test", "watch"]
    assert set(supervisor.lost()) == {"watch"}


def test_a_thread_that_nobody_watches_is_named(watched):
    supervisor, _, _, _ = watched
    end = threading.Event()
    stray = threading.Thread(target=end.wait, name="stray", daemon=True)
    stray.start()
    assert "stray" in supervisor.unsupervised()
    end.set()
    stray.join()


def test_sleep_of_the_computer_and_a_frozen_process_are_told_apart():
    clock = SteppedClock(100.0)
    with world.entered(clock=clock):
        watch = StandstillWatch()
        assert watch.look() is None
        clock.asleep_s += 30.0
        assert watch.look() == ("suspended", "The computer slept for 30.0 s")
        clock.now_s += 0.05
        assert watch.look() is None
        clock.now_s += 1.2
        assert watch.look() == ("standstill", "The engine stood still for 1.2 s")
        assert watch.look() is None


def test_a_gap_and_a_sleep_of_exactly_the_bound_are_no_standstill():
    clock = SteppedClock(100.0)
    with world.entered(clock=clock):
        watch = StandstillWatch()
        clock.now_s += STANDSTILL_S
        assert watch.look() is None
        clock.asleep_s += SUSPENDED_S
        assert watch.look() is None


def test_a_thread_runs_unbroken_while_no_gap_passes_the_bound(watched):
    supervisor, clock, _, _ = watched
    assert supervisor.ran_unbroken("test", 100.0)
    clock.now_s = 100.0 + STANDSTILL_S
    assert supervisor.ran_unbroken("test", 100.0)
    supervisor.beat("test")
    assert supervisor.ran_unbroken("test", 100.0)
    assert not supervisor.ran_unbroken("test", 99.0)
    clock.now_s += 1.5 * STANDSTILL_S
    assert not supervisor.ran_unbroken("test", 100.0)
    supervisor.beat("test")
    assert not supervisor.ran_unbroken("test", 100.0)
    assert supervisor.ran_unbroken("test", clock.now_s)


def test_a_silence_of_exactly_the_limit_is_no_loss(watched):
    supervisor, clock, lost, _ = watched
    end = threading.Event()
    supervisor.start("inlet", lambda beat: end.wait(), limit_s=2.0)
    for silent in (1.0, 2.0, 2.5):
        clock.now_s = 100.0 + silent
        supervisor.beat("test")
        supervisor.look("test")
        assert bool(lost) is (silent > 2.0)
    end.set()


def test_a_supervisor_that_stood_still_alone_is_no_standstill_of_the_engine(watched):
    supervisor, clock, _, _ = watched
    watch = StandstillWatch(ran_unbroken=lambda since: supervisor.ran_unbroken("test", since))
    supervisor.pass_time(3.0)
    assert watch.look() is None
    clock.now_s += 3.0
    assert watch.look() == ("standstill", "The engine stood still for 3.0 s")
    clock.now_s += 3.0
    supervisor.beat("test")
    assert watch.look() == ("standstill", "The engine stood still for 3.0 s")
