"""Change of an outcome measure from a named baseline, with flags against thresholds chosen from the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from workbench.analysis._scores import DRAFT, direction_of, name_of, number_of, reading, unit_of
from workbench.analysis._state import (
    Across,
    check_across,
    check_comparable,
    check_options,
    condition_notes,
    effect_words,
    state_words,
    under,
)
from workbench.errors import BadValue, Refused
from workbench.outcomes import Threshold, copm, table_sha256
from workbench.vocabulary import Assessment, Condition

RULES = ("first", "last", "mean")
"""Which of several baseline records counts; otherwise the id of one of them."""
ROUNDING = 1e-9
"""Relative tolerance when a change is compared with a threshold: 0.46 − 0.40 reaches 0.06."""
NONE: Across = {}


class NoBaseline(BadValue):
    """The baseline visit has no record that a change could begin from."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether an improvement reached a threshold.

    Attributes
    ----------
    threshold : the row that was chosen.
    reached : None when it cannot be said (a percentage of a baseline of 0).
    worsened : whether a worsening reached it.
    table_sha256 : of the table of thresholds in force.
    """

    threshold: Threshold
    reached: bool | None
    worsened: bool | None
    table_sha256: str

    def words(self) -> str:
        """The threshold with citation and population, and the verdict."""
        verdict = {None: "undefined at a baseline of 0", True: "reached", False: "not reached"}[self.reached]
        return f"{self.threshold.describe()} {'reached by a worsening' if self.worsened else verdict}"


@dataclass(frozen=True, slots=True)
class Change:
    """``after`` minus ``before`` of one part of a score.

    Attributes
    ----------
    measure, version, part, side : of the score.
    before, after, value : baseline, afterwards, difference.
    percent : of the baseline; None at a baseline of 0.
    improvement : the difference in the direction of better: above 0 is better.
    direction : of better, ``"up"`` or ``"down"``.
    condition : under which the second was made; ``state`` names the first too where it differed.
    baseline : how the baseline was named: ``"only"``, ``"first"``, ``"last"``, ``"mean of 2"`` or ``"by id"``.
    before_ids, after_id : the assessments.
    effect : ``""`` for a change under one state, else what the declared difference is the effect of.
    flags : one per chosen threshold.
    notes : covariates that differed: rater, blinding, washout.
    """

    measure: str
    version: str
    part: str
    side: str
    before: float
    after: float
    value: float
    percent: float | None
    improvement: float
    direction: str
    condition: Condition
    state: str
    baseline: str
    before_ids: tuple[str, ...]
    after_id: str
    effect: str = ""
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()

    def line(self) -> str:
        """One sentence with both scores, the condition, the thresholds and what it is."""
        share = "" if self.percent is None else f", {self.percent:+.0f} %"
        better = "no change" if self.improvement == 0 else "better" if self.improvement > 0 else "worse"
        baseline = "" if self.baseline == "only" else f"; baseline: {self.baseline}"
        remarks = "".join(f"; {text}" for text in (*(flag.words() for flag in self.flags), *self.notes))
        side = f" {self.side}" if self.side else ""
        kind = self.effect or "change"
        return (
            f"{self.measure.upper()}{side} {self.part} {self.before:g} → {self.after:g}, {kind} {self.value:+g}"
            f"{share} ({better}; {self.state}{baseline}{remarks})"
        )


def change(
    before: Assessment | Sequence[Assessment],
    after: Assessment,
    *,
    part: str = "total",
    baseline_rule: str = "",
    across: Across = NONE,
    thresholds: Iterable[Threshold] = (),
    direction: str = "",
) -> Change:
    """Change of one part of a score from a named baseline.

    Parameters
    ----------
    before : the baseline, or every record of it. Several are an error unless ``baseline_rule`` says which.
    after : the later assessment.
    part : ``"total"`` or the code of a subscore.
    baseline_rule : ``"first"``, ``"last"``, ``"mean"`` or the id of one record.
    across : the differences in device state, orthosis or mode that the endpoint declares.
    thresholds : rows chosen from the table (or the protocol's own), for flags.
    direction : of better; ``""`` = that of the measure.

    Raises
    ------
    Refused
        Other states than declared (what a device does is not recovery), a draft, a score that is censored or
        not determinable, or two administrations of the COPM without a common problem.
    BadValue
        Not one measure, version and side; an ambiguous baseline; a threshold of something else.
    """
    records = (before,) if isinstance(before, Assessment) else tuple(before)
    for record in records:
        check_comparable(record, after, across)
        if record.id and record.id == after.id:
            raise BadValue(f"assessment {after.id} cannot be its own baseline")
    baseline, rule = pick_baseline(records, rule=baseline_rule)
    for record in baseline:
        check_composition(record, after, part)
    if direction not in ("", "up", "down"):
        raise BadValue(f"direction of better must be 'up' or 'down', got {direction!r}")
    # Refuses a draft and a score without a number before anything about the change is computed.
    _ = number_of(after, part)
    better = direction or direction_of(after.measure, after.version, part)
    difference = _between(baseline, after, part=part, direction=better)
    flags = tuple(
        flag(threshold, after, part, improvement=difference.improvement, before=difference.before)
        for threshold in thresholds
    )
    return replace(difference, baseline=rule, effect=effect_words(across), flags=flags)


def _between(baseline: Sequence[Assessment], after: Assessment, *, part: str, direction: str) -> Change:
    first, second = fmean(number_of(record, part) for record in baseline), number_of(after, part)
    left_out: tuple[str, ...] = ()
    if after.measure == copm.DEFINITION.name:
        first, second, left_out = _on_common_problems(baseline, after, part)
    value = second - first
    return Change(
        measure=after.measure,
        version=after.version,
        part=part,
        side=after.side,
        before=first,
        after=second,
        value=value,
        # Of the magnitude, so that the sign of the percentage is that of the difference.
        percent=100 * value / abs(first) if first else None,
        # Adding 0.0 turns -0.0, which would print with a minus sign, into 0.0.
        improvement=(value if direction == "up" else -value) + 0.0,
        direction=direction,
        condition=after.condition,
        state=_state(baseline[0], after),
        baseline="only",
        before_ids=tuple(record.id for record in baseline),
        after_id=after.id,
        notes=(*left_out, *_notes(baseline, after), *_composition_notes(baseline, after, part)),
    )


def check_composition(before: Assessment, after: Assessment, part: str) -> None:
    """Refuse a change between scores that were formed differently.

    Parameters
    ----------
    before, after : of one measure, version, side and state.
    part : ``"total"`` or the code of a subscore.

    Raises
    ------
    Refused
        Other options or test conditions, or another number of items that enter (goals, muscles of a mean).
    """
    check_options(before, after, part)
    if after.measure == copm.DEFINITION.name:
        return  # compared on the problems that both rate
    first, second = reading(before, part).n_items, reading(after, part).n_items
    if first != second:
        raise Refused(
            f"no change of {name_of(after)} {part} is computed: it was formed from {first} items in assessment "
            f"{before.id or '(not stored)'} and from {second} in {after.id or '(not stored)'}. Compare scores of "
            "the same items"
        )


def _composition_notes(baseline: Sequence[Assessment], after: Assessment, part: str) -> tuple[str, ...]:
    """What differs without being refused: unknown conditions, aids, and how many items were answered."""
    notes = [note for record in baseline for note in condition_notes(record, after, part)]
    second = reading(after, part)
    for first in (reading(record, part) for record in baseline):
        # Two COPM are compared on their common problems, which has a note of its own.
        if first.n_valid != second.n_valid and after.measure != copm.DEFINITION.name:
            notes.append(f"answered {first.n_valid} → {second.n_valid} of {second.n_items} items")
    return tuple(dict.fromkeys(notes))


def _on_common_problems(
    baseline: Sequence[Assessment], after: Assessment, part: str
) -> tuple[float, float, tuple[str, ...]]:
    """Baseline and later mean of the problems that every record rates, and a note on those left out.

    A mean over other problems would not be a change in the person. Raises Refused when no problem is common.
    """
    before, later = [copm.ratings(part, record.items) for record in baseline], copm.ratings(part, after.items)
    common = sorted(set(later).intersection(*before))
    if not common:
        raise Refused(
            f"{name_of(after)} {part} has no problem that both visits rate; a change needs the same ones"
        )
    left_out = sorted(set(later).union(*before) - set(common))
    note = f"compared on problems {', '.join(map(str, common))}, left out {', '.join(map(str, left_out))}"
    first = fmean(ratings[number] for ratings in before for number in common)
    return first, fmean(later[number] for number in common), (note,) if left_out else ()


def baselines(
    assessments: Iterable[Assessment], *, visit_id: str, like: Assessment, across: Across = NONE
) -> tuple[Assessment, ...]:
    """Records of the baseline visit that ``like`` may be compared with.

    Same measure, version and side; the same state, but where ``across`` declares another at baseline. Drafts
    are left out.

    Parameters
    ----------
    assessments : of one participant.
    visit_id : of the baseline visit.
    like : the assessment that is compared.
    across : field of the state → ``(at baseline, afterwards)``, where a difference is declared.

    Raises
    ------
    NoBaseline
        There is none; the text says what was looked for.
    """
    check_across(across)
    state = under(like) | {field: pair[0] for field, pair in across.items()}
    records = tuple(
        record
        for record in assessments
        if record.visit_id == visit_id
        and record.id != like.id
        and record.state != DRAFT
        and (record.measure, record.version, record.side) == (like.measure, like.version, like.side)
        and under(record) == state
    )
    if not records:
        description = ", ".join(f"{name} {value!r}" for name, value in state.items())
        raise NoBaseline(
            f"visit {visit_id} has no {name_of(like)} {like.version} with {description}; a change needs one"
        )
    return records


def pick_baseline(records: Sequence[Assessment], *, rule: str = "") -> tuple[tuple[Assessment, ...], str]:
    """The records that make the baseline, and how it was named.

    Raises
    ------
    BadValue
        Without a record; with several and no rule; for an unknown rule; when first and last cannot be determined
        because a record does not state when it was administered.
    """
    ids = ", ".join(record.id or "(not stored)" for record in records)
    if not records:
        raise BadValue("a change needs a baseline, got no record")
    if rule and rule not in RULES:
        named = tuple(record for record in records if record.id == rule)
        if not named:
            raise BadValue(f"baseline_rule must be {', '.join(RULES)} or one of the ids {ids}; got {rule!r}")
        return named, "by id"
    if len(records) == 1:
        return tuple(records), "only"
    if not rule:
        raise BadValue(
            f"{name_of(records[0])} has {len(records)} baseline records ({ids}); say which counts with "
            f"baseline_rule: {', '.join(RULES)} or an id"
        )
    if rule == "mean":
        return tuple(records), f"mean of {len(records)}"
    times = [moment(record.administered_at) for record in records]
    # Without distinct times "first" would depend on the order in which records were entered.
    if moment("") in times or len(set(times)) != len(times):
        raise BadValue(
            f"the {rule} of the baseline records {ids} cannot be determined: each must say when it was "
            "administered, and no two at one time; name one by its id"
        )
    ordered = sorted(records, key=lambda record: moment(record.administered_at))
    return (ordered[0 if rule == "first" else -1],), rule


def flag(threshold: Threshold, after: Assessment, part: str, *, improvement: float, before: float) -> Flag:
    """An improvement of ``part`` compared with one threshold. Raises what :func:`check_threshold` does.

    Parameters
    ----------
    threshold : a row of the threshold table.
    after : the later assessment.
    part : total or subscore.
    improvement : in the direction of better, in the unit of the part.
    before : value at baseline, of which a percentage is taken.
    """
    check_threshold(threshold, after, part)
    reached = reaches(improvement, threshold, before=before)
    worse = reaches(-improvement, threshold, before=before)
    return Flag(threshold, reached, worse, table_sha256())


def check_threshold(threshold: Threshold, after: Assessment, part: str) -> None:
    """Refuse a threshold that says nothing about a change of ``part``.

    Parameters
    ----------
    threshold : a row of the threshold table.
    after : the later assessment.
    part : total or subscore.

    Raises
    ------
    BadValue
        The threshold is about another measure, version or part, in another unit, or a cut-off and no change.
    Refused
        It has no value.
    """
    subject = (after.measure, after.version, part)
    if (threshold.measure, threshold.version, threshold.subscore) != subject or threshold.kind == "cutoff":
        raise BadValue(
            f"threshold {threshold.name!r} says nothing about a change of {' '.join(subject)}; "
            "choose one that does"
        )
    unit = unit_of(*subject)
    # A percentage of the baseline applies to any unit.
    if unit and threshold.unit not in (unit, "%"):
        raise BadValue(
            f"threshold {threshold.name!r} is in {threshold.unit}, {' '.join(subject)} is in {unit}; state it in "
            f"{unit} or in %"
        )
    _ = threshold.size


def reaches(improvement: float, threshold: Threshold, *, before: float) -> bool | None:
    """Whether an improvement is at least the threshold; None for a percentage of a baseline of 0.

    Parameters
    ----------
    improvement : in the direction of better.
    threshold : a row of the threshold table.
    before : value at baseline, of which a percentage is taken.
    """
    # A share of nothing is undefined; neither reached nor not reached would be true.
    if threshold.unit == "%" and before == 0:
        return None
    size = threshold.size * (abs(before) / 100 if threshold.unit == "%" else 1.0)
    # At the threshold counts as reached, as thresholds are published.
    return improvement >= size * (1 - ROUNDING)


def moment(utc: str) -> str:
    """A UTC text that sorts by time, with and without a fraction of a second."""
    seconds, _, fraction = utc.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<6}"


def _state(before: Assessment, after: Assessment) -> str:
    first, second = state_words(before), state_words(after)
    return second if first == second else f"{first} → {second}"


def _notes(before: Sequence[Assessment], after: Assessment) -> tuple[str, ...]:
    """Covariates that differed, which a reader has to know."""
    notes = []
    covariates: Mapping[str, str] = {"rater": "rater", "blinded": "rater blinded", "washout_h": "washout in h"}
    for field, label in covariates.items():
        old = {getattr(record, field) for record in before}
        if old != {getattr(after, field)}:
            first = "/".join(sorted("not known" if value is None else str(value) for value in old))
            new = getattr(after, field)
            notes.append(f"{label} {first} → {'not known' if new is None else new}")
    return tuple(notes)
