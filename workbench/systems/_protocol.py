"""A system in the place of a protocol: a study that follows it, its visits, and the draft of a protocol from
them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from workbench import control, outcomes, reading, world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study import Study
from workbench.study.forms import Form, Item
from workbench.study.nouns import check
from workbench.study.protocol import ProtocolVisit, SessionKind
from workbench.study.schedule import days_of
from workbench.systems._register import USUAL, load, provenance
from workbench.systems._system import System
from workbench.vocabulary import Participant, Visit

FILE = "system.json"
"""In the study folder: the system that a study follows, as :func:`provenance` gives it."""


WHAT = "the system of the study"
LARGEST = 4096
"""Of that file, bytes."""


def begin_study(
    system: System,
    folder: Path,
    *,
    code: str,
    title: str,
    actor: str,
    participant: Participant,
    first_visit: date,
    database: str = "",
) -> Study:
    """A new study record with one participant and the visits that the protocol plans, or one to begin with.

    Parameters
    ----------
    system : of the register.
    folder : new, or without a record.
    code, title : of the study.
    actor : who does it.
    participant : the first one.
    first_visit : day from which the days of the protocol are counted.
    database : URL of a PostgreSQL database for the record, ``""`` for a file in the folder.

    Raises
    ------
    RecordFault
        There is a record already, the database cannot be reached, or the folder cannot be written.
    BadValue
        A code, a title or a participant that the record does not take.
    """
    # Before the folder is made: a name that the record refuses leaves nothing behind.
    check("participant", {"pseudonym": participant.pseudonym})
    study = Study.create(folder, code=code, title=title, actor=actor, database=database)
    try:
        person = study.append(participant)
        if not system.visits:
            # Without a visit no session can begin: one on any day, where no protocol states any.
            study.append(Visit(person, "Visit 1", status="planned"))
        for visit in visits_of(system):
            # By the same arithmetic as the visits of a protocol: the days do not move when one is adopted.
            days = {name: str(day) for name, day in days_of(visit, first_visit)._asdict().items()}
            study.append(Visit(person, visit.name, status="planned", **days))
        world.disk.save(folder / FILE, json.dumps(provenance(system), indent=1).encode())
    except BaseException:
        study.close()
        raise
    return study


def system_of(folder: Path) -> tuple[System, str]:
    """The system that a study follows, and a sentence where its file has changed since; the usual one without.

    Raises
    ------
    BadValue
        When the file that names it cannot be read.
    UnknownName
        When no such system is installed.
    """
    path = folder / FILE
    if not reading.is_there(path, WHAT):
        return load(USUAL), ""
    stated = stated_in(path)
    system = load(stated["name"])
    now = provenance(system)
    if now == stated:
        return system, ""
    return system, Message("system.changed", system=system.name, was=_version(stated), now=_version(now))


def stated_in(path: Path) -> Mapping[str, Any]:
    """The system that a file names, as :func:`provenance` gave it. Raises BadValue for a file that names none."""
    stated = reading.parse_json(reading.read_text(path, WHAT, largest=LARGEST), FILE)
    if not isinstance(stated, dict) or not isinstance(stated.get("name"), str):
        raise BadValue(Message("system.file", file=reading.shown(path)))
    return stated


def _version(stated: Mapping[str, Any]) -> str:
    return f"{stated.get('distribution')} {stated.get('version')} ({str(stated.get('sha256'))[:8]})"


def visits_of(system: System) -> tuple[ProtocolVisit, ...]:
    """The visits of a system as those of a protocol, counted from the first session."""
    every = system.asked_forms
    sessions = tuple(SessionKind(system.name, procedure) for procedure in system.procedures)
    return tuple(
        ProtocolVisit(
            visit.name,
            "first_session",
            visit.day,
            visit.earliest,
            visit.latest,
            forms=visit.forms or every,
            sessions=sessions,
        )  # fmt: skip
        for visit in system.visits
    )


def draft(first: System, *then: System) -> dict[str, Any]:
    """What systems give to the definition of a protocol: visits, forms and sessions, endpoints, and the limits of
    the effectors; the rest is the site's.

    Parameters
    ----------
    first : of the register.
    *then : that one participant goes on to: each is a phase of the protocol, whose first visit opens when the
        window of the last one before it is over.
    """
    if not then:
        return _drafted(first)
    parts, begins = [], 0
    for n, system in enumerate((first, *then), start=1):
        if not system.visits:
            raise BadValue(Message("system.no_phase", system=system.name))
        if n > 1:
            begins -= min(visit.earliest for visit in system.visits)
        parts.append(_phase(_drafted(system), n, begins))
        begins += max(visit.latest for visit in system.visits)
    forms = {form["name"]: form for part in reversed(parts) for form in part["form"]}
    merged: dict[str, Any] = {"study": {"title": "; ".join(str(system.title) for system in (first, *then))}}
    for section in ("visit", "estimand", "session_limit"):
        if several := [one for part in parts for one in part.get(section, ())]:
            merged[section] = several
    return merged | {"form": list(forms.values())}


def _phase(drafted: Mapping[str, Any], n: int, begins: int) -> dict[str, Any]:
    """The draft of a system as a phase that begins some days after the first session; names are told apart."""
    days = ("day", "earliest", "latest")
    visits = [
        {**one, "name": f"Phase {n}, {one['name']}"} | {day: one[day] + begins for day in days}
        for one in drafted["visit"]
    ]
    estimands = [
        {**one, "name": f"phase_{n}_{one['name']}", "variable": f"Phase {n}. {one['variable']}"}
        for one in drafted.get("estimand", ())
    ]
    limits = [{**one, "name": f"{one['name']}_phase_{n}"} for one in drafted.get("session_limit", ())]
    return {**drafted, "visit": visits, "estimand": estimands, "session_limit": limits}


def _drafted(system: System) -> dict[str, Any]:
    visits = [
        {
            "name": visit.name, "anchor": visit.anchor, "day": visit.day, "earliest": visit.earliest,
            "latest": visit.latest, "forms": list(visit.forms),
            "sessions": [{"system": one.system, "procedure": one.procedure} for one in visit.sessions],
        }
        for visit in visits_of(system)
    ]  # fmt: skip
    forms = [_form(form) for form in forms_of(system)]
    given = {"study": {"title": str(system.title)}, "visit": visits, "form": forms}
    # Empty sections would be problems of their own.
    more = {"estimand": _estimands(system), "session_limit": _session_limits(system)}
    return {**given, **{name: section for name, section in more.items() if section}}


def forms_of(system: System) -> tuple[Form, ...]:
    """The forms that a system asks for: outcome measures of the register, then those of its own."""
    own = {form.name: form for form in system.own_forms}
    return tuple(
        own[name] if name in own else Form(name, outcomes.load(name).definition.title, measure=name)
        for name in system.asked_forms
    )


def _form(form: Form) -> dict[str, Any]:
    """A form as a protocol states it, without what equals its default; its texts are plain, as in a file."""
    about = {"name": form.name, "title": str(form.title), **({"state": form.state} if form.state else {})}
    if form.measure:
        return {**about, "measure": form.measure}
    return {**about, "items": [_item(item) for item in form.items]}


def _item(item: Item) -> dict[str, Any]:
    kept = {"unit": item.unit, "least": item.least, "greatest": item.greatest, "required": item.required}
    more = {key: value for key, value in kept.items() if value not in ("", None, False)}
    choices = {"choices": list(item.choices)} if item.choices else {}
    return {"name": item.name, "label": str(item.label), "kind": item.kind, **more, **choices}


def _estimands(system: System) -> list[dict[str, Any]]:
    """The endpoints of a system; population and events, and a summary that it does not state, are for the site."""
    if system.planned:
        # The primary one first, whatever the order of the file.
        ordered = sorted(system.planned, key=lambda one: one.role != "primary")
        return [
            {"name": one.name, "variable": str(one.variable)}
            | ({"summary": str(one.summary)} if one.summary else {})
            for one in ordered
        ]
    if not system.endpoints or not system.visits:
        return []
    name, first, last = system.endpoints[0], system.visits[0].name, system.visits[-1].name
    titles = {form.name: form.title for form in forms_of(system)}
    what = titles.get(name, f"{name} of the online runs")
    variable = f"{what}, at {first}" if first == last else f"Change of {what}, from {first} to {last}"
    return [{"name": "primary", "variable": variable}]


def _session_limits(system: System) -> list[dict[str, Any]]:
    """The limits of a system's effector, which those of a study may only narrow."""
    if system.effector is None:
        return []
    limits = system.limits or control.profile_limits(control.load(system.effector))
    return [
        {"name": "level_max", "greatest": limits.level_max, "unit": "of full level"},
        {"name": "hold_limit_s", "greatest": limits.hold_limit_s, "unit": "s"},
        {"name": "dose_s", "greatest": limits.dose_s, "unit": "s"},
    ]
