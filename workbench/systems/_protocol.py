"""A new study that follows a system: its record, the first participant, and the visits of the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study import Study
from workbench.study.nouns import check
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
        for planned in system.visits:
            study.append(
                Visit(
                    person,
                    planned.name,
                    planned=_day(first_visit, planned.day),
                    earliest=_day(first_visit, planned.earliest),
                    latest=_day(first_visit, planned.latest),
                    status="planned",
                )
            )
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


def _day(first: date, days: int) -> str:
    return (first + timedelta(days=days)).isoformat()
