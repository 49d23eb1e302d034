"""CDISC USDM 4.0: a protocol as the JSON of a study definition, and back.

Arms, interventions and devices, criteria, population, visits with their timings and windows, forms with their
items, sessions, objectives and estimands stand where USDM has them. What a protocol has and USDM has not (consent,
randomisation, ranges of items, roles …) stands beside it as the whole definition, in one extension attribute of
ours, so that what was written is read back whole.

What the protocol does not say is not made up but for what USDM asks of every study: the epochs are derived from
the visits (:func:`workbench.exchange._usdm_schedule.epochs_of`), every arm is a treatment arm whose intervention
is an experimental one, the sponsor is a company of medical devices, and no healthy people take part.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from workbench import reading
from workbench.errors import BadValue
from workbench.exchange._imported import Imported, completed
from workbench.exchange._usdm_objects import COUNTRY, LANGUAGE, OWN, Object, Objects, as_html, chained
from workbench.exchange._usdm_schedule import Schedule, schedule_of
from workbench.messages import Message
from workbench.study import chain
from workbench.study.protocol import Arm, Estimand, Protocol

VERSION, SYSTEM = "4.0.0", "sci-bci-workbench"
DEFINITION = "definition"
"""Name of the extension attribute that holds the whole protocol."""
LARGEST = 2**24
"""Of a file that is read, bytes."""
SCOPES = {"US": ("country", "USA"), "CN": ("country", "CHN"), "EU": ("region", "EU")}
"""Kind and code of the geographic scope of a jurisdiction."""
Devices = Mapping[str, tuple[str, str]]
"""Label and description of the device of a system, by the name of the system."""


def devices_named(protocol: Protocol) -> list[str]:
    """Names of the systems that the sessions of a protocol are held with: its devices, each once."""
    return list(dict.fromkeys(one.system for visit in protocol.visits for one in visit.sessions))


def lacking(protocol: Protocol) -> list[Message]:
    """What a protocol does not say that the rules of USDM ask of every study; empty where they are all kept.

    Parameters
    ----------
    protocol : that is written.
    """
    found = []
    if protocol.population is None:
        found.append(Message("usdm.no_population"))
    if not protocol.estimands:
        found.append(Message("usdm.no_estimand"))
    return found


def to_usdm(protocol: Protocol, devices: Devices | None = None) -> bytes:
    """A protocol as USDM 4.0, UTF-8; the same bytes for the same protocol and devices.

    Parameters
    ----------
    protocol : that is written.
    devices : what is told of the systems of its sessions; a system that is not there has its name alone.
    """
    return f"{json.dumps(_wrapped(protocol, devices or {}), ensure_ascii=False, indent=1)}\n".encode()


def from_usdm(data: bytes, where: str = "file") -> Imported:
    """The protocol of a file that :func:`to_usdm` wrote.

    Parameters
    ----------
    data : the file, at most :data:`LARGEST` bytes.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For what is no JSON of ours, and for a file in which something was changed since: its parts then contradict
        the protocol that it holds.
    """
    if len(data) > LARGEST:
        raise BadValue(Message("usdm.too_large", where=where, most=LARGEST))
    wrapper = reading.parse_json(data, where)
    try:
        version = wrapper["study"]["versions"][0]
        (text,) = (
            one["valueString"] for one in version["extensionAttributes"] if one["url"] == f"{OWN}:{DEFINITION}"
        )
        devices = {
            one["name"]: (one["label"] or "", one["description"] or "") for one in version["medicalDevices"]
        }
        imported = completed(reading.parse_json(text, where), (), where)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise BadValue(Message("usdm.not_ours", where=where)) from error
    if imported.problems or _wrapped(imported.protocol, devices) != wrapper:
        raise BadValue(Message("usdm.changed", where=where))
    return imported


# ------------------------------------------------------------------------------------ the study
def _wrapped(protocol: Protocol, devices: Devices) -> Object:
    about = protocol.about
    objects = Objects()
    documents = _document(protocol, objects)
    version = _version(protocol, objects, devices, str(documents["versions"][0]["id"]))
    study = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{OWN}:{about.code}")), "extensionAttributes": [],
        "name": about.code, "description": None, "label": about.title, "versions": [version],
        "documentedBy": [documents], "instanceType": "Study",
    }  # fmt: skip
    return {
        "study": study, "usdmVersion": VERSION, "systemName": SYSTEM, "systemVersion": None,
    }  # fmt: skip


def _document(protocol: Protocol, objects: Objects) -> Object:
    """The protocol as a document: this version of it."""
    version = objects.new(
        "StudyDefinitionDocumentVersion", version=protocol.about.version, status=objects.term("final"),
        dateValues=[], contents=[], notes=[],
    )  # fmt: skip
    return objects.new(
        "StudyDefinitionDocument", name="Protocol", label=protocol.about.title, description=None,
        language=objects.code("en", "English", LANGUAGE, "2002"), type=objects.term("protocol"),
        templateName=SYSTEM, versions=[version], childIds=[], notes=[],
    )  # fmt: skip


def _version(protocol: Protocol, objects: Objects, devices: Devices, document: str) -> Object:
    about = protocol.about
    sponsor = _organization(objects, about.sponsor, "device company")
    registry = [_organization(objects, "Registry", "registry")] if about.registry else []
    hardware = _devices(protocol, objects, devices)
    interventions = [_intervention(objects, arm, hardware) for arm in protocol.arms]
    criteria, items = _criteria(protocol, objects)
    schedule = schedule_of(protocol, objects, {one["name"]: one["id"] for one in interventions})
    design = _design(protocol, objects, schedule, [one["id"] for one in interventions], criteria)
    version = objects.new(
        "StudyVersion", versionIdentifier=about.version, rationale="", documentVersionIds=[document],
        dateValues=[_effective(protocol, objects)], amendments=[], businessTherapeuticAreas=[],
        studyIdentifiers=[
            objects.new("StudyIdentifier", text=about.code, scopeId=sponsor["id"]),
            *(objects.new("StudyIdentifier", text=about.registry, scopeId=one["id"]) for one in registry),
        ],
        referenceIdentifiers=[], studyDesigns=[design],
        titles=[objects.new("StudyTitle", text=about.title, type=objects.term("official title"))],
        eligibilityCriterionItems=items, narrativeContentItems=[], abbreviations=[], roles=[],
        organizations=[sponsor, *registry], studyInterventions=interventions, administrableProducts=[],
        medicalDevices=hardware, productOrganizationRoles=[], biomedicalConcepts=[], bcCategories=[],
        bcSurrogates=schedule.surrogates, dictionaries=[], conditions=[], notes=[],
    )  # fmt: skip
    role = objects.new(
        "StudyRole", name="Sponsor", label="Sponsor", description=None, code=objects.term("sponsor"),
        appliesToIds=[version["id"]], assignedPersons=[], organizationIds=[sponsor["id"]], masking=None, notes=[],
    )  # fmt: skip
    whole = objects.text_extension(DEFINITION, chain.canonical(chain.clean(protocol.definition())))
    return version | {"roles": [role], "extensionAttributes": [whole]}


def _organization(objects: Objects, name: str, kind: str) -> Object:
    return objects.new(
        "Organization", name=name, label=name, type=objects.term(kind), identifierScheme=OWN, identifier=name,
        legalAddress=None, managedSites=[],
    )  # fmt: skip


def _effective(protocol: Protocol, objects: Objects) -> Object:
    """The day from which this version applies, where it applies."""
    scopes = [
        objects.new(
            "GeographicScope", type=objects.term(kind),
            code=objects.alias(objects.code(code, one, COUNTRY, "2020")),
        )
        for one in protocol.about.jurisdictions
        for kind, code in [SCOPES[one]]
    ]  # fmt: skip
    return objects.new(
        "GovernanceDate", name="Effective", label="Effective from", description=None,
        type=objects.term("effective"), dateValue=protocol.about.effective_from.isoformat(),
        geographicScopes=scopes or [objects.new("GeographicScope", type=objects.term("global"), code=None)],
    )  # fmt: skip


# ------------------------------------------------------------------------------------ devices and interventions
def _devices(protocol: Protocol, objects: Objects, devices: Devices) -> list[Object]:
    """The device of every system that a session is held with."""
    told = {name: devices.get(name, ("", "")) for name in devices_named(protocol)}
    return [
        objects.new(
            "MedicalDevice", name=name, label=label or name, description=description or None, hardwareVersion=None,
            softwareVersion=None, embeddedProductId=None, sourcing=None, identifiers=[], notes=[],
        )
        for name, (label, description) in told.items()
    ]  # fmt: skip


def _intervention(objects: Objects, arm: Arm, devices: Sequence[Object]) -> Object:
    """What an arm receives: the protocol tells it by the title of the arm, and the devices by its sessions."""
    varies = "As the visits of the protocol and the limits of its sessions say."
    administrations = [
        objects.new(
            "Administration", name=f"{arm.name}: {one['name']}", label=one["label"], description=None,
            duration=objects.new(
                "Duration", text="Sessions", quantity=None, durationWillVary=True, reasonDurationWillVary=varies
            ),
            dose=None, route=None, frequency=None, administrableProductId=None, medicalDeviceId=one["id"],
            notes=[],
        )
        for one in devices
    ]  # fmt: skip
    return objects.new(
        "StudyIntervention", name=arm.name, label=arm.title, description=arm.title,
        role=objects.term("experimental"), type=objects.term("device"), minimumResponseDuration=None, codes=[],
        administrations=administrations, notes=[],
    )  # fmt: skip


def _criteria(protocol: Protocol, objects: Objects) -> tuple[list[Object], list[Object]]:
    """Criteria, and the items that hold their text."""
    criteria, items = [], []
    for one in protocol.criteria:
        item = objects.new(
            "EligibilityCriterionItem", name=one.id, label=one.id, description=None, text=as_html(one.text),
            dictionaryId=None, notes=[],
        )  # fmt: skip
        items.append(item)
        origin = {"trial": "A criterion of the trial.", "label": "A criterion of the label of the device."}
        criteria.append(
            objects.new(
                "EligibilityCriterion", name=one.id, label=one.id, description=origin[one.origin],
                category=objects.term(one.kind), identifier=one.id, criterionItemId=item["id"], notes=[],
            )
        )  # fmt: skip
    return chained(criteria), items


# ------------------------------------------------------------------------------------ the design
def _design(
    protocol: Protocol, objects: Objects, schedule: Schedule, interventions: list[str], criteria: list[Object]
) -> Object:
    arms = [_arm(objects, arm) for arm in protocol.arms]
    elements, cells = _cells(protocol, objects, schedule, arms, interventions)
    population = _population(protocol, objects, [one["id"] for one in criteria])
    objectives, estimands, analysed = _estimands(protocol, objects, interventions)
    for arm in arms:
        arm["populationIds"] = [population["id"]]
    return objects.new(
        "InterventionalStudyDesign", name="Design", label=protocol.about.title, description=None,
        studyType=objects.term("interventional"), studyPhase=objects.alias(objects.term("no phase")),
        therapeuticAreas=[], characteristics=_characteristics(protocol, objects), encounters=schedule.encounters,
        activities=schedule.activities, arms=arms, studyCells=cells, rationale="", epochs=schedule.epochs,
        elements=elements, estimands=estimands, indications=[], studyInterventionIds=interventions,
        objectives=objectives, population=population, scheduleTimelines=[schedule.timeline],
        biospecimenRetentions=[], documentVersionIds=[], eligibilityCriteria=criteria,
        analysisPopulations=analysed, notes=objects.notes(_limits(protocol)), subTypes=[],
        model=objects.term("single group" if len(arms) == 1 else "parallel"), intentTypes=[], blindingSchema=None,
    )  # fmt: skip


def _limits(protocol: Protocol) -> list[str]:
    """Stopping rules, checks of implants and limits of sessions in words: USDM has no class for any of them."""
    rules = [
        f"Stopping rule {one.name}: {one.counts}, at {one.limit:g} {one.unit}." for one in protocol.stopping_rules
    ]
    checks = [
        f"Check of each implant, {one.name} ({one.kind}): day {one.day} after surgery, {one.earliest} to "
        f"{one.latest}" + (f", every {one.every} days." if one.every else ".")
        for one in protocol.implant_checks
    ]
    limits = [f"Limit of a session, {one.name}: {one.greatest:g} {one.unit}." for one in protocol.session_limits]
    return rules + checks + limits


def _characteristics(protocol: Protocol, objects: Objects) -> list[Object]:
    design = protocol.design()
    if design is None:
        return []
    return [objects.term("stratified" if design.strata else "randomized")]


def _arm(objects: Objects, arm: Arm) -> Object:
    return objects.new(
        "StudyArm", name=arm.name, label=arm.title, description=arm.title, type=objects.term("treatment arm"),
        dataOriginDescription="Collected in this study", dataOriginType=objects.term("within study"),
        populationIds=[], notes=[],
    )  # fmt: skip


def _cells(
    protocol: Protocol, objects: Objects, schedule: Schedule, arms: Sequence[Object], interventions: Sequence[str]
) -> tuple[list[Object], list[Object]]:
    """Elements and cells: while treated each arm has an element of its own, elsewhere all arms share one."""
    elements: list[Object] = []
    cells: list[Object] = []

    def element(name: str, given: Sequence[str]) -> Object:
        elements.append(
            objects.new(
                "StudyElement", name=name, label=name, description=None, transitionStartRule=None,
                transitionEndRule=None, studyInterventionIds=list(given), notes=[],
            )
        )  # fmt: skip
        return elements[-1]

    for epoch in schedule.epochs:
        treated = epoch["type"]["code"] == objects.term("treatment")["code"]
        shared = None if treated else element(epoch["label"], [])
        for arm, given in zip(arms, interventions, strict=True):
            own = shared or element(f"{epoch['label']}: {arm['name']}", [given])
            cells.append(objects.new("StudyCell", armId=arm["id"], epochId=epoch["id"], elementIds=[own["id"]]))
    return elements, cells


def _population(protocol: Protocol, objects: Objects, criteria: list[str]) -> Object:
    planned = protocol.population
    age = planned and objects.new(
        "Range", minValue=objects.quantity(planned.least_age, "years"),
        maxValue=objects.quantity(planned.greatest_age, "years"), isApproximate=False,
    )  # fmt: skip
    number = objects.quantity(planned.participants) if planned and planned.participants else None
    return objects.new(
        "StudyDesignPopulation", name="Population", label="Participants", description=None,
        includesHealthySubjects=False, plannedEnrollmentNumber=number, plannedCompletionNumber=None,
        plannedSex=[objects.term(one) for one in planned.sex] if planned else [], criterionIds=criteria,
        plannedAge=age, cohorts=[], notes=[],
    )  # fmt: skip


# ------------------------------------------------------------------------------------ what is estimated
def _estimands(
    protocol: Protocol, objects: Objects, interventions: list[str]
) -> tuple[list[Object], list[Object], list[Object]]:
    """Objectives with their endpoints, estimands, and the populations that are analysed.

    The estimand named ``primary`` is the primary one, or else the first; the protocol has no objectives beside
    them.
    """
    named = [one.name for one in protocol.estimands]
    primary = "primary" if "primary" in named else (named or [""])[0]
    objectives, estimands, analysed = [], [], []
    for one in protocol.estimands:
        rank = "primary" if one.name == primary else "secondary"
        endpoint = objects.new(
            "Endpoint", name=one.name, label=one.name, description=None, text=as_html(one.variable),
            dictionaryId=None, purpose=one.summary, level=objects.term(f"{rank} endpoint"), notes=[],
        )  # fmt: skip
        population = objects.new(
            "AnalysisPopulation", name=one.name, label=one.name, description=None, text=one.population,
            subsetOfIds=[], notes=[],
        )  # fmt: skip
        analysed.append(population)
        objectives.append(
            objects.new(
                "Objective", name=one.name, label=one.name, description=None,
                text=as_html(f"{one.summary} {one.variable}"), dictionaryId=None,
                level=objects.term(f"{rank} objective"), endpoints=[endpoint], notes=[],
            )
        )  # fmt: skip
        estimands.append(_estimand(objects, one, endpoint["id"], population["id"], interventions))
    return objectives, estimands, analysed


def _estimand(objects: Objects, one: Estimand, endpoint: str, population: str, interventions: list[str]) -> Object:
    events: list[Any] = [
        objects.new(
            "IntercurrentEvent", name=f"{one.name}: {event}", label=event, description=None, text=as_html(event),
            dictionaryId=None, strategy=strategy, notes=[],
        )
        for event, strategy in sorted(one.intercurrent_events.items())
    ]  # fmt: skip
    return objects.new(
        "Estimand", name=one.name, label=one.name, description=None, populationSummary=one.summary,
        analysisPopulationId=population, interventionIds=interventions, variableOfInterestId=endpoint,
        intercurrentEvents=events, notes=[],
    )  # fmt: skip
