"""docs/reporting_clocks.md shows the table of rules as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from workbench.study import reporting_rules
from workbench.study.safety import WORDS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reporting_clocks.md"
HEAD = ["| rule | text | who → whom | applies to | time | mark | source |", "|---|---|---|---|---|---|---|"]


def row(rule):
    """A rule as it stands in the document."""
    text = f"{rule.jurisdiction}, {rule.regime}, {rule.clause}, {rule.year or 'no edition'}"
    cases = "; or ".join(" and ".join(words) for words in rule.applies_to)
    unless = f"; unless {' or '.join(f'`{name}`' for name in rule.unless)}" if rule.unless else ""
    whom = ", ".join(rule.addressees)
    cells = (
        f"`{rule.id}`", text, f"{rule.reporter} → {whom}", cases + unless, rule.time, rule.mark, rule.citation,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def test_the_document_holds_the_table_of_rules_with_its_version():
    table = reporting_rules.shipped()
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    wanted = [f"Version {table.version} of {table.date}.", "", *HEAD, *map(row, table.rules.values())]
    first = next((n for n, line in enumerate(lines) if line.startswith("Version ")), len(lines))
    last = first + next((n for n, line in enumerate(lines[first:]) if line.startswith("#")), 0) - 1
    assert lines[first:last] == wanted, "write into the document:\n" + "\n".join(wanted)


def test_the_document_names_everything_that_a_table_may_hold():
    text = DOCUMENT.read_text(encoding="utf-8")
    own = text[text.index("## A table of your own") :]
    cells = {
        cell: line for line in own.splitlines() for cell in [line.partition("|")[2].partition("|")[0].strip()]
    }
    allowed = {**reporting_rules.CLOSED, "addressees": get_args(reporting_rules.Addressee), "applies_to": WORDS}
    for name, words in allowed.items():
        listed = re.findall(r"`(\w+)`", cells[f"`{name}`"])
        assert listed == [name, *words]
    assert f"| 1 to {reporting_rules.LONGEST} |" in cells["`amount`"]
    assert {*cells} >= {f"`{name}`" for name in ("year", "unless")}
