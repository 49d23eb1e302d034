"""A protocol as metadata of CDISC ODM 1.3.2 and 2.0, the writing half: see :mod:`workbench.exchange.odm`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from xml.etree.ElementTree import Element, SubElement

from workbench.exchange._form_items import items_of, number_text
from workbench.study.forms import MISSING_CODES, Form, Item, SoftRange
from workbench.study.protocol import ANCHORS, Criterion, Protocol, ProtocolVisit
from workbench.study.protocol_reading import LONGEST_TEXT

OdmVersion = Literal["1.3.2", "2.0"]
VERSIONS: tuple[OdmVersion, ...] = get_args(OdmVersion)
NAMESPACES: Mapping[OdmVersion, str] = {
    "1.3.2": "http://www.cdisc.org/ns/odm/v1.3",
    "2.0": "http://www.cdisc.org/ns/odm/v2.0",
}
OWN = "urn:sci-bci-workbench:odm:1"
"""Namespace of what ODM has no place for; ``odm_workbench.xsd`` describes it."""
MISSING_LIST = "CL.missing"
MISSING_WORDS = {
    "not_asked": "Not asked", "not_done": "Not done", "unknown": "Unknown", "refused": "Refused",
    "not_applicable": "Not applicable",
}  # fmt: skip
DATA_TYPES = {
    "integer": "integer", "number": "float", "text": "text", "choice": "text", "date": "date",
    "yes_no": "boolean",
}  # fmt: skip
"""Data type of ODM by kind of item."""
YES: Mapping[bool, str] = {True: "Yes", False: "No"}


@dataclass(slots=True)
class Metadata:
    """One version of a protocol, while its metadata is written.

    Attributes
    ----------
    protocol : the version.
    version : of ODM.
    units : OID by unit, of the whole file.
    unplanned : names of visits in the data that the protocol does not plan.
    """

    protocol: Protocol
    version: OdmVersion
    units: dict[str, str]
    unplanned: Sequence[str] = ()
    unit_items: dict[str, str] = field(default_factory=dict)

    @property
    def is_old(self) -> bool:
        """Whether it is ODM 1.3.2."""
        return self.version == "1.3.2"


def visit_oid(name: str) -> str:
    """OID of a visit."""
    return f"SE.{name}"


def anchor_oid(name: str) -> str:
    """OID of what a visit is counted from: of a visit, or of an event of ODM 2.0 that stands for the anchor."""
    return f"A.{name}" if name in ANCHORS else visit_oid(name)


def form_oid(name: str) -> str:
    """OID of a form."""
    return f"F.{name}"


def group_oid(form: str) -> str:
    """OID of the one group of items that a form has in ODM 1.3.2."""
    return f"IG.{form}"


def item_oid(form: str, item: str) -> str:
    """OID of an item; names of forms and items hold no slash."""
    return f"I.{form}/{item}"


def unit_item_oid(unit: str) -> str:
    """OID of the item of ODM 2.0 that holds a unit."""
    return f"I.unit/{unit}"


def version_oid(protocol: Protocol) -> str:
    """OID of a version of the protocol."""
    return f"MDV.{protocol.about.version}"


def root_element(version: OdmVersion, *, file_oid: str, made: str, kind: str, granularity: str) -> Element:
    """The element ``ODM``.

    Parameters
    ----------
    version : of ODM.
    file_oid, made : id of the file, and its date and time, from what is exported and not from now.
    kind : ``"Snapshot"`` or ``"Transactional"``.
    granularity : ``"Metadata"`` or ``"All"``.
    """
    return Element(
        "ODM",
        {
            "xmlns": NAMESPACES[version], "xmlns:wb": OWN, "ODMVersion": version, "FileType": kind,
            "Granularity": granularity, "FileOID": file_oid, "CreationDateTime": made,
            "SourceSystem": "sci-bci-workbench",
        },
    )  # fmt: skip


def units_of(protocols: Iterable[Protocol]) -> dict[str, str]:
    """OID by unit, in the order in which the forms name them."""
    found = (item.unit for protocol in protocols for form in protocol.forms for item in items_of(form))
    return {unit: f"MU.{n}" for n, unit in enumerate(dict.fromkeys(filter(None, found)), start=1)}


def add_study(root: Element, versions: Sequence[Metadata], *, oid: str) -> Element:
    """The element ``Study`` with every version of its protocol; the newest one names the study.

    Parameters
    ----------
    root : of the file.
    versions : oldest first; at least one.
    oid : of the study.
    """
    newest = versions[-1]
    about = newest.protocol.about
    if not newest.is_old:
        study = SubElement(root, "Study", {"OID": oid, "StudyName": about.code, "ProtocolName": about.code})
        add_text(study, "Description", about.title, newest.version)
    else:
        study = SubElement(root, "Study", {"OID": oid})
        names = SubElement(study, "GlobalVariables")
        texts = {"StudyName": about.code, "StudyDescription": about.title, "ProtocolName": about.code}
        for tag, text in texts.items():
            SubElement(names, tag).text = text
        _add_units(study, newest.units)
    for one in versions:
        _add_version(study, one)
    return study


def add_text(parent: Element, tag: str, text: str, version: OdmVersion) -> None:
    """An element of translated text, here in the one language it was written in.

    Parameters
    ----------
    parent : of the element.
    tag : its name.
    text : in it.
    version : of ODM.
    """
    kind = {} if version == "1.3.2" else {"Type": "text/plain"}
    SubElement(SubElement(parent, tag), "TranslatedText", kind).text = text


def _add_units(study: Element, units: Mapping[str, str]) -> None:
    if not units:
        return
    basic = SubElement(study, "BasicDefinitions")
    for unit, oid in units.items():
        one = SubElement(basic, "MeasurementUnit", {"OID": oid, "Name": unit})
        add_text(one, "Symbol", unit, "1.3.2")


def _add_version(study: Element, one: Metadata) -> None:
    protocol = one.protocol
    version = SubElement(study, "MetaDataVersion", {"OID": version_oid(protocol), "Name": protocol.about.version})
    _add_protocol(version, one)
    for visit in protocol.visits:
        _add_visit(version, one, visit)
    for name in one.unplanned:
        kind = {"Repeating": "No", "Type": "Unscheduled", "wb:InProtocol": "No"}
        SubElement(version, "StudyEventDef", {"OID": visit_oid(name), "Name": name, **kind})
    if not one.is_old:
        for anchor in _anchors(protocol):
            kind = {"Repeating": "No", "Type": "Common", "wb:InProtocol": "No"}
            SubElement(version, "StudyEventDef", {"OID": anchor_oid(anchor), "Name": anchor, **kind})
    for form in protocol.forms:
        _add_form(version, one, form)
    if one.is_old:
        for form in protocol.forms:
            group = SubElement(
                version, "ItemGroupDef", {"OID": group_oid(form.name), "Name": form.name, "Repeating": "No"}
            )
            _add_item_refs(group, one, form)
    for form in protocol.forms:
        for item in items_of(form):
            _add_item(version, one, form, item)
    _add_unit_items(version, one)
    _add_lists(version, one)
    if not one.is_old:
        for criterion in protocol.criteria:
            condition = SubElement(version, "ConditionDef", {"OID": f"C.{criterion.id}", "Name": criterion.id})
            add_text(condition, "Description", criterion.text, one.version)
            SubElement(condition, "MethodSignature")
    rest = SubElement(version, "wb:Protocol")
    rest.text = json.dumps(_rest(one), sort_keys=True)


def _rest(one: Metadata) -> dict[str, Any]:
    """Sections of the definition that no element holds."""
    definition = one.protocol.definition()
    elsewhere = ("visit", "form", *(() if one.is_old else ("arm", "criterion")))
    rest = {name: section for name, section in definition.items() if name not in elsewhere}
    rest["study"] = {key: value for key, value in rest["study"].items() if key not in ("code", "title", "version")}
    return rest


def _anchors(protocol: Protocol) -> list[str]:
    """Anchors that are no visits, which ODM 2.0 counts from as from an event."""
    return list(dict.fromkeys(visit.anchor for visit in protocol.visits if visit.anchor in ANCHORS))


def _add_protocol(version: Element, one: Metadata) -> None:
    element = SubElement(version, "Protocol")
    if one.is_old:
        for n, visit in enumerate(one.protocol.visits, start=1):
            ref = {"StudyEventOID": visit_oid(visit.name), "OrderNumber": str(n), "Mandatory": "Yes"}
            SubElement(element, "StudyEventRef", ref)
        return
    structure = SubElement(element, "StudyStructure")
    for arm in one.protocol.arms:
        made = SubElement(structure, "Arm", {"OID": f"ARM.{arm.name}", "Name": arm.name})
        add_text(made, "Description", arm.title, one.version)
    timing = SubElement(SubElement(element, "StudyTimings"), "StudyTiming", {"OID": "T", "Name": "Visits"})
    for visit in one.protocol.visits:
        SubElement(timing, "RelativeTimingConstraint", _timing(visit))
    _add_criteria(element, one.protocol.criteria, one.version)


def _timing(visit: ProtocolVisit) -> dict[str, str]:
    sign = "-" if visit.day < 0 else ""
    return {
        "OID": f"T.{visit.name}", "Name": visit.name, "PredecessorOID": anchor_oid(visit.anchor),
        "SuccessorOID": visit_oid(visit.name), "Type": "StartToStart",
        "TimepointRelativeTarget": f"{sign}P{abs(visit.day)}D",
        "TimepointPreWindow": f"P{visit.day - visit.earliest}D",
        "TimepointPostWindow": f"P{visit.latest - visit.day}D",
    }  # fmt: skip


def _add_criteria(element: Element, criteria: Sequence[Criterion], version: OdmVersion) -> None:
    if not criteria:
        return
    both = SubElement(element, "InclusionExclusionCriteria")
    for kind, tag in (("inclusion", "InclusionCriteria"), ("exclusion", "ExclusionCriteria")):
        chosen = [(n, one) for n, one in enumerate(criteria, start=1) if one.kind == kind]
        parent = SubElement(both, tag) if chosen else both
        for n, one in chosen:
            names = {"OID": f"CR.{one.id}", "Name": one.id, "ConditionOID": f"C.{one.id}"}
            made = SubElement(parent, "Criterion", {**names, "wb:Origin": one.origin, "wb:OrderNumber": str(n)})
            add_text(made, "Description", one.text, version)


def _add_visit(version: Element, one: Metadata, visit: ProtocolVisit) -> None:
    given = {
        "OID": visit_oid(visit.name), "Name": visit.name, "Repeating": YES[visit.repeats], "Type": "Scheduled",
    }  # fmt: skip
    if one.is_old:
        given["wb:Anchor"] = visit.anchor
        given |= {f"wb:{name.title()}": str(getattr(visit, name)) for name in ("day", "earliest", "latest")}
    if visit.sessions:
        held = [[session.system, session.procedure] for session in visit.sessions]
        given["wb:Sessions"] = json.dumps(held)
    element = SubElement(version, "StudyEventDef", given)
    tag, oid = ("FormRef", "FormOID") if one.is_old else ("ItemGroupRef", "ItemGroupOID")
    for n, name in enumerate(visit.forms, start=1):
        SubElement(element, tag, {oid: form_oid(name), "OrderNumber": str(n), "Mandatory": "Yes"})


def _add_form(version: Element, one: Metadata, form: Form) -> None:
    given = {"OID": form_oid(form.name), "Name": form.name}
    own = {"wb:Measure": form.measure} if form.measure else {}
    own |= {"wb:DoubleEntry": "Yes"} if form.double_entry else {}
    own |= {"wb:State": form.state} if form.state else {}
    if one.is_old:
        element = SubElement(version, "FormDef", {**given, "Repeating": "Yes", **own})
        add_text(element, "Description", form.title, one.version)
        SubElement(element, "ItemGroupRef", {"ItemGroupOID": group_oid(form.name), "Mandatory": "Yes"})
    else:
        element = SubElement(version, "ItemGroupDef", {**given, "Repeating": "Simple", "Type": "Form", **own})
        add_text(element, "Description", form.title, one.version)
        _add_item_refs(element, one, form)


def _add_item_refs(group: Element, one: Metadata, form: Form) -> None:
    for n, item in enumerate(items_of(form), start=1):
        ref = {
            "ItemOID": item_oid(form.name, item.name), "OrderNumber": str(n), "Mandatory": YES[item.required],
        }  # fmt: skip
        if item.unit and not one.is_old:
            ref["UnitsItemOID"] = one.unit_items.setdefault(item.unit, unit_item_oid(item.unit))
        SubElement(group, "ItemRef", ref)


def _add_item(version: Element, one: Metadata, form: Form, item: Item) -> None:
    given = {
        "OID": item_oid(form.name, item.name), "Name": item.name, "DataType": DATA_TYPES[item.kind],
    }  # fmt: skip
    if item.kind == "text":
        given["Length"] = str(LONGEST_TEXT)
    elif item.kind == "choice":
        given["Length"] = str(max(map(len, item.choices)))
    element = SubElement(version, "ItemDef", given)
    add_text(element, "Question", item.label, one.version)
    if item.unit and one.is_old:
        SubElement(element, "MeasurementUnitRef", {"MeasurementUnitOID": one.units[item.unit]})
    soft = item.in_range_query or SoftRange()
    ends = (
        ("GE", "Hard", item.least), ("LE", "Hard", item.greatest), ("GE", "Soft", soft.low),
        ("LE", "Soft", soft.high),
    )  # fmt: skip
    for comparator, hardness, end in ends:
        if end is not None:
            check = SubElement(element, "RangeCheck", {"Comparator": comparator, "SoftHard": hardness})
            SubElement(check, "CheckValue").text = number_text(end)
    if item.kind == "choice":
        SubElement(element, "CodeListRef", {"CodeListOID": _list_oid(form, item)})


def _list_oid(form: Form, item: Item) -> str:
    return f"CL.{form.name}/{item.name}"


def _add_unit_items(version: Element, one: Metadata) -> None:
    """What ODM 2.0 has for units: an item whose list of codes holds the one unit."""
    for unit, oid in one.unit_items.items():
        given = {"OID": oid, "Name": "unit", "DataType": "text", "Length": str(len(unit))}
        element = SubElement(version, "ItemDef", given)
        SubElement(element, "CodeListRef", {"CodeListOID": f"CL.unit/{unit}"})


def _add_lists(version: Element, one: Metadata) -> None:
    for form in one.protocol.forms:
        for item in items_of(form):
            if item.kind == "choice":
                codes = dict(zip(item.choices, item.choices, strict=True))
                _add_list(version, one, _list_oid(form, item), f"{form.name} {item.name}", codes)
    for unit in one.unit_items:
        _add_list(version, one, f"CL.unit/{unit}", unit, {unit: unit})
    _add_list(version, one, MISSING_LIST, "Why a value is missing", {c: MISSING_WORDS[c] for c in MISSING_CODES})


def _add_list(version: Element, one: Metadata, oid: str, name: str, codes: Mapping[str, str]) -> None:
    element = SubElement(version, "CodeList", {"OID": oid, "Name": name, "DataType": "text"})
    for n, (code, text) in enumerate(codes.items(), start=1):
        entry = SubElement(element, "CodeListItem", {"CodedValue": code, "OrderNumber": str(n)})
        add_text(entry, "Decode", text, one.version)
