"""The dashboard in a real browser: a session from Start to STOP, no outside request, and no code from a page."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Visited
from workbench import live
from workbench.errors import EngineFault
from workbench.study import Study

pytestmark = [pytest.mark.xdist_group("dashboard"), pytest.mark.timeout(400)]

EXECUTE = """
async ([path]) => {
  const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const socket = new WebSocket(`ws://${location.host}/api/kernels/${config.kernelId}/channels?session_id=intruder`);
  const replies = [];
  const message = (type, content) => JSON.stringify({
    channel: "shell", content, metadata: {}, parent_header: {}, buffers: [],
    header: {
      msg_id: type, msg_type: type, session: "intruder", username: "x", version: "5.3",
      date: new Date().toISOString(),
    },
  });
  await new Promise((open, fail) => { socket.onopen = open; socket.onerror = fail; });
  const asked = new Promise((done) => {
    socket.onmessage = (event) => {
      const reply = JSON.parse(event.data);
      if (reply.parent_header && reply.parent_header.session === "intruder") replies.push(reply.header.msg_type);
      if (reply.header.msg_type === "kernel_info_reply") done();
    };
  });
  const code = `open(${JSON.stringify(path)}, "w").write("ran")`;
  const settings = { silent: false, store_history: false, user_expressions: {}, allow_stdin: false };
  socket.send(message("execute_request", { code, ...settings }));
  socket.send(message("kernel_info_request", {}));
  await asked;
  socket.close();
  return replies;
}
"""

FRAME = """
() => {
  const c = document.querySelector(".lanes canvas");
  const all = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  let sum = 0;
  for (let i = 3; i < all.length; i += 4) sum = (sum * 31 + all[i] + (i % 977) * all[i]) % 1000003;
  return sum;
}
"""


@pytest.fixture(scope="module", autouse=True)
def no_engine_left(study_folder: Path) -> Iterator[None]:
    """Ends the engine that the page started."""
    yield
    try:
        with live.attach(study_folder) as client:
            client.shutdown()
    except EngineFault:
        assert live.find(study_folder) is None


def reset_stop(visited: Visited) -> None:
    """The stop is acknowledged and latched; leave it, so that the next run can start."""
    visited.page.wait_for_function(
        "document.querySelector('[data-name=stop-words]').textContent.includes('Acknowledged')"
    )
    visited.page.wait_for_selector("text=ESTOP")
    assert visited.page.locator("[data-name=start-run]").is_disabled()
    visited.page.click("[data-name=reset_stop]")
    visited.page.wait_for_selector("[data-name=start-run]:enabled")


def start_run(visited: Visited, trials: int) -> None:
    visited.page.select_option("[data-name=kind]", "calibration")
    visited.page.fill("[data-name=n-trials]", str(trials))
    visited.page.click("[data-name=start-run]")
    visited.page.wait_for_selector("[data-name=pause]")


def test_without_the_token_there_is_only_the_login(visited: Visited) -> None:
    base = f"http://127.0.0.1:{visited.dashboard.port}"
    with urllib.request.urlopen(base, timeout=20) as page:
        assert urlsplit(page.url).path == "/login"
    kernel = visited.page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    for path in (f"/api/kernels/{kernel}", f"/api/kernels/{kernel}/channels"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(base + path, timeout=20)
        assert refused.value.code == 403
        refused.value.close()


@pytest.mark.parametrize("path", ["voila/render/20_live_session.ipynb", "voila/files/session.ipynb", "voila/tree"])
def test_one_notebook_is_served_and_no_file(visited: Visited, path: str) -> None:
    reply = visited.page.request.get(f"http://127.0.0.1:{visited.dashboard.port}/{path}")
    assert reply.status in (403, 404)


def test_a_page_cannot_run_code(visited: Visited, tmp_path: Path) -> None:
    target = tmp_path / "ran"
    replies = visited.page.evaluate(EXECUTE, [str(target)])
    assert "kernel_info_reply" in replies
    assert not {"execute_reply", "execute_input"} & set(replies)
    assert not target.exists()


def test_a_session_starts_and_the_scope_moves(visited: Visited, tmp_path: Path) -> None:
    visited.page.click("[data-name=start-session]")
    visited.page.wait_for_selector("[data-name=start-run]")
    visited.page.wait_for_function(f"(first) => ({FRAME})() !== first", arg=visited.page.evaluate(FRAME))
    visited.page.wait_for_function("document.querySelectorAll('.el').length === 8")
    visited.page.screenshot(path=str(tmp_path / "idle.png"))
    assert visited.page.locator("[data-name=simulated]:visible").count() >= 2


def test_a_run_starts_trials_are_counted_and_the_picture_moves(visited: Visited, tmp_path: Path) -> None:
    start_run(visited, 60)
    visited.page.wait_for_function("parseInt(document.querySelector('[data-name=trials]').textContent) >= 2")
    visited.page.wait_for_function(f"(first) => ({FRAME})() !== first", arg=visited.page.evaluate(FRAME))
    visited.page.screenshot(path=str(tmp_path / "running.png"))
    assert "/ 60" in visited.page.locator("[data-name=trials]").inner_text()


def test_the_language_switches_while_a_run_goes_on(visited: Visited, tmp_path: Path) -> None:
    visited.page.get_by_role("button", name="中文").click()
    visited.page.wait_for_selector("text=停止")
    visited.page.wait_for_selector("text=本轮剩余")
    visited.page.screenshot(path=str(tmp_path / "running-zh.png"))
    visited.page.get_by_role("button", name="EN", exact=True).click()
    visited.page.wait_for_selector("text=left in run")
    assert visited.page.locator("text=本轮剩余").count() == 0
    with live.attach(visited.study) as client:
        assert client.status()["run"]["state"] == "running"


def test_a_second_page_shows_the_same_session(visited: Visited) -> None:
    other = visited.page.context.new_page()
    other.set_default_timeout(120_000)
    other.goto(visited.dashboard.url)
    other.wait_for_selector("[data-name=pause]")
    assert "Run 1" in other.locator(".run").inner_text()
    other.close()


def test_escape_stops_the_run_and_the_engine_says_so(visited: Visited, tmp_path: Path) -> None:
    visited.page.keyboard.press("Escape")
    visited.page.wait_for_selector("text=Run stopped")
    visited.page.screenshot(path=str(tmp_path / "stopped.png"))
    with live.attach(visited.study) as client:
        assert client.status()["run"]["state"] == "stopped"
    reset_stop(visited)


def test_the_stop_button_stops_the_next_run(visited: Visited) -> None:
    start_run(visited, 5)
    visited.page.click("[data-name=stop]")
    visited.page.wait_for_selector("text=Run stopped")
    with live.attach(visited.study) as client:
        run = client.status()["run"]
        assert (run["number"], run["state"]) == (2, "stopped")
    reset_stop(visited)


def test_a_decoder_is_calibrated_approved_and_moves_the_glove(visited: Visited, tmp_path: Path) -> None:
    page = visited.page
    assert page.locator("[data-name=kind] option").count() == 2
    start_run(visited, 8)
    page.wait_for_selector("[data-name=approve]:enabled")
    page.locator("[data-name=approve]").scroll_into_view_if_needed()
    page.screenshot(path=str(tmp_path / "decoder.png"))
    page.click("[data-name=approve]")
    page.wait_for_selector("text=Approved by")
    page.wait_for_function("[...document.querySelectorAll('[data-name=kind] option')].length === 2")
    page.select_option("[data-name=kind]", "online")
    page.wait_for_selector("[data-name=start-run]:enabled")
    page.fill("[data-name=n-trials]", "12")
    page.click("[data-name=start-run]")
    page.click("[data-name=arm]:enabled")
    page.wait_for_function(
        "/ACTIVE|HOLD|RELEASE/.test(document.querySelector('[data-name=effector-state] .nm').textContent)"
    )
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=str(tmp_path / "online.png"))
    page.wait_for_function("/^[01]\\.\\d\\d$/.test(document.querySelector('[data-name=evidence]').textContent)")
    page.wait_for_selector("text=Run finished")
    assert page.locator("[data-name=trials]").inner_text() == "12 / 12"


def test_a_dark_page_is_dark_behind_its_panels_too(visited: Visited) -> None:
    visited.page.emulate_media(color_scheme="dark")
    visited.page.wait_for_function(
        "[...document.querySelectorAll('.wb')].every(one => one.dataset.theme === 'dark')"
    )
    grounds = visited.page.evaluate("""() => {
      const found = new Set();
      for (let one = document.querySelector(".wb-panel"); one; one = one.parentElement) {
        found.add(getComputedStyle(one).backgroundColor);
      }
      return [...found];
    }""")
    visited.page.emulate_media(color_scheme="light")
    assert set(grounds) == {"rgb(13, 19, 23)", "rgba(0, 0, 0, 0)"}


def test_every_panel_of_the_page_follows_its_language(visited: Visited) -> None:
    page = visited.page
    page.get_by_role("button", name="中文").click()
    page.wait_for_function("[...document.querySelectorAll('.wb')].every(one => one.lang === 'zh-CN')")
    assert page.locator(".wb").count() >= 3
    page.get_by_role("button", name="EN", exact=True).click()
    page.wait_for_function("[...document.querySelectorAll('.wb')].every(one => one.lang === 'en')")


def test_the_session_is_ended_by_keyboard_and_everything_is_in_the_record(
    visited: Visited, tmp_path: Path
) -> None:
    page = visited.page
    start_run(visited, 5)
    assert page.locator("[data-name=end-session]").is_disabled()
    assert "after the run ends" in page.locator("[data-name=end-session]").inner_text()
    page.click("[data-name=end]")
    page.click("[data-name=end-now]")
    page.wait_for_selector("[data-name=end-session]:enabled")
    page.locator("[data-name=end-session]").focus()
    page.keyboard.press("Enter")
    assert "is kept" in page.get_by_role("alertdialog").inner_text()
    page.screenshot(path=str(tmp_path / "ask-end-session.png"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Session ended")
    page.screenshot(path=str(tmp_path / "session-ended.png"))
    assert "everything recorded is kept" in page.locator(".run").inner_text()
    assert page.get_by_role("alert").count() == 0
    page.wait_for_function("!document.querySelector('.lane') && !document.querySelector('.el')")
    page.wait_for_selector("[data-name=start-session]:enabled")
    assert live.find(visited.study) is None
    with Study.open(visited.study, actor="test") as study:
        assert study.count("run") > 0
        assert live.ingest_pending(study) == []  # the page has taken in every run


def test_no_request_left_this_machine(visited: Visited) -> None:
    hosts = {urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))}
    assert len(visited.requests) > 50
    assert any(url.startswith("ws") for url in visited.requests)
    assert hosts == {"127.0.0.1"}
