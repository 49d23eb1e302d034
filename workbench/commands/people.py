"""`workbench people STUDY`: who may sign. A password is never an argument."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from workbench.commands.keys import secret

ROLES = "operator, therapist, assessor, engineer, investigator, data_manager, monitor"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its own sub-commands to the parser."""
    people = commands.add_parser("people", help="who may sign in a study: list, add, password, close")
    actions = people.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        made.add_argument("study", type=Path, metavar="STUDY", help="folder of the study (it holds study.db)")
        return made

    action("list", "list everybody who may sign or once could").set_defaults(run=_list)
    add_ = action("add", "enter a person; the password is asked for, or read from standard input")
    add_.add_argument("login", metavar="LOGIN", help="short name for signing in")
    add_.add_argument("--name", required=True, metavar="TEXT", help="printed name, as under a signature")
    add_.add_argument("--roles", default="operator", metavar="A,B", help=f"of {ROLES} (default: %(default)s)")
    add_.set_defaults(run=_add)
    password = action("password", "give a person a new password")
    password.add_argument("login", metavar="LOGIN", help="who")
    password.set_defaults(run=_password)
    close = action("close", "close a person's access; what was signed stays")
    close.add_argument("login", metavar="LOGIN", help="who")
    close.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")
    close.set_defaults(run=_close)


def _list(arguments: argparse.Namespace) -> int:
    from workbench.study import Study

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        people = study.people()
    for person in people:
        print(f"{person['login']}  {person['name']}  {', '.join(person['roles'])}  {person['state']}")
    if not people:
        print(f"nobody yet; enter the first with 'workbench people add {arguments.study} LOGIN --name NAME'")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from workbench.study import Study

    roles = tuple(role.strip() for role in arguments.roles.split(","))
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        study.add_person(arguments.login, arguments.name, secret("Password", new=True), roles)
    print(f"{arguments.name} may sign in as {arguments.login}")
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.people import set_password

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        set_password(study, arguments.login, secret("New password", new=True))
    print(f"{arguments.login} has a new password")
    return 0


def _close(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.people import set_state

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        set_state(study, arguments.login, "closed", reason=arguments.reason)
    print(f"{arguments.login} can no longer sign in")
    return 0
