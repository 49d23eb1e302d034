"""`workbench …`: the same six verbs on the command line. Errors are one sentence and a non-zero exit."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from workbench import __version__
from workbench.errors import BadValue, WorkbenchError

EXIT_DIFFERS = 1
EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    sys.excepthook = _defect
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except WorkbenchError as error:
        print(f"workbench {arguments.command}: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        print(f"workbench {arguments.command}: stopped by you; what was recorded is kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A defect of ours: the user gets a sentence, the traceback goes to a file."""
    with tempfile.NamedTemporaryFile("w", prefix="workbench-defect-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(kind, error, trace)))
    print(
        f"workbench: this is a defect of the workbench, not of your data: {kind.__name__}: {error}. "
        f"What was recorded is kept. Send {file.name} with your report",
        file=sys.stderr,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="workbench", description="Workbench for spinal-cord-injury BCI trials. Research use."
    )
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_study_commands(commands)
    _add_file_commands(commands)
    _add_dose(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="one session from amplifier to report, on a simulated participant")
    demo.add_argument("--study", type=Path, metavar="DIR", help="study folder (default: a new one here)")
    demo.add_argument("--append", action="store_true", help="add a session to an existing study")
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the simulation (default 1)")
    demo.add_argument(
        "--speed", type=float, metavar="X", help="stream time over real time (default: to end in 3 minutes)"
    )
    demo.add_argument("--no-browser", action="store_true", help="end without offering JupyterLab or the dashboard")
    demo.add_argument(
        "--recordings", type=Path, nargs="+", metavar="FILE", help="replay recordings instead; the last is online"
    )
    demo.add_argument("--conditions", metavar="T1=a,T2=b", help="annotations of the recordings and what they mean")
    demo.add_argument("--language", choices=("en", "zh-CN"), default="en", help="language of the report")
    demo.set_defaults(run=_demo)


def _add_study_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = commands.add_parser("replay", help="decode every stored run again and compare, bit for bit")
    replay.add_argument("study", type=Path)
    replay.add_argument("--run", dest="run_id", metavar="ID", help="one run only")
    replay.set_defaults(run=_replay)
    dashboard = commands.add_parser("dashboard", help="serve the session dashboard of a study on this computer")
    dashboard.add_argument("study", type=Path)
    dashboard.add_argument("--port", type=int, default=0, help="default: any free port")
    dashboard.add_argument("--no-browser", action="store_true")
    dashboard.set_defaults(run=_dashboard)
    report = commands.add_parser("report", help="write the session report of a study again")
    report.add_argument("study", type=Path)
    report.add_argument("--language", choices=("en", "zh-CN"), default="en")
    report.set_defaults(run=_report)
    verify = commands.add_parser("verify", help="check the audit chain, the tables and the recordings of a study")
    verify.add_argument("study", type=Path)
    verify.set_defaults(run=_verify)


def _add_file_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, text in (
        ("recover", "cut a torn recording to its last whole chunk and say what was lost"),
        ("inspect", "what a recording holds, and whether each chunk is whole"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("file", type=Path)
        command.set_defaults(run=_recover if name == "recover" else _inspect)


def _add_dose(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    dose = commands.add_parser("dose", help="a long fault test that prints its figures")
    dose.add_argument("name", help="which one; 'list' names them")
    dose.add_argument("--n", type=int, help="how many times (default: the full dose)")
    dose.add_argument("--seed", type=int, default=1)
    dose.add_argument("--out", type=Path, metavar="FILE.md", help="append the figures to this document")
    dose.set_defaults(run=_dose)


def _demo(arguments: argparse.Namespace) -> int:
    from workbench.demo import Options, run

    return run(
        Options(
            study=arguments.study,
            append=arguments.append,
            seed=arguments.seed,
            speed=arguments.speed,
            browser=not arguments.no_browser,
            recordings=tuple(arguments.recordings or ()),
            conditions=_conditions(arguments.conditions),
            language=arguments.language,
        )
    )


def _conditions(text: str | None) -> dict[str, str]:
    """``T1=hands,T2=feet`` as a mapping."""
    if not text:
        return {}
    pairs = [part.split("=", 1) for part in text.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise BadValue(f"--conditions must look like T1=hands,T2=feet, got {text!r}")
    return {annotation.strip(): name.strip() for annotation, name in pairs}


def _replay(arguments: argparse.Namespace) -> int:
    from workbench.live import replay_study

    results = replay_study(arguments.study, run_id=arguments.run_id)
    for result in results:
        print(result.sentence)
    equal = sum(r.equal for r in results)
    print(f"{equal} of {len(results)} runs equal the record bit for bit")
    return 0 if equal == len(results) else EXIT_DIFFERS


def _dashboard(arguments: argparse.Namespace) -> int:
    from workbench.widgets.dashboard import serve

    dashboard = serve(arguments.study, port=arguments.port, open_browser=not arguments.no_browser)
    print(f"Dashboard  {dashboard.url}")
    print("Ctrl+C ends the dashboard; a session that runs goes on")
    try:
        return dashboard.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        dashboard.stop()


def _report(arguments: argparse.Namespace) -> int:
    from workbench.reports import session_report
    from workbench.study import Study

    with Study.open(arguments.study, actor="command line") as study:
        files = session_report(study, language=arguments.language)
    print(files.html)
    print(files.pdf)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from workbench.study import verify

    verification = verify(arguments.study)
    print(verification.text())
    return 0 if verification.ok else EXIT_DIFFERS


def _recover(arguments: argparse.Namespace) -> int:
    from workbench.recording.recover import recover

    print(recover(arguments.file).sentence)
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from workbench.recording.recover import inspect

    inspection = inspect(arguments.file)
    print(inspection.text())
    return EXIT_DIFFERS if inspection.quarantined else 0


def _dose(arguments: argparse.Namespace) -> int:
    from workbench.doses import DOSES, run

    if arguments.name == "list":
        for name, dose in DOSES.items():
            print(f"{name:24s} {dose.what} (full dose: {dose.full})")
        return 0
    figures = run(arguments.name, n=arguments.n, seed=arguments.seed)
    print(figures.text())
    if arguments.out is not None:
        figures.append_to(arguments.out)
    return 0 if figures.held else EXIT_DIFFERS


if __name__ == "__main__":
    sys.exit(main())
