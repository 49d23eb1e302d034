"""Consent, one purpose at a time, and what its withdrawal stops.

``participant.consent`` says whether all that taking part requires is consented to, as everything that connects
somebody reads it there: the purposes that the participant's protocol requires, before one applies *participation*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.nouns import SHA256, told
from workbench.study.protocol_reading import CODE
from workbench.vocabulary import ConsentGiver, ConsentPurpose

if TYPE_CHECKING:
    from workbench.study.record import Study

PURPOSES: tuple[ConsentPurpose, ...] = get_args(ConsentPurpose)


@dataclass(frozen=True, slots=True)
class RegisterConsentDocument(Change):
    """A site has a document signed that no version of the protocol names, such as its own or a translation.

    Attributes
    ----------
    document_version : as it is printed on the document.
    document_sha256 : of the document that is signed.
    language : as ``"zh-CN"``.
    site : code of the site, ``""`` where there is one.
    ethics_reference : number of the approval, ``""`` before there is one.
    """

    document_version: str
    document_sha256: str
    language: str = ""
    site: str = ""
    ethics_reference: str = ""
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "data_manager")

    def apply(self, record: Applying) -> str:
        """Add the document."""
        if not SHA256.fullmatch(self.document_sha256):
            raise BadValue(Message("study.digest", name="document_sha256", got=f"{self.document_sha256!r:.80}"))
        key = {"document_version": self.document_version, "language": self.language, "site": self.site}
        if record.rows("consent_document", **key):
            raise Refused(Message("consent.document_there", version=self.document_version))
        return record.insert(
            "consent_document", **key, document_sha256=self.document_sha256,
            ethics_reference=self.ethics_reference,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GiveConsent(Change):
    """A participant, or who represents them, consents to one or more purposes.

    Attributes
    ----------
    participant_id : whose data it is about.
    purposes : those of the protocol; of :data:`PURPOSES` the record itself knows what they cover.
    document_version : of what was signed: one that the protocol or the site has (:func:`documents`).
    document_sha256 : of its scan, ``""`` for none.
    consented_on : ISO date of the signature.
    given_by : ``"participant"`` or ``"representative"``.
    witness : printed name, ``""`` for none.
    language : of the document, as ``"zh-CN"``.
    """

    participant_id: str
    purposes: tuple[str, ...]
    document_version: str
    consented_on: str
    document_sha256: str = ""
    given_by: ConsentGiver = "participant"
    witness: str = ""
    language: str = ""
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add a row for each purpose."""
        _check(self.purposes, self.consented_on, record)
        known = documents(record)
        # A study that has neither protocol nor document of its own knows none to compare with.
        if known and self.document_version not in known:
            raise UnknownName(Message("consent.document", got=told(self.document_version), known=known))
        ids = [
            record.insert(
                "consent", participant_id=self.participant_id, purpose=purpose, action="granted",
                document_version=self.document_version, document_sha256=self.document_sha256,
                given_by=self.given_by, witness=self.witness, language=self.language,
                consented_on=self.consented_on,
            )
            for purpose in self.purposes
        ]  # fmt: skip
        follow(record, self.participant_id)
        return ids[0]


@dataclass(frozen=True, slots=True)
class WithdrawConsent(Change):
    """A consent ends, at once.

    Attributes
    ----------
    participant_id : whose.
    purposes : that are withdrawn; without taking part there is no other.
    consented_on : ISO date of the withdrawal.
    """

    participant_id: str
    purposes: tuple[str, ...]
    consented_on: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add a row for each purpose that was granted."""
        _check(self.purposes, self.consented_on, record)
        granted = in_force(record.rows("consent", participant_id=self.participant_id))
        ended = tuple(granted) if "participation" in self.purposes else self.purposes
        absent = [purpose for purpose in self.purposes if purpose not in granted]
        if absent:
            raise Refused(Message("consent.not_granted", purposes=absent, granted=list(granted)))
        ids = [
            record.insert(
                "consent", participant_id=self.participant_id, purpose=purpose, action="withdrawn",
                document_version=granted[purpose]["document_version"],
                document_sha256=granted[purpose]["document_sha256"], given_by=granted[purpose]["given_by"],
                witness="", language=granted[purpose]["language"], consented_on=self.consented_on,
            )
            for purpose in ended
        ]  # fmt: skip
        follow(record, self.participant_id)
        return ids[0]


def in_force(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The consent that holds, by purpose.

    Parameters
    ----------
    rows : of ``consent`` of one participant, oldest first.
    """
    newest = {row["purpose"]: row for row in rows}
    return {purpose: row for purpose, row in newest.items() if row["action"] == "granted"}


def documents(record: Applying) -> list[str]:
    """Versions of the documents that may be signed: those of every version of the protocol, then the sites' own.

    Parameters
    ----------
    record : while a change is made.
    """
    named = [row["definition"]["consent"]["document_version"] for row in record.rows("protocol_version")]
    own = [row["document_version"] for row in record.rows("consent_document")]
    return list(dict.fromkeys(str(version) for version in (*named, *own)))


def withdrawn(study: Study, purpose: ConsentPurpose) -> dict[str, Mapping[str, Any]]:
    """Who took back the consent to a purpose: the row of each withdrawal by the participant's pseudonym.

    Parameters
    ----------
    study : the open record.
    purpose : what for.
    """
    newest = {row["participant_id"]: row for row in study.rows("consent", purpose=purpose)}
    ended = {person: row for person, row in newest.items() if row["action"] == "withdrawn"}
    return {study.get("participant", person)["pseudonym"]: row for person, row in ended.items()}


def _check(purposes: Sequence[str], on: str, record: Applying) -> None:
    wrong = [purpose for purpose in purposes if not CODE.fullmatch(purpose)]
    if not purposes or wrong or len(set(purposes)) < len(purposes):
        raise BadValue(Message("consent.purposes", allowed=list(PURPOSES), got=told(list(purposes))))
    if not on or on > record.today.isoformat():
        raise BadValue(Message("consent.on", got=told(on)))


def follow(record: Applying, participant_id: str) -> None:
    """Bring ``participant.consent`` to what is in force.

    Parameters
    ----------
    record : while a change is made.
    participant_id : whose.
    """
    given = in_force(record.rows("consent", participant_id=participant_id))
    taking_part = given.get("participation")
    now = {"consent": "", "consented_on": ""}
    if taking_part and all(purpose in given for purpose in _required(record, participant_id)):
        now = {"consent": taking_part["document_version"], "consented_on": taking_part["consented_on"]}
    person = record.row("participant", participant_id)
    if any(person[name] != value for name, value in now.items()):
        record.amend("participant", participant_id, now, follows=Message("consent.follows"))


def _required(record: Applying, participant_id: str) -> list[str]:
    """What the participant's protocol requires, nothing more than taking part before one applies."""
    for enrolment in record.rows("enrolment", participant_id=participant_id):
        definition = record.row("protocol_version", enrolment["protocol_version_id"])["definition"]
        return list(definition["consent"]["purposes"]["required"])
    return []
