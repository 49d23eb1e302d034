"""Requests and replies between client and engine: signed, fresh, never repeated.

A message is two frames: JSON and its HMAC-SHA256 under the session's key (RFC 2104). A request carries a
nonce and the time; one that was seen before or is older than 30 s is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from typing import Any

from workbench import errors
from workbench.errors import EngineFault, WorkbenchError

FRESH_S = 30.0
"""A request older (or newer) than this is refused, s."""

MAX_BYTES = 1_000_000
"""Largest message, bytes."""

OPERATIONS = (
    "status",
    "start_run",
    "pause",
    "resume",
    "end_run",
    "stop",
    "reset_stop",
    "arm",
    "disarm",
    "waive",
    "note",
    "reconnect",
    "shutdown",
)
"""Everything a client may ask for."""


class Unsigned(EngineFault):
    """A message that is not from a holder of the key, or not fresh."""


def sign(content: dict[str, Any], key: bytes) -> list[bytes]:
    """The two frames of a message."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return [body, hmac.new(key, body, hashlib.sha256).digest()]


def opened(frames: list[bytes], key: bytes) -> dict[str, Any]:
    """The content of a signed message.

    Raises
    ------
    Unsigned
        When it has another number of frames, is too long, is signed with another key, or is no JSON object.
    """
    if len(frames) != 2 or len(frames[0]) > MAX_BYTES:
        raise Unsigned(f"a message has 2 frames of at most {MAX_BYTES} bytes, got {len(frames)} frames")
    body, mac = frames
    if not hmac.compare_digest(hmac.new(key, body, hashlib.sha256).digest(), mac):
        raise Unsigned("the message is not signed with the key of this session")
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Unsigned(f"the message is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise Unsigned("the message is no JSON object")
    return content


def request(operation: str, args: dict[str, Any], *, session: str) -> dict[str, Any]:
    """A fresh request."""
    nonce = secrets.token_hex(16)
    return {"op": operation, "args": args, "session": session, "nonce": nonce, "time": time.time()}


class Freshness:
    """Remembers what was asked lately, so that a recorded request cannot be sent again."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, content: dict[str, Any], *, session: str) -> None:
        """Raise :class:`Unsigned` for a request of another session, a stale or a repeated one."""
        now, sent, nonce = time.time(), content.get("time"), content.get("nonce")
        if content.get("session") != session:
            raise Unsigned(f"the request is for session {content.get('session')!r}, this is {session!r}")
        if not isinstance(sent, int | float) or not abs(now - sent) <= FRESH_S:
            raise Unsigned(f"the request is not of the last {FRESH_S:.0f} s")
        if not isinstance(nonce, str) or not 16 <= len(nonce) <= 64:
            raise Unsigned("the request has no nonce of 16 to 64 characters")
        while self._seen and now - next(iter(self._seen.values())) > 2 * FRESH_S:
            self._seen.popitem(last=False)
        if nonce in self._seen:
            raise Unsigned("the request was received before")
        self._seen[nonce] = now


def refusal(error: WorkbenchError) -> dict[str, Any]:
    """An error as a reply."""
    return {"ok": False, "error": type(error).__name__, "sentence": str(error)}


def raise_refusal(reply: dict[str, Any]) -> None:
    """Raise the error of a reply in this process, under its own class."""
    if reply.get("ok"):
        return
    kind = getattr(errors, str(reply.get("error")), EngineFault)
    if not (isinstance(kind, type) and issubclass(kind, WorkbenchError)):
        kind = EngineFault
    raise kind(str(reply.get("sentence", "the engine gave no reason")))
