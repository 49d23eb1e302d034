"""The record as flat datasets with the names of SDTM where it has them: subjects, visits, outcomes, events,
deviations.

====  =========================================================================
DM    subjects: site, day of consent and, where they are asked for, arms
SC    what is known of them at entry: level, grade, day of injury, trained side
SV    visits, planned and held
FT    items and scores of outcome measures that somebody observes
QS    items and scores of questionnaires and interviews
XF    values of the protocol's own forms (a domain of ours)
AE    adverse events, without those that were entered in error
DV    deviations from the protocol
====  =========================================================================

Every row of an outcome says in ``…REFID`` which row of the record it comes from, and in ``…SPID`` which item.
Names of people, narratives, remarks about treatment and passwords are in none of them. Missing values are ``NOT
DONE`` with the code of their reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from workbench import outcomes
from workbench.errors import UnknownName
from workbench.exchange._form_items import value_text
from workbench.exchange._release import Release, Row
from workbench.study.changes.entering import holding
from workbench.study.protocol import Protocol

Kind = Literal["string", "integer", "double"]
Value = str | int | float | None
ASKED = frozenset(("self-report", "interview", "proxy"))
"""Ways of administration by which a measure is a questionnaire where it knows no other."""
LABEL = 40
"""Characters of a label or of the name of a test."""
SEVERITIES = {"mild": "MILD", "moderate": "MODERATE", "severe": "SEVERE"}
OUTCOMES = {
    "unknown": "UNKNOWN", "ongoing": "NOT RECOVERED/NOT RESOLVED", "recovering": "RECOVERING/RESOLVING",
    "recovered": "RECOVERED/RESOLVED", "recovered_with_sequelae": "RECOVERED/RESOLVED WITH SEQUELAE",
    "fatal": "FATAL",
}  # fmt: skip
SERIOUS = {
    "AESDTH": "death", "AESLIFE": "life_threatening", "AESHOSP": "hospitalisation", "AESDISAB": "disability",
    "AESCONG": "congenital_anomaly", "AESMIE": "medically_important",
}  # fmt: skip
YES = {True: "Y", False: "N", None: ""}


@dataclass(frozen=True, slots=True)
class Column:
    """A variable of a dataset; ``key`` is its place among those that make a row the same row, 0 for none."""

    name: str
    label: str
    kind: Kind = "string"
    key: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset: its name and label, its columns, and its rows in their order; None for no value."""

    name: str
    label: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class _Context:
    release: Release
    subjects: Mapping[str, str]
    visits: Mapping[str, Row]
    numbers: Mapping[str, int]
    planned: frozenset[str]
    forms: Mapping[str, str]

    @property
    def code(self) -> str:
        return self.release.study.code


def datasets(release: Release) -> list[Dataset]:
    """Every dataset, also one without a row.

    Parameters
    ----------
    release : what of the record may leave.

    Raises
    ------
    Refused
        For a record that was written to meanwhile.
    """
    context = _context(release)
    found = [_subjects(context), _characteristics(context), _visits(context)]
    for name, label in (("FT", "Functional Tests"), ("QS", "Questionnaires"), ("XF", "Values of Forms")):
        found.append(_findings(name, label, _results(context, name), context))
    found += [_events(context), _deviations(context)]
    release.check_unmoved()
    return found


def _context(release: Release) -> _Context:
    protocols = [Protocol.from_definition(row["definition"]) for row in release.study.rows("protocol_version")]
    visits = {row["id"]: row for row in release.rows("visit")}
    planned = [visit.name for one in reversed(protocols) for visit in one.visits]
    named = dict.fromkeys([*planned, *(row["name"] for row in visits.values())])
    code = release.study.code
    return _Context(
        release, {row["id"]: f"{code}-{row['pseudonym']}" for row in release.participants()}, visits,
        {name: n for n, name in enumerate(named, start=1)}, frozenset(planned),
        {form.name: form.measure for one in protocols for form in one.forms},
    )  # fmt: skip


def _of(name: str, label: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Value]]) -> Dataset:
    """A dataset of rows by column, in which an empty text is no value."""
    made = tuple(tuple(row.get(one.name) if row.get(one.name) != "" else None for one in columns) for row in rows)
    return Dataset(name, label, tuple(columns), made)


def _leading() -> list[Column]:
    return [
        Column("STUDYID", "Study Identifier", key=1),
        Column("DOMAIN", "Domain Abbreviation"),
        Column("USUBJID", "Unique Subject Identifier", key=2),
    ]


def _subjects(context: _Context) -> Dataset:
    release = context.release
    sites = {row["participant_id"]: row["site"] for row in release.rows("enrolment")}
    columns = [
        *_leading(), Column("SUBJID", "Subject Identifier for the Study"),
        Column("RFICDTC", "Date/Time of Informed Consent"), Column("SITEID", "Study Site Identifier"),
    ]  # fmt: skip
    if release.arms:
        columns += [Column("ARMCD", "Planned Arm Code"), Column("ARM", "Description of Planned Arm")]
    titles = _arm_titles(release)
    rows = [
        {
            **_lead(context, "DM", row["id"]), "SUBJID": row["pseudonym"], "RFICDTC": row["consented_on"],
            "SITEID": sites.get(row["id"], ""), "ARMCD": release.arms.get(row["id"], ""),
            "ARM": titles.get(release.arms.get(row["id"], ""), ""),
        }
        for row in release.participants()
    ]  # fmt: skip
    return _of("DM", "Demographics", columns, rows)


def _arm_titles(release: Release) -> dict[str, str]:
    definitions = [row["definition"] for row in release.study.rows("protocol_version")]
    return {one["name"]: one["title"] for definition in definitions for one in definition["arm"]}


def _lead(context: _Context, domain: str, person: str | None) -> dict[str, Value]:
    return {"STUDYID": context.code, "DOMAIN": domain, "USUBJID": context.subjects.get(person or "", "")}


def _numbered(rows: Iterable[dict[str, Value]], name: str) -> Iterator[dict[str, Value]]:
    """Rows with a number that counts within each subject."""
    counts: dict[Value, int] = {}
    for row in rows:
        counts[row["USUBJID"]] = number = counts.get(row["USUBJID"], 0) + 1
        yield row | {name: number}


def _characteristics(context: _Context) -> Dataset:
    tests = {
        "NLI": ("Neurological Level of Injury at Entry", "injury_level"),
        "AIS": ("ASIA Impairment Scale at Entry", "ais"),
        "INJDTC": ("Date of Injury", "injured_on"),
        "TRAINSD": ("Trained Side", "trained_side"),
        "SIMUL": ("Simulated Participant", "simulated"),
    }
    columns = [
        *_leading(), Column("SCSEQ", "Sequence Number", "integer", 3),
        Column("SCTESTCD", "Subject Characteristic Short Name"), Column("SCTEST", "Subject Characteristic"),
        Column("SCORRES", "Result or Finding in Original Units"),
        Column("SCSTRESC", "Character Result/Finding in Std Format"),
    ]  # fmt: skip
    rows: list[dict[str, Value]] = []
    for row in context.release.participants():
        for code, (test, name) in tests.items():
            value = YES[row[name]] if isinstance(row[name], bool) else str(row[name])
            if value:
                rows.append(
                    {
                        **_lead(context, "SC", row["id"]), "SCTESTCD": code, "SCTEST": test, "SCORRES": value,
                        "SCSTRESC": value,
                    }
                )  # fmt: skip
    return _of("SC", "Subject Characteristics", columns, _numbered(rows, "SCSEQ"))


def _visits(context: _Context) -> Dataset:
    columns = [
        *_leading(), Column("VISITNUM", "Visit Number", "integer", 3), Column("VISIT", "Visit Name"),
        Column("SVPRESP", "Pre-specified"), Column("SVOCCUR", "Occurrence"),
        Column("SVSTDTC", "Start Date/Time of Observation"), Column("PLANDTC", "Planned Date of Visit"),
        Column("WINBEGDC", "First Date of Window of Visit"), Column("WINENDDC", "Last Date of Window of Visit"),
        Column("STATUS", "Status of Visit in the Record"),
    ]  # fmt: skip
    held = {"done": "Y", "missed": "N", "not_applicable": "N"}
    rows = [
        {
            **_lead(context, "SV", row["participant_id"]), "VISITNUM": context.numbers[row["name"]],
            "VISIT": row["name"], "SVPRESP": "Y" if row["name"] in context.planned else "",
            "SVOCCUR": held.get(row["status"], "Y" if row["started"] else ""), "SVSTDTC": row["started"],
            "PLANDTC": row["planned"], "WINBEGDC": row["earliest"], "WINENDDC": row["latest"],
            "STATUS": row["status"],
        }
        for row in context.visits.values()
    ]  # fmt: skip
    return _of("SV", "Subject Visits", columns, rows)


# ------------------------------------------------------------------------------------ outcomes and forms
def _findings(domain: str, label: str, rows: Iterable[dict[str, Value]], context: _Context) -> Dataset:
    """A dataset of results: the columns that all three have."""
    own = (
        ("TESTCD", "Short Name of Test", "string"), ("TEST", "Name of Test", "string"),
        ("CAT", "Category of Test", "string"), ("SCAT", "Version of Measure", "string"),
        ("SPID", "Item in the Record", "string"), ("REFID", "Row in the Record", "string"),
        ("ORRES", "Result or Finding in Original Units", "string"), ("ORRESU", "Original Units", "string"),
        ("STRESC", "Character Result/Finding in Std Format", "string"),
        ("STRESN", "Numeric Result/Finding in Standard Units", "double"), ("STRESU", "Standard Units", "string"),
        ("STAT", "Completion Status", "string"), ("REASND", "Reason Not Done", "string"),
        ("LAT", "Laterality", "string"), ("METHOD", "Method of Test", "string"),
        ("DRVFL", "Derived Flag", "string"), ("REPNUM", "Repetition Number", "integer"),
        ("DTC", "Date/Time of Finding", "string"),
    )  # fmt: skip
    columns = [
        *_leading(), Column(f"{domain}SEQ", "Sequence Number", "integer", 3),
        *(Column(f"{domain}{name}", text, kind) for name, text, kind in own),  # type: ignore[arg-type]
        Column("VISITNUM", "Visit Number", "integer"), Column("VISIT", "Visit Name"),
        Column("ASSISTED", "Assisted by the Device"), Column("DEVICEON", "Device Was On"),
        Column("STIMON", "Stimulation Was On"),
    ]  # fmt: skip
    prefixed = (
        {(f"{domain}{name}" if name in _OWN else name): value for name, value in row.items()} for row in rows
    )
    return _of(domain, label, columns, _numbered(prefixed, f"{domain}SEQ"))


_OWN = frozenset(
    ("TESTCD", "TEST", "CAT", "SCAT", "SPID", "REFID", "ORRES", "ORRESU", "STRESC", "STRESN", "STRESU", "STAT")
    + ("REASND", "LAT", "METHOD", "DRVFL", "REPNUM", "DTC")
)


def _results(context: _Context, domain: str) -> Iterator[dict[str, Value]]:
    """Items and scores of one domain, of assessments and then of forms; drafts are left out."""
    if domain != "XF":
        for row in context.release.rows("assessment"):
            if row["state"] != "draft" and domain_of(row["measure"]) == domain:
                yield from _assessment(context, domain, row)
    complete = [row for row in context.release.rows("form") if row["state"] == "complete"]
    for row in holding(complete):
        measure = context.forms.get(row["name"], "")
        if (domain_of(measure) if measure else "XF") == domain:
            yield from _form(context, domain, row, measure)


@cache
def domain_of(measure: str) -> str:
    """``"QS"`` for a measure that asks, else ``"FT"``; also for one that is not installed here.

    Parameters
    ----------
    measure : its name.
    """
    try:
        modes = outcomes.load(measure).definition.modes
    except UnknownName:
        return "FT"
    return "QS" if modes and set(modes) & ASKED and "observed" not in modes else "FT"


@cache
def _tests_of(measure: str) -> Mapping[str, tuple[str, str]]:
    """Short name and label of every item and score of a measure, by its code, whatever version has it."""
    letters = re.sub(r"[^A-Z0-9]", "", measure.upper())
    start = (letters if letters[:1].isalpha() else f"X{letters}")[:4]
    others = [one for one in outcomes.available() if _start(one) == start]
    # Two measures of one beginning are told apart by a digit: their order is that of the register.
    prefix = start if len(others) < 2 or measure == others[0] else f"{start[:3]}{others.index(measure) + 1}"
    found: dict[str, str] = {}
    for one in outcomes.load(measure).definitions:
        found |= {item.code: item.label for item in (*one.items, *one.extras)}
        found |= {f"={scale.code}": scale.label for scale in one.subscales}
    found["=total"] = "Total"
    return {code: (f"{prefix}{n:03d}", label[:LABEL]) for n, (code, label) in enumerate(found.items(), start=1)}


def _start(measure: str) -> str:
    letters = re.sub(r"[^A-Z0-9]", "", measure.upper())
    return (letters if letters[:1].isalpha() else f"X{letters}")[:4]


def _at_visit(context: _Context, row: Row, domain: str) -> dict[str, Value]:
    visit = context.visits[row["visit_id"]]
    return {
        **_lead(context, domain, visit["participant_id"]), "VISITNUM": context.numbers[visit["name"]],
        "VISIT": visit["name"], "REFID": row["id"],
    }  # fmt: skip


def _assessment(context: _Context, domain: str, row: Row) -> Iterator[dict[str, Value]]:
    visit = context.visits[row["visit_id"]]
    tests = _tests_of(row["measure"]) if row["measure"] in outcomes.available() else {}
    shared = {
        **_at_visit(context, row, domain), "CAT": row["measure"], "SCAT": row["version"],
        "LAT": row["side"].upper(), "METHOD": row["mode"], "REPNUM": row["repeat"],
        "DTC": row["administered_at"] or visit["started"], "ASSISTED": YES[row["assisted"]],
        "DEVICEON": YES[row["device_on"]], "STIMON": YES[row["stimulation_on"]],
    }  # fmt: skip
    for code, value in row["items"].items():
        yield shared | _named(tests, code) | _result(value)
    scores = {"total": row["score"].get("total"), **(row["score"].get("subscores") or {})}
    for code, stored in scores.items():
        if isinstance(stored, Mapping) and "value" in stored:
            value, status = stored["value"], str(stored.get("status", ""))
            told = _result(value) if value is not None else {"STAT": "NOT DONE", "REASND": status}
            yield shared | _named(tests, f"={code}") | told | {"DRVFL": "Y"}
    for code, text in (row["score"].get("classes") or {}).items():
        if isinstance(text, str):
            yield shared | _named(tests, f"={code}") | _result(text) | {"DRVFL": "Y"}


def _named(tests: Mapping[str, tuple[str, str]], code: str) -> dict[str, Value]:
    """Short name and name of a test; what no definition here names is told by its code."""
    short, label = tests.get(code, (_short(code), code.lstrip("=")[:LABEL]))
    return {"TESTCD": short, "TEST": label, "SPID": code}


def _short(code: str) -> str:
    letters = re.sub(r"[^A-Z0-9]", "", code.upper())
    return (letters if letters[:1].isalpha() else f"X{letters}")[:8]


def _form(context: _Context, domain: str, row: Row, measure: str) -> Iterator[dict[str, Value]]:
    visit = context.visits[row["visit_id"]]
    tests = _tests_of(measure) if measure and measure in outcomes.available() else {}
    shared = {
        **_at_visit(context, row, domain), "CAT": measure or row["name"], "SCAT": "" if measure else "FORM",
        "REPNUM": row["instance"], "DTC": visit["started"] or row["utc"],
    }  # fmt: skip
    for code, value in row["values"].items():
        unit = str(value.get("unit", "")) if isinstance(value, Mapping) else ""
        yield shared | _named(tests, code) | _result(value) | ({"ORRESU": unit, "STRESU": unit} if unit else {})


def _result(value: Any) -> dict[str, Value]:
    """A value as text and, where it is a number, as one; or why there is none."""
    text, code = value_text(value)
    bare = value.get("value") if isinstance(value, Mapping) else value
    if not text:
        return {"STAT": "NOT DONE", "REASND": code}
    number = float(bare) if isinstance(bare, int | float) and not isinstance(bare, bool) else None
    return {"ORRES": text, "STRESC": text, "STRESN": number}


# ------------------------------------------------------------------------------------ events and deviations
def _events(context: _Context) -> Dataset:
    columns = [
        *_leading(), Column("AESEQ", "Sequence Number", "integer", 3), Column("AESPID", "Row in the Record"),
        Column("AETERM", "Reported Term for the Adverse Event"), Column("AEDECOD", "Dictionary-Derived Term"),
        Column("AEPTCD", "Code of the Dictionary"), Column("AEDICT", "Dictionary and its Version"),
        Column("AECAT", "Class of the Event (ISO 14155)"), Column("AESEV", "Severity/Intensity"),
        Column("AESER", "Serious Event"), Column("AERELDEV", "Relation to the Device"),
        Column("AERELPRC", "Relation to the Procedure"), Column("AERELSTM", "Relation to the Stimulation"),
        Column("AEOUT", "Outcome of Adverse Event"), *(Column(name, _words(why)) for name, why in SERIOUS.items()),
        Column("AESTDTC", "Start Date/Time of Adverse Event"),
    ]  # fmt: skip
    rows: list[dict[str, Value]] = []
    for row in context.release.rows("adverse_event"):
        if row["state"] == "void":
            continue
        facts, coding = row["facts"], row["coding"]
        rows.append(
            {
                **_lead(context, "AE", row["participant_id"]), "AESPID": row["id"], "AETERM": row["term"],
                "AEDECOD": coding.get("term", ""), "AEPTCD": coding.get("code", ""),
                "AEDICT": f"{coding['dictionary']} {coding['version']}" if coding.get("code") else "",
                "AECAT": row["classification"], "AESEV": SEVERITIES.get(facts["severity"], ""),
                "AESER": YES[facts["serious"]], "AERELDEV": _words(facts["device"]).upper(),
                "AERELPRC": _words(facts["procedure"]).upper(), "AERELSTM": _words(facts["stimulation"]).upper(),
                "AEOUT": OUTCOMES[row["outcome"]], "AESTDTC": row["onset"],
                **{name: YES[why in facts["criteria"]] for name, why in SERIOUS.items()},
            }
        )  # fmt: skip
    return _of("AE", "Adverse Events", columns, _numbered(rows, "AESEQ"))


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _deviations(context: _Context) -> Dataset:
    columns = [
        *_leading(), Column("DVSEQ", "Sequence Number", "integer", 3), Column("DVSPID", "Row in the Record"),
        Column("DVTERM", "Protocol Deviation Term"), Column("DVCAT", "Category for Protocol Deviation"),
        Column("DVSTAT", "Open or Closed"), Column("DVENTDTC", "Date/Time of Entry"),
    ]  # fmt: skip
    rows = [
        {
            **_lead(context, "DV", row["participant_id"]), "DVSPID": row["id"], "DVTERM": str(row["text"]),
            "DVCAT": _words(row["category"]).upper(), "DVSTAT": row["state"].upper(), "DVENTDTC": row["utc"],
        }
        for row in context.release.rows("deviation")
    ]  # fmt: skip
    return _of("DV", "Protocol Deviations", columns, _numbered(rows, "DVSEQ"))
