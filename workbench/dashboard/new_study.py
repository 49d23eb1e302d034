"""A new study, step by step: what it follows, its people, the record, and the protocol that two of them sign.

A :class:`NewStudyService` is what ``widgets.NewStudy`` may ask. Nothing is written before the study is made, and a
protocol is read once: what was shown with its hash is what is signed, whatever happens to the file meanwhile.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from workbench import messages, reading, systems, world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.exchange import completed
from workbench.messages import Message
from workbench.study import Study, protocol
from workbench.study.changes.protocols import AdoptProtocol
from workbench.study.people import ROLES, checked_roles
from workbench.study.protocol import Protocol
from workbench.study.protocol_reading import BadProtocol, is_name
from workbench.vocabulary import Participant

SourceKind = Literal["", "system", "protocol"]
FIRST = "P-001"
"""Pseudonym of the first participant of a study that follows a system."""
MOST_PEOPLE = 100


@dataclass(slots=True)
class Person:
    """Somebody of the new study; ``entered`` once they are in its record."""

    login: str
    name: str
    roles: tuple[str, ...]
    entered: bool = False


class NewStudyService:
    """What the wizard of a new study may ask.

    Parameters
    ----------
    folder : of the study; it must not hold one yet.
    operator : who does it, as the record will name them.

    Attributes
    ----------
    folder : as given. protocol : what the study is to follow, None for a system or before one is chosen.
    """

    def __init__(self, folder: Path | str, *, operator: str) -> None:
        self.folder, self._operator = Path(folder), operator
        self.protocol: Protocol | None = None
        self._kind: SourceKind = ""
        self._name = ""
        self._problems: tuple[str, ...] = ()
        self._draft, self._text = Path(), ""
        self._code, self._title, self._participant = self.folder.absolute().name, "", FIRST
        self._simulated = False
        self._people: list[Person] = []
        self._made = False

    # ------------------------------------------------------------------------------ what is shown
    def state(self) -> dict[str, Any]:
        """Everything that is shown (see ``widgets.NewStudy``)."""
        return {
            "folder": str(self.folder), "source": {"kind": self._kind, "name": self._name},
            "systems": [{"name": name, "title": systems.load(name).title} for name in systems.available()],
            "code": self._code, "title": self._title, "participant": self._participant,
            "simulated": self._simulated, "protocol": _told(self.protocol) if self.protocol else {},
            "draft": {"path": str(self._draft), "text": self._text, **_outline(self._text)} if self._text else {},
            "problems": [{"text": one} for one in self._problems], "roles": list(ROLES),
            "people": [
                {"login": one.login, "name": one.name, "roles": list(one.roles), "entered": one.entered}
                for one in self._people
            ],
            "can_sign": self._can_sign(), "made": self._made, "signed": self._signed(),
        }  # fmt: skip

    def _can_sign(self) -> bool:
        """Whether two different people have the roles that a protocol asks for."""
        first, second = AdoptProtocol.SIGNED_BY
        return any(
            set(one.roles) & set(first) and set(other.roles) & set(second)
            for one in self._people
            for other in self._people
            if one is not other
        )

    def _signed(self) -> list[dict[str, str]]:
        if not self._made:
            return []
        with self._open() as study:
            return [
                {"name": row["signer"], "meaning": row["meaning"], "utc": row["utc"]}
                for row in study.rows("signature")
            ]

    # ------------------------------------------------------------------------------ before the study is made
    def choose_system(self, system: str) -> None:
        """Let the study follow a system of the register. Raises UnknownName."""
        self._before()
        found = systems.load(system)
        self._kind, self._name, self._title = "system", system, str(found.title)
        self.protocol, self._problems = None, ()

    def choose_file(self, path: Path | str) -> None:
        """Let the study follow a protocol file, which is checked; what is wrong with it is shown.

        Raises
        ------
        BadValue
            The file cannot be read or is no TOML. One that is, but is no protocol, is shown with its problems.
        """
        self._before()
        # An editor may have changed the draft since.
        of_draft = bool(self._text) and Path(path) == self._draft
        self._draft, self._text = (self._draft, _text_of(self._draft)) if of_draft else (Path(), "")
        self._kind, self._name, self.protocol = "protocol", str(path), None
        try:
            self.protocol = protocol.read(Path(path), procedures_of=_procedures)
            self._problems = ()
            self._code, self._title = self.protocol.about.code, self.protocol.about.title
        except BadProtocol as error:
            self._problems = error.problems
        except BadValue as error:
            self._problems = (messages.of(error),)
            raise

    def draft(self, system: str) -> None:
        """Write the draft of a protocol for a system beside the folder of the study, and check it.

        Parameters
        ----------
        system : of the register.

        Raises
        ------
        UnknownName
            No such system.
        Refused
            A file of that name is there already: a draft replaces nothing.
        RecordFault
            The file cannot be written.
        """
        self._before()
        text = completed(systems.draft(systems.load(system)), (), system).toml()
        path = self.folder.absolute().with_name(f"{self.folder.absolute().name}.protocol.toml")
        if path.exists():
            raise Refused(Message("new_study.draft_there", path=str(path)))
        self._save(path, text)

    def edit(self, text: str) -> None:
        """Keep another text of the protocol that was drafted here, and check it.

        Parameters
        ----------
        text : TOML; of a text that is none nothing is kept.

        Raises
        ------
        Refused
            Nothing was drafted here, or somebody else changed the file.
        BadValue
            The text is no TOML, or too long for a protocol file.
        RecordFault
            The file cannot be written; it holds what it held before.
        """
        self._before()
        if not self._text:
            raise Refused(Message("new_study.no_draft"))
        if _text_of(self._draft) != self._text:
            raise Refused(Message("new_study.draft_changed", path=str(self._draft)))
        if len(text.encode("utf-8", "replace")) > protocol.LARGEST:
            raise BadValue(Message("new_study.draft_long", most=f"{protocol.LARGEST:,}"))
        with suppress(BadProtocol):  # its problems are shown by the check of the file
            protocol.parse(text, self._draft.name)
        self._save(self._draft, text)

    def _save(self, path: Path, text: str) -> None:
        """Keep a text in the file of the draft, and check it."""
        try:
            world.disk.save(path, text.encode(), mode=0o644)
        except OSError as error:
            said = Message("new_study.draft_unwritten", path=str(path), why=str(error.strerror))
            raise RecordFault(said) from error
        self._draft, self._text = path, text
        self.choose_file(path)

    def name(self, code: str, title: str, participant: str = FIRST, *, simulated: bool = False) -> None:
        """Say what a study that follows a system is called, and who its first participant is.

        Parameters
        ----------
        code, title : of the study.
        participant : pseudonym of the first one.
        simulated : whether that one is simulated.

        Raises
        ------
        Refused
            The study follows a protocol file, which says both.
        BadValue
            A code, a title or a pseudonym that is none.
        """
        self._before()
        if self._kind == "protocol":
            raise Refused(Message("new_study.by_file"))
        for what, value in (("code", code), ("title", title), ("participant", participant)):
            if not is_name(value):
                raise BadValue(Message("new_study.no_name", what=what, got=f"{value!r:.60}"))
        self._code, self._title, self._participant = code, title, participant
        self._simulated = simulated is True

    def _before(self) -> None:
        if self._made:
            raise Refused(Message("new_study.made", folder=str(self.folder)))

    def create(self) -> None:
        """Make the study record.

        Raises
        ------
        Refused
            Nothing was chosen that it follows, the file has problems, or the study is made already.
        RecordFault
            The folder holds a record or cannot be written.
        """
        self._before()
        if self._kind == "system":
            systems.begin_study(
                systems.load(self._name), self.folder, code=self._code, title=self._title, actor=self._operator,
                participant=Participant(self._participant, simulated=self._simulated),
                first_visit=world.clock.local().date(),
            ).close()  # fmt: skip
        elif self.protocol is not None:
            Study.create(self.folder, code=self._code, title=self._title, actor=self._operator).close()
        elif self._problems:
            raise Refused(Message("new_study.problems"))
        else:
            raise Refused(Message("new_study.no_source"))
        self._made = True

    # ------------------------------------------------------------------------------ people
    def plan_person(self, login: str, name: str, roles: Sequence[str]) -> None:
        """Put somebody on the list of those who take part in the work.

        Parameters
        ----------
        login : short name for signing in.
        name : as it stands under a signature.
        roles : one or more of ``people.ROLES``.

        Raises
        ------
        BadValue
            No name, no role or an unknown one, or a login that is on the list.
        """
        for what, value in (("login", login), ("name", name)):
            if not is_name(value):
                raise BadValue(Message("new_study.no_name", what=what, got=f"{value!r:.60}"))
        known = checked_roles(roles)
        if login in [one.login for one in self._people] or len(self._people) >= MOST_PEOPLE:
            raise BadValue(Message("new_study.login_there", login=login, most=MOST_PEOPLE))
        self._people.append(Person(login, name, tuple(known)))

    def leave_out(self, login: str) -> None:
        """Take somebody off the list who is not in the record yet. Raises UnknownName or Refused."""
        person = self._person(login)
        if person.entered:
            raise Refused(Message("new_study.entered", login=login))
        self._people.remove(person)

    def _person(self, login: str) -> Person:
        for one in self._people:
            if one.login == login:
                return one
        known = [one.login for one in self._people] or Message("word.none")
        raise UnknownName(Message("new_study.no_person", login=f"{login!r:.60}", known=known))

    def enter_people(self, password: Callable[[str], str]) -> None:
        """Enter everybody of the list into the record.

        Parameters
        ----------
        password : asks for one, with a prompt that names the person, as ``getpass.getpass`` does; what it returns
            is hashed and forgotten.

        Raises
        ------
        Refused
            The study is not made yet.
        BadValue
            A password that is too short; those who come before are in the record.
        """
        with self._open() as study:
            for one in self._people:
                if not one.entered:
                    prompt = Message("new_study.password", name=one.name, login=one.login)
                    study.add_person(one.login, one.name, password(str(prompt)), one.roles)
                    one.entered = True

    def adopt(self, logins: Sequence[str], password: Callable[[str], str], *, reason: str = "") -> None:
        """Bring the protocol that was checked into force, signed by two people.

        Parameters
        ----------
        logins : of who signs, in the order of the roles that are asked for.
        password : asks for one, as in :meth:`enter_people`.
        reason : why, in words.

        Raises
        ------
        Refused
            The study is not made, follows a system, or a signature is not accepted.
        """
        if self.protocol is None:
            raise Refused(Message("new_study.no_protocol"))
        with self._open() as study:
            proofs = []
            for person in map(self._person, logins):
                secret = password(str(Message("new_study.password", name=person.name, login=person.login)))
                proofs.append(study.sign_in(person.login, secret).confirm(secret))
            study.apply(AdoptProtocol(self.protocol.definition()), proofs, reason)

    def _open(self) -> Study:
        if not self._made:
            raise Refused(Message("new_study.not_made"))
        return Study.open(self.folder, actor=self._operator)


def _procedures(system: str) -> Collection[str]:
    return systems.load(system).procedures


def _text_of(path: Path) -> str:
    return reading.read_text(path, Message("protocol.file"), largest=protocol.LARGEST, signed=True)


def _outline(text: str) -> dict[str, list[dict[str, str]]]:
    """What the text of a draft holds, whole or not: visits with their days, forms, endpoints and limits."""
    try:
        made = tomllib.loads(text)
    except ValueError:
        made = {}

    def each(section: str, *names: str) -> list[dict[str, str]]:
        listed = made.get(section, ())
        rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [{name: _plain(one.get(name, "?")) for name in names} for one in rows]

    return {
        "visits": each("visit", "name", "day", "earliest", "latest"), "forms": each("form", "title"),
        "endpoints": each("estimand", "name", "variable"),
        "limits": each("session_limit", "name", "greatest", "unit"),
    }  # fmt: skip


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _told(checked: Protocol) -> dict[str, Any]:
    """What a protocol that was checked says, in few words."""
    about, kinds = checked.about, [criterion.kind for criterion in checked.criteria]
    effective: date = about.effective_from
    return {
        "version": about.version, "sha256": checked.sha256, "sponsor": about.sponsor,
        "effective": effective.isoformat(), "jurisdictions": list(about.jurisdictions),
        "arms": [arm.title for arm in checked.arms], "visits": [visit.name for visit in checked.visits],
        "forms": [form.title for form in checked.forms], "inclusion": kinds.count("inclusion"),
        "exclusion": kinds.count("exclusion"), "estimands": [one.name for one in checked.estimands],
        "randomised": bool(checked.randomisation),
    }  # fmt: skip
