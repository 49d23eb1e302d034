"""Going on under a later version of the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import Refused, UnknownName
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes import consents, visits
from workbench.study.changes.protocols import enrolment_of
from workbench.study.nouns import told
from workbench.study.protocol import Protocol


@dataclass(frozen=True, slots=True)
class MoveToProtocol(Change):
    """A participant goes on under a later version, having consented to its document.

    Attributes
    ----------
    participant_id : who.
    version : of the protocol.
    """

    participant_id: str
    version: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator")

    def apply(self, record: Applying) -> str:
        """Change the version of the enrolment, and plan what was not held by the new one."""
        enrolment = enrolment_of(record, self.participant_id)
        versions = record.rows("protocol_version")
        chosen = [row for row in versions if row["version"] == self.version]
        if not chosen:
            known = [row["version"] for row in versions]
            raise UnknownName(Message("change.no_version", got=told(self.version), known=known))
        wanted = Protocol.from_definition(chosen[0]["definition"]).consent.document_version
        given = consents.in_force(record.rows("consent", participant_id=self.participant_id))
        consented = given.get("participation", {}).get("document_version", "")
        if consented != wanted:
            raise Refused(Message("change.other_consent", wanted=wanted, got=consented or Message("word.none")))
        record.amend("enrolment", enrolment["id"], {"protocol_version_id": chosen[0]["id"]})
        consents.follow(record, self.participant_id)
        visits.replan(record, self.participant_id)
        return str(enrolment["id"])
