"""The trial of `workbench demo --trial`: from protocol to the final report, of simulated participants.

New study folder → protocol, allocation, visits, who left → results refused before the lock → lock → results beside
the effect that was simulated → signed final report. Everything is labelled simulated.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import estimation, reading, world
from workbench.commands._arguments import LARGEST_SEED
from workbench.commands._progress import Bar
from workbench.errors import BadValue, RecordFault, Refused
from workbench.estimation import known_trial
from workbench.reports import signing, trial_report
from workbench.study import Study

if TYPE_CHECKING:
    from workbench.estimation import EstimateRow, Results
    from workbench.estimation.known_trial import Truth
    from workbench.reports import TrialReport
    from workbench.study import Signer

STEP_S, REST_S = 0.03, 16.0
"""Expected seconds of what happens to one participant once, and of all that follows; they only scale the bar."""
RESULTS = "results"


def run(folder: Path | None, seed: int) -> int:
    """Simulate a trial of 32 at three sites, lock it, analyse and report it, and print results beside the truth.

    Parameters
    ----------
    folder : of the study to be; None for one here, named after the moment. Results lie beside it.
    seed : of the simulation.

    Raises
    ------
    BadValue
        For a seed outside what a simulation takes.
    RecordFault
        The folder is there already, or cannot be written.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise BadValue(f"--seed must be an integer from 0 to {LARGEST_SEED}, got {seed}")
    where = folder or Path(f"study-trial-{world.clock.local():%Y%m%d-%H%M%S}")
    if where.exists() and any(where.iterdir()):
        raise RecordFault(f"{reading.shown(where)} is there already; name a new folder with --study")
    trial = known_trial.KnownTrial(seed=seed)
    bar = Bar(STEP_S * trial.most_steps + REST_S)
    with bar.stage("32 simulated participants", STEP_S * trial.most_steps):
        done = iter(range(1, trial.most_steps + 1))
        known_trial.simulate(where, trial, cut=False, step=lambda: bar.inside(STEP_S * next(done)))
    results = where.with_name(f"{where.name}-{RESULTS}")
    try:
        with Study.open(where, actor=getpass.getuser()) as study:
            refusal = _refused(study)
            bar.begin("lock")
            name = known_trial.lock(study)
            bar.begin("analyses")
            script = study.script_signer(getpass.getuser())
            made = estimation.analyse(
                study, plan=known_trial.plan(), where="plan", snapshot=name, signer=script, reason="demo"
            )
            estimation.write(made, results)
            bar.begin("final report")
            report = _signed_report(study, name, script, results)
    finally:
        bar.close()
    print(f"before the lock: refused: {refusal}")
    for line in _lines(made.results, trial.truth):
        print(line)
    print(f"study {reading.shown(where)}, results {reading.shown(results)}")
    for path, digest in report.files.values():
        print(f"final report {reading.shown(path)}  {digest}")
    return 0


def _signed_report(study: Study, snapshot: str, reader: Signer, results: Path) -> TrialReport:
    """The final report as it is issued: a draft that two scripts sign, and made again with their signatures."""

    def made() -> TrialReport:
        return trial_report(study, "final", snapshot=snapshot, reader=reader, reason="demo", results=results)

    draft = made().files["pdf"][0]
    for role in signing.ROLES:
        signing.sign_report(study, draft, study.script_signer(role), role)
    return made()


def _refused(study: Study) -> str:
    """The sentence by which an analysis is refused before there is a lock."""
    try:
        estimation.analyse(study, plan=known_trial.plan())
    except Refused as error:
        return str(error)
    raise AssertionError("there is no snapshot yet")


def _lines(results: Results, truth: Truth) -> Iterator[str]:
    yield f"SIMULATED trial, {results.snapshot['name']} at entry {results.snapshot['head'][0]}:"
    for one in results.analyses:
        for row in one.estimates:
            yield f"  {one.name} ({one.method}): {_beside(row, truth.of(row.scale))}"
        yield from (f"    {note}" for note in one.notes)
        if one.status == "refused":
            yield f"  {one.name} ({one.method}): refused: {one.refusal}"


def _beside(row: EstimateRow, truth: float | None) -> str:
    delta = "" if row.delta is None else f" delta {row.delta:g},"
    interval = "" if row.low is None or row.high is None else f" ({row.low:.3g} to {row.high:.3g})"
    # What is made worse on purpose, or has no interval, is not compared.
    if truth is None or row.low is None or row.high is None or row.delta:
        told = ""
    else:
        told = f"; simulated {truth:.3g}, {'inside' if row.low <= truth <= row.high else 'outside'}"
    return f"{row.scale.replace('_', ' ')}{delta} {row.value:.3g}{interval}, p = {row.p:.2g}{told}"
