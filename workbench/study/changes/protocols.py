"""The protocol's versions, and who takes part under which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes import consents
from workbench.study.nouns import told
from workbench.study.protocol import Protocol
from workbench.vocabulary import EnrolmentStatus


@dataclass(frozen=True, slots=True)
class AdoptProtocol(Change):
    """A version of the protocol comes into force, signed by two people; it never changes afterwards.

    Attributes
    ----------
    definition : of the protocol (:meth:`workbench.study.protocol.Protocol.definition`).
    """

    definition: Mapping[str, Any]
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("investigator",), ("investigator", "statistician", "data_manager"),
    )  # fmt: skip

    def apply(self, record: Applying) -> str:
        """Add the version with both signatures."""
        protocol = Protocol.from_definition(self.definition)
        about = protocol.about
        if "participation" not in protocol.consent.purposes.required:
            raise BadValue(Message("consent.no_participation", required=list(protocol.consent.purposes.required)))
        for row in record.rows("protocol_version"):
            if row["version"] == about.version or row["sha256"] == protocol.sha256:
                raise Refused(Message("change.protocol_there", version=row["version"], hash=row["sha256"][:12]))
        version = record.insert(
            "protocol_version", version=about.version, sha256=protocol.sha256,
            effective_from=about.effective_from.isoformat(), ethics_reference=about.ethics_reference,
            definition=protocol.definition(),
        )  # fmt: skip
        record.sign([("protocol_version", version)], meaning="I approve this version of the protocol")
        return version


@dataclass(frozen=True, slots=True)
class Enrol(Change):
    """A participant enters screening under the newest version of the protocol.

    Attributes
    ----------
    participant_id : who.
    screening_number : of the site's log.
    site : code of the site, ``""`` where there is one.
    """

    participant_id: str
    screening_number: str
    site: str = ""
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add the enrolment."""
        if record.rows("enrolment", participant_id=self.participant_id):
            raise Refused(Message("change.enrolled"))
        versions = record.rows("protocol_version")
        if not versions:
            raise Refused(Message("change.no_protocol"))
        enrolment = record.insert(
            "enrolment", participant_id=self.participant_id, protocol_version_id=versions[-1]["id"],
            site=self.site, screening_number=self.screening_number, status="screening",
        )  # fmt: skip
        # A study from before its protocol may have a consent that no row of purposes stands for.
        if record.rows("consent", participant_id=self.participant_id):
            consents.follow(record, self.participant_id)
        return enrolment


@dataclass(frozen=True, slots=True)
class AnswerCriterion(Change):
    """One criterion of eligibility is answered, with what the answer rests on.

    Attributes
    ----------
    participant_id : of whom.
    criterion : its id in the protocol.
    answer : ``"yes"``, ``"no"`` or ``"unknown"``: whether what it says is so.
    evidence : source of the answer.
    """

    participant_id: str
    criterion: str
    answer: str
    evidence: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Add the answer."""
        known = [criterion.id for criterion in protocol_of(record, self.participant_id).criteria]
        if self.criterion not in known:
            raise UnknownName(Message("change.criterion", got=told(self.criterion), known=known))
        if not self.evidence.strip():
            raise BadValue(Message("change.evidence", criterion=self.criterion))
        return record.insert(
            "eligibility", participant_id=self.participant_id, criterion=self.criterion, answer=self.answer,
            evidence=self.evidence,
        )  # fmt: skip


NEXT: dict[EnrolmentStatus, tuple[EnrolmentStatus, ...]] = {
    "screening": ("enrolled", "screen_failure", "withdrawn", "lost"),
    "enrolled": ("completed", "withdrawn", "lost"),
    "screen_failure": ("screening",),
    "completed": ("enrolled",), "withdrawn": ("screening", "enrolled"), "lost": ("screening", "enrolled"),
}  # fmt: skip
"""What may follow a status. The last rows are ways back from a mistake, or for somebody who was found again."""


@dataclass(frozen=True, slots=True)
class SetStatus(Change):
    """A participant is enrolled, or leaves the study.

    Attributes
    ----------
    participant_id : who.
    status : ``"enrolled"`` only with every criterion met and the consent to take part.
    """

    participant_id: str
    status: EnrolmentStatus
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Change the enrolment."""
        enrolment = enrolment_of(record, self.participant_id)
        before, after = enrolment["status"], NEXT[enrolment["status"]]
        if self.status not in after:
            raise Refused(Message("change.status", before=before, allowed=list(after), got=told(self.status)))
        if self.status == "enrolled":
            _refuse_ineligible(record, self.participant_id)
        record.amend("enrolment", enrolment["id"], {"status": self.status})
        return str(enrolment["id"])


def enrolment_of(record: Applying, participant_id: str) -> dict[str, Any]:
    """The enrolment of a participant. Raises Refused for one who is not in the study.

    Parameters
    ----------
    record : while a change is made.
    participant_id : whose.
    """
    record.ahead(("participant", {"id": participant_id}), ("enrolment", {"participant_id": participant_id}))
    record.row("participant", participant_id)
    rows = record.rows("enrolment", participant_id=participant_id)
    if not rows:
        raise Refused(Message("change.not_enrolled"))
    return rows[0]


def protocol_of(record: Applying, participant_id: str) -> Protocol:
    """The version of the protocol that a participant takes part under.

    Parameters
    ----------
    record : while a change is made.
    participant_id : whose.
    """
    version = enrolment_of(record, participant_id)["protocol_version_id"]
    if version not in record.protocols:
        definition = record.row("protocol_version", version)["definition"]
        record.protocols[version] = Protocol.from_definition(definition)
    return record.protocols[version]


def _refuse_ineligible(record: Applying, participant_id: str) -> None:
    """Refuse while a required consent is missing, or a criterion is unanswered or not met."""
    protocol = protocol_of(record, participant_id)
    given = consents.in_force(record.rows("consent", participant_id=participant_id))
    missing = [purpose for purpose in protocol.consent.purposes.required if purpose not in given]
    if missing:
        raise Refused(Message("change.consent_missing", purposes=missing))
    newest = {row["criterion"]: row["answer"] for row in record.rows("eligibility", participant_id=participant_id)}
    wanted = {criterion.id: "yes" if criterion.kind == "inclusion" else "no" for criterion in protocol.criteria}
    unmet = [name for name, answer in wanted.items() if newest.get(name) != answer]
    if unmet:
        raise Refused(Message("change.ineligible", criteria=unmet))
