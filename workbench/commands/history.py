"""`workbench history STUDY TABLE ID`: what happened to a row, or to one field of it."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_study
from workbench.commands._subcommand import Subcommand
from workbench.errors import UnknownName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the row, and a field of it."""
    add_study(parser)
    parser.add_argument("row_table", metavar="TABLE", help="of the record, as participant or assessment")
    parser.add_argument("row_id", metavar="ID", help="of the row")
    parser.add_argument("--field", metavar="NAME", help="show only what changed this field")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print every entry about the row, oldest first, and the hash that a signature of it takes."""
    from workbench.study import Study
    from workbench.study.applying import bound_now

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        row = study.get(arguments.row_table, arguments.row_id)
        if arguments.field is not None and arguments.field not in row:
            known = ", ".join(row)
            raise UnknownName(f"{arguments.row_table} has no field {arguments.field!r}; those there are: {known}")
        entries = [
            {**entry, "changed": _changed(entry, arguments.field)}
            for entry in study.history(arguments.row_table, arguments.row_id)
        ]
        digest = bound_now(study, [(arguments.row_table, arguments.row_id)])[1]
    if arguments.field is not None:
        entries = [entry for entry in entries if entry["changed"] or entry["redacted"]]
    if arguments.json:
        print(as_json("history", {"entries": entries, "sha256": digest}, ok=True))
        return 0
    for entry in entries:
        because = f" ({entry['reason']})" if entry["reason"] else ""
        print(f"{entry['seq']}  {entry['utc']}  {entry['actor']}: {entry['action']}{because}")
        if entry["redacted"]:
            print("    what stood here was redacted")
        for name, (before, after) in entry["changed"].items():
            print(f"    {name}: {reading.shown(before)} → {reading.shown(after)}")
    print(f"sha256 to sign: {digest}")
    return 0


def _changed(entry: dict[str, Any], field: str | None) -> dict[str, tuple[Any, Any]]:
    """Columns that an entry changed, with what stood there before and after."""
    new, old = entry["new"] or {}, entry["old"]
    names = [name for name in (new if old is None else old) if name not in ("id", "row_version")]
    return {name: (None if old is None else old[name], new.get(name)) for name in names if field in (None, name)}


COMMAND = Subcommand(
    name="history",
    help="what happened to a row or one field of it: when, by whom, why, from what to what",
    run=run,
    arguments=add_arguments,
)
