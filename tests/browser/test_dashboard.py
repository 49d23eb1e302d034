"""The dashboard in a real browser: a session from Start to STOP, no outside request, and no code from a page."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest

from tests.browser.conftest import READY_MS, Visited
from workbench import live, runs
from workbench.errors import EngineFault
from workbench.recording import RunFile
from workbench.study import Study
from workbench.widgets.dashboard import EXTENSIONS

pytestmark = [pytest.mark.job, pytest.mark.timeout(400)]

SECRET = "correct horse battery"

EXECUTE = """
async ([path, protocols]) => {
  const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const address = `ws://${location.host}/api/kernels/${config.kernelId}/channels?session_id=intruder`;
  const socket = new WebSocket(address, protocols);
  socket.binaryType = "arraybuffer";
  const replies = [];
  const text = new TextEncoder();
  const message = (type, content) => {
    const header = {
      msg_id: type, msg_type: type, session: "intruder", username: "x", version: "5.3",
      date: new Date().toISOString(),
    };
    const texts = ["shell", ...[header, {}, {}, content].map((one) => JSON.stringify(one))];
    const parts = texts.map((one) => text.encode(one));
    const offsets = [8 * (parts.length + 2)];
    for (const part of parts) offsets.push(offsets.at(-1) + part.length);
    const out = new Uint8Array(offsets.at(-1));
    new BigUint64Array(out.buffer, 0, offsets.length + 1).set([offsets.length, ...offsets].map(BigInt));
    parts.forEach((part, i) => out.set(part, offsets[i]));
    return out;
  };
  const opened = await new Promise((done) => {
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
  });
  if (!opened) return null;
  const asked = new Promise((done) => {
    socket.onmessage = (event) => {
      const view = new DataView(event.data);
      const at = (i) => Number(view.getBigUint64(8 * (i + 1), true));
      const read = (i) => JSON.parse(new TextDecoder().decode(event.data.slice(at(i), at(i + 1))));
      const [header, parent] = [read(1), read(2)];
      if (parent.session === "intruder") replies.push(header.msg_type);
      if (header.msg_type === "kernel_info_reply") done();
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
    visited.page.wait_for_selector("[data-name=reset_stop]:enabled")
    visited.page.click("[data-name=reset_stop]")
    if visited.page.locator("[data-name=reset-now]").count():
        visited.page.click("[data-name=reset-now]")
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
        assert refused.value.code in (400, 403)
        refused.value.close()


@pytest.mark.parametrize("path", ["voila/render/20_live_session.ipynb", "voila/files/session.ipynb", "voila/tree"])
def test_one_notebook_is_served_and_no_file(visited: Visited, path: str) -> None:
    reply = visited.page.request.get(f"http://127.0.0.1:{visited.dashboard.port}/{path}")
    assert reply.status in (403, 404)


@pytest.fixture(scope="module")
def protocol() -> str:
    """What the guard asks of a socket; imported here, because Voila takes longer than all tests to collect."""
    from workbench.widgets.guarded import PROTOCOL

    return PROTOCOL


def test_a_page_cannot_run_code(visited: Visited, tmp_path: Path, protocol: str) -> None:
    target = tmp_path / "ran"
    replies = visited.page.evaluate(EXECUTE, [str(target), [protocol]])
    assert "kernel_info_reply" in replies
    assert not {"execute_reply", "execute_input"} & set(replies)
    assert not target.exists()


def test_a_socket_without_the_subprotocol_and_a_foreign_host_are_refused_and_the_page_lives_on(
    visited: Visited, tmp_path: Path, protocol: str
) -> None:
    assert visited.page.evaluate(EXECUTE, [str(tmp_path / "ran"), []]) is None
    address = visited.dashboard.url
    asked = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    assert refused.value.code == 403
    refused.value.close()
    assert "token" not in visited.page.url
    assert "kernel_info_reply" in visited.page.evaluate(EXECUTE, [str(tmp_path / "ran"), [protocol]])
    assert visited.dashboard.restarts == 0


def test_a_participant_is_opened_from_the_list_consents_and_leads_back_by_keyboard(visited: Visited) -> None:
    page = visited.page
    page.locator("[data-name=open-SIM-02]").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.dataset.name === 'person'")
    assert page.locator("[data-name=person]").inner_text() == "SIM-02"
    assert page.locator("[data-name=participant]").inner_text() == "SIM-02"  # the bar names the same person
    page.locator("[data-name=record-consent]").press("Enter")
    page.fill("[data-name=document-version]", "1.0")
    page.locator("[data-name=sheet-send]:enabled").press("Enter")
    page.wait_for_selector("[data-name=withdraw-participation]")
    page.locator("[data-name=back]").press("Enter")
    page.wait_for_function("document.activeElement.dataset.name === 'open-SIM-02'")
    with Study.open(visited.study, actor="test") as study:
        assert {row["document_version"] for row in study.rows("consent")} == {"1.0"}


def test_a_session_starts_for_the_person_whose_code_was_read_and_for_nobody_else(visited: Visited) -> None:
    page = visited.page
    page.click("[data-name=row-SIM-01]")
    page.wait_for_selector("[data-name=chosen-participant]:has-text('SIM-01')")
    assert page.locator("[data-name=start-session]").is_disabled()
    page.fill("[data-name=code]", "SIM-02")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=This code belongs to SIM-02, not SIM-01")
    assert page.locator("[data-name=start-session]").is_disabled()
    page.fill("[data-name=code]", "SIM-01")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-name=start-session]:enabled")
    assert "SIM-01" in page.locator("[data-name=start-session]").inner_text()
    for width, height in ((1024, 768), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        start, stop = (page.locator(f"[data-name={name}]").bounding_box() for name in ("start-session", "stop"))
        assert start["y"] + start["height"] <= stop["y"], (width, height)
    page.click("[data-name=start-session]")
    page.wait_for_selector("[data-name=start-run]")
    page.wait_for_function(f"(first) => ({FRAME})() !== first", arg=page.evaluate(FRAME))
    page.wait_for_function("document.querySelectorAll('.el').length === 8")
    assert page.locator("[data-name=simulated]:visible").count() >= 2
    assert page.locator("[data-name=participant]").inner_text() == "SIM-01"
    with Study.open(visited.study, actor="test") as study:
        (session,) = study.rows("session")
        assert study.get("visit", session["visit_id"])["participant_id"] == study.rows("participant")[0]["id"]
        assert session["identity"].startswith("participant code")


def test_a_calibration_ends_in_a_fit_that_waits_for_a_decision(visited: Visited) -> None:
    start_run(visited, 8)
    visited.page.wait_for_selector("[data-name=sign]")
    visited.page.click("[data-name=view-run]")


def test_a_form_opened_from_the_session_is_bound_to_its_visit(visited: Visited) -> None:
    page = visited.page
    page.click("[data-name=view-assess]")
    page.wait_for_selector("[data-item=grasp_1]")
    assert "SIM-01" in page.locator("[data-name=form-identity]").inner_text()
    page.locator("[data-item=grasp_1]").focus()
    page.keyboard.type("3210")
    page.wait_for_selector("text=Draft kept")
    page.mouse.wheel(0, 2000)
    for name in ("stop", "participant"):
        box = page.locator(f"[data-name={name}]").bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= 900, name
    page.click("[data-name=view-run]")


def test_a_run_starts_trials_are_counted_and_the_picture_moves(visited: Visited) -> None:
    start_run(visited, 60)
    visited.page.wait_for_function("parseInt(document.querySelector('[data-name=trials]').textContent) >= 2")
    visited.page.wait_for_function(f"(first) => ({FRAME})() !== first", arg=visited.page.evaluate(FRAME))
    assert "/ 60" in visited.page.locator("[data-name=trials]").inner_text()


def test_the_language_switches_while_a_run_goes_on(visited: Visited) -> None:
    visited.page.get_by_role("button", name="中文").click()
    visited.page.wait_for_selector("text=停止")
    visited.page.wait_for_selector("text=本轮剩余")
    shown = visited.page.locator(".wb-live").inner_text()
    assert "第 2 轮开始" in shown
    assert re.findall(r"[a-z]+ [a-z]+ [a-z]+", shown) == [], "a sentence in English"
    visited.page.get_by_role("button", name="EN", exact=True).click()
    visited.page.wait_for_selector("text=left in run")
    assert visited.page.locator("text=本轮剩余").count() == 0
    with live.attach(visited.study) as client:
        assert client.status()["run"]["state"] == "running"


def test_a_second_page_shows_the_same_session_with_the_fit_that_waits_and_the_draft_and_outlives_the_first(
    visited: Visited,
) -> None:
    """What a run came to and what was typed must not live in the page."""
    other = visited.page.context.new_page()
    other.set_default_timeout(READY_MS)
    other.on("websocket", lambda socket: visited.requests.append(socket.url))
    other.goto(visited.dashboard.url)
    other.wait_for_selector("[data-name=pause]")
    assert "Run 2" in other.locator(".run").inner_text()
    other.wait_for_selector("[data-name=view-approve] .badge")
    visited.page.close(run_before_unload=True)
    visited.page = other
    other.click("[data-name=view-assess]")
    other.click("[data-name=continue]")
    other.wait_for_function("document.querySelectorAll('.val.on').length === 4")
    other.click("[data-name=view-run]")


def test_escape_stops_the_run_the_engine_says_so_and_whoever_looks_elsewhere_is_not_taken_from_it(
    visited: Visited,
) -> None:
    page = visited.page
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Run stopped")
    with live.attach(visited.study) as client:
        assert client.status()["run"]["state"] == "stopped"
    page.click("[data-name=view-log]")
    page.wait_for_selector(".log")
    page.wait_for_selector("[data-name=view-result] .badge")  # the run is in the record now
    assert page.locator(".log").is_visible()
    page.click("[data-name=view-run]")
    reset_stop(visited)


def test_the_stop_button_stops_the_next_run(visited: Visited) -> None:
    start_run(visited, 60)
    visited.page.click("[data-name=stop]")
    visited.page.wait_for_selector("text=Run stopped")
    with live.attach(visited.study) as client:
        run = client.status()["run"]
        assert (run["number"], run["state"]) == (3, "stopped")
    reset_stop(visited)


def test_a_fit_that_waits_is_decided_once_and_moves_the_glove(visited: Visited) -> None:
    page = visited.page
    page.click("[data-name=view-approve]")
    page.wait_for_selector("[data-name=sign]")
    stop = page.locator("[data-name=stop]").bounding_box()
    assert 0 < stop["y"] < stop["y"] + stop["height"] <= 900
    page.wait_for_function("document.querySelectorAll('.evplot polyline').length >= 2")
    page.set_viewport_size({"width": 1024, "height": 768})
    if page.locator("[data-name=reason]").is_visible():
        page.fill("[data-name=reason]", "a simulated participant")
    page.click("[data-name=sign]:enabled")  # refused by the browser while something lies over it
    page.wait_for_selector("[data-name=decision]:has-text('Approved by')")
    page.mouse.move(400, 400)
    page.mouse.wheel(0, 6000)
    page.wait_for_function("document.querySelector('.decoder h1').getBoundingClientRect().top < 0")
    for name in ("stop", "participant"):
        box = page.locator(f"[data-name={name}]").bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= 768, name
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_selector("[data-name=view-approve] .badge", state="detached")
    page.click("[data-name=view-run]")
    page.wait_for_selector("[data-name=kind] option[value=online]", state="attached")
    page.select_option("[data-name=kind]", "online")
    page.wait_for_selector("[data-name=start-run]:enabled")
    assert "approved by" in page.locator("[data-name=decoder-used]").inner_text()
    page.fill("[data-name=n-trials]", "6")
    page.click("[data-name=start-run]")
    page.click("[data-name=arm]:enabled")
    page.wait_for_selector("[data-name=result-title]")
    assert "SIM-01 acted on" in page.locator("[data-name=result-title]").inner_text()
    assert "of 6 cues" in page.locator("[data-name=result-title]").inner_text()
    assert "cue times shuffled 2,000 times" in page.locator(".verdict").inner_text()
    page.click("[data-name=all-trials]")
    assert page.locator(".alltrials tbody tr").count() == 6
    run = RunFile(max((visited.study / "recordings").glob("run-*.xdf")))
    closes = {command.seq for command in run.commands() if command.action == "close"}
    assert closes & {ack.seq for ack in run.acks() if ack.status == "ok"}
    page.click("[data-name=next-report]")
    page.wait_for_selector("[data-name=step-done]:has-text('Report kept: reports/session-')")
    assert page.locator("[data-name=result-title]").is_visible()


def test_a_dark_page_is_dark_behind_its_panels_too(visited: Visited) -> None:
    visited.page.click("[data-name=view-log]")
    visited.page.wait_for_selector(".log")
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
    assert page.locator(".wb").count() >= 2
    page.get_by_role("button", name="EN", exact=True).click()
    page.wait_for_function("[...document.querySelectorAll('.wb')].every(one => one.lang === 'en')")


def test_the_session_is_ended_by_keyboard_and_everything_is_in_the_record(visited: Visited) -> None:
    page = visited.page
    page.click("[data-name=view-run]")
    start_run(visited, 60)
    assert page.locator("[data-name=end-session]").is_disabled()
    assert "after the run ends" in page.locator("[data-name=end-session]").inner_text()
    page.click("[data-name=end]")
    page.click("[data-name=end-now]")
    page.wait_for_selector("[data-name=end-session]:enabled")
    page.locator("[data-name=end-session]").focus()
    page.keyboard.press("Enter")
    assert "is kept" in page.get_by_role("alertdialog").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-name=row-SIM-01]")
    page.wait_for_function("!document.querySelector('.lane') && !document.querySelector('.el')")
    assert page.get_by_role("alert").all_inner_texts() == []
    assert live.find(visited.study) is None
    with Study.open(visited.study, actor="test") as study:
        assert study.count("run") > 0
        assert runs.ingest_pending(study) == []  # the page has taken in every run


def test_a_page_loads_the_extensions_that_show_widgets_and_no_other(visited: Visited) -> None:
    paths = (urlsplit(url).path for url in visited.requests)
    loaded = {path.split("/labextensions/")[1].split("/static/")[0] for path in paths if "/labextensions/" in path}
    assert loaded == set(EXTENSIONS)


def test_no_request_left_this_machine(visited: Visited) -> None:
    hosts = {urlsplit(url).hostname for url in visited.requests if not url.startswith(("data:", "blob:"))}
    assert len(visited.requests) > 50
    assert any(url.startswith("ws") for url in visited.requests)
    assert hosts == {"127.0.0.1"}


def test_a_password_is_in_no_frame_and_no_address_and_in_the_content_of_one_post_alone(visited: Visited) -> None:
    """A real sign-in, with everything that the page sent and was sent."""
    with Study.open(visited.study, actor="test") as study:
        study.add_person("lin", "Lin Q.", SECRET)
    page = visited.page.context.new_page()
    page.set_default_timeout(READY_MS)
    frames, asked = list[str | bytes](), list[Any]()
    page.on("request", lambda request: asked.append(request))

    def listen(socket: Any) -> None:
        for name in ("framesent", "framereceived"):
            socket.on(name, lambda frame: frames.append(frame))

    page.on("websocket", listen)
    page.goto(visited.dashboard.url)
    page.click("[data-name=sign-person]")
    page.fill("[data-name=login]", "lin")
    for password in ("something else", SECRET):
        page.fill("[data-name=password]", password)
        page.click("[data-name=sign-in]:enabled")
        if password != SECRET:
            page.wait_for_selector(".sign [role=alert]:has-text('do not match')")
    page.wait_for_selector("[data-name=operator]:text('Lin Q.')")
    sent = [frame if isinstance(frame, bytes) else frame.encode() for frame in frames]
    # The request itself is among them, so that nothing was missed.
    assert len([frame for frame in sent if b'"sign_in"' in frame and b'"ticket"' in frame]) >= 2
    assert not [frame for frame in sent if SECRET.encode() in frame]
    holding = [one for one in asked if SECRET in (one.post_data or "")]
    assert [(one.method, urlsplit(one.url).path, urlsplit(one.url).query) for one in holding] == [
        ("POST", "/workbench/ticket", "")
    ]
    assert not [one.url for one in asked if SECRET in unquote_plus(one.url)]
    assert SECRET not in page.content()
    # Who has no token of the server leaves nothing there, and who has no key takes nothing away.
    for path in ("ticket", "exchange"):
        asking = urllib.request.Request(
            f"http://127.0.0.1:{visited.dashboard.port}/workbench/{path}", b'{"password": "x", "ticket": "x"}',
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asking, timeout=30)
        assert refused.value.code == 403
        refused.value.close()
    page.close()
