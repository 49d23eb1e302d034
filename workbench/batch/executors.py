"""Who carries out the jobs: this process, processes of this computer, or workers of Dask.

An executor takes jobs and gives an outcome for each, in any order. It writes nothing: results are written by who
asked, so that a worker needs no folder for them and leaves nothing behind when it is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Protocol

from workbench import world
from workbench.batch.pipelines import Job, Outcome, carry_out, on_a_worker, one_thread
from workbench.errors import BadValue, EngineFault
from workbench.fitting.parallel import processors

if TYPE_CHECKING:
    from distributed import Client

ATTEMPTS = 3
"""How often a task may take its worker with it before it is named."""
MOST_IN_VAIN = 10
"""How often all workers may end without a result between before nothing is expected of them any more."""
CONNECT_S = 10.0
"""How long a scheduler may take to answer, s."""


class Executor(Protocol):
    """Carries out jobs."""

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job, as they come."""


class Serial:
    """One after another in this process, with one thread of linear algebra."""

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job, in their order."""
        import scipy.linalg  # noqa: F401  # its library must be there to be limited
        from threadpoolctl import threadpool_limits

        # Not for good: this process belongs to somebody who may want all processors afterwards.
        with threadpool_limits(limits=1):
            for job in jobs:
                yield carry_out(job)


class Processes:
    """Processes of this computer.

    A worker that is killed takes its whole pool with it. What was under way is tried again in a new pool, one task
    at a time, so that one that kills its worker is told from its neighbours.

    Parameters
    ----------
    workers : number of processes; 0 for one a processor.
    """

    def __init__(self, workers: int = 0) -> None:
        if workers < 0:
            raise BadValue(f"workers must be 1 or more, or 0 for one a processor; got {workers}")
        self.workers = workers or processors()
        self._pool: ProcessPoolExecutor | None = None

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job, as they come."""
        waiting, suspects = deque(jobs), deque[Job]()
        under_way: dict[Future[Outcome], Job] = {}
        lost, in_vain = Counter[str](), 0
        try:
            while waiting or suspects or under_way:
                # Twice as many as workers: the next is at hand, and few are suspects after a kill.
                while (suspects and not under_way) or (
                    waiting and not suspects and len(under_way) < 2 * self.workers
                ):
                    job = (suspects or waiting).popleft()
                    under_way[self._submit(job)] = job
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    job = under_way.pop(future)
                    try:
                        outcome, in_vain = future.result(), 0
                    except BrokenProcessPool:
                        self._close()
                        lost[job.id] += 1
                        in_vain += not under_way
                        if in_vain > MOST_IN_VAIN:
                            raise EngineFault(
                                f"workers ended {in_vain} times without one result; 'batch run --executor serial' "
                                "shows why, and a script that asks for processes needs its main guard"
                            ) from None
                        if lost[job.id] < ATTEMPTS:
                            suspects.append(job)
                            continue
                        outcome = _gave_up(job)
                    yield outcome
        finally:
            self._close()

    def _submit(self, job: Job) -> Future[Outcome]:
        try:
            return self._workers().submit(on_a_worker, job)
        except BrokenProcessPool:
            # A worker ended since the last hand-over; those under way will tell, and this one was not begun.
            self._close()
            return self._workers().submit(on_a_worker, job)

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, since a fork copies locks of threads that do not run in the copy.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin_worker)
        return self._pool

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _begin_worker() -> None:
    """A worker leaves Ctrl+C to who started it, and ends with them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    one_thread()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        # Killed, the parent could not end it; nothing that a worker holds needs an orderly end.
        os._exit(1)


class Dask:
    """Workers of Dask, which may be those of a cluster.

    They see the recordings under the same paths as this process and have the same version of the workbench. Dask
    itself tries a task again whose worker ended, as often as its ``distributed.scheduler.allowed-failures`` says.

    Parameters
    ----------
    client : connected; it stays open.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    def outcomes(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job, as they come."""
        from distributed import KilledWorker, as_completed

        # A key of its own for each request: what an earlier one left in the cluster is not taken for this one's.
        request = world.chance.token_hex(4)
        keys = [f"workbench-{request}-{job.id}" for job in jobs]
        futures = self.client.map(on_a_worker, list(jobs), key=keys, pure=False)
        of_key = dict(zip(keys, jobs, strict=True))
        try:
            for future in as_completed(futures, loop=self.client.loop):
                try:
                    outcome = future.result()
                except KilledWorker:
                    outcome = _gave_up(of_key[str(future.key)])
                future.release()
                yield outcome
        finally:
            self.client.cancel([future for future in futures if not future.done()])


def on_dask(client: Client) -> Dask:
    """An executor over a client of ``distributed``, as the user's own cluster gives it."""
    return Dask(client)


@contextmanager
def dask_at(address: str) -> Iterator[Dask]:
    """An executor over the scheduler at an address, such as ``tcp://10.0.0.7:8786``.

    Raises
    ------
    BadValue
        Where Dask is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise BadValue(
            "--executor dask needs the package distributed, which is not installed; pip install "
            "'sci-bci-workbench[dask]'"
        ) from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadValue(
            f"--address {address!r:.80}: no scheduler of Dask answers there; give it as tcp://HOST:PORT, as "
            "'dask scheduler' prints it"
        ) from error
    with client:
        yield Dask(client)


def _gave_up(job: Job) -> Outcome:
    return Outcome(
        job.id,
        None,
        f"recording {job.task.recording[:12]}: {job.task.pipeline} ended its worker {ATTEMPTS} times; try it "
        "alone with --executor serial, and see whether there is enough memory",
    )
