"""`workbench batch plan|run|table`: decode many recordings again, spread over workers and sites."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study, integer, nonblank, options
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.batch import Executor, Ran

EXECUTORS = ("serial", "processes", "dask")


def _plan_arguments(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument(
        "--pipeline",
        action="append",
        required=True,
        type=nonblank,
        metavar="NAME",
        help="redecode or cross_validate; may repeat",
    )
    parser.add_argument(
        "--decoder", default="", metavar="NAME", help="of cross_validate: the decoder that is fitted"
    )
    parser.add_argument(
        "--set",
        dest="options",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of cross_validate: a parameter of the decoder; may repeat",
    )
    parser.add_argument(
        "--seeds",
        type=integer,
        default=0,
        metavar="N",
        help="of cross_validate: permutations of the labels beside the labels as they are (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="manifest; never replaced")
    add_json(parser)


def _plan(arguments: argparse.Namespace) -> int:
    from workbench import batch

    if reading.is_there(arguments.out, "--out"):
        raise BadValue(f"{reading.shown(arguments.out)} exists already; name another file for the manifest")
    manifest = batch.plan(
        arguments.study,
        arguments.pipeline,
        decoder=arguments.decoder,
        params=options(arguments.options),
        seeds=arguments.seeds,
    )
    try:
        manifest.save(arguments.out)
    except OSError as error:
        raise BadValue(
            f"--out {reading.shown(arguments.out)} cannot be written ({reading.why(error)}); name another file"
        ) from error
    answer = {
        "manifest": manifest.sha256,
        "tasks": len(manifest.tasks),
        "recordings": len(manifest.recordings),
        "left_out": manifest.left_out,
    }
    if arguments.json:
        print(as_json("batch plan", answer, ok=True))
        return 0
    print(f"{arguments.out}: {len(manifest.tasks)} tasks on {len(manifest.recordings)} recordings")
    for reason, n in manifest.left_out.items():
        print(f"left out: {n} runs, {reason}")
    print(f"SHA-256 {manifest.sha256}")
    return 0


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="file of 'batch plan'")
    parser.add_argument(
        "--recordings",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="recordings of this site, STUDY/recordings",
    )
    parser.add_argument(
        "--results", type=Path, required=True, metavar="DIR", help="a file a task; what is there is not done again"
    )
    parser.add_argument(
        "--executor", choices=EXECUTORS, default="serial", help="who carries tasks out (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=integer, metavar="N", help="of processes: how many (default: one a processor)"
    )
    parser.add_argument("--address", default="", metavar="URL", help="of dask: the scheduler, tcp://HOST:PORT")
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    from workbench import batch

    manifest = batch.Manifest.read(arguments.manifest)
    with _executor(arguments) as executor, _progress() as progress:
        ran = batch.run(manifest, arguments.recordings, arguments.results, executor=executor, progress=progress)
    if arguments.json:
        print(as_json("batch run", ran, ok=ran.ok))
    else:
        _show(ran)
    return 0 if ran.ok else EXIT_DIFFERS


def _show(ran: Ran) -> None:
    # The tasks of a recording fail for one reason, which is said once.
    for why, n in Counter(ran.failed.values()).items():
        print(f"{why}{f' ({n} tasks)' if n > 1 else ''}")
    if ran.left_out:
        print(f"left out: {ran.left_out} tasks, consent withdrawn since the manifest was made")
    print(
        f"{ran.computed} of {ran.tasks} tasks carried out, {ran.kept} were there, {len(ran.failed)} have no result"
    )
    print(f"combined SHA-256 {ran.combined}")


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor]:
    from workbench import batch
    from workbench.batch.executors import dask_at

    if arguments.workers is not None and (arguments.executor != "processes" or arguments.workers < 1):
        raise BadValue(
            f"--workers is 1 or more and goes with --executor processes, got {arguments.workers} and "
            f"{arguments.executor}; leave it out"
        )
    if bool(arguments.address) != (arguments.executor == "dask"):
        raise BadValue("--address and --executor dask go together; give both or none")
    if arguments.executor == "dask":
        with dask_at(arguments.address) as executor:
            yield executor
    elif arguments.executor == "processes":
        yield batch.Processes(arguments.workers or 0)
    else:
        yield batch.Serial()


class _Bar:
    """Tasks that are done, and the time left."""

    def __init__(self) -> None:
        self.bar = tqdm(file=sys.stderr, unit="task", disable=not sys.stderr.isatty())

    def __call__(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)


@contextmanager
def _progress() -> Iterator[_Bar]:
    progress = _Bar()
    with progress.bar:
        yield progress


def _table_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="folders of results, one a site")
    add_json(parser)


def _table(arguments: argparse.Namespace) -> int:
    from workbench import batch
    from workbench.batch.results import rows

    results = batch.merged(arguments.results)
    if arguments.json:
        answer = {"combined": batch.combined_hash(results), "rows": rows(results)}
        print(as_json("batch table", answer, ok=True))
    else:
        print(batch.as_csv(results), end="")
    return 0


COMMAND = Subcommand(
    name="batch",
    help="decode many recordings again, on this computer or a cluster, at one site or several",
    actions=(
        Subcommand(
            name="plan", help="write a manifest of tasks from a study", run=_plan, arguments=_plan_arguments
        ),
        Subcommand(
            name="run",
            help="carry out a manifest on the recordings of this site",
            run=_run,
            arguments=_run_arguments,
        ),
        Subcommand(
            name="table",
            help="merge the results of sites into one table, as CSV",
            run=_table,
            arguments=_table_arguments,
        ),
    ),
)
