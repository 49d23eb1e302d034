"""Tokens of people who signed in: 256 random bits each; the service keeps the SHA-256 alone, in memory."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from workbench import world
from workbench.clinic.readers import Reader
from workbench.errors import Refused
from workbench.messages import Message

BYTES = 32
IDLE_S = 15 * 60.0
LONGEST_S = 12 * 3600.0
"""A token ends when it was not used for so long, and in any case after so long."""
MOST = 1000
"""Tokens at once; the one that was not used for longest makes room."""
OF_ONE = 20
"""Tokens of one person."""


class SignInAgain(Refused):
    """A token that holds no longer, or never did."""

    status = 401


@dataclass(slots=True)
class _Given:
    """A token that was given out.

    Attributes
    ----------
    reader : as the record had them then; whoever is another one now signs in again.
    account : of the process that was given it, None where nobody knows.
    made, used : monotonic, s.
    """

    reader: Reader
    account: int | None
    made: float
    used: float


class Tokens:
    """Every token that holds.

    Parameters
    ----------
    idle_s, longest_s : after which it ends unused, and in any case, s.
    """

    def __init__(self, *, idle_s: float = IDLE_S, longest_s: float = LONGEST_S) -> None:
        self._idle_s, self._longest_s = idle_s, longest_s
        self._given: OrderedDict[bytes, _Given] = OrderedDict()

    def give(self, reader: Reader, account: int | None) -> str:
        """A new token of somebody who signed in.

        Parameters
        ----------
        reader : who.
        account : number of the account whose process it is for; None where nobody knows.
        """
        own = [key for key, given in self._given.items() if given.reader.person_id == reader.person_id]
        for key in own[: max(0, len(own) - OF_ONE + 1)]:
            del self._given[key]
        while len(self._given) >= MOST:
            self._given.popitem(last=False)
        token = base64.urlsafe_b64encode(world.chance.token_bytes(BYTES)).decode().rstrip("=")
        now = world.clock.monotonic()
        self._given[_key(token)] = _Given(reader, account, now, now)
        return token

    def reader(self, token: str, account: int | None, *, by_hand: bool = True) -> Reader:
        """Who was given a token.

        Parameters
        ----------
        token : as it came.
        account : of the process that sent it.
        by_hand : whether somebody does something, by which it counts as used; a page asks by itself too.

        Raises
        ------
        SignInAgain
            The token is unknown, has ended, or was given to a process of another account.
        """
        key, now = _key(token), world.clock.monotonic()
        given = self._given.get(key)
        if given is None:
            raise SignInAgain(Message("clinic.sign_in"))
        if now - given.used > self._idle_s or now - given.made > self._longest_s:
            del self._given[key]
            raise SignInAgain(Message("clinic.expired"))
        # A token that another account got hold of ends there, for its owner too: it is known to be stolen.
        if given.account != account:
            del self._given[key]
            raise SignInAgain(Message("clinic.other_account"))
        if by_hand:
            given.used = now
            self._given.move_to_end(key)
        return given.reader

    def end(self, token: str) -> None:
        """A token holds no longer."""
        self._given.pop(_key(token), None)

    def end_of(self, person_id: str) -> None:
        """No token of a person holds any longer."""
        for key in [key for key, given in self._given.items() if given.reader.person_id == person_id]:
            del self._given[key]


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
