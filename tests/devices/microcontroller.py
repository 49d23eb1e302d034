"""A microcontroller at the other end of a pseudo-terminal, in a process of its own.

The real one has a processor to itself: a busy tester must not make it late. Run as
``python microcontroller.py FD STICKS_AT`` it answers on the descriptor until its standard input ends. Then it
prints as JSON what it was asked, and for how long it stood still at most.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time

TURN_S = 0.02


class Microcontroller:
    """Goes to the level that a line orders, at once or in its ramp, up to where it sticks."""

    def __init__(self, sticks_at=1.0):
        ours, self._theirs = os.openpty()
        self.port = os.ttyname(self._theirs)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(ours), str(sticks_at)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[ours],
        )
        os.close(ours)

    def switched_off(self):
        """Switch it off: what it was asked, line by line, and its longest standstill, s."""
        if not self._process.stdout.closed:
            self._process.send_signal(signal.SIGCONT)
            self._told = json.loads(self._process.communicate()[0])
            os.close(self._theirs)
        return self._told

    def falls_silent(self):
        """Let it hear and answer nothing from now on, its port still plugged in."""
        self._process.send_signal(signal.SIGSTOP)


def answer(line, path, sticks_at):
    """The answer to a line and the path (begin, level then, end, level then) that the level takes from now on."""
    now = time.monotonic()
    begin, low, end, high = path
    level = high if now >= end else low + (high - low) * (now - begin) / (end - begin)
    word, *numbers = line.split()
    if word == "L":
        ramp_s = float(numbers[1]) / 1000
        path = (now, level, now + ramp_s, min(float(numbers[0]), sticks_at))
        level = path[3] if not ramp_s else level
    elif word == "S":
        path, level = (0.0, 0.0, 0.0, 0.0), 0.0
    elif word != "R":
        return "err what", path
    return f"ok {level:.3f}", path


def main(descriptor, sticks_at):
    """Answer until standard input ends."""
    asked, waiting, path = [], b"", (0.0, 0.0, 0.0, 0.0)
    longest, since = 0.0, time.monotonic()
    while True:
        readable = select.select([descriptor, sys.stdin], [], [], TURN_S)[0]
        longest, since = max(longest, time.monotonic() - since - TURN_S), time.monotonic()
        if sys.stdin in readable:
            break
        if descriptor not in readable:
            continue
        waiting += os.read(descriptor, 200)
        *lines, waiting = waiting.split(b"\n")
        for line in lines:
            asked.append(line.decode())
            said, path = answer(asked[-1], path, sticks_at)
            os.write(descriptor, f"{said}\n".encode())
    print(json.dumps([asked, longest]))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
