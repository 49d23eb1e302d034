"""Roles given and taken. ``person.roles`` is what they add up to, and what every change is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.people import checked_roles


@dataclass(frozen=True, slots=True)
class GrantRole(Change):
    """Give somebody a role.

    Attributes
    ----------
    person_id : to whom.
    role : of :data:`workbench.study.people.ROLES`.
    training : reference of the training that it rests on.
    blinded : whether the person must not learn any arm.
    site : code of the site, ``""`` for all.
    """

    person_id: str
    role: str
    training: str
    blinded: bool = False
    site: str = ""
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "data_manager")

    def apply(self, record: Applying) -> str:
        """Add the grant, and the role to the person's."""
        checked_roles([self.role])
        roles = record.row("person", self.person_id)["roles"]
        if self.role in roles:
            raise Refused(Message("grant.there", role=self.role, roles=list(roles)))
        record.amend("person", self.person_id, {"roles": [*roles, self.role]})
        return record.insert(
            "role_grant", person_id=self.person_id, role=self.role, action="grant", site=self.site,
            blinded=self.blinded, training=self.training,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RevokeRole(Change):
    """Take a role from somebody; the last one only by closing the person's access.

    Attributes
    ----------
    person_id : from whom.
    role : which.
    """

    person_id: str
    role: str
    ROLES: ClassVar[tuple[str, ...]] = ("investigator", "data_manager")

    def apply(self, record: Applying) -> str:
        """Add the revocation, and take the role from the person's."""
        roles = record.row("person", self.person_id)["roles"]
        left = [role for role in roles if role != self.role]
        if self.role not in roles:
            raise Refused(Message("grant.absent", role=f"{self.role:.60}", roles=list(roles)))
        if not left:
            raise Refused(Message("grant.last", role=self.role))
        record.amend("person", self.person_id, {"roles": left})
        return record.insert(
            "role_grant", person_id=self.person_id, role=self.role, action="revoke", site="", blinded=False,
            training="",
        )  # fmt: skip
