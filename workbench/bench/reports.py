"""Reports of trials: a final report with its estimates, and the flow of a thousand participants.

*Final report* writes HTML and PDF of a simulated trial that was locked and analysed by its plan; reading the
record and drawing every figure are in it. *Flow* reads the facts of a study of 1,000 people from its record, at
one data cut, and draws the flow of participants after CONSORT.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from workbench import estimation
from workbench.bench._items import Item, Result
from workbench.bench.record import many_people
from workbench.estimation import known_trial
from workbench.reports import _trial_facts, _trial_flow, trial_report
from workbench.reports._trial_say import TrialSay
from workbench.reports.texts import Texts
from workbench.study import Study
from workbench.study.keys import kept_in

PEOPLE, SCREENED = 80, 1000
"""Of the simulated trial, and of the study whose flow is drawn."""


@contextmanager
def _home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="workbench-bench-") as name, kept_in(Path(name) / "keys"):
        yield Path(name)


def _final_report(rounds: int) -> Result:
    seconds, made = [], None
    with _home() as home:
        folder = known_trial.simulate(home / "trial", known_trial.KnownTrial(n=PEOPLE), cut=False)
        with Study.open(folder, actor="bench") as study:
            name, script = known_trial.lock(study), study.script_signer("bench")
            analysed = estimation.analyse(
                study, plan=known_trial.plan(), where="plan", snapshot=name, signer=script, reason="bench"
            )
            estimation.write(analysed, home / "results")
            for _ in range(rounds):
                began = time.perf_counter()
                made = trial_report(
                    study, "final", snapshot=name, reader=script, reason="bench", results=home / "results"
                )
                seconds.append(time.perf_counter() - began)
            assert made is not None
            pages = pages_of(made.files["pdf"][0].read_bytes())
    return Result(median(seconds), min(seconds), max(seconds), f"HTML and PDF of {pages} pages, {rounds} rounds")


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has, by the objects of its pages.

    Parameters
    ----------
    pdf : the file.
    """
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def _flow(rounds: int) -> Result:
    seconds = []
    with _home() as home:
        many_people(home / "many", people=SCREENED)
        with Study.open(home / "many", actor="bench") as study:
            for _ in range(rounds):
                began = time.perf_counter()
                facts = _trial_facts.read(study, _trial_facts.Wanted("interim"))
                _trial_flow.flow(TrialSay(facts, Texts("en"), None, "", ""))
                seconds.append(time.perf_counter() - began)
    return Result(median(seconds), min(seconds), max(seconds), f"facts of the record and flow, {rounds} rounds")


ITEMS = (
    Item("report", "final report", f"{PEOPLE} participants", "s", "<=", 20.0, _final_report, 90.0),
    Item("report", "flow of participants", f"{SCREENED:,} participants", "s", "<=", 1.0, _flow, 60.0),
)
