"""The engine's door: signed requests over ipc, or over CURVE-encrypted loopback TCP where ipc is absent.

One thread. Status is answered from what the loop left here, STOP and the operator's presence are taken at once, so
that none of them waits for the engine's loop; everything else is queued for it. What is malformed, unsigned, stale
or repeated is refused and logged, and so is whatever else goes wrong with one message: the door lives on.
"""

from __future__ import annotations

import json
import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import zmq

from workbench import messages, world
from workbench.errors import BadValue, EngineFault, WorkbenchError
from workbench.live import _engine_folder, _wire
from workbench.live.status import NewestStatus, Status
from workbench.messages import Message

DOORS = ("door", "door-again")
"""Names of the door's thread: the first, and whichever serves after it ended."""
LIMIT_S = 2.0
"""How long the door may take for one round, s."""
STALE_S = 1.0
"""A status text older than this was not renewed by the loop in time, s."""
WATCHED_S = 5.0
"""For so long after somebody asked for the status it counts as watched, s."""
POLL_MS = 200
"""Longest wait for a message, ms."""

LOG = logging.getLogger("workbench.engine")


@dataclass(frozen=True)
class Request:
    """A request that waits for the engine's loop. ``answer`` may be called once, from the loop only."""

    operation: str
    args: dict[str, Any]
    answer: Callable[[dict[str, Any]], None]


class Server:
    """Listens on a thread of its own.

    Parameters
    ----------
    key : of the session. session : its id.
    stop_now : called on this thread with the reason, the moment a STOP arrives.
    study : folder of the study, for the socket's name. transport : ``"auto"``, ``"ipc"`` or ``"tcp"``.
    present : called on this thread with the arguments of a ``presence`` request.
    newest : the parts of the status that need no loop; asked while the text is older than :data:`STALE_S`.
    spawn : starts the thread; the engine hands in its supervisor.
    """

    def __init__(
        self,
        *,
        key: bytes,
        session: str,
        stop_now: Callable[[str], None],
        study: Path,
        transport: str = "auto",
        present: Callable[[dict[str, Any]], None] = lambda args: None,
        newest: Callable[[], NewestStatus | None] = lambda: None,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.requests: queue.SimpleQueue[Request] = world.clock.simple_queue()
        self._key, self._session, self._stop_now = key, session, stop_now
        self._present, self._newest = present, newest
        self._status: Status | None = None
        self._written = world.clock.monotonic()
        # The status whose text was handed out last, and that text.
        self._handed: tuple[Status | None, str] = (None, json.dumps({}))
        self._asked = -inf
        self._fresh = _wire.Freshness()
        self._context = world.network.context()
        self._socket = self._context.socket(zmq.ROUTER)
        # A last reply may still leave; a client that is gone does not hold up the end.
        self._socket.setsockopt(zmq.LINGER, 200)
        # ZeroMQ drops what is larger before it is in memory.
        self._socket.setsockopt(zmq.MAXMSGSIZE, _wire.MAX_BYTES)
        self._path: Path | None = None
        self.endpoint, self.curve = self._bind(study, transport)
        # A ZeroMQ socket belongs to one thread. Replies of the loop reach the door's thread through this pair,
        # which it can wait for together with requests.
        self._replies = self._context.socket(zmq.PULL)
        self._replies.bind("inproc://replies")
        self._outbox = self._context.socket(zmq.PUSH)
        self._outbox.connect("inproc://replies")
        self._outbox_lock = world.clock.lock()
        self._spawn = spawn
        self._serving = True
        self._thread = spawn(DOORS[0], self._serve, limit_s=LIMIT_S)

    def _bind(self, study: Path, transport: str) -> tuple[str, str]:
        """Endpoint, and the CURVE public key of a TCP one."""
        if transport == "ipc" or (transport == "auto" and zmq.has("ipc")):
            if not zmq.has("ipc"):
                raise EngineFault(Message("engine.no_ipc"))
            self._path = _engine_folder.socket_path(study, self._session)
            # A socket left by an engine that was killed; the lock says that no other runs.
            world.disk.unlink(self._path, missing_ok=True)
            self._socket.bind(f"ipc://{self._path}")
            world.disk.chmod(self._path, 0o600)
            return f"ipc://{self._path}", ""
        # Loopback TCP is open to every account of the computer, so it is encrypted; the ipc folder is not shared.
        if not zmq.has("curve"):
            raise EngineFault(Message("engine.no_curve"))
        public, secret = world.network.keypair()
        self._socket.curve_server = True
        self._socket.curve_secretkey = secret
        self._socket.curve_publickey = public
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        return f"tcp://127.0.0.1:{port}", public.decode("ascii")

    @property
    def watched(self) -> bool:
        """Whether somebody asked for the status lately."""
        return world.clock.monotonic() - self._asked <= WATCHED_S

    def publish(self, status: Status) -> None:
        """The status that is handed out from now on; it is not changed any more.

        It becomes a text only when somebody asks, on the door's thread: most are never asked for.
        """
        self._status, self._written = status, world.clock.monotonic()

    def _text(self) -> str:
        """The newest status as it is handed out; on the door's thread."""
        status, (handed, text) = self._status, self._handed
        if status is not handed:
            text = json.dumps(messages.carried(status), ensure_ascii=False)
            self._handed = (status, text)
        return text

    def reopen(self) -> bool:
        """Serve again on a new thread where the one before ended, as often as that happens; whether it did.

        One that hangs still holds the socket: it is not replaced, and its alarm stays.
        """
        # Not whether the thread is alive: it is, for a moment after its end was noticed, while its error is shown.
        if self._serving:
            return False
        self._serving = True
        self._thread = self._spawn(DOORS[1], self._serve, limit_s=LIMIT_S)
        return True

    def close(self) -> None:
        """Stop listening; a second time changes nothing."""
        if self._socket.closed:
            return
        with self._outbox_lock:
            self._outbox.send_multipart([b"", b"end"])
        # The sockets are closed only after the thread that uses them has ended.
        self._thread.join(2.0)
        self._socket.close()
        self._replies.close()
        self._outbox.close(200)
        self._context.term()
        if self._path is not None:
            world.disk.unlink(self._path, missing_ok=True)

    def _serve(self, beat: world.Beat) -> None:
        try:
            self._answer(beat)
        finally:
            self._serving = False

    def _answer(self, beat: world.Beat) -> None:
        poller = world.network.poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._replies, zmq.POLLIN)
        while True:
            beat()
            for socket, _ in poller.poll(POLL_MS):
                if socket is self._replies:
                    frames = self._replies.recv_multipart()
                    if frames == [b"", b"end"]:
                        return
                    self._send(frames[0], json.loads(frames[1]))
                else:
                    self._receive(self._socket.recv_multipart())

    def _receive(self, frames: list[bytes]) -> None:
        """One message: identity, delimiter, JSON, HMAC."""
        who = frames[0]
        try:
            if len(frames) != 4 or frames[1] != b"":
                raise _wire.Unsigned(Message("wire.request_frames", n=len(frames)))
            content = _wire.opened(frames[2:], self._key, max_bytes=_wire.MAX_REQUEST_BYTES)
            self._fresh.check(content, session=self._session)
            self._carry_out(who, content)
        except WorkbenchError as error:
            LOG.warning("request refused: %s", error)
            self._send(who, _wire.refusal(error))
        except Exception as error:
            # Whatever one message does to the code that reads it must not cost the next client its STOP.
            LOG.exception("request refused: it could not be read")
            fault = EngineFault(Message("engine.request_unreadable", why=f"{type(error).__name__}: {error}"))
            self._send(who, _wire.refusal(fault))

    def _carry_out(self, who: bytes, content: dict[str, Any]) -> None:
        operation, args = content.get("op"), messages.restored(content.get("args"))
        if operation not in _wire.OPERATIONS or not isinstance(args, dict):
            allowed = _wire.OPERATIONS
            raise BadValue(Message("engine.operation_unknown", operation=repr(operation), allowed=allowed))
        nonce = content["nonce"]
        if operation == "status":
            self._asked = world.clock.monotonic()
            age = self._asked - self._written
            # A loop that hangs renews nothing: what other threads know, alarms above all, still reaches the
            # screen.
            newest = self._newest() if age > STALE_S else None
            text = {"text": self._text(), "age_s": round(age, 3), "newest": newest}
            self._send(who, {"ok": True, "nonce": nonce, **text})
            return
        if operation == "presence":
            self._present(args)
            self._send(who, {"ok": True, "nonce": nonce, "value": None})
            return
        if operation == "stop":
            stated = args.get("reason")
            # Here and now; queued below as well, so that the reply says that the loop has taken it up.
            self._stop_now(stated if isinstance(stated, str) and stated else Message("run.stop_pressed"))
        LOG.info("request %s %s", operation, {k: v for k, v in args.items() if k not in ("params", "grant")})
        self.requests.put(Request(operation, args, lambda reply: self._post(who, {"nonce": nonce, **reply})))

    def _post(self, who: bytes, reply: dict[str, Any]) -> None:
        """A reply from the engine's loop; sent by the server's own thread."""
        with self._outbox_lock:
            body = json.dumps(messages.carried(reply), ensure_ascii=False).encode("utf-8")
            self._outbox.send_multipart([who, body])

    def _send(self, who: bytes, reply: dict[str, Any]) -> None:
        self._socket.send_multipart([who, b"", *_wire.sign(reply, self._key)])
