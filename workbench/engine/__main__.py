"""``python -m workbench.engine STUDY``: the process of one session."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

# Modules stay: to look for garbage among them would take a sixth of the time until streams are received.
gc.disable()
from workbench.engine.process import main  # noqa: E402

gc.enable()
arguments = argparse.ArgumentParser(prog="workbench.engine")
arguments.add_argument("study", type=Path)
arguments.add_argument("--boot-clock", type=Path, default=None, metavar="FILE", dest="boot_offset")
options = arguments.parse_args()
sys.exit(main(options.study, boot_offset=options.boot_offset))
