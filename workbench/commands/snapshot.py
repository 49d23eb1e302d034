"""`workbench snapshot STUDY`: the named snapshots of a study, and a data cut of it as it is now."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_signers, add_study, nonblank
from workbench.commands._secret import confirmed
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.study.snapshots import SnapshotRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the name, and who cuts."""
    add_study(parser)
    parser.add_argument("--name", type=nonblank, metavar="NAME", help="cut the data now under this name")
    add_signers(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Cut the data where a name is given, and list every snapshot."""
    from workbench.study import Study
    from workbench.study.changes import CutData
    from workbench.study.snapshots import listed

    if arguments.name is None and (arguments.logins or arguments.reason):
        raise BadValue("--as and --reason go with --name NAME, which cuts the data; without it all are listed")
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        if arguments.name is not None:
            study.apply(CutData(arguments.name), confirmed(study, arguments.logins), arguments.reason)
        found = listed(study)
    if arguments.json:
        print(as_json("snapshot", found, ok=True))
        return 0
    for line in [_line(one) for one in found] or ["no snapshot yet; --name NAME cuts the data"]:
        print(line)
    return 0


def _line(one: SnapshotRow) -> str:
    kind = "data cut" if one.level == "soft" else "hard lock"
    there = "" if one.there else ", its file is NOT there"
    holds = f"{one.n_rows:,} rows, {one.n_bytes:,} bytes, as of entry {one.head[0]}"
    made = f"{kind} by {reading.shown(one.by)} on {one.utc}"
    return f"{one.name}  {made}: {holds}{there}\n    {one.path}  {one.sha256}"


COMMAND = Subcommand(
    name="snapshot",
    help="named snapshots of every data table, for analyses: cut one, list them",
    run=run,
    arguments=add_arguments,
    description="List the snapshots of a study, or cut the data now: with --name, --as of a data manager, --as of "
    "a statistician and --reason, every data table as it is now goes into one file of the folder 'snapshots', "
    "whose SHA-256 the record holds. Entry goes on. wb.open_study opens the file for reading; 'workbench verify' "
    "compares each with what the chain says of that moment.",
)
