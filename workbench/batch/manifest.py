"""What is to be computed: a file that names recordings by their hash, and nobody.

A task's id is the SHA-256 of all that its result depends on: recording, pipeline, decoder, parameters, seed, fold,
and the source of the program that decides. Two sites that plan the same task give it the same id, and a program
that may decide otherwise gives it another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue
from workbench.study.chain import canonical, clean, sha256

FORMAT = 1
"""Version of the layout of manifests and results."""
PIPELINES: Mapping[str, str] = {
    "redecode": "a stored run through its stored decoder, compared bit for bit with its recording",
    "cross_validate": "a decoder fitted on all but one fold of a calibration run and judged on that fold",
}
PROGRAM = ("decode.py", "decoders", "decoding", "fitting", "kernels", "paradigms", "runs", "signals")
"""Rooms by whose source a result may change."""
HASH = re.compile(r"[0-9a-f]{64}")
MOST_TASKS = 10_000_000
LARGEST_SEED = 2**31 - 1


@cache
def program() -> str:
    """SHA-256 over the source of :data:`PROGRAM`, 64 hexadecimal digits."""
    home, found = Path(__file__).parents[1], hashlib.sha256()
    for room in PROGRAM:
        for path in [home / room] if room.endswith(".py") else sorted((home / room).rglob("*.py")):
            found.update(f"{path.relative_to(home).as_posix()}\n".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work.

    Attributes
    ----------
    recording : SHA-256 of the recording's file.
    pipeline : one of :data:`PIPELINES`.
    decoder : of ``redecode`` the SHA-256 of the stored decoder, of ``cross_validate`` the name of the one to fit.
    params : of the decoder to fit.
    seed : 0 for labels as they are; with 1 or more they are permuted among the cued periods of the session.
    fold : from 0 on; of ``redecode`` always 0.
    """

    recording: str
    pipeline: str
    decoder: str
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    fold: int = 0

    def id(self, of_program: str) -> str:
        """SHA-256 of the task under a program, 64 hexadecimal digits."""
        return sha256(canonical({**asdict(self), "program": of_program}))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Tasks with the recordings that they need.

    Attributes
    ----------
    program : SHA-256 of the source under which it was planned (:func:`program`).
    recordings : SHA-256 → where the file lay in the study's folder: a hint, which a site need not follow.
    tasks : in the order of their ids.
    left_out : reason → number of runs that are in no task.
    """

    program: str
    recordings: Mapping[str, str]
    tasks: tuple[Task, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Plain data, without the hash."""
        return {"format": FORMAT, **asdict(self), "tasks": [asdict(task) for task in self.tasks]}

    @property
    def sha256(self) -> str:
        """SHA-256 of its canonical JSON."""
        return sha256(canonical(self.content()))

    def ids(self) -> dict[str, Task]:
        """The tasks by their ids."""
        return {task.id(self.program): task for task in self.tasks}

    def save(self, path: Path) -> None:
        """Write the file, in one step: the canonical JSON with its hash."""
        world.disk.save(path, (canonical({**self.content(), "sha256": self.sha256}) + "\n").encode(), mode=0o644)

    @classmethod
    def read(cls, path: Path | str) -> Manifest:
        """A manifest from its file.

        Raises
        ------
        BadValue
            For a file that is no manifest, was changed after it was written, or names what this program does not
            know.
        """
        path = Path(path)
        name = f"manifest {reading.shown(path)}"
        content = reading.parse_json(reading.read_text(path, "manifest"), name)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            got = content.get("format") if isinstance(content, dict) else content
            raise BadValue(
                f"{name} has the format {got!r:.40}, and {FORMAT} is known; plan it with this version: "
                "'workbench batch plan'"
            )
        stated = content.pop("sha256", None)
        if stated != sha256(canonical(content)):
            raise BadValue(f"{name} is not as it was planned: its hash differs; get the file again, or plan again")
        try:
            tasks = tuple(_task(one, name) for one in content["tasks"])
            recordings = {_hash(key, name): _hint(hint, name) for key, hint in content["recordings"].items()}
            left_out = {str(reason): int(n) for reason, n in content["left_out"].items()}
            read = cls(_hash(content["program"], name), recordings, tasks, left_out)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadValue(
                f"{name} lacks an entry or has one of another kind ({error!r:.80}); plan again"
            ) from error
        if missing := {task.recording for task in tasks} - set(recordings):
            raise BadValue(
                f"{name} has a task of the recording {min(missing)[:12]}, which it does not list; plan again"
            )
        return read

    def refuse_other_program(self) -> None:
        """Raise BadValue where this program may decide otherwise than the one that planned."""
        if self.program != program():
            raise BadValue(
                f"the manifest was planned with program {self.program[:12]} and this one is {program()[:12]}; "
                "install the version that planned it, or plan again"
            )


def ordered(tasks: Sequence[Task], of_program: str) -> tuple[Task, ...]:
    """Each task once, in the order of the ids."""
    return tuple(task for _, task in sorted({task.id(of_program): task for task in tasks}.items()))


def checked_pipeline(name: object) -> str:
    """A name of :data:`PIPELINES`; raises BadValue for any other."""
    if isinstance(name, str) and name in PIPELINES:
        return name
    raise BadValue(f"there is no pipeline {name!r:.60}; they are {', '.join(PIPELINES)}")


def _task(content: Any, name: str) -> Task:
    known = {one.name for one in fields(Task)}
    if not isinstance(content, dict) or set(content) != known:
        raise BadValue(
            f"{name}: a task has the entries {', '.join(sorted(known))}, got {content!r:.80}; plan again"
        )
    task = Task(**content)
    checked_pipeline(task.pipeline)
    _hash(task.recording, name)
    whole = all(type(n) is int and 0 <= n <= LARGEST_SEED for n in (task.seed, task.fold))
    if not whole or not isinstance(task.decoder, str) or not isinstance(task.params, dict):
        raise BadValue(
            f"{name}: seed and fold are integers from 0 on, decoder a text, params an object; got {content!r:.120}"
        )
    if task.pipeline == "redecode":
        _hash(task.decoder, name)
    clean(task.params)
    return task


def _hash(text: object, name: str) -> str:
    if isinstance(text, str) and HASH.fullmatch(text):
        return text
    raise BadValue(f"{name}: a SHA-256 has 64 hexadecimal digits, got {text!r:.80}; plan again")


def _hint(text: object, name: str) -> str:
    # A manifest comes from elsewhere: it must not lead out of the folder that a site names.
    path = PurePosixPath(text) if isinstance(text, str) else PurePosixPath("/")
    if path.is_absolute() or ".." in path.parts or "\\" in str(text) or "\0" in str(text):
        raise BadValue(f"{name}: a recording lies below the folder that is named, got {text!r:.80}; plan again")
    return str(text)
