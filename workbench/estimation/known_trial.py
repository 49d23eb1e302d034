"""A whole trial in a record, of simulated participants whose true effect is known; without signals.

Everything goes in by the changes that people make, on a calendar of its own: consent, baseline, allocation, visits
with their assessments, and who leaves. An ARAT total is a baseline, spontaneous recovery, the effect of the arm,
and what differs between people and between days, rounded to points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from workbench import outcomes, world
from workbench.study import Study, allocations
from workbench.study.applying import bound_now
from workbench.study.changes import (
    AdoptProtocol,
    CutData,
    Enrol,
    GiveConsent,
    HoldVisit,
    LockStudy,
    MakeList,
    Randomise,
    SaveAssessment,
    SetAnchor,
    SetStatus,
    Sign,
)
from workbench.study.randomisation.draws import SEED_BITS
from workbench.vocabulary import Participant

ACTIVE, SHAM = "stimulation", "sham"
SITES = ("north", "east", "south")
WEEKS = {"Week 4": 0.4, "Week 8": 0.75, "Week 12": 1.0}
"""Visits after the baseline, and the share of the effect that is reached by then."""
RECOVERY = 1.5
"""Points of spontaneous recovery between two visits."""
BETWEEN, WITHIN = 3.0, 2.0
"""Standard deviation of the course between people, and between the days of one, points."""
BASELINE = (22.0, 4.0)
"""Mean and standard deviation of the baseline, points."""
THRESHOLD = 6.0
"""Points of improvement from which somebody counts as a responder: invented, as the whole trial is."""
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
HEAD = f"""\
# The plan of the simulated trial: both estimands of its protocol, each with what it rests on looked at.
[plan]
protocol = "1.0.0"
reference = "{SHAM}"
seed = 1

[[event]]
name = "left the study"
kind = "left"
"""
ANALYSES = {
    "primary": """
estimand = "primary"
role = "primary"
method = "mmrm"
variable = "arat.total"
visits = ["Week 4", "Week 8", "Week 12"]
covariates = ["baseline", "stratum.site"]
""",
    "responders": f"""
estimand = "responders"
method = "responders"
variable = "arat.total"
visits = ["Week 12"]
covariates = ["stratum.site"]
threshold = {{ value = {THRESHOLD:g}, unit = "points", version = "1981", source = "protocol 1.0.0" }}
""",
    "complete-cases": """
estimand = "primary"
role = "sensitivity"
method = "ancova"
variable = "arat.total"
visits = ["Week 12"]
covariates = ["baseline", "stratum.site"]
""",
    "jump-to-reference": """
estimand = "primary"
role = "sensitivity"
method = "reference_based"
variable = "arat.total"
visits = ["Week 4", "Week 8", "Week 12"]
covariates = ["baseline"]
""",
    "tipping-point": """
estimand = "primary"
role = "sensitivity"
method = "tipping_point"
variable = "arat.total"
visits = ["Week 4", "Week 8", "Week 12"]
covariates = ["baseline"]
settings = { deltas = [0, -4, -8, -12, -16] }
""",
    "dealt-again": """
estimand = "primary"
role = "sensitivity"
method = "rerandomisation"
variable = "arat.total"
visits = ["Week 12"]
covariates = ["baseline", "stratum.site"]
""",
    "responders-adjusted": f"""
estimand = "responders"
role = "sensitivity"
method = "responders_adjusted"
variable = "arat.total"
visits = ["Week 12"]
covariates = ["baseline"]
threshold = {{ value = {THRESHOLD:g}, unit = "points", version = "1981", source = "protocol 1.0.0" }}
""",
}
"""Sections of the plan by name, without their first two lines."""
ORDER = """
[multiplicity]
procedure = "fixed-sequence"
order = ["primary", "responders"]
"""


def plan(*names: str) -> str:
    """The plan of the simulated trial, as the text of a file.

    Parameters
    ----------
    *names : of its analyses, ``"primary"`` and ``"responders"`` among them; all without any.
    """
    chosen = [f'\n[[analysis]]\nname = "{name}"{ANALYSES[name]}' for name in names or ANALYSES]
    return "".join([HEAD, *chosen, ORDER])


@dataclass(frozen=True, slots=True)
class Truth:
    """What was simulated.

    Attributes
    ----------
    effect : difference of the mean changes of the arms at the last visit, points.
    responders : probability of a responder at the last visit by arm; who leaves is none.
    """

    effect: float
    responders: Mapping[str, float]

    def of(self, scale: str) -> float | None:
        """What an estimate of a scale is true of; None for one that the simulation has no truth of."""
        shares = self.responders
        return {"difference_of_means": self.effect, "risk_difference": shares[ACTIVE] - shares[SHAM]}.get(scale)


@dataclass(frozen=True, slots=True)
class KnownTrial:
    """What is simulated.

    Attributes
    ----------
    n : participants, dealt to the sites in turn.
    effect : of :data:`ACTIVE` at the last visit, points.
    leave : share of participants who leave after their second visit.
    seed : of everything: of bodies, and of the list of the randomisation.
    """

    n: int = 32
    effect: float = 6.0
    leave: float = 0.1
    seed: int = 1

    @property
    def most_steps(self) -> int:
        """Most that can happen to all participants: consent, baseline, each later visit, and the end."""
        return self.n * (3 + len(WEEKS))

    @property
    def truth(self) -> Truth:
        """Of the mean difference and of the responders."""
        spread = sqrt(BETWEEN**2 + WITHIN**2 + WITHIN**2)
        course = RECOVERY * len(WEEKS)
        # Totals are rounded, so that an improvement of 6 points is one of more than 5.5.
        shares = {
            arm: (1 - self.leave) * 0.5 * (1 + erf((course + gain - THRESHOLD + 0.5) / spread / sqrt(2)))
            for arm, gain in ((ACTIVE, self.effect), (SHAM, 0.0))
        }
        return Truth(self.effect, shares)


class DrawnList(world.Chance):
    """Chance from which the seed of a list is known, so that a simulated allocation can be repeated."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def randbits(self, k: int) -> int:
        if k != SEED_BITS:
            return super().randbits(k)
        words = np.random.default_rng(self._seed).integers(2**32, size=SEED_BITS // 32)
        return sum(int(word) << 32 * i for i, word in enumerate(words))


class Calendar(world.Clock):
    """A clock that stands at a day until it is set to a later one; each look is a millisecond later."""

    def __init__(self, begin: datetime) -> None:
        self._now = begin

    def set(self, moment: datetime) -> None:
        """Go to a later moment; never back."""
        self._now = max(self._now, moment)

    def wall_ns(self) -> int:
        self._now += timedelta(milliseconds=1)
        return int(self._now.timestamp() * 1e9)

    def wall(self) -> float:
        return self.wall_ns() / 1e9

    def now(self) -> datetime:
        self.wall_ns()
        return self._now

    def local(self) -> datetime:
        return self._now


def definition() -> dict[str, Any]:
    """The protocol: two arms, three sites, a baseline, three later visits, two estimands."""
    visit = {"forms": ["arat"]}
    visits: list[dict[str, Any]] = [
        {"name": "Baseline", "anchor": "consent", "day": 7, "earliest": 1, "latest": 14, **visit},
    ]
    for week in WEEKS:
        day = 7 * int(week.split()[1])
        visits.append(
            {
                "name": week, "anchor": "randomisation", "day": day, "earliest": day - 7, "latest": day + 7,
                **visit,
            }
        )  # fmt: skip
    left = {"left the study": "hypothetical"}
    return {
        "study": {
            "code": "KNOWN", "title": "A simulated trial of hand compensation", "version": "1.0.0",
            "sponsor": "nobody", "jurisdictions": ["EU"], "effective_from": "2026-01-01",
        },
        "arm": [{"name": SHAM, "title": "Sham"}, {"name": ACTIVE, "title": "Stimulation"}],
        "randomisation": {
            "kind": "blocks", "ratio": {SHAM: 1, ACTIVE: 1}, "blocks": [2, 4], "strata": {"site": list(SITES)},
            "slots": 200,
        },
        "consent": {
            "purposes": {"required": ["participation"]}, "document_version": "1", "document_sha256": "0" * 64,
        },
        "visit": visits,
        "form": [{"name": "arat", "title": "Action Research Arm Test", "measure": "arat"}],
        "estimand": [
            {
                "name": "primary", "population": "All randomised participants.",
                "variable": "Change of the ARAT total of the trained side, no help, from Baseline to Week 12.",
                "intercurrent_events": left, "summary": "Difference of the means of the arms.",
            },
            {
                "name": "responders", "population": "All randomised participants.",
                "variable": "Improvement of that total by 6 points or more at Week 12.",
                "intercurrent_events": {"left the study": "composite"},
                "summary": "Difference of the proportions of the arms.",
            },
        ],
    }  # fmt: skip


def simulate(
    folder: Path, trial: KnownTrial, *, cut: bool = True, step: Callable[[], object] = lambda: None
) -> Path:
    """Put a whole trial into a new record. Returns the folder.

    Parameters
    ----------
    folder : of the study, which does not exist yet.
    trial : what is simulated.
    cut : leave a data cut named ``final`` at the end.
    step : called after each thing that happens to a participant, :attr:`KnownTrial.most_steps` times at most.

    Raises
    ------
    RecordFault
        The folder holds a record, or cannot be written.
    """
    calendar = Calendar(BEGIN)
    with (
        world.entered(clock=calendar),
        Study.create(folder, code="KNOWN", title="Simulated trial", actor="simulation") as study,
    ):
        two = [study.script_signer(name).confirm() for name in ("investigator", "data manager")]
        study.apply(AdoptProtocol(definition()), two)
        with world.entered(chance=DrawnList(trial.seed)):
            study.apply(MakeList("1.0.0"), study.script_signer("statistician"))
        chance = np.random.default_rng(trial.seed)
        steps = [step for n in range(trial.n) for step in _Person(study, trial, n, chance).steps()]
        # By day, as a clinic lives: participants are not entered one after the other.
        for moment, happens in sorted(steps, key=lambda one: one[0]):
            calendar.set(moment)
            happens()
            step()
        calendar.set(calendar.now() + timedelta(days=7))
        if cut:
            two = [study.script_signer(name).confirm() for name in ("data manager", "statistician")]
            study.apply(CutData("final"), two, "every visit was held")
    return folder


def lock(study: Study) -> str:
    """Have every assessment signed and the study locked, as scripts. Returns the name of the snapshot.

    Parameters
    ----------
    study : a simulated one, of which nothing is open.

    Raises
    ------
    Refused
        While a condition of the lock does not hold.
    """
    targets = tuple(("assessment", str(row["id"])) for row in study.rows("assessment"))
    shown = bound_now(study, targets)[1]
    study.apply(Sign(targets, "I reviewed these entries", shown), study.script_signer("investigator").confirm())
    three = [study.script_signer(name).confirm() for name in ("investigator", "data manager", "statistician")]
    study.apply(LockStudy(), three, "every visit was held and every entry is signed")
    return str(study.rows("snapshot")[-1]["name"])


@dataclass(slots=True)
class _Person:
    """A simulated participant; all that is random about them is drawn beforehand."""

    study: Study
    trial: KnownTrial
    n: int
    chance: np.random.Generator
    ids: dict[str, str] = field(default_factory=dict)
    arm: str = ""

    def steps(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """What happens to the participant, each at its moment."""
        draw = self.chance
        begin = BEGIN + timedelta(days=int(self.n * 2), minutes=self.n)
        side = ("left", "right")[int(draw.integers(2))]
        start = float(draw.normal(*BASELINE))
        course, noise = float(draw.normal(0, BETWEEN)), draw.normal(0, WITHIN, size=1 + len(WEEKS))
        leaves = bool(draw.random() < self.trial.leave)
        late = draw.integers(-2, 3, size=len(WEEKS))
        yield begin, lambda: self._consent(side, begin)
        yield begin + timedelta(days=7), lambda: self._baseline(side, start + noise[0])
        at = begin + timedelta(days=8)
        for number, (week, share) in enumerate(WEEKS.items(), start=1):
            days = 7 * int(week.split()[1]) + int(late[number - 1])
            if leaves and number > 1:
                yield at + timedelta(days=days), lambda: self._apply(SetStatus(self.ids["person"], "withdrawn"))
                return
            own = start + RECOVERY * number + course * share + noise[number]
            yield at + timedelta(days=days), self._visit(week, side, own, share)
        yield at + timedelta(days=days + 1), lambda: self._apply(SetStatus(self.ids["person"], "completed"))

    def _visit(self, week: str, side: str, own: float, share: float) -> Callable[[], None]:
        def held() -> None:
            gain = self.trial.effect * share if self.arm == ACTIVE else 0.0
            self._assess(week, side, own + gain)

        return held

    def _consent(self, side: str, begin: datetime) -> None:
        site = SITES[self.n % len(SITES)]
        about: dict[str, Any] = {
            "injury_level": ("C5", "C6")[self.n % 2],
            "ais": "ABC"[self.n % 3],
            "trained_side": side,
        }
        person = self.study.append(Participant(f"SIM-{self.n + 1:03d}", simulated=True, **about))
        self.ids["person"] = person
        day = begin.date().isoformat()
        for change in (
            Enrol(person, f"S-{self.n + 1:03d}", site), GiveConsent(person, ("participation",), "1", day),
            SetAnchor(person, "consent", day),
        ):  # fmt: skip
            self._apply(change)

    def _baseline(self, side: str, value: float) -> None:
        person = self.ids["person"]
        self._assess("Baseline", side, value)
        self._apply(SetStatus(person, "enrolled"))
        self._apply(Randomise(person, {"site": SITES[self.n % len(SITES)]}))
        # The simulated body has to know what it is given.
        self.arm = allocations.arm_of(self.study, person, self.study.script_signer("simulation"), "simulated body")

    def _assess(self, visit: str, side: str, value: float) -> None:
        (row,) = self.study.rows("visit", participant_id=self.ids["person"], name=visit)
        self._apply(HoldVisit(row["id"], world.clock.local().date().isoformat()))
        self._apply(
            SaveAssessment(
                row["id"], "arat", outcomes.load("arat").definition.version, assisted=False, device_on=False,
                stimulation_on=False, items=arat_items(round(value)), rater="simulated assessor", side=side,
                blinded="yes", administered_at=world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
        )  # fmt: skip

    def _apply(self, change: Any) -> None:
        self.study.apply(change, self.study.script_signer("simulation"), "simulated")


def arat_items(total: int) -> dict[str, int]:
    """Items of the ARAT that add up to a total of 0 to 57; one beyond them is held at its end."""
    items, left = {}, min(57, max(0, total))
    for item in outcomes.load("arat").definition.items:
        items[item.code] = min(3, left)
        left -= items[item.code]
    return items
