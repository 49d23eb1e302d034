"""`workbench randomisation`: lists and their slots, their proof, one arm, and the backup of their secrets."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import reading
from workbench.commands._answer import as_json
from workbench.commands._arguments import EXIT_DIFFERS, add_json, add_study, nonblank
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand
from workbench.errors import UnknownName

if TYPE_CHECKING:
    from workbench.study import Signer, Study


def _add_shown(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    add_json(parser)


def _add_signed(parser: argparse.ArgumentParser) -> None:
    _add_shown(parser)
    parser.add_argument(
        "--as",
        dest="login",
        required=True,
        type=nonblank,
        metavar="LOGIN",
        help="who asks; the password is asked for, or read as a line of input",
    )


def _add_arm(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("pseudonym", metavar="PSEUDONYM", help="of the participant, as in the record")
    add_json(parser)
    parser.add_argument("--as", dest="login", required=True, type=nonblank, metavar="LOGIN", help="who asks")
    parser.add_argument("--reason", required=True, type=nonblank, metavar="TEXT", help="why, for the record")


def _add_backup(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("out", type=Path, metavar="FILE", help="a new file, best on another disk")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, metavar="FILE", help="the backup")


def _list(arguments: argparse.Namespace) -> int:
    from workbench.study import Study, allocations

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        found = allocations.lists(study)
    _show(
        arguments,
        "randomisation list",
        {"lists": found},
        (
            f"{row['id']}  {row['kind']}, protocol {', '.join(row['versions']) or 'none'}"
            f"\n  made by {row['by']} on {row['utc']}"
            f"\n  {_used(row)}"
            f"\n  commitment {row['commitment']}"
            f"\n  its secret is{'' if row['secret_here'] else ' NOT'} on this computer"
            for row in found
        ),
    )
    return 0


def _slots(arguments: argparse.Namespace) -> int:
    from workbench.study import Study, allocations

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        found = allocations.slots(study)
    _show(
        arguments,
        "randomisation slots",
        {"slots": found},
        (f"{row['list']}  {row['stratum'] or '-'}  {_used(row)}" for row in found),
    )
    return 0


def _prove(arguments: argparse.Namespace) -> int:
    from workbench.study import Study, allocations

    with Study.open(arguments.study, actor=arguments.login) as study:
        proofs = allocations.prove(study, _signed_in(study, arguments.login))
    holds = all(proof.holds for proof in proofs)
    _show(
        arguments,
        "randomisation prove",
        {"holds": holds, "lists": proofs},
        (
            line
            for proof in proofs
            for line in (
                f"{proof.list_id}  {'holds' if proof.holds else 'does NOT hold'}: "
                f"{proof.compared} {'draws replayed' if proof.kind == 'minimisation' else 'slots drawn again'}, "
                f"{proof.allocations} allocations compared",
                *(f"  - {sentence}" for sentence in proof.differences),
            )
        ),
        ok=holds,
    )
    return 0 if holds else EXIT_DIFFERS


def _arm(arguments: argparse.Namespace) -> int:
    from workbench.study import Study, allocations

    with Study.open(arguments.study, actor=arguments.login) as study:
        signer = _signed_in(study, arguments.login)
        ids = {row["pseudonym"]: row["id"] for row in study.rows("participant")}
        if arguments.pseudonym not in ids:
            raise UnknownName(f"there is no participant {arguments.pseudonym!r:.60} in the record")
        arm = allocations.arm_of(study, ids[arguments.pseudonym], signer, arguments.reason)
    answer = {"pseudonym": arguments.pseudonym, "arm": arm}
    _show(arguments, "randomisation arm", answer, [f"{arguments.pseudonym}: {arm}; this reading is in the record"])
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from workbench.study import Study, allocation_keys

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        study_id, ids = study.id, [row["id"] for row in study.rows("rand_list")]
    passphrase = ask_secret("Passphrase of the backup", new=True)
    path = allocation_keys.backup(study_id, ids, arguments.out, passphrase)
    print(
        f"the secrets of {len(ids)} lists are backed up in {reading.shown(path)}; keep file and passphrase apart,"
    )
    print("and both from everybody who must stay blinded")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from workbench.study import allocation_keys

    paths = allocation_keys.restore(arguments.backup, ask_secret("Passphrase of the backup"))
    print(f"the secrets of {len(paths)} lists are on this computer now, in {reading.shown(paths[0].parent)}")
    return 0


def _used(row: Mapping[str, Any]) -> str:
    """How much of a list or a stratum is used; a minimisation has no end."""
    return f"used {row['used']}" if row["slots"] is None else f"used {row['used']} of {row['slots']}"


def _signed_in(study: Study, login: str) -> Signer:
    return study.sign_in(login, ask_secret(f"Password of {login}"))


def _show(
    arguments: argparse.Namespace,
    command: str,
    answer: dict[str, object],
    lines: Iterable[str],
    *,
    ok: bool = True,
) -> None:
    """The answer, and what the concealment of a study on one account is worth."""
    from workbench.study.allocations import PROCEDURAL

    if arguments.json:
        print(as_json(command, {**answer, "concealment": str(PROCEDURAL)}, ok=ok))
        return
    shown = list(lines)
    print(*(shown or ["no list was made yet"]), f"(note) {PROCEDURAL}", sep="\n")


COMMAND = Subcommand(
    name="randomisation",
    help="lists of a study and their used slots, their proof, one arm, the backup of their secrets",
    description="The randomisation of a study. Lists are made, participants randomised and unblinded with "
    "'workbench apply' (MakeList, Randomise, Unblind). On a computer with one account concealment is procedural "
    "only: whoever uses the account can open every slot. See docs/randomisation.md.",
    actions=(
        Subcommand("list", "every list, its commitment, and how much of it is used", _list, _add_shown),
        Subcommand("slots", "used slots of each stratum", _slots, _add_shown),
        Subcommand("prove", "draw every list again from its secret and compare every slot", _prove, _add_signed),
        Subcommand("arm", "print the arm of a participant; the reading is entered", _arm, _add_arm),
        Subcommand("backup", "write the secrets to FILE, encrypted with a passphrase", _backup, _add_backup),
        Subcommand("restore", "bring the secrets of a backup to this computer", _restore, _add_restore),
    ),
)
