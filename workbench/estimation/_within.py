"""Conditions that are compared within people or clusters: crossover, stepped wedge, pairs, sessions of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, nan
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.estimation._fitted import Fitted
from workbench.estimation._selecting import Selected
from workbench.estimation.methods import METHODS
from workbench.estimation.results import EstimateRow, MeanRow
from workbench.messages import Message
from workbench.statistics._estimates import Estimate
from workbench.statistics.crossover import Crossed, crossover, paired, stepped_wedge
from workbench.statistics.single_case import Design, Series, SingleCase, single_case
from workbench.study.datasets import SubjectRow

UNKNOWN = "–"


# ------------------------------------------------------------------------------ conditions by arm
def _crossed(made: Selected, *, absent: bool) -> Crossed:
    """Every participant at every visit, under the condition that the arm had there."""
    analysis = made.analysis
    table = made.columns(analysis.visits, absent=absent)
    if not any(value == value for value in table["outcome"]):
        raise Refused(Message("estimation.all_missing", variable=analysis.variable, visit=analysis.at))
    by_id = {one.participant_id: one for one in made.people}
    who = table["participant"]
    condition = [made.condition(by_id[one], visit) for one, visit in zip(who, table["visit"], strict=True)]
    control, active = analysis.compared
    return Crossed(
        who, table["visit"], condition, table["outcome"], (control, active), analysis.visits,
        [by_id[one].site for one in who], {name: table[name] for name in analysis.covariates},
    )  # fmt: skip


def _crossover(made: Selected, _record: Any) -> Fitted:
    own = made.analysis.settings
    rows = _crossed(made, absent=True)
    found = crossover(
        rows,
        carried=own["carried"],
        structure=own["covariance"],
        inference=own["inference"],
        level=made.plan.level,
    )
    notes = [] if found.carried is None else [_carried(found.carried)]
    if found.adjusted:
        notes.append(Message("estimation.carried_taken"))
    return Fitted((_row(made, found.effect, found.model.participants),), _means(made, rows), tuple(notes))


def _stepped_wedge(made: Selected, _record: Any) -> Fitted:
    own = made.analysis.settings
    rows = _crossed(made, absent=False)
    found = stepped_wedge(rows, shared=own["shared"], inference=own["inference"], level=made.plan.level)
    shares = ", ".join(f"{name} {value:.4g}" for name, value in found.variances.items())
    note = Message("estimation.clusters", n=found.clusters, variances=shares)
    return Fitted((_row(made, found.effect, len(set(rows.participant))),), _means(made, rows), (note,))


def _means(made: Selected, rows: Crossed) -> tuple[MeanRow, ...]:
    """Means of each condition at each visit at which somebody had it."""
    found = []
    for visit in made.analysis.visits:
        for name in made.analysis.compared:
            values = [
                value
                for value, at, own in zip(rows.values, rows.period, rows.condition, strict=True)
                if at == visit and own == name and np.isfinite(value)
            ]
            found += [_mean(name, visit, values)] if values else []
    return tuple(found)


def _mean(name: str, visit: str, values: Sequence[float]) -> MeanRow:
    return MeanRow(name, visit, "mean", float(np.mean(values)), None, None, len(values))


def _row(made: Selected, one: Estimate, n: int) -> EstimateRow:
    control, active = made.analysis.compared
    df = None if one.df == inf else one.df
    return EstimateRow(
        active, control, "", METHODS[made.analysis.method].scale, one.value, one.se, df, one.t, one.p, one.low,
        one.high, made.plan.level, n,
    )  # fmt: skip


def _carried(one: Estimate) -> Message:
    value, low, high, p = (f"{number:.4g}" for number in (one.value, one.low, one.high, one.p))
    return Message("estimation.carried", value=value, low=low, high=high, p=p)


# ------------------------------------------------------------------------------ two states of assessment
def _paired(made: Selected, _record: Any) -> Fitted:
    analysis = made.analysis
    control, active = analysis.compared
    rows: list[tuple[str, str, float]] = []
    single = 0
    for one in made.people:
        for visit in analysis.visits:
            on, off = (made.value(one.participant_id, visit, state) for state in (active, control))
            if on is not None and off is not None:
                rows.append((one.participant_id, visit, on - off))
            single += (on is None) is not (off is None)
    if not rows:
        raise Refused(Message("estimation.no_pairs", state=active, against=control))
    who, visits, differences = (list(part) for part in zip(*rows, strict=True))
    found = paired(
        {"participant": who, "session": visits, "difference": differences}, difference="difference",
        participant="participant", session="session", sessions=analysis.visits,
        inference=analysis.settings["inference"], level=made.plan.level,
    )  # fmt: skip
    means = tuple(
        _mean(state, visit, values)
        for visit in analysis.visits
        for state in analysis.compared
        if (values := _values(made, visit, state))
    )
    notes = (Message("estimation.unpaired", n=single),) if single else ()
    return Fitted((_row(made, found.effect, found.n),), means, notes)


def _values(made: Selected, visit: str, state: str) -> list[float]:
    found = (made.value(one.participant_id, visit, state) for one in made.people)
    return [value for value in found if value is not None]


# ------------------------------------------------------------------------------ sessions of one participant
def _single_case(made: Selected, _record: Any) -> Fitted:
    own = made.analysis.settings
    design = Design(own["design"], own["block"], own["least"], own["longest"])
    series: dict[str, Series] = {}
    left = 0
    for one in made.people:
        sessions = [_session(made, one, visit) for visit in made.analysis.visits]
        if all(value is None for _, value in sessions):
            continue
        kept = _whole(made, one, sessions, design)
        left += len(sessions) - len(kept)
        values = np.array([nan if value is None else value for _, value in kept])
        series[one.participant] = Series(values, tuple(active for active, _ in kept))
    if not series:
        raise Refused(Message("estimation.all_missing", variable=made.analysis.variable, visit=made.analysis.at))

    def tested(rows: Sequence[Series]) -> SingleCase:
        return single_case(
            rows, design, trend=own["trend"], replications=own["replications"], seed=made.plan.seed,
            level=made.plan.level,
        )  # fmt: skip

    found = tested(list(series.values()))
    notes = [_dealt(found)]
    notes += [Message("estimation.sessions_left", n=left)] if left else []
    if len(series) > 1:
        notes += [_of_one(who, tested([one])) for who, one in series.items()]
    control, active = made.analysis.compared
    row = EstimateRow(
        active, control, "", METHODS["single_case"].scale, found.value, None, None, None, found.p, found.low,
        found.high, made.plan.level, len(series),
    )  # fmt: skip
    return Fitted((row,), _phase_means(made, series), tuple(notes))


def _session(made: Selected, one: SubjectRow, visit: str) -> tuple[bool, float | None]:
    """Condition and outcome of a session; no outcome where it was not held."""
    control, active = made.analysis.compared
    on, off = (made.value(one.participant_id, visit, state) for state in (active, control))
    if on is not None and off is not None:
        raise Refused(Message("estimation.both_states", participant=one.participant, visit=visit))
    return on is not None, off if on is None else on


def _whole(
    made: Selected, one: SubjectRow, sessions: Sequence[tuple[bool, float | None]], design: Design
) -> Sequence[tuple[bool, float | None]]:
    """Sessions whose condition is known: of blocks those that are whole, of every other design all or none."""
    absent = [visit for visit, (_, value) in zip(made.analysis.visits, sessions, strict=True) if value is None]
    if not absent:
        return sessions
    if design.drawn != "blocks":
        raise Refused(Message("estimation.session_absent", participant=one.participant, visit=absent[0]))
    size = design.block
    blocks = [sessions[i : i + size] for i in range(0, len(sessions), size)]
    return [own for block in blocks if all(value is not None for _, value in block) for own in block]


def _dealt(found: SingleCase) -> Message:
    return Message(
        "estimation.sessions", dealt=found.dealt, permitted=str(found.permitted), least=f"{found.least:.4g}",
        autocorrelation=f"{found.autocorrelation:.2f}",
    )  # fmt: skip


def _of_one(who: str, found: SingleCase) -> Message:
    low, high = (UNKNOWN if end is None else f"{end:.4g}" for end in (found.low, found.high))
    value, p = f"{found.value:.4g}", f"{found.p:.4g}"
    return Message("estimation.of_one", participant=who, value=value, low=low, high=high, p=p)


def _phase_means(made: Selected, series: Mapping[str, Series]) -> tuple[MeanRow, ...]:
    control, active = made.analysis.compared
    found = []
    for name, is_active in ((control, False), (active, True)):
        values = [
            v for one in series.values() for v, on in zip(one.values, one.active, strict=True) if on is is_active
        ]
        found.append(MeanRow(name, "", "mean", float(np.mean(values)), None, None, len(series)))
    return tuple(found)


WITHIN: Mapping[str, Callable[[Selected, Any], Fitted]] = {
    "crossover": _crossover, "stepped_wedge": _stepped_wedge, "paired": _paired, "single_case": _single_case,
}  # fmt: skip
"""By the name that a plan gives."""
