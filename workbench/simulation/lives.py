"""Many lives, one seed each, at once on several cores; what comes of them is the same as one after the other."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import multiprocessing
import signal
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor

from workbench.devices._participant import keep_beginnings
from workbench.simulation.life import SHORT_S, Life, Lived
from workbench.simulation.scene import Scene
from workbench.simulation.trial_life import TrialLife

RENEWED_AFTER = 100
"""Lives after which a process makes room for a new one, so that none grows."""
KEPT_SEGMENTS = 256
"""Of the simulated participant's noise in long lives, from its beginning: some 8 minutes, and 130 MB."""
AHEAD = 2
"""Lives that wait for each process; what came of a life is handed on as soon as those before it are through."""


def lives(scene: Scene, *, first: int, n: int, seconds: float, jobs: int) -> Generator[Lived]:
    """What came of ``n`` lives, in the order of their seeds.

    Parameters
    ----------
    scene : from which each begins.
    first : seed of the first.
    n : how many.
    seconds : of each, s of world time.
    jobs : processes; 1 lives them in this one.
    """
    if jobs == 1:
        before = logging.root.manager.disable
        begin()
        try:
            for seed in range(first, first + n):
                yield one(seed, seconds, scene)
        finally:
            logging.disable(before)
            gc.enable()
        return
    # Spawned, so that none inherits threads, and renewed now and then.
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_worker, max_tasks_per_child=RENEWED_AFTER
    )
    waiting: deque[Future[Lived]] = deque()
    seeds = iter(range(first, first + n))
    try:
        for seed in seeds:
            waiting.append(pool.submit(one, seed, seconds, scene))
            if len(waiting) >= jobs * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Also where whoever asked has heard enough: lives that have begun are finished, no other begins.
        pool.shutdown(cancel_futures=True)


def begin() -> None:
    """Make this process ready for lives."""
    # What goes wrong in there is meant to, and stands in the story.
    logging.disable(logging.CRITICAL)
    # What is loaded stays: it is not walked by the collection with which each life begins, the only one.
    gc.collect()
    gc.freeze()
    gc.disable()


def _worker() -> None:
    # An interrupt reaches all processes of the terminal; the first of them tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin()


def one(seed: int, seconds: float, scene: Scene) -> Lived:
    """What came of one life.

    Parameters
    ----------
    seed : of its luck.
    seconds : its length, s of world time.
    scene : from which it begins.
    """
    # One person begins every session: what she is made of is made once, for lives that go on for longer.
    keep_beginnings(KEPT_SEGMENTS if scene.depth == "signals" and seconds > SHORT_S else 0)
    # What its processes write to their logs is nobody's to read.
    with contextlib.redirect_stderr(io.StringIO()):
        kind = TrialLife if scene.depth == "trial" else Life
        return kind(seed, seconds=seconds, template=scene).live()
