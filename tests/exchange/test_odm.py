"""CDISC ODM: what is exported follows the schemas of both versions, and a protocol comes back as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import odmlib
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.protocols import EXAMPLE, entered, protocols, small
from tests.shares import some
from tests.study.versions import over
from workbench import exchange
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.exchange import odm
from workbench.recording.xml import DEEPEST
from workbench.study import Study, changes, protocol
from workbench.study.protocol import Protocol, difference
from workbench.study.protocol_reading import BadProtocol
from workbench.vocabulary import Participant, Visit

VERSIONS = pytest.mark.parametrize("version", odm.VERSIONS)
CDISC = Path(odmlib.__file__).parent / "schemas" / "odm"
OURS = Path(exchange.__file__).parent
ROOTS = {"1.3.2": "ODM1-3-2.xsd", "2.0": "ODM.xsd"}


@pytest.fixture(scope="session")
def schema(tmp_path_factory):
    """The schema of CDISC, with our namespace or without it."""

    @cache
    def of(version, *, ours):
        if not ours:
            return xmlschema.XMLSchema(str(CDISC / version / ROOTS[version]))
        folder = tmp_path_factory.mktemp("schema") / version
        shutil.copytree(CDISC / version, folder)
        for name in ("odm_workbench.xsd", f"odm_{version}_workbench.xsd"):
            shutil.copy(OURS / name, folder)
        return xmlschema.XMLSchema(str(folder / f"odm_{version}_workbench.xsd"))

    return of


def without_ours(data):
    """A file as a reader has it that knows nothing of our namespace."""
    root = ElementTree.fromstring(data)
    for element in root.iter():
        for child in [one for one in element if one.tag.startswith(f"{{{odm.OWN}}}")]:
            element.remove(child)
        for name in [name for name in element.attrib if name.startswith(f"{{{odm.OWN}}}")]:
            del element.attrib[name]
    return ElementTree.tostring(root)


def valid(schema, version, data):
    wrong = [str(error.reason) for error in schema(version, ours=True).iter_errors(data.decode())]
    wrong += [str(error.reason) for error in schema(version, ours=False).iter_errors(without_ours(data).decode())]
    return wrong == [] or wrong


@pytest.fixture(scope="module")
def example():
    return protocol.read(EXAMPLE)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    with Study.create(tmp_path_factory.mktemp("s") / "study", code="NEO", title="Grasp", actor="tests") as made:
        entered(made)
        yield made


def of(root, tag):
    return [one for one in root.iter() if one.tag.rpartition("}")[2] == tag]


# ------------------------------------------------------------------------------ the protocol
@pytest.mark.job
@pytest.mark.parametrize("version", some(odm.VERSIONS))
def test_the_example_follows_the_schema_with_our_namespace_and_without_it(schema, example, version):
    assert valid(schema, version, odm.to_odm(example, version)) is True


@pytest.mark.job
@VERSIONS
def test_the_schema_finds_what_is_wrong(schema, version):
    """So that a file which is found valid was really looked at."""
    data = odm.to_odm(Protocol.from_definition(small()), version)
    for old, new in ((b'Repeating="No"', b'Repeating="Maybe"'), (b"wb:Sessions", b"wb:Songs")):
        assert old in data
        assert valid(schema, version, data.replace(old, new)) is not True


@VERSIONS
def test_the_example_comes_back_with_the_same_hash_and_the_same_bytes(example, version):
    data = odm.to_odm(example, version)
    imported = odm.from_odm(data)
    assert imported.sha256 == example.sha256
    assert (imported.notes, imported.problems) == ((), ())
    assert odm.to_odm(imported.protocol, version) == data


@pytest.mark.job
@VERSIONS
@settings(max_examples=60, deadline=None)
@given(one=protocols())
def test_any_protocol_comes_back_as_it_was(version, one):
    imported = odm.from_odm(odm.to_odm(one, version))
    assert difference(one, imported.protocol) == ()
    assert imported.sha256 == one.sha256
    assert imported.notes == ()


@pytest.mark.job
@VERSIONS
@settings(max_examples=8, deadline=None)
@given(one=protocols())
def test_any_protocol_follows_the_schema(schema, version, one):
    assert valid(schema, version, odm.to_odm(one, version)) is True


@VERSIONS
def test_items_have_types_units_ranges_lists_and_what_is_required(example, version):
    root = ElementTree.fromstring(odm.to_odm(example, version))
    items = {one.get("OID"): one for one in of(root, "ItemDef")}
    systolic = items["I.vitals/systolic"]
    assert systolic.get("DataType") == "integer"
    checks = [(one.get("Comparator"), one.get("SoftHard"), one[0].text) for one in of(systolic, "RangeCheck")]
    assert checks == [
        ("GE", "Hard", "40.0"), ("LE", "Hard", "300.0"), ("GE", "Soft", "90.0"), ("LE", "Soft", "150.0"),
    ]  # fmt: skip
    refs = {one.get("ItemOID"): one for one in of(root, "ItemRef")}
    assert refs["I.vitals/systolic"].get("Mandatory") == "Yes"
    assert refs["I.vitals/pulse"].get("Mandatory") == "No"
    lists = {
        one.get("OID"): [e.get("CodedValue") for e in of(one, "CodeListItem")] for one in of(root, "CodeList")
    }
    assert lists["CL.wound/state"] == ["closed", "open", "infected"]
    assert lists["CL.missing"] == ["not_asked", "not_done", "unknown", "refused", "not_applicable"]
    if version == "1.3.2":
        units = {one.get("OID"): one.get("Name") for one in of(root, "MeasurementUnit")}
        assert units[of(systolic, "MeasurementUnitRef")[0].get("MeasurementUnitOID")] == "mmHg"
    else:
        unit = items[refs["I.vitals/systolic"].get("UnitsItemOID")]
        assert lists[of(unit, "CodeListRef")[0].get("CodeListOID")] == ["mmHg"]


def test_a_window_stands_in_the_element_that_odm_2_has_for_it(example):
    root = ElementTree.fromstring(odm.to_odm(example, "2.0"))
    (week,) = [one for one in of(root, "RelativeTimingConstraint") if one.get("Name") == "Week 12"]
    given_ = [week.get(f"Timepoint{name}") for name in ("RelativeTarget", "PreWindow", "PostWindow")]
    assert given_ == ["P84D", "P7D", "P14D"]
    names = {one.get("OID"): one.get("Name") for one in of(root, "StudyEventDef")}
    assert (names[week.get("PredecessorOID")], names[week.get("SuccessorOID")]) == ("implant", "Week 12")


def test_what_another_system_changed_in_a_standard_element_is_taken_over(example):
    data = odm.to_odm(example, "2.0").replace(b'TimepointPostWindow="P14D"', b'TimepointPostWindow="P3W"')
    (change,) = [
        one for one in difference(example, odm.from_odm(data).protocol) if one.entry in ("Week 12", "Baseline")
    ]
    assert (change.field, change.old, change.new) == ("latest", 98, 105)


def test_a_character_that_xml_does_not_allow_is_refused_and_not_changed(example):
    title = dataclasses.replace(example.about, title="a\ufffeb")
    with pytest.raises(BadValue, match="XML does not allow a character"):
        odm.to_odm(dataclasses.replace(example, about=title))
    with pytest.raises(BadValue, match=r"one of 1\.3\.2, 2\.0; got '1\.2'"):
        odm.to_odm(example, "1.2")


# ------------------------------------------------------------------------------ files of others
FOREIGN = """<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Snapshot" FileOID="x">
 <Study OID="1"><GlobalVariables><StudyName> My  study</StudyName><StudyDescription>T</StudyDescription>
  <ProtocolName>P</ProtocolName></GlobalVariables>
  <MetaDataVersion OID="v1" Name="first"><StudyEventDef OID="a" Name="A" Repeating="No" Type="Common"/>
  </MetaDataVersion>
  <MetaDataVersion OID="v2" Name="second">
   <StudyEventDef OID="SE1" Name="Visit 1" Repeating="Yes" Type="Scheduled"><FormRef FormOID="F1" Mandatory="Yes"/>
    <FormRef FormOID="F9" Mandatory="Yes"/></StudyEventDef>
   <FormDef OID="F1" Name="Vital signs" Repeating="No"><ItemGroupRef ItemGroupOID="G" Mandatory="Yes"/>
    <ItemGroupRef ItemGroupOID="G" Mandatory="Yes"/></FormDef>
   <ItemGroupDef OID="G" Name="G" Repeating="No"><ItemRef ItemOID="I1" Mandatory="Yes"/>
    <ItemRef ItemOID="I2" Mandatory="No"/><ItemRef ItemOID="I3" Mandatory="No"/>
    <ItemRef ItemOID="I4" Mandatory="No"/>
   </ItemGroupDef>
   <ItemDef OID="I1" Name="SEX" DataType="integer"><Question><TranslatedText>
      Sex at
      birth </TranslatedText></Question><CodeListRef CodeListOID="C"/></ItemDef>
   <ItemDef OID="I2" Name="HR" DataType="float"><RangeCheck Comparator="GE" SoftHard="Soft">
    <CheckValue>40</CheckValue></RangeCheck>
    <RangeCheck Comparator="NE" SoftHard="Hard"><CheckValue>7</CheckValue></RangeCheck></ItemDef>
   <ItemDef OID="I3" Name="WHEN" DataType="partialDatetime"/>
   <CodeList OID="C" Name="C" DataType="integer">
    <CodeListItem CodedValue="1"><Decode><TranslatedText>female</TranslatedText></Decode></CodeListItem>
    <CodeListItem CodedValue="2"><Decode><TranslatedText>male</TranslatedText></Decode></CodeListItem></CodeList>
   <MethodDef OID="M" Name="M" Type="Computation"/>
  </MetaDataVersion></Study></ODM>"""


def test_of_a_foreign_file_what_can_be_is_taken_over_and_the_rest_is_listed():
    imported = odm.from_odm(FOREIGN.encode())
    (form,) = imported.definition["form"]
    assert (form["name"], form["title"]) == ("Vital_signs", "Vital signs")
    sex, rate, when = form["items"]
    assert sex == {
        "name": "SEX", "label": "Sex at birth", "kind": "choice", "choices": ["female", "male"], "required": True,
    }  # fmt: skip
    assert rate == {"name": "HR", "label": "HR", "kind": "number", "in_range_query": {"low": 40.0}}
    assert when["kind"] == "text"
    assert imported.definition["visit"] == [{"name": "Visit 1", "forms": ["Vital_signs"], "repeats": True}]
    assert imported.definition["study"] == {"code": "My study", "title": "T"}
    assert list(imported.notes) == [
        "of 2 versions of the metadata the last one, 'second', was taken over",
        "the version 'second' is not written as semver.org has it; add the version of the protocol, such as 1.0.0",
        "form 'Vital signs' is called Vital_signs: names of forms are codes",
        "the range of item HR of form Vital_signs was not taken over: "
        "only 'at least' and 'at most' of numbers are",
        "item WHEN of form Vital_signs has the data type 'partialDatetime'; it became a text",
        "form Vital_signs names the item 'I4', which is not defined in the file; it was left out",
        "visit 'Visit 1' has no window in days that was understood; add anchor, day, earliest and latest",
        "visit 'Visit 1' asks for forms that are not defined in the file; they were left out",
        "not taken over: MethodDef (1)",
    ]
    assert any("consent is missing" in problem for problem in imported.problems)
    with pytest.raises(BadProtocol):
        _ = imported.protocol


UNORDERED = """<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Snapshot" FileOID="x">
 <Study OID="1"><GlobalVariables><StudyName>S</StudyName><StudyDescription>T</StudyDescription>
  <ProtocolName>P</ProtocolName></GlobalVariables>
  <MetaDataVersion OID="v" Name="1.0.0">
   <Protocol><StudyEventRef StudyEventOID="SE2" OrderNumber="10" Mandatory="Yes"/>
    <StudyEventRef StudyEventOID="SE1" OrderNumber="9" Mandatory="Yes"/></Protocol>
   <StudyEventDef OID="SE3" Name="Unplanned" Repeating="No" Type="Unscheduled"/>
   <StudyEventDef OID="SE2" Name="Second" Repeating="No" Type="Scheduled">
    <FormRef FormOID="F2" OrderNumber="2" Mandatory="Yes"/><FormRef FormOID="F1" OrderNumber="1" Mandatory="Yes"/>
   </StudyEventDef>
   <StudyEventDef OID="SE1" Name="First" Repeating="No" Type="Scheduled"/>
   <FormDef OID="F1" Name="F1" Repeating="No"><ItemGroupRef ItemGroupOID="H" OrderNumber="2" Mandatory="Yes"/>
    <ItemGroupRef ItemGroupOID="G" OrderNumber="1" Mandatory="Yes"/></FormDef>
   <FormDef OID="F2" Name="F2" Repeating="No"><ItemGroupRef ItemGroupOID="G" Mandatory="Yes"/></FormDef>
   <ItemGroupDef OID="G" Name="G" Repeating="No"><ItemRef ItemOID="I5" Mandatory="No"/>
    <ItemRef ItemOID="I4" Mandatory="No"/><ItemRef ItemOID="I2" OrderNumber="10" Mandatory="No"/>
    <ItemRef ItemOID="I1" OrderNumber="9" Mandatory="No"/></ItemGroupDef>
   <ItemGroupDef OID="H" Name="H" Repeating="No"><ItemRef ItemOID="I3" Mandatory="No"/></ItemGroupDef>
   <ItemDef OID="I1" Name="i1" DataType="text"/><ItemDef OID="I2" Name="i2" DataType="text"/>
   <ItemDef OID="I3" Name="i3" DataType="text"/><ItemDef OID="I4" Name="i4" DataType="text"/>
   <ItemDef OID="I5" Name="i5" DataType="text"/>
  </MetaDataVersion></Study></ODM>"""


def test_visits_forms_and_items_stand_in_the_order_that_their_numbers_say():
    definition = odm.from_odm(UNORDERED.encode()).definition
    assert [one["name"] for one in definition["visit"]] == ["First", "Second", "Unplanned"]
    assert definition["visit"][1]["forms"] == ["F1", "F2"]
    items = {form["name"]: [item["name"] for item in form["items"]] for form in definition["form"]}
    assert items == {"F1": ["i1", "i2", "i5", "i4", "i3"], "F2": ["i1", "i2", "i5", "i4"]}


def test_choices_stand_in_the_order_that_their_numbers_say():
    numbered = FOREIGN.replace('CodedValue="1"', 'CodedValue="1" OrderNumber="10"')
    numbered = numbered.replace('CodedValue="2"', 'CodedValue="2" OrderNumber="9"')
    (form,) = odm.from_odm(numbered.encode()).definition["form"]
    assert form["items"][0]["choices"] == ["male", "female"]


def test_what_is_imported_is_written_as_a_protocol_file_that_says_the_same(example):
    text = odm.from_odm(odm.to_odm(example)).toml()
    assert protocol.parse(text, "p.toml").sha256 == example.sha256
    assert "effective_from = 2026-12-01" in text


# ------------------------------------------------------------------------------ hostile files
SHELL = (
    '<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><Study OID="1"><MetaDataVersion OID="v">{}'
    "</MetaDataVersion></Study></ODM>"
)
LAUGHS = (
    '<!DOCTYPE z [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (LAUGHS + SHELL.format("&i;"), "declares the document type 'z'"),
        ('<!DOCTYPE ODM SYSTEM "file:///etc/passwd"><ODM/>', "declares the document type"),
        (SHELL.format("<a>" * 5000 + "</a>" * 5000), f"at most {DEEPEST} levels"),
        (SHELL.format("<a/>" * 400_001), "more than 400,000 elements"),
        (SHELL.format("x" * odm.LARGEST), "bytes; at most"),
        ("<ODM", "is not XML"),
        ("", "is not XML"),
        ("<ODM/>", "is not ODM 1.3 or 2.0"),
        ('<ODM xmlns="http://www.cdisc.org/ns/odm/v1.2"/>', "is not ODM 1.3 or 2.0"),
        ('<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"/>', "has no MetaDataVersion"),
        (SHELL.format("&nothing;"), "is not XML"),
        ('<?xml version="1.0" encoding="nonsense"?><ODM/>', "is not XML"),
        (SHELL.format(f'<w:Protocol xmlns:w="{odm.OWN}">[</w:Protocol>'), "is not JSON|JSON"),
        (SHELL.format(f'<w:Protocol xmlns:w="{odm.OWN}">[]</w:Protocol>'), "is not what we write there"),
        (SHELL.format(f'<w:Protocol xmlns:w="{odm.OWN}">{"[" * 100_000}</w:Protocol>'), "JSON|deep"),
    ],
)
def test_a_hostile_file_is_refused_in_one_sentence(data, why):
    with pytest.raises(WorkbenchError, match=why) as refused:
        odm.from_odm(data.encode(), "the file")
    assert len(str(refused.value)) < 400


def test_lists_that_are_referred_to_many_times_do_not_fill_the_memory():
    entries = "".join(f'<CodeListItem CodedValue="{n}"/>' for n in range(2000))
    refs = '<ItemRef ItemOID="I" Mandatory="No"/>' * 2000
    inner = (
        '<FormDef OID="F" Name="F"><ItemGroupRef ItemGroupOID="G"/></FormDef>'
        f'<ItemGroupDef OID="G" Name="G">{refs}<ItemGroupRef ItemGroupOID="G"/></ItemGroupDef>'
        f'<ItemDef OID="I" Name="I" DataType="text"><CodeListRef CodeListOID="C"/></ItemDef>'
        f'<CodeList OID="C">{entries}</CodeList>'
    )
    with pytest.raises(BadValue, match="more than 400,000 elements"):
        odm.from_odm(SHELL.format(inner).encode())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_never_crashes(data):
    whole = bytearray(FOREIGN.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WorkbenchError):
        odm.from_odm(bytes(whole))


# ------------------------------------------------------------------------------ entries
@pytest.mark.job
@VERSIONS
def test_the_entries_of_a_study_follow_the_schema_and_have_the_same_bytes_again(schema, study, version):
    file = odm.study_file(study, version)
    assert valid(schema, version, file.data) is True
    assert odm.study_file(study, version).data == file.data
    head = study.head()
    root = ElementTree.fromstring(file.data)
    assert root.get("CreationDateTime") == study.entries(after=head[0] - 1)[0].utc
    assert root.get("FileOID") == f"NEO.{head[0]}.{head[1][:12]}"


@VERSIONS
def test_every_row_that_was_read_is_written(study, version):
    file = odm.study_file(study, version)
    assert file.read == {table: study.count(table) for table in ("participant", "visit", "form")}
    assert {table: file.written[table] for table in file.read} == file.read
    root = ElementTree.fromstring(file.data)
    tag, key = ("FormData", "FormOID") if version == "1.3.2" else ("ItemGroupData", "ItemGroupOID")
    entries = [one for one in of(root, tag) if one.get(key)]
    assert len(entries) == file.written["audit records"]
    events = sum(len(study.history("form", row["id"])) for row in study.rows("form"))
    assert len(entries) == events == 7
    assert len(of(root, "StudyEventData")) == study.count("visit")


@VERSIONS
def test_every_entry_says_who_made_it_when_and_why(study, version):
    root = ElementTree.fromstring(odm.study_file(study, version).data)
    tag, key = ("FormData", "FormOID") if version == "1.3.2" else ("ItemGroupData", "ItemGroupOID")
    wound = [one for one in of(root, tag) if one.get(key) == "F.wound"]
    assert [one.get("TransactionType") for one in wound] == ["Insert", "Update", "Update"]
    users = {one.get("OID"): of(one, "FullName")[0].text for one in of(root, "User")}
    row = study.rows("form", name="wound")[0]
    for one, event in zip(wound, study.history("form", row["id"]), strict=True):
        (audit,) = [child for child in one if child.tag.endswith("AuditRecord")]
        assert users[of(audit, "UserRef")[0].get("UserOID")] == event["actor"]
        assert of(audit, "DateTimeStamp")[0].text == event["utc"]
        assert [reason.text for reason in of(audit, "ReasonForChange")] == (
            [event["reason"]] if event["reason"] else []
        )
    missing = [one.text for one in of(wound[1], "FlagValue")]
    assert missing == ["not_done"]
    (removed,) = [one.get("ItemOID") for one in of(wound[2], "ItemData") if one.get("TransactionType") == "Remove"]
    assert removed == "I.wound/remarks"


@VERSIONS
def test_the_protocol_of_a_study_comes_back_and_its_data_are_named_as_left(study, version):
    imported = odm.from_odm(odm.study_file(study, version).data)
    assert imported.sha256 == study.rows("protocol_version")[0]["sha256"]
    assert list(imported.notes) == ["not taken over: AdminData (1), ClinicalData (1)"]


@VERSIONS
def test_who_is_left_out_is_nowhere_in_the_file(study, version):
    file = odm.study_file(study, version, left_out={"SIM-01"})
    assert b"SIM-01" not in file.data
    assert b"SIM-02" in file.data
    assert file.written["participant"] == 1
    assert "form" not in file.written


def test_a_study_without_a_protocol_is_refused(tmp_path):
    made = Study.create(tmp_path / "s", code="N", title="t", actor="a")
    with made, pytest.raises(Refused, match="has adopted no protocol"):
        odm.study_file(made, "2.0")


@VERSIONS
def test_entries_stand_under_the_version_of_the_protocol_that_they_were_made_under(schema, tmp_path, version):
    with Study.create(tmp_path / "s", code="N", title="t", actor="a") as made:
        visits = entered(made)
        people = [made.script_signer(name) for name in ("Dr B", "Dr C")]
        text = json.dumps(small()).replace('"1.0.0"', '"1.1.0"').replace("Remarks", "Further remarks")
        later = Protocol.from_definition(json.loads(text))
        made.apply(changes.AdoptProtocol(later.definition()), [one.confirm() for one in people])
        person = made.rows("participant", pseudonym="SIM-01")[0]["id"]
        made.apply(changes.GiveConsent(person, ("participation",), "1.0", "2026-03-01"), people[0])
        made.apply(changes.MoveToProtocol(person, "1.1.0"), people[0], "amended")
        made.apply(
            over(made, changes.SaveForm(visits["SIM-01", "Wound check"], "wound", {"state": "open"})),
            people[0],
            "again",
        )
        unplanned = made.append(Visit(person, "consent"))
        assert unplanned
        made.append(Participant("SIM-03", simulated=True))
        file = odm.study_file(made, version)
    assert valid(schema, version, file.data) is True
    assert {table: file.written[table] for table in file.read} == file.read
    root = ElementTree.fromstring(file.data)
    tag, key = ("FormData", "FormOID") if version == "1.3.2" else ("ItemGroupData", "ItemGroupOID")
    wound = {
        data.get("MetaDataVersionOID"): sum(one.get(key) == "F.wound" for one in of(data, tag))
        for data in of(root, "ClinicalData")
    }
    assert wound == {"MDV.1.0.0": 3, "MDV.1.1.0": 1}
    imported = odm.from_odm(file.data)
    assert imported.sha256 == later.sha256


def test_no_reason_can_break_the_file(schema, tmp_path):
    with Study.create(tmp_path / "s", code="N", title="t", actor="a") as made:
        visits = entered(made)
        script = made.script_signer('Dr <B> & "C"')
        save = changes.SaveForm(visits["SIM-01", "Wound check"], "wound", {"state": "open", "remarks": "]]>&lt;"})
        made.apply(over(made, save), script, "a\r\nb \x00\ufffe </ReasonForChange><x>")
        data = odm.study_file(made, "1.3.2").data
    assert valid(schema, "1.3.2", data) is True
    reasons = [one.text for one in of(ElementTree.fromstring(data), "ReasonForChange")]
    assert "a\nb \ufffd\ufffd </ReasonForChange><x>" in reasons
    assert re.search(rb'Value="\]\]&gt;&amp;lt;"', data)
