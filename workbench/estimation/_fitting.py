"""One function a method: rows that were selected → estimates and means. What cannot be estimated is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import exp, inf, isfinite, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analysis import binomial_tail, clopper_pearson, wilson
from workbench.errors import Refused
from workbench.estimation._fitted import Columns, Fitted
from workbench.estimation._rerandomising import compared, deals
from workbench.estimation._selecting import LEAST, Selected
from workbench.estimation._within import WITHIN
from workbench.estimation.methods import METHODS
from workbench.estimation.results import EstimateRow, MeanRow
from workbench.messages import Message
from workbench.statistics import imputation
from workbench.statistics._estimates import Estimate
from workbench.statistics.adjusted import adjusted_difference
from workbench.statistics.design import design
from workbench.statistics.gee import gee
from workbench.statistics.linear import ancova, t_test
from workbench.statistics.mixed import mixed
from workbench.statistics.mmrm import mmrm
from workbench.statistics.proportions import difference, stratified_difference
from workbench.statistics.ranks import rank_sum
from workbench.statistics.survival import cox, log_rank
from workbench.statistics.tables import cmh, common_odds_ratio

if TYPE_CHECKING:
    from workbench.statistics._model import Model
    from workbench.study.record import Study


def fit(made: Selected, record: Study) -> Fitted:
    """Estimate what an analysis asks for.

    Parameters
    ----------
    made : what enters.
    record : the snapshot, for a test that deals its arms again.

    Raises
    ------
    BadValue, Refused
        In one sentence, what keeps it from being estimated; nothing is returned then.
    """
    analysis = made.analysis
    method = METHODS[analysis.method]
    if method.kind != "time" and not method.within:
        _require(made)
    fitted = FITS[analysis.method](made, record)
    # A number that is not one would be printed as an empty cell, which reads like one that was not asked for.
    if not all(isfinite(one.value) and isfinite(one.p) for one in fitted.estimates):
        raise Refused(Message("estimation.not_finite", method=analysis.method))
    return fitted


def _require(made: Selected) -> None:
    """Each arm has enough outcomes at the visit of the estimate, and they are not all the same."""
    counts = made.counts()
    if not any(own["with_outcome"] for own in counts.values()):
        raise Refused(Message("estimation.all_missing", variable=made.analysis.variable, visit=made.analysis.at))
    if METHODS[made.analysis.method].alone:
        return  # exact for any number of people, whatever their answers
    for arm, own in counts.items():
        worst = sum(one.arm == arm and one.participant_id in made.worst for one in made.people)
        if own["with_outcome"] + worst < LEAST:
            raise Refused(Message("estimation.few", arm=arm, n=own["with_outcome"], least=LEAST))
    values = made.columns((made.analysis.at,))["outcome"]
    if len(set(values)) == 1 and not made.worst:
        raise Refused(Message("statistics.constant", outcome=made.analysis.variable))


# ------------------------------------------------------------------------------ rows of the result
def _row(
    made: Selected, arm: str, one: Estimate, *, n: int, scale: str = "", delta: float | None = None
) -> EstimateRow:
    scale = scale or METHODS[made.analysis.method].scale
    df = None if one.df == inf else one.df
    is_ratio = scale in ("odds_ratio", "hazard_ratio")
    value, low, high = (
        (exp(x) for x in (one.value, one.low, one.high)) if is_ratio else (one.value, one.low, one.high)
    )
    return EstimateRow(
        arm, made.arms[0], made.analysis.at, scale, value, one.se, df, one.t, one.p, low, high, made.plan.level, n,
        delta,
    )  # fmt: skip


def _of_pair(
    made: Selected, arm: str, numbers: Sequence[float], p: float, *, n: int, scale: str = ""
) -> EstimateRow:
    """An estimate with an interval of its own. ``numbers`` are value, low and high."""
    value, low, high = numbers
    own = scale or METHODS[made.analysis.method].scale
    reference, at = made.arms[0], made.analysis.at
    return EstimateRow(arm, reference, at, own, value, None, None, None, p, low, high, made.plan.level, n)


def _levels(made: Selected) -> dict[str, tuple[str, ...]]:
    return {"arm": made.arms}


def _terms(made: Selected, *, repeated: bool) -> tuple[str, ...]:
    """Arm and visit with their product; the baseline has its own slope at each visit."""
    own = made.analysis.covariates
    if not repeated:
        return ("arm", *own)
    return ("arm", "visit", "arm:visit", *own, *(("baseline:visit",) if "baseline" in own else ()))


def _model_rows(
    made: Selected, model: Model, at: Mapping[str, str], n: int, scale: str = ""
) -> tuple[EstimateRow, ...]:
    found = model.differences("arm", at=at, level=made.plan.level)
    return tuple(_row(made, arm, found[arm, made.arms[0]], n=n, scale=scale) for arm in made.arms[1:])


def _model_means(made: Selected, model: Model, visits: Sequence[str]) -> tuple[MeanRow, ...]:
    rows = []
    for visit in visits:
        for arm in made.arms:
            one = model.means("arm", at={"visit": visit} if len(visits) > 1 else {}, level=made.plan.level)[arm,]
            n = sum(person.arm == arm and _has(made, person.participant_id, visit) for person in made.people)
            rows.append(MeanRow(arm, visit, "least_squares_mean", one.value, one.low, one.high, n))
    return tuple(rows)


def _has(made: Selected, participant_id: str, visit: str) -> bool:
    cell = made.cells.get((participant_id, visit))
    return cell is not None and cell.value is not None


def _n(table: Columns) -> int:
    return len(set(table["participant"]))


# ------------------------------------------------------------------------------ means
def _mmrm(made: Selected, _record: Study) -> Fitted:
    table, own = made.columns(made.analysis.visits), made.analysis.settings
    model = mmrm(
        table, outcome="outcome", terms=_terms(made, repeated=True), participant="participant", visit="visit",
        structure=own["covariance"], inference=own["inference"],
        levels={**_levels(made), "visit": made.analysis.visits},
    )  # fmt: skip
    at = {"visit": made.analysis.at}
    return Fitted(_model_rows(made, model, at, _n(table)), _model_means(made, model, made.analysis.visits))


def _mixed(made: Selected, _record: Study) -> Fitted:
    table = made.columns(made.analysis.visits)
    found = mixed(
        table, outcome="outcome", terms=_terms(made, repeated=True), participant="participant",
        inference=made.analysis.settings["inference"],
        levels={**_levels(made), "visit": made.analysis.visits},
    )  # fmt: skip
    at = {"visit": made.analysis.at}
    notes = (Message("estimation.singular"),) if found.singular else ()
    means = _model_means(made, found.model, made.analysis.visits)
    return Fitted(_model_rows(made, found.model, at, _n(table)), means, notes)


def _ancova(made: Selected, _record: Study) -> Fitted:
    table = made.columns((made.analysis.at,))
    model = ancova(
        table, outcome="outcome", terms=_terms(made, repeated=False), levels=_levels(made),
        robust=made.analysis.settings["robust"],
    )  # fmt: skip
    return Fitted(_model_rows(made, model, {}, model.n), _model_means(made, model, (made.analysis.at,)))


def _by_arm(made: Selected) -> dict[str, list[float]]:
    table = made.columns((made.analysis.at,))
    return {
        arm: [value for own, value in zip(table["arm"], table["outcome"], strict=True) if own == arm]
        for arm in made.arms
    }


def _means(made: Selected, values: Mapping[str, Sequence[float]]) -> tuple[MeanRow, ...]:
    at = made.analysis.at
    return tuple(
        MeanRow(arm, at, "mean", float(np.mean(own)), None, None, len(own)) for arm, own in values.items()
    )


def _t_test(made: Selected, _record: Study) -> Fitted:
    values, pooled = _by_arm(made), made.analysis.settings["pooled"]
    reference = values[made.arms[0]]
    rows = tuple(
        _row(
            made, arm, t_test(values[arm], reference, pooled=pooled, level=made.plan.level),
            n=len(values[arm]) + len(reference),
        )
        for arm in made.arms[1:]
    )  # fmt: skip
    return Fitted(rows, _means(made, values))


def _rank_sum(made: Selected, _record: Study) -> Fitted:
    values = _by_arm(made)
    notes = []
    if made.worst:
        # Worse than everybody seen, and like one another: their ranks count, whatever the distance.
        seen = [value for own in values.values() for value in own]
        last = min(seen, default=0.0) - 1.0 if _up(made) else max(seen, default=0.0) + 1.0
        for one in made.people:
            if one.participant_id in made.worst:
                values[one.arm].append(last)
        notes.append(Message("estimation.worst", n=len(made.worst)))
    reference, rows = values[made.arms[0]], []
    for arm in made.arms[1:]:
        found = rank_sum(values[arm], reference, exact=made.analysis.settings["exact"], level=made.plan.level)
        n = len(values[arm]) + len(reference)
        rows.append(_of_pair(made, arm, (found.shift, found.low, found.high), found.p, n=n))
        rows[-1] = replace(rows[-1], statistic=found.statistic)
    means = () if made.worst else _means(made, values)
    return Fitted(tuple(rows), means, tuple(notes))


def _up(made: Selected) -> bool:
    """Whether more is better, as the rows themselves show; an improvement always is."""
    if made.analysis.outcome == "improvement":
        return True
    rows = [cell.row for cell in made.cells.values() if cell.row is not None]
    signs = {row.change * row.improvement > 0 for row in rows if row.change and row.improvement}
    return signs != {False}


def _gee(made: Selected, _record: Study) -> Fitted:
    analysis, own = made.analysis, made.analysis.settings
    table = made.columns(analysis.visits)
    model = gee(
        table, outcome="outcome", terms=_terms(made, repeated=True), participant="participant",
        family=own["family"], working=own["working"], small=own["small"],
        levels={**_levels(made), "visit": analysis.visits},
    )  # fmt: skip
    scale = "odds_ratio" if own["family"] == "binomial" else ""
    means = () if scale else _model_means(made, model, analysis.visits)
    return Fitted(_model_rows(made, model, {"visit": analysis.at}, model.participants, scale), means)


# ------------------------------------------------------------------------------ responders
def _answers(made: Selected, *, varied: bool = True) -> tuple[Columns, tuple[str, ...]]:
    """A row a participant; who cannot be judged is no responder, or is left out as the plan says.

    Without ``varied`` all may have the same answer, which compares nothing and is a share all the same.
    """
    at = made.analysis.at
    unknown = [one for one in made.people if not _has(made, one.participant_id, at)]
    table = made.columns((at,), absent=True)
    keep = [i for i, value in enumerate(table["outcome"]) if isfinite(value)]
    if made.analysis.settings["missing"] == "non-responder":
        keep = list(range(len(table["outcome"])))
        table["outcome"] = [value if isfinite(value) else 0.0 for value in table["outcome"]]
    note = (
        ()
        if not unknown
        else (Message("estimation.not_judged", n=len(unknown), rule=made.analysis.settings["missing"]),)
    )
    made_table = {name: [values[i] for i in keep] for name, values in table.items()}
    if varied and len(set(made_table["outcome"])) < 2:
        raise Refused(Message("statistics.constant", outcome=made.analysis.variable))
    return made_table, note


def _shares(made: Selected, table: Columns) -> tuple[MeanRow, ...]:
    rows = []
    for arm in made.arms:
        own = [value for one, value in zip(table["arm"], table["outcome"], strict=True) if one == arm]
        if not own:
            raise Refused(Message("estimation.few", arm=arm, n=0, least=LEAST))
        low, high = wilson(int(sum(own)), len(own), level=made.plan.level)
        rows.append(MeanRow(arm, made.analysis.at, "proportion", sum(own) / len(own), low, high, len(own)))
    return tuple(rows)


def _counted(made: Selected, table: Columns, arm: str) -> np.ndarray[Any, Any]:
    """Counts ``(strata, 2, 2)`` of arm and reference, responders and others, of strata that have both arms."""
    strata: dict[tuple[Any, ...], np.ndarray[Any, Any]] = {}
    names = made.analysis.covariates
    for i, own in enumerate(table["arm"]):
        if own in (arm, made.arms[0]):
            cell = strata.setdefault(tuple(table[name][i] for name in names), np.zeros((2, 2)))
            cell[int(own != arm), int(table["outcome"][i] != 1)] += 1
    useful = [cell for _, cell in sorted(strata.items()) if cell.sum(axis=1).all()]
    if not useful:
        raise Refused(Message("statistics.no_stratum"))
    return np.array(useful)


def _responders(made: Selected, _record: Study) -> Fitted:
    table, notes = _answers(made)
    rows = []
    for arm in made.arms[1:]:
        counts = _counted(made, table, arm)
        tables = [(int(a), int(a + b), int(c), int(c + d)) for (a, b), (c, d) in counts.tolist()]
        level = made.plan.level
        found = (
            difference(*tables[0], level=level) if len(tables) == 1 else stratified_difference(tables, level=level)
        )
        # With one stratum this chi-square, with n − 1, is the score test that the interval inverts.
        p = cmh(counts).general.p
        rows.append(_of_pair(made, arm, (found.value, found.low, found.high), p, n=int(counts.sum())))
        if (lost := _pair(made, table, arm) - int(counts.sum())) > 0:
            notes = (*notes, Message("estimation.strata_lost", n=lost))
    return Fitted(tuple(rows), _shares(made, table), notes)


def _pair(made: Selected, table: Columns, arm: str) -> int:
    return sum(one in (arm, made.arms[0]) for one in table["arm"])


def _response_rate(made: Selected, _record: Study) -> Fitted:
    """The share of responders of each arm by itself, its exact interval, and the test of a stated share."""
    table, notes = _answers(made, varied=False)
    percent = int(made.analysis.settings["against_percent"])
    rows, alone = [], len(made.arms) == 1  # to one arm nobody is allocated
    for arm in made.arms:
        own = [x for one, x in zip(table["arm"], table["outcome"], strict=True) if alone or one == arm]
        if not own:
            raise Refused(Message("estimation.few", arm=arm, n=0, least=1))
        k, n = int(sum(own)), len(own)
        low, high = clopper_pearson(k, n, level=made.plan.level)
        p = binomial_tail(k, n, p=percent / 100)
        rows.append(
            EstimateRow(
                arm,
                f"{percent} %",
                made.analysis.at,
                "proportion",
                k / n,
                None,
                None,
                None,
                p,
                low,
                high,
                made.plan.level,
                n,
            )  # fmt: skip
        )
    told = Message("estimation.exact_share", percent=percent)
    before, after = made.analysis.baseline_state, made.analysis.state
    effect = (Message("estimation.across", before=before, after=after),) if before not in ("", after) else ()
    return Fitted(tuple(rows), (), (*notes, told, *effect))


def _responders_adjusted(made: Selected, _record: Study) -> Fitted:
    table, notes = _answers(made)
    rows = []
    for arm in made.arms[1:]:
        keep = [i for i, one in enumerate(table["arm"]) if one in (arm, made.arms[0])]
        own = {name: [values[i] for i in keep] for name, values in table.items()}
        found = adjusted_difference(
            own, outcome="outcome", arm="arm", arms=(arm, made.arms[0]), covariates=made.analysis.covariates,
            participant="participant", level=made.plan.level,
        )  # fmt: skip
        rows.append(_row(made, arm, found.difference, n=found.n))
    return Fitted(tuple(rows), _shares(made, table), notes)


def _cmh(made: Selected, _record: Study) -> Fitted:
    table, notes = _answers(made)
    rows = []
    for arm in made.arms[1:]:
        counts = _counted(made, table, arm)
        found, test = common_odds_ratio(counts, level=made.plan.level), cmh(counts).general
        row = _of_pair(made, arm, (found.value, found.low, found.high), test.p, n=int(counts.sum()))
        rows.append(replace(row, statistic=test.value, df=float(test.df)))
    return Fitted(tuple(rows), _shares(made, table), notes)


# ------------------------------------------------------------------------------ time to an event
def _time_to_event(made: Selected, record: Study) -> Fitted:
    times, seen, keys = _followed(made, record)
    arms = [one.arm for one in made.people]
    strata = ["|".join(str(made.covariate(one, name)) for name in made.analysis.covariates) for one in made.people]
    rows, notes = [], []
    for arm in made.arms[1:]:
        keep = [i for i, one in enumerate(arms) if one in (arm, made.arms[0])]
        own_times, own_seen = [times[i] for i in keep], [seen[i] for i in keep]
        layer = [strata[i] for i in keep] if made.analysis.covariates else None
        is_arm = np.array([[float(arms[i] == arm)] for i in keep])
        found = cox(
            own_times, own_seen, is_arm, strata=layer, ties=made.analysis.settings["ties"], level=made.plan.level
        )
        rows.append(_row(made, arm, found.estimates[0], n=len(keep)))
        p = log_rank(own_times, own_seen, [arms[i] for i in keep], layer).p
        notes.append(Message("estimation.log_rank", arm=arm, reference=made.arms[0], p=f"{p:.4g}"))
    means = tuple(
        MeanRow(
            arm, "", "events", float(sum(e for own, e in zip(arms, seen, strict=True) if own == arm)), None, None,
            arms.count(arm),
        )
        for arm in made.arms
    )  # fmt: skip
    return Fitted(tuple(rows), means, tuple(notes), tuple(keys))


def _followed(made: Selected, record: Study) -> tuple[list[float], list[bool], list[str]]:
    """Days from the randomisation to the event or to the last visit that was held, and keys of the events."""
    last: dict[str, str] = {}
    for row in record.rows("visit"):
        if row["status"] == "done":
            last[row["participant_id"]] = max(last.get(row["participant_id"], ""), str(row["started"])[:10])
    times, seen, keys = [], [], []
    for one in made.people:
        own = [row for name, row in made.events.get(one.participant_id, ()) if name == made.analysis.event]
        if any(len(row.on) < len("2026-01-01") for row in own):
            raise Refused(Message("estimation.event_day", event=made.analysis.event, participant=one.participant))
        first = min(own, key=lambda row: row.on, default=None)
        start = one.randomised_on
        end = first.on[:10] if first else last.get(one.participant_id, start)
        if not start:
            raise Refused(Message("estimation.no_allocation"))
        times.append(float(max(0, (date.fromisoformat(end) - date.fromisoformat(start)).days)))
        seen.append(first is not None)
        keys += [first.key] if first else []
    return times, seen, keys


# ------------------------------------------------------------------------------ dealt again, imputed
def _rerandomisation(made: Selected, record: Study) -> Fitted:
    """The difference of the means of what covariates leave, and how often another deal gives as large a one."""
    table = made.columns((made.analysis.at,))
    rest = _residuals(made, table)
    n = int(made.analysis.settings["replications"])
    who = table["participant"]
    again = deals(record, made.arms, seed=made.plan.seed, n=n)
    rows, notes = [], []
    for arm, found in compared(rest, who, list(table["arm"]), made.arms, again).items():
        row = _of_pair(made, arm, (found.value, 0.0, 0.0), found.p, n=len(who))
        rows.append(replace(row, low=None, high=None))
        notes.append(Message("estimation.deals", n=n, error=f"{sqrt(found.p * (1 - found.p) / n):.2g}"))
    return Fitted(tuple(rows), _means(made, _by_arm(made)), tuple(notes))


def _residuals(made: Selected, table: Columns) -> np.ndarray[Any, Any]:
    y = np.array(table["outcome"], dtype=np.float64)
    if not made.analysis.covariates:
        return np.asarray(y - y.mean())
    x = design(table, made.analysis.covariates).matrix(table)
    return np.asarray(y - x @ np.linalg.lstsq(x, y, rcond=None)[0])


def _imputation(made: Selected) -> tuple[Columns, imputation.Plan]:
    covariates = made.analysis.covariates
    plan = imputation.Plan(
        "outcome", "participant", "visit", "arm", _terms(made, repeated=True), covariates, made.arms[0],
        made.analysis.settings["strategy"],
    )  # fmt: skip
    table = made.columns(made.analysis.visits, absent=True)
    # Visits are put in order by their names there: numbers in front keep the order of the plan.
    place = {visit: f"{n:03d} {visit}" for n, visit in enumerate(made.analysis.visits)}
    table["visit"] = [place[one] for one in table["visit"]]
    return table, plan


def _last_visit(made: Selected) -> str:
    return f"{len(made.analysis.visits) - 1:03d} {made.analysis.at}"


def _reference_based(made: Selected, _record: Study) -> Fitted:
    table, plan = _imputation(made)
    found = imputation.reference_based(table, plan, level=made.plan.level)[_last_visit(made)]
    rows = tuple(_row(made, arm, found[arm], n=_n(table)) for arm in made.arms[1:])
    return Fitted(rows, (), (_imputed(made),))


def _imputed(made: Selected) -> Message:
    at = made.analysis.at
    n = sum(not _has(made, one.participant_id, at) for one in made.people)
    return Message("estimation.imputed", n=n, visit=at)


def _tipping_point(made: Selected, _record: Study) -> Fitted:
    table, plan = _imputation(made)
    rows, notes = [], [_imputed(made)]
    for arm in made.arms[1:]:
        alpha = 1 - made.plan.level
        found, first = imputation.tipping_point(
            table, plan, made.analysis.settings["deltas"], visit=_last_visit(made), arm=arm, alpha=alpha
        )
        rows += [_row(made, arm, one, n=_n(table), delta=delta) for delta, one in found.items()]
        where = Message("estimation.tips_nowhere") if first is None else f"{first:g}"
        notes.append(Message("estimation.tips", arm=arm, delta=where))
    return Fitted(tuple(rows), (), tuple(notes))


FITS: Mapping[str, Callable[[Selected, Any], Fitted]] = {
    "mmrm": _mmrm, "mixed": _mixed, "ancova": _ancova, "t_test": _t_test, "rank_sum": _rank_sum, "gee": _gee,
    "responders": _responders, "response_rate": _response_rate, "responders_adjusted": _responders_adjusted,
    "cmh": _cmh, "time_to_event": _time_to_event, "rerandomisation": _rerandomisation,
    "reference_based": _reference_based, "tipping_point": _tipping_point, **WITHIN,
}  # fmt: skip
"""By the name that a plan gives."""
