"""One outcome of a responder rule, judged for one participant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.analysis._change import NoBaseline, baselines, change, check_threshold, pick_baseline, reaches
from workbench.analysis._isncsci import classes_of, isncsci_change
from workbench.analysis._possible import change_range
from workbench.analysis._repeats import false_positive, own_mdc
from workbench.analysis._scores import Undetermined, direction_of
from workbench.analysis._state import UNDER, Across, effect_words, under
from workbench.analysis._table import History
from workbench.errors import BadValue, Refused
from workbench.outcomes import Threshold
from workbench.vocabulary import Assessment, Condition

EITHER = "either"
"""Side of a component that responds when one of the two sides does."""
DERIVED = ("ais", "motor_level")
"""Parts of the ISNCSCI that are not sums: steps of the grade, and motor recovery of the better side."""


@dataclass(frozen=True, slots=True)
class Component:
    """One outcome that may make a responder.

    Attributes
    ----------
    measure, part : what is measured: ``"total"``, a subscore, or ``"ais"`` and ``"motor_level"`` of the ISNCSCI.
    threshold : the improvement that counts. There is no default: without it every estimate refuses.
    side : ``"left"``, ``"right"`` or ``"either"`` for a measure that is administered a side at a time.
    direction : of better; ``""`` = that of the measure.
    under : fields the later assessment must have, such as ``{"device_on": False, "repeat": 1}``.
    across : the differences in state that the endpoint declares.
    """

    measure: str
    part: str = "total"
    threshold: Threshold | None = None
    side: str = ""
    direction: str = ""
    under: Mapping[str, Any] = field(default_factory=dict)
    across: Across = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``arat.grasp (right)``."""
        return f"{self.measure}.{self.part}" + (f" ({self.side})" if self.side else "")

    @property
    def chosen(self) -> Threshold:
        """The threshold. Raises Refused when none was chosen, BadValue for one about something else."""
        if self.threshold is None:
            raise Refused(
                f"{self.name} has no responder threshold and none is assumed; choose a row of the table of "
                "thresholds, or state the protocol's own with own_threshold"
            )
        about, own = (self.threshold.measure, self.threshold.subscore), (self.measure, self.part)
        if about != own or self.threshold.kind == "cutoff":
            raise BadValue(f"threshold {self.threshold.name!r} says nothing about a change of {self.name}")
        _ = self.threshold.size
        return self.threshold

    @property
    def effect(self) -> str:
        """The name of the effect of a declared difference in state."""
        return effect_words(self.across)

    def sides(self) -> tuple[Component, ...]:
        """One component per side for ``"either"``, else itself."""
        return tuple(replace(self, side=side) for side in ("left", "right")) if self.side == EITHER else (self,)

    def words(self) -> str:
        """Name and threshold."""
        return f"{self.name} by {self.chosen.describe()}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether one participant responded on one component.

    Attributes
    ----------
    participant, component : who, on what.
    responded : None when it cannot be said.
    sentence : the change in one sentence, or why there is none.
    condition : under which the later assessment was made, None without one.
    """

    participant: str
    component: str
    responded: bool | None
    sentence: str
    condition: Condition | None = None


def judge(
    component: Component, history: History, *, visit: str, ref_visit: str, baseline_rule: str = ""
) -> tuple[Judgement, ...]:
    """Judge one component for one participant; ``"either"`` gives one judgement per side.

    Parameters
    ----------
    component : what is judged, with its threshold.
    history : all assessments of the participant.
    visit, ref_visit : names of the later and the baseline visit.
    baseline_rule : which of several baseline records counts.

    Raises
    ------
    Refused
        No threshold was chosen.
    BadValue
        Several later records, or several baseline records without a rule.
    """
    judgements = []
    for component_side in component.sides():
        after = later(component_side, history, visit=visit)
        if after is None:
            judgements.append(
                Judgement(history.participant, component_side.name, None, f"no {component_side.name} at {visit}")
            )
            continue
        responded, sentence = _judge(
            component_side, history, after, ref_visit=ref_visit, baseline_rule=baseline_rule
        )
        judgements.append(
            Judgement(history.participant, component_side.name, responded, sentence, after.condition)
        )
    return tuple(judgements)


def _judge(
    component: Component, history: History, after: Assessment, *, ref_visit: str, baseline_rule: str
) -> tuple[bool | None, str]:
    threshold = component.chosen
    check_threshold(threshold, after, component.part)
    try:
        before = baselines(
            history.assessments, visit_id=history.visits.get(ref_visit, ""), like=after, across=component.across
        )
    except NoBaseline:
        return None, f"no {component.name} at {ref_visit} to compare with"
    # A rule may be the id of one record, which another participant does not have.
    rule = baseline_rule if len(before) > 1 else ""
    if component.measure == "isncsci" and component.part in DERIVED:
        return _judge_derived(component, before, after, baseline_rule=rule)
    try:
        difference = change(
            before,
            after,
            part=component.part,
            baseline_rule=rule,
            across=component.across,
            thresholds=(threshold,),
            direction=component.direction,
        )
    except Undetermined as error:
        return _judge_range(component, before, after, baseline_rule=rule, error=error)
    except Refused as error:
        return None, str(error)
    return difference.flags[0].reached, difference.line()


def _judge_range(
    component: Component,
    before: Sequence[Assessment],
    after: Assessment,
    *,
    baseline_rule: str,
    error: Undetermined,
) -> tuple[bool | None, str]:
    """Judge over all possible scores, where one of them is not a single number."""
    baseline, _ = pick_baseline(before, rule=baseline_rule)
    better = component.direction or direction_of(after.measure, after.version, component.part)
    try:
        possibilities = change_range(baseline, after, part=component.part, direction=better)
    except Refused:
        return None, str(error)
    return possibilities.reached(component.chosen), f"{component.name}: {possibilities.words(component.chosen)}"


def _judge_derived(
    component: Component, before: Sequence[Assessment], after: Assessment, *, baseline_rule: str
) -> tuple[bool | None, str]:
    baseline, _ = pick_baseline(before, rule=baseline_rule)
    if len(baseline) > 1:
        raise BadValue(f"{component.name} has no mean; name the first, the last or one baseline record by its id")
    try:
        for examination in (baseline[0], after):
            classes_of(examination)
    except Refused as error:
        return None, str(error)
    difference = isncsci_change(baseline[0], after, across=component.across)
    if component.part == "ais":
        steps, sentence = difference.ais.steps, difference.ais.line()
    else:
        steps = difference.best_motor_steps
        sentence = "; ".join(level.line() for level in difference.motor.values())
    if steps is None:
        return None, sentence
    # Steps are absolute; before only matters to thresholds in per cent.
    at_worst, at_best = (reaches(step, component.chosen, before=1) for step in steps)
    return (at_worst if at_worst == at_best else None), sentence


def later(component: Component, history: History, *, visit: str) -> Assessment | None:
    """The later assessment, None without one.

    Parameters
    ----------
    component : what is judged.
    history : all assessments of the participant.
    visit : name of the visit.

    Raises
    ------
    BadValue
        Several match, or ``under`` names a field that assessments do not have.
    """
    allowed = (*UNDER, "repeat")
    if set(component.under) - set(allowed):
        raise BadValue(f"under takes {', '.join(allowed)}; got {', '.join(component.under)}")
    required = {name: pair[1] for name, pair in component.across.items()} | dict(component.under)
    matching = [
        record
        for record in history.at(visit)
        if (record.measure, record.side) == (component.measure, component.side)
        and all({**under(record), "repeat": record.repeat}[name] == value for name, value in required.items())
    ]
    if len(matching) > 1:
        ids = ", ".join(record.id for record in matching)
        raise BadValue(
            f"{history.participant} has {len(matching)} records of {component.name} at {visit} ({ids}); say with "
            f"under= which counts, by {', '.join(allowed)}"
        )
    return matching[0] if matching else None


def false_positives(
    component: Component, people: Sequence[History], *, ref_visit: str, baseline_rule: str
) -> tuple[dict[str, float], str]:
    """False-positive probability of a component from its baseline repeats, by side; and why there is none.

    The SEM comes from all records of the reference visit under the component's baseline state.

    Parameters
    ----------
    component : what is judged.
    people : histories of the participants.
    ref_visit : name of the baseline visit.
    baseline_rule : which of several baseline records counts.
    """
    threshold = component.chosen
    if component.part in DERIVED or threshold.unit == "%":
        return {}, f"{component.name}: a {'percentage' if threshold.unit == '%' else 'grade'} has no SEM"
    probabilities: dict[str, float] = {}
    for component_side in component.sides():
        series = [_repeats(component_side, person, ref_visit=ref_visit) for person in people]
        try:
            repeats = own_mdc(series, part=component_side.part)
        except (BadValue, Refused) as error:
            return {}, f"{component_side.name}: {error}"
        # An SEM of 0 would make chance responders impossible, which no few equal repeats show.
        if repeats.sem == 0:
            return {}, f"{component_side.name}: all baseline repeats are alike"
        # The fewest records that any baseline averages: the probability must not be too small for anybody.
        averaged = min(len(row) for row in series if row) if baseline_rule == "mean" else 1
        probabilities[component_side.name] = false_positive(
            threshold.size, sem=repeats.sem, df=repeats.df, baseline_records=averaged
        )
    return probabilities, ""


def _repeats(component: Component, history: History, *, ref_visit: str) -> tuple[Assessment, ...]:
    """Records of the reference visit under the state in which the component's baseline is taken."""
    required = {name: value for name, value in component.under.items() if name != "repeat"}
    required |= {name: pair[0] for name, pair in component.across.items()}
    return tuple(
        record
        for record in history.at(ref_visit)
        if (record.measure, record.side) == (component.measure, component.side)
        and all(under(record)[name] == value for name, value in required.items())
    )
