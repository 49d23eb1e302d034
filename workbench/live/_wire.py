"""Requests and replies between client and engine: signed, fresh, never repeated.

A message is two frames: JSON and its HMAC-SHA256 under the session's key (RFC 2104). A request carries a
nonce and the time; one that was seen before or is older than 30 s is refused.
"""

from __future__ import annotations

import hmac
import json
import math
import re
from collections import OrderedDict
from typing import Any

from workbench import errors, messages, world
from workbench.errors import EngineFault, WorkbenchError
from workbench.messages import Message

FRESH_S = 30.0
"""A request older (or newer) than this is refused, s."""

MAX_BYTES = 1_000_000
"""Largest message, bytes."""

MAX_REQUEST_BYTES = 64_000
"""Largest request, bytes."""

MAX_DEPTH = 16
"""Deepest nesting of objects and lists in a message."""

MAX_DIGITS = 19
"""Most digits of an integer in a message."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.?+)*+(?:"|\Z)', re.DOTALL)
"""A text of JSON, to its end or to that of the message. It matches wherever a text begins, a backslash at the end
included: nothing that it has passed is looked at again."""
_BRACKETS = re.compile(rb"[\[\]{}]")

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
    "apply_setting",
    "note_reaction",
    "waive",
    "note",
    "task",
    "present",
    "reconnect",
    "presence",
    "attend",
    "acknowledge",
    "take_pressure",
    "take_load",
    "take_holder",
    "take_symptom",
    "set_ceiling",
    "shutdown",
)
"""Everything a client may ask for."""


class Unsigned(EngineFault):
    """A message that is not from a holder of the key, or not fresh."""


def sign(content: dict[str, Any], key: bytes) -> list[bytes]:
    """The two frames of a message; its sentences keep their codes, see :mod:`workbench.messages`."""
    body = json.dumps(messages.carried(content), ensure_ascii=False, allow_nan=False).encode("utf-8")
    return [body, hmac.digest(key, body, "sha256")]


def opened(frames: list[bytes], key: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The content of a signed message.

    Parameters
    ----------
    frames : body and MAC.
    key : of the session, 32 bytes.
    max_bytes : largest body, bytes.

    Raises
    ------
    Unsigned
        When it has another number of frames, is too long, is signed with another key, is nested deeper than
        :data:`MAX_DEPTH`, contains a number out of range or invalid text, or is not a JSON object.
    """
    if len(frames) != 2 or len(frames[0]) > max_bytes:
        raise Unsigned(Message("wire.frames", most=max_bytes, n=len(frames)))
    body, mac = frames
    # In constant time, and before anything of the body is parsed: only a holder of the key reaches the parser.
    if not hmac.compare_digest(hmac.digest(key, body, "sha256"), mac):
        raise Unsigned(Message("wire.unsigned"))
    try:
        _check_depth(body)
        content = json.loads(body, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
        # Half of a surrogate pair (an escaped U+D800) is a text that no reply, recording or log can hold.
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        raise Unsigned(Message("wire.no_json", why=str(error))) from error
    if not isinstance(content, dict):
        raise Unsigned(Message("wire.no_object"))
    return content


def _check_depth(body: bytes) -> None:
    """Refuse deep nesting before the parser recurses into it; brackets inside texts do not count."""
    depth = 0
    for sign in _BRACKETS.findall(_TEXT.sub(b"", body)):
        depth += 1 if sign in (b"[", b"{") else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _integer(text: str) -> int:
    # Converting an integer takes time with the square of its digits.
    if len(text) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits, allowed are {MAX_DIGITS}")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is not finite")
    return number


def request(operation: str, args: dict[str, Any], *, session: str) -> dict[str, Any]:
    """A fresh request.

    Parameters
    ----------
    operation : what the engine is asked to do.
    args : its arguments, JSON-able.
    session : id of the session that is meant.
    """
    nonce = world.chance.token_hex(16)
    return {"op": operation, "args": args, "session": session, "nonce": nonce, "time": world.clock.wall()}


class Freshness:
    """Remembers what was asked lately, so that a recorded request cannot be sent again."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, content: dict[str, Any], *, session: str) -> None:
        """Raise :class:`Unsigned` for a request of another session, a stale or a repeated one."""
        now, sent, nonce = world.clock.wall(), content.get("time"), content.get("nonce")
        if content.get("session") != session:
            raise Unsigned(Message("wire.other_session", got=repr(content.get("session")), session=repr(session)))
        if not isinstance(sent, int | float) or not abs(now - sent) <= FRESH_S:
            raise Unsigned(Message("wire.stale", n=f"{FRESH_S:.0f}"))
        if not isinstance(nonce, str) or not 16 <= len(nonce) <= 64:
            raise Unsigned(Message("wire.no_nonce"))
        # Twice the time, because a request may be dated as far ahead as behind.
        while self._seen and now - next(iter(self._seen.values())) > 2 * FRESH_S:
            self._seen.popitem(last=False)
        if nonce in self._seen:
            raise Unsigned(Message("wire.repeated"))
        self._seen[nonce] = now


def refusal(error: WorkbenchError) -> dict[str, Any]:
    """An error as a reply."""
    return {"ok": False, "error": type(error).__name__, "sentence": messages.of(error)}


def raise_refusal(reply: dict[str, Any]) -> None:
    """Raise the error of a reply in this process, under its own class."""
    reply = messages.restored(reply)
    if reply.get("ok"):
        return
    # The name comes from the other end: only an error class of ours is raised.
    kind = getattr(errors, str(reply.get("error")), EngineFault)
    if not (isinstance(kind, type) and issubclass(kind, WorkbenchError)):
        kind = EngineFault
    raise kind(reply.get("sentence") or Message("live.no_reason"))
