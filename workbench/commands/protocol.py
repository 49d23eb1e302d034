"""`workbench protocol`: check a protocol file, compare two versions, import one, plan a participant's visits."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.commands._answer import as_json
from workbench.commands._arguments import (
    EXIT_DIFFERS,
    add_json,
    add_signers,
    add_study,
    nonblank,
)
from workbench.commands._parser import one_line
from workbench.commands._secret import confirmed
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue

if TYPE_CHECKING:
    from workbench.exchange import Imported
    from workbench.study.protocol import Protocol
    from workbench.study.schedule import Planned

EXIT_REFUSED = 2
MOST_NOTES = 100
"""Notes about an import that are printed; the others are counted."""


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", type=Path, metavar="FILE", help="protocol file, TOML; see docs/protocol.md")
    add_json(parser)


def _add_two(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", type=Path, metavar="OLD", help="protocol file as it was")
    parser.add_argument("new", type=Path, metavar="NEW", help="protocol file as amended")
    add_json(parser)


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    for option, what in (("anchor", "a day that visits are counted from"), ("held", "a visit that was held")):
        parser.add_argument(
            f"--{option}",
            type=nonblank,
            action="append",
            default=[],
            metavar="NAME=DATE",
            help=f"{what}, as --{option} {'consent' if option == 'anchor' else 'Baseline'}=2026-12-01; "
            "may be repeated",
        )
    parser.add_argument(
        "--on", type=nonblank, metavar="DATE", help="where each visit stands on it (default: today)"
    )


def _add_adopt(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    _add_file(parser)
    add_signers(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="CDISC ODM (XML), a data dictionary of REDCap, or USDM as exported here",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.toml", help="protocol file to write; never replaced"
    )


def _add_forms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", type=nonblank, metavar="NAME", help="of the form; left out, list them")


def _add_draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--system",
        type=nonblank,
        action="append",
        metavar="NAME",
        help="one of 'workbench systems' (default: neo_hand); repeated, each is a phase through which one "
        "participant goes, in this order",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.toml", help="protocol file to write; never replaced"
    )


def _import(arguments: argparse.Namespace) -> int:
    from workbench import reading
    from workbench.commands.export import write_new
    from workbench.exchange import odm, redcap_forms, usdm

    where = reading.shown(arguments.file)
    data = reading.read_bytes(arguments.file, "file", largest=odm.LARGEST)
    begins = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if begins == b"<":
        imported = odm.from_odm(data, where)
    elif begins == b"{":
        imported = usdm.from_usdm(data, where)
    else:
        imported = redcap_forms.from_dictionary(reading.decoded(data, where, signed=True), where)
    write_new(arguments.out, imported.toml().encode())
    return _say(arguments.out, imported)


def _draft(arguments: argparse.Namespace) -> int:
    from workbench import systems
    from workbench.commands.export import write_new
    from workbench.exchange import completed

    phases = [systems.load(name) for name in arguments.system or [systems.USUAL]]
    drafted = completed(systems.draft(*phases), (), ", ".join(system.name for system in phases))
    write_new(arguments.out, drafted.toml().encode())
    return _say(arguments.out, drafted)


def _forms(arguments: argparse.Namespace) -> int:
    from workbench.study import standard_forms

    if arguments.name is not None:
        print(standard_forms.text(arguments.name), end="")
        return 0
    for name in standard_forms.available():
        form = standard_forms.load(name)
        print(f"{name}  {form.title}, {len(form.items)} items")
    return 0


def _say(out: Path, imported: Imported) -> int:
    """Print what a file of a protocol holds and lacks."""
    made = imported.definition
    print(f"{out}: {len(made.get('visit', ()))} visits, {len(made.get('form', ()))} forms")
    for note in imported.notes[:MOST_NOTES]:
        print(f"  {one_line(note)}")
    if len(imported.notes) > MOST_NOTES:
        print(f"  and {len(imported.notes) - MOST_NOTES} more")
    if not imported.problems:
        print(f"  sha256     {imported.sha256}")
        return 0
    print("to be completed before it is a protocol:")
    for problem in imported.problems:
        print(f"  {one_line(problem)}")
    return EXIT_DIFFERS


def _check(arguments: argparse.Namespace) -> int:
    from workbench.study.protocol_reading import MOST_COUNTED, BadProtocol

    try:
        protocol = _read(arguments.protocol)
    except BadProtocol as error:
        # One problem a line: in one sentence a list of twenty cannot be read.
        n = error.count if error.count <= MOST_COUNTED else f"more than {MOST_COUNTED}"
        more = f", of which the first {len(error.problems)}" if error.count > len(error.problems) else ""
        print(
            f"workbench protocol: {error.where} cannot be used; to be corrected ({n}{more}):",
            *(f"  {one_line(problem)}" for problem in error.problems),
            sep="\n",
            file=sys.stderr,
        )
        return EXIT_REFUSED
    summary = _summary(protocol)
    if arguments.json:
        print(as_json("protocol check", {**summary, "definition": protocol.definition()}, ok=True))
        return 0
    print(f"{summary['code']} {summary['version']}  {summary['title']}")
    print(f"  sponsor    {protocol.about.sponsor}")
    print(f"  effective  {summary['effective_from']}, in {', '.join(protocol.about.jurisdictions)}")
    print(f"  arms       {', '.join(summary['arms'])}")
    print(f"  visits     {', '.join(summary['visits'])}")
    print(f"  forms      {', '.join(summary['forms']) or 'none'}")
    print(f"  criteria   {summary['inclusion']} of inclusion, {summary['exclusion']} of exclusion")
    print(f"  estimands  {', '.join(summary['estimands']) or 'none'}")
    print(f"  sha256     {summary['sha256']}")
    return 0


def _difference(arguments: argparse.Namespace) -> int:
    from workbench.study.protocol import difference, precedence

    old, new = _read(arguments.old), _read(arguments.new)
    changes = difference(old, new)
    versions = old.about.version, new.about.version
    rises = not changes or precedence(versions[0]) < precedence(versions[1])
    moves = any(change.moves_participants for change in changes)
    if arguments.json:
        result = {
            "old": _identity(old),
            "new": _identity(new),
            "version_rises": rises,
            "moves_participants": moves,
            "changes": [
                {
                    "section": change.section,
                    "entry": change.entry,
                    "field": change.field,
                    "kind": change.kind,
                    "old": change.old,
                    "new": change.new,
                    "sentence": change.text,
                }
                for change in changes
            ],
        }
        print(as_json("protocol difference", result, ok=rises))
        return 0 if rises else EXIT_DIFFERS
    for change in changes:
        print(one_line(change.text))
    print(_conclusion(versions, changes=len(changes), rises=rises, moves=moves))
    return 0 if rises else EXIT_DIFFERS


def _conclusion(versions: tuple[str, str], *, changes: int, rises: bool, moves: bool) -> str:
    if not changes:
        return "no difference: both files say the same"
    if not rises:
        return f"the version must rise with any change, but goes from {versions[0]} to {versions[1]}"
    return "participants move to the new version" if moves else "no visit, form, arm or criterion changes"


def _schedule(arguments: argparse.Namespace) -> int:
    from workbench.study.schedule import schedule, sheet

    anchors, held = _days("--anchor", arguments.anchor), _days("--held", arguments.held)
    on = date.today() if arguments.on is None else _day("--on", arguments.on)
    protocol = _read(arguments.protocol)
    planned = schedule(protocol, anchors, held, on)
    if arguments.json:
        visits = planned_visits(planned)
        print(as_json("protocol schedule", {**_identity(protocol), "on": _iso(on), "visits": visits}, ok=True))
        return 0
    for line in sheet(protocol, planned):
        print(line)
    return 0


def _adopt(arguments: argparse.Namespace) -> int:
    from workbench.study import Study
    from workbench.study.changes.protocols import AdoptProtocol

    protocol = _read(arguments.protocol)
    with Study.open(arguments.study, actor=getpass.getuser()) as study:
        change = AdoptProtocol(protocol.definition())
        study.apply(change, confirmed(study, arguments.logins), arguments.reason)
        seq, digest = study.head()
    if arguments.json:
        print(as_json("protocol adopt", {**_identity(protocol), "head": [seq, digest]}, ok=True))
    else:
        print(f"{protocol.about.code} {protocol.about.version} is in force\nsha256: {protocol.sha256}")
        print(f"head: {seq} {digest}")
    return 0


def planned_visits(planned: Sequence[Planned]) -> list[dict[str, Any]]:
    """The visits of a schedule as plain data, days as ISO dates, null where they are not known."""
    facts = ("visit", "anchor", "status", "provisional")
    days = ("anchored_on", "planned", "earliest", "latest", "held")
    return [
        {name: getattr(one, name) for name in facts} | {name: _iso(getattr(one, name)) for name in days}
        for one in planned
    ]


def _read(path: Path) -> Protocol:
    from workbench.study.protocol import read

    return read(path, procedures_of=_procedures_of)


def _procedures_of(system: str) -> Collection[str]:
    from workbench import systems

    return systems.load(system).procedures


def _identity(protocol: Protocol) -> dict[str, str]:
    return {"code": protocol.about.code, "version": protocol.about.version, "sha256": protocol.sha256}


def _summary(protocol: Protocol) -> dict[str, Any]:
    kinds = [criterion.kind for criterion in protocol.criteria]
    return {
        **_identity(protocol),
        "title": protocol.about.title,
        "effective_from": protocol.about.effective_from.isoformat(),
        "arms": [arm.name for arm in protocol.arms],
        "visits": [visit.name for visit in protocol.visits],
        "forms": [form.name for form in protocol.forms],
        "inclusion": kinds.count("inclusion"),
        "exclusion": kinds.count("exclusion"),
        "estimands": [estimand.name for estimand in protocol.estimands],
    }


def _days(flag: str, texts: Sequence[str]) -> dict[str, date]:
    days: dict[str, date] = {}
    for text in texts:
        name, equals, day = text.rpartition("=")
        if not equals:
            raise BadValue(f"{flag} takes NAME=DATE, as in consent=2026-12-01; got {text!r:.60}")
        if name in days:
            raise BadValue(f"{flag} names {name!r:.60} twice; give it one date")
        days[name] = _day(flag, day)
    return days


def _day(flag: str, text: str) -> date:
    from workbench.study.protocol_reading import day_of

    day = day_of(text)
    if day is None:
        raise BadValue(f"{flag} must be a date, as 2026-12-01; got {text!r:.40}")
    return day


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


COMMAND = Subcommand(
    name="protocol",
    help="the file of a protocol: check it, compare two versions, import it, adopt it, plan visits",
    description="The protocol of a study is one TOML file, explained in docs/protocol.md. Only 'adopt' writes "
    "into a study record.",
    actions=(
        Subcommand(
            "check", "check a protocol file and print its hash, or everything that is wrong", _check, _add_file
        ),
        Subcommand(
            "difference", "what an amendment changes; exit 1 when its version does not rise", _difference, _add_two
        ),
        Subcommand("adopt", "a version comes into force in a study, signed by two people", _adopt, _add_adopt),
        Subcommand(
            "import",
            "make a protocol file of CDISC ODM, a REDCap dictionary or our USDM; exit 1 while it lacks something",
            _import,
            _add_import,
        ),
        Subcommand(
            "draft",
            "make a protocol file of the visits, forms and sessions of a system, to be completed",
            _draft,
            _add_draft,
        ),
        Subcommand(
            "forms", "print a form of a standard data set, to be put into a protocol file", _forms, _add_forms
        ),
        Subcommand("schedule", "planned days and windows of one participant's visits", _schedule, _add_schedule),
    ),
)
