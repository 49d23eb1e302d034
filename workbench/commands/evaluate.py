"""`workbench evaluate DATASET FOLDER`: judge decoders on recordings of known labels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, options
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadSignal, BadValue

if TYPE_CHECKING:
    from workbench import evaluation

ALL = "all"
"""Every data set with recordings in the folder."""


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
    parser.add_argument("--split", default="", help="run, blocks or fixed (default: the data set's own)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="options",
        help="a parameter of the decoder, such as --set window_s=2; may be repeated",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write evaluation.csv and evaluation.svg there")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the judged decoders, or the list of data sets."""
    from workbench import evaluation

    if arguments.dataset == "list":
        _list(arguments)
        return 0
    folder = arguments.folder
    if folder is None or not reading.is_there(folder, "folder of recordings") or not folder.is_dir():
        raise BadValue(f"evaluate needs the folder of the recordings, got {reading.shown(folder or 'none')}")
    if arguments.out is not None:
        # Before hours of evaluation: a folder that cannot be written would lose the result.
        _create(arguments.out)
    rows = _judge(arguments)
    if not rows:
        where = reading.shown(folder)
        raise BadValue(f"{where} contains recordings of no data set; 'workbench evaluate list' names them")
    files = [] if arguments.out is None else _write(rows, arguments.out)
    if arguments.json:
        result = {"judged": evaluation.to_records(rows), "files": files}
        print(as_json("evaluate", result, ok=True))
    else:
        print("\n".join([evaluation.as_text(rows), *map(str, files)]))
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


def _judge(arguments: argparse.Namespace) -> list[evaluation.Judged]:
    from workbench import evaluation

    params, rows = options(arguments.options), []
    for dataset, participants in _recordings(arguments.dataset, arguments.folder):
        pairs = [(epochs, name) for epochs in participants for name in _decoders(arguments, dataset, epochs)]
        with tqdm(pairs, file=sys.stderr, unit="decoder", disable=not sys.stderr.isatty()) as bar:
            for epochs, name in bar:
                bar.set_description(f"{dataset.name} {epochs.participant} {name}".strip())
                rows.append(evaluation.judge(dataset, epochs, decoder=name, params=params, split=arguments.split))
    return rows


def _write(rows: Sequence[evaluation.Judged], folder: Path) -> list[Path]:
    from workbench import evaluation

    table, picture = folder / "evaluation.csv", folder / "evaluation.svg"
    table.write_text(evaluation.as_csv(rows), encoding="utf-8")
    evaluation.figure(rows, picture)
    return [table, picture]


def _decoders(
    arguments: argparse.Namespace, dataset: evaluation.Dataset, epochs: evaluation.Epochs
) -> Sequence[str]:
    from workbench.evaluation import all_of

    if arguments.every:
        return all_of(dataset.paradigm, n_channels=len(epochs.channels))
    return arguments.decoder or [""]


def _recordings(name: str, folder: Path) -> Iterator[tuple[evaluation.Dataset, list[evaluation.Epochs]]]:
    """The data set of that name; with ``all``, each one with recordings in the folder."""
    from workbench import evaluation

    if name != ALL:
        dataset = evaluation.load(name)
        yield dataset, list(dataset.read(folder))
        return
    for available in evaluation.available():
        dataset = evaluation.load(available)
        try:
            participants = list(dataset.read(folder))
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
