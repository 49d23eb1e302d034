"""Whom a page is about: the one place where that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class AtHand:
    """The participant that one page is about, and the visit of theirs that is chosen.

    Bar, worklist, forms, decisions and results ask here, so that none of them names somebody else than another.

    Attributes
    ----------
    person, pseudonym : id and name of the participant, ``""`` for nobody.
    visit : id of the visit that is chosen, ``""`` for none.
    """

    person: str = ""
    pseudonym: str = ""
    visit: str = ""

    def take(self, person: Mapping[str, Any], visit: str = "") -> None:
        """Be about a participant from now on.

        Parameters
        ----------
        person : row of the participant.
        visit : that is chosen; ``""`` keeps the one that is chosen where it is theirs, and chooses none otherwise.
        """
        if visit or person["id"] != self.person:
            self.visit = visit
        self.person, self.pseudonym = str(person["id"]), str(person["pseudonym"])

    def leave(self) -> None:
        """Be about nobody."""
        self.person = self.pseudonym = self.visit = ""
