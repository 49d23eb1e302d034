"""A password waits for its kernel for a short time, is given once, and to nobody without the key."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from workbench.errors import Refused
from workbench.widgets import _tickets
from workbench.widgets._base import Panel
from workbench.widgets._tickets import Tickets, exchanged

SECRET = "correct horse"


@pytest.fixture
def office(guarded: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tickets]:
    """What waits at a server whose exchange a kernel finds in its environment."""
    tickets, (socket, port) = Tickets(), bind_unused_port()
    for name, value in _tickets.environment(host="127.0.0.1", port=port).items():
        monkeypatch.setenv(name, value)
    key = {"tickets": tickets, "key": _tickets.os.environ[_tickets.KEY]}
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        pages = tornado.web.Application([(_tickets.EXCHANGE, guarded.ExchangeTicket, key)], xsrf_cookies=True)
        server = HTTPServer(pages)
        server.add_socket(socket)
        loop.call_soon(ready.set)
        loop.run_forever()
        server.stop()
        loop.run_until_complete(server.close_all_connections())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(30)
    yield tickets
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)


class Asking(Panel):
    """Keeps what it was asked, and what it answered its page."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.said = list[Any](), list[Any]()

    def requests(self) -> dict[str, Any]:
        return {"sign_in": lambda login, password="": self.asked.append((login, password))}

    def send(self, content: Any, buffers: Any = None) -> None:
        self.said.append(content)


def test_a_kernel_exchanges_a_ticket_once(office: Tickets) -> None:
    ticket = office.leave(SECRET)
    assert len(ticket) >= 43
    assert exchanged({"login": "lin", "ticket": ticket}) == {"login": "lin", "password": SECRET}
    with pytest.raises(Refused, match="used already"):
        exchanged({"ticket": ticket})


@pytest.mark.parametrize("ticket", ["", "no such one", "x" * 5000, 3, None, {"a": 1}])
def test_what_is_no_ticket_is_refused_in_one_sentence(office: Tickets, ticket: Any) -> None:
    office.leave(SECRET)
    with pytest.raises(Refused, match="give it again"):
        exchanged({"ticket": ticket})


def test_without_the_key_no_ticket_is_worth_anything(office: Tickets, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, right = office.leave(SECRET), _tickets.os.environ[_tickets.KEY]
    for wrong in ("", "x", right[:-1]):
        monkeypatch.setenv(_tickets.KEY, wrong)
        with pytest.raises(Refused):
            exchanged({"ticket": ticket})
    monkeypatch.setenv(_tickets.KEY, right)
    assert exchanged({"ticket": ticket})["password"] == SECRET


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 20_000, b"3", b'{"ticket": "' + b"x" * 100_000 + b'"}'])
def test_content_that_holds_no_ticket_is_answered_as_a_ticket_that_is_worth_nothing(
    office: Tickets, content: bytes
) -> None:
    headers = {"X-Key": _tickets.os.environ[_tickets.KEY], "Content-Type": "application/json"}
    asked = urllib.request.Request(_tickets.os.environ[_tickets.WHERE], content, headers)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(asked, timeout=30).close()
    assert exchanged({"ticket": office.leave(SECRET)})["password"] == SECRET


def test_a_password_is_forgotten_after_a_minute_and_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets, now = Tickets(), [0.0]
    monkeypatch.setattr(_tickets.time, "monotonic", lambda: now[0])
    first = tickets.leave(SECRET)
    now[0] = _tickets.KEPT_S + 1
    assert tickets.take(first) is None
    oldest, *others = [tickets.leave(str(n)) for n in range(_tickets.MOST + 1)]
    assert tickets.take(oldest) is None
    assert [tickets.take(one) for one in others] == [str(n) for n in range(1, _tickets.MOST + 1)]


def test_a_panel_takes_a_ticket_for_a_password_and_no_password_in_a_message(office: Tickets) -> None:
    panel = Asking()
    panel._received(panel, {"name": "sign_in", "args": {"login": "lin", "password": SECRET}, "id": "1"}, [])
    assert (panel.asked, panel.said[-1]["ok"]) == ([], False)
    assert "was not used" in panel.said[-1]["text"]
    about = {"login": "lin", "ticket": office.leave(SECRET)}
    panel._received(panel, {"name": "sign_in", "args": about, "id": "2"}, [])
    assert panel.asked == [("lin", SECRET)]
    assert (panel.said[-1]["id"], panel.said[-1]["ok"]) == ("2", True)
    assert SECRET not in repr(panel.said)


def test_each_who_signs_has_a_ticket_and_no_password_in_the_message(office: Tickets) -> None:
    signers = [{"login": login, "ticket": office.leave(f"{SECRET} of {login}")} for login in ("lin", "he", "sun")]
    given = exchanged({"change": "LockStudy", "signers": signers})
    assert [one["password"] for one in given["signers"]] == [f"{SECRET} of {one}" for one in ("lin", "he", "sun")]
    with pytest.raises(Refused, match="was not used"):
        exchanged({"signers": [{"login": "lin", "password": SECRET}]})
    with pytest.raises(Refused, match="give it again"):
        exchanged({"signers": [{"ticket": office.leave(SECRET)}] * (_tickets.MOST_SIGNERS + 1)})
    assert exchanged({"signers": "lin"}) == {"signers": "lin"}


def test_a_kernel_without_a_dashboard_says_where_passwords_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(_tickets.WHERE, raising=False)
    with pytest.raises(Refused, match="workbench dashboard"):
        exchanged({"ticket": "x"})
