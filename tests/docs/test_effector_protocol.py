"""The protocol of an effector is what the code speaks, and enough to write a device from."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

from workbench.devices._device_rules import ACTIONS, CODES, LONGEST_TTL_S, REFUSALS, REMEMBERED
from workbench.devices._last_metre import (
    KINDS,
    MAX_MESSAGE,
    MAX_PENDING,
    REMEMBERED_STATUSES,
    DeviceEnd,
    EngineEnd,
    _agree,
    _seal,
    derive,
    link_id,
    parse,
)
from workbench.vocabulary import Acknowledgement, Command

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "effector_protocol.md").read_text(encoding="utf-8")
VECTORS = json.loads(TEXT.split("```json\n")[1].split("\n```")[0])
KEY, EFFECTOR = bytes.fromhex(VECTORS["pairing_key"]), VECTORS["effector"]
NONCES = bytes.fromhex(VECTORS["device_nonce"]), bytes.fromhex(VECTORS["engine_nonce"])


def hkdf(key, purpose, salt=b""):
    """RFC 5869 for one block, written from the document and the standard alone."""
    extracted = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    info = "\n".join(("workbench last metre 1", purpose, EFFECTOR)).encode()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def mac(key, text):
    """MAC of a message, written from the document alone: over all but the eighth of nine fields."""
    fields = text.split(" ", 8)
    return hmac.new(key, " ".join([*fields[:7], fields[8]]).encode("ascii"), hashlib.sha256).hexdigest()


def section(title):
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(title):
    cells = re.findall(r"^\| ([^|]+) \|", section(title), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_keys_of_the_vectors_follow_from_the_standard_and_from_the_code():
    session = hkdf(KEY, "session", NONCES[0] + NONCES[1])
    assert hkdf(KEY, "handshake").hex() == VECTORS["handshake_key"] == derive(KEY, "handshake", EFFECTOR).hex()
    assert hkdf(KEY, "status").hex() == VECTORS["status_key"] == derive(KEY, "status", EFFECTOR).hex()
    assert hkdf(KEY, "link id").hex()[:12] == VECTORS["link_id"] == link_id(KEY, EFFECTOR)
    name = hmac.new(session, b"name", hashlib.sha256).hexdigest()[:16]
    agreed = _agree(KEY, EFFECTOR, *NONCES)
    assert (session.hex(), name) == (VECTORS["session_key"], VECTORS["session"]) == (agreed.key.hex(), agreed.name)


def test_the_messages_of_the_vectors_follow_from_the_document_and_from_the_code():
    keys = {"hello": "handshake_key", "command": "session_key", "ack": "session_key", "status": "status_key"}
    for kind, name in keys.items():
        text, key = VECTORS[kind], bytes.fromhex(VECTORS[name])
        assert text.split(" ", 8)[7] == mac(key, text)
        message = parse(text)
        numbers = (message.sequence, message.echo)
        assert _seal(key, EFFECTOR, kind, message.session, numbers, message.content()) == text


def test_a_device_follows_the_command_of_the_vectors_and_an_engine_takes_the_answer():
    device, engine = DeviceEnd(KEY, EFFECTOR), EngineEnd(KEY, EFFECTOR)
    device._offer = NONCES[0]
    assert device.receive(VECTORS["hello"], now=0.0, status=dict).kind == "hello"
    received = device.receive(VECTORS["command"], now=0.0, status=dict)
    assert (received.kind, received.begins_session, received.content["level"]) == ("command", True, [0.5])
    engine._current = _agree(KEY, EFFECTOR, *NONCES)
    assert engine.receive(VECTORS["ack"]).content["status"] == "ok"
    assert engine.receive(VECTORS["status"]).content["counter"] == 42


def test_every_kind_field_action_and_code_of_the_code_stands_in_the_document():
    assert first_cells("Messages") >= set(KINDS)
    assert first_cells("Commands") == set(Command.__dataclass_fields__)
    assert first_cells("Acknowledgements") == {
        *Acknowledgement.__dataclass_fields__,
        "refused",
        *REFUSALS,
        *CODES,
    } - {""}
    assert all(f"`{action}`" in section("Commands") for action in ACTIONS)
    for code, meaning in (*REFUSALS.items(), *CODES.items()):
        assert f"| {f'`{code}`' if code else 'empty'} | {meaning} |" in TEXT


def test_every_field_of_a_status_stands_in_the_document():
    body = json.loads(DeviceEnd(KEY, EFFECTOR).status({}, now=0.0).split(" ", 8)[8])
    assert set(body) <= first_cells("Statuses")
    assert {"state", "level", "locked", "stamp", "uids"} <= first_cells("Statuses")


def test_the_numbers_of_the_document_are_those_of_the_code():
    assert f"At most {MAX_MESSAGE} ASCII characters" in TEXT
    assert f"Up to {MAX_PENDING} handshakes" in TEXT
    assert f"(the last {REMEMBERED_STATUSES})" in TEXT
    assert f"at most {LONGEST_TTL_S * 1000:g} |" in TEXT
    assert f"at least {REMEMBERED} answers" in TEXT
