"""ISNCSCI exams per second, one core, through the command's own line scorer."""

from __future__ import annotations

import json
import random

from workbench.bench._items import Item, Result, rate
from workbench.outcomes import isncsci
from workbench.outcomes.isncsci.tables import DERMATOMES, MUSCLES, SIDES

N = 200
SEED = 20


def exams(*, n: int, untested: int, seed: int = SEED) -> list[str]:
    """Lines ``{"id", "exam"}`` of random exams.

    Parameters
    ----------
    n : lines. untested : NT cells of each. seed : the same gives the same exams.
    """
    draw = random.Random(seed)
    return [json.dumps({"id": i, "exam": _exam(draw, untested)}) for i in range(n)]


def _exam(draw: random.Random, untested: int) -> dict[str, object]:
    level = draw.randrange(len(DERMATOMES))
    exam: dict[str, object] = {"voluntaryAnalContraction": draw.choice(("Yes", "No"))}
    exam["deepAnalPressure"] = draw.choice(("Yes", "No"))
    cells = []
    for side in SIDES:
        half = {}
        for grid, segments, best in (
            ("motor", MUSCLES, 5),
            ("lightTouch", DERMATOMES, 2),
            ("pinPrick", DERMATOMES, 2),
        ):
            scores = {}
            for segment in segments:
                # Mostly normal above a level and random below it, as in real exams.
                above = DERMATOMES.index(segment) < level
                scores[segment] = str(best if above and draw.random() < 0.9 else draw.randint(0, best))
            half[grid] = scores
            cells += [(scores, segment) for segment in segments]
        exam[side] = half
    for scores, segment in draw.sample(cells, untested):
        scores[segment] = "NT"
    return exam


def _run(untested: int, rounds: int) -> Result:
    lines = exams(n=N, untested=untested)
    # A refused exam returns early and would make the figure look better.
    broken = [answer for answer in isncsci.score_lines(lines) if "error" in json.loads(answer)]
    if broken:
        raise RuntimeError(f"an exam of the bench is refused: {broken[0]}")
    return rate(lambda: list(isncsci.score_lines(lines)), n=N, rounds=rounds, of="random exams")


ITEMS = (
    Item("isncsci", "ISNCSCI exams", "every cell tested", "exams/s", ">=", 5000.0, lambda n: _run(0, n)),
    Item("isncsci", "ISNCSCI exams", "4 cells not testable", "exams/s", ">=", 200.0, lambda n: _run(4, n)),
)
