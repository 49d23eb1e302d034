"""Many processes write one record at once: a number that all of them count up, people, and slots of a list.

Each writer reads a form, adds one to its number, and saves it for the version that it read; whoever comes too late
is refused and reads again. After every few numbers it enters somebody under a pseudonym that it draws, and takes
them through enrolment and consent to the next slot of the list of randomisation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench import world
from workbench.errors import RecordFault
from workbench.stress.scenario import DAY, DEFINITION, gone
from workbench.study import Study, pseudonyms, verify
from workbench.study.applying import Change
from workbench.study.changes.consents import GiveConsent
from workbench.study.changes.entering import SaveForm
from workbench.study.changes.protocols import AdoptProtocol, AnswerCriterion, Enrol, SetStatus
from workbench.study.changes.randomising import MakeList, Randomise
from workbench.study.changes.visits import SetAnchor
from workbench.study.people import Signer
from workbench.vocabulary import Participant

WRITERS = 20
PERSON_EVERY = 5
"""Numbers after which a writer enters somebody."""
ARMS = ("one", "two")
RANDOMISED: dict[str, Any] = {
    **DEFINITION,
    "arm": [{"name": name, "title": name} for name in ARMS],
    "randomisation": {"kind": "blocks", "ratio": dict.fromkeys(ARMS, 1), "blocks": [2, 4], "slots": 600},
}
"""The protocol of the study: more slots than can be taken in a minute."""


@dataclass(frozen=True, slots=True)
class CrowdFigures:
    """What many writers did to one record.

    Attributes
    ----------
    writers, seconds : processes, and for how long.
    counted, overwritten : times the number was said to be stored, and how many of these it does not hold.
    late : attempts that were refused because somebody else had been faster.
    changes : of all kinds that were said to be stored; audit rows of the record tell ``entries`` of them.
    people, doubled : people entered, and pseudonyms that somebody has twice.
    slots, twice, gaps : slots taken, those that two people have, and numbers of a list that were passed over.
    missing : people or slots that were said to be stored and are not there.
    holds : the record verifies.
    """

    writers: int
    seconds: float
    counted: int
    overwritten: int
    late: int
    changes: int
    entries: int
    people: int
    doubled: int
    slots: int
    twice: int
    gaps: int
    missing: int
    holds: bool

    @property
    def passed(self) -> bool:
        """Nothing overwritten, doubled or lost, and the record verifies."""
        bad = (self.overwritten, self.doubled, self.twice, self.gaps, self.missing)
        return not any(bad) and self.holds and self.counted > 0

    def text(self) -> str:
        """The figures as text, one line each."""
        rate, n = f"{self.changes / self.seconds:.1f} a second", self.writers
        return "\n".join(
            [
                f"{n} writers, {self.seconds:.0f} s: {self.changes} changes ({rate}), {self.entries} entries",
                f"one number counted up {self.counted} times, {self.overwritten} overwritten; "
                f"{self.late} times somebody else was faster",
                f"{self.people} people, {self.doubled} pseudonyms twice; {self.slots} slots, {self.twice} twice, "
                f"{self.gaps} passed over; {self.missing} missing; the record "
                f"{'verifies' if self.holds else 'does NOT verify'}",
            ]
        )


def crowd(seconds: float, *, writers: int = WRITERS, database: str = "") -> CrowdFigures:
    """Let processes write one record for some seconds, and look what stands in it.

    Parameters
    ----------
    seconds : how long; however short, each of them gives one slot.
    writers : how many.
    database : URL of a PostgreSQL database that holds the record, ``""`` for a file.
    """
    with TemporaryDirectory(prefix="workbench-crowd-") as home:
        folder = Path(home) / "study"
        form = _begun(folder, database)
        with Study.open(folder, actor="stress") as study:
            first = study.head()[0]
        told, took_s = _written(folder, form, seconds, writers)
        figures = _looked_at(folder, form, told, first, seconds=took_s)
        gone(folder)
    return figures


def _begun(folder: Path, database: str) -> str:
    """A study with a protocol, a list, and somebody with the form that is counted up; id of the form."""
    made = Study.create(folder, code="CROWD", title="crowd", actor="stress", keyed=False, database=database)
    with made as study:
        signers = [study.script_signer(name).confirm() for name in ("one", "two")]
        study.apply(AdoptProtocol(RANDOMISED), signers)
        script = study.script_signer("stress")
        study.apply(MakeList(RANDOMISED["study"]["version"]), script, "before the first participant")
        person = study.append(Participant("SIM-0", simulated=True))
        study.apply(Enrol(person, "S-0"), script)
        study.apply(SetAnchor(person, "consent", DAY), script)
        visit = study.rows("visit", participant_id=person)[0]["id"]
        return study.apply(SaveForm(visit, "count", {"n": 0}), script)


def _written(folder: Path, form: str, seconds: float, writers: int) -> tuple[list[dict[str, Any]], float]:
    """What each writer says that it did, and how long all of them took together, s."""
    command = [sys.executable, "-m", "workbench.stress.crowd", str(folder), form]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(writers)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()  # It is ready: starting twenty takes longer than a short test.
    began = time.time()
    for child in children:
        assert child.stdin is not None
        child.stdin.write(f"{began + seconds}\n")
        child.stdin.flush()
    told = [json.loads(child.communicate()[0]) for child in children]
    return told, time.time() - began


def _looked_at(folder: Path, form: str, told: list[dict[str, Any]], first: int, *, seconds: float) -> CrowdFigures:
    with Study.open(folder, actor="stress") as study:
        value = study.get("form", form)["values"]["n"]
        people = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
        taken = [(row["list_id"], row["stratum"], row["seq"]) for row in study.rows("allocation")]
        allocated = {row["participant_id"] for row in study.rows("allocation")}
        entries = study.head()[0] - first
    strata = Counter(slot[:2] for slot in taken)
    highest = {place: max(seq for *where, seq in taken if tuple(where) == place) for place in strata}
    lowest = {place: min(seq for *where, seq in taken if tuple(where) == place) for place in strata}
    counted = sum(one["counted"] for one in told)
    said = [person for one in told for person in one["people"]]
    given = [person for one in told for person in one["slots"]]
    return CrowdFigures(
        writers=len(told), seconds=seconds, counted=counted, overwritten=counted - value,
        late=sum(one["late"] for one in told), changes=sum(one["changes"] for one in told), entries=entries,
        people=len(people), doubled=len(people) - len(set(people.values())), slots=len(taken),
        twice=len(taken) - len(set(taken)),
        gaps=sum(highest[place] - lowest[place] + 1 - n for place, n in strata.items()),
        missing=len(set(said) - people.keys()) + len(set(given) - allocated), holds=verify(folder).ok,
    )  # fmt: skip


# ------------------------------------------------------------------------------------ one writer
def write(folder: Path, form: str) -> dict[str, Any]:
    """Count up and enter people until the time is over and somebody has a slot; what was stored.

    Says on standard output that it is ready, and takes the time of the clock at which to end from standard input.

    Parameters
    ----------
    folder : of the study.
    form : id of the form that holds the number.
    """
    done: dict[str, Any] = {"counted": 0, "late": 0, "changes": 0, "people": [], "slots": []}
    with Study.open(folder, actor="stress") as study:
        script = study.script_signer(f"writer {os.getpid()}")
        os.write(1, b"ready\n")
        until = float(sys.stdin.readline())
        while time.time() < until or not done["slots"]:
            row = study.get("form", form)
            more = {"n": row["values"]["n"] + 1}
            try:
                saved = SaveForm(row["visit_id"], "count", more, row_version=row["row_version"])
                study.apply(saved, script, "one more")
            except RecordFault:
                done["late"] += 1
                continue
            done["counted"] += 1
            done["changes"] += 1
            if done["counted"] % PERSON_EVERY == 0:
                # Where the record is held for too long, what was stored until then counts.
                with suppress(RecordFault):
                    _enter(study, script, done)
    return done


def _enter(study: Study, script: Signer, done: dict[str, Any]) -> None:
    """Somebody new, from the pseudonym to the slot."""
    code = pseudonyms.new("", {row["pseudonym"] for row in study.rows("participant")}, world.chance)
    person = study.append(Participant(code, simulated=True))
    done["people"].append(person)
    done["changes"] += 1
    steps: list[Change] = [
        Enrol(person, f"S-{code}"), GiveConsent(person, ("participation",), "1", DAY),
        SetAnchor(person, "consent", DAY), AnswerCriterion(person, "I1", "yes", "it is a script"),
        SetStatus(person, "enrolled"), Randomise(person, {}),
    ]  # fmt: skip
    for change in steps:
        study.apply(change, script, "stress")
        done["changes"] += 1
    done["slots"].append(person)


if __name__ == "__main__":  # pragma: no cover - the processes that write at once
    os.write(1, f"{json.dumps(write(Path(sys.argv[1]), sys.argv[2]))}\n".encode())
