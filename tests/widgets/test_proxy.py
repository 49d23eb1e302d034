"""The dashboard behind a proxy, as that of a JupyterHub: requests under its prefix are served."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from workbench.errors import BadValue
from workbench.study import Study
from workbench.widgets.dashboard import HOST, Dashboard, ProxyAddress, _free_port, command, serve

PREFIX = "/user/anna/proxy/8866/"
HUB = "hub.example.org"


def request(path: str, host: str = HUB) -> HTTPServerRequest:
    """A request as tornado parsed it."""
    line = RequestStartLine("GET", path, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"https://{HUB}{PREFIX}", ProxyAddress(f"https://{HUB}", HUB, PREFIX)),
        (f"https://{HUB}{PREFIX[:-1]} ", ProxyAddress(f"https://{HUB}", HUB, PREFIX)),
        ("http://lab:8000", ProxyAddress("http://lab:8000", "lab:8000", "/")),
    ],
)
def test_an_address_is_taken_apart(url: str, address: ProxyAddress) -> None:
    assert ProxyAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub/user",
        "ftp://hub/",
        "https:///x",
        "http://[/",
        "http://a:b/",
        "https://h/?a=b",
        "https://u@h/",
        "http://h/<b>",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(BadValue, match="--url must be the address of the dashboard behind the proxy"):
        ProxyAddress.parse(url)


def test_the_host_of_the_proxy_passes_the_guard_and_no_other(guarded: ModuleType) -> None:
    def status(host: str) -> int:
        return guarded.refusal(request("/", host), port=8866, kernels=0, proxy_host=HUB)[0]

    assert (status(HUB), status(f"evil.{HUB}"), status("")) == (0, 403, 403)


@pytest.mark.parametrize("uri", ["/?token=t", "/api/kernels/a/channels", "/"])
def test_a_request_is_the_same_with_the_prefix_and_without(guarded: ModuleType, uri: str) -> None:
    for given in (uri, PREFIX + uri[1:]):
        asked = request(given)
        guarded.take_prefix_off(asked, PREFIX)
        assert (asked.uri, asked.path) == (uri, uri.partition("?")[0])


def test_without_a_proxy_the_command_line_says_nothing_of_one() -> None:
    assert not [one for one in command(Path("a.ipynb"), port=1) if "url" in one or "proxy" in one]


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard that a Hub would serve under a prefix."""
    folder = tmp_path_factory.mktemp("proxy") / "study"
    Study.create(folder, code="HUB", title="Behind a proxy", actor="test").close()
    dashboard = serve(
        folder, port=_free_port(), open_browser=False, proxy=ProxyAddress.parse(f"https://{HUB}{PREFIX}")
    )
    yield dashboard
    dashboard.stop()


def ask(dashboard: Dashboard, path: str, host: str = HUB) -> tuple[int, str]:
    """Status and location or body of what a proxy on this computer is answered."""
    connection = http.client.HTTPConnection(HOST, dashboard.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.headers.get("Location") or response.read().decode("utf-8", "replace")
    finally:
        connection.close()


@pytest.mark.job
@pytest.mark.parametrize("prefix", [PREFIX, "/"], ids=["prefix left on", "prefix taken off"])
def test_a_request_under_the_prefix_is_served(behind_a_proxy: Dashboard, prefix: str) -> None:
    assert behind_a_proxy.url == f"https://{HUB}{PREFIX}?token={behind_a_proxy.token}"
    status, page = ask(behind_a_proxy, f"{prefix}?token={behind_a_proxy.token}")
    assert status == 200
    assert f'"baseUrl": "{PREFIX}"' in page
    assert ask(behind_a_proxy, f"{prefix}voila/static/voila.js")[0] == 200
    status, location = ask(behind_a_proxy, prefix)
    assert status in (302, 403)
    assert status == 403 or location.startswith(f"{PREFIX}login")
    assert ask(behind_a_proxy, prefix, host="evil.example")[0] == 403
