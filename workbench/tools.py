"""Commands that need no study: score an outcome measure, judge decoders, a bench."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from workbench import reading
from workbench.errors import BadSignal, BadValue

if TYPE_CHECKING:
    from workbench import evaluation

ALL = "all"
"""Every data set of which a folder holds recordings."""
LONGEST_LINE = 16 * 2**20
"""Bytes of the longest line of standard input that is read; a record of a measure has a few kB."""
LARGEST_SEED = 2**31 - 1
MOST_ROUNDS = 10_000
"""Turns of each contest; more would run for days."""
EXIT_DIFFERS = 1
"""Something differs, is damaged, or did not hold."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    _add_score(commands)
    _add_evaluate(commands)
    _add_bench(commands)


def number(text: str) -> float:
    """An argument that is a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, as in 4 or 0.5; got {text!r:.60}") from None


def whole(text: str) -> int:
    """An argument that is an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer, as in 7; got {text!r:.60}") from None


def words(text: str) -> str:
    """An argument that is text, and not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be blank; leave the option out where there is nothing to say")
    return text


def seed(text: str) -> int:
    """An argument that is a seed."""
    value = whole(text)
    if not 0 <= value <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {LARGEST_SEED}, got {text!r:.60}")
    return value


# What an argument takes; the hostile cases are chosen by it.
seed.kind = "whole"  # type: ignore[attr-defined]
number.kind = "number"  # type: ignore[attr-defined]
words.kind = "text"  # type: ignore[attr-defined]
whole.kind = "whole"  # type: ignore[attr-defined]


def _add_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "score an outcome measure: JSON lines from standard input to standard output, in the same order"
    score = commands.add_parser("score", help=text, description=f"{text[0].upper()}{text[1:]}.")
    score.add_argument("measure", metavar="MEASURE", help="isncsci takes {id, exam}, others {id, responses}")
    score.add_argument("--version", default="", help="version of the measure (default: the current one)")
    score.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="options",
        help="what the protocol settles, as JSON or text, such as --set skip_rule=true; may be repeated",
    )
    score.add_argument(
        "--from",
        nargs=2,
        metavar=("redcap", "FILE.csv"),
        dest="source",
        help="isncsci only: a raw REDCap export instead of standard input",
    )
    score.add_argument("--table", type=Path, metavar="FILE", help="CSV file of a licensed table the measure needs")
    score.set_defaults(run=_score)


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "judge decoders on recordings of known labels: data set by decoder by split"
    evaluate = commands.add_parser("evaluate", help=text, description=f"{text[0].upper()}{text[1:]}.")
    evaluate.add_argument("dataset", metavar="DATASET", help="its name, 'all', or 'list'")
    evaluate.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=Path, help="folder that holds its recordings"
    )
    evaluate.add_argument(
        "--decoder",
        action="append",
        default=[],
        metavar="NAME",
        help="may be repeated (default: the paradigm's own)",
    )
    evaluate.add_argument(
        "--every", action="store_true", help="each decoder that fits the paradigm, for comparison"
    )
    evaluate.add_argument("--split", default="", help="run, blocks or fixed (default: the data set's own)")
    evaluate.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="options",
        help="a parameter of the decoder, such as --set window_s=2; may be repeated",
    )
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write evaluation.csv and evaluation.svg there")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    from workbench import evaluation

    if arguments.dataset == "list":
        for name in evaluation.available():
            one = evaluation.load(name)
            print(f"{name:32s} {one.title}. {one.source}. Terms: {one.terms}")
        return 0
    folder = arguments.folder
    if folder is None or not reading.is_there(folder, "folder of recordings") or not folder.is_dir():
        raise BadValue(f"evaluate needs the folder of the recordings, got {reading.shown(folder or 'none')}")
    if arguments.out is not None:
        _make(arguments.out)
    params = _options(arguments.options)
    rows = []
    for dataset, people in _people(arguments.dataset, arguments.folder):
        pairs = [(epochs, name) for epochs in people for name in _decoders(arguments, dataset, epochs)]
        with tqdm(pairs, file=sys.stderr, unit="decoder", disable=not sys.stderr.isatty()) as bar:
            for epochs, name in bar:
                bar.set_description(f"{dataset.name} {epochs.participant} {name}".strip())
                rows.append(evaluation.judge(dataset, epochs, decoder=name, params=params, split=arguments.split))
    if not rows:
        where = reading.shown(folder)
        raise BadValue(f"{where} holds recordings of no data set; 'workbench evaluate list' names them")
    print(evaluation.as_text(rows))
    if arguments.out is not None:
        table, picture = arguments.out / "evaluation.csv", arguments.out / "evaluation.svg"
        table.write_text(evaluation.as_csv(rows), encoding="utf-8")
        evaluation.figure(rows, picture)
        print(f"{table}\n{picture}")
    return 0


def _decoders(
    arguments: argparse.Namespace, dataset: evaluation.Dataset, epochs: evaluation.Epochs
) -> Sequence[str]:
    from workbench.evaluation import all_of

    if arguments.every:
        return all_of(dataset.paradigm, n_channels=len(epochs.channels))
    return arguments.decoder or [""]


def _people(name: str, folder: Path) -> Iterator[tuple[evaluation.Dataset, list[evaluation.Epochs]]]:
    """The data set of that name; with ``all``, each one of which the folder holds recordings."""
    from workbench import evaluation

    if name != ALL:
        dataset = evaluation.load(name)
        yield dataset, list(dataset.read(folder))
        return
    for one in evaluation.available():
        dataset = evaluation.load(one)
        try:
            people = list(dataset.read(folder))
        except BadSignal as error:
            print(f"{one} left out: {error}", file=sys.stderr)
            continue
        yield dataset, people


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadValue(
            f"--out {reading.shown(folder)} cannot be made ({reading.why(error)}); name another folder"
        ) from error


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "speed and accuracy of the core beside its peers, in turns on this machine, each with its goal"
    bench = commands.add_parser("bench", help=text, description=f"{text[0].upper()}{text[1:]}.")
    bench.add_argument("keys", metavar="KEY", nargs="*", help="such as G1 or isncsci (default: everything)")
    bench.add_argument("--json", action="store_true", help="print JSON")
    bench.add_argument("--rounds", type=whole, default=15, metavar="N", help="turns of each contest (default 15)")
    bench.set_defaults(run=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    from workbench import bench
    from workbench.progress import Bar

    if not 1 <= arguments.rounds <= MOST_ROUNDS:
        raise BadValue(f"--rounds must be from 1 to {MOST_ROUNDS:,}, got {str(arguments.rounds):.60}")
    items = bench.chosen(arguments.keys)
    bar, rows = Bar(sum(item.seconds for item in items)), []
    for item in items:
        with bar.stage(f"{item.key} {item.what}, {item.size}"[:36], item.seconds):
            rows.append(bench.measure(item, rounds=arguments.rounds))
    bar.close()
    print(bench.as_json(rows) if arguments.json else bench.as_text(rows))
    return 0


def _options(texts: Sequence[str]) -> dict[str, Any]:
    """What ``--set`` said, each name once."""
    found: dict[str, Any] = {}
    for text in texts:
        name, value = _option(text)
        if name in found:
            raise BadValue(f"--set names {name} twice; give it one value")
        found[name] = value
    return found


def _option(text: str) -> tuple[str, Any]:
    """``NAME=VALUE``, its value as JSON or as text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadValue(f"--set takes NAME=VALUE, as in skip_rule=true; got {text!r:.80}")
    if value[:1] in ("[", "{"):
        return name, reading.parse_json(value, f"--set {name}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _score(arguments: argparse.Namespace) -> int:
    from workbench import outcomes
    from workbench.outcomes._lines import score_lines
    from workbench.outcomes._scoring import check_options, pick_version
    from workbench.outcomes._tables import read_table

    measure = outcomes.load(arguments.measure)
    if arguments.source is not None and arguments.measure != "isncsci":
        raise BadValue(f"--from reads examinations of isncsci alone, got {arguments.measure}; give JSON lines")
    options = _options(arguments.options)
    if arguments.table is not None:
        options["table"] = read_table(arguments.table)
    settled = check_options(pick_version(measure.definitions, arguments.version), options)
    if arguments.measure == "isncsci":
        from workbench.outcomes import isncsci

        readings = isncsci.Options(nli_vac=settled["nli_vac"], nonkey_zpp=settled["nonkey_zpp"])
        if arguments.source is None:
            answers = isncsci.score_lines(standard_input(), options=readings)
        else:
            answers = isncsci.redcap_lines(_export(*arguments.source), options=readings)
    else:
        answers = score_lines(measure, standard_input(), version=arguments.version, **options)
    lines = failed = 0
    for line in answers:
        lines += 1
        failed += '"error":' in line and "error" in json.loads(line)
        print(line)
    if not lines:
        print("nothing was scored: the input holds no line; give one JSON object a line", file=sys.stderr)
    elif failed:
        print(f"{failed} of {lines} lines could not be scored; their answers say why", file=sys.stderr)
    return EXIT_DIFFERS if failed or not lines else 0


def _export(kind: str, path: str) -> list[str]:
    """Lines of a REDCap export, their ends kept."""
    if kind != "redcap":
        raise BadValue(f"--from reads redcap, got {kind!r}; other exports come as JSON lines on standard input")
    return reading.read_text(Path(path), "--from redcap", signed=True).splitlines(keepends=True)


def standard_input() -> Iterator[str]:
    """Lines of standard input, their ends kept.

    Raises
    ------
    BadValue
        For a line that is not UTF-8, or that has not ended after :data:`LONGEST_LINE` bytes.
    """
    source = getattr(sys.stdin, "buffer", sys.stdin)  # a text stream that somebody put in its place has none
    for number in itertools.count(1):
        line = source.readline(LONGEST_LINE + 1)
        if not line:
            return
        what = f"line {number} of standard input"
        if len(line) > LONGEST_LINE:
            raise BadValue(f"{what} has more than {LONGEST_LINE:,} bytes, which is the most; break it into lines")
        yield line if isinstance(line, str) else reading.decoded(line, what)
