"""`workbench evaluate DATASET FOLDER`: judge decoders on recordings of known labels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, options
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadSignal, BadValue

if TYPE_CHECKING:
    from workbench import evaluation

    _Recording = TypeVar("_Recording", evaluation.Epochs, evaluation.ContinuousRuns)

ALL = "all"
"""Every data set with recordings in the folder."""


@dataclass(frozen=True)
class _Results:
    """What was judged, in each form in which it is shown; ``name`` is that of the files."""

    name: str
    text: str
    records: list[dict[str, Any]]
    csv: str
    draw: Callable[[Path], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data set, folder, decoders, split, and where the table goes."""
    parser.add_argument("dataset", metavar="DATASET", help="its name, 'all', or 'list'")
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, help="folder that holds its recordings")
    parser.add_argument(
        "--decoder",
        action="append",
        default=[],
        metavar="NAME",
        help="may be repeated (default: the paradigm's own)",
    )
    parser.add_argument("--every", action="store_true", help="each decoder that fits the paradigm, for comparison")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="beside each decoder the algorithms of MetaBCI and pyRiemann like it, on the same windows",
    )
    parser.add_argument("--split", default="", help="run, blocks or fixed (default: the data set's own)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="options",
        help="a parameter of the decoder, such as --set window_s=2; may be repeated",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="decode continuous runs by the paradigm's own rule, each with what all other runs trained",
    )
    parser.add_argument(
        "--rule",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="with --stream, a parameter of the rule, such as --rule onset_window_s=2; may be repeated",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write evaluation.csv and evaluation.svg there")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the judged decoders, or the list of data sets."""

    if arguments.dataset == "list":
        _list(arguments)
        return 0
    folder = arguments.folder
    if folder is None or not reading.is_there(folder, "folder of recordings") or not folder.is_dir():
        raise BadValue(f"evaluate needs the folder of the recordings, got {reading.shown(folder or 'none')}")
    if arguments.out is not None:
        # Before hours of evaluation: a folder that cannot be written would lose the result.
        _create(arguments.out)
    results = _of_streams(arguments) if arguments.stream else _of_epochs(arguments)
    if not results.records:
        where = reading.shown(folder)
        raise BadValue(f"{where} contains recordings of no data set; 'workbench evaluate list' names them")
    files = [] if arguments.out is None else _write(results, arguments.out)
    if arguments.json:
        print(as_json("evaluate", {"judged": results.records, "files": files}, ok=True))
    else:
        print("\n".join([results.text, *map(str, files)]))
    return 0


def _list(arguments: argparse.Namespace) -> None:
    from workbench import evaluation

    datasets = {name: evaluation.load(name) for name in evaluation.available()}
    if arguments.json:
        listed = [
            {"name": name, "title": dataset.title, "source": dataset.source, "terms": dataset.terms}
            for name, dataset in datasets.items()
        ]
        print(as_json("evaluate list", listed, ok=True))
        return
    for name, dataset in datasets.items():
        print(f"{name:32s} {dataset.title}. {dataset.source}. Terms: {dataset.terms}")


def _of_epochs(arguments: argparse.Namespace) -> _Results:
    """Epochs of known classes, each decided by itself."""
    from workbench import evaluation

    if arguments.rule:
        raise BadValue("--rule is for continuous runs; add --stream")
    params, rows = options(arguments.options), []
    for dataset, participants in _recordings(arguments, lambda dataset: dataset.read):
        for epochs, name in _pairs(arguments, dataset, participants):
            for peer in _peers(arguments, dataset, name, len(epochs.channels)):
                rows.append(
                    evaluation.judge(
                        dataset, epochs, decoder=name, params=params, split=arguments.split, peer=peer
                    )
                )
    return _Results(
        "evaluation",
        evaluation.as_text(rows),
        evaluation.to_records(rows),
        evaluation.as_csv(rows),
        lambda path: evaluation.figure(rows, path),
    )


def _of_streams(arguments: argparse.Namespace) -> _Results:
    """Continuous runs, decided by the paradigm's rule."""
    from workbench import evaluation

    if arguments.split:
        raise BadValue("--stream always leaves one run out; leave --split out")
    params, rule, rows = options(arguments.options), options(arguments.rule, flag="--rule"), []
    for dataset, participants in _recordings(arguments, _runs_of):
        for runs, name in _pairs(arguments, dataset, participants):
            for peer in _peers(arguments, dataset, name, len(runs.channels)):
                rows.append(
                    evaluation.judge_stream(dataset, runs, decoder=name, params=params, rule=rule, peer=peer)
                )
    return _Results(
        "evaluation_stream",
        evaluation.streams_as_text(rows),
        evaluation.streams_to_records(rows),
        evaluation.streams_as_csv(rows),
        lambda path: evaluation.streams_figure(rows, path),
    )


def _runs_of(dataset: evaluation.Dataset) -> Callable[[Path], Iterable[evaluation.ContinuousRuns]]:
    if dataset.read_runs is None:
        raise BadSignal(f"{dataset.name} has no continuous runs to decode; leave --stream out")
    return dataset.read_runs


def _write(results: _Results, folder: Path) -> list[Path]:
    table, picture = folder / f"{results.name}.csv", folder / f"{results.name}.svg"
    table.write_text(results.csv, encoding="utf-8")
    results.draw(picture)
    return [table, picture]


def _pairs(
    arguments: argparse.Namespace, dataset: evaluation.Dataset, participants: Sequence[_Recording]
) -> Iterator[tuple[_Recording, str]]:
    """Each participant with the name of each decoder, behind a progress bar."""
    pairs = [(one, name) for one in participants for name in _decoders(arguments, dataset, len(one.channels))]
    with tqdm(pairs, file=sys.stderr, unit="decoder", disable=not sys.stderr.isatty()) as bar:
        for recording, name in bar:
            bar.set_description(f"{dataset.name} {recording.participant} {name}".strip())
            yield recording, name


def _peers(
    arguments: argparse.Namespace, dataset: evaluation.Dataset, name: str, n_channels: int
) -> list[evaluation.Peer | None]:
    """None for the decoder itself, then what stands beside it and is installed; what is not is said."""
    from workbench.evaluation import PEERS, default_of

    beside: list[evaluation.Peer | None] = [None]
    if arguments.peers:
        for peer in PEERS.get(name or default_of(dataset.paradigm, n_channels=n_channels)[0], ()):
            if peer.installed:
                beside.append(peer)
            else:
                print(f"{peer.name} is left out: {peer.package.split('.')[0]} is not installed", file=sys.stderr)
    return beside


def _decoders(arguments: argparse.Namespace, dataset: evaluation.Dataset, n_channels: int) -> Sequence[str]:
    from workbench.evaluation import all_of

    if arguments.every:
        return all_of(dataset.paradigm, n_channels=n_channels)
    return arguments.decoder or [""]


def _recordings(
    arguments: argparse.Namespace,
    reader_of: Callable[[evaluation.Dataset], Callable[[Path], Iterable[_Recording]]],
) -> Iterator[tuple[evaluation.Dataset, list[_Recording]]]:
    """The data set that is asked for; with ``all``, each one with recordings in the folder."""
    from workbench import evaluation

    if arguments.dataset != ALL:
        dataset = evaluation.load(arguments.dataset)
        yield dataset, list(reader_of(dataset)(arguments.folder))
        return
    for available in evaluation.available():
        dataset = evaluation.load(available)
        try:
            participants = list(reader_of(dataset)(arguments.folder))
        # With "all", recordings of other data sets are expected to be missing; a named one must be there.
        except BadSignal as error:
            print(f"{available} left out: {error}", file=sys.stderr)
            continue
        yield dataset, participants


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadValue(
            f"--out {reading.shown(folder)} cannot be created ({reading.why(error)}); name another folder"
        ) from error


COMMAND = Subcommand(
    name="evaluate",
    help="judge decoders on recordings of known labels: data set by decoder by split",
    run=run,
    arguments=add_arguments,
)
