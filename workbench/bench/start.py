"""G7: a process from its start to its first decision, compared with one that only imports numba."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from workbench import decoders
from workbench.bench._items import Item, Result, milliseconds
from workbench.vocabulary import Montage

FS = 250.0
DECIDE = """
import sys
import numpy as np
from pathlib import Path
from workbench import decoders
decoder = decoders.read(Path(sys.argv[1]))
stream = decoder.start()
samples = np.load(sys.argv[2])
stream.step(samples)
assert stream.evidence(len(samples)).valid
"""


def _prepare(folder: Path) -> tuple[Path, Path]:
    """A fitted decoder and a recording of 4 s, 8 channels at 250 Hz."""
    rng = np.random.Generator(np.random.PCG64(7))
    epochs = rng.normal(0.0, 10.0, (24, 8, round(4 * FS)))
    epochs[::2, 0] *= 2.0
    names = np.array(["left", "right"] * 12)
    decoder = decoders.load("csp_lda")(FS, reference="none").fit(epochs, names, lead_in=1.0)
    montage = Montage(tuple(f"e{i}" for i in range(8)), FS)
    decoders.save(decoder, folder / "decoder", montage=montage, meta={})
    samples = folder / "samples.npy"
    np.save(samples, np.ascontiguousarray(epochs[0].T))
    return folder / "decoder", samples


def _run(rounds: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        decoder, samples = _prepare(Path(folder))
        ours = [sys.executable, "-c", DECIDE, str(decoder), str(samples)]
        peer = [sys.executable, "-c", "import numba"]
        # Once each before measuring: compiled kernels and bytecode are then on disk.
        _seconds(ours)
        _seconds(peer)
        pairs = [(_seconds(ours), _seconds(peer)) for _ in range(rounds)]
    ratios = [a / b for a, b in pairs]
    detail = (
        f"start to first decision {milliseconds(median([a for a, _ in pairs]))}, import numba "
        f"{milliseconds(median([b for _, b in pairs]))}, {len(pairs)} rounds, compiled before"
    )
    return Result(median(ratios), min(ratios), max(ratios), detail)


def _seconds(command: list[str]) -> float:
    """Run time of a process that may write bytecode, so that later starts are warm."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    return time.perf_counter() - began


ITEMS = (
    Item("G7", "warm start to the first decision", "8 channels, csp_lda", "× import numba", "<=", 2.2, _run, 30.0),
)
