"""Endpoints and estimands → results. Every result has ``line()``, one sentence with n and interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from workbench.analysis._accuracy import (
    JUDGED,
    Accuracy,
    Confusion,
    accuracy,
    accuracy_of,
    confusion,
    confusion_by_run,
    confusion_of,
)
from workbench.analysis._change import Change, Flag, NoBaseline, baselines, change, pick_baseline
from workbench.analysis._clusters import Clustered, Permuted, block_permutation, clustered
from workbench.analysis._components import Component, Judgement, judge
from workbench.analysis._curves import MeanCourse, mean_course
from workbench.analysis._events import EventMetrics, Spread, event_metrics, f1_of, share_of_events, spread
from workbench.analysis._exact import (
    Interval,
    binomial_tail,
    chance_limit,
    chance_limit_of,
    chance_tail,
    clopper_pearson,
    poisson_interval,
    wilson,
)
from workbench.analysis._guessing import Guessing, guessing
from workbench.analysis._implant import ImplantDays, implant_days
from workbench.analysis._isncsci import AisChange, IsncsciChange, LevelChange, isncsci_change
from workbench.analysis._latency import Latency, latency
from workbench.analysis._metrics import Auc, Kappa, auc, itr, kappa
from workbench.analysis._paired import Paired, paired
from workbench.analysis._patterns import activation_pattern
from workbench.analysis._possible import Possible, possible
from workbench.analysis._queries import Limits, Query, queries
from workbench.analysis._reaching import (
    RandomWalks,
    Reaching,
    ReachingTask,
    median_interval,
    random_walks,
    reaching,
    walks_of,
)
from workbench.analysis._repeats import FalseResponder, OwnMdc, false_positive, false_responder, own_mdc
from workbench.analysis._responders import (
    Responders,
    ais_conversion,
    bci_assisted_arat,
    motor_level_response,
    responder,
    up_lift,
)
from workbench.analysis._scores import Reading, direction_of, number_of, parts_of, reading
from workbench.analysis._selections import Selections, selections
from workbench.analysis._splits import Fold, blocks, check_split, leave_one_out
from workbench.analysis._state import condition_words, state_words
from workbench.analysis._table import (
    History,
    Outcome,
    OutcomesTable,
    Record,
    assessment_of,
    histories,
    outcomes_table,
)
from workbench.analysis._tracking import Tracking, tracking
from workbench.errors import UnknownName

__all__ = [
    "Accuracy",
    "AisChange",
    "Auc",
    "Change",
    "Clustered",
    "Component",
    "Confusion",
    "ENDPOINTS",
    "EventMetrics",
    "FalseResponder",
    "Flag",
    "Fold",
    "Guessing",
    "History",
    "ImplantDays",
    "Interval",
    "IsncsciChange",
    "JUDGED",
    "Judgement",
    "Kappa",
    "Latency",
    "LevelChange",
    "Limits",
    "MeanCourse",
    "NoBaseline",
    "Outcome",
    "OutcomesTable",
    "OwnMdc",
    "Paired",
    "Permuted",
    "Possible",
    "Query",
    "RandomWalks",
    "Reaching",
    "ReachingTask",
    "Reading",
    "Record",
    "Responders",
    "Result",
    "Selections",
    "Spread",
    "Tracking",
    "accuracy",
    "accuracy_of",
    "activation_pattern",
    "ais_conversion",
    "assessment_of",
    "auc",
    "baselines",
    "bci_assisted_arat",
    "binomial_tail",
    "block_permutation",
    "blocks",
    "chance_limit",
    "chance_limit_of",
    "chance_tail",
    "change",
    "check_split",
    "clopper_pearson",
    "clustered",
    "condition_words",
    "confusion",
    "confusion_by_run",
    "confusion_of",
    "direction_of",
    "estimate",
    "event_metrics",
    "f1_of",
    "false_positive",
    "false_responder",
    "guessing",
    "histories",
    "implant_days",
    "isncsci_change",
    "itr",
    "judge",
    "kappa",
    "latency",
    "leave_one_out",
    "mean_course",
    "median_interval",
    "motor_level_response",
    "number_of",
    "outcomes_table",
    "own_mdc",
    "paired",
    "parts_of",
    "pick_baseline",
    "poisson_interval",
    "possible",
    "queries",
    "random_walks",
    "reaching",
    "reading",
    "responder",
    "selections",
    "share_of_events",
    "spread",
    "state_words",
    "tracking",
    "up_lift",
    "walks_of",
    "wilson",
]


class Result(Protocol):
    """What every endpoint gives."""

    def line(self) -> str:
        """One sentence with n, and the interval where it is a proportion."""


ENDPOINTS: dict[str, Callable[..., Result]] = {
    "accuracy": accuracy,
    "event_metrics": event_metrics,
    "selections": selections,
    "tracking": tracking,
    "latency": latency,
    "change": change,
    "isncsci_change": isncsci_change,
    "own_mdc": own_mdc,
    "responder": responder,
    "ais_conversion": ais_conversion,
    "motor_level_response": motor_level_response,
    "bci_assisted_arat": bci_assisted_arat,
    "implant_days": implant_days,
    "outcomes_table": outcomes_table,
}
"""What :func:`estimate` can be asked for, by name."""


def estimate(endpoint: str, *data: Any, **definition: Any) -> Result:
    """Estimate what the protocol asked.

    Parameters
    ----------
    endpoint : a name of :data:`ENDPOINTS`.
    data, definition : as that function takes them, for example
        ``estimate("event_metrics", trials, onset_window_s=1.5, fs=250.0)`` or
        ``estimate("ais_conversion", histories(study), at_least=row, visit="month 6", ref_visit="baseline")``.

    Raises
    ------
    UnknownName
        For another endpoint; the text lists those there are.
    """
    if endpoint not in ENDPOINTS:
        raise UnknownName(f"no endpoint {endpoint!r}; available: {', '.join(ENDPOINTS)}")
    return ENDPOINTS[endpoint](*data, **definition)
