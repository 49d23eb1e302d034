"""Visits of a system's own protocol in a demonstration, in time-lapse: planned dates, forms, what came of them.

No month is waited for: visits have the dates that the protocol plans from today, and the values of their forms are
made up, as their rater says. They show what a study of the system holds, and nothing about its effect. What a
recorded run gives, its form takes from the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from workbench import outcomes
from workbench.outcomes import OutcomeMeasure
from workbench.recording import RunFile
from workbench.study import Signer, Study, utc_now
from workbench.study.changes import AdoptProtocol, Enrol, SaveForm, SetAnchor
from workbench.study.forms import HELP, OFF, Form, Item, state_of
from workbench.study.protocol import Protocol
from workbench.study.schedule import days_of
from workbench.systems import System, draft
from workbench.systems._protocol import visits_of
from workbench.vocabulary import Assessment, Condition, Visit

RATER = "demo rater (made-up values)"
MADE_UP = "Made up for a demonstration"
FIRST, STEP, ON, HELPED = 0.35, 0.1, 0.05, 0.2
"""Where on its scale a made-up value lies at the first visit, how much better it is each visit, with stimulation,
and with a device that helps."""
BY_PARTS = frozenset(("isncsci",))
"""Measures whose total is not reported."""
MOST: Mapping[str, float] = {"grip": 100.0, "pinch": 40.0, "6mwt": 400.0}
"""Where the made-up values of a measure end, whose scale is longer."""
SAID: Mapping[str, str] = {"off": "", "device+stimulation": ", stimulation on", "assisted+device": ", assisted"}
"""A state in which something was assessed, in words."""
SPAN = 20.0
"""Of a number that a form allows to be large, the made-up ones lie in so much of it."""
TIMES_S: Mapping[str, float] = {"10mwt": 40.0, "tug": 60.0}
"""Measures of a time: that of the first visit, s; it falls by a fifth a step."""
UNITS: Mapping[str, Mapping[str, str]] = {"grip": {"unit": "N"}, "pinch": {"unit": "N"}}
PAIRED = frozenset(("10mwt", "6mwt"))
"""Measures that are taken with stimulation off and on."""


def lapses(system: System) -> bool:
    """Whether a demonstration has the visits of its protocol: a complete one, or of what stimulates."""
    return bool(system.visits) and (bool(system.planned) or system.stimulation is not None)


def plan_visits(study: Study, system: System, participant: str, script: Signer) -> dict[str, str]:
    """Plan the visits of a protocol from today on; name → id, in order.

    Parameters
    ----------
    study : open record. system : with visits. participant : id.
    script : adopts the draft of the system, with a site's part made up, where the study has no protocol yet.
    """
    if not study.rows("protocol_version") and all(row["simulated"] for row in study.rows("participant")):
        both = [study.script_signer(f"{script.name} {n}").confirm() for n in (1, 2)]
        study.apply(AdoptProtocol(_completed(system, study.code)), both, "demonstration")
    if _plans(study, system):
        number = len(study.rows("enrolment")) + 1
        study.apply(Enrol(participant, f"S-{number}"), script)
        study.apply(SetAnchor(participant, "first_session", str(date.today())), script)
        rows = {row["name"]: str(row["id"]) for row in study.rows("visit", participant_id=participant)}
        return {visit.name: rows[visit.name] for visit in visits_of(system)}
    found = {}
    for visit in visits_of(system):
        days = {name: str(day) for name, day in days_of(visit, date.today())._asdict().items()}
        found[visit.name] = study.append(Visit(participant, visit.name, status="planned", **days))
    return found


def _completed(system: System, code: str) -> dict[str, Any]:
    """The draft of a system with what a site decides, made up and said to be."""
    drafted = draft(system)
    decided = {"population": MADE_UP, "intercurrent_events": {"withdrawal": "treatment policy"}}
    about = {"code": code, "version": "1.0.0", "sponsor": MADE_UP, "jurisdictions": ["CN"],
             "effective_from": str(date.today())}  # fmt: skip
    return {
        **drafted,
        "study": {**drafted["study"], **about},
        "arm": [{"name": "one", "title": "One arm"}],
        "consent": {
            "purposes": {"required": ["participation"], "optional": []},
            "document_version": "1",
            "document_sha256": "0" * 64,
        },
        "estimand": [{"summary": MADE_UP, **one, **decided} for one in drafted["estimand"]],
    }


def _plans(study: Study, system: System) -> bool:
    """Whether the newest protocol of the study has the visits of this system."""
    versions = study.rows("protocol_version")
    if not versions:
        return False
    protocol = Protocol.from_definition(versions[-1]["definition"])
    planned = {visit.name for visit in protocol.visits for one in visit.sessions if one.system == system.name}
    return planned == {visit.name for visit in system.visits}


def enter(study: Study, system: System, visit: str, run: RunFile, script: Signer) -> None:
    """Enter what a recorded run gives into forms of the protocol, which name the run.

    Parameters
    ----------
    study, system : as above. visit : id. run : recorded at it. script : who enters.
    """
    if system.entries is None or not _plans(study, system):
        return
    for instance, (form, values) in enumerate(system.entries(run), start=1):
        study.apply(SaveForm(visit, form, values, instance=instance), script, "computed from the recording")


def live_visit(visits: Mapping[str, str]) -> str:
    """Id of the visit in which the session is lived: the first after the baseline, where there is one."""
    ids = list(visits.values())
    return ids[min(1, len(ids) - 1)]


def assess(study: Study, system: System, visits: Mapping[str, str], script: Signer) -> None:
    """Enter the forms of every visit with made-up values.

    Parameters
    ----------
    study, system : as above. visits : name → id, by :func:`plan_visits`. script : who enters.
    """
    by_name = {visit.name: visit for visit in visits_of(system)}
    own = {form.name: form for form in system.own_forms}
    for number, (name, visit) in enumerate(visits.items()):
        for form in by_name[name].forms:
            if form in own:
                _fill(study, system, visit, own[form], number, script)
                continue
            pair = form in PAIRED and system.stimulation is not None
            for on in (False, True) if pair else (False,):
                state = Condition(assisted=False, device_on=on, stimulation_on=on)
                study.append(_assessment(visit, outcomes.load(form), FIRST + STEP * number + ON * on, state))


def _fill(study: Study, system: System, visit: str, form: Form, number: int, script: Signer) -> None:
    """A form of the system's own, unless its values come from a recording alone."""
    share = FIRST + STEP * number
    if form.measure:
        state = Condition(**{field: word in form.state.split("+") for word, field in HELP.items()})
        study.append(_assessment(visit, outcomes.load(form.measure), share + HELPED, state))
    elif system.entries is None and _plans(study, system) and _figure_of(form):
        study.apply(SaveForm(visit, form.name, _values(form, share)), script, MADE_UP)


def _figure_of(form: Form) -> Item | None:
    """The first number that a form needs; a form without one holds what a recording gives."""
    return next((one for one in form.items if one.required and one.kind in ("integer", "number")), None)


def _values(form: Form, share: float) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in form.items:
        if item.choices and item.required:
            values[item.name] = item.choices[0]
        elif item.kind in ("integer", "number") and item.required:
            least = item.least or 0.0
            # What has no upper end, such as a number of faults, stays at its lowest.
            span = 0.0 if item.greatest is None else min(SPAN, item.greatest - least)
            values[item.name] = round(least + share * span)
    return values


def _assessment(visit: str, measure: OutcomeMeasure, share: float, state: Condition) -> Assessment:
    definition, options = measure.definition, dict(UNITS.get(measure.definition.name, {}))
    items = _items(measure, share)
    score = measure.score(items, **options)
    return Assessment(
        visit_id=visit,
        measure=definition.name,
        version=definition.version,
        condition=state,
        items=items,
        score=score.to_json(),
        options=options,
        rater=RATER,
        blinded="no",
        administered_at=utc_now(),
    )


def _items(measure: OutcomeMeasure, share: float) -> dict[str, Any]:
    """A value of each item so far up its scale, 0–1."""
    definition = measure.definition
    if definition.name in TIMES_S:
        seconds = round(TIMES_S[definition.name] * (1.0 - 2.0 * (share - FIRST)), 1)
        return dict.fromkeys((item.code for item in definition.items), seconds)
    up = share if definition.direction != "down" else 1.0 - share
    items: dict[str, Any] = {}
    for item in definition.items:
        numbers = tuple(value for value in item.allowed if not isinstance(value, str))
        choices = numbers or item.allowed
        items[item.code] = (
            choices[round(up * (len(choices) - 1))]
            if choices
            else round(item.low + up * (min(item.high, MOST.get(definition.name, item.high)) - item.low))
        )
    return items


def lines(study: Study, system: System, visits: Mapping[str, str]) -> Iterator[str]:
    """What came of the forms that planned endpoints rest on, visit after visit, and of which endpoints.

    Parameters
    ----------
    study, system, visits : as above.
    """
    yield from _of_measures(study, system, visits)
    if system.entries is None:
        yield from _of_own_forms(study, system, visits)


def _of_measures(study: Study, system: System, visits: Mapping[str, str]) -> Iterator[str]:
    by_state: dict[tuple[str, str], list[Assessment]] = {}
    for one in study.nouns("assessment"):
        if isinstance(one, Assessment):
            by_state.setdefault((one.measure, state_of(asdict(one.condition))), []).append(one)
    named, asked = [one.name for one in system.planned], system.asked_forms
    for form, state in sorted(by_state, key=lambda key: (asked.index(key[0]), key[1] != OFF, key[1])):
        mine = by_state[form, state]
        rest_on, told = _rest_on(system, form), _told(outcomes.load(form), mine, visits, first=named)
        if told and rest_on:
            yield f"Endpoint   {rest_on}: {form}{SAID.get(state, f', {state}')}, {told} (made-up values)"


def _of_own_forms(study: Study, system: System, visits: Mapping[str, str]) -> Iterator[str]:
    for own in system.own_forms:
        figure, rest_on = _figure_of(own), _rest_on(system, own.name)
        rows = {row["visit_id"]: row["values"] for row in study.rows("form", name=own.name)}
        values = [str(rows[visit][figure.name]) for visit in visits.values() if figure and visit in rows]
        if figure and values and rest_on:
            course = " → ".join(values)
            yield f"Endpoint   {rest_on}: {own.name}, {figure.name} {course} (made-up values)"


def _rest_on(system: System, form: str) -> str:
    """Endpoints that rest on a form, by their names."""
    planned = [one.name for one in system.planned if form in one.measured_by]
    return ", ".join(planned or ([form] if not system.planned and form in system.endpoints else []))


def _told(
    measure: OutcomeMeasure, mine: list[Assessment], visits: Mapping[str, str], *, first: Sequence[str]
) -> str:
    """``preferred_speed 0.25 → 0.31 → 0.42``: one part of a score that has a value, visit after visit."""
    whole: set[str] = set() if measure.definition.name in BY_PARTS else {"total"}
    by_visit = {
        one.visit_id: one.score["subscores"] | {name: one.score[name] or {} for name in whole} for one in mine
    }
    rows = [by_visit[visit] for visit in visits.values() if visit in by_visit]
    # A part that an endpoint is named after; else the total; else, of a speed with its time and another pace, the
    # usual one, which the definition names first.
    every = [*whole, *(part.code for part in measure.definition.subscales)]
    codes = sorted(every, key=lambda code: code not in first)
    parts = [code for code in codes if rows and all(row.get(code, {}).get("value") is not None for row in rows)]
    if not parts:
        return ""
    return f"{parts[0]} " + " → ".join(f"{row[parts[0]]['value']:.3g}" for row in rows)
