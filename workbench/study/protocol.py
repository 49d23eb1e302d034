"""The protocol of a study: one TOML file, checked as a whole, named by the hash of what it says.

::

    file         TOML, for people: comments, any order of keys
    definition   the same as plain JSON data; what equals its default is left out
    sha256       SHA-256 of the canonical text of the definition

Comments, spacing and the order of keys do not change the hash; the order of lists, such as the items of a form,
does. Nothing here touches the record.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, cast, get_args

from workbench import messages, outcomes, reading
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message
from workbench.study import chain
from workbench.study.forms import (
    HELP,
    ITEM_KINDS,
    NUMERIC,
    OFF,
    Form,
    Item,
    ItemKind,
    SoftRange,
    is_state,
    quantity,
)
from workbench.study.nouns import SHA256, told
from workbench.study.people import ROLES
from workbench.study.protocol_home import home_rule
from workbench.study.protocol_reading import FARTHEST_DAY, Problems, Table, is_name, is_too_deep, repeated
from workbench.study.randomisation.design import Design
from workbench.vocabulary import FindingKind, HomeRule, RunKind

LARGEST = 2**20
"""Of a protocol file, bytes."""
ANCHORS = ("consent", "randomisation", "first_session", "implant")
"""Days of a participant from which visits may be counted, beside other visits."""
JURISDICTIONS = ("US", "EU", "CN")
CriterionKind = Literal["inclusion", "exclusion"]
CountUnit = Literal["events", "participants"]
Sex = Literal["female", "male"]
CriterionOrigin = Literal["trial", "label"]
"""Whether a criterion is the trial's own, or comes from the label of the device."""
OLDEST = 150
"""Years."""
MOST_PARTICIPANTS = 1_000_000
"""Planned of one study."""

SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
"""A version as semver.org 2.0.0 writes it."""

LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){20}""")
"""A key of so many parts takes the parser time that grows with their square."""

ProceduresOf = Callable[[str], Collection[str]]
"""The procedures that a system offers, by its name; raises UnknownName for one that is not installed."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class About:
    """What the study is: section ``[study]``.

    Attributes
    ----------
    code, title, sponsor : of the study.
    version : of this protocol, as semver.org writes it.
    jurisdictions : of :data:`JURISDICTIONS`.
    effective_from : first day on which this version applies.
    registry, ethics_reference : numbers given by others; ``""`` before they are.
    """

    code: str
    title: str
    version: str
    sponsor: str
    jurisdictions: tuple[str, ...]
    effective_from: date
    registry: str = ""
    ethics_reference: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of the study."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion of eligibility: its wording, kind and origin."""

    id: str
    text: str
    kind: CriterionKind
    origin: CriterionOrigin


@dataclass(frozen=True, slots=True)
class Population:
    """Whom the study plans to take, as registries and protocol formats ask for it; the criteria decide who may.

    Attributes
    ----------
    sex : of those who may take part.
    least_age, greatest_age : at entry, whole years; both belong to the range.
    participants : planned number of participants, 0 where the protocol names none.
    """

    sex: tuple[Sex, ...]
    least_age: int
    greatest_age: int
    participants: int = 0


@dataclass(frozen=True, slots=True)
class SessionKind:
    """A session that a visit holds: name of a system and one of its procedures."""

    system: str
    procedure: RunKind


@dataclass(frozen=True, slots=True)
class ProtocolVisit:
    """A visit that the protocol plans.

    Attributes
    ----------
    name : of the visit.
    anchor : one of :data:`ANCHORS` or another visit.
    day, earliest, latest : planned day and window, in days from the anchor; both ends belong to the window.
    forms : names of forms that it asks for.
    sessions : that it holds.
    repeats : whether it may be held more than once.
    """

    name: str
    anchor: str
    day: int
    earliest: int
    latest: int
    forms: tuple[str, ...] = ()
    sessions: tuple[SessionKind, ...] = ()
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Purposes:
    """What a participant consents to: what taking part requires, and what is asked beside it."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent: its purposes, and version and SHA-256 of the document that is signed."""

    purposes: Purposes
    document_version: str
    document_sha256: str


@dataclass(frozen=True, slots=True)
class Estimand:
    """An estimand: population, variable, strategy for each intercurrent event, population-level summary."""

    name: str
    population: str
    variable: str
    intercurrent_events: Mapping[str, str]
    summary: str


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """A rule that stops the study: what is counted, the count at which it stops, and of what (default: events)."""

    name: str
    counts: str
    limit: float
    unit: CountUnit = "events"


@dataclass(frozen=True, slots=True)
class ImplantCheck:
    """A check of every implant that is in place.

    Attributes
    ----------
    name, kind : of the check, and what is looked at; a finding of that kind within the window is the check.
    day, earliest, latest : planned day and window, in days from the surgery; both ends belong to the window.
    every : days after which it is due again, for as long as the implant is in place; 0 for once.
    """

    name: str
    kind: FindingKind
    day: int
    earliest: int
    latest: int
    every: int = 0


@dataclass(frozen=True, slots=True)
class SessionLimit:
    """A limit of every session: greatest value and its unit."""

    name: str
    greatest: float
    unit: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """One version of a protocol, made by :func:`read`, :func:`parse` or :meth:`from_definition`, which check it.

    Attributes
    ----------
    about : section ``[study]``.
    arms, visits, consent : at least one arm and one visit.
    criteria, forms, estimands, stopping_rules, implant_checks, session_limits : empty where the file has none.
    randomisation : the section as plain data; :meth:`design` is what it says.
    roles : who may make a change, by its name.
    population : whom the study plans to take; None where the file does not say it.
    home_use : under what a device is used at home; None where it is not.
    """

    about: About
    arms: tuple[Arm, ...]
    visits: tuple[ProtocolVisit, ...]
    consent: Consent
    criteria: tuple[Criterion, ...] = ()
    forms: tuple[Form, ...] = ()
    randomisation: Mapping[str, Any] = field(default_factory=dict)
    estimands: tuple[Estimand, ...] = ()
    stopping_rules: tuple[StoppingRule, ...] = ()
    implant_checks: tuple[ImplantCheck, ...] = ()
    session_limits: tuple[SessionLimit, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    population: Population | None = None
    home_use: HomeRule | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical text of :meth:`definition`, 64 hexadecimal digits."""
        return chain.sha256(chain.canonical(chain.clean(self.definition())))

    def definition(self) -> dict[str, Any]:
        """The protocol as plain JSON data, with the sections and keys of the file."""
        # What equals its default is left out, so that a key which a later version of the software adds does not
        # change the hash of a protocol that does not use it.
        return {SECTIONS[name]: value for name, value in _stated(self).items()}

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any], *, where: str = "definition") -> Self:
        """The protocol of a definition, checked again, but for what is installed here.

        Parameters
        ----------
        definition : as :meth:`definition` gives it.
        where : names it in the sentence.

        Raises
        ------
        BadProtocol
            With everything that is wrong.
        """
        return cast("Self", _checked(definition, where, measures=None, procedures_of=None))

    def design(self) -> Design | None:
        """How participants come to their arms; None for a protocol that does not randomise. Raises BadValue."""
        if not self.randomisation:
            return None
        return Design.of(self.randomisation, [arm.name for arm in self.arms])

    def intercurrent_events(self) -> list[str]:
        """Names of the intercurrent events of all estimands, sorted."""
        return sorted({name for one in self.estimands for name in one.intercurrent_events})

    def form(self, name: str) -> Form:
        """The form of that name. Raises UnknownName with the names there are."""
        for one in self.forms:
            if one.name == name:
                return one
        known = [one.name for one in self.forms] or Message("word.none")
        raise UnknownName(Message("protocol.no_form", form=told(name), allowed=known))

    def takes(self, form: Form, state: str) -> bool:
        """Whether an assessment in a state is what a form of its measure asks for.

        A form that names no state takes every one that no other form of that measure names.

        Parameters
        ----------
        form : of this protocol. state : as :func:`~workbench.study.forms.state_of` says it.
        """
        if form.state:
            return state == form.state
        return state not in {one.state for one in self.forms if one.measure == form.measure}


SECTIONS = {
    "about": "study", "arms": "arm", "criteria": "criterion", "visits": "visit", "forms": "form",
    "consent": "consent", "randomisation": "randomisation", "estimands": "estimand",
    "stopping_rules": "stopping_rule", "implant_checks": "implant_check", "session_limits": "session_limit",
    "roles": "roles", "population": "population", "home_use": "home_use",
}  # fmt: skip
"""Section of the file by attribute of :class:`Protocol`."""
ONE_TABLE = ("study", "consent", "randomisation", "roles", "population", "home_use")
"""Sections that are one table and not a list of entries."""


def _stated(value: Any) -> Any:
    """A part of a protocol as plain data."""
    if is_dataclass(value):
        found = {one.name: (getattr(value, one.name), one) for one in fields(value)}
        return {name: _stated(got) for name, (got, one) in found.items() if got != _default(one)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _stated(one) for key, one in value.items()}
    return [_stated(one) for one in value] if isinstance(value, list | tuple) else value


def _default(one: Any) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


# ------------------------------------------------------------------------------------ reading
def read(path: Path, *, procedures_of: ProceduresOf | None = None) -> Protocol:
    """The protocol of a file.

    Parameters
    ----------
    path : of a TOML file of at most :data:`LARGEST` bytes.
    procedures_of : tells what a system offers, so that the sessions are checked against it; None checks only that
        there are such procedures.

    Raises
    ------
    BadValue
        For a file that cannot be read or is no TOML; as :class:`BadProtocol` with everything that is wrong.
    """
    what = Message("protocol.file")
    return parse(
        reading.read_text(path, what, largest=LARGEST, signed=True),
        reading.shown(path),
        procedures_of=procedures_of,
    )


def parse(text: str, where: str, *, procedures_of: ProceduresOf | None = None) -> Protocol:
    """The protocol of the text of a file.

    Parameters
    ----------
    text : TOML.
    where : names the file in a sentence.
    procedures_of : as :func:`read` takes it.

    Raises
    ------
    BadValue
        As :func:`read` does.
    """
    if long_key := LONG_KEY.search(text):
        raise BadValue(Message("protocol.long_key", where=where, line=text.count("\n", 0, long_key.start()) + 1))
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise BadValue(Message("protocol.too_deep", where=where, most=reading.DEEPEST)) from error
    except ValueError as error:
        raise BadValue(Message("protocol.no_toml", where=where, why=f"{error!s:.200}")) from error
    return _checked(data, where, measures=outcomes.available(), procedures_of=procedures_of)


def _checked(
    data: Mapping[str, Any], where: str, *, measures: Collection[str] | None, procedures_of: ProceduresOf | None
) -> Protocol:
    """The protocol of plain data. Raises BadProtocol."""
    if not isinstance(data, Mapping):
        raise BadValue(Message("protocol.no_definition", where=where, got=told(data)))
    if is_too_deep(data):
        raise BadValue(Message("protocol.too_deep", where=where, most=reading.DEEPEST))
    problems = Problems(where)
    protocol = _protocol(Table(where, data, problems, is_root=True))
    _check_names(protocol, problems)
    _check_visits(protocol, problems)
    _check_randomisation(protocol, problems)
    _check_installed(protocol, problems, measures, procedures_of)
    problems.refuse()
    return protocol


def _protocol(root: Table) -> Protocol:
    protocol = Protocol(
        about=_one(root, "study", _about),
        arms=_each(root, "arm", _arm, needed=True),
        visits=_each(root, "visit", _visit, needed=True),
        consent=_one(root, "consent", _consent),
        criteria=_each(root, "criterion", _criterion),
        forms=_each(root, "form", _form),
        randomisation=root.plain("randomisation"),
        estimands=_each(root, "estimand", _estimand),
        stopping_rules=_each(root, "stopping_rule", _stopping_rule),
        implant_checks=_each(root, "implant_check", _implant_check),
        session_limits=_each(root, "session_limit", _session_limit),
        roles=_roles(root.table("roles", needed=False)),
        population=_population(root.table("population", needed=False)),
        home_use=home_rule(root.table("home_use", needed=False)),
    )
    root.done()
    return protocol


def _one(root: Table, key: str, made: Callable[[Table], T]) -> T:
    """One table; an absent one is noted as absent, and not key by key."""
    table = root.table(key)
    if table is None:
        return made(Table("", {}, Problems("")))
    entry = made(table)
    table.done()
    return entry


def _each(root: Table, key: str, made: Callable[[Table], T], *, needed: bool = False) -> tuple[T, ...]:
    """Every table of a list."""
    entries = []
    for table in root.tables(key, needed=needed):
        entries.append(made(table))
        table.done()
    return tuple(entries)


def forms_of(data: Mapping[str, Any], where: str) -> tuple[Form, ...]:
    """The forms of plain data that holds nothing else.

    Parameters
    ----------
    data : with the list ``form``, as a protocol file has it.
    where : names it in a sentence.

    Raises
    ------
    BadProtocol
        With everything that is wrong.
    """
    problems = Problems(where)
    root = Table(where, data, problems, is_root=True)
    forms = _each(root, "form", _form, needed=True)
    root.done()
    problems.refuse()
    return forms


def _about(table: Table) -> About:
    return About(
        code=table.name("code"),
        title=table.name("title"),
        version=table.matching("version", SEMVER, Message("protocol.kind_version")),
        sponsor=table.name("sponsor"),
        jurisdictions=table.names("jurisdictions", allowed=JURISDICTIONS),
        effective_from=table.day("effective_from"),
        registry=table.name("registry", needed=False),
        ethics_reference=table.name("ethics_reference", needed=False),
    )


def _arm(table: Table) -> Arm:
    return Arm(name=table.code("name"), title=table.name("title"))


def _criterion(table: Table) -> Criterion:
    return Criterion(
        id=table.code("id"),
        text=table.text("text"),
        kind=cast("CriterionKind", table.word("kind", get_args(CriterionKind))),
        origin=cast("CriterionOrigin", table.word("origin", get_args(CriterionOrigin))),
    )


def _population(table: Table | None) -> Population | None:
    if table is None:
        return None
    ages = [table.integer(key, most=OLDEST) for key in ("least_age", "greatest_age")]
    planned = table.integer("participants", most=MOST_PARTICIPANTS) if "participants" in table.data else 0
    sex = cast("tuple[Sex, ...]", table.names("sex", allowed=get_args(Sex)))
    table.done()
    least, greatest = ages
    if least is not None and greatest is not None and not 0 <= least < greatest:
        table.problem(Message("protocol.ages", least=least, greatest=greatest))
    if planned is not None and planned < 0:
        table.problem(Message("protocol.planned", got=planned))
    return Population(sex=sex, least_age=least or 0, greatest_age=greatest or 0, participants=planned or 0)


def _visit(table: Table) -> ProtocolVisit:
    day, earliest, latest = (table.integer(key, most=FARTHEST_DAY) for key in ("day", "earliest", "latest"))
    visit = ProtocolVisit(
        name=table.name("name"),
        anchor=table.name("anchor"),
        day=day or 0,
        earliest=earliest or 0,
        latest=latest or 0,
        forms=table.names("forms", needed=False),
        sessions=_each(table, "sessions", _session),
        repeats=table.flag("repeats"),
    )
    known = day is not None and earliest is not None and latest is not None
    if known and not visit.earliest <= visit.day <= visit.latest:
        table.problem(Message("protocol.window", day=visit.day, earliest=visit.earliest, latest=visit.latest))
    return visit


def _session(table: Table) -> SessionKind:
    procedure = cast("RunKind", table.word("procedure", get_args(RunKind)))
    return SessionKind(system=table.name("system"), procedure=procedure)


def _form(table: Table) -> Form:
    form = Form(
        name=table.code("name"),
        title=table.name("title"),
        items=_each(table, "items", _item),
        measure=table.name("measure", needed=False),
        double_entry=table.flag("double_entry"),
        state=table.name("state", needed=False),
    )
    if form.state and not is_state(form.state):
        table.problem(Message("protocol.form_state", got=told(form.state), allowed=[OFF, *HELP]))
    if bool(table.data.get("items")) == bool(table.data.get("measure")):
        table.problem(Message("protocol.items_or_measure"))
    for again in repeated(tuple(item.name for item in form.items)):
        table.problem(Message("protocol.twice", key="items", got=told(again)))
    return form


def _item(table: Table) -> Item:
    item = Item(
        name=table.code("name"),
        label=table.text("label"),
        kind=cast("ItemKind", table.word("kind", ITEM_KINDS)),
        unit=table.name("unit", needed=False),
        least=table.number("least", needed=False),
        greatest=table.number("greatest", needed=False),
        choices=table.names("choices", needed=False),
        required=table.flag("required"),
        in_range_query=_soft_range(table.table("in_range_query", needed=False)),
    )
    if item.kind:
        _check_item(table, item)
    return item


def _soft_range(table: Table | None) -> SoftRange | None:
    if table is None:
        return None
    soft = SoftRange(low=table.number("low", needed=False), high=table.number("high", needed=False))
    table.done()
    if soft.low is None and soft.high is None:
        table.problem(Message("protocol.range_without_ends"))
    return soft


def _check_item(table: Table, item: Item) -> None:
    """Each kind has its own keys, and ranges lie the right way round."""
    for key in ("unit", "least", "greatest", "in_range_query"):
        if table.data.get(key) is not None and item.kind not in NUMERIC:
            table.problem(Message("protocol.key_of_kind", key=key, kinds=NUMERIC, kind=item.kind))
    if item.kind == "choice" and not item.choices and not table.data.get("choices"):
        table.problem(Message("protocol.no_choices"))
    if item.kind != "choice" and table.data.get("choices") is not None:
        table.problem(Message("protocol.key_of_kind", key="choices", kinds=["choice"], kind=item.kind))
    soft = item.in_range_query or SoftRange()
    ends = [("least", item.least), ("low", soft.low), ("high", soft.high), ("greatest", item.greatest)]
    given = [(name, end) for name, end in ends if end is not None]
    for (lower, low), (upper, high) in zip(given, given[1:], strict=False):
        if low > high:
            first, second = quantity(low, ""), quantity(high, "")
            table.problem(Message("protocol.range", lower=lower, upper=upper, low=first, high=second))


def _consent(table: Table) -> Consent:
    return Consent(
        purposes=_one(table, "purposes", _purposes),
        document_version=table.name("document_version"),
        document_sha256=table.matching("document_sha256", SHA256, Message("protocol.kind_sha256")),
    )


def _purposes(table: Table) -> Purposes:
    purposes = Purposes(required=table.names("required"), optional=table.names("optional", needed=False))
    for both in sorted(set(purposes.required) & set(purposes.optional)):
        table.problem(Message("protocol.purpose", got=told(both)))
    return purposes


def _estimand(table: Table) -> Estimand:
    return Estimand(
        name=table.name("name"),
        population=table.text("population"),
        variable=table.text("variable"),
        intercurrent_events=_strategies(table.table("intercurrent_events")),
        summary=table.text("summary"),
    )


def _strategies(table: Table | None) -> dict[str, str]:
    named = None if table is None else table.named()
    return {} if named is None else {key: named.text(key) for key in named.data}


def _stopping_rule(table: Table) -> StoppingRule:
    # Counted by event where the file says nothing: never fewer than participants.
    unit = table.word("unit", get_args(CountUnit)) if "unit" in table.data else "events"
    return StoppingRule(
        name=table.name("name"), counts=table.text("counts"), limit=table.number("limit") or 0.0,
        unit=cast("CountUnit", unit),
    )  # fmt: skip


def _implant_check(table: Table) -> ImplantCheck:
    day, earliest, latest = (table.integer(key, most=FARTHEST_DAY) for key in ("day", "earliest", "latest"))
    every = table.integer("every", most=FARTHEST_DAY) if "every" in table.data else 0
    kind = cast("FindingKind", table.word("kind", get_args(FindingKind)))
    check = ImplantCheck(table.name("name"), kind, day or 0, earliest or 0, latest or 0, every or 0)
    known = day is not None and earliest is not None and latest is not None
    begin, end = check.earliest, check.latest
    if known and not 0 <= begin <= check.day <= end:
        table.problem(Message("protocol.check_window", day=check.day, earliest=begin, latest=end))
    # Windows that overlap would let one finding be two checks.
    if check.every < 0 or 0 < check.every <= end - begin:
        table.problem(Message("protocol.check_every", earliest=begin, latest=end, got=check.every))
    return check


def _session_limit(table: Table) -> SessionLimit:
    return SessionLimit(name=table.name("name"), greatest=table.number("greatest") or 0.0, unit=table.name("unit"))


def _roles(table: Table | None) -> dict[str, tuple[str, ...]]:
    named = None if table is None else table.named()
    return {} if named is None else {key: named.names(key, allowed=ROLES) for key in named.data}


# ------------------------------------------------------------------------------------ across sections
def _check_names(protocol: Protocol, problems: Problems) -> None:
    """Within a section every name is one entry's alone."""
    named: dict[str, Iterable[str]] = {
        "arm": (one.name for one in protocol.arms),
        "criterion": (one.id for one in protocol.criteria),
        "visit": (one.name for one in protocol.visits),
        "form": (one.name for one in protocol.forms),
        "estimand": (one.name for one in protocol.estimands),
        "stopping_rule": (one.name for one in protocol.stopping_rules),
        "implant_check": (one.name for one in protocol.implant_checks),
        "session_limit": (one.name for one in protocol.session_limits),
    }
    for section, names in named.items():
        for again in repeated(tuple(names)):
            problems.add(f"[[{section}]] {told(again)}", Message("protocol.entry_twice"))


def _check_visits(protocol: Protocol, problems: Problems) -> None:
    """Every anchor leads to a day of the participant, and every form that a visit asks for is defined."""
    forms = {form.name for form in protocol.forms}
    anchor_of = {visit.name: visit.anchor for visit in protocol.visits if visit.name and visit.anchor}
    for visit in protocol.visits:
        where = f"[[visit]] {told(visit.name)}"
        if visit.name in ANCHORS:
            problems.add(where, Message("protocol.visit_is_anchor", allowed=ANCHORS))
        if visit.anchor and visit.anchor not in ANCHORS and visit.anchor not in anchor_of:
            problems.add(where, Message("protocol.anchor", got=told(visit.anchor), allowed=ANCHORS))
        for name in visit.forms:
            if name not in forms:
                problems.add(where, Message("protocol.unknown_form", got=told(name)))
    for circle in _circles(anchor_of):
        names = " → ".join([*map(told, circle[:5]), *(["…"] if len(circle) > 5 else []), told(circle[0])])
        problems.add(f"[[visit]] {told(circle[0])}", Message("protocol.circle", names=names, allowed=ANCHORS))


def _circles(anchor_of: Mapping[str, str]) -> list[list[str]]:
    """Visits that are anchored at each other, each circle once."""
    circles, seen = [], set(ANCHORS)
    for start in anchor_of:
        path: dict[str, None] = {}
        name = start
        while name in anchor_of and name not in seen:
            seen.add(name)
            path[name] = None
            name = anchor_of[name]
        if name in path:
            along = list(path)
            circles.append(along[along.index(name) :])
    return circles


def _check_randomisation(protocol: Protocol, problems: Problems) -> None:
    """The section is a design that a list can be drawn from; a protocol may do without one."""
    try:
        protocol.design()
    except BadValue as error:
        problems.add("[randomisation]", Message("allocation.section", why=messages.of(error)))


def _check_installed(
    protocol: Protocol, problems: Problems, measures: Collection[str] | None, procedures_of: ProceduresOf | None
) -> None:
    """Measures and systems that the protocol names are there; not asked of a protocol that comes from a record."""
    for form in protocol.forms:
        if measures is not None and form.measure and form.measure not in measures:
            got, known = told(form.measure), sorted(measures)
            problems.add(
                f"[[form]] {told(form.name)}", Message("protocol.unknown_measure", got=got, allowed=known)
            )
    if procedures_of is None:
        return
    offered = {
        one.system: _offered(procedures_of, one.system)
        for visit in protocol.visits
        for one in visit.sessions
        if one.system and one.procedure
    }
    for visit in protocol.visits:
        for n, one in enumerate(visit.sessions, start=1):
            known_here = offered.get(one.system, [one.procedure])
            where = f"[[visit]] {told(visit.name)}, sessions {n}"
            if isinstance(known_here, Message):
                problems.add(where, known_here)
            elif one.procedure and one.procedure not in known_here:
                problems.add(where, Message("protocol.procedure", got=one.procedure, allowed=list(known_here)))


def _offered(procedures_of: ProceduresOf, name: str) -> Collection[str] | Message:
    """Procedures of a system, or the sentence that there is none of that name."""
    try:
        return procedures_of(name)
    except UnknownName as error:
        return Message("protocol.unknown_system", why=messages.of(error))


# ------------------------------------------------------------------------------------ versions
def precedence(version: str) -> tuple[Any, ...]:
    """What sorts versions as semver.org 2.0.0, 11 orders them; ``version`` must match :data:`SEMVER`."""
    core, _, before = version.partition("+")[0].partition("-")
    parts = (
        tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in before.split(".")) if before else ()
    )
    return (*(int(one) for one in core.split(".")), not before, parts)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an amendment changes.

    Attributes
    ----------
    section : of the file, such as ``"visit"``.
    entry : name of its entry; ``""`` in a section that is one table.
    field : key in the entry, such as ``"latest"`` or ``"items 'grip' unit"``; ``""`` for the whole entry.
    kind : what happened to it.
    old, new : plain data; None where it was or is not stated.
    """

    section: str
    entry: str
    field: str
    kind: Literal["added", "removed", "changed", "reordered"]
    old: Any
    new: Any

    @property
    def moves_participants(self) -> bool:
        """Whether it changes what happens to participants: a visit, a form, an arm or a criterion."""
        return self.section in ("visit", "form", "arm", "criterion")

    @property
    def text(self) -> Message:
        """The change in words."""
        where = f"{self.section} {told(self.entry)}" if self.entry else self.section
        if self.field:
            where = f"{where}, {self.field}"
        if self.kind == "added":
            return Message("protocol.added", where=where)
        if self.kind == "removed":
            return Message("protocol.removed", where=where)
        if self.kind == "reordered":
            return Message("protocol.reordered", where=where)
        old, new = (Message("word.none") if value is None else told(value) for value in (self.old, self.new))
        return Message("protocol.changed", where=where, old=old, new=new)


def difference(old: Protocol, new: Protocol) -> tuple[Change, ...]:
    """What an amendment changes, in the order of the sections; empty exactly when the hashes are equal.

    Parameters
    ----------
    old, new : versions of one protocol. An entry whose name changes is one removed and one added.
    """
    before, after = old.definition(), new.definition()
    found: list[Change] = []
    for section in SECTIONS.values():
        empty: list[Any] | dict[str, Any] = {} if section in ONE_TABLE else []
        of = _of_fields if section in ONE_TABLE else _of_entries
        found += of(section, "", "", before.get(section, empty), after.get(section, empty))
    return tuple(found)


def _of_entries(section: str, entry: str, inside: str, old: list[Any], new: list[Any]) -> list[Change]:
    """Changes of a list of entries with names: those of the file, or of one entry."""
    before, after = ({_name(one): one for one in entries} for entries in (old, new))

    def place(name: str) -> tuple[str, str, str]:
        return (section, entry, f"{inside} {told(name)}") if inside else (section, name, "")

    found = [Change(*place(name), "removed", before[name], None) for name in before if name not in after]
    found += [Change(*place(name), "added", None, after[name]) for name in after if name not in before]
    kept = [name for name in before if name in after]
    if kept != (now := [name for name in after if name in before]):
        found.append(Change(section, entry, inside, "reordered", kept, now))
    for name in kept:
        found += _of_fields(*place(name), before[name], after[name])
    return found


def _of_fields(
    section: str, entry: str, inside: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Change]:
    """Changes of the keys of one table."""
    found: list[Change] = []
    for key in (*old, *(key for key in new if key not in old)):
        was, now = old.get(key), new.get(key)
        field_ = f"{inside} {key}".lstrip()
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += _of_fields(section, entry, field_, was, now)
        elif isinstance(was, list) and isinstance(now, list) and _has_names(was) and _has_names(now):
            found += _of_entries(section, entry, field_, was, now)
        # By their text: in Python 1 == 1.0 == True.
        elif (key in old) != (key in new) or chain.canonical(was) != chain.canonical(now):
            found.append(Change(section, entry, field_, "changed", was, now))
    return found


def _has_names(value: list[Any]) -> bool:
    each = all(isinstance(one, Mapping) and is_name(_name(one)) for one in value)
    return each and len({_name(one) for one in value}) == len(value)


def _name(entry: Mapping[str, Any]) -> Any:
    return entry.get("name", entry.get("id"))
