"""`workbench systems`: the clinical systems of the register, this package's and those of others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.systems import Task


LARGEST = 10_000_000
"""Bytes of the largest document of figures."""
FIGURES = "stress.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two ways in which they are told beside a list."""
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE.md",
        help=f"write the document of every system, with figures from {FIGURES} beside it",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what each system is made of, and what of it is simulated, or write the document of all."""
    from workbench import systems

    if arguments.write is not None:
        if arguments.json:
            raise BadValue("--write and --json are two different answers; give one of them")
        _write(arguments.write)
        return 0
    every = [systems.load(name) for name in systems.available()]
    if arguments.json:
        print(as_json("systems", [systems.described(system) for system in every], ok=True))
        return 0
    for system in every:
        about = systems.described(system)
        print(f"{system.name}  {system.title}")
        for one in system.inputs:
            print(f"  input     {one.role}: {one.kind}{'' if one.critical else ', optional'}, {one.words}")
        for task in system.tasks:
            law = law_of(task)
            print(f"  task      {task.name}: {task.title} ({task.paradigm}, {task.decoder or 'no decoder'}{law})")
        print(f"  effector  {system.effector or 'none'}")
        print(f"  simulated {about['simulated'] or 'nothing: hardware or recordings only'}")
        print(f"  about     {system.published}")
        print(f"  from      {about['distribution'] or 'no distribution'} {about['version']}".rstrip())
    return 0


def law_of(task: Task) -> str:
    """The law of a task, and the share of assistance in what it asks for."""
    if task.law is None:
        return ""
    share = f", {task.law.share:g} of it assistance" if task.law.share else ""
    return f", law {task.law.law}{share}"


def _write(path: Path) -> None:
    """Write the document, with the figures of the document of long tests beside it."""
    from workbench import reading, systems, world

    # A folder, a device or a socket is no document, and a save would take its place.
    if not path.name or (reading.is_there(path, "--write") and not path.is_file()):
        raise BadValue(f"--write {reading.shown(path)} is not a regular file; name another document")
    beside = path.with_name(FIGURES)
    there = reading.is_there(beside, "document of figures")
    figures = reading.read_text(beside, "document of figures", largest=LARGEST) if there else ""
    text = systems.document(figures)
    try:
        world.disk.save(path, text.encode(), mode=0o644)
    except OSError as error:
        raise BadValue(
            f"--write {reading.shown(path)} cannot be written ({error.strerror}); name another document"
        ) from error
    print(f"{reading.shown(path)}: {len(systems.available())} systems")


COMMAND = Subcommand(
    name="systems",
    help="the clinical systems there are: inputs, tasks, effector, what is simulated",
    run=run,
    arguments=add_arguments,
)
