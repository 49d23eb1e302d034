"""HL7 FHIR R5 and R4: the study and who takes part in it, as a collection of resources, without identity.

The bundle holds a ``ResearchStudy``, a ``Group`` with the criteria, and a ``ResearchSubject`` for each
participant, who is named by the pseudonym alone: there is no ``Patient`` in it, and none that it leads to. Arms
of participants are in it only where the export was made with them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import BadValue
from workbench.exchange._release import Release, Row
from workbench.messages import Message
from workbench.study.protocol import Protocol

Edition = Literal["r4", "r5"]
EDITIONS: tuple[Edition, ...] = ("r4", "r5")
TERMS = "http://terminology.hl7.org/CodeSystem"
OWN = "urn:sci-bci-workbench:fhir:1"
STATES = {
    "": ("candidate", "Candidate"), "screening": ("screening", "Screening"), "enrolled": ("on-study", "On-study"),
    "screen_failure": ("ineligible", "Ineligible"), "completed": ("off-study", "Off-study"),
    "withdrawn": ("withdrawn", "Withdrawn"), "lost": ("off-study", "Off-study"),
}  # fmt: skip
"""Code and term of the state of a research subject by the status of the enrolment."""
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file: its bytes, and how many research subjects it has."""

    data: bytes
    subjects: int


def bundle(release: Release, protocol: Protocol, edition: Edition) -> Bundle:
    """The study and its subjects; the same bytes for the same head of the record.

    Parameters
    ----------
    release : what of the record may leave.
    protocol : its newest version.
    edition : one of :data:`EDITIONS`.

    Raises
    ------
    BadValue
        For another edition.
    Refused
        For a record that was written to meanwhile.
    """
    if edition not in EDITIONS:
        raise BadValue(Message("exchange.fhir_edition", allowed=list(EDITIONS), got=repr(edition)))
    people = release.participants()
    enrolments = {row["participant_id"]: row for row in release.rows("enrolment")}
    group = _group(protocol, edition) if protocol.criteria else None
    study = (_study_r5 if edition == "r5" else _study_r4)(protocol, has_criteria=group is not None)
    resources = [("study", study), *([("criteria", group)] if group else [])]
    for person in people:
        one = _subject(release, protocol, person, enrolments.get(person["id"]), edition)
        resources.append((f"subject {person['pseudonym']}", one))
    made = release.study.entries(after=release.head[0] - 1)[0].utc
    release.check_unmoved()
    whole = {
        "resourceType": "Bundle", "type": "collection", "timestamp": made,
        "entry": [{"fullUrl": _url(protocol, name), "resource": one} for name, one in resources],
    }  # fmt: skip
    return Bundle(f"{json.dumps(whole, ensure_ascii=False, indent=1)}\n".encode(), len(people))


def _url(protocol: Protocol, name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{OWN}:{protocol.about.code}:{name}')}"


def _text(text: str) -> str:
    """A text with the blanks that FHIR knows."""
    return "".join(" " if one.isspace() and one not in " \r\n\t" else one for one in text).strip()


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code, "display": display}]}


def _study(protocol: Protocol) -> Resource:
    """What both editions have alike."""
    about = protocol.about
    numbers = [("study", about.code), ("registry", about.registry), ("ethics", about.ethics_reference)]
    study: Resource = {
        "resourceType": "ResearchStudy",
        "identifier": [
            {"system": f"{OWN}:{name}", "value": _text(value)} for name, value in numbers if value.strip()
        ],
        "title": _text(about.title),
        "status": "active",
        "phase": _concept("research-study-phase", "n-a", "N/A"),
        "period": {"start": about.effective_from.isoformat()},
    }  # fmt: skip
    return study


def _objectives(protocol: Protocol, edition: Edition) -> list[Resource]:
    """An objective for each estimand; the one named ``primary``, or else the first, is primary."""
    named = [one.name for one in protocol.estimands]
    primary = "primary" if "primary" in named else (named or [""])[0]
    found = []
    for one in protocol.estimands:
        kind = ("primary", "Primary") if one.name == primary else ("secondary", "Secondary")
        told = _text(f"{one.variable} {one.summary}")
        objective: Resource = {"name": _text(one.name), "type": _concept("research-study-objective-type", *kind)}
        found.append(objective | ({"description": told} if edition == "r5" else {"name": f"{one.name}: {told}"}))
    return found


def _study_r5(protocol: Protocol, *, has_criteria: bool) -> Resource:
    about, planned = protocol.about, protocol.population
    recruitment: Resource = {"targetNumber": planned.participants} if planned and planned.participants else {}
    if has_criteria:
        recruitment["eligibility"] = {"reference": _url(protocol, "criteria")}
    role = _concept("research-study-party-role", "sponsor", "sponsor")
    study = _study(protocol) | {
        "version": about.version,
        "region": [_region(one) for one in about.jurisdictions],
        "associatedParty": [{"name": _text(about.sponsor), "role": role}],
        "comparisonGroup": [{"linkId": arm.name, "name": _text(arm.title)} for arm in protocol.arms],
    }
    objectives = _objectives(protocol, "r5")
    measures = [
        {"name": _text(one.name), "description": _text(one.variable)} for one in protocol.estimands
    ]  # fmt: skip
    return study | {
        name: value
        for name, value in (
            ("recruitment", recruitment), ("objective", objectives), ("outcomeMeasure", measures),
        )
        if value
    }  # fmt: skip


def _study_r4(protocol: Protocol, *, has_criteria: bool) -> Resource:
    about = protocol.about
    study = _study(protocol) | {
        "location": [_region(one) for one in about.jurisdictions],
        "sponsor": {"display": _text(about.sponsor)},
        "arm": [{"name": arm.name, "description": _text(arm.title)} for arm in protocol.arms],
        "note": [{"text": f"Version {about.version} of the protocol."}],
    }
    if has_criteria:
        study["enrollment"] = [{"reference": _url(protocol, "criteria")}]
    objectives = _objectives(protocol, "r4")
    return study | ({"objective": objectives} if objectives else {})


def _region(jurisdiction: str) -> Resource:
    return {"coding": [{"system": "urn:iso:std:iso:3166", "code": jurisdiction}]}


def _group(protocol: Protocol, edition: Edition) -> Resource:
    """Who may take part: a group by definition, with a characteristic for each criterion."""
    kind = {"membership": "definitional"} if edition == "r5" else {"actual": False}
    return {
        "resourceType": "Group", "type": "person", **kind, "name": "Eligibility",
        "characteristic": [
            {
                "code": {"text": one.id}, "valueCodeableConcept": {"text": _text(one.text)},
                "exclude": one.kind == "exclusion",
            }
            for one in protocol.criteria
        ],
    }  # fmt: skip


def _subject(
    release: Release, protocol: Protocol, person: Row, enrolment: Mapping[str, Any] | None, edition: Edition
) -> Resource:
    code, display = STATES[enrolment["status"] if enrolment else ""]
    named = {"system": f"{OWN}:pseudonym", "value": person["pseudonym"]}
    who = {"type": "Patient", "identifier": named}
    subject: Resource = {
        "resourceType": "ResearchSubject", "identifier": [named], "study": {"reference": _url(protocol, "study")},
    }  # fmt: skip
    if edition == "r5":
        state = {"subjectState": _concept("research-subject-state", code, display)}
        subject |= {"status": "active", "progress": [state], "subject": who}
    else:
        subject |= {"status": code, "individual": who}
    if arm := release.arms.get(person["id"], ""):
        subject["assignedComparisonGroup" if edition == "r5" else "assignedArm"] = arm
    return subject
