"""The methods that a plan may name, what each estimates, and the settings that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, get_args

from workbench.statistics.covariances import BY_ROW, Structure
from workbench.statistics.crossover import Shared
from workbench.statistics.gee import Family, Small, Working
from workbench.statistics.imputation import Strategy
from workbench.statistics.mmrm import Inference
from workbench.statistics.single_case import Drawn
from workbench.statistics.survival import Ties

Kind = Literal["continuous", "binary", "time"]
"""What a method compares: numbers, responders, or times to an event."""
Within = Literal["", "conditions", "states"]
"""What a method compares in place of arms: conditions that each arm had at its visits, or two states."""
Scale = Literal[
    "difference_of_means", "shift", "risk_difference", "proportion", "odds_ratio", "common_odds_ratio",
    "hazard_ratio",
]  # fmt: skip
MOST_REPLICATIONS = 1_000_000
MOST_DELTAS = 50
STRUCTURES = tuple(str(one) for one in Structure if one not in BY_ROW)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a method.

    Attributes
    ----------
    default : where the plan says nothing.
    allowed : the closed set of a word; empty for another kind.
    least, most : of an integer.
    numbers : whether it is a list of different numbers.
    """

    default: Any
    allowed: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    numbers: bool = False

    def fits(self, value: Any) -> bool:
        """Whether a value of the plan may stand here."""
        if self.allowed:
            return isinstance(value, str) and value in self.allowed
        if self.numbers:
            return isinstance(value, list | tuple) and 1 <= len(value) <= MOST_DELTAS and _are_numbers(value)
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        return type(value) is int and self.least <= value <= self.most


def _are_numbers(values: Any) -> bool:
    each = all(type(one) in (int, float) and isfinite(one) for one in values)
    return each and len(set(values)) == len(values)


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes
    ----------
    kind : of what it compares. scale : of its estimate.
    repeated : whether it takes several visits in one model, and not the last one alone.
    settings : by name.
    covariates : whether it adjusts for any; strata : whether they may only be factors, within which it compares.
    within : what is compared within people or clusters. one_visit : whether one visit is enough all the same.
    looked : whether its estimate has a standard error, so that a trial can be stopped by it.
    alone : whether an arm is estimated by itself, so that a protocol may have one.
    """

    kind: Kind
    scale: Scale
    repeated: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict)
    covariates: bool = True
    strata: bool = False
    within: Within = ""
    one_visit: bool = False
    looked: bool = False
    alone: bool = False


MISSING = {"missing": Setting("non-responder", ("non-responder", "observed"))}
"""Whether who cannot be judged counts as no responder, or is left out."""
INFERENCE = Setting("kenward-roger", get_args(Inference))
METHODS: Mapping[str, Method] = {
    "mmrm": Method(
        "continuous", "difference_of_means", repeated=True,
        settings={"covariance": Setting("unstructured", STRUCTURES), "inference": INFERENCE}, looked=True,
    ),
    "mixed": Method(
        "continuous", "difference_of_means", repeated=True,
        settings={"inference": Setting("satterthwaite", get_args(Inference))}, looked=True,
    ),
    "ancova": Method(
        "continuous", "difference_of_means", settings={"robust": Setting(default=False)}, looked=True,
    ),
    "t_test": Method(
        "continuous", "difference_of_means", settings={"pooled": Setting(default=False)}, covariates=False,
        looked=True,
    ),
    "rank_sum": Method(
        "continuous", "shift", settings={"exact": Setting(default=True)}, covariates=False,
    ),
    "gee": Method(
        "continuous", "difference_of_means", repeated=True,
        settings={
            "family": Setting("gaussian", tuple(one for one in get_args(Family) if one != "poisson")),
            "working": Setting("exchangeable", get_args(Working)),
            "small": Setting("kauermann-carroll", get_args(Small)),
        }, looked=True,
    ),
    "responders": Method("binary", "risk_difference", settings=MISSING, strata=True),
    "response_rate": Method(
        "binary", "proportion", settings={**MISSING, "against_percent": Setting(50, least=1, most=99)},
        covariates=False, alone=True,
    ),
    "responders_adjusted": Method("binary", "risk_difference", settings=MISSING, looked=True),
    "cmh": Method("binary", "common_odds_ratio", settings=MISSING, strata=True),
    "time_to_event": Method(
        "time", "hazard_ratio", settings={"ties": Setting("efron", get_args(Ties))}, strata=True, looked=True,
    ),
    "rerandomisation": Method(
        "continuous", "difference_of_means",
        settings={"replications": Setting(2000, least=100, most=MOST_REPLICATIONS)},
    ),
    "reference_based": Method(
        "continuous", "difference_of_means", repeated=True,
        settings={"strategy": Setting("jump to reference", get_args(Strategy))}, looked=True,
    ),
    "tipping_point": Method(
        "continuous", "difference_of_means", repeated=True,
        settings={
            "strategy": Setting("missing at random", get_args(Strategy)),
            "deltas": Setting((0.0, -1.0, -2.0, -3.0, -4.0, -5.0), numbers=True),
        },
    ),
    "crossover": Method(
        "continuous", "difference_of_means", repeated=True, within="conditions", looked=True,
        settings={
            "carried": Setting(default=False), "covariance": Setting("compound symmetry", STRUCTURES),
            "inference": INFERENCE,
        },
    ),
    "stepped_wedge": Method(
        "continuous", "difference_of_means", repeated=True, within="conditions", looked=True,
        settings={"shared": Setting("cluster and period", get_args(Shared)), "inference": INFERENCE},
    ),
    "paired": Method(
        "continuous", "difference_of_means", repeated=True, within="states", covariates=False, one_visit=True,
        looked=True, settings={"inference": INFERENCE},
    ),
    "single_case": Method(
        "continuous", "difference_of_means", repeated=True, within="states", covariates=False,
        settings={
            "design": Setting("blocks", get_args(Drawn)), "block": Setting(2, least=2, most=20),
            "least": Setting(3, least=1, most=100), "longest": Setting(2, least=1, most=100),
            "trend": Setting(default=False), "replications": Setting(10_000, least=100, most=MOST_REPLICATIONS),
        },
    ),
}  # fmt: skip
"""By the name that a plan gives."""


def is_binary(method: str, settings: Mapping[str, Any]) -> bool:
    """Whether an analysis compares responders.

    Parameters
    ----------
    method : of :data:`METHODS`.
    settings : of the analysis.
    """
    return METHODS[method].kind == "binary" or (method == "gee" and settings.get("family") == "binomial")
