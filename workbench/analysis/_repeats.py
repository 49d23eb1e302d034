"""A study's own minimal detectable change from repeated baselines, and how often chance alone makes a responder.

SEM is the within-participant standard deviation of repeats under one state, pooled over participants:
``SEM² = ΣΣ (x_ij − mean_i)² / Σ (k_i − 1)`` with ``df = Σ (k_i − 1)`` degrees of freedom. ``MDC = t·√2·SEM`` with
the 97.5 % point t of Student's distribution is what the difference of two measurements of an unchanged person
stays within in 95 of 100 cases, when errors are normal and alike in all. The usual 1.96 in place of t treats the
SEM of a few people as the true one: with 5 people measured twice, chance exceeds it upwards in 5 to 6 of 100
instead of 2.5.

References
----------
Bland JM, Altman DG. Measurement error. BMJ 1996;313:744.
Weir JP. Quantifying test-retest reliability using the intraclass correlation coefficient and the SEM. J
Strength Cond Res 2005;19:231–240.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, prod, sqrt
from statistics import NormalDist, fmean

from workbench.analysis._change import check_composition
from workbench.analysis._exact import Interval, chi_square_factors, student_t_quantile, student_t_tail
from workbench.analysis._scores import number_of
from workbench.analysis._state import check_comparable, state_words
from workbench.errors import BadValue
from workbench.outcomes import Threshold, own_threshold
from workbench.vocabulary import Assessment

Z = 1.96
"""Two-sided 95 % point of the normal distribution: the factor of the MDC where the SEM is known."""


@dataclass(frozen=True, slots=True)
class OwnMdc:
    """Detectable change from the study's own repeats.

    Attributes
    ----------
    measure, version, part, side, state : what was repeated, and under which state.
    participants, records : with two repeats or more; their records.
    df : degrees of freedom of the SEM, records minus participants.
    sem, mdc : in the unit of the score; ``mdc`` = t·√2·SEM.
    interval : 95 % of 1.96·√2·(true SEM), from the chi-square distribution of SEM² (normal errors); None for an
        SEM of 0.
    shift : mean of last minus first repeat: practice shows here, since the SEM does not model it.
    """

    measure: str
    version: str
    part: str
    side: str
    state: str
    participants: int
    records: int
    df: int
    sem: float
    mdc: float
    interval: Interval | None
    shift: float

    @property
    def t(self) -> float:
        """97.5 % point of Student's distribution with ``df`` degrees of freedom."""
        return student_t_quantile(0.975, self.df)

    def line(self) -> str:
        """One sentence."""
        side = f" {self.side}" if self.side else ""
        sure = self.interval
        interval_text = "" if sure is None else f"; 95 % CI of 1.96·√2·SEM {sure.low:.3g}–{sure.high:.3g}"
        return (
            f"{self.measure.upper()}{side} {self.part}: own MDC {self.mdc:.3g} = t·√2·SEM, t {self.t:.3g}, "
            f"SEM {self.sem:.3g}{interval_text} (n = {self.participants} participants, {self.records} repeats, "
            f"{self.df} degrees of freedom; last minus first {self.shift:+.3g}; {self.state})"
        )

    def threshold(self, *, unit: str) -> Threshold:
        """The MDC as a threshold. Raises BadValue when all repeats were equal, since the SEM is then 0."""
        citation = f"own MDC from {self.records} baseline repeats of {self.participants} participants"
        return own_threshold(
            self.measure, self.part, self.mdc, unit=unit, version=self.version, citation=citation, kind="mdc"
        )


def own_mdc(repeats: Iterable[Sequence[Assessment]], *, part: str = "total") -> OwnMdc:
    """Detectable change from baseline repeats.

    Parameters
    ----------
    repeats : one sequence per participant, in order of administration, all under one state.
    part : ``"total"`` or the code of a subscore.

    Raises
    ------
    BadValue
        No participant has two repeats, or they are not of one measure, version and side.
    Refused
        Repeats under different states, drafts, censored or undeterminable scores.
    """
    series = [tuple(records) for records in repeats]
    used = [records for records in series if len(records) > 1]
    if not used:
        raise BadValue(
            f"an own MDC needs at least one participant with two baseline records, got {len(series)} with one or "
            "none; measure the baseline twice"
        )
    first = used[0][0]
    for records in used:
        # Repeats under another state or of other items would put a real difference into the error.
        for record in records:
            check_comparable(first, record, {})
            check_composition(first, record, part)
    values = [[number_of(record, part) for record in records] for records in used]
    sem, df = pooled_sem(values)
    return OwnMdc(
        measure=first.measure,
        version=first.version,
        part=part,
        side=first.side,
        state=state_words(first),
        participants=len(used),
        records=sum(map(len, values)),
        df=df,
        sem=sem,
        mdc=mdc_of(sem, df),
        interval=mdc_interval(sem, df) if sem else None,
        shift=fmean(row[-1] - row[0] for row in values),
    )


def pooled_sem(values: Sequence[Sequence[float]]) -> tuple[float, int]:
    """SEM and its degrees of freedom, from the repeats of each participant; at least one has two."""
    df = sum(len(row) - 1 for row in values)
    return sqrt(fsum((x - fmean(row)) ** 2 for row in values for x in row) / df), df


def mdc_of(sem: float, df: int) -> float:
    """``t·√2·SEM`` from an SEM with ``df`` degrees of freedom."""
    return student_t_quantile(0.975, df) * sqrt(2) * sem


def mdc_interval(sem: float, df: int) -> Interval:
    """95 % interval of 1.96·√2·(true SEM), from an SEM with ``df`` degrees of freedom."""
    normal_mdc, factors = Z * sqrt(2) * sem, chi_square_factors(df)
    return Interval(factors.low * normal_mdc, factors.high * normal_mdc)


@dataclass(frozen=True, slots=True)
class FalseResponder:
    """Probability that a participant in whom nothing changed counts as a responder.

    Attributes
    ----------
    probability : of the whole rule, when the errors of different outcomes are independent.
    bounds : least and greatest probability whatever the correlation of the errors (Fréchet 1951): errors that go
        together make a rule of which all groups must be met likelier than the product says.
    by_component : of each component.
    components : how many outcomes the rule looks at.
    """

    probability: float
    by_component: Mapping[str, float]
    components: int
    bounds: Interval

    def line(self) -> str:
        """One sentence."""
        start = f"false-responder probability {self.probability:.3f}"
        if self.components == 1:
            return f"{start} over 1 outcome (from baseline repeats; normal errors)"
        low, high = self.bounds
        return (
            f"{start} over {self.components} outcomes if their errors are independent, {low:.3f} to {high:.3f} "
            "whatever their correlation (from baseline repeats; normal errors)"
        )


def false_positive(threshold: float, *, sem: float, df: int | None = None, baseline_records: int = 1) -> float:
    """Probability that an unchanged score improves by ``threshold`` or more; 0.025 at the own MDC.

    The tail of Student's t beyond ``threshold / (SEM·√(1 + 1/m))`` with ``m`` baseline records averaged.

    Parameters
    ----------
    threshold : size of the improvement, in the unit of the score.
    sem : standard error of measurement, same unit.
    df : degrees of freedom of the SEM; None = it is known, and the errors are normal.
    baseline_records : records whose mean is the baseline.

    Raises
    ------
    BadValue
        A threshold or SEM that is not above 0, or no baseline record.
    """
    if not (threshold > 0 and sem > 0 and baseline_records >= 1):
        raise BadValue(
            f"threshold and sem must be above 0 and baseline_records 1 or more, got {threshold}, {sem} and "
            f"{baseline_records}"
        )
    # The difference of one record and a mean of m has the variance SEM² (1 + 1/m).
    scaled = threshold / (sem * sqrt(1 + 1 / baseline_records))
    return 1 - NormalDist().cdf(scaled) if df is None else student_t_tail(scaled, df)


def false_responder(groups: Sequence[Mapping[str, float]]) -> FalseResponder:
    """False-responder probability of a composite rule.

    Parameters
    ----------
    groups : component → its false-positive probability, one mapping a group. A group is met when any of its
        components is; the rule when all groups are. ``1 − Π(1 − p)`` in a group, the product over groups. The
        bounds hold for any joint distribution: in a group from the greatest p to Σ p, over groups from the
        overlap that cannot be avoided to the smallest of them.

    Raises
    ------
    BadValue
        No group, an empty one, one component in two groups, or a probability outside 0–1.
    """
    if not groups or not all(groups):
        raise BadValue("a composite rule needs at least one group with at least one component")
    names = [name for group in groups for name in group]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadValue(f"{', '.join(twice)} appears in two groups, which are then not independent; give it once")
    for name, p in ((name, p) for group in groups for name, p in group.items()):
        if not 0 <= p <= 1:
            raise BadValue(f"the false-positive probability of {name} must lie in 0–1, got {p}")
    probability = prod(1 - prod(1 - p for p in group.values()) for group in groups)
    by_component = {name: p for group in groups for name, p in group.items()}
    lower, upper = [max(group.values()) for group in groups], [min(1.0, fsum(group.values())) for group in groups]
    # Fréchet: k events of probability p overlap at least by Σp - (k - 1) and at most by the smallest p.
    bounds = Interval(max(0.0, fsum(lower) - (len(groups) - 1)), min(upper))
    return FalseResponder(probability, by_component, len(by_component), bounds)
