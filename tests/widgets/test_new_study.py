"""The wizard of a new study in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.trial import EXAMPLE
from tests.widgets.test_clinic import axe
from workbench import messages
from workbench.dashboard import NewStudyService
from workbench.widgets import NewStudy


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_steps_of_a_new_study_are_taken_by_keyboard_and_each_says_what_it_needs(
    mount: Callable[..., Any], tmp_path: Path, language: str
) -> None:
    panel = NewStudy(NewStudyService(tmp_path / "study", operator="Chen L."))
    page = mount(NewStudy, {"study": messages.carried(panel.study), "language": language}, width=1024, height=900)

    def answer() -> None:
        for message in page.evaluate("window.sent.splice(0)"):
            reply = panel.answer(message["name"], message["args"])
            page.evaluate("values => window.put(values)", {"study": messages.carried(panel.study)})
            page.evaluate("reply => window.say(reply)", {**messages.carried(reply), "id": message["id"]})

    assert page.locator("[data-name=make-study]").is_disabled()
    page.locator("[data-name=protocol-file]").focus()
    page.keyboard.type("absent.toml")
    page.keyboard.press("Enter")
    answer()
    assert "absent.toml" in page.locator("[data-name=problem]").inner_text()
    assert page.locator("[data-name=problems] li").count() == 1
    assert axe(page) == []
    page.locator("[data-name=system]").select_option("neo_hand")
    page.locator("[data-name=draft-system]").press("Enter")
    answer()
    text = page.locator("[data-name=draft-text]")
    assert "Baseline" in page.locator("[data-name=drafted]").inner_text()
    text.fill(f"{text.input_value()}\n[roles]\n")
    page.locator("[data-name=save-draft]").press("Enter")
    answer()
    assert Path(panel.study["draft"]["path"]).read_text().endswith("[roles]\n")
    assert "new." not in page.locator("[data-name=step-source]").inner_text()
    assert axe(page) == []
    page.fill("[data-name=protocol-file]", str(EXAMPLE))
    page.keyboard.press("Enter")
    answer()
    assert page.locator("[data-name=sha256]").inner_text() == panel.study["protocol"]["sha256"]
    assert page.locator("[data-name=new-code]").input_value() == "EXAMPLE-HAND"
    page.locator("[data-name=make-study]").press("Enter")
    answer()
    assert (tmp_path / "study" / "study.db").exists()
    before = page.locator("[data-name=signing]").inner_text()
    for login, name, role in (("okafor", "Dr Okafor A.", "investigator"), ("he", "He D.", "data_manager")):
        page.locator("[data-name=person-login]").focus()
        page.keyboard.type(login)
        page.keyboard.press("Tab")
        page.keyboard.type(name)
        page.locator(f"[data-name=role-{role}]").press("Space")
        page.locator("[data-name=add-person]").press("Enter")
        answer()
        assert page.evaluate("document.activeElement.dataset.name") == "person-login"
    assert [one["login"] for one in panel.study["people"]] == ["okafor", "he"]
    assert page.locator("[data-name=signing]").inner_text() != before  # somebody can sign now
    page.locator("[data-name=leave-out-he]").press("Enter")
    answer()
    assert page.locator("[data-name=signing]").inner_text() == before
    assert axe(page) == []
    assert page.errors == []
    size = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert size[0] <= size[1]
