"""Finding, attaching to and starting the engine of a session."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench import world
from workbench.errors import EngineFault
from workbench.live import _engine_folder, _wire
from workbench.live._engine_folder import EngineFolder
from workbench.live.client import Client, Progress
from workbench.live.plan import SessionPlan
from workbench.live.status import Status
from workbench.messages import Message

START_S = 120.0
"""How long an engine that starts may say nothing new, s; each kernel that it compiles is news."""

END_S = 20.0
"""How long an engine whose start failed may take to let go of streams and devices, s."""


def find(study_folder: Path | str) -> dict[str, Any] | None:
    """The lock of the engine that runs for a study (``pid``, ``session_id``, ``endpoint`` …), or None."""
    return _engine_folder.running(EngineFolder(Path(study_folder).absolute()))


def attach(study_folder: Path | str, *, timeout: float = 10.0) -> Client:
    """Attach to the engine that runs for a study.

    Raises
    ------
    EngineFault
        When none runs, saying how the last one ended, or when it does not answer.
    """
    engine_folder = EngineFolder(Path(study_folder).absolute())
    end = world.clock.monotonic() + timeout
    lock = _engine_folder.running(engine_folder)
    if lock is None:
        last = _engine_folder.last_words(engine_folder)
        raise EngineFault(
            Message("live.none_runs_any_more", study=str(engine_folder.study), last=last)
            if last
            else Message("live.none_runs", study=str(engine_folder.study))
        )
    while "endpoint" not in lock:
        if world.clock.monotonic() > end:
            raise EngineFault(Message("live.not_ready_yet", pid=str(lock["pid"]), log=str(engine_folder.log)))
        world.clock.sleep(0.05)
        lock = _engine_folder.running(engine_folder) or lock
    client = Client(engine_folder, lock)
    while not client.status():
        if world.clock.monotonic() > end:
            client.close()
            raise EngineFault(Message("live.said_nothing", pid=str(lock["pid"]), log=str(engine_folder.log)))
        world.clock.sleep(0.05)
    return client


def start(plan: SessionPlan, *, timeout: float = START_S, progress: Progress | None = None) -> Client:
    """Start the engine of a session, detached from this process, or attach if one runs.

    Returns when the engine is idle: kernels compiled, streams found, players running. A start that is interrupted,
    or in which the engine falls silent, ends the engine it started.

    Parameters
    ----------
    plan : of the session.
    timeout : s within which the engine has to say something new. How long it compiles, the first time on a
        computer, nobody knows; a client that gave up then would end an engine that works.
    progress : called with each status on the way.

    Raises
    ------
    EngineFault, StreamFault, RecordingFault, BadValue
        What the engine could not do, in its own words.
    """
    engine_folder = EngineFolder(Path(plan.study_folder))
    engine_folder.prepare()
    running = _engine_folder.running(engine_folder)
    if running is not None:
        return _joined(engine_folder, plan, timeout)
    world.disk.save(engine_folder.plan, plan.to_json().encode("utf-8"))
    # An outcome that is there from now on is that of the engine started here.
    world.disk.unlink(engine_folder.outcome, missing_ok=True)
    process = _spawn(engine_folder)
    try:
        return _ready(engine_folder, plan, process, timeout=timeout, progress=progress)
    # Also Ctrl-C: an engine that nobody waits for must not stay behind.
    except BaseException:
        _end(process)
        raise


def _ready(
    engine_folder: EngineFolder,
    plan: SessionPlan,
    process: subprocess.Popen[bytes],
    *,
    timeout: float,
    progress: Progress | None,
) -> Client:
    """Wait until the engine that was started is idle."""
    news, heard = ("", 0), world.clock.monotonic()
    client: Client | None = None
    while world.clock.monotonic() - heard < timeout:
        outcome = _engine_folder.read_json(engine_folder.outcome)
        if outcome is not None and outcome.get("state") == "failed":
            if client is not None:
                client.close()
            _wire.raise_refusal({"ok": False, **outcome})
        if process.poll() is not None and outcome is None:
            # Another start was faster and has the lock: ours ended before it could begin.
            if _engine_folder.running(engine_folder) is not None:
                return _joined(engine_folder, plan, timeout)
            raise EngineFault(
                Message("live.ended_at_start", exit=process.returncode or 0, log=str(engine_folder.log))
            )
        lock = _engine_folder.running(engine_folder)
        if client is None and lock is not None and "endpoint" in lock:
            client = Client(engine_folder, lock)
        if client is not None:
            status = _calm_status(client)
            if progress is not None and status is not None:
                progress(status)
            if status is not None and status["engine"]["state"] in ("idle", "running"):
                return client
            # Not the number of the status: an engine that repeats itself says nothing new.
            if status is not None and (told := _stage(status)) != news:
                news, heard = told, world.clock.monotonic()
        world.clock.sleep(0.1)
    if client is not None:
        client.close()
    raise EngineFault(Message("live.not_ready", n=f"{timeout:g}", log=str(engine_folder.log)))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End an engine whose start failed. Only when it is gone is its study free for the next start."""
    for harder in (process.terminate, process.kill):
        harder()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
            return


def _stage(status: Status) -> tuple[str, int]:
    return status["engine"]["state"], status["engine"]["kernels_left"]


def _calm_status(client: Client) -> Status | None:
    """The status, or None while the engine is just going down."""
    try:
        return client.status() or None
    except EngineFault:
        return None


def _joined(engine_folder: EngineFolder, plan: SessionPlan, timeout: float) -> Client:
    """Attach to the engine that is there; it must be of the same session."""
    client = attach(engine_folder.study, timeout=timeout)
    if client.session_id != plan.session_id:
        other = client.session_id
        client.close()
        raise EngineFault(Message("live.other_session", session=other, wanted=plan.session_id))
    return client


def _spawn(engine_folder: EngineFolder) -> subprocess.Popen[bytes]:
    """The engine, in a session of its own, so that no interrupt, restart or exit of this process reaches it."""
    descriptor = world.disk.descriptor(engine_folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        options = {"creationflags": flags}
    try:
        process = world.computer.start(
            "workbench.engine",
            str(engine_folder.study),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            close_fds=True,
            cwd=engine_folder.path,
            **options,
        )
    finally:
        world.disk.close(descriptor)
    # A child that is never waited for stays a zombie, and its process id would look alive.
    world.clock.thread(process.wait, name="engine-reaper").start()
    return process
