"""The person: blood pressure where dysreflexia threatens, and what holds somebody who stands.

Autonomic dysreflexia: a systolic pressure 20 mmHg or more above the session's own resting one, in a person whose
lesion lies at T6 or above it. Rise and level are those of clinical teaching (SCIRE, *Autonomic dysreflexia*); the
interval of the readings is a proposal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation._findings import Finding
from workbench.stimulation._programme import Programme

RISE_MMHG = 20.0
"""A systolic pressure so far above the session's own stops stimulation, mmHg."""

POSSIBLE_MMHG = (40.0, 320.0)
"""A reading outside of this is none, mmHg."""

SUPPORT_AGE_S = 1.0
"""A load on the harness that is older than this is not known, s."""

PERSON = Message("stimulation.person")

_LEVEL = re.compile(r"([CTLS])(\d{1,2})")
_LAST = {"C": 8, "T": 12, "L": 5, "S": 5}
_SEGMENTS = "CTLS"


@dataclass(frozen=True, slots=True)
class Wearer:
    """What must be known of the person. Raises :class:`BadValue` for times that are none.

    Attributes
    ----------
    lesion : neurological level of injury, ``"C5"``, ``"T6"``; a level that is not known counts as one at risk.
    reading_every_s : time between two readings of the blood pressure, s.
    grace_s : how late a reading may be before current is released, s.
    """

    lesion: str = ""
    reading_every_s: float = 300.0
    grace_s: float = 180.0

    def __post_init__(self) -> None:
        if not (isfinite(self.reading_every_s) and self.reading_every_s > 0 and 0 <= self.grace_s < float("inf")):
            raise BadValue(Message("stimulation.wearer_wrong"))

    @property
    def at_risk(self) -> bool:
        """Whether dysreflexia threatens: the lesion lies at T6 or above it, or nobody knows where."""
        found = _LEVEL.fullmatch(self.lesion.strip().upper())
        if found is None or not 1 <= int(found[2]) <= _LAST[found[1]]:
            return True
        return (_SEGMENTS.index(found[1]), int(found[2])) <= (_SEGMENTS.index("T"), 6)


class PersonWatch:
    """What was last known of the person.

    Parameters
    ----------
    wearer : who.
    programme : what is stimulated.
    """

    def __init__(self, wearer: Wearer, programme: Programme) -> None:
        self._wearer, self._programme = wearer, programme
        self.baseline: float | None = None
        self.systolic: float | None = None
        self._read_at = 0.0
        self.symptom = ""
        self._load: tuple[float, float] | None = None
        self._held_by = ""

    # ----------------------------------------------------------------------------------- what is noted
    def take_pressure(self, systolic: float, *, now: float, resting: bool) -> None:
        """A reading of the blood pressure.

        Parameters
        ----------
        systolic : mmHg.
        now : s.
        resting : whether it is the session's baseline: seated, at rest, without current.

        Raises
        ------
        BadValue
            When no person has such a pressure.
        """
        least, most = POSSIBLE_MMHG
        if not least <= systolic <= most:
            raise BadValue(
                Message("stimulation.no_pressure", got=f"{systolic:g}", least=f"{least:g}", most=f"{most:g}")
            )
        if resting:
            self.baseline = systolic
        self.systolic, self._read_at = systolic, now

    def take_load(self, load_kg: float, *, now: float) -> None:
        """The load on the harness, kg; one that is no number is none."""
        self._load = (load_kg if isfinite(load_kg) else 0.0, now)

    def take_holder(self, person: str) -> None:
        """Who answers for the support of the person; ``""`` for nobody any more."""
        self._held_by = person.strip()

    @property
    def load_kg(self) -> float | None:
        """The load on the harness as it was measured last, kg; None before the first."""
        return None if self._load is None else self._load[0]

    @property
    def held_by(self) -> str:
        """Who answers for the support of the person, ``""`` for nobody."""
        return self._held_by

    # -------------------------------------------------------------------------------------- what is found
    @property
    def raised(self) -> bool:
        """Whether the newest reading is a rise that stops stimulation."""
        if not self._wearer.at_risk or self.baseline is None or self.systolic is None:
            return False
        # At 20 mmHg already, unlike a limit that only what lies above it passes.
        return self.systolic >= self.baseline + RISE_MMHG

    def dangers(self) -> list[Finding]:
        """What stops stimulation at once."""
        found = []
        if self.symptom:
            found.append(Finding("symptom", where=PERSON, detail=self.symptom))
        if self.raised:
            found.append(Finding("pressure", self.systolic, (self.baseline or 0.0) + RISE_MMHG, PERSON))
        return found

    def lacking(self, now: float, *, on: bool) -> list[Finding]:
        """What must be known or be there for current to begin, or, where it is ``on``, to go on."""
        return [*self._pressure_lacking(now, on=on), *self._support_lacking(now)]

    def _pressure_lacking(self, now: float, *, on: bool) -> list[Finding]:
        wearer = self._wearer
        if not wearer.at_risk:
            return []
        if self.baseline is None:
            return [Finding("pressure_baseline", limit=POSSIBLE_MMHG[1], where=PERSON)]
        late = now - self._read_at
        most = wearer.reading_every_s + (wearer.grace_s if on else 0.0)
        return [Finding("pressure_age", late, most, PERSON)] if late > most else []

    def reading_late_s(self, now: float) -> float:
        """How long a reading of the blood pressure has been due, s; 0 while none is."""
        if not self._wearer.at_risk or self.baseline is None:
            return 0.0
        return max(0.0, now - self._read_at - self._wearer.reading_every_s)

    def _support_lacking(self, now: float) -> list[Finding]:
        programme = self._programme
        if not programme.needs_support:
            return []
        if not programme.support_kg:
            return (
                []
                if self._held_by
                else [Finding("support", where=PERSON, detail=Message("stimulation.nobody_holds"))]
            )
        if self._load is None:
            return [Finding("support", limit=programme.support_kg, where=PERSON)]
        load, at = self._load
        if now - at > SUPPORT_AGE_S:
            return [Finding("support_age", now - at, SUPPORT_AGE_S, PERSON)]
        # Not `<`: see above.
        return [] if load >= programme.support_kg else [Finding("support", load, programme.support_kg, PERSON)]
