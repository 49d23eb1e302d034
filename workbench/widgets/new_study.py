"""A new study in a notebook: what it follows, the check of its protocol, its people, and what is missing.

The page asks for everything but passwords: those are asked for by the cell that enters the people or signs, where
no message of a page and no widget holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import traitlets

from workbench.widgets._base import SYNCED, Panel, compose, styles


class NewStudyRequests(Protocol):
    """The functions of the wizard that the panel uses (``dashboard.NewStudyService`` has them)."""

    def state(self) -> Mapping[str, Any]:
        """Everything that is shown; see :class:`NewStudy`."""

    def choose_system(self, system: str) -> None:
        """Let the study follow a system."""

    def choose_file(self, path: str) -> None:
        """Let the study follow a protocol file."""

    def draft(self, system: str) -> None:
        """Write the draft of a protocol for a system, and check it."""

    def edit(self, text: str) -> None:
        """Keep another text of the draft, and check it."""

    def name(self, code: str, title: str, participant: str, *, simulated: bool) -> None:
        """Say what a study that follows a system is called.

        Parameters
        ----------
        code, title : of the study.
        participant, simulated : the first one.
        """

    def plan_person(self, login: str, name: str, roles: Sequence[str]) -> None:
        """Put somebody on the list.

        Parameters
        ----------
        login, name, roles : of the person.
        """

    def leave_out(self, login: str) -> None:
        """Take somebody off the list."""

    def create(self) -> None:
        """Make the study record."""

    def enter_people(self, password: Callable[[str], str]) -> None:
        """Enter everybody of the list."""

    def adopt(self, logins: Sequence[str], password: Callable[[str], str], *, reason: str) -> None:
        """Bring the protocol into force.

        Parameters
        ----------
        logins : of who signs.
        password : asks for one.
        reason : why.
        """


class NewStudy(Panel):
    """The steps of a new study, each with what it still needs.

    Parameters
    ----------
    service : checks, makes, enters and signs.

    Traits
    ------
    study : ``{"folder", "source", "systems", "code", "title", "participant", "simulated", "protocol", "problems",
    "draft", "roles", "people", "can_sign", "made", "signed"}``. ``draft`` is what was drafted here, with its
    ``path``, its ``text``, and what that holds so far: ``visits``, ``forms``, ``endpoints``, ``limits``.
    ``source`` is ``{"kind": "" | "system" | "protocol", "name"}``; ``protocol`` is what the checked file says,
    with its ``sha256``, empty while there is none; ``problems`` are sentences; people are ``{"login", "name",
    "roles", "entered"}``, ``signed`` ``{"name", "meaning", "utc"}``.
    """

    _esm = compose("parts/dom", "parts/icons", "new_study")
    _css = styles("panels", "new_study")

    study = traitlets.Dict().tag(**SYNCED)

    def __init__(self, service: NewStudyRequests, **traits: Any) -> None:
        super().__init__(**traits)
        self._service = service
        self.refresh()

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The study, its people, and the hash of its protocol."""
        seen = self.study
        facts = [
            ("follows", seen["source"]["name"]),
            ("people", ", ".join(one["login"] for one in seen["people"])),
            ("sha256", seen["protocol"].get("sha256", "")),
            ("signed by", ", ".join(one["name"] for one in seen["signed"])),
        ]
        return f"{seen['code']} {seen['title']}".strip(), facts

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Every step but those that ask for passwords."""
        return {
            "choose_system": self.choose_system, "choose_file": self.choose_file, "draft": self.draft,
            "edit": self.edit, "name": self.name,
            "plan_person": self.plan_person, "leave_out": self.leave_out, "create": self.create,
        }  # fmt: skip

    def choose_system(self, system: str) -> None:
        """Let the study follow a system."""
        self._shown(lambda: self._service.choose_system(str(system)))

    def choose_file(self, path: str) -> None:
        """Let the study follow a protocol file, which is checked."""
        self._shown(lambda: self._service.choose_file(str(path)))

    def draft(self, system: str) -> None:
        """Write the draft of a protocol for a system beside the folder of the study, and check it."""
        self._shown(lambda: self._service.draft(str(system)))

    def edit(self, text: str) -> None:
        """Keep another text of the protocol that was drafted here, and check it."""
        self._shown(lambda: self._service.edit(str(text)))

    def name(self, code: str, title: str, participant: str = "P-001", *, simulated: bool = False) -> None:
        """Say what a study that follows a system is called.

        Parameters
        ----------
        code, title : of the study.
        participant, simulated : pseudonym of the first participant, and whether they are simulated.
        """
        self._shown(lambda: self._service.name(str(code), str(title), str(participant), simulated=simulated))

    def plan_person(self, login: str, name: str, roles: Sequence[str]) -> None:
        """Put somebody on the list of people.

        Parameters
        ----------
        login, name : for signing in, and as it stands under a signature.
        roles : one or more.
        """
        self._shown(lambda: self._service.plan_person(str(login), str(name), list(roles)))

    def leave_out(self, login: str) -> None:
        """Take somebody off the list."""
        self._shown(lambda: self._service.leave_out(str(login)))

    def create(self) -> None:
        """Make the study record."""
        self._shown(self._service.create)

    def enter_people(self, password: Callable[[str], str]) -> None:
        """Enter everybody of the list into the record; not a request of the page.

        Parameters
        ----------
        password : asks for the password of one person, as ``getpass.getpass`` does.
        """
        self._shown(lambda: self._service.enter_people(password))

    def adopt(self, *logins: str, password: Callable[[str], str], reason: str = "") -> None:
        """Bring the protocol into force, signed by those who are named; not a request of the page.

        Parameters
        ----------
        *logins : of who signs.
        password : asks for the password of one person, as ``getpass.getpass`` does.
        reason : why, in words.
        """
        self._shown(lambda: self._service.adopt(logins, password, reason=reason))

    def refresh(self) -> None:
        """Show the steps as they stand."""
        self.study = dict(self._service.state())

    def _shown(self, step: Callable[[], None]) -> None:
        # Also after a refusal: a file with problems is shown with them.
        try:
            step()
        finally:
            self.refresh()
