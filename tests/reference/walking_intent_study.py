"""How well simulated cortices tell walking from standing, and what came of it in demos of the walking systems.

    python -m tests.reference.walking_intent_study --seeds 101-105
    python -m tests.reference.walking_intent_study --seeds 1-3 --demo brain_spine_walking stride_stimulation

The first calibrates each person as the system does, and prints for several least probabilities the share of the
next run's walking, and of its standing, in which the gate is open. The second runs `workbench demo` and counts
swings and bursts. What comes out is simulated and is evidence of nothing but the program.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.systems.walkers import Person
from workbench import control, decoders
from workbench.recording import RunFile
from workbench.signals.cues import locate_cues
from workbench.systems._stride import BOUTS, WALK, swings
from workbench.systems.brain_spine_walking import ARRAYS, CORTEX

LEAST = (0.5, 0.7, 0.9, 0.95)
SETTLED_S = 1.5
"""How long after a cue the cortex is left to follow it, s."""
STANDS_S = 2.0
"""How long after the cue to stand a step may still be under way, s."""


def of_cortex(seed: int, folder: Path) -> None:
    """The row of one person: shares of walking and of standing in which the gate is open."""
    person = Person(seed)
    decoder = decoders.read(Path(person.calibrate(folder, 5)["folder"])).members[CORTEX]
    cues = BOUTS.schedule(5, seed=1000 + seed)
    _, ecog = person.obey(cues)
    stream, walks = decoder.start(), decoder.class_names.index(WALK)
    ends = np.arange(stream.hop, len(ecog), stream.hop)
    said = []
    for end in ends:
        stream.step(ecog[end - stream.hop : end])
        evidence = stream.evidence(int(end))
        said.append(evidence.probabilities[walks] if evidence.valid and not evidence.rejected else 0.0)
    cells = []
    for least in LEAST:
        is_open = np.array(said) >= least
        for walking in (True, False):
            inside = np.zeros(len(ends), bool)
            for cue in cues:
                if (cue.label == WALK) == walking:
                    at_s = ends / ARRAYS.fs - cue.at_s
                    inside |= (at_s > SETTLED_S) & (at_s < cue.duration_s)
            cells.append(f"{100 * is_open[inside].mean():.1f} %")
    print(f"| {seed} | {' | '.join(cells)} |", flush=True)


def of_demo(system: str, seed: int, folder: Path) -> None:
    """The row of one demo: swings with their own hot-spot and with the other, and where bursts began."""
    study = folder / f"{system}-{seed}"
    options = ["--system", system, "--seed", str(seed), "--no-browser", "--study", str(study)]
    subprocess.run(
        [sys.executable, "-m", "workbench", "demo", *options],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    run = RunFile(sorted((study / "recordings").glob("*.xdf"))[-1])
    found = swings(run)
    cues, _ = locate_cues(run.items(), fs=run.signal.fs)
    stands = [(cue.stamp + STANDS_S, cue.stamp + cue.duration_s) for cue in cues if cue.label != WALK]
    given = control.given(run.control(), run.decisions())
    begun = [now.stamp for before, now in pairwise(given) if any(now.given_ma) and not any(before.given_ma)]
    false = sum(any(begin <= stamp < end for begin, end in stands) for stamp in begun)
    print(
        f"| {system} | {seed} | {found.n} | {len(found.on)} ({len(found.on) / found.n:.2f}) | {found.crossed} "
        f"| {len(begun)} | {false} in {sum(end - begin for begin, end in stands) / 60:.1f} min |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101-105", help="first and last seed (101-105)")
    parser.add_argument("--demo", nargs="*", default=[], metavar="SYSTEM", help="demos of these; none: the cortex")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    if asked.demo:
        print(f"| system | seed | swings | own hot-spot | the other | bursts | begun standing |\n|{'---|' * 7}")
    else:
        columns = [f"{what} from {least:g}" for least in LEAST for what in ("walking", "standing")]
        print(f"| seed | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(int(first), int(last or first) + 1):
            for system in asked.demo:
                of_demo(system, seed, Path(folder))
            if not asked.demo:
                part = Path(folder) / str(seed)
                part.mkdir()
                of_cortex(seed, part)


if __name__ == "__main__":
    main()
