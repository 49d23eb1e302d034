"""An update of a Markov-switching linear model of seven experts at 4,800 features, beside the loop.

The features are those of the published systems: 10 stretches × 15 frequencies × 32 channels; the models are
N-way PLS of 20 components, a gate and an expert of two velocities for each of seven states. The fit has 300
windows, one a second of five minutes; a block has 150 windows, ten a second, in which every state occurs, so
that all eight models learn. *Update* is the time of the worker for a block, by the clock; *memory* is the peak of
the process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np

from workbench.bench._items import Item, NotMeasured, Result

SHAPE, STATES, COMPONENTS = (10, 15, 32), 7, 20
WINDOWS, BLOCK_WINDOWS = 300, 150
MODULE = "workbench.bench.recursive"


def _measured(rounds: int) -> dict[str, list[float]]:
    """In a process of its own: seconds of the first update and of each, by processor too; peak memory, bytes."""
    import resource

    from workbench.decoding.blocks import Blocks, Lesson, Part
    from workbench.decoding.classifiers import Linear
    from workbench.decoding.features import Flat
    from workbench.decoding.reducers import Whole
    from workbench.decoding.scorer import Scorer

    rng = np.random.Generator(np.random.PCG64(7))
    n_features, n_classes = int(np.prod(SHAPE)), 2 * STATES
    owner = np.arange(n_classes) // 2
    points = np.stack([np.where(np.arange(n_classes) % 2, 1.0, -1.0), owner / STATES], axis=1)
    gate = Part(np.eye(STATES)[owner], tuple(range(n_classes)))
    experts = [Part(points, (2 * state, 2 * state + 1)) for state in range(STATES)]
    speaks = rng.normal(size=(n_classes, n_features))

    def windows(n: int) -> tuple[np.ndarray, np.ndarray]:
        index = np.arange(n) % n_classes
        return rng.normal(size=(n, n_features)) + 0.3 * speaks[index], index

    rows, index = windows(WINDOWS)
    n_outputs = STATES + STATES * points.shape[1]
    lesson = Lesson(
        (gate, *experts), rows, index.astype(np.float64), np.zeros((1 + STATES, COMPONENTS + 1)),
        np.ones(n_outputs), share=1.0, keep=0.5 ** (0.1 / 900.0), shape=SHAPE,
    )  # fmt: skip
    nothing = Linear(np.zeros((n_outputs, n_features)), np.zeros(n_outputs))
    scorer = Scorer(Whole(), Flat(), nothing)
    learner = Blocks(scorer, lesson, block=1, delay=1, head="", every=1, longest_rest=1, bound=np.inf)
    seconds, busy = [], []
    for _ in range(1 + rounds):
        block = windows(BLOCK_WINDOWS)
        began, worked = time.perf_counter(), time.process_time()
        learner.update(*block)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
    return {"first": seconds[:1], "updates": seconds[1:], "busy": busy[1:], "peak": [peak]}


def _child(rounds: int) -> dict[str, list[float]]:
    """What a process of its own measured: nothing else that was measured here counts in its memory."""
    if sys.platform == "win32":
        raise NotMeasured("peak memory is not known on Windows")
    command = [sys.executable, "-c", f"from {MODULE} import report; report({rounds})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"the process that updates ended with code {done.returncode}")
    return dict(json.loads(done.stdout))


def report(rounds: int) -> None:
    """Measure, and print the numbers as JSON.

    Parameters
    ----------
    rounds : updates after the first.
    """
    sys.stdout.write(json.dumps(_measured(rounds)))


def _seconds(rounds: int) -> Result:
    found = _child(max(1, rounds // 5))
    clock, busy = found["updates"], float(np.median(found["busy"]))
    detail = (
        f"by the clock, {len(clock)} updates; {busy:.2f} s of processor time; "
        f"the first, which learns the {WINDOWS} windows of the fit too, {found['first'][0]:.1f} s"
    )
    return Result(float(np.median(clock)), min(clock), max(clock), detail)


def _memory(rounds: int) -> Result:
    peak = _child(1)["peak"][0] / 2**30
    return Result(peak, peak, peak, "peak memory of the process, with Python and its libraries")


SIZE = "4,800 features, 7 experts, 150 windows"
ITEMS = (
    Item("blocks", "update of a Markov-switching linear model", SIZE, "s", "<=", 5.0, _seconds, seconds=40.0),
    Item("blocks", "memory of a Markov-switching linear model", SIZE, "GB", "<=", 2.0, _memory, seconds=25.0),
)
