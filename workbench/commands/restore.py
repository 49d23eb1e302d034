"""`workbench restore BACKUP FOLDER`: a study out of a backup, checked and verified; nothing is overwritten."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_heads, add_json, given_heads, nonblank
from workbench.commands._progress import ByteBar
from workbench.commands._subcommand import Subcommand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the backup, the new folder, and what is known of the record from elsewhere."""
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="one backup, TARGET/TIME-ROW")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new folder, which becomes the study's")
    parser.add_argument(
        "--reason", type=nonblank, metavar="TEXT", help="after a loss: enter into the record that it was restored"
    )
    parser.add_argument(
        "--database",
        type=nonblank,
        metavar="URL",
        help="of a record that lay in PostgreSQL: the database that gets it (default: the one it was in)",
    )
    add_heads(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restore and print what was found."""
    from workbench.study.restore import restore

    known = given_heads(arguments)
    with ByteBar() as bar:
        restored = restore(
            arguments.backup,
            arguments.folder,
            actor=getpass.getuser(),
            reason=arguments.reason or "",
            known=known,
            copies=arguments.anchors,
            database=arguments.database or "",
            progress=bar,
        )
    print(as_json("restore", restored.to_json(), ok=restored.ok) if arguments.json else restored.text())
    return 0 if restored.ok else EXIT_DIFFERS


COMMAND = Subcommand(
    name="restore",
    help="restore a backup into a new folder, check every file and verify the record",
    run=run,
    arguments=add_arguments,
    description="Restore a backup into a new folder: every file is checked first, the record verified, nothing "
    "overwritten. Exit 0: restored, and it verifies. 1: restored, and something differs or newer entries are "
    "known. 2: refused, nothing was restored.",
)
