"""The engine's door: signed requests over ipc, or over CURVE-encrypted loopback TCP where ipc is absent.

One thread. Status is answered from a prepared text and STOP is carried out here and now, so that neither waits
for the engine's loop; everything else is queued for it. What is malformed, unsigned, stale or repeated is
refused and logged.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq

from workbench.errors import BadValue, EngineFault, WorkbenchError
from workbench.live import _place, _wire

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
    """

    def __init__(
        self, *, key: bytes, session: str, stop_now: Callable[[str], None], study: Path, transport: str = "auto"
    ) -> None:
        self.requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._key, self._session, self._stop_now = key, session, stop_now
        self._status = json.dumps({})
        self._fresh = _wire.Freshness()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 200)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _wire.MAX_BYTES)
        self._path: Path | None = None
        self.endpoint, self.curve = self._bind(study, transport)
        self._replies = self._context.socket(zmq.PULL)
        self._replies.bind("inproc://replies")
        self._outbox = self._context.socket(zmq.PUSH)
        self._outbox.connect("inproc://replies")
        self._outbox_lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="server", daemon=True)
        self._thread.start()

    def _bind(self, study: Path, transport: str) -> tuple[str, str]:
        """Endpoint, and the CURVE public key of a TCP one."""
        if transport == "ipc" or (transport == "auto" and zmq.has("ipc")):
            if not zmq.has("ipc"):
                raise EngineFault("this system has no ipc sockets; set transport to 'tcp' in the session plan")
            self._path = _place.socket_path(study, self._session)
            self._path.unlink(missing_ok=True)
            self._socket.bind(f"ipc://{self._path}")
            self._path.chmod(0o600)
            return f"ipc://{self._path}", ""
        if not zmq.has("curve"):
            raise EngineFault(
                "this pyzmq has no CURVE encryption, so TCP is refused; install a pyzmq wheel that has"
            )
        public, secret = zmq.curve_keypair()
        self._socket.curve_server = True
        self._socket.curve_secretkey = secret
        self._socket.curve_publickey = public
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        return f"tcp://127.0.0.1:{port}", public.decode("ascii")

    def publish(self, status: dict[str, Any]) -> None:
        """The status that is handed out from now on."""
        self._status = json.dumps(status, ensure_ascii=False)

    def close(self) -> None:
        """Stop listening."""
        with self._outbox_lock:
            self._outbox.send_multipart([b"", b"end"])
        self._thread.join(2.0)
        self._socket.close()
        self._replies.close()
        self._outbox.close(200)
        self._context.term()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._replies, zmq.POLLIN)
        while True:
            for socket, _ in poller.poll():
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
                raise _wire.Unsigned(f"a request has 4 frames, got {len(frames)}")
            content = _wire.opened(frames[2:], self._key)
            self._fresh.check(content, session=self._session)
            self._carry_out(who, content)
        except WorkbenchError as error:
            LOG.warning("request refused: %s", error)
            self._send(who, _wire.refusal(error))

    def _carry_out(self, who: bytes, content: dict[str, Any]) -> None:
        operation, args = content.get("op"), content.get("args")
        if operation not in _wire.OPERATIONS or not isinstance(args, dict):
            raise BadValue(f"operation {operation!r} is not known; allowed are {', '.join(_wire.OPERATIONS)}")
        nonce = content["nonce"]
        if operation == "status":
            self._send(who, {"ok": True, "nonce": nonce, "text": self._status})
            return
        if operation == "stop":
            self._stop_now(str(args.get("reason") or "stop pressed by the operator"))
        LOG.info("request %s %s", operation, {k: v for k, v in args.items() if k != "params"})
        self.requests.put(Request(operation, args, lambda reply: self._post(who, {"nonce": nonce, **reply})))

    def _post(self, who: bytes, reply: dict[str, Any]) -> None:
        """A reply from the engine's loop; sent by the server's own thread."""
        with self._outbox_lock:
            self._outbox.send_multipart([who, json.dumps(reply, ensure_ascii=False).encode("utf-8")])

    def _send(self, who: bytes, reply: dict[str, Any]) -> None:
        self._socket.send_multipart([who, b"", *_wire.sign(reply, self._key)])
