"""Metadata of CDISC ODM as the definition of a protocol: the reading half; see :mod:`workbench.exchange.odm`."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from workbench import reading
from workbench.errors import BadValue
from workbench.exchange._imported import Imported, as_code, as_name, as_text, choices_of, completed
from workbench.exchange._odm_metadata import NAMESPACES, OWN, OdmVersion
from workbench.exchange._xml import MOST, parsed, split, text_under
from workbench.messages import Message
from workbench.study.nouns import told
from workbench.study.protocol import SEMVER

KINDS = {
    "integer": "integer", "float": "number", "double": "number", "decimal": "number", "text": "text",
    "string": "text", "date": "date", "boolean": "yes_no",
}  # fmt: skip
ENDS = {("GE", "Hard"): "least", ("LE", "Hard"): "greatest", ("GE", "Soft"): "low", ("LE", "Soft"): "high"}
_DAYS = re.compile(r"(-?)P(\d{1,6})([DW])", re.ASCII)
USED = frozenset((
    "ODM", "Study", "GlobalVariables", "StudyName", "StudyDescription", "ProtocolName", "BasicDefinitions",
    "MeasurementUnit", "Symbol", "TranslatedText", "MetaDataVersion", "Protocol", "StudyEventRef",
    "StudyEventDef", "FormRef", "FormDef", "ItemGroupRef", "ItemGroupDef", "ItemRef", "ItemDef", "Question",
    "Description", "MeasurementUnitRef", "RangeCheck", "CheckValue", "CodeListRef", "CodeList",
    "CodeListItem", "EnumeratedItem", "Decode", "StudyStructure", "Arm", "StudyTimings", "StudyTiming",
    "RelativeTimingConstraint", "InclusionExclusionCriteria", "InclusionCriteria", "ExclusionCriteria",
    "Criterion",
))  # fmt: skip
"""Elements that a definition is made of."""
BESIDE = frozenset({"AdminData", "ClinicalData", "ReferenceData", "Association"})
"""Elements of a file that are no metadata; what is in them is not counted one by one."""


def from_odm(data: bytes, where: str) -> Imported:
    """See :func:`workbench.exchange.odm.from_odm`.

    Raises
    ------
    BadValue
        For a file that is not ODM 1.3 or 2.0, or has no metadata.
    """
    root = parsed(data, where)
    space, tag = split(root.tag)
    versions = {name: version for version, name in NAMESPACES.items()}
    if tag != "ODM" or space not in versions:
        raise BadValue(Message("exchange.no_odm", where=where, got=f"{root.tag!s:.80}"))
    return _Reader(root, versions[space], where).imported()


class _Reader:
    """One file, while it is read.

    Parameters
    ----------
    root : of the file.
    version : of ODM.
    where : names the file in a sentence.
    """

    def __init__(self, root: Element, version: OdmVersion, where: str) -> None:
        self._space = f"{{{NAMESPACES[version]}}}"
        self._is_old = version == "1.3.2"
        self._where = where
        self._root = root
        self._notes: list[Message] = []
        found = [(study, one) for study in self._all(root, "Study") for one in self._all(study, "MetaDataVersion")]
        if not found:
            raise BadValue(Message("exchange.no_metadata", where=where))
        # The last one: files list versions of a protocol from the oldest on.
        self._study, self._version = found[-1]
        if len(found) > 1:
            self._note(Message("exchange.one_version", n=len(found), name=told(self._version.get("Name", ""))))
        rest = self._version.find(f"{{{OWN}}}Protocol")
        self._is_ours = rest is not None
        self._rest = self._own_sections(text_under(rest)) if self._is_ours else {}
        self._form_name: dict[str, str] = {}
        self._visit_name: dict[str, str] = {}
        self._defined = {
            tag: {one.get("OID", ""): one for one in self._all(self._version, tag)}
            for tag in ("ItemDef", "ItemGroupDef", "CodeList")
        }
        self._units = {
            one.get("OID", ""): one.get("Name", "")
            for one in self._all(self._below(self._study, "BasicDefinitions"), "MeasurementUnit")
        }
        self._listed: dict[str, list[str]] = {}
        self._made = 0

    def imported(self) -> Imported:
        """The definition, and what was not taken over."""
        definition = dict(self._rest)
        definition["study"] = self._about() | definition.get("study", {})
        if not self._is_old:
            definition |= self._arms_and_criteria()
        forms = [self._form(element) for element in self._forms()]
        visits = list(self._visits())
        definition |= {name: part for name, part in (("visit", visits), ("form", forms)) if part}
        self._count_left()
        return completed(definition, tuple(self._notes), self._where)

    # ------------------------------------------------------------------------------ elements
    def _all(self, element: Element | None, tag: str) -> list[Element]:
        return [] if element is None else element.findall(f"{self._space}{tag}")

    def _ordered(self, element: Element | None, tag: str) -> list[Element]:
        """Elements by their OrderNumber; those without one last, as they stand in the file."""
        numbered = [(_number(one.get("OrderNumber", "")), one) for one in self._all(element, tag)]
        return [one for _, one in sorted(numbered, key=lambda pair: (pair[0] is None, pair[0] or 0))]

    def _below(self, element: Element | None, *tags: str) -> Element | None:
        for tag in tags:
            element = None if element is None else element.find(f"{self._space}{tag}")
        return element

    def _text(self, element: Element | None, *tags: str) -> str:
        """Text as it stands in a file of ours; in others the breaks of a layout are no part of it."""
        text = text_under(self._below(element, *tags))
        return text if self._is_ours else " ".join(text.split())

    def _name(self, text: str) -> str:
        return text if self._is_ours else as_name(text)

    def _count(self, n: int) -> None:
        """Count items and choices: what is referred to many times is written once, but made many times."""
        self._made += n
        if self._made > MOST:
            raise BadValue(Message("exchange.xml_many", where=self._where, most=f"{MOST:,}"))

    def _note(self, note: Message) -> None:
        self._notes.append(note)

    def _own_sections(self, text: str) -> dict[str, Any]:
        content = reading.parse_json(text, self._where)
        if not isinstance(content, dict) or not isinstance(content.get("study", {}), dict):
            raise BadValue(Message("exchange.own_part", where=self._where))
        return content

    def _count_left(self) -> None:
        """Name every kind of element that nothing was made of."""
        left: Counter[str] = Counter()
        level = [self._root]
        while level:
            element = level.pop()
            space, tag = split(element.tag)
            if f"{{{space}}}" != self._space or tag not in USED:
                ours = space == OWN or (self._is_ours and tag in ("ConditionDef", "MethodSignature"))
                left[tag if f"{{{space}}}" == self._space else f"{space or 'none'}: {tag}"] += not ours
                if ours or tag in BESIDE:
                    continue
            level += element
        names = [f"{name[:80]} ({n})" for name, n in sorted(left.items()) if n]
        if names:
            self._note(Message("exchange.left", names=names[:30]))

    # ------------------------------------------------------------------------------ the study
    def _about(self) -> dict[str, Any]:
        names = self._below(self._study, "GlobalVariables")
        code = self._text(names, "StudyName") if self._is_old else self._study.get("StudyName", "")
        title = (
            self._text(names, "StudyDescription")
            if self._is_old
            else self._text(self._study, "Description", "TranslatedText")
        )
        about = {"code": self._name(code), "title": self._name(title)}
        version = self._version.get("Name", "")
        if SEMVER.fullmatch(version):
            about["version"] = version
        else:
            self._note(Message("exchange.version", got=told(version)))
        return {key: value for key, value in about.items() if value}

    def _arms_and_criteria(self) -> dict[str, Any]:
        protocol = self._below(self._version, "Protocol")
        arms = [
            {"name": as_code(arm.get("Name", "")), "title": self._text(arm, "Description", "TranslatedText")}
            for arm in self._all(self._below(protocol, "StudyStructure"), "Arm")
        ]
        criteria = []
        for kind, tag in (("inclusion", "InclusionCriteria"), ("exclusion", "ExclusionCriteria")):
            parent = self._below(protocol, "InclusionExclusionCriteria", tag)
            for one in self._all(parent, "Criterion"):
                text = self._text(one, "Description", "TranslatedText")
                made = {"id": as_code(one.get("Name", "")), "text": text, "kind": kind}
                made["origin"] = one.get(f"{{{OWN}}}Origin", "trial")
                criteria.append((_number(one.get(f"{{{OWN}}}OrderNumber", "")) or 0, made))
        ordered = [one for _, one in sorted(criteria, key=lambda pair: pair[0])]
        return {name: part for name, part in (("arm", arms), ("criterion", ordered)) if part}

    # ------------------------------------------------------------------------------ visits
    def _visits(self) -> Iterator[dict[str, Any]]:
        planned = self._ordered(self._below(self._version, "Protocol"), "StudyEventRef")
        place = {ref.get("StudyEventOID", ""): n for n, ref in enumerate(planned)}
        elements = self._all(self._version, "StudyEventDef")
        elements.sort(key=lambda one: place.get(one.get("OID", ""), len(place)))
        self._visit_name = {one.get("OID", ""): self._name(one.get("Name", "")) for one in elements}
        timings = self._timings()
        for element in elements:
            if element.get(f"{{{OWN}}}InProtocol") == "No":
                continue
            name = self._name(element.get("Name", ""))
            visit: dict[str, Any] = {"name": name} | self._window(element, timings)
            tag, oid = ("FormRef", "FormOID") if self._is_old else ("ItemGroupRef", "ItemGroupOID")
            refs = [self._form_name.get(ref.get(oid, "")) for ref in self._ordered(element, tag)]
            if forms := [form for form in dict.fromkeys(refs) if form]:
                visit["forms"] = forms
            if None in refs:
                self._note(Message("exchange.no_such_form", visit=told(name)))
            if sessions := element.get(f"{{{OWN}}}Sessions"):
                visit["sessions"] = self._sessions(sessions)
            if element.get("Repeating") == "Yes":
                visit["repeats"] = True
            yield visit

    def _sessions(self, text: str) -> list[dict[str, Any]]:
        content = reading.parse_json(text, self._where)
        pairs = content if isinstance(content, list) else []
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise BadValue(Message("exchange.own_part", where=self._where))
        return [{"system": system, "procedure": procedure} for system, procedure in pairs]

    def _timings(self) -> dict[str, Element]:
        """Timing of ODM 2.0 by OID of the visit that it places."""
        timings = self._below(self._version, "Protocol", "StudyTimings")
        return {
            one.get("SuccessorOID", ""): one
            for timing in self._all(timings, "StudyTiming")
            for one in self._all(timing, "RelativeTimingConstraint")
        }

    def _window(self, element: Element, timings: Mapping[str, Element]) -> dict[str, Any]:
        if self._is_old:
            days = [_number(element.get(f"{{{OWN}}}{name}", "")) for name in ("Day", "Earliest", "Latest")]
            anchor = element.get(f"{{{OWN}}}Anchor", "")
        else:
            timing = timings.get(element.get("OID", ""))
            given = {} if timing is None else timing.attrib
            day, *around = (
                _days(given.get(f"Timepoint{name}", "P0D" if timing is not None else ""))
                for name in ("RelativeTarget", "PreWindow", "PostWindow")
            )
            known = day is not None and None not in around
            days = [day, day - around[0], day + around[1]] if known else [None] * 3  # type: ignore[operator]
            anchor = self._visit_name.get(given.get("PredecessorOID", ""), "")
        if not anchor or None in days:
            self._note(Message("exchange.no_window", visit=told(element.get("Name", ""))))
            return {}
        return {"anchor": anchor, **dict(zip(("day", "earliest", "latest"), days, strict=True))}

    # ------------------------------------------------------------------------------ forms
    def _forms(self) -> Iterable[Element]:
        """The elements of forms, with a name of the protocol for the OID of each."""
        if self._is_old:
            elements = self._all(self._version, "FormDef")
        else:
            elements = [
                one for one in self._all(self._version, "ItemGroupDef") if one.get("Type") in ("Form", "Section")
            ]
        taken: dict[str, int] = {}
        for element in elements:
            name = as_code(element.get("Name", ""), taken)
            if name != element.get("Name"):
                self._note(Message("exchange.renamed", old=told(element.get("Name", "")), new=name))
            self._form_name[element.get("OID", "")] = name
        return elements

    def _form(self, element: Element) -> dict[str, Any]:
        name = self._form_name[element.get("OID", "")]
        title = self._text(element, "Description", "TranslatedText") or element.get("Name", "")
        form: dict[str, Any] = {"name": name, "title": self._name(title)}
        measure = element.get(f"{{{OWN}}}Measure", "")
        if measure:
            form["measure"] = measure
        else:
            form["items"] = self._items(element, name)
        if element.get(f"{{{OWN}}}DoubleEntry") == "Yes":
            form["double_entry"] = True
        if state := element.get(f"{{{OWN}}}State", ""):
            form["state"] = state
        return form

    def _items(self, element: Element, form: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        taken: dict[str, int] = {}
        for ref in self._refs(element):
            self._count(1)
            item = self._defined["ItemDef"].get(ref.get("ItemOID", ""))
            if item is None:
                self._note(Message("exchange.no_such_item", form=form, got=told(ref.get("ItemOID", ""))))
            else:
                items.append(self._item(item, ref, form, taken))
        return items

    def _refs(self, element: Element) -> Iterator[Element]:
        """References to the items of a form and of the groups in it, each group once."""
        left, seen = deque([element]), set[str]()
        while left:
            group = left.popleft()
            yield from self._ordered(group, "ItemRef")
            for ref in self._ordered(group, "ItemGroupRef"):
                oid = ref.get("ItemGroupOID", "")
                if oid in self._defined["ItemGroupDef"] and oid not in seen:
                    seen.add(oid)
                    left.append(self._defined["ItemGroupDef"][oid])

    def _item(self, element: Element, ref: Element, form: str, taken: dict[str, int]) -> dict[str, Any]:
        name = as_code(element.get("Name", ""), taken)
        label = self._text(element, "Question", "TranslatedText") or self._text(
            element, "Description", "TranslatedText"
        )
        kind = KINDS.get(element.get("DataType", ""), "")
        if not kind:
            self._note(Message("exchange.item_type", form=form, item=name, got=told(element.get("DataType", ""))))
        item: dict[str, Any] = {
            "name": name,
            "label": label if self._is_ours else as_text(label) or as_text(element.get("Name", "")) or name,
            "kind": kind or "text",
        }
        if choices := self._choices(self._below(element, "CodeListRef")):
            item |= {"kind": "choice", "choices": choices}
        if item["kind"] in ("integer", "number"):
            item |= self._numeric(element, ref, form, name)
        elif self._all(element, "RangeCheck"):
            self._note(Message("exchange.check", form=form, item=name))
        if ref.get("Mandatory") == "Yes":
            item["required"] = True
        return item

    def _numeric(self, element: Element, ref: Element, form: str, name: str) -> dict[str, Any]:
        """Unit and ranges."""
        found: dict[str, Any] = {}
        for check in self._all(element, "RangeCheck"):
            values = self._all(check, "CheckValue")
            end = ENDS.get((check.get("Comparator", ""), check.get("SoftHard", "")))
            number = _decimal(text_under(values[0])) if len(values) == 1 else None
            if end is None or number is None or end in found:
                self._note(Message("exchange.check", form=form, item=name))
            else:
                found[end] = number
        soft = {end: found.pop(end) for end in ("low", "high") if end in found}
        unit = self._unit(element, ref)
        return found | ({"in_range_query": soft} if soft else {}) | ({"unit": unit} if unit else {})

    def _unit(self, element: Element, ref: Element) -> str:
        if self._is_old:
            wanted = self._below(element, "MeasurementUnitRef")
            return "" if wanted is None else self._name(self._units.get(wanted.get("MeasurementUnitOID", ""), ""))
        item = self._defined["ItemDef"].get(ref.get("UnitsItemOID", ""))
        names = [] if item is None else self._choices(self._below(item, "CodeListRef"))
        return names[0] if len(names) == 1 else ""

    def _choices(self, ref: Element | None) -> list[str]:
        """What may be chosen: the words of a list of codes, or its codes where these are no names."""
        oid = "" if ref is None else ref.get("CodeListOID", "")
        if oid not in self._listed:
            self._listed[oid] = self._words(self._defined["CodeList"].get(oid))
        self._count(len(self._listed[oid]))
        return self._listed[oid]

    def _words(self, element: Element | None) -> list[str]:
        entries = [*self._ordered(element, "CodeListItem"), *self._ordered(element, "EnumeratedItem")]
        codes = [entry.get("CodedValue", "") for entry in entries]
        if self._is_ours:
            return codes
        words = [self._text(entry, "Decode", "TranslatedText") for entry in entries]
        return choices_of(list(zip(codes, words, strict=True)))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else None


def _decimal(text: str) -> float | None:
    found = re.fullmatch(r"\s*([+-]?\d{1,400}(\.\d{0,400})?)\s*", text, re.ASCII)
    return float(found[1]) if found else None


def _days(text: str) -> int | None:
    """Days of a duration; None for one that has other parts."""
    found = _DAYS.fullmatch(text)
    if found is None:
        return None
    days = int(found[2]) * (7 if found[3] == "W" else 1)
    return -days if found[1] else days
