"""The context that every section of a trial report uses: facts, texts, names of pictures, tables by arm."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import Protocol

from workbench.reports._facts import Row
from workbench.reports._say import number
from workbench.reports._trial_facts import Group, Person, TrialFacts
from workbench.reports._trial_results import Analyses
from workbench.reports.blocks import Block, Cell, Column, Link, Para, Table, named
from workbench.reports.texts import Texts


class Speaking(Protocol):
    """Whatever has the texts of a language."""

    @property
    def t(self) -> Texts:
        """The texts."""


WIDTH = 674.0
HASH = 8
"""Digits of a hash where the whole one stands elsewhere in the report."""

Line = tuple[str, Callable[[Group], str], str]
"""A row of a table by arm: its label, its text for a group, and the name of what it leads to (``""``: nothing)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Of a signed issue: the SHA-256 of the draft that was signed, and the rows of its signatures."""

    draft: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class TrialSay:
    """Facts, texts and analyses of one report.

    Attributes
    ----------
    facts, t : data and words.
    analyses : what the plan gave; None where nothing was handed over.
    software, programs : versions, and the SHA-256 of the files that the report was made with.
    signed : draft and signatures of a signed issue; None for a draft.
    """

    facts: TrialFacts
    t: Texts
    analyses: Analyses | None
    software: str
    programs: str
    signed: Signed | None = None
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def name(self, stem: str) -> str:
        """A name that is unique among the pictures of this report."""
        return f"{stem}{next(self._count)}"

    def title(self, group: Group, *, everybody: bool = False) -> str:
        """Heading of a group's column with its number."""
        if self.facts.wanted.participant:
            return group.title
        words = group.arm or self.t("tr_everybody" if everybody else "tr_all")
        return self.t("tr_group", title=words, n=len(group.people))

    def by_group(
        self, lines: Iterable[Line], *, first: str, note: str = "", everybody: bool = False
    ) -> Table:  # fmt: skip
        """A table with a column for each group, and one that leads to the rows behind it.

        Parameters
        ----------
        lines : label, text for a group, and what it leads to.
        first : heading of the first column.
        note : printed below.
        everybody : whether the last column is of all in the record, and not of those who were enrolled alone.
        """
        groups, rows = self.facts.everybody if everybody else self.facts.groups, list(lines)
        leads = any(to for _, _, to in rows)
        width = 1.3 if len(groups) > 1 else 2.2
        columns = [
            Column(first, 2.4),
            *(Column(self.title(group, everybody=everybody), width, number=True) for group in groups),
        ]
        columns += [Column(self.t("tr_rows"), 0.7, number=True)] if leads else []
        made: list[tuple[Cell, ...]] = []
        for label, text, to in rows:
            link: list[Cell] = [self.link(to) if to else ""] if leads else []
            made.append((label, *(text(group) for group in groups), *link))
        return Table(tuple(columns), tuple(made), self.t("no_data"), note=note)

    def link(self, to: str, text: str = "") -> Cell:
        """What leads to a listing or a row."""
        return Link(text or self.t("tr_see"), to)

    def kept(self) -> list[Block]:
        """The sentence that stands for what is kept from a blinded reader."""
        return [Para(self.t("tr_kept"))]

    def person(self, person_id: str) -> Cell:
        """A pseudonym that leads to the participant's row."""
        return Link(self.facts.names.get(person_id, "–"), named("participant", person_id))

    def entry(self, table: str, row_id: str) -> str:
        """Number and start of the hash of a row's newest entry; a dash where that is kept."""
        seq, digest = self.facts.entries.get((table, row_id), (0, ""))
        return f"{seq} · {digest[:HASH]}" if seq else "–"


def share(n: int, of: int) -> str:
    """``3 (25 %)``; the number alone of nobody."""
    return f"{n} ({100 * n / of:.0f} %)" if of else str(n)


def counted(wanted: Callable[[Person], bool]) -> Callable[[Group], str]:
    """For a table by arm: how many of a group, with their share."""
    return lambda group: share(sum(map(wanted, group.people)), len(group.people))


def spread(values: Sequence[float], digits: int = 1) -> str:
    """``10.2 (3.1), 10.0 [4.0 to 16.0]``: mean (SD), median [least to greatest]; a dash without values."""
    if not values:
        return "–"
    middle = f"{number(fmean(values), digits)}"
    middle += f" ({number(stdev(values), digits)})" if len(values) > 1 else ""
    ends = f"[{number(min(values), digits)}–{number(max(values), digits)}]"
    return f"{middle}; {number(median(values), digits)} {ends}; {len(values)}"
