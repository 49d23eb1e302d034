"""An example driver: an effector behind a microcontroller on a serial port, by the driver kit.

The microcontroller is asked in lines of ASCII, and answers each with one line that holds the level it measures::

    L 0.500 400     go to level 0.5 within 400 ms      ok 0.137
    R               read the level                     ok 0.500
    S               stop: open at once, no ramp        ok 0.000
                    anything that it cannot do         err valve stuck

It is asked at least every 20 ms. A microcontroller that hears nothing for its time to live (250 ms) must go to its
safe state by itself: the computer may lose its power.
"""

from __future__ import annotations

import math
import os
import select
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices._base import Device
from workbench.devices._driver import Driver, device
from workbench.devices._pairing import Pairing
from workbench.devices._playing import play, ready
from workbench.errors import BadValue
from workbench.messages import Message

DEVICE = Device(
    "An effector behind a microcontroller on a serial port that takes lines of text: the example for a driver.",
    options={
        "pairing": "path of the key file that it shares with its engine; required",
        "port": "path of the serial port, /dev/ttyACM0; required",
        "effector": "name of the effector profile (glove)",
        "baud": "bits a second (115200)",
        "greatest": "level above which it clips (1)",
        "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (it stays)",
    },
    player=True,
)

ANSWER_S = 0.1
"""A microcontroller that has not answered for so long does not answer, s."""
LONGEST = 100
"""Bytes of the longest answer."""


class Line:
    """A serial port: one line out, one line back.

    Parameters
    ----------
    port : path of the serial port.
    baud : bits a second.

    Raises
    ------
    BadValue
        When there is no such port, it is none, or the system has no such ports.
    """

    def __init__(self, port: str, baud: int = 115_200) -> None:
        if sys.platform == "win32":
            raise BadValue(Message("serial.no_port_here"))
        import termios
        import tty

        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise BadValue(Message("serial.baud", got=baud))
        try:
            self._port = world.disk.descriptor(port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._port)
            settings = termios.tcgetattr(self._port)
            settings[4] = settings[5] = speed
            termios.tcsetattr(self._port, termios.TCSANOW, settings)
        except (OSError, termios.error) as error:
            raise BadValue(Message("serial.port", port=repr(port), why=str(error.args[-1]))) from error

    def ask(self, line: str) -> str:
        """Send a line and return the answer without its end; TimeoutError when none comes in time."""
        if select.select([self._port], [], [], 0.0)[0]:
            os.read(self._port, 4096)  # the late answer to an earlier question is no answer to this one
        world.disk.write(self._port, f"{line}\n".encode("ascii"))
        answer, end = b"", world.clock.monotonic() + ANSWER_S
        while not answer.endswith(b"\n"):
            left = end - world.clock.monotonic()
            if left <= 0 or len(answer) > LONGEST or not select.select([self._port], [], [], left)[0]:
                raise TimeoutError(f"no whole answer to {line!r} within {ANSWER_S:g} s, got {answer!r}")
            more = os.read(self._port, LONGEST)
            if not more:
                raise OSError("the port was closed")
            answer += more
        return answer.decode("ascii", errors="replace").strip()

    def close(self) -> None:
        """Give the port back."""
        world.disk.close(self._port)


def measured(answer: str) -> float:
    """The level of an answer ``ok LEVEL``; OSError for any other."""
    word, _, text = answer.partition(" ")
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if word != "ok" or not math.isfinite(level):
        raise OSError(f"the microcontroller answered {answer!r}")
    return level


class SerialDriver(Driver):
    """The effector behind a line; ``greatest`` is the level above which it clips, 0–1."""

    name = "serial_line"

    def __init__(self, line: Line, greatest: float = 1.0) -> None:
        self._line, self.greatest = line, greatest

    def apply(self, level: float, ramp_ms: int, action: str) -> None:
        """Begin to move to a level; see :meth:`Driver.apply`.

        Parameters
        ----------
        level, ramp_ms, action : as there.
        """
        measured(self._line.ask("S" if action == "stop" else f"L {level:.3f} {ramp_ms}"))

    def read(self) -> float:
        """The level that the microcontroller measures, fraction 0–1."""
        return measured(self._line.ask("R"))


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    for needed in ("pairing", "port"):
        if not options.get(needed):
            raise BadValue(Message("serial.option", option=needed, what=DEVICE.options[needed]))
    line = Line(str(options["port"]), int(options.get("baud", 115_200)))
    driver = SerialDriver(line, float(options.get("greatest", 1.0)))
    paired = Pairing(Path(str(options["pairing"])), str(options.get("effector", "glove")))
    try:
        process = device(driver, paired, stop=stop, idle_s=float(options.get("idle_s", math.inf)))
        ready(process.specs, t0=process.t0, speed=process.speed)
        process.run()
    finally:
        line.close()


if __name__ == "__main__":
    sys.exit(play("serial_line", DEVICE, _body))
