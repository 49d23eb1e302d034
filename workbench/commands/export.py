"""`workbench export STUDY`: the study in the formats of other systems, and the data dictionary of its record."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.commands import _export_shared
from workbench.commands._arguments import add_study, nonblank
from workbench.commands._subcommand import Subcommand
from workbench.errors import BadValue, RecordFault, Refused
from workbench.messages import Message

if TYPE_CHECKING:
    from workbench.study import Study
    from workbench.study.protocol import Protocol

FORMS = {
    "core": "International SCI Core Data Set v3.0",
    "ninds": "NINDS CDE names that were seen",
    "odm-1.3.2": "CDISC ODM, protocol and entries with their audit records",
    "odm-2.0": "the same in the newer version",
    "usdm": "CDISC USDM 4.0, the newest protocol as a study definition",
    "redcap-dictionary": "the forms of the newest protocol",
    "redcap-records": "every form that was entered, one a row",
    "dictionary": "every table and column of the record itself",
    "audit": "a row for each entry of the audit trail",
    "queries": "open and closed",
    "deviations": "open and closed",
    "forms": "a row for each value of each form",
    "treatments": "concomitant treatment, rehabilitation and assistive devices",
    **_export_shared.FORMS,
}
TABLES = ("audit", "queries", "deviations")
"""Forms for whoever inspects the study; nobody is left out of them."""
OF_PEOPLE = ("forms", "treatments")
"""Tables of what participants gave; who took back the consent to share is left out."""
EMPTY_OF_PEOPLE = ("redcap-dictionary", "dictionary", "usdm")

Written = tuple[bytes, list[str]]
"""Bytes of the file, and what is printed about it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form and the file."""
    add_study(parser)
    forms = "; ".join(f"{name}: {what}" for name, what in FORMS.items())
    parser.add_argument("--form", choices=tuple(FORMS), required=True, help=forms)
    folders = ", ".join(_export_shared.FOLDERS)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=f"to write, of {folders} a folder; never replaced"
    )
    parser.add_argument(
        "--groups",
        action="store_true",
        help="core, ninds: add the reporting group by level and grade (from memory)",
    )
    parser.add_argument(
        "--participant",
        type=nonblank,
        metavar="CODE",
        help="of audit, queries, deviations, forms and treatments only this one's rows",
    )
    _export_shared.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the file and print how many rows it has and who is left out."""
    from workbench.study import Study
    from workbench.study.changes import consents

    if arguments.participant and arguments.form not in (*TABLES, *OF_PEOPLE):
        allowed = ", ".join((*TABLES, *OF_PEOPLE))
        raise BadValue(f"--participant goes with --form {allowed}; {arguments.form} is of all participants")
    _export_shared.check(arguments)
    with Study.open(arguments.study, actor="command line") as study:
        if arguments.form in _export_shared.FORMS:
            print(*_export_shared.make(study, arguments, lambda: _newest_protocol(study)), sep="\n")
            return 0
        withdrawn = consents.withdrawn(study, "data_sharing")
        # Computed before the file is created: an error leaves no empty file behind.
        made, lines = _made(study, arguments, withdrawn)
    write_new(arguments.out, made)
    print(f"{arguments.out}: {lines[0]}")
    for pseudonym, row in withdrawn.items():
        on = row["consented_on"]
        if arguments.form in TABLES and arguments.participant in (None, pseudonym):
            # An inspector reads every entry; whoever shares the file must know about whom it may not.
            print(f"not for sharing: {pseudonym} took back the consent to share data on {on}")
        elif arguments.form not in (*TABLES, *EMPTY_OF_PEOPLE):
            print(f"left out: {pseudonym}, who took back the consent to share data on {on}")
    for line in lines[1:]:
        print(line)
    return 0


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises RecordFault."""
    try:
        # "x" fails when the file exists, with no gap between a check and the writing.
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise RecordFault(f"{path} exists already; name another file, an export is never replaced") from error
    except OSError as error:
        raise RecordFault(f"--out {path} cannot be written ({error.strerror}); name another file") from error


def _made(study: Study, arguments: argparse.Namespace, withdrawn: Mapping[str, Any]) -> Written:
    by_form: dict[str, Callable[[], Written]] = {
        "redcap-dictionary": lambda: _redcap_dictionary(study),
        "redcap-records": lambda: _redcap_records(study, withdrawn),
        "dictionary": _dictionary,
        "usdm": lambda: _usdm(study),
        **dict.fromkeys((*TABLES, *OF_PEOPLE), lambda: _table(study, arguments, withdrawn)),
    }
    if arguments.form in by_form:
        return by_form[arguments.form]()
    if arguments.form.startswith("odm-"):
        return _odm(study, arguments.form.removeprefix("odm-"), withdrawn)
    return _core(study, arguments, withdrawn)


def _core(study: Study, arguments: argparse.Namespace, withdrawn: Collection[str]) -> Written:
    from workbench.exchange import core_data_set

    participants, visits, assessments = (study.nouns(name) for name in ("participant", "visit", "assessment"))
    participants = [person for person in participants if person.pseudonym not in withdrawn]  # type: ignore[union-attr]
    export = core_data_set(
        participants,  # type: ignore[arg-type]
        visits,  # type: ignore[arg-type]
        assessments,  # type: ignore[arg-type]
        entered=study.rows("form"),
        form=arguments.form,
        groups=arguments.groups,
    )
    lines = [f"{len(export.rows)} rows"]
    for text, names in (
        ("not in the record, left empty", export.missing),
        ("in the record, but the name the form gives it was not seen, left out", export.unnamed),
        ("from memory, check against the form", export.memory),
    ):
        if names:
            lines.append(f"{text}: {', '.join(names)}")
    return export.csv().encode(), lines


def _odm(study: Study, version: str, withdrawn: Collection[str]) -> Written:
    from workbench.exchange import odm

    file = odm.study_file(study, version, left_out=withdrawn)  # type: ignore[arg-type]
    counts = [f"{file.written.get(table, 0)} of {n} rows of {table}" for table, n in file.read.items()]
    return file.data, [f"{', '.join(counts)}, {file.written.get('audit records', 0)} entries of forms"]


def _newest_protocol(study: Study) -> Protocol:
    """The newest version of the protocol. Raises Refused for a study without one."""
    from workbench.study.protocol import Protocol

    versions = study.rows("protocol_version")
    if not versions:
        raise Refused(Message("exchange.no_protocol"))
    return Protocol.from_definition(versions[-1]["definition"])


def _usdm(study: Study) -> Written:
    from workbench.exchange import usdm

    protocol = _newest_protocol(study)
    made = usdm.to_usdm(protocol, _devices(usdm.devices_named(protocol)))
    counts = {
        "arms": protocol.arms, "visits": protocol.visits, "criteria": protocol.criteria,
        "estimands": protocol.estimands, "devices": usdm.devices_named(protocol),
    }  # fmt: skip
    told = ", ".join(f"{len(entries)} {what}" for what, entries in counts.items())
    return made, [f"protocol {protocol.about.version}, {told}", *usdm.lacking(protocol)]


def _devices(named: Collection[str]) -> dict[str, tuple[str, str]]:
    """Title and inputs of each system that is installed here."""
    from workbench import systems

    installed = [systems.load(name) for name in named if name in systems.available()]
    return {
        one.name: (str(one.title), "; ".join(f"{given.role}: {given.words or given.kind}" for given in one.inputs))
        for one in installed
    }


def _redcap_dictionary(study: Study) -> Written:
    from workbench.exchange import redcap_forms

    names = redcap_forms.names(study)
    protocol = _newest_protocol(study)
    text = redcap_forms.to_dictionary(protocol, names)
    codes = ", ".join(redcap_forms.MISSING)
    return text.encode(), [
        f"{len(protocol.forms)} forms of protocol {protocol.about.version}",
        f"enter these missing data codes in the setup of the project: {codes}",
    ]


def _redcap_records(study: Study, withdrawn: Collection[str]) -> Written:
    from workbench.exchange import redcap_forms

    made = redcap_forms.records(study, left_out=withdrawn)
    return made.text.encode(), [f"{made.rows} rows, of {made.read} forms in the record"]


def _table(study: Study, arguments: argparse.Namespace, withdrawn: Collection[str]) -> Written:
    from workbench import delimited
    from workbench.study import audit_trail, listings, treatments

    kind, read = {
        "audit": (audit_trail.AuditRow, audit_trail.read),
        "queries": (listings.QueryRow, listings.queries),
        "deviations": (listings.DeviationRow, listings.deviations),
        "forms": (listings.FormItemRow, listings.form_items),
        "treatments": (treatments.TreatmentRow, treatments.treatments),
    }[arguments.form]
    columns = [field.name for field in fields(kind)]
    rows: list[Any] = list(read(study, arguments.participant or ""))
    if arguments.form in OF_PEOPLE:
        rows = [row for row in rows if row.participant not in withdrawn]
    table = ([getattr(row, name) for name in columns] for row in rows)
    text = "".join(delimited.lines(columns, table))
    return text.encode(), [f"{len(rows)} rows{', one for each entry' if arguments.form == 'audit' else ''}"]


def _dictionary() -> Written:
    from workbench.exchange import data_dictionary

    text, rows = data_dictionary()
    return text.encode(), [f"{rows} rows, one a column of the record"]


COMMAND = Subcommand(
    name="export",
    help="write the study in the formats of other systems: ODM, USDM, SDTM datasets, REDCap, FHIR, BIDS",
    run=run,
    arguments=add_arguments,
)
