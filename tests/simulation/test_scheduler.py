"""Virtual time: threads take turns, time passes only while all wait, and a killed process does nothing more."""

from __future__ import annotations

import queue

import pytest

from workbench import world
from workbench.simulation.scheduler import Stuck
from workbench.simulation.virtual_world import VirtualWorld


def run(body, *, seed=1, until_s=1e6):
    """What ``body`` returns as a process of a new world, and that world."""
    made, said = VirtualWorld(seed), []
    with made.entered():
        process = made.start("test", lambda: said.append(body()))
        made.scheduler.run(until_s=until_s, done=lambda: not process.alive)
        for _, _, error in made.scheduler.defects:
            raise error
    return said[0], made


def test_a_sleep_of_a_year_takes_a_year_of_the_world_and_no_time():
    def body():
        began = world.clock.monotonic()
        world.clock.sleep(365 * 86400.0)
        return world.clock.monotonic() - began

    slept, _ = run(body, until_s=1e9)
    assert slept == 365 * 86400.0


def test_threads_hand_things_over_in_order_and_time_limits_pass():
    def body():
        handed, got = world.clock.queue(2), []

        def give():
            for number in range(20):
                handed.put(number)

        world.start_thread("giver", lambda beat: give())
        got = [handed.get(timeout=1.0) for _ in range(20)]
        began = world.clock.monotonic()
        with pytest.raises(queue.Empty):
            handed.get(timeout=2.5)
        return got, world.clock.monotonic() - began

    (got, waited), _ = run(body)
    assert got == list(range(20))
    assert waited == pytest.approx(2.5)


def test_the_seed_draws_whose_turn_it_is():
    def order(seed):
        def body():
            said = []
            threads = [world.clock.thread(lambda k=k: said.append(k), name=str(k)) for k in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return tuple(said)

        return run(body, seed=seed)[0]

    assert order(3) == order(3)
    assert len({order(seed) for seed in range(5)}) > 1


def test_a_lock_has_one_holder_and_that_of_a_killed_process_is_free():
    made, said = VirtualWorld(1), []
    with made.entered():
        lock = made.clock.lock()

        def hold():
            with lock:
                world.clock.sleep(100.0)
                said.append("released in order")

        def next_one():
            world.clock.sleep(1.0)
            said.append(lock.acquire(blocking=False))
            world.clock.sleep(10.0)
            said.append(lock.acquire(timeout=1.0))

        holder = made.start("holder", hold)
        made.start("next", next_one)
        made.scheduler.after(5.0, lambda: made.scheduler.end(holder, -9))
        made.scheduler.run(until_s=50.0)
    assert said == [False, True]


def test_a_killed_process_runs_no_clean_up_that_reaches_the_disk(tmp_path):
    made = VirtualWorld(1)
    with made.entered():

        def work():
            try:
                world.clock.sleep(100.0)
            finally:
                world.disk.save(tmp_path / "farewell", b"never written")

        process = made.start("worker", work)
        made.scheduler.after(1.0, lambda: made.scheduler.end(process, -9))
        made.scheduler.run(until_s=10.0)
    assert not (tmp_path / "farewell").exists()
    assert process.code == -9


def test_a_frozen_process_gets_no_turn_and_goes_on_afterwards():
    made, said = VirtualWorld(1), []
    with made.entered():

        def tick():
            for _ in range(10):
                said.append(made.scheduler.now / 1e9)
                world.clock.sleep(1.0)

        process = made.start("ticker", tick)
        made.scheduler.after(2.5, lambda: made.scheduler.freeze(process))
        made.scheduler.after(7.5, lambda: made.scheduler.thaw(process))
        made.scheduler.run(until_s=30.0)
    assert not [at for at in said if 2.5 < at < 7.5]
    assert len(said) == 10


def test_a_world_in_which_everybody_waits_for_ever_says_so():
    made = VirtualWorld(1)
    with made.entered():
        made.start("waiting", lambda: world.clock.event().wait())
        with pytest.raises(Stuck, match="nothing is due"):
            made.scheduler.run(until_s=10.0)


def test_drawn_numbers_and_ids_come_from_the_seed():
    def body():
        return world.chance.token_hex(8), world.chance.generator().random(), world.clock.boot_id()

    assert run(body, seed=5)[0] == run(body, seed=5)[0]
    assert run(body, seed=5)[0] != run(body, seed=6)[0]
