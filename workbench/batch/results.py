"""Results: a file a task, written in one step, with a hash of its own. Metrics alone: no sample, person, path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from workbench import delimited, reading, world
from workbench.batch.manifest import FORMAT, Task
from workbench.errors import BadValue, WorkbenchError
from workbench.study.chain import canonical, clean, sha256

LARGEST = 2**20
"""Bytes of the largest result; metrics of a task have a few hundred."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a task found.

    Attributes
    ----------
    id : of the task. task : itself. program : under which it was carried out.
    metrics : name → number, text or truth value.
    sha256 : over all of it.
    """

    id: str
    task: Task
    program: str
    metrics: Mapping[str, Any]
    sha256: str

    @classmethod
    def of(cls, task: Task, program: str, metrics: Mapping[str, Any]) -> Result:
        """The result of a task with its hash.

        Parameters
        ----------
        task : that was carried out.
        program : SHA-256 of the source that carried it out.
        metrics : what was found; plain data.
        """
        kept = clean(metrics)
        body = _body(task, program, kept)
        return cls(body["id"], task, program, kept, sha256(canonical(body)))

    def save(self, folder: Path) -> None:
        """Write ``<id>.json``: there whole or not at all."""
        body = _body(self.task, self.program, self.metrics)
        data = (canonical({**body, "sha256": self.sha256}) + "\n").encode()
        world.disk.save(folder / f"{self.id}.json", data, mode=0o644)

    @classmethod
    def read(cls, path: Path) -> Result:
        """A result from its file.

        Raises
        ------
        BadValue
            For a file that is torn, was changed, or is no result.
        """
        text = reading.read_text(path, "result", largest=LARGEST)
        content = reading.parse_json(text, f"result {reading.shown(path)}")
        try:
            task = Task(**content["task"])
            made = cls.of(task, content["program"], content["metrics"])
        except (KeyError, TypeError, AttributeError, WorkbenchError) as error:
            raise BadValue(f"{reading.shown(path)} is no result of a task; run the manifest again") from error
        if content.get("sha256") != made.sha256 or path.stem != made.id or content.get("format") != FORMAT:
            raise BadValue(
                f"{reading.shown(path)} is not as it was written: its hash differs; delete it and run the "
                "manifest again"
            )
        return made


def _body(task: Task, program: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": task.id(program),
        "task": asdict(task),
        "program": program,
        "metrics": dict(metrics),
    }


def stored(folder: Path, task_id: str) -> Result | None:
    """The result of a task, None where there is none or it is not whole."""
    path = folder / f"{task_id}.json"
    try:
        return Result.read(path) if path.is_file() else None
    except BadValue:
        return None


def combined_hash(results: Iterable[Result]) -> str:
    """SHA-256 over the pairs of task id and result hash in the order of the ids."""
    return sha256(canonical(sorted([one.id, one.sha256] for one in results)))


def merged(folders: Sequence[Path]) -> list[Result]:
    """Results of several sites in the order of their ids, each task once.

    Raises
    ------
    BadValue
        For a folder that is not there, a file that is no whole result, or two different results of one task.
    """
    found: dict[str, Result] = {}
    for folder in folders:
        if not folder.is_dir():
            raise BadValue(
                f"there is no folder of results {reading.shown(folder)}; name one that 'batch run' wrote"
            )
        for path in sorted(folder.glob("*.json")):
            result = Result.read(path)
            other = found.setdefault(result.id, result)
            if other.sha256 != result.sha256:
                raise BadValue(
                    f"task {result.id[:12]} has two different results, one in {reading.shown(folder)}; run it "
                    "again at both sites and compare their versions of NumPy and SciPy"
                )
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class Row:
    """A result as a row.

    Attributes
    ----------
    task : its id. recording : SHA-256 of the recording.
    pipeline, decoder, seed, fold : of the task.
    n, right : what was judged and what of it was right; ``unit`` says of what: trial, selection, cued period.
    equal : of ``redecode`` whether every decision is the recorded one, bit for bit; else None.
    decisions : compared, of ``redecode``; else None.
    decision_hash : over the decisions that were made, ``""`` where none are.
    sha256 : of the result.
    """

    task: str
    recording: str
    pipeline: str
    decoder: str
    seed: int
    fold: int
    n: int
    right: int
    unit: str
    equal: bool | None
    decisions: int | None
    decision_hash: str
    sha256: str


def rows(results: Iterable[Result]) -> list[Row]:
    """A row for each result."""
    return [
        Row(
            one.id,
            one.task.recording,
            one.task.pipeline,
            one.task.decoder,
            one.task.seed,
            one.task.fold,
            one.metrics["n"],
            one.metrics["right"],
            one.metrics["unit"],
            one.metrics.get("equal"),
            one.metrics.get("decisions"),
            one.metrics.get("decision_hash", ""),
            one.sha256,
        )
        for one in results
    ]


def as_csv(results: Iterable[Result]) -> str:
    """The rows as CSV, a line of column names first."""
    columns = [one.name for one in fields(Row)]
    return delimited.to_text(columns, ([getattr(row, name) for name in columns] for row in rows(results)))


def frame(results: Iterable[Result]) -> Any:
    """The rows as a ``pandas.DataFrame``."""
    from workbench import tables

    return tables.of_dataclass(Row, rows(results))
