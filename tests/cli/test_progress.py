"""The progress bar on terminals of several sizes, and where there is none."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

SCRIPT = """
from workbench.commands._progress import Bar
bar = Bar(100.0)
with bar.stage("Calibration run", 60.0):
    bar.inside(30.0, "Calibration run: trial 8 of 16")
with bar.stage("Report", 40.0):
    pass
bar.close()
"""


@pytest.mark.parametrize(("rows", "columns"), [(40, 120), (24, 80), (0, 0)])
def test_a_terminal_shows_stage_share_and_time_left(rows, columns):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 4096):
            said += data
    except OSError:
        pass  # Linux says EIO when the last writer is gone
    os.close(ours)
    assert process.wait(60) == 0
    lines = said.decode().replace("\n", "\r").split("\r")
    assert any("Calibration run: trial 8 of 16" in x and "30 %" in x and "about 70 s left" in x for x in lines), (
        lines
    )
    assert any("Report" in x and "100 %" in x and "about 0 s left" in x for x in lines), lines
    assert max(len(x) for x in lines) <= (columns or 80)


def test_without_a_terminal_it_is_a_line_a_stage():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "[  0 %] Calibration run, about 100 s left",
        "[ 60 %] Report, about 40 s left",
    ]
