"""Breaking the code for one participant, and what people guessed before anybody told them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes.protocols import protocol_of
from workbench.vocabulary import Certainty, Guesser

UNKNOWN = "unknown"
"""The guess of who does not know."""


@dataclass(frozen=True, slots=True)
class Unblind(Change):
    """Let the arm of one participant be told, with a reason; takes a fresh confirmation.

    Attributes
    ----------
    participant_id : whose arm.
    pseudonym_again : the participant's, typed a second time: the wrong one cannot be blinded again.
    requester : who asked for it.
    told : who is told, by login where they may read it here too.
    emergency : whether it could not wait.
    """

    participant_id: str
    pseudonym_again: str
    requester: str
    told: tuple[str, ...]
    emergency: bool = False
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = (("investigator", "safety_officer"),)

    def apply(self, record: Applying) -> str:
        """Add the unblinding with its signature; the arm does not stand in it."""
        person = record.row("participant", self.participant_id)
        if self.pseudonym_again.strip() != person["pseudonym"]:
            raise Refused(Message("allocation.pseudonym", got=f"{self.pseudonym_again!r:.60}"))
        _refuse_unallocated(record, self.participant_id)
        if not record.reason.strip():
            raise BadValue(Message("allocation.reason"))
        if not self.told or not all(name.strip() for name in self.told):
            raise BadValue(Message("allocation.told"))
        row_id = record.insert(
            "unblinding", participant_id=self.participant_id, reason=record.reason, requester=self.requester,
            told=list(self.told), emergency=self.emergency, person_id=record.actor.person_id,
        )  # fmt: skip
        record.sign([("unblinding", row_id)], meaning="I unblind this participant")
        return row_id


@dataclass(frozen=True, slots=True)
class RecordGuess(Change):
    """Which arm somebody believes a participant to be in, asked before anybody is told.

    Attributes
    ----------
    participant_id : about whom.
    guesser : who guesses.
    guess : an arm of the protocol, or ``"unknown"``.
    certainty : ``"somewhat"`` or ``"strongly"``; ``""`` where the guess is unknown.
    """

    participant_id: str
    guesser: Guesser
    guess: str
    certainty: Certainty = ""
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "coordinator", "assessor", "therapist", "operator")

    def apply(self, record: Applying) -> str:
        """Add the guess."""
        _refuse_unallocated(record, self.participant_id)
        arms = [arm.name for arm in protocol_of(record, self.participant_id).arms]
        if self.guess not in arms and self.guess != UNKNOWN:
            raise BadValue(Message("allocation.guess", allowed=[*arms, UNKNOWN], got=f"{self.guess!r:.60}"))
        if (self.guess in arms) != bool(self.certainty):
            raise BadValue(Message("allocation.certainty"))
        return record.insert(
            "blinding_guess", participant_id=self.participant_id, guesser=self.guesser, guess=self.guess,
            certainty=self.certainty,
        )  # fmt: skip


def _refuse_unallocated(record: Applying, participant_id: str) -> None:
    if not record.rows("allocation", participant_id=participant_id):
        raise Refused(Message("allocation.absent"))
