"""`workbench systems`: the clinical systems of the register, this package's and those of others."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.systems import System, Task


def run(arguments: argparse.Namespace) -> int:
    """Print what each system is made of, and what of it is simulated."""
    from workbench import systems

    every = [systems.load(name) for name in systems.available()]
    if arguments.json:
        print(as_json("systems", [_described(system) for system in every], ok=True))
        return 0
    for system in every:
        about = _described(system)
        print(f"{system.name}  {system.title}")
        for one in system.inputs:
            print(f"  input     {one.role}: {one.kind}{'' if one.critical else ', optional'}, {one.words}")
        for task in system.tasks:
            law = law_of(task)
            print(f"  task      {task.name}: {task.title} ({task.paradigm}, {task.decoder}{law})")
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


def _described(system: System) -> dict[str, Any]:
    """A system as a program reads it."""
    from workbench.systems import provenance

    return {
        **provenance(system),
        "title": system.title,
        "inputs": [
            {"role": one.role, "kind": one.kind, "critical": one.critical, "words": one.words}
            for one in system.inputs
        ],
        "tasks": [
            {
                "name": one.name,
                "title": one.title,
                "paradigm": one.paradigm,
                "decoder": one.decoder,
                "law": one.law,
            }
            for one in system.tasks
        ],
        "procedures": system.procedures,
        "effector": system.effector,
        "endpoints": system.endpoints,
        "simulated": "" if system.simulator is None else system.simulator.source,
        "published": system.published,
    }


COMMAND = Subcommand(
    name="systems",
    help="the clinical systems there are: inputs, tasks, effector, what is simulated",
    run=run,
    arguments=add_json,
)
