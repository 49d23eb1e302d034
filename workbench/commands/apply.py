"""`workbench apply STUDY CHANGE FIELD=VALUE…`: one change of a trial's data, in the name of who signs in."""

from __future__ import annotations

import argparse
import getpass

from workbench.commands._answer import as_json
from workbench.commands._arguments import add_json, add_signers, add_study
from workbench.commands._secret import confirmed
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue, UnknownName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the change, its fields, and who makes it."""
    add_study(parser)
    parser.add_argument(
        "change", nargs="?", metavar="CHANGE", help="as GiveConsent; left out, every change is listed"
    )
    parser.add_argument(
        "fields", nargs="*", metavar="FIELD=VALUE", help="of the change; several values are separated by commas"
    )
    add_signers(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the change, or list every change there is."""
    from workbench.study import Study
    from workbench.study.changes import ALL, from_text

    if arguments.change is None:
        _list()
        return 0
    if arguments.change not in ALL:
        raise UnknownName(f"there is no change {arguments.change!r}; those there are: {', '.join(ALL)}")
    kind = ALL[arguments.change]
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        change = from_text(study, kind, _fields(arguments.fields))
        row_id = study.apply(change, confirmed(study, arguments.logins), arguments.reason)
        seq, digest = study.head()
    if arguments.json:
        print(as_json("apply", {"change": kind.__name__, "id": row_id, "head": [seq, digest]}, ok=True))
    else:
        print(f"{kind.__name__}: entered as {row_id}\nhead: {seq} {digest}")
    return 0


def _fields(texts: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in given:
            raise BadValue(f"fields are FIELD=VALUE, each once, as participant_id=P-041; got {text!r:.80}")
        given[name] = value
    return given


def _list() -> None:
    from workbench.study.changes import ALL, required, typed_fields

    for name, kind in ALL.items():
        parts = [field.name if required(field) else f"[{field.name}]" for field in typed_fields(kind)]
        who = ", ".join(kind.ROLES) or " + ".join(" or ".join(roles) for roles in kind.SIGNED_BY)
        print(f"{name}  {' '.join(parts)}\n    {(kind.__doc__ or '').splitlines()[0]}\n    by {who}")


COMMAND = Subcommand(
    name="apply",
    help="one change of a trial's data: consent, query, deviation, role, lock …",
    run=run,
    arguments=add_arguments,
    description="Make one change of a trial's data, with all that follows from it, or nothing. Without a change, "
    "list those there are, their fields and who may make them. Fields in brackets may be left out; a participant "
    "is named by the pseudonym, a person by the login.",
)
