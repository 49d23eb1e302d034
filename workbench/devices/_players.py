"""Starting and stopping players: each in its own process and session, with a handshake and a log."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import registry, world
from workbench.devices._playing import checked
from workbench.errors import BadValue, EngineFault
from workbench.messages import Message, restored
from workbench.vocabulary import StreamSpec


@dataclass(frozen=True, slots=True)
class Player:
    """A player that is running.

    Attributes
    ----------
    device, options : what was started.
    pid : its process.
    streams : the streams it publishes, as lines of a stream contract.
    info : the whole handshake (a simulated participant adds ``t0``, ``speed``, ``sha256`` …).
    log : file with what it wrote to standard error.
    keep_log : False for a log in the temporary folder, which :func:`stop` removes after a clean end.
    process : the handle; hold on to it, an owned player ends when it is dropped.
    """

    device: str
    options: Mapping[str, Any]
    pid: int
    streams: tuple[StreamSpec, ...]
    info: Mapping[str, Any]
    log: Path
    keep_log: bool
    process: subprocess.Popen[bytes] = field(repr=False, compare=False)

    def alive(self) -> bool:
        """True while its process runs."""
        return self.process.poll() is None


def start(
    device: str,
    options: Mapping[str, Any],
    *,
    log: Path | None = None,
    timeout: float = 30.0,
    owned: bool = True,
) -> Player:
    """Start a player and wait until its streams can be found.

    Parameters
    ----------
    device : an entry of the device folder that is a player.
    options : what it accepts; JSON-able.
    log : file for its messages; by default one in the temporary folder.
    timeout : s to wait for the handshake.
    owned : end it when this process ends, however that happens.

    Raises
    ------
    UnknownName
        No such device.
    BadValue
        The device is not a player, or does not know an option.
    EngineFault
        It ended or did not answer in time; the text quotes its own message.
    """
    described = registry.load("workbench.devices", device, "DEVICE")
    if not described.player:
        raise BadValue(Message("device.no_player", device=repr(device)))
    text = json.dumps(dict(options))
    checked(device, described, text)
    path = log if log is not None else _log_file(device)
    arguments = ("--json", text, "--owned") if owned else ("--json", text)
    with world.disk.open(path, "ab") as errors:
        process = world.computer.start(
            f"workbench.devices.{device}",
            *arguments,
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            # A Ctrl+C in the terminal is for the owner, which then ends its players in order.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    info = _handshake(process, device, path, timeout)
    streams = tuple(StreamSpec(**{**s, "channels": tuple(s["channels"])}) for s in info["streams"])
    return Player(device, dict(options), process.pid, streams, info, path, log is not None, process)


def stop(player: Player, *, timeout: float = 5.0) -> int:
    """End a player: close its input, then SIGTERM, then SIGKILL, ``timeout`` s each. Returns its exit code."""
    process = player.process
    if process.stdin is not None:
        process.stdin.close()
    else:
        process.terminate()
    for harder in (process.terminate, process.kill):
        try:
            process.wait(timeout)
            break
        except subprocess.TimeoutExpired:
            harder()
    code = process.wait(timeout)
    if code == 0 and not player.keep_log:
        world.disk.unlink(player.log, missing_ok=True)
    return code


def _handshake(process: subprocess.Popen[bytes], device: str, log: Path, timeout: float) -> dict[str, Any]:
    """The line that a player writes when it is ready."""
    lines: list[bytes] = []
    pipe = process.stdout
    if pipe is None:
        raise EngineFault(Message("device.no_pipe", device=device))
    # A pipe has no read with a timeout on every system; a thread that is joined with one has.
    reader = world.clock.thread(lambda: lines.append(pipe.readline()), name="handshake")
    reader.start()
    reader.join(timeout)
    text = lines[0].decode("utf-8", errors="replace") if lines else ""
    try:
        message = restored(json.loads(text))
        if message["ready"]:
            pipe.close()
            return dict(message)
        problem = message["error"]
    except (ValueError, KeyError, TypeError):
        silent = Message("device.silent", n=f"{timeout:g}")
        how = Message("device.ended_silently") if lines else silent
        problem = Message("device.last_lines", how=how, log=str(log), lines=_tail(log))
    process.kill()
    process.wait()
    pipe.close()
    if process.stdin is not None:
        process.stdin.close()
    raise EngineFault(Message("device.not_started", device=repr(device), why=problem))


def _tail(log: Path) -> str:
    """Last lines of a log, in one line."""
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]) or "(empty)"


def _log_file(device: str) -> Path:
    """A new log file of this user, mode 0600."""
    path = world.disk.temporary_root() / f"workbench-{device}-{world.chance.token_hex(8)}.log"
    world.disk.touch(path, exist_ok=False)
    return path
