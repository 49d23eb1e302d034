"""The study overview: what it shows of a record, that it verifies and exports, and that a browser can use it."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.shares import crossed
from tests.study.populated import FORMS, VISITS, make
from tests.widgets.test_clinic import axe
from workbench.dashboard import SessionPage, StudyService, VisitService
from workbench.dashboard.session_page import VIEWS as BAR
from workbench.messages import carried
from workbench.study import Study, schema
from workbench.study.changes import ReportEvent
from workbench.widgets import LiveSession, StudyPage, Worklist
from workbench.widgets._locale import LANGUAGES, catalogue

pytestmark = pytest.mark.job

BROKEN = {
    "ok": False, "at": "14:31:58", "by": "Rossi M.", "seq": 90, "problems": 3, "kept": True, "since": 0, "utc": "",
    "first": "audit row 12 does not follow from the row before it",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty participants of two sites."""
    made = tmp_path_factory.mktemp("overview") / "study"
    make(made, 20).close()
    return made


def service_of(folder: Path) -> StudyService:
    return StudyService(VisitService(folder, operator="Rossi M.").access)


@pytest.fixture(scope="module")
def panel(folder: Path) -> StudyPage:
    return StudyPage(service_of(folder), back=lambda: None, open_participant=lambda _name: None)


@pytest.fixture
def own(tmp_path: Path) -> StudyPage:
    """A page over a study of its own, which may be broken."""
    make(tmp_path / "study", 3).close()
    return StudyPage(service_of(tmp_path / "study"))


def traits(panel: StudyPage, **changed: Any) -> dict[str, Any]:
    return {"overview": carried({**panel.overview, **changed}), "work": {}, "opens": list(panel.opens)}


# ------------------------------------------------------------------------------ without a browser
def test_every_row_has_a_letter_for_each_form_of_each_visit(panel: StudyPage) -> None:
    seen = panel.overview
    assert [visit["name"] for visit in seen["visits"]] == list(VISITS)
    assert len(seen["rows"]) == seen["flow"]["screened"] == 20
    assert all([len(letters) for letters in row["cells"]] == [len(FORMS)] * len(VISITS) for row in seen["rows"])
    assert sum(letters.count("m") for row in seen["rows"] for letters in row["cells"]) == seen["counts"]["missing"]


def test_nothing_is_said_of_the_chain_before_it_was_verified_and_then_who_when_and_what_came_since(
    own: StudyPage,
    tmp_path: Path,
) -> None:
    assert own.overview["verification"] is None
    assert own.answer("verify", {})["ok"]
    own.wait()
    found = own.overview["verification"]
    assert (found["ok"], found["by"], found["since"], found["seq"]) == (
        True, "Rossi M.", 0, own.overview["head"]["seq"] - 1,
    )  # fmt: skip
    with Study.open(tmp_path / "study", actor="x") as study:
        study.amend("study", study.id, {"title": "Longer"}, reason="registered")
    own.look()
    assert own.overview["verification"]["since"] == 1


def test_the_audit_trail_is_exported_beside_the_record_with_its_number_of_rows(
    own: StudyPage, tmp_path: Path
) -> None:
    assert own.answer("export", {})["ok"]
    own.wait()
    folder = tmp_path / "study"
    (path,) = (folder / "exports").glob("audit-*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == own.overview["head"]["seq"]
    assert (path.name in own.work["text"], f"{len(rows):,} rows" in own.work["text"]) == (True, True)


def test_a_broken_record_is_named_and_exports_nothing(own: StudyPage, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER payload_update")
        connection.execute("UPDATE audit_payload SET payload = replace(payload, 'BIG', 'BAG') WHERE seq = 1")
    own.answer("verify", {})
    own.wait()
    assert not own.overview["verification"]["ok"]
    assert "audit row 1" in own.overview["verification"]["first"]
    reply = own.answer("export", {})
    assert (reply["ok"], "nothing was exported" in reply["text"]) == (False, True)
    # Whatever a page believes, the record is asked again.
    own.overview = {**own.overview, "verification": None}
    own.answer("export", {})
    own.wait()
    assert "nothing was exported" in own.work["fault"]
    assert not (folder / "exports").exists()


def test_a_record_that_cannot_be_read_leaves_everything_as_it_was_with_the_fault_beside_it(
    own: StudyPage, tmp_path: Path
) -> None:
    rows = own.overview["rows"]
    folder = tmp_path / "study"
    (folder / "study.db").rename(folder / "away.db")
    own.look()
    assert own.overview["rows"] == rows
    assert "study.db" in own.overview["fault"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("fails", ["verify", "export", "overview"])
def test_work_that_ends_with_an_error_nobody_foresaw_says_so_and_can_be_started_again(
    own: StudyPage, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def broken(*_: Any) -> str:
        raise KeyError("unforeseen")

    kind = "export" if fails == "export" else "verify"
    monkeypatch.setattr(own._service, fails, broken)
    assert own.answer(kind, {})["ok"]
    own.wait()
    assert own.work["kind"] == ""
    assert "nobody foresaw" in own.work["fault"]
    monkeypatch.undo()
    assert own.answer(kind, {})["ok"]
    own.wait()
    assert (own.work["kind"], own.work["fault"]) == ("", "")


def test_a_file_that_cannot_be_read_is_a_fault_of_the_page_and_no_defect(
    own: StudyPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Mapping[str, Any]:
        raise OSError("the disk was taken away")

    monkeypatch.setattr(own._service, "overview", away)
    own.look()
    assert "the disk was taken away" in own.overview["fault"]


def test_a_participant_that_is_not_on_the_page_is_not_opened(panel: StudyPage, folder: Path) -> None:
    opened: list[str] = []
    page = StudyPage(service_of(folder), open_participant=opened.append)
    assert page.answer("participant", {"participant": "P-001"})["ok"]
    assert not page.answer("participant", {"participant": "P-999"})["ok"]
    assert opened == ["P-001"]
    assert not StudyPage(service_of(folder)).answer("participant", {"participant": "P-001"})["ok"]


def test_the_worklist_leads_to_the_overview_and_the_overview_back(folder: Path) -> None:
    page = SessionPage(folder, operator="Chen L.")
    try:
        assert "study" in page.screen.place["views"]
        assert page.worklist.answer("study", {})["ok"]
        (_, shown) = page.stage.children
        assert isinstance(shown, StudyPage)
        assert page.screen.place["view"] == "study"
        assert shown.answer("back", {})["ok"]
        assert isinstance(page.stage.children[1], Worklist)
    finally:
        page.screen.close()
        page.log.close()


# ------------------------------------------------------------------------------ in a browser
@pytest.mark.parametrize(("width", "height", "language"), crossed([(1440, 900), (1280, 800)], ["en", "zh-CN"]))
def test_everything_fits_the_window_and_axe_finds_nothing(
    mount: Callable[..., Any], panel: StudyPage, width: int, height: int, language: str
) -> None:
    page = mount(StudyPage, {**traits(panel), "language": language}, width=width, height=height)
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] == width
    assert size[1] <= height
    for name in ("verify", "export", "cut-off", "chain"):
        box = page.locator(f"[data-name={name}]").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= width, name
    assert page.errors == []
    assert axe(page) == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_outside_a_session_the_bar_has_room_for_the_study_on_a_small_screen(
    mount: Callable[..., Any], language: str
) -> None:
    place = {
        "study": "BIG", "participant": "P-014", "visit": "Month 2", "confirmed": "", "view": "study",
        "views": list(BAR), "badges": {"approve": 1, "result": 1}, "signed_in": "Lin Q.", "can_sign_in": True,
    }  # fmt: skip
    shell = {"status": {}, "link": {"state": "none"}, "form": {}, "panels": [], "beat": 0, "place": place}
    page = mount(LiveSession, {**shell, "language": language}, width=1024, height=768)
    for part in ("[data-name=view-study]", "[data-name=view-log]", "[data-name=sign-person]", ".bar .seg"):
        box = page.locator(part).last.bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 1024, part
    assert page.locator("[data-name=view-study]").get_attribute("aria-current") == "page"


def test_only_what_is_missing_is_loud_and_words_say_what_the_marks_say(
    mount: Callable[..., Any], panel: StudyPage
) -> None:
    page = mount(StudyPage, traits(panel))
    missing = page.locator(".heat td .c-m")
    assert missing.count() == panel.overview["counts"]["missing"] > 0
    yellow = "e => getComputedStyle(e).backgroundColor === 'rgb(255, 212, 58)'"
    assert missing.first.evaluate(yellow)
    loud = page.evaluate(f"[...document.querySelectorAll('.heat td i')].filter({yellow}).length")
    assert loud == missing.count()
    words = missing.first.locator("xpath=..").get_attribute("aria-label")
    assert "1 missing" in words
    assert page.locator(".heat thead th").nth(3).inner_text() == "Month 1"


def test_rows_are_filtered_folded_and_opened_by_keyboard(mount: Callable[..., Any], panel: StudyPage) -> None:
    page = mount(StudyPage, traits(panel))
    assert page.locator(".heat tr[data-participant]").count() == 20
    page.locator("[data-name=site-01]").press("Enter")
    assert page.evaluate("document.activeElement.dataset.name") == "site-01"
    assert page.locator("[data-name=site-01]").get_attribute("aria-expanded") == "false"
    assert page.locator(".heat tr[data-participant]").count() == 10
    page.locator("[data-name=site-01]").press("Enter")
    page.locator("[data-name=only-missing]").press("Enter")
    with_missing = [row for row in panel.overview["rows"] if any("m" in letters for letters in row["cells"])]
    assert page.locator(".heat tr[data-participant]").count() == len(with_missing) < 20
    page.locator(f"[data-name=open-{with_missing[0]['participant']}]").press("Enter")
    sent = page.evaluate("window.sent")[-1]
    assert (sent["name"], sent["args"]) == ("participant", {"participant": with_missing[0]["participant"]})


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["First bad entry", "Exports are off"]), ("zh-CN", ["首个异常条目", "导出已停用"])],
)
def test_a_broken_chain_is_a_banner_that_names_the_first_bad_entry_and_turns_exports_off(
    mount: Callable[..., Any], panel: StudyPage, language: str, words: list[str]
) -> None:
    page = mount(StudyPage, {**traits(panel, verification=BROKEN), "language": language}, width=1280, height=800)
    banner = page.get_by_role("alert").filter(has_text="audit row 12")
    assert banner.is_visible()
    assert all(word in banner.inner_text() for word in words)
    assert page.locator("[data-name=export]").is_disabled()
    assert page.locator("[data-name=verify]").is_enabled()
    assert axe(page) == []


def test_the_button_says_how_far_verifying_is_and_the_heading_what_came_of_it(
    mount: Callable[..., Any], panel: StudyPage
) -> None:
    page = mount(StudyPage, traits(panel))
    assert page.locator("[data-name=chain]").inner_text() == "chain not verified yet"
    assert page.locator("[data-name=broken]").is_hidden()
    page.locator("[data-name=verify]").press("Enter")
    assert page.evaluate("window.sent")[-1]["name"] == "verify"
    page.evaluate("window.put({work: {kind: 'verify', share: 0.42, s: 3, text: '', fault: ''}})")
    verify = page.locator("[data-name=verify]")
    assert (verify.inner_text(), verify.is_disabled()) == ("Verifying… 42 %", True)
    held = {**BROKEN, "ok": True, "since": 2, "seq": 48211}
    page.evaluate("o => window.put({overview: o, work: {}})", traits(panel, verification=held)["overview"])
    said = page.locator("[data-name=chain]").inner_text()
    assert said == "chain verified 14:31:58 by Rossi M., 48,211 entries · 2 since"


def test_a_study_of_nobody_says_in_words_what_will_appear(mount: Callable[..., Any], tmp_path: Path) -> None:
    Study.create(tmp_path / "study", code="NEW", title="New", actor="x").close()
    page = mount(StudyPage, traits(StudyPage(service_of(tmp_path / "study"))))
    told = page.locator(".study").inner_text()
    for words in (
        "Screened 0",
        "No protocol is in force",
        "No query is open",
        "Nothing is locked",
        "Nothing is late",
    ):
        assert words in told
    assert axe(page) == []


def test_a_reading_that_failed_is_told_with_the_time_of_the_last_one(
    mount: Callable[..., Any], panel: StudyPage
) -> None:
    page = mount(StudyPage, traits(panel, fault="held by another process"))
    cut = page.locator("[data-name=cut-off]")
    assert "held by another process" in cut.inner_text()
    assert "bad" in cut.get_attribute("class")


def test_a_report_that_is_due_stands_before_what_only_the_protocol_asks_for(
    mount: Callable[..., Any], panel: StudyPage
) -> None:
    reports = [
        {"state": "overdue", "participant": "P-007", "what": "seizure", "text": "overdue by 2 h"},
        {"state": "running", "participant": "", "what": "stimulator", "text": "due on 2026-12-01"},
    ]
    page = mount(StudyPage, traits(panel, reports=reports))
    first = page.locator("ol.tasks > li").nth(0)
    assert first.get_attribute("data-name") == "report-overdue"
    assert first.text_content() == "Report overdueP-007seizure: overdue by 2 h"
    assert page.locator("ol.tasks > li").nth(1).get_attribute("data-name") == "report-running"
    assert page.locator("ol.tasks > li").nth(2).get_attribute("data-name").startswith("task-")


def test_every_table_that_the_trail_names_has_words_in_both_languages() -> None:
    for language in LANGUAGES:
        words = catalogue()[language]
        assert [table.name for table in schema.DATA if f"study.table.{table.name}" not in words] == []


def test_reports_of_the_record_that_are_not_sent_are_told(own: StudyPage, tmp_path: Path) -> None:
    facts = {"serious": True, "criteria": ["death"], "severity": "severe", "device": "causal"}
    facts |= {"procedure": "not_related", "stimulation": "not_related", "expected": False}
    with Study.open(tmp_path / "study", actor="tests") as study:
        study.add_person("ward", "Dr W", "correct horse", ("investigator",))
        person = study.rows("participant")[0]
        aware = ("2026-03-01T08:00Z", "UTC", "CN")
        event = ReportEvent(person["id"], "death", "", facts, *aware, jurisdictions=("CN",))
        study.apply(event, study.sign_in("ward", "correct horse"))
    own.look()
    (report,) = own.overview["reports"]
    assert (report["state"], report["participant"], report["what"]) == ("overdue", person["pseudonym"], "death")
