"""What a life of a trial begins with: a study with its protocol, its people, and the list of its randomisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.study import Study, people
from workbench.study.applying import Change
from workbench.study.changes import AdoptProtocol, GrantRole, MakeList, RevokeRole
from workbench.study.people import Confirmation, Signer
from workbench.vocabulary import Participant

SECRET = "correct horse"
"""Everybody's password."""
ARMS = ("arm-kingfisher", "arm-sandpiper")
"""Names that stand nowhere else, so that a text which holds one tells an arm."""
PURPOSES = ("participation", "neural_data_use", "data_sharing", "decoder_training", "upload")
SIDES = ("left", "right")
BEGUN = ("S-000A", "S-000B")
"""Participants with whom a trial begins."""
VERSIONS = ("1.0.0", "1.1.0", "2.0.0")
"""Of the protocol; each later one asks for the consent of its document, and the last has another design."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the clinic.

    Attributes
    ----------
    login, name : as in the record.
    role : what the person is there for.
    blinded : whether the person must learn no arm; None where no grant says so, as of the first people of a study.
    """

    login: str
    name: str
    role: str
    blinded: bool | None

    def signer(self, study: Study) -> Signer:
        """The person, signed in."""
        (row,) = study.rows("person", login=self.login)
        return Signer(
            study.folder, self.name, "password", login=self.login, person_id=row["id"], roles=tuple(row["roles"])
        )

    def confirmed(self, study: Study) -> Confirmation:
        """A fresh confirmation of the person, whose password takes longer to check than a life has time."""
        return Confirmation(self.signer(study))


STAFF = (
    Person("okafor", "Dr Okafor A.", "investigator", None),
    Person("he", "He D.", "data_manager", None),
    Person("silva", "Dr Silva M.", "investigator", blinded=True),
    Person("lin", "Lin Q.", "coordinator", blinded=True),
    Person("diaz", "Diaz R.", "coordinator", blinded=True),
    Person("wu", "Wu R.", "assessor", blinded=True),
    Person("ito", "Ito S.", "assessor", blinded=True),
    Person("sato", "Sato K.", "statistician", blinded=False),
    Person("park", "Dr Park J.", "safety_officer", blinded=False),
    Person("meyer", "Meyer T.", "monitor", blinded=True),
)
BY_ROLE = {person.role: person for person in reversed(STAFF)}
"""The first of each role."""
FIRST_ROLE = "operator"
"""Of who waits for a grant: nobody is in a study without a role."""


FORMS: list[dict[str, Any]] = [
    {"name": "vitals", "title": "Vital signs", "items": [
        {
            "name": "systolic", "label": "Blood pressure", "kind": "integer", "unit": "mmHg", "least": 40,
            "greatest": 300, "required": True, "in_range_query": {"low": 90, "high": 150},
        },
        {"name": "state", "label": "State", "kind": "choice", "choices": ["well", "unwell"]},
    ]},
    {"name": "grip", "title": "Grip", "double_entry": True, "items": [
        {"name": name, "label": name, "kind": "integer", "least": 0, "greatest": 9, "required": True}
        for name in ("thumb", "finger")
    ]},
]  # fmt: skip
"""Of the protocol; the second is entered by two people."""


def definition(version: str) -> dict[str, Any]:
    """A version of the protocol: two arms, consent by purpose, five visits, forms, a list of few slots.

    Parameters
    ----------
    version : of :data:`VERSIONS`.
    """
    number = VERSIONS.index(version)
    return {
        "study": {
            "code": "SIM", "title": "simulated trial", "version": version, "sponsor": "nobody",
            "jurisdictions": ["CN", "EU"], "effective_from": "2026-01-01",
        },
        "arm": [{"name": name, "title": f"Arm {number}"} for number, name in enumerate(ARMS)],
        "randomisation": {
            "kind": "blocks", "ratio": dict.fromkeys(ARMS, 1), "blocks": [2] if number == 2 else [2, 4],
            "strata": {"side": list(SIDES)}, "slots": 4 if number == 2 else 6,
        },
        "criterion": [
            {"id": "I1", "text": "Tetraplegia.", "kind": "inclusion", "origin": "trial"},
            {"id": "E1", "text": "An open wound.", "kind": "exclusion", "origin": "label"},
        ],
        "consent": {
            "purposes": {"required": list(PURPOSES[:2]), "optional": list(PURPOSES[2:])},
            "document_version": f"{number + 1}", "document_sha256": "0" * 64,
        },
        "visit": _visits(number), "form": FORMS,
        "stopping_rule": [
            {"name": "infections", "counts": "Infections", "limit": 2, "unit": "participants"},
        ],
        "implant_check": [
            {"name": "Impedance", "kind": "impedance", "day": 1, "earliest": 0, "latest": 2, "every": 3 + number},
            {"name": "Wound", "kind": "wound", "day": 4, "earliest": 2, "latest": 5},
        ],
    }  # fmt: skip


def _visits(number: int) -> list[dict[str, Any]]:
    return [
        {"name": "Screening", "anchor": "consent", "day": 0, "earliest": 0, "latest": 5, "forms": ["vitals"]},
        {
            "name": "Baseline", "anchor": "Screening", "day": 3, "earliest": 1, "latest": 6,
            "forms": ["grip", "vitals"],
        },
        {
            "name": "Wound check", "anchor": "implant", "day": 4, "earliest": 3, "latest": 6,
            "forms": ["vitals"],
        },
        {
            "name": "Training", "anchor": "randomisation", "day": 0, "earliest": 0, "latest": 10,
            "repeats": True, "forms": ["vitals"],
        },
        {
            "name": "Last", "anchor": "randomisation", "day": 8 + number, "earliest": 6, "latest": 10,
            "forms": ["grip"],
        },
    ]  # fmt: skip


def found(study: Study) -> None:
    """Enter the people, the first version of the protocol and its list into a new study.

    Parameters
    ----------
    study : the open record, without people.
    """
    _enter_people(study)
    doctor, manager, statistician = (BY_ROLE[role] for role in ("investigator", "data_manager", "statistician"))
    adopted = AdoptProtocol(definition(VERSIONS[0]))
    study.apply(adopted, [one.confirmed(study) for one in (doctor, manager)], "the study begins")
    for person in STAFF:
        if person.blinded is not None:
            who = person.signer(study).person_id
            made: tuple[Change, ...] = (
                GrantRole(who, person.role, "training 2026-01", blinded=person.blinded),
                RevokeRole(who, FIRST_ROLE),
            )
            for change in made:
                study.apply(change, manager.signer(study), "the study begins")
    for pseudonym in BEGUN:
        study.append(Participant(pseudonym))
    study.apply(MakeList(VERSIONS[0]), statistician.signer(study), "the study begins")


def _enter_people(study: Study) -> None:
    """Everybody with one hash of the common password: one for each takes as long as many lives."""
    password = people.hashed(SECRET)
    with study.writing.begin("person") as writer:
        for person in STAFF:
            role = FIRST_ROLE if person.blinded is not None else person.role
            values = {
                "id": "", "login": person.login, "name": person.name, "password": password, "roles": [role],
                "state": "active",
            }  # fmt: skip
            writer.put("person", values, reason="person added")
