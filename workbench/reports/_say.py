"""How the report formats numbers, and the context that every section uses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workbench.analysis import Spread
from workbench.reports._facts import Facts, Row, RunFacts
from workbench.reports._results import Result
from workbench.reports.texts import Texts


def number(value: float, digits: int) -> str:
    """A number with fixed digits and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\u2212")


def fraction(value: float) -> str:
    """A fraction between 0 and 1, two digits."""
    return number(value, 2)


def optional(value: float | None, digits: int = 2) -> str:
    """A number or a dash."""
    return "–" if value is None else number(value, digits)


@dataclass(frozen=True)
class Say:
    """Facts, texts and results of one report; ``name`` numbers its pictures."""

    facts: Facts
    t: Texts
    results: Mapping[str, Result]
    software: str
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self, stem: str) -> str:
        """A name that is unique among the pictures of this report."""
        return f"{stem}{next(self._count)}"

    def result(self, run: RunFacts) -> Result:
        """The result of an online run."""
        return self.results[str(run.row["id"])]

    def condition(self, run: RunFacts) -> str:
        """The cued movement of an asynchronous run."""
        return str(run.parameters.get("condition") or run.trials[0]["condition"])

    def quartiles(self, spread: Spread | None) -> str:
        """Median with quartiles and n, or a dash."""
        if spread is None:
            return "–"
        middle, low, high = (number(value, 2) for value in (spread.median, spread.low, spread.high))
        return self.t("seconds_quartiles", value=middle, low=low, high=high, n=spread.n)

    def source(self, run: RunFacts) -> str:
        """Run and recording a figure came from."""
        return f"{self.t('run', run=run.number)} {run.source}"

    def use(self, approval: Row) -> str:
        """What a decoder is approved for: effector, participant by pseudonym where it is this one, and system."""
        person = self.facts.participant or {"id": "", "pseudonym": ""}
        who = str(approval["participant_id"])
        names = [approval["effector"], person["pseudonym"] if who == person["id"] else who[-8:]]
        # Approvals from before systems were recorded have no such check.
        names += [check["limit"] for check in approval["checks"] if check["name"] == "system"]
        return " · ".join(map(str, names))

    def simulated_words(self) -> str:
        """What is simulated, in words."""
        parts = [self.t(f"simulated_{part}", name=self.facts.effector) for part in self.facts.simulated]
        return self.t("join").join(parts)

    def join(self, *sentences: str) -> str:
        """Sentences one after the other, with a space where the language has one."""
        return ("" if self.t.language.startswith("zh") else " ").join(sentences)
