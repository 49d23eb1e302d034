"""ZeroMQ in a virtual world: the sockets that the engine's door and its clients use, over virtual connections.

ZeroMQ delivers each message whole and those of one connection in order, or not at all; so does this. A REQ socket
asks one thing at a time; a ROUTER knows each peer by an identity. CURVE is not simulated: who may connect is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from workbench.simulation.scheduler import NS, Killed, Process, Scheduler, Thread
from workbench.world import Network


class VirtualNetwork(Network):
    """Sockets between the virtual processes.

    Parameters
    ----------
    scheduler : of the world.
    delay_s : draws how long a message travels, s.
    """

    def __init__(self, scheduler: Scheduler, delay_s: Callable[[], float]) -> None:
        self.scheduler, self.delay_s = scheduler, delay_s
        self.bound: dict[str, Socket] = {}
        self._keys = 0

    def context(self) -> Any:
        return Context(self)

    def keypair(self) -> tuple[bytes, bytes]:
        self._keys += 1
        return f"{self._keys:040d}".encode(), f"{-self._keys:040d}".encode()

    def poller(self) -> Any:
        return Poller(self.scheduler)


class Context:
    """Makes sockets; ``inproc`` endpoints belong to it."""

    def __init__(self, network: VirtualNetwork) -> None:
        self.network = network
        self.inproc: dict[str, Socket] = {}
        self._sockets: list[Socket] = []

    def socket(self, kind: int) -> Socket:
        """A socket of a kind."""
        made = Socket(self, kind)
        self._sockets.append(made)
        return made

    def term(self) -> None:
        """Close what is left."""
        for one in self._sockets:
            one.close()


class Socket:
    """ROUTER, REQ, PUSH or PULL."""

    def __init__(self, context: Context, kind: int) -> None:
        thread = context.network.scheduler.current
        if thread is None:
            raise RuntimeError("a virtual socket belongs to a virtual process")
        self.kind, self.closed = kind, False
        self.process: Process = thread.process
        self._context, self._scheduler = context, context.network.scheduler
        self._endpoint = ""
        self._inbox: deque[tuple[int, list[bytes]]] = deque()
        self._peers: dict[bytes, Socket] = {}
        self._peer: Socket | None = None
        self._identity = b""
        self._pending: deque[list[bytes]] = deque()
        self._latest = 0
        self.waiting: list[tuple[Thread, int]] = []
        self.process.on_end.append(self.close)

    def setsockopt(self, option: int, value: Any) -> None:
        """Taken and not needed: nothing lingers, and no message is larger than its sender makes it."""

    def bind(self, endpoint: str) -> None:
        """Be found under an address."""
        table = self._context.inproc if endpoint.startswith("inproc:") else self._context.network.bound
        other = table.get(endpoint)
        # Like ipc: whoever binds last has the address.
        if other is not None and not endpoint.startswith("ipc:") and not other.closed:
            raise zmq.ZMQError(zmq.EADDRINUSE)
        table[endpoint] = self
        self._endpoint = endpoint
        if endpoint.startswith("ipc:"):
            Path(endpoint.removeprefix("ipc://")).touch()  # what a socket is to the file system

    def bind_to_random_port(self, address: str) -> int:
        """Be found under a free port."""
        port = 49152 + len(self._context.network.bound)
        self.bind(f"{address}:{port}")
        return port

    def connect(self, endpoint: str) -> None:
        """Speak to whoever is found there; what is sent before waits."""
        self._endpoint = endpoint
        self._scheduler.number += 1
        self._identity = self._scheduler.number.to_bytes(5, "big")

    def send_multipart(self, frames: list[bytes]) -> None:
        """Send one message."""
        self._check()
        if self.kind == zmq.ROUTER:
            peer = self._peers.get(frames[0])
            # As ZeroMQ does: for a peer that is gone it is dropped.
            if peer is not None and not peer.closed:
                peer.arrive(list(frames[1:]), self._context.network.delay_s())
            return
        table = self._context.inproc if self._endpoint.startswith("inproc:") else self._context.network.bound
        peer = table.get(self._endpoint)
        if peer is None or peer.closed:
            return
        if self.kind == zmq.REQ:
            peer.meet(self._identity, self)
            peer.arrive([self._identity, b"", *frames], self._context.network.delay_s())
        else:
            peer.arrive(list(frames), 0.0)

    def meet(self, identity: bytes, socket: Socket) -> None:
        """A peer connects."""
        self._peers[identity] = socket

    def arrive(self, frames: list[bytes], delay_s: float) -> None:
        """A message is on its way; those of one socket arrive in order."""
        due = max(self._latest, self._scheduler.now + round(delay_s * NS))
        self._latest = due
        self._inbox.append((due, frames))
        if due <= self._scheduler.now:
            self._scheduler.wake(self.waiting)
        else:
            self._scheduler.at(due, lambda: self._scheduler.wake(self.waiting))

    def readable(self) -> bool:
        """Whether a message has arrived."""
        return bool(self._inbox) and self._inbox[0][0] <= self._scheduler.now

    def recv_multipart(self) -> list[bytes]:
        """The next message; waits for one."""
        self._check()
        while not self.readable():
            self._scheduler.wait(self.waiting, None)
            self._check()
        frames = self._inbox.popleft()[1]
        return frames[1:] if self.kind == zmq.REQ else frames

    def poll(self, timeout_ms: float) -> int:
        """Whether a message arrives within a time."""
        self._check()
        if not self.readable():
            self._scheduler.wait(self.waiting, timeout_ms / 1000.0)
        return zmq.POLLIN if self.readable() else 0

    def close(self, linger: int = 0) -> None:
        """Be found no more."""
        del linger
        if self.closed:
            return
        self.closed = True
        for table in (self._context.inproc, self._context.network.bound):
            if table.get(self._endpoint) is self:
                del table[self._endpoint]
        self._scheduler.wake(self.waiting)

    def _check(self) -> None:
        if not self.process.alive:
            raise Killed
        if self.closed:
            raise zmq.ZMQError(zmq.ENOTSOCK)


class Poller:
    """Waits for several sockets."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._sockets: list[Socket] = []

    def register(self, socket: Socket, _flags: int) -> None:
        """Wait for this one too."""
        self._sockets.append(socket)

    def poll(self, timeout_ms: float) -> list[tuple[Socket, int]]:
        """Those with a message, after at most a time."""
        if not any(socket.readable() for socket in self._sockets):
            waiting: list[tuple[Thread, int]] = []
            for socket in self._sockets:
                socket.waiting = waiting
            self._scheduler.wait(waiting, timeout_ms / 1000.0)
        return [(socket, zmq.POLLIN) for socket in self._sockets if socket.readable()]
