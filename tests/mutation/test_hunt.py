"""What the hunt with simulated lives knows of a fault before it lives anything."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from scipy.stats import binomtest

from tests.mutation.lives import ROOT, Kept, Lives, interval, statement

TEXT = """\
LIMIT = (
    1.0,
)


def judged(
    value,
    limit=LIMIT,
):
    if (
        value
        > limit
    ):
        return value + (
            1
        )
    for one in value:
        print(one)
"""


@dataclass(frozen=True)
class Fault:
    file: str
    line: int
    key: str = "a fault"


@pytest.mark.parametrize(
    ("line", "lines"),
    [(2, (1, 3)), (8, (6, 9)), (12, (10, 13)), (15, (14, 16)), (17, (17, 17)), (18, (18, 18))],
)
def test_a_line_belongs_to_its_statement_or_to_the_head_of_one_with_a_body(line, lines):
    within = statement(TEXT, line)
    assert (within.start, within.stop - 1) == lines


def test_what_is_kept_goes_on_with_the_same_code_and_is_forgotten_with_another(tmp_path):
    path = tmp_path / "kept.json"
    kept = Kept(path, "code")
    kept.note("signals", 25, {"workbench/a.py": {"3": ["outside"], "5": ["2", "7"]}})
    kept.note("signals", 50, {"workbench/a.py": {"5": ["30"]}})
    kept.came("signals", "a fault", "", 40)
    again = Kept(path, "code")
    assert again.seeds("signals") == 50
    assert again.runs("signals", "workbench/a.py", (3,)) == 1
    assert again.runs("signals", "workbench/a.py", range(4, 7)) == 1 << 2 | 1 << 7 | 1 << 30
    assert again.far("signals", "a fault") == ("", 40)
    assert (again.seeds("trial"), again.far("trial", "a fault")) == (0, ("", 0))
    assert Kept(path, "other code").seeds("signals") == 0


def test_a_fault_that_no_life_runs_is_looked_for_with_none_and_one_that_was_found_is_not_planted_again():
    file = "workbench/simulation/chance.py"
    kept = Kept(None, "code")
    kept.note("signals", 9, {file: {"1": ["outside"], "20": ["4", "8"]}})

    def planted(copy, fault):
        assert fault.line == 19
        return nullcontext()

    hunt = Lives([ROOT], 9, depths=["signals"], kept=kept, planted=planted)
    assert [hunt.seeds(Fault(file, line)) for line in (1, 19, 20)] == [9, 0, 2]
    assert hunt.found_by(Fault(file, 19)) == ""
    assert kept.far("signals", "a fault @19") == ("", 9)
    kept.came("signals", "a fault @20", "signals, seed 4: a rule", 4)
    assert hunt.found_by(Fault(file, 20)) == "signals, seed 4: a rule"


@pytest.mark.parametrize(("found", "n"), [(8, 10), (0, 8), (200, 200)])
def test_the_interval_of_a_share_is_wilsons(found, n):
    wanted = binomtest(found, n).proportion_ci(method="wilson")
    assert interval(found, n) == pytest.approx((100.0 * wanted.low, 100.0 * wanted.high), abs=1e-6)
