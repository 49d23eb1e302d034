"""The service of Clinic mode: the one process that opens the record, asked over a socket of this computer.

Everything that somebody else sends is bounded and refused in one sentence. Changes are made one after the other by
one thread and acknowledged when they are stored; passwords are checked by threads of their own. Whoever the arm is
kept from is answered at the ticks of a clock and in a few sizes: neither tells what the answer was made of.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from workbench import messages, reading, world
from workbench.clinic import _wire
from workbench.clinic._limits import Limits
from workbench.clinic._tokens import IDLE_S, LONGEST_S, SignInAgain, Tokens
from workbench.clinic.asking import Seen, asked
from workbench.clinic.questions import QUESTIONS
from workbench.clinic.readers import Reader, reader_of
from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.messages import Message
from workbench.study import Study, people
from workbench.study.applying import Change
from workbench.study.changes import ALL, from_plain, plain
from workbench.study.changes.assessing import CorrectAssessment, SaveAssessment
from workbench.study.changes.grants import GrantRole, RevokeRole
from workbench.study.concealment import OFF
from workbench.study.keys import key_folder
from workbench.study.people import MISMATCH, Confirmation

T = TypeVar("T")
Given = Mapping[str, Any]
MOST_CONNECTIONS = 64
TICK_S = 0.05
"""Answers to somebody blinded leave at multiples of this after their request was here, s."""
END_S = 10.0
"""How long the end waits for what was begun, s."""
LOCK = "service.lock"
LONGEST_TEXT = 4000
"""Characters of a login or a reason."""
PASSWORD_THREADS, READ_THREADS = 2, 2


class Service:
    """A study served to other accounts of this computer.

    Parameters
    ----------
    folder : of the study; no other account may enter it.
    address : path of a Unix socket, which is made, or a port of the loopback address (0: any free one).
    idle_s, longest_s : after which a token ends unused, and in any case, s.
    report : told of each defect, by its class and place.

    Attributes
    ----------
    port : of the loopback address once it is served there, else 0.
    """

    def __init__(
        self,
        folder: Path,
        address: Path | int,
        *,
        idle_s: float = IDLE_S,
        longest_s: float = LONGEST_S,
        report: Callable[[str], object] = lambda sentence: None,
    ) -> None:
        self.folder, self._address = Path(folder), address
        self.port = 0
        self._tokens = Tokens(idle_s=idle_s, longest_s=longest_s)
        self._limits = Limits()
        self._report = report
        self._connections: dict[asyncio.Task[Any], bool] = {}
        self._ending = False
        self._study: Study | None = None

    @property
    def address(self) -> str:
        """Where it is heard, in words."""
        return _shown(self.port or self._address)

    # ------------------------------------------------------------------------------ life
    async def serve(self, ready: Callable[[Service], object] = lambda service: None) -> None:
        """Serve until SIGTERM or Ctrl+C; what was begun is answered, then the record is closed.

        Parameters
        ----------
        ready : called once it is heard.

        Raises
        ------
        Refused
            Another account may enter the folder of the study or of its keys, or another service serves it.
        RecordFault
            The record cannot be opened, or the socket not made.
        """
        with self._alone(), Study.open(self.folder, actor="clinic service") as study:
            self._study = study
            with (
                ThreadPoolExecutor(1) as self._writes,
                ThreadPoolExecutor(READ_THREADS) as self._reads,
                ThreadPoolExecutor(PASSWORD_THREADS) as self._passwords,
                self._socket() as heard,
            ):
                await self._hear(heard, ready)

    async def _hear(self, heard: Any, ready: Callable[[Service], object]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _loop, context: self._report(_place_of(context.get("exception"))))
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, ended.set)
        server = await asyncio.start_server(self._connected, sock=heard, limit=_wire.MOST_HEAD)
        ready(self)
        await ended.wait()
        self._ending = True
        server.close()
        # A connection that waits for its next request has nothing to lose; the others are answered first.
        for task, busy in list(self._connections.items()):
            if not busy:
                task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=END_S)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The only service of a study that nobody else may enter."""
        for folder in (self.folder, key_folder()):
            if (
                reading.is_there(folder, Message("clinic.folder"), error=RecordFault)
                and folder.stat().st_mode & 0o077
            ):
                raise Refused(Message("clinic.open", folder=reading.shown(folder)))
        try:
            held = world.disk.open(self.folder / LOCK, "ab")
        except OSError as error:
            raise RecordFault(
                Message("study.folder_not_writable", folder=reading.shown(self.folder), why=reading.why(error))
            ) from error
        with held:
            try:
                world.disk.lock(held.fileno())
            except BlockingIOError:
                raise Refused(Message("clinic.served", folder=reading.shown(self.folder))) from None
            yield

    @contextmanager
    def _socket(self) -> Iterator[Any]:
        path = self._address if isinstance(self._address, Path) else None
        try:
            if path is not None and path.is_socket():
                self._remove_dead(path)
            heard = world.network.listen(self._address)
        except OSError as error:
            raise RecordFault(
                Message("clinic.not_heard", address=_shown(self._address), why=reading.why(error))
            ) from error
        self.port = heard.getsockname()[1] if path is None else 0
        try:
            yield heard
        finally:
            heard.close()
            if path is not None:
                world.disk.unlink(path, missing_ok=True)

    @staticmethod
    def _remove_dead(path: Path) -> None:
        """Remove the socket of a service that was killed; one that answers belongs to another service."""
        try:
            world.network.connect(path, 1.0).close()
        except ConnectionRefusedError:
            world.disk.unlink(path)
            return
        raise Refused(Message("clinic.served", folder=reading.shown(path)))

    # ------------------------------------------------------------------------------ connections
    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if self._ending or not self._room():
                full = Refused(Message("clinic.full", most=MOST_CONNECTIONS))
                await _send(writer, _wire.answer(_wire.refusal(full), status=503, keep=False))
                return
            self._connections[task] = False
            await self._requests(reader, writer, task)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            # Whoever asked is gone, or the service ends: nobody is there to be told.
            pass
        finally:
            self._connections.pop(task, None)
            writer.close()

    def _room(self) -> bool:
        """Whether one more connection is taken: one that waits, or has not sent all of its request, makes room."""
        if len(self._connections) < MOST_CONNECTIONS:
            return True
        idle = next((task for task, busy in self._connections.items() if not busy), None)
        if idle is not None:
            self._connections.pop(idle)
            idle.cancel()
        return idle is not None

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[Any]
    ) -> None:
        account = world.network.account_of(writer.get_extra_info("socket"))
        keep = True
        while keep and not self._ending:
            # Last in line of those that may have to make room.
            self._connections.pop(task, None)
            self._connections[task] = False
            try:
                request = await _wire.read(reader)
            except _wire.Unreadable as error:
                await _send(writer, _wire.answer(_wire.refusal(error), status=error.status, keep=False))
                return
            if request is None:
                return
            self._connections[task] = True
            keep = request.keep and not self._ending
            said = _wire.answer(
                _wire.refusal(RecordFault(Message("clinic.defect"))), status=500, keep=False, padded=True
            )
            try:
                said = await self._answered(request, account, keep=keep)
            finally:
                # A defect goes on to the loop, which reports it; who asked is told that there was one.
                await _send(writer, said)

    async def _answered(self, request: _wire.Request, account: int | None, *, keep: bool) -> bytes:
        """The answer to a request, ready to be sent, at a tick where the arm is kept from who asks."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # Nobody knows who they are before they are known: they are answered as the blinded are.
        on = _Asking(account)
        try:
            content = await self._route(request, on)
            answer = _wire.answer(content, keep=keep, padded=on.blinded)
        except WorkbenchError as error:
            content, status = _wire.refusal(error), _wire.status_of(error)
            answer = _wire.answer(content, status=status, keep=keep, padded=on.blinded)
        finally:
            if on.blinded:
                await asyncio.sleep(TICK_S - (loop.time() - began) % TICK_S)
        return answer

    async def _route(self, request: _wire.Request, on: _Asking) -> Given:
        routes: dict[str, Callable[[Given, _Asking], Awaitable[Given]]] = {
            "/ask": self._ask, "/apply": self._apply, "/sign-out": self._sign_out, "/password": self._password,
        }  # fmt: skip
        if request.path == "/sign-in":
            return await self._sign_in(request.content, on)
        if request.path not in routes:
            raise UnknownName(Message("clinic.path", known=["/sign-in", *routes]))
        on.token = request.token
        on.reader = self._tokens.reader(request.token, on.account, by_hand=_by_hand(request))
        on.blinded = on.reader.blinded
        # Read again each time: what was taken away a moment ago counts.
        now = await self._run(self._reads, reader_of, on.reader.person_id)
        if now != on.reader:
            self._tokens.end_of(on.reader.person_id)
            raise SignInAgain(Message("clinic.changed"))
        return await routes[request.path](request.content, on)

    async def _run(self, threads: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
        """A function of the record, in one of its threads."""
        assert self._study is not None
        return await asyncio.get_running_loop().run_in_executor(threads, function, self._study, *arguments)

    # ------------------------------------------------------------------------------ people
    async def _sign_in(self, given: Given, on: _Asking) -> Given:
        login, password = _text(given, "login"), _text(given, "password")
        person = await self._proved(login, password, "sign_in")
        reader = await self._run(self._reads, reader_of, person["id"])
        if reader is None:
            raise Refused(MISMATCH)
        about = {"login": reader.login, "name": reader.name, "roles": list(reader.roles)}
        more = {"blinded": reader.blinded, "sites": list(reader.sites), "person_id": reader.person_id}
        return {"token": self._tokens.give(reader, on.account), **about, **more}

    async def _sign_out(self, given: Given, on: _Asking) -> Given:
        _nothing_else(given, ())
        self._tokens.end(on.token)
        await self._run(self._writes, _noted_sign_out, on.who.person_id)
        return {}

    async def _password(self, given: Given, on: _Asking) -> Given:
        """Give the person a new password; every token of the old one ends."""
        old, new = _text(given, "old"), _text(given, "new")
        await self._proved(on.who.login, old, "confirm")
        fresh = await asyncio.get_running_loop().run_in_executor(self._passwords, people.hashed, new)
        await self._run(self._writes, people.set_hash, on.who.login, fresh)
        self._tokens.end_of(on.who.person_id)
        return {}

    async def _proved(self, login: str, password: str, action: str) -> Mapping[str, Any]:
        """The person of a login whose password this is; every attempt that was made is an entry of the chain."""
        loop = asyncio.get_running_loop()
        async with self._limits.attempt(login) as attempt:
            person = await self._run(self._reads, _account, login)
            matched = await loop.run_in_executor(self._passwords, people.matches, person, password)
            attempt.accepted = await self._run(self._writes, _noted, action, person, matched)
        if not attempt.accepted or person is None:
            raise Refused(MISMATCH)
        return person

    # ------------------------------------------------------------------------------ the record
    async def _ask(self, given: Given, on: _Asking) -> Given:
        _nothing_else(given, ("question", "about"))
        name, about = given.get("question"), given.get("about", {})
        kind = QUESTIONS.get(name) if isinstance(name, str) else None
        if kind is None or not isinstance(about, dict):
            raise UnknownName(Message("clinic.question", got=f"{name!r:.60}", known=list(QUESTIONS)))
        question = from_plain(kind, about)
        threads = self._writes if kind.WRITES else self._reads
        return {"answer": await self._run(threads, _answer, question, on.who)}

    async def _apply(self, given: Given, on: _Asking) -> Given:
        # A reason, or a text of a row, may be a sentence of the catalogue, and goes into the record with its code.
        content = messages.restored(dict(given))
        _nothing_else(content, ("change", "fields", "reason", "signers"))
        name, fields = content.get("change"), content.get("fields")
        kind = ALL.get(name) if isinstance(name, str) else None
        if kind is None or not isinstance(fields, dict):
            raise UnknownName(Message("clinic.change", got=f"{name!r:.60}", known=list(ALL)))
        change = from_plain(kind, fields)
        _refuse_own_roles(change, on.who)
        reason = _text(content, "reason") if "reason" in content else ""
        await self._run(self._reads, _refuse_kept, change, on.who)
        signers = [await self._confirmed(one) for one in _signers(content.get("signers", []), on.who)]
        return {"id": await self._run(self._writes, _applied, change, on.who, signers, reason)}

    async def _confirmed(self, signer: tuple[str, str]) -> Confirmation:
        """A fresh confirmation by the password that came with the change itself."""
        person = await self._proved(*signer, "confirm")
        reader = await self._run(self._reads, reader_of, person["id"])
        if reader is None or self._study is None:
            raise Refused(MISMATCH)
        return Confirmation(reader.signer(self._study))


class _Asking:
    """Who asks, as far as it is known."""

    def __init__(self, account: int | None) -> None:
        self.account = account
        self.token = ""
        self.reader: Reader | None = None
        self.blinded = True

    @property
    def who(self) -> Reader:
        """The person, once the token was found to hold."""
        if self.reader is None:
            raise SignInAgain(Message("clinic.sign_in"))
        return self.reader


# ------------------------------------------------------------------------------------ in threads of the record
def _account(study: Study, login: str) -> Mapping[str, Any] | None:
    return people.account(study, login=login) if login else None


def _noted(study: Study, action: str, person: Mapping[str, Any] | None, matched: bool) -> bool:  # noqa: FBT001
    return people.note(study, action, person, matched=matched)


def _noted_sign_out(study: Study, person_id: str) -> None:
    people.note(study, "sign_out", people.account(study, person_id=person_id))


def _answer(study: Study, question: Any, reader: Reader) -> Any:
    return asked(question, Seen(study, reader, world.clock.local().date()))


def _applied(study: Study, change: Change, reader: Reader, signers: list[Confirmation], reason: str) -> str:
    """Make a change in the name of who asks; the roles are read inside its transaction."""
    return study.apply(change, signers or reader.signer(study), reason)


# ------------------------------------------------------------------------------------ what came
def _text(given: Given, name: str) -> str:
    value = given.get(name)
    # Never quoted: it may be a password.
    if not isinstance(value, str) or not 0 <= len(value) <= LONGEST_TEXT:
        raise BadValue(Message("clinic.field", field=name, most=LONGEST_TEXT))
    return value


def _by_hand(request: _wire.Request) -> bool:
    """Whether a request is of somebody who is there, and not of a page that nobody may be looking at."""
    name = request.content.get("question")
    kind = QUESTIONS.get(name) if isinstance(name, str) else None
    return request.path != "/ask" or kind is None or not kind.POLLED


def _nothing_else(given: Given, names: tuple[str, ...]) -> None:
    other = [name for name in given if name not in names]
    # Who acts is whose token it is: an actor that somebody names must not be passed over in silence.
    if other:
        raise BadValue(
            Message("clinic.other", field=f"{other[0]:.60}", known=list(names) or [Message("word.none")])
        )


def _signers(given: Any, reader: Reader) -> list[tuple[str, str]]:
    """Logins and passwords of who signs; the person whose token it is must be one of them."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given) or len(given) > 3:
        raise BadValue(Message("clinic.signers"))
    found = [(_text(one, "login"), _text(one, "password")) for one in given]
    if found and reader.login not in [login for login, _ in found]:
        raise Refused(Message("clinic.own_signature", name=reader.name))
    return found


def _refuse_own_roles(change: Change, reader: Reader) -> None:
    """Nobody lifts what is kept from them by giving or taking roles of their own."""
    if isinstance(change, GrantRole | RevokeRole) and (reader.blinded or change.person_id == reader.person_id):
        raise Refused(Message("clinic.own_roles", name=reader.name))


def _refuse_kept(study: Study, change: Change, reader: Reader) -> None:
    """Whoever is blinded enters and corrects nothing of which even a refusal would tell that it is there."""
    if not reader.blinded:
        return
    if isinstance(change, CorrectAssessment):
        Seen(study, reader, world.clock.local().date()).row("assessment", change.row_id)
    conditions = change.changes if isinstance(change, CorrectAssessment) else plain(change)
    if isinstance(change, CorrectAssessment | SaveAssessment) and any(conditions.get(name) for name in OFF):
        raise Refused(Message("clinic.measured_on", name=reader.name))


# ------------------------------------------------------------------------------------ small things
async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    # Who does not take the answer is not waited for without end.
    await asyncio.wait_for(writer.drain(), _wire.WHOLE_S)


def _shown(address: Path | int) -> str:
    return str(reading.shown(address)) if isinstance(address, Path) else f"127.0.0.1:{address}"


def _place_of(error: Any) -> str:
    """A defect by its class and place; its text may quote what somebody sent."""
    trace = getattr(error, "__traceback__", None)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else "?"
    return f"defect: {type(error).__name__} at {place}"
