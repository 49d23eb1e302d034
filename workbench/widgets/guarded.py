"""Voila behind a guard: ``python -m workbench.widgets.guarded NOTEBOOK …`` accepts Voila's own arguments.

The guard comes before every handler. It refuses a request whose ``Host`` is neither this computer (DNS rebinding:
a foreign page whose name resolves to it) nor the proxy it is served through, a kernel socket that does not
speak Jupyter's v1 protocol, and a page beyond the number of kernels that may run at a time. Two handlers of its
own take passwords from pages and give them to their kernels (:mod:`workbench.widgets._tickets`).
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable
from typing import Any

import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from tornado.httputil import HTTPServerRequest
from traitlets import Unicode

from workbench.widgets import _tickets
from workbench.widgets._tickets import Tickets
from workbench.widgets._voila import Voila, VoilaKernelWebsocketHandler

PROTOCOL = "v1.kernel.websocket.jupyter.org"
"""Voila 0.5 reads every message to a page as this protocol. To a client that did not ask for it the server sends
JSON text, whose first bytes are then taken for a count of offsets: billions of steps, and every page is dead."""
CHANNELS = re.compile(r"/api/kernels/[^/]+/channels/?$")
PAGE = re.compile(r"(?:/voila/render/.*)?/?$")
MOST_BYTES = 8 * _tickets.LONGEST
"""Of the content of a request with a password or a ticket."""
MOST_KERNELS = 12
"""Most pages open at a time; each has a kernel of some 100 MB."""


def refusal(request: HTTPServerRequest, *, port: int, kernels: int, proxy_host: str = "") -> tuple[int, str]:
    """Why a request is refused: HTTP status and sentence, ``(0, "")`` when it is not.

    Parameters
    ----------
    request : as tornado parsed it.
    port : on which this server listens.
    kernels : how many run now.
    proxy_host : ``Host`` of requests that come through a proxy on this computer, ``""`` where there is none.
    """
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")} | ({proxy_host} - {""})
    if request.headers.get("Host", "") not in hosts:
        return 403, "this dashboard answers on this computer only; open it with the address that was printed"
    if CHANNELS.search(request.path):
        subprotocols = {name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")}
        if PROTOCOL not in subprotocols:
            return 400, f"a kernel socket must offer the subprotocol {PROTOCOL}"
    # Only pages start kernels; assets and sockets of open pages must still be served at the limit.
    if request.method == "GET" and PAGE.fullmatch(request.path) and kernels >= MOST_KERNELS:
        return 503, f"{kernels} pages are open, which is the most; close one and load again in two minutes"
    return 0, ""


def take_prefix_off(request: HTTPServerRequest, prefix: str) -> None:
    """Strip the proxy's prefix from the path of a request; some proxies leave it on, others do not."""
    if prefix != "/" and request.path.startswith(prefix):
        request.uri = f"/{(request.uri or '').removeprefix(prefix)}"
        request.path = f"/{request.path.removeprefix(prefix)}"


class Refused(tornado.web.RequestHandler):
    """Answers a refused request."""

    def initialize(self, status: int, sentence: str) -> None:
        """Take status and sentence."""
        self.status, self.sentence = status, sentence

    def prepare(self) -> None:
        """Answer every method alike."""
        self.set_status(self.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self.sentence)


class LeavePassword(JupyterHandler):  # type: ignore[misc]
    """Takes a password from a page that was opened with the token of this server, and gives a ticket for it."""

    def initialize(self, tickets: Tickets) -> None:
        """Take where they wait."""
        self.tickets = tickets

    def check_xsrf_cookie(self) -> None:
        """A page of another site is refused: a browser names its origin, and asks before it sends JSON there."""
        if self.request.headers.get("Content-Type") != "application/json" or not self.check_origin():
            raise tornado.web.HTTPError(403)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """No page, which would need templates of the server that Voila has none of."""
        _answer(self, status_code, {})

    @tornado.web.authenticated
    def post(self) -> None:
        """``{"password"}`` → ``{"ticket"}``."""
        password = _given(self.request, _tickets.PASSWORD)
        _answer(self, 400, {}) if password is None else _answer(
            self, 200, {_tickets.TICKET: self.tickets.leave(password)}
        )


class ExchangeTicket(tornado.web.RequestHandler):
    """Gives a kernel of this server the password of a ticket."""

    def initialize(self, tickets: Tickets, key: str) -> None:
        """Take where they wait, and the key that kernels have."""
        self.tickets, self.key = tickets, key

    def check_xsrf_cookie(self) -> None:
        """No page gets anything here, whatever cookies it has: the key is asked for."""

    def post(self) -> None:
        """``{"ticket"}`` → ``{"password"}``."""
        if not self.key or not secrets.compare_digest(self.request.headers.get("X-Key", ""), self.key):
            return _answer(self, 403, {})
        ticket = _given(self.request, _tickets.TICKET)
        password = None if ticket is None else self.tickets.take(ticket)
        return _answer(self, 404, {}) if password is None else _answer(self, 200, {_tickets.PASSWORD: password})


def _given(request: HTTPServerRequest, name: str) -> str | None:
    """The one text of a request's content; None where it is something else, or longer than any password."""
    if len(request.body) > MOST_BYTES:
        return None
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) and len(value) <= _tickets.LONGEST else None


def _answer(handler: tornado.web.RequestHandler, status: int, content: dict[str, str]) -> None:
    handler.set_status(status)
    handler.set_header("Content-Type", "application/json")
    handler.set_header("Cache-Control", "no-store")
    handler.finish(json.dumps(content))


class PromptSocket(VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """A kernel socket whose small messages leave at once.

    The kernel answers a page in three of them. Else the second one waits until the browser has acknowledged the
    first, which it delays by 40 ms: a presenter would know the engine's clock to no better than 20 ms.
    """

    async def open(self, kernel_id: str) -> None:
        """Before anything is sent."""
        self.set_nodelay(True)
        await super().open(kernel_id)


class GuardedVoila(Voila):  # type: ignore[misc]
    """Voila whose application asks the guard before it looks for a handler."""

    proxy_host = Unicode("", help="Host header of requests that come through a proxy").tag(config=True)

    def init_handlers(self) -> list[Any]:
        """Ours for passwords first, then Voila's own, with sockets that do not wait."""
        tickets = Tickets()
        ours = [
            (_tickets.LEAVE, LeavePassword, {"tickets": tickets}),
            (_tickets.EXCHANGE, ExchangeTicket, {"tickets": tickets, "key": os.environ.get(_tickets.KEY, "")}),
        ]
        handlers: list[Any] = super().init_handlers()
        return ours + [
            (path, PromptSocket, *more) if handler is VoilaKernelWebsocketHandler else (path, handler, *more)
            for path, handler, *more in handlers
        ]

    def listen(self) -> None:
        """Put the guard in front, then listen."""
        behind: Callable[..., Any] = self.app.find_handler

        def find(request: HTTPServerRequest, **more: Any) -> Any:
            take_prefix_off(request, self.base_url)
            kernels = len(self.kernel_manager.list_kernel_ids())
            status, sentence = refusal(request, port=self.port, kernels=kernels, proxy_host=self.proxy_host)
            if status:
                arguments = {"status": status, "sentence": sentence}
                return self.app.get_handler_delegate(request, Refused, arguments)
            return behind(request, **more)

        # Tornado asks this method for every request, also for sockets: no handler can be reached around it.
        self.app.find_handler = find
        super().listen()


def main() -> None:
    """Run it."""
    GuardedVoila.launch_instance()


if __name__ == "__main__":
    main()
