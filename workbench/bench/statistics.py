"""Published results of SAS and R beside ours, read in place: how many agree to their printed digits.

A number that is a dump of all digits of the machine counts when six of them agree. An unstructured model is fitted
with the stopping rule of SAS (1e-8), all else goes on to the maximum. `workbench bench statistics` prints every
number with its source, file and line. Seconds are of processor time.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np

from workbench.bench import published
from workbench.bench._items import Item, Result
from workbench.statistics._columns import Columns
from workbench.statistics.mmrm import mmrm

ABSENT = "the published results are not here: name their folder with --published FOLDER"
PARTICIPANTS, VISITS = 200, 6


def items_of(folder: Path | None) -> tuple[Item, ...]:
    """What is measured, on published results in a folder; None looks for them."""

    def count(rounds: int) -> Result:
        found = compared(folder)
        if not found:
            return Result(0.0, 0.0, 0.0, ABSENT, judged=False)
        right = float(sum(one.agrees for one in found))
        detail = f"of {len(found):,}: {published.summary(found)}"
        return Result(right, right, right, detail)

    def sources(rounds: int) -> Result:
        found = {one.source for one in compared(folder) if one.agrees}
        if not found:
            return Result(0.0, 0.0, 0.0, ABSENT, judged=False)
        return Result(float(len(found)), float(len(found)), float(len(found)), ", ".join(sorted(found)))

    return (
        Item("statistics", "published numbers reproduced", "SAS and R", "numbers", ">=", 300.0, count, 45.0),
        Item("statistics", "sources reproduced", "SAS and R", "sources", ">=", 6.0, sources, 1.0),
        Item("statistics", "MMRM with Kenward–Roger", "200 × 6, unstructured", "s", "<=", 2.0, _speed, 3.0),
    )


@cache
def compared(folder: Path | None) -> tuple[published.Number, ...]:
    """Every published number beside ours; none where the results are absent."""
    root = published.folder(folder)
    return () if root is None else tuple(published.compare(root))


def _speed(rounds: int) -> Result:
    draw = np.random.default_rng(6)
    spread = np.linalg.cholesky(0.5 + 0.5 * np.eye(VISITS))
    y = draw.normal(size=(PARTICIPANTS, VISITS)) @ spread.T
    # Who has left does not come back.
    last = draw.integers(2, 3 * VISITS, PARTICIPANTS)
    table: Columns = {
        "id": [f"P{i}" for i in range(PARTICIPANTS) for _ in range(VISITS)],
        "arm": [("a", "b")[i % 2] for i in range(PARTICIPANTS) for _ in range(VISITS)],
        "visit": [str(j) for _ in range(PARTICIPANTS) for j in range(VISITS)],
        "y": [float(y[i, j]) if j < last[i] else np.nan for i in range(PARTICIPANTS) for j in range(VISITS)],
    }
    took = []
    for _ in range(min(rounds, 5)):
        began = time.process_time()
        fit = mmrm(table, outcome="y", terms=("arm", "visit", "arm:visit"), participant="id", visit="visit")
        fit.differences("arm", at={"visit": str(VISITS - 1)})
        took.append(time.process_time() - began)
    return Result(float(np.median(took)), min(took), max(took), f"processor time, {len(took)} fits")


ITEMS = items_of(None)
