"""What stands in front of Voila, and who watches it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from workbench.widgets import dashboard
from workbench.widgets.dashboard import Dashboard, hand_over

PORT = 8866


def request(
    path: str = "/", host: str = f"127.0.0.1:{PORT}", method: str = "GET", **headers: str
) -> HTTPServerRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    line = RequestStartLine(method, path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host, **named}))


@pytest.fixture(scope="module")
def status(guarded: ModuleType) -> Callable[..., int]:
    return lambda one, kernels=0: guarded.refusal(one, port=PORT, kernels=kernels)[0]


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""]
)
@pytest.mark.parametrize("path", ["/", "/static/favicon.ico", "/api/kernels/a/channels", "/login"])
def test_a_foreign_host_header_is_refused_on_every_path_token_or_not(
    status: Callable[..., int], host: str, path: str
) -> None:
    assert status(request(path + "?token=right", host)) == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_this_computer_by_its_own_names_passes(status: Callable[..., int], name: str) -> None:
    assert status(request("/", f"{name}:{PORT}")) == 0


@pytest.mark.parametrize("offered", ["", "v1", "json, v2.kernel.websocket.jupyter.org"])
@pytest.mark.parametrize(
    "path", ["/api/kernels/abc/channels", "/api/kernels/abc/channels/", "/pre/api/kernels/a/channels"]
)
def test_a_kernel_socket_without_the_subprotocol_is_refused(
    guarded: ModuleType, status: Callable[..., int], path: str, offered: str
) -> None:
    assert status(request(path, Sec_WebSocket_Protocol=offered)) == 400
    assert status(request(path, Sec_WebSocket_Protocol=f"x, {guarded.PROTOCOL}")) == 0


def test_pages_beyond_the_most_kernels_are_refused_and_nothing_else_is(
    guarded: ModuleType, status: Callable[..., int]
) -> None:
    most = guarded.MOST_KERNELS
    assert status(request("/"), most - 1) == 0
    assert status(request("/?token=t"), most) == 503
    assert status(request("/voila/render/session.ipynb"), most) == 503
    assert status(request("/static/favicon.ico"), most) == 0
    assert status(request("/api/kernels/a/channels", Sec_WebSocket_Protocol=guarded.PROTOCOL), most) == 0


SERVER = """
import http.server, pathlib, sys
port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while (folder / "busy").exists():  # One loop serves every page, as Voila's does.
            pass
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Page).serve_forever()
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Dashboard]]:
    """A watched server of a few lines in the place of Voila: a process to kill, freeze and keep busy."""
    for name, value in (("PROBE_S", 0.1), ("ANSWER_S", 0.3)):
        monkeypatch.setattr(dashboard, name, value)
    made: list[Dashboard] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def launch() -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-c", SERVER, str(port), str(tmp_path)]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start() -> Dashboard:
        one = Dashboard(
            launch, token="a-secret-token", port=port, log=tmp_path / "log", redirect=tmp_path / "open.html"
        )
        made.append(one)
        dashboard._wait_until_ready(one)
        one.watch()
        return one

    yield start
    for one in made:
        one.stop()


def until(reached: Callable[[], object]) -> None:
    never = threading.Event()
    for _ in range(600):
        if reached():
            return
        never.wait(0.1)
    raise AssertionError("not reached within a minute")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_a_server_that_ended_or_hangs_is_started_again_under_its_address(
    watched: Callable[[], Dashboard], how: signal.Signals
) -> None:
    made = watched()
    first, url = made.process.pid, made.url
    os.kill(first, how)
    until(lambda: made.restarts and dashboard._answers(made.port))
    assert (made.restarts, made.url) == (1, url)
    assert made.process.pid != first
    assert dashboard._answers(made.port)


def test_a_server_that_is_late_because_it_works_is_not_ended_and_its_pages_stay(
    watched: Callable[[], Dashboard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "SILENT_PROBES", 10_000)
    made = watched()
    first = made.process.pid
    (tmp_path / "busy").touch()
    until(lambda: made.silent > dashboard.IDLE_PROBES)
    (tmp_path / "busy").unlink()
    until(lambda: made.silent == 0)
    assert (made.restarts, made.process.pid) == (0, first)


def test_a_server_that_works_and_never_answers_is_started_again(
    watched: Callable[[], Dashboard], tmp_path: Path
) -> None:
    made = watched()
    first = made.process.pid
    (tmp_path / "busy").touch()
    until(lambda: made.restarts)
    (tmp_path / "busy").unlink()
    until(lambda: dashboard._answers(made.port))
    assert (made.restarts, made.process.pid != first) == (1, True)


def test_the_token_reaches_the_browser_through_a_file_of_this_account_and_no_argument(
    watched: Callable[[], Dashboard],
) -> None:
    made = watched()
    page = hand_over(made)
    assert made.token not in page.as_uri()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert json.dumps(made.url) in page.read_text(encoding="utf-8")
    made.stop()
    assert not page.exists()


def test_no_argument_of_voila_holds_the_token() -> None:
    arguments = dashboard.command(Path("session.ipynb"), port=PORT)
    assert "workbench.widgets.guarded" in arguments
    assert not [one for one in arguments if "token=" in one.lower() and "auto_token" not in one.lower()]


@pytest.mark.release
def test_the_guard_starts_without_the_grammar_that_it_never_asks_for_and_others_still_find_it() -> None:
    script = """
import sys
import workbench.widgets.guarded
assert "jsonschema" in sys.modules and "lark" not in sys.modules
import rfc3987_syntax
assert rfc3987_syntax.is_valid_syntax("iri", "http://example.org/é")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
