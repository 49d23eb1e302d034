"""The dashboard in Clinic mode in a real browser: sign in, look, enter, and leave, without opening the record."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY_MS
from tests.clinic.conftest import serving
from tests.dashboard import trial
from tests.dashboard.trial import SECRET, days_ago
from workbench.study import Study
from workbench.widgets.dashboard import own_folder, serve

pytestmark = [pytest.mark.job, pytest.mark.timeout(400)]
STEP_MS = 30_000


def sign_in(page: Any, login: str, name: str) -> None:
    page.click("[data-name=sign-person]")
    page.fill("[data-name=login]", login)
    page.fill("[data-name=password]", SECRET)
    page.click("[data-name=sign-in]:enabled")
    page.wait_for_selector(f"[data-name=operator]:text('{name}')")


def test_the_screens_of_the_record_are_used_through_the_service_and_no_password_is_in_a_frame(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "study"
    trial.begin(folder)
    folder.chmod(0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with serving(folder) as served:
        dashboard = serve(served.socket, open_browser=False)
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        frames = list[str | bytes]()

        def listen(socket: Any) -> None:
            for name in ("framesent", "framereceived"):
                socket.on(name, lambda frame: frames.append(frame))

        try:
            page = context.new_page()
            page.on("websocket", listen)
            page.set_default_timeout(READY_MS)
            page.goto(dashboard.url)
            page.wait_for_selector("text=sign in first")
            page.set_default_timeout(STEP_MS)
            used(page, tmp_path)
        finally:
            context.close()
            dashboard.stop()
    sent = [frame if isinstance(frame, bytes) else frame.encode() for frame in frames]
    assert [frame for frame in sent if b'"ticket"' in frame]
    assert not [frame for frame in sent if SECRET.encode() in frame]
    with Study.open(folder, actor="test") as study:
        assert study.rows("consent")[-1]["by"] == "Dr Okafor A."
        assert [draft.values["items"] for draft in study.drafts.list()] == [{"grasp_1": 2}]
    # The page left nothing in the study folder, and its log has no data of the study.
    assert not (folder / "engine").exists()
    assert "P-041" not in (own_folder() / "engine" / "dashboard.log").read_text(encoding="utf-8")
    shutil.rmtree(own_folder())


def used(page: Any, pictures: Path) -> None:
    sign_in(page, "okafor", "Dr Okafor A.")
    page.wait_for_selector("[data-name=row-P-041]")
    page.locator("[data-name=row-SIM-01]").click()
    page.wait_for_selector("text=in Clinic mode no session starts from this page")
    page.screenshot(path=pictures / "today.png")
    page.click("[data-name=view-study]")
    page.wait_for_selector("[data-name=open-P-041]")
    page.screenshot(path=pictures / "study.png")
    page.click("[data-name=verify]")
    page.wait_for_selector("[data-name=chain]:has-text('chain verified')")
    page.click("[data-name=export]:enabled")
    page.wait_for_selector("text=this account may not enter")
    page.click("[data-name=open-P-041]")
    page.wait_for_selector("[data-name=person]:text('P-041')")
    page.click("[data-name=record-consent]")
    page.check("[data-name=purpose-video]")
    page.fill("[data-name=consented-on]", days_ago(0))
    page.fill("[data-name=sign-password]", SECRET)
    page.click("[data-name=sheet-send]:enabled")
    page.wait_for_selector("[data-name=consent-video] .lt.ok")
    page.screenshot(path=pictures / "participant.png")
    page.click("[data-name=view-safety]")
    page.wait_for_selector("text=No report is due this week")
    page.screenshot(path=pictures / "safety.png")
    page.click("[data-name=view-today]")
    page.locator("[data-name=row-P-041]").first.click()
    page.click("[data-name=view-assess]")
    page.locator("[data-item=grasp_1]").focus()
    page.keyboard.type("2")
    page.wait_for_selector("text=Draft kept")
    page.screenshot(path=pictures / "form.png")
    page.reload()  # nobody is signed in on a new page; the draft waits at the service
    page.wait_for_selector("text=sign in first")
    sign_in(page, "okafor", "Dr Okafor A.")
    page.locator("[data-name=row-P-041]").first.click()
    page.click("[data-name=view-assess]")
    page.click("[data-name=continue]")
    page.wait_for_function("document.querySelectorAll('.val.on').length === 1")
    page.click("[data-name=sign-person]")
    page.wait_for_selector("text=sign in first")
    assert "P-041" not in page.locator(".wb").all_inner_texts().__repr__()
    page.screenshot(path=pictures / "left.png")
