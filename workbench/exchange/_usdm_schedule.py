"""The schedule of a protocol in CDISC USDM: epochs, encounters, activities, and the timeline that places them.

An anchor that is no visit, such as the implantation, is an instance of its own with an activity and a fixed
timing; a visit has a timing from its anchor with its window. Instances follow one another in the order of the
protocol, each anchor before the first visit that is counted from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.exchange._usdm_objects import OWN, Object, Objects, chained
from workbench.study.forms import Form
from workbench.study.protocol import ANCHORS, Protocol, ProtocolVisit, SessionKind

ANCHOR_TITLES = {
    "consent": "Consent", "randomisation": "Randomisation", "first_session": "First session",
    "implant": "Implantation",
}  # fmt: skip
REPEATS = "May be held more than once within its window."


@dataclass(slots=True)
class Schedule:
    """What a study design takes over.

    Attributes
    ----------
    epochs, encounters, activities : in their order, chained.
    surrogates : what the activities measure.
    timeline : the main timeline.
    """

    epochs: list[Object] = field(default_factory=list)
    encounters: list[Object] = field(default_factory=list)
    activities: list[Object] = field(default_factory=list)
    surrogates: list[Object] = field(default_factory=list)
    timeline: Object = field(default_factory=dict)


def epochs_of(visits: Sequence[ProtocolVisit]) -> list[str]:
    """``"screening"``, ``"treatment"`` or ``"follow-up"`` for each visit: the protocol itself knows no epochs.

    Treatment begins with the first visit that is counted from randomisation, implantation or first session, or
    that holds a session, and ends with the last one that holds a session; without any such visit all of it is
    treatment.

    Parameters
    ----------
    visits : of the protocol, in its order.
    """
    anchor_of = {visit.name: visit.anchor for visit in visits}

    def root(name: str) -> str:
        while name in anchor_of:
            name = anchor_of[name]
        return name

    held = [n for n, visit in enumerate(visits) if visit.sessions]
    treated = [n for n, visit in enumerate(visits) if visit.sessions or root(visit.anchor) != "consent"]
    first = treated[0] if treated else 0
    last = held[-1] if held else len(visits) - 1
    return [
        "screening" if n < first else "follow-up" if n > max(first, last) else "treatment"
        for n in range(len(visits))
    ]


def schedule_of(protocol: Protocol, objects: Objects, interventions: Mapping[str, str]) -> Schedule:
    """The schedule of a protocol.

    Parameters
    ----------
    protocol : that is written.
    objects : of the file.
    interventions : id of the intervention of each arm, by the name of the arm.
    """
    made = Schedule()
    epoch_of = _add_epochs(protocol, objects, made)
    anchors = {one: None for visit in protocol.visits for one in [visit.anchor] if one in ANCHORS}
    activity_of = _add_activities(protocol, objects, made, list(anchors), interventions)
    instances: dict[str, Object] = {}
    timings: list[Object] = []
    for visit, epoch in zip(protocol.visits, epoch_of, strict=True):
        if visit.anchor in ANCHORS and visit.anchor not in instances:
            name = ANCHOR_TITLES[visit.anchor]
            instances[visit.anchor] = _instance(objects, name, epoch, [activity_of[visit.anchor]])
            timings.append(_fixed(objects, name, instances[visit.anchor]["id"]))
        sessions = [activity_of[_session_key(one)] for one in dict.fromkeys(visit.sessions)]
        asked = [*(activity_of[f"form {name}"] for name in visit.forms), *sessions]
        instances[f"visit {visit.name}"] = _instance(objects, f"Visit: {visit.name}", epoch, asked)
    if "arms" in activity_of:
        # No visit holds a session: what the arms receive is told at the first visit of treatment.
        at = protocol.visits[epochs_of(protocol.visits).index("treatment")].name
        instances[f"visit {at}"]["activityIds"].append(activity_of["arms"])
    for visit in protocol.visits:
        anchor = visit.anchor if visit.anchor in ANCHORS else f"visit {visit.anchor}"
        timing = _timing(objects, visit, instances[f"visit {visit.name}"]["id"], instances[anchor]["id"])
        timings.append(timing)
        instances[f"visit {visit.name}"]["encounterId"] = _add_encounter(objects, made, visit, timing["id"])
    chained(made.encounters)
    made.timeline = _timeline(protocol, objects, list(instances.values()), timings)
    return made


def _add_epochs(protocol: Protocol, objects: Objects, made: Schedule) -> list[str]:
    """Epochs of the visits; returns the id of each visit's epoch."""
    words = epochs_of(protocol.visits)
    by_word = {
        word: objects.new(
            "StudyEpoch", name=word.capitalize(), label=word.capitalize(), description=None,
            type=objects.term(word), notes=[],
        )
        for word in dict.fromkeys(words)
    }  # fmt: skip
    made.epochs = chained(list(by_word.values()))
    return [by_word[word]["id"] for word in words]


def _session_key(one: SessionKind) -> str:
    return f"session {one.system} {one.procedure}"


def _add_activities(
    protocol: Protocol, objects: Objects, made: Schedule, anchors: Sequence[str], interventions: Mapping[str, str]
) -> dict[str, str]:
    """Activities of anchors, forms and sessions; returns the id of each."""
    found: dict[str, Object] = {}
    for anchor in anchors:
        procedures = [_procedure(objects, ANCHOR_TITLES[anchor], anchor)]
        found[anchor] = _activity(objects, ANCHOR_TITLES[anchor], procedures)
    for form in protocol.forms:
        if any(form.name in visit.forms for visit in protocol.visits):
            found[f"form {form.name}"] = _activity(objects, form.name, label=form.title)
            asked = _surrogates(form, objects)
            made.surrogates += asked
            found[f"form {form.name}"]["bcSurrogateIds"] = [one["id"] for one in asked]
    sessions = {_session_key(one): one for visit in protocol.visits for one in visit.sessions}
    for key, one in sessions.items():
        name = f"{one.system}: {one.procedure}"
        found[key] = _activity(objects, name, _of_arms(objects, name, one.procedure, interventions))
    if not sessions:
        found["arms"] = _activity(objects, "Arm", _of_arms(objects, "Arm", "arm", interventions))
    made.activities = chained(list(found.values()))
    return {key: one["id"] for key, one in found.items()}


def _activity(objects: Objects, name: str, procedures: Sequence[Object] = (), label: str = "") -> Object:
    return objects.new(
        "Activity", name=name, label=label or name, description=None, previousId=None, nextId=None, childIds=[],
        definedProcedures=list(procedures), biomedicalConceptIds=[], bcCategoryIds=[], bcSurrogateIds=[],
        timelineId=None, notes=[],
    )  # fmt: skip


def _procedure(objects: Objects, name: str, code: str, intervention: str | None = None) -> Object:
    return objects.new(
        "Procedure", name=name, label=name, description=None, procedureType=code, code=objects.code(code, code),
        studyInterventionId=intervention, notes=[],
    )  # fmt: skip


def _of_arms(objects: Objects, name: str, code: str, interventions: Mapping[str, str]) -> list[Object]:
    """What a session is in each arm."""
    return [_procedure(objects, f"{name}: {arm}", code, own) for arm, own in interventions.items()]


def _surrogates(form: Form, objects: Objects) -> list[Object]:
    """What a form measures: an outcome measure, or each of its own items."""
    if form.measure:
        named = [(form.name, form.title, f"{OWN}:measure:{form.measure}")]
    else:
        named = [(f"{form.name}/{item.name}", item.label, f"{OWN}:item:{item.kind}") for item in form.items]
    return [
        objects.new(
            "BiomedicalConceptSurrogate", name=name, label=label, description=None, reference=reference, notes=[]
        )
        for name, label, reference in named
    ]


def _add_encounter(objects: Objects, made: Schedule, visit: ProtocolVisit, timing: str) -> str:
    encounter = objects.new(
        "Encounter", name=visit.name, label=visit.name, description=None, type=objects.term("visit"),
        scheduledAtId=timing, environmentalSettings=[], contactModes=[], transitionStartRule=None,
        transitionEndRule=None, notes=objects.notes([REPEATS] if visit.repeats else []),
    )  # fmt: skip
    made.encounters.append(encounter)
    return str(encounter["id"])


def _instance(objects: Objects, name: str, epoch: str, activities: Sequence[str]) -> Object:
    return objects.new(
        "ScheduledActivityInstance", name=name, label=name, description=None, defaultConditionId=None,
        epochId=epoch, timelineId=None, timelineExitId=None, activityIds=list(activities), encounterId=None,
    )  # fmt: skip


def _fixed(objects: Objects, name: str, instance: str) -> Object:
    """The timing of an anchor: day 0 of what is counted from it."""
    return objects.new(
        "Timing", name=name, label=name, description=None, type=objects.term("fixed"), value="P0D",
        valueLabel="day 0", relativeToFrom=objects.term("start to start"),
        relativeFromScheduledInstanceId=instance, relativeToScheduledInstanceId=instance, windowLower=None,
        windowUpper=None, windowLabel=None,
    )  # fmt: skip


def _timing(objects: Objects, visit: ProtocolVisit, instance: str, anchor: str) -> Object:
    """Planned day of a visit from its anchor, and its window from that day."""
    return objects.new(
        "Timing", name=f"Visit: {visit.name}", label=visit.name, description=None,
        type=objects.term("before" if visit.day < 0 else "after"), value=f"P{abs(visit.day)}D",
        valueLabel=f"day {visit.day} from {ANCHOR_TITLES.get(visit.anchor, visit.anchor)}",
        relativeToFrom=objects.term("start to start"), relativeFromScheduledInstanceId=instance,
        relativeToScheduledInstanceId=anchor, windowLower=f"P{visit.day - visit.earliest}D",
        windowUpper=f"P{visit.latest - visit.day}D", windowLabel=f"day {visit.earliest} to {visit.latest}",
    )  # fmt: skip


def _timeline(
    protocol: Protocol, objects: Objects, instances: Sequence[Object], timings: Sequence[Object]
) -> Object:
    end = objects.new("ScheduleTimelineExit")
    for one, behind in zip(instances, instances[1:], strict=False):
        one["defaultConditionId"] = behind["id"]
    instances[-1]["timelineExitId"] = end["id"]
    varies = "Visits have windows and are counted from days of each participant."
    duration = objects.new(
        "Duration",
        text="Until the last visit",
        quantity=None,
        durationWillVary=True,
        reasonDurationWillVary=varies,
    )
    purposes = ", ".join(protocol.consent.purposes.required)
    return objects.new(
        "ScheduleTimeline", name="Main", label="Main", description=None, mainTimeline=True,
        entryCondition=f"The participant consents to {purposes}.", entryId=instances[0]["id"], exits=[end],
        timings=list(timings), instances=list(instances), plannedDuration=duration,
    )  # fmt: skip
