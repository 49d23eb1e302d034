"""The entries of a study as clinical data of CDISC ODM, every one with its audit record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement

from workbench.errors import RecordFault, Refused
from workbench.exchange._form_items import items_of, value_text
from workbench.exchange._odm_metadata import (
    MISSING_LIST,
    Metadata,
    OdmVersion,
    add_study,
    form_oid,
    group_oid,
    item_oid,
    root_element,
    unit_item_oid,
    units_of,
    version_oid,
    visit_oid,
)
from workbench.exchange._xml import as_bytes, refuse_illegal, replace_illegal
from workbench.messages import Message
from workbench.study.protocol import Protocol

if TYPE_CHECKING:
    from workbench.study import Study

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StudyFile:
    """The file of a study.

    Attributes
    ----------
    data : its bytes.
    written : rows that it holds, by table, and ``"audit records"``.
    read : rows that the record has, by table.
    """

    data: bytes
    written: Mapping[str, int]
    read: Mapping[str, int]


@dataclass(slots=True)
class _Entries:
    """What is in the record, by what it belongs to."""

    participants: Sequence[Row]
    visits: dict[str, Sequence[Row]]
    forms: dict[str, Sequence[Row]]
    versions: dict[str, Protocol]
    version_of: dict[str, str]
    sites: dict[str, str]
    history: dict[str, Sequence[Row]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        self.written[what] = self.written.get(what, 0) + 1

    def user(self, name: str) -> str:
        return self.users.setdefault(name, f"U.{len(self.users) + 1}")


def study_file(study: Study, version: OdmVersion, *, left_out: Collection[str] = ()) -> StudyFile:
    """The whole study: every version of its protocol, and the history of every form that was entered.

    Parameters
    ----------
    study : the open record.
    version : of ODM.
    left_out : pseudonyms of participants who are left out.

    Raises
    ------
    Refused
        For a study without a protocol, or one that was written to meanwhile.
    BadValue, UnknownName
        For a character that XML does not allow, or an outcome measure that is not installed here.
    """
    head = study.head()
    entries = _read(study, left_out)
    made = study.entries(after=head[0] - 1)[0].utc
    root = root_element(
        version, file_oid=f"{study.code}.{head[0]}.{head[1][:12]}", made=made, kind="Transactional",
        granularity="All",
    )  # fmt: skip
    protocols = list(entries.versions.values())
    units = units_of(protocols)
    names = dict.fromkeys(visit["name"] for visits in entries.visits.values() for visit in visits)
    metadata = [
        Metadata(one, version, units, [n for n in names if n not in {v.name for v in one.visits}])
        for one in protocols
    ]
    oid = f"S.{study.code}"
    add_study(root, metadata, oid=oid)
    refuse_illegal(root)
    # Before the data, which the users stand ahead of, as they are found.
    admin = SubElement(root, "AdminData", {"StudyOID": oid})
    for sha256, one in zip(entries.versions, metadata, strict=True):
        _add_data(root, entries, one, sha256, oid)
    _add_admin(admin, study, entries, version, oid)
    if study.head() != head:
        raise Refused(Message("exchange.moved"))
    replace_illegal(root)
    read = {table: study.count(table) for table in ("participant", "visit", "form")}
    _refuse_loss(study, entries, read, left_out)
    return StudyFile(as_bytes(root), entries.written, read)


def _read(study: Study, left_out: Collection[str]) -> _Entries:
    versions = study.rows("protocol_version")
    if not versions:
        raise Refused(Message("exchange.no_protocol"))
    participants = [row for row in study.rows("participant") if row["pseudonym"] not in left_out]
    sha256 = {row["id"]: row["sha256"] for row in versions}
    enrolments = {row["participant_id"]: row for row in study.rows("enrolment")}
    newest = versions[-1]["sha256"]
    entries = _Entries(
        participants, {}, {}, {row["sha256"]: Protocol.from_definition(row["definition"]) for row in versions},
        {
            row["id"]: sha256[enrolments[row["id"]]["protocol_version_id"]] if row["id"] in enrolments else newest
            for row in participants
        },
        {row["id"]: enrolments.get(row["id"], {}).get("site", "") for row in participants},
    )  # fmt: skip
    kept = {row["id"] for row in participants}
    visits = _grouped(study.rows("visit"), "participant_id")
    entries.visits = {owner: rows for owner, rows in visits.items() if owner in kept}
    entries.forms = _grouped(study.rows("form"), "visit_id")
    for visit in (visit for visits in entries.visits.values() for visit in visits):
        entries.history[visit["id"]] = study.history("visit", visit["id"])
        for form in entries.forms.get(visit["id"], ()):
            entries.history[form["id"]] = study.history("form", form["id"])
    return entries


def _grouped(rows: Sequence[Row], column: str) -> dict[str, Sequence[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return dict(found)


def _refuse_loss(study: Study, entries: _Entries, read: Mapping[str, int], left_out: Collection[str]) -> None:
    """Every row that was read is either in the file or belongs to somebody who was left out."""
    people = {row["id"] for row in study.rows("participant") if row["pseudonym"] in left_out}
    visits = {row["id"] for row in study.rows("visit") if row["participant_id"] in people}
    forms = [row for row in study.rows("form") if row["visit_id"] in visits]
    for table, gone in (("participant", len(people)), ("visit", len(visits)), ("form", len(forms))):
        if entries.written.get(table, 0) + gone != read[table]:
            n = entries.written.get(table, 0)
            raise RecordFault(Message("exchange.rows", table=table, n=n, read=read[table], gone=gone))


def _add_data(root: Element, entries: _Entries, one: Metadata, sha256: str, oid: str) -> None:
    """What was entered under one version of the protocol."""
    data = SubElement(root, "ClinicalData", {"StudyOID": oid, "MetaDataVersionOID": version_oid(one.protocol)})
    for person in entries.participants:
        own = entries.version_of[person["id"]] == sha256
        events = [
            (visit, forms, own)
            for visit in entries.visits.get(person["id"], ())
            if (forms := _entered(entries, visit, sha256)) or own
        ]
        if not events and not own:
            continue
        subject = SubElement(data, "SubjectData", {"SubjectKey": person["pseudonym"], "TransactionType": "Upsert"})
        if own:
            entries.count("participant")
        for visit, forms, is_own in events:
            _add_visit(subject, entries, one, visit, forms, person["id"], own=is_own)


def _entered(entries: _Entries, visit: Row, sha256: str) -> list[tuple[Row, list[Row]]]:
    """Forms of a visit, each with the entries of its history that were made under one version."""
    found = []
    for form in entries.forms.get(visit["id"], ()):
        history = entries.history[form["id"]]
        # What was redacted tells no version any more; it stands where its form is now.
        versions = [(event["new"] or form)["protocol_sha256"] for event in history]
        if sha256 in versions:
            found.append((form, [e for e, own in zip(history, versions, strict=True) if own == sha256]))
    return found


def _add_visit(
    subject: Element,
    entries: _Entries,
    one: Metadata,
    visit: Row,
    forms: Sequence[tuple[Row, list[Row]]],
    person: str,
    *,
    own: bool,
) -> None:
    given = {"StudyEventOID": visit_oid(visit["name"]), "wb:Status": visit["status"]}
    given |= {f"wb:{name.title()}": visit[name] for name in ("started", "planned") if visit[name]}
    event = SubElement(subject, "StudyEventData", given)
    newest = entries.history[visit["id"]][-1]
    if own:
        entries.count("visit")
    if one.is_old:
        _add_audit(event, entries, newest, person)
    for form, history in forms:
        if form["protocol_sha256"] == one.protocol.sha256:
            entries.count("form")
        before: Mapping[str, Any] = {}
        for change in history:
            before = _add_form(event, entries, one, form, change, before, person)
    if not one.is_old:
        _add_audit(event, entries, newest, person)


def _add_form(
    event: Element,
    entries: _Entries,
    one: Metadata,
    form: Row,
    change: Row,
    before: Mapping[str, Any],
    person: str,
) -> Mapping[str, Any]:
    """One entry of the history of a form; returns the values as they are after it."""
    row = change["new"]
    key = str(form["instance"]) + (f".{form['entry']}" if form["entry"] != 1 else "")
    given = {"TransactionType": "Insert" if change["row_version"] == 1 else "Update"}
    given |= {"wb:Entry": str(form["entry"]), "wb:State": row["state"] if row else "redacted"}
    entries.count("audit records")
    if one.is_old:
        element = SubElement(event, "FormData", {"FormOID": form_oid(form["name"]), "FormRepeatKey": key, **given})
        _add_audit(element, entries, change, person)
        if row:
            group = SubElement(element, "ItemGroupData", {"ItemGroupOID": group_oid(form["name"])})
            _add_items(group, one, form, row["values"], before)
    else:
        names = {"ItemGroupOID": form_oid(form["name"]), "ItemGroupRepeatKey": key}
        element = SubElement(event, "ItemGroupData", {**names, **given})
        if row:
            _add_items(element, one, form, row["values"], before)
        _add_audit(element, entries, change, person)
    return row["values"] if row else before


def _add_items(
    group: Element, one: Metadata, form: Row, values: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    for item in items_of(one.protocol.form(form["name"])):
        value = values.get(item.name)
        oid = {"ItemOID": item_oid(form["name"], item.name)}
        text, code = value_text(value)
        if code:
            element = SubElement(group, "ItemData", {**oid, "IsNull": "Yes"})
            flag = SubElement(SubElement(element, "Annotation", {"SeqNum": "1"}), "Flag")
            SubElement(flag, "FlagValue", {"CodeListOID": MISSING_LIST}).text = code
        elif value is not None and one.is_old:
            element = SubElement(group, "ItemData", {**oid, "Value": text})
            if item.unit:
                SubElement(element, "MeasurementUnitRef", {"MeasurementUnitOID": one.units[item.unit]})
        elif value is not None:
            SubElement(SubElement(group, "ItemData", oid), "Value").text = text
        elif before.get(item.name) is not None:
            SubElement(group, "ItemData", {**oid, "TransactionType": "Remove"})
    units = {item.unit for item in items_of(one.protocol.form(form["name"])) if values.get(item.name) is not None}
    for unit in sorted(filter(None, units)) if not one.is_old else ():
        SubElement(SubElement(group, "ItemData", {"ItemOID": unit_item_oid(unit)}), "Value").text = unit


def _add_audit(parent: Element, entries: _Entries, change: Row, person: str) -> None:
    """Who, where, when and why."""
    audit = SubElement(parent, "AuditRecord", {"EditPoint": "DataManagement"})
    SubElement(audit, "UserRef", {"UserOID": entries.user(change["actor"])})
    SubElement(audit, "LocationRef", {"LocationOID": _location(entries.sites[person])})
    SubElement(audit, "DateTimeStamp").text = change["utc"]
    if change["reason"]:
        SubElement(audit, "ReasonForChange").text = change["reason"]
    SubElement(audit, "SourceID").text = f"audit {change['seq']}"


def _location(site: str) -> str:
    return f"L.{site}" if site else "L"


def _add_admin(admin: Element, study: Study, entries: _Entries, version: OdmVersion, oid: str) -> None:
    for name, user in entries.users.items():
        SubElement(SubElement(admin, "User", {"OID": user}), "FullName").text = name
    for site in dict.fromkeys(entries.sites.values()) or [""]:
        location = SubElement(admin, "Location", {"OID": _location(site), "Name": site or study.code})
        for protocol in entries.versions.values():
            given = {"StudyOID": oid, "MetaDataVersionOID": version_oid(protocol)}
            day = protocol.about.effective_from.isoformat()
            SubElement(location, "MetaDataVersionRef", {**given, "EffectiveDate": day})
