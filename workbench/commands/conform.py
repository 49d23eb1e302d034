"""`workbench conform`: does a foreign effector, presenter or stream keep to its protocol? A certificate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import reading, world
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, number
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.conformance import Certificate


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the certificate as FILE.json and FILE.txt")
    add_json(parser)


def _add_effector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command_line", metavar="COMMAND", nargs="+", help="that starts the device, behind --; "
                        "{key} in it becomes the path of its key file")  # fmt: skip
    parser.add_argument(
        "--effector", default="glove", metavar="NAME", help="effector profile (default %(default)s)"
    )
    parser.add_argument(
        "--study", type=Path, metavar="STUDY", help="keep the certificate in this study, which then demands it"
    )
    _add_out(parser)


def _add_seconds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=number, default=60.0, metavar="S", help="how long to listen (default %(default)g)"
    )


def _add_presenter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("markers", metavar="MARKERS", help="name of the presenter's marker stream")
    parser.add_argument("photodiode", metavar="PHOTODIODE", help="name of the stream that has the photodiode")
    parser.add_argument(
        "--channel", default="", metavar="LABEL", help="of the photodiode, where there are several"
    )
    parser.add_argument(
        "--delay-ms", type=number, default=0.0, metavar="MS", help="delay that the protocol states (default 0)"
    )
    parser.add_argument(
        "--study", type=Path, metavar="STUDY", help="keep the certificate in this study, which then heeds it"
    )
    _add_seconds(parser)
    _add_out(parser)


def _add_stream(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the stream")
    _add_seconds(parser)
    parser.add_argument("--counter", default="", metavar="LABEL", help="channel that counts samples")
    _add_out(parser)


def _effector(arguments: argparse.Namespace) -> int:
    from workbench import control
    from workbench.conformance import conform_effector
    from workbench.conformance.effector import check_command

    control.load(arguments.effector)
    check_command(arguments.command_line)
    kept = [] if arguments.study is None else [_place_in(arguments.study, _of_effector(arguments))]
    places = _places(arguments, *kept)
    print("nobody may be in the effector: it closes and opens several times", file=sys.stderr)
    made = conform_effector(arguments.command_line, effector=arguments.effector)
    return _print(made, places, json=arguments.json)


def _of_effector(arguments: argparse.Namespace) -> Path:
    """Where the study keeps the certificate of an effector."""
    from workbench.hardware import certificates

    return certificates.place(arguments.study, arguments.effector)


def _of_presenter(arguments: argparse.Namespace) -> Path:
    """Where the study keeps the certificate of a presenter."""
    from workbench.hardware import certificates

    return certificates.place_of_presenter(arguments.study, arguments.markers)


def _place_in(study: Path, place: Path) -> Path:
    """The place in a study, made; refused where there is no study."""
    from workbench.study import migrate, record_file

    migrate.version_of(study / record_file.FILE)
    try:
        world.disk.mkdir(place.parent, exist_ok=True)
    except OSError as error:
        raise BadValue(
            f"--study {reading.shown(study)} cannot be written ({error.strerror}); name another study"
        ) from error
    return place


def _presenter(arguments: argparse.Namespace) -> int:
    from workbench.conformance import conform_presenter

    kept = [] if arguments.study is None else [_place_in(arguments.study, _of_presenter(arguments))]
    places = _places(arguments, *kept)
    with _seconds(arguments) as passed:
        made = conform_presenter(
            arguments.markers,
            arguments.photodiode,
            channel=arguments.channel,
            seconds=arguments.seconds,
            delay_ms=arguments.delay_ms,
            progress=passed,
        )
    return _print(made, places, json=arguments.json)


def _stream(arguments: argparse.Namespace) -> int:
    from workbench.conformance import conform_stream

    places = _places(arguments)
    with _seconds(arguments) as passed:
        made = conform_stream(
            arguments.name, seconds=arguments.seconds, counter=arguments.counter, progress=passed
        )
    return _print(made, places, json=arguments.json)


@contextmanager
def _seconds(arguments: argparse.Namespace) -> Iterator[Callable[[float], object]]:
    """A bar of the seconds that have passed."""
    from tqdm import tqdm

    with tqdm(total=arguments.seconds, file=sys.stderr, unit="s", disable=not sys.stderr.isatty()) as bar:
        yield lambda passed: bar.update(round(passed - bar.n, 1))


def _places(arguments: argparse.Namespace, *more: Path) -> list[Path]:
    """Where the certificate is kept; refused before anything is started where it cannot be."""
    places = [*([arguments.out] if arguments.out is not None else []), *more]
    for place in places:
        _check_writable(place)
    return places


def _print(made: Certificate, places: Sequence[Path], *, json: bool) -> int:
    for place in places:
        made.save(place)
    print(as_json(f"conform {made.kind}", made, ok=made.held) if json else made.as_text())
    return 0 if made.held else EXIT_DIFFERS


def _check_writable(out: Path) -> None:
    """Check that a certificate can be written, before anything is started."""
    from workbench.conformance.certificate import places

    for place in places(out):
        there = reading.is_there(place, "--out")
        if there and not place.is_file():
            raise BadValue(f"--out {reading.shown(place)} is no regular file; name another file")
        try:
            place.open("a", encoding="utf-8").close()
        except OSError as error:
            raise BadValue(
                f"--out {reading.shown(place)} cannot be written ({error.strerror}); name another file"
            ) from error
        if not there:
            place.unlink()


COMMAND = Subcommand(
    name="conform",
    help="test somebody else's effector, presenter or stream, with a certificate: effector, presenter, stream",
    description="Test whether an effector process, a presenter or a stream that is not ours keeps to its "
    "protocol: fact, measured, allowed, held. Exit 0 only when every fact holds, 1 when one does not.",
    actions=(
        Subcommand(
            "effector",
            "start a device and try its signatures, time to live, safe state, stop, clipping, replay, suspend",
            _effector,
            _add_effector,
            description="Start a device with nobody in it, pair with it, and try it as an engine and as a "
            "stranger. docs/effector_protocol.md is what it must do.",
        ),
        Subcommand(
            "presenter",
            "compare a presenter's markers with a photodiode: delay, late and dropped frames",
            _presenter,
            _add_presenter,
            description="Listen to a presenter whose screen shows its photodiode square, and to the photodiode, "
            "and match each marker with a change of light. docs/presenters.md describes the square.",
        ),
        Subcommand(
            "stream",
            "listen to a stream and judge rate, jitter, units, labels, clock offset, loss",
            _stream,
            _add_stream,
        ),
    ),
)
