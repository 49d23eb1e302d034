"""The page of systems in a real browser: by keyboard, in both languages, and on to the wizard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.widgets.test_clinic import axe
from workbench import messages, systems
from workbench.dashboard import NewStudyService, systems_page
from workbench.messages import translate
from workbench.systems._card_figures import MEASURES
from workbench.widgets import NewStudy, SystemsPage

FOCUS = "document.activeElement.dataset.name || document.activeElement.tagName"


def traits(panel: SystemsPage, **more: Any) -> dict[str, Any]:
    return {"systems": messages.carried(panel.systems), "makes": panel.makes, **more}


@pytest.mark.parametrize(("language", "asked"), [("en", "Action Research"), ("zh-CN", "上肢动作研究")])
def test_a_system_is_found_and_read_by_keyboard_in_either_language(
    mount: Callable[..., Any], language: str, asked: str
) -> None:
    page = mount(SystemsPage, traits(systems_page(), language=language), width=1024, height=768)
    assert page.locator("[data-system]").count() == len(systems.available())
    assert axe(page) == []
    page.keyboard.press("/")
    page.keyboard.type(asked)
    found = [one.get_attribute("data-system") for one in page.locator("[data-system]").all()]
    assert found == [name for name in systems.available() if "arat" in systems.load(name).forms]
    page.keyboard.press("ArrowDown")
    for _ in range(found.index("neo_hand")):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUS) == "open-neo_hand"
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "system-title"
    text, hand = page.locator(".systems .one").inner_text(), systems.load("neo_hand")
    said = [
        hand.title,
        *hand.not_supplied,
        *hand.out_of_scope,
        *hand.checks,
        *(one.variable for one in hand.planned),
    ]
    said += [*(one.title for one in hand.price_items), *(one.name for one in hand.visits)]
    assert [one for one in said if translate(one, language=language) not in text] == []
    assert "systems." not in text
    picture = page.locator(".chain svg").text_content()
    assert all(part in picture for part in ("bandpower_lda", "500", "30"))
    assert axe(page) == []
    size = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert size[0] <= size[1]
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUS) == "open-neo_hand"
    page.fill("[data-name=find]", "nowhere")
    assert page.locator("[data-system]").count() == 0
    assert page.locator(".systems .empty").is_visible()
    assert page.errors == []


def test_a_study_of_a_system_is_drafted_in_the_wizard_which_then_has_the_focus(
    mount: Callable[..., Any], tmp_path: Path
) -> None:
    wizard = NewStudy(NewStudyService(tmp_path / "study", operator="Chen L."))
    panel = systems_page(wizard)
    # What the wizard shows once it has drafted: the page beside it is given the same answer below.
    twin = NewStudy(NewStudyService(tmp_path / "twin", operator="Chen L."))
    twin.draft("neo_hand")
    page = mount(NewStudy, {"study": messages.carried(twin.study)}, (SystemsPage, traits(panel)))

    def answer() -> None:
        for message in page.evaluate("window.sent.splice(0)"):
            reply = messages.carried(panel.answer(message["name"], message["args"]))
            page.evaluate("reply => window.say(reply)", {**reply, "id": message["id"]})

    page.locator("[data-name=blank]").press("Enter")
    assert page.evaluate(FOCUS) == "protocol-file"
    page.locator("[data-name=make-neo_hand]").press("Enter")
    answer()
    assert 'name = "assisted_arat_response"' in wizard.study["draft"]["text"]
    page.wait_for_function(f"({FOCUS}) === 'draft-text'")
    assert "neo_hand" not in page.locator("[data-name=problem]").last.inner_text()
    page.locator("[data-name=make-limb_glove]").press("Enter")
    answer()
    assert "replaces nothing" in page.locator("[data-name=problem]").last.inner_text()
    assert page.evaluate(FOCUS) == "make-limb_glove"
    assert page.errors == []


def test_a_card_shows_its_figure_with_interval_and_number_and_one_without_says_that_it_runs_simulated(
    mount: Callable[..., Any],
) -> None:
    panel = systems_page()
    figure = {"value": 5.96, "low": 5.33, "high": 6.6, "n": 20, "unit": "µV", "command": "workbench stress x"}
    for one in panel.systems:
        if one["name"] == "neo_hand":
            one["figure"] = figure | {"measure": MEASURES["error_uv"]}
        elif one["name"] == "cursor_velocity":
            one["figure"] = None
    page = mount(SystemsPage, traits(panel, language="zh-CN"), width=1440, height=900)
    foot = page.locator("[data-system=neo_hand] .foot")
    assert "6.0 µV 闭环误差" in foot.inner_text()
    assert "模拟 · n = 20 · 5.3–6.6" in foot.inner_text()
    assert foot.locator(".figure").get_attribute("title") == "workbench stress x"
    assert "可模拟运行" in page.locator("[data-system=cursor_velocity] .foot").inner_text()
    assert page.errors == []


def test_a_page_without_a_wizard_shows_and_makes_nothing(mount: Callable[..., Any]) -> None:
    panel = systems_page()
    assert not panel.answer("make", {"system": "neo_hand"})["ok"]
    page = mount(SystemsPage, traits(panel))
    assert page.locator("[data-name^=make-], [data-name=blank]").count() == 0
