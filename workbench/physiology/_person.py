"""Who is simulated: seed, injury and severity as stated from outside, checked, hashed and never changed."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from workbench import reading, world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology._parameters import MUSCLE, PRESSURE, Range

LARGEST = 2**16
"""Bytes of a file that states a person, at most."""
_LEVEL = re.compile(r"([CTLS])([1-9]\d?)")
_LAST = {"C": 8, "T": 12, "L": 5, "S": 5}
_RANGES: Mapping[str, Range] = {
    "seed": (0, 2**63 - 1),
    "days_since_injury": (0.0, 36_500.0),
    "residual": (0.0, 1.0),
    "spasms_per_h": (0.0, 60.0),
    "clonic": (0.0, 1.0),
    "dysreflexia_mmhg": (0.0, 200.0),
    "treatment_points": (-50.0, 50.0),
    "treatment_h": (1.0, 10_000.0),
}
"""Field → its least and greatest value."""


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated person. Raises :class:`BadValue` for what no person can be.

    Attributes
    ----------
    seed : of everything that is drawn.
    lesion : neurological level of injury, ``"C1"`` to ``"S5"``. grade : of the impairment, ``"A"`` to ``"D"``.
    days_since_injury : at the first visit.
    residual : share 0–1 of a full contraction that the muscles of the legs reach at the first visit; None draws it
        from the range of the grade.
    spasms_per_h : mean number an hour; clonic : share of them that are clonic, 0–1.
    dysreflexia_mmhg : rise of the systolic pressure at the strongest stimulation, where the lesion lies at T6 or
        above it; None draws it. Below T6 nothing rises whatever is stated.
    treatment_points : what the treatment adds at last to the untreated motor score of the legs, 0–50 points of it:
        declared, never found by a simulation. treatment_h : hours of practice in which 63 % of it come.
    """

    seed: int = 0
    lesion: str = "T4"
    grade: str = "C"
    days_since_injury: float = 400.0
    residual: float | None = None
    spasms_per_h: float = 2.0
    clonic: float = 0.3
    dysreflexia_mmhg: float | None = None
    treatment_points: float = 0.0
    treatment_h: float = 40.0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name in ("residual", "dysreflexia_mmhg"):
                continue
            kinds = int if name == "seed" else (int, float)
            number = isinstance(value, kinds) and not isinstance(value, bool) and isfinite(value)
            if not (number and least <= value <= most):
                raise BadValue(
                    Message("physiology.number", name=name, least=f"{least:g}", most=f"{most:g}", got=repr(value))
                )
            if name != "seed":
                # 400 and 400.0 are one person, with one hash.
                object.__setattr__(self, name, float(value))
        found = _LEVEL.fullmatch(self.lesion) if isinstance(self.lesion, str) else None
        if found is None or int(found[2]) > _LAST[found[1]]:
            raise BadValue(Message("physiology.lesion", got=repr(self.lesion)))
        if self.grade not in ("A", "B", "C", "D"):
            raise BadValue(Message("physiology.grade", got=repr(self.grade)))

    @property
    def sha256(self) -> str:
        """Hash of every field, over canonical JSON."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def at_risk(self) -> bool:
        """Whether dysreflexia threatens: the lesion lies at T6 or above it."""
        return self.lesion[0] == "C" or (self.lesion[0] == "T" and int(self.lesion[1:]) <= 6)

    @property
    def tetraplegic(self) -> bool:
        """Whether the lesion is cervical."""
        return self.lesion[0] == "C"

    def chance(self, *tags: int) -> np.random.Generator:
        """The generator of these tags: what is drawn from it depends on nothing else."""
        return world.chance.generator([self.seed, 64, *tags])

    def drawn_residual(self) -> float:
        """Share of a full contraction at the first visit: stated, or drawn from the range of the grade."""
        if self.residual is not None:
            return self.residual
        return float(self.chance(0, 1).uniform(*dict(MUSCLE.residual)[self.grade]))

    def drawn_rise(self) -> float:
        """Rise of the systolic pressure at full strength, mmHg: 0 below T6, else stated or drawn."""
        if not self.at_risk:
            return 0.0
        if self.dysreflexia_mmhg is not None:
            return self.dysreflexia_mmhg
        return float(self.chance(0, 2).uniform(*PRESSURE.rise))


def person_of(stated: Mapping[str, Any]) -> Person:
    """A person from a table of fields.

    Raises
    ------
    BadValue
        For a field that there is not, or a value that cannot be.
    """
    known = [field.name for field in fields(Person)]
    for name in stated:
        if name not in known:
            raise BadValue(Message("physiology.field", name=repr(name), known=known))
    return Person(**stated)


def read_person(path: Path) -> Person:
    """A person from a TOML file with fields of :class:`Person`; those that are left out have their usual value.

    Raises
    ------
    BadValue
        When the file cannot be read, is no TOML, or states what cannot be.
    """
    text = reading.read_text(path, "simulated person", largest=LARGEST)
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(Message("physiology.no_toml", file=reading.shown(path), why=str(error))) from error
    return person_of(stated)
