"""The cases: each argument of each command with each bad value of its kind, all other arguments sound."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import UnknownName
from workbench.stress.hostile import _material
from workbench.study.backup import backup

TEXTS = (
    "",
    " ",
    "no such name",
    "../../etc/passwd",
    "a\nb",
    "<b>",
    "=1+1",
    "\N{WORLD MAP}",
    "x" * 100_000,
    "\udcff",
)
INTEGERS = ("x", "", "1.5", "1e3", "-1", "0x10", "nan", "1" + "0" * 20, "9" * 5000)
NUMBERS = ("x", "", "nan", "inf", "-inf", "-1", "0", "1e999", "1,5")
PAIRS = ("", "=", "=1", "novalue", "a==", "no_such_option=1", "a=" + "[" * 50_000, "\udcff=1", "a=\0")
CONDITIONS = ("", "T1", "T1=", "T1=a", "T1=a,T1=b", "T1=a,T2=a", "=,=", ",", "x" * 10_000)

LASTING = ("demo", "dashboard", "stress", "bench", "simulate", "serve", "conform effector", "conform stream")
"""Commands that run until they are ended: only input that they refuse at once is tried."""

SOUND_TEXT = {
    "measure": "arat", "dataset": "all", "name": "record", "keys": "isncsci", "run_id": "r1",
    "pseudonym": "SIM-01", "row_table": "participant", "row_id": "none",
}  # fmt: skip
"""Valid values of free-text arguments that a command needs before it looks at its other arguments."""

_WRITABLE = ("absent", "not UTF-8", "text", "empty", "sparse")
"""Paths that a file can be written to, or appended to."""

_POSSIBLE = {
    "output": _WRITABLE, "new": ("absent", "folder"), "identities create": ("absent", "folder", "not UTF-8"),
    "backup": ("absent", "folder", "not UTF-8"), "restore": ("absent", "not UTF-8"),
}  # fmt: skip
"""Paths at which a command, or any with an argument of a kind, can make what it is asked for."""

OWN_KINDS = ("options", "conditions", "source", "study", "folder", "identities", "table", "anchors", "backup")
"""Names of arguments that are also their kinds."""

_AT_ONCE = (
    "absent", "under a file", "long name", "long path", "not UTF-8", "zeros for ever", "text", "empty", "folder",
    "no right", "no right to the record", "no right to the folder", "record of another program",
)  # fmt: skip

STANDARD_INPUT = {
    "not UTF-8": b"\xff\xfe\n\x80\n",
    "nested": _material.NESTED.encode() + b"\n",
    "no JSON": b"dear diary\n",
    "a list": b"[1, 2]\n",
    "NUL": b"\0\n",
    "odd fields": b'{"id": [], "responses": 3, "exam": []}\n',
    "huge number": b'{"id": "a", "responses": {"grasp_1": 1' + b"0" * 5000 + b"}}\n",
    "one long line": b'{"id": "' + b"x" * 2_000_000 + b'"\n',
}


ASKS_FOR_A_SECRET = ("identities add", "identities find", "import", "keys backup", "people add", "people password")
NO_SECRET = ("not UTF-8", "one long line")
"""Contents of standard input that are not a secret."""


@dataclass(frozen=True)
class Case:
    """One call of ``workbench``.

    Attributes
    ----------
    name : command, argument and what is wrong.
    argv : of the call, without the program's name.
    stdin : standard input.
    unprivileged : to be run as an ordinary user, since root may read everything.
    fine : why exit 0 is correct nevertheless, ``""`` where it is not.
    """

    name: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    unprivileged: bool = False
    fine: str = ""


@dataclass
class _Bench:
    """Folders of the material, made once and used by all cases."""

    folder: Path
    study: Path = field(init=False)
    recording: Path = field(init=False)
    protocol: Path = field(init=False)
    identities: Path = field(init=False)
    backup: Path = field(init=False)
    exchanged: Path = field(init=False)
    manifest: Path = field(init=False)
    texts: dict[str, Path] = field(init=False)
    recordings: dict[str, Path] = field(init=False)
    studies: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.study = _material.sound_study(self.folder / "sound")
        self.recording = _material.sound_recording(self.folder / "sound.xdf")
        self.protocol = _material.sound_protocol(self.folder / "sound.toml")
        self.exchanged = _material.sound_exchange(self.folder / "sound.xml", self.protocol)
        self.manifest = _material.sound_manifest(self.folder / "sound.json", self.study)
        self.identities = _material.sound_identities(self.folder / "identities", self.study)
        self.backup = backup(self.study, self.folder / "backups").folder
        self.texts = _material.bad_texts(self.folder / "texts")
        self.recordings = _material.bad_recordings(self.folder / "recordings")
        self.studies = _material.bad_studies(self.folder / "studies", self.study)
        (self.folder / "nothing").mkdir()

    def paths(self, argument: str) -> dict[str, Path]:
        """Bad paths of one argument alone: what a command makes at one of them is met by no other case."""
        return _material.bad_paths(self.folder / "paths" / argument)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Every command of a parser with its own parser, those of nested commands too, by the words that call it."""
    return dict(_below(parser, ()))


def _below(
    parser: argparse.ArgumentParser, words: tuple[str, ...]
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    for action in nested:
        for name, below in action.choices.items():
            yield from _below(below, (*words, name))
    if not nested:
        yield " ".join(words), parser


def kind_of(action: argparse.Action) -> str:
    """The kind of an argument's value.

    Raises
    ------
    UnknownName
        When no hostile cases are known for it; add its kind here.
    """
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if action.nargs == 0:
        return "flag"
    if action.choices:
        return "choice"
    if kind := getattr(action.type, "kind", ""):
        return str(kind)
    if metavar == "STUDY":
        return "study"
    if action.dest in OWN_KINDS:
        return action.dest
    if action.dest in ("files", "recordings"):
        return "recording"
    if action.dest in ("protocol", "old", "new"):
        return "protocol"
    if action.dest in ("out", "write", "socket", "draft", "output", "keep", "cards"):
        return "output"
    if action.dest in ("plan", "manifest"):
        return "manifest"
    if action.dest == "published":
        return "study"
    if action.dest in ("results", "box"):
        return "folder"
    if action.dest in ("file", "report"):
        return "exchanged"
    if action.type is None:
        return "text"
    raise UnknownName(f"no hostile cases are known for the argument {action.dest!r}; name its kind in {__name__}")


def cases(parser: argparse.ArgumentParser, folder: Path) -> list[Case]:
    """All cases for the commands of a parser; their material is made in ``folder``, which must be new."""
    bench, every = _Bench(folder), []
    for words, command in commands(parser).items():
        actions = [a for a in command._actions if not isinstance(a, argparse._HelpAction)]
        for action in actions:
            for what, values in _bad(kind_of(action), bench, f"{words} {action.dest}"):
                if words in LASTING and not _refused_at_once(action, what):
                    continue
                argv = (*words.split(), *_others(actions, action, bench), *_given(action, values))
                option = action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)
                fine = _fine(words, action, what)
                every.append(Case(f"{words} {option}: {what}", argv, unprivileged="no right" in what, fine=fine))
        if words == "score":
            for what, text in STANDARD_INPUT.items():
                for measure in ("arat", "isncsci"):
                    every.append(Case(f"score {measure} < {what}", ("score", measure), stdin=text))
        if words in ASKS_FOR_A_SECRET:
            argv = (*words.split(), *_others(actions, None, bench))
            every += [Case(f"{words} < {what}", argv, stdin=STANDARD_INPUT[what]) for what in NO_SECRET]
    return every


def _bad(kind: str, bench: _Bench, argument: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Bad values of an argument of this kind, each with what is wrong with it."""
    texts: dict[str, tuple[str, ...]] = {
        "text": TEXTS, "integer": INTEGERS, "number": NUMBERS, "options": PAIRS, "conditions": CONDITIONS,
        "choice": TEXTS, "flag": (),
    }  # fmt: skip
    if kind in texts:
        for text in texts[kind]:
            yield ascii(text)[:30], (text,)
        return
    paths = bench.paths(argument)
    files: dict[str, tuple[dict[str, Path], ...]] = {
        "recording": (paths, bench.recordings),
        "study": (paths, bench.studies),
        "table": (paths, bench.texts),
        "protocol": (paths, bench.texts),
        "anchors": (paths, bench.texts),
        "backup": (paths, bench.texts),
        "source": (paths, bench.texts),
        "exchanged": (paths, bench.texts),
        "manifest": (paths, bench.texts),
        "folder": (paths,),
        "identities": (paths,),
        "output": (paths,),
    }
    for group in files[kind]:
        for what, path in group.items():
            values = ("redcap", str(path)) if kind == "source" else (str(path),)
            yield what, values


def _fine(words: str, action: argparse.Action, what: str) -> str:
    """Why exit 0 is correct for a bad value, ``""`` where it is not."""
    if action.default == "" and not what.strip("' "):
        return "a blank value is none, as if the option were left out"
    if action.dest in ("reason", "code", "title", "participant") and len(what) < 30:
        return "it is free text"
    if what in _POSSIBLE.get(words if kind_of(action) == "folder" else kind_of(action), ()):
        return "it can be written there"
    if kind_of(action) != "study" or what in _AT_ONCE or what.startswith(("record is ", "no right")):
        return ""
    if words != "verify":
        return "the command does not read what is damaged; verify names it"
    engine = what.split(" ")[0] in ("lock.json", "plan.json", "outcome.json", "key", "heartbeat", "engine.log")
    if engine or what.startswith(("anchors", "session ledger")):
        return "it is no part of the record; anchors that cannot be read are a warning"
    return ""


def _refused_at_once(action: argparse.Action, what: str) -> bool:
    """Whether a lasting command refuses to begin with this value."""
    if kind_of(action) == "study" and action.option_strings:  # A folder to create, which is possible there.
        return what not in ("absent", "folder", "not UTF-8")
    if kind_of(action) == "output":
        return what not in _WRITABLE
    return kind_of(action) != "study" or what in _AT_ONCE or what.startswith("record is ")


def _given(action: argparse.Action, values: tuple[str, ...]) -> tuple[str, ...]:
    """Values as arguments; one that begins with a dash must not be taken for an option."""
    if not action.option_strings:
        return ("--", *values)
    if len(values) == 1:
        return (f"{action.option_strings[0]}={values[0]}",)
    return (action.option_strings[0], *values)


def _others(actions: list[argparse.Action], bad: argparse.Action | None, bench: _Bench) -> tuple[str, ...]:
    """Valid values of all other required arguments, and the option that opens no browser."""
    arguments: list[str] = []
    for action in actions:
        if "--no-browser" in action.option_strings:
            arguments.append("--no-browser")
        needed = action.required or (not action.option_strings and action.nargs == "?")
        if action is not bad and needed:
            value = _sound(action, bench)
            arguments += [action.option_strings[0], value] if action.option_strings else [value]
    return tuple(arguments)


def _sound(action: argparse.Action, bench: _Bench) -> str:
    kind = kind_of(action)
    if kind == "choice" and action.choices:
        return str(next(iter(action.choices)))
    known = {
        "study": str(bench.study),
        "recording": str(bench.recording),
        "protocol": str(bench.protocol),
        "identities": str(bench.identities),
        "folder": str(bench.folder / "nothing"),
        "backup": str(bench.backup),
        "exchanged": str(bench.exchanged),
        "manifest": str(bench.manifest),
        "output": str(bench.folder / "new"),
        "integer": "1",
        "number": "1",
        "text": SOUND_TEXT.get(action.dest, "x"),
    }
    return known[kind]
