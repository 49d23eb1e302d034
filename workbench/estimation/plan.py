"""The analysis plan: one TOML file, checked as a whole against a protocol, named by the hash of what it says.

It says how each estimand of the protocol is estimated. What it does not say has the default of the method; what it
says and nobody knows is refused, so that a misspelled key is never ignored.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from workbench import messages, outcomes, reading
from workbench.errors import BadValue, WorkbenchError
from workbench.estimation.looks import Looks
from workbench.estimation.looks import read as read_looks
from workbench.estimation.methods import METHODS, is_binary
from workbench.messages import Message
from workbench.outcomes import Threshold
from workbench.statistics.multiplicity import Graph
from workbench.study import chain
from workbench.study.datasets import EVENT_KINDS, POPULATIONS
from workbench.study.nouns import told
from workbench.study.protocol import LARGEST, LONG_KEY, Estimand, Protocol
from workbench.study.protocol_reading import Problems, Table, is_name, is_too_deep, repeated
from workbench.vocabulary import DeviationCategory

T = TypeVar("T")
Role = Literal["primary", "secondary", "sensitivity", "supplementary"]
Outcome = Literal["change", "value", "improvement"]
Side = Literal["trained", "left", "right", "none"]
Procedure = Literal["none", "fixed-sequence", "holm", "graph"]
Handling = Literal["treatment policy", "hypothetical", "composite", "while on treatment", "principal stratum"]
"""The strategies of ICH E9(R1) for an intercurrent event."""
HANDLINGS: tuple[Handling, ...] = get_args(Handling)
RULES = ("first", "last", "mean")
FACTORS = ("site", "ais", "injury_level", "trained_side")
"""What a model may adjust for beside the baseline and the factors of the randomisation."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an intercurrent event is in the record.

    Attributes
    ----------
    name : by which estimands and analyses call it.
    kind : of the events dataset.
    names : only events of these names; empty for all of the kind.
    """

    name: str
    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """How one estimand is estimated.

    Attributes
    ----------
    name, estimand, role : its own name, that of the estimand in the protocol, and what it is for.
    population, method, settings : of the analysis; settings hold the defaults of those that the plan leaves out.
    variable, outcome, side, state : what is compared: a variable of the visits dataset, its change or value.
    visits : in the model, in order; the estimate is at the last one.
    covariates : ``baseline``, ``site``, ``ais``, ``injury_level``, ``trained_side`` or ``stratum.FACTOR``.
    threshold : improvement from which somebody responds; None where nobody is judged or the plan names none.
    event : name of the event whose time is compared.
    strategies : handling by intercurrent event.
    conditions : of each arm, the condition at each visit, where these are compared and not arms.
    control : of the conditions, the one that the other is compared with.
    against : of two states, the one that ``state`` is compared with.
    baseline_state : state of the baseline of responders, where it is another one: the effect of a device, and no
        recovery; ``""`` for ``state`` itself.
    """

    name: str
    estimand: str
    role: Role
    population: str
    method: str
    variable: str
    outcome: Outcome
    side: Side
    state: str
    visits: tuple[str, ...]
    covariates: tuple[str, ...]
    threshold: Threshold | None
    event: str
    settings: Mapping[str, Any]
    strategies: Mapping[str, Handling]
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    control: str = ""
    against: str = ""
    baseline_state: str = ""

    @property
    def compared(self) -> tuple[str, ...]:
        """Conditions or states that are compared within people, the control first; empty where arms are."""
        if self.conditions:
            there = dict.fromkeys(one for own in self.conditions.values() for one in own)
            return (self.control, *(one for one in there if one != self.control))
        return (self.against, self.state) if self.against else ()

    @property
    def at(self) -> str:
        """The visit of the estimate; ``""`` of times."""
        return self.visits[-1] if self.visits else ""

    @property
    def binary(self) -> bool:
        """Whether responders are compared."""
        return is_binary(self.method, self.settings)


@dataclass(frozen=True, slots=True)
class Multiplicity:
    """How many hypotheses are tested at one level.

    Attributes
    ----------
    procedure : ``"fixed-sequence"`` tests in order until one is not rejected; ``"holm"`` steps down; ``"graph"``
        has weights and transitions of its own.
    alpha : two-sided, for all together.
    order : names of analyses.
    graph : of the analyses in that order; None where nothing is adjusted.
    """

    procedure: Procedure = "none"
    alpha: float = 0.05
    order: tuple[str, ...] = ()
    graph: Graph | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was checked against a protocol.

    Attributes
    ----------
    protocol : version whose estimands it names.
    reference : arm that the others are compared with.
    baseline, baseline_rule, major : as :class:`workbench.study.datasets.Settings` has them.
    level : of confidence.
    seed : of whatever is drawn.
    analyses, events, multiplicity, looks : sections of the file; looks are None where the trial is analysed once.
    definition : the file as plain JSON data.
    """

    protocol: str
    reference: str
    baseline: str
    baseline_rule: str
    major: tuple[str, ...]
    level: float
    seed: int
    analyses: tuple[Analysis, ...]
    events: tuple[Event, ...] = ()
    multiplicity: Multiplicity = Multiplicity()
    looks: Looks | None = None
    definition: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical text of the definition: comments and spacing do not change it."""
        return chain.sha256(chain.canonical(chain.clean(self.definition)))


# ------------------------------------------------------------------------------------ reading
def read(path: Path, protocol: Protocol) -> Plan:
    """The plan of a file.

    Parameters
    ----------
    path : of a TOML file.
    protocol : whose estimands it is about.

    Raises
    ------
    BadValue
        For a file that cannot be read or is no TOML; with everything that is wrong with it otherwise.
    """
    what = Message("estimation.file")
    return parse(reading.read_text(path, what, largest=LARGEST, signed=True), reading.shown(path), protocol)


def parse(text: str, where: str, protocol: Protocol) -> Plan:
    """The plan of the text of a file.

    Parameters
    ----------
    text : TOML.
    where : names the file in a sentence.
    protocol : whose estimands it is about.

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
    if is_too_deep(data):
        raise BadValue(Message("protocol.too_deep", where=where, most=reading.DEEPEST))
    problems = Problems(where)
    plan = _plan(Table(where, data, problems, is_root=True), protocol)
    problems.refuse()
    return plan


def _plan(root: Table, protocol: Protocol) -> Plan:
    head = root.table("plan") or Table("", {}, Problems(""))
    events = _each(root, "event", lambda table: _event(table))
    analyses = _each(root, "analysis", lambda table: _analysis(table, protocol, events))
    if not analyses:
        root.problem(Message("estimation.no_analysis"))
    multiplicity, looks = root.table("multiplicity", needed=False), root.table("looks", needed=False)
    plan = Plan(
        protocol=_one_of(head, "protocol", (protocol.about.version,)),
        reference=_one_of(head, "reference", tuple(arm.name for arm in protocol.arms)),
        baseline=_optional(head, "baseline", tuple(visit.name for visit in protocol.visits)),
        baseline_rule=_optional(head, "baseline_rule", RULES),
        major=head.names("major_deviations", needed=False, allowed=get_args(DeviationCategory)),
        level=_between(head, "level", 0.95), seed=_seed(head), analyses=analyses, events=events,
        multiplicity=_multiplicity(multiplicity, analyses), definition=dict(root.data),
        looks=None if looks is None else read_looks(looks, analyses, arms=len(protocol.arms)),
    )  # fmt: skip
    head.done()
    root.done()
    _check_names(root, plan)
    return plan


def _each(root: Table, key: str, made: Callable[[Table], T]) -> tuple[T, ...]:
    entries = []
    for table in root.tables(key):
        entries.append(made(table))
        table.done()
    return tuple(entries)


def _one_of(table: Table, key: str, allowed: tuple[str, ...]) -> str:
    return table.word(key, allowed)


def _optional(table: Table, key: str, allowed: tuple[str, ...], default: str = "") -> str:
    if table.data.get(key) is None:
        _ = table.name(key, needed=False)
        return default
    return table.word(key, allowed)


def _between(table: Table, key: str, default: float) -> float:
    value = table.number(key, needed=False)
    if value is None:
        return default
    if not 0 < value < 1:
        table.problem(Message("protocol.type", key=key, what=Message("estimation.kind_share"), got=told(value)))
    return value


def _seed(table: Table) -> int:
    if table.data.get("seed") is None:
        _ = table.number("seed", needed=False)
        return 1
    value = table.integer("seed", most=2**31 - 1)
    if value is not None and value < 0:
        table.problem(Message("protocol.kind_integer", least=0, most=2**31 - 1))
    return max(0, value or 0)


def _event(table: Table) -> Event:
    return Event(table.name("name"), table.word("kind", EVENT_KINDS), table.names("names", needed=False))


def _multiplicity(table: Table | None, analyses: tuple[Analysis, ...]) -> Multiplicity:
    if table is None:
        return Multiplicity()
    known = tuple(one.name for one in analyses)
    procedure = cast("Procedure", table.word("procedure", get_args(Procedure)))
    alpha, order = _between(table, "alpha", 0.05), table.names("order", needed=False, allowed=known)
    own = table.plain("graph")
    table.done()
    if procedure != "none" and not order:
        table.problem(Message("protocol.missing", key="order", what=Message("estimation.kind_order")))
    if procedure == "fixed-sequence":
        return Multiplicity(procedure, alpha, order, Graph.fixed_sequence(len(order)))
    if procedure == "holm" and order:
        return Multiplicity(procedure, alpha, order, Graph.holm(len(order)))
    return Multiplicity(procedure, alpha, order, _graph(table, own, len(order)) if procedure == "graph" else None)


def _graph(table: Table, given: Mapping[str, Any], n: int) -> Graph | None:
    """Weights and transitions as they stand there; what is no graph of the analyses is noted."""
    wrong: Message | str = Message("statistics.graph", n=n)
    try:
        if set(given) == {"weights", "transitions"}:
            weights = tuple(float(one) for one in given["weights"])
            rows = tuple(tuple(float(one) for one in row) for row in given["transitions"])
            if len(weights) == n:
                return Graph(weights, rows)
    except WorkbenchError as error:
        wrong = messages.of(error)
    except (TypeError, ValueError):
        pass
    table.problem(Message("estimation.graph", why=wrong))
    return None


# ------------------------------------------------------------------------------------ one analysis
def _analysis(table: Table, protocol: Protocol, events: tuple[Event, ...]) -> Analysis:
    estimands = {one.name: one for one in protocol.estimands}
    estimand = estimands.get(table.word("estimand", tuple(estimands)))
    method = table.word("method", tuple(METHODS))
    settings = _settings(table, method)
    within = METHODS[method].within if method in METHODS else ""
    made = Analysis(
        name=table.code("name"), estimand=estimand.name if estimand else "",
        role=cast("Role", _optional(table, "role", get_args(Role), "secondary")),
        population=_optional(table, "population", POPULATIONS, "itt"), method=method,
        variable=table.name("variable", needed=_has_values(method)),
        outcome=cast("Outcome", _optional(table, "outcome", get_args(Outcome), "value" if within else "change")),
        side=cast("Side", _optional(table, "side", get_args(Side), "trained")),
        state=table.name("state", needed=False) or "off",
        visits=table.names(
            "visits", needed=_has_values(method), allowed=tuple(visit.name for visit in protocol.visits)
        ),
        covariates=table.names("covariates", needed=False), threshold=_threshold(table),
        event=table.name("event", needed=method == "time_to_event"), settings=settings,
        strategies=_strategies(table, estimand), conditions=_conditions(table),
        control=table.name("control", needed=within == "conditions"),
        against=table.name("against", needed=within == "states"),
        baseline_state=table.name("baseline_state", needed=False),
    )  # fmt: skip
    if method:
        _check(table, made, protocol, events)
        _check_within(table, made, protocol)
    return made


def _conditions(table: Table) -> dict[str, tuple[str, ...]]:
    """The condition at each visit by arm; one may come several times."""
    given = table.plain("conditions")
    rows = {key: value for key, value in given.items() if isinstance(value, list) and all(map(is_name, value))}
    if len(rows) < len(given):
        table.problem(Message("protocol.type", key="conditions", what=Message("estimation.kind_conditions"),
                              got=told(dict(given))))  # fmt: skip
    return {chain.clean_text(key): tuple(map(chain.clean_text, value)) for key, value in rows.items()}


def _check_within(table: Table, made: Analysis, protocol: Protocol) -> None:
    """What a method compares in place of arms is there, and fits arms and visits; elsewhere nothing of it is."""
    within, arms = METHODS[made.method].within, [arm.name for arm in protocol.arms]
    if within != "conditions" and (made.conditions or made.control):
        table.problem(Message("estimation.no_conditions", method=made.method))
    if within != "states" and made.against:
        table.problem(Message("estimation.no_against", method=made.method))
    if within == "states" and made.against == made.state:
        table.problem(Message("estimation.same_state", state=told(made.state)))
    if within == "conditions":
        there = {one for own in made.conditions.values() for one in own}
        lengths = {len(own) for own in made.conditions.values()}
        fits = sorted(made.conditions) == sorted(arms) and lengths == {len(made.visits)}
        if not fits or len(there) != 2 or made.control not in there:
            got = told({key: list(own) for key, own in made.conditions.items()})
            table.problem(Message("estimation.conditions", arms=arms, n=len(made.visits), got=got))


def _has_values(method: str) -> bool:
    return method in METHODS and METHODS[method].kind != "time"


def _settings(table: Table, method: str) -> dict[str, Any]:
    given = table.plain("settings")
    known = METHODS[method].settings if method in METHODS else {}
    found = {name: one.default for name, one in known.items()}
    for key, value in given.items():
        if key not in known:
            allowed = list(known) or [Message("word.none")]
            table.problem(Message("estimation.setting", key=told(key), method=method, allowed=allowed))
        elif not known[key].fits(value):
            table.problem(Message("protocol.type", key=key, what=_what(known[key]), got=told(value)))
        else:
            found[key] = tuple(value) if isinstance(value, list) else value
    return found


def _what(setting: Any) -> Message:
    if setting.allowed:
        return Message("protocol.kind_word", allowed=setting.allowed)
    if setting.numbers:
        return Message("estimation.kind_numbers")
    if isinstance(setting.default, bool):
        return Message("protocol.kind_flag")
    return Message("protocol.kind_integer", least=setting.least, most=setting.most)


def _threshold(table: Table) -> Threshold | None:
    """A row of the table of thresholds by its name, or the protocol's own with its source."""
    if table.data.get("threshold") is None:
        _ = table.table("threshold", needed=False)
        return None
    inner = table.table("threshold")
    if inner is None:
        return None
    try:
        if "row" in inner.data:
            found = outcomes.threshold(inner.name("row"))
        else:
            measure, _, part = str(table.data.get("variable", "")).partition(".")
            found = outcomes.own_threshold(
                measure, part, inner.number("value") or 0.0, unit=inner.name("unit"),
                version=inner.name("version"), citation=inner.name("source"),
            )  # fmt: skip
    except WorkbenchError as error:
        inner.problem(Message("estimation.threshold", why=str(error)))
        found = None
    inner.done()
    return found


def _strategies(table: Table, estimand: Estimand | None) -> dict[str, Handling]:
    """Those of the estimand; in a sensitivity analysis the plan may put others in their place."""
    inner = table.table("intercurrent_events", needed=False)
    named = inner.named() if inner is not None else None
    own = {} if named is None else {key: named.word(key, HANDLINGS) for key in named.data}
    found: dict[str, Handling] = {}
    for event, text in (estimand.intercurrent_events if estimand else {}).items():
        handling = own.pop(event, "") or " ".join(text.casefold().split())
        if handling not in HANDLINGS:
            table.problem(Message("estimation.strategy", event=told(event), got=told(text), allowed=HANDLINGS))
        else:
            found[event] = handling
    for event in own:
        table.problem(Message("estimation.no_event", event=told(event)))
    return found


def _check(table: Table, made: Analysis, protocol: Protocol, events: tuple[Event, ...]) -> None:
    method = METHODS[made.method]
    known = {one.name for one in events}
    for name in (*made.strategies, *([made.event] if made.event else [])):
        if name not in known:
            table.problem(Message("estimation.event", event=told(name), kinds=EVENT_KINDS))
    if method.repeated and not method.one_visit and len(made.visits) < 2:
        table.problem(Message("estimation.visits", method=made.method, got=len(made.visits)))
    if made.covariates and not method.covariates:
        table.problem(Message("estimation.covariates", method=made.method))
    factors = tuple(f"stratum.{name}" for name in protocol.randomisation.get("strata", {}))
    allowed = (*(() if method.strata else ("baseline",)), *FACTORS, *factors)
    for name in made.covariates:
        if name not in allowed:
            table.problem(Message("estimation.covariate", got=told(name), allowed=allowed))
    if (made.threshold is not None or made.baseline_state) and not made.binary:
        table.problem(Message("estimation.no_responders", method=made.method))


def _check_names(root: Table, plan: Plan) -> None:
    for section, names in (("analysis", plan.analyses), ("event", plan.events)):
        for again in repeated(tuple(one.name for one in names)):
            root.problem(Message("protocol.twice", key=section, got=told(again)))


# ------------------------------------------------------------------------------------ a first draft
MEANS, RESPONDERS = re.compile(r"\bmeans?\b", re.IGNORECASE), re.compile(r"proportion|respon|rate", re.IGNORECASE)
GUESSES = {"explanted": ("remov", "explant"), "left": ("left", "withdr", "discontinu", "lost")}
"""Words of an intercurrent event by which a draft finds its kind; whoever finalises the plan looks at it."""


def draft(protocol: Protocol) -> str:
    """A plan to begin with, as the text of a file, made from the estimands of a protocol.

    Measure and visits are those whose names stand in the text of the variable. A threshold, and an event that no
    word tells, are left for people to say: until they are, what needs them is refused.

    Parameters
    ----------
    protocol : with its estimands.

    Raises
    ------
    BadValue
        For a protocol without an estimand.
    """
    if not protocol.estimands:
        raise BadValue(Message("estimation.no_estimand"))
    version, arms = protocol.about.version, protocol.arms
    lines = [
        f"# Drafted from the estimands of protocol {version}: check every line.", "[plan]",
        f"protocol = {_quoted(version)}", f"reference = {_quoted(arms[0].name)}", "level = 0.95", "seed = 1",
    ]  # fmt: skip
    events = dict.fromkeys(name for one in protocol.estimands for name in one.intercurrent_events)
    for name in events:
        kind = next((kind for kind, parts in GUESSES.items() if any(p in name.casefold() for p in parts)), "")
        lines += ["", "[[event]]", f"name = {_quoted(name)}", f"kind = {_quoted(kind)}"]
    for number, estimand in enumerate(protocol.estimands):
        lines += ["", *_drafted(protocol, estimand, number)]
    order = ", ".join(_quoted(_code(one.name)) for one in protocol.estimands)
    lines += ["", "[multiplicity]", 'procedure = "fixed-sequence"', "alpha = 0.05", f"order = [{order}]"]
    return "\n".join(lines) + "\n"


def _drafted(protocol: Protocol, estimand: Estimand, number: int) -> list[str]:
    measure = _measure_in(protocol, estimand)
    responders = bool(RESPONDERS.search(estimand.summary)) and not MEANS.search(estimand.summary)
    model = _visits_in(protocol, estimand, measure)
    # Of one arm responders are counted and not compared.
    judged = "responders" if len(protocol.arms) > 1 else "response_rate"
    method = judged if responders else "mmrm" if len(model) > 1 else "ancova"
    strata = [f"stratum.{name}" for name in protocol.randomisation.get("strata", {})]
    covariates = (strata if METHODS[method].covariates else []) if responders else ["baseline", *strata]
    return [
        "[[analysis]]", f"name = {_quoted(_code(estimand.name))}", f"estimand = {_quoted(estimand.name)}",
        f"role = {_quoted('secondary' if number else 'primary')}", 'population = "itt"',
        f"method = {_quoted(method)}", f"variable = {_quoted(f'{measure}.total')}",
        f"side = {_quoted('trained' if _is_sided(measure) else 'none')}",
        f"visits = [{', '.join(map(_quoted, model if method == 'mmrm' else model[-1:]))}]",
        f"covariates = [{', '.join(map(_quoted, covariates))}]",
        *(_helped(protocol, estimand, measure) if responders else []),
        *(["# threshold = { value = …, unit = …, version = …, source = … }"] if responders else []),
    ]  # fmt: skip


def _helped(protocol: Protocol, estimand: Estimand, measure: str) -> list[str]:
    """State of the visit and of the baseline, where a form has the measure with the device that the text names."""
    states = [form.state for form in protocol.forms if form.measure == measure and "device" in form.state]
    if not states or "with the device" not in estimand.variable.casefold():
        return []
    return [f"state = {_quoted(states[0])}", 'baseline_state = "off"']


def _measure_in(protocol: Protocol, estimand: Estimand) -> str:
    """The first form whose name stands in the text of the variable, else the first of all."""
    measures = [form.measure or form.name for form in protocol.forms]
    text = estimand.variable.casefold()
    return next((one for one in measures if one.casefold() in text), measures[0] if measures else "")


def _visits_in(protocol: Protocol, estimand: Estimand, measure: str) -> list[str]:
    """Visits after the baseline that ask for a measure, up to the last one that the text names."""
    asked = [visit.name for visit in protocol.visits if _asks(protocol, visit.forms, measure)]
    later = [name for name in asked if name.casefold() != "baseline"]
    named = [name for name in later if name.casefold() in estimand.variable.casefold()]
    return later[: later.index(named[-1]) + 1] if named else later


def _asks(protocol: Protocol, forms: tuple[str, ...], measure: str) -> bool:
    return any(measure in (form.name, form.measure) for form in protocol.forms if form.name in forms)


def _is_sided(measure: str) -> bool:
    return measure in outcomes.available() and "" not in outcomes.load(measure).definition.sides


def _code(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:64] or "analysis"


def _quoted(text: str) -> str:
    # A string of JSON is a basic string of TOML, but for the delete character, which no name holds.
    return json.dumps(text, ensure_ascii=False)
