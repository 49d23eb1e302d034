"""Building assessments in few words, scored by their measures."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.analysis import History
from workbench.vocabulary import Assessment, Condition

OFF = Condition(False, False, False)
SEGMENTS = [*(f"C{n}" for n in range(2, 9)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
SEGMENTS += ["S1", "S2", "S3", "S4_5"]
MUSCLES = ["C5", "C6", "C7", "C8", "T1", "L2", "L3", "L4", "L5", "S1"]


def make_arat(total, *, id="", visit="v1", assisted=False, device_on=False, stimulation_on=False, **more):
    """An ARAT of that total: 3 points an item as far as it goes; None leaves the last item out."""
    codes = [item.code for item in outcomes.load("arat").definition.items]
    points = [min(3, max(0, (total or 0) - 3 * place)) for place in range(len(codes))]
    items = dict(zip(codes, points))
    if total is None:
        del items[codes[-1]]
    fields = {"rater": "Li", "side": "right"} | more
    return Assessment(
        visit_id=visit,
        measure="arat",
        version="1981",
        condition=Condition(assisted, device_on, stimulation_on),
        items=items,
        score=outcomes.score("arat", items).to_json(),
        id=id or f"{visit}-arat",
        **fields,
    )


def make_exam(motor="5555555555", *, normal_to="S4_5", vac="Yes", dap="Yes", visit="v1", cells=None, **more):
    """An ISNCSCI, both sides alike: ten key muscles, dermatomes 2/2 as far as ``normal_to`` and 0 below."""
    items = {"voluntaryAnalContraction": vac, "deepAnalPressure": dap}
    at = SEGMENTS.index(normal_to)
    for side in ("right", "left"):
        items |= {f"{side}.motor.{muscle}": int(grade) for muscle, grade in zip(MUSCLES, motor)}
        for grid in ("lightTouch", "pinPrick"):
            items |= {f"{side}.{grid}.{segment}": 2 if n <= at else 0 for n, segment in enumerate(SEGMENTS)}
    items |= cells or {}
    fields = {"rater": "Li", "id": f"{visit}-isncsci"} | more
    return Assessment(
        visit_id=visit,
        measure="isncsci",
        version="2019",
        condition=fields.pop("condition", OFF),
        items=items,
        score=outcomes.score("isncsci", items).to_json(),
        **fields,
    )


def make_history(name, *assessments):
    """A history whose visits are named by their ids."""
    visits = {one.visit_id: one.visit_id for one in assessments}
    return History(name, visits, assessments)


@pytest.fixture
def arat():
    return make_arat


@pytest.fixture
def exam():
    return make_exam


@pytest.fixture
def history():
    return make_history
