"""A stored ISNCSCI examination scored again under the present rule book, and the differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Assessment

RULES = "rules"
SITE = "site_reported"
"""Key of a stored score under which older records have the site's own result; it is carried over."""


@dataclass(frozen=True, slots=True)
class Rescoring:
    """One stored examination under the present rule book.

    Attributes
    ----------
    id : of the assessment.
    rules : version of the rule book behind the stored result and of today's; ``""`` = not classified.
    changed : result → (stored, now), sums included.
    score : the score of today, to be stored in place of the old one; None when it cannot be formed.
    error : why it cannot be formed, else ``""``.
    """

    id: str
    rules: tuple[str, str]
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    score: Mapping[str, Any] | None = None
    error: str = ""

    @property
    def outdated(self) -> bool:
        """Whether the stored score is of another rule book, or another result."""
        return self.score is not None and (bool(self.changed) or self.rules[0] != self.rules[1])

    def line(self) -> str:
        """One phrase: the rule versions, and each result that differs."""
        if self.error:
            return f"cannot be scored: {self.error}"
        old, new = (version or "not classified" for version in self.rules)
        versions = f"rules {old} → {new}" if old != new else f"rules {new}"
        changes = [f"{name} {_shown(before)} → {_shown(now)}" for name, (before, now) in self.changed.items()]
        return f"{versions}: {', '.join(changes) if changes else 'same results'}"


def rescore(assessment: Assessment) -> Rescoring:
    """Score a stored examination again, with the version and the options it was stored with.

    Parameters
    ----------
    assessment : of ``isncsci``. Its items are never changed.

    Raises
    ------
    BadValue
        An assessment of another measure.
    """
    # Imported here: the register imports this package.
    from workbench.outcomes import score

    if assessment.measure != "isncsci":
        raise BadValue(Message("isncsci.other_measure", measure=repr(assessment.measure)))
    stored = dict(assessment.score)
    before = _results(stored)
    try:
        rescored = score("isncsci", assessment.items, version=assessment.version, **assessment.options).to_json()
    except BadValue as error:
        return Rescoring(assessment.id, (str(before.get(RULES, "")), ""), error=str(error))
    now = _results(rescored)
    # In stable order: stored results first, then those that only the present rules have.
    names = [name for name in dict.fromkeys((*before, *now)) if name != RULES]
    changed = {name: (before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)}
    carried_over = {SITE: stored[SITE]} if SITE in stored else {}
    rules = str(before.get(RULES, "")), str(now.get(RULES, ""))
    return Rescoring(assessment.id, rules, changed, {**rescored, **carried_over})


def _results(score: Mapping[str, Any]) -> dict[str, Any]:
    """Results by name, the sums of each side and of both as ``totals.right.motor`` and ``totals.uems``."""
    return _flatten("", score.get("classes") or {})


def _flatten(path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(f"{path}{name}.", value) if isinstance(value, Mapping) else {f"{path}{name}": value}
    return flat


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
