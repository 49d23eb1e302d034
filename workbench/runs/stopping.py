"""Ending and stopping a session from outside, also when its door is dead or its engine is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import devices, reading, world
from workbench.errors import BadValue, EngineFault, StreamFault, WorkbenchError
from workbench.live import _engine_folder
from workbench.live._engine_folder import EngineFolder
from workbench.live._starting import attach
from workbench.live._stopfile import ask_stop
from workbench.live.plan import SessionPlan
from workbench.messages import Message

TAKEN_S = 1.0
"""How long a living engine may take to take a STOP, s; one that does not is frozen."""
CONFIRM_S = 6.0
"""How long a device may take to confirm: its own safe state takes up to 4.25 s, s."""
END_S = 20.0
"""How long an engine may take to end in good order, s."""


@dataclass(frozen=True, slots=True)
class StopOutcome:
    """What came of a STOP from outside: whether the device confirmed it, and what happened, in sentences."""

    confirmed: bool
    sentence: str


def stop_session(study_folder: Path | str, reason: str = "") -> StopOutcome:
    """Stop the effector of a study by every path there is, and wait for the device's own signed word.

    The engine gets the stop file, which needs no door. An engine that does not take it within
    :data:`TAKEN_S` s is frozen and is killed. Without an engine the device is told by its pairing key.

    Parameters
    ----------
    study_folder : of the study.
    reason : for the record.

    Raises
    ------
    BadValue
        When no session ever ran for the study, or its plan cannot be read; an engine that runs has the STOP then.
    """
    engine_folder = EngineFolder(Path(study_folder).absolute())
    stated = reason or Message("run.stop_by_command")
    lock = _engine_folder.running(engine_folder)
    sentences = []
    # The engine first: nothing that is wrong with a file may keep the STOP from it.
    taken = lock is not None and _taken(engine_folder, stated)
    if taken:
        sentences.append("The engine took the STOP.")
    elif lock is not None:
        try:
            kill(engine_folder, lock)
            ended = f"did not take the STOP within {TAKEN_S:g} s and was killed."
            sentences.append(f"The engine (process {lock['pid']}) {ended}")
        except EngineFault as fault:
            sentences.append(f"The engine did not take the STOP within {TAKEN_S:g} s: {fault}.")
    else:
        sentences.append("No engine runs for this study.")
    plan = _plan(engine_folder)
    if plan.effector is None:
        return StopOutcome(confirmed=True, sentence=" ".join([*sentences, "The session has no effector."]))
    confirmed, sentence = _device_confirms(engine_folder, plan.effector, stated, engine_sent=taken)
    return StopOutcome(confirmed=confirmed, sentence=" ".join([*sentences, sentence]))


def _plan(engine_folder: EngineFolder) -> SessionPlan:
    if not reading.is_there(engine_folder.plan, Message("file.noun_session_plan")):
        raise BadValue(Message("live.nothing_to_stop", study=str(engine_folder.study)))
    return SessionPlan.from_json(reading.read_text(engine_folder.plan, Message("file.noun_session_plan")))


def _taken(engine_folder: EngineFolder, reason: str) -> bool:
    """Whether the engine took the stop file in time."""
    try:
        file = ask_stop(engine_folder, reason)
    except OSError:
        return False
    taken = world.clock.until(lambda: not file.exists(), TAKEN_S)
    if not taken:
        # Withdrawn: an engine that starts or wakes later must not take a STOP of now for one of its own.
        world.disk.unlink(file, missing_ok=True)
    return taken


def _device_confirms(
    engine_folder: EngineFolder, effector: str, reason: str, *, engine_sent: bool
) -> tuple[bool, str]:
    """Wait for the signed status; where the engine's STOP does not get there, send one to the device itself."""
    pairing = devices.pairing(engine_folder.study, effector)
    # The engine may have taken the STOP and still not reach the device; then the pairing key is the second way.
    if engine_sent:
        try:
            status = devices.watch_status(pairing, timeout=TAKEN_S)
            return True, f"The device confirms: {status.state}, level {status.level:g}."
        except StreamFault:
            pass
    try:
        status = devices.stop_device(pairing, reason, timeout=CONFIRM_S)
    except WorkbenchError as error:
        return False, f"STOP not confirmed: use the hardware stop. {error}"
    return True, f"The device confirms: {status.state}, level {status.level:g}."


def kill(engine_folder: EngineFolder, lock: Mapping[str, Any]) -> None:
    """Kill the engine that a lock names, if it is still that process.

    Raises
    ------
    EngineFault
        When it runs on another computer, or is not this account's.
    """
    # Asked once more right before the kill: the number may belong to another program by now.
    if _engine_folder.stale(engine_folder, dict(lock)):
        return
    _send(lock, "SIGKILL")
    world.clock.until(lambda: _engine_folder.running(engine_folder) is None, TAKEN_S)


def _send(lock: Mapping[str, Any], name: str) -> None:
    """Send a signal to the engine of a lock; one that is gone meanwhile needs none."""
    host = lock.get("host")
    if host != world.computer.name():
        raise EngineFault(Message("live.runs_elsewhere", host=str(host)))
    try:
        world.computer.send_signal(int(lock["pid"]), name)
    except PermissionError as error:
        raise EngineFault(Message("live.other_account", pid=str(lock["pid"]))) from error


def end_session(study_folder: Path | str) -> str:
    """End the session that runs for a study, by its door or, where that is dead, by the system's signal.

    Returns
    -------
    str
        What was done, in one sentence.

    Raises
    ------
    EngineFault
        When the engine did not end.
    """
    engine_folder = EngineFolder(Path(study_folder).absolute())
    lock = _engine_folder.running(engine_folder)
    if lock is None:
        return f"no session runs in {study_folder}"
    try:
        with attach(engine_folder.study, timeout=5.0) as client:
            client.shutdown()
        return f"the session in {study_folder} has ended in good order"
    except EngineFault:
        if _engine_folder.running(engine_folder) is None:
            return f"the session in {study_folder} has ended"
    _send(lock, "SIGTERM")
    if not world.clock.until(lambda: _engine_folder.running(engine_folder) is None, END_S):
        raise EngineFault(Message("live.does_not_end", pid=str(lock["pid"]), study=str(study_folder)))
    return f"the door of the session in {study_folder} did not answer; it was ended by the system's signal"
