"""`workbench keys`: back up, restore, rotate and show the keys of a study. A passphrase is never an argument."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from workbench import reading, tools
from workbench.errors import BadValue


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its own sub-commands to the parser."""
    keys = commands.add_parser(
        "keys",
        help="back up, restore, rotate and show the keys of a study",
        description="Keys of a study: HMAC for the audit chain, Ed25519 for signed heads. They lie outside the "
        "study folder, in $WORKBENCH_KEYS or your configuration folder. One account can only ever be "
        "tamper-evident.",
    )
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="where the keys are, and the public ones, to be compared elsewhere")
    show.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    show.set_defaults(run=_show)
    backup = actions.add_parser("backup", help="write the keys to FILE, encrypted with a passphrase")
    backup.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    backup.add_argument("out", type=Path, metavar="FILE", help="a new file, best on another disk")
    backup.set_defaults(run=_backup)
    restore = actions.add_parser("restore", help="bring the keys of a backup to this computer")
    restore.add_argument("backup", type=Path, metavar="FILE", help="the backup")
    restore.set_defaults(run=_restore)
    rotate = actions.add_parser("rotate", help="bring new keys into use; the first ones where there were none")
    rotate.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    rotate.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    rotate.set_defaults(run=_rotate)


def _show(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.keys import KeyRing, public_keys

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        ring = KeyRing(study.id)
    print(f"key file: {ring.path}{'' if ring.keys else ' (not on this computer)'}")
    for epoch, public in sorted(public_keys(arguments.study).items()):
        print(f"key {epoch}: public {public}{'' if epoch in ring.keys else ', secret half not on this computer'}")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.keys import backup

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        study_id = study.id
    path = backup(study_id, arguments.out, secret("Passphrase of the backup", new=True))
    print(f"the keys are backed up in {path}; without the passphrase the file is worthless, keep both apart")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from workbench.study.keys import restore

    ring = restore(arguments.backup, secret("Passphrase of the backup"))
    print(f"{len(ring.keys)} keys of study {ring.study_id} are on this computer now, in {ring.path}")
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        epoch = study.rotate_keys(reason=arguments.reason)
    print(f"key {epoch} is in use; back it up now with 'workbench keys backup {arguments.study} FILE'")
    return 0


def secret(prompt: str, *, new: bool = False) -> str:
    """A secret from the terminal, without echo, or the first line of standard input.

    Raises
    ------
    BadValue
        When none was given, it is not UTF-8, or the repetition of a new one differs.
    """
    if not sys.stdin.isatty():
        given = next(tools.standard_input(), "").rstrip("\r\n")
    else:
        given = getpass.getpass(f"{prompt}: ")
        if new and getpass.getpass("Again: ") != given:
            raise BadValue("the two entries differ; nothing was done, try again")
        given = reading.decoded(given.encode("utf-8", "surrogateescape"), prompt.lower())
    if not given:
        raise BadValue(
            f"{prompt.lower()}: nothing was given; type it at the terminal or pass it on standard input"
        )
    return given
