"""`workbench backup STUDY TARGET`: a backup of a study in use; `--drill` proves that it can be restored."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study
from workbench.commands._progress import ByteBar
from workbench.commands._subcommand import Subcommand
from workbench.errors import RecordFault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, where backups lie, and the drill."""
    add_study(parser)
    parser.add_argument(
        "folder",
        type=Path,
        metavar="TARGET",
        help="folder that holds backups, best on another disk",
    )
    parser.add_argument(
        "--drill", action="store_true", help="then restore it into a temporary folder, verify it, and remove that"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Back up, drill, and print what was made and found."""
    from workbench.study.backup import backup

    with ByteBar() as bar:
        made = backup(arguments.study, arguments.folder, progress=bar)
    holds, said, found = _drilled(made.folder) if arguments.drill else (True, "", None)
    if arguments.json:
        print(as_json("backup", {**made.to_json(), "drill": found}, ok=holds))
    else:
        print("\n".join(part for part in (made.text(), said) if part))
    return 0 if holds else EXIT_DIFFERS


def _drilled(folder: Path) -> tuple[bool, str, dict[str, Any]]:
    """Whether a backup was restored and verified, in words and for programs."""
    from workbench.study.restore import drill

    try:
        with ByteBar() as bar:
            restored = drill(folder, progress=bar)
    except RecordFault as error:
        return False, f"drill: this backup can NOT be restored: {error}", {"ok": False, "problems": [str(error)]}
    rows = sum(restored.rows.values())
    counted = f"{restored.n_files} files and {rows} rows in {len(restored.rows)} tables, as the manifest says"
    waiting = f"; to be taken in by 'workbench end' there: {', '.join(restored.to_take_in)}"
    words = ["drill: this backup can be restored: ", counted]
    if restored.ok:
        words.append(f"; verified to audit row {restored.head[0]}")
    else:
        words.append(f"; what it holds does NOT verify: {restored.problems[0]}")
    if restored.to_take_in:
        words.append(waiting)
    found = {name: value for name, value in restored.to_json().items() if name not in ("folder", "entry")}
    return restored.ok, "".join(words), found


COMMAND = Subcommand(
    name="backup",
    help="back up a study while it is used, and prove that the backup can be restored",
    run=run,
    arguments=add_arguments,
    description="Back up a study while it is used, also while a session records: a new folder in TARGET with a "
    "manifest of every file. The keys are not in it, see 'workbench keys backup'. Exit 0: made, and with --drill "
    "restored and verified. 1: the drill found something. 2: refused.",
)
