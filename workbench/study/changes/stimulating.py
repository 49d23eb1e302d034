"""Limits of stimulation come into force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, ClassVar

from workbench.errors import Refused
from workbench.messages import Message
from workbench.stimulation import ElectrodeLimits, from_definition, raised
from workbench.study.applying import Applying, Change
from workbench.study.people import Signer

SIGNERS = (("investigator",), ("investigator", "safety_officer", "engineer"))
"""Roles of the two people who put limits into force."""


@dataclass(frozen=True, slots=True)
class AdoptStimulationLimits(Change):
    """Limits of an electrode model come into force, signed by two people; a version never changes afterwards.

    Attributes
    ----------
    definition : of the limits (:meth:`workbench.stimulation.ElectrodeLimits.definition`).
    """

    definition: Mapping[str, Any]
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = SIGNERS

    def apply(self, record: Applying) -> str:
        """Add the version with both signatures."""
        limits = from_definition(self.definition)
        before = newest(record, limits.electrode)
        _refuse_out_of_turn(limits, before)
        more = raised(before, limits) if before is not None else ()
        signed = [
            {"person": signer.person_id or signer.name, "role": role}
            for signer, role in zip(record.signers, _roles(record.signers), strict=True)
        ]
        row = record.insert(
            "stimulation_limits", electrode=limits.electrode, version=limits.version, sha256=limits.sha256,
            replaces=limits.replaces, definition=limits.definition(), raised=list(more), signed=signed,
        )  # fmt: skip
        record.sign([("stimulation_limits", row)], meaning="I put these limits of stimulation into force")
        return row


def _roles(signers: Sequence[Signer]) -> tuple[str, ...]:
    """The role in which each signs: they may sign in any order, one of them as an investigator."""
    for order in permutations(SIGNERS):
        found = [
            [role for role in allowed if role in one.roles] for one, allowed in zip(signers, order, strict=True)
        ]
        if all(found):
            return tuple(roles[0] for roles in found)
    # Scripts, which sign in a simulation only, have no roles.
    return tuple(allowed[0] if n == 0 else allowed[-1] for n, allowed in enumerate(SIGNERS))


def newest(record: Applying, electrode: str) -> ElectrodeLimits | None:
    """The newest version of an electrode's limits in the record, None where there is none.

    Parameters
    ----------
    record : while a change is made.
    electrode : name of the model.
    """
    rows = record.rows("stimulation_limits", electrode=electrode)
    return from_definition(max(rows, key=lambda row: row["version"])["definition"]) if rows else None


def _refuse_out_of_turn(limits: ElectrodeLimits, before: ElectrodeLimits | None) -> None:
    """Refuse a version that does not follow the newest one: what it raises would be compared with another."""
    wanted = (1, "") if before is None else (before.version + 1, before.sha256)
    if (limits.version, limits.replaces) != wanted:
        raise Refused(
            Message(
                "stimulation.out_of_turn",
                electrode=limits.electrode,
                n=wanted[0],
                hash=wanted[1] or Message("word.none"),
                got=limits.version,
            )
        )
