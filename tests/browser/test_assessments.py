"""The forms in a real browser: an exam by keyboard, a browser closed mid-way, saved, corrected with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from workbench.outcomes import isncsci
from workbench.study import Study
from workbench.vocabulary import Participant, Visit
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.job, pytest.mark.timeout(400)]

READY_MS = 120_000
SIDES = (("right", ("motor", "lightTouch", "pinPrick")), ("left", ("lightTouch", "pinPrick", "motor")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with one simulated participant and one visit."""
    made = tmp_path_factory.mktemp("assessments") / "study"
    with Study.create(made, code="FORMS", title="Browser test", actor="test") as study:
        study.append(Visit(study.append(Participant("SIM-01", simulated=True)), "baseline"))
    return made


class Desk:
    """Pages of the dashboard of assessments, each in a browser window of its own."""

    def __init__(self, chromium: Any, url: str) -> None:
        self.chromium, self.url = chromium, url
        self.requests: list[str] = []
        self.context: Any = None

    def open(self, *, width: int = 1440, height: int = 900) -> Any:
        """A new window, as after the old one was closed."""
        self.context = self.chromium.new_context(viewport={"width": width, "height": height})
        self.context.on("request", lambda request: self.requests.append(request.url))
        page = self.context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(self.url)
        page.wait_for_selector("[data-cell='right.lightTouch.C2']")
        return page

    def close(self) -> None:
        """Close the window; the kernel behind it is culled later."""
        self.context.close()


@pytest.fixture(scope="module")
def desk(chromium: Any, folder: Path) -> Iterator[Desk]:
    dashboard = serve(folder, open_browser=False, dashboard="assessments")
    made = Desk(chromium, dashboard.url)
    try:
        yield made
    finally:
        if made.context is not None:
            made.context.close()
        dashboard.stop()


def draft(folder: Path) -> dict[str, Any]:
    """What was entered so far, from the one draft; the record holds nothing of it."""
    with Study.open(folder, actor="test") as study:
        assert study.rows("assessment", measure="isncsci") == []
        (found,) = study.drafts.list()
        return dict(found.values)


def rows(folder: Path) -> list[dict[str, Any]]:
    with Study.open(folder, actor="test") as study:
        return study.rows("assessment", measure="isncsci")


def go(page: Any, cell: str) -> None:
    page.locator(f"[data-cell='{cell}']").focus()


def choose_condition(page: Any) -> None:
    page.click("[data-name=circumstances-open]")
    for name in ("assisted", "device_on", "stimulation_on"):
        page.click(f"[data-name={name}-false]")
        page.wait_for_selector(f"[data-name={name}-false][aria-pressed=true]")
    page.click("[data-name=blinded-yes]")
    page.wait_for_selector("[data-name=blinded-yes][aria-pressed=true]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_half_an_exam_survives_a_closed_browser(desk: Desk, folder: Path) -> None:
    page = desk.open()
    assert page.inner_text("[data-name=form-identity] b") == "SIM-01"
    page.mouse.wheel(0, 4000)
    shell = page.locator(".shell").bounding_box()
    assert shell["y"] >= 0  # in place at every scroll
    assert "SIM-01" in page.inner_text(".shell")
    page.mouse.wheel(0, -4000)
    assert "0 of 134 cells" in page.locator("[data-name=classification]").inner_text()
    go(page, "right.motor.C5")
    page.keyboard.type("54300")  # C5 to T1, the focus goes on by itself
    page.wait_for_selector("[data-cell='right.motor.L2']:focus")
    page.keyboard.type("0f")  # one value, then filled down to the end of the column
    page.wait_for_function("document.querySelector(`[data-cell='right.motor.S1']`).textContent === '0'")
    page.wait_for_selector("text=Draft kept beside the study")
    choose_condition(page)
    go(page, "right.lightTouch.C2")
    page.keyboard.type("22221f")
    page.wait_for_selector("[data-name=classification]:has-text('38 of 134')")
    row = draft(folder)
    assert (row["assisted"], row["items"]["right.motor.C7"], row["items"]["right.lightTouch.C6"]) == (False, 3, 1)
    desk.close()


def test_the_next_page_goes_on_with_the_draft_to_the_classification(desk: Desk, folder: Path) -> None:
    page = desk.open()
    page.click("[data-name=continue]")
    page.wait_for_function("document.querySelector(`[data-cell='right.motor.C7']`).textContent === '3'")
    assert "Unassisted · Device off · Stimulation off" in page.locator("[data-name=circumstances]").inner_text()
    go(page, "right.pinPrick.C2")
    page.keyboard.type("2221f22221f2221f5430n0f")  # in one breath; T1 is not testable
    page.wait_for_function("document.querySelector(`[data-cell='left.motor.S1']`).textContent === '0'")
    page.wait_for_selector("[data-name=classification]:has-text('132 of 134')")
    page.locator("[data-name=dap-Yes]").focus()
    page.keyboard.press("Space")
    page.locator("[data-name=vac-No]").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("[data-name=classification]:has-text('AIS')")
    row = draft(folder)
    found = isncsci.classify(isncsci.exam_of(row["items"])).result
    assert f"level {found['nli']}" in page.locator("[data-name=classification]").inner_text()
    page.click("[data-result=motor]")
    assert page.locator(".k.why").count() > 0


def test_a_tag_waits_for_its_reason_and_an_impossible_score_is_named(desk: Desk, folder: Path) -> None:
    page = desk.context.pages[0]
    go(page, "right.motor.C6")
    page.keyboard.press("*")
    page.wait_for_selector("[data-cell='right.motor.C6']:has-text('4*')")
    page.wait_for_selector("[data-name=save]:disabled")
    page.select_option("[data-name=cell-cause]", "peripheral neuropathy")
    page.wait_for_selector("[data-name=save]:enabled")
    go(page, "left.pinPrick.C8")
    page.keyboard.press("7")
    page.wait_for_selector("[data-name=problem]:has-text('must be one of')")
    words = page.inner_text("[data-name=problem]")
    assert "C8" in words  # as the page names the cell,
    assert "left.pinPrick" not in words  # not by its code
    assert page.locator("[data-cell='left.pinPrick.C8']").get_attribute("aria-invalid") == "true"
    assert draft(folder)["options"]["reasons"] == {"right.motor.C6": "peripheral neuropathy"}


def test_undo_takes_back_and_clearing_asks_first(desk: Desk, folder: Path) -> None:
    page = desk.context.pages[0]
    before = draft(folder)["items"]
    go(page, "left.pinPrick.C8")
    page.keyboard.press("0")
    page.wait_for_selector("[data-cell='left.pinPrick.C8']:has-text('0')")
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-cell='left.pinPrick.C8']:has-text('1')")
    page.click("[data-name=clear]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.click("[data-name=clear]")
    page.click("[data-name=confirm]")
    page.wait_for_selector("[data-name=classification]:has-text('0 of 134')")
    page.click("[data-name=undo]")
    page.wait_for_selector("[data-name=classification]:has-text('AIS')")
    assert draft(folder)["items"] == before


def test_the_steps_are_told_in_both_languages(desk: Desk) -> None:
    page = desk.context.pages[0]
    page.click("[data-name=steps]")
    assert page.wait_for_selector("dialog:has-text('Most rostral of sensory')").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="中文").click()
    page.click("[data-name=steps]")
    assert page.wait_for_selector("dialog:has-text('最靠头端')").is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="EN", exact=True).click()


def test_a_saved_exam_is_reopened_corrected_with_a_reason_and_tells_its_history(desk: Desk, folder: Path) -> None:
    page = desk.context.pages[0]
    page.click("[data-name=save]")
    page.wait_for_selector("text=Saved in the record as assessment")
    assert rows(folder)[0]["state"] == "complete"
    desk.close()
    page = desk.open(width=1280, height=800)
    page.click("[data-name=reopen]")
    page.wait_for_selector("text=give the reason")
    go(page, "right.motor.C5")
    page.keyboard.press("4")
    page.click("[data-name=correct]")
    page.wait_for_selector("dialog:has-text('A correction needs a reason')")
    page.fill("[data-name=reason]", "read from the wrong line")
    page.click("[data-name=correct]")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector("[data-cell='right.motor.C5']:has-text('4')")
    page.click("[data-name=cell-history]")
    page.wait_for_selector("[data-name=history]:has-text('5 → 4')")
    assert "read from the wrong line" in page.locator("[data-name=history]").inner_text()
    (row,) = rows(folder)
    assert (row["items"]["right.motor.C5"], row["score"]["classes"]["motor_right"]) == (4, "C5")
    with Study.open(folder, actor="test") as study:
        assert study.verify().ok
        assert study.history("assessment", row["id"])[-1]["reason"] == "read from the wrong line"
    page.keyboard.press("Escape")


def test_another_measure_opens_in_the_same_place_and_nothing_left_this_machine(desk: Desk, folder: Path) -> None:
    page = desk.context.pages[0]
    page.select_option("[data-name=desk-measure]", "phq9")
    page.wait_for_selector("[data-item]")
    first = page.locator("[data-item]").first
    first.focus()
    page.keyboard.type("00000000")
    page.wait_for_selector("text=8 of 10 items entered")
    page.keyboard.type("2")
    page.wait_for_selector("[data-name=alert]")
    hosts = {urlsplit(url).hostname for url in desk.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
