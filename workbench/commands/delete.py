"""`workbench delete STUDY PARTICIPANT`: delete what is held of somebody who asked for it, once it was shown."""

from __future__ import annotations

import argparse
import getpass
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import reading
from workbench.commands._answer import as_json, plain
from workbench.commands._arguments import add_json, add_signers, add_study, nonblank
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue, Refused, UnknownName

if TYPE_CHECKING:
    from workbench.study import Signer, Study
    from workbench.study.deletion import Deleted, DeletionPlan

SHOWN = 12
"""Digits of the plan's hash that are printed and given back."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the participant, what is asked for, and who does it."""
    add_study(parser)
    parser.add_argument("pseudonym", type=nonblank, metavar="PARTICIPANT", help="pseudonym")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="show what would go and what stays (the default)")
    what.add_argument("--carry-out", action="store_true", help="delete it, or go on where that was interrupted")
    parser.add_argument("--confirm", default="", metavar="HASH", help="of the plan, as it was printed")
    parser.add_argument(
        "--identities", type=Path, metavar="FOLDER", help="of the identities, to erase the person's"
    )
    parser.add_argument(
        "--backups", dest="folder", type=Path, metavar="FOLDER", help="of backups, to name those that hold copies"
    )
    add_signers(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the plan, or carry it out."""
    from workbench.study import Study
    from workbench.study.deletion import plan

    _refuse_idle(arguments)
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        participant_id = _participant(study, arguments.pseudonym)
        if not arguments.carry_out:
            shown = plan(study, participant_id, backups=arguments.folder)
            result: dict[str, Any] = {**plain(shown), "sha256": shown.sha256, "n_bytes": shown.n_bytes}
            lines = list(_planned(shown))
        else:
            done = _carried_out(study, participant_id, arguments)
            result, lines = plain(done), list(_done(done))
    print(as_json("delete", result, ok=True) if arguments.json else "\n".join(lines))
    return 0


def _refuse_idle(arguments: argparse.Namespace) -> None:
    """Refuse options that would do nothing, and a folder in which no backup lies."""
    from workbench.study import manifest

    given = {
        "--confirm": arguments.confirm, "--identities": arguments.identities, "--as": arguments.logins,
        "--reason": arguments.reason,
    }  # fmt: skip
    idle = [name for name, value in given.items() if value]
    if idle and not arguments.carry_out:
        raise BadValue(f"{', '.join(idle)} go with --carry-out; leave them out to see the plan")
    if arguments.folder is not None and not manifest.names_in(arguments.folder):
        where = reading.shown(arguments.folder)
        raise BadValue(f"--backups {where} holds no backup; name a folder that 'workbench backup' wrote to")


def _participant(study: Study, pseudonym: str) -> str:
    rows = study.rows("participant")
    for row in rows:
        if row["pseudonym"] == pseudonym:
            return str(row["id"])
    known = ", ".join(reading.shown(row["pseudonym"]) for row in rows[:20])
    raise UnknownName(f"there is no participant {pseudonym!r:.60}; those there are: {known}")


def _carried_out(study: Study, participant_id: str, arguments: argparse.Namespace) -> Deleted:
    from workbench.study import deletion
    from workbench.study.changes import BeginDeletion
    from workbench.study.identities import Identities

    signer, password = _signed_in(study, arguments.logins)
    begun = deletion.unfinished(study, participant_id)
    if begun is None:
        shown = deletion.plan(study, participant_id)
        if len(arguments.confirm) < SHOWN or not shown.sha256.startswith(arguments.confirm):
            raise Refused(
                f"--confirm must be the hash of the plan as it is now ({shown.sha256[:SHOWN]}); look at it with "
                f"--plan first, got {arguments.confirm!r:.80}"
            )
        deletion_id = study.apply(BeginDeletion(shown), signer.confirm(password), arguments.reason)
    else:
        deletion_id = str(begun["id"])
    store = None if arguments.identities is None else Identities.open(arguments.identities, actor=signer.name)
    return deletion.carry_out(study, deletion_id, signer, identities=store, backups=arguments.folder)


def _signed_in(study: Study, logins: list[str]) -> tuple[Signer, str]:
    if len(logins) != 1:
        raise BadValue("--as LOGIN is needed once, of the data manager who carries it out")
    password = ask_secret(f"Password of {logins[0]}")
    return study.sign_in(logins[0], password), password


def _planned(shown: DeletionPlan) -> Iterator[str]:
    n = len(shown.files)
    yield f"{shown.pseudonym}: {n} files, {shown.n_bytes:,} bytes, and {shown.drafts} drafts would go"
    yield from (f"  {file.kind}  {file.path}  {file.n_bytes:,} bytes" for file in shown.files)
    tables = Counter(table for table, _row, _version in shown.rows)
    counted = ", ".join(f"{table} {n}" for table, n in sorted(tables.items())) or "none"
    yield f"texts and earlier versions would go of rows: {counted}"
    n = len(shown.snapshots)
    yield f"snapshots that are cut again without these texts: {n or 'none'}"
    yield from (f"  {one.path}" for one in shown.snapshots)
    stays = ", ".join(f"{why} {n}" for why, n in shown.stays.items())
    yield f"rows that stay under their ids: {stays}"
    yield f"decoders that nobody may use any more: {_hashes(shown.decoders)}"
    yield f"decoders that were also fitted on others: {_hashes(shown.shared)}"
    yield from _copies(shown.copies)
    yield "asked for" if shown.request_id else "NOT asked for: an investigator enters RequestDeletion first"
    yield f"plan: {shown.sha256[:SHOWN]}"


def _hashes(digests: tuple[str, ...]) -> str:
    return ", ".join(digest[:12] for digest in digests) or "none"


def _copies(copies: tuple[str, ...]) -> Iterator[str]:
    yield "copies that are left to you: " + ("none found" if not copies else "")
    yield from (f"  {reading.shown(path)}" for path in copies)


def _done(done: Deleted) -> Iterator[str]:
    yield f"deleted: {done.n_files} files, {done.n_bytes:,} bytes; {done.n_rows} rows are tombstones"
    if done.n_snapshots:
        yield f"cut again: {done.n_snapshots} snapshots"
    words = {
        "erased": "the identity is erased",
        "absent": "the identities hold nobody of this pseudonym",
        "elsewhere": "the identity was not looked for; erase it with 'workbench identities erase'",
    }
    yield words[done.identity]
    yield from _copies(done.copies)


COMMAND = Subcommand(
    name="delete",
    help="delete the recordings, texts and identity of a participant who asked for it",
    run=run,
    arguments=add_arguments,
    description="Delete what is held of a participant who withdrew and asked for it (RequestDeletion, by an "
    "investigator): recordings and what was derived from them, free texts and their history, drafts, and with "
    "--identities the identity. Rows stay under their ids, and 'workbench verify' lists what was deleted. --plan "
    "shows it first; --carry-out takes the hash of that plan and a data manager who did not ask for it. When it "
    "was interrupted, --carry-out again goes on.",
)
