"""Who may sign: people with a password, and scripts that stand in for somebody.

A password is kept as an argon2id hash (RFC 9106) and asked for again at each signature (21 CFR 11.200). Attempts
are audited; after three refused ones the next has to wait. All of this runs in the caller's own account: who can
write the record's file can also bypass it, so that it shows who signed to honest users and is evidence, not a
lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from workbench import world
from workbench.errors import BadValue, Refused, UnknownName
from workbench.messages import Message
from workbench.study import schema
from workbench.study.nouns import told
from workbench.study.writer import Writer
from workbench.vocabulary import PersonState

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from workbench.study.record import Study

ROLES = (
    "operator", "therapist", "assessor", "engineer", "investigator", "coordinator", "data_manager", "monitor",
    "statistician", "safety_officer",
)  # fmt: skip
APPROVERS = ("engineer", "investigator")
"""Roles that may approve a decoder."""
LEAST_PASSWORD = 8
"""Fewest characters of a password (NIST SP 800-63B, 3.1.1.2)."""
MOST_PASSWORD = 1024
SALT_BYTES = 16
"""Of a password's hash (RFC 9106, 3.1)."""
FREE_ATTEMPTS = 3
"""Refused attempts before the next one has to wait."""
LONGEST_WAIT_S = 60.0
CONFIRMED_S = 60.0
"""How long a confirmation may wait for its signature, s."""
ATTEMPTS = ("sign_in", "confirm", "sign_in_refused", "confirm_refused")
MISMATCH = Message("people.mismatch")


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signed in, or a script that stands in for somebody.

    Attributes
    ----------
    folder : of the study.
    name, login, person_id, roles : the person; login and id are ``""`` for a script.
    method : ``"password"`` or ``"script"``.
    sites : codes of the only sites whose participants the person may change; empty for all. A service of another
        account fills it in (:mod:`workbench.clinic`), because only there it can be enforced.
    """

    folder: Path
    name: str
    method: Literal["password", "script"]
    login: str = ""
    person_id: str = ""
    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    @property
    def can_approve(self) -> bool:
        """Whether the roles allow to approve a decoder; a script may, for simulated participants only."""
        return self.method == "script" or bool(set(self.roles) & set(APPROVERS))

    def confirm(self, password: str = "") -> Confirmation:
        """Prove presence again, for one signature. A script confirms without a password.

        Raises
        ------
        Refused
            When the password does not match, or attempts have to wait.
        """
        if self.method == "script":
            return Confirmation(self)
        from workbench.study.record import Study

        with Study.open(self.folder, actor=self.name) as study:
            attempt(study, self.login, password, action="confirm")
        return Confirmation(self)


@dataclass(slots=True)
class Confirmation:
    """A fresh proof of presence, good for one signature within :data:`CONFIRMED_S`."""

    signer: Signer
    _made: float = field(default_factory=lambda: world.clock.monotonic(), repr=False)
    _used: bool = field(default=False, repr=False)

    def use(self) -> Signer:
        """The signer; a second call is refused. Raises Refused."""
        if self._used or world.clock.monotonic() - self._made > CONFIRMED_S:
            raise Refused(Message("people.confirmation_used"))
        self._used = True
        return self.signer


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


@cache
def _nobody() -> str:
    """Hash that is checked for an unknown login, so that it takes as long as for a known one."""
    return _hasher().hash("nobody has this password")


def hashed(password: str) -> str:
    """argon2id hash of a new password.

    Raises
    ------
    BadValue
        When it is too short or too long; the text never repeats it.
    """
    if not isinstance(password, str) or not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise BadValue(Message("people.password_length", least=LEAST_PASSWORD, most=MOST_PASSWORD))
    return _hasher().hash(_secret(password), salt=world.chance.token_bytes(SALT_BYTES))


def _secret(password: str) -> bytes:
    """What is hashed: UTF-8, also of what is no valid Unicode, so that every text is a password or a wrong one."""
    return password[:MOST_PASSWORD].encode("utf-8", "surrogatepass")


def add(study: Study, *, login: str, name: str, password: str, roles: Sequence[str]) -> str:
    """Enter a person; see :meth:`workbench.study.Study.add_person`.

    Parameters
    ----------
    study : the open record.
    login, name, password, roles : of the person.
    """
    values = {
        "id": "", "login": login, "name": name, "password": hashed(password),
        "roles": checked_roles(roles), "state": "active",
    }  # fmt: skip
    with study.writing.begin("person") as writer:
        return writer.put("person", values, reason="person added")[0]


def set_password(study: Study, login: str, password: str) -> None:
    """Give a person a new password. Raises UnknownName or BadValue.

    Parameters
    ----------
    study : the open record.
    login : of the person.
    password : the new one.
    """
    set_hash(study, login, hashed(password))


def set_hash(study: Study, login: str, fresh: str) -> None:
    """Give a person a new password that was hashed already. Raises UnknownName.

    Parameters
    ----------
    study : the open record.
    login : of the person.
    fresh : as :func:`hashed` gives it.
    """
    with study.writing.begin("person") as writer:
        person = _person(writer, login)
        if person is None:
            raise UnknownName(Message("people.no_login", login=told(login)))
        writer.change(schema.person, person["id"], {"password": fresh}, action="amend", reason="new password")


def set_state(study: Study, login: str, state: PersonState, *, reason: str) -> None:
    """Close (``"closed"``) or reopen (``"active"``) a person's access. Raises UnknownName or BadValue.

    Parameters
    ----------
    study : the open record.
    login : of the person.
    state : ``"closed"`` or ``"active"``.
    reason : why; must not be empty.
    """
    with study.writing.begin("person") as writer:
        person = _person(writer, login)
        if person is None:
            raise UnknownName(Message("people.no_login", login=told(login)))
        writer.change(schema.person, person["id"], {"state": state}, action="amend", reason=reason)


def sign_in(study: Study, login: str, password: str) -> Signer:
    """See :meth:`workbench.study.Study.sign_in`.

    Parameters
    ----------
    study : the open record.
    login, password : as typed.
    """
    person = attempt(study, login, password, action="sign_in")
    return Signer(
        study.folder, person["name"], "password", login=person["login"], person_id=person["id"],
        roles=tuple(person["roles"]),
    )  # fmt: skip


def attempt(study: Study, login: str, password: str, *, action: str) -> Mapping[str, Any]:
    """Check a password inside one write transaction, so that attempts queue up, and audit it either way.

    Parameters
    ----------
    study : the open record.
    login, password : as given.
    action : ``"sign_in"`` or ``"confirm"``.

    Raises
    ------
    Refused
        One sentence for a wrong login, a wrong password and a closed person alike; or the time to wait.
    """
    with study.writing.begin(action) as writer:
        person = _person(writer, login) if isinstance(login, str) else None
        row_id = person["id"] if person else "unknown"
        wait = _wait(writer, row_id)
        # Not audited: the transaction is rolled back, so that whoever keeps trying does not prolong the wait.
        if wait > 0:
            raise Refused(Message("people.wait", n=f"{wait:.0f}"))
        accepted = matches(person, password) and person is not None and person["state"] == "active"
        _note(writer, person, action if accepted else f"{action}_refused")
    # Outside the transaction, which must be committed: the refusal has to stay in the chain.
    if not accepted or person is None:
        raise Refused(MISMATCH)
    return person


def matches(person: Mapping[str, Any] | None, password: str) -> bool:
    """Whether a password is the person's; takes as long for nobody, and half a second for anybody.

    Parameters
    ----------
    person : row with its hash, None for a login that there is not.
    password : as given.
    """
    from argon2.exceptions import VerificationError

    try:
        # A hash is checked in any case, so that the time taken does not say whether the login exists.
        known = person["password"] if person else _nobody()
        return _hasher().verify(known, _secret(str(password))) and person is not None
    except VerificationError:
        return False


def account(study: Study, *, login: str = "", person_id: str = "") -> Mapping[str, Any] | None:
    """The row of a person with the hash of the password, which never leaves the process; None for nobody.

    Parameters
    ----------
    study : the open record.
    login, person_id : of the person; one of them.
    """
    column, value = (schema.person.c.login, login) if login else (schema.person.c.id, person_id)
    with study.database.connected() as connection:
        row = connection.execute(select(schema.person).where(column == value)).mappings().first()
    return None if row is None else dict(row)


def note(study: Study, action: str, person: Mapping[str, Any] | None, *, matched: bool = True) -> bool:
    """Enter that somebody signed in, confirmed or signed out, after the password was checked elsewhere.

    Parameters
    ----------
    study : the open record.
    action : ``"sign_in"``, ``"confirm"`` or ``"sign_out"``.
    person : row that the password was checked against, None for nobody.
    matched : whether it was right.

    Returns
    -------
    bool
        Whether it is accepted: not where the person was closed or has a new password meanwhile.
    """
    with study.writing.begin(action, actor=str(person["name"]) if person and matched else "") as writer:
        now = writer.get(schema.person, id=person["id"]) if person else None
        same = bool(now and person and now["password"] == person["password"] and now["state"] == "active")
        accepted = matched and same
        _note(writer, now, action if accepted or action == "sign_out" else f"{action}_refused")
    return accepted


def _note(writer: Writer, person: Mapping[str, Any] | None, action: str) -> None:
    # What was typed as an unknown login is not kept: it may be a password in the wrong field.
    version = int(person["row_version"]) if person else 0
    payload = {"new": None, "old": None, "reason": ""}
    writer.log(action, "person", person["id"] if person else "unknown", version=version, payload=payload)


def listed(study: Study) -> list[dict[str, Any]]:
    """Everybody who may sign or once could, without the hashes."""
    columns = ("id", "login", "name", "roles", "state")
    return [{name: row[name] for name in columns} for row in study.rows("person")]


def checked_roles(roles: Sequence[str]) -> list[str]:
    """The roles as a list. Raises BadValue for none and for one that there is not."""
    wrong = [role for role in roles if role not in ROLES]
    if isinstance(roles, str) or wrong or not roles:
        raise BadValue(Message("people.roles", allowed=list(ROLES), got=told(roles)))
    return list(roles)


def _person(writer: Writer, login: str) -> dict[str, Any] | None:
    return writer.get(schema.person, login=login) if login else None


def _wait(writer: Writer, row_id: str) -> float:
    """Seconds until the next attempt is taken: doubled with each refusal after the free ones."""
    audit = schema.audit
    query = select(audit.c.action, audit.c.utc, audit.c.mono_ns, audit.c.boot_id)
    query = query.where(audit.c.table_name == "person", audit.c.row_id == row_id, audit.c.action.in_(ATTEMPTS))
    # So many suffice: after eight doublings the wait is at its longest.
    newest = writer.rows(query.order_by(audit.c.seq.desc()).limit(FREE_ATTEMPTS + 8))
    refused = next((n for n, row in enumerate(newest) if not row["action"].endswith("_refused")), len(newest))
    if refused < FREE_ATTEMPTS:
        return 0.0
    last = newest[0]
    # Within one boot by the monotonic clock, which nobody can set forward.
    if last["boot_id"] and last["boot_id"] == world.clock.boot_id():
        gone = (world.clock.monotonic_ns() - last["mono_ns"]) / 1e9
    else:
        gone = (world.clock.now() - datetime.fromisoformat(last["utc"])).total_seconds()
    wait = min(LONGEST_WAIT_S, 2.0 ** (refused - FREE_ATTEMPTS + 1))
    return float(wait - max(gone, 0.0))
