"""`workbench keys`: back up, restore, rotate and show the keys of a study. A passphrase is never an argument."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench.commands._arguments import add_study
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand


def _add_backup(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("out", type=Path, metavar="FILE", help="a new file, best on another disk")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, metavar="FILE", help="the backup")


def _add_rotate(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


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
    path = backup(study_id, arguments.out, ask_secret("Passphrase of the backup", new=True))
    print(f"the keys are backed up in {path}; without the passphrase the file is worthless, keep both apart")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from workbench.study.keys import restore

    ring = restore(arguments.backup, ask_secret("Passphrase of the backup"))
    print(f"{len(ring.keys)} keys of study {ring.study_id} are on this computer now, in {ring.path}")
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        epoch = study.rotate_keys(reason=arguments.reason)
    print(f"key {epoch} is in use; back it up now with 'workbench keys backup {arguments.study} FILE'")
    return 0


COMMAND = Subcommand(
    name="keys",
    help="back up, restore, rotate and show the keys of a study",
    description="Keys of a study: HMAC for the audit chain, Ed25519 for signed heads. They lie outside the "
    "study folder, in $WORKBENCH_KEYS or your configuration folder. One account can only ever be "
    "tamper-evident.",
    actions=(
        Subcommand("show", "where the keys are, and the public ones, to be compared elsewhere", _show, add_study),
        Subcommand("backup", "write the keys to FILE, encrypted with a passphrase", _backup, _add_backup),
        Subcommand("restore", "bring the keys of a backup to this computer", _restore, _add_restore),
        Subcommand(
            "rotate", "bring new keys into use; the first ones where there were none", _rotate, _add_rotate
        ),
    ),
)
