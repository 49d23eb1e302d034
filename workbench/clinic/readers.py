"""Who asks: a person with the roles, sites and blinding that the record has for them at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.study import people
from workbench.study.concealment import sight_of
from workbench.study.people import Signer

if TYPE_CHECKING:
    from workbench.study.record import Study


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who signed in.

    Attributes
    ----------
    person_id, login, name : of the person.
    roles : that they hold.
    blinded : whether every arm is kept from them.
    sites : codes of the only sites that they see and change; empty for all.
    password : the hash of their password, so that a changed one ends what the old one began.
    """

    person_id: str
    login: str
    name: str
    roles: tuple[str, ...]
    blinded: bool
    sites: tuple[str, ...]
    password: str

    def __repr__(self) -> str:
        return f"Reader({self.login!r}, roles={self.roles!r}, blinded={self.blinded}, sites={self.sites!r})"

    def signer(self, study: Study) -> Signer:
        """The person as who makes a change."""
        return Signer(
            study.folder, self.name, "password", login=self.login, person_id=self.person_id, roles=self.roles,
            sites=self.sites,
        )  # fmt: skip


def reader_of(study: Study, person_id: str) -> Reader | None:
    """A person as the record has them now; None for who has no access.

    Parameters
    ----------
    study : the open record.
    person_id : of the person.
    """
    row = people.account(study, person_id=person_id)
    if row is None or row["state"] != "active":
        return None
    roles = tuple(row["roles"])
    return Reader(
        person_id, row["login"], row["name"], roles, sight_of(study, person_id, row["name"]).concealed,
        _sites(study, person_id, roles), row["password"],
    )  # fmt: skip


def _sites(study: Study, person_id: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Sites of somebody each of whose roles was granted for one; a role for all sites reaches all."""
    newest = {row["role"]: row for row in study.rows("role_grant", person_id=person_id)}
    held = [newest[role]["site"] if role in newest else "" for role in roles]
    return tuple(sorted(set(held))) if held and all(held) else ()
