"""The part of HTTP/1.1 that the service speaks: POST with a JSON object, answered by one, both of bounded size.

Nothing else is taken: no other method, no chunks, no query in an address, no request of a web page (which always
names its origin). Every refusal is one sentence.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import messages, reading
from workbench.errors import BadValue, Refused, UnknownName, WorkbenchError
from workbench.messages import Message

MOST_HEAD = 8 * 2**10
"""Of the lines before a request's content, bytes."""
MOST_REQUEST = 2**20
MOST_ANSWER = 8 * 2**20
"""Of the contents of a request and of an answer, bytes."""
LEAST_CLASS = 16 * 2**10
"""Smallest size of a padded answer, bytes; the next ones are twice as large each."""
WHOLE_S = 10.0
"""Within which a request that has begun must be here, s."""
IDLE_S = 120.0
"""How long a connection may wait for the next request, s."""
JSON = "application/json"
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout",
    409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip


class Unreadable(BadValue):
    """What came is no request; the connection ends with the sentence."""

    status = 400


class TooLarge(Unreadable):
    """A request larger than is taken."""

    status = 413


class TooSlow(Unreadable):
    """A request that did not come in time."""

    status = 408


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes
    ----------
    path : as it stands in the first line.
    token : of the person, ``""`` for none.
    content : the JSON object.
    keep : whether the connection stays open.
    """

    path: str
    token: str
    content: Mapping[str, Any]
    keep: bool


async def read(reader: asyncio.StreamReader, *, whole_s: float = WHOLE_S) -> Request | None:
    """The next request of a connection; None at its end.

    Parameters
    ----------
    reader : of the connection.
    whole_s : within which a request that has begun must be here, s.

    Raises
    ------
    Unreadable
        What came is no request, is too large, or came too slowly.
    """
    try:
        first = await asyncio.wait_for(reader.read(1), IDLE_S)
        if not first:
            return None
        return await asyncio.wait_for(_whole(reader, first), whole_s)
    except TimeoutError:
        raise TooSlow(Message("clinic.slow", n=f"{whole_s:g}")) from None
    except asyncio.IncompleteReadError:
        raise Unreadable(Message("clinic.cut")) from None
    except asyncio.LimitOverrunError:
        raise TooLarge(Message("clinic.head", most=MOST_HEAD)) from None


async def _whole(reader: asyncio.StreamReader, first: bytes) -> Request:
    head = first + await reader.readuntil(b"\r\n\r\n")
    if len(head) > MOST_HEAD:
        raise TooLarge(Message("clinic.head", most=MOST_HEAD))
    path, headers = _head(head)
    length = headers.get("content-length", "")
    # One way to tell where a request ends: two of them could be read as two different requests.
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit() and len(length) < 12):
        raise Unreadable(Message("clinic.length"))
    if int(length) > MOST_REQUEST:
        raise TooLarge(Message("clinic.large", most=f"{MOST_REQUEST:,}"))
    content = _object(await reader.readexactly(int(length)))
    scheme, _, token = headers.get("authorization", "").partition(" ")
    keep = headers.get("connection", "").lower() != "close"
    return Request(path, token if scheme.lower() == "bearer" else "", content, keep)


def _head(head: bytes) -> tuple[str, dict[str, str]]:
    """Path and headers of a request; nothing of it is quoted, since a header may hold a token."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, version = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not path.startswith("/"):
        raise Unreadable(Message("clinic.no_http"))
    if method != "POST":
        raise Unreadable(Message("clinic.post"))
    headers: dict[str, str] = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon or name.strip() != name or name.lower() in headers:
            raise Unreadable(Message("clinic.no_http"))
        headers[name.lower()] = value.strip()
    if "origin" in headers or headers.get("content-type", "").lower() != JSON:
        raise Unreadable(Message("clinic.page"))
    return path, headers


def _object(data: bytes) -> Mapping[str, Any]:
    what = Message("clinic.request")
    content = reading.parse_json(data, what, error=Unreadable) if data else {}
    try:
        # Half a character pair, and what is no number, could be kept nowhere.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise Unreadable(Message("clinic.text")) from None
    if not isinstance(content, dict):
        raise Unreadable(Message("clinic.object"))
    return content


def answer(content: Mapping[str, Any], *, status: int = 200, keep: bool = True, padded: bool = False) -> bytes:
    """An answer as it is sent.

    Parameters
    ----------
    content : the JSON object; its messages keep their codes.
    status : of HTTP.
    keep : whether the connection stays open.
    padded : its size is one of a few that tell nothing of what stands in it.

    Raises
    ------
    Refused
        When it is larger than :data:`MOST_ANSWER`.
    """
    body = json.dumps(messages.carried(content), ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MOST_ANSWER:
        raise Refused(Message("clinic.answer", most=f"{MOST_ANSWER:,}"))
    if padded:
        size = LEAST_CLASS
        while size < len(body):
            size *= 2
        body = body.ljust(size)
    lines = (
        f"HTTP/1.1 {status:03d} {REASONS[status]}", f"Content-Type: {JSON}", f"Content-Length: {len(body)}",
        "Cache-Control: no-store", f"Connection: {'keep-alive' if keep else 'close'}",
    )  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode() + body


def refusal(error: WorkbenchError) -> dict[str, Any]:
    """What an error says, with the class that the client raises."""
    kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == "workbench.errors")
    return {"error": {"kind": kind, "text": messages.of(error)}}


def status_of(error: WorkbenchError) -> int:
    """The status of HTTP for an error."""
    own = getattr(error, "status", 0)
    if own:
        return int(own)
    if isinstance(error, Refused):
        return 403
    if isinstance(error, UnknownName):
        return 404
    return 400 if isinstance(error, BadValue) else 409
