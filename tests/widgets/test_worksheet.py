"""The worksheet and the forms in a real browser, with the form's own Python behind the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.shares import crossed, some
from workbench import outcomes
from workbench.outcomes import isncsci
from workbench.widgets import AssessmentForm, AssessmentPicker, FileStore, IsncsciForm

SIZES = [(1440, 900), (1280, 800)]
SMALLER_SIDES = "all => all.map((e) => e.getBoundingClientRect()).map((box) => Math.min(box.width, box.height))"
REGIONS = "all => all.map((e) => e.dataset.region)"


class Driven:
    """A page whose requests a form answers; :meth:`settle` carries them out until the page asks nothing more."""

    def __init__(self, page: Any, form: Any) -> None:
        self.page, self.form = page, form
        self.shown: dict[str, Any] = {}

    def traits(self) -> dict[str, Any]:
        own = [name for name in self.form.keys if not name.startswith("_") and name not in ("layout", "tooltip")]
        now = json.loads(json.dumps({name: getattr(self.form, name) for name in own if name != "tabbable"}))
        new = {
            name: value for name, value in now.items() if self.shown.get(name) != value or name not in self.shown
        }
        self.shown = now
        return new

    def settle(self) -> None:
        while sent := self.page.evaluate("window.sent.splice(0)"):
            for one in sent:
                reply = {**self.form.answer(one["name"], one["args"]), "id": one["id"]}
                self.page.evaluate("([t, m]) => { window.put(t); window.say(m); }", [self.traits(), reply])
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def cell(self, code: str) -> Any:
        return self.page.locator(f"[data-cell='{code}']")


@pytest.fixture
def drive(mount: Callable[..., Any], tmp_path: Path) -> Callable[..., Driven]:
    def start(name: str = "isncsci", *, language: str = "en", before: Any = None, **size: Any) -> Driven:
        about = {"visit_id": "v", "rater": "Dr Okafor A.", "place": ("SCI-HAND-01", "P-014", "Month 2")}
        about["store"] = FileStore(tmp_path / f"{name}.json", lambda one: "Saved.")
        worksheet = name == "isncsci"
        form: Any = IsncsciForm(isncsci, **about) if worksheet else AssessmentForm.of(outcomes.load(name), **about)
        if before is not None:
            before(form)
        form.language = language
        driven = Driven(None, form)
        driven.page = mount(IsncsciForm if worksheet else AssessmentForm, driven.traits(), **size)
        return driven

    return start


def whole_exam(form: IsncsciForm) -> None:
    for side in ("right", "left"):
        form.enter(f"{side}.motor.C5", 5)
        form.enter(f"{side}.motor.C6", 4)
        form.fill(f"{side}.motor.C7", 0)
        for grid in ("lightTouch", "pinPrick"):
            for segment in ("C2", "C3", "C4", "C5", "C6"):
                form.enter(f"{side}.{grid}.{segment}", 2)
            form.enter(f"{side}.{grid}.C7", 1)
            form.fill(f"{side}.{grid}.C8", 0)
    form.enter("voluntaryAnalContraction", "No")
    form.enter("deepAnalPressure", "No")
    form.enter("left.pinPrick.T3", "NT")


@pytest.mark.parametrize(("width", "height", "language", "dark"), crossed(SIZES, ["en", "zh-CN"], [False, True]))
def test_the_worksheet_fits_without_page_scroll_and_says_everything_in_words(
    drive: Callable[..., Driven], width: int, height: int, language: str, dark: bool
) -> None:
    page = drive(language=language, before=whole_exam, width=width, height=height, dark=dark).page
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [width, height]
    for name in (".ws", ".keypad", ".cls"):
        box = page.locator(name).bounding_box()
        assert box["y"] + box["height"] <= height
        assert box["x"] + box["width"] <= width
    text = page.locator(".wb").inner_text()
    assert not re.findall(r"\b(?:form|isncsci|unit)\.[a-z_.]+\b", text)
    assert "undefined" not in text
    assert page.errors == []


def test_keys_enter_move_fill_and_take_back(drive: Callable[..., Driven]) -> None:
    sheet = drive()
    sheet.cell("right.lightTouch.C2").click()
    sheet.press("2", "2", "1", "f")
    assert sheet.form.items["right.lightTouch.S4_5"] == 1
    sheet.press("Control+z")
    assert "right.lightTouch.S4_5" not in sheet.form.items
    sheet.cell("right.lightTouch.C3").focus()
    sheet.press("Enter")
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "right.lightTouch.C5"
    sheet.press("ArrowRight")
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "right.pinPrick.C5"
    sheet.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp")
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "left.motor.C5"
    sheet.press("Shift+Tab")
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "left.pinPrick.C2"
    sheet.press("n", "ArrowUp", "Delete")
    assert sheet.form.items["left.pinPrick.C2"] is None


def test_digits_typed_faster_than_python_answers_reach_their_cells(drive: Callable[..., Driven]) -> None:
    sheet = drive()
    sheet.cell("left.motor.C5").click()
    sheet.page.keyboard.type("5432100000")
    sheet.settle()
    entered = [sheet.form.items[code] for code in sheet.form._column("left.motor.C5")]
    assert entered == [5, 4, 3, 2, 1, 0, 0, 0, 0, 0]


def test_digits_typed_after_a_fill_that_is_not_answered_yet_reach_the_next_column(
    drive: Callable[..., Driven],
) -> None:
    sheet = drive()
    sheet.cell("right.pinPrick.C2").focus()
    sheet.page.keyboard.type("2221f21")
    assert sheet.cell("right.pinPrick.S4_5").inner_text() == "1"
    sheet.settle()
    column = {one: value for one, value in sheet.form.items.items() if "right.pinPrick" in one}
    assert (len(column), set(column.values()), column["right.pinPrick.C5"]) == (28, {1, 2}, 1)
    assert {one: value for one, value in sheet.form.items.items() if one not in column} == {
        "left.lightTouch.C2": 2,
        "left.lightTouch.C3": 1,
    }


def test_a_fill_that_got_no_answer_is_sent_again_for_the_cells_without_a_newer_value(
    drive: Callable[..., Driven],
) -> None:
    sheet = drive(clock=True)
    sheet.cell("right.motor.L2").click()
    sheet.page.keyboard.type("3")
    sheet.settle()
    lose(sheet, "right.motor.L3", "f")
    assert sheet.page.locator(".k.unsent").count() == 4
    sheet.cell("right.motor.L3").click()
    sheet.page.keyboard.press("5")
    sheet.settle()
    below = {"right.motor.L4": 3, "right.motor.L5": 3, "right.motor.S1": 3}
    assert sheet.form.items == {"right.motor.L2": 3, "right.motor.L3": 5, **below}
    assert sheet.page.locator(".k.unsent").count() == 0


def test_a_star_tags_the_score_just_entered_and_asks_for_its_reason(drive: Callable[..., Driven]) -> None:
    sheet = drive()
    sheet.cell("right.motor.C5").click()
    sheet.press("3", "*")
    assert sheet.form.items == {"right.motor.C5": "3*"}
    assert sheet.cell("right.motor.C5").get_attribute("aria-invalid") == "true"
    sheet.page.select_option("[data-name=cell-cause]", "cast")
    sheet.settle()
    assert sheet.form.fields["options"] == {"reasons": {"right.motor.C5": "cast"}}
    sheet.cell("right.motor.C5").focus()
    sheet.press("*")
    assert sheet.form.items == {"right.motor.C5": "3**"}
    sheet.press("*")
    assert sheet.form.items == {"right.motor.C5": 3}
    assert sheet.form.fields["options"] == {}


def test_an_impossible_score_is_refused_at_its_cell(drive: Callable[..., Driven]) -> None:
    sheet = drive()
    sheet.cell("right.pinPrick.C4").click()
    sheet.press("5")
    assert sheet.form.items == {}
    assert "C4 right, Pin prick must be one of 0, 1, 2" in sheet.page.locator("[data-name=problem]").inner_text()
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "right.pinPrick.C4"


def test_the_body_chart_takes_the_scores_and_leads_to_the_cells(drive: Callable[..., Driven]) -> None:
    sheet = drive(before=whole_exam)
    kind = "e => e.getAttribute('class')"
    region = sheet.page.locator("[data-region='left.pinPrick.T3']").first
    assert "vnt" in region.evaluate(kind)
    assert "v0" in sheet.page.locator("[data-region='right.lightTouch.T4']").first.evaluate(kind)
    sheet.page.click("[data-name=view-back]")
    regions = set(sheet.page.locator("[data-region]").evaluate_all(REGIONS))
    for side in ("right", "left"):
        for grid in ("lightTouch", "pinPrick"):
            assert {f"{side}.{grid}.{one}" for one in ("C2", "T12", "L5", "S2", "S3", "S4_5")} <= regions
    sheet.page.locator("[data-region='right.lightTouch.T5']").first.dispatch_event("click")
    assert sheet.page.evaluate("document.activeElement.dataset.cell") == "right.lightTouch.T5"


def test_front_and_back_together_hold_every_dermatome(drive: Callable[..., Driven]) -> None:
    sheet = drive()
    seen = set()
    for view in ("front", "back"):
        sheet.page.click(f"[data-name=view-{view}]")
        seen |= set(sheet.page.locator("[data-region]").evaluate_all(REGIONS))
    assert seen == {item.code for item in sheet.form._definition.items if ".motor." not in item.code}


def test_a_chosen_result_frames_its_cells_and_gives_its_reason(drive: Callable[..., Driven]) -> None:
    sheet = drive(before=whole_exam)
    sheet.page.click("[data-result=sensory]")
    framed = {one.get_attribute("data-cell") for one in sheet.page.locator(".k.why").all()}
    assert {"right.lightTouch.C7", "left.pinPrick.C7"} <= framed
    assert "C7" in sheet.page.locator("[data-result=sensory] .y").inner_text()
    sheet.page.click("[data-name=steps]")
    assert "rule book" in sheet.page.locator("dialog").inner_text()


def test_the_sites_own_classification_stands_beside_the_computed_one(drive: Callable[..., Driven]) -> None:
    driven = drive(before=whole_exam)
    found = driven.form.result["result"]
    told = driven.page.locator("[data-name=site-differs]")
    driven.page.locator("[data-name=site-nli]").select_option("C3")
    driven.settle()
    driven.page.locator("[data-name=site-ais]").select_option(found["ais"].rstrip("*"))
    driven.settle()
    assert driven.form.items["site_reported.nli"] == "C3"
    assert told.inner_text() == "NLI differs from the computed one; both are kept"
    driven.page.locator("[data-name=site-nli]").select_option(found["nli"].rstrip("*"))
    driven.settle()
    assert told.inner_text() == ""
    driven.page.locator("[data-name=site-nli]").select_option("")
    driven.settle()
    assert driven.form.items["site_reported.nli"] is None


def test_every_cell_and_key_is_large_enough_and_no_text_is_small(drive: Callable[..., Driven]) -> None:
    for width, height in SIZES:
        page = drive(before=whole_exam, width=width, height=height).page
        cells, keys = (
            page.locator(".k:not(.none)"),
            page.locator(".pad .btn:visible, .tt .btn:visible, .seg button:visible"),
        )
        assert min(cells.evaluate_all(SMALLER_SIDES)) >= 24
        assert min(keys.evaluate_all(SMALLER_SIDES)) >= 42
        sizes = page.evaluate(
            "[...document.querySelectorAll('.wb *')].filter(e => e.childNodes.length && e.offsetParent)"
            ".map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12


def test_a_page_that_gets_no_answer_says_that_nothing_is_saved(drive: Callable[..., Driven]) -> None:
    sheet = drive(clock=True)
    sheet.cell("right.motor.C5").click()
    sheet.page.keyboard.press("4")
    sheet.page.clock.fast_forward(25_000)
    sheet.page.wait_for_selector("[data-name=kept]:has-text('Not saved')")
    assert sheet.cell("right.motor.C5").inner_text() == "4"
    assert "unsent" in (sheet.cell("right.motor.C5").get_attribute("class") or "")
    sheet.page.evaluate("window.sent.splice(0)")
    sheet.page.keyboard.press("3")
    sheet.settle()
    assert sheet.form.items == {"right.motor.C6": 3, "right.motor.C5": 4}
    assert "unsent" not in (sheet.cell("right.motor.C5").get_attribute("class") or "")


def ready_to_save(form: IsncsciForm) -> None:
    whole_exam(form)
    for name in ("assisted", "device_on", "stimulation_on"):
        form.choose(name, value=False)


def lose(sheet: Driven, code: str, key: str) -> None:
    """A key that Python never hears of."""
    sheet.cell(code).click()
    sheet.page.keyboard.press(key)
    sheet.page.clock.fast_forward(25_000)
    sheet.page.wait_for_selector(f"[data-cell='{code}'].unsent")
    sheet.page.evaluate("window.sent.splice(0)")


def test_what_got_no_answer_is_sent_before_the_exam_is_saved(drive: Callable[..., Driven]) -> None:
    sheet = drive(before=ready_to_save, clock=True)
    lose(sheet, "right.motor.C6", "3")
    sheet.page.locator("[data-name=save]").click()
    sheet.page.clock.run_for(100)
    sent = sheet.page.evaluate("window.sent")
    assert [one["name"] for one in sent] == ["enter", "save"]
    assert sent[0]["args"] == {"item": "right.motor.C6", "value": 3}


def test_an_older_value_of_a_cell_is_not_sent_after_a_newer_one(drive: Callable[..., Driven]) -> None:
    sheet = drive(clock=True)
    lose(sheet, "right.motor.C5", "3")
    sheet.cell("right.motor.C6").click()
    sheet.page.keyboard.press("2")
    sheet.cell("right.motor.C5").click()
    sheet.page.keyboard.press("4")
    sheet.settle()
    assert sheet.form.items == {"right.motor.C6": 2, "right.motor.C5": 4}


def test_changing_the_language_keeps_what_got_no_answer(drive: Callable[..., Driven]) -> None:
    sheet = drive(clock=True)
    lose(sheet, "right.motor.C5", "3")
    sheet.page.evaluate("window.put({ language: 'zh-CN' })")
    assert sheet.cell("right.motor.C5").inner_text() == "3"
    sheet.cell("right.motor.C6").click()
    sheet.page.keyboard.press("2")
    sheet.settle()
    assert sheet.form.items == {"right.motor.C6": 2, "right.motor.C5": 3}


# ------------------------------------------------------------------------------------ generated forms
def test_fast_digits_reach_their_items_and_the_safety_alert_is_loud(drive: Callable[..., Driven]) -> None:
    form = drive("phq9")
    form.page.locator("[data-item]").first.focus()
    form.page.keyboard.type("000000001")
    form.settle()
    assert form.form.result["total"]["value"] == 1
    assert form.page.get_by_role("alert").filter(has_text="Act on this now").is_visible()


def test_values_from_ten_on_are_typed_digit_by_digit(drive: Callable[..., Driven]) -> None:
    form = drive("pain_nrs")
    item = form.form._definition.items[0].code
    form.page.locator(f"[data-item='{item}']").focus()
    form.press("1", "0")
    assert form.form.items[item] == 10


def test_a_quantity_has_unit_range_and_its_text_codes(drive: Callable[..., Driven]) -> None:
    form = drive("10mwt")
    item = form.form._definition.items[0]
    field = form.page.locator(f"[data-item-input='{item.code}']")
    assert item.unit in form.page.locator(".range").first.inner_text()
    field.fill("99999")
    field.press("Enter")
    form.settle()
    assert "must be" in form.page.locator("[data-name=problem]").inner_text()
    field.fill("12.5")
    field.press("Enter")
    form.settle()
    assert form.form.items[item.code] == 12.5
    assert form.page.locator("[data-name=problem]").is_hidden()
    field.focus()
    field.press("u")
    form.settle()
    assert form.form.items[item.code] == "unable"


def test_right_and_left_share_a_row_and_arrows_go_across(drive: Callable[..., Driven]) -> None:
    form = drive("grassp_v1")
    assert form.page.locator(".item.pair:not(.heads)").count() * 2 == len(form.form._definition.items)
    first = form.page.locator("[data-item]").first
    first.focus()
    assert form.page.evaluate("document.activeElement.dataset.item").startswith("right_")
    form.press("ArrowRight")
    assert form.page.evaluate("document.activeElement.dataset.item").startswith("left_")


@pytest.mark.job
@pytest.mark.parametrize("name", some([name for name in outcomes.available() if name != "isncsci"]))
def test_every_measure_is_drawn_without_a_fault(drive: Callable[..., Driven], name: str) -> None:
    form = drive(name, language="zh-CN", width=1280, height=800)
    definition = form.form._definition
    assert form.page.locator("[data-item]").count() == len(definition.items) + len(definition.extras)
    assert form.page.evaluate("document.documentElement.scrollWidth") == 1280
    assert form.page.errors == []


def test_the_desk_asks_for_a_form_by_visit_and_measure(mount: Callable[..., Any]) -> None:
    asked: list[tuple[str, str]] = []
    desk = AssessmentPicker([("1", "A / baseline")], [("arat", "ARAT")], pick=lambda *one: asked.append(one))
    assert "measure must be one of arat" in desk.answer("choose", {"visit": "1", "measure": "nothing"})["text"]
    assert desk.answer("choose", {"visit": "1", "measure": "arat"})["ok"]
    assert (asked, desk.chosen) == ([("1", "arat")], {"visit": "1", "measure": "arat"})
    page = mount(AssessmentPicker, {n: getattr(desk, n) for n in ("visits", "measures", "chosen", "rater")})
    page.select_option("[data-name=desk-visit]", "1")
    assert page.errors == []
