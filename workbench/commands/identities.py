"""`workbench identities`: who the participants are, encrypted, apart from the record. No name is an argument."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import reading
from workbench.commands._arguments import EXIT_DIFFERS, add_study
from workbench.commands._secret import ask_line, ask_secret
from workbench.commands._subcommand import Subcommand

if TYPE_CHECKING:
    from workbench.study.identities import Identities

PROMPTS = {
    "name": "Name",
    "hospital_number": "Hospital number, or nothing",
    "born": "Date of birth, as 1980-05-31, or nothing",
    "contact": "Contact, or nothing",
}


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("identities", type=Path, metavar="FOLDER", help="folder of the identities")


def _add_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder outside the study's")
    parser.add_argument("--study", type=Path, required=True, metavar="STUDY", help="folder of the study")
    parser.add_argument(
        "--in-study",
        action="store_true",
        help="FOLDER may lie in the study; its copies take them along",
    )


def _add_person(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    parser.add_argument("pseudonym", metavar="PSEUDONYM", help="of the participant, as in the record")


def _add_new(parser: argparse.ArgumentParser) -> None:
    _add_person(parser)
    parser.add_argument(
        "--own-code", action="store_true", help="the pseudonym is one of the site's own, without check character"
    )


def _add_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stays, so write no name in it")


def _add_person_and_reason(parser: argparse.ArgumentParser) -> None:
    _add_person(parser)
    _add_reason(parser)


def _add_amend(parser: argparse.ArgumentParser) -> None:
    _add_person_and_reason(parser)
    parser.add_argument(
        "--field", action="append", required=True, choices=tuple(PROMPTS), help="what changes; may repeat"
    )


def _add_find(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    _add_reason(parser)


def _add_backup(parser: argparse.ArgumentParser) -> None:
    _add_folder(parser)
    parser.add_argument("out", type=Path, metavar="FILE", help="a new file, best on another disk")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", type=Path, metavar="FILE", help="the backup")


def _add_pseudonym(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("--prefix", default="", metavar="TEXT", help="in front of it, such as the site's")
    parser.add_argument(
        "--identities", type=Path, metavar="FOLDER", help="pseudonyms used there are taken as well"
    )


def _opened(arguments: argparse.Namespace) -> Identities:
    from workbench.study.identities import Identities

    return Identities.open(arguments.identities, actor=getpass.getuser())


def _create(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.identities import Identities

    actor, study = getpass.getuser(), arguments.study
    with Study.open(study, actor=actor) as record:
        study_id = record.id
    store = Identities.create(
        arguments.folder, study=study, study_id=study_id, actor=actor, inside=arguments.in_study
    )
    print(f"identities lie in {reading.shown(store.path)}; without their key nobody reads them, so back it up now")
    print("with 'workbench identities backup FOLDER FILE'")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from workbench.study import pseudonyms
    from workbench.study.identities import Identity

    store, code = _opened(arguments), arguments.pseudonym
    if not arguments.own_code:
        code = pseudonyms.checked(code)
    store.add(code, Identity(**{name: ask_line(prompt) for name, prompt in PROMPTS.items()}))
    print(f"{code} is entered")
    return 0


def _amend(arguments: argparse.Namespace) -> int:
    store = _opened(arguments)
    changes = {name: ask_line(PROMPTS[name]) for name in arguments.field}
    store.amend(arguments.pseudonym, changes, reason=arguments.reason)
    print("the change is entered")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    identity = _opened(arguments).show(arguments.pseudonym, reason=arguments.reason)
    print(f"name             {identity.name}")
    print(f"hospital number  {identity.hospital_number}")
    print(f"date of birth    {identity.born}")
    print(f"contact          {identity.contact}")
    return 0


def _find(arguments: argparse.Namespace) -> int:
    found = _opened(arguments).find(ask_line("Hospital number"), reason=arguments.reason)
    print("\n".join(found) or "nobody here has this hospital number")
    return 0 if found else EXIT_DIFFERS


def _erase(arguments: argparse.Namespace) -> int:
    _opened(arguments).erase(arguments.pseudonym, reason=arguments.reason)
    print("erased; copies of the file that were made before can still be read with the key, destroy them too")
    return 0


def _log(arguments: argparse.Namespace) -> int:
    for entry in _opened(arguments).entries():
        print(f"{entry.seq}  {entry.utc}  {entry.actor}  {entry.action}  {entry.pseudonym or '-'}  {entry.reason}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from workbench.study.identities import verify

    found = verify(arguments.identities)
    print("the identities hold" if found.ok else f"the identities do NOT hold, problems: {len(found.problems)}")
    for sentence in (*found.problems, *(f"(note) {warning}" for warning in found.warnings)):
        print(f"- {sentence}")
    print(f"checked: entries {found.entries}, people {found.people}, erased {found.erased}")
    return 0 if found.ok else EXIT_DIFFERS


def _backup(arguments: argparse.Namespace) -> int:
    from workbench.study.identities import backup

    path = backup(arguments.identities, arguments.out, ask_secret("Passphrase of the backup", new=True))
    print(f"the key of the identities is backed up in {reading.shown(path)}; keep file and passphrase apart")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from workbench.study.identity_keys import restore

    path = restore(arguments.backup, ask_secret("Passphrase of the backup"))
    print(f"the key of the identities is on this computer now, in {reading.shown(path)}")
    return 0


def _pseudonym(arguments: argparse.Namespace) -> int:
    from workbench import world
    from workbench.study import Study, pseudonyms

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        taken = {row["pseudonym"] for row in study.rows("participant")}
    if arguments.identities is not None:
        taken.update(_opened(arguments).pseudonyms())
    print(pseudonyms.new(arguments.prefix, taken, world.chance))
    return 0


COMMAND = Subcommand(
    name="identities",
    help="who the participants are: encrypted, apart from the record, every reading entered",
    description="Identities of participants, in a file apart from the record under a key of its own. Names and "
    "numbers are asked for, or read from standard input line by line, and are never arguments. See "
    "docs/identities.md for what this protects and what it cannot.",
    actions=(
        Subcommand("create", "make an empty file of identities and its key", _create, _add_create),
        Subcommand("pseudonym", "print a new pseudonym that nobody has", _pseudonym, _add_pseudonym),
        Subcommand("add", "enter who a participant is", _add, _add_new),
        Subcommand("amend", "change what is known of a participant", _amend, _add_amend),
        Subcommand("show", "print who a participant is; the reading is entered", _show, _add_person_and_reason),
        Subcommand("find", "print the pseudonym of a hospital number, which is asked for", _find, _add_find),
        Subcommand("erase", "destroy a person's key, so that nothing of them can be read", _erase,
                   _add_person_and_reason),
        Subcommand("log", "print who did what with whose identity, when and why", _log, _add_folder),
        Subcommand("verify", "check every byte, the chain and its kept heads", _verify, _add_folder),
        Subcommand("backup", "write the key to FILE, encrypted with a passphrase", _backup, _add_backup),
        Subcommand("restore", "bring the key of a backup to this computer", _restore, _add_restore),
    ),
)  # fmt: skip
