"""`workbench people STUDY`: who may sign. A password is never an argument."""

from __future__ import annotations

import argparse
import getpass

from workbench.commands._arguments import add_study
from workbench.commands._secret import ask_secret
from workbench.commands._subcommand import Subcommand

ROLES = (
    "operator, therapist, assessor, engineer, investigator, coordinator, data_manager, monitor, statistician, "
    "safety_officer"
)


def _add_login(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("login", metavar="LOGIN", help="who")


def _add_new(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("login", metavar="LOGIN", help="short name for signing in")
    parser.add_argument("--name", required=True, metavar="TEXT", help="printed name, as under a signature")
    parser.add_argument("--roles", default="operator", metavar="A,B", help=f"of {ROLES} (default: %(default)s)")


def _add_close(parser: argparse.ArgumentParser) -> None:
    _add_login(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


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
        study.add_person(arguments.login, arguments.name, ask_secret("Password", new=True), roles)
    print(f"{arguments.name} may sign in as {arguments.login}")
    return 0


def _password(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.people import set_password

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        set_password(study, arguments.login, ask_secret("New password", new=True))
    print(f"{arguments.login} has a new password")
    return 0


def _close(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.people import set_state

    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        set_state(study, arguments.login, "closed", reason=arguments.reason)
    print(f"{arguments.login} can no longer sign in")
    return 0


COMMAND = Subcommand(
    name="people",
    help="who may sign in a study: list, add, password, close",
    actions=(
        Subcommand("list", "list everybody who may sign or could before", _list, add_study),
        Subcommand(
            "add", "enter a person; the password is asked for, or read from standard input", _add, _add_new
        ),
        Subcommand("password", "give a person a new password", _password, _add_login),
        Subcommand("close", "close a person's access; what was signed stays", _close, _add_close),
    ),
)
