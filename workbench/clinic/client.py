"""The client of Clinic mode: signs in, asks and changes, over the socket of the service."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import errors, messages, reading, world
from workbench.clinic._wire import JSON, MOST_ANSWER
from workbench.clinic.asking import Question
from workbench.errors import RecordFault, Refused, WorkbenchError
from workbench.messages import Message
from workbench.study.applying import Change
from workbench.study.changes import plain

TIMEOUT_S = 60.0
LARGEST = 2 * MOST_ANSWER
"""Of an answer with its padding, bytes."""
SIGN_IN_AGAIN = 401
"""Status of an answer to a token that holds no longer, or never did."""


class Client:
    """Somebody who uses the record through the service of another account.

    The password is sent once and kept nowhere; what is kept is a token, in memory. Threads may share a client.

    Parameters
    ----------
    address : path of the service's socket, or its port on this computer.
    timeout_s : after which an answer is given up, s.

    Attributes
    ----------
    person : who is signed in, as the service said: ``login, name, roles, blinded, sites, person_id``; empty for
        nobody.
    """

    def __init__(self, address: Path | str | int, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address: Path | int = address if isinstance(address, int) else Path(address)
        self.person: dict[str, Any] = {}
        self._token, self._status = "", 0
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._turn = world.clock.lock()

    def __repr__(self) -> str:
        return f"Client({str(self.address)!r}, signed in: {self.person.get('login', 'nobody')})"

    def sign_in(self, login: str, password: str) -> dict[str, Any]:
        """Sign in; who was signed in before is signed out. Returns :attr:`person`.

        Raises
        ------
        Refused
            One sentence for a wrong login and a wrong password alike; or the time to wait.
        RecordFault
            The service does not answer.
        """
        if self._token:
            self.sign_out()
        given = self._post("/sign-in", {"login": login, "password": password})
        self._token = str(given.pop("token"))
        self.person = given
        return given

    def sign_out(self) -> None:
        """End the token, here and in the service."""
        token, self._token, self.person = self._token, "", {}
        if token:
            try:
                self._post("/sign-out", {}, token=token)
            except Refused:
                # It had ended already.
                return

    def apply(self, change: Change, reason: str = "", *, signers: Sequence[tuple[str, str]] = ()) -> str:
        """Make a change in the name of who is signed in: see :meth:`workbench.study.Study.apply`.

        Parameters
        ----------
        change : one of :mod:`workbench.study.changes`.
        reason : why.
        signers : login and password of everybody who signs it, where it must be signed.

        Returns
        -------
        str
            The id of the row; it is stored when this returns.

        Raises
        ------
        WorkbenchError
            As ``Study.apply``; of a lost connection a RecordFault, and nobody knows whether it was stored.
        """
        proofs = [{"login": login, "password": password} for login, password in signers]
        about = {"change": type(change).__name__, "fields": plain(change), "reason": reason, "signers": proofs}
        return str(self._post("/apply", about)["id"])

    def ask(self, question: Question) -> Any:
        """The answer to a question of :mod:`workbench.clinic.questions`.

        Raises
        ------
        WorkbenchError
            Refused where the person may not know, UnknownName for what there is not.
        """
        return self._post("/ask", {"question": type(question).__name__, "about": plain(question)})["answer"]

    def change_password(self, old: str, new: str) -> None:
        """Give oneself a new password; everything that was signed in with the old one is signed out."""
        self._post("/password", {"old": old, "new": new})
        self._token, self.person = "", {}

    def close(self) -> None:
        """Close the connection; the token goes on until it is signed out or ends."""
        with self._turn:
            self._drop()

    def __enter__(self) -> Client:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Sign out and close."""
        try:
            self.sign_out()
        finally:
            self.close()

    # ------------------------------------------------------------------------------ inside
    def _post(self, path: str, content: dict[str, Any], *, token: str = "") -> dict[str, Any]:
        body = json.dumps(messages.carried(content), ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": JSON, "Authorization": f"Bearer {token or self._token}"}
        with self._turn:
            try:
                data = self._exchange(path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                where = str(self.address)
                raise RecordFault(Message("clinic.no_answer", address=where, why=_why(error))) from error
        answer = messages.restored(reading.parse_json(data, Message("clinic.noun_answer"), error=RecordFault))
        if "error" in answer:
            # The token holds no longer: nobody is signed in any more, and every page shall show that.
            if self._status == SIGN_IN_AGAIN and not token:
                self._token, self.person = "", {}
            raise _raised(answer["error"])
        return dict(answer)

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        if self._connection is not None and _ended(self._connection):
            self._drop()
        if self._connection is None:
            made = http.client.HTTPConnection("localhost", timeout=self._timeout_s)
            made.sock = world.network.connect(self.address, self._timeout_s)
            self._connection = made
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        data, self._status = answer.read(LARGEST + 1), answer.status
        if answer.will_close:
            self._drop()
        return data

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the service closed a connection while nothing was asked."""
    connection.sock.settimeout(0.0)
    try:
        connection.sock.recv(1)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        connection.sock.settimeout(connection.timeout)


def _raised(said: dict[str, Any]) -> WorkbenchError:
    """An error of the service, as its own class."""
    kind = getattr(errors, str(said.get("kind", "")), RecordFault)
    wrong = not (isinstance(kind, type) and issubclass(kind, WorkbenchError))
    made: WorkbenchError = (RecordFault if wrong else kind)(said.get("text", ""))
    return made


def _why(error: Exception) -> str:
    return reading.why(error) if isinstance(error, OSError) else type(error).__name__
