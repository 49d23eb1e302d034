"""How often a password may be tried."""

from __future__ import annotations

import asyncio

from tests.doors import SteppedClock
from workbench import world
from workbench.clinic._limits import LONGEST_PAUSE_S, MOST_LOGINS, MOST_WAITING, WATCHED_S, Limits, TooMany


async def attempt(limits: Limits, login: str, *, accepted: bool = False) -> None:
    async with limits.attempt(login) as made:
        made.accepted = accepted


async def refused(limits: Limits, login: str, times: int) -> None:
    for _ in range(times):
        await attempt(limits, login)


def test_the_wait_of_a_login_doubles_with_each_refusal_up_to_a_minute_and_an_accepted_one_ends_it():
    clock, limits = SteppedClock(), Limits()

    async def waits() -> list[float]:
        found = []
        await refused(limits, "wu", 2)
        for _ in range(8):
            # A minute passes for what all logins together are slowed by.
            clock.now_s += WATCHED_S + 1
            await attempt(limits, "wu")
            began = clock.now_s
            while True:
                try:
                    async with limits.attempt("wu"):
                        raise LookupError
                except TooMany:
                    clock.now_s += 1.0
                except LookupError:
                    break
            found.append(clock.now_s - began)
        await attempt(limits, "wu", accepted=True)
        await refused(limits, "wu", 2)
        await attempt(limits, "wu", accepted=True)
        return found

    with world.entered(clock=clock):
        assert asyncio.run(waits()) == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_many_logins_that_fail_slow_every_attempt_and_refuse_nobody_else():
    clock, limits = SteppedClock(), Limits()

    async def tried() -> list[float]:
        pauses = []
        for number in range(12):
            await attempt(limits, f"guess {number}")
            pauses.append(limits._pause_s())
        await attempt(limits, "okafor", accepted=True)
        clock.now_s += WATCHED_S + 1
        return [*pauses, limits._pause_s()]

    with world.entered(clock=clock):
        pauses = asyncio.run(tried())
    assert pauses == [*[0.0] * 10, 0.1, 0.2, 0.0]
    assert max(pauses) < LONGEST_PAUSE_S


def test_attempts_of_one_login_queue_up_and_only_so_many_are_under_way():
    limits, order = Limits(), []

    async def one(number: int) -> None:
        try:
            async with limits.attempt("wu") as made:
                order.append((number, "in"))
                await asyncio.sleep(0)
                order.append((number, "out"))
                made.accepted = True
        except TooMany:
            order.append((number, "refused"))

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(MOST_WAITING + 5)))

    asyncio.run(all_of_them())
    inside = [what for _, what in order if what != "refused"]
    assert inside == ["in", "out"] * MOST_WAITING
    assert len(order) - len(inside) == 5


def test_what_is_remembered_is_bounded_and_holds_no_login_in_clear():
    limits = Limits()
    for number in range(MOST_LOGINS + 10):
        limits._of(f"login {number}")
    assert len(limits._logins) == MOST_LOGINS
    assert b"login" not in b"".join(limits._logins)
