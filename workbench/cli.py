"""`workbench …`: the same six verbs on the command line. Errors are one sentence and a non-zero exit.

Exit codes: 0 done, 1 something differs or is damaged, 2 refused, 130 stopped by Ctrl+C or by the system.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn

from workbench import __version__, exams, tools
from workbench.commands import end, keys, migrate, pair, people, stop, stress, verify
from workbench.errors import BadValue, WorkbenchError

EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130
LONGEST_SENTENCE = 2000
"""Characters of an error that are printed; what is longer quotes what somebody typed."""
LANGUAGES = ("en", "zh-CN")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    sys.excepthook = _unforeseen
    _named.clear()
    arguments = _parser().parse_args(argv)
    _named.update(vars(arguments))
    try:
        _refuse_broken_text(arguments)
        with _asked_to_end():
            code: int = arguments.run(arguments)
            sys.stdout.flush()
    except WorkbenchError as error:
        print(f"workbench {arguments.command}: {_one_line(error)}", file=sys.stderr)
        return EXIT_REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return tools.EXIT_DIFFERS
    except KeyboardInterrupt:
        print(f"workbench {arguments.command}: stopped by you; what was recorded is kept", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


def _one_line(error: WorkbenchError | str) -> str:
    """A sentence that stays one, also where it quotes what somebody typed."""
    text = " ".join(str(error).split())
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]} …"


def _refuse_broken_text(arguments: argparse.Namespace) -> None:
    """Texts that are not UTF-8 cannot be looked up, stored or printed; paths may be whatever the system allows."""
    for name, value in vars(arguments).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii() and text.encode("utf-8", "replace").decode() != text:
                raise BadValue(f"{name.replace('_', '-')} must be UTF-8 text, got {text!a:.80}; type it again")


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM, and the closing of the terminal, end a command in the same good order as Ctrl+C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What no command foresaw: damage of the study that was named, where it has any, else a defect of ours.

    The user gets a sentence, the traceback goes to a file.
    """
    if kind is MemoryError:
        print(
            f"workbench: there is not enough memory for this ({error or 'no more could be had'}); close other "
            "programs, or take a smaller file",
            file=sys.stderr,
        )
        return
    with tempfile.NamedTemporaryFile("w", prefix="workbench-defect-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(kind, error, trace)))
    if damage := _damage(_named.get("study")):
        print(f"workbench: the study is damaged, and this could not be done: {damage}", file=sys.stderr)
        return
    print(
        f"workbench: this is a defect of the workbench, not of your data: {kind.__name__}: {error}. "
        f"What was recorded is kept. Send {file.name} with your report",
        file=sys.stderr,
    )


_named: dict[str, Any] = {}
"""Arguments of the command that runs, for the last handler."""


def _damage(study: Any) -> str:
    """What is wrong with the study that a command was given, ``""`` when nothing is, or none was given."""
    from workbench.study import verify

    if not isinstance(study, Path):
        return ""
    try:
        found = verify(study)
    except (WorkbenchError, OSError) as error:
        return str(error)
    if found.ok:
        return ""
    return f"{found.problems[0]}; 'workbench verify {study}' names everything that is wrong"


class _Parser(argparse.ArgumentParser):
    """Refuses in one sentence of bounded length, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """Print usage and sentence, and exit with 2."""
        super().error(_one_line(message))


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="workbench", description="Workbench for spinal-cord-injury BCI trials. Research use."
    )
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_study_commands(commands)
    _add_file_commands(commands)
    tools.add(commands)
    for one in (verify, migrate, keys, people, pair, stop, end, stress):
        one.add(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="one session from amplifier to report, on a simulated participant",
        description="One session from amplifier to report in at most 3 minutes, on a simulated participant or on "
        "recordings that are played through LSL.",
        epilog="Recordings: workbench demo --recordings A.edf B.edf --conditions T1=hands,T2=feet",
    )
    demo.add_argument(
        "--study", type=Path, metavar="DIR", help="study folder to create (default: study-demo-DATE-TIME, here)"
    )
    demo.add_argument("--append", action="store_true", help="add a session to the existing study --study")
    demo.add_argument(
        "--seed", type=tools.whole, default=1, metavar="N", help="seed of the simulation (default 1)"
    )
    demo.add_argument(
        "--speed",
        type=tools.number,
        metavar="X",
        help="times real time, 0.1 to 100 (default: to end in 3 minutes)",
    )
    demo.add_argument("--no-browser", action="store_true", help="end without offering JupyterLab or the dashboard")
    demo.add_argument(
        "--recordings",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="play recordings (EDF, BDF, BrainVision, GDF, FIF, XDF) instead of the simulation: "
        "the first calibrate, the last is decoded online",
    )
    demo.add_argument(
        "--conditions", metavar="T1=a,T2=b", help="two annotations of the recordings and the conditions they mean"
    )
    demo.add_argument(
        "--unit", type=tools.words, metavar="UNIT", help="of recordings that state none: uV, mV, V, nV"
    )
    demo.add_argument(
        "--declared-by", type=tools.words, metavar="NAME", help="who vouches for --unit; it goes into the record"
    )
    demo.add_argument("--language", choices=LANGUAGES, default="en", help="language of the report (default en)")
    demo.set_defaults(run=_demo)


def _add_study_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        made.add_argument("study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db)")
        return made

    replay = command("replay", "decode every stored run again and compare, bit for bit")
    replay.add_argument("--run", dest="run_id", metavar="ID", help="one run only")
    replay.set_defaults(run=_replay)
    dashboard = command("dashboard", "serve the session dashboard of a study on this computer")
    dashboard.add_argument("--port", type=tools.whole, default=0, metavar="N", help="default: any free port")
    dashboard.add_argument("--no-browser", action="store_true", help="print the address only")
    shows = ("session", "assessments")
    dashboard.add_argument("--show", choices=shows, default="session", help="what it shows (default: %(default)s)")
    dashboard.set_defaults(run=_dashboard)
    report = command("report", "write the session report of a study again")
    report.add_argument("--language", choices=LANGUAGES, default="en", help="default en")
    report.set_defaults(run=_report)
    exams.add(command)


def _add_file_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, text in (
        ("recover", "save all that is whole in a torn or damaged recording and say what was lost"),
        ("inspect", "what a recording holds, and whether each chunk is whole"),
    ):
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument(
            "files", type=Path, nargs="+", metavar="FILE", help="recording, STUDY/recordings/*.xdf"
        )
        command.set_defaults(run=_recover if name == "recover" else _inspect)


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
            unit=arguments.unit or "",
            declared_by=arguments.declared_by or "",
            language=arguments.language,
        )
    )


def _conditions(text: str | None) -> dict[str, str]:
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


def _replay(arguments: argparse.Namespace) -> int:
    from workbench.runs import replay_study

    results = replay_study(arguments.study, run_id=arguments.run_id)
    for result in results:
        print(result.sentence)
    different = [result.run for result in results if not result.equal]
    print(f"{len(results) - len(different)} of {len(results)} runs equal the record bit for bit")
    if not different:
        return 0
    print(
        f"different: {', '.join(different)}. 'workbench verify {arguments.study}' names every file that is not "
        "the recorded one; restore it from the backup"
    )
    return tools.EXIT_DIFFERS


def _dashboard(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.widgets.dashboard import serve

    if not 0 <= arguments.port <= 65535:
        raise BadValue(f"--port must be from 1 to 65535, or 0 for any free one; got {arguments.port}")
    Study.open(arguments.study, actor="command line").close()
    open_browser = not arguments.no_browser
    dashboard = serve(arguments.study, port=arguments.port, open_browser=open_browser, dashboard=arguments.show)
    print(f"Dashboard  {dashboard.url}")
    print("Ctrl+C ends the dashboard; a session that runs goes on", flush=True)
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


def _recover(arguments: argparse.Namespace) -> int:
    from workbench.recording.recover import recover

    damaged = False
    for file in arguments.files:
        recovery = recover(file)
        print(recovery.sentence)
        damaged |= recovery.damaged
    return tools.EXIT_DIFFERS if damaged else 0


def _inspect(arguments: argparse.Namespace) -> int:
    from workbench.recording.recover import inspect

    quarantined = False
    for file in arguments.files:
        inspection = inspect(file)
        print(inspection.text())
        quarantined |= inspection.quarantined
    return tools.EXIT_DIFFERS if quarantined else 0


if __name__ == "__main__":
    sys.exit(main())
