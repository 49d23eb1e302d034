"""How often a trial would reject: the study's own protocol and plan, simulated with an effect that is assumed.

Participants are drawn evenly from the strata and dealt by the protocol's own blocks or minimisation; their
outcomes go through the same analysis as those of the record. Only what is assumed of the outcomes is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr

from workbench import reading
from workbench.analysis import wilson
from workbench.errors import BadValue, UnknownName, WorkbenchError
from workbench.estimation._fitting import fit
from workbench.estimation._selecting import Cell, Selected
from workbench.estimation.methods import METHODS
from workbench.estimation.plan import Analysis, Plan
from workbench.estimation.results import EstimateRow
from workbench.messages import Message
from workbench.study.datasets import SubjectRow
from workbench.study.protocol import Protocol
from workbench.study.randomisation import Design, generate, minimise
from workbench.study.randomisation.draws import SEED_BITS

WITHOUT = ("time_to_event", "rerandomisation", "tipping_point", "stepped_wedge", "paired", "single_case")
"""Methods whose trials are not drawn here."""
MOST_PARTICIPANTS, MOST_TRIALS, MOST_SIZES = 5_000, 100_000, 20
LEVELS = {"ais": ("A", "B", "C"), "injury_level": ("C5", "C6"), "trained_side": ("left", "right")}
"""What participants differ in beside the factors of the randomisation; it has no part in their outcomes."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of the outcomes.

    Attributes
    ----------
    effect : difference at the visit of the estimate, reached in even steps over the visits: of means, in the unit
        of the outcome; of responders, of their proportions. Of conditions, the same at each visit.
    sd : standard deviation of the outcome of an arm, in its unit; of responders it has no part.
    share : of responders among the reference.
    correlation : of two visits of a participant, 0 to below 1.
    baseline : correlation of the outcome with the baseline, not beyond the root of ``correlation``.
    leave : share of the participants without an outcome at the last visit, at random.
    """

    effect: float
    sd: float = 1.0
    share: float = 0.2
    correlation: float = 0.5
    baseline: float = 0.0
    leave: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.effect, self.sd, self.share, self.correlation, self.baseline, self.leave)
        fits = all(np.isfinite(numbers)) and self.sd > 0 and 0 < self.share < 1 and 0 <= self.correlation < 1
        if not fits or abs(self.baseline) > sqrt(self.correlation) + 1e-12 or not 0 <= self.leave < 1:
            raise BadValue(Message("estimation.assumed", got=", ".join(f"{one:g}" for one in numbers)))


@dataclass(frozen=True, slots=True)
class Powered:
    """Simulated trials of one size.

    Attributes
    ----------
    n : participants of all arms together. trials : simulated.
    rejected, refused : of them; what is refused rejects nothing.
    low, high : Monte-Carlo interval of the power, 95 %.
    estimate : mean of the estimates; NaN where all were refused.
    entered : mean number of participants when a trial stopped; ``n`` without looks.
    """

    n: int
    trials: int
    rejected: int
    refused: int
    low: float
    high: float
    estimate: float
    entered: float

    @property
    def power(self) -> float:
        """Share of the trials that rejected."""
        return self.rejected / self.trials


def powered(
    plan: Plan, protocol: Protocol, name: str, assumed: Assumed, *, sizes: Sequence[int], trials: int = 1000,
    seed: int = 1, step: Callable[[], object] = lambda: None,
) -> tuple[Powered, ...]:  # fmt: skip
    """Simulate trials of several sizes.

    Parameters
    ----------
    plan, protocol : of the study.
    name : of the analysis; its level is that of the looks, or of the order of tests that begins with it, else what
        the confidence of the plan leaves.
    assumed : of the outcomes.
    sizes : participants of all arms together. trials : of each size. seed : of the draws.
    step : called after each trial.

    Raises
    ------
    UnknownName, BadValue
        For an analysis that there is not or that is not simulated here, a protocol without randomisation, numbers
        out of their range.
    """
    found = {one.name: one for one in plan.analyses}
    if name not in found:
        raise UnknownName(Message("estimation.no_analysis_named", got=f"{name!r:.80}", known=list(found)))
    analysis = found[name]
    if analysis.method in WITHOUT:
        allowed = [one for one in METHODS if one not in WITHOUT]
        raise BadValue(Message("estimation.no_power", method=analysis.method, allowed=allowed))
    if not 1 <= len(sizes) <= MOST_SIZES or not all(4 <= n <= MOST_PARTICIPANTS for n in sizes):
        raise BadValue(Message("estimation.sizes", got=str(list(sizes))[:80], most=MOST_PARTICIPANTS))
    if not 1 <= trials <= MOST_TRIALS:
        raise BadValue(Message("estimation.trials", got=trials, most=MOST_TRIALS))
    _check(analysis, assumed)
    design = Design.of(protocol.randomisation, [arm.name for arm in protocol.arms])
    made = []
    for n in sizes:
        draw = np.random.default_rng([seed, n])
        results = []
        for _ in range(trials):
            results.append(_trial(_Drawn(plan, protocol, analysis, assumed, design), n, draw))
            step()
        made.append(_summed(n, results))
    return tuple(made)


def _check(analysis: Analysis, assumed: Assumed) -> None:
    """Refuse proportions of responders that are none."""
    if analysis.binary and not 0 < assumed.share + assumed.effect < 1:
        got = f"{assumed.share:g} + {assumed.effect:g}"
        raise BadValue(Message("estimation.shares", got=got))


def _summed(n: int, results: Sequence[tuple[bool, float | None, int]]) -> Powered:
    rejected = sum(one for one, _, _ in results)
    values = [value for _, value, _ in results if value is not None]
    low, high = wilson(rejected, len(results))
    mean = float(np.mean(values)) if values else float("nan")
    entered = float(np.mean([used for _, _, used in results]))
    return Powered(n, len(results), rejected, len(results) - len(values), low, high, mean, entered)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What trials are drawn from."""

    plan: Plan
    protocol: Protocol
    analysis: Analysis
    assumed: Assumed
    design: Design

    @property
    def arms(self) -> tuple[str, ...]:
        names = [arm.name for arm in self.protocol.arms]
        return (self.plan.reference, *(name for name in names if name != self.plan.reference))

    @property
    def alpha(self) -> float:
        multiplicity = self.plan.multiplicity
        first = multiplicity.graph is not None and multiplicity.order[:1] == (self.analysis.name,)
        return multiplicity.alpha if first else 1 - self.plan.level


def _trial(drawn: _Drawn, n: int, draw: np.random.Generator) -> tuple[bool, float | None, int]:
    """Whether a trial rejected, its estimate, and how many had entered when it stopped."""
    whole = _selected(drawn, n, draw)
    looks = drawn.plan.looks
    if looks is None or looks.analysis != drawn.analysis.name:
        rows = _estimates(whole)
        p = min((row.p for row in rows), default=1.0) * max(1, len(rows))
        return p <= drawn.alpha, rows[0].value if rows else None, n
    planned = tuple(max(2, round(n * one / looks.planned[-1])) for one in looks.planned)
    observed: tuple[int, ...] = ()
    value = None
    for entered, snapshot in zip(planned, looks.snapshots, strict=True):
        rows = _estimates(replace(whole, people=whole.people[:entered]))
        if not rows:
            continue
        try:
            found = replace(looks, planned=planned, observed=observed).look_at(rows[0], snapshot)
        except WorkbenchError:
            continue
        observed, value = (*observed, rows[0].n), rows[0].value
        if found.crossed:
            return True, value, entered
    return False, value, n


def _estimates(made: Selected) -> tuple[EstimateRow, ...]:
    try:
        return fit(made, None).estimates  # type: ignore[arg-type]  # no method here reads the record
    except WorkbenchError:
        return ()


# ------------------------------------------------------------------------------ people and outcomes
def _selected(drawn: _Drawn, n: int, draw: np.random.Generator) -> Selected:
    analysis = drawn.analysis
    people = _people(drawn, n, draw)
    visits, own = analysis.visits, drawn.assumed
    between = draw.normal(size=n)
    # Of what the visits of a participant share, the baseline knows a part.
    known = own.baseline / sqrt(own.correlation) if own.correlation else 0.0
    baseline = known * between + sqrt(max(0.0, 1 - known**2)) * draw.normal(size=n)
    noise = draw.normal(size=(n, len(visits)))
    latent = sqrt(own.correlation) * between[:, None] + sqrt(1 - own.correlation) * noise
    last = _last_visits(own.leave, n, len(visits), draw)
    cells = {}
    for i, person in enumerate(people):
        for j, visit in enumerate(visits):
            active = _is_active(drawn, person, j)
            gain = own.effect * (1.0 if analysis.conditions else (j + 1) / len(visits)) * active
            if analysis.binary:
                value = float(ndtr(latent[i, j]) < own.share + gain)
            else:
                value = float(own.sd * latent[i, j] + gain)
            cells[person.participant_id, visit] = Cell(value if j < last[i] else None, None)
    bases = {one.participant_id: float(own.sd * base) for one, base in zip(people, baseline, strict=True)}
    return Selected(analysis, drawn.plan, drawn.arms, people, cells, bases, {}, frozenset(), {})


def _is_active(drawn: _Drawn, person: SubjectRow, place: int) -> bool:
    if drawn.analysis.conditions:
        return drawn.analysis.conditions[person.arm][place] != drawn.analysis.control
    return person.arm != drawn.plan.reference


def _last_visits(leave: float, n: int, visits: int, draw: np.random.Generator) -> Sequence[int]:
    """Number of visits that each has: who leaves does so before any but the first, or has none of one."""
    leaves = draw.random(n) < leave
    when = draw.integers(1, visits, size=n) if visits > 1 else np.zeros(n, dtype=np.int64)
    return [int(at) if gone else visits for gone, at in zip(leaves, when, strict=True)]


def _people(drawn: _Drawn, n: int, draw: np.random.Generator) -> tuple[SubjectRow, ...]:
    design = drawn.design
    strata = design.all_strata()
    own = [strata[int(k)] for k in draw.integers(len(strata), size=n)]
    seed = sum(int(word) << 32 * i for i, word in enumerate(draw.integers(2**32, size=SEED_BITS // 32)))
    arms = _dealt(design, own, seed)
    return tuple(_person(i, arm, stratum, draw) for i, (arm, stratum) in enumerate(zip(arms, own, strict=True)))


def _dealt(design: Design, strata: Sequence[str], seed: int) -> list[str]:
    if design.kind == "minimisation":
        history: list[tuple[Mapping[str, str], str]] = []
        for n, stratum in enumerate(strata):
            levels = reading.parse_json(stratum, "stratum")
            arm, _ = minimise(design, seed, history, levels, n)
            history.append((levels, arm))
        return [arm for _, arm in history]
    slots = max(strata.count(one) for one in set(strata))
    drawn = generate(replace(design, slots=max(slots, 1)), seed)
    used: dict[str, int] = {}
    made = []
    for stratum in strata:
        made.append(drawn[stratum][used.get(stratum, 0)])
        used[stratum] = used.get(stratum, 0) + 1
    return made


def _person(number: int, arm: str, stratum: str, draw: np.random.Generator) -> SubjectRow:
    levels = reading.parse_json(stratum, "stratum")
    more: dict[str, Any] = {key: own[int(draw.integers(len(own)))] for key, own in LEVELS.items()}
    name = f"simulated {number + 1}"
    return SubjectRow(
        participant=name, participant_id=name, simulated=True, site=str(levels.get("site", "one")),
        protocol_version="", status="enrolled", left=False, arm=arm, arm_state="told", randomised_on="",
        stratum=stratum, injured_on="", consented_on="", itt=True, itt_why="", mitt=True, mitt_why="", pp=True,
        pp_why="", entry_seq=None, entry_hash="", **more,
    )  # fmt: skip
