"""The map of a lead in standalone Voila and a real browser: a contact, STOP, a reload that goes on, a record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import READY_MS
from tests.widgets.test_contact_map import study_of
from workbench.study import Study
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.job, pytest.mark.timeout(300)]


ACCEPTED = "[data-name=contact-0].accepted, [data-name=contact-0].early"


def led_to(page: Any, wanted: str) -> None:
    """Go on until this is there: on a computer that is late, a page that was not heard stops the current again."""
    on = ".question [data-name=go_on], .question [data-name=start].pri"
    while True:
        page.wait_for_selector(f"{wanted}, {on}")
        if page.query_selector(wanted):
            return
        page.evaluate("on => document.querySelector(on)?.click()", on)  # or it has gone on by itself


def test_a_map_survives_a_reload_stops_by_escape_and_enters_the_record(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = study_of(tmp_path / "study")
    monkeypatch.setenv("WORKBENCH_SPEED", "200")
    dashboard = serve(folder, open_browser=False, dashboard="mapping")
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.set_default_timeout(READY_MS)
        page.goto(dashboard.url)
        page.click("[data-name=begin]")
        page.wait_for_selector(".question [data-name=start]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".question [data-name=pause], .question [data-name=accept]")
        page.keyboard.press("Escape")
        page.wait_for_selector(".question [data-name=go_on]")
        page.click(".question [data-name=go_on]")
        page.click(".question [data-name=start]")
        led_to(page, ".question [data-name=accept]")
        page.click(".question [data-name=accept]")
        page.wait_for_selector(ACCEPTED)
        # Another kernel: what was accepted is there, and the one before gives nothing more.
        page.reload()
        page.wait_for_selector(ACCEPTED)
        page.click(".question [data-name=start]")
        led_to(page, ".question [data-name=accept]")
        page.click(".question [data-name=accept]")
        page.click(".question [data-name=record]")
        page.wait_for_selector(".question [data-name=new]")
        if pictures := os.environ.get("WORKBENCH_PICTURES"):
            page.screenshot(path=Path(pictures) / "contact_map.png")
    finally:
        context.close()
        dashboard.stop()
    with Study.open(folder, actor="tests") as study:
        (row,) = study.rows("contact_map")
    assert [one["contact"] for one in row["result"]["contacts"]] == [0, 1]
    assert row["source"]["simulated"] is True
