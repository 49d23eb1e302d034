"""``database.toml``: the file of a study folder that says in which PostgreSQL database its record lies.

It holds no password: libpq takes that from the password file, from the service or from the operating system.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import tomli_w

from workbench import messages, reading, world
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message

FILE = "database.toml"
LARGEST = 16_384
"""Bytes of the largest file that is read."""
LONGEST_URL = 2_000
SCHEMES = ("postgresql", "postgres")
SECRETS = ("password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret")
"""Parameters of a connection that are secrets."""
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_NOT_IN_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record lies.

    Attributes
    ----------
    url : of the database, without a password.
    schema : in it.
    moving : the record is being moved: a ``study.db`` that lies beside this file is not the study's, or not yet.
    """

    url: str
    schema: str
    moving: bool = False

    def __str__(self) -> str:
        return f"{self.url} (schema {self.schema})"

    def text(self) -> str:
        """As the file holds it."""
        moving = {"moving": True} if self.moving else {}
        return tomli_w.dumps({"url": self.url, "schema": self.schema, **moving})


def is_there(folder: Path) -> bool:
    """Whether a study folder names a database. Raises RecordFault when it cannot be looked into."""
    return reading.is_there(folder / FILE, Message("file.noun_study_record"), error=RecordFault)


def new(url: str, *, code: str) -> Pointer:
    """A schema of its own for a new study.

    Parameters
    ----------
    url : of the database.
    code : of the study; what of it fits stands in the name of the schema.

    Raises
    ------
    BadValue
        For a URL that is none, or that holds a password.
    """
    name = _NOT_IN_NAME.sub("_", code.lower()).strip("_")[:30]
    return Pointer(checked(url), "_".join(filter(None, ("study", name, world.chance.token_hex(4)))))


def read(folder: Path, name: str = FILE) -> Pointer:
    """What the file of a study folder says; ``name`` is that of the file. Raises RecordFault."""
    path, what = folder / name, Message("file.noun_pointer")
    text = reading.read_text(path, what, largest=LARGEST, error=RecordFault)
    try:
        content = tomllib.loads(text)
        url, schema, moving = content["url"], content["schema"], content.get("moving", False)
        if not isinstance(moving, bool):
            raise ValueError(Message("store.no_flag", got=f"{moving!r:.60}"))
        if not isinstance(url, str) or not isinstance(schema, str) or not _SCHEMA.fullmatch(schema):
            raise ValueError(Message("store.no_schema_name"))
        return Pointer(checked(url), schema, moving)
    except (ValueError, LookupError, RecursionError) as error:
        raise RecordFault(
            Message("store.bad_pointer", path=reading.shown(path), why=messages.of(error))
        ) from error


def checked(url: str) -> str:
    """A URL as it may be stored. Raises BadValue for one that is none, or that holds a password."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or any(
            name in SECRETS for name, _ in parse_qsl(parts.query, keep_blank_values=True)
        )
    except ValueError as error:
        # Not the URL itself: what cannot be taken apart may hold a password.
        raise BadValue(Message("store.not_url", got=type(error).__name__)) from error
    # Before all else, so that no sentence repeats it.
    if secret:
        raise BadValue(Message("store.password"))
    if parts.scheme not in SCHEMES or len(url) > LONGEST_URL or not url.isprintable():
        raise BadValue(Message("store.not_url", got=f"{url!r:.60}"))
    if len(parts.path) < 2 and "dbname=" not in parts.query:
        raise BadValue(Message("store.no_database", got=f"{url!r:.100}"))
    return url
