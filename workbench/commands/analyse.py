"""`workbench analyse STUDY`: run an analysis plan on a snapshot of a study."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_signers, add_study, nonblank
from workbench.commands._secret import confirmed
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue
from workbench.messages import Message

if TYPE_CHECKING:
    from workbench.estimation import AnalysisResult, EstimateRow, LookRow, Results
    from workbench.study import Study
    from workbench.study.people import Signer

DEFAULT = Path("results")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the plan, the snapshot, where results go, and who learns the arms."""
    add_study(parser)
    parser.add_argument(
        "--plan",
        type=Path,
        metavar="FILE",
        help="the analysis plan (default: drafted from the protocol's estimands)",
    )
    parser.add_argument(
        "--draft", type=Path, metavar="FILE", help="write the drafted plan into a new file, and end"
    )
    parser.add_argument(
        "--snapshot",
        type=nonblank,
        metavar="NAME",
        help="of 'workbench snapshot' (default: the newest)",
    )
    parser.add_argument(
        "--output", type=Path, default=DEFAULT, metavar="FOLDER", help="for the results (default: %(default)s)"
    )
    add_signers(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draft a plan, or run one and write its results."""
    from workbench import estimation
    from workbench.study import Study
    from workbench.study.protocol import LARGEST

    if arguments.draft is not None and arguments.plan is not None:
        raise BadValue("--draft writes a plan and --plan reads one; give one of the two")
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        if arguments.draft is not None:
            estimation.write_draft(estimation.draft(estimation.protocol_of(study)), arguments.draft)
            print(
                f"{reading.shown(arguments.draft)}: check every line, then 'workbench analyse STUDY --plan FILE'"
            )
            return 0
        estimation.check_folder(arguments.output)
        text, where = None, "draft"
        if arguments.plan is not None:
            where = reading.shown(arguments.plan)
            text = reading.read_text(arguments.plan, Message("estimation.file"), largest=LARGEST, signed=True)
        made = estimation.analyse(
            study, plan=text, where=where, snapshot=arguments.snapshot or "", signer=_signer(study, arguments),
            reason=arguments.reason or "analysis", progress=_progress,
        )  # fmt: skip
    estimation.write(made, arguments.output)
    ok = not made.results.refused
    if arguments.json:
        print(as_json("analyse", made.results, ok=ok))
    else:
        for line in _lines(made.results, arguments.output):
            print(line)
    return 0 if ok else EXIT_DIFFERS


def _signer(study: Study, arguments: argparse.Namespace) -> Signer | None:
    """Who learns the arms: whoever signs in, or a script where nobody is real."""
    if len(arguments.logins) > 1:
        raise BadValue("--as names one person who learns the arms; leave the others out")
    if arguments.logins:
        return confirmed(study, arguments.logins)[0].signer
    people = study.rows("participant")
    simulated = bool(people) and all(row["simulated"] for row in people)
    return study.script_signer(getpass.getuser()) if simulated else None


def _progress(n: int, of: int, name: str) -> None:
    sys.stderr.write(f"[{n}/{of}] {name}\n")
    sys.stderr.flush()


def _lines(results: Results, folder: Path) -> Iterator[str]:
    cut = results.snapshot
    kind = "data cut" if cut["level"] == "soft" else "hard lock"
    simulated = "SIMULATED participants; " if results.simulated else ""
    taken = f"{cut['name']} ({kind}, entry {cut['head'][0]}, {cut['sha256'][:12]})"
    yield f"{simulated}snapshot {taken}, plan {results.plan['sha256'][:12]}"
    for one in results.analyses:
        yield from _analysis(one)
    yield f"written to {reading.shown(folder)}"


def _analysis(one: AnalysisResult) -> Iterator[str]:
    head = f"{one.name} ({one.role}, estimand {one.estimand}, {one.method}, {one.population})"
    if one.status == "refused":
        yield f"{head}: refused: {one.refusal}"
        return
    yield f"{head}:"
    for row in one.estimates:
        yield f"  {_estimate(row)}"
    if one.look:
        yield f"  {_look(one.look)}"
    if one.confirmation:
        verdict = "rejected" if one.confirmation.rejected else "not rejected"
        yield f"  in the order of tests: no difference {verdict}, adjusted p = {one.confirmation.p_adjusted:.4g}"
    for note in one.notes:
        yield f"  {note}"


def _look(look: LookRow) -> str:
    head = (
        f"look {look.number} of {look.of} at {100 * look.fraction:.3g} % of the information: "
        f"statistic {look.z:.4g}, boundary {look.boundary:.4g}"
    )
    if look.p is None:
        return f"{head}, the trial goes on; repeated interval {look.low:.4g} to {look.high:.4g}"
    verdict = "reached" if look.crossed else "not reached"
    estimate = f"{look.value:.4g} ({look.adjusted_low:.4g} to {look.adjusted_high:.4g})"
    return f"{head}, {verdict}; stagewise p = {look.p:.4g}, median-unbiased estimate {estimate}"


def _estimate(row: EstimateRow) -> str:
    what = f"{row.arm} against {row.reference}" + (f" at {row.visit}" if row.visit else "")
    delta = "" if row.delta is None else f", delta {row.delta:g}"
    interval = "" if row.low is None or row.high is None else f" ({row.low:.4g} to {row.high:.4g})"
    df = "" if row.df is None else f", df {row.df:.4g}"
    return (
        f"{what}{delta}: {row.scale.replace('_', ' ')} {row.value:.4g}{interval}, p = {row.p:.4g}{df}, n = {row.n}"
    )


COMMAND = Subcommand(
    name="analyse",
    help="run an analysis plan on a snapshot, and write estimates that lead back to the record",
    run=run,
    arguments=add_arguments,
    description="Estimate what the protocol's estimands ask for, as a plan file says (--draft writes one to begin "
    "with), on a snapshot that a data cut or a lock left. Whoever signs in with --as learns the arms, and each "
    "reading is in the audit chain. An analysis that cannot be made is refused in a sentence, the others are made "
    "all the same, and the exit code is 1. The folder of results holds the arms: keep it from blinded people.",
)
