"""What a safety event is: the facts that somebody stated, and the terms of ISO 14155:2026 that follow from them.

An unknown fact counts as the one that asks for more: an event of unknown expectedness as unanticipated, a
deficiency of unknown consequence as one that could have led to a serious event. The reason says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from workbench.errors import BadValue
from workbench.messages import Message

Severity = Literal["mild", "moderate", "severe"]
Relation = Literal["not_related", "possible", "probable", "causal"]
Criterion = Literal[
    "death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "medically_important"
]
EventClass = Literal["AE", "ADE", "SAE", "SADE", "USADE", "ASADE"]
Word = Literal[EventClass, Criterion, "imminent_risk", "could_have_led_to_sae", "marketed", "public_health_threat"]
"""What can be true of an event or a deficiency; conditions of reporting rules are made of these."""

CRITERIA: Mapping[str, Message] = {
    "death": Message("reporting.death"),
    "life_threatening": Message("reporting.life_threatening"),
    "hospitalisation": Message("reporting.hospitalisation"),
    "disability": Message("reporting.disability"),
    "congenital_anomaly": Message("reporting.congenital_anomaly"),
    "medically_important": Message("reporting.medically_important"),
}
RELATED_TO: Mapping[str, Message] = {
    "device": Message("reporting.to_device"),
    "procedure": Message("reporting.to_procedure"),
    "stimulation": Message("reporting.to_stimulation"),
}
WORDS: tuple[str, ...] = get_args(Word)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What is known of an adverse event at one time.

    Parameters
    ----------
    serious : whether a criterion of seriousness is met.
    criteria : which ones; at least one where it is serious, none where it is not.
    severity : its intensity, which says nothing of seriousness.
    device, procedure, stimulation : how it is related to each.
    expected : whether it was anticipated in nature, severity and frequency; None where nobody has said.
    imminent_risk : whether people are at imminent risk of death, serious injury or illness, so that something
        must be done at once.
    marketed : whether the device is on the market, so that rules after placing on the market apply as well.
    public_health_threat : whether it is a serious threat to public health.

    Raises
    ------
    BadValue
        For a word outside its closed set, or seriousness and criteria that contradict each other.
    """

    serious: bool
    severity: Severity
    device: Relation
    procedure: Relation
    stimulation: Relation
    expected: bool | None
    criteria: frozenset[Criterion] = field(default_factory=frozenset)
    imminent_risk: bool = False
    marketed: bool = False
    public_health_threat: bool = False

    def __post_init__(self) -> None:
        _check_word("severity", self.severity, get_args(Severity))
        for name in RELATED_TO:
            _check_word(name, getattr(self, name), get_args(Relation))
        for criterion in self.criteria:
            _check_word("criteria", criterion, get_args(Criterion))
        _check_answers(self, "serious", "imminent_risk", "marketed", "public_health_threat", open_="expected")
        if self.serious and not self.criteria:
            raise BadValue(Message("reporting.no_criterion", allowed=list(get_args(Criterion))))
        if self.criteria and not self.serious:
            raise BadValue(Message("reporting.not_serious", criteria=sorted(self.criteria)))


@dataclass(frozen=True, slots=True)
class DeficiencyFacts:
    """What is known of a device deficiency at one time.

    Parameters
    ----------
    could_have_led_to_sae : whether it could have led to a serious adverse event; None where nobody has said.
    imminent_risk, marketed, public_health_threat : as of :class:`EventFacts`.

    Raises
    ------
    BadValue
        For an answer that is neither yes nor no.
    """

    could_have_led_to_sae: bool | None
    imminent_risk: bool = False
    marketed: bool = False
    public_health_threat: bool = False

    def __post_init__(self) -> None:
        _check_answers(self, "imminent_risk", "marketed", "public_health_threat", open_="could_have_led_to_sae")


Facts = EventFacts | DeficiencyFacts


def facts_of(kind: type[Facts], given: Mapping[str, Any]) -> Facts:
    """Facts from plain data, as :func:`as_plain` gives it and as somebody types it.

    Parameters
    ----------
    kind : :class:`EventFacts` or :class:`DeficiencyFacts`.
    given : by field; ``criteria`` is a list.

    Raises
    ------
    BadValue
        For a field that is missing or unknown, and for what the facts refuse.
    """
    names = [one.name for one in fields(kind)]
    if not isinstance(given, Mapping) or set(given) - set(names):
        raise BadValue(Message("safety.facts", allowed=names, got=f"{given!r:.200}"))
    criteria = given.get("criteria", [])
    if not (isinstance(criteria, list | tuple | frozenset) and all(isinstance(one, str) for one in criteria)):
        raise BadValue(Message("reporting.word", name="criteria", allowed=list(CRITERIA), got=f"{criteria!r:.60}"))
    values = {**given, "criteria": frozenset(criteria)} if "criteria" in given else dict(given)
    try:
        return kind(**values)
    except TypeError as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue(Message("safety.facts", allowed=names, got=f"{sorted(given)!r:.200}")) from error


def as_plain(facts: Facts) -> dict[str, Any]:
    """Facts as plain data, which :func:`facts_of` reads."""
    plain = {one.name: getattr(facts, one.name) for one in fields(facts)}
    return {**plain, "criteria": sorted(plain["criteria"])} if "criteria" in plain else plain


@dataclass(frozen=True, slots=True)
class Classification:
    """The narrowest term that holds for an event, all that hold, and why.

    Attributes
    ----------
    term : one of ``"AE"``, ``"ADE"``, ``"SAE"``, ``"USADE"`` and ``"ASADE"``; every SADE is one of the last two.
    terms : from the widest to the narrowest.
    reasons : one sentence for seriousness, relation and, of a SADE, anticipation.
    """

    term: EventClass
    terms: tuple[EventClass, ...]
    reasons: tuple[Message, ...]


def classify(facts: EventFacts) -> Classification:
    """The terms of an event.

    The words are those of ISO 14155:2026, the definitions here our own:

    - **AE**, adverse event: anything untoward that happens to the health of somebody in the study, whether or not
      the device has to do with it.
    - **ADE**, adverse device effect: an AE that the use of the device brought about. Here: whose relation to
      device, procedure or stimulation is at least possible.
    - **SAE**, serious adverse event: an AE that meets a criterion of seriousness.
    - **SADE**, serious adverse device effect: both an ADE and an SAE.
    - **ASADE**, anticipated SADE: one that the risk documents foresee in nature, severity and frequency.
    - **USADE**, unanticipated SADE: any other SADE, so also one of which nobody has said whether it was foreseen.

    How severe an event is plays no part.
    """
    related = [RELATED_TO[name] for name in RELATED_TO if getattr(facts, name) != "not_related"]
    terms: list[EventClass] = ["AE"]
    terms += ["ADE"] if related else []
    terms += ["SAE"] if facts.serious else []
    reasons = [_seriousness(facts)]
    reasons.append(Message("reporting.related", to=related) if related else Message("reporting.not_related"))
    if related and facts.serious:
        terms += ["SADE", "ASADE" if facts.expected else "USADE"]
        reasons.append(_anticipation(facts))
    return Classification(terms[-1], tuple(terms), tuple(reasons))


def words(facts: Facts) -> frozenset[Word]:
    """Every word that is true of an event or a deficiency."""
    true: set[Word] = set()
    if isinstance(facts, EventFacts):
        true |= {*classify(facts).terms, *facts.criteria}
    elif facts.could_have_led_to_sae is not False:
        true.add("could_have_led_to_sae")
    true |= {"imminent_risk"} if facts.imminent_risk else set()
    true |= {"marketed"} if facts.marketed else set()
    return frozenset(true | ({"public_health_threat"} if facts.public_health_threat else set()))


def assumed(facts: Facts) -> Mapping[Word, Message]:
    """Words that are taken for true because nobody has said otherwise, each with the sentence that says so."""
    if isinstance(facts, DeficiencyFacts):
        unknown = facts.could_have_led_to_sae is None
        return {"could_have_led_to_sae": Message("reporting.consequence_unknown")} if unknown else {}
    if facts.expected is None and "USADE" in classify(facts).terms:
        return {"USADE": _anticipation(facts)}
    return {}


def _seriousness(facts: EventFacts) -> Message:
    if facts.serious:
        return Message("reporting.serious", criteria=[CRITERIA[c] for c in CRITERIA if c in facts.criteria])
    if facts.severity == "severe":
        return Message("reporting.severe_only")
    return Message("reporting.no_criterion_met")


def _anticipation(facts: EventFacts) -> Message:
    if facts.expected is None:
        return Message("reporting.expectedness_unknown")
    return Message("reporting.anticipated") if facts.expected else Message("reporting.unanticipated")


def _check_word(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadValue(Message("reporting.word", name=name, allowed=list(allowed), got=f"{value!r:.60}"))


def _check_answers(facts: Any, *names: str, open_: str) -> None:
    """Yes or no, and nothing that Python takes for either: the text "no" would count as yes."""
    for name in (*names, open_):
        value = getattr(facts, name)
        if not (isinstance(value, bool) or (name == open_ and value is None)):
            allowed = ["True", "False", *(["None"] if name == open_ else [])]
            raise BadValue(Message("reporting.word", name=name, allowed=allowed, got=f"{value!r:.60}"))
