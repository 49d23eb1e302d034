"""Results of an analysis plan in the words of a report, for a screen: table and forest as they stand on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.reports._trial_analyses import (
    AnalysisRow,
    Forest,
    finding_of,
    forest_of,
    outcome_words,
    rows_of,
    variable_words,
)
from workbench.reports._trial_results import Analysis, analyses_in
from workbench.reports.texts import Texts

__all__ = ["AnalysisRow", "AnalysisWords", "EstimandWords", "Forest", "ResultWords", "of_results", "of_variable"]


@dataclass(frozen=True, slots=True)
class AnalysisWords:
    """What stands behind one analysis.

    Attributes
    ----------
    pairs : label and value: what was compared, at which visits, adjusted for what, and each intercurrent event.
    notes : sentences for the reader.
    n_rows : of the dataset that entered.
    """

    pairs: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True, slots=True)
class EstimandWords:
    """The analyses of one estimand.

    Attributes
    ----------
    name : of the estimand.
    rows : one an estimate, or one for an analysis that has none.
    forest : estimates of one scale; None where nothing was estimated.
    level : of the intervals, %.
    """

    name: str
    rows: tuple[AnalysisRow, ...]
    forest: Forest | None
    level: str


@dataclass(frozen=True, slots=True)
class ResultWords:
    """All that a plan gave, in one language.

    Attributes
    ----------
    finding : the primary estimate as a sentence; ``""`` without one.
    estimands : in the order of the plan.
    behind : by name of the analysis.
    """

    finding: str
    estimands: tuple[EstimandWords, ...]
    behind: Mapping[str, AnalysisWords]


@dataclass(frozen=True, slots=True)
class _Words:
    t: Texts


def of_results(content: Mapping[str, Any], language: str) -> ResultWords:
    """Results in words.

    Parameters
    ----------
    content : as ``results.json`` has it.
    language : ``"en"`` or ``"zh-CN"``.
    """
    say, found = _Words(Texts(language)), analyses_in(content)
    names = dict.fromkeys(one.estimand for one in found)
    return ResultWords(
        finding_of(say, found),
        tuple(_estimand(say, name, [one for one in found if one.estimand == name]) for name in names),
        {one.name: _behind(say, one) for one in found},
    )


def of_variable(variable: str, side: str, state: str, language: str) -> str:
    """``ARAT total, trained side, device off``.

    Parameters
    ----------
    variable, side, state : of a plan.
    language : ``"en"`` or ``"zh-CN"``.
    """
    t = Texts(language)
    words = [variable_words(_Words(t), variable)]
    words += [t.word("tr_side", side)] if side not in ("", "none") else []
    return t("join").join(word for word in [*words, t.word("tr_state_of", state)] if word)


def _estimand(say: _Words, name: str, own: Sequence[Analysis]) -> EstimandWords:
    rows = tuple(row for one in own for row in rows_of(say, one))
    level = next((f"{100 * one.level:g}" for analysis in own for one in analysis.estimates), "95")
    return EstimandWords(name, rows, forest_of(say, own), level)


def _behind(say: _Words, one: Analysis) -> AnalysisWords:
    t = say.t
    pairs = [
        (t("tr_variable"), outcome_words(say, one)),
        (t("tr_visits"), t("join").join(one.visits) or "–"),
        (t("tr_covariates"), t("join").join(one.covariates) or t("none")),
    ]
    pairs += [(t("tr_threshold"), one.threshold)] if one.threshold else []
    for event, had in one.strategies.items():
        value = t("tr_handled", strategy=str(had.get("strategy", "")), n=had.get("participants", 0))
        pairs.append((event, value))
    return AnalysisWords(tuple(pairs), tuple(t.translate(note) for note in one.notes), len(one.rows))
