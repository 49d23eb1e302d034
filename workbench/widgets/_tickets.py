"""Passwords of a page: left with its server by POST, and given to its kernel for the ticket that stands for them.

What a page sends to its kernel passes through queues, logs and recorders of messages, and an address through
histories. So a password is posted to the server of the page (:mod:`workbench.widgets.guarded`), which gives a
ticket: 256 random bits, good once within :data:`KEPT_S`. The ticket goes in the message; the kernel exchanges it
with the server, under a key that no browser has.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from workbench.errors import Refused
from workbench.messages import Message

LEAVE, EXCHANGE = "/workbench/ticket", "/workbench/exchange"
"""Paths of the server: where a page leaves a password, and where its kernel gets it."""
WHERE, KEY = "WORKBENCH_TICKETS", "WORKBENCH_TICKETS_KEY"
"""Variables of a kernel's environment: address of the exchange, and the key that it asks for."""
KEPT_S = 60.0
MOST = 100
"""Passwords that wait at a time; the oldest makes room."""
LONGEST = 4000
"""Characters of a password or a ticket."""
TIMEOUT_S = 5.0
PASSWORD, TICKET, SIGNERS = "password", "ticket", "signers"
MOST_SIGNERS = 8
"""People who sign one request, each with a ticket."""


class Tickets:
    """Passwords that wait for their kernels; in memory alone."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def leave(self, password: str) -> str:
        """Keep a password for a short time. Returns the ticket that stands for it."""
        self._forget_old()
        while len(self._waiting) >= MOST:
            self._waiting.popitem(last=False)
        ticket = secrets.token_urlsafe(32)
        self._waiting[ticket] = time.monotonic(), password
        return ticket

    def take(self, ticket: str) -> str | None:
        """The password of a ticket, once; None for one that is unknown, used, or too old."""
        self._forget_old()
        return self._waiting.pop(ticket, (0.0, None))[1]

    def _forget_old(self) -> None:
        while self._waiting and time.monotonic() - next(iter(self._waiting.values()))[0] > KEPT_S:
            self._waiting.popitem(last=False)


def environment(*, host: str, port: int) -> dict[str, str]:
    """Variables under which the kernels of a server at ``host`` and ``port`` find its exchange."""
    return {WHERE: f"http://{host}:{port}{EXCHANGE}", KEY: secrets.token_urlsafe(32)}


def exchanged(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a page's request with the password in the place of its ticket, and those of each who signs.

    Parameters
    ----------
    arguments : as they came in a message.

    Raises
    ------
    Refused
        A password stands in the message itself, the ticket is worth nothing, or there is no server to ask.
    """
    given = _exchanged(arguments)
    signers = given.get(SIGNERS)
    if isinstance(signers, list):
        if len(signers) > MOST_SIGNERS:
            raise Refused(Message("page.ticket"))
        given[SIGNERS] = [_exchanged(one) if isinstance(one, Mapping) else one for one in signers]
    return given


def _exchanged(arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(arguments)
    if given.get(PASSWORD):
        raise Refused(Message("page.password_in_message"))
    if TICKET in given:
        given[PASSWORD] = _password_of(given.pop(TICKET))
    return given


def _password_of(ticket: Any) -> str:
    where = os.environ.get(WHERE, "")
    if not where:
        raise Refused(Message("page.no_exchange"))
    if not isinstance(ticket, str) or len(ticket) > LONGEST:
        raise Refused(Message("page.ticket"))
    headers = {"Content-Type": "application/json", "X-Key": os.environ.get(KEY, "")}
    asked = urllib.request.Request(where, json.dumps({TICKET: ticket}).encode(), headers)
    # Never by a proxy that the environment names: this is a place on this computer.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=TIMEOUT_S) as answer:
            return str(json.load(answer)[PASSWORD])
    except urllib.error.HTTPError as error:
        error.close()
        raise Refused(Message("page.ticket")) from None
    except OSError as error:
        raise Refused(Message("page.no_exchange")) from error
