"""The authenticated last metre: the messages between an engine and an effector. Pure: texts in, texts out.

The attacker is any process that cannot read the pairing key. It may read, record, delay, repeat and publish
anything on LSL; it may silence the link, which ends in the device's safe state. It cannot move the
effector, cannot lift a stop, and cannot pass off an old status as a new one.

Wire format
-----------
One message is one LSL text sample of at most :data:`MAX_MESSAGE` ASCII characters, nine fields separated by
single spaces; the last one runs to the end::

    wbm1 DIRECTION EFFECTOR KIND SESSION SEQUENCE ECHO MAC BODY

``DIRECTION``  ``down`` (engine to device) or ``up``.
``EFFECTOR``   name of the effector profile, ``[a-z0-9_-]{1,40}``.
``KIND``       one of :data:`KINDS`.
``SESSION``    16 hexadecimal digits that name the session key, or ``-`` where a fixed key is used.
``SEQUENCE``   decimal, rises by one per message within one session and direction; 0 with a fixed key.
``ECHO``       decimal: down, newest status counter of the device that the engine has verified; up, 0.
``MAC``        64 hexadecimal digits, HMAC-SHA256 over the message without this field and its space.
``BODY``       one JSON object, ``ensure_ascii``.

Keys are HKDF-SHA256 (RFC 5869) of the 32-byte pairing key. ``info`` is ``workbench last metre 1``, the purpose
and the effector, separated by line feeds; the salt is empty except for a session, where it is both nonces::

    hello, query                  purpose "handshake"
    status, report                purpose "status"
    welcome, command, ack, end    purpose "session", salt = device nonce (16 bytes) + engine nonce (16 bytes)

Handshake: every status offers a device nonce that is good for one handshake. The engine answers with ``hello``
(the offer and a nonce of its own), the device with ``welcome`` under the new session key. The running session
stays until the first valid message under the new key arrives: a replayed or half-finished handshake ends
nothing. A replayed ``hello`` names an offer that was already used.

Freshness without comparing clocks: every status carries a rising counter; a command echoes the newest one, and
the device measures by its own clock how long ago it published it. STOP is followed with any echo and any
sequence under the current session key, and requires a new session afterwards, which makes a recorded one useless.
``query`` carries a nonce that ``report`` (a status) repeats: a process with the pairing key and no
session knows by it that what it reads is new.

Sources: RFC 2104 (HMAC), RFC 5869 (HKDF), FIPS 180-4 (SHA-256).
"""

from __future__ import annotations

import hmac
import json
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workbench import messages, world
from workbench.errors import BadValue

VERSION = "wbm1"
KINDS = ("hello", "welcome", "command", "ack", "status", "query", "report", "end")
DOWN, UP = "down", "up"
MAX_MESSAGE = 4096
"""Longest message, characters; a longer one is malformed and is not parsed."""
KEY_BYTES, NONCE_BYTES = 32, 16
MAX_PENDING = 4
"""Handshakes that may be in progress at once; the oldest is dropped."""
REMEMBERED_STATUSES = 512
"""Published counters whose time the device remembers; an older echo is too old for every time to live."""

_HEAD = re.compile(
    r"wbm1 (down|up) ([a-z0-9_-]{1,40}) ([a-z]{2,10}) ([0-9a-f]{16}|-) (\d{1,18}) (\d{1,18}) "
    r"([0-9a-f]{64}) (\{.*)",
    re.ASCII,
)
_NONCE = re.compile(r"[0-9a-f]{32}")
# What is sent is made here, of values that do not hold themselves.
_TEXT = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode
_READ = json.JSONDecoder().raw_decode
_FIXED = {"hello": "handshake", "query": "handshake", "status": "status", "report": "status"}
_DIRECTION = {"hello": DOWN, "query": DOWN, "command": DOWN, "end": DOWN}

Random = Callable[[int], bytes]


def derive(pairing_key: bytes, purpose: str, effector: str, *, salt: bytes = b"") -> bytes:
    """A 32-byte key for one purpose; see the table of the module.

    Parameters
    ----------
    pairing_key : 32 bytes.
    purpose : ``"handshake"``, ``"status"``, ``"session"`` or ``"link id"``.
    effector : name of the effector profile.
    salt : both nonces for a session, otherwise empty.

    Raises
    ------
    BadValue
        For a pairing key of another length.
    """
    if len(pairing_key) != KEY_BYTES:
        raise BadValue(messages.Message("pairing.key_bytes", needed=KEY_BYTES, n=len(pairing_key)))
    info = "\n".join(("workbench last metre 1", purpose, effector)).encode()
    return HKDF(SHA256(), KEY_BYTES, salt or None, info).derive(pairing_key)


def link_id(pairing_key: bytes, effector: str) -> str:
    """Public name of the pairing, 12 hexadecimal digits: it distinguishes the streams of several effectors."""
    return derive(pairing_key, "link id", effector).hex()[:12]


class Message(NamedTuple):
    """A well-formed message; nothing in it can be trusted before its MAC is verified."""

    direction: str
    effector: str
    kind: str
    session: str
    sequence: int
    echo: int
    mac: str
    body: str

    def signed(self) -> bytes:
        """What the MAC covers."""
        head = _head(self.direction, self.effector, self.kind, self.session, (self.sequence, self.echo))
        return f"{head} {self.body}".encode("ascii")

    def content(self) -> dict[str, Any] | None:
        """The body, None when it is not a JSON object. Only for a message whose MAC was verified."""
        try:
            content, end = _READ(self.body)
        except (ValueError, RecursionError):
            return None
        # Behind an object there may be blanks, and nothing else; it begins with its brace, see :data:`_HEAD`.
        return content if isinstance(content, dict) and not self.body[end:].strip(" \t\n\r") else None


@lru_cache(maxsize=8)
def parse(text: str) -> Message | None:
    """The fields of a text, None when it does not have the form of a message.

    Kept for a moment: who watches a simulated world hears the texts that both ends hear.
    """
    # Length first: a regular expression never runs over what a stranger made long.
    if len(text) > MAX_MESSAGE or not text.isascii():
        return None
    head = _HEAD.fullmatch(text)
    if head is None or head[3] not in KINDS or head[1] != _DIRECTION.get(head[3], UP):
        return None
    direction, effector, kind, session, sequence, echo, mac, body = head.groups()
    return Message(direction, effector, kind, session, int(sequence), int(echo), mac, body)


def _head(direction: str, effector: str, kind: str, session: str, numbers: tuple[int, int]) -> str:
    """What stands before the MAC; ``numbers`` are sequence and echo."""
    return f"{VERSION} {direction} {effector} {kind} {session} {numbers[0]} {numbers[1]}"


def _seal(key: bytes, effector: str, kind: str, session: str, numbers: tuple[int, int], content: object) -> str:
    """A signed message; ``numbers`` are sequence and echo."""
    head, body = _head(_DIRECTION.get(kind, UP), effector, kind, session, numbers), _TEXT(content)
    mac = _mac(key, f"{head} {body}".encode("ascii"))
    text = f"{head} {mac} {body}"
    if len(text) > MAX_MESSAGE:
        raise BadValue(messages.Message("pairing.message_long", most=MAX_MESSAGE, n=len(text)))
    return text


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> hmac.HMAC:
    """HMAC-SHA256 that has taken in its key, which is half of the work where a message is short."""
    return hmac.new(key, digestmod="sha256")


def _mac(key: bytes, signed: bytes) -> str:
    """HMAC-SHA256 as hexadecimal digits."""
    mac = _keyed(key).copy()
    mac.update(signed)
    return mac.hexdigest()


def _is_authentic(key: bytes, message: Message) -> bool:
    # In constant time: how long a comparison takes must not reveal how much of a guess is right.
    return hmac.compare_digest(_mac(key, message.signed()), message.mac)


@dataclass(slots=True)
class _Session:
    """One session key, its public name, and the sequence numbers of both directions."""

    key: bytes
    name: str
    sent: int = 0
    received: int = 0

    def next(self) -> int:
        """The next sequence number to send."""
        self.sent += 1
        return self.sent


def _agree(pairing_key: bytes, effector: str, device_nonce: bytes, engine_nonce: bytes) -> _Session:
    key = derive(pairing_key, "session", effector, salt=device_nonce + engine_nonce)
    # The name goes over the wire: an HMAC identifies the key without disclosing it.
    return _Session(key, hmac.new(key, b"name", "sha256").hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Received:
    """A message that the device accepted.

    Attributes
    ----------
    kind : ``"hello"``, ``"query"``, ``"command"`` or ``"end"``.
    content : its body.
    echo_age_s : s since the device published the counter that the message echoes; infinite when it is not known.
    begins_session : whether it is the first message under a new session key, which is the current one from here.
    replies : messages to send at once.
    """

    kind: str
    content: Mapping[str, Any]
    echo_age_s: float = math.inf
    begins_session: bool = False
    replies: tuple[str, ...] = ()


class DeviceEnd:
    """The device's end: verifies messages from the engine, signs its own, and counts all others.

    Parameters
    ----------
    pairing_key : 32 bytes.
    effector : name of the effector profile.

    Attributes
    ----------
    foreign : how many messages were ``malformed``, ``forged`` (wrong MAC), ``replayed`` (sequence or offer
        already used) or of another ``session``. None of them has any effect.
    """

    def __init__(self, pairing_key: bytes, effector: str) -> None:
        self.effector = effector
        self.foreign = dict.fromkeys(("malformed", "forged", "replayed", "session"), 0)
        self._pairing_key = pairing_key
        self._fixed = {name: derive(pairing_key, name, effector) for name in ("handshake", "status")}
        self.incarnation = world.chance.token_hex(8)
        self._offer = world.chance.token_bytes(NONCE_BYTES)
        self._current: _Session | None = None
        self._pending: OrderedDict[str, _Session] = OrderedDict()
        self._counter = 0
        self._published: OrderedDict[int, float] = OrderedDict()

    @property
    def session(self) -> str:
        """Name of the current session key, ``""`` without one."""
        return "" if self._current is None else self._current.name

    def status(self, content: Mapping[str, Any], *, now: float) -> str:
        """A signed status with the next counter; ``now`` is the device's own monotonic time, s."""
        self._published[self._counter + 1] = now
        while len(self._published) > REMEMBERED_STATUSES:
            self._published.popitem(last=False)
        return self._report("status", content, "")

    def acknowledge(self, content: Mapping[str, Any]) -> str | None:
        """A signed acknowledgement under the current session key, None without one."""
        if self._current is None:
            return None
        numbers = (self._current.next(), 0)
        return _seal(self._current.key, self.effector, "ack", self._current.name, numbers, dict(content))

    def receive(self, text: str, *, now: float, status: Callable[[], Mapping[str, Any]]) -> Received | None:
        """Verify a text.

        Parameters
        ----------
        text : as it came.
        now : the device's own monotonic time, s.
        status : gives the content of a status, for a report or a welcome.

        Returns
        -------
        Received | None
            None for what is malformed, forged, replayed or of another session; it was counted.
        """
        message = parse(text)
        if message is None or message.direction != DOWN or message.effector != self.effector:
            return self._refuse("malformed")
        if message.kind in _FIXED:
            return self._fixed_key(message, status)
        return self._session_key(message, now)

    def _fixed_key(self, message: Message, status: Callable[[], Mapping[str, Any]]) -> Received | None:
        """A hello or a query."""
        # The MAC before the body: JSON of a stranger is never parsed.
        if not _is_authentic(self._fixed["handshake"], message):
            return self._refuse("forged")
        content = message.content()
        nonce = _nonce(content, "nonce")
        if content is None or nonce is None:
            return self._refuse("malformed")
        if message.kind == "query":
            return Received("query", content, replies=(self._report("report", status(), nonce.hex()),))
        # One offer serves one handshake, so that a recorded hello can never open a session again.
        if _nonce(content, "offer") != self._offer:
            return self._refuse("replayed")
        session = _agree(self._pairing_key, self.effector, self._offer, nonce)
        self._offer = world.chance.token_bytes(NONCE_BYTES)
        self._pending[session.name] = session
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)
        welcome = {**status(), "incarnation": self.incarnation, "counter": self._counter}
        reply = _seal(session.key, self.effector, "welcome", session.name, (session.next(), 0), welcome)
        return Received("hello", content, replies=(reply,))

    def _session_key(self, message: Message, now: float) -> Received | None:
        """A command or an end, under the current or a pending session key."""
        session = self._pending.get(message.session)
        begins = session is not None
        if session is None and self._current is not None and message.session == self._current.name:
            session = self._current
        if session is None:
            return self._refuse("session")
        if not _is_authentic(session.key, message):
            return self._refuse("forged")
        content = message.content()
        if content is None:
            return self._refuse("malformed")
        is_stop = message.kind == "command" and content.get("action") == "stop"
        # A stop is followed at any sequence number: messages may overtake each other.
        if message.sequence <= session.received and not is_stop:
            return self._refuse("replayed")
        # max: a stop that was overtaken must not make older commands acceptable again.
        session.received = max(session.received, message.sequence)
        if begins:
            self._current = session
            self._pending.clear()
        age_s = now - self._published.get(message.echo, -math.inf)
        return Received(message.kind, content, age_s, begins)

    def _report(self, kind: str, content: Mapping[str, Any], nonce: str) -> str:
        self._counter += 1
        body = {
            **content,
            "counter": self._counter,
            "incarnation": self.incarnation,
            "session": self.session,
            "offer": self._offer.hex(),
            "foreign": self.foreign,
            **({"nonce": nonce} if nonce else {}),
        }
        return _seal(self._fixed["status"], self.effector, kind, "-", (0, 0), body)

    def _refuse(self, reason: str) -> Received | None:
        self.foreign[reason] += 1
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the device that the engine's end accepted.

    ``kind`` is ``"welcome"`` (a session key is agreed), ``"ack"``, ``"status"`` or ``"report"``. ``is_fresh`` says
    whether the content is known to be new: it belongs to the session, or answers this end's own query.
    """

    kind: str
    content: Mapping[str, Any]
    is_fresh: bool


class EngineEnd:
    """The engine's end; also that of a process that only watches or stops a device.

    Parameters
    ----------
    pairing_key : 32 bytes.
    effector : name of the effector profile.

    Attributes
    ----------
    foreign : messages that were malformed, forged, replayed or of another session.
    counter : newest verified status counter of the device, 0 before the first.
    """

    def __init__(self, pairing_key: bytes, effector: str) -> None:
        self.effector = effector
        self.foreign = self.counter = 0
        self._pairing_key = pairing_key
        self._fixed = {name: derive(pairing_key, name, effector) for name in ("handshake", "status")}
        self._current: _Session | None = None
        self._pending: OrderedDict[str, _Session] = OrderedDict()
        self._incarnation = ""
        self._offer: bytes | None = None
        self._asked = ""

    @property
    def session(self) -> str:
        """Name of the agreed session key, ``""`` without one."""
        return "" if self._current is None else self._current.name

    @property
    def has_offer(self) -> bool:
        """Whether a status has offered a nonce that this end has not used yet."""
        return self._offer is not None

    def hello(self, content: Mapping[str, Any]) -> str:
        """Ask for a new session key; ``content`` is sent signed. The running session stays until it is agreed.

        Raises
        ------
        BadValue
            When no status has offered a nonce.
        """
        if self._offer is None:
            raise BadValue(messages.Message("pairing.no_status_yet"))
        nonce, offer = world.chance.token_bytes(NONCE_BYTES), self._offer
        self._offer = None
        session = _agree(self._pairing_key, self.effector, offer, nonce)
        self._pending[session.name] = session
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)
        body = {**content, "nonce": nonce.hex(), "offer": offer.hex()}
        return _seal(self._fixed["handshake"], self.effector, "hello", "-", (0, 0), body)

    def query(self) -> str:
        """Ask for a report, which proves that the statuses from then on are new."""
        self._asked = world.chance.token_hex(NONCE_BYTES)
        return _seal(self._fixed["handshake"], self.effector, "query", "-", (0, 0), {"nonce": self._asked})

    def command(self, content: Mapping[str, Any]) -> list[str]:
        """A command under the session key; a stop also under keys that are being agreed. Empty without a key."""
        keys = [] if self._current is None else [self._current]
        if content.get("action") == "stop":
            keys += self._pending.values()
        return [self._under(session, "command", content) for session in keys]

    def end(self, reason: str) -> list[str]:
        """Tell the device that no engine follows: it completes its safe state."""
        return [] if self._current is None else [self._under(self._current, "end", {"reason": reason})]

    def receive(self, text: str) -> Answer | None:
        """Verify a text of the device, None for what is malformed, forged, old or of another session; counted."""
        message = parse(text)
        if message is None or message.direction != UP or message.effector != self.effector:
            return self._refuse()
        if message.kind in _FIXED:
            return self._status(message)
        session = self._pending.get(message.session)
        if session is None and self._current is not None and message.session == self._current.name:
            session = self._current
        content = message.content() if session is not None and _is_authentic(session.key, message) else None
        if session is None or content is None or message.sequence <= session.received:
            return self._refuse()
        session.received = message.sequence
        if message.kind == "welcome":
            self._current = session
            self._pending.clear()
            self._incarnation, self.counter = str(content.get("incarnation")), _count(content)
        return Answer(message.kind, content, is_fresh=True)

    def _status(self, message: Message) -> Answer | None:
        content = message.content() if _is_authentic(self._fixed["status"], message) else None
        offer = _nonce(content, "offer")
        if content is None or offer is None:
            return self._refuse()
        if message.kind == "report" and self._asked and content.get("nonce") == self._asked:
            self._incarnation, self.counter = str(content.get("incarnation")), _count(content)
            self._asked, self._offer = "", offer
            return Answer("report", content, is_fresh=True)
        if message.kind == "report":
            return None  # The answer to another process's query.
        # Fresh only from the device process that this end has met: one that was started again counts from 1,
        # and its statuses might be replayed ones.
        if content.get("incarnation") == self._incarnation:
            if _count(content) <= self.counter:
                return self._refuse()
            self.counter, self._offer = _count(content), offer
            return Answer("status", content, is_fresh=True)
        self._offer = offer
        return Answer("status", content, is_fresh=False)

    def _under(self, session: _Session, kind: str, content: Mapping[str, Any]) -> str:
        numbers = (session.next(), self.counter)
        return _seal(session.key, self.effector, kind, session.name, numbers, dict(content))

    def _refuse(self) -> Answer | None:
        self.foreign += 1
        return None


def _nonce(content: Mapping[str, Any] | None, name: str) -> bytes | None:
    """A nonce from a body, None when it is malformed."""
    text = None if content is None else content.get(name)
    if not isinstance(text, str) or _NONCE.fullmatch(text) is None:
        return None
    return bytes.fromhex(text)


def _count(content: Mapping[str, Any]) -> int:
    counter = content.get("counter")
    return counter if isinstance(counter, int) and not isinstance(counter, bool) else 0
