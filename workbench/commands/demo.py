"""`workbench demo`: one session from amplifier to report, on a simulated participant or on recordings."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from workbench.commands._arguments import add_language, add_system, integer, nonblank, number
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add folder, speed and source."""
    parser.add_argument(
        "--study", type=Path, metavar="DIR", help="study folder to create (default: study-demo-DATE-TIME, here)"
    )
    parser.add_argument(
        "--trial",
        action="store_true",
        help="a whole trial of 32 simulated participants instead of a session, locked and analysed",
    )
    add_system(parser)
    parser.add_argument("--task", type=nonblank, metavar="NAME", help="of the system (default: its usual one)")
    parser.add_argument("--append", action="store_true", help="add a session to the existing study --study")
    parser.add_argument(
        "--seed", type=integer, default=1, metavar="N", help="seed of the simulation (default %(default)s)"
    )
    parser.add_argument(
        "--speed", type=number, metavar="X", help="times real time, 0.1 to 100 (default: to end in 3 minutes)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="end without offering JupyterLab or the dashboard"
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="play recordings (EDF, BDF, BrainVision, GDF, FIF, XDF) instead of the simulation: "
        "the first calibrate, the last is decoded online",
    )
    parser.add_argument(
        "--conditions", metavar="T1=a,T2=b", help="two annotations of the recordings and the conditions they mean"
    )
    parser.add_argument(
        "--unit", type=nonblank, metavar="UNIT", help="of recordings that state none: uV, mV, V, nV"
    )
    parser.add_argument(
        "--declared-by", type=nonblank, metavar="NAME", help="who vouches for --unit; it goes into the record"
    )
    add_language(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the session; its modules take seconds to import and are therefore imported here."""
    if arguments.trial:
        from workbench.commands import _demo_trial

        _refuse_others(arguments)
        return _demo_trial.run(arguments.study, arguments.seed)
    # Modules stay: to look for garbage among them would take a fifth of that time.
    gc.disable()
    try:
        from workbench.commands import _demo_session
    finally:
        gc.enable()

    return _demo_session.run(
        _demo_session.Options(
            study=arguments.study,
            system=arguments.system or "",
            task=arguments.task or "",
            append=arguments.append,
            seed=arguments.seed,
            speed=arguments.speed,
            browser=not arguments.no_browser,
            recordings=tuple(arguments.recordings or ()),
            conditions=parse_conditions(arguments.conditions),
            unit=arguments.unit or "",
            declared_by=arguments.declared_by or "",
            language=arguments.language,
        )
    )


def _refuse_others(arguments: argparse.Namespace) -> None:
    """Options of a session have no meaning for a trial, and are not passed over."""
    given = ("system", "task", "append", "speed", "recordings", "conditions", "unit", "declared_by")
    for name in given:
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise BadValue(f"{option} is about a session; --trial takes --study and --seed")


def parse_conditions(text: str | None) -> dict[str, str]:
    """``T1=hands,T2=feet`` as a mapping."""
    if text is None:
        return {}
    pairs = [[side.strip() for side in part.split("=")] for part in text.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise BadValue(f"--conditions must look like T1=hands,T2=feet, got {text!r}")
    names = [annotation for annotation, _ in pairs]
    for annotation in names:
        if names.count(annotation) > 1:
            raise BadValue(
                f"--conditions names {annotation!r} twice, got {text!r}; give each annotation one meaning"
            )
    return dict(pairs)


COMMAND = Subcommand(
    name="demo",
    help="one session from amplifier to report, on a simulated participant",
    run=run,
    arguments=add_arguments,
    description="One session from amplifier to report in at most 3 minutes, on a simulated participant or on "
    "recordings that are played through LSL.",
    epilog="Recordings: workbench demo --recordings A.edf B.edf --conditions T1=hands,T2=feet",
)
