"""Running as a player: options from the command line, the handshake, and the two ways to be stopped.

A player is ``python -m workbench.devices.<name> --json '<options>' [--owned]``. It writes one JSON line to
standard output when its streams can be found, and nothing after it. It ends on SIGTERM or SIGINT, and,
when owned, as soon as its standard input is closed, which also happens when its owner dies: no player is
left behind to be found as a duplicate.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from workbench import messages, world
from workbench.devices._base import Device
from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message
from workbench.vocabulary import StreamSpec

Body = Callable[[Mapping[str, Any], threading.Event], None]


def play(name: str, device: Device, body: Body, argv: Sequence[str] | None = None) -> int:
    """Run ``body(options, stop)`` until it returns; exit code 0, or 2 with a sentence on standard error.

    Parameters
    ----------
    name : of the player's module.
    device : its entry in the register.
    body : plays until its event is set.
    argv : arguments; by default those of the process.
    """
    parser = argparse.ArgumentParser(prog=f"workbench.devices.{name}", description=device.description)
    parser.add_argument("--json", default="{}", help="options as one JSON object")
    parser.add_argument("--owned", action="store_true", help="end when standard input is closed")
    arguments = parser.parse_args(argv)
    stop = world.clock.event()
    # A handler that only sets an event: the player ends at a place of its own choice, with its streams closed.
    for name_of_signal in ("SIGTERM", "SIGINT"):
        world.computer.on_signal(name_of_signal, lambda *_: stop.set())
    if arguments.owned:
        world.clock.thread(lambda: _watch_owner(stop), name="owner").start()
    try:
        body(checked(name, device, arguments.json), stop)
    except WorkbenchError as error:
        _say({"ready": False, "error": messages.of(error)})
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def checked(name: str, device: Device, text: str) -> Mapping[str, Any]:
    """Options of a player from JSON.

    Parameters
    ----------
    name : of the player's module.
    device : its entry in the register, which names the options.
    text : one JSON object.

    Raises
    ------
    BadValue
        When the text is not a JSON object, or has an option that the device does not know.
    """
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        sentence = Message("device.options_no_json", device=name, got=repr(text[:80]), why=str(error))
        raise BadValue(sentence) from error
    if not isinstance(options, dict):
        raise BadValue(Message("device.options_no_object", device=name, got=repr(text[:80])))
    for option in options:
        if option not in device.options:
            known = list(device.options)
            raise BadValue(Message("device.option_unknown", device=name, option=repr(option), known=known))
    return options


def pace(options: Mapping[str, Any], *, device: str) -> tuple[float, float]:
    """Speed of a player, stream seconds per second, and the length of its blocks by the clock, s.

    Raises
    ------
    BadValue
        When one of them is not a number above 0.
    """
    speed, block_s = float(options.get("speed", 1.0)), float(options.get("block_s", 0.02))
    for name, value in (("speed", speed), ("block_s", block_s)):
        if not (math.isfinite(value) and value > 0):
            raise BadValue(Message("simulated.above_0", name=name, got=str(value), device=device))
    return speed, block_s


def began(options: Mapping[str, Any], clock: Callable[[], float]) -> float:
    """LSL time of the first sample of a player, s: where another player of the same person began, else now.

    A player that is late catches up without a gap, and its stamps stay those of the other.
    """
    return float(options["t0"]) if "t0" in options else clock()


def ready(streams: Sequence[StreamSpec], **more: object) -> None:
    """Report that the streams can be found now. ``more`` is passed to the owner as it is (JSON-able)."""
    _say({"ready": True, "pid": world.computer.pid(), "streams": [asdict(spec) for spec in streams], **more})


def _say(message: Mapping[str, object]) -> None:
    """One line to the owner, who may be gone."""
    try:
        world.computer.output().write(json.dumps(messages.carried(message)) + "\n")
        world.computer.output().flush()
    except BrokenPipeError:
        # Otherwise the interpreter fails once more when it flushes standard output at its end.
        os.dup2(world.disk.descriptor(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _watch_owner(stop: threading.Event) -> None:
    """Wait for the end of standard input."""
    while world.computer.input().read(1024):
        continue
    stop.set()
