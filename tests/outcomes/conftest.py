"""Building ISNCSCI exams in few words, and finding the reference cases."""

from __future__ import annotations

import json

import pytest

SEGMENTS = [*(f"C{n}" for n in range(2, 9)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
SEGMENTS += ["S1", "S2", "S3", "S4_5"]
MUSCLES = ["C5", "C6", "C7", "C8", "T1", "L2", "L3", "L4", "L5", "S1"]


def side(*, motor="5" * 10, normal_to="S4_5", below="0", cells=None, non_key=None):
    """Dermatomes 2/2 to ``normal_to`` and ``below`` after it; ``cells`` such as ``{"lightTouch.C7": "1"}``."""
    scores = ["2" if at <= SEGMENTS.index(normal_to) else below for at in range(28)] if normal_to else [below] * 28
    made = {
        "motor": dict(zip(MUSCLES, motor if isinstance(motor, list) else list(motor))),
        "lightTouch": dict(zip(SEGMENTS, scores)),
        "pinPrick": dict(zip(SEGMENTS, scores)),
    }
    for name, value in (cells or {}).items():
        grid, segment = name.split(".")
        made[grid][segment] = value
    if non_key:
        made["lowestNonKeyMuscleWithMotorFunction"] = non_key
    return made


def exam(right=None, left=None, *, vac="No", dap="No"):
    """An exam; a side that is left out is like the other, both normal when neither is given."""
    right, left = right or left or {}, left or right or {}
    return {
        "right": side(**right),
        "left": side(**left),
        "voluntaryAnalContraction": vac,
        "deepAnalPressure": dap,
    }


@pytest.fixture(scope="session")
def make():
    """The builder: ``make(right={…}, left={…}, vac=, dap=)``."""
    return exam


@pytest.fixture(scope="session")
def reference_cases(shared_data):
    """``{id: case}`` of the 128 expert and the 1,000 random cases."""
    folder = shared_data / "isncsci"
    expert = json.loads((folder / "praxis_2019_cases.json").read_text(encoding="utf-8"))["cases"]
    drawn = [json.loads(line) for line in (folder / "random_cases.jsonl").read_text(encoding="utf-8").splitlines()]
    return {case["id"]: case for case in (*expert, *drawn)}
