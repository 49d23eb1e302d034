"""The audit chain: canonical text, salted commitments, genesis and links. Standard library only.

::

    payload      canonical JSON of {new, old, reason}
    commitment   SHA-256(salt ‖ payload), 16 random bytes of salt
    record       the audit row without its hash
    hash_0       SHA-256 of study id, schema hash, creation time, random
    hash_n       SHA-256(hash_{n-1} ‖ canonical(record_n))

Salt and payload live in their own table, so that a payload can be deleted (redaction) and the chain
still holds.
From the introduction of a key on, ``hash_n`` is the HMAC-SHA256 of the same text under that key (FIPS 198-1):
who lacks the key cannot compute it. What a signature covers is :func:`digest`, which everybody can compute. A cut
tail shows only against a head outside the database: an anchor, a report, the key file.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

import numpy as np

from workbench.errors import BadValue
from workbench.messages import Message

CHAIN = "workbench study record chain 1"
APPLICATION_ID = 0x57425354
"""``WBST``, in the header of a record's file or in a table of its schema: tells it from any other database."""
SECRET = {"person": ("password",)}
"""Columns by table that reading leaves out and that no payload shows."""
MASTER = "SELECT type, name, tbl_name, rootpage = 0, COALESCE(sql, '') FROM sqlite_master"
"""What the schema hash covers: every table, index and trigger, with its SQL."""

RECORD = (
    "seq", "utc", "tz", "mono_ns", "boot_id", "actor", "action",
    "table_name", "row_id", "row_version", "schema_version", "commitment",
)  # fmt: skip
"""Columns of the audit table that enter the hash of a row."""
_BEFORE = '{"action":%s,"actor":%s,"boot_id":%s,"commitment":%s'
_AFTER = (
    ',"mono_ns":%d,"row_id":%s,"row_version":%d,"schema_version":%d,"seq":%d,"table_name":%s,"tz":%s,"utc":%s}'
)
"""Canonical text of an audit row, up to and from the place of its hash."""


def clean_text(value: str) -> str:
    """Text in Unicode normal form C. Raises BadValue for text that UTF-8 cannot hold."""
    text = unicodedata.normalize("NFC", value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadValue(Message("study.invalid_text", text=ascii(text))) from error
    return text


def clean(value: Any) -> Any:
    """The value as plain JSON data: text in NFC, lists, dicts with text keys, finite numbers.

    Raises
    ------
    BadValue
        For NaN, infinities, and anything JSON cannot hold; the text names the value.
    """
    if isinstance(value, np.generic):
        # NumPy scalars become Python's, whose shortest text gives the same bits back.
        value = value.item()
    # Before the numbers: bool is an Integral, and True must not be stored as 1.
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise BadValue(Message("study.not_finite", got=str(value)))
        return float(value)
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise BadValue(Message("study.key_no_text", got=repr(wrong[0])))
        return {clean_text(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    raise BadValue(Message("study.not_storable", kind=type(value).__name__, got=f"{value!r:.80}"))


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, shortest round-trip numbers. ``value`` must be :func:`clean`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """SHA-256 of the UTF-8 text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def commitment(salt: bytes, payload: str) -> str:
    """Salted commitment of a payload: it can be checked while the payload exists, and tells nothing after."""
    return hashlib.sha256(salt + payload.encode("utf-8")).hexdigest()


def genesis(*, study_id: str, schema_sha256: str, created_utc: str, nonce: str) -> str:
    """Hash before the first row, different for every study ever created.

    Parameters
    ----------
    study_id, schema_sha256, created_utc, nonce : columns of the study's row.
    """
    return sha256(canonical([CHAIN, study_id, schema_sha256, created_utc, nonce]))


def schema_hash(statements: Iterable[Iterable[Any]]) -> str:
    """SHA-256 over the rows of :data:`MASTER`, sorted."""
    return sha256(canonical(sorted(list(row) for row in statements)))


def halves(record: Sequence[Any]) -> tuple[str, str]:
    """Canonical text of an audit row's columns :data:`RECORD`, cut where ``hash`` stands in the order of names.

    The text is what :func:`canonical` gives, put together by hand: of a hundred thousand rows that is a fifth of
    the time.

    Parameters
    ----------
    record : the columns, in the order of :data:`RECORD`.
    """
    seq, utc, tz, mono_ns, boot_id, actor, action, table, row_id, version, schema, commits = record
    # A column that damage gave another type must not come out as the number or text that it was.
    if not type(seq) is type(mono_ns) is type(version) is type(schema) is int or not (
        type(utc) is type(tz) is type(boot_id) is type(actor) is type(action) is str
        and type(table) is type(row_id) is type(commits) is str
    ):
        return canonical(dict(zip(RECORD, record, strict=True))), ""
    quote = encode_basestring
    whole = f"{utc}{tz}{boot_id}{actor}{action}{table}{row_id}{commits}"
    # What must be escaped becomes longer. In nearly every row nothing must: it is looked at once and not in parts.
    if len(quote(whole)) == len(whole) + 2:
        return (
            f'{{"action":"{action}","actor":"{actor}","boot_id":"{boot_id}","commitment":"{commits}"',
            f',"mono_ns":{mono_ns},"row_id":"{row_id}","row_version":{version},"schema_version":{schema},"seq":{seq}'
            f',"table_name":"{table}","tz":"{tz}","utc":"{utc}"}}',
        )
    return (
        _BEFORE % (quote(action), quote(actor), quote(boot_id), quote(commits)),
        _AFTER % (mono_ns, quote(row_id), version, schema, seq, quote(table), quote(tz), quote(utc)),
    )


def link(previous: str, record: Mapping[str, Any], key: bytes | None = None) -> str:
    """Hash of an audit row from the hash before it and its columns :data:`RECORD`; keyed with ``key`` (HMAC).

    Parameters
    ----------
    previous : hash of the row before.
    record : columns :data:`RECORD` of the row.
    key : of the HMAC; None is a plain SHA-256.
    """
    return linked(previous, halves([record[name] for name in RECORD]), key)


def linked(previous: str, text: tuple[str, str], key: bytes | None = None) -> str:
    """As :func:`link`, of a row whose text is known.

    Parameters
    ----------
    previous : hash of the row before.
    text : as of :func:`halves`.
    key : of the HMAC; None is a plain SHA-256.
    """
    return hasher(key)(f"{previous}{text[0]}{text[1]}")


def hasher(key: bytes | None = None) -> Callable[[str], str]:
    """SHA-256 of a text, or its HMAC-SHA256 under a key, 64 hexadecimal digits.

    The HMAC is put together as FIPS 198-1, 5 defines it, with the two blocks of the key hashed once: a chain has
    many rows of a few hundred bytes, of which :mod:`hmac` hashes the blocks again each time.

    Parameters
    ----------
    key : at most 64 bytes; None is a plain SHA-256.
    """
    if key is None:
        return sha256
    block = key.ljust(64, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def keyed(text: str) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(text.encode("utf-8"))
        second.update(first.digest())
        return second.hexdigest()

    return keyed


def veiled(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as a payload shows them: of a secret one only its SHA-256, against which its row can be checked.

    A password's argon2 text contains a random salt of 128 bits. With the text gone from its row nobody can try a
    guess against the digest.
    """
    secret = SECRET.get(table, ())
    return {name: f"sha256:{sha256(str(value))}" if name in secret else value for name, value in values.items()}


def digest(previous: str, record: Mapping[str, Any]) -> str:
    """Running SHA-256 over whole audit rows, their hash included: what a signed head commits to."""
    return digested(previous, halves([record[name] for name in RECORD]), record["hash"])


def digested(previous: str, text: tuple[str, str], own: str) -> str:
    """As :func:`digest`, of a row whose text is known.

    Parameters
    ----------
    previous : digest of the rows before.
    text : as of :func:`halves`.
    own : the row's hash.
    """
    return sha256(f'{previous}{text[0]},"hash":{encode_basestring(own)}{text[1]}')
